"""boss_duel keeps its rules, its picture tells no more than a player may know, and its twin agrees."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.cases import duel_agreement
from engine.attempt import Result, attempt_of, unpack_params
from engine.game import LOST, PERFECT, RUNNING, WON, Faculties
from engine.kernel import compiled
from engine.randomness import CHANCE, LEVEL, START, key_of, words
from games.boss_duel import (
    ANSWERS,
    ATTACK,
    BLOCK,
    BY_CRITICAL,
    DEALT,
    DODGE,
    EXHAUSTED,
    GAME,
    HEAL,
    HEALTH,
    HEAVY,
    LIGHT,
    REST,
    SPREAD,
    STRIKE,
    SWEEP,
    TAKEN,
    WAIT,
    build,
    cause,
    draw,
    expert,
    likeness,
    score,
    start,
    status,
    step,
)
from tests.kit.dial import check_dial

SEED = 31_415
MEDIAN = Faculties(0.0, 1.0, 0.3, 0.04, 0.1, 0.0, 0.0, 1.0)


def at(difficulty):
    """Values as rules see them on the straight dial."""
    return np.array(GAME.space.real([difficulty] * len(GAME.space)))


def opening(difficulty=0.5, number=0, **knobs):
    """params, level, first state and the first turn's luck of an attempt."""
    params = unpack_params(GAME)(at(difficulty))._replace(**knobs)
    level = build(params, key_of(SEED, 0, LEVEL, 0, number))
    state = start(params, level, key_of(SEED, 0, START, 0, number))
    return params, level, state, words(key_of(SEED, 0, CHANCE, 0, number), 1)


def test_the_best_answer_is_never_hurt_more_and_is_the_only_one_that_gains_in_full():
    for move in (LIGHT, HEAVY, SWEEP, REST):
        best = int(ANSWERS[move])
        assert TAKEN[move, best] == min(TAKEN[move])
        value = DEALT[move] - TAKEN[move]
        assert [a for a in range(5) if value[a] == max(value)] == [best]


@pytest.mark.parametrize("move", [LIGHT, HEAVY, SWEEP, REST])
@pytest.mark.parametrize("action", [WAIT, ATTACK, BLOCK, DODGE, HEAL])
def test_a_turn_takes_and_deals_what_the_table_says(move, action):
    params, level, state, luck = opening(crit_chance=0.0)
    after = step(params, level, state._replace(windup=move), action, luck, 0)
    hit = params.damage * level.might * TAKEN[move, action]
    assert hit * (1 - SPREAD / 2) <= after.taken <= hit * (1 + SPREAD / 2)
    assert after.health == state.health - after.taken
    blow = STRIKE * DEALT[move, action]
    assert blow * (1 - SPREAD / 2) <= after.dealt <= 2 * blow * (1 + SPREAD / 2)
    assert after.boss_health == state.boss_health - after.dealt
    assert (after.turn, after.met, after.did) == (1, move, action)


def test_a_critical_doubles_a_blow_but_not_a_parry():
    params, level, state, luck = opening()
    for move, action in ((LIGHT, WAIT), (SWEEP, BLOCK)):
        plain, doubled = (
            step(params._replace(crit_chance=chance), level, state._replace(windup=move), action, luck, 0).taken
            for chance in (0.0, 1.0)
        )
        assert doubled == 2 * plain


def test_a_potion_heals_up_to_the_full_and_is_gone():
    params, level, state, luck = opening(crit_chance=0.0)
    resting = state._replace(windup=REST, potions=1)
    once = step(params, level, resting._replace(health=30.0), HEAL, luck, 0)
    assert (once.health, once.potions) == (30.0 + params.heal, 0)
    assert step(params, level, resting._replace(health=95.0), HEAL, luck, 0).health == HEALTH
    without = step(params, level, once._replace(windup=REST), HEAL, luck, 1)
    assert (without.health, without.potions) == (once.health, 0)


def test_outcomes_and_causes():
    params, level, state, _ = opening()
    assert status(params, level, state) == RUNNING
    assert status(params, level, state._replace(boss_health=0.0)) == WON
    assert status(params, level, state._replace(boss_health=0.0, health=0.0)) == LOST
    late = state._replace(turn=params.turns)
    assert (status(params, level, late), cause(params, level, late)) == (LOST, EXHAUSTED)
    dead = late._replace(health=-1.0, met=SWEEP)
    assert (status(params, level, dead), cause(params, level, dead)) == (LOST, SWEEP)
    assert cause(params, level, dead._replace(critical=1)) == BY_CRITICAL
    assert all(GAME.causes)


def test_a_score_is_half_what_the_boss_has_lost_and_half_what_is_left():
    params, level, state, _ = opening()
    half = state._replace(boss_health=0.5 * level.health, health=0.2 * HEALTH)
    assert score(params, level, state) == pytest.approx(0.5)
    assert score(params, level, half) == pytest.approx(0.25 + 0.1)
    assert score(params, level, half._replace(health=-30.0)) == pytest.approx(0.25)
    assert score(params, level, state._replace(boss_health=-3.0)) == 1.0


def test_who_cannot_tell_the_move_attacks_and_foresight_or_a_longer_windup_helps():
    params, level, state, _ = opening(telegraph_s=0.5)
    hidden = state._replace(windup=HEAVY, disguise=0.9)
    assert expert(params, level, hidden, MEDIAN) == ATTACK
    assert expert(params, level, hidden._replace(disguise=0.1), MEDIAN) == DODGE
    assert expert(params, level, hidden, MEDIAN._replace(foresight=3.0)) == DODGE
    assert expert(params._replace(telegraph_s=1.6), level, hidden, MEDIAN) == DODGE
    assert expert(params, level, hidden, PERFECT) == DODGE


def test_the_expert_heals_when_a_potion_is_not_wasted():
    params, level, state, _ = opening()
    weak = state._replace(health=10.0, potions=1, disguise=0.0)
    assert expert(params, level, weak._replace(windup=REST), PERFECT) == HEAL
    assert expert(params, level, weak._replace(windup=LIGHT), PERFECT) == HEAL
    assert expert(params, level, weak._replace(windup=SWEEP), PERFECT) == BLOCK
    assert expert(params, level, weak._replace(windup=REST, potions=0), PERFECT) == ATTACK
    assert expert(params, level, weak._replace(windup=REST, health=HEALTH), PERFECT) == ATTACK


def test_the_picture_stays_in_view_and_hides_what_a_disguise_hides():
    params, level, state, _ = opening(number=3)
    for tick in range(8):
        shapes = draw(params, level, state)
        assert shapes == draw(params, level, state)
        for shape in shapes:
            assert -0.05 <= min(shape.x, shape.x + shape.width) <= max(shape.x, shape.x + shape.width) <= 1.05
            assert -0.05 <= min(shape.y, shape.y + shape.height) <= max(shape.y, shape.y + shape.height) <= 1.05
        swapped = state._replace(disguise=0.999, windup=state.decoy, decoy=state.windup)
        blind = params._replace(telegraph_s=0.4)
        assert likeness(blind, swapped) == 0.5
        picture = draw(blind, level, state._replace(disguise=0.999))
        assert sorted(draw(blind, level, swapped)) == sorted(picture)
        state = step(
            params, level, state, int(ANSWERS[state.windup]), words(key_of(SEED, 0, CHANCE, 0, 3), tick + 1), tick
        )


def test_a_perfect_player_wins_every_layout_at_the_easy_end():
    kernel = compiled(attempt_of(GAME))
    assert all(Result(*kernel(at(0.0), PERFECT, SEED, 0, 0, n, 0)).outcome == WON for n in range(200))


def test_compiled_and_plain_attempts_agree_bit_for_bit():
    kernel = compiled(attempt_of(GAME))
    for n, difficulty in enumerate(np.linspace(0.0, 1.0, 30)):
        call = (at(difficulty), MEDIAN._replace(slip=0.05, lapse=0.05), SEED, 0, 1, n, n % 3)
        assert Result(*kernel(*call)) == attempt_of(GAME)(*call)


def test_the_dial_goes_from_easy_to_hard_without_a_jump_and_skill_never_hurts():
    check_dial(GAME, 2000, SEED)


def test_attempts_are_as_long_as_an_encounter():
    kernel = compiled(attempt_of(GAME))
    ticks = [Result(*kernel(at(0.5), MEDIAN, SEED, 0, 2, n, 0)).ticks for n in range(300)]
    assert 15 <= np.mean(ticks) <= 40


def test_the_naive_twin_plays_the_same_game():
    for row in duel_agreement(1500, seed=SEED):
        assert row.same, row
        assert 0.1 < row.product < 0.9
