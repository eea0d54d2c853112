"""Tallies count exactly and in any order; intervals cover what they claim to cover."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections import Counter, defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from engine.errors import RunFolderError
from engine.game import LOST, TIMED_OUT, WON
from engine.inference.intervals import (
    DIAL_UNIT,
    FIRST_SUMS,
    MOMENTS,
    SUMS,
    cluster_sums,
    dial_interval,
    mean_dial,
    moment_unit,
    rate_interval,
    sums_of,
    t_half_width,
    wilson,
)
from engine.players import ATTEMPT_LIMIT, COHORT_STRIDE, PLAYER, QUIT
from engine.record import row_type
from engine.tally import MOST_BINS, SWING_UNIT, TOTALS, LastOutcome, Scheme, Tally, attempt_edges, day_bins, tally_of

SCHEME = Scheme(3, 0, 7, "player", 0.1, 0.9, attempt_edges(60), 14, 86_400)


def some_rows(seed, *, players=40, replicas=1, levels=0, cohorts=3, most=60):
    """Rows as chunks hold them: whole players, sorted by replica, player and attempt; and the players."""
    dice = np.random.default_rng(seed)
    rows, people = [], []
    for replica in range(replicas):
        for place in range(players):
            cohort = place * cohorts // players
            made = int(dice.integers(0, most))
            person = np.zeros(1, PLAYER)
            person["player"] = cohort * COHORT_STRIDE + place
            person["cohort"], person["attempts"] = cohort, made
            person["left"] = QUIT if made % 3 == 0 else ATTEMPT_LIMIT
            people.append(person)
            now = np.zeros(made, row_type(2, 1))
            now["replica"], now["player"], now["cohort"] = replica, person["player"], cohort
            now["attempt"] = np.arange(made)
            now["level"] = np.minimum(1 + np.arange(made) // 5, levels)
            now["start_s"] = np.cumsum(dice.exponential(9000.0, made))
            now["difficulty"] = np.clip(dice.normal(0.5, 0.4, made), 0.1, 0.9)
            at_end = (now["difficulty"] == 0.1) | (now["difficulty"] == 0.9)
            now["clipped"] = at_end & (np.arange(made) % 2 == 0)  # some controllers keep to the ends by themselves
            now["outcome"] = dice.choice([WON, LOST, TIMED_OUT], made, p=[0.7, 0.25, 0.05])
            person["last"] = 1.0 if made == 0 or now["outcome"][-1] == WON else 0.0
            rows.append(now)
    return np.concatenate(rows), np.concatenate(people)


def slow_tally(rows: Any, people: Any, scheme: Scheme) -> Tally:
    """The same counts, one row at a time, from the words alone."""
    clusters: Any = {name: defaultdict(lambda: [set(), 0, 0, 0]) for name in ("judged", "by_attempt", "by_day")}
    tally = Tally.empty(scheme)
    made: Counter[tuple[int, int]] = Counter()
    near = 0.02 * (scheme.ceiling - scheme.floor)
    known: Any = defaultdict(list)  # of each player: whether an attempt was judged, and won
    swings: Any = defaultdict(list)  # of each player and level: late difficulties
    for row in rows:
        made[row["replica"], row["player"]] += 1

    def total(name, cohort, amount=1):
        tally.totals[cohort, TOTALS.index(name)] += amount

    for row in rows:
        cohort, who = int(row["cohort"]), (int(row["replica"]), int(row["player"]))
        won, dial = int(row["outcome"] == WON), round(float(row["difficulty"]) * DIAL_UNIT)
        cluster = who if scheme.cluster == "player" else who[0]
        edges = scheme.attempt_edges
        attempt_bin = max(j for j in range(len(edges) - 1) if row["attempt"] >= edges[j])
        places = [
            ("by_attempt", attempt_bin),
            ("by_day", min(int(row["start_s"] // scheme.day_width_s), scheme.day_bins - 1)),
        ]
        judged = row["attempt"] >= scheme.after_attempts
        if judged:
            places += [("judged", 0)] + ([("judged", int(row["level"]))] if scheme.levels else [])
        for name, place in places:
            cell = clusters[name][cohort, place, cluster]
            cell[0].add(who)
            cell[1:] = cell[1] + 1, cell[2] + won, cell[3] + dial
        total("attempts", cohort)
        total("wins", cohort, won)
        total("timed_out", cohort, int(row["outcome"] == TIMED_OUT))
        total("clipped", cohort, int(row["clipped"]))
        total("easy_end", cohort, int(judged and row["difficulty"] <= scheme.floor + near))
        total("hard_end", cohort, int(judged and row["difficulty"] >= scheme.ceiling - near))
        late = row["attempt"] >= 2 * made[who] // 3
        total("late_attempts", cohort, int(late))
        total("late_dial", cohort, int(late) * dial)
        total("warm_up_attempts", cohort, int(not judged))
        total("warm_up_wins", cohort, int(not judged) * won)
        known[cohort, who].append((bool(judged), won))
        if late:
            swings[cohort, who, int(row["level"])].append(round(float(row["difficulty"]) * SWING_UNIT))
    for (cohort, _), played in known.items():
        won = sum(won for _, won in played)
        total("playing_players", cohort)
        total("player_rates", cohort, round(won / len(played) * DIAL_UNIT))
        if not any(judged for judged, _ in played):
            total("unjudged_players", cohort)
            total("unjudged_attempts", cohort, len(played))
            total("unjudged_wins", cohort, won)
    for (cohort, _, _), dials in swings.items():
        total("late_squares", cohort, sum(dial * dial for dial in dials) - sum(dials) ** 2 // len(dials))
        total("late_freedom", cohort, len(dials) - 1)
    for name, found in clusters.items():
        for (cohort, place, _), (who, a, w, dial) in found.items():
            getattr(tally, name)[cohort, place] += slow_sums(len(who), w, a, dial, scheme.unit)
    quits: Any = defaultdict(lambda: [0, 0])
    for place, person in enumerate(people):
        tally.left[person["cohort"], person["left"]] += 1
        unit: Any = place if scheme.cluster == "player" else "all of the only replica"
        quit_cell = quits[int(person["cohort"]), unit]
        quit_cell[:] = quit_cell[0] + 1, quit_cell[1] + int(person["left"] == QUIT)
    apart = len({int(person["player"]) for person in people})  # players of a replica
    after: Any = defaultdict(lambda: [0, 0, 0])
    for place, person in enumerate(people):
        cohort, who = int(person["cohort"]), (place // apart, int(person["player"]))
        for cell, outcome in enumerate((0, 1)):
            ends = [won for _, won in known[cohort, who] if won == outcome]
            if ends:
                unit = who if scheme.cluster == "player" else who[0]
                quit_now = person["left"] == QUIT and known[cohort, who][-1][1] == outcome
                found = after[cohort, cell, unit]
                found[:] = found[0] + 1, found[1] + int(quit_now), found[2] + len(ends)
    for (cohort, cell, _), (players, left, ends) in after.items():
        tally.quits_after[cohort, cell] += slow_sums(players, left, ends, 0, scheme.unit)
    for (cohort, _), (players, left) in quits.items():
        tally.quitting[cohort] += slow_sums(players, left, players, 0, scheme.unit)
    return tally


def slow_sums(players, wins, attempts, dial, unit):
    """What one cluster adds to SUMS, from the words alone."""
    w, a = (math.floor(number / unit + 0.5) for number in (wins, attempts))
    steps = math.floor(dial / DIAL_UNIT * 512 / unit + 0.5)
    moments = [w ** int(name[1]) * a ** int(name[3]) for name in MOMENTS]
    exact = [1, players, attempts, wins, wins * wins, wins * attempts, attempts * attempts, dial]
    return np.array([*exact, *moments, steps, steps * steps, steps * a])


@pytest.mark.parametrize("cluster", ["player", "replica"])
@pytest.mark.parametrize("levels", [0, 6])
@pytest.mark.parametrize(("after", "unit"), [(0, 1), (7, 1), (7, 8), (100, 1)])
def test_a_tally_equals_the_count_of_one_row_at_a_time(cluster, levels, after, unit):
    scheme = dataclasses.replace(SCHEME, cluster=cluster, levels=levels, after_attempts=after, unit=unit)
    rows, people = some_rows(1, replicas=3, levels=levels)
    assert tally_of(rows, people, scheme).to_json() == slow_tally(rows, people, scheme).to_json()


def test_blocks_leave_no_seam():
    rows, people = some_rows(2, players=900)
    assert len(rows) > 2 * 8192
    assert tally_of(rows, people, SCHEME).to_json() == slow_tally(rows, people, SCHEME).to_json()


def test_tallies_of_chunks_add_up_in_any_order_and_grouping():
    rows, people = some_rows(3)
    numbers = people["player"]
    parts = []
    for chosen in np.array_split(numbers, 5):
        parts.append(tally_of(rows[np.isin(rows["player"], chosen)], people[np.isin(numbers, chosen)], SCHEME))
    whole = tally_of(rows, people, SCHEME).to_json()
    for order in itertools.permutations(parts):
        assert sum(order, start=Tally.empty(SCHEME)).to_json() == whole
    a, b, c, d, e = parts
    assert ((a + b) + (c + (d + e))).to_json() == (e + ((d + c) + b) + a).to_json() == whole


def test_a_tally_of_nothing_changes_nothing():
    rows, people = some_rows(4)
    tally = tally_of(rows, people, SCHEME)
    nothing = tally_of(rows[:0], people[:0], SCHEME)
    assert (tally + nothing).to_json() == tally.to_json()
    assert Tally.empty(SCHEME).to_json() == nothing.to_json()


def test_tallies_of_different_schemes_cannot_be_added():
    with pytest.raises(ValueError, match="one scheme"):
        Tally.empty(SCHEME) + Tally.empty(dataclasses.replace(SCHEME, after_attempts=8))


def test_what_is_within_two_percent_of_the_way_is_at_an_end():
    rows, people = some_rows(5)
    for place, easy, hard in (
        (0.1159, True, False),
        (0.1161, False, False),
        (0.8839, False, False),
        (0.8841, False, True),
    ):
        rows["difficulty"] = place
        tally = tally_of(rows, people, SCHEME)
        assert [tally.total(0, name) > 0 for name in ("easy_end", "hard_end")] == [easy, hard]


def test_an_end_of_the_dial_counts_whether_a_proposal_was_clipped_or_not():
    rows, people = some_rows(5)
    rows["difficulty"][rows["cohort"] == 0], rows["clipped"] = SCHEME.floor, 0
    tally = tally_of(rows, people, SCHEME)
    judged = np.count_nonzero((rows["cohort"] == 0) & (rows["attempt"] >= SCHEME.after_attempts))
    assert tally.total(0, "easy_end") == judged > 0
    assert tally.total(0, "hard_end") == 0 < tally.total(1, "hard_end")
    assert sum(tally.total(j, "clipped") for j in range(3)) == 0


def test_everybody_is_counted():
    rows, people = some_rows(5)
    tally = tally_of(rows, people, SCHEME)
    assert sum(tally.total(j, "attempts") for j in range(3)) == len(rows)
    assert sum(tally.players(j) for j in range(3)) == len(people)
    assert sum(tally.quits(j) for j in range(3)) == np.count_nonzero(people["left"] == QUIT)


def test_json_and_back():
    rows, people = some_rows(6)
    tally = tally_of(rows, people, SCHEME)
    text = json.dumps(tally.to_json())
    back = Tally.from_json(json.loads(text))
    assert back.scheme == tally.scheme
    assert json.dumps(back.to_json()) == text
    assert (back + tally).total(0, "attempts") == 2 * tally.total(0, "attempts")


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.pop("judged"),
        lambda found: found.update(judged=[[1, 2]]),
        lambda found: found.update(totals="many"),
        lambda found: found["scheme"].update(cohorts=4),
        lambda found: found["scheme"].update(colour=4),
        lambda found: found["scheme"].pop("attempt_edges"),
    ],
)
def test_json_that_is_no_tally_is_refused(change):
    found = json.loads(json.dumps(Tally.empty(SCHEME).to_json()))
    change(found)
    with pytest.raises(RunFolderError, match="the tallies"):
        Tally.from_json(found)


@pytest.mark.parametrize("table", ["judged", "by_attempt", "quitting", "totals", "left"])
@pytest.mark.parametrize("number", [-1, 2**62])
def test_counts_that_no_rows_give_are_refused(table, number):
    """Formulas of intervals take roots and logarithms of them."""
    rows, players = some_rows(6)
    found = json.loads(json.dumps(tally_of(rows, players, SCHEME).to_json()))
    cells = np.array(found[table], np.int64)
    refused = 0
    for place in np.ndindex(cells.shape):
        changed = cells.copy()
        changed[place] = number
        try:
            tally = Tally.from_json({**found, table: changed.tolist()})
        except RunFolderError as fault:
            refused += f"{table} cannot be counted so" in str(fault)
            continue
        for sums in tally.judged.reshape(-1, tally.judged.shape[-1]):
            assert not rate_interval(sums, "player").low > rate_interval(sums, "player").high
            dial_interval(sums)
    assert refused == cells.size if number < 0 else refused > 0 or table in ("totals", "left")


def test_mean_difficulty_is_exact_to_the_unit_of_the_dial():
    rows, people = some_rows(7)
    tally = tally_of(rows, people, SCHEME)
    for cohort in range(3):
        chosen = rows[(rows["cohort"] == cohort) & (rows["attempt"] >= SCHEME.after_attempts)]
        exact = sum(map(Fraction, chosen["difficulty"].tolist())) / len(chosen)
        assert mean_dial(tally.judged[cohort, 0]) == pytest.approx(float(exact), abs=2**-30)


@pytest.mark.parametrize("limit", [1, 4, 5, 60, 150, 151, 400, 10_000, 10_000_000])
def test_attempt_bins(limit):
    edges = attempt_edges(limit)
    assert edges[0] == 0
    assert edges[-1] == limit
    assert len(edges) - 1 <= MOST_BINS
    widths = np.diff(edges)
    assert np.all(widths > 0)
    assert np.all(widths[:-2] <= 1.0 * widths[1:-1] + 5)


@pytest.mark.parametrize("days", [0.01, 0.5, 1, 3, 14, 30, 31, 365, 10_000])
def test_day_bins(days):
    width_s, bins = day_bins(days * 86_400)
    assert 1 <= bins <= MOST_BINS
    assert (bins - 1) * width_s < days * 86_400 <= bins * width_s


# --- Intervals -------------------------------------------------------------------------------------------------------


def interval(wins, attempts, cluster="player", confidence=0.95):
    """The interval of clusters with so many wins and attempts each."""
    return rate_interval(sums_of(np.asarray(wins), np.asarray(attempts)), cluster, confidence)


def slow_interval(wins, attempts):
    """Low end, high end and standard error, by the sums over clusters as docs/statistics.md has them."""
    w, n = np.asarray(wins, float), np.asarray(attempts, float)
    total, rate = n.sum(), w.sum() / n.sum()
    r = w - rate * n
    share = (r**2 * n).sum() / total / (r**2).sum()
    error = math.sqrt((r**2).sum() / (1.0 - share)) / total
    effective = total**2 / (n**2).sum()
    excess = max((r**4).sum() / (r**2).sum() ** 2 - 3.0 / len(w), 0.0)
    alike = ((r**2).sum() * effective / (effective - 1.0) / rate / (1.0 - rate) - total) / ((n**2).sum() - total)
    alike = min(max(alike, 0.0), 1.0)
    own = n * ((1.0 - alike) + alike * n)  # variance of a player's wins, over rate (1 - rate)
    lopsided = own * ((1.0 - alike) + 2.0 * alike * n) / (1.0 + alike)
    expected = (1.0 - 2.0 * rate) / math.sqrt(rate * (1.0 - rate)) * lopsided.sum() / own.sum() ** 1.5
    skewness = (0.6 + 6.5 / effective) * (r**3).sum() / (r**2).sum() ** 1.5 + 0.7 * expected
    half = t_half_width(1.0 / (1.0 / (effective - 1.0) + excess / 2.0 + 0.03 * skewness**2))
    pull = (r * n).sum() / total / math.sqrt((r**2).sum())
    bend = (1.0 - 2.0 * rate) * error / (2.0 * rate * (1.0 - rate))
    z = 1.959963985
    shift = 2.0 * math.tanh(((pull + bend) * z**2 - skewness * (2.0 * z**2 + 1.0) / 6.0) / 2.0)
    scale, middle = error / rate / (1.0 - rate), math.log(rate / (1.0 - rate))
    ends = [1.0 / (1.0 + math.exp(-(middle + scale * way))) for way in (-half - shift, half - shift)]
    return *ends, error


@pytest.mark.parametrize("seed", range(6))
def test_the_interval_is_that_of_the_docs(seed):
    dice = np.random.default_rng(seed)
    attempts = dice.integers(1, 60, 25) * dice.choice([1, 8], 25)
    wins = dice.binomial(attempts, dice.beta(4.0, 1.0, 25))
    found = interval(wins, attempts)
    assert (found.low, found.high, found.error) == pytest.approx(slow_interval(wins, attempts), rel=1e-9)
    assert found.rate == pytest.approx(wins.sum() / attempts.sum())
    assert found.effective == pytest.approx(attempts.sum() ** 2 / (attempts**2).sum())
    assert (found.method, found.clusters, found.attempts) == ("by player", 25, attempts.sum())
    assert interval(wins, attempts, "replica").method == "by replica"


def test_players_of_equal_size_and_even_spread_have_the_textbooks_interval_but_for_the_scale():
    attempts = np.full(40, 100)
    wins = 50 + np.resize([-5, 5], 40)
    found = interval(wins, attempts)
    assert found.error == pytest.approx(0.05 / math.sqrt(39), rel=1e-12)
    assert found.effective == 40.0
    assert found.high - 0.5 == pytest.approx(0.5 - found.low)
    assert found.high - 0.5 == pytest.approx(t_half_width(39) * found.error, rel=1e-3)


def test_the_same_moments_in_a_coarse_unit_give_nearly_the_same_interval():
    dice = np.random.default_rng(3)
    attempts = dice.integers(2000, 20_000, 20)
    wins = dice.binomial(attempts, dice.beta(40.0, 4.0, 20))
    dial = np.zeros_like(wins)
    ends = []
    for unit in (1, 16):
        columns = cluster_sums(np.ones_like(wins), wins, attempts, dial, unit)
        found = rate_interval([int(column.sum()) for column in columns], "replica")
        ends.append((found.low, found.high))
    assert ends[1] == pytest.approx(ends[0], abs=0.002 * (ends[0][1] - ends[0][0]))


def test_moments_that_are_missing_or_too_coarse_are_left_out():
    """The first sums alone, as runs had them once, and clusters smaller than the unit: no shape, but an interval."""
    dice = np.random.default_rng(4)
    attempts = dice.integers(10, 41, 30)
    wins = dice.binomial(attempts, dice.beta(4.0, 1.0, 30))
    columns = cluster_sums(np.ones_like(wins), wins, attempts, np.zeros_like(wins), 128)
    coarse, exact = [int(column.sum()) for column in columns], list(sums_of(wins, attempts))
    old = exact[:FIRST_SUMS]
    found = [rate_interval(sums, "player") for sums in (coarse, old, [*old, *[0] * (len(SUMS) - len(old))])]
    assert found[0] == found[1] == found[2]
    best = rate_interval(exact, "player")
    assert (found[0].rate, found[0].clusters) == (best.rate, best.clusters)
    assert found[0].high - found[0].low == pytest.approx(best.high - best.low, rel=0.3)


@pytest.mark.parametrize(("most", "clusters"), [(1, 1), (400, 360), (400, 10_000_000), (10**7, 1000), (5 * 10**9, 2)])
def test_moments_fit_into_their_integers(most, clusters):
    unit = moment_unit(most, clusters)
    assert ((most + unit // 2) // unit) ** 4 * clusters < 2**63
    assert unit == 1 or ((2 * most // unit) + 1) ** 4 * clusters >= 2**62
    assert moment_unit(400, 10_000) == 1


@pytest.mark.parametrize("made", [(10**9, 1), (10**9, 1, 1), (1, 1), (3, 1)])
@pytest.mark.parametrize("lost", [0, 1])
def test_clusters_as_unequal_as_can_be_have_an_interval(made, lost):
    attempts = np.array(made)
    wins = attempts.copy()
    wins[0] -= lost
    unit = moment_unit(max(made), len(made))
    columns = cluster_sums(np.ones_like(wins), wins, attempts, wins * (DIAL_UNIT // 4), unit)
    sums = [int(column.sum()) for column in columns]
    found = rate_interval(sums, "player")
    assert 0.0 <= found.low <= found.rate <= found.high <= 1.0
    assert 1.0 <= found.effective <= len(made)
    assert all(math.isnan(end) or 0.0 <= end <= 1.0 for end in dial_interval(sums))


def test_mean_difficulty_has_a_margin():
    """The t interval of players' own means, where all make as many attempts."""
    dice = np.random.default_rng(5)
    own = np.clip(dice.normal(0.4, 0.1, 50), 0.0, 1.0)
    made = np.full(50, 60)
    dial = np.rint(own * 60 * DIAL_UNIT).astype(np.int64)
    columns = cluster_sums(np.ones_like(made), made // 2, made, dial, 1)
    low, high = dial_interval([int(column.sum()) for column in columns])
    half = t_half_width(49) * own.std(ddof=1) / math.sqrt(50)
    assert (low, high) == pytest.approx((own.mean() - half, own.mean() + half), abs=2e-4)
    fixed = np.full(50, 21 * DIAL_UNIT)
    alike = [int(column.sum()) for column in cluster_sums(np.ones_like(made), made // 2, made, fixed, 1)]
    assert dial_interval(alike) == (0.35, 0.35)
    assert all(math.isnan(end) for end in dial_interval(alike[:FIRST_SUMS]))


@pytest.mark.parametrize("replicas", [1, 6])
def test_the_share_of_players_who_quit_has_a_margin(replicas):
    """Wilson's where players are independent; between replicas where they share a controller."""
    scheme = dataclasses.replace(SCHEME, cohorts=1, cluster="player" if replicas == 1 else "replica")
    tally = Tally.empty(scheme)
    dice = np.random.default_rng(6)
    quits = []
    for _ in range(replicas):
        people = np.zeros(40, PLAYER)
        people["left"] = np.where(dice.random(40) < 0.3, QUIT, ATTEMPT_LIMIT)
        quits.append(int((people["left"] == QUIT).sum()))
        tally += tally_of(np.zeros(0, row_type(2, 1)), people, scheme)
    found = tally.quit_interval(0)
    assert found.rate == pytest.approx(sum(quits) / (40 * replicas)) == tally.quits(0) / tally.players(0)
    if replicas == 1:
        assert (found.low, found.high) == wilson(quits[0], 40)
    else:
        assert (found.low, found.high) == pytest.approx(slow_interval(quits, [40] * 6)[:2])


def test_quits_after_a_loss_and_after_a_win_are_shares_of_those_with_margins_over_players():
    rows, people = some_rows(9, players=600, cohorts=2)
    tally = tally_of(rows, people, dataclasses.replace(SCHEME, cohorts=2))
    won = rows["outcome"] == WON
    gone = {
        outcome: (people["left"] == QUIT) & (people["attempts"] > 0) & (people["last"] == outcome) for outcome in (0, 1)
    }
    names: tuple[tuple[int, LastOutcome], ...] = ((0, "lost"), (1, "won"))
    for outcome, name in names:
        ends = won == bool(outcome)
        assert tally.quits_after_each(name).rate == pytest.approx(gone[outcome].sum() / ends.sum())
        for cohort in (0, 1):
            own, theirs = people["cohort"] == cohort, rows["cohort"] == cohort
            found = tally.quits_of(cohort, name)
            counts = [int((ends & (rows["player"] == number)).sum()) for number in people["player"][own]]
            left = [int(flag) for flag in gone[outcome][own]]
            pairs = [(q, n) for q, n in zip(left, counts, strict=True) if n]
            assert found.attempts == int((ends & theirs).sum())
            assert (found.low, found.high) == pytest.approx(slow_interval(*zip(*pairs, strict=True))[:2])


def test_a_hundred_million_attempts_lose_no_digit():
    wins, attempts = np.full(1000, 75_000), np.full(1000, 100_000)
    wins[0] += 1
    found = interval(wins, attempts)
    assert found.method == "by player"
    assert found.error == pytest.approx(1e-8, rel=1e-3)


@pytest.mark.parametrize(
    ("wins", "attempts", "method", "counted"),
    [
        ([7], [10], "Wilson over attempts", (7, 10)),
        ([10] * 5, [10] * 5, "Wilson", (5, 5)),
        ([0, 0], [4, 9], "Wilson", (0, 169 / 97)),
        ([1, 0, 1, 1], [1, 1, 1, 1], "Wilson", (3, 4)),
        ([3, 3], [4, 4], "Wilson", (1.5, 2)),
    ],
)
def test_wilson_where_clusters_say_nothing(wins, attempts, method, counted):
    found = interval(wins, attempts)
    assert found.method == method
    assert (found.low, found.high) == wilson(*counted)
    assert (found.clusters, found.attempts) == (len(wins), sum(attempts))
    assert 0.0 <= found.low <= found.rate <= found.high <= 1.0
    assert math.isnan(found.error) == (len(set(wins)) == 1)


@pytest.mark.parametrize(("wins", "attempts"), [(0, 1), (1, 1), (0, 50), (8, 10), (499, 500), (500, 500), (1, 10**7)])
def test_wilson_is_scipys(wins, attempts):
    from scipy.stats import binomtest

    expected = binomtest(wins, attempts).proportion_ci(method="wilson")
    assert wilson(wins, attempts) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_no_attempts_no_rate():
    found = rate_interval([0] * len(SUMS), "player")
    assert found.method == "none"
    assert math.isnan(found.rate)


def test_quantiles_of_the_table():
    assert t_half_width(1) == pytest.approx(12.7062, abs=1e-4)
    assert t_half_width(49) == pytest.approx(2.0096, abs=1e-4)
    assert t_half_width(10**6) == pytest.approx(1.95997, abs=1e-4)


def coverage(correlation, seed, replications=4000, players=50, most=20):
    """Share of intervals that hold the true rate; players' own chances are beta with that intra-class correlation."""
    dice = np.random.default_rng(seed)
    rate = 0.75
    shape = (replications, players)
    own = np.full(shape, rate)
    if correlation:
        own = dice.beta(rate * (1 / correlation - 1), (1 - rate) * (1 / correlation - 1), shape)
    attempts = dice.integers(most // 2, most + most // 2, shape)
    wins = dice.binomial(attempts, own)
    held = 0
    for w, a in zip(wins, attempts, strict=True):
        found = interval(w, a)
        held += found.low <= rate <= found.high
    return held / replications


@pytest.mark.parametrize("correlation", [0.0, 0.2])
def test_clustered_intervals_cover_in_95_of_100(correlation):
    error = math.sqrt(0.95 * 0.05 / 4000)
    assert coverage(correlation, seed=11) == pytest.approx(0.95, abs=4 * error)


def test_clusters_that_do_not_differ_cover_too():
    """Ten players who win always or never, nine in ten of them always: often all of them do."""
    dice = np.random.default_rng(13)
    wins = 50 * dice.binomial(1, 0.9, (1000, 10))
    alike = [found for found in (interval(w, [50] * 10) for w in wins) if found.rate == 1]
    assert len(alike) > 200
    assert all(found.low <= 0.9 <= found.high for found in alike)


def test_an_interval_that_ignores_clusters_would_not_cover():
    dice = np.random.default_rng(12)
    own = dice.beta(3.0, 1.0, (1000, 50))  # intra-class correlation 0.2
    wins = dice.binomial(20, own).sum(axis=1)
    held = np.mean([low <= 0.75 <= high for low, high in (wilson(int(w), 1000) for w in wins)])
    assert held < 0.75
