"""Every search method keeps the contract, on search spaces of all kinds of knobs, and the better ones beat chance."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmarks.tuning_problem import TuningProblem
from engine.errors import EnvironmentFault, ScenarioError
from sims.tuning.search import optuna_search
from sims.tuning.search.cat_cma import CatCma
from sims.tuning.search.cma_search import CmaSearch, next_attempts, rank_correlation
from sims.tuning.search.counts import Segment, Tell, scales_of
from sims.tuning.search.grid_search import GridSearch
from sims.tuning.search.methods import METHODS, begin_search
from sims.tuning.search.scoreboard import Scoreboard, losses_of, standard_errors
from sims.tuning.search.search_space import Point, SearchSpace
from tests.kit.places import ROOT

pytestmark = pytest.mark.thorough

BUDGETS = {"pooled": 6_000, "gp": 6_000}  # they take more time than the others, and fewer attempts
USUAL_BUDGET = 25_000
NEEDS = {"tpe": ("optuna",), "gp": ("optuna", "torch")}
SEGMENTS = (Segment("new", 0, 0, 0.45, 0.55), Segment("old", 1, 0, 0.75, 0.85))
SPACES = {
    "one float": SearchSpace(("a",), (0,), (False,)),
    "one whole number": SearchSpace(("a",), (7,), (False,)),
    "one choice": SearchSpace(("a",), (3,), (True,)),
    "of two values each": SearchSpace(("a", "b", "c"), (2, 2, 2), (False, True, False)),
    "all kinds": SearchSpace(("a", "b", "c", "d"), (0, 3, 12, 4), (False, False, False, True)),
}


def begun(name, space, segments, seed, budget, start=None):
    for package in NEEDS.get(name, ()):
        pytest.importorskip(package)
    return begin_search(name, space, segments, seed, budget, start)


def played(asks, chances, seed=1):
    """Tells of asks; chances of a point give the win rate of each segment; block and segment name the dice."""
    tells = []
    for ask in asks:
        dice = [np.random.Generator(np.random.Philox(key=[seed, 9], counter=[0, 0, k, ask.block])) for k in (0, 1)]
        wins = (int(d.binomial(n, p)) for d, n, p in zip(dice, ask.attempts, chances(ask.point), strict=True))
        tells.append(Tell(ask.point, ask.attempts, tuple(wins), ask.block))
    return tells


def slope(point):
    """Win rates that fall with every knob."""
    odds = 3.0 - 5.0 * sum(point) / len(point)
    return [1.0 / (1.0 + math.exp(-odds)), 1.0 / (1.0 + math.exp(-odds - 1.4))]


def study(search, budget, play):
    """All tells of a search that spends a budget."""
    tells = []
    while asks := search.ask(budget):
        cost = sum(sum(ask.attempts) for ask in asks)
        assert cost <= budget
        budget -= cost
        found = play(asks)
        search.tell(found)
        tells += found
    return tells


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("kind", SPACES)
def test_a_method_keeps_its_contract(name, kind):
    space, budget = SPACES[kind], BUDGETS.get(name, USUAL_BUDGET)
    start = tuple(space.snap(np.full(space.size, 0.1))[0].tolist())
    search = begun(name, space, SEGMENTS, 3, budget, start)
    assert search.finalists(4) == [start]
    tells = study(search, budget, lambda asks: played(asks, slope))
    assert tells[0].point == start
    assert len({(tell.point, tell.block) for tell in tells}) == len(tells), "the same dice were played twice"
    assert {len(tell.attempts) for tell in tells} == {len(SEGMENTS)}
    assert min(min(tell.attempts) for tell in tells) >= 2
    certain = getattr(search, "certain", "")  # pooled stops when it is sure of its answer
    assert certain or sum(sum(tell.attempts) for tell in tells) > 0.8 * budget
    finalists = search.finalists(4)
    assert 1 <= len(finalists) <= 4
    assert len(set(finalists)) == len(finalists)
    for point in [tell.point for tell in tells] + finalists:
        assert len(point) == space.size
        assert point == tuple(space.snap(point)[0].tolist())


@pytest.mark.parametrize("name", [name for name in METHODS if name != "pooled"])  # it draws what it weighs
def test_naming_finalists_changes_nothing(name):
    """Whoever watches a study may ask for its best so far at any time."""
    space = SPACES["all kinds"]
    watched, alone = (begun(name, space, SEGMENTS, 3, USUAL_BUDGET) for _ in range(2))
    for _ in range(4):
        asks = watched.ask(USUAL_BUDGET)
        assert list(alone.ask(USUAL_BUDGET)) == list(asks)
        tells = played(asks, slope)
        for search in (watched, alone):
            search.tell(tells)
        assert watched.finalists(3)[:1] == watched.finalists(1)
    assert watched.finalists(8) == alone.finalists(8)


@pytest.mark.parametrize("name", METHODS)
def test_after_the_same_tells_a_method_asks_the_same(name):
    problem, budget = TuningProblem(3, seed=5), BUDGETS.get(name, USUAL_BUDGET)
    first = begun(name, problem.search_space, problem.segments, 11, budget)
    asked = []
    left = budget
    while asks := first.ask(left):
        tells = problem.play(asks)
        first.tell(tells)
        asked.append((left, asks, tells))
        left -= sum(sum(ask.attempts) for ask in asks)
    assert len(asked) > 1
    again = begun(name, problem.search_space, problem.segments, 11, budget)
    for before, asks, tells in asked:
        assert list(again.ask(before)) == list(asks)
        again.tell(tells)
    assert list(again.ask(left)) == []
    assert again.finalists(8) == first.finalists(8)
    other = begun(name, problem.search_space, problem.segments, 12, budget)
    assert list(other.ask(budget)) != list(asked[0][1])


@pytest.mark.parametrize("name", METHODS)
def test_a_method_never_asks_for_more_than_is_left(name):
    space = SPACES["all kinds"]
    search = begun(name, space, SEGMENTS, 3, 30_000)
    for left in (30_000, 1_999, 700, 12_345, 201, 57, 8, 3, 1, 0):
        asks = search.ask(left)
        assert sum(sum(ask.attempts) for ask in asks) <= left
        if asks:
            search.tell(played(asks, slope))
    assert list(search.ask(0)) == []


@pytest.mark.parametrize("name", METHODS)
def test_attempts_that_fail_are_no_evidence_and_do_no_harm(name):
    """Of a point with no attempts nothing is known: it is never preferred, and nothing becomes infinite."""
    space, budget = SPACES["all kinds"], BUDGETS.get(name, USUAL_BUDGET)
    search = begun(name, space, SEGMENTS, 3, budget)
    number: dict[Point, int] = {}  # of each point, by its first ask

    def play(asks):
        tells = played(asks, slope)
        for i, tell in enumerate(tells):
            if number.setdefault(tell.point, len(number)) % 3 == 1:
                tells[i] = tell._replace(attempts=(tell.attempts[0], 0), wins=(tell.wins[0], 0))
        return tells

    study(search, budget, play)
    assert len(number) > 6
    assert number.get(search.finalists(1)[0], 0) % 3 != 1  # a point that was never played is none of these
    assert all(np.isfinite(point).all() for point in search.finalists(8))


@pytest.mark.parametrize("name", METHODS)
def test_nothing_but_failed_attempts_does_no_harm(name):
    budget = BUDGETS.get(name, USUAL_BUDGET)
    search = begun(name, SPACES["all kinds"], SEGMENTS, 3, budget)
    tells = study(search, budget, lambda asks: [Tell(ask.point, (0, 0), (0, 0), ask.block) for ask in asks])
    assert search.finalists(3)
    assert len(tells) > 1


# --- Better than chance


def true_error(name, problem, seed, budget):
    search = begun(name, problem.search_space, problem.segments, seed, budget)
    study(search, budget, problem.play)
    return problem.error(search.finalists(1)[0])


@pytest.mark.parametrize(("name", "problems", "least", "budget"), [("pooled", 5, 5, 6_000), ("cma_es", 20, 16, 25_000)])
def test_a_method_that_learns_beats_random_search(name, problems, least, budget):
    """8 knobs. By chance alone it would do so often in 3 % and in 0.6 % of all tests."""
    wins = 0
    for seed in range(problems):
        problem = TuningProblem(8, seed)
        wins += true_error(name, problem, seed, budget) < true_error("random", problem, seed, budget)
    assert wins >= least


@pytest.mark.parametrize("name", METHODS)
def test_the_first_finalist_is_better_than_most_of_what_was_played(name):
    budget = BUDGETS.get(name, 10_000)
    for seed in range(4):
        problem = TuningProblem(3, seed)
        search = begun(name, problem.search_space, problem.segments, seed, budget)
        points = {tell.point for tell in study(search, budget, problem.play)}
        errors = [problem.error(point) for point in points]
        assert problem.error(search.finalists(1)[0]) < np.median(errors)


# --- Scoreboard


def test_the_scoreboard_ranks_by_what_is_sure_and_puts_the_unknown_last():
    board = Scoreboard(SPACES["one float"], SEGMENTS, None)
    assert board.best(3) == [(0.5,)]
    board.add([Tell((0.1,), (100, 1), (50, 1), 0), Tell((0.2,), (100, 100), (10, 80), 1)])
    board.add([Tell((0.3,), (100, 100), (50, 82), 2), Tell((0.4,), (100, 100), (57, 80), 3)])
    board.add([Tell((0.6,), (10, 10), (5, 8), 4)])  # on target, perhaps by luck
    assert board.best(8) == [(0.3,), (0.4,), (0.6,), (0.2,), (0.1,)]
    board.add([Tell((0.1,), (100, 199), (50, 159), 5)])  # on target with twice the attempts of any other
    assert board.best(2) == [(0.1,), (0.3,)]


def test_a_loss_without_attempts_is_worse_than_any_other():
    targets = np.array([0.5, 0.8])
    found = losses_of(np.array([[2, 2], [1, 2], [0, 0]]), np.array([[0, 0], [1, 2], [0, 0]]), targets)
    assert found.tolist() == pytest.approx([0.25 + 0.64, 2.0, 2.0])


def test_standard_errors_of_losses_are_those_of_repetition():
    """Away from the targets within four of its own standard errors, 1 / sqrt(2 x 20,000); on them cautious."""
    dice = np.random.Generator(np.random.Philox(8))
    targets, attempts = np.array([0.5, 0.8]), np.tile([200, 400], (20_000, 1))

    def ratio(chances):
        wins = dice.binomial(attempts, chances)
        told = math.sqrt((standard_errors(attempts, wins, targets) ** 2).mean())
        return told / losses_of(attempts, wins, targets).std()

    assert ratio([0.35, 0.7]) == pytest.approx(1.0, abs=4.0 / math.sqrt(40_000.0))
    assert 1.5 < ratio([0.5, 0.8]) < math.sqrt(3.0)


def test_a_distance_counts_as_a_part_of_its_tolerance():
    narrow, wide = Segment("narrow", 0, 0, 0.48, 0.52), Segment("wide", 1, 0, 0.7, 0.9)
    scales = scales_of([narrow, wide])
    assert scales.tolist() == [1.0, 0.2]
    counts = np.array([[100, 100]]), np.array([[60, 90]])
    noise = np.array([0.24, 0.09]) / 99
    parts = [(0.1**2 - noise[0]), (0.1**2 - noise[1]) * 0.2**2]
    assert losses_of(*counts, np.array([0.5, 0.8]), scales).tolist() == pytest.approx([sum(parts)])
    alone = counts[0][:, 1:], counts[1][:, 1:], np.array([0.8])
    assert standard_errors(*alone, scales[1:]) == pytest.approx(0.2**2 * standard_errors(*alone))


def test_bands_that_are_equally_wide_count_the_same_to_the_last_digit():
    bands = [Segment(str(k), k, 0, middle - 0.01, middle + 0.01) for k, middle in enumerate(np.linspace(0.1, 0.9, 99))]
    assert len({band.tolerance for band in bands}) > 1  # as floating-point numbers
    assert set(scales_of(bands).tolist()) == {1.0}


# --- Grid


def test_a_grid_plays_every_combination_once_with_even_shares():
    space = SearchSpace(("a", "b", "c"), (0, 2, 3), (False, False, True))
    search = GridSearch(space, SEGMENTS, 1, 10_000)
    tells = study(search, 10_000, lambda asks: played(asks, slope))
    numbers = 10_000 // (200 * 6)  # of a float, with 100 attempts a segment: 8
    floats = [(i + 0.5) / numbers for i in range(numbers)]
    wanted = set(product(floats, (0.25, 0.75), (0.5 / 3, 1.5 / 3, 2.5 / 3)))
    assert {tuple(round(u, 9) for u in tell.point) for tell in tells} == {
        tuple(round(u, 9) for u in point) for point in wanted
    }
    assert len(tells) == len(wanted)
    assert {tell.attempts for tell in tells} == {(10_000 // 48 // 2,) * 2}
    assert [tell.point for tell in tells] != sorted(tell.point for tell in tells)


def test_a_grid_of_few_values_has_them_all_and_the_attempts_go_to_them():
    search = GridSearch(SPACES["one whole number"], SEGMENTS, 1, 70_000)
    tells = study(search, 70_000, lambda asks: played(asks, slope))
    assert sorted(tell.point[0] for tell in tells) == pytest.approx([(i + 0.5) / 7 for i in range(7)])
    assert {tell.attempts for tell in tells} == {(5_000, 5_000)}


@pytest.mark.parametrize(
    ("levels", "budget", "start", "needs", "allows", "remedy"),
    [
        ((0,) * 10, 20_000, None, "59,049", "100", "lock all but 4 knobs"),
        ((0,) * 4, 1_000, (0.5,) * 4, "81", "4", "lock all but 1 knob"),
        ((0, 9), 599, None, "9", "2", "raise the budget of the search to 1,800 attempts"),
    ],
)
def test_a_grid_that_explodes_is_refused(levels, budget, start, needs, allows, remedy):
    space = SearchSpace(tuple(f"k{j}" for j in range(len(levels))), levels, (False,) * len(levels))
    with pytest.raises(ScenarioError) as refused:
        GridSearch(space, SEGMENTS, 1, budget, start)
    assert str(refused.value) == (
        f"the smallest grid, 3 values of each number and every value of a choice, needs {needs} settings x 200 "
        f"attempts, but the budget allows {allows} settings: use method pooled, or {remedy}"
    )


def test_what_a_refusal_proposes_is_not_refused():
    space = SearchSpace(("a", "b", "c", "d"), (0,) * 4, (False,) * 4)
    GridSearch(space, SEGMENTS, 1, 81 * 200)
    with pytest.raises(ScenarioError):
        GridSearch(space, SEGMENTS, 1, 81 * 200 - 1)
    with pytest.raises(ScenarioError):
        GridSearch(space, SEGMENTS, 1, 81 * 200, (0.5,) * 4)


# --- CMA-ES


def test_agreement_is_spearman_s_and_ties_alone_say_nothing():
    dice = np.random.Generator(np.random.Philox(4))
    for _ in range(20):
        a, b = dice.integers(0, 6, 12).astype(float), dice.random(12)
        assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert rank_correlation(np.ones(5), np.arange(5.0)) == 0.0


def test_attempts_follow_agreement_within_bounds():
    assert next_attempts(100.0, 0.55) == 100.0
    assert next_attempts(100.0, 0.0) == pytest.approx(100.0 * math.exp(0.35 * 0.55))
    assert next_attempts(100.0, 1.0) == pytest.approx(100.0 * math.exp(-0.35 * 0.45))
    assert next_attempts(4.1, 1.0) == 4.0
    assert next_attempts(19_999.0, -1.0) == 20_000.0


def attempts_by_generation(play, budget):
    search = CmaSearch(SPACES["all kinds"], SEGMENTS, 7, budget)
    found = []
    while asks := search.ask(budget):
        budget -= sum(sum(ask.attempts) for ask in asks)
        found.append(asks[0].attempts[0])
        search.tell(play(asks))
    return found


def test_noise_raises_the_number_of_attempts():
    """Where all points are alike, the halves agree as often as not: a factor of exp(0.35 x 0.55) a generation."""
    found = attempts_by_generation(lambda asks: played(asks, lambda point: [0.5, 0.8]), 200_000)
    assert found[0] == 12
    assert found[12] > 3 * found[0]


def test_clear_differences_lower_the_number_of_attempts():
    def exact(asks):
        return [Tell(ask.point, (10_000,) * 2, (round(10_000 * ask.point[0]), 8_000), ask.block) for ask in asks]

    assert attempts_by_generation(exact, 4_000)[:4] == [12, 10, 9, 7]  # 25, 21.4, 18.2 and 15.6 in two halves


def test_halves_of_a_point_and_generations_share_no_players():
    search = CmaSearch(SPACES["all kinds"], SEGMENTS, 7, 20_000)
    seen: set[int] = set()
    for _ in range(5):
        asks = search.ask(20_000)
        halves = list(zip(asks[::2], asks[1::2], strict=True))
        assert all(a.point == b.point and a.attempts == b.attempts for a, b in halves)
        blocks = [{ask.block for ask in half} for half in zip(*halves, strict=True)]
        assert blocks[0].isdisjoint(blocks[1])
        assert seen.isdisjoint(blocks[0] | blocks[1])
        seen |= blocks[0] | blocks[1]
        search.tell(played(asks, slope))


def test_a_run_that_settles_beside_the_targets_is_followed_by_another():
    """No point of this space is right, and one is least wrong: there the run settles."""
    search = CmaSearch(SPACES["one float"], SEGMENTS, 7, 200_000)
    tells = study(search, 200_000, lambda asks: played(asks, lambda point: [0.7 + 0.5 * (point[0] - 0.3) ** 2, 0.99]))
    places = np.array([tell.point[0] for tell in tells])
    calm = [i for i in range(32, len(places) - 8) if places[i - 32 : i].std() < 0.03]  # four generations
    assert any(np.abs(places[i : i + 8] - places[i - 32 : i].mean()).max() > 0.2 for i in calm)
    assert abs(search.finalists(8)[-1][0] - 0.3) < 0.1  # the mean of the best run


def test_a_run_that_settles_on_the_targets_goes_on_with_more_attempts():
    search = CmaSearch(SPACES["one float"], SEGMENTS, 7, 60_000)
    tells = study(
        search,
        60_000,
        lambda asks: played(asks, lambda point: [max(0.8 - point[0], 0.0), max(1.0 - 2.0 * abs(point[0] - 0.2), 0.0)]),
    )
    assert max(abs(tell.point[0] - 0.3) for tell in tells[-20:]) < 0.1
    assert tells[-20].attempts[0] > 4 * tells[0].attempts[0]


@pytest.mark.parametrize("seed", range(5))
def test_the_strategy_finds_numbers_and_options_together(seed):
    """Exact losses: a planted point among floats, whole numbers and options that stand in no order."""
    space = SearchSpace(tuple("abcdef"), (0, 0, 0, 9, 2, 5), (False,) * 5 + (True,))
    dice = np.random.Generator(np.random.Philox([41, seed]))
    hidden = space.snap(dice.uniform(0.1, 0.9, 6))[0]
    price = dice.permutation(5).astype(float)
    price[space.cells(hidden[None], 5)] = -1.0
    strategy = CatCma(space, np.full(6, 0.5), 0.25, 12, seed + 1)
    for _ in range(150):
        points = np.array(strategy.ask())
        strategy.tell(((points[:, :5] - hidden[:5]) ** 2).sum(axis=1) + 0.01 * price[space.cells(points, 5)])
    assert strategy.mean == pytest.approx(hidden, abs=1e-3)
    assert strategy.width < 1e-2


def test_the_mean_of_a_generation_weighs_its_better_half():
    """Weights ln(6.5 / rank) of the six best of twelve: the option of the two best outvotes that of the next four."""
    space = SearchSpace(("a", "b"), (0, 3), (False, True))
    strategy = CatCma(space, np.full(2, 0.5), 0.1, 12, 1)
    points = np.array(strategy.ask())
    options = space.cells(points, 1)
    first, next_ones = np.flatnonzero(options == 1)[:2], np.flatnonzero(options == 0)[:4]
    better = np.concatenate([first, next_ones])
    assert len(better) == 6
    losses = np.full(12, 9.0)
    losses[better] = np.arange(6)
    strategy.tell(losses)
    weights = np.log(6.5 / np.arange(1, 7))
    assert strategy.mean == pytest.approx((weights @ points[better, 0] / weights.sum(), 0.5))


# --- Optuna


def test_optuna_says_nothing_and_warns_of_nothing(capfd):
    problem = TuningProblem(3, seed=2)
    study(begun("tpe", problem.search_space, problem.segments, 1, 6_000), 6_000, problem.play)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["tpe", "gp"])
def test_a_sampler_goes_where_losses_are_small(name):
    """Exact counts, on target at 0.7 and 0.8: the last 16 of 64 points are nearer than points anywhere would be."""
    space = SearchSpace(("a", "b"), (0, 9), (False, False))
    search = begun(name, space, SEGMENTS, 5, 64 * 200)

    def exact(asks):
        return [
            Tell(ask.point, (10_000,) * 2, (round(3_000 * (ask.point[0] + 0.9667)), round(10_000 * ask.point[1])), 0)
            for ask in asks
        ]

    tells = study(search, 64 * 200, exact)
    away = [math.hypot(tell.point[0] - 0.7, tell.point[1] - 0.8) for tell in tells]
    assert len(tells) == 64
    anywhere = np.random.Generator(np.random.Philox(6)).random((1_000, 2))
    assert np.mean(away[-16:]) < 0.5 * np.hypot(*(anywhere - [0.7, 0.8]).T).mean()


@pytest.mark.parametrize(
    ("method", "missing", "remedy"),
    [
        ("tpe", {"optuna"}, "install flowdial[search]"),
        ("gp", {"optuna", "torch"}, "install flowdial[gp]"),
        ("gp", {"torch"}, "install flowdial[gp]"),
    ],
)
def test_a_missing_package_is_named_with_its_remedy(monkeypatch, method, missing, remedy):
    monkeypatch.setattr(optuna_search, "find_spec", lambda name: None if name in missing else object())
    package = "optuna" if "optuna" in missing else "torch"
    with pytest.raises(EnvironmentFault) as fault:
        begin_search(method, SPACES["all kinds"], SEGMENTS, 1, 1_000)
    assert str(fault.value) == f"method {method} needs the package {package}, which is missing: {remedy}"


# --- Names


def test_the_names_of_the_methods_load_nothing():
    code = (
        "import sys; from sims.tuning.search.methods import METHODS; "
        "print(sorted(set(sys.modules) & {'numpy', 'optuna'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert list(METHODS) == ["pooled", "cma_es", "tpe", "gp", "random", "grid"]
