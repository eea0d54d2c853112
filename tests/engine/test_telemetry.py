"""Between players and controllers: bounds, late results, releases on a timetable, and who shares what."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from controllers.adaptive.weighted_up_down import CONTROLLER as WEIGHTED_UP_DOWN
from controllers.deterministic.constant import CONTROLLER as CONSTANT
from engine.controller import Outcome, Situation, Who
from engine.faults import BAD_PROPOSAL
from engine.game import WON
from engine.parameters import along, to_real
from engine.session import UNKNOWN
from engine.world import chunks, simulate
from games.gap_runner import GAME as GAP_RUNNER
from tests.kit.worlds import FAITHFUL, Proposals, Recorder, kind_of, of_player, played, setup_of

HOUR_S = 3600.0


def recorded(scope="everyone", **changes):
    """One recorder for each chunk, and what was played."""
    recorders: list[Recorder] = []

    def make() -> Recorder:
        recorders.append(Recorder())
        return recorders[-1]

    setup = setup_of(kind=kind_of(make, scope), **{"cohorts": (FAITHFUL,), "attempts_per_player": 20, **changes})
    found = [simulate(setup, chunk) for chunk in chunks(setup)]
    return setup, [recorder for recorder in recorders if recorder.settings], found


def played_at(rows, outcome):
    """The row of an outcome."""
    mine = of_player(rows, outcome.who.player)
    return mine[outcome.who.situation.attempt]


# --- What is told


def test_an_own_controller_hears_of_each_attempt_before_it_is_asked_again():
    _, recorders, _ = recorded("player", counts=(1,))
    kinds = [kind for kind, _ in recorders[0].events]
    assert kinds == ["ask", "tell"] * 20


@pytest.mark.parametrize("scope", ["player", "cohort", "everyone"])
@pytest.mark.parametrize("delay_s", [0.0, 45.0, 5 * HOUR_S])
def test_an_outcome_is_told_once_in_time_and_at_the_setting_it_was_played_at(scope, delay_s):
    setup, recorders, found = recorded(scope, counts=(6,), delay_s=delay_s)
    for recorder, part in zip(recorders, found, strict=True):
        waiting = {outcome.setting.ticket: outcome for outcome in recorder.told}
        assert len(waiting) == len(recorder.told) > 0
        for kind, event in recorder.events:
            if isinstance(event, Outcome):
                row = played_at(part.rows, event)
                who, asked = recorder.settings[event.setting.ticket]
                assert event.setting == asked
                assert event.who._replace(situation=event.who.situation._replace(last=0.0)) == who._replace(
                    situation=who.situation._replace(last=0.0)
                )
                assert row["difficulty"] == asked.difficulty
                assert event.won == (row["outcome"] == WON)
                assert event.progress == row["progress"]
                assert event.score == row["score"]
                assert event.played_s == row["start_s"] + row["duration_s"]
                waiting.pop(event.setting.ticket)
            elif scope != "player" or delay_s:
                assert kind == "ask"
                now_s = of_player(part.rows, event.player)["start_s"][event.situation.attempt]
                late = [outcome for outcome in waiting.values() if outcome.played_s + delay_s <= now_s]
                assert not late, "known by now, but not told"
    for recorder, part in zip(recorders, found, strict=True):
        _nothing_is_told_before_its_time(recorder, part.rows, setup)


def _nothing_is_told_before_its_time(recorder, rows, setup):
    if setup.scope == "player" and not setup.delay_s:
        return
    early = []
    for _, event in recorder.events:
        if isinstance(event, Outcome):
            early.append(event)
        else:
            now_s = of_player(rows, event.player)["start_s"][event.situation.attempt]
            assert all(outcome.played_s + setup.delay_s <= now_s for outcome in early)
            early.clear()
    assert not early


def test_results_that_come_after_the_last_question_are_never_told():
    _, recorders, found = recorded(counts=(3,), delay_s=1e9)
    assert recorders[0].told == []
    assert len(found[0].rows) == 60


def test_the_last_outcome_is_unknown_until_it_is_told():
    _, recorders, found = recorded(counts=(20,), delay_s=HOUR_S)
    told: set[tuple[int, int]] = set()
    seen = set()
    for _, event in recorders[0].events:
        if isinstance(event, Outcome):
            told.add((event.who.player, event.who.situation.attempt))
            assert event.who.situation.last in (0.0, 1.0)
            continue
        assert isinstance(event, Who)
        attempt, last = event.situation.attempt, event.situation.last
        seen.add(last)
        if attempt == 0:
            assert last == 1.0
        elif (event.player, attempt - 1) in told:
            before = of_player(found[0].rows, event.player)[attempt - 1]
            assert last == float(before["outcome"] == WON)
        else:
            assert last == -1.0
    assert seen == {-1.0, 0.0, 1.0}


def test_beliefs_are_those_before_the_attempt():
    _, _, found = recorded("player", counts=(1,))
    assert found[0].rows["beliefs"][:, 0].tolist() == [float(n + 1) for n in range(20)]


def test_a_rule_that_hears_late_steps_on_what_it_knows():
    prompt = played(setup_of(cohorts=(FAITHFUL,), counts=(6,)))
    late = played(setup_of(cohorts=(FAITHFUL,), counts=(6,), delay_s=1e9))
    assert set(late.rows["difficulty"]) == {0.5}
    assert len(set(prompt.rows["difficulty"])) > 10


# --- Releases


@pytest.mark.parametrize("scope", ["cohort", "everyone"])
def test_settings_stay_as_they_are_between_two_releases(scope):
    every_s = 6 * HOUR_S
    targets = [[0.7], [0.4]]
    setup, recorders, found = recorded(
        scope, cohorts=(FAITHFUL, FAITHFUL), counts=(8, 8), targets=targets, deploy_every_s=every_s, delay_s=HOUR_S
    )
    for part in found:
        releases = np.floor(part.rows["start_s"] / every_s)
        for cohort in set(part.rows["cohort"]):
            mine = part.rows["cohort"] == cohort
            for release in set(releases[mine]):
                assert len(set(part.rows["difficulty"][mine & (releases == release)])) == 1
            assert len(set(releases[mine])) == len(set(part.rows["difficulty"][mine])) > 3
    for recorder, part in zip(recorders, found, strict=True):
        _a_release_knows_what_was_known_when_it_was_made(recorder, part.rows, every_s, setup.delay_s)


def _a_release_knows_what_was_known_when_it_was_made(recorder, rows, every_s, delay_s):
    told = []
    for _, event in recorder.events:
        if isinstance(event, Outcome):
            told.append(event)
            continue
        situation = event.situation._replace(target=0.0, attempt=0, level=0, day=0)  # it counts releases and days
        assert situation == Situation(0.0, 0, 0, 0, UNKNOWN), "not who asks first"
        made_s = event.situation.attempt * every_s  # a release counts releases
        assert event.situation.day == int(made_s // 86400.0)
        assert made_s in np.floor(rows["start_s"] / every_s) * every_s
        assert all(outcome.played_s + delay_s <= made_s for outcome in told)


def test_each_level_of_a_campaign_has_a_release_of_its_own():
    _, recorders, found = recorded(counts=(10,), levels=4, targets=[[0.9, 0.7, 0.6, 0.5]], deploy_every_s=1e9)
    assert len(recorders[0].settings) == 4
    for level in range(1, 5):
        assert len(set(found[0].rows["difficulty"][found[0].rows["level"] == level])) == 1


# --- Who shares what


def test_a_cohort_or_everybody_shares_one_controller():
    for scope, expected in (("cohort", 2), ("everyone", 1)):
        _, recorders, found = recorded(scope, cohorts=(FAITHFUL, FAITHFUL), counts=(5, 5))
        assert len(recorders) == expected
        for recorder, part in zip(recorders, found, strict=True):
            assert len(recorder.settings) == len(part.rows) == 200 // expected
            tickets = np.sort(((part.rows["difficulty"] - 0.4) / 1e-4).round())
            assert tickets.tolist() == list(range(200 // expected))  # nobody was asked twice, nobody left out


def test_a_shared_rule_moves_with_everybody():
    alone = played(setup_of(cohorts=(FAITHFUL,), counts=(6,)))
    shared = played(setup_of(cohorts=(FAITHFUL,), counts=(6,), scope="everyone"))
    order = np.argsort(shared.rows["start_s"], kind="stable")
    steps = np.abs(np.diff(shared.rows["difficulty"][order]))
    assert steps.max() <= 6 * WEIGHTED_UP_DOWN.options().step
    assert set(alone.rows["difficulty"][alone.rows["attempt"] == 0]) == {0.5}
    assert set(shared.rows["difficulty"][shared.rows["attempt"] == 0]) != {0.5}


def test_who_arrives_at_the_same_moment_is_served_in_order():
    _, recorders, _ = recorded(counts=(12,), window_s=0.0)
    asked = [event.player for kind, event in recorders[0].events if isinstance(event, Who)]
    assert asked[:12] == list(range(12))


# --- What a controller may ask for


@pytest.mark.parametrize(
    ("asked", "held", "clipped"),
    [
        (0.1, 0.2, 1),
        (0.2, 0.2, 0),
        (0.55, 0.55, 0),
        (0.9, 0.9, 0),
        (1.5, 0.9, 1),
        (-math.inf, 0.2, 1),
        (math.inf, 0.9, 1),
    ],
)
def test_a_proposal_is_held_within_floor_and_ceiling(asked, held, clipped):
    bounds: dict[str, Any] = {"counts": (3,), "attempts_per_player": 4, "floor": 0.2, "ceiling": 0.9}
    by_hand = played(setup_of(kind=kind_of(lambda: Proposals(asked)), **bounds)).rows
    options = CONSTANT.options(asked)
    by_rule = [
        played(setup_of(kind=CONSTANT, options=options, **bounds), one_by_one=one_by_one).rows
        for one_by_one in (False, True)
    ]
    for rows in (by_hand, *by_rule):
        assert set(rows["difficulty"]) == {held}
        assert set(rows["clipped"]) == {clipped}
    assert by_rule[0].tobytes() == by_rule[1].tobytes()
    assert by_hand["state_hash"].tolist() == by_rule[0]["state_hash"].tolist()


def nowhere(options, state, situation):
    return math.nan


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_proposal_that_is_not_a_number_is_labelled_and_the_middle_is_played(one_by_one):
    assert CONSTANT.rule is not None
    kind = dataclasses.replace(CONSTANT, rule=dataclasses.replace(CONSTANT.rule, ask=nowhere))
    setup = setup_of(kind=kind, counts=(3,), attempts_per_player=4, floor=0.2, ceiling=0.6)
    rows = played(setup, one_by_one=one_by_one).rows
    assert set(rows["fault"]) == {BAD_PROPOSAL}
    assert set(rows["difficulty"]) == {0.4}


@pytest.mark.parametrize("units", [(0.5, math.nan, *[0.5] * 5), (0.5,)])
def test_units_that_cannot_be_played_are_labelled_and_the_middle_of_the_dial_is_played(units):
    setup = setup_of(GAP_RUNNER, kind_of(lambda: Proposals(0.5, units)), counts=(2,), attempts_per_player=2)
    rows = played(setup).rows
    assert set(rows["fault"]) == {BAD_PROPOSAL}
    middle = [to_real(setup.space.table(), j, along(setup.path, j, 0.5)) for j in range(len(setup.space))]
    assert {tuple(row) for row in rows["params"]} == {tuple(middle)}


def test_units_set_each_knob_and_are_held_within_bounds():
    units = (0.5, -1.0, 2.0, -0.1, 0.99, 0.0, 0.4)
    held = (0.5, 0.2, 0.9, 0.2, 0.9, 0.2, 0.4)
    setup = setup_of(
        GAP_RUNNER, kind_of(lambda: Proposals(0.5, units)), counts=(2,), attempts_per_player=2, floor=0.2, ceiling=0.9
    )
    rows = played(setup).rows
    assert set(rows["clipped"]) == {1}
    for row in rows:
        np.testing.assert_array_equal(row["params"], setup.space.real(held))


def test_units_within_bounds_are_played_as_asked():
    units = (0.5, 0.25, 0.125, 0.75, 0.5, 0.9, 0.1)
    setup = setup_of(GAP_RUNNER, kind_of(lambda: Proposals(0.3, units)), counts=(2,), attempts_per_player=2)
    rows = played(setup).rows
    assert set(rows["clipped"]) == {0}
    assert set(rows["difficulty"]) == {0.3}
    for row in rows:
        np.testing.assert_array_equal(row["params"], setup.space.real(units))


def test_a_setting_of_units_does_not_stick_to_the_next_one():
    class Alternating(Recorder):
        def ask(self, who):
            setting = super().ask(who)
            return setting._replace(units=(0.0,) * 7) if len(self.settings) % 2 else setting

    setup = setup_of(GAP_RUNNER, kind_of(lambda: Alternating(0.5, 0.0)), counts=(1,), attempts_per_player=6)
    rows = played(setup).rows
    on_dial, at_zero = setup.space.real([0.5] * 7), setup.space.real([0.0] * 7)
    for row, expected in zip(rows, [at_zero, on_dial] * 3, strict=False):
        np.testing.assert_array_equal(row["params"], expected)


def test_a_kind_without_rule_and_maker_is_refused():
    kind = kind_of(Recorder)
    setup = setup_of(kind=type(kind)(**{**vars(kind), "make": None}))
    with pytest.raises(ValueError, match="fake has neither"):
        played(setup)
