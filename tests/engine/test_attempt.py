"""The parts of an attempt: thinking time drawn as a whole, blocks of words dealt ahead, one opening for everybody."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.attempt import (
    AT_REST,
    DEALT,
    FASTEST_REACTION_S,
    RUNS_OWN,
    SURPRISE,
    act,
    attempt_of,
    block_at,
    deal_blocks,
    luck_of,
    opening_of,
    play_of,
    reaction_time,
    result_of,
    thinking_time,
)
from engine.game import PERFECT, Faculties
from engine.kernel import compiled
from engine.randomness import CHANCE, MOTOR, key_of, words
from games.boss_duel import GAME as BOSS_DUEL
from games.gap_runner import GAME as GAP_RUNNER
from games.tile_match import GAME as TILE_MATCH

SEED = 4_040
ERRORS = 4.0  # standard errors
MEDIAN = Faculties(0.0, 1.0, 0.3, 0.04, 0.1, 0.04, 0.02, 1.0)


def thought(faculties, turns, count):
    """Thinking times of as many attempts."""
    kernel = compiled(thinking_time)
    return np.array([kernel(faculties, key_of(SEED, 0, MOTOR, 1, n), turns) for n in range(count)])


@pytest.mark.parametrize("turns", [1, 7, 26, 3000])  # 3,000 uniform numbers multiply to less than any float
def test_thinking_has_the_moments_of_a_sum_of_reaction_times(turns):
    count = 20_000 if turns < 100 else 2_000
    drawn = thought(MEDIAN, turns, count)
    variance = turns * (0.04**2 + 0.1**2)
    fourth = 3.0 * variance**2 + 6.0 * turns * 0.1**4  # central moments: cumulants of ex-Gaussians add up
    assert abs(drawn.mean() - turns * 0.4) < ERRORS * math.sqrt(variance / count)
    assert abs(drawn.var() - variance) < ERRORS * math.sqrt((fourth - variance**2) / count)


def test_thinking_is_spread_like_the_sum_of_reactions_turn_by_turn():
    """Two-sample Kolmogorov-Smirnov distance, below its quantile for a chance of 1e-4 (Smirnov 1948)."""
    kernel, count, turns = compiled(reaction_time), 4_000, 5

    def one_by_one(n):
        blocks = [words(key_of(SEED, 0, MOTOR, 2, n), turn) for turn in range(turns)]
        return sum(kernel(MEDIAN, block[0], block[1]) for block in blocks)

    summed, drawn = np.sort([one_by_one(n) for n in range(count)]), np.sort(thought(MEDIAN, turns, count))
    places = np.concatenate([summed, drawn])
    distance = np.abs(
        np.searchsorted(summed, places, side="right") - np.searchsorted(drawn, places, side="right")
    ).max()
    assert distance / count < math.sqrt(-math.log(1e-4 / 2.0) / count)


def test_nobody_thinks_faster_than_a_reaction_on_average_and_who_has_no_latency_does_not_think():
    quick = MEDIAN._replace(reaction_s=0.01, reaction_sd_s=0.001, reaction_tail_s=0.002)
    assert (thought(quick, 12, 50) == 12 * FASTEST_REACTION_S).all()
    assert (thought(PERFECT, 12, 5) == 0.0).all()
    assert (thought(MEDIAN, 0, 5) == 0.0).all()
    assert (thought(Faculties(*[math.nan] * 8), 12, 5) == 0.0).all()  # of a person it is measured


def test_dealt_blocks_are_the_blocks_of_the_key():
    key, out = key_of(SEED, 3, CHANCE, 5, 7), np.zeros((4, DEALT), np.int64)
    compiled(deal_blocks)(key, 9, out)
    assert [block_at(out, place) for place in range(DEALT)] == [words(key, 9 + place) for place in range(DEALT)]


def test_a_step_is_handed_the_key_or_the_block_that_it_deals():
    key = key_of(SEED, 0, CHANCE, 5, 7)
    assert luck_of(GAP_RUNNER, key, 3) == key
    assert luck_of(BOSS_DUEL, key, 3) == words(key, 4)


@pytest.mark.thorough
@pytest.mark.parametrize("game", [BOSS_DUEL, TILE_MATCH, GAP_RUNNER])
def test_an_attempt_is_its_opening_its_play_and_its_result(game):
    values = np.array(game.space.defaults())
    address = (SEED, 1, 2, 3, 0)
    opened = opening_of(game)(values, *address)
    ended = play_of(game)(opened, MEDIAN)
    found = result_of(game)(values, MEDIAN, *address, RUNS_OWN, opened, ended)
    assert found == compiled(attempt_of(game))(values, MEDIAN, *address)
    assert found.ticks == ended.ticks > 0
    thinking = thinking_time(MEDIAN, opened.motor, ended.ticks) if game.pace == "turns" else 0.0
    assert found.duration_s == ended.ticks * game.tick_seconds + thinking


# --- Hands

TICK_S = 0.001
STEADY = MEDIAN._replace(slip=0.0, lapse=0.0)


def delays(due_s, faculties=STEADY, count=4000):
    """Seconds from a new intent until the hands carry it out, of as many intents."""
    kernel = compiled(act)
    hands = [kernel(AT_REST, 1, due_s, 3, faculties, key_of(SEED, 0, MOTOR, 3, n), 0, TICK_S) for n in range(count)]
    return np.array([hand[3] for hand in hands]) * TICK_S


def test_what_is_seen_coming_is_timed_with_errors_to_both_sides():
    errors = delays(0.6) - 0.6
    n = len(errors)
    assert abs(errors.mean()) < ERRORS * 0.04 / math.sqrt(n) + TICK_S / 2
    assert abs(errors.std() - 0.04) < ERRORS * 0.04 / math.sqrt(2 * n)
    skew = ((errors / errors.std()) ** 3).mean()
    assert abs(skew) < ERRORS * math.sqrt(6 / n)


@pytest.mark.parametrize("due_s", [SURPRISE, 0.0, 0.2])
def test_what_is_seen_too_late_takes_a_reaction_with_its_tail(due_s):
    late = delays(due_s)
    n = len(late)
    assert abs(late.mean() - 0.4) < ERRORS * math.hypot(0.04, 0.1) / math.sqrt(n) + TICK_S / 2
    assert np.median(late) < late.mean() - 0.01  # the tail is on one side


def test_letting_go_at_a_foreseen_moment_neither_slips_nor_lapses():
    clumsy = MEDIAN._replace(slip=0.5, lapse=0.5)
    pressed = AT_REST._replace(wanted=1, action=1, pending=1)
    for n in range(300):
        hand = act(pressed, 0, 0.0, 3, clumsy, key_of(SEED, 0, MOTOR, 4, n), 100, TICK_S)
        assert hand.pending == 0
        assert 100 <= hand.due < 100 + 5 * 0.04 / TICK_S
        missed = act(pressed, 0, SURPRISE, 3, clumsy, key_of(SEED, 0, MOTOR, 4, n), 100, TICK_S)
        assert missed.pending != 0


def test_without_latency_hands_are_exact():
    assert (delays(0.6, PERFECT, 50) == 0.6).all()
    assert (delays(SURPRISE, PERFECT, 50) == 0.0).all()
