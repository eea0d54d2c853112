"""Do printed intervals cover what they claim, are false alarms as rare as said? `python -m benchmarks.calibration`.

Each experiment is repeated very often on data whose truth is known, through the functions that runs and comparisons
use. Seeds are fixed here, before anything was looked at. Exit code 1 when a promise is not kept.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.comparison import change_of, known, nulls, scenario
from benchmarks.further_designs import SIZES, FurtherPopulation, further_populations
from engine.further.further_interval import FurtherInterval, further_interval
from engine.inference.difference import paired_difference
from engine.inference.intervals import FEW, SUMS, Cluster, RateInterval, cluster_sums, rate_interval
from engine.inference.intervals import sums_of as sums_of_clusters
from engine.inference.sequential import LEAST, PILOT, Width, find_size, is_narrow, needed_size
from engine.scenario import Scenario
from engine.tally import Scheme, Tally
from sims.comparison.comparison import compare
from sims.planning.pilot import sums_for, width_of
from sims.planning.plan import plan
from sims.verdict.gate import judge_gate
from sims.verdict.goal import Goal
from sims.workers.cores import cores

REPLICATIONS: Final = 10_000
COMPARISONS: Final = 1_000
CHANGES: Final = 200
FLOOR: Final = 0.94  # of coverage
CEILING: Final = 0.96
MOST_MISSED: Final = 0.035  # share of intervals that miss the truth on one side
LEAST_OF_FEW: Final = 0.93  # of coverage, below intervals.FEW effective players
WINS: Final = SUMS.index("wins")
ATTEMPTS: Final = SUMS.index("attempts")
POPULATION: Final = 20_000  # players that designs draw theirs from
GATES: Final = 2_000
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


EASY: Final = {"0.905": 0.284, "0.946": 0.186, "0.965": 0.102}  # difficulty at which default players win so much

QUITTING: Final = """
[[cohort]]
name = "a"
share = 1.0
[cohort.traits]
skill = {{ kind = "normal", mean = {skill}, sd = 0.9 }}
learning = {learning}
fatigue = 0.0
lapse = {lapse}
quit_frailty = {{ kind = "normal", mean = {frailty}, sd = {spread} }}
"""


class Line(NamedTuple):
    """One line of the table."""

    experiment: str
    measured: float  # share
    times: int  # replications
    low: float  # promised
    high: float
    note: str = ""
    below: float = 0.0  # share of intervals that lie above the truth, so that it is missed below
    above: float = 0.0

    @property
    def error(self) -> float:
        """Standard error of the share."""
        return math.sqrt(self.measured * (1.0 - self.measured) / self.times)

    def kept(self, slack: float = 0.0) -> bool:
        """Whether the promise is kept, give or take so many standard errors of what is promised."""
        below, above = (slack * math.sqrt(end * (1.0 - end) / self.times) for end in (self.low, self.high))
        side = MOST_MISSED + slack * math.sqrt(MOST_MISSED * (1.0 - MOST_MISSED) / self.times)
        return self.low - below <= self.measured <= self.high + above and max(self.below, self.above) <= side


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


# --- Designs in which clusters are of unequal size, or rates near an end ----------------------------------------------


class Design(NamedTuple):
    """Players that a repetition draws, with replacement, from a population whose rate is known exactly."""

    what: str
    sums: npt.NDArray[np.int64]  # wins and attempts of the population, shape (its players, 2)
    sizes: tuple[int, ...]  # players of a repetition

    @property
    def truth(self) -> float:
        return _rate(self.sums)

    def effective(self, players: int) -> float:
        """Effective players of a repetition, in the mean to first order."""
        made = self.sums[:, 1].astype(float)
        return float(players * made.mean() ** 2 / np.square(made).mean())


def designs(population: int = POPULATION) -> Iterator[Design]:
    """The designs. A world plays each population once, so the law of its players is the engine's own."""

    def played(
        difficulty: float, attempts: int, *, frailty: float, spread: float = 1.0, after: int = 0,
        learning: str = "0.0", lapse: str = "0.02", skill: float = 0.0,
    ) -> npt.NDArray[np.int64]:  # fmt: skip
        cohorts = QUITTING.format(skill=skill, learning=learning, lapse=lapse, frailty=frailty, spread=spread)
        sums = _world(
            players=population, seed=41, controller="constant", options=f"difficulty = {difficulty}",
            attempts=attempts, after=after, params="guess = 0.0", cohorts=cohorts,
        )  # fmt: skip
        return sums[sums[:, 1] > 0]

    learners = '{ kind = "lognormal", median = 0.15, log_sd = 0.5 }'
    yield Design("fixed difficulty, players quit", played(0.35, 60, frailty=-3.5), (20, 60, 300))
    long = played(0.35, 400, frailty=-5.5, spread=1.2, after=20, learning=learners)
    yield Design("up to 400 attempts", long, (30, 60, 100, 360))
    heavy = played(0.35, 400, frailty=-3.5, spread=1.5, learning=learners)
    yield Design("up to 400 attempts, heavy tail", heavy, (30, 60, 100, 360))
    for skill, name in ((-1.5, "0.9"), (-0.65, "0.95"), (0.3, "0.98")):
        sums = played(0.0, 40, frailty=-5.5, lapse="0.0", skill=skill)
        yield Design(f"rate near {name}, skills differ", sums, (20, 50, 100))
    dice = dice_for(42)
    for rate in (0.9, 0.95, 0.98):
        sums = crowd(dice, population, CORRELATION, rate)
        yield Design(f"rate near {rate:g}, correlation 0.2", sums, (20, 50, 100))


def edges(population: int = POPULATION) -> Iterator[Design]:
    """Designs of gates alone: players as they are by default, who quit, at one difficulty that is easy for most."""
    for name, difficulty in EASY.items():
        sums = _world(
            players=population, seed=43, controller="constant", options=f"difficulty = {difficulty}", attempts=50,
            after=10,
        )  # fmt: skip
        yield Design(f"rate near {name}, players of the defaults", sums[sums[:, 1] > 0], (50, 100, 300))


def drawn(design: Design, players: int, count: int) -> tuple[Line, npt.NDArray[np.int64]]:
    """Coverage of a design, and the SUMS of all repetitions, shape (count, SUMS)."""
    dice = np.random.default_rng(np.random.SeedSequence(20_262, spawn_key=(players, len(design.what))))
    cells = np.zeros((count, len(SUMS)), np.int64)
    for first in range(0, count, 500):
        chosen = design.sums[dice.integers(0, len(design.sums), (min(500, count - first), players))]
        wins, made = chosen[..., 0], chosen[..., 1]
        columns = cluster_sums(np.ones_like(wins), wins, made, np.zeros_like(wins), 1)
        cells[first : first + 500] = np.stack([column.sum(axis=1) for column in columns], axis=1)
    found = [rate_interval(cell.tolist(), "player") for cell in cells]
    below = float(np.mean([design.truth < one.low for one in found]))
    above = float(np.mean([design.truth > one.high for one in found]))
    effective = design.effective(players)
    few = effective < FEW
    note = f"{players} players, worth {effective:.0f}; truth {design.truth:.3f}"
    note += f"; missed {100 * below:.1f} % below, {100 * above:.1f} % above"
    # Where so many repetitions lose nothing, an interval must hold the truth for them, or miss too often on that side.
    # It then misses on the other side alone, and covers more than CEILING: no interval keeps both promises.
    spotless = max(float(np.mean(cells[:, WINS] == cells[:, ATTEMPTS])), float(np.mean(cells[:, WINS] == 0)))
    if spotless > MOST_MISSED:
        note += f"; {100 * spotless:.1f} % are all won or all lost, so more cannot be told"
    line = Line(
        design.what, 1.0 - below - above, count, LEAST_OF_FEW if few else FLOOR,
        1.0 if few or spotless > MOST_MISSED else CEILING, note, 0.0 if few else below, 0.0 if few else above,
    )  # fmt: skip
    return line, cells


def unequal(count: int) -> Iterator[Line]:
    """Coverage of all designs."""
    for design in designs():
        for players in design.sizes:
            yield drawn(design, players, count)[0]


def gates(count: int, population: int = POPULATION) -> Iterator[Line]:
    """How often a gate says met when the truth is the edge of its band."""
    for design in (*designs(population), *edges(population)):
        for players in design.sizes:
            if design.effective(players) < FEW:
                continue
            cells = drawn(design, players, count)[1]
            for edge, band in (("lower", (design.truth, 1.0)), ("upper", (0.0, design.truth))):
                met = sum(_met(cell, band) for cell in cells)
                note = f"{players} players, {edge} edge at {design.truth:.3f}"
                yield Line(f"gate met at the edge: {design.what}", met / count, count, 0.0, MOST_MISSED, note)


def further(count: int, population: int = POPULATION) -> Iterator[Line]:
    """Coverage of the margins of targets beyond the win rate, and how often a gate says met at an edge of the band."""
    for one in further_populations(population):
        truth = further_interval(one.target, _whole_cells(one), "player").value
        for players in SIZES:
            cells = further_cells(one, players, count)
            found = [further_interval(one.target, cell, "player") for cell in cells]
            below, above = (float(np.mean([hit(each) for each in found])) for hit in _misses(truth))
            note = f"{players} players; truth {truth:.3f}; missed {100 * below:.1f} % below, {100 * above:.1f} % above"
            # A 90th percentile is a whole number, and a share of so many players has few values: no interval can cover
            # 95 % at every truth then. What must not be is to miss too often on one side.
            counted_once = bool((one.whole <= 1).all())
            low, high = (LEAST_OF_FEW, 1.0) if counted_once else (FLOOR, CEILING)
            yield Line(one.target.words, 1.0 - below - above, count, low, high, note, below, above)


def _misses(truth: float) -> tuple[Callable[[FurtherInterval], bool], Callable[[FurtherInterval], bool]]:
    """Whether an interval lies above the truth, and whether it lies below."""
    return (lambda found: truth < found.low), (lambda found: truth > found.high)


def _whole_cells(one: FurtherPopulation) -> npt.NDArray[np.int64]:
    return np.array([sums_of_clusters(part, whole) for part, whole in zip(one.part, one.whole, strict=True)])


def further_cells(one: FurtherPopulation, players: int, count: int) -> npt.NDArray[np.int64]:
    """SUMS of all repetitions, shape (count, cells, SUMS)."""
    dice = np.random.default_rng(np.random.SeedSequence(20_263, spawn_key=(players, len(one.target.words))))
    size = one.part.shape[1]
    found = np.zeros((count, len(one.part), len(SUMS)), np.int64)
    for first in range(0, count, 100):
        chosen = dice.integers(0, size, (min(100, count - first), players))
        for cell, (part, whole) in enumerate(zip(one.part, one.whole, strict=True)):
            wins, made = part[chosen], whole[chosen]
            columns = cluster_sums(np.ones_like(wins), wins, made, np.zeros_like(wins), one.unit)
            found[first : first + 100, cell] = np.stack([column.sum(axis=1) for column in columns], axis=1)
    return found


def _met(cell: npt.NDArray[np.int64], band: tuple[float, float]) -> bool:
    tally = Tally.empty(Scheme(1, 0, 0, "player", 0.0, 1.0, (0, 5), 1, 86_400))
    tally.judged[0, 0] = cell
    return judge_gate(Goal(("a",), ((band,),), False, 1), tally).state == "met"


# --- Plans -----------------------------------------------------------------------------------------------------------

# Changed difficulty, and about the points it costs. So few players notice the last that a plan names the least size.
PLANNED: Final = ((0.3524, 0.003), (0.354, 0.005), (0.358, 0.01), (0.374, 0.03))
COMPARED: Final = 400
FLAGGED: Final = (0.88, 0.92)


def planned(count: int = COMPARED) -> Iterator[Line]:
    """How often a comparison of as many players as a plan names flags the change."""
    cohorts = QUITTING.format(skill=0.0, learning="0.0", lapse="0.02", frailty=-3.5, spread=1.0)

    def side(difficulty: float, players: int) -> Scenario:
        return scenario(
            "side.toml", game="logistic", params="guess = 0.0", controller="constant", cohorts=cohorts,
            options=f"difficulty = {difficulty}", players=players, attempts=60, target=0.75,
        )  # fmt: skip

    for difficulty, effect in PLANNED:
        named = plan(side(0.35, 60), side(difficulty, 60), effect=effect, workers=1)
        one, two = side(0.35, named.size), side(difficulty, named.size)
        changes = [change_of(compare(one, two, seed=30_000 + run, workers=1), "win_rate") for run in range(count)]
        mean = np.mean([change.difference.value for change in changes])
        note = f"{named.size:,} players for {100 * effect:g} points; {100 * mean:+.2f} points on average"
        share = float(np.mean([change.flagged for change in changes]))
        low, high = FLAGGED
        if named.size == LEAST:
            note, high = f"{note}; the least size", 1.0
        yield Line("flagged at the planned size", share, count, low, high, note)


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
    yield from unequal(replications)
    yield from gates(gates_of(replications))
    yield from further(gates_of(replications))
    yield paired(replications)
    yield paired_steered(replications)
    yield sequential(replications, rate=0.7, wanted=0.03, experiment=4)
    yield sequential(replications, rate=0.95, wanted=0.01, experiment=5)
    yield fixed(replications, rate=0.95, players=980)
    yield greedy(replications)
    yield from best_of_eight(replications)
    yield from false_alarms(comparisons)
    yield from three_points(changes)
    yield from planned(2 * changes)


def gates_of(replications: int) -> int:
    return GATES * replications // REPLICATIONS


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
