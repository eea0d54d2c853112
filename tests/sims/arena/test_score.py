"""Score cards, held against a slow reference that was written apart, and intervals against what they promise."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from engine.game import LOST, WON
from engine.record import row_type
from sims.arena.score import (
    IN_BAND,
    NEVER,
    SCORE,
    advantage_of,
    behind_best,
    card_of,
    is_alike,
    ratio_of,
    regret_of,
    scores_of,
)

ROW = row_type(1, 0)
REPS = 600
CONFIDENCE = 0.95


def rows_of(attempts, seed, cohorts=2, replicas=2, players=4):
    """Random rows in the order in which a world leaves them, and their chances.

    Half of the players begin a round later than the others; the last of each cohort meets settings of their own.
    """
    dice = np.random.default_rng(seed)
    rows, chances = [], []
    for replica in range(replicas):
        for cohort in range(cohorts):
            dial = dice.uniform(size=attempts + 1)
            for place in range(players):
                streak = 0
                p = 0.5 + 0.1 * cohort + float(dice.uniform(-1.0, 1.0)) * (0.02, 0.25)[cohort]
                for attempt in range(int(dice.integers(attempts // 2, attempts + 1))):
                    p = float(np.clip(p + dice.normal(0.0, 0.02), 0.02, 0.98))
                    row = np.zeros((), ROW)
                    row["replica"], row["cohort"], row["player"] = replica, cohort, cohort * 10_000_000 + place
                    row["attempt"], row["target"] = attempt, 0.5 + 0.1 * cohort
                    row["start_s"] = 36.0 * (attempt + place % 2)
                    row["difficulty"] = dice.uniform() if place == players - 1 else dial[attempt + place % 2]
                    row["outcome"] = WON if dice.uniform() < p else LOST
                    row["streak"] = streak
                    streak = 0 if row["outcome"] == WON else streak + 1
                    rows.append(row)
                    chances.append(p)
    return np.array(rows), np.array(chances)


def tracks_of(scope, rows, chances, after=7):
    """Dictionary: track -> list of (attempt, p, target, won, third loss), by plain loops."""
    cells: dict[tuple[int, int], dict[tuple[float, ...], list[tuple[float, ...]]]] = {}
    for row, p in zip(rows, chances, strict=True):
        owner = int(row["player"]) if scope == "player" else int(row["cohort"])
        key = (int(row["replica"]), owner)
        third = 1.0 if row["outcome"] == LOST and row["streak"] >= 2 else 0.0
        moment = (float(row["start_s"]), int(row["attempt"]) >= after, float(row["target"]), float(row["difficulty"]))
        seen = (int(row["attempt"]), p, float(row["target"]), float(row["outcome"] == WON), third)
        cells.setdefault(key, {}).setdefault(moment, []).append(seen)
    return {
        key: [(seen[0][0], *(math.fsum(column) / len(column) for column in list(zip(*seen, strict=True))[1:]))
              for _, seen in sorted(by_moment.items())]
        for key, by_moment in sorted(cells.items())
    }  # fmt: skip


def moved_of(dial, rows):
    """Dictionary: track -> (sum of |change of difficulty|, number of changes) of its dials, by plain loops."""
    met: dict[tuple[int, ...], list[tuple[float, ...]]] = {}
    for row in rows:
        owner = (int(row["player"]),) if dial == "player" else ()
        met.setdefault((int(row["replica"]), int(row["cohort"]), *owner), []).append(
            (float(row["start_s"]), int(row["attempt"]), float(row["difficulty"]))
        )
    found = {}
    for key, seen in sorted(met.items()):
        seen.sort(key=lambda one: one[:2])
        steps = [(a, b) for a, b in itertools.pairwise(seen) if a[0] != b[0] or a[2] != b[2]]
        found[key] = (math.fsum(abs(b[2] - a[2]) for a, b in steps), len(steps))
    return found


def reference(track, after):
    """What SCORE records say of one track, from the definitions in the issue."""
    errors = [p - target for _, p, target, *_ in track]
    judged = [error for error, (attempt, *_) in zip(errors, track, strict=True) if attempt >= after]
    early = [error for error, (attempt, *_) in zip(errors, track, strict=True) if attempt < after]
    near = [abs(error) < IN_BAND for error in errors]
    runs = [i for i in range(len(near) - 9) if all(near[i : i + 10])]
    beyond = [abs(e) for e in errors[1:] if e * errors[0] <= 0.0]
    return {
        "attempts": len(track),
        "judged": len(judged),
        "square": math.fsum(error**2 for error in judged),
        "early_square": math.fsum(error**2 for error in early),
        "chance": math.fsum(p for _, p, *_ in track),
        "in_band": sum(abs(error) < IN_BAND for error in judged),
        "settled": track[runs[0]][0] if runs else NEVER,
        "overshoot": max(beyond, default=0.0),
        "surplus": math.fsum(won - target for attempt, _, target, won, _ in track if attempt >= after),
        "streaks": math.fsum(third for *_, third in track),
    }


@pytest.mark.parametrize("scope", ["player", "cohort", "everyone"])
def test_scores_agree_with_a_slow_reference(scope):
    rows, chances = rows_of(60, seed=801)
    scores = scores_of(scope, rows, chances, after=7)
    tracks = tracks_of(scope, rows, chances)
    assert len(scores) == len(tracks)
    assert any(one["settled"] != NEVER for one in scores), "the reference must see some settle"
    for score, ((replica, owner), track) in zip(scores, tracks.items(), strict=True):
        assert int(score["cohort"]) == (owner // 10_000_000 if scope == "player" else owner)
        assert (score["unit"] == replica) if scope == "everyone" else (score["unit"] == score["track"])
        for name, value in reference(track, 7).items():
            assert score[name] == pytest.approx(value, abs=1e-9), name
    for score, (moved, moves) in zip(scores, moved_of(scope, rows).values(), strict=True):
        assert (score["moved"], score["moves"]) == (pytest.approx(moved, abs=1e-9), moves)
    assert len(set(scores["track"].tolist())) == len(tracks)
    assert len(set(scores["unit"].tolist())) == (2 if scope == "everyone" else len(tracks))


def test_a_card_is_made_of_its_scores():
    rows, chances = rows_of(60, seed=802)
    card = card_of(scores_of("player", rows, chances, after=7))
    tracks = [reference(track, 7) for track in tracks_of("player", rows, chances).values()]

    def total(name):
        return math.fsum(track[name] for track in tracks)

    settled = sorted(track["settled"] for track in tracks if track["settled"] != NEVER)
    own = [math.sqrt(track["square"] / track["judged"]) for track in tracks]
    assert card.units == len(tracks)
    assert card.rmse.value == pytest.approx(math.sqrt(total("square") / total("judged")))
    assert card.rmse_early == pytest.approx(math.sqrt(total("early_square") / (total("attempts") - total("judged"))))
    assert card.rmse_all == pytest.approx(math.sqrt((total("square") + total("early_square")) / total("attempts")))
    assert card.settled == np.median(settled)
    assert card.never == pytest.approx(1.0 - len(settled) / len(tracks))
    assert card.in_band == pytest.approx(total("in_band") / total("judged"))
    moved = moved_of("player", rows).values()
    assert card.jitter == pytest.approx(math.fsum(one[0] for one in moved) / sum(one[1] for one in moved))
    assert card.overshoot == pytest.approx(total("overshoot") / len(tracks))
    assert card.worst == pytest.approx(np.percentile(own, 95))
    assert card.streaks == pytest.approx(total("streaks") / total("attempts"))
    assert card.win_error == pytest.approx(np.mean([abs(t["surplus"] / t["judged"]) for t in tracks]))


def swinging(phases, attempts=60, round_s=36.0):
    """Two players, or more, of one dial that swings between .35 and .75 by the round, each with their own first round;
    their chances."""
    rows = np.zeros(len(phases) * attempts, ROW)
    rows["player"] = np.repeat(np.arange(len(phases)), attempts)
    rows["attempt"] = np.tile(np.arange(attempts), len(phases))
    rounds = rows["attempt"] + np.repeat(phases, attempts)
    rows["start_s"], rows["target"], rows["outcome"] = round_s * rounds, 0.55, WON
    rows["difficulty"] = np.where(rounds % 2 == 0, 0.25, 0.65)
    return rows, 1.0 - rows["difficulty"]


@pytest.mark.parametrize("scope", ["player", "cohort", "everyone"])
@pytest.mark.parametrize("phases", [(0, 0), (0, 1), (0, 7), (3, 0, 1, 8)])
@pytest.mark.parametrize("deploy_every_s", [0.0, 36.0])
def test_a_swinging_dial_is_no_better_where_players_are_out_of_step(scope, phases, deploy_every_s):
    """At each attempt number one of two is .2 too easy and the other .2 too hard: that is not on target."""
    rows, chances = swinging(phases)
    card = card_of(scores_of(scope, rows, chances, after=10, deploy_every_s=deploy_every_s))
    assert card.rmse.value == pytest.approx(0.2)
    assert card.rmse_all == pytest.approx(0.2)
    assert card.in_band == 0.0
    assert card.jitter == pytest.approx(0.4)


def test_between_two_deployments_players_meet_one_setting_and_are_one_moment():
    """They begin at any time of the day; each alone is .2 off, together they are where they should be."""
    rows, chances = swinging((0, 0))
    rows["start_s"] += np.where(rows["player"] == 1, 11.0, 0.0)
    rows["difficulty"] = 0.45
    chances = np.where(rows["player"] == 1, 0.35, 0.75)
    timed = scores_of("cohort", rows, chances, after=10, deploy_every_s=36.0)
    assert timed["attempts"].tolist() == [60]
    assert card_of(timed).rmse.value == pytest.approx(0.0)
    assert scores_of("cohort", rows, chances, after=10)["attempts"].tolist() == [120]


def test_jitter_is_that_of_each_dial():
    """A rule that steers players alone is scored with those who share: its dials stand still, though apart."""
    rows, chances = swinging((0, 1))
    rows["difficulty"] = np.where(rows["player"] == 1, 0.2, 0.8)
    assert card_of(scores_of("cohort", rows, chances, after=10, dial="player")).jitter == 0.0
    assert card_of(scores_of("cohort", rows, chances, after=10)).jitter > 0.2


def test_what_is_not_known_is_not_told():
    rows, chances = rows_of(40, seed=803)
    chances[5] = math.nan
    whole = scores_of("player", rows, np.nan_to_num(chances, nan=0.5), after=3)
    card, other = card_of(scores_of("player", rows, chances, after=3)), card_of(whole)
    for name in ("rmse_all", "settled", "never", "in_band", "overshoot", "worst"):
        assert math.isnan(getattr(card, name)), name
    assert math.isnan(card.rmse.value)
    assert (card.jitter, card.streaks, card.win_error) == (other.jitter, other.streaks, other.win_error)
    assert math.isnan(ratio_of(scores_of("player", rows, chances, after=3), whole).value)


def test_one_unit_has_a_value_and_no_interval():
    rows, chances = rows_of(40, seed=804, replicas=1)
    card = card_of(scores_of("everyone", rows, chances, after=3))
    assert card.units == 1
    assert card.rmse.value > 0.0
    assert math.isnan(card.rmse.low)
    assert math.isnan(card.rmse.high)


def test_a_controller_is_as_good_as_itself():
    rows, chances = rows_of(40, seed=805)
    scores = scores_of("cohort", rows, chances, after=3)
    assert tuple(ratio_of(scores, scores)) == (1.0, 1.0, 1.0)
    assert tuple(regret_of(scores, scores)) == (0.0, 0.0, 0.0)


def test_who_played_with_one_of_two_only_still_counts():
    """A player may leave before the first attempt that counts; the others' comparison must not break for it."""
    rows, chances = rows_of(40, seed=806)
    scores = scores_of("player", rows, chances, after=3)
    found = ratio_of(scores[1:], scores)
    kept = math.sqrt(scores["square"][1:].sum() / scores["judged"][1:].sum())
    assert found.value == pytest.approx(kept / card_of(scores).rmse.value)
    assert found.low < found.value < found.high


# --- Intervals cover what they promise -------------------------------------------------------------------------------


def synthetic(dice, units, means, spread, noise):
    """Scores of controllers on the same units, whose expected square, absolute error and chance are known.

    A unit has between 20 and 60 attempts; its own difficulty acts on all controllers alike, its noise on each.
    """
    attempts = dice.integers(20, 61, units)
    shared = dice.uniform(-spread, spread, units)
    found = []
    for mean in means:
        scores = np.zeros(units, SCORE)
        scores["unit"] = scores["track"] = np.arange(units)
        scores["attempts"] = scores["judged"] = attempts
        each = mean * (1.0 + shared + dice.uniform(-noise, noise, units))
        scores["square"] = scores["chance"] = each * attempts
        found.append(scores)
    return found


def covered(truth, intervals):
    """How many standard errors the share of intervals that hold the truth lies from what was promised."""
    share = np.mean([found.low <= truth <= found.high for found in intervals])
    return (share - CONFIDENCE) / math.sqrt(CONFIDENCE * (1.0 - CONFIDENCE) / len(intervals))


def test_the_interval_of_rmse_covers_its_truth():
    dice = np.random.default_rng(811)
    found = [card_of(synthetic(dice, 80, [0.01], 0.6, 0.3)[0]).rmse for _ in range(REPS)]
    assert abs(covered(0.1, found)) < 4.0


@pytest.mark.parametrize("means", [(0.01, 0.01), (0.02, 0.01), (0.003, 0.012)])
def test_the_interval_of_a_ratio_covers_its_truth(means):
    dice = np.random.default_rng(812)
    found = [ratio_of(*synthetic(dice, 80, means, 0.6, 0.3)) for _ in range(REPS)]
    assert abs(covered(math.sqrt(means[0] / means[1]), found)) < 4.0


@pytest.mark.parametrize(
    ("difference", "truth"), [(regret_of, math.sqrt(0.05) - math.sqrt(0.04)), (advantage_of, 0.01)]
)
def test_the_interval_of_a_difference_covers_its_truth(difference, truth):
    dice = np.random.default_rng(813)
    found = [difference(*synthetic(dice, 80, (0.05, 0.04), 0.6, 0.3)) for _ in range(REPS)]
    assert abs(covered(truth, found)) < 4.0


def test_regret_is_of_rmse_over_all_attempts():
    rows, chances = rows_of(40, seed=807)
    one = scores_of("player", rows, chances, after=7)
    other = scores_of("player", rows, np.clip(chances + 0.1, 0.0, 1.0), after=7)
    assert regret_of(one, other).value == pytest.approx(card_of(one).rmse_all - card_of(other).rmse_all)
    perfect = scores_of("player", rows, rows["target"].copy(), after=7)
    assert regret_of(perfect, other).high < 0.0, "without any error there is still an interval"


def test_who_cannot_be_told_from_the_best_is_held_against_all_pairs():
    dice = np.random.default_rng(817)
    three = synthetic(dice, 60, [0.02, 0.01, 0.0101], 0.6, 0.3)
    unknown = three[0].copy()
    unknown["square"] = math.nan
    best, behind = behind_best([*three, unknown])
    assert best == 1
    assert tuple(behind[1]) == (1.0, 1.0, 1.0)
    assert behind[0] == ratio_of(three[0], three[1], 3)
    assert [is_alike(one) for one in behind] == [False, True, True, False]


def test_pairing_narrows_the_interval():
    dice = np.random.default_rng(814)
    one, other = synthetic(dice, 400, (0.02, 0.01), 0.6, 0.05)
    apart = other.copy()
    apart["square"] = other["square"] / other["judged"]
    apart["square"] = dice.permutation(apart["square"]) * apart["judged"]
    narrow, wide = ratio_of(one, other), ratio_of(one, apart)
    assert wide.high - wide.low > 4.0 * (narrow.high - narrow.low)


def test_intervals_that_hold_all_at_once_do_so():
    """Ten comparisons of equals: with one interval each, four of ten families would hold a false claim."""
    dice = np.random.default_rng(815)

    def wrong(comparisons):
        families = 0
        for _ in range(REPS // 2):
            one, *others = synthetic(dice, 60, [0.01] * 11, 0.6, 0.3)
            ratios = [ratio_of(other, one, comparisons) for other in others]
            families += any(ratio.low > 1.0 or ratio.high < 1.0 for ratio in ratios)
        return families / (REPS // 2)

    assert wrong(10) <= 0.05 + 4.0 * math.sqrt(0.05 * 0.95 / (REPS // 2))
    assert wrong(1) > 0.15


def test_tracks_of_one_dial_are_one_unit():
    """Four cohorts behind one dial err together: they must not count as four independent groups."""
    dice = np.random.default_rng(816)
    found = []
    for _ in range(REPS):
        one = synthetic(dice, 40, [0.01], 0.6, 0.0)[0]
        many = np.repeat(one, 4)
        many["track"] = np.arange(len(many))
        assert card_of(many).rmse == pytest.approx(card_of(one).rmse)
        found.append(card_of(many).rmse)
    assert abs(covered(0.1, found)) < 4.0
