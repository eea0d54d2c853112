"""gap_runner keeps its rules, and its score says how cleanly a runner goes."""

from __future__ import annotations

import numpy as np
import pytest

from engine.attempt import Result, attempt_of, unpack_params
from engine.contract.game_rules import faculties_at, values_at
from engine.game import LOST, PERFECT, RUNNING, WON
from engine.kernel import compiled
from engine.randomness import CHANCE, LEVEL, START, key_of
from games.gap_runner import (
    BEAM,
    BEAM_WIDTH,
    DUCK,
    DUCK_EARLY,
    GAME,
    GAP,
    HALF_WIDTH,
    JUMP,
    JUMP_LENGTH,
    RUN,
    SPIKE,
    SPIKE_WIDTH,
    build,
    cause,
    score,
    start,
    status,
    step,
)

SEED = 27_182
WIDTHS = {GAP: 2.5, SPIKE: SPIKE_WIDTH, BEAM: BEAM_WIDTH}
AT = 20.0  # m, where the one obstacle of these tests begins


def run_past(kind, action, begins, *, lets_go=False, ends=1e9):
    """The state behind one obstacle, when an action is held from one place to another; lets_go: for one tick only."""
    params = unpack_params(GAME)(values_at(GAME, 0.3))
    level = build(params, key_of(SEED, 0, LEVEL, 0, 0))
    first = start(params, level, key_of(SEED, 0, START, 0, 0))
    state = first._replace(x=AT - 12.0, at=AT, width=WIDTHS[kind], kind=kind)
    acted = False
    while state.ahead == 0:
        wanted = action if begins <= state.x < ends and not (acted and lets_go) else RUN
        acted = acted or wanted == action
        state = step(params, level, state, wanted, key_of(SEED, 0, CHANCE, 0, 0), 0)
    return params, state


def take_off(kind):
    """Where a jump begins whose top is right above the middle of the obstacle."""
    return AT + 0.5 * (WIDTHS[kind] - JUMP_LENGTH)


@pytest.mark.parametrize("kind", [GAP, SPIKE])
def test_the_nearer_the_top_of_the_jump_the_cleaner(kind):
    clean = []
    for late in (0.0, 0.3, 0.6, 0.8, -0.3):
        params, state = run_past(kind, JUMP, take_off(kind) + late)
        assert state.hearts == params.hearts
        clean.append(state.clean)
    tick = params.speed / 60.0 / (0.5 * (JUMP_LENGTH - WIDTHS[kind]))  # what one tick too late costs
    assert 1.0 - 2.0 * tick <= clean[0] <= 1.0
    assert clean[0] > clean[1] > clean[2] > clean[3] > 0.0
    assert clean[4] < clean[0]


@pytest.mark.parametrize("early", [1.3, 1.4, 1.5, 1.6])
def test_a_spike_that_hurts_at_its_far_end_is_not_clean_though_its_middle_was_passed(early):
    params, state = run_past(SPIKE, JUMP, take_off(SPIKE) - early)
    assert state.hearts == params.hearts - 1
    assert state.clean == pytest.approx(0.0, abs=1e-12)


def test_a_beam_that_does_not_hurt_is_clean_and_who_stands_up_under_it_was_not():
    begins = AT - HALF_WIDTH - DUCK_EARLY
    for late in (-2.0, 0.0, 0.6):
        params, state = run_past(BEAM, DUCK, begins + late)
        assert (state.hearts, state.clean) == (params.hearts, 1.0)
    for ends in (AT - 0.1, AT + 0.3, AT + 0.5, AT + BEAM_WIDTH):
        params, state = run_past(BEAM, DUCK, begins, ends=ends)
        assert (state.hearts, state.clean) == (params.hearts - 1, 0.0), ends


@pytest.mark.parametrize(
    ("kind", "action", "begins"),
    [(GAP, RUN, 0.0), (GAP, DUCK, 0.0), (SPIKE, RUN, 0.0), (SPIKE, JUMP, AT), (BEAM, RUN, 0.0), (BEAM, JUMP, AT - 2.0)],
)
def test_a_mistake_costs_a_heart_and_is_not_clean_at_all(kind, action, begins):
    params, state = run_past(kind, action, begins, lets_go=kind != BEAM)
    assert (state.hearts, state.hurt_by, state.clean) == (params.hearts - 1, kind, 0.0)


def test_outcomes_and_causes():
    params, state = run_past(GAP, RUN, 0.0)
    level = build(params, key_of(SEED, 0, LEVEL, 0, 0))
    assert status(params, level, state) == RUNNING
    assert status(params, level, state._replace(x=level.goal)) == WON
    last = state._replace(hearts=0)
    assert (status(params, level, last), cause(params, level, last)) == (LOST, GAP)
    assert score(params, level, state._replace(clean=float(params.obstacles))) == 1.0


def test_a_perfect_player_scores_nearly_all_and_skill_scores_more():
    kernel = compiled(attempt_of(GAME))
    values = values_at(GAME, 0.5)

    def scores(faculties):
        return np.array([Result(*kernel(values, faculties, SEED, 0, 0, number, 0)).score for number in range(400)])

    assert scores(PERFECT).min() > 0.9
    better, worse = scores(faculties_at(1.0)), scores(faculties_at(-1.0))
    assert better.mean() - worse.mean() > 4.0 * np.hypot(better.std(), worse.std()) / np.sqrt(400.0)
