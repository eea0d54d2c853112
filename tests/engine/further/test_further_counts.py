"""Counts of further targets: against a slow twin that goes through each player's attempts, and their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from engine.further.further_counts import count_further, player_ratio
from engine.further.further_interval import further_interval, share_of_players
from engine.further.further_target import MOST_TRIES, FurtherTarget
from engine.game import LOST, TIMED_OUT, WON
from engine.inference.intervals import SUMS, rate_interval, sums_of
from engine.players import DAY_S, PLAYER, QUIT
from engine.record import row_type

Row = dict[str, Any]
BAND: dict[str, Any] = {"low": 0.0, "high": 1.0}
TARGETS = (
    FurtherTarget("win_rate", 1, **BAND, first=4),
    FurtherTarget("win_rate", 0, **BAND, level=2),
    FurtherTarget("quit", 1, **BAND),
    FurtherTarget("quit", 1, **BAND, first=3),
    FurtherTarget("quit", 0, **BAND, day=0.01),
    FurtherTarget("quit", 1, **BAND, level=2),
    FurtherTarget("attempts_to_pass", 0, **BAND, level=1),
    FurtherTarget("attempts_to_pass", 1, **BAND, level=2, statistic="p90"),
    FurtherTarget("losing_run", 1, **BAND, length=3),
    FurtherTarget("losing_run", 0, **BAND, length=2, first=5),
    FurtherTarget("session_length", 1, **BAND),
    FurtherTarget("session_length", 0, **BAND, unit="minutes"),
)


def crowd(seed: int = 3, players: int = 60, replicas: int = 2) -> tuple[Any, Any]:
    """Rows and players of two cohorts who play levels 1 to 3; one in eight never plays."""
    dice = np.random.default_rng(seed)
    rows, people = [], []
    for replica in range(replicas):
        for player in range(players):
            cohort, clock, level, session = int(player >= players // 2), float(dice.integers(0, 5_000)), 1, 0
            made = 0 if dice.random() < 0.125 else int(dice.integers(1, 15))
            for attempt in range(made):
                if attempt and dice.random() < 0.3:
                    session, clock = session + 1, clock + 3_000.0 * dice.random()
                outcome = int(dice.choice([WON, LOST, LOST, TIMED_OUT]))
                row = np.zeros((), row_type(1, 0))
                row["replica"], row["player"], row["cohort"], row["attempt"] = replica, player, cohort, attempt
                row["session"], row["level"], row["outcome"] = session, level, outcome
                row["start_s"], row["duration_s"] = clock, 1.0 + 30.0 * dice.random()
                clock += float(row["duration_s"]) + 6.0
                level = min(level + (outcome == WON), 3)
                rows.append(row)
            person = np.zeros((), PLAYER)
            person["player"], person["cohort"], person["attempts"] = player, cohort, made
            person["left"] = QUIT if made and dice.random() < 0.5 else 4
            people.append(person)
    return np.array(rows), np.array(people)


def slow(target: FurtherTarget, rows: Any, people: Any) -> list[tuple[int, int]]:
    """Numerator and denominator of each player of the cohort, in order; of a percentile, at its third attempt."""
    found = []
    stride = 1_000
    left: dict[int, int] = {}
    replica, before = 0, -1
    for person in people:
        replica += int(person["player"]) <= before
        before = int(person["player"])
        left[replica * stride + before] = int(person["left"])
    own: dict[int, list[Row]] = {}
    for row in rows:
        if row["cohort"] == target.cohort:
            key = int(row["replica"]) * stride + int(row["player"])
            own.setdefault(key, []).append({name: row[name] for name in row.dtype.names})
    for key, made in own.items():
        found.append(SLOW[target.what](target, made, left[key] == QUIT))
    return [one for one in found if one[1]]


def slow_win_rate(target: FurtherTarget, made: list[Row], quits: bool) -> tuple[int, int]:
    if target.first:
        made = made[: target.first]
    if target.level:
        made = [row for row in made if row["level"] == target.level]
    return sum(row["outcome"] == WON for row in made), len(made)


def slow_quit(target: FurtherTarget, made: list[Row], quits: bool) -> tuple[int, int]:
    if target.level:
        here = made[-1]["level"] == target.level and made[-1]["outcome"] != WON
        return int(quits and here), int(any(row["level"] == target.level for row in made))
    if target.first:
        return int(quits and len(made) <= target.first), 1
    span = made[-1]["start_s"] + made[-1]["duration_s"] - made[0]["start_s"]
    return int(quits and (not target.day or span <= target.day * DAY_S)), 1


def slow_attempts_to_pass(target: FurtherTarget, made: list[Row], quits: bool) -> tuple[int, int]:
    here = [row for row in made if row["level"] == target.level]
    passed = any(row["outcome"] == WON for row in here)
    if target.statistic == "p90":
        return int(passed and len(here) <= 3), int(passed)
    return int(passed), len(here) * passed


def slow_losing_run(target: FurtherTarget, made: list[Row], quits: bool) -> tuple[int, int]:
    longest = run = 0
    for row in made[: target.first or None]:
        run = 0 if row["outcome"] == WON else run + 1
        longest = max(longest, run)
    return int(longest >= target.length), 1


def slow_session_length(target: FurtherTarget, made: list[Row], quits: bool) -> tuple[int, int]:
    sessions: dict[int, list[Row]] = {}
    for row in made:
        sessions.setdefault(int(row["session"]), []).append(row)
    if target.unit == "attempts":
        return len(sessions), len(made)
    lengths = [math.ceil(one[-1]["start_s"] + one[-1]["duration_s"] - one[0]["start_s"]) for one in sessions.values()]
    return len(sessions), sum(max(length, 1) for length in lengths)


SLOW: dict[str, Callable[[FurtherTarget, list[Row], bool], tuple[int, int]]] = {
    "win_rate": slow_win_rate,
    "quit": slow_quit,
    "attempts_to_pass": slow_attempts_to_pass,
    "losing_run": slow_losing_run,
    "session_length": slow_session_length,
}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.words)
def test_each_player_counts_as_their_attempts_say(target):
    rows, people = crowd()
    found = player_ratio(target, rows, people)
    cell = 2 if target.statistic == "p90" else 0
    expected = slow(target, rows, people)
    assert len(expected) > 20
    assert list(zip(found.part[cell].tolist(), found.whole[cell].tolist(), strict=True)) == expected
    assert {part for part, _ in expected} != {0}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.words)
def test_parts_of_a_run_add_up_and_nothing_counts_nothing(target):
    rows, people = crowd()
    whole = count_further((target,), rows, people, "player", 1)
    parts = []
    for odd in (0, 1):
        chosen = people["player"] % 2 == odd
        parts.append(count_further((target,), rows[rows["player"] % 2 == odd], people[chosen], "player", 1))
    assert np.array_equal(parts[0] + parts[1], whole)
    assert not count_further((target,), rows[:0], people[:0], "player", 1).any()


def test_players_of_a_replica_are_one_cluster_where_they_share_a_controller():
    rows, people = crowd()
    (alone,) = count_further((TARGETS[2],), rows, people, "player", 1)
    (together,) = count_further((TARGETS[2],), rows, people, "replica", 1)
    place = SUMS.index("wins")
    assert (int(together[0]), int(together[1])) == (2, int(alone[0]))
    assert together[place] == alone[place]
    assert further_interval(TARGETS[2], together[None], "replica").clusters == 2


def test_a_mean_is_the_reciprocal_of_a_rate_and_so_is_its_margin():
    target = FurtherTarget("attempts_to_pass", 0, 1.0, 3.0, level=1)
    tries = np.array([1, 2, 4, 1, 2, 3, 1, 1, 5, 2])
    cells = np.array([sums_of(np.ones_like(tries), tries)])
    found, rate = further_interval(target, cells, "player"), rate_interval(cells[0], "player")
    assert found.value == pytest.approx(2.2)
    assert (found.low, found.high) == pytest.approx((1.0 / rate.high, 1.0 / rate.low))


def test_a_percentile_that_was_not_reached_is_infinite():
    target = FurtherTarget("attempts_to_pass", 0, 1.0, 3.0, level=1, statistic="p90")
    tries = np.array([MOST_TRIES + 5] * 9 + [2])
    shares = (tries <= np.arange(1, MOST_TRIES + 1)[:, None]).astype(np.int64)
    cells = np.array([sums_of(share, np.ones_like(share)) for share in shares])
    found = further_interval(target, cells, "player")
    assert (found.value, found.high, found.players) == (math.inf, math.inf, 10)


def test_a_percentile_is_the_least_number_that_nine_in_ten_needed():
    target = FurtherTarget("attempts_to_pass", 0, 1.0, 3.0, level=1, statistic="p90")
    tries = np.repeat(np.arange(1, 11), 10)
    shares = (tries <= np.arange(1, MOST_TRIES + 1)[:, None]).astype(np.int64)
    cells = np.array([sums_of(share, np.ones_like(share)) for share in shares])
    found = further_interval(target, cells, "player")
    assert (found.value, found.low, found.high) == (9.0, 9.0, 10.0)


@pytest.mark.parametrize("attempts", [20, 60, 150])
def test_a_share_of_players_misses_rarely_on_either_side_whatever_it_is(attempts):
    ends = np.array([share_of_players(wins, attempts) for wins in range(attempts + 1)])
    assert np.all(np.diff(ends, axis=0) > 0.0)
    for chance in np.linspace(0.02, 0.98, 97):
        weights = binom.pmf(np.arange(attempts + 1), attempts, chance)
        below, above = weights[ends[:, 0] > chance].sum(), weights[ends[:, 1] < chance].sum()
        assert max(below, above) <= 0.035
        assert 1.0 - below - above >= 0.93
    assert share_of_players(0, attempts)[0] == 0.0
    assert share_of_players(attempts, attempts)[1] == 1.0
