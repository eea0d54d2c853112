"""The references: they know what no controller knows, and do with it what theory says."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from controllers.adaptive import kalman, weighted_up_down
from controllers.common import imagined_players
from controllers.common.imagined_players import USED, cast_of, ground_of, plain_ground
from controllers.common.particles import CELLS, best_place, particle_chances, reweight, stand_of
from controllers.references import bayes_limit, best_static, oracle
from engine.arithmetic import logistic
from engine.attempt import unpack_params
from engine.contract.checks import check_controller
from engine.controller import Outcome, Situation, Who
from engine.game import Faculties
from engine.kernel import compiled
from engine.parameters import ParameterSpace, along
from engine.players import PLAYER, Distribution, distribution_table, faculties_of, felt_difficulty
from engine.response.response_map import response_map
from engine.response.win_probability import closed_form
from games.logistic import GAME as LOGISTIC
from tests.kit.worlds import played, setup_of

pytestmark = pytest.mark.thorough

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
    cast = cast_of([table], plain_ground(0.02), count, False)
    players = np.zeros(count, PLAYER)
    for name in ("reaction_s", "slip", "foresight"):
        players[name] = math.nan
    players["speed"] = 1.0
    for name, numbers in zip(USED, imagined_players._drawn(table.tobytes(), len(table), count, 1), strict=True):
        players[name] = numbers
    return cast, players


def engine_chances(players, difficulty, attempt, place, last):
    chance = LOGISTIC.win_probability
    assert chance is not None
    unpack = unpack_params(LOGISTIC)
    found = []
    for player in players:
        player["attempts"], player["place"], player["last"] = attempt, place, last
        found.append(chance(unpack(np.array([felt_difficulty(player, difficulty), 0.02])), faculties_of(player)))
    return np.array(found)


def told(cast, attempt, place, last, difficulty):
    """Win probability of all particles."""
    return particle_chances(cast, stand_of(cast, float(attempt), float(place), last), cast.weight, 0.0, difficulty)


@pytest.mark.parametrize(("attempt", "place", "last"), MOMENTS)
def test_a_particle_wins_as_often_as_the_engines_player(attempt, place, last):
    cast, players = imagined()
    for cell in range(0, 201, 8):
        expected = engine_chances(players, cell / 200, attempt, place, last)
        # The practice curve is straight between knots: 1.5e-4 of skill at most, at 20 logits per skill and p' <= 1/4.
        assert np.abs(told(cast, attempt, place, last, cell / 200) - expected).max() < 1e-3


def test_an_unknown_outcome_before_mixes_both():
    cast, _ = imagined()
    won, lost, mixed = (told(cast, 5, 5, last, 0.4) for last in (1.0, 0.0, 0.55))
    assert mixed == pytest.approx(0.55 * won + 0.45 * lost, abs=1e-12)
    assert np.abs(won - lost).max() > 0.05


def test_only_particles_of_some_weight_are_looked_at():
    cast, _ = imagined()
    weights = np.where(np.arange(64) % 3 == 0, 1e-9, cast.weight)
    p = particle_chances(cast, stand_of(cast, 5.0, 5.0, 1.0), weights, 1e-8, 0.4)
    assert np.array_equal(p, np.where(np.arange(64) % 3 == 0, 0.0, told(cast, 5, 5, 1.0, 0.4)))


def test_the_logistic_is_tabulated_closely():
    cast, _ = imagined(2)
    steps = np.arange(len(cast.curve)) / 64.0 - 16.0
    for x in np.linspace(-15.99, 15.99, 2000).tolist():
        exact = logistic(x)
        assert abs(np.interp(x, steps, cast.curve) - exact) < min(3e-6, 4e-5 * exact)


def test_a_cohort_wins_as_often_as_its_members_on_average():
    table = distribution_table({**STEADY, "skill": Distribution("normal", 0.5, 0.1, common=0.15)})
    cast = cast_of([table], plain_ground(0.02), 16, True)
    members = int(cast.members)
    assert len(cast.skill) == 16 * members
    expected = 0.02 + 0.96 / (1.0 + np.exp(-cast.slope * (cast.skill - 0.35)))
    assert told(cast, 0, 0, 1.0, 0.35) == pytest.approx(expected.reshape(16, members).mean(axis=1), abs=3e-6)


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
        weights = bayes_limit.reweight_after(cast, weights, float(attempt), float(attempt), last, 0, difficulty, won)
        p = engine_chances(players, difficulty, attempt, attempt, last)
        expected = expected * (p if won else 1.0 - p)
        last = won
    assert weights == pytest.approx(expected / expected.sum(), rel=0.02, abs=1e-6)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("wins", [0, 7, 20])
def test_a_shared_outcome_counts_as_all_of_its_attempts(wins):
    cast, _ = imagined()
    p = told(cast, 5, 5, 1.0, 0.4)
    expected = p**wins * (1.0 - p) ** (20 - wins)
    found = reweight(cast.weight, p, wins / 20, 20.0)
    assert found == pytest.approx(expected / expected.sum(), rel=1e-9, abs=1e-15)


def test_no_number_of_outcomes_leaves_nobody():
    cast, _ = imagined()
    p = told(cast, 5, 5, 1.0, 0.4)
    crowd = reweight(cast.weight, p, 0.35, 100_000.0)
    assert crowd.sum() == pytest.approx(1.0)
    assert np.argmax(crowd) == np.argmax(0.35 * np.log(p) + 0.65 * np.log(1.0 - p))
    # Those who are out of the question stay out of it, and never for want of anybody else.
    assert reweight(crowd, p, 1.0, 1.0).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("target", [0.2, 0.55, 0.9])
@pytest.mark.parametrize("near", [0.0, 0.5, 1.0])
def test_the_dial_goes_where_the_expected_error_is_least(target, near):
    cast, _ = imagined()
    stand = stand_of(cast, 12.0, 12.0, 1.0)
    weights = reweight(cast.weight, told(cast, 12, 12, 1.0, 0.5), 1.0, 1.0)
    found = [float(weights @ (told(cast, 12, 12, 1.0, cell / CELLS) - target) ** 2) for cell in range(CELLS + 1)]
    assert best_place(cast, weights, stand, target, near) == int(np.argmin(found)) / CELLS


def test_particles_give_the_same_bits_compiled():
    cast, _ = imagined()
    for attempt, place, last in MOMENTS:
        arguments = (cast, cast.weight, float(attempt), float(place), last, 0)
        assert compiled(bayes_limit.propose)(*arguments, 0.55, 0.5) == bayes_limit.propose(*arguments, 0.55, 0.5)
        fast = compiled(bayes_limit.reweight_after)(*arguments, 0.43, 1.0)
        assert fast.tobytes() == bayes_limit.reweight_after(*arguments, 0.43, 1.0).tobytes()
        assert compiled(reweight)(fast, fast, 0.25, 8.0).tobytes() == reweight(fast, fast, 0.25, 8.0).tobytes()


def test_the_ground_of_a_closed_form_is_what_the_game_computes():
    made = setup_of(LOGISTIC, oracle.CONTROLLER)  # here the dial moves the guess too
    brief = made.brief(0)
    cast = cast_of([distribution_table({"lapse": Distribution("fixed", 0.1)})], ground_of(brief, 0), 4, False)
    chance, unpack = LOGISTIC.win_probability, unpack_params(LOGISTIC)
    assert chance is not None
    for cell in (0, 57, 200):
        params = unpack(brief.space.real([along(brief.path, j, cell / 200) for j in range(2)]))
        able = [Faculties(float(s), float(a), 0.3, 0.04, 0.1, 0.0, 0.1, 1.0) for s, a in zip(cast.skill, cast.slope)]
        expected = [chance(params, faculties) for faculties in able]
        assert told(cast, 0, 0, 1.0, cell / 200) == pytest.approx(expected, abs=1e-5)


def test_a_closed_form_of_another_family_is_refused():
    squared = replace(LOGISTIC, win_probability=lambda params, faculties: logistic(faculties.skill) ** 2)
    with pytest.raises(ValueError, match="that of logistic is not"):
        bayes_limit.BayesLimit(bayes_limit.Options(), setup_of(squared).brief(0))


# --- Games without a closed form. The same rules as logistic, and nobody knows the answer but this test.

SAMPLED = replace(LOGISTIC, win_probability=None)
CLIMBING = {**STEADY, "skill": Distribution("normal", 0.0, 0.9), "slope": Distribution("fixed", 1.0)}


def sampled_setup(kind, traits=CLIMBING, **changes):
    space = ParameterSpace(LOGISTIC.space[0], LOGISTIC.space[1], held={"guess": 0.02})
    return setup_of(SAMPLED, kind, cohorts=(traits,), space=space, **changes)


def known_chances(made):
    """The true chance of each attempt of a run on the sampled game."""
    return closed_form(LOGISTIC, played(made).rows)


def test_a_particle_of_a_sampled_game_wins_as_often_as_its_response_map_says():
    brief = sampled_setup(oracle.CONTROLLER).brief(0)
    tilting = {**CLIMBING, "tilt": Distribution("fixed", 0.5), "learning": Distribution("fixed", 0.2)}
    cast = cast_of([distribution_table(tilting)], ground_of(brief, 0), 64, False)
    known = response_map(brief.game, brief.space, brief.path, brief.traits[0])
    for cell in (0, 33, 100, 199):
        skill = cast.skill + 0.2 * math.log(31.0) - 0.5
        assert told(cast, 30, 3, 0.0, cell / 200) == pytest.approx(known.probability(skill, cell / 200), abs=1e-5)


def test_the_oracle_of_a_sampled_game_is_as_near_as_its_map():
    made = sampled_setup(oracle.CONTROLLER, counts=(40,))
    rows = played(made).rows
    off = closed_form(LOGISTIC, rows) - 0.55
    # The map: shares of 2,000 attempts, sd 0.011; straight between skills 0.5 apart, at most 0.25 / 8 x 0.05 off.
    assert np.abs(off).max() < 4.0 * 0.0112 + 0.002
    known = response_map(made.game, made.space, made.path, made.traits[0])
    assert known.probability(rows["skill"], rows["difficulty"]) == pytest.approx(np.full(len(rows), 0.55), abs=1e-6)


def test_the_oracle_of_a_sampled_game_expects_nothing_of_thrown_attempts():
    made = sampled_setup(oracle.CONTROLLER, {**CLIMBING, "thrown": Distribution("fixed", 3.0)}, counts=(10,))
    rows = played(made).rows
    assert (rows["difficulty"][rows["place"] < 3] == 0.0).all()
    assert (rows["difficulty"][rows["place"] >= 3] > 0.0).all()


@pytest.mark.parametrize("kind", [bayes_limit.CONTROLLER, best_static.CONTROLLER])
def test_a_reference_plays_a_sampled_game_as_it_plays_the_same_game_with_a_closed_form(kind):
    sampled = sampled_setup(kind, counts=(60,))
    exact = replace(sampled, game=LOGISTIC)
    misses = [(known_chances(made) - 0.55) ** 2 for made in (sampled, exact)]
    gap = (misses[0] - misses[1]).reshape(60, -1).mean(axis=1)
    # Paired, within 4 standard errors, and what the map's own error of 0.0112 adds to a squared error.
    assert abs(gap.mean()) < 4.0 * gap.std() / math.sqrt(60) + 0.0112**2


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
        first.tell(Outcome(who, asked, attempt % 3 > 0, 1.0, 1.0, 30.0))


def test_nobody_is_nearer_than_the_bayes_limit():
    options = bayes_limit.Options(particles=512.0)
    limit, filtered, stepped, fixed = (
        (errors(kind, count=120, attempts=200, **more).reshape(120, 200)[:, 20:] ** 2).mean(axis=1)
        for kind, more in (
            (bayes_limit.CONTROLLER, {"options": options}),
            (kalman.CONTROLLER, {}),
            (weighted_up_down.CONTROLLER, {}),
            (best_static.CONTROLLER, {}),
        )
    )
    # Paired. A filter that knows nearly all there is to know may be as near; fixed steps cannot be.
    for other, least in ((filtered, -4.0), (stepped, 4.0), (fixed, 4.0)):
        gap = other - limit
        assert gap.mean() > least * gap.std() / math.sqrt(len(gap))
    # Nor is the limit below the Cramer-Rao floor with a prior of 0.15: 0.0549 over these attempts.
    assert limit.mean() > 0.0549**2 - 4.0 * limit.std() / math.sqrt(len(limit))


class Fewer(NamedTuple):
    """Options of a limit that takes a tenth of the time; the contract does not ask for a good one."""

    particles: float = 128.0


@pytest.mark.parametrize(
    "kind", [oracle.CONTROLLER, replace(bayes_limit.CONTROLLER, options=Fewer), best_static.CONTROLLER]
)
def test_a_reference_keeps_the_contract(kind):
    assert kind.mode == "reference"
    assert check_controller(kind) == []


def test_where_the_chance_jumps_over_the_target_both_sides_meet_it_in_the_mean():
    def stepped(player, place, known):
        return 0.9 - 0.1 * place if place < 0.4 else 0.5 - 0.1 * place

    search = oracle.search_of(stepped)
    who = np.ones(1, PLAYER)[0]
    found = [search(who, 0.75, 0.0, 1.0, 40, None, luck) for luck in (np.arange(2000) + 0.5) / 2000]
    assert {round(place, 6) for place in found} == {0.4}, "one place, on either side of the jump"
    assert np.mean([stepped(who, place, None) for place in found]) == pytest.approx(0.75, abs=1e-3)
    smooth = [search(who, 0.87, 0.0, 1.0, 40, None, luck) for luck in (0.0, 0.5, 0.999)]
    assert len(set(smooth)) == 1, "no luck where the target is met"
