"""The references: they know what no controller knows, and do with it what theory says."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from controllers import casting
from controllers.adaptive import kalman
from controllers.casting import USED, cast_of, closed_ground, plain_ground
from controllers.particles import GRID, best_place, chances, reweighted, stand_of
from controllers.references import bayes_limit, best_static, oracle
from engine.attempt import unpack_params
from engine.checks import check_controller
from engine.controller import Outcome, Situation, Who
from engine.kernel import compiled
from engine.parameters import ParameterSpace, along
from engine.players import PLAYER, Distribution, distribution_table, faculties_of, felt
from engine.truth import closed_form
from engine.world import controller_of
from games.gap_runner import GAME as GAP_RUNNER
from games.logistic import GAME as LOGISTIC
from tests.worlds import played, setup_of

FIXED_GUESS = ParameterSpace(LOGISTIC.space[0].narrowed(0.0, 1.0), LOGISTIC.space[1], held={"guess": 0.02})
STEADY = {
    "skill": Distribution("normal", 0.5, 0.15),
    "slope": Distribution("lognormal", 8.0, 0.4),
    "lapse": Distribution("fixed", 0.02),
    "learning": Distribution("fixed", 0.0),
    "fatigue": Distribution("fixed", 0.0),
    "quit_frailty": Distribution("fixed", -40.0),
    "session_frailty": Distribution("fixed", -40.0),
}
# Everything that the player model can do at once.
RESTLESS = {
    **STEADY,
    "learning": Distribution("lognormal", 0.02, 0.5),
    "fatigue": Distribution("fixed", 0.01),
    "lapse": Distribution("uniform", 0.02, 0.2),
    "practice_gain": Distribution("uniform", 0.1, 0.35),
    "practice_attempts": Distribution("loguniform", 5.0, 40.0),
    "tiring": Distribution("uniform", 0.1, 0.3),
    "jump": Distribution("uniform", 0.1, 0.35),
    "jump_attempt": Distribution("uniform", 10.0, 60.0),
    "tilt": Distribution("uniform", 0.2, 0.8),
    "lowest_skill": Distribution("fixed", 0.08),
    "highest_skill": Distribution("fixed", 0.95),
    "bend_a": Distribution("lognormal", 1.0, 0.5),
    "bend_b": Distribution("lognormal", 1.0, 0.5),
    "thrown": Distribution("fixed", 2.0),
}
MOMENTS = [(0, 0, 1.0), (3, 1, 0.0), (9, 9, 1.0), (25, 7, 0.0), (60, 48, 1.0), (150, 140, 0.0)]


def setup(kind, traits=STEADY, attempts=40, **changes):
    return setup_of(LOGISTIC, kind, cohorts=(traits,), space=FIXED_GUESS, attempts_per_player=attempts, **changes)


def errors(kind, traits=STEADY, count=60, **changes):
    made = setup(kind, traits, counts=(count,), **changes)
    return closed_form(made.game, played(made).rows) - 0.55


def imagined(count=64, traits=RESTLESS):
    """Particles of a restless cohort on the plain dial, and the same as records of the engine."""
    table = distribution_table(traits)
    cast = cast_of(table, plain_ground(0.02), count, False)
    players = np.zeros(count, PLAYER)
    for name in ("reaction_s", "slip", "foresight"):
        players[name] = math.nan
    players["speed"] = 1.0
    for name, numbers in zip(USED, casting._drawn(table.tobytes(), len(table), count, 1), strict=True):
        players[name] = numbers
    return cast, players


def engine_chances(players, difficulty, attempt, place, last):
    chance = LOGISTIC.win_probability
    assert chance is not None
    unpack = unpack_params(LOGISTIC)
    found = []
    for player in players:
        player["attempts"], player["place"], player["last"] = attempt, place, last
        found.append(chance(unpack(np.array([felt(player, difficulty), 0.02])), faculties_of(player)))
    return np.array(found)


@pytest.mark.parametrize(("attempt", "place", "last"), MOMENTS)
def test_a_particle_wins_as_often_as_the_engines_player(attempt, place, last):
    cast, players = imagined()
    stand = stand_of(cast, float(attempt), float(place), last)
    for cell in range(0, 201, 8):
        expected = engine_chances(players, cell / 200, attempt, place, last)
        # The practice curve is tabulated: 3e-4 of skill at most, at 10 logits per skill unit and p' <= 1/4.
        assert np.abs(chances(cast, stand, cell / 200) - expected).max() < 1e-3


def test_an_unknown_outcome_before_mixes_both():
    cast, _ = imagined()
    won, lost, mixed = (chances(cast, stand_of(cast, 5.0, 5.0, last), 0.4) for last in (1.0, 0.0, 0.55))
    assert mixed == pytest.approx(0.55 * won + 0.45 * lost, abs=1e-12)
    assert np.abs(won - lost).max() > 0.05


def test_particles_are_spread_as_their_traits_say():
    cast, _ = imagined(1024)
    # A shifted net puts one point in each of 1,024 strata of every trait: means as good as exact.
    assert cast.skill.mean() == pytest.approx(0.5, abs=1e-3)
    assert cast.skill.std() == pytest.approx(0.15, rel=0.01)
    assert np.log(cast.slope).mean() == pytest.approx(math.log(8.0), abs=3e-3)
    assert abs(np.corrcoef(cast.skill, np.log(cast.slope))[0, 1]) < 0.02


def test_the_posterior_is_bayes_rule():
    cast, players = imagined()
    weights, expected = cast.weight, np.full(64, 1 / 64)
    last = 1.0
    for attempt, (difficulty, won) in enumerate([(0.5, 1.0), (0.6, 0.0), (0.3, 1.0), (0.45, 1.0), (0.9, 0.0)] * 4):
        stand = stand_of(cast, float(attempt), float(attempt), last)
        weights = reweighted(cast, weights, stand, difficulty, won, 1.0)
        p = engine_chances(players, difficulty, attempt, attempt, last)
        expected = expected * (p if won else 1.0 - p)
        last = won
    assert weights == pytest.approx(expected / expected.sum(), rel=0.02, abs=1e-6)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("wins", [0, 7, 20])
def test_a_shared_outcome_counts_as_all_of_its_attempts(wins):
    cast, _ = imagined()
    stand = stand_of(cast, 5.0, 5.0, 1.0)
    p = chances(cast, stand, 0.4)
    expected = p**wins * (1.0 - p) ** (20 - wins)
    found = reweighted(cast, cast.weight, stand, 0.4, wins / 20, 20.0)
    assert found == pytest.approx(expected / expected.sum(), rel=1e-9, abs=1e-15)
    crowd = reweighted(cast, cast.weight, stand, 0.4, wins / 20, 100_000.0)
    assert np.isfinite(crowd).all()
    assert crowd.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("target", [0.2, 0.55, 0.9])
@pytest.mark.parametrize("near", [0.0, 0.5, 1.0])
def test_the_dial_goes_where_the_expected_error_is_least(target, near):
    cast, _ = imagined()
    stand = stand_of(cast, 12.0, 12.0, 1.0)
    weights = reweighted(cast, cast.weight, stand, 0.5, 1.0, 1.0)
    found = [float(weights @ (chances(cast, stand, cell / 200) - target) ** 2) for cell in range(201)]
    place = best_place(cast, weights, stand, target, near)
    assert abs(place - int(np.argmin(found)) / 200) <= 1 / GRID
    assert found[round(place * 200)] <= min(found) + 1e-4


def test_particles_give_the_same_bits_compiled():
    cast, _ = imagined()
    for attempt, place, last in MOMENTS:
        arguments = (cast, cast.weight, float(attempt), float(place), last)
        assert compiled(bayes_limit.placed)(*arguments, 0.55, 0.5) == bayes_limit.placed(*arguments, 0.55, 0.5)
        fast = compiled(bayes_limit.heard)(*arguments, 0.43, 1.0)
        assert fast.tobytes() == bayes_limit.heard(*arguments, 0.43, 1.0).tobytes()


def test_the_ground_of_a_closed_form_is_what_the_game_computes():
    brief = setup_of(LOGISTIC, oracle.CONTROLLER).brief(0)  # here the dial moves the guess too
    ground = closed_ground(brief)
    for cell in (0, 57, 200):
        params = [along(brief.path, j, cell / 200) for j in range(2)]
        difficulty, guess = brief.space.real(params)
        assert ground.dial[cell] == pytest.approx(difficulty, abs=1e-9)
        assert ground.bottom[cell] == pytest.approx(guess, abs=1e-12)


def test_references_need_a_closed_form():
    made = setup_of(GAP_RUNNER, oracle.CONTROLLER)
    for kind in (oracle.CONTROLLER, bayes_limit.CONTROLLER, best_static.CONTROLLER):
        with pytest.raises(ValueError, match="closed form"):
            controller_of(replace(made, kind=kind, options=kind.options()), 0)


@pytest.mark.parametrize("delay_s", [0.0, 100.0])
def test_the_oracle_never_errs_where_the_dial_does_not_end(delay_s):
    wide = {**RESTLESS, "thrown": Distribution("fixed", 0.0), "tilt": Distribution("fixed", 0.3)}
    off = np.abs(errors(oracle.CONTROLLER, wide, delay_s=delay_s))
    assert np.mean(off < 1e-6) > 0.9
    assert math.sqrt((off**2).mean()) < 0.05


def test_the_oracle_is_exact_for_steady_players():
    within = {"lowest_skill": Distribution("fixed", 0.2), "highest_skill": Distribution("fixed", 0.8)}
    assert np.abs(errors(oracle.CONTROLLER, {**STEADY, **within, "slope": Distribution("fixed", 8.0)})).max() < 1e-6


def test_best_static_beats_its_neighbours_on_other_players():
    made = setup(best_static.CONTROLLER, counts=(1,))
    reference = best_static.BestStatic(best_static.Options(), made.brief(0))
    chosen = reference.ask(Who(0, 0, Situation(0.55, 0, 0, 0, 1.0))).difficulty
    skill = np.random.default_rng(7).normal(0.5, 0.15, 200_000)
    slope = 8.0 * np.exp(0.4 * np.random.default_rng(8).normal(size=200_000))

    def miss(difficulty):
        p = 0.02 + 0.96 / (1.0 + np.exp(-slope * (skill - difficulty)))
        return float(((p - 0.55) ** 2).mean())

    assert miss(chosen) < miss(chosen - 0.03)
    assert miss(chosen) < miss(chosen + 0.03)


def test_a_limit_that_is_saved_and_loaded_goes_on_as_it_was():
    brief = setup(bayes_limit.CONTROLLER).brief(0)
    options = bayes_limit.Options(particles=64.0)
    first, second = bayes_limit.BayesLimit(options, brief), bayes_limit.BayesLimit(options, brief)
    for attempt in range(12):
        who = Who(3, 0, Situation(0.55, attempt, 0, attempt, 1.0))
        second = bayes_limit.BayesLimit(options, brief)
        second.remember(json.loads(json.dumps(first.memory())))
        asked = first.ask(who)
        assert second.ask(who) == asked
        first.tell(Outcome(who, asked, attempt % 3 > 0, 1.0, 30.0))


def test_nobody_is_nearer_than_the_bayes_limit():
    options = bayes_limit.Options(particles=512.0)
    limit, filtered, fixed = (
        (errors(kind, count=80, attempts=200, **more).reshape(80, 200)[:, 20:] ** 2).mean(axis=1)
        for kind, more in (
            (bayes_limit.CONTROLLER, {"options": options}),
            (kalman.CONTROLLER, {}),
            (best_static.CONTROLLER, {}),
        )
    )
    # Of a rule that is near the limit a few players are by chance nearer: paired, within 4 standard errors.
    gap = filtered - limit
    assert gap.mean() > -4.0 * gap.std() / math.sqrt(len(gap))
    assert limit.mean() < 0.25 * fixed.mean()


@pytest.mark.parametrize("kind", [oracle.CONTROLLER, bayes_limit.CONTROLLER, best_static.CONTROLLER])
def test_a_reference_keeps_the_contract(kind):
    assert kind.mode == "reference"
    assert check_controller(kind) == []
