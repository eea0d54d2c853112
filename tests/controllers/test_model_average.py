"""The model average: a bank of player models, believed by evidence."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from controllers.adaptive import model_average
from controllers.adaptive.model_average import BANK, CONTROLLER, Options
from controllers.common.imagined_players import MEMBERS
from controllers.common.particles import CELLS, KNOTS, particle_chances, stand_of
from engine.arithmetic import logistic
from engine.contract.controller_rule import compiled_equals_plain, state_is_numbers, wins_never_make_it_easier
from engine.controller import Observation, Situation
from engine.kernel import compiled
from engine.players import Distribution
from engine.randomness import CHANCE, key_of, uniform
from engine.response.response_map import response_map
from games.logistic import GAME as LOGISTIC
from tests.kit.worlds import setup_of

pytestmark = pytest.mark.thorough

FEW = Options(particles=64.0)


def bank(options=FEW, scope="player"):
    brief = setup_of(kind=CONTROLLER).brief(0)._replace(scope=scope)
    return model_average.prepare(options, brief)


def told(cast, attempt, place, last, difficulty):
    """Win probability of all particles."""
    return particle_chances(cast, stand_of(cast, float(attempt), place, last), cast.weight, 0.0, difficulty)


def kinds(weight):
    """Weight of each model of the bank."""
    return weight.reshape(len(BANK), -1).sum(axis=1)


def test_the_bank_holds_every_model_at_the_weight_it_was_given():
    cast = bank(FEW._replace(steady=0.3))
    assert kinds(cast.weight) == pytest.approx([0.3, *[0.1] * 7])
    changing = [cast.tiring, cast.jump, cast.top - 0.98, cast.lift]
    who = [np.flatnonzero(np.abs(kinds(np.abs(numbers))) > 1e-9).tolist() for numbers in changing]
    assert who == [[2], [3, 7], [4, 7], [6, 7]]
    assert np.flatnonzero(kinds(cast.practice.reshape(KNOTS, -1)[-1]) > 0.0).tolist() == [1, 7]
    bent = np.abs(cast.felt.reshape(CELLS + 1, -1)[CELLS // 2] - CELLS // 2)
    assert np.flatnonzero(kinds(bent) > 1e-6).tolist() == [5, 7]


def test_the_first_place_is_where_the_prior_expects_the_least_error():
    cast = bank(Options())
    asked = model_average.ask(cast, model_average.start(cast, 0.55), Situation(0.55, 0, 0, 0, 1.0))
    found = [float(cast.weight @ (told(cast, 0, 0.0, 1.0, cell / 200) - 0.55) ** 2) for cell in range(201)]
    assert asked == int(np.argmin(found)) / 200


def test_until_both_outcomes_were_seen_none_is_answered_the_wrong_way():
    cast = bank()
    for won in (0.0, 1.0):
        state, before = model_average.start(cast, 0.55), 0.5
        for attempt in range(120):
            state = model_average.tell(cast, state, Observation(before, won, won, won, 0.55, 0.0, won, 1.0))
            asked = model_average.ask(cast, state, Situation(0.55, attempt + 1, 0, 0, won))
            assert (asked - before) * (won - 0.5) >= 0.0
            before = asked


def test_weights_are_bayes_rule_over_the_whole_bank():
    cast = bank()
    state = model_average.start(cast, 0.55)
    expected = cast.weight.copy()
    last = 1.0
    for attempt in range(30):
        won = float(attempt % 3 > 0)
        expected = expected * np.abs(1.0 - won - told(cast, attempt, float(attempt), last, 0.45))
        state = model_average.tell(cast, state, Observation(0.45, won, won, won, 0.55, float(attempt), last, 1.0))
        last = won
    assert state.weight == pytest.approx(expected / expected.sum(), rel=1e-9, abs=1e-14)
    assert state.effective == pytest.approx(1.0 / (state.weight**2).sum())
    assert state.told == 30.0


def after(world, attempts=200):
    """Weights of the models after a player of a world: (attempt, place) -> (skill, tilt)."""
    cast = bank(Options())
    ask, tell = compiled(model_average.ask), compiled(model_average.tell)
    state = model_average.start(cast, 0.55)
    luck = key_of(90, 0, CHANCE, 0, 0)
    last = 1.0
    for attempt in range(attempts):
        place = attempt % 50
        asked = ask(cast, state, Situation(0.55, attempt, 0, place, last))
        skill, tilt = world(attempt, place)
        p = 0.02 + 0.96 * logistic(10.0 * (skill - asked) + tilt * (2.0 * last - 1.0))
        won = 1.0 if uniform(luck, attempt) < p else 0.0
        state = tell(cast, state, Observation(asked, won, won, won, 0.55, float(place), last, 1.0))
        last = won
    return kinds(state.weight)


def test_evidence_finds_who_tires():
    assert after(lambda attempt, place: (0.6 - 0.3 * place / 49.0, 0.0))[2] > 0.5


def test_evidence_finds_who_jumps():
    weights = after(lambda attempt, place: (0.35 + 0.3 * (attempt >= 100), 0.0))
    assert weights[3] + weights[7] > 0.5


def test_evidence_finds_who_takes_outcomes_to_heart():
    weights = after(lambda attempt, place: (0.5, 1.0))
    assert weights[6] + weights[7] > 0.5


def test_players_who_share_a_dial_are_one_cohort():
    cast = bank(FEW, "cohort")
    assert cast.members == MEMBERS
    assert len(cast.skill) == MEMBERS * len(cast.weight)
    spread = cast.skill.reshape(-1, MEMBERS)
    assert spread.std(axis=1) == pytest.approx(np.full(len(cast.weight), 0.1), rel=0.1)
    assert spread.mean(axis=1).std() == pytest.approx(0.15, rel=0.1)


@pytest.mark.parametrize("check", [state_is_numbers, wins_never_make_it_easier, compiled_equals_plain])
def test_the_rule_keeps_the_contract(check):
    assert list(check(CONTROLLER)) == []


def test_in_a_game_without_a_closed_form_particles_are_its_population_on_its_response_map():
    skills = [{"skill": Distribution("normal", mean, 0.6)} for mean in (-0.5, 1.5)]
    game = replace(LOGISTIC, win_probability=None)
    brief = setup_of(game, CONTROLLER, cohorts=skills, counts=(8, 8)).brief(0)
    cast = model_average.prepare(FEW, brief)
    known = response_map(brief.game, brief.space, brief.path, brief.traits[0])
    unit = math.sqrt(1.0 + 0.6**2) / 0.15
    own = 0.5 + (cast.skill[:64] - 0.5) * unit
    assert own.mean() == pytest.approx(0.5, abs=0.05)
    assert own.std() == pytest.approx(math.sqrt(1.36), rel=0.05)
    for cell in (20, 100, 150):
        p = told(cast, 0, 0.0, 1.0, cell / 200)[:64]
        assert p == pytest.approx(
            known.probability(np.clip(own, 0.5 - 0.42 * unit, 0.5 + 0.45 * unit), cell / 200), abs=2e-3
        )
