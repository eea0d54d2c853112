"""The course of a study: it keeps to its budget, and ends the same however often it was stopped."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit, logit

from engine.errors import RunFolderError, ScenarioError
from sims.tuning import study as study_module
from sims.tuning.budget import ALONE, MOST_SEARCH, Effort, least_measurement
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
    def begin(task):
        return RandomSearch(small_problem().search_space, task.segments, 1, task.attempts, small_problem().start)

    begin = choices.pop("begin", begin)
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
@pytest.mark.parametrize("speed", [600.0, 1e6])
def test_no_more_attempts_are_asked_for_where_time_is_limited_too(tmp_path, budget, speed):
    record = finished(tmp_path / "journal.txt", budget=budget, seconds=10.0, speed=lambda: speed)
    assert sum(record.spent.values()) <= budget
    if budget >= 400:
        assert record.spent[MEASUREMENT] > 0


def test_seconds_in_which_no_setting_could_be_confirmed_are_refused(tmp_path):
    with pytest.raises(
        ScenarioError, match=r"^10 seconds are too few .* about \d+ attempts fit into them, but \S+ are "
    ):
        finished(tmp_path / "journal.txt", budget=4000, seconds=10.0, speed=lambda: 50.0)


def test_what_seconds_promise_is_measured_although_it_is_late(tmp_path, monkeypatch):
    monkeypatch.setattr(study_module, "time", Clock(0.5))
    record = finished(tmp_path / "journal.txt", budget=100_000, seconds=8.0, speed=lambda: 1000.0)
    assert sum(record.options[0].attempts) >= least_measurement(small_problem().segments, ALONE)


def test_every_stage_has_blocks_of_its_own_and_candidates_of_a_round_have_one(tmp_path):
    record = finished(tmp_path / "journal.txt")
    blocks = {stage: [told.tell.block for told in record.history if told.stage == stage] for stage in record.spent}
    assert all(blocks[stage] for stage in (BASELINE, SEARCH, FINAL_RACE, MEASUREMENT))
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


# --- A search that ends early ----------------------------------------------------------------------------------------


class Early:
    """A search that soon names one point."""

    def __init__(self, point):
        self.point, self.left = point, 3
        self.task = None

    def ask(self, left):
        self.left -= 1
        return [Ask(self.point, (20, 20), self.left)] if self.left >= 0 else []

    def tell(self, tells):
        pass

    def finalists(self, most):
        return [self.point]


BAD, GOOD = (0.1, 0.5), (0.4, 0.5)  # win .83 and .93 for targets of .6; GOOD only beside wide targets


def early(tmp_path, points, name="journal.txt", play=played, budget=60_000):
    tasks = []

    def begin(task):
        tasks.append(task)
        return Early(points[len(tasks) - 1])

    return finished(tmp_path / name, begin=begin, budget=budget, options=1, play=play), tasks


def test_what_a_first_look_leaves_is_spent_on_going_on(tmp_path):
    record, tasks = early(tmp_path, [BAD, BAD])
    assert (record.went_on, record.confidence, len(tasks)) == (True, 0.97, 2)
    assert tasks[1].start == next(one.tell.point for one in record.history if one.stage == MEASUREMENT)
    assert {tell.point for tell in tasks[1].known} == {BAD}
    assert tasks[1].attempts > 10_000
    assert sum(record.spent.values()) > 0.5 * 60_000  # this search asks for nothing more; its measurement has the rest


def test_only_the_second_look_is_reported(tmp_path):
    record, _ = early(tmp_path, [BAD, BAD])
    measured = [one.tell for one in record.history if one.stage == MEASUREMENT]
    (option,) = record.options
    assert 0 < sum(option.attempts) < sum(sum(tell.attempts) for tell in measured)
    assert counted(record, MEASUREMENT, option.point)[0] != option.attempts  # the first look measured it, too


def test_a_study_that_goes_on_is_resumed_as_it_went(tmp_path):
    record, _ = early(tmp_path, [BAD, GOOD])
    whole = (tmp_path / "journal.txt").read_bytes()
    lines = whole.splitlines(keepends=True)
    for kept in range(1, len(lines), max(len(lines) // 12, 1)):
        path = tmp_path / "again.txt"
        path.write_bytes(b"".join(lines[:kept]))
        again, _ = early(tmp_path, [BAD, GOOD], "again.txt")
        assert again == record
        assert path.read_bytes() == whole


def test_a_first_look_that_confirms_is_the_last(tmp_path, monkeypatch):
    about = small_problem()
    wide = tuple(one._replace(low=0.3, high=0.99) for one in about.segments)
    monkeypatch.setattr("tests.sims.tuning.test_study.small_problem", lambda: replace(about, segments=wide))
    record, tasks = early(tmp_path, [GOOD, GOOD])
    assert (record.went_on, record.confidence, len(tasks)) == (False, 0.98, 1)


def test_targets_move_by_what_runs_show_beyond_the_search(tmp_path):
    def tougher(asks):
        """As `played`, but whole runs are lost more often, by 0.4 logits."""
        for ask in asks:
            dice = np.random.Generator(np.random.Philox(key=[5, ask.block]))
            chance = expit(np.array([2.0, 3.0]) - 4.0 * ask.point[0] - 0.4 * (len(ask.players) > 0))
            yield Tell(ask.point, ask.attempts, tuple(dice.binomial(ask.attempts, chance).tolist()), ask.block)

    tasks = []

    def begin(task):
        tasks.append(task)
        return Early(BAD)

    effort = Effort((20.0, 20.0), (1.0, 1.0))
    record = finished(tmp_path / "t.txt", begin=begin, budget=400_000, options=1, play=tougher, effort=effort)
    assert record.went_on
    for before, after in zip(tasks[0].segments, tasks[1].segments, strict=True):
        moved = logit(after.target) - logit(before.target)
        assert 0.0 < moved < 0.4  # the search must look for settings that are easier; a part may be chance


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
