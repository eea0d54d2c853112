"""The bank of filters: a single filter of it is kalman's, and changes are found."""

from __future__ import annotations

import math

import numpy as np
import pytest

from controllers.adaptive import kalman_bank as bank
from controllers.common.score_evidence import BINS, PLACES, evidence
from engine.arithmetic import logit
from engine.contract.controller_conduct import brief_for
from engine.controller import Observation, Situation
from engine.kernel import compiled
from engine.randomness import CHANCE, key_of, uniform

BRIEF = brief_for("player")
OPTIONS = bank.prepare(bank.Options(), BRIEF)


def played(truth, attempts, seed, options=OPTIONS, place=lambda t: t % 50):
    """Difficulties and true chances of one player. truth: (attempt, last, difficulty) -> chance."""
    ask, tell = compiled(bank.ask), compiled(bank.tell)
    state, last = bank.start(options, 0.55), 1.0
    key = key_of(seed, 0, CHANCE, 0, 0)
    asked, chances = [], []
    for t in range(attempts):
        d = ask(options, state, Situation(0.55, t, 0, place(t), last))
        p = truth(t, last, d)
        won = 1.0 if uniform(key, t) < p else 0.0
        state = tell(options, state, Observation(d, won, won, won, 0.55, float(place(t)), last, 1.0))
        last = won
        asked.append(d)
        chances.append(p)
    return np.array(asked), np.array(chances), state


def curve(skill, d, slope=8.0, tilt=0.0, last=1.0):
    return 0.02 + 0.96 / (1.0 + math.exp(-(slope * (skill - d) + tilt * (2.0 * last - 1.0))))


def test_priors_are_weights_and_changes_have_none_before_they_spring():
    weight = np.exp(OPTIONS.weight)
    assert weight[OPTIONS.change < 0].sum() == pytest.approx(1.0)
    assert weight[OPTIONS.change >= 0].max() < 1e-9


def test_the_mean_square_is_that_of_a_normal_spread():
    at, sd, slope, room, weight = (np.array([x]) for x in (0.5, 0.1, 8.0, 0.96, 1.0))
    z = np.linspace(-8.0, 8.0, 20001)
    density = np.exp(-0.5 * z * z)
    chances = 0.02 + 0.96 / (1.0 + np.exp(-8.0 * (0.5 + 0.1 * z - 0.45)))
    exact = (density * (chances - 0.55) ** 2).sum() / density.sum()
    found = bank.mean_square(at, sd, slope, room, weight, 1, 0.02 - 0.55, 0.45)
    assert found == pytest.approx(exact, rel=0.05)  # three nodes are exact to the fifth power only


def test_what_moves_the_player_is_recognised():
    """Weights of structures after 400 attempts, summed over 12 players: the true one has gained on all others."""
    worlds = {
        "steady": lambda t, last, d: curve(0.5, d),
        "tilted": lambda t, last, d: curve(0.5, d, tilt=0.7, last=last),
        "tired": lambda t, last, d: curve(0.6 - 0.28 * (t % 50) / 49.0, d),
    }
    kinds = {"steady": [0], "tilted": [1, 6], "tired": [2]}
    filters = bank.CHANGES + len(bank.structures(bank.Options()))
    for world, truth in worlds.items():
        gained = np.zeros(7)
        for seed in range(12):
            _, _, state = played(truth, 400, 100 + seed)
            shares = np.exp(state.weight)
            shares /= shares.sum()
            gained += np.array([shares[j::filters].sum() for j in range(7)])
        prior = np.array([np.exp(OPTIONS.weight[j::filters]).sum() for j in range(7)])
        assert int(np.argmax(gained / prior)) in kinds[world], (world, gained / 12.0)


def test_a_sudden_change_is_followed():
    """100 attempts after a jump of 0.3 the dial is nearer to its new place than a tenth of the way, on average."""
    ends = []
    for seed in range(40):
        asked, _, _ = played(lambda t, last, d: curve(0.4 if t < 150 else 0.7, d), 250, 500 + seed)
        ends.append(asked[-10:].mean())
    place = 0.7 - math.log((0.53 / 0.96) / (1.0 - 0.53 / 0.96)) / 8.0
    error = np.std(ends, ddof=1) / math.sqrt(len(ends))
    assert abs(np.mean(ends) - place) < 0.03 + 4.0 * error


def test_several_outcomes_count_as_many():
    """Twenty outcomes at one difficulty move the bank about as far as the same outcomes one by one."""
    together = bank.tell(OPTIONS, bank.start(OPTIONS, 0.55), Observation(0.5, 0.75, 0.75, 0.75, 0.55, 0.0, -1.0, 20.0))
    one_by_one = bank.start(OPTIONS, 0.55)
    for j in range(20):
        won = 0.0 if j % 4 == 0 else 1.0
        one_by_one = bank.tell(OPTIONS, one_by_one, Observation(0.5, won, won, won, 0.55, 0.0, -1.0, 1.0))
    assert together.skill == pytest.approx(one_by_one.skill, abs=0.02)
    assert together.skill > 0.55


# --- Graded outcomes


EDGES = np.tile(np.linspace(0.2, 0.8, BINS - 1), 2)
SLOPES = np.array([[-0.7, -0.35, 0.0, 0.1, 0.3, 0.65], [-1.0, -0.5, 0.0, 0.15, 0.4, 0.9]])  # of losses, of wins


def bins_everywhere():
    """Bins that tell the same at every place."""
    numbers = np.zeros((2, PLACES, BINS, 2))
    numbers[..., 1] = SLOPES[:, None, :]
    return numbers.ravel()


@pytest.mark.parametrize("guess", [0.02, 0.3])
@pytest.mark.parametrize(("won", "score"), [(1.0, 0.1), (1.0, 0.9), (0.0, 0.1), (0.0, 0.9)])
def test_a_score_moves_a_filter_as_a_grid_of_skills_says(guess, won, score):
    """The posterior of the first filter's skill after one attempt, by sums over a grid: mean, spread and evidence."""
    options = bank.prepare(bank.Options(guess=guess), BRIEF)._replace(graded=1.0, edges=EDGES, bins=bins_everywhere())
    seen = Observation(0.5, won, won, score, 0.55, 0.0, 1.0, 1.0)
    first = bank.start(options, 0.55)
    graded, bare = (bank.tell(options._replace(graded=g), first, seen) for g in (1.0, 0.0))
    skills = np.linspace(-0.6, 1.6, 2001)
    prior = np.exp(-0.5 * ((skills - options.mean[0]) ** 2) / options.variance[0])
    chance = guess + (1.0 - guess - options.lapse[0]) / (1.0 + np.exp(-options.slope[0] * (skills - 0.5)))
    share = [evidence(EDGES, options.bins, won, score, 0.5, logit(float(p))).chance for p in chance]
    weight = prior * (chance if won else 1.0 - chance) * np.array(share)
    mean = float(weight @ skills / weight.sum())
    sd = math.sqrt(float(weight @ skills**2 / weight.sum()) - mean**2)
    assert abs(graded.x[0] - bare.x[0]) > 0.03, "the score matters"
    assert graded.x[0] == pytest.approx(mean, abs=0.01)
    assert math.sqrt(graded.P[0]) == pytest.approx(sd, abs=0.01)


def test_filters_are_weighed_by_how_well_they_foretold_the_score():
    """A clean win at the hard end: the filter that thinks the player stands above gains on the one that does not."""
    options = OPTIONS._replace(graded=1.0, edges=EDGES, bins=bins_everywhere())
    first = bank.start(options, 0.55)
    seen = Observation(0.5, 1.0, 1.0, 0.95, 0.55, 0.0, 1.0, 1.0)
    graded, bare = (bank.tell(options._replace(graded=g), first, seen) for g in (1.0, 0.0))
    tilted = bank.tell(options, first._replace(x=first.x + 0.3 * (np.arange(len(first.x)) == 0)), seen)
    told = [state.weight[0] - state.weight[len(options.slope) // 2] for state in (graded, bare, tilted)]
    assert told[2] > told[0]
    assert told[0] != told[1]


@pytest.mark.thorough
def test_scores_bring_players_nearer_to_their_target():
    """Players whose scores are drawn from the bins themselves: 4 standard errors of the paired difference."""
    options = OPTIONS._replace(graded=1.0, edges=EDGES, bins=bins_everywhere())
    middles = np.array([0.1, *(EDGES[: BINS - 1] + 0.05)])
    differences = []
    for player in range(160):
        skill = 0.35 + 0.3 * uniform(key_of(88, 0, CHANCE, player, 1), 0)
        errors = []
        for graded in (1.0, 0.0):
            mine = options._replace(graded=graded)
            ask, tell = compiled(bank.ask), compiled(bank.tell)
            state, last, misses = bank.start(mine, 0.55), 1.0, []
            for t in range(80):
                d = ask(mine, state, Situation(0.55, t, 0, 0, last))
                p = curve(skill, d)
                won = 1.0 if uniform(key_of(88, 0, CHANCE, player, 0), 2 * t) < p else 0.0
                shares = np.exp(SLOPES[int(won)] * math.log(p / (1.0 - p)))
                place = np.searchsorted(
                    np.cumsum(shares) / shares.sum(), uniform(key_of(88, 0, CHANCE, player, 0), 2 * t + 1)
                )
                score = float(middles[min(int(place), BINS - 1)])
                state = tell(mine, state, Observation(d, won, won, score, 0.55, 0.0, last, 1.0))
                last = won
                misses.append((p - 0.55) ** 2)
            errors.append(np.mean(misses[20:]))
        differences.append(errors[1] - errors[0])
    assert np.mean(differences) > 4.0 * np.std(differences) / math.sqrt(len(differences))


def test_half_the_weight_of_a_score_says_half_as_much():
    """A filter's evidence is multiplied, so that a weight is a power of the score's likelihood."""
    options = OPTIONS._replace(edges=EDGES, bins=bins_everywhere())
    first = bank.start(options, 0.55)
    seen = Observation(0.5, 1.0, 1.0, 0.9, 0.55, 0.0, 1.0, 1.0)
    none, half, whole = (bank.tell(options._replace(graded=g), first, seen) for g in (0.0, 0.5, 1.0))
    assert none.x[0] < half.x[0] < whole.x[0]
    assert none.P[0] > half.P[0] > whole.P[0]
    apart = [state.weight[0] - state.weight[1] for state in (none, half, whole)]
    assert apart[1] - apart[0] == pytest.approx(0.5 * (apart[2] - apart[0]), abs=1e-9)
