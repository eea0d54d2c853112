"""What `make calibration` measures, in small: coverage within 4 standard errors of what is promised."""

from __future__ import annotations

import pytest

from benchmarks import calibration
from benchmarks.calibration import SLACK, Line, table

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize(
    "experiment",
    [
        calibration.independent,
        calibration.correlated,
        calibration.paired,
        lambda count: calibration.sequential(count, rate=0.7, wanted=0.04, experiment=4),
        lambda count: calibration.best_of_eight(count)[0],
    ],
    ids=["independent", "correlated", "paired", "sequential", "best of eight"],
)
def test_intervals_cover(experiment):
    line = experiment(500)
    assert line.kept(SLACK), line
    assert (line.low, line.times) == (0.94, 500)


@pytest.mark.parametrize("experiment", [calibration.steered, calibration.paired_steered])
def test_intervals_cover_in_the_world(experiment):
    line = experiment(100)
    assert line.kept(SLACK), line


def test_margins_of_further_targets_cover():
    for line in calibration.further(200, 2_000):
        assert line.kept(SLACK), line


def test_what_is_wrong_is_seen():
    """The best of eight by its own measure, and pooled attempts of unlike players: far below what is promised."""
    found = calibration.best_of_eight(2_000)[1]
    assert not Line(found.experiment, found.measured, found.times, 0.94, 0.96).kept(SLACK)
    dice = calibration.dice_for(99)
    crowds = [calibration.crowd(dice, 100, 0.2) for _ in range(300)]
    hits = [
        calibration.covers(calibration.interval(sums.sum(axis=0, keepdims=True)), calibration.RATE) for sums in crowds
    ]
    assert not calibration.coverage("pooled", hits).kept(SLACK)


def test_the_table_names_what_is_not_kept():
    good, bad = Line("good", 0.95, 10_000, 0.94, 0.96, "kept"), Line("bad", 0.93, 10_000, 0.94, 0.96, "broken")
    text = table([good, bad]).splitlines()
    assert text[2] == "| good | 95.00 | 0.22 | 94 to 96 | 10,000 | kept |"
    assert text[3] == "| bad | 93.00 (not kept) | 0.26 | 94 to 96 | 10,000 | broken |"
