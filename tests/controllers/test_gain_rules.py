"""Gain rules against the formulas of their sources, written a second time in the plainest way, and against theory."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
import pytest

from controllers.adaptive import (
    dual,
    elo,
    entropy,
    gradient,
    kesten,
    pid,
    plateau,
    robbins_monro,
    staircase,
    weighted_up_down,
)
from controllers.common import gain
from controllers.self_adaptive import evolution_strategy, hypergradient
from engine.arithmetic import exp, logistic
from engine.contract.controller_conduct import brief_for
from engine.controller import Observation, Situation
from engine.kernel import compiled
from engine.randomness import CHANCE, TRAITS, key_of, standard_normal, uniform, words

TARGET = 0.55
WON = [uniform(key_of(90, 0, CHANCE, 0, 0), i) < 0.6 for i in range(120)]  # arbitrary outcomes
MEANS = [0.05 * math.floor(21 * uniform(key_of(91, 0, CHANCE, 0, 0), i)) for i in range(60)]  # of twenty players


def observed(difficulty, won, progress=None, target=TARGET, weight=1.0):
    reached = float(won if progress is None else progress)
    return Observation(difficulty, float(won), reached, reached, target, 0.0, 1.0, weight)


def path_of(module, options, outcomes, target=TARGET, weight=1.0):
    """Difficulties asked before each outcome and after the last."""
    state = module.start(options, target)
    asked = [module.ask(options, state, Situation(target, 0, 0, 0, 1.0))]
    for i, won in enumerate(outcomes):
        state = module.tell(options, state, observed(asked[-1], won, target=target, weight=weight))
        asked.append(module.ask(options, state, Situation(target, i + 1, 0, 0, 1.0)))
    return asked


def stepped(gains, outcomes, target=TARGET, at=0.5):
    path = [at]
    for g, won in zip(gains, outcomes, strict=True):
        path.append(min(max(path[-1] + g * (won - target), 0.0), 1.0))
    return pytest.approx(path, abs=1e-13)


def turns(outcomes, target=TARGET):
    """Reversals after each outcome, the present one included."""
    counts: list[int] = []
    last = 0.0
    for won in outcomes:
        sign = math.copysign(1.0, won - target) if won != target else 0.0
        counts.append((counts[-1] if counts else 0) + (sign * last < 0.0))
        last = sign or last
    return counts


@pytest.mark.parametrize("outcomes", [WON, MEANS], ids=["one player", "means of twenty"])
def test_gains_shrink_as_published(outcomes):
    ns = range(1, len(outcomes) + 1)
    R = turns(outcomes)
    assert path_of(robbins_monro, robbins_monro.Options(), outcomes) == stepped(
        [max(0.8 / (n + 3), 0.02) for n in ns], outcomes
    )
    assert path_of(kesten, kesten.Options(), outcomes) == stepped(
        [max(0.4 / n if n <= 2 else 0.4 / (2 + r), 0.01) for n, r in zip(ns, R, strict=True)], outcomes
    )
    steps = (0.2, 0.1, 0.05, 0.03)
    assert path_of(staircase, staircase.Options(), outcomes) == stepped([steps[min(r, 3)] for r in R], outcomes)


def test_elo_at_its_own_difficulty_is_robbins_monro():
    rated = path_of(elo, elo.Options(), WON)
    stepping = path_of(robbins_monro, robbins_monro.Options(c=1.0, n0=2.5, start=rated[0]), WON)
    assert rated[0] == pytest.approx(0.475, abs=1e-3)
    assert rated == pytest.approx(stepping, abs=1e-12)


def test_elo_uses_what_was_played_and_the_target_of_the_day():
    options = elo.Options()
    state = elo.start(options, TARGET)
    easy = elo.tell(options, state, observed(0.1, True))
    hard = elo.tell(options, state, observed(0.9, True))
    assert easy.rating - 0.5 < 0.1 * (hard.rating - 0.5)  # a win where it was expected says little
    asked = [elo.ask(options, state, Situation(t, 0, 0, 0, 1.0)) for t in (0.2, 0.5, 0.9)]
    assert asked == pytest.approx([0.5 - math.log(t / (1 - t)) / 8.0 for t in (0.2, 0.5, 0.9)])


def test_every_difficulty_is_within_reach_of_elo_for_every_target():
    for target in (0.05, 0.5, 0.95):
        for won, end in ((True, 1.0), (False, 0.0)):
            assert path_of(elo, elo.Options(floor=0.1), [won] * 2000, target)[-1] == pytest.approx(end, abs=1e-12)


def test_pid_is_its_formula_and_without_p_and_d_the_weighted_up_down():
    options = pid.Options(kd=0.3)
    I = E = before = 0.0  # noqa: E741 - the paper's letter
    path = [0.5]
    for won in WON:
        e = won - TARGET
        I = min(max(I + 0.03 * e, -0.5), 0.5)  # noqa: E741
        before, E = E, 0.9 * E + 0.1 * e
        path.append(min(max(0.5 + I + 0.1 * E + 0.3 * (E - before), 0.0), 1.0))
    assert path_of(pid, options, WON) == pytest.approx(path, abs=1e-13)
    plain = path_of(pid, pid.Options(kp=0.0), WON)
    assert plain == pytest.approx(path_of(weighted_up_down, weighted_up_down.Options(step=0.03), WON), abs=1e-13)


def test_pid_does_not_wind_up():
    options = pid.Options(kp=0.0)
    path = path_of(pid, options, [True] * 500 + [False] * 3)
    assert path[500] == 1.0
    assert path[-1] == pytest.approx(1.0 - 3 * 0.03 * TARGET)


def by_squares_before(outcomes, lr, beta1, beta2):
    """Steps like Adam's, each error over the root of the mean square of those before it."""
    M, V = 0.0, TARGET * (1 - TARGET)
    path = [0.5]
    for n, won in enumerate(outcomes, 1):
        e = won - TARGET
        M = beta1 * M + (1 - beta1) * e / math.sqrt(max(V, TARGET * (1 - TARGET)))
        V = beta2 * V + (1 - beta2) * e * e
        path.append(min(max(path[-1] + lr * M / (1 - beta1**n), 0.0), 1.0))
    return pytest.approx(path, abs=1e-12)


def adam(outcomes, lr, beta1, beta2):
    M = V = 0.0
    path = [0.5]
    for n, won in enumerate(outcomes, 1):
        e = won - TARGET
        M, V = beta1 * M + (1 - beta1) * e, beta2 * V + (1 - beta2) * e * e
        step = M / (1 - beta1**n) / (math.sqrt(V / (1 - beta2**n)) + 1e-8)
        path.append(min(max(path[-1] + lr * step, 0.0), 1.0))
    return pytest.approx(path, abs=1e-12)


def test_dual_steps_by_the_squares_before_and_gradient_by_adam():
    assert path_of(dual, dual.Options(), WON) == by_squares_before(WON, 0.01, 0.5, 0.9)
    assert path_of(gradient, gradient.Options(method=5.0, gain=0.01, schedule=0.0), WON) == adam(WON, 0.01, 0.5, 0.9)


def moves(method, errors, beta1=0.6, beta2=0.8):
    """What each method makes of the errors, as in its paper; momentum with dampening 1 - beta1."""
    found, m, v = [], 0.0, 0.0
    for e in errors:
        if method == "lion":
            found.append(math.copysign(1.0, beta1 * m + (1 - beta1) * e))
            m = beta2 * m + (1 - beta2) * e
            continue
        m = beta1 * m + (1 - beta1) * e
        v = v + e * e if method == "adagrad" else beta2 * v + (1 - beta2) * e * e
        found.append(
            {
                "sgd": e,
                "momentum": m,
                "nesterov": beta1 * m + (1 - beta1) * e,
                "adagrad": e / (math.sqrt(v) + 1e-8),
                "rmsprop": e / (math.sqrt(v) + 1e-8),
            }[method]
        )
    return found


@pytest.mark.parametrize(
    ("method", "number"),
    [("sgd", 0.0), ("momentum", 1.0), ("nesterov", 2.0), ("adagrad", 3.0), ("rmsprop", 4.0), ("lion", 6.0)],
)
def test_gradient_methods_are_those_of_their_papers(method, number):
    options = gradient.Options(
        method=number, gain=0.02, schedule=0.0, beta1=0.6, beta2=0.8, decay=0.3, prior=0.2, clip=0.5
    )
    path = [0.5]
    for move in moves(method, [min(max(won - TARGET, -0.5), 0.5) for won in WON]):
        path.append(min(max(path[-1] + 0.02 * (move - 0.3 * (path[-1] - 0.2)), 0.0), 1.0))
    assert path_of(gradient, options, WON) == pytest.approx(path, abs=1e-12)


def test_the_gain_of_gradient_follows_every_schedule():
    seen = {}
    for number in range(10):
        options = gradient.Options(gain=0.1, schedule=float(number), length=61.0)
        path = path_of(gradient, options, [True, False] * 40, target=0.5)
        gains = [abs(b - a) / 0.5 for a, b in itertools.pairwise(path)]
        assert max(gains) == pytest.approx(0.1, rel=0.05)
        assert gains[-1] == pytest.approx(0.1 if number == 0 else 0.1 * options.last)
        seen[number] = tuple(round(g, 9) for g in gains)
    assert len(set(seen.values())) == 10


def test_plateau_cuts_the_gain_only_when_windows_get_no_better():
    options = plateau.Options(gain=0.1, patience=4.0, factor=0.5, floor=0.03)
    state = plateau.start(options, 0.5)
    gains = []
    for window in ((1, 1, 1, 1), (1, 1, 1, 0), (1, 1, 1, 0), (1, 1, 0, 0), (1, 1, 1, 1), (0, 0, 0, 0)):
        for won in window:
            state = plateau.tell(options, state, observed(0.5, won, target=0.5))
        gains.append(state.gain)
    assert gains == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.03, 0.03])  # mean errors .5 .25 .25 0 .5 .5


def test_plateau_lets_down_who_gets_no_further():
    options = plateau.Options(gain=0.0, cut=1.0, patience=3.0, factor=0.5, floor=0.2)
    state = plateau.start(options, 0.5)
    path = []
    for won, progress in ((0, 0.3), (0, 0.5), (0, 0.5), (0, 0.4), (0, 0.1), (1, 1.0), *[(0, 0.0)] * 9):
        state = plateau.tell(options, state, observed(0.5, won, progress, 0.5))
        path.append(state.difficulty)
    # Three attempts after the best one without a better: cut. The win begins anew, and so does every cut.
    assert path == pytest.approx([0.5] * 4 + [0.25] * 4 + [0.2] * 7)


def test_entropy_is_held_at_that_of_the_target():
    for p in (0.1, 0.35, 0.55, 0.8):
        bits = -p * math.log2(p) - (1 - p) * math.log2(1 - p)
        assert entropy.predictability(p) == pytest.approx(math.copysign(math.sqrt(1 - bits), p - 0.5), abs=1e-9)
    options = entropy.Options()
    state = entropy.start(options, TARGET)
    assert entropy.ask(options, state, Situation(TARGET, 0, 0, 0, 1.0)) == pytest.approx(0.5)
    odds, E = 1.0, 0.0
    for won in WON:
        state = entropy.tell(options, state, observed(0.5, won))
        estimate = TARGET + (E if abs(E) > 1e-3 else 1e-3)
        slope = (entropy.predictability(estimate) - entropy.predictability(TARGET)) / (estimate - TARGET)
        odds *= math.exp(options.gain * slope * (won - TARGET))
        E += options.memory * (won - TARGET - E)
        assert entropy.ask(options, state, Situation(TARGET, 0, 0, 0, 1.0)) == pytest.approx(
            (odds / (1 + odds) - 1 / 21) / (1 - 2 / 21)
        )
    assert state.excess == pytest.approx(E)


def test_entropy_has_a_slope_at_the_ends_of_the_scale():
    for target in (1e-6, 0.001, 0.5, 0.999, 0.999999):
        for excess in (-target, -1e-9, 0.0, 1e-9, 1.0 - target):
            assert 0.0 < entropy.steepness(target, excess) < 1e6


@cache
def settled_chances_of(module):
    """(options, target, out): mean true win probability of each player over attempts 101 to 500."""
    start, ask, tell = module.start, module.ask, module.tell

    def settled_chances(options, target, out):
        for player in range(len(out)):
            state = start(options, target)
            out[player] = 0.0
            for t in range(500):
                place = ask(options, state, Situation(target, t, 0, 0, 1.0))
                p = logistic(10.0 * (0.6 - place))
                won = 1.0 if uniform(key_of(94, 0, CHANCE, player, t), 0) < p else 0.0
                state = tell(options, state, Observation(place, won, won, won, target, 0.0, 1.0, 1.0))
                if t >= 100:
                    out[player] += p / 400.0

    return compiled(settled_chances)


@pytest.mark.parametrize("module", [entropy, dual], ids=["entropy", "dual"])
@pytest.mark.parametrize("target", [0.1, 0.3, 0.55, 0.75, 0.9, 0.95])
def test_rules_that_scale_their_steps_hold_the_target(module, target):
    """Within .005; 4,000 players have a standard error below .0004."""
    chances = np.empty(4000)
    settled_chances_of(module)(module.Options(), target, chances)
    error = chances.std(ddof=1) / math.sqrt(len(chances))
    assert abs(chances.mean() - target) < 0.005 + 4.0 * error


def test_hypergradient_lengthens_agreeing_steps_and_shortens_alternating_ones():
    options = hypergradient.Options(gain=0.05, hyper=0.5)
    for outcomes, grows in (([True] * 10, True), ([True, False] * 5, False)):
        state = hypergradient.start(options, 0.5)
        for won in outcomes:
            state = hypergradient.tell(options, state, observed(0.5, won, target=0.5))
        # Nine pairs; errors of one half: a factor of 1 +- 0.5 / 4 each.
        assert state.gain == pytest.approx(min(max(0.05 * (1.125 if grows else 0.875) ** 9, 0.01), 0.15))


# --- Several outcomes in one step


def test_the_gain_scales_with_outcomes_up_to_where_that_stops():
    assert gain.gain_for(0.01, 1.0, 1.0) == 0.01
    assert gain.gain_for(0.01, 16.0, 0.0) == 0.01
    assert gain.gain_for(0.01, 16.0, 0.5) == pytest.approx(0.04)
    assert gain.gain_for(0.01, 16.0, 1.0) == pytest.approx(0.16)
    assert gain.gain_for(0.01, 1000.0, 1.0) == gain.LARGEST_GAIN
    assert gain.gain_for(0.5, 20.0, 1.0) == 0.5


SCALED = (weighted_up_down, robbins_monro, kesten, staircase, elo, pid, dual, plateau, entropy, gradient, hypergradient)


@pytest.mark.parametrize("module", SCALED, ids=[module.CONTROLLER.name for module in SCALED])
def test_every_gain_rule_can_scale_and_does_not_by_default(module):
    options = module.Options()
    plain = path_of(module, options, MEANS[:5])
    assert path_of(module, options, MEANS[:5], weight=20.0) == plain
    assert path_of(module, options._replace(scaling=1.0), MEANS[:5]) == plain
    scaled = path_of(module, options._replace(scaling=0.5), MEANS[:5], weight=20.0)
    assert abs(scaled[1] - scaled[0]) >= abs(plain[1] - plain[0])
    assert scaled != plain


def steady_error(step, scaling, members=20, steps=400, shared=60):
    """Mean squared error of the true win probability of shared dials, after a first half to settle."""
    options = weighted_up_down.Options(step=step, scaling=scaling)
    total = 0.0
    for dial in range(shared):
        state = weighted_up_down.start(options, TARGET)
        for t in range(steps):
            p = 0.02 + 0.96 * logistic(8.0 * (0.5 - state.difficulty))
            key = key_of(92, 0, CHANCE, dial, t)
            share = sum(uniform(key, i) < p for i in range(members)) / members
            state = weighted_up_down.tell(options, state, observed(state.difficulty, share, weight=float(members)))
            total += (p - TARGET) ** 2 if t >= steps // 2 else 0.0
    return math.sqrt(total / (shared * (steps - steps // 2)))


@pytest.mark.thorough
def test_noise_of_a_shared_dial_is_what_theory_says_with_and_without_scaling():
    c = (TARGET - 0.02) / 0.96
    b = 0.96 * 8.0 * c * (1.0 - c)
    for scaling, g in ((0.0, 0.02), (0.5, 0.02 * math.sqrt(20.0))):
        expected = math.sqrt(g * b * TARGET * (1.0 - TARGET) / (20.0 * (2.0 - g * b)))
        # About 60 x 200 / (2 / (g b)) independent squares: a standard error of 5 % at most, and the curve's bend.
        assert steady_error(0.02, scaling) == pytest.approx(expected, rel=0.15)


# --- Graded progress


def graded_world(module, options, seed, players=150, attempts=300):
    """Mean of true p, and of its squared error, over attempts 21 on of each player.

    Progress tells how near a loss was to a win.
    """
    means, squares = [], []
    for player in range(players):
        skill = 0.5 + 0.12 * standard_normal(words(key_of(seed, 0, TRAITS, player, 0), 0)[0])
        state = module.start(options, TARGET)
        total = square = 0.0
        for t in range(attempts):
            d = module.ask(options, state, Situation(TARGET, t, 0, 0, 1.0))
            p = logistic(8.0 * (skill - d))
            u = uniform(key_of(seed, 0, CHANCE, player, t), 0)
            margin = 8.0 * (skill - d) - math.log(u / (1.0 - u)) if u > 0.0 else 10.0
            won = margin > 0.0
            state = module.tell(options, state, observed(d, won, 1.0 if won else exp(0.7 * margin)))
            if t >= 20:
                total += p
                square += (p - TARGET) ** 2
        means.append(total / (attempts - 20))
        squares.append(square / (attempts - 20))
    return means, squares


def paired(ones, others):
    """Mean difference of the same players, and its standard error."""
    differences = [one - other for one, other in zip(ones, others, strict=True)]
    mean = math.fsum(differences) / len(differences)
    spread = math.fsum((difference - mean) ** 2 for difference in differences) / (len(differences) - 1.0)
    return mean, math.sqrt(spread / len(differences))


GRADED = {
    "robbins_monro": (robbins_monro, robbins_monro.Options()),
    "pid": (pid, pid.Options()),
    "plateau": (plateau, plateau.Options()),
    "gradient": (gradient, gradient.Options(schedule=0.0, gain=0.03)),
}


@pytest.mark.parametrize(("module", "options"), GRADED.values(), ids=list(GRADED))
def test_graded_progress_keeps_the_target_and_lowers_the_error(module, options):
    bare_means, bare_squares = graded_world(module, options, 93)
    means, squares = graded_world(module, options._replace(progress=1.0), 93)
    moved, error = paired(means, bare_means)
    assert abs(moved) < 4.0 * error
    gained, error = paired(bare_squares, squares)
    assert gained > 4.0 * error
    off, error = paired(means, [TARGET] * len(means))
    assert abs(off) < 4.0 * error


# --- The evolution strategy

PLAN = evolution_strategy.prepare(evolution_strategy.Options(), brief_for("player"))


def children_of(plan, state):
    """Difficulty and step size of each child."""
    return [evolution_strategy.born(plan, state, i) for i in range(len(state.played))]


def test_children_are_tried_in_turn_and_the_best_have_offspring():
    plan = PLAN._replace(children=4.0, parents=2.0, trials=3.0)
    state = evolution_strategy.start(plan, TARGET)
    places, sigmas = (np.array(column) for column in zip(*children_of(plan, state), strict=True))
    tried = []
    for attempt in range(12):
        asked = evolution_strategy.ask(plan, state, Situation(TARGET, attempt, 0, 0, 1.0))
        tried.append(int(abs(places - asked).argmin()))
        assert state.generation == 0.0
        # The children 1 and 3 win two of three, nearest to the target; 0 loses and 2 wins all.
        won = {0: False, 1: attempt < 8, 2: True, 3: attempt < 8}[tried[-1]]
        state = evolution_strategy.tell(plan, state, observed(asked, won))
    assert sorted(tried) == sorted([0, 1, 2, 3] * 3)
    assert state.generation == 1.0
    assert state.difficulty == pytest.approx((places[1] + places[3]) / 2.0)
    assert state.sigma == pytest.approx(math.sqrt(sigmas[1] * sigmas[3]))


def test_an_outcome_of_an_earlier_generation_is_nobodys():
    state = evolution_strategy.start(PLAN, TARGET)
    after = evolution_strategy.tell(PLAN, state, observed(0.123456, True))
    assert after.played.sum() == 0.0
    assert children_of(PLAN, after) == children_of(PLAN, state)


def test_its_luck_has_an_address():
    state = evolution_strategy.start(PLAN, TARGET)
    first = children_of(PLAN, state)
    assert first == children_of(PLAN, evolution_strategy.start(PLAN, TARGET))
    for plan, other in (
        (PLAN._replace(seed_low=PLAN.seed_low + 1.0), state),
        (PLAN._replace(stream=PLAN.stream + 16.0), state),
        (PLAN, state._replace(unit=1.0)),
        (PLAN, state._replace(generation=1.0)),
    ):
        assert not {child.difficulty for child in first} & {child.difficulty for child in children_of(plan, other)}


def test_children_stay_within_floor_and_ceiling():
    plan = PLAN._replace(sigma=0.3, children=32.0, start=0.95)
    places = [child.difficulty for child in children_of(plan, evolution_strategy.start(plan, TARGET))]
    assert (plan.lowest, plan.highest) == (0.05, 0.95)
    assert max(places) == 0.95
    assert min(places) >= 0.05
    narrow = evolution_strategy.prepare(evolution_strategy.Options(), brief_for("player")._replace(ceiling=0.2))
    assert narrow.start == 0.2
