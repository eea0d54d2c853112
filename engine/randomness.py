"""Addressed randomness: every draw is a pure function of where it is used.

Generator: Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"). The
64-bit seed is the key; the counter is (block, attempt, player, stream), four 32-bit words. A stream number names a
replica and a purpose. So a new draw for one purpose shifts no other draw, and any attempt can be played alone.

Integers here are plain, and products are cut to 32 bits afterwards. This gives the same words with Python's unbounded
integers and with the wrapping 64-bit integers of the compiled kernels.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.arithmetic import log, normal_quantile

WORD: Final = 0xFFFFFFFF
LARGEST_SEED: Final = 2**63 - 1
_STEP: Final = 2.0**-32

# Purposes: what a draw is for. Numbers are part of the file format: append, never renumber.
LEVEL: Final = 0  # the layout of a level
CHANCE: Final = 1  # luck in the steps of the rules: damage, falling tiles
MOTOR: Final = 2  # the player's reaction time, slips and lapses
FLOW: Final = 3  # after an attempt: end of session, quitting, the break before the next
RETURN: Final = 4  # time until the next session (addressed by session, not by attempt)
TRAITS: Final = 5  # what a player is born with (block = number of the trait)
ARRIVAL: Final = 6  # when a player first appears
CONTROLLER: Final = 7  # a controller's own exploration
START: Final = 8  # luck in the first state of an attempt
ESTIMATE: Final = 9  # how far what was fitted is from the estimate, in each replica
PURPOSES: Final = 16  # streams per replica

LARGEST_REPLICA: Final = WORD // PURPOSES - 1


class Key(NamedTuple):
    """Address of a family of draws; the block number is given with each draw. All are integers in [0, 2**32)."""

    seed_low: int
    seed_high: int
    attempt: int
    player: int
    stream: int


def philox(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """Philox4x32-10: counter words and key words in [0, 2**32) to four words in [0, 2**32)."""
    for _ in range(10):
        p0 = 0xD2511F53 * c0
        p1 = 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (
            ((p1 >> 32) & 0xFFFFFFFF) ^ c1 ^ k0,
            p1 & 0xFFFFFFFF,
            ((p0 >> 32) & 0xFFFFFFFF) ^ c3 ^ k1,
            p0 & 0xFFFFFFFF,
        )
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def key_of(seed: int, replica: int, purpose: int, player: int, attempt: int) -> Key:
    """Address for a 63-bit seed, a replica, a purpose of this module, a player number and an attempt number."""
    return Key(seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF, attempt, player, replica * PURPOSES + purpose)


def words(key: Key, block: int) -> tuple[int, int, int, int]:
    """Four independent 32-bit words."""
    return philox(block, key.attempt, key.player, key.stream, key.seed_low, key.seed_high)


def unit(word: int) -> float:
    """A word as a uniform number in [0, 1)."""
    return word * _STEP


def standard_normal(word: int) -> float:
    """A word as a standard normal number, |z| at most 6.34."""
    return normal_quantile((word + 0.5) * _STEP)


def standard_exponential(word: int) -> float:
    """A word as an exponential number with mean 1."""
    return -log((word + 0.5) * _STEP)


def uniform(key: Key, block: int) -> float:
    """One uniform number in [0, 1)."""
    return words(key, block)[0] * _STEP


def uniforms(key: Key, block: int) -> tuple[float, float, float, float]:
    """Four independent uniform numbers in [0, 1)."""
    a, b, c, d = words(key, block)
    return a * _STEP, b * _STEP, c * _STEP, d * _STEP
