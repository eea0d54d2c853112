"""How near to the truth each method of search comes: `python -m benchmarks.tuning`.

Every method tunes the same problems (see benchmarks.tuning_problem), one for each seed, from the middle of the search
space, and ends with the same final race on fresh players. The table shows the true error of its answer: the largest
distance of a true win rate from its target. It gives the median and quartiles over the seeds, the share of seeds with
an error of at most 0.01, and the processor seconds of the method itself. The floor is the error if all attempts were
made at the optimum, by independent players; stratified skill may go below it.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from benchmarks.tuning_problem import SHAPES, TOLERANCE, TuningProblem
from engine.errors import FlowdialError
from sims.tuning.budget import search_share
from sims.tuning.final_race import ENTRANTS, FinalRace
from sims.tuning.search.counts import Ask
from sims.tuning.search.methods import METHODS, begin_search
from sims.tuning.search.search_space import Point

ATTEMPTS: Final = {3: (25_000, 50_000, 100_000), 8: (25_000, 50_000, 100_000), 20: (25_000, 100_000)}
USUAL: Final = tuple(name for name in METHODS if name != "gp")  # it is slow, and needs a package of a gigabyte
SEEDS: Final = 40
_RACE_BLOCKS: Final = 10**9  # first block of the final race, far beyond those of any search
_ONE_THREAD: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Case(NamedTuple):
    """One study."""

    method: str
    knobs: int
    attempts: int
    ripple: float
    cliff: float
    seed: int


class Result(NamedTuple):
    """What came of it."""

    error: float  # true, of the answer; NaN where the method refused
    seconds: float  # of a core, spent by the method
    refusal: str = ""


class Meter:
    """Adds up processor time of this process."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        self.seconds -= time.process_time()

    def __exit__(self, *fault: object) -> None:
        self.seconds += time.process_time()


def tuned(case: Case) -> Result:
    """Carry out a study: a search with its share of the attempts, then the final race with the rest."""
    problem = TuningProblem(case.knobs, case.seed, case.ripple, case.cliff)
    meter = Meter()
    try:
        finalists, spent = searched(problem, case, meter)
    except FlowdialError as refusal:
        return Result(math.nan, meter.seconds, str(refusal))
    race = FinalRace(finalists, problem.segments, case.attempts - spent, options=1)
    left = case.attempts - spent
    while asks := race.ask(left):
        left -= cost(asks)
        race.tell(problem.play([ask._replace(block=_RACE_BLOCKS + ask.block) for ask in asks]))
    return Result(problem.error(race.points[0]), meter.seconds)


def searched(problem: TuningProblem, case: Case, meter: Meter) -> tuple[list[Point], int]:
    """Finalists, and attempts that were spent on them."""
    middle: Point = tuple(problem.search_space.snap(np.full(problem.search_space.size, 0.5))[0].tolist())
    share = left = int(search_share(case.attempts, problem.segments) * case.attempts)
    with meter:
        search = begin_search(case.method, problem.search_space, problem.segments, case.seed, share, middle)
    while True:
        with meter:
            asks = search.ask(left)
        if not asks:
            break
        left -= cost(asks)
        tells = problem.play(asks)
        with meter:
            search.tell(tells)
    with meter:
        return search.finalists(ENTRANTS), share - left


def cost(asks: Iterable[Ask]) -> int:
    """Attempts of some asks."""
    return sum(sum(ask.attempts) for ask in asks)


class Row(NamedTuple):
    """What a method does with so many attempts on problems of so many knobs."""

    knobs: int
    attempts: int
    method: str
    results: list[Result]

    def text(self) -> str:
        """A line of the table."""
        head = f"| {self.knobs} | {self.attempts:,} | {self.method} |"
        refusal = next((result.refusal for result in self.results if result.refusal), "")
        if refusal:
            return f"{head} refused: {refusal} | | | |"
        errors, seconds = np.array([(result.error, result.seconds) for result in self.results]).T
        low, median, high = np.quantile(errors, [0.25, 0.5, 0.75])
        return (
            f"{head} {median:.4f} | {low:.4f} to {high:.4f} | {np.mean(errors <= TOLERANCE):.0%} "
            f"| {np.median(seconds):.2g}, at most {max(seconds):.2g} |"
        )


def rows(chosen: argparse.Namespace, workers: ProcessPoolExecutor) -> Iterator[Row]:
    """Rows in the order of the table, each as soon as it is there."""
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.seeds)
    for knobs in chosen.knobs:
        for attempts in chosen.attempts or ATTEMPTS[knobs]:
            for method in chosen.methods:
                cases = [Case(method, knobs, attempts, chosen.ripple, chosen.cliff, seed) for seed in seeds]
                yield Row(knobs, attempts, method, list(workers.map(tuned, cases)))


def floor_text(knobs: int, attempts: int, seeds: Sequence[int]) -> str:
    """The floor as a line of the table: medians over the seeds."""
    floors = [TuningProblem(knobs, seed).floor(attempts) for seed in seeds]
    median, far = np.median(np.array(floors), axis=0)
    return f"| {knobs} | {attempts:,} | floor | {median:.4f} | 95 % below {far:.4f} | | |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tuning", description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=USUAL, metavar="NAME")
    parser.add_argument("--knobs", nargs="+", type=int, choices=list(SHAPES), default=list(SHAPES), metavar="N")
    parser.add_argument("--attempts", nargs="+", type=int, metavar="N", help="of a study (default: those of the docs)")
    parser.add_argument("--ripple", type=float, default=0.0, metavar="LOGITS", help="what no model can follow")
    parser.add_argument("--cliff", type=float, default=0.0, metavar="LOGITS", help="a step in two segments")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help=f"problems a row (default: {SEEDS})")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every study's result to a file, too")
    chosen = parser.parse_args()
    for name in _ONE_THREAD:  # of each process: together they have as many as there are cores
        os.environ.setdefault(name, "1")
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.seeds)
    print("| knobs | attempts | method | median error | quartiles | at most 0.01 | seconds |")
    print("|---|---|---|---|---|---|---|")
    found: list[Row] = []
    with ProcessPoolExecutor(chosen.processes, multiprocessing.get_context("spawn")) as workers:
        for row in rows(chosen, workers):
            if not found or found[-1][:2] != row[:2]:
                print(floor_text(row.knobs, row.attempts, seeds))
            print(row.text(), flush=True)
            found.append(row)
    if chosen.json:
        whole = [
            row._asdict()
            | {"ripple": chosen.ripple, "cliff": chosen.cliff, "results": [r._asdict() for r in row.results]}
            for row in found
        ]
        chosen.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
