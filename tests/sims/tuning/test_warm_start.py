"""Counts of an earlier study are used where they are of the same thing, and it is said where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import RunFolderError, ScenarioError
from sims.catalog import Catalog
from sims.tuning import warm_start
from sims.tuning.command import StudyRequest, tune
from sims.tuning.journal import NAME, read_journal
from sims.tuning.problem import Problem, free_scenario, problem_of
from sims.tuning.search.search_space import values_of
from sims.tuning.warm_start import earlier_tells
from tests.kit.small import TEXT

SCENARIO = TEXT.format(game="gap_runner", controller="weighted_up_down", players=40, attempts=2000)


HEARTS = 5  # the place of the knob "hearts"


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """A study of all knobs of a game."""
    folder: Path = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.tuning.answer.report.page", lambda *facts: "cheap")
        request = StudyRequest(4000, method="random")
        assert tune(problem(folder).scenario, request, out=folder / "study", workers=1, quiet=True) == 0
    return folder / "study"


def problem(folder: Path, **settings: str) -> Problem:
    (folder / "small.toml").write_text(SCENARIO)
    pairs = [(name.replace("__", "."), value) for name, value in settings.items()]
    return problem_of(free_scenario(folder / "small.toml", Catalog(), pairs))


def test_where_a_knob_is_held_now_only_settings_with_its_value_count(study, tmp_path):
    told = [one.tell for one in read_journal(study / NAME)]
    hearts = [values_of(problem(tmp_path).space, tell.point)[HEARTS] for tell in told]
    held = problem(tmp_path, game__params__hearts="3")
    found = earlier_tells(study, held)
    assert len(found) == hearts.count(3.0)
    assert 0 < len(found) < len(told)
    assert all(values_of(held.space, tell.point)[HEARTS] == 3.0 for tell in found)


def test_a_study_of_other_settings_alone_is_refused(study, tmp_path):
    with pytest.raises(ScenarioError, match="none of its settings lies within the bounds and held values of now"):
        earlier_tells(study, problem(tmp_path, game__bounds__speed="[9.999, 10.0]"))


def test_counts_of_other_rules_are_refused(study, tmp_path, monkeypatch):
    monkeypatch.setattr(warm_start, "code_digests", lambda setup: {"game": "another"})
    with pytest.raises(ScenarioError, match="the rules of gap_runner have changed since; leave it out"):
        earlier_tells(study, problem(tmp_path))


def test_a_study_in_which_a_file_has_changed_is_refused(study, tmp_path):
    text = (study / "counts.csv").read_text()
    (study / "counts.csv").write_text(text + "\n")
    with pytest.raises(RunFolderError, match=r"counts\.csv is not as the study wrote it, so its counts cannot be used"):
        earlier_tells(study, problem(tmp_path))
    (study / "counts.csv").write_text(text)
    assert len(earlier_tells(study, problem(tmp_path))) == len(read_journal(study / NAME))
