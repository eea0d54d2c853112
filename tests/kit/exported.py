"""Exported controllers at work: each language plays sequences of observations and gives back its numbers."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from engine.controller import Outcome, Setting, Who
from engine.rule import prepare_options
from engine.scenario import parse, setup_of
from engine.setup import Setup
from sims.catalog import Catalog
from sims.shipping.languages.language import LANGUAGES
from sims.shipping.shipped_rule import ShippedRule, shipped_rule
from sims.shipping.vectors import KINDS, ReferenceRule, option_ends, sequence
from tests.kit.small import TEXT

CATALOG = Catalog()
RULES = tuple(
    entry.name
    for entry in CATALOG.controllers()
    if CATALOG.controller(entry.name).rule is not None and entry.name != "model_average"  # too many numbers for a file
)


def setup_for(controller: str, text: str = TEXT) -> Setup:
    filled = text.format(game="logistic", controller=controller, players=10, attempts=10)
    return setup_of(parse(filled.encode(), "small.toml", CATALOG), CATALOG)


class Case(NamedTuple):
    """One file, and sequences for it; those with other options bring their numbers along."""

    shipped: ShippedRule
    sequences: list[dict[str, Any]]

    @property
    def expected(self) -> list[float]:
        found: list[float] = []
        for one in self.sequences:
            found += [step["difficulty"] for step in one["steps"] if "ask" in step]
            found += one["numbers"]
        return found


def cases(controller: str, sequences: int, attempts: int, at_ends: int) -> list[Case]:
    """A case for each size of tables and state that options at the ends of their ranges lead to.

    sequences, attempts: at the scenario's options; at_ends: sequences at each end of each option.
    """
    found: dict[Any, Case] = {}
    usual = setup_for(controller)
    for number, setup in enumerate((usual, *(end.setup for end in option_ends(usual)))):
        count = sequences if number == 0 else at_ends
        if not count:
            continue
        shipped = shipped_rule(setup, "small", "0")
        rule = setup.kind.rule
        assert rule is not None
        reference = ReferenceRule(rule, prepare_options(rule, setup.options, setup.brief(0)), shipped)
        played = []
        for place in range(count):
            one = sequence(reference, shipped, place, attempts, KINDS[place % len(KINDS)])
            group = next(group for group in shipped.groups if group.name == one["group"])
            first = shipped.first_states[group.first]
            played.append({**one, "constants": shipped.constants.tolist(), "first": first.tolist()})
        sizes = (shipped.rule.options_layout, shipped.rule.state_layout)
        found.setdefault(sizes, Case(shipped, [])).sequences.extend(played)
    return list(found.values())


def differing(got: list[float], expected: list[float]) -> int:
    """Numbers that are not the same."""
    assert len(got) == len(expected)
    return sum(one != other for one, other in zip(got, expected, strict=True))


def lines(case: Case) -> str:
    """The sequences for a program that reads words: C and C#."""
    groups = [group.name for group in case.shipped.groups]
    found = []
    for one in case.sequences:
        for letter, name in (("C", "constants"), ("F", "first")):
            numbers = one.get(name, [])
            found.append(" ".join([letter, str(len(numbers)), *map(repr, numbers)]))
        found.append(f"P {groups.index(one['group'])} {one['unit']}")
        for step in one["steps"]:
            if "ask" in step:
                found.append(" ".join(["A", *map(repr, step["ask"].values())]))
            else:
                values = (step[name] for name in ("tell", "last", "won", "progress", "score", "weight"))
                found.append(" ".join(["T", *map(repr, values)]))
        found.append("N")
    return "\n".join(found) + "\n"


# --- JavaScript

_JAVASCRIPT = """
function playAll(difficulty, sequences) {
  const found = [], { constants, first } = difficulty.tables;
  for (const one of sequences) {
    difficulty.tables.constants = one.constants || constants;
    difficulty.tables.first = one.first ? first.map(() => one.first) : first;
    const player = difficulty.newPlayer(one.group, one.unit), plays = [];
    for (const step of one.steps) {
      if (step.ask) {
        const play = difficulty.ask(player, step.ask);
        plays.push(play);
        found.push(play.difficulty);
      } else {
        const play = plays[step.tell];
        play.last = step.last;
        if (!difficulty.tell(player, play, step)) throw new Error("refused");
      }
    }
    found.push(...player.numbers);
  }
  return found;
}
"""


def in_node(case: Case, folder: Path) -> list[float]:
    (folder / "difficulty.js").write_text(LANGUAGES["js"].write(case.shipped), encoding="utf-8")
    (folder / "sequences.json").write_text(json.dumps(case.sequences), encoding="utf-8")
    text = (
        f"{_JAVASCRIPT}\nconst sequences = JSON.parse(require('fs').readFileSync('sequences.json', 'utf8'));\n"
        "console.log(JSON.stringify(playAll(require('./difficulty.js'), sequences)));\n"
    )
    (folder / "play.js").write_text(text, encoding="utf-8")
    found: list[float] = json.loads(_output(["node", "play.js"], folder))
    return found


def in_quickjs(case: Case, folder: Path) -> list[float]:
    context = import_module("quickjs").Context()
    context.eval(LANGUAGES["js"].write(case.shipped).replace("const difficulty =", "var difficulty =", 1))
    context.eval(_JAVASCRIPT)
    found: list[float] = json.loads(context.eval(f"JSON.stringify(playAll(difficulty, {json.dumps(case.sequences)}))"))
    return found


# --- Lua


def _in_lua(version: str) -> Callable[[Case, Path], list[float]]:
    def played(case: Case, folder: Path) -> list[float]:
        lua = import_module(f"lupa.{version}").LuaRuntime()
        difficulty = lua.execute(LANGUAGES["lua"].write(case.shipped))
        found: list[float] = []
        constants, firsts = difficulty.tables.constants, difficulty.tables.first
        for one in case.sequences:
            difficulty.tables.constants = lua.table_from(one["constants"]) if "constants" in one else constants
            difficulty.tables.first = firsts
            if "first" in one:
                first = lua.table_from(one["first"])
                difficulty.tables.first = lua.table_from([first] * len(case.shipped.first_states))
            player = difficulty.new_player(one["group"], one["unit"])
            plays = []
            for step in one["steps"]:
                if "ask" in step:
                    plays.append(difficulty.ask(player, lua.table_from(step["ask"])))
                    found.append(plays[-1].difficulty)
                else:
                    plays[step["tell"]].last = step["last"]
                    assert difficulty.tell(player, plays[step["tell"]], lua.table_from(step))
            found += list(player.numbers.values())
        return found

    return played


# --- C and C#

_C = r"""
#include <stdio.h>
#include <stdlib.h>
#define DIFFICULTY_IMPLEMENTATION
#include "difficulty.h"

static double *numbers(void) {
    int count;
    double *found;
    if (scanf("%d", &count) != 1) exit(3);
    if (count == 0) return 0; /* the file's own */
    found = malloc(sizeof(double) * (size_t)(count + 1));
    for (int i = 0; i < count; i++) if (scanf("%lf", &found[i]) != 1) exit(3);
    return found;
}

int main(void) {
    static fd_play plays[10000];
    double *constants = 0, *first = 0;
    fd_player player;
    char what;
    int asked = 0;
    while (scanf(" %c", &what) == 1) {
        if (what == 'C') { free(constants); constants = numbers(); }
        else if (what == 'F') { free(first); first = numbers(); }
        else if (what == 'P') {
            int group;
            double unit;
            if (scanf("%d %lf", &group, &unit) != 2) return 3;
            fd_use(constants, first);
            fd_new_player(&player, group, unit);
            asked = 0;
        } else if (what == 'A') {
            long long attempt, level, place, session, day;
            fd_situation now;
            if (scanf("%lld %lld %lld", &attempt, &level, &place) != 3) return 3;
            if (scanf("%lf %lld %lld", &now.last, &session, &day) != 3) return 3;
            now.attempt = attempt; now.level = level; now.place = place; now.session = session; now.day = day;
            plays[asked] = fd_ask(&player, &now);
            printf("%.17g\n", plays[asked++].difficulty);
        } else if (what == 'T') {
            int told;
            double last;
            fd_outcome o;
            if (scanf("%d %lf %lf %lf %lf %lf", &told, &last, &o.won, &o.progress, &o.score, &o.weight) != 6) return 3;
            plays[told].last = last;
            if (!fd_tell(&player, &plays[told], &o)) return 4;
        } else {
            for (int i = 0; i < FD_NUMBERS; i++) printf("%.17g\n", player.numbers[i]);
        }
    }
    return 0;
}
"""
C_FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off")


def in_c(case: Case, folder: Path) -> list[float]:
    (folder / "difficulty.h").write_text(LANGUAGES["c"].write(case.shipped), encoding="utf-8")
    (folder / "play.c").write_text(_C, encoding="utf-8")
    _output(["gcc", *C_FLAGS, "play.c", "-lm", "-o", "play"], folder)
    return [float(line) for line in _output(["./play"], folder, lines(case)).split()]


_CSHARP = """
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

public static class PlayAll
{
    private static double N(string text)
    {
        return double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    private static double[] Rest(string[] w) { return w.Skip(2).Select(N).ToArray(); }
    private static void Say(double one) { Console.WriteLine(BitConverter.DoubleToInt64Bits(one)); }

    public static int Main()
    {
        string line;
        double[] own = Difficulty.ConstantNumbers;
        double[][] ownFirst = Difficulty.First;
        string[] groups = { GROUPS };
        DifficultyPlayer player = null;
        var plays = new List<Play>();
        while ((line = Console.ReadLine()) != null)
        {
            string[] w = line.Split(' ');
            if (w[0] == "C") Difficulty.ConstantNumbers = w.Length > 2 ? Rest(w) : own;
            else if (w[0] == "F") Difficulty.First = ownFirst.Select(one => w.Length > 2 ? Rest(w) : one).ToArray();
            else if (w[0] == "P") { player = Difficulty.NewPlayer(groups[int.Parse(w[1])], N(w[2])); plays.Clear(); }
            else if (w[0] == "A")
            {
                plays.Add(Difficulty.Ask(player, new Situation { Attempt = long.Parse(w[1]), Level = long.Parse(w[2]),
                    Place = long.Parse(w[3]), Last = N(w[4]), Session = long.Parse(w[5]), Day = long.Parse(w[6]) }));
                Say(plays[plays.Count - 1].Difficulty);
            }
            else if (w[0] == "T")
            {
                Play play = plays[int.Parse(w[1])];
                play.Last = N(w[2]);
                if (!Difficulty.Tell(player, play, new Outcome { Won = N(w[3]), Progress = N(w[4]), Score = N(w[5]),
                    Weight = N(w[6]) })) return 4;
            }
            else foreach (double one in player.Numbers) Say(one);
        }
        return 0;
    }
}
"""


def in_mono(case: Case, folder: Path) -> list[float]:
    groups = ", ".join(f'"{group.name}"' for group in case.shipped.groups)
    (folder / "Difficulty.cs").write_text(LANGUAGES["csharp"].write(case.shipped), encoding="utf-8")
    (folder / "PlayAll.cs").write_text(_CSHARP.replace("GROUPS", groups), encoding="utf-8")
    _output(["mcs", "-out:play.exe", "PlayAll.cs", "Difficulty.cs"], folder)
    said = _output(["mono", "play.exe"], folder, lines(case)).split()
    return [struct.unpack("<d", struct.pack("<q", int(bits)))[0] for bits in said]


class Player(NamedTuple):
    """An interpreter of a language."""

    play: Callable[[Case, Path], list[float]]
    missing: str | None  # why it cannot run here


def _program(*names: str) -> str | None:
    lost = [name for name in names if shutil.which(name) is None]
    return f"{' and '.join(lost)} cannot be run here" if lost else None


def _module(name: str) -> str | None:
    return None if find_spec(name.partition(".")[0]) else f"the package {name.partition('.')[0]} is not installed"


PLAYERS = {
    "node": Player(in_node, _program("node")),
    "quickjs": Player(in_quickjs, _module("quickjs")),
    "lua54": Player(_in_lua("lua54"), _module("lupa")),
    "lua51": Player(_in_lua("lua51"), _module("lupa")),
    "luajit": Player(_in_lua("luajit21"), _module("lupa")),
    "c": Player(in_c, _program("gcc")),
    "mono": Player(in_mono, _program("mcs", "mono")),
}


def _output(command: list[str], folder: Path, given: str | None = None) -> str:
    done = subprocess.run(command, cwd=folder, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout[:2000]
    return done.stdout


# --- An exported controller in the place of the rule it came from

_SERVER = """
const difficulty = require("./difficulty.js");
const players = new Map(), plays = new Map();
const { readSync, writeSync } = require("fs");
let left = "";
const buffer = Buffer.alloc(65536);
for (;;) {
  const count = readSync(0, buffer);
  if (count === 0) break;
  left += buffer.toString("latin1", 0, count);
  let end;
  while ((end = left.indexOf("\\n")) >= 0) {
    const said = JSON.parse(left.slice(0, end));
    left = left.slice(end + 1);
    if (said.ask !== undefined) {
      if (!players.has(said.ask)) players.set(said.ask, difficulty.newPlayer(said.group, said.ask));
      const play = difficulty.ask(players.get(said.ask), said.situation);
      plays.set(said.ask + "/" + said.situation.attempt, play);
      writeSync(1, JSON.stringify(play.difficulty) + "\\n");
    } else {
      const key = said.tell + "/" + said.attempt, play = plays.get(key);
      plays.delete(key);
      play.last = said.last;
      if (!difficulty.tell(players.get(said.tell), play, said)) throw new Error("refused");
    }
  }
}
"""


class NodeController:
    """A controller that a node process plays with the exported file, as a game would."""

    beliefs = ()

    def __init__(self, shipped: ShippedRule, folder: Path) -> None:
        (folder / "difficulty.js").write_text(LANGUAGES["js"].write(shipped), encoding="utf-8")
        (folder / "serve.js").write_text(_SERVER, encoding="utf-8")
        self._groups = [group.name for group in shipped.groups]
        self._node = subprocess.Popen(
            ["node", "serve.js"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def _say(self, words: dict[str, Any]) -> None:
        assert self._node.stdin is not None
        self._node.stdin.write(json.dumps(words) + "\n")
        self._node.stdin.flush()

    def ask(self, who: Who) -> Setting:
        now = who.situation
        names = ("attempt", "level", "place", "last", "session", "day")
        situation = {name: getattr(now, name) for name in names}
        self._say({"ask": who.player, "group": self._groups[who.cohort], "situation": situation})
        assert self._node.stdout is not None
        return Setting(float(self._node.stdout.readline()))

    def tell(self, outcome: Outcome) -> None:
        who = outcome.who
        self._say(
            {
                "tell": who.player,
                "attempt": who.situation.attempt,
                "last": who.situation.last,
                "won": float(outcome.won),
                "progress": outcome.progress,
                "score": outcome.score,
            }
        )

    def describe(self, who: Who) -> dict[str, float]:
        return {}

    def close(self) -> None:
        self._node.communicate(timeout=60)
