"""One file from somebody else is enough: a game and a controller that are found by entry point, run and verified."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

GAME = '''
"""Coin Climb: climb so many steps, each by guessing right.

The rules
---------
One turn is one guess; three wrong guesses end the climb, the last step wins it.
"""
from typing import NamedTuple

from engine.game import LOST, RUNNING, WON, Game, Shape
from engine.parameters import Knob, ParameterSpace
from engine.randomness import uniform


class Params(NamedTuple):
    steps: int
    risk: float


class Level(NamedTuple):
    steps: int


class State(NamedTuple):
    at: int
    wrong: int


def build(params, key):
    return Level(params.steps)


def start(params, level, key):
    return State(0, 0)


def expert(params, level, state, faculties):
    return 1


def step(params, level, state, action, key, tick):
    if action == 1 and uniform(key, tick) >= params.risk:
        return State(state.at + 1, state.wrong)
    return State(state.at, state.wrong + 1)


def status(params, level, state):
    if state.wrong >= 3:
        return LOST
    return WON if state.at >= level.steps else RUNNING


def progress(params, level, state):
    return min(state.at / level.steps, 1.0)


def cause(params, level, state):
    return 0


def draw(params, level, state):
    return [Shape("rect", 0.1, 0.1, 0.8 * min(state.at / level.steps, 1.0), 0.2, "player")]


GAME = Game(
    name="coin_climb", version=1, summary="Guess your way up.", pace="turns", tick_seconds=1.0, max_ticks=200,
    actions=("wait", "climb"),
    space=ParameterSpace(Knob("steps", 2, 12, 5, "1", "to the top", scale="integer"), Knob("risk", 0.0, 0.6, 0.2)),
    params=Params, causes=("slipped",), build=build, start=start, expert=expert, step=step, status=status,
    progress=progress, cause=cause, draw=draw, keys={"space": 1},
)
'''

CONTROLLER = """
from typing import NamedTuple

from engine.controller import ControllerKind, Option, Rule


class Options(NamedTuple):
    gain: float = 0.1


class State(NamedTuple):
    difficulty: float


def start(options, target):
    return State(0.5)


def ask(options, state, situation):
    return state.difficulty


def tell(options, state, seen):
    return State(min(max(state.difficulty + options.gain * (seen.won - seen.target), 0.0), 1.0))


CONTROLLER = ControllerKind(
    name="halfway", mode="adaptive", summary="A gain and nothing else.", formula="d <- d + gain (won - target)",
    source="-", use="In a test.", options=Options, option_list=(Option("gain", 0.0, 1.0, "step"),),
    rule=Rule(start, ask, tell),
)
"""

SCENARIO = """
format = 1
seed = 3
[game]
name = "coin_climb"
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.6
[controller]
name = "halfway"
[players]
count = 60
[horizon]
days = 7
attempts_per_player = 2000
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("stranger")
    (place / "coin_climb.py").write_text(GAME)
    (place / "halfway.py").write_text(CONTROLLER)
    info = place / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[flowdial.games]\ncoin_climb = coin_climb:GAME\n[flowdial.controllers]\nhalfway = halfway:CONTROLLER\n"
    )
    (place / "climb.toml").write_text(SCENARIO)
    return place


def flowdial(place, *words, code=0):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(place)])}
    done = subprocess.run(
        [sys.executable, *words], cwd=place, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def test_they_are_listed_with_their_origin(place):
    found = json.loads(flowdial(place, "-m", "sims", "list", "--json"))
    origins = {entry["name"]: entry["origin"] for entry in [*found["games"], *found["controllers"]]}
    assert origins["coin_climb"] == origins["halfway"] == "stranger 1.0"


def test_they_run_with_two_workers_and_their_rows_replay(place):
    found = json.loads(flowdial(place, "-m", "sims", "run", "climb.toml", "--workers", "2", "--out", "run", "--json"))
    assert found["attempts"] > 500
    said = flowdial(place, "-m", "sims", "verify", "run", "--rows", "300")
    assert "300 of 300" in said


def test_the_contract_suites_find_nothing_and_then_what_is_wrong(place):
    text = """
import dataclasses
from coin_climb import GAME
from engine.checks import check_controller, check_game
from halfway import CONTROLLER
if __name__ == "__main__":
    print(check_game(GAME) + check_controller(CONTROLLER))
    print(check_game(dataclasses.replace(GAME, causes=())))
"""
    (place / "ask.py").write_text(text)
    whole, broken = flowdial(place, "ask.py").splitlines()
    assert whole == "[]"
    assert "cause" in broken
