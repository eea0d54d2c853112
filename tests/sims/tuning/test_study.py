"""The course of a study: it keeps to its budget, and ends the same however often it was stopped."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit

from engine.errors import RunFolderError
from sims.tuning import study as study_module
from sims.tuning.budget import MOST_SEARCH
from sims.tuning.journal import ClockNote, Journal
from sims.tuning.search.counts import Ask, Tell
from sims.tuning.search.least_change import change_size
from sims.tuning.search.random_search import RandomSearch
from sims.tuning.study import BASELINE, FINAL_RACE, MEASUREMENT, SEARCH, Study, StudyLimits
from tests.kit.tuning import small_problem

pytestmark = pytest.mark.thorough


def played(asks):
    """A game of which all is known: binomial counts that follow from the ask."""
    for ask in asks:
        dice = np.random.Generator(np.random.Philox(key=[5, ask.block]))
        chance = expit(np.array([2.0, 3.0]) - 4.0 * ask.point[0])
        yield Tell(ask.point, ask.attempts, tuple(dice.binomial(ask.attempts, chance).tolist()), ask.block)


def study_of(journal, budget=4000, play=played, seconds=None, **choices):
    def begin(attempts):
        return RandomSearch(small_problem().search_space, small_problem().segments, 1, attempts, small_problem().start)

    return Study(small_problem(), begin, play, journal, StudyLimits(budget, seconds), **{"options": 2, **choices})


def finished(path, **choices):
    with Journal(path, "seal") as journal:
        return study_of(journal, **choices).run()


# --- The course of a study -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", [2, 3, 50, 999, 4000, 100_001])
def test_no_more_attempts_are_asked_for_than_there_are(tmp_path, budget):
    asked: list[int] = []

    def count(asks):
        asked.extend(sum(ask.attempts) for ask in asks)
        yield from played(asks)

    record = finished(tmp_path / "journal.txt", budget=budget, play=count)
    assert sum(asked) == sum(record.spent.values()) <= budget
    if 1000 < budget < 10_000:  # what a large budget would have left, nothing needs
        assert sum(asked) > 0.95 * budget


@pytest.mark.parametrize("budget", [1, 2, 50, 400, 700, 4000])
@pytest.mark.parametrize("speed", [50.0, 1e6])
def test_no_more_attempts_are_asked_for_where_time_is_limited_too(tmp_path, budget, speed):
    record = finished(tmp_path / "journal.txt", budget=budget, seconds=10.0, speed=lambda: speed)
    assert sum(record.spent.values()) <= budget
    if budget >= 400:
        assert record.spent[MEASUREMENT] > 0


def test_every_stage_has_blocks_of_its_own_and_candidates_of_a_round_have_one(tmp_path):
    record = finished(tmp_path / "journal.txt")
    blocks = {stage: [told.tell.block for told in record.history if told.stage == stage] for stage in record.spent}
    assert all(blocks.values())
    for before, after in pairwise((BASELINE, SEARCH, FINAL_RACE, MEASUREMENT)):
        assert max(blocks[before]) < min(blocks[after])
    for stage in (BASELINE, SEARCH, MEASUREMENT):
        assert len(set(blocks[stage])) == len(blocks[stage])
    assert len(set(blocks[FINAL_RACE])) < len(blocks[FINAL_RACE])


def test_the_designers_numbers_are_measured_first_and_reported(tmp_path):
    record = finished(tmp_path / "journal.txt")
    first = record.history[0]
    assert (first.stage, first.tell.point, record.baseline.point) == (
        BASELINE,
        small_problem().start,
        small_problem().start,
    )
    assert record.baseline.attempts == counted(record, BASELINE, small_problem().start)[0]
    assert sum(record.baseline.attempts) == record.spent[BASELINE]


def counted(record, stage, point):
    tells = [told.tell for told in record.history if told.stage == stage and told.tell.point == point]
    return [tuple(np.sum([getattr(tell, name) for tell in tells], axis=0).tolist()) for name in ("attempts", "wins")]


def test_reported_counts_are_those_of_the_measurement_alone(tmp_path):
    record = finished(tmp_path / "journal.txt", budget=60_000)
    assert len(record.options) == 2
    for candidate in record.options:
        assert [candidate.attempts, candidate.wins] == counted(record, MEASUREMENT, candidate.point)
        for rate, wins, attempts in zip(candidate.rates, candidate.wins, candidate.attempts, strict=True):
            assert rate.low < rate.rate == wins / attempts < rate.high


def test_a_setting_that_changes_less_takes_part_where_there_is_more_than_one_option(tmp_path):
    def raced(**choices):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.txt"
        record = finished(path, budget=60_000, **choices)
        points = dict.fromkeys(told.tell.point for told in record.history if told.stage in (FINAL_RACE, MEASUREMENT))
        return {
            point: change_size(small_problem().search_space, np.array([point]), small_problem().start)[0]
            for point in points
        }

    one, two, near, alone = (
        raced(**choices)
        for choices in ({"options": 1}, {}, {"near_default": 1000.0}, {"options": 1, "near_default": 1000.0})
    )
    assert len(one) == 6
    (lean,) = set(two) - set(one)
    assert two[lean] < two[best := next(iter(one))]
    assert near.pop(best) == two[best]  # it stays where there is room for it
    assert near
    assert max(near.values()) < 0.1
    assert set(alone) <= set(near)


# --- Resuming --------------------------------------------------------------------------------------------------------


def test_a_study_stopped_after_any_record_ends_as_if_it_had_not_been(tmp_path):
    record = finished(tmp_path / "whole.txt")
    whole = (tmp_path / "whole.txt").read_bytes()
    lines = whole.splitlines(keepends=True)
    for kept in range(len(lines) + 1):
        path = tmp_path / "journal.txt"
        torn = lines[kept][: len(lines[kept]) // 2] if kept < len(lines) else b""
        path.write_bytes(b"".join(lines[:kept]) + torn)
        asked: list[Ask] = []

        def count(asks, asked=asked):
            asked.extend(asks)
            yield from played(asks)

        assert finished(path, play=count) == record
        assert path.read_bytes() == whole
        assert len(asked) == len(lines) - max(kept, 1)  # nothing is played twice


def test_a_journal_that_tells_of_other_asks_is_refused(tmp_path):
    finished(tmp_path / "journal.txt")
    with pytest.raises(RunFolderError, match="does not hold the counts that this study asks for"):
        finished(tmp_path / "journal.txt", budget=3000)


def test_a_journal_that_goes_on_is_refused(tmp_path):
    record = finished(tmp_path / "journal.txt")
    with Journal(tmp_path / "journal.txt", "seal") as journal:
        while journal.next() is not None:
            pass
        journal.add(record.history[-1])
    with pytest.raises(RunFolderError, match="does not hold the counts that this study asks for"):
        finished(tmp_path / "journal.txt")


class Clock:
    """Seconds that pass as often as somebody looks."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def monotonic(self):
        self.now += self.step
        return self.now


def test_a_study_with_a_limit_of_seconds_is_resumed_as_it_went(tmp_path, monkeypatch):
    monkeypatch.setattr(study_module, "time", Clock(0.25))
    limits = {"budget": 100_000, "seconds": 4.0, "speed": lambda: 5000.0}
    record = finished(tmp_path / "whole.txt", **limits)
    whole = (tmp_path / "whole.txt").read_bytes()
    assert 0 < record.spent[SEARCH] <= MOST_SEARCH * 4.0 * 5000
    assert 0 < record.spent[FINAL_RACE] + record.spent[MEASUREMENT] <= 4.0 * 5000
    lines = whole.splitlines(keepends=True)
    for kept in range(1, len(lines), 13):  # the clock goes on from where it was, so the rest may differ
        path = tmp_path / "journal.txt"
        path.write_bytes(b"".join(lines[:kept]))
        again = finished(path, **limits)
        assert path.read_bytes().startswith(b"".join(lines[:kept]))
        assert again.spent[SEARCH] <= MOST_SEARCH * 4.0 * 5000
        with Journal(path, "seal") as journal:
            notes = [
                one.value for one in iter(journal.next, None) if isinstance(one, ClockNote) and one.name == "spent_s"
            ]
        assert notes == sorted(notes)
    monkeypatch.setattr(study_module, "time", Clock(100.0))
    assert finished(tmp_path / "whole.txt", **limits) == record  # what is whole asks no clock


def test_seconds_without_end_leave_the_budget_alone(tmp_path):
    record = finished(tmp_path / "journal.txt", seconds=1e308, speed=lambda: 1e308)
    assert 0.95 * 4000 < sum(record.spent.values()) <= 4000
