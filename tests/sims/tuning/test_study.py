"""A study keeps to its budget, and ends in the same bytes whoever plays it and however often it was stopped."""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from engine.errors import PluginFault, RunFolderError, ScenarioError
from engine.scenario import load, parse, setup_of
from sims.catalog import Catalog
from sims.cli.app import main
from sims.run_folder.files import read_sealed, write_sealed
from sims.run_folder.folder import MANIFEST, PARTIAL, START, WorkFolder, read_manifest
from sims.runs.execution import run
from sims.runs.verification import verify
from sims.tuning import command as tune_module
from sims.tuning import study as study_module
from sims.tuning.budget import MOST_SEARCH
from sims.tuning.command import StudyRequest, attempts_for, is_study, resume, tune
from sims.tuning.journal import ClockNote, Journal, read_journal
from sims.tuning.problem import free_scenario, problem_of
from sims.tuning.search.counts import Ask, Tell
from sims.tuning.search.least_change import change_size
from sims.tuning.search.random_search import RandomSearch
from sims.tuning.search.scoreboard import Scoreboard
from sims.tuning.search.search_space import values_of
from sims.tuning.simulator import Simulator
from sims.tuning.study import (
    BASELINE,
    FINAL_RACE,
    MEASUREMENT,
    SEARCH,
    CountedPoint,
    Study,
    StudyLimits,
    StudyRecord,
)
from sims.tuning.study_files import practice_note, shown_values, tuned_scenario, write_results
from sims.tuning.warm_start import earlier_tells
from sims.workers.signals import Stopped
from sims.workers.task_fault import TaskFault
from tests.kit import small
from tests.kit.places import ROOT

PROBLEM = problem_of(small.scenario())


def played(asks):
    """A game of which all is known: binomial counts that follow from the ask."""
    for ask in asks:
        dice = np.random.Generator(np.random.Philox(key=[5, ask.block]))
        chance = expit(np.array([2.0, 3.0]) - 4.0 * ask.point[0])
        yield Tell(ask.point, ask.attempts, tuple(dice.binomial(ask.attempts, chance).tolist()), ask.block)


def study_of(journal, budget=4000, play=played, seconds=None, **choices):
    def begin(attempts):
        return RandomSearch(PROBLEM.search_space, PROBLEM.segments, 1, attempts, PROBLEM.start)

    return Study(PROBLEM, begin, play, journal, StudyLimits(budget, seconds), **{"options": 2, **choices})


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
    assert (first.stage, first.tell.point, record.baseline.point) == (BASELINE, PROBLEM.start, PROBLEM.start)
    assert record.baseline.attempts == counted(record, BASELINE, PROBLEM.start)[0]
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
        return {point: change_size(PROBLEM.search_space, np.array([point]), PROBLEM.start)[0] for point in points}

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
    with pytest.raises(RunFolderError, match="does not hold what this study asks for"):
        finished(tmp_path / "journal.txt", budget=3000)


def test_a_journal_that_goes_on_is_refused(tmp_path):
    record = finished(tmp_path / "journal.txt")
    with Journal(tmp_path / "journal.txt", "seal") as journal:
        while journal.next() is not None:
            pass
        journal.add(record.history[-1])
    with pytest.raises(RunFolderError, match="does not hold what this study asks for"):
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


# --- Folders ---------------------------------------------------------------------------------------------------------

WISH = StudyRequest(40_000, method="random", options=2)


def tree(folder):
    """All files but for what the clock says in the manifest."""
    found: dict[str, Any] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    manifest = read_manifest(folder, "study")
    found[MANIFEST] = {name: manifest[name] for name in ("files", "attempts", "study", "segments", "code")}
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "study"
    assert tune(small.scenario(), WISH, out=out, workers=1, quiet=True) == 0
    return out


@pytest.mark.parametrize("workers", [2, 7])
def test_bytes_do_not_depend_on_workers(whole, tmp_path, workers):
    assert tune(small.scenario(), WISH, out=tmp_path / "study", workers=workers, quiet=True) == 0
    assert tree(tmp_path / "study") == tree(whole)


def test_a_folder_holds_these_files_and_the_manifest_is_true(whole):
    names = {"counts.csv", "journal.txt", "report.html", "scenario.toml", "tuned.toml"}
    assert {path.name for path in whole.iterdir()} - {"tuned_b.toml"} == {*names, MANIFEST}
    manifest = read_manifest(whole, "study")
    for name, note in manifest["files"].items():
        data = (whole / name).read_bytes()
        assert (note["bytes"], note["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert manifest["attempts"]["search"] > 1000
    assert manifest["study"]["method"] == "random"


def test_counts_are_those_of_the_journal_in_the_games_own_units(whole):
    rows = [line.split(",") for line in (whole / "counts.csv").read_text().splitlines()]
    assert rows[0] == ["stage", "block", "cohort", "level", "attempts", "wins", "param_difficulty", "param_guess"]
    told = read_journal(whole / "journal.txt")
    assert len(rows) - 1 == 2 * len(told)
    for one, (new, old) in zip(told, zip(rows[1::2], rows[2::2], strict=True), strict=True):
        assert (new[0], new[2], old[2]) == (one.stage, "new", "old")
        assert [int(new[4]), int(old[4])] == list(one.tell.attempts)
        assert [int(new[5]), int(old[5])] == list(one.tell.wins)
        assert [float(new[6]), float(new[7])] == list(shown_values(PROBLEM, one.tell.point).values())


def test_the_tuned_scenario_holds_what_was_played(whole):
    tuned = load(whole / "tuned.toml", Catalog())
    told = read_journal(whole / "journal.txt")
    measured = {one.tell.point for one in told if one.stage == MEASUREMENT}
    (point,) = (one for one in measured if shown_values(PROBLEM, one) == tuned.form.game.params)
    assert tuned.controller == "constant"
    space = setup_of(tuned, Catalog()).space
    assert space.free == ()
    assert space.defaults() == [tuned.form.game.params[name] for name in space.names]
    assert tuned.form == tuned_scenario(PROBLEM, point).form


def test_only_where_players_practise_the_tuned_file_says_that_a_run_differs(tmp_path):
    text = small.scenario().resolved_toml().encode()
    still = [(f"cohort.{name}.traits.learning", "0.0") for name in ("new", "old")]

    def tuned(pairs, folder):
        about = problem_of(parse(text, "small.toml", Catalog(), [("target.after_attempts", "20"), *still, *pairs]))
        nothing = CountedPoint(about.start, (), (), ())
        folder.mkdir()
        write_results(folder, StudyRecord(about, nothing, (nothing,), "", (), (), {}, StudyLimits(1)))
        assert load(folder / "tuned.toml", Catalog()).form == tuned_scenario(about, about.start).form
        return (folder / "tuned.toml").read_text(encoding="utf-8"), practice_note(about)

    plain, note = tuned([], tmp_path / "still")
    assert note == ""
    assert "practise" not in plain
    for name in ("learning", "practice_gain", "jump"):
        found, note = tuned([(f"cohort.old.traits.{name}", "0.05")], tmp_path / name)
        assert note.endswith("in the study everybody had 20 attempts behind them.")
        assert found.partition("\n")[0] == f"# {note}"


def test_what_is_tuned_runs_although_nothing_is_left_to_move(whole, tmp_path, capsys):
    found = tmp_path / "run"
    assert run(load(whole / "tuned.toml", Catalog(), [("players.count", "6")]), out=found, workers=1).faults == {}
    assert read_manifest(found)["rows"] > 0


@pytest.mark.parametrize(
    ("settings", "moves"),
    [
        ([("game.params", "{ difficulty = 1.0, guess = 0.1 }"), ("controller.name", '"constant"')], False),
        ([("game.params", "{ difficulty = 1.0, guess = 0.1 }")], None),
        ([("game.params", "{ guess = 0.1 }"), ("dial.knobs", "[]"), ("controller.name", '"constant"')], None),
        ([("game.params", "{ guess = 0.1 }")], True),
    ],
)
def test_only_a_schedule_may_have_nothing_to_move(tmp_path, settings, moves):
    if moves is None:
        with pytest.raises(ScenarioError, match="a dial moves at least one knob, but all are held; take one out"):
            load(scenario_file(tmp_path), Catalog(), settings)
    else:
        assert bool(load(scenario_file(tmp_path), Catalog(), settings).form.dial.knobs) == moves


@pytest.fixture
def stopped(monkeypatch):
    """A study that is stopped once so many batches were played."""
    real = Simulator.tells

    def stop_after(batches, out, request=WISH):
        done: list[Any] = []

        def tells(self, asks):
            if len(done) == batches:
                raise Stopped(15)
            done.append(asks)
            yield from real(self, asks)

        monkeypatch.setattr(Simulator, "tells", tells)
        assert tune(small.scenario(), request, out=out, workers=1) == 143
        monkeypatch.setattr(Simulator, "tells", real)
        return out.with_name(out.name + PARTIAL)

    return stop_after


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_study_that_was_stopped_reports_the_best_so_far_and_is_resumed(whole, tmp_path, stopped, capsys, batches):
    partial = stopped(batches, tmp_path / "study")
    out, err = capsys.readouterr()
    assert "best so far" in out
    assert "not measured on fresh players" in out
    assert f"flowdial resume {partial}" in err
    assert is_study(partial)
    assert is_study(tmp_path / "study")
    assert resume(partial, workers=1, quiet=True) == 0
    assert tree(tmp_path / "study") == tree(whole)


def test_a_study_is_not_resumed_when_anything_has_changed(whole, tmp_path, stopped, monkeypatch):
    partial = stopped(1, tmp_path / "study")
    scenario = (partial / "scenario.toml").read_text()
    (partial / "scenario.toml").write_text(scenario.replace("win_rate = 0.6", "win_rate = 0.7"))
    with pytest.raises(RunFolderError, match=r"cannot be resumed, since scenario\.toml line .*'win_rate = 0\.7'"):
        resume(partial)
    (partial / "scenario.toml").write_text(scenario)
    start = read_sealed(partial / START)
    write_sealed(partial / START, {**start, "study": {**start["study"], "method": "cma_es"}})
    with pytest.raises(RunFolderError, match="belongs to another study"):
        resume(partial)
    write_sealed(partial / START, start)
    with monkeypatch.context() as changed:
        changed.setattr(tune_module, "search_digest", lambda: "other")
        with pytest.raises(RunFolderError, match=r"since the code of the search was .* and is other"):
            resume(partial)
    assert resume(partial, workers=1, quiet=True) == 0  # put back as it was, it goes on
    assert tree(tmp_path / "study") == tree(whole)


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_ctrl_c_ends_with_the_best_so_far_and_a_way_to_go_on(tmp_path):
    words = [sys.executable, "-m", "sims", "tune", str(scenario_file(tmp_path)), "--method", "random", "--workers", "2"]
    process = subprocess.Popen(
        [*words, "--budget", "40000000", "--out", str(tmp_path / "study")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    journal = tmp_path / "study.partial" / "journal.txt"
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        if journal.is_file() and journal.read_bytes().count(b"\n") > 40:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "best so far" in out
    assert err == f"flowdial: stopped; the journal is kept. To go on: flowdial resume {tmp_path / 'study.partial'}\n"
    assert len(read_journal(journal)) > 38


@pytest.mark.parametrize("with_start", [True, False])
def test_a_study_that_was_stopped_just_before_its_last_step_is_published(whole, tmp_path, monkeypatch, with_start):
    def stop(folder):
        if not with_start:
            (folder.path / START).unlink()
        raise Stopped(2)

    with monkeypatch.context() as failing:
        failing.setattr(WorkFolder, "publish", stop)
        assert tune(small.scenario(), WISH, out=tmp_path / "study", workers=1, quiet=True) == 130
    assert resume(tmp_path / "study.partial", workers=1, quiet=True) == 0
    assert tree(tmp_path / "study") == tree(whole)


def test_nobody_is_told_to_resume_a_study_that_the_game_ended(tmp_path, monkeypatch, capsys):
    def wins(*given, **rest):
        raise ZeroDivisionError("the floor is gone")

    monkeypatch.setattr("sims.tuning.simulator.batch_wins", wins)
    with pytest.raises(PluginFault, match="correct the game and tune anew"):
        tune(small.scenario(), WISH, out=tmp_path / "study", workers=1, quiet=True)
    told = "has what is finished, but cannot be resumed with a corrected plug-in; remove it."
    assert capsys.readouterr().err.splitlines()[-1] == f"flowdial: {tmp_path / 'study.partial'} {told}"


@pytest.mark.parametrize("own", [True, False])
def test_who_cannot_be_played_at_all_is_named_as_the_cause_only_when_it_is_a_plugin(tmp_path, monkeypatch, capsys, own):
    def tells(*given):
        raise TaskFault("task 0 failed: TypingError: no such field")

    monkeypatch.setattr(Simulator, "tells", tells)
    monkeypatch.setattr(Catalog, "has_own", lambda *names: own)
    with pytest.raises(TaskFault, match="TypingError"):
        tune(small.scenario(), WISH, out=tmp_path / "study", workers=1, quiet=True)
    partial = tmp_path / "study.partial"
    told = f"the journal is kept. To go on: flowdial resume {partial}"
    if not own:
        told = f"{partial} has what is finished, but cannot be resumed with a corrected plug-in; remove it."
    assert capsys.readouterr().err == f"flowdial: {told}\n"


# --- Counts of an earlier study --------------------------------------------------------------------------------------


def other(tmp_path, *settings):
    return free_scenario(scenario_file(tmp_path), Catalog(), settings)


def test_earlier_counts_are_told_to_the_search_and_blocks_come_after_theirs(whole, tmp_path):
    problem = problem_of(other(tmp_path, ("target.win_rate", "0.5")))
    earlier = tuple(earlier_tells(whole, problem))
    told = [one.tell for one in read_journal(whole / "journal.txt")]
    assert [(tell.attempts, tell.wins, tell.block) for tell in earlier] == [
        (tell.attempts, tell.wins, tell.block) for tell in told
    ]
    assert np.array([tell.point for tell in earlier]) == pytest.approx(np.array([tell.point for tell in told]))
    out = tmp_path / "study"
    request = StudyRequest(8000, method="random", earlier=earlier)
    assert tune(problem.scenario, request, out=out, workers=1, quiet=True) == 0
    new = read_journal(out / "journal.txt")
    assert min(one.tell.block for one in new) == max(tell.block for tell in earlier) + 1
    assert new[0].tell.point == problem.start
    board = Scoreboard(problem.search_space, problem.segments, None)  # by the targets of now
    board.add(earlier)
    assert [next(one.tell.point for one in new if one.stage == SEARCH)] == board.best(1)
    rows = (out / "counts.csv").read_text().splitlines()
    assert sum(row.startswith("earlier,") for row in rows) == 2 * len(earlier)
    assert read_manifest(out, "study")["study"]["earlier"] == len(earlier)


def test_settings_outside_the_bounds_of_now_are_left_out(whole, tmp_path):
    narrow = problem_of(other(tmp_path, ("game.bounds.difficulty", "[-1.0, 1.0]")))
    found = earlier_tells(whole, narrow)
    assert 0 < len(found) < len(read_journal(whole / "journal.txt"))
    assert all(abs(values_of(narrow.space, tell.point)[0]) <= 1.0 for tell in found)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (("game.name", '"boss_duel"'), "its game is logistic, but now it is boss_duel"),
        (("cohort.old.traits.skill", "0.5"), "the players of old are others now"),
        (("target.after_attempts", "7"), "the players of new are others now"),
        (("cohort.old.name", '"ancient"'), "it has no counts of ancient"),
        (("game.bounds.guess", "[0.019999, 0.020001]"), ""),
    ],
)
def test_counts_of_something_else_are_refused(whole, tmp_path, setting, sentence):
    problem = problem_of(other(tmp_path, setting))
    if not sentence:
        assert {tell.point[0] for tell in earlier_tells(whole, problem)} == {0.5}
        return
    with pytest.raises(ScenarioError, match=f"--warm-start .*{sentence}.*; leave it out"):
        earlier_tells(whole, problem)


def test_a_study_with_earlier_counts_is_resumed_without_them(whole, tmp_path, stopped):
    problem = problem_of(small.scenario())
    request = StudyRequest(8000, method="pooled", earlier=tuple(earlier_tells(whole, problem)))
    assert tune(small.scenario(), request, out=tmp_path / "straight", workers=1, quiet=True) == 0
    partial = stopped(2, tmp_path / "study", request)
    assert resume(partial, workers=1, quiet=True) == 0
    assert tree(tmp_path / "study") == tree(tmp_path / "straight")


def test_what_is_no_whole_study_is_refused(whole, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(whole, broken)
    data = (broken / "journal.txt").read_bytes()
    (broken / "journal.txt").write_bytes(data[:-1])
    with pytest.raises(RunFolderError, match=r"journal\.txt is not as the study wrote it"):
        earlier_tells(broken, PROBLEM)


def test_a_run_and_a_study_are_told_apart(whole, tmp_path):
    assert run(small.scenario(players=4, attempts=5), out=tmp_path / "run", workers=1).faults == {}
    with pytest.raises(RunFolderError, match="is a run, and here a study is needed"):
        earlier_tells(tmp_path / "run", PROBLEM)
    with pytest.raises(RunFolderError, match="is a study, and here a run is needed"):
        verify(whole)


# --- What cannot be tuned --------------------------------------------------------------------------------------------


def scenario_file(tmp_path, text=""):
    path = tmp_path / "small.toml"
    path.write_text(small.TEXT.format(game="logistic", controller="kalman", players=40, attempts=2000) + text)
    return path


@pytest.mark.parametrize(
    ("locks", "settings", "sentence"),
    [
        (["difficlty"], [], "--lock difficlty: logistic has the knobs difficulty, guess - did you mean 'difficulty'?"),
        (["guess", "difficulty"], [], "all 2 are held in [game.params] or locked"),
        (["guess"], [("game.params.difficulty", "1.0")], "all 2 are held in [game.params] or locked"),
        (
            ["difficulty"],
            [("game.bounds.difficulty", "[1.0, 2.0]")],
            "holds it at its default 0.0, but [game.bounds] wants 1 to 2",
        ),
    ],
)
def test_locks_that_cannot_be_are_told(tmp_path, locks, settings, sentence):
    with pytest.raises(ScenarioError) as fault:
        free_scenario(scenario_file(tmp_path), Catalog(), settings, locks)
    assert sentence in str(fault.value)


def test_a_study_knows_its_locks_and_keeps_to_them(tmp_path):
    free = free_scenario(scenario_file(tmp_path), Catalog(), [("game.name", '"boss_duel"')], ["style", "potions"])
    problem = problem_of(free, locked=["style", "potions"])
    assert problem.locked == ("style", "potions")
    assert not {"style", "potions"} & set(problem.search_space.names)
    values = dict(zip(problem.space.names, values_of(problem.space, (0.1,) * problem.search_space.size), strict=True))
    assert (values["style"], values["potions"]) == (problem.space.held["style"], 2.0)


def test_a_knob_alone_is_not_tuned(tmp_path):
    one = free_scenario(scenario_file(tmp_path), Catalog(), [], ["guess"])
    assert one.form.game.params == {"guess": 0.02}
    with pytest.raises(ScenarioError, match="two knobs or more, but only difficulty is free"):
        problem_of(one)


def test_what_the_dial_does_not_move_may_be_turned_unless_it_is_held(tmp_path):
    narrow = [("dial.knobs", '["difficulty"]'), ("dial.path", "{ difficulty = [0.2, 0.9] }")]
    assert problem_of(free_scenario(scenario_file(tmp_path), Catalog(), narrow)).search_space.names == (
        "difficulty",
        "guess",
    )
    held = [*narrow, ("game.params.guess", "0.1")]
    assert free_scenario(scenario_file(tmp_path), Catalog(), held).form.game.params == {"guess": 0.1}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ((None, None, None, None), "a study needs a limit"),
        ((None, None, 3.0, None), "give both or neither"),
        ((300_000_000, None, None, None), "add --allow-long"),
    ],
)
def test_budgets_that_say_nothing_are_told(asked, sentence):
    with pytest.raises(ScenarioError, match=sentence):
        attempts_for(*asked, allow_long=False)


def test_a_budget_that_could_never_say_anything_is_told():
    with pytest.raises(ScenarioError, match=r"with 100 attempts no setting could be said to meet .* larger tolerance"):
        tune(small.scenario(), StudyRequest(100))


def test_a_band_that_no_budget_can_tell_is_told(tmp_path):
    sharp = free_scenario(scenario_file(tmp_path), Catalog(), [("target.tolerance", "1e-6")])
    with pytest.raises(ScenarioError, match="is narrower than 5,000,000,000 attempts can tell"):
        tune(sharp, StudyRequest(1_000_000))


def test_money_without_end_buys_no_more_than_a_study_may_have():
    assert attempts_for(None, None, 1e300, 1e-300, allow_long=False) == 200_000_000


@pytest.mark.parametrize("option", ["--seconds", "--money", "--price-per-million", "--near-default"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_numbers_that_are_none_are_refused(tmp_path, capsys, option, value):
    assert main(["tune", str(scenario_file(tmp_path)), "--budget", "4000", option, value]) == 2
    assert f"Invalid value for '{option}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--budget", "a whole number of at least 1"),
        ("--level", "a whole number of at least 1"),
        ("--seconds", "a number of at least 1"),
        ("--money", "a number above 0"),
        ("--near-default", "a number from 0 to 1,000,000"),
    ],
)
def test_what_is_no_number_is_told_in_a_sentence(tmp_path, capsys, option, sentence):
    assert main(["tune", str(scenario_file(tmp_path)), option, "abc"]) == 2
    assert f"Invalid value for '{option}': must be {sentence}, got 'abc'." in capsys.readouterr().err


def test_a_bundled_scenario_is_called_by_its_name(capsys):
    assert main(["tune", "quickstart", "--budget", "500"]) != 0
    said = capsys.readouterr().err
    assert "quickstart: with 500 attempts no setting could be said" in said
    assert "quickstart.toml" not in said


def test_seconds_without_end_leave_the_budget_alone(tmp_path):
    record = finished(tmp_path / "journal.txt", seconds=1e308, speed=lambda: 1e308)
    assert 0.95 * 4000 < sum(record.spent.values()) <= 4000


def test_of_a_search_whose_best_was_not_played_the_best_that_was_is_told_too(tmp_path, stopped, capsys):
    stopped(3, tmp_path / "study", replace(WISH, method="pooled"))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0][-5:] == ["best", "so", "far", "best", "played"]
    rates = [row[4:] for row in rows if row[:1] in (["new"], ["old"])]
    assert len(rates) == 2
    for unplayed, rate, *_ in rates:
        assert unplayed == "-"
        assert 0.0 <= float(rate) <= 1.0


def test_the_smallest_budget_counts():
    assert attempts_for(5000, None, 2.0, 1000.0, allow_long=False) == 2000
    assert attempts_for(1000, None, 2.0, 1000.0, allow_long=False) == 1000
    assert attempts_for(300_000_000, None, None, None, allow_long=True) == 300_000_000
