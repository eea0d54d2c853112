"""One name, one meaning: public classes, functions, type aliases and modules that are defined in more than one place.

Whatever is in the tables means the same in each of its places. Everything else is renamed to the noun of its room.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from tests.kit.places import ROOT

PACKAGES = ("engine", "games", "controllers", "sims")


class Shared(NamedTuple):
    """A name that several files define."""

    places: tuple[str, ...]  # files, and folders that end in a slash; each defines it, no other may
    reason: str


GAME = ("games/", "engine/contract/ladder.py")  # the ladder is the game by which controllers are checked
RULE = ("controllers/",)
GAME_AND_RULE = GAME + RULE
ADAPTIVE = ("controllers/adaptive/",)
PREPARED = ("controllers/adaptive/", "controllers/self_adaptive/")
SCHEDULE = ("controllers/deterministic/",)

NAMES = {
    # What every game defines, see engine.game.Game.
    "Level": Shared(GAME, "what a game builds from its parameters"),
    "Params": Shared(GAME, "the knobs of a game"),
    "arrange": Shared(("games/",), "field of Game"),
    "build": Shared(GAME, "field of Game"),
    "cause": Shared(GAME, "field of Game"),
    "draw": Shared(GAME, "field of Game"),
    "expert": Shared(GAME, "field of Game"),
    "place": Shared(("games/",), "field of Game"),
    "hurt": Shared(("games/",), "field of Game"),
    "progress": Shared(GAME, "field of Game"),
    "read_level": Shared(("games/",), "field of Game"),
    "score": Shared(("games/",), "field of Game"),
    "status": Shared(GAME, "field of Game"),
    "step": Shared(GAME, "field of Game"),
    "win_probability": Shared(GAME, "field of Game"),
    # What every rule defines, see engine.controller.Rule.
    "Options": Shared(RULE, "the options of a controller"),
    "Prepared": Shared(PREPARED, "what `prepare` of a rule returns"),
    "ask": Shared(RULE, "field of Rule"),
    "height": Shared(SCHEDULE, "the curve of a schedule, see engine.scheduling.shapes"),
    "posterior": Shared(ADAPTIVE, "the state that weights over hypotheses amount to"),
    "prepare": Shared(PREPARED, "field of Rule"),
    "tell": Shared(RULE, "field of Rule"),
    "anti_windup": Shared(RULE, "field of Rule"),
    "reach": Shared(ADAPTIVE, "field of ControllerKind: the win rates that a rule's model of a player has"),
    "State": Shared(GAME_AND_RULE, "what the functions of a plug-in hand on"),
    "start": Shared(GAME_AND_RULE, "field of Game and of Rule: the first state"),
    # A command of flowdial is called as the function that it calls.
    "advise": Shared(("sims/cli/compare.py", "sims/advice/advice.py"), "command"),
    "calibrate": Shared(("sims/cli/calibrate.py", "sims/calibration/calibration.py"), "command"),
    "compare": Shared(("sims/cli/compare.py", "sims/comparison/comparison.py"), "command"),
    "export": Shared(("sims/cli/export.py", "sims/runs/export.py"), "command"),
    "export_controller": Shared(("sims/cli/export.py", "sims/shipping/controller_folder.py"), "command"),
    "plan": Shared(("sims/cli/plan.py", "sims/planning/plan.py"), "command"),
    "play": Shared(("sims/cli/window.py", "sims/window/playing/play.py"), "command"),
    "replay": Shared(("sims/cli/window.py", "sims/window/replay.py"), "command"),
    "resume": Shared(("sims/cli/run.py", "sims/runs/execution.py"), "command"),
    "run": Shared(("sims/cli/run.py", "sims/runs/execution.py"), "command"),
    "sweep": Shared(("sims/cli/sweep.py", "sims/sweeping/sweep.py"), "command"),
    "tune": Shared(("sims/cli/tune.py", "sims/tuning/tune.py"), "command"),
    "verify": Shared(("sims/cli/verify.py", "sims/runs/verification.py"), "command"),
    "watch": Shared(("sims/cli/window.py", "sims/window/watching/watch.py"), "command"),
    # The same for games and for controllers.
    "compiled_equals_plain": Shared(
        ("engine/contract/controller_rule.py", "engine/contract/game_wins.py"), "the same promise of a rule and a game"
    ),
    "get": Shared(("games/__init__.py", "controllers/__init__.py"), "a plug-in by its name"),
    "names": Shared(("games/__init__.py", "controllers/__init__.py"), "the names of all plug-ins"),
    # Types of the same values.
    "Finite": Shared(
        ("engine/scenario_file/sections.py", "sims/run_folder/json_types.py"), "a finite number in a file"
    ),
    "Integers": Shared(("engine/inference/intervals.py", "sims/reports/row_batches.py"), "an array of whole numbers"),
    "Numbers": Shared(("engine/", "controllers/", "sims/"), "an array of numbers"),
    "Sums": Shared(
        ("engine/inference/difference.py", "sims/comparison/metrics.py", "sims/planning/pilot.py"),
        "an array of numerators and denominators",
    ),
}

MODULES = {
    "export": Shared(("sims/cli/", "sims/runs/"), "the command, and what it calls"),
    "ladder": Shared(("engine/contract/", "games/"), "an abstract game: that of the controller contract, or of levels"),
    "plan": Shared(("sims/cli/", "sims/planning/"), "the command, and what it calls"),
    "progress": Shared(("sims/runs/", "sims/tuning/"), "what on_progress takes"),
    "run": Shared(("sims/cli/", "sims/runs/"), "the command, and the object that it leaves"),
    "sentences": Shared(
        (
            "sims/arena/",
            "sims/calibration/",
            "sims/comparison/",
            "sims/sweeping/answer/",
            "sims/tuning/answer/",
            "sims/verdict/",
        ),
        "what a room says in words",
    ),
    "sweep": Shared(("sims/cli/", "sims/sweeping/"), "the command, and what it calls"),
    "tune": Shared(("sims/cli/", "sims/tuning/"), "the command, and what it calls"),
}


def public_names(text: str) -> set[str]:
    """Classes, functions and type aliases at the top of a program text, without those that begin with an underscore."""
    return {name for name in _defined(ast.parse(text).body) if not name.startswith("_")}


def _defined(statements: Iterable[ast.stmt]) -> Iterator[str]:
    for node in statements:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if name[0].isupper() and not name.isupper():  # Numbers = ..., but neither LIMIT nor limit
                    yield name
            case ast.If() | ast.Try():
                yield from _defined([*node.body, *node.orelse])


def doubles(names: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Names that several files have, and these files. names: file -> its names."""
    places = defaultdict(list)
    for path, own in names.items():
        for name in own:
            places[name].append(path)
    return {name: sorted(found) for name, found in places.items() if len(found) > 1}


def unexplained(found: Mapping[str, list[str]], table: Mapping[str, Shared]) -> list[str]:
    """Doubles that the table does not allow, each with its files."""
    return [
        f"{name}: {', '.join(paths)}"
        for name, paths in sorted(found.items())
        if name not in table or not all(path.startswith(table[name].places) for path in paths)
    ]


def stale(found: Mapping[str, list[str]], table: Mapping[str, Shared]) -> list[str]:
    """Names of the table that have no double any more, and places in it without the name."""
    return [
        f"{name}: {place}"
        for name, shared in table.items()
        for place in shared.places
        if not any(path.startswith(place) for path in found.get(name, []))
    ]


@cache
def texts() -> dict[str, str]:
    """File -> program text."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }


@cache
def doubled_names() -> dict[str, list[str]]:
    return doubles({path: public_names(text) for path, text in texts().items()})


def doubled_modules() -> dict[str, list[str]]:
    found = doubles({path: [path.rpartition("/")[2].removesuffix(".py")] for path in texts()})
    return {name: paths for name, paths in found.items() if name not in ("__init__", "__main__")}


def test_no_public_name_means_two_things():
    assert unexplained(doubled_names(), NAMES) == []


def test_no_module_name_means_two_things():
    assert unexplained(doubled_modules(), MODULES) == []


def test_the_tables_name_nothing_that_has_no_double():
    assert stale(doubled_names(), NAMES) + stale(doubled_modules(), MODULES) == []


PLANTED = {
    "a.py": "class Job: ...\ndef _own(): ...\nLIMIT = 1\nNumbers = list[int]\nlimit = 2\n",
    "b.py": "if True:\n    class Job: ...\nasync def play(): ...\ndef _own(): ...\nLIMIT = 1\nNumbers: Any = object\n",
    "c.py": "def play():\n    class Job: ...\n    def outer(): ...\ndef outer(): ...\nlimit = 2\n",
}


def test_the_finder_sees_doubles_at_the_top_of_files_only():
    found = doubles({path: public_names(text) for path, text in PLANTED.items()})
    assert found == {"Job": ["a.py", "b.py"], "Numbers": ["a.py", "b.py"], "play": ["b.py", "c.py"]}


def test_a_table_allows_a_name_in_its_places_only_and_is_stale_without_them():
    found = {"Job": ["a.py", "b/c.py"]}
    assert unexplained(found, {}) == unexplained(found, {"Job": Shared(("a.py",), "")}) == ["Job: a.py, b/c.py"]
    assert unexplained(found, {"Job": Shared(("a.py", "b/"), "")}) == []
    assert stale(found, {"Job": Shared(("a.py", "b/", "d/"), ""), "Task": Shared(("a.py",), "")}) == [
        "Job: d/",
        "Task: a.py",
    ]
