"""Losses and gains against their true errors, over many samples with fixed seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sims.sweeping.trial_losses import NO_GAIN, Gain, LossGroup, gain_of, loss_of, pooled

SAMPLES, PLAYERS = 2000, 60


def group(rates: np.ndarray, attempts: np.ndarray, target: float | None) -> LossGroup:
    return LossGroup(np.arange(len(rates)), np.stack([rates * attempts, attempts], axis=1), target)


def samples(shift: float, target: float | None, own: float):
    """Pairs of a baseline with a rate of 0.6 and a trial with 0.6 + shift, whose players share most of their luck."""
    dice = np.random.default_rng(20260)
    for _ in range(SAMPLES):
        attempts = dice.integers(20, 60, PLAYERS).astype(float)
        shared = dice.normal(0.6, 0.1, PLAYERS)
        one, two = (shared + dice.normal(0.0, own, PLAYERS) for _ in range(2))
        yield (group(two + shift, attempts, target),), (group(one, attempts, target),)


@pytest.mark.parametrize(("shift", "target"), [(0.05, 0.7), (0.0, 0.7), (0.0, 0.6), (0.05, None), (-0.02, 0.58)])
def test_a_gain_is_right_in_the_mean_and_its_error_is_that_of_the_samples(shift, target):
    gains = [gain_of(trial, usual) for trial, usual in samples(shift, target, 0.05)]
    values = np.array([gain.value for gain in gains])
    true = shift if target is None else (0.6 + shift - target) ** 2 - (0.6 - target) ** 2
    assert abs(values.mean() - true) < 4.0 * values.std() / math.sqrt(SAMPLES)
    error = float(np.mean([gain.error for gain in gains]))
    # a standard deviation of n samples is off by sd / sqrt(2 n); near a target errors may be too large, never too small
    least, most = 1.0 - 4.0 / math.sqrt(2.0 * SAMPLES), 1.2 if target in (None, 0.7) else 1.8
    assert least * values.std() < error < most * values.std()
    inside = np.mean([gain.low <= true <= gain.high for gain in gains])
    assert inside > 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / SAMPLES)


def test_a_squared_loss_is_not_too_large_at_its_target():
    losses = np.array([loss_of(trial).value for trial, _ in samples(0.0, 0.6, 0.05)])
    assert abs(losses.mean()) < 4.0 * losses.std() / math.sqrt(SAMPLES)


def test_the_same_players_who_do_the_same_have_no_gain_at_all():
    trial, _ = next(iter(samples(0.0, 0.7, 0.05)))
    gain = gain_of(trial, trial)
    assert (gain.value, gain.error, gain.low, gain.high) == (0.0, 0.0, 0.0, 0.0)


def test_pairing_makes_gains_surer_than_losses():
    trial, usual = next(iter(samples(0.0, None, 0.01)))
    alone = math.hypot(loss_of(trial).error, loss_of(usual).error)
    assert gain_of(trial, usual).error < alone / 3.0


def test_a_cluster_that_one_side_lacks_counts_as_nothing_there():
    usual = LossGroup(np.array([1, 2, 3]), np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 2.0]]))
    trial = LossGroup(np.array([2, 3]), np.array([[1.0, 2.0], [2.0, 2.0]]))
    assert gain_of((trial,), (usual,)).value == pytest.approx(3 / 4 - 4 / 6)


def test_measurements_on_different_players_are_pooled_by_weight():
    found = pooled([(Gain(1.0, 0.3, 10.0), 1.0), (Gain(4.0, 0.1, 30.0), 3.0)])
    assert found.value == pytest.approx(3.25)
    assert found.error == pytest.approx(math.hypot(0.3 / 4, 0.3 / 4))
    assert 10.0 < found.degrees < 40.0
    assert pooled([(NO_GAIN, 5.0)]).error == 0.0
    assert math.isnan(pooled([]).value)
