"""Levels with targets of their own: where the engine moves the dial for rules, and what shared ones learn of levels."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from controllers.adaptive.elo import CONTROLLER as ELO
from controllers.adaptive.kalman import CONTROLLER as KALMAN
from controllers.adaptive.weighted_up_down import CONTROLLER as UP_DOWN
from controllers.deterministic.constant import CONTROLLER as CONSTANT
from controllers.references.oracle import CONTROLLER as ORACLE
from engine.controller import Outcome, Setting, Situation, Who
from engine.game import WON
from engine.players import Distribution
from engine.response.level_curves import level_curves
from engine.response.level_shifts import OnLevels, level_shifts, shifts_levels
from engine.world import controller_of
from games.logistic import GAME as LOGISTIC
from tests.kit.laid_out import LAID_OUT, SPACE, true_chances
from tests.kit.worlds import FAITHFUL, played, setup_of

TARGETS = [0.9, 0.6, 0.8, 0.7, 0.85, 0.5]
ALIKE = {**FAITHFUL, "skill": Distribution("normal", 0.0, 0.4), "learning": Distribution("fixed", 0.0)}


def campaign(kind, players=40, game=LAID_OUT, targets=TARGETS, **changes):
    return setup_of(
        game, kind, cohorts=(ALIKE,), counts=(players,), levels=len(targets), targets=[targets], space=SPACE,
        **{"attempts_per_player": 60, **changes},
    )  # fmt: skip


def gaps(setup):
    """By level: the true win probability less the target, in the mean over attempts."""
    rows = played(setup).rows
    chances = true_chances(rows, setup.seed)
    return np.array([chances[rows["level"] == level].mean() - target for level, target in enumerate(TARGETS, 1)])


@pytest.mark.parametrize("kind", [UP_DOWN, ELO, KALMAN], ids=lambda kind: kind.name)
def test_a_shared_rule_is_on_the_target_of_every_level(kind, monkeypatch):
    made = campaign(kind, 400, scope="cohort")
    assert np.abs(gaps(made)).max() < 0.05
    alone = replace(made)
    with monkeypatch.context() as patch:
        patch.setattr("engine.world.shifts_levels", lambda setup: False)
        assert np.abs(gaps(alone)).max() > 0.1, "the rule alone knows neither layouts nor levels"


def test_a_rule_of_one_player_starts_a_level_where_the_cohort_wins_it_as_often_as_wanted():
    made = campaign(UP_DOWN, 400)
    curves = level_curves(made)
    rows = played(made).rows
    first = rows[(rows["attempt"] == 0)]
    assert first["difficulty"] == pytest.approx(np.full(400, curves.place(0, 1, TARGETS[0])))
    assert np.abs(gaps(made)).max() < 0.08, "players differ, and each has a few attempts a level"


def test_the_oracle_is_on_every_target():
    assert np.abs(gaps(campaign(ORACLE, 200))).max() < 0.02


@pytest.mark.parametrize("kind", [UP_DOWN, ELO, KALMAN], ids=lambda kind: kind.name)
def test_a_session_in_one_call_and_attempts_one_by_one_give_the_same_bytes(kind):
    made = campaign(kind)
    for one, other in zip(played(made).tables, played(made, one_by_one=True).tables, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    "setup",
    [
        campaign(CONSTANT),  # a schedule is played as it is written
        campaign(ORACLE),  # it reads the level
        campaign(UP_DOWN, targets=[0.7] * 6),  # one target for all levels
        setup_of(LOGISTIC, UP_DOWN),
    ],
    ids=["schedule", "reference", "one target", "endless"],
)
def test_nothing_is_moved_where_levels_have_no_targets_of_their_own(setup):
    assert not shifts_levels(setup)
    assert not level_shifts(setup).any()
    assert not isinstance(controller_of(setup, 0), OnLevels)


def test_a_rule_that_heeds_the_target_is_moved_by_what_is_left():
    """In a closed form levels differ by their targets alone: elo moves itself, up_down does not."""
    moved = {kind.name: level_shifts(campaign(kind, game=LOGISTIC)) for kind in (UP_DOWN, ELO)}
    curves = level_curves(campaign(ELO, game=LOGISTIC))
    places = np.array([curves.place(0, level, target) for level, target in enumerate(TARGETS, 1)])
    assert np.ptp(moved["weighted_up_down"][0] - places) < 1e-12
    assert np.ptp(moved["elo"]) < np.ptp(moved["weighted_up_down"])


def test_curves_are_those_of_the_closed_form_and_say_what_is_out_of_reach():
    made = campaign(UP_DOWN, game=LOGISTIC, floor=0.3, ceiling=0.6)
    curves = level_curves(made)
    skills = 0.4 * np.random.default_rng(3).normal(size=400_000)
    for k in (0, 50, 100):
        hardness = -4.0 + 8.0 * float(curves.places[k])
        lapse = 1.0 / (1.0 + np.exp(3.9 + 0.5 * skills))
        expected = (0.02 + (0.98 - lapse) / (1.0 + np.exp(-(skills - hardness)))).mean()
        assert abs(curves.chances[0, 0, k] - expected) < 4.0 * 0.4 * 0.25 / math.sqrt(200)
    assert curves.nearest(0, 1, 0.99) == curves.chances[0, 0, 0] < 0.99
    assert curves.nearest(0, 1, 0.05) == curves.chances[0, 0, -1] > 0.05
    assert curves.nearest(0, 1, 0.6) == 0.6
    assert curves.place(0, 1, 0.99) == 0.3
    assert curves.place(0, 1, 0.05) == 0.6
    place = curves.place(0, 1, 0.6)
    assert np.interp(place, curves.places, curves.chances[0, 0]) == pytest.approx(0.6)


def test_what_was_learnt_of_levels_is_remembered_and_goes_no_further_at_an_end_of_the_dial():
    made = campaign(UP_DOWN, scope="cohort")
    first = controller_of(made, 0)
    assert isinstance(first, OnLevels)
    who = Who(3, 0, Situation(TARGETS[1], 4, 2, 4, 1.0))
    before = first.ask(who).difficulty
    for _ in range(20):
        first.tell(Outcome(who, first.ask(who), True, 1.0, 1.0, 30.0))
    assert first.ask(who).difficulty > before + 0.05
    second = controller_of(made, 0)
    assert isinstance(second, OnLevels)
    second.remember(json.loads(json.dumps(first.memory())))
    assert second.ask(who) == first.ask(who)
    learnt = first.memory()["learnt"]
    first.tell(Outcome(who, Setting(1.0), True, 1.0, 1.0, 30.0))
    assert first.memory()["learnt"] == learnt


def test_where_each_replica_has_levels_of_its_own_they_are_fresh_layouts_to_all():
    made = campaign(UP_DOWN, layouts="per_replica", replicas=2)
    curves = level_curves(made)
    assert np.ptp(curves.chances[0], axis=0).max() < 1e-9
    own = level_curves(campaign(UP_DOWN, level_seed=77))
    assert np.ptp(own.chances[0], axis=0).max() > 0.1
    assert not np.array_equal(own.chances, level_curves(campaign(UP_DOWN)).chances), "the seed of levels draws them"


def test_rows_say_what_was_played():
    rows = played(campaign(UP_DOWN)).rows
    assert ((rows["difficulty"] >= 0.0) & (rows["difficulty"] <= 1.0)).all()
    assert set(np.unique(rows["target"])) <= set(TARGETS)
    assert (rows["outcome"] == WON).any()
