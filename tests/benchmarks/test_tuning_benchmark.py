"""The tuning problem plays by the win rates that it claims, and the benchmark measures what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.tuning import Case, Result, Row, tuned
from benchmarks.tuning_problem import SHAPES, TuningProblem
from sims.tuning.search.counts import Ask

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("size", SHAPES)
@pytest.mark.parametrize("ripple", [0.0, 0.3])
def test_what_is_played_agrees_with_the_closed_form(size, ripple):
    """Twelve points: all segments within four standard errors of independent attempts; stratified ones have less."""
    problem = TuningProblem(size, seed=3, ripple=ripple)
    points = problem.search_space.snap(np.random.Generator(np.random.Philox([size, 5])).random((12, size)))
    asks = [Ask(tuple(point), (4_000,) * len(problem.segments), i) for i, point in enumerate(points.tolist())]
    seen = np.array([tell.wins for tell in problem.play(asks)]) / 4_000
    rates = problem.rates(points)
    assert (np.abs(seen - rates) < 4.0 * np.sqrt(rates * (1.0 - rates) / 4_000)).all()
    assert rates.std() > 0.1


@pytest.mark.parametrize("size", SHAPES)
def test_the_hidden_point_meets_every_target_and_the_middle_misses_one(size):
    for seed in range(5):
        problem = TuningProblem(size, seed)
        middle = tuple(problem.search_space.snap(np.full(size, 0.5))[0].tolist())
        assert problem.error(problem.hidden) == pytest.approx(0.0, abs=1e-12)
        assert problem.error(middle) > 0.2
        assert [segment.target for segment in problem.segments] == pytest.approx(problem.targets.tolist())


def test_a_block_is_the_same_players_for_every_point():
    problem = TuningProblem(8, seed=4)
    one, other = (tuple(problem.search_space.snap(np.full(8, u))[0].tolist()) for u in (0.4, 0.6))
    tells = problem.play(
        [Ask(one, (50,) * 4, 7), Ask(one, (50,) * 4, 7), Ask(one, (50,) * 4, 8), Ask(other, (9,) * 4, 7)]
    )
    assert tells[0] == tells[1]
    assert tells[0].wins != tells[2].wins
    assert tells[3].attempts == (9,) * 4


def test_the_floor_is_that_of_normal_errors():
    """That of one segment is 0.6745 standard errors; the largest of three is larger, and falls as 1 / sqrt(n)."""
    problem = TuningProblem(3, seed=1)
    spread = math.sqrt(3 * max(t * (1 - t) for t in problem.targets) / 30_000)
    median, far = problem.floor(30_000)
    assert 0.6745 * spread < median < far < 4.0 * spread
    assert problem.floor(120_000)[0] == pytest.approx(median / 2.0)


def test_a_study_of_the_benchmark_keeps_its_budget_and_races_on_fresh_players(monkeypatch):
    played: list[list[Ask]] = []
    play = TuningProblem.play

    def counted(problem, asks):
        played.append(list(asks))
        return play(problem, asks)

    monkeypatch.setattr(TuningProblem, "play", counted)
    result = tuned(Case("random", 3, 25_000, 0.0, 0.0, 1))
    asks = [ask for batch in played for ask in batch]
    assert 20_000 < sum(sum(ask.attempts) for ask in asks) <= 25_000
    raced = [i for i, ask in enumerate(asks) if ask.block >= 10**9]
    assert raced == list(range(raced[0], len(asks))), "the race comes last, on blocks of its own"
    problem = TuningProblem(3, seed=1)
    assert result.error in [problem.error(ask.point) for ask in played[-1]]
    assert tuned(Case("random", 3, 25_000, 0.0, 0.0, 1)).error == result.error


def test_a_row_tells_quartiles_and_share_or_a_refusal():
    errors = [0.004, 0.008, 0.010, 0.012, 0.020]
    row = Row(8, 50_000, "pooled", [Result(error, 1.0 + i) for i, error in enumerate(errors)])
    assert row.text() == "| 8 | 50,000 | pooled | 0.0100 | 0.0080 to 0.0120 | 60% | 3, at most 5 |"
    refused = tuned(Case("grid", 20, 25_000, 0.0, 0.0, 1))
    assert math.isnan(refused.error)
    text = Row(20, 25_000, "grid", [refused]).text()
    assert text.startswith("| 20 | 25,000 | grid | refused: the smallest grid, 3 values")
