"""A knob in seconds that acts in whole ticks is recognised, and one that acts between ticks is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.doors import GAME as DOORS
from benchmarks.doors import TICK_S, State, step
from engine.contract.game_stairs import acts_between_ticks, is_staircase, may_be_staircase
from games.boss_duel import GAME as BOSS_DUEL
from games.gap_runner import GAME as GAP_RUNNER


def knob(name):
    return DOORS.space.names.index(name)


def test_both_knobs_in_seconds_are_staircases_and_the_others_are_not():
    found = [may_be_staircase(DOORS, j) and is_staircase(DOORS, DOORS.space.defaults(), j) for j in range(4)]
    assert found == [True, True, False, False]


def test_a_step_has_a_sentence_with_the_values_between_which_nothing_changes():
    (sentence,) = acts_between_ticks(DOORS)
    assert sentence.startswith("open_s: a knob in seconds should act between ticks, too, but from 0.")
    assert "every attempt ends in the same way" in sentence
    assert sentence.endswith("count it in ticks of 0.03333 s, or let the rest of a tick matter")


def carried(params, level, state, action, key, tick):
    """As `step`, but what a tick takes too much of a visit is missing in the next one."""
    clock_s, visitor, greeted, friends, mistakes = step(params, level, state, action, key, tick)
    if visitor > state.visitor:
        clock_s = state.clock_s + TICK_S - params.pause_s - params.open_s
    return State(clock_s, visitor, greeted, friends, mistakes)


def test_a_game_that_lets_the_rest_of_a_tick_matter_has_no_stairs():
    mended = replace(DOORS, step=carried)
    assert not is_staircase(mended, mended.space.defaults(), knob("open_s"))
    assert list(acts_between_ticks(mended)) == []


@pytest.mark.parametrize("other", [GAP_RUNNER, BOSS_DUEL])
def test_games_of_turns_and_knobs_in_other_units_have_none(other):
    assert not any(may_be_staircase(other, j) for j in range(len(other.space)))
