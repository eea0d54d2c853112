"""gap_runner keeps its rules, and its score says how cleanly a runner goes."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import numpy as np
import pytest

from benchmarks import naive_gap_runner
from engine.attempt import Address, Result, attempt_of, unpack_params
from engine.batch import Crowd, batch_rows
from engine.contract.game_floors import sensible_of
from engine.contract.game_rules import faculties_at, step_through, values_at
from engine.game import LOST, PERFECT, RUNNING, WON
from engine.kernel import compiled
from engine.players import distribution_table
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
    JUMP_HEIGHT,
    JUMP_LENGTH,
    RUN,
    SPIKE,
    SPIKE_HEIGHT,
    SPIKE_WIDTH,
    build,
    cause,
    expert,
    foreseen,
    obstacle,
    score,
    start,
    status,
    step,
)

SEED = 27_182
WIDTHS = {GAP: 2.5, SPIKE: SPIKE_WIDTH, BEAM: BEAM_WIDTH}
AT = 20.0  # m, where the one obstacle of these tests begins
# m after the take-off and before the landing, between which an arc is higher than a spike
LOW = 0.5 * JUMP_LENGTH * (1.0 - math.sqrt(1.0 - SPIKE_HEIGHT / JUMP_HEIGHT))
ERRORS = 4.0  # standard errors that noise is granted


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
    for late in (0.0, 0.15, 0.3, 0.45, -0.15):
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
    for late in (-2.0, 0.0, 0.3):
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


def hearts_lost(kind, width, speed, take_off):
    """By who runs for 30 ticks, jumps, and wants to be down again at once if it is for a beam."""
    params = unpack_params(GAME)(values_at(GAME, 0.3))._replace(speed=speed)
    level = build(params, key_of(SEED, 0, LEVEL, 0, 0))
    first = start(params, level, key_of(SEED, 0, START, 0, 0))
    state = first._replace(x=take_off - 0.5 * speed, at=AT, width=width, kind=kind)
    tick = 0
    while state.ahead == 0:
        after = DUCK if kind == BEAM else RUN
        action = RUN if tick < 30 else JUMP if tick == 30 else after
        state = step(params, level, state, action, key_of(SEED, 0, CHANCE, 0, 0), tick)
        tick += 1
    return params.hearts - state.hearts


def safe_take_offs(kind, width):
    """First and last place, in m, from which a jump passes an obstacle unhurt."""
    if kind == GAP:
        return AT + width - JUMP_LENGTH, AT
    if kind == SPIKE:
        return AT + width + HALF_WIDTH + LOW - JUMP_LENGTH, AT - HALF_WIDTH - LOW
    return -math.inf, AT - HALF_WIDTH - JUMP_LENGTH  # down again before the beam


@pytest.mark.parametrize("kind", [GAP, SPIKE, BEAM])
def test_the_place_of_a_jump_decides_who_is_hurt_whatever_the_speed_and_wherever_ticks_end(kind):
    dice = random.Random(SEED + kind)
    lost = set()
    for _ in range(2000):
        width = dice.uniform(1.2, 3.6) if kind == GAP else WIDTHS[kind]
        speed, take_off = dice.uniform(5.0, 10.0), dice.uniform(AT - 6.5, AT + 1.0)
        first, last = safe_take_offs(kind, width)
        expected = 0 if first <= take_off <= last else 1
        assert hearts_lost(kind, width, speed, take_off) == expected, (width, speed, take_off)
        lost.add(expected)
    assert lost == {0, 1}


@pytest.mark.thorough
def test_nowhere_does_a_little_more_speed_make_the_game_easier():
    # Steps of 0.7 %. When only the ends of ticks counted, an arc was as high as a spike after a whole number of ticks,
    # and where that number fell by one, at 5.16, 6.41 and 8.48 m/s, the win rate rose by up to 0.025 from one step on.
    names = [knob.name for knob in GAME.space]
    speeds = 5.0 * 2.0 ** (np.arange(101) / 100)
    values = np.tile(GAME.space.defaults(), (len(speeds), 1))
    values[:, names.index("speed")] = speeds
    players = 6000
    won = batch_rows(GAME, values, Crowd(distribution_table({}), players), SEED)["outcome"][:, :, 0] == WON
    assert won[0].mean() > won[-1].mean() + 0.2
    for (slower, before), (faster, after) in pairwise(zip(speeds, won.astype(np.float64), strict=True)):
        gained = after - before  # of the same players with the same luck
        assert gained.mean() <= ERRORS * gained.std() / np.sqrt(players), (slower, faster)


def test_the_naive_twin_takes_the_same_steps():
    dice = random.Random(SEED)
    kinds, actions = ("gap", "spike", "beam"), ("run", "jump", "duck")
    met = set()
    for number in range(40):
        knobs = unpack_params(GAME)(values_at(GAME, dice.random()))
        params = knobs._replace(hearts=100, hazards=2)  # so that every obstacle is met
        level = build(params, key_of(SEED, 0, LEVEL, 0, number))
        state = start(params, level, key_of(SEED, 0, START, 0, number))
        twin = naive_gap_runner.Runner(naive_gap_runner.Settings(**params._asdict()), random.Random(0))
        things = [obstacle(params, level, index) for index in range(params.obstacles)]
        twin.obstacles = [naive_gap_runner.Obstacle(kinds[thing.kind], thing.at, thing.width) for thing in things]
        left = fumble = 0
        while status(params, level, state) == RUNNING:
            if left == 0 and dice.random() < 0.03:
                left, fumble = dice.randint(1, 20), dice.randrange(3)
            action = fumble if left else expert(params, level, state, PERFECT)
            left = max(left - 1, 0)
            before = state
            state = step(params, level, state, action, key_of(SEED, 0, CHANCE, 0, number), 0)
            twin.step(actions[action])
            assert (twin.hearts, twin.ahead, twin.ducking) == (state.hearts, state.ahead, state.ducking == 1)
            assert (twin.x < twin.landing, twin.x) == (state.flown > 0.0, state.x)
            if state.ahead > before.ahead:
                met.add((before.kind, state.hearts < before.hearts))
    assert met == {(kind, hurt) for kind in (GAP, SPIKE, BEAM) for hurt in (True, False)}


def test_a_perfect_player_scores_nearly_all_and_skill_scores_more():
    kernel = compiled(attempt_of(GAME))
    values = values_at(GAME, 0.5)

    def scores(faculties):
        return np.array([Result(*kernel(values, faculties, SEED, 0, 0, number, 0)).score for number in range(400)])

    assert scores(PERFECT).min() > 0.9
    better, worse = scores(faculties_at(1.0)), scores(faculties_at(-1.0))
    assert better.mean() - worse.mean() > ERRORS * np.hypot(better.std(), worse.std()) / np.sqrt(400.0)


def test_a_hit_is_hardly_ever_from_a_key_still_held():
    hits = held = 0
    for number in range(120):
        address = Address(SEED, 0, 0, number, 0)
        moments = list(step_through(GAME, values_at(GAME, (0.2, 0.4, 0.6)[number % 3]), faculties_at(0.0), address))
        for before, after in pairwise(moments):
            if after.state.hearts < before.state.hearts:
                hits += 1
                # The key that made the last jump is down on the ground, where only a fresh press jumps.
                held += before.action == JUMP and before.state.held == JUMP and before.state.flown == 0.0
    assert hits > 80
    assert held / hits <= 0.03


def test_whoever_has_no_latency_wins_nowhere_less_than_the_median_player_and_more_where_timing_decides():
    play = compiled(sensible_of(GAME))
    median = faculties_at(0.0)
    quick = median._replace(reaction_s=0.0, reaction_sd_s=0.0, reaction_tail_s=0.0)
    rounds = 4000
    for tenth in range(11):
        values = values_at(GAME, tenth / 10)
        theirs, ours = (play(values, who, SEED, 0, 0, rounds) / rounds for who in (median, quick))
        noise = ERRORS * math.sqrt((theirs * (1 - theirs) + ours * (1 - ours)) / rounds)
        assert ours >= theirs - noise
        assert ours > theirs + noise or tenth < 4  # before, nearly all hits are slips and lapses


def test_a_jump_that_is_seen_coming_errs_to_both_sides_and_one_that_is_not_is_late():
    params, level, state, _ = placed(speed=7.0, sight_m=8.0)
    median = faculties_at(0.0)
    assert expert(params, level, state, median) == RUN
    lead_s = median.reaction_s + median.reaction_tail_s
    near = state._replace(x=take_off(SPIKE) - lead_s * params.speed + 1e-6)
    assert expert(params, level, near, median) == JUMP
    assert foreseen(params, level, near, median, JUMP) == pytest.approx(lead_s)
    assert foreseen(params, level, near, median, RUN) == 0.0
    past = state._replace(x=take_off(SPIKE) + 0.2)
    assert foreseen(params, level, past, median, JUMP) == 0.0
    assert expert(params, level, near._replace(stumbling=1), median) == RUN


def placed(**knobs):
    """params, level, a state well before one spike, and its chance key."""
    params = unpack_params(GAME)(values_at(GAME, 0.3))._replace(**knobs)
    level = build(params, key_of(SEED, 0, LEVEL, 0, 0))
    first = start(params, level, key_of(SEED, 0, START, 0, 0))
    state = first._replace(x=AT - 7.5, at=AT, width=SPIKE_WIDTH, kind=SPIKE)
    return params, level, state, key_of(SEED, 0, CHANCE, 0, 0)


def test_who_was_hit_is_past_the_obstacle_however_its_place_is_rounded():
    dice = random.Random(SEED)
    for _ in range(3000):
        params, level, state, key = placed(speed=dice.uniform(5.0, 10.0), obstacles=1)
        at = dice.uniform(10.0, 300.0)
        width = dice.uniform(1.0, 4.0)
        hit = step(params, level, state._replace(x=at + 0.01, at=at, width=width, kind=GAP), RUN, key, 0)
        assert (hit.hearts, hit.ahead, hit.stumbling) == (params.hearts - 1, 1, 1)
        assert step(params, level, hit, RUN, key, 1).stumbling == 0
