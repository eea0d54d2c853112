"""A verdict that ends a build: `flowdial run --gate` for continuous integration.

"met" needs the whole 95 % interval of every cohort inside its band; in a campaign, of every level of every cohort,
since a mean over levels has no target. All of them must agree, so it is wrong in at most 2.5 % of runs (an
intersection-union test: Berger, Technometrics 24, 1982). "missed" needs one alone, so each interval is widened until
all together miss in at most 5 % of runs (Bonferroni). Everything else is "cannot tell". The gate also says which miss
it would notice: one that cannot notice any is no gate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

from engine.inference.intervals import Cluster, RateInterval, rate_interval
from engine.inference.power import POWER, effect_seen, evenness
from engine.tally import Tally
from sims.verdict.further import FurtherRow, further_rows
from sims.verdict.goal import NOT_KNOWN, STATE_WORDS, Goal, Row
from sims.verdict.numbers import target_words, won_with_margin
from sims.verdict.remedies import OTHER_SEED, remedy_of
from sims.verdict.reservations import about_never_judged, reservation
from sims.verdict.verdict import state_of, verdict

GateState = Literal["met", "missed", "cannot tell"]

ERROR: Final = 0.05  # share of runs that are called missed although every rate is on target, at most
EXIT_CODES: Final[dict[GateState, int]] = {"met": 0, "missed": 1, "cannot tell": 2}
_MOST_NAMED: Final = 3
_MORE_PLAYERS: Final = f"Run with more players, {OTHER_SEED}"
_LARGEST_VARIANCE: Final = 0.25  # of one attempt: p (1 - p) of p = 1/2


class Gate(NamedTuple):
    """The verdict on a build.

    Attributes:
        state: met, missed or cannot tell.
        missed: rows that are off target, with intervals at `confidence`.
        unsure: rows that are neither on target nor missed.
        notice: at this distance from its target every rate would be called missed with POWER; NaN where not known.
        confidence: of the intervals that decide "missed".
        trusted: False with one replica of a shared controller, which says nothing of another.
        reservations: sentences on what the win rates owe to something else than their controller, or leave out.
        cluster: what intervals count: player or replica.
        missed_further: further targets that are missed, with intervals at `confidence`.
        unsure_further: further targets that are neither met nor missed.
    """

    state: GateState
    missed: tuple[Row, ...]
    unsure: tuple[Row, ...]
    notice: float
    confidence: float
    trusted: bool
    reservations: tuple[str, ...] = ()
    cluster: Cluster = "player"
    missed_further: tuple[FurtherRow, ...] = ()
    unsure_further: tuple[FurtherRow, ...] = ()
    has_further: bool = False  # whether there are further targets at all

    @property
    def exit_code(self) -> int:
        """0 for met, 1 for missed, 2 for cannot tell."""
        return EXIT_CODES[self.state]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer, which miss this gate would notice, and what the win rates leave out."""
        return (*_sentences(self), *self.reservations)

    def to_json(self) -> dict[str, Any]:
        """State, cohorts, numbers and sentences as values of JSON."""
        return {
            "state": self.state,
            "missed": [*map(_name, self.missed), *map(_further_name, self.missed_further)],
            "unsure": [*map(_name, self.unsure), *map(_further_name, self.unsure_further)],
            "notice": self.notice if math.isfinite(self.notice) else None,
            "power": POWER,
            "error_rate": ERROR,
            "reservations": list(self.reservations),
            "said": " ".join(self.sentences),
        }


def judge_gate(goal: Goal, tally: Tally) -> Gate:
    """Judge a run for a build."""
    judged = verdict(goal, tally)
    rows = judged.level_rows or judged.rows
    confidence = 1.0 - ERROR / (len(rows) + len(judged.further))
    trusted = not goal.is_alone
    intervals = [
        rate_interval(tally.judged[goal.cohorts.index(row.cohort), row.level], tally.scheme.cluster, confidence)
        for row in rows
    ]
    bands = [(row.target_low, row.target_high) for row in rows]
    out = [state_of(one, band) in ("below", "above") for one, band in zip(intervals, bands, strict=True)]
    missed = tuple(row for row, is_out in zip(rows, out, strict=True) if is_out and trusted)
    unsure = tuple(row for row in rows if row not in missed and (row.state != "in band" or not trusted))
    wider = zip(judged.further, further_rows(goal, tally, confidence), strict=True)
    missed_further = tuple(row for row, wide in wider if wide.state in ("below", "above") and trusted)
    unsure_further = tuple(
        row for row in judged.further if row not in missed_further and (row.state != "in band" or not trusted)
    )
    state: GateState = "met"
    if missed or missed_further:
        state = "missed"
    elif unsure or unsure_further:
        state = "cannot tell"
    notice = max(_noticed(one, confidence) for one in intervals) if trusted else math.nan
    reservations = tuple(_reservations(judged.rows, goal.steered))
    return Gate(
        state, missed, unsure, notice, confidence, trusted, reservations, tally.scheme.cluster, missed_further,
        unsure_further, bool(judged.further),
    )  # fmt: skip


def _reservations(rows: Sequence[Row], steered: bool) -> Iterator[str]:
    for row in rows:
        unjudged = list(about_never_judged(row))
        words = reservation(row, steered)
        if unjudged:
            yield from unjudged
        elif words and row.state == "in band":
            yield f"{row.cohort}: {words}, so the win rate is not the controller's alone."


def _noticed(interval: RateInterval, confidence: float) -> float:
    """How far off target a rate must be to be called missed with POWER; infinite where nothing is known of it."""
    if interval.clusters < 2:
        return math.inf
    # Clusters that do not differ count as one attempt each, and where the miss lies these may well differ.
    variance = _LARGEST_VARIANCE if math.isnan(interval.error) else interval.clusters * interval.error**2
    return effect_seen(interval.clusters, variance, POWER, confidence, evenness(interval))


def _sentences(gate: Gate) -> tuple[str, ...]:
    if not gate.trusted:
        return (
            "Gate: not known. Players share a controller and there is one repeat only, which says nothing about "
            "others. Run several repeats (--set run.replicas=8).",
        )
    if gate.state == "met":
        answer = "Gate: met. Every win rate is on target, each with its whole 95 % margin."
        if gate.has_further:
            answer = "Gate: met. Every win rate and every further target is met, each with its whole 95 % margin."
    elif gate.state == "missed":
        answer = f"Gate: missed. {_listed(gate.missed, gate.missed_further)}."
    elif not gate.unsure:
        answer = f"Gate: {STATE_WORDS['cannot tell']}. {_listed((), gate.unsure_further)}. {_MORE_PLAYERS}."
    else:
        words = STATE_WORDS["cannot tell"] if any(row.is_known for row in gate.unsure) else NOT_KNOWN
        answer = f"Gate: {words}. {_listed(gate.unsure, gate.unsure_further)}. {_remedy(gate.unsure, gate.cluster)}."
    if not math.isfinite(gate.notice):
        return answer, "At least one win rate has too few players for the gate to notice any miss."
    return answer, (
        f"Such a run notices a miss of {100 * gate.notice:.2g} points or more {10 * POWER:g} times in 10. "
        f"It calls a good win rate missed at most 1 time in {1 / ERROR:g}."
    )


def _listed(rows: tuple[Row, ...], further: tuple[FurtherRow, ...]) -> str:
    parts = [*map(_about, rows), *map(_about_further, further)]
    more = len(parts) - _MOST_NAMED
    return "; ".join([*parts[:_MOST_NAMED], *([f"and {more:,} more"] if more > 0 else [])])


def _about_further(row: FurtherRow) -> str:
    return f"{_further_name(row)}: {row.measured}, target {row.wanted}"


def _further_name(row: FurtherRow) -> str:
    return f"{row.cohort}, {row.name}"


def _about(row: Row) -> str:
    if row.attempts == 0:
        return f"{_name(row)}: no player was judged"
    return f"{won_with_margin(row, _name(row))}, target {target_words(row)}"


def _name(row: Row) -> str:
    return f"{row.cohort} at level {row.level}" if row.level else row.cohort


def _remedy(rows: tuple[Row, ...], cluster: str) -> str:
    """What would give an answer, said only where it would: one row that nothing helps keeps the gate from any."""
    if any(row.level and row.attempts == 0 for row in rows):
        return "Nobody played some of the levels; more attempts per player or more days would take players there"
    if any(row.attempts == 0 for row in rows):
        return "A lower target.after_attempts, or players who stay longer, would let somebody be judged"
    if any(not row.is_known for row in rows):
        return "Run with more players. If they share a controller, run more repeats"
    close = [row for row in rows if row.state == "cannot tell"]
    hopeless = [row for row in close if row.more_players is None]
    if hopeless:
        return remedy_of(hopeless[0], cluster)
    if close:
        return remedy_of(max(close, key=lambda row: row.more_players or 0), cluster)
    return f"With so many win rates, one just outside its target may be chance. Look again {OTHER_SEED}"
