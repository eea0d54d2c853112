"""Real plays: people who tried Sokoban puzzles (source and license: sokoban/LICENSE)."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sims.calibration.calibration import calibrate

TRIALS = Path(__file__).parent / "sokoban" / "trials.csv"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return calibrate(TRIALS, out=tmp_path_factory.mktemp("sokoban") / "out")


def test_unseen_people_are_predicted_better_than_by_either_rival(found):
    tried = found.findings.checks.unseen_players
    assert tried is not None
    assert tried.model.log_loss < tried.trivial.log_loss < tried.one_rate.log_loss
    assert tried.model.error < tried.trivial.error < tried.one_rate.error


def test_people_differ_in_skill_as_all_of_the_data_say(found):
    """All 270 people: sd 1.98, standard error .15, by this fit; half of them must agree within four errors."""
    place = found.findings.fit.levels + found.findings.fit.names.index("log_skill_sd")
    error = math.sqrt(found.findings.fit.covariance[place, place] + (0.15 / 1.98) ** 2)
    assert abs(math.log(found.findings.fit.skill_sd / 1.98)) < 4.0 * error


def test_what_the_file_cannot_tell_is_said(found):
    words = " ".join(found.sentences)
    for missing in (
        "sessions, so players do not tire",
        "who quit, so quitting is as by default",
        "guessing and lapses",
    ):
        assert f"Not in the file, so assumed: {missing}" in words
    assert "After 100 % of their losses players went to another level." in words
    assert found.findings.table.form == "attempts"  # counts of one try each, in an order
