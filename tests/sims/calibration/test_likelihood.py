"""The kernel against a slow twin of plain sums, and its slopes and bends against differences."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from sims.calibration.fit import fit
from sims.calibration.histories import Plays, histories_of
from sims.calibration.likelihood.likelihood_sums import LikelihoodSums, grids_of
from tests.kit.plays import Truth, planted


def plays_of(p, *, quits=True, campaign=True):
    """Planted players as a file would tell them."""
    return Plays(
        tuple(str(i + 1) for i in range(len(p.difficulty))),
        p.player.astype(np.int64),
        p.level.astype(np.int64),
        p.won.astype(np.int8),
        p.order.astype(np.int64),
        p.place.astype(np.int64),
        p.quit.astype(np.int8) if quits else None,
        np.ones(len(p.player), np.int8) if quits else None,
        campaign=campaign,
    )


SMALL = histories_of(plays_of(planted(40, Truth(levels=4, seed=8), most=12)))


def point_of(histories, joint):
    start = np.linspace(-1.0, 0.6, len(histories.levels))
    rest = [0.3, 0.1, -0.2] + ([-2.5, 0.3, 0.2, 0.1, -0.4] if joint else [])
    return np.concatenate((start, rest))


def naive(histories, point, joint):
    """The same integral on a grid of 400 x 400 nodes, with a logarithm for each attempt."""
    levels = len(histories.levels)
    nodes = np.linspace(-7.0, 7.0, 400)
    step = nodes[1] - nodes[0]
    x, y = np.meshgrid(nodes, nodes, indexing="ij")
    rho = math.tanh(point[-1]) if joint else 0.0
    density = np.exp(-(x * x - 2 * rho * x * y + y * y) / (2 * (1 - rho**2))) / (2 * math.pi * math.sqrt(1 - rho**2))
    total = 0.0
    for a, b in zip(histories.starts, histories.starts[1:], strict=False):
        wins, stays = np.zeros(len(nodes)), np.zeros(len(nodes))
        for r in range(a, b):
            logit = histories.features[r] @ point[levels : levels + 2] - point[histories.level[r]]
            logit = logit + math.exp(point[levels + 2]) * nodes
            wins += np.where(histories.won[r] == 1, -np.log1p(np.exp(-logit)), -np.log1p(np.exp(logit)))
            if joint and histories.risk[r]:
                pull = histories.reasons[r] @ point[levels + 3 : levels + 6] + math.exp(point[-2]) * nodes
                stays += np.where(histories.quits[r] == 1, -np.log1p(np.exp(-pull)), -np.log1p(np.exp(pull)))
        total += math.log(float((np.exp(wins[:, None] + stays[None, :]) * density).sum()) * step * step)
    return total


@pytest.mark.parametrize("joint", [False, True])
def test_the_kernel_is_the_integral(joint):
    point = point_of(SMALL, joint)
    found = LikelihoodSums(SMALL, joint=joint, sd=1.0).evaluate(point).value
    assert found == pytest.approx(naive(SMALL, point, joint), abs=0.02)  # 40 players, nodes end at 4.2 sd


@pytest.mark.parametrize("joint", [False, True])
def test_slopes_and_bends_are_those_of_the_value(joint):
    point = point_of(SMALL, joint)
    work = LikelihoodSums(SMALL, joint=joint, sd=1.0)
    _, gradient, bend = work.evaluate(point)
    size = len(point)
    for j in range(size):
        step = np.zeros(size)
        step[j] = 1e-5
        up, down = work.evaluate(point + step), work.evaluate(point - step)
        assert (up[0] - down[0]) / 2e-5 == pytest.approx(gradient[j], abs=2e-5)
        assert (up[1] - down[1]) / 2e-5 == pytest.approx(bend[j], abs=2e-4)


def test_threads_and_the_order_of_rows_change_no_bit():
    p = planted(300, Truth(levels=6, seed=4))
    plays = plays_of(p)
    mixed = np.random.default_rng(5).permutation(len(p.player))
    renamed = np.random.default_rng(6).permutation(10_000)
    names = ("level", "won", "order", "place", "gone", "closed")
    other = replace(plays, player=renamed[plays.player[mixed]], **{name: getattr(plays, name)[mixed] for name in names})
    one, two = fit(histories_of(plays)), fit(histories_of(other), threads=3)
    assert one.point.tobytes() == two.point.tobytes()
    assert one.covariance.tobytes() == two.covariance.tobytes()
    assert (histories_of(plays).fold == histories_of(other).fold).all()


def test_players_with_many_attempts_get_a_finer_grid():
    few, many = grids_of(np.array([5, 2_000]), 1.0)
    assert few < 40 < 120 < many


def test_a_finer_grid_moves_estimates_by_a_fiftieth_of_their_error_at_most(monkeypatch):
    import sims.calibration.likelihood.likelihood_sums as module

    histories = histories_of(plays_of(planted(60, Truth(levels=3, seed=2), most=150, campaign=False), campaign=False))
    usual = fit(histories)
    monkeypatch.setattr(module, "GRIDS", (601,))
    monkeypatch.setattr(module, "QUIT_NODES", 301)
    fine = fit(histories)
    error = np.sqrt(np.diag(fine.covariance))[fine.free]
    assert np.max(np.abs(usual.point - fine.point)[fine.free] / error) < 0.02
