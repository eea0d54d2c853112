"""The pooled model, its finder, and the search that is made of them."""

import numpy as np
import pytest
from scipy.special import expit

from benchmarks.tuning_problem import TuningProblem
from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.nearest_points import PointFinder
from sims.tuning.search.pooled import PooledSearch
from sims.tuning.search.pooled_model import Terms, WeightedCounts, fit_model, rates_of
from sims.tuning.search.search_space import SearchSpace

pytestmark = pytest.mark.thorough

SPACE = SearchSpace(("speed", "gap", "lives", "kind"), (0, 0, 5, 3), (False, False, False, True))
PLAIN = SearchSpace(("speed", "gap"), (0, 0), (False, False))


def dice(*key):
    return np.random.Generator(np.random.Philox(key=list(key)))


def told(space, chances, points, attempts, key):
    """Data of independent attempts; chances: points, shape (n, d) -> shape (n, segments)."""
    rates = chances(points)
    counts = np.full(rates.shape, attempts)
    return WeightedCounts(points, counts, dice(key, 7).binomial(counts, rates), np.ones(len(points)))


def slope_only(points):
    return expit(np.stack([1.0 - 2.0 * points[:, 0], 0.5 - 3.0 * points[:, 0]], axis=1))


def test_two_tells_at_one_point_are_one_tell_of_both():
    points = SPACE.snap(dice(2, 1).random((60, 4)))
    data = told(SPACE, slope_only, points, 30, 2)
    more = told(SPACE, slope_only, points, 30, 3)
    terms = Terms(SPACE, np.full(4, 0.5))
    apart = WeightedCounts(
        np.vstack([points, points]),
        np.vstack([data.attempts, more.attempts]),
        np.vstack([data.wins, more.wins]),
        np.ones(120),
    )
    together = WeightedCounts(points, data.attempts + more.attempts, data.wins + more.wins, np.ones(60))
    assert fit_model(terms, apart).beta == pytest.approx(fit_model(terms, together).beta, abs=1e-6)


def test_the_posterior_holds_the_truth():
    inside = seen = 0
    where = SPACE.snap(dice(4, 2).random((20, 4)))
    for key in range(20):
        points = SPACE.snap(dice(key, 5).random((150, 4)))
        model = fit_model(Terms(SPACE, np.full(4, 0.5)), told(SPACE, slope_only, points, 25, key))
        truth = np.log(slope_only(where) / (1.0 - slope_only(where)))
        found = np.log(model.chances(where) / (1.0 - model.chances(where)))
        inside += int((np.abs(found - truth) < 1.96 * model.spread(where)).sum())
        seen += truth.size
    # 20 independent data sets; rates within one are dependent, so the error is taken over data sets, at worst.
    assert inside / seen > 0.95 - 4.0 * np.sqrt(0.95 * 0.05 / 20)


def test_draws_spread_as_the_posterior_says():
    points = PLAIN.snap(dice(6, 1).random((80, 2)))
    model = fit_model(Terms(PLAIN, np.full(2, 0.5)), told(PLAIN, slope_only, points, 25, 6))
    where = PLAIN.snap(dice(6, 3).random((5, 2)))
    phi = model.terms.of(where)
    draw = np.array([phi @ model.draw(dice(6, 100 + i)).T for i in range(400)])
    error = model.spread(where) / np.sqrt(2 * 400)
    assert np.all(np.abs(draw.std(axis=0) - model.spread(where)) < 4.0 * error + 0.02 * model.spread(where))


def test_a_term_that_no_segment_needs_vanishes():
    points = PLAIN.snap(dice(8, 1).random((400, 2)))
    data = told(PLAIN, slope_only, points, 200, 8)
    terms = Terms(PLAIN, np.full(2, 0.5))
    variances = terms.first_variances()
    for _ in range(6):
        variances = fit_model(terms, data, variances).variances
    assert variances[1] > 8.0 * variances[2], "speed acts, gap does not"


def test_newton_finds_where_the_targets_are_met():
    terms = Terms(PLAIN, np.full(2, 0.5))
    beta = np.zeros((2, len(terms.first_variances())))
    beta[0, :3], beta[1, :3] = (0.3, -1.0, 0.2), (0.1, 0.3, -1.2)
    wanted = rates_of(terms.of(np.array([[0.8, 0.3]])), beta)[0]
    finder = PointFinder(PLAIN, wanted, dice(9, 1))
    found = finder.solve(terms, beta[None], finder.pool(np.full((1, 2), 0.5), 200, 0.3), 3)[0]
    assert np.abs(rates_of(terms.of(found), beta) - wanted).max(axis=1).min() < 1e-4


def test_a_pool_can_be_played():
    finder = PointFinder(SPACE, np.array([0.5]), dice(10, 1))
    pool = finder.pool(SPACE.snap([[0.01, 0.99, 0.1, 0.9]]), 500, 0.6, 0.25)
    assert pool.shape == (500, 4)
    assert np.array_equal(pool, SPACE.snap(pool))
    assert len(np.unique(pool[:, 3])) == 3


def searched(problem, budget, seed=3):
    search = PooledSearch(problem.search_space, problem.segments, seed, budget)
    left = budget
    while asks := search.ask(left):
        left -= sum(sum(ask.attempts) for ask in asks)
        search.tell(problem.play(asks))
    return search, left


def test_targets_are_met_with_few_attempts():
    problem = TuningProblem(3, 77)
    search, left = searched(problem, 20_000)
    assert 0 <= left < 25 * 3
    spread = np.sqrt(3 * problem.targets * (1.0 - problem.targets) / 20_000)
    assert problem.error(search.finalists(1)[0]) < 4.0 * spread.max()
    assert search.trust == 1.0


def wide(problem, tolerance, targets=None):
    targets = problem.targets if targets is None else targets
    return tuple(
        one._replace(low=float(t) - tolerance, high=float(t) + tolerance)
        for one, t in zip(problem.segments, targets, strict=True)
    )


def test_it_stops_early_when_the_targets_are_surely_met():
    problem = TuningProblem(3, 77)
    problem.segments = wide(problem, 0.08)
    search, left = searched(problem, 200_000)
    assert search.certain == "met"
    assert left > 100_000
    assert problem.error(search.finalists(1)[0]) < 0.08


class Blunt:
    """Two knobs that move one segment a little, whatever is wanted."""

    def play(self, asks):
        return [
            Tell(
                ask.point,
                ask.attempts,
                tuple(int(dice(13, ask.block).binomial(n, 0.5 + 0.1 * ask.point[0])) for n in ask.attempts),
                ask.block,
            )
            for ask in asks
        ]


def test_it_stops_early_when_a_target_is_surely_out_of_reach():
    search, game, left = PooledSearch(PLAIN, (Segment("all", 0, 0, 0.88, 0.92),), 1, 40_000), Blunt(), 40_000
    while asks := search.ask(left):
        left -= sum(sum(ask.attempts) for ask in asks)
        search.tell(game.play(asks))
    assert search.certain == "unreachable"
    assert left > 20_000


class Corner:
    """One segment whose target lies near a corner of eight knobs, and one that keeps the search away from there."""

    targets = expit(np.array([2.0 * 0.95, 0.3]))

    def play(self, asks):
        tells = []
        for ask in asks:
            rates = expit(2.0 * (1.0 - 2.0 * np.mean(ask.point)) + np.array([0.0, 0.3]))
            wins = dice(14, ask.block).binomial(ask.attempts, rates)
            tells.append(Tell(ask.point, ask.attempts, tuple(wins.tolist()), ask.block))
        return tells


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_only_a_corner_reaches_is_not_called_out_of_reach(seed):
    space = SearchSpace(tuple("abcdefgh"), (0,) * 8, (False,) * 8)
    segments = tuple(Segment(f"s{k}", k, 0, t - 0.02, t + 0.02) for k, t in enumerate(Corner.targets.tolist()))
    search, game, left = PooledSearch(space, segments, seed, 30_000), Corner(), 30_000
    while asks := search.ask(left):
        left -= sum(sum(ask.attempts) for ask in asks)
        search.tell(game.play(asks))
    assert search.certain == ""


class Nonsense:
    """Win rates that no model of knobs can foretell: each point has its own, drawn from its block."""

    def __init__(self):
        self.asked = []

    def play(self, asks):
        self.asked += asks
        tells = []
        for ask in asks:
            rate = float(dice(12, int(1e6 * sum(ask.point))).random())
            wins = tuple(round(rate * n) for n in ask.attempts)
            tells.append(Tell(ask.point, ask.attempts, wins, ask.block))
        return tells


def test_a_model_that_foretells_nothing_gives_way_to_cma_es():
    segments = (Segment("all", 0, 0, 0.7, 0.8),)
    search, game, left = PooledSearch(PLAIN, segments, 1, 40_000), Nonsense(), 40_000
    by_model = 0
    while asks := search.ask(left):
        left -= sum(sum(ask.attempts) for ask in asks)
        by_model += sum(ask.attempts == (25,) for ask in asks) * 25
        search.tell(game.play(asks))
    assert search.trust == 0.0
    assert by_model < 0.5 * 40_000
    blocks = [ask.block for ask in game.asked]
    assert len(set(blocks)) == len(blocks), "who asks has no say in who plays"


def test_what_was_told_decides_what_is_asked():
    problem = TuningProblem(8, 5)
    first, second = (PooledSearch(problem.search_space, problem.segments, 4, 9_000) for _ in range(2))
    for _ in range(4):
        asks = first.ask(9_000)
        assert second.ask(9_000) == asks
        for search in (first, second):
            search.tell(problem.play(asks))
    assert first.finalists(4) == second.finalists(4)


def test_the_problem_tells_its_own_truth():
    problem = TuningProblem(8, 6)
    tells = problem.play([Ask(problem.hidden, (50,) * 4, block) for block in range(200)])
    wins = np.array([tell.wins for tell in tells])
    error = wins.std(axis=0, ddof=1) / 50 / np.sqrt(len(wins))
    assert np.all(np.abs(wins.mean(axis=0) / 50 - problem.targets) < 4.0 * error)
    assert problem.play([Ask(problem.hidden, (50,) * 4, 3)]) == [tells[3]]


def test_a_search_leaves_whole_numbers_with_which_the_targets_can_nearly_be_met():
    seed = 124  # without looking elsewhere, this one stayed 0.05 off to the end
    problem = TuningProblem(8, seed)
    search = PooledSearch(problem.search_space, problem.segments, seed, 60_000)
    left = 60_000
    while asks := search.ask(left):
        left -= sum(sum(ask.attempts) for ask in asks)
        search.tell(problem.play(asks))
    assert problem.error(search.finalists(1)[0]) < 0.0125


def test_all_win_rates_are_made_equally_sure():
    segments = [Segment("even", 0, 0, 0.49, 0.51), Segment("easy", 1, 0, 0.89, 0.91), Segment("sure", 2, 0, 1.0, 1.0)]
    search = PooledSearch(PLAIN, segments, 1, 10_000)
    asks = search.ask(10_000)
    even, easy, sure = asks[0].attempts
    assert len({ask.attempts for ask in asks}) == 1
    assert even + easy + sure == pytest.approx(75, abs=2)
    assert 0.25 / even == pytest.approx(0.09 / easy, rel=0.05)
    assert sure >= 5


def test_asking_for_finalists_changes_nothing_that_is_asked_for():
    problem = TuningProblem(3, 3, ripple=1.0)  # so that CMA-ES asks in between, when no model is needed

    def course(peek):
        search, left = PooledSearch(problem.search_space, problem.segments, 3, 20_000), 6_000
        asked: list[Ask] = []
        while asks := search.ask(left):
            left -= sum(sum(ask.attempts) for ask in asks)
            asked += asks
            if peek:
                search.finalists(3)
            search.tell(problem.play(asks))
            if peek:
                search.finalists(3)
        return asked

    assert course(True) == course(False)


def test_a_wide_band_gives_way_to_a_narrow_one():
    # One knob moves both. In the middle of the wide band the narrow one is missed by far; one end of it meets both.
    segments = [Segment("wide", 0, 0, 0.15, 0.5), Segment("narrow", 1, 0, 0.68, 0.72)]

    def chances(point):
        return expit(np.array([2.0, 3.0]) - 4.0 * point[0])

    search, left, luck = PooledSearch(PLAIN, segments, 1, 20_000), 20_000, dice(14, 1)
    while asks := search.ask(left):
        left -= sum(sum(ask.attempts) for ask in asks)
        search.tell(
            [
                Tell(
                    ask.point, ask.attempts, tuple(luck.binomial(ask.attempts, chances(ask.point)).tolist()), ask.block
                )
                for ask in asks
            ]
        )
    rates = chances(search.finalists(1)[0])
    assert all(one.low < rate < one.high for one, rate in zip(segments, rates, strict=True))
