"""Where attempts ended: every loss is counted once, whatever the pieces, and the places before are those passed."""

from __future__ import annotations

import numpy as np
import pytest

from engine.game import FAILED, LOST, MOST_PLACES, TIMED_OUT, WON
from engine.places.endings import PASSED, TIME_LIMIT, Endings, PlaceLosses, endings_of
from engine.record import row_type

CAUSES = ("fell", "burnt")


def some_rows(count: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    rows = np.zeros(count, row_type(1, 0))
    rows["cohort"], rows["level"] = draw.integers(0, 3, count), draw.integers(0, 4, count)
    rows["end_place"], rows["cause"] = draw.integers(1, 9, count), draw.integers(0, 2, count)
    rows["outcome"] = draw.choice([WON, LOST, TIMED_OUT, FAILED], count)
    return rows


def test_losses_of_all_cells_add_up_to_all_losses():
    rows = some_rows(4000, 3)
    endings = endings_of(rows, CAUSES)
    lost = int(np.isin(rows["outcome"], [LOST, TIMED_OUT]).sum())
    assert endings.losses == lost
    assert sum(cell["losses"] for cell in endings.to_json("abc")) == lost
    assert endings.counts.total() == int((rows["outcome"] != FAILED).sum())


def test_pieces_add_up_in_any_order():
    rows = some_rows(4000, 4)
    whole, parts = endings_of(rows, CAUSES), [endings_of(part, CAUSES) for part in np.array_split(rows, 7)]
    assert sum(reversed(parts), Endings()).counts == whole.counts


def test_cells_are_those_of_a_count_by_hand():
    rows = some_rows(500, 5)
    expected: dict[tuple[int, int, int, str], int] = {}
    for row in rows:
        if row["outcome"] != FAILED:
            cause = {WON: PASSED, LOST: CAUSES[row["cause"]], TIMED_OUT: TIME_LIMIT}[int(row["outcome"])]
            key = int(row["cohort"]), int(row["level"]), int(row["end_place"]), cause
            expected[key] = expected.get(key, 0) + 1
    assert endings_of(rows, CAUSES).counts == expected


def test_places_that_end_most_attempts_come_first_with_who_got_there_and_a_row():
    endings = Endings()
    place = np.array([2, 2, 5, 5, 5, 7])
    ending = np.array([0, 1, 0, 1, 1, 2])  # the last is a win
    zeros = np.zeros(6, np.int64)
    endings.add(zeros, zeros, place, ending, (*CAUSES, PASSED), 100)
    assert endings.by_place() == [
        PlaceLosses(0, 0, 5, 3, (("burnt", 2), ("fell", 1)), 6, 4, 103),
        PlaceLosses(0, 0, 2, 2, (("burnt", 1), ("fell", 1)), 6, 6, 101),
    ]


@pytest.mark.parametrize("place", [-1, MOST_PLACES + 1])
def test_a_place_that_is_none_is_refused(place):
    one = np.zeros(1, np.int64)
    with pytest.raises(ValueError, match="end_place must be a number from 0"):
        Endings().add(one, one, one + place, one, (PASSED,), 0)
