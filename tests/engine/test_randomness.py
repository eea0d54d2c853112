"""Addressed randomness: the published vectors, the moments, and addresses that do not meet."""

from __future__ import annotations

import math

import pytest

from engine import randomness
from engine.kernel import compiled
from engine.randomness import CHANCE, LARGEST_REPLICA, LARGEST_SEED, LEVEL, MOTOR, PURPOSES, WORD, key_of, words

DRAWS = 40_000
ERRORS = 4.0  # standard errors

# Known answers of philox4x32-10 from Random123 (Salmon, Moraes, Dror and Shaw 2011): counter, key, output.
VECTORS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def integers(text):
    return tuple(int(word, 16) for word in text.split())


@pytest.mark.parametrize(("counter", "key", "output"), VECTORS, ids=["zeros", "ones", "pi"])
def test_philox_gives_the_published_words(counter, key, output):
    arguments = (*integers(counter), *integers(key))
    assert randomness.philox(*arguments) == integers(output)
    assert tuple(compiled(randomness.philox)(*arguments)) == integers(output)


def test_words_put_block_attempt_player_and_stream_into_the_counter():
    seed = 0x12345678_9ABCDEF0
    key = key_of(seed, 3, MOTOR, 7, 5)
    assert words(key, 9) == randomness.philox(9, 5, 7, 3 * PURPOSES + MOTOR, 0x9ABCDEF0, 0x12345678)


def test_largest_addresses_fit_into_words():
    key = key_of(LARGEST_SEED, LARGEST_REPLICA, PURPOSES - 1, WORD, WORD)
    assert all(0 <= part <= WORD for part in key)
    assert tuple(compiled(words)(key, WORD)) == words(key, WORD)


def test_compiled_words_equal_plain_ones():
    kernel = compiled(words)
    for number in range(500):
        key = key_of(number * 0x9E3779B97F4A7C15 % LARGEST_SEED, number % 7, number % PURPOSES, number, 3 * number)
        assert tuple(kernel(key, number)) == words(key, number)


def test_neighbouring_addresses_share_no_words():
    near = [
        words(key_of(seed, replica, purpose, player, attempt), block)
        for seed in (0, 1, 1 << 32)
        for replica in (0, 1)
        for purpose in (LEVEL, CHANCE)
        for player in (0, 1)
        for attempt in (0, 1)
        for block in (0, 1)
    ]
    drawn = [word for block in near for word in block]
    assert len(set(drawn)) == len(drawn)


def draws_of(transform):
    key = key_of(51, 0, CHANCE, 0, 0)
    return [transform(word) for block in range(DRAWS // 4) for word in words(key, block)]


@pytest.mark.parametrize(
    ("transform", "moments"),
    [
        (randomness.unit, [1 / 2, 1 / 3, 1 / 4, 1 / 5]),
        (randomness.standard_normal, [0.0, 1.0, 0.0, 3.0]),
        (randomness.standard_exponential, [1.0, 2.0, 6.0, 24.0]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_draws_have_the_moments_of_their_distribution(transform, moments):
    drawn = draws_of(transform)
    for power, expected in enumerate(moments, start=1):
        powers = [x**power for x in drawn]
        mean = math.fsum(powers) / DRAWS
        sd = math.sqrt(math.fsum((x - mean) ** 2 for x in powers) / (DRAWS - 1))
        assert abs(mean - expected) < ERRORS * sd / math.sqrt(DRAWS)


def test_the_four_words_of_a_block_are_uncorrelated():
    key = key_of(52, 0, CHANCE, 0, 0)
    blocks = [[randomness.unit(word) - 0.5 for word in words(key, block)] for block in range(DRAWS // 4)]
    for i in range(4):
        for j in range(i):
            correlation = 12.0 * math.fsum(block[i] * block[j] for block in blocks) / len(blocks)
            assert abs(correlation) < ERRORS / math.sqrt(len(blocks))


def test_extreme_words_give_finite_numbers():
    assert randomness.unit(0) == 0.0
    assert randomness.unit(WORD) < 1.0
    assert -6.34 < randomness.standard_normal(0) == -randomness.standard_normal(WORD)
    assert 0.0 < randomness.standard_exponential(WORD) < randomness.standard_exponential(0) < 23.0


def test_uniforms_are_the_words_as_numbers():
    key = key_of(53, 0, CHANCE, 1, 2)
    assert randomness.uniforms(key, 3) == tuple(word * 2.0**-32 for word in words(key, 3))
    assert randomness.uniform(key, 3) == randomness.uniforms(key, 3)[0]
