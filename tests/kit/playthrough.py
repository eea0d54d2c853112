"""Golden playthroughs: attempts as text that people can read, and that a test plays again from its own first lines.

A file names everything that an attempt depends on, then shows the state after every so many ticks and whenever the
hands do something else, floats at six digits, and ends with the outcome and the exact state hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from engine.attempt import RUNS_OWN, Address, Result, attempt_of
from engine.contract.game_rules import faculties_at, step_through, values_at
from engine.game import LOST, OUTCOMES, PERFECT, WON, Faculties, Game
from engine.kernel import compiled
from tests.kit.places import PLAYTHROUGHS

FOLDER = PLAYTHROUGHS
LINES = 40  # about so many states are shown besides changes of action
SEED = 70
TRIES = 400


class Script(NamedTuple):
    """What an attempt depends on."""

    values: tuple[float, ...]  # params as rules see them
    faculties: Faculties
    address: Address


def written(value: Any) -> str:
    """A state's field: whole numbers whole, floats at six digits, tuples and arrays in brackets."""
    if isinstance(value, tuple | np.ndarray):
        return "[" + " ".join(written(item) for item in np.ravel(value)) + "]"
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(int(value))


def text_of(game: Game, script: Script) -> str:
    """The whole file."""
    result = result_of(game, script)
    cause = game.causes[result.cause] if result.outcome == LOST else "-"
    score = [] if game.score is None else [f"score {result.score:.6g}"]
    end = [
        f"outcome {OUTCOMES[result.outcome]}",
        f"cause {cause}",
        f"ticks {result.ticks}",
        f"progress {result.progress:.6g}",
        *score,
        f"duration_s {result.duration_s:.6g}",
        f"state_hash {result.state_hash}",
    ]
    return "\n".join([*_head(game, script), "", *_trace(game, script, result), "", *end, ""])


def result_of(game: Game, script: Script) -> Result:
    """How the attempt ends, in plain Python."""
    return attempt_of(game)(np.array(script.values), script.faculties, *script.address)


def _head(game: Game, script: Script) -> Iterator[str]:
    yield f"game {game.name}"
    yield f"version {game.version}"
    for knob, value in zip(game.space.knobs, script.values, strict=True):
        yield f"param {knob.name} {value!r}"
    for name, number in zip(Faculties._fields, script.faculties, strict=True):
        yield f"faculty {name} {float(number)!r}"
    for name, number in zip(Address._fields, script.address, strict=True):
        if (name, number) != ("layout_seed", RUNS_OWN):
            yield f"key {name} {number}"


def _trace(game: Game, script: Script, result: Result) -> Iterator[str]:
    every = max(1, result.ticks // LINES)
    before = -1
    for moment in step_through(game, np.array(script.values), script.faculties, script.address):
        if moment.tick == result.ticks or moment.tick % every == 0 or moment.action != before:
            fields = zip(moment.state._fields, moment.state, strict=True)
            state = " ".join(f"{name}={written(value)}" for name, value in fields)
            action = "end" if moment.tick == result.ticks else game.actions[moment.action]
            yield f"{moment.tick:>5} {action}: {state}"
        before = moment.action


def script_of(text: str, game: Game) -> Script:
    """Read the first lines of a file."""
    rows = [line.split(maxsplit=2) for line in text.splitlines()]
    params = {row[1]: float(row[2]) for row in rows if row[:1] == ["param"]}
    faculties = {row[1]: float(row[2]) for row in rows if row[:1] == ["faculty"]}
    key = {row[1]: int(row[2]) for row in rows if row[:1] == ["key"]}
    return Script(tuple(params[name] for name in game.space.names), Faculties(**faculties), Address(**key))


def found_scripts(game: Game) -> dict[str, Script]:
    """A win, a narrow one, a perfect one at the hard end, and a loss of every cause, by name; as far as there are."""
    found: dict[str, Script] = {}
    kernel = compiled(attempt_of(game))
    for number in range(TRIES):
        for difficulty, skill in ((0.3, 0.0), (0.5, 0.0), (0.7, 0.5), (0.9, -0.5)):
            script = Script(_params(game, difficulty), faculties_at(skill), Address(SEED, 0, 0, number, 0))
            result = Result(*kernel(np.array(script.values), script.faculties, *script.address))
            found.setdefault(_name(game, result, difficulty), script)
    found["perfect"] = Script(_params(game, 0.9), PERFECT, Address(SEED, 0, 0, 0, 1))
    return found


def _params(game: Game, difficulty: float) -> tuple[float, ...]:
    return tuple(float(value) for value in values_at(game, difficulty))


def _name(game: Game, result: Result, difficulty: float) -> str:
    if result.outcome == LOST:
        return "lost-" + game.causes[result.cause].replace(" ", "-")
    return ("won" if difficulty < 0.6 else "won-hard") if result.outcome == WON else "timed-out"
