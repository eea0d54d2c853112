"""Every wrong scenario is told in one line that says file, line, key, rule and what came; nothing is written."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

import pytest

from engine.errors import ScenarioError
from engine.players import FLOW_FIELDS, TRAIT_NAMES
from engine.scenario import load, parse
from sims.catalog import Catalog
from sims.cli.app import main
from tests.kit.places import ROOT, SCENARIOS

HERE = SCENARIOS
BASE = (HERE / "base.toml").read_text(encoding="utf-8")
CATALOG = Catalog()


class Wrong(NamedTuple):
    """A line of the base scenario, what it is changed to, and what the message must say."""

    old: str
    new: str
    line: int
    key: str
    words: tuple[str, ...]


TABLE = {
    # the top of the file
    "format is text": Wrong("format = 1", 'format = "1"', 2, "format", ("from 1 to 1", "got '1'")),
    "format of the future": Wrong("format = 1", "format = 2", 2, "format", ("got 2",)),
    "no format": Wrong("format = 1\n", "# gone\n", 1, "format", ("required",)),
    "title too long": Wrong('"Base"', f'"{"x" * 121}"', 3, "title", ("120 characters", "121")),
    "title turns direction": Wrong('"Base"', '"ab\u202ecd"', 3, "title", ("reading direction", "\\u202e")),
    "title with a bell": Wrong('"Base"', '"ab\\u0007cd"', 3, "title", ("control characters", "\\x07")),
    "title of two lines": Wrong('"Base"', '"a\\nb"', 3, "title", ("control characters",)),
    "notes are a number": Wrong('"why"', "3", 4, "notes", ("text", "got 3")),
    "seed below 0": Wrong("seed = 7", "seed = -1", 5, "seed", ("0 to 9223372036854775807", "got -1")),
    "seed too large": Wrong("seed = 7", f"seed = {2**63}", 5, "seed", ("got 9223372036854775808",)),
    "seed is enormous": Wrong("seed = 7", f"seed = 0x{'f' * 5000}", 5, "seed", ("20000 bits",)),
    "seed is no whole number": Wrong("seed = 7", "seed = 7.0", 5, "seed", ("whole number", "got 7.0")),
    "seed is a boolean": Wrong("seed = 7", "seed = true", 5, "seed", ("whole number", "got true")),
    "seed is a date": Wrong("seed = 7", "seed = 2020-01-01", 5, "seed", ("whole number", "got 2020-01-01")),
    "seed misspelled": Wrong("seed = 7", "sede = 7", 5, "sede", ("has the keys", "did you mean 'seed'?")),
    "unknown table": Wrong("[telemetry]", "[telemety]", 41, "telemety", ("did you mean 'telemetry'?",)),
    # the game
    "no game": Wrong('[game]\nname = "gap_runner"\n', "#\n#\n", 10, "game.name", ("required",)),
    "target is a value": Wrong(
        "target = { win_rate = 0.85 }", "target = 0.85", 59, "cohort.new.target", ("table", "got 0.85")
    ),
    "unknown game": Wrong(
        '"gap_runner"', '"gap_runer"', 8, "game.name", ("no game 'gap_runer'", "did you mean 'gap_runner'?")
    ),
    "game as module": Wrong('"gap_runner"', '"os:system"', 8, "game.name", ("no game 'os:system'",)),
    "game as path": Wrong('"gap_runner"', '"../games/gap_runner.py"', 8, "game.name", ("no game",)),
    "unknown knob held": Wrong(
        "hearts = 2", "heart = 2", 12, "game.params.heart", ("gap_runner has the knobs", "did you mean 'hearts'?")
    ),
    "held outside the range": Wrong("hearts = 2", "hearts = 9", 12, "game.params.hearts", ("[1, 3]", "got 9")),
    "held at half a heart": Wrong("hearts = 2", "hearts = 2.5", 12, "game.params.hearts", ("whole number", "2.5")),
    "held at a list": Wrong(
        "hearts = 2", "hearts = [2]", 12, "game.params.hearts", ("1e+300, or the name of a choice", "got [2]")
    ),
    "held at nan": Wrong("hearts = 2", "hearts = nan", 12, "game.params.hearts", ("finite", "got nan")),
    "unknown choice": Wrong(
        '"gaps_spikes"', '"gaps_spike"', 11, "game.params.hazards", ("one of", "did you mean 'gaps_spikes'?")
    ),
    "choice by number": Wrong('"gaps_spikes"', "1", 11, "game.params.hazards", ("one of gaps",)),
    "bounds outside": Wrong(
        "[5.0, 9.0]", "[1.0, 9.0]", 15, "game.bounds.speed", ("5 <= low < high <= 10", "got [1.0, 9.0]")
    ),
    "bounds turned": Wrong("[5.0, 9.0]", "[9.0, 5.0]", 15, "game.bounds.speed", ("low < high",)),
    "bounds of one": Wrong("[5.0, 9.0]", "[5.0]", 15, "game.bounds.speed", ("at least 2", "got 1")),
    "bounds of three": Wrong("[5.0, 9.0]", "[5, 6, 7]", 15, "game.bounds.speed", ("at most 2", "got 3")),
    "bounds are a text": Wrong("[5.0, 9.0]", '"5-11"', 15, "game.bounds.speed", ("list", "got '5-11'")),
    "bounds of infinity": Wrong("[5.0, 9.0]", "[5.0, inf]", 15, "game.bounds.speed[2]", ("finite", "got inf")),
    "bounds beyond floats": Wrong("[5.0, 9.0]", "[5.0, 1e400]", 15, "game.bounds.speed[2]", ("finite", "got inf")),
    "bounds of a choice": Wrong("speed = [5.0, 9.0]", "hazards = [0, 1]", 15, "game.bounds.hazards", ("choice",)),
    # the dial
    "no floor": Wrong("floor = 0.1", "#", 17, "dial.floor", ("required", "a controller needs bounds", "0 to 1")),
    "no dial": Wrong(
        BASE[BASE.index("[dial]") : BASE.index("[levels]")], "", 1, "dial", ("required", "which a controller needs")
    ),
    "floor below 0": Wrong("floor = 0.1", "floor = -0.1", 19, "dial.floor", ("0 to 1", "got -0.1")),
    "floor above ceiling": Wrong(
        "floor = 0.1", "floor = 0.95", 19, "dial.floor", ("below the ceiling", "0.95 and 0.9")
    ),
    "floor is nan": Wrong("floor = 0.1", "floor = nan", 19, "dial.floor", ("got nan",)),
    "ceiling is 2": Wrong("ceiling = 0.9", "ceiling = 2", 20, "dial.ceiling", ("0 to 1", "got 2")),
    "unknown knob moves": Wrong(
        '"spacing_m"', '"spacing"', 18, "dial.knobs[2]", ("has the knobs", "did you mean 'spacing_m'?")
    ),
    "held knob moves": Wrong('"spacing_m"', '"hearts"', 18, "dial.knobs[2]", ("fixed in [game.params]",)),
    "knob twice": Wrong('"spacing_m"', '"speed"', 18, "dial.knobs[2]", ("once", "speed")),
    "nothing moves": Wrong('["speed", "spacing_m", "obstacles"]', "[]", 18, "dial.knobs", ("at least one knob",)),
    "path of one": Wrong("[0.0, 0.5, 1.0]", "[0.0]", 23, "dial.path.speed", ("at least 2", "got 1")),
    "path of 34": Wrong("[0.0, 0.5, 1.0]", f"{[0.5] * 34}", 23, "dial.path.speed", ("at most 33", "got 34")),
    "path outside": Wrong("[0.0, 0.5, 1.0]", "[0.0, 1.5, 1.0]", 23, "dial.path.speed[2]", ("0 to 1", "got 1.5")),
    "path of a knob at rest": Wrong(
        "speed = [0.0, 0.5, 1.0]", "sight_m = [0, 1]", 23, "dial.path.sight_m", ("does not move",)
    ),
    "paths of two lengths": Wrong(
        "speed = [0.0, 0.5, 1.0]",
        "speed = [0, 0.5, 1]\nobstacles = [0, 0.1, 0.2, 1]",
        23,
        "dial.path.speed",
        ("equally long", "3 and 4"),
    ),
    # levels and target
    "unknown kind of levels": Wrong(
        '"campaign"', '"campain"', 26, "levels.kind", ("endless, campaign", "did you mean 'campaign'?")
    ),
    "no count": Wrong("count = 3", "#", 25, "levels.count", ("required", "1 to 1000")),
    "too many levels": Wrong("count = 3", "count = 10001", 27, "levels.count", ("1 to 10000", "got 10001")),
    "count in an endless stream": Wrong('"campaign"', '"endless"', 27, "levels.count", ("has the keys",)),
    "win rates of two levels": Wrong(
        "[0.9, 0.8, 0.7]", "[0.9, 0.8]", 30, "target.levels", ("each of the 3 levels", "got 2")
    ),
    "win rate of 1": Wrong(
        "levels = [0.9, 0.8, 0.7]", "win_rate = 1", 30, "target.win_rate", ("from 1e-06 to 0.999999", "got 1")
    ),
    "win rate in percent": Wrong(
        "win_rate = 0.85", "win_rate = 85", 59, "cohort.new.target.win_rate", ("to 0.999999", "got 85")
    ),
    "no target": Wrong("levels = [0.9, 0.8, 0.7]", "#", 29, "target", ("a controller needs a target", "'old'")),
    "two targets": Wrong("tolerance = 0.05", "win_rate = 0.7", 29, "target", ("one of", "win_rate and levels")),
    "band turned": Wrong(
        "levels = [0.9, 0.8, 0.7]\ntolerance = 0.05", "band = [0.8, 0.7]\n#", 30, "target.band", ("low below high",)
    ),
    "band with tolerance": Wrong(
        "levels = [0.9, 0.8, 0.7]", "band = [0.7, 0.8]", 31, "target.tolerance", ("own width",)
    ),
    "tolerance of 0": Wrong(
        "tolerance = 0.05", "tolerance = 0", 31, "target.tolerance", ("above 0 and at most 0.5", "got 0")
    ),
    "judged too late": Wrong(
        "after_attempts = 0",
        "after_attempts = 200",
        32,
        "target.after_attempts",
        ("must be 0 in a campaign", "got 200"),
    ),
    # the controller
    "unknown controller": Wrong(
        '"weighted_up_down"', '"weighted_updown"', 35, "controller.name", ("did you mean 'weighted_up_down'?",)
    ),
    "unknown scope": Wrong(
        '"cohort"', '"cohorts"', 36, "controller.scope", ("player, cohort, everyone", "did you mean 'cohort'?")
    ),
    "scope it has not": Wrong(
        '"weighted_up_down"\nscope = "cohort"',
        '"cma_es"\nscope = "player"',
        36,
        "controller.scope",
        ("for cma_es", "got 'player'"),
    ),
    "unknown option": Wrong(
        "step = 0.1",
        "steps = 0.1",
        39,
        "controller.options.steps",
        ("weighted_up_down has the options", "did you mean 'step'?"),
    ),
    "option outside": Wrong("step = 0.1", "step = 1.5", 39, "controller.options.step", ("0 to 1", "got 1.5")),
    "option is text": Wrong(
        "step = 0.1", 'step = "0.1"', 39, "controller.options.step", ("finite number", "got '0.1'")
    ),
    "delay below 0": Wrong("delay_s = 60", "delay_s = -1", 42, "telemetry.delay_s", ("from 0", "got -1")),
    "timetable for one player": Wrong(
        '"cohort"', '"player"', 43, "telemetry.deploy_every_s", ("scope player", "got 3600")
    ),
    # players
    "no players": Wrong("count = 100", "count = 0", 46, "players.count", ("from 1", "got 0")),
    "fewer players than cohorts": Wrong("count = 100", "count = 1", 46, "players.count", ("at least 2", "got 1")),
    "huge count": Wrong("count = 100", "count = 100000000000", 46, "players.count", ("640000000", "got 100000000000")),
    "cohort beyond addresses": Wrong("count = 100", "count = 20000000", 46, "players.count", ("10000000",)),
    "long work": Wrong(
        "count = 100", "count = 1000000", 46, "players.count", ("2e+08 attempts", "4.00e+08", "minutes", "--allow-long")
    ),
    "too much work": Wrong("count = 100", "count = 15000000", 46, "players.count", ("5e+09 attempts", "6.00e+09")),
    "unknown arrival": Wrong('"rate"', '"rates"', 49, "players.arrival.kind", ("launch, rate", "did you mean 'rate'?")),
    "arrival without kind": Wrong('kind = "rate"', "#", 48, "players.arrival.kind", ("required", "launch, rate")),
    "nobody arrives": Wrong("per_day = 40", "per_day = 0", 50, "players.arrival.per_day", ("from 1e-06", "got 0")),
    "unknown flow": Wrong("pause_s = 5", "pauses = 5", 53, "players.flow.pauses", ("did you mean 'pause_s'?",)),
    "flow outside": Wrong("pause_s = 5", "content = 1.5", 53, "players.flow.content", ("0 to 1", "got 1.5")),
    "returns beyond all": Wrong(
        "pause_s = 5", "same_day_share = 0.9", 52, "players.flow.daily_share", ("at most 1", "got 1.25")
    ),
    # cohorts
    "cohort is a table": Wrong(
        BASE[BASE.index("[[cohort]]") : BASE.index("[horizon]")],
        "[cohort]\nname = 'x'\n",
        55,
        "cohort",
        ("list", "table"),
    ),
    "name with a path": Wrong('"new"', '"../new"', 56, "cohort[1].name", ("letters, digits", "got '../new'")),
    "name with a formula": Wrong('"new"', '"=1+1"', 56, "cohort[1].name", ("begins with a letter or digit",)),
    "name of a device": Wrong('"new"', '"Con"', 56, "cohort.Con.name", ("Windows", "got 'Con'")),
    "name in other letters": Wrong('"new"', '"n\u0435w"', 56, "cohort[1].name", ("letters, digits",)),
    "name twice": Wrong('"old"', '"new"', 65, "cohort[2].name", ("differ in more than capital", "'new' after 'new'")),
    "name twice but for capitals": Wrong('"old"', '"NEW"', 65, "cohort.NEW.name", ("'NEW' after 'new'",)),
    "label is a list": Wrong('"Newcomers"', "[]", 57, "cohort.new.label", ("text", "got []")),
    "no share": Wrong("share = 0.4", "#", 64, "cohort.old.share", ("required", "from 1e-06 to 1")),
    "shares do not sum": Wrong("share = 0.4", "share = 0.3", 55, "cohort", ("sum to 1", "got 0.9 from 2")),
    "share above 1": Wrong("share = 0.4", "share = 1.4", 66, "cohort.old.share", ("to 1", "got 1.4")),
    "unknown trait": Wrong(
        "learning = 0.1",
        "learnin = 0.1",
        62,
        "cohort.new.traits.learnin",
        ("the traits are", "did you mean 'learning'?"),
    ),
    "trait outside": Wrong("learning = 0.1", "learning = 9", 62, "cohort.new.traits.learning", ("0 to 5", "got 9")),
    "trait is text": Wrong(
        "learning = 0.1", 'learning = "fast"', 62, "cohort.new.traits.learning", ("finite number", "got 'fast'")
    ),
    "mean outside": Wrong("mean = -0.7", "mean = -70", 61, "cohort.new.traits.skill.mean", ("-10 to 10", "got -70")),
    "no sd": Wrong(", sd = 0.7", "", 61, "cohort.new.traits.skill.sd", ("required",)),
    "sd below 0": Wrong("sd = 0.7", "sd = -0.7", 61, "cohort.new.traits.skill.sd", ("from 0", "got -0.7")),
    "unknown kind of spread": Wrong(
        '"normal"',
        '"norml"',
        61,
        "cohort.new.traits.skill.kind",
        ("normal, lognormal, uniform", "did you mean 'normal'?"),
    ),
    "spread turned": Wrong(
        "low = -1, high = 2", "low = 2, high = -1", 68, "cohort.old.traits.skill.low", ("below high", "2 and -1")
    ),
    "median of 0": Wrong("median = 1.0", "median = 0", 69, "cohort.old.traits.speed.median", ("above 0", "got 0")),
    # horizon and run
    "no horizon": Wrong("[horizon]\ndays = 14\nattempts_per_player = 200\n", "", 1, "horizon", ("required",)),
    "days of 0": Wrong("days = 14", "days = 0", 72, "horizon.days", ("above 0", "got 0")),
    "no attempts": Wrong(
        "attempts_per_player = 200", "attempts_per_player = 0", 73, "horizon.attempts_per_player", ("from 1", "got 0")
    ),
    "no replicas": Wrong("replicas = 2", "replicas = 0", 76, "run.replicas", ("1 to 100000", "got 0")),
    "module in a run": Wrong("replicas = 2", 'module = "evil:run"', 76, "run.module", ("has the keys",)),
    # TOML itself
    "key twice": Wrong("seed = 7", "format = 1", 5, "format", ("only once",)),
    "table twice": Wrong("[run]", "[horizon]", 75, "horizon", ("one header", "has two")),
    "no value": Wrong("seed = 7", "seed =", 5, "seed", ("value",)),
    "no quotes": Wrong('"weighted_up_down"', "weighted_up_down", 35, "name", ("quotes",)),
    "open text": Wrong('"Base"', '"Base', 3, "title", ("end with its opening quote",)),
    "open text of three quotes": Wrong('"why"', '"""why', 77, "TOML", ("end with its opening quote", "is open")),
    "open text in single quotes": Wrong('"why"', "'why", 77, "TOML", ("end with its opening quote", "is open")),
    "control mark in a text": Wrong('"why"', '"w\x07hy"', 4, "notes", ("no control characters", "4 hex digits")),
    "control mark in a comment": Wrong("seed = 7", "seed = 7 # \x07", 5, "seed", ("no control characters",)),
    "unknown escape": Wrong('"why"', '"w\\qhy"', 4, "notes", ("a backslash needs",)),
    "short escape": Wrong('"why"', '"w\\u12"', 4, "notes", ("4 hex digits",)),
    "half a surrogate": Wrong('"why"', '"\\ud800"', 4, "notes", ("a character of Unicode",)),
    "no =": Wrong("seed = 7", "seed 7", 5, "TOML", ("a key needs =",)),
    "no key": Wrong("seed = 7", "= 7", 5, "TOML", ("a line must be key = value",)),
    "key without its second part": Wrong("seed = 7", "seed. = 7", 5, "seed.", ("a key must have letters",)),
    "open header": Wrong("[run]", "[run", 75, "TOML", ("[table] or [[table]]", "not closed")),
    "open list": Wrong("[5.0, 9.0]", "[5.0 9.0]", 15, "speed", ("commas between", "] at its end")),
    "open braces": Wrong("{ win_rate = 0.85 }", "{ win_rate = 0.85", 59, "target", ("on one line", "end }")),
    "key twice in braces": Wrong(
        "{ win_rate = 0.85 }", "{ win_rate = 0.85, win_rate = 0.8 }", 59, "target", ("only once",)
    ),
    "key added to braces": Wrong("learning = 0.1", "skill.sd = 0.1", 62, "skill.sd", ("complete in its braces",)),
    "key added to a finished table": Wrong("replicas = 2", "[game]\nparams.sight_m = 9", 76, "game", ("one header",)),
    "no day of the calendar": Wrong("seed = 7", "seed = 2026-02-30", 5, "seed", ("day of the calendar",)),
    "lone carriage return": Wrong("seed = 7", "seed = 7\r\r\n", 5, "seed", ("a line must end",)),
    "a thousand brackets": Wrong("seed = 7", f"seed = {'[' * 1000}{']' * 1000}", 5, "TOML", ("64 deep",)),
    "a thousand tables": Wrong("seed = 7", f"seed = {'{a=' * 1000}1{'}' * 1000}", 5, "TOML", ("64 deep",)),
    "a thousand dots": Wrong("seed = 7", f"a{'.a' * 1000} = 1", 5, "TOML", ("16 dots",)),
    "a thousand dots in a header": Wrong("[run]", f"[a{'.a' * 1000}]", 75, "TOML", ("16 dots",)),
    "a thousand dots in braces": Wrong("seed = 7", f"seed = {{ a{'.a' * 1000} = 1 }}", 5, "TOML", ("16 dots",)),
    "thousands of digits": Wrong("seed = 7", f"seed = {'9' * 5000}", 5, "TOML", ("digits",)),
}
BYTES = {
    "a wrong byte": (
        BASE.replace('"why"', '"\udcff"').encode("utf-8", "surrogateescape"),
        4,
        ("UTF-8", "0xff at column 10"),
    ),
    "Latin-1": (BASE.replace('"why"', '"wh\xff"').encode("latin-1"), 4, ("UTF-8", "0xff at column 12")),
    "UTF-16": (BASE.encode("utf-16"), 1, ("UTF-8", "UTF-16")),
    "two byte-order marks": (("\ufeff\ufeff" + BASE).encode(), 1, ("byte-order mark",)),
    "too large": (BASE.encode() + b"#" * 300_000, 1, ("256 kB",)),
    "a null byte": (BASE.encode() + b"\0", 77, ("TOML",)),
}


def faults_of(text: str | bytes, *settings: tuple[str, str]) -> list[str]:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(ScenarioError) as fault:
        parse(data, "wrong.toml", CATALOG, settings)
    return list(fault.value.lines)


def test_the_base_is_right():
    assert parse(BASE.encode(), "base.toml", CATALOG).seed == 7


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_one_wrong_line_is_one_clear_line(case, tmp_path, monkeypatch, capsys):
    wrong = TABLE[case]
    assert BASE.count(wrong.old), "the base has changed"
    path = tmp_path / "wrong.toml"
    path.write_bytes(BASE.replace(wrong.old, wrong.new, 1).encode())
    monkeypatch.chdir(tmp_path)

    code = main(["run", "wrong.toml"])

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    first = [line for line in err.splitlines() if line.startswith(f"wrong.toml:{wrong.line}: {wrong.key}: ")]
    assert first, err
    assert [word for word in wrong.words if word not in first[0]] == []
    assert len(first[0]) < 700
    assert first[0].isprintable()
    assert os.listdir(tmp_path) == ["wrong.toml"]


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_one_wrong_line_is_told_only_once(case):
    wrong = TABLE[case]
    lines = faults_of(BASE.replace(wrong.old, wrong.new, 1))
    several = {"paths of two lengths", "count in an endless stream", "scope it has not"}
    assert len(lines) == 1 or case in several, lines


@pytest.mark.parametrize("case", BYTES, ids=str)
def test_wrong_bytes_are_told(case):
    data, line, words = BYTES[case]
    (message,) = faults_of(data)
    assert message.startswith(f"wrong.toml:{line}: TOML: ")
    assert [word for word in words if word not in message] == []


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file():
    path = HERE / "everything_wrong.toml"
    with pytest.raises(ScenarioError) as fault:
        load(path, CATALOG)
    lines = [line.removeprefix(str(path.parent) + os.sep) for line in fault.value.lines]
    expected = (HERE / "everything_wrong.txt").read_text(encoding="utf-8")
    options = [option.name for option in CATALOG.controller("weighted_up_down").option_list]
    names = {"{traits}": TRAIT_NAMES, "{flow}": sorted(FLOW_FIELDS), "{options}": options}
    for mark, words in names.items():
        expected = expected.replace(mark, ", ".join(words))
    assert lines == expected.splitlines()


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_messages_and_digest_do_not_depend_on_the_hash_seed(seed):
    code = (
        "from engine.scenario import load, parse; from engine.errors import ScenarioError; from pathlib import Path\n"
        "from sims.catalog import Catalog\n"
        f"here = Path({str(HERE)!r})\n"
        "found = load(here / 'base.toml', Catalog())\n"
        "print(found.digest, found.resolved_toml())\n"
        "try: load(here / 'everything_wrong.toml', Catalog())\n"
        "except ScenarioError as fault: print(fault)\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    here = load(HERE / "base.toml", CATALOG)
    with pytest.raises(ScenarioError) as fault:
        load(HERE / "everything_wrong.toml", CATALOG)
    assert done.stdout == f"{here.digest} {here.resolved_toml()}\n{fault.value}\n"


@pytest.mark.parametrize(
    ("controller", "rate", "words"),
    [
        ("kalman", 0.985, "must be from 0.02096 to 0.979 for kalman"),
        ("quest", 0.985, "lower its option lapse, or take a controller without a model"),
        ("grid_imm", 0.01, "lower its option guess"),
        ("kalman_bank", 0.985, "got 0.985; take a controller without a model, such as robbins_monro"),
        ("elo", 0.9995, "for elo"),
        ("robbins_monro", 0.9995, ""),
        ("kalman", 0.975, ""),
    ],
)
def test_a_target_that_the_controller_s_model_never_wins_is_refused(controller, rate, words):
    text = BASE.replace("levels = [0.9, 0.8, 0.7]", f"win_rate = {rate}")
    text = text.replace('"weighted_up_down"', f'"{controller}"').replace("step = 0.1", "")
    if words:
        (fault,) = faults_of(text)
        assert words in fault
    else:
        parse(text.encode(), "base.toml", CATALOG)


@pytest.mark.parametrize(("place", "key"), [("seed = 7", "seed"), ('"weighted_up_down"', "controller.name")])
def test_a_number_beyond_all_floats_is_told_and_prints_nothing_else(place, key, capfd):
    """The models cannot print such a number; their complaint must not reach the terminal."""
    value = "0x" + "f" * 20_000
    (line,) = faults_of(BASE.replace(place, f"seed = {value}" if key == "seed" else value, 1))
    assert f": {key}: must be a number of at most 64 bits, got a whole number of 80000 bits" in line
    lines = faults_of(BASE.replace("[5.0, 9.0]", f"[5.0, {value}]"))
    assert [line.split(": ")[1] for line in lines] == ["game.bounds.speed[2]"]
    assert capfd.readouterr() == ("", "")


def test_a_run_of_accents_is_not_composed():
    """Composing takes time that grows with the square of their number: the length is checked before."""
    accents = "\u0301\u0323" * 50_000
    (line,) = faults_of(BASE.replace('"why"', f'"a{accents}"'))
    assert "notes: must be a text in quotes of at most 10000 characters, got 'a" in line
    assert "of 100001'" in line


@pytest.mark.parametrize(
    ("band", "words"),
    [("[0.0, 5e-324]", "its middle, the controller's aim, from 1e-06"), ("[0.9999999999999999, 1.0]", "to 0.999999")],
)
def test_a_band_has_a_middle_that_can_be_aimed_at(band, words):
    (line,) = faults_of(BASE.replace("levels = [0.9, 0.8, 0.7]\ntolerance = 0.05", f"band = {band}"))
    assert words in line


def test_what_is_told_of_a_part_that_is_wrong_is_told_alone():
    """A check of two values together is silent while one of them is wrong: its default would be blamed."""
    lines = faults_of(BASE.replace("pause_s = 5", "same_day_share = 3\ndaily_share = 0.9"))
    assert [line.split(": ")[1] for line in lines] == ["players.flow.same_day_share"]
    lines = faults_of(BASE.replace("low = -1, high = 2", "low = -1, high = -20"))
    assert [line.split(": ")[1] for line in lines] == ["cohort.old.traits.skill.high"]


def test_thousands_of_cohorts_are_refused_by_their_number():
    names = ", ".join(f'{{ name = "a{i}" }}' for i in range(9_000))
    head = BASE[: BASE.index("[[cohort]]")].replace("seed = 7", f"cohort = [{names}]")
    lines = faults_of(head)
    assert any("cohort: must have at most 64 entries, got 9000" in line for line in lines)


@pytest.mark.parametrize("key", ["x" * 5_000, "seed." + "y" * 90])
def test_a_long_key_is_cut_in_messages(key):
    assert all(len(line) < 400 for line in faults_of(BASE, (key, "1")))


def test_a_key_that_needs_quotes_has_them_in_messages():
    (line,) = faults_of(BASE.replace("replicas = 2", '"a: b\\n" = 2'))
    assert line.startswith("wrong.toml:76: run.'a: b\\n': is unknown: ")


def test_a_text_that_grows_when_composed_is_still_too_long():
    (line,) = faults_of(BASE.replace('"Base"', f'"{chr(0x958) * 120}"'))
    assert "of at most 120 characters" in line
    assert "of 240'" in line


@pytest.mark.parametrize("place", ["step = 0.1", "learning = 0.1", "speed = [5.0, 9.0]", "seed = 7"])
def test_a_hundred_faults_are_enough(place):
    many = "".join(f"a{number} = 1\n" for number in range(300))
    lines = faults_of(BASE.replace(place, many))
    assert len(lines) == 101
    assert lines[-1] == "wrong.toml: there may be more errors; only 100 are shown"


def test_more_keys_than_anybody_writes_are_refused_before_they_are_read():
    (line,) = faults_of(BASE + "".join(f"a{number} = 1\n" for number in range(20_001)))
    assert "TOML: a scenario may have at most 20000 keys and decimal points, but this one has more" in line


@pytest.mark.parametrize(("name", "words"), [("none.toml", "there is no such file"), ("", "this is a folder")])
def test_what_is_no_file_is_told(tmp_path, name, words):
    with pytest.raises(ScenarioError, match=words):
        load(tmp_path / name, CATALOG)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("speed = [5.0, 9.0]", "sped = [5.0, 9.0]", "game.bounds.sped: is unknown: gap_runner has the knobs"),
        ('[players.arrival]\nkind = "rate"\nper_day = 40', "arrival = 3", "players.arrival: must be a table, got 3"),
    ],
)
def test_two_more_wrong_tables(old, new, words):
    assert words in "\n".join(faults_of(BASE.replace(old, new)))


def test_a_tolerance_alone_needs_a_win_rate_to_belong_to():
    text = BASE.replace("levels = [0.9, 0.8, 0.7]\ntolerance = 0.05", "band = [0.6, 0.7]")
    (line,) = faults_of(text.replace("{ win_rate = 0.85 }", "{ tolerance = 0.2 }"))
    assert "cohort.new.target: a tolerance belongs to a win rate, but [target] has a band" in line


def test_a_file_name_cannot_steer_the_terminal():
    with pytest.raises(ScenarioError) as fault:
        parse(b"=", "a\x1b[31m\nb.toml", CATALOG)
    assert fault.value.lines[0].startswith("a\\x1b[31m\\nb.toml:1: ")


def test_the_estimate_can_be_accepted_but_not_the_hard_limit():
    long = BASE.replace("count = 100", "count = 1000000").encode()
    assert parse(long, "long.toml", CATALOG, allow_long=True).work == 400_000_000
    with pytest.raises(ScenarioError, match="5e\\+09"):
        parse(BASE.replace("count = 100", "count = 15000000").encode(), "long.toml", CATALOG, allow_long=True)


# --- Overrides --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "text", "start", "words"),
    [
        ("seed", "-1", "--set seed: ", ("0 to", "got -1")),
        ("sede", "1", "--set sede: ", ("did you mean 'seed'?",)),
        ("a.b", "1", "--set a.b: a: ", ("has the keys",)),
        ("target.tolerance", "2", "--set target.tolerance: ", ("got 2",)),
        ("target.tolerance", '"', "--set target.tolerance: ", ("as in TOML",)),
        ("target.tolerance", "0.1\nseed = 3", "--set target.tolerance: ", ("as in TOML",)),
        ("target.tolerance", "", "--set target.tolerance: ", ("as in TOML",)),
        ("cohort.old.share", "2", "--set cohort.old.share: ", ("1e-06 to 1",)),
        ("cohort.odl.share", "0.2", "--set cohort.odl.share: ", ("did you mean 'old'?",)),
        ("cohort.old", "0.2", "--set cohort.old: ", ("name one of them",)),
        (
            "cohort.new.traits.skill",
            '{ kind = "normal" }',
            "--set cohort.new.traits.skill: cohort.new.traits.skill.mean: ",
            ("required",),
        ),
        ("cohort.new.traits.skill.mean", "99", "--set cohort.new.traits.skill.mean: ", ("-10 to 10",)),
        ("seed.x", "1", "--set seed.x: ", ("seed is a value",)),
        ("seed..x", "1", "--set seed..x: ", ("words joined by dots",)),
        ("a" + ".a" * 40, "1", "--set a.a", ("words joined by dots",)),
        ("controller.name", "kalmn", "--set controller.name: ", ("did you mean 'kalman'?",)),
        ("levels.count", "[" * 1000, "--set levels.count: ", ("as in TOML",)),
    ],
)
def test_a_wrong_setting_names_itself(key, text, start, words):
    lines = [line for line in faults_of(BASE, (key, text)) if line.startswith(start)]
    assert lines
    assert [word for word in words if word not in lines[0]] == []


def test_settings_are_told_after_the_file_in_their_own_order():
    lines = faults_of(BASE.replace("seed = 7", "seed = -7"), ("run.replicas", "0"), ("horizon.days", "0"))
    assert [line[:20] for line in lines] == ["wrong.toml:5: seed: ", "--set run.replicas: ", "--set horizon.days: "]


@pytest.mark.parametrize(
    ("key", "text", "word"),
    [
        ("game.name", "boss_duel", "boss_duel has the knobs"),
        ("controller.name", "elo", "elo has the options"),
        ("cohort.old.share", "0.9", "the shares of all cohorts must sum to 1"),
    ],
)
def test_a_line_of_the_file_that_a_setting_makes_wrong_names_the_setting(key, text, word):
    broken = BASE.replace("seed = 7", "seed = -7")
    own, *lines = faults_of(broken, ("run.replicas", "2"), (key, text))
    assert own.startswith("wrong.toml:5: seed: ")
    assert own == faults_of(broken)[0], "what is wrong without it has nothing to do with it"
    assert lines
    assert [line for line in lines if not line.startswith("wrong.toml:")] == []
    assert [line for line in lines if not line.endswith(f" (with --set {key})")] == []
    assert word in lines[0]


NEW_TARGET = "{ win_rate = 0.85 }"
NEW_LEVELS = BASE.replace(NEW_TARGET, "{ levels = [0.9, 0.8, 0.7] }")
NEW_TOLERANCE = BASE.replace(NEW_TARGET, "{ tolerance = 0.1 }").replace("levels = [0.9, 0.8, 0.7]", "win_rate = 0.7")
WARM = (
    BASE.replace('kind = "campaign"\ncount = 3', 'kind = "endless"')
    .replace("levels = [0.9, 0.8, 0.7]", "win_rate = 0.7")
    .replace("after_attempts = 0", "after_attempts = 5")
)
OWN_TARGETS = BASE.replace("levels = [0.9, 0.8, 0.7]\n", "").replace("= 0.4", "= 0.4\ntarget = { win_rate = 0.7 }")


@pytest.mark.parametrize(
    ("file", "key", "value", "wrong"),
    [
        (BASE, "game.params.speed", "6.0", "dial.knobs[1]"),
        (BASE, "controller.scope", "player", "telemetry.deploy_every_s"),
        (BASE, "levels.count", "4", "target.levels"),
        (WARM, "horizon.attempts_per_player", "5", "target.after_attempts"),
        (WARM, "levels", '{ kind = "campaign", count = 3 }', "target.after_attempts"),
        (BASE, "horizon.attempts_per_player", "3000000", "players.count"),
        (BASE, "run.replicas", "50000", "players.count"),
        (NEW_LEVELS, "levels.count", "4", "cohort.new.target.levels"),
        (NEW_TOLERANCE, "target", "{ band = [0.6, 0.7] }", "cohort.new.target"),
        (OWN_TARGETS, "cohort.new.target", "{}", "target"),
    ],
)
def test_a_setting_is_named_where_it_makes_another_table_wrong(file, key, value, wrong):
    lines = faults_of(file, ("title", "more"), (key, value), ("seed", "8"))
    (line,) = [line for line in lines if f": {wrong}: " in line]
    assert line.endswith(f" (with --set {key})")


@pytest.mark.parametrize(
    ("file", "key", "value", "wrong"),
    [
        (BASE.replace("speed = { kind", "sped = { kind"), "cohort.old.name", "everyone", "cohort.everyone.traits.sped"),
        (BASE.replace("hearts", "heart"), "game.name", "logistic", "game.params.heart"),
        (BASE.replace("gap_runner", "gap_runer"), "game.name", "logistic", "game.params.hearts"),
        (BASE.replace("gap_runner", "gap_runer"), "game.name", "logistic", "dial.path.speed"),
        (BASE.replace('name = "gap_runner"', ""), "game.name", "logistic", "game.params.hearts"),
        (BASE.replace("weighted_", ""), "controller", "{ name = 'elo', scope = 'player' }", "telemetry.deploy_every_s"),
    ],
)
def test_what_may_be_wrong_without_a_setting_is_not_blamed_on_it(file, key, value, wrong):
    (line,) = [line for line in faults_of(file, (key, value)) if f": {wrong}: " in line]
    assert "--set" not in line


def test_nothing_is_blamed_on_a_setting_where_the_file_alone_has_more_faults_than_are_told():
    wrong = "".join(f"key{number} = 1\n" for number in range(100))
    file = BASE.replace("[telemetry]\n", f"[telemetry]\n{wrong}").replace("share = 0.4", "share = 0.5")
    (line,) = faults_of(file, ("telemetry", "{}"), ("cohort.old.label", "Old"))
    assert line.endswith("got 1.1 from 2 cohorts"), "it hid behind the hundred"


def test_of_many_settings_the_first_are_named_and_the_rest_hinted_at():
    many = [(f"cohort.old.traits.{name}", "0.1") for name in ("fatigue", "learning", "skill")]
    many += [(f"cohort.new.traits.{name}", "0.1") for name in ("fatigue", "learning", "skill", "slope")]
    (line,) = faults_of(BASE, ("cohort.old.share", "0.9"), *many)
    assert line.endswith("cohort.new.traits.learning, cohort.new.traits.skill, cohort.new.traits.slope)")
    (line,) = faults_of(BASE, ("cohort.old.share", "0.9"), *many, ("cohort.old.label", "Old"))
    assert line.endswith("cohort.new.traits.skill, cohort.new.traits.slope, ...)")


@pytest.mark.parametrize(
    ("title", "settings", "asked"),
    [
        ("Base", [("seed", "-1")], ["logistic"]),
        ("\\u0007", [], ["logistic"]),
        ("Base", [("dial.knobs", "['speed']"), ("seed", "-1")], ["logistic"]),
        (
            "Base",
            [("dial.path", "{}"), ("dial.knobs", "[]"), ("levels.count", "4")],
            ["logistic", "own"],
        ),
    ],
)
def test_the_game_of_the_file_is_loaded_only_where_a_line_may_be_wrong_through_a_setting(title, settings, asked):
    class Watched(Catalog):
        def game(self, name):
            games.append(name)
            return super().game(name)

    games: list[str] = []
    file = BASE.replace("gap_runner", "own").replace('"Base"', f'"{title}"')
    rest = [("game", "{ name = 'logistic' }"), ("dial", "{ floor = 0.1, ceiling = 0.9 }"), *settings]
    with pytest.raises(ScenarioError):
        parse(file.encode(), "own.toml", Watched(), rest)
    assert games == asked
