"""What is measured before a run: told once, done before workers start, and the same with any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from controllers.adaptive.elo import CONTROLLER as ELO
from controllers.references.oracle import CONTROLLER as ORACLE
from engine.players import Distribution
from engine.response.level_curves import attempts_behind, level_curves, measure_levels
from games.boss_duel import GAME as BOSS_DUEL
from games.logistic import GAME as LOGISTIC
from sims.runs.measuring import measure_first
from tests.kit.worlds import FAITHFUL, setup_of

TARGETS = [0.9, 0.6, 0.8]
MEDIAN = {**FAITHFUL, "skill": Distribution("normal", 0.0, 0.4)}


def campaign(game, kind=ELO, targets=TARGETS):
    return setup_of(game, kind, cohorts=(MEDIAN,), counts=(4,), levels=3, targets=[targets], space=game.space)


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWDIAL_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.usefixtures("empty_cache")
def test_levels_are_measured_once_and_announced_with_their_attempts():
    told: list[str] = []
    made = campaign(BOSS_DUEL)
    assert attempts_behind(made) == 3 * 8_192
    for _ in range(2):
        measure_first(made, threads=2, on_message=told.append)
    assert told == ["Measuring once how difficulty acts on 3 levels of boss_duel, with 24,576 attempts ..."]
    assert np.array_equal(level_curves(made).chances, measure_levels(campaign(BOSS_DUEL)).chances)


@pytest.mark.parametrize(
    "made",
    [campaign(LOGISTIC), campaign(LOGISTIC, ORACLE), campaign(BOSS_DUEL, targets=[0.7] * 3)],
    ids=["closed form", "a reference of a closed form", "one target"],
)
def test_nothing_is_said_where_nothing_is_measured(made):
    told: list[str] = []
    measure_first(made, threads=1, on_message=told.append)
    assert told == []


@pytest.mark.usefixtures("empty_cache")
def test_threads_change_no_number(tmp_path, monkeypatch):
    one = measure_levels(campaign(BOSS_DUEL)).chances
    monkeypatch.setenv("FLOWDIAL_CACHE_DIR", str(tmp_path / "other"))
    assert np.array_equal(one, measure_levels(campaign(BOSS_DUEL), threads=3).chances)
