"""What a terminal says of a study that is under way."""

from __future__ import annotations

import io
import re

import pytest

from sims.tuning import progress as progress_module
from sims.tuning.progress import best_so_far, study_meter
from sims.tuning.search.counts import Counts, Segment, Tell
from sims.tuning.study import StudyProgress

SEGMENTS = (Segment("new", 0, 0, 0.55, 0.65), Segment("old", 1, 0, 0.65, 0.75))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_best_so_far_is_the_point_of_least_loss_with_an_interval():
    far, near = Tell((0.1, 0.2), (400, 400), (100, 100), 0), Tell((0.3, 0.2), (400, 400), (236, 300), 1)
    said = best_so_far(Counts([far, near]), SEGMENTS)
    off, low, high = map(float, re.findall(r"\d\.\d+", said))
    assert off == pytest.approx(0.05, abs=0.001)  # the worst segment: 0.75 for 0.70
    assert 0.0 <= low < off < high < 0.12
    assert best_so_far(Counts([near, far]), SEGMENTS) == said


def test_points_without_attempts_are_not_the_best():
    assert best_so_far(Counts([Tell((0.1, 0.2), (1, 0), (1, 0), 0)]), SEGMENTS) == ""


def test_a_terminal_is_told_stage_attempts_time_and_the_best(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress_module, "_PAUSE_S", 0.0)
    show = study_meter(SEGMENTS, quiet=False)
    counts = Counts([Tell((0.3, 0.2), (400, 400), (236, 300), 1)])
    show(StudyProgress("search", 800, 4000, counts))
    show(StudyProgress("final_race", 1600, 4000, counts))
    said = terminal.getvalue()
    assert "search: 800 of 4,000 attempts; best so far 0.050 off" in said
    assert re.search(r"final_race: 1,600 of 4,000 attempts, about \d+ s left; best so far", said)


@pytest.mark.parametrize(("quiet", "stream"), [(True, Terminal()), (False, io.StringIO()), (False, None)])
def test_nothing_is_said_where_nobody_looks(monkeypatch, quiet, stream):
    monkeypatch.setattr("sys.stderr", stream)
    study_meter(SEGMENTS, quiet=quiet)(
        StudyProgress("search", 800, 4000, Counts([Tell((0.3, 0.2), (9, 9), (3, 3), 1)]))
    )
    assert stream is None or stream.getvalue() == ""
