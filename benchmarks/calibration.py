"""Do printed intervals cover what they claim, are false alarms as rare as said? `python -m benchmarks.calibration`.

Each experiment is repeated very often on data whose truth is known, through the functions that runs and comparisons
use. Seeds are fixed here, before anything was looked at. Exit code 1 when a promise is not kept.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.comparison import known, nulls, scenario
from engine.inference.difference import paired_difference
from engine.inference.intervals import Cluster, RateInterval, rate_interval
from engine.inference.intervals import sums_of as sums_of_clusters
from engine.inference.sequential import LEAST, PILOT, Width, find_size, is_narrow, needed_size
from sims.planning.pilot import sums_for, width_of
from sims.workers.cores import cores

REPLICATIONS: Final = 10_000
COMPARISONS: Final = 1_000
CHANGES: Final = 200
FLOOR: Final = 0.94  # of coverage
CEILING: Final = 0.96
MOST_ALARMS: Final = 0.07  # share of null comparisons with any flag
LEAST_FOUND: Final = 0.90  # share of comparisons in which a change of three points is flagged
PLAYERS: Final = 100  # of a replication
RATE: Final = 0.7
CORRELATION: Final = 0.2  # of the attempts of one player
TRUTH: Final = 500  # replications at least whose players tell a truth that is not known in closed form
SLACK: Final = 4.0  # standard errors that a small repetition may be off
_GREEDY: Final = 0.06
_MANY: Final = 2**40
_MUCH: Final = 5_000_000  # attempts
_MANY_PLAYERS: Final = 2_000


class Line(NamedTuple):
    """One line of the table."""

    experiment: str
    measured: float  # share
    times: int  # replications
    low: float  # promised
    high: float
    note: str = ""

    @property
    def error(self) -> float:
        """Standard error of the share."""
        return math.sqrt(self.measured * (1.0 - self.measured) / self.times)

    def kept(self, slack: float = 0.0) -> bool:
        """Whether the promise is kept, give or take so many standard errors of what is promised."""
        below, above = (slack * math.sqrt(end * (1.0 - end) / self.times) for end in (self.low, self.high))
        return self.low - below <= self.measured <= self.high + above


Dice = np.random.Generator


def dice_for(experiment: int) -> Dice:
    """Fixed in advance, one stream an experiment."""
    return np.random.default_rng(np.random.SeedSequence(20_261, spawn_key=(experiment,)))


def interval(sums: npt.NDArray[np.int64], cluster: Cluster = "player") -> RateInterval:
    """The interval that a run prints, from wins and attempts of each cluster, shape (clusters, 2)."""
    return rate_interval(sums_of_clusters(sums[:, 0], sums[:, 1]), cluster)


def crowd(dice: Dice, players: int, correlation: float, rate: float = RATE) -> npt.NDArray[np.int64]:
    """Wins and attempts (10 to 40) of players whose attempts have this intra-class correlation (beta-binomial)."""
    attempts = dice.integers(10, 41, players)
    chance = np.full(players, rate)
    if correlation > 0.0:
        size = 1.0 / correlation - 1.0
        chance = dice.beta(rate * size, (1.0 - rate) * size, players)
    return np.stack((dice.binomial(attempts, chance), attempts), axis=1)


def covers(found: RateInterval, truth: float) -> bool:
    return found.low <= truth <= found.high


def _rate(sums: npt.NDArray[np.int64]) -> float:
    return float(sums[:, 0].sum() / sums[:, 1].sum())


def coverage(name: str, hits: Sequence[bool], note: str = "", high: float = CEILING) -> Line:
    return Line(name, float(np.mean(hits)), len(hits), FLOOR, high, note)


# --- Intervals of one rate -------------------------------------------------------------------------------------------


def independent(count: int) -> Line:
    dice = dice_for(1)
    hits = [covers(interval(crowd(dice, PLAYERS, 0.0)), RATE) for _ in range(count)]
    return coverage("independent attempts", hits, f"{PLAYERS} players, 10 to 40 attempts each")


def correlated(count: int) -> Line:
    dice = dice_for(2)
    hits = [covers(interval(crowd(dice, PLAYERS, CORRELATION)), RATE) for _ in range(count)]
    return coverage("intra-class correlation 0.2", hits, f"{PLAYERS} players, 10 to 40 attempts each")


def steered(count: int) -> Line:
    """Players of the world with a controller of their own; the truth is that of many other players."""
    truth = _rate(_world(players=PLAYERS * max(count // 2, TRUTH), seed=31))
    sums = _world(players=PLAYERS * count, seed=32)
    hits = [covers(interval(group), truth) for group in sums.reshape(count, PLAYERS, 2)]
    return coverage("controller in the loop", hits, f"{PLAYERS} players with a kalman each, judged after 10 attempts")


def shared(count: int) -> Line:
    """Replicas of a few players who share a controller: slow, so a tenth as often, and with a point more of slack."""
    count = max(count // 10, 1)
    many = _world(players=10, seed=33, replicas=20 * count, controller="elo", scope="everyone")
    sums = _world(players=10, seed=34, replicas=10 * count, controller="elo", scope="everyone")
    hits = [covers(interval(group, "replica"), _rate(many)) for group in sums.reshape(count, 10, 2)]
    note = "10 replicas of 10 players who share an elo"
    return Line("shared controller", float(np.mean(hits)), count, FLOOR - 0.01, CEILING + 0.01, note)


def sequential(count: int, *, rate: float, wanted: float, experiment: int) -> Line:
    """Pilot, size, run, and the rare repetition, as `flowdial run --precision` does it."""
    dice = dice_for(experiment)
    hits, again, sizes = [], 0, []

    def look(size: int) -> list[Width]:
        return [width_of(crowd(dice, size, CORRELATION, rate))]

    for _ in range(count):
        size = find_size(look, wanted, first=PILOT, least=LEAST, affordable=_MANY).needed
        sums = crowd(dice, size, CORRELATION, rate)
        if not is_narrow([width_of(sums)], wanted):
            again += 1
        while not is_narrow([width_of(sums)], wanted):
            more = needed_size(len(sums), [width_of(sums)], wanted) - len(sums)
            sums = np.concatenate((sums, crowd(dice, more, CORRELATION, rate)))
        hits.append(covers(interval(sums), rate))
        sizes.append(len(sums))
    share = 100 * again / count
    note = f"to +-{wanted:g} at {rate:g}; {np.mean(sizes):.0f} players on average, {share:.1f} % played again"
    return coverage("sequential stop", hits, note, high=1.0)


def fixed(count: int, *, rate: float, players: int) -> Line:
    """For contrast: as many players, and no decision about them."""
    dice = dice_for(9)
    hits = [covers(interval(crowd(dice, players, CORRELATION, rate)), rate) for _ in range(count)]
    note = f"at {rate:g}, always {players} players, for contrast"
    return Line("(no stop)", float(np.mean(hits)), count, 0.0, 1.0, note)


def greedy(count: int) -> Line:
    """For contrast: stop at the first look at which the interval is narrow, at ever more of the same players."""
    dice, count = dice_for(6), max(count // 10, 1)
    hits = []
    for _ in range(count):
        size, sums = 10, crowd(dice, 10 * PLAYERS, CORRELATION)
        while size < len(sums) and (found := interval(sums[:size])).high - found.low > 2.0 * _GREEDY:
            size = math.ceil(1.05 * size)
        hits.append(covers(interval(sums[:size]), RATE))
    note = f"to +-{_GREEDY:g} at {RATE:g}, from 10 players on, for contrast"
    return Line("(stop at the first narrow look)", float(np.mean(hits)), count, 0.0, 1.0, note)


def best_of_eight(count: int) -> list[Line]:
    """Eight settings that differ by a point each, the best by 50 players of each; measured by those, and by others."""
    dice = dice_for(7)
    rates = RATE + 0.01 * np.arange(8)
    naive, honest = [], []
    for _ in range(count):
        tried = [interval(crowd(dice, PLAYERS // 2, CORRELATION, rate)) for rate in rates]
        best = max(range(8), key=lambda place: tried[place].rate)
        naive.append(covers(tried[best], rates[best]))
        honest.append(covers(interval(crowd(dice, PLAYERS, CORRELATION, rates[best])), rates[best]))
    return [
        coverage("best of 8, measured again", honest, f"{PLAYERS} other players"),
        Line("(best of 8, as it was found)", float(np.mean(naive)), count, 0.0, 1.0, "for contrast: 50 players"),
    ]


# --- Differences -----------------------------------------------------------------------------------------------------


def paired(count: int) -> Line:
    """Players of correlation 0.2 and much common luck, whose chance falls by three points; the truth is exact."""
    dice = dice_for(8)
    hits = []
    for _ in range(count):
        attempts = dice.integers(10, 41, PLAYERS)
        size = 1.0 / CORRELATION - 1.0
        chance = dice.beta(RATE * size, (1.0 - RATE) * size, PLAYERS)
        before = dice.binomial(attempts, chance)
        lost = dice.binomial(before, 0.03 / RATE)  # of the attempts won: E[after] = chance (1 - 0.03 / RATE)
        hits.append(_covers(np.stack((before, attempts), 1), np.stack((before - lost, attempts), 1), -0.03))
    return coverage("paired difference", hits, f"{PLAYERS} players, correlation 0.2, 3 points")


def paired_steered(count: int) -> Line:
    """The same players and luck in two worlds whose targets differ by three points, a controller in the loop."""
    many = PLAYERS * max(count // 2, TRUTH)
    truth = _rate(_world(players=many, seed=91, target=0.67)) - _rate(_world(players=many, seed=91))
    before, after = (_world(players=PLAYERS * count, seed=92, target=target) for target in (0.70, 0.67))
    groups = zip(before.reshape(count, PLAYERS, 2), after.reshape(count, PLAYERS, 2), strict=True)
    hits = [_covers(was, is_, truth) for was, is_ in groups]
    return coverage("paired, controller in the loop", hits, f"{PLAYERS} players, targets 0.70 and 0.67")


def _covers(before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], truth: float) -> bool:
    found = paired_difference(before, after)
    return found.low <= truth <= found.high


# --- Many metrics ----------------------------------------------------------------------------------------------------


def false_alarms(count: int) -> Iterator[Line]:
    """All that `flowdial compare` tests, on runs between which nothing changed."""
    for found in nulls(count, PLAYERS):
        note = f"{found.tests} tests at once, {PLAYERS} players"
        yield Line(f"any false flag: {found.what}", found.share, found.runs, 0.0, MOST_ALARMS, note)


def three_points(count: int) -> Iterator[Line]:
    """The same, on runs whose win rates differ by three points."""
    for found, change in known(count, _MANY_PLAYERS):
        note = f"{_MANY_PLAYERS:,} players, {100 * change:+.1f} points"
        yield Line(f"flagged: {found.what}", found.share, found.runs, LEAST_FOUND, 1.0, note)


# --- Worlds ----------------------------------------------------------------------------------------------------------


def _world(**choices: object) -> npt.NDArray[np.int64]:
    """Judged wins and attempts of each player, or of each replica of a shared controller, shape (clusters, 2)."""
    usual = {"game": "logistic", "controller": "kalman", "attempts": 30, "after": 10}
    played = scenario("calibration.toml", **{**usual, **choices})
    workers = cores() if played.work > _MUCH else 1  # processes cost seconds to start
    (sums,) = sums_for(played, workers=workers).values()  # of the only cohort
    return sums


# --- The table -------------------------------------------------------------------------------------------------------


def lines(replications: int, comparisons: int, changes: int) -> Iterator[Line]:
    """All experiments, one after the other."""
    yield independent(replications)
    yield correlated(replications)
    yield steered(replications)
    yield shared(replications)
    yield paired(replications)
    yield paired_steered(replications)
    yield sequential(replications, rate=0.7, wanted=0.03, experiment=4)
    yield sequential(replications, rate=0.95, wanted=0.01, experiment=5)
    yield fixed(replications, rate=0.95, players=980)
    yield greedy(replications)
    yield from best_of_eight(replications)
    yield from false_alarms(comparisons)
    yield from three_points(changes)


def table(found: Sequence[Line], slack: float = 0.0) -> str:
    """For people and for docs/statistics.md."""
    head = "| experiment | measured, % | standard error | promised, % | repeated | what |\n|---|---|---|---|---|---|"
    rows = []
    for line in found:
        promised = "-" if line.low == 0.0 and line.high == 1.0 else f"{100 * line.low:g} to {100 * line.high:g}"
        mark = "" if line.kept(slack) else " (not kept)"
        rows.append(
            f"| {line.experiment} | {100 * line.measured:.2f}{mark} | {100 * line.error:.2f} | {promised} | "
            f"{line.times:,} | {line.note} |"
        )
    return "\n".join([head, *rows])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fiftieth of it, with 4 standard errors of slack")
    part, slack = (50, SLACK) if parser.parse_args(arguments).quick else (1, 0.0)
    found = []
    began = time.monotonic()
    for line in lines(REPLICATIONS // part, COMPARISONS // part, max(CHANGES // part, 10)):
        sys.stderr.write(f"{time.monotonic() - began:6.0f} s  {line.experiment}: {100 * line.measured:.2f} %\n")
        found.append(line)
    print(table(found, slack))
    return 0 if all(line.kept(slack) for line in found) else 1


if __name__ == "__main__":
    sys.exit(main())
