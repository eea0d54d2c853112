"""Counts of an earlier study are used where they are of the same thing, and it is said where they are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.errors import RunFolderError, ScenarioError
from sims.run_folder.folder import read_manifest
from sims.tuning import warm_start
from sims.tuning.journal import NAME, read_journal
from sims.tuning.problem import Problem, load_free, problem_of
from sims.tuning.search.scoreboard import Scoreboard
from sims.tuning.search.search_space import values_of
from sims.tuning.study import SEARCH
from sims.tuning.tune import tune
from sims.tuning.warm_start import earlier_tells
from tests.kit import small
from tests.kit.small import TEXT
from tests.kit.tuning import CHEAP, freed, small_problem

SCENARIO = TEXT.format(game="gap_runner", controller="weighted_up_down", players=40, attempts=2000)


HEARTS = 5  # the place of the knob "hearts"


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """A study of all knobs of a game."""
    folder: Path = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.tuning.answer.study_page.study_page", lambda *facts: "cheap")
        about = problem(folder).scenario
        return tune(about, budget=40_000, method="random", out=folder / "study", workers=1).folder


def problem(folder: Path, **settings: str) -> Problem:
    (folder / "small.toml").write_text(SCENARIO)
    pairs = [(name.replace("__", "."), value) for name, value in settings.items()]
    return problem_of(load_free(folder / "small.toml", pairs))


def test_where_a_knob_is_held_now_only_settings_with_its_value_count(study, tmp_path):
    told = [one.tell for one in read_journal(study / NAME)]
    hearts = [values_of(problem(tmp_path).space, tell.point)[HEARTS] for tell in told]
    held = problem(tmp_path, game__params__hearts="3")
    found = earlier_tells(study, held)
    assert len(found) == hearts.count(3.0)
    assert 0 < len(found) < len(told)
    assert all(values_of(held.space, tell.point)[HEARTS] == 3.0 for tell in found)


def test_a_study_of_other_settings_alone_is_refused(study, tmp_path):
    with pytest.raises(ScenarioError, match="none of its settings lies within the new bounds and held values"):
        earlier_tells(study, problem(tmp_path, game__bounds__speed="[9.99, 9.990001]"))


@pytest.mark.parametrize(
    "setting", [{"horizon__days": "5.0"}, {"players__flow__quit_won": "0.3"}, {"horizon__attempts_per_player": "7"}]
)
def test_a_study_of_runs_in_which_players_stay_otherwise_is_refused(study, tmp_path, setting):
    with pytest.raises(ScenarioError, match=r"how long players stay has changed \(horizon or players.flow\)"):
        earlier_tells(study, problem(tmp_path, **setting))


def test_counts_of_other_rules_are_refused(study, tmp_path, monkeypatch):
    monkeypatch.setattr(warm_start, "code_digests", lambda setup: {"game": "another"})
    with pytest.raises(ScenarioError, match="the rules of gap_runner have changed since; start without it"):
        earlier_tells(study, problem(tmp_path))


def test_a_study_in_which_a_file_has_changed_is_refused(study, tmp_path):
    text = (study / "counts.csv").read_text()
    (study / "counts.csv").write_text(text + "\n")
    with pytest.raises(RunFolderError, match=r"counts\.csv was changed after the study, so its counts cannot be used"):
        earlier_tells(study, problem(tmp_path))
    (study / "counts.csv").write_text(text)
    assert len(earlier_tells(study, problem(tmp_path))) == len(read_journal(study / NAME))


# --- Counts of the small study ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "study"
    return tune(small.scenario(), **CHEAP, out=out, workers=1).folder


def test_earlier_counts_are_known_to_the_search_and_blocks_come_after_theirs(whole, tmp_path):
    about = freed(tmp_path, ("target.win_rate", "0.5"))
    now = problem_of(about)
    earlier = earlier_tells(whole, now)
    before = [one.tell for one in read_journal(whole / NAME)]
    assert [tell[1:] for tell in earlier] == [tell[1:] for tell in before]
    assert np.array([tell.point for tell in earlier]) == pytest.approx(np.array([tell.point for tell in before]))
    out = tmp_path / "study"
    tune(about, budget=40_000, method="random", warm_start=whole, out=out, workers=1)
    new = read_journal(out / NAME)
    assert min(one.tell.block for one in new) == max(tell.block for tell in earlier) + 1
    assert new[0].tell.point == now.start
    board = Scoreboard(now.search_space, now.segments, None)  # by the new targets
    board.add(earlier)
    assert [next(one.tell.point for one in new if one.stage == SEARCH)] == board.best(1)
    rows = (out / "counts.csv").read_text().splitlines()
    assert sum(row.startswith("earlier,") for row in rows) == 2 * len(earlier)
    assert read_manifest(out, "study")["study"]["earlier"] == len(earlier)


def test_settings_outside_the_new_bounds_are_left_out(whole, tmp_path):
    narrow = problem_of(freed(tmp_path, ("game.bounds.difficulty", "[-1.0, 1.0]")))
    tells = earlier_tells(whole, narrow)
    assert 0 < len(tells) < len(read_journal(whole / NAME))
    assert all(abs(values_of(narrow.space, tell.point)[0]) <= 1.0 for tell in tells)


def test_a_default_beside_the_middle_of_narrow_bounds_is_the_same_setting(whole, tmp_path):
    narrow = problem_of(freed(tmp_path, ("game.bounds.guess", "[0.019999, 0.020001]")))
    assert {tell.point[0] for tell in earlier_tells(whole, narrow)} == {0.5}


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (("game.name", '"boss_duel"'), "its game is logistic, but the new game is boss_duel"),
        (("cohort.old.traits.skill", "0.5"), "the players of old have changed"),
        (("target.after_attempts", "7"), "the players of new have changed"),
        (("cohort.old.name", '"ancient"'), "it has no counts of ancient"),
    ],
)
def test_counts_of_something_else_are_refused(whole, tmp_path, setting, sentence):
    with pytest.raises(ScenarioError, match=f"warm start from .*{sentence}.*; start without it"):
        earlier_tells(whole, problem_of(freed(tmp_path, setting)))


def test_an_incomplete_study_is_refused(whole, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(whole, broken)
    data = (broken / NAME).read_bytes()
    (broken / NAME).write_bytes(data[:-1])
    with pytest.raises(RunFolderError, match=r"journal\.txt was changed after the study"):
        earlier_tells(broken, small_problem())
