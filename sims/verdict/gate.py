"""A verdict that ends a build: `flowdial run --gate` for continuous integration.

"met" is said when the whole 95 % interval of every cohort, and of every level of a campaign, lies in its band: so it is
said wrongly in at most 2.5 % of runs, for all of them must agree (an intersection-union test: Berger, Technometrics 24,
1982). "missed" needs one alone, so each interval is widened until all together miss in at most 5 % of runs
(Bonferroni). What else there is cannot be told with these players; and what a miss must measure to be noticed is told
with it, for a gate that cannot notice is no gate.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal, NamedTuple

from engine.inference.intervals import RateInterval, rate_interval
from engine.inference.power import POWER, effect_seen
from engine.tally import Tally
from sims.verdict.goal import Goal, Row
from sims.verdict.verdict import state_of, verdict

State = Literal["met", "missed", "cannot tell"]

ERROR: Final = 0.05  # share of runs that are called missed although every rate lies in its band, at most
EXIT_CODES: Final[dict[State, int]] = {"met": 0, "missed": 1, "cannot tell": 2}
_MOST_NAMED: Final = 3
_LARGEST_VARIANCE: Final = 0.25  # of one attempt: p (1 - p) of p = 1/2


class Gate(NamedTuple):
    """What a build is told."""

    state: State
    missed: tuple[Row, ...]
    unsure: tuple[Row, ...]  # neither surely in band, nor missed
    notice: float  # so far out of its band every rate would have been called missed with POWER; NaN if it is not known
    confidence: float  # of the intervals by which "missed" is decided
    trusted: bool  # False: one replica of a shared controller, which says nothing of another

    @property
    def exit_code(self) -> int:
        """0 for met, 1 for missed, 2 for cannot tell."""
        return EXIT_CODES[self.state]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer, and what this gate would have noticed."""
        return _sentences(self)

    def to_json(self) -> dict[str, Any]:
        """State, cohorts, numbers and sentences as values of JSON."""
        return {
            "state": self.state,
            "missed": [_name(row) for row in self.missed],
            "unsure": [_name(row) for row in self.unsure],
            "notice": self.notice if math.isfinite(self.notice) else None,
            "power": POWER,
            "error_rate": ERROR,
            "said": " ".join(self.sentences),
        }


def judge_gate(goal: Goal, tally: Tally) -> Gate:
    """Judge a run for a build."""
    found = verdict(goal, tally)
    rows = (*found.rows, *found.level_rows)
    confidence = 1.0 - ERROR / len(rows)
    trusted = not goal.shared or goal.replicas > 1
    intervals = [
        rate_interval(tally.judged[goal.cohorts.index(row.cohort), row.level], tally.scheme.cluster, confidence)
        for row in rows
    ]
    bands = [(row.target_low, row.target_high) for row in rows]
    out = [state_of(one, band) in ("below", "above") for one, band in zip(intervals, bands, strict=True)]
    missed = tuple(row for row, is_out in zip(rows, out, strict=True) if is_out and trusted)
    unsure = tuple(row for row in rows if row not in missed and (row.state != "in band" or not trusted))
    state: State = "missed" if missed else "cannot tell" if unsure else "met"
    notice = max(_noticed(one, confidence) for one in intervals) if trusted else math.nan
    return Gate(state, missed, unsure, notice, confidence, trusted)


def _noticed(found: RateInterval, confidence: float) -> float:
    """How far out of its band a rate must be to be called missed with POWER; infinite where nothing is known of it."""
    if found.clusters < 2:
        return math.inf
    # Clusters that do not differ count as one attempt each, and where the miss lies these may well differ.
    variance = _LARGEST_VARIANCE if math.isnan(found.error) else found.clusters * found.error**2
    return effect_seen(found.clusters, variance, POWER, confidence)


def _sentences(found: Gate) -> tuple[str, ...]:
    if not found.trusted:
        return (
            "Gate: cannot tell. Players share a controller and there is one replica, which says nothing of another: "
            "run several replicas (--set run.replicas=8).",
        )
    said = []
    if found.state == "missed":
        said.append(f"Gate: missed. {_listed(found.missed)}.")
    elif found.state == "met":
        said.append("Gate: met. Every target is surely met: the whole of each 95 % interval lies in its band.")
    else:
        said.append(f"Gate: cannot tell. {_listed(found.unsure)}; {_remedy(found.unsure)}.")
    if math.isfinite(found.notice):
        said.append(
            f"A win rate {found.notice:.2g} or more outside its band would have been called missed in "
            f"{100 * POWER:g} % of such runs, and one inside it in at most {100 * ERROR:g} %."
        )
    else:
        said.append("Some rate has too few players to notice any miss at all.")
    return tuple(said)


def _listed(rows: tuple[Row, ...]) -> str:
    parts = [_about(row) for row in rows[:_MOST_NAMED]]
    if len(rows) > _MOST_NAMED:
        parts.append(f"and {len(rows) - _MOST_NAMED:,} more")
    return "; ".join(parts)


def _about(row: Row) -> str:
    band = f"{row.target_low:.2f} to {row.target_high:.2f}"
    if row.attempts == 0:
        return f"{_name(row)}: nobody was judged"
    return f"{_name(row)} win {row.win_rate:.3f} ({row.win_rate_low:.3f} to {row.win_rate_high:.3f}), wanted {band}"


def _name(row: Row) -> str:
    return f"{row.cohort} at level {row.level}" if row.level else row.cohort


def _remedy(rows: tuple[Row, ...]) -> str:
    if any(row.state in ("below", "above") for row in rows):
        return f"what lies just outside may be chance, with so many rates looked at{_further(rows)}"
    if any(row.interval in ("none", "Wilson over attempts") for row in rows):
        return f"several players, or replicas of a shared controller, must be judged{_further(rows)}"
    return _further(rows).removeprefix("; ") or "no number of players would settle it, give it a wider band"


def _further(rows: tuple[Row, ...]) -> str:
    needs = [row.more_players for row in rows if row.more_players is not None]
    return f"; about {max(needs):,} more players there would probably settle it" if needs else ""
