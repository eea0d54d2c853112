"""Every game that is found keeps the contract, and the contract suite tells a game that does not what is wrong."""

from __future__ import annotations

import dataclasses
import decimal
import math
import random
import time
from collections import namedtuple
from typing import Any, NamedTuple

import numpy as np
import pytest

from engine.arithmetic import logistic as logistic_of
from engine.attempt import attempt_of
from engine.contract.checks import check_game
from engine.contract.game_rules import faculties_at
from engine.contract.game_wins import scores, shortfall
from engine.game import LOST, RUNNING, WON, Shape
from engine.kernel import compiled
from engine.parameters import Knob, ParameterSpace
from engine.randomness import uniform
from games import logistic
from sims.catalog import Catalog
from tests.kit import fake_game
from tests.kit.dial import check_dial
from tests.kit.fake_game import CLIMB, GAME, STEPS, TURNS, WAIT, Params, State

CATALOG = Catalog()
ERRORS = 4.0  # standard errors


def tiered(name):
    """A game's name as a parameter; the game that takes the longest to compile and to play is left to CI."""
    return pytest.param(name, marks=pytest.mark.thorough if name == "tile_match" else ())


@pytest.mark.parametrize("name", [tiered(entry.name) for entry in CATALOG.games()])
def test_a_game_that_is_found_keeps_the_contract(name):
    assert check_game(CATALOG.game_with_rules(name)) == []


def test_the_dial_of_gap_runner_keeps_its_promises():
    check_dial(CATALOG.game_with_rules("gap_runner"), 4000, 4711)


@pytest.mark.thorough
def test_the_game_that_is_broken_below_is_whole():
    assert check_game(GAME) == []


# --- One broken promise each


def mutating_step(params, level, state, action, key, tick):
    state.tracks[state.turns] = 1
    return fake_game.step(params, level, state, action, key, tick)


MEMORY = [0]


def remembering_progress(params, level, state):
    MEMORY[0] += 1
    return MEMORY[0] % 2 / 2.0


def random_step(params, level, state, action, key, tick):
    return State(random.random(), state.height + action, state.turns + 1, state.tracks)


def timed_draw(params, level, state):
    return [Shape("rect", 0.0, 0.0, time.time() % 1.0, 1.0, "player")]


def numpy_random_start(params, level, key):
    return State(np.random.random(), 0, 0, np.zeros(TURNS, np.int64))  # noqa: NPY002 - that is what is wrong with it


def imported_start(params, level, key):
    from random import random as lucky

    return State(lucky(), 0, 0, np.zeros(TURNS, np.int64))


def libm_expert(params, level, state, faculties):
    return CLIMB if state.luck < math.exp(faculties.skill - params.steepness) else WAIT


def power_expert(params, level, state, faculties):
    return CLIMB if state.luck < 0.5**params.steepness else WAIT


def summing_progress(params, level, state):
    return min(np.sum(state.tracks) / 1000.0, 1.0)


def finished_status(params, level, state):
    return WON


def listing_start(params, level, key):
    return [uniform(key, 0), 0, 0]


def text_start(params, level, key):
    lucky: Any = "lucky"
    return State(lucky, 0, 0, np.zeros(TURNS, np.int64))


def widening_start(params, level, key):
    return State(0, 0, 0, np.zeros(TURNS, np.int64))


def lost_expert(params, level, state, faculties):
    return 2


def generous_progress(params, level, state):
    return state.height / 2.0


def stingy_progress(params, level, state):
    return 0.5


def generous_score(params, level, state):
    return state.height / 2.0


def low_place(params, level, state):
    return 0


def falling_place(params, level, state):
    return 2 if state.height < 1.0 else 1


def one_place(params, level, state):
    return 1


def keep_level(level, place):
    return level


def short_score(params, level):
    return 0.5


def remembering_score(params, level, state):
    return remembering_progress(params, level, state)


def even_score(params, level, state):
    return 0.5


def upside_down_score(params, level, state):
    return 1.0 - min(state.height / level.height, 1.0)


def indifferent_score(params, level, state):
    return state.luck  # of a try that was never made


class ScenicLevel(NamedTuple):
    height: int
    scenery: float  # nothing comes of it


def scenic_build(params, key):
    return ScenicLevel(STEPS, uniform(key, 0))


def scenic_score(params, level, state):
    return level.scenery


SCENIC = dataclasses.replace(GAME, build=scenic_build, score=scenic_score)
INDIFFERENT = dataclasses.replace(GAME, score=indifferent_score)


def strange_status(params, level, state):
    return 7 if state.turns > 3 else RUNNING


def strange_cause(params, level, state):
    return 2


def no_draw(params, level, state):
    return None


def round_draw(params, level, state):
    oval: Any = "oval"
    return [Shape(oval, 0.0, 0.0, 1.0, 1.0, "player")]


def pink_draw(params, level, state):
    return [Shape("rect", 0.0, 0.0, 1.0, 1.0, "pink")]


def endless_draw(params, level, state):
    return [Shape("rect", math.inf, 0.0, 1.0, 1.0, "player")]


def tuple_draw(params, level, state):
    return [("rect", 0.0, 0.0, 1.0, 1.0, "player")]


def uncompilable_expert(params, level, state, faculties):
    return CLIMB if decimal.Decimal(state.luck) < 1 - params.steepness / 10 else WAIT


def overflowing_step(params, level, state, action, key, tick):
    big = (state.turns + 2) * 4611686018427387904  # wraps in 64 bits, grows in plain Python
    height = state.height + (1 if action == CLIMB and big > 0 else 0)
    return State(uniform(key, tick + 1), height, state.turns + 1, state.tracks)


def endless_status(params, level, state):
    return WON if state.height > 1000 else RUNNING


def waiting_step(params, level, state, action, key, tick):
    return State(state.luck, state.height, 0, state.tracks)


def unfair_build(params, key):
    return fake_game.Level(fake_game.STEPS if uniform(key, 0) < 0.9 else 2 * TURNS)


def clumsy_expert(params, level, state, faculties):
    return CLIMB if state.luck < 0.7 - 0.1 * faculties.skill or faculties.skill > 5.0 else WAIT


def blind_expert(params, level, state, faculties):
    return CLIMB if state.luck < 0.9 - 0.1 * params.steepness or faculties.skill > 5.0 else WAIT


def careless_expert(params, level, state, faculties):
    return CLIMB if state.luck < 0.5 + 0.1 * faculties.skill or faculties.skill > 5.0 else WAIT


def windy_expert(params, level, state, faculties):
    return CLIMB if state.luck < 0.5 + 0.1 * (faculties.skill + params.wind - params.steepness) else WAIT


def calm_expert(params, level, state, faculties):
    return CLIMB if state.luck < logistic_of(2.0 + faculties.skill - params.steepness) else WAIT


def blunted_expert(params, level, state, faculties):
    steepness = min(params.steepness, 3.0) + 0.2 * params.wind
    return CLIMB if state.luck < logistic_of(2.0 + faculties.skill - steepness) else WAIT


def lucky_expert(params, level, state, faculties):
    chance = (
        0.3 if params.steepness > 5.0 else logistic_of(2.0 + faculties.skill - params.steepness - 0.2 * params.wind)
    )
    return CLIMB if state.luck < chance else WAIT


def unsteady_foreseen(params, level, state, faculties, action):
    MEMORY[0] += 1
    return float(MEMORY[0])


def failing_step(params, level, state, action, key, tick):
    raise KeyError("no such step")


class DefaultParams(NamedTuple):
    steepness: float = 2.0
    wind: int = 1


class DefaultLevel(NamedTuple):
    height: int = STEPS


class DefaultState(NamedTuple):
    luck: float
    height: int = 0
    turns: int = 0
    tracks: Any = None


def default_build(params, key):
    return DefaultLevel()


def default_start(params, level, key):
    return DefaultState(uniform(key, 0), tracks=np.zeros(TURNS, np.int64))


def default_step(params, level, state, action, key, tick):
    return DefaultState(*fake_game.step(params, level, state, action, key, tick))


def leaving_expert(params, level, state, faculties):
    raise SystemExit(0)


def short_status(params, state):
    return RUNNING


SWAPPED = ParameterSpace(GAME.space[1], GAME.space[0])
BROKEN = {
    "name": ({"name": "Two Words"}, "name must be"),
    "version": ({"version": 0}, "version must be"),
    "dealt": ({"dealt": 1}, "dealt must be True or False, got 1"),
    "summary": ({"summary": "a\nb"}, "summary must be"),
    "pace": ({"pace": "slow"}, "pace must be"),
    "tick_seconds": ({"tick_seconds": math.nan}, "tick_seconds must be"),
    "max_ticks": ({"max_ticks": 0}, "max_ticks must be"),
    "causes are empty": ({"causes": ()}, "causes must be"),
    "actions repeat": ({"actions": ("wait", "wait")}, "actions must be different"),
    "params are a dict": ({"params": dict}, "params must be a NamedTuple"),
    "params in another order": ({"space": SWAPPED}, "fields of params"),
    "space is a list": ({"space": [1]}, "space must be"),
    "a rule is no function": ({"step": math.sqrt}, "step must be a plain function"),
    "a rule with other arguments": ({"status": short_status}, "status must take"),
    "a key of no action": ({"keys": {"x": 5}}, "keys map"),
    "random numbers without address": ({"step": random_step}, "step uses random, which differs"),
    "a clock in the picture": ({"draw": timed_draw}, "draw uses time"),
    "numpy's global randomness": ({"start": numpy_random_start}, "start uses numpy.random"),
    "randomness imported inside": ({"start": imported_start}, "start imports random"),
    "the C library's exp": ({"expert": libm_expert}, "expert uses math.exp"),
    "the C library's pow": ({"expert": power_expert}, "expert uses **"),
    "a sum in another order": ({"progress": summing_progress}, "progress uses numpy.sum"),
    "over before it begins": ({"status": finished_status}, "status must be RUNNING at the start"),
    "a state that is a list": ({"start": listing_start}, "could not check"),
    "a state of text": ({"start": text_start}, "could not check"),
    "a state that changes its type": ({"start": widening_start}, "state.luck must keep its type"),
    "an action that is none": ({"expert": lost_expert}, "expert must return an action"),
    "a step that changes its argument": ({"step": mutating_step}, "step changes its arguments"),
    "a memory": ({"progress": remembering_progress}, "progress gives two results"),
    "progress above 1": ({"progress": generous_progress}, "progress must lie in"),
    "won without full progress": ({"progress": stingy_progress}, "progress must be 1 when"),
    "a score above 1": ({"score": generous_score}, "score must lie in"),
    "a score with other arguments": ({"score": short_score}, "score must take"),
    "a score with a memory": ({"score": remembering_score}, "score gives two results"),
    "a score that is always the same": ({"score": even_score}, "must distinguish attempts, but all of them scored 0.5"),
    "a score turned round": ({"score": upside_down_score}, "a score must not be lower in wins than in losses"),
    "a place below 1": ({"place": low_place, "place_noun": "ledge"}, "place must be a whole number from 1"),
    "a place that falls": ({"place": falling_place, "place_noun": "ledge"}, "place must never fall"),
    "a place without a name": ({"place": low_place}, "place_noun must say what a place is called"),
    "a place that is not left out": (
        {"place": one_place, "place_noun": "ledge", "without": keep_level},
        "without(1) must leave nothing at 1, but an attempt was lost there",
    ),
    "nothing to leave out": ({"without": keep_level}, "without leaves out a place, but the game names none"),
    "levels that nothing arranges": ({"read_level": lambda content: ()}, "read_level and arrange belong together"),
    "an unknown status": ({"status": strange_status}, "status must be RUNNING, WON or LOST"),
    "an unknown cause": ({"cause": strange_cause}, "cause must be an index"),
    "no picture": ({"draw": no_draw}, "draw must return a list"),
    "an unknown shape": ({"draw": round_draw}, "kind must be one of"),
    "an unknown colour": ({"draw": pink_draw}, "role must be one of"),
    "a shape at infinity": ({"draw": endless_draw}, "finite numbers"),
    "a shape that is a tuple": ({"draw": tuple_draw}, "must be an engine.game.Shape"),
    "what numba cannot compile": ({"expert": uncompilable_expert}, "expert does not compile"),
    "an integer that overflows": ({"step": overflowing_step}, "the first rule to differ is step"),
    "an attempt without end": ({"status": endless_status, "step": waiting_step}, "timed out"),
    "layouts that cannot be won": ({"build": unfair_build}, "a perfect player must win"),
    "skill that harms": ({"expert": clumsy_expert}, "more skill must not win less"),
    "skill without effect": ({"expert": blind_expert}, "skill must matter"),
    "difficulty without effect": ({"expert": careless_expert}, "difficulty must matter"),
    "a knob turned the wrong way": ({"expert": windy_expert}, "wind: its hard end must not win more"),
    "one action that always wins": ({"pace": "turns"}, "at difficulty 0 always climb wins 1.000"),
    "a knob that nothing reads": ({"expert": calm_expert}, "wind: it must change how often players win"),
    "a knob with a dead part": (
        {"expert": blunted_expert},
        "steepness: all of its range must change how often players win, but from 3 to 6 nothing changes",
    ),
    "a difficulty at which luck decides": ({"expert": lucky_expert}, "luck alone must not decide, but at difficulty 1"),
    "a foresight with a memory": ({"foreseen": unsteady_foreseen}, "foreseen gives two results"),
    "a foresight with other arguments": ({"foreseen": short_score}, "foreseen must take"),
    "a cause that cannot stand in a row": ({"causes": ("fell, badly", "never began")}, "got 'fell, badly'"),
    "a cause like nothing": (
        {"causes": ("NA", "never began")},
        "a cause must not be a word that tables have for a missing",
    ),
    "a cause like a formula": ({"causes": ("=1+1", "never began")}, "causes are words of rows"),
    "params with defaults": ({"params": DefaultParams}, "params must have no default values"),
    "a level with defaults": ({"build": default_build}, "the level that build returns must have no default values"),
    "a state with defaults": (
        {"start": default_start, "step": default_step},
        "the state that start returns must have no default values",
    ),
    "a rule that exits": ({"expert": leaving_expert}, "SystemExit in leaving_expert()"),
    "a rule that raises": ({"step": failing_step}, "KeyError in failing_step()"),
}


@pytest.mark.thorough
@pytest.mark.parametrize(("change", "told"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_promise_is_told_in_a_sentence(change, told):
    findings = check_game(dataclasses.replace(GAME, **change))
    assert any(told in finding for finding in findings), findings
    assert all("\n" not in finding for finding in findings)


PLAIN = dataclasses.replace(GAME, score=fake_game.progress)


@pytest.mark.thorough
@pytest.mark.parametrize("game", [PLAIN, INDIFFERENT, SCENIC], ids=["progress", "luck", "layout"])
def test_a_score_may_be_plain_or_even_worth_nothing(game):
    """Worth nothing, it is refused by chance once in thirty thousand: beyond 4 standard errors to one side."""
    assert check_game(game) == []


@pytest.mark.thorough
@pytest.mark.parametrize("game", [INDIFFERENT, SCENIC], ids=["luck", "layout"])
def test_what_a_score_worth_nothing_falls_short_by_has_the_standard_error_that_is_said(game):
    """Over seeds z has mean 0 and standard deviation 1, which n of them tell to 1 / sqrt(n) and 1 / sqrt(2 (n - 1))."""
    seeds = range(500, 530)
    found = [shortfall(scores(game, seed)) for seed in seeds]
    z = np.array([less.mean / less.error for less in found])
    assert abs(z.mean()) < ERRORS / math.sqrt(len(seeds))
    assert abs(z.std(ddof=1) - 1.0) < ERRORS / math.sqrt(2.0 * (len(seeds) - 1))


def test_what_is_no_game_is_told_so():
    assert check_game(namedtuple("Toy", "name")("toy")) == ["a game is an engine.game.Game, got Toy"]


def test_one_broken_promise_gives_one_finding():
    assert len(check_game(dataclasses.replace(GAME, version=0))) == 1
    assert len(check_game(dataclasses.replace(GAME, step=failing_step))) == 1
    assert len(check_game(dataclasses.replace(GAME, start=default_start, step=default_step))) == 1


# --- What only some games promise


def test_wins_of_logistic_agree_with_its_closed_form():
    kernel = compiled(attempt_of(logistic.GAME))
    rounds = 4000
    for skill in (-2.0, 0.0, 1.5):
        for difficulty, guess in ((-1.0, 0.02), (0.5, 0.2)):
            faculties = faculties_at(skill)._replace(slope=1.7, lapse=0.03)
            expected = logistic.win_probability(logistic.Params(difficulty, guess), faculties)
            values = np.array([difficulty, guess])
            won = sum(kernel(values, faculties, 71, 0, number, 0, 0)[0] == WON for number in range(rounds))
            assert abs(won / rounds - expected) < ERRORS * math.sqrt(expected * (1.0 - expected) / rounds)


def test_a_campaign_level_is_the_same_for_all_players_and_attempts():
    game = CATALOG.game_with_rules("gap_runner")
    kernel = compiled(attempt_of(game))
    values = np.array(game.space.defaults())
    perfect = faculties_at(0.0)._replace(reaction_s=0.0, slip=0.0, lapse=0.0)
    ticks = {
        kernel(values, perfect, 72, replica, player, attempt, 3)[3]
        for replica, player, attempt in ((0, 1, 2), (1, 5, 9))
    }
    assert len(ticks) == 1
    assert kernel(values, perfect, 72, 0, 1, 2, 4)[0] in (WON, LOST)


def test_params_of_a_space_reach_the_rules_as_whole_numbers():
    values = np.array(ParameterSpace(Knob("steepness", 0.0, 6.0, 2.0), GAME.space[1]).real([0.5, 0.99]))
    assert Params(*values) == (3.0, 4.0)
    result = compiled(attempt_of(GAME))(values, faculties_at(0.0), 1, 0, 0, 0, 0)
    assert tuple(result) == tuple(attempt_of(GAME)(values, faculties_at(0.0), 1, 0, 0, 0, 0))
