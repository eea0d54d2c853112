"""The folder of a study: the same bytes whoever plays it and however often it was stopped, and it reads back."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import PluginFault, RunFolderError, ScenarioError
from engine.scenario import load, setup_of
from sims.catalog import Catalog
from sims.run_folder import provenance
from sims.run_folder.files import read_sealed, write_sealed
from sims.run_folder.folder import MANIFEST, PARTIAL, START, WorkFolder, read_manifest
from sims.runs.execution import run
from sims.runs.run import read_run
from sims.tuning import tune as tune_module
from sims.tuning.answer.best_so_far import BestSoFar
from sims.tuning.journal import read_journal
from sims.tuning.progress import StudyProgress
from sims.tuning.simulator import Simulator
from sims.tuning.study import MEASUREMENT
from sims.tuning.study_files import shown_values, tuned_scenario
from sims.tuning.tune import is_study, resume_study, tune
from sims.tuning.tuned_study import TunedStudy, read_study
from sims.tuning.warm_start import earlier_tells
from sims.workers.signals import Stopped
from sims.workers.task_fault import TaskFault
from tests.kit import small
from tests.kit.golden import check_golden
from tests.kit.places import ROOT
from tests.kit.tuning import CHEAP, freed, scenario_file, small_problem, tree


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> TunedStudy:
    return tune(small.scenario(), **CHEAP, out=tmp_path_factory.mktemp("whole") / "study", workers=1)


@pytest.fixture(scope="module")
def whole(study) -> Path:
    folder: Path = study.folder
    return folder


@pytest.mark.parametrize("workers", [2, 7])
def test_bytes_do_not_depend_on_workers(whole, tmp_path, workers):
    tune(small.scenario(), **CHEAP, out=tmp_path / "study", workers=workers)
    assert tree(tmp_path / "study") == tree(whole)


def test_a_folder_holds_these_files_and_the_manifest_is_true(whole):
    names = {"answer.json", "counts.csv", "journal.txt", "report.html", "scenario.toml", "tuned.toml"}
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
    records = read_journal(whole / "journal.txt")
    assert len(rows) - 1 == 2 * len(records)
    for one, (new, old) in zip(records, zip(rows[1::2], rows[2::2], strict=True), strict=True):
        assert (new[0], new[2], old[2]) == (one.stage, "new", "old")
        assert [int(new[4]), int(old[4])] == list(one.tell.attempts)
        assert [int(new[5]), int(old[5])] == list(one.tell.wins)
        assert [float(new[6]), float(new[7])] == list(shown_values(small_problem(), one.tell.point).values())


def test_the_tuned_scenario_holds_what_was_played(study):
    tuned = study.options[0].scenario
    records = read_journal(study.folder / "journal.txt")
    measured = {one.tell.point for one in records if one.stage == MEASUREMENT}
    (point,) = (one for one in measured if shown_values(small_problem(), one) == tuned.form.game.params)
    assert tuned.controller == "constant"
    space = setup_of(tuned, Catalog()).space
    assert space.free == ()
    assert space.defaults() == [tuned.form.game.params[name] for name in space.names]
    assert tuned.form == tuned_scenario(small_problem(), point).form


def test_what_is_tuned_runs_although_nothing_is_left_to_move(whole, tmp_path):
    scenario = load(whole / "tuned.toml", Catalog(), [("players.count", "6")])
    result = run(scenario, out=tmp_path / "run", workers=1)
    assert result.faults == {}
    assert result.manifest["rows"] > 0


# --- The result -------------------------------------------------------------------------------------------------------


def test_a_study_reads_back_as_it_was_returned(study):
    again = read_study(str(study.folder))
    assert again == study
    assert (again.to_json(), again.text, repr(again)) == (study.to_json(), study.text, repr(study))
    content = json.loads(json.dumps(study.to_json(), allow_nan=False))
    assert content["folder"] == str(study.folder)
    assert content["met"] == study.met == study.options[0].met
    assert sum(content["attempts"].values()) == study.attempts <= CHEAP["budget"]
    assert set(study.options[0].rates) == set(study.baseline.rates) == {"new", "old"}
    assert set(study.options[0].changed) <= set(study.options[0].params) == {"difficulty", "guess"}
    with pytest.raises(ScenarioError, match="the defaults of a study have no tuned scenario"):
        _ = study.baseline.scenario


def test_a_study_shows_itself_in_a_notebook(study):
    assert "\n" not in repr(study)
    assert repr(study).startswith(f"TunedStudy({str(study.folder)!r}: {len(study.options)} option")
    page = study._repr_html_()
    assert page.count("<tr>") == 1 + 2 + 2
    assert f"<td>{study.options[0].rates['new'].text}</td>" in page
    assert study.sentences[0] in page


def test_a_damaged_answer_is_refused(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "study")
    path = tmp_path / "study" / "answer.json"
    path.write_text(path.read_text().replace("sentences", "sentence"))
    with pytest.raises(RunFolderError, match=r"answer\.json is missing or was changed"):
        read_study(tmp_path / "study")


def test_progress_and_messages_come_by_callbacks_and_nothing_is_printed(tmp_path, capsys):
    seen: list[StudyProgress] = []
    messages: list[str] = []
    tune(
        small.scenario(), budget=40_000, method="random", out=tmp_path / "study", workers=1, on_progress=seen.append,
        on_message=messages.append,
    )  # fmt: skip
    assert [one.stage for one in seen][:2] == ["baseline", "search"]
    assert all(0 < one.done <= one.total == 40_000 for one in seen)
    assert messages == []
    assert capsys.readouterr() == ("", "")


# --- Stopped and resumed ----------------------------------------------------------------------------------------------


@pytest.fixture
def stopped(monkeypatch):
    """A study that is stopped once so many batches were played."""
    real = Simulator.tells

    def stop_after(batches: int, out: Path, **choices: Any) -> tuple[Path, BestSoFar, str]:
        done: list[Any] = []
        stops: list[BestSoFar] = []
        messages: list[str] = []

        def tells(self, asks):
            if len(done) == batches:
                raise Stopped(15)
            done.append(asks)
            yield from real(self, asks)

        monkeypatch.setattr(Simulator, "tells", tells)
        with pytest.raises(Stopped) as stop:
            tune(
                small.scenario(), **{**CHEAP, **choices}, out=out, workers=1, on_message=messages.append,
                on_stop=stops.append,
            )  # fmt: skip
        assert stop.value.exit_code == 143
        monkeypatch.setattr(Simulator, "tells", real)
        return out.with_name(out.name + PARTIAL), stops[0], messages[-1]

    return stop_after


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_stopped_study_gives_the_best_so_far_and_is_resumed(whole, tmp_path, stopped, batches):
    partial, best, message = stopped(batches, tmp_path / "study")
    assert next(iter(best.points)) == "best so far"
    assert message == f"stopped; what is finished is kept. To resume: flowdial resume {partial}"
    assert is_study(partial)
    assert is_study(tmp_path / "study")
    resume_study(partial, workers=1)
    assert tree(tmp_path / "study") == tree(whole)


def test_the_words_about_the_best_so_far(request, tmp_path, stopped):
    _, best, _ = stopped(2, tmp_path / "study")
    check_golden(request, "tuning/best_so_far", best.text)


def test_where_the_best_was_not_played_the_best_that_was_is_given_too(tmp_path, stopped):
    _, best, _ = stopped(3, tmp_path / "study", method="pooled")
    content = best.to_json()
    assert set(content) == {"best_so_far", "best_played"}
    assert all(one["rate"] is None for one in content["best_so_far"]["segments"].values())
    assert all(0.0 <= one["rate"] <= 1.0 for one in content["best_played"]["segments"].values())


def test_a_study_is_not_resumed_when_anything_has_changed(whole, tmp_path, stopped, monkeypatch):
    partial, _, _ = stopped(1, tmp_path / "study")
    scenario = (partial / "scenario.toml").read_text()
    (partial / "scenario.toml").write_text(scenario.replace("win_rate = 0.6", "win_rate = 0.7"))
    with pytest.raises(RunFolderError, match=r"cannot resume .*: scenario\.toml line .*'win_rate = 0\.7'"):
        resume_study(partial)
    (partial / "scenario.toml").write_text(scenario)
    start = read_sealed(partial / START)
    write_sealed(partial / START, {**start, "study": {**start["study"], "method": "cma_es"}})
    with pytest.raises(RunFolderError, match="belongs to other work"):
        resume_study(partial)
    write_sealed(partial / START, start)
    with monkeypatch.context() as changed:
        changed.setattr(tune_module, "search_digest", lambda *rooms: "other")
        with pytest.raises(RunFolderError, match=r"the code of the search was .* and is other"):
            resume_study(partial)
    resume_study(partial, workers=1)  # put back as it was, it goes on
    assert tree(tmp_path / "study") == tree(whole)


def test_an_edit_of_any_file_that_decides_a_studys_course_changes_its_digest(tmp_path, monkeypatch):
    room = tmp_path / "sims" / "tuning"
    shutil.copytree(ROOT / "sims" / "tuning", room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "_ROOT", tmp_path)
    before = provenance.search_digest("tuning")
    files = sorted(room.rglob("*.py"))
    assert len(files) > 30
    for file in files:
        text = file.read_text(encoding="utf-8")
        file.write_text(f"{text}\nEDITED = 1\n", encoding="utf-8")
        only_words = room / "answer" in file.parents
        assert (provenance.search_digest("tuning") == before) == only_words, file
        file.write_text(text, encoding="utf-8")
    assert provenance.search_digest("tuning") == before


@pytest.mark.parametrize("with_start", [True, False])
def test_a_study_that_was_stopped_just_before_its_last_step_is_published(whole, tmp_path, monkeypatch, with_start):
    def stop(folder):
        if not with_start:
            (folder.path / START).unlink()
        raise Stopped(2)

    with monkeypatch.context() as failing:
        failing.setattr(WorkFolder, "publish", stop)
        with pytest.raises(Stopped):
            tune(small.scenario(), **CHEAP, out=tmp_path / "study", workers=1)
    assert resume_study(tmp_path / "study.partial", workers=1).folder == tmp_path / "study"
    assert tree(tmp_path / "study") == tree(whole)


def test_a_study_that_the_game_ended_is_not_offered_for_resuming(tmp_path, monkeypatch):
    def wins(*given, **rest):
        raise ZeroDivisionError("the floor is gone")

    messages: list[str] = []
    monkeypatch.setattr("sims.tuning.simulator.wins_of_able", wins)
    with pytest.raises(PluginFault, match="correct the game and start a new study"):
        tune(small.scenario(), **CHEAP, out=tmp_path / "study", workers=1, on_message=messages.append)
    advice = "keeps what is finished but cannot be resumed with a corrected plug-in; remove it."
    assert messages[-1] == f"{tmp_path / 'study.partial'} {advice}"


@pytest.mark.parametrize("own", [True, False])
def test_a_game_that_cannot_be_played_at_all_is_blamed_only_when_it_is_a_plugin(tmp_path, monkeypatch, own):
    def tells(*given):
        raise TaskFault("task 0 failed: TypingError: no such field")

    messages: list[str] = []
    monkeypatch.setattr(Simulator, "tells", tells)
    monkeypatch.setattr(Catalog, "has_own", lambda *names: own)
    with pytest.raises(TaskFault, match="TypingError"):
        tune(small.scenario(), **CHEAP, out=tmp_path / "study", workers=1, on_message=messages.append)
    partial = tmp_path / "study.partial"
    advice = f"what is finished is kept. To resume: flowdial resume {partial}"
    if not own:
        advice = f"{partial} keeps what is finished but cannot be resumed with a corrected plug-in; remove it."
    assert messages == [advice]


def test_a_study_with_earlier_counts_is_resumed_without_them(whole, tmp_path, stopped, monkeypatch):
    earlier = tmp_path / "earlier"
    shutil.copytree(whole, earlier)
    choices = {"budget": 40_000, "method": "pooled", "warm_start": earlier}
    tune(small.scenario(), **{**CHEAP, **choices}, out=tmp_path / "straight", workers=1)
    partial, _, _ = stopped(2, tmp_path / "study", **choices)
    shutil.rmtree(earlier)
    resume_study(partial, workers=1)
    assert tree(tmp_path / "study") == tree(tmp_path / "straight")


def test_a_run_and_a_study_are_told_apart(whole, tmp_path):
    run(small.scenario(players=4, attempts=5), out=tmp_path / "run", workers=1)
    for read in (read_study, lambda folder: earlier_tells(folder, small_problem())):
        with pytest.raises(RunFolderError, match="is a run, but a study is needed"):
            read(tmp_path / "run")
    with pytest.raises(RunFolderError, match="is a study, but a run is needed"):
        read_run(whole)


# --- What cannot be tuned ---------------------------------------------------------------------------------------------

REFUSED: dict[str, dict[str, Any]] = {
    "no limit": {"budget": None},
    "a budget of nothing": {"budget": 0},
    "no time": {"budget": None, "seconds": float("nan")},
    "a budget that cannot confirm anything": {"budget": 100},
    "a method that is not there": {"method": "poled"},
    "no option": {"options": 0},
    "a weight that is no number": {"near_default": float("inf")},
    "an unknown knob": {"lock": ["difficlty"]},
    "no free knob": {"lock": ["guess", "difficulty"]},
    "one free knob": {"lock": ["guess"]},
    "a level of an endless game": {"level": 2},
}


def test_what_cannot_be_tuned_is_refused_in_a_sentence_before_there_is_a_folder(request, tmp_path):
    lines = []
    for name, choices in REFUSED.items():
        with pytest.raises(ScenarioError) as fault:
            tune(small.scenario(), **{"budget": 100_000, **choices}, out=tmp_path / "study")
        lines.append(f"{name}: {fault.value}")
    sharp = replace(freed(tmp_path, ("target.tolerance", "1e-6")), name="sharp.toml")
    with pytest.raises(ScenarioError) as fault:
        tune(sharp, budget=1_000_000, out=tmp_path / "study")
    lines.append(f"a band that no budget can confirm: {fault.value}")
    check_golden(request, "tuning/refusals", "\n".join(lines))
    assert [path.name for path in tmp_path.iterdir()] == ["small.toml"]


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
        with pytest.raises(ScenarioError, match="a dial must move at least one knob, but all are fixed; remove one"):
            load(scenario_file(tmp_path), Catalog(), settings)
    else:
        assert bool(load(scenario_file(tmp_path), Catalog(), settings).form.dial.knobs) == moves
