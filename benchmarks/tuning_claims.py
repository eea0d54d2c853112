"""What a study's claims are worth: `python -m benchmarks.tuning_claims`.

Many cheap studies of problems with a known truth (see benchmarks.tuning_problem), each carried to its end: search,
final race, measurement. The table shows the share of studies whose simultaneous intervals contain all true win rates,
which should be 95 %, and how often a study falsely says that all targets are met, which should be at most 5 %.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from benchmarks.tuning_problem import SHAPES, TuningProblem
from sims.tuning.final_race import ENTRANTS, FinalRace, estimate_rates
from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.methods import begin_search

_RACE_BLOCKS: Final = 1 << 24  # first block of the final race
_SEARCH: Final = 0.8
_PROBLEMS: Final = 50  # different ones; the rest of the studies see the same problems with other luck


class Claim(NamedTuple):
    """What came of one study."""

    held: bool  # every true rate lies in its interval
    claimed: bool  # the study says that all targets are met
    met: bool  # and they are


def study(seed: int, method: str, knobs: int, attempts: int, tolerance: float) -> Claim:
    """One study of a problem with so many knobs."""
    problem = TuningProblem(knobs, seed % _PROBLEMS)
    problem.seed = 1_000_000 + seed  # other luck, the same truth
    segments = tuple(
        Segment(one.name, one.cohort, 0, one.target - tolerance, one.target + tolerance) for one in problem.segments
    )
    share = left = int(_SEARCH * attempts)
    search = begin_search(method, problem.search_space, segments, seed, share, None)
    while asks := search.ask(left):
        left -= sum(sum(ask.attempts) for ask in asks)
        search.tell(problem.play(asks))
    race = FinalRace(search.finalists(ENTRANTS), segments, attempts - share, options=1)
    left, tells = attempts - share, list[Tell]()
    while asks := race.ask(left):
        left -= sum(sum(ask.attempts) for ask in asks)
        tells = problem.play([ask._replace(block=_RACE_BLOCKS + ask.block) for ask in asks])
        race.tell(tells)
    rates = estimate_rates(tells, segments)
    truth = problem.rates(problem.search_space.snap(race.points[:1]))[0]
    return Claim(
        all(rate.low <= p <= rate.high for rate, p in zip(rates, truth, strict=True)),
        all(rate.met(one) for rate, one in zip(rates, segments, strict=True)),
        all(one.low <= p <= one.high for one, p in zip(segments, truth, strict=True)),
    )


def line(claims: Sequence[Claim], name: str) -> str:
    """A row of the table."""
    count = len(claims)
    held = sum(claim.held for claim in claims) / count
    false = sum(claim.claimed and not claim.met for claim in claims) / count
    claimed = sum(claim.claimed for claim in claims) / count
    met = sum(claim.met for claim in claims) / count
    error = math.sqrt(0.95 * 0.05 / count)
    return f"| {name} | {count:,} | {held:.1%} (standard error {error:.1%}) | {met:.0%} | {claimed:.0%} | {false:.1%} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000, metavar="N")
    parser.add_argument("--methods", nargs="+", default=["random", "pooled"], metavar="NAME")
    parser.add_argument("--knobs", type=int, default=3, choices=SHAPES)
    parser.add_argument("--attempts", type=int, default=9_000, metavar="N", help="of a study")
    parser.add_argument("--tolerances", nargs="+", type=float, default=[0.02, 0.08], metavar="SHARE")
    options = parser.parse_args()
    print("| method, knobs, attempts, tolerance | studies | intervals hold | targets met | said so | said so falsely |")
    print("|---|---|---|---|---|---|")
    for method in options.methods:
        for tolerance in options.tolerances:
            about = method, options.knobs, options.attempts, tolerance
            claims = [study(seed, *about) for seed in range(options.studies)]
            print(line(claims, f"{method}, {options.knobs}, {options.attempts:,}, ±{tolerance}"), flush=True)


if __name__ == "__main__":
    main()
