"""The verdict of a run: is each player group on target, and how sure is that?

A verdict needs the tallies of a run and its goals, never the rows. "in band" needs the whole interval inside the band,
"below" and "above" need all of it outside. Everything else is "cannot tell", with the number of further players that
would probably give a clear answer. One cluster (one player, or one replica of a shared controller) says nothing of
others, so fewer than two are always "cannot tell".
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

from engine.inference.intervals import RateInterval, mean_dial, rate_interval
from engine.tally import Tally
from sims.html.notebook import notebook_table
from sims.verdict.goal import STATE_WORDS, Band, Goal, Row, TargetState
from sims.verdict.sentences import sentences_of, target_words
from sims.wording import share_of, share_text

_POWER: Final = 0.8416  # normal quantile of 0.8: so often would the further players give a clear answer
_WIDTH: Final = 1.96  # half width of a 95 % interval in standard errors
_MOST_PLAYERS: Final = 1_000_000  # beyond that no answer is worth the wait


@dataclass(frozen=True, repr=False)
class Verdict:
    """The answer: sentences for people, rows for tables."""

    sentences: tuple[str, ...]
    rows: tuple[Row, ...]  # one per cohort
    level_rows: tuple[Row, ...]  # one per cohort and level of a campaign
    after_attempts: int

    @property
    def settled(self) -> bool:
        """Whether no row is too close to call."""
        return all(row.state != "cannot tell" for row in (*self.rows, *self.level_rows))

    @property
    def met(self) -> bool:
        """Whether every cohort, and every level, is on target at 95 % confidence."""
        return all(row.state == "in band" for row in (*self.rows, *self.level_rows))

    @property
    def text(self) -> str:
        """All sentences as one paragraph."""
        return " ".join(self.sentences)

    @property
    def judged(self) -> str:
        """Which attempts the table leaves out; empty when it counts all."""
        if not self.after_attempts:
            return ""
        return f"Not judged: the first {self.after_attempts:,} attempts of each player (warm-up)."

    def __repr__(self) -> str:
        return f"Verdict({self.sentences[0]!r})"

    def _repr_html_(self) -> str:
        rows = [cells(row) for row in self.rows]
        return notebook_table(HEADINGS, rows, [line for line in (self.judged, *self.sentences) if line])

    def to_json(self) -> dict[str, Any]:
        """For `--json`; what is not a number becomes null."""
        rows = [
            {
                name: None if isinstance(value, float) and math.isnan(value) else value
                for name, value in asdict(row).items()
            }
            for row in (*self.rows, *self.level_rows)
        ]
        return {
            "verdict": self.text,
            "met": self.met,
            "settled": self.settled,
            "calibrated": False,
            "after_attempts": self.after_attempts,
            "rows": rows,
        }


def verdict(goal: Goal, tally: Tally) -> Verdict:
    """Judge a run by its tallies."""
    cohorts = range(len(goal.cohorts))
    rows = tuple(_row(goal, tally, cohort, 0) for cohort in cohorts)
    levels = tuple(
        _row(goal, tally, cohort, level) for cohort in cohorts for level in range(1, tally.scheme.levels + 1)
    )
    said = sentences_of(goal, tally, rows, levels)
    return Verdict(said, rows, levels, tally.scheme.after_attempts)


def _row(goal: Goal, tally: Tally, cohort: int, level: int) -> Row:
    sums = tally.judged[cohort, level]
    found = rate_interval(sums, tally.scheme.cluster)
    band = _band(goal, tally, cohort, level)
    state = state_of(found, band)
    players = int(sums[1])
    whole = level == 0  # what is not counted by level is not repeated in the rows of levels
    late = tally.total(cohort, "late_attempts") * whole
    judged = int(tally.judged[cohort, 0, 2]) * whole
    return Row(
        cohort=goal.cohorts[cohort],
        level=level,
        players=players,
        attempts=found.attempts,
        wins=int(sums[3]),
        win_rate=found.rate,
        win_rate_low=found.low,
        win_rate_high=found.high,
        interval=found.method,
        target_low=band[0],
        target_high=band[1],
        state=state,
        more_players=further_players(found, band, players) if state == "cannot tell" else None,
        difficulty=mean_dial(sums),
        difficulty_late=mean_dial((0, 0, late, 0, 0, 0, 0, tally.total(cohort, "late_dial"))),
        easy_end_share=share_of(tally.total(cohort, "easy_end"), judged),
        hard_end_share=share_of(tally.total(cohort, "hard_end"), judged),
        quit_share=share_of(tally.quits(cohort), tally.players(cohort) * whole),
    )


def _band(goal: Goal, tally: Tally, cohort: int, level: int) -> Band:
    """The band of one level; for all levels together, that of each level weighted by the attempts made on it."""
    bands = goal.bands[cohort]
    if level > 0:
        return bands[min(level, len(bands)) - 1]
    attempts = [int(number) for number in tally.judged[cohort, 1:, 2]]
    if len(set(bands)) == 1 or not any(attempts):
        return bands[0]
    total = sum(attempts)
    low = math.fsum(bands[j][0] * number for j, number in enumerate(attempts)) / total
    return low, math.fsum(bands[j][1] * number for j, number in enumerate(attempts)) / total


def state_of(found: RateInterval, band: Band) -> TargetState:
    """Where an interval lies against a band, said only when all of it lies there and it is over clusters."""
    low, high = band
    if found.clusters < 2:
        return "cannot tell"
    if low <= found.low and found.high <= high:
        return "in band"
    if found.high < low:
        return "below"
    if found.low > high:
        return "above"
    return "cannot tell"


def further_players(found: RateInterval, band: Band, players: int) -> int | None:
    """How many more players would probably (in four of five runs) show on which side of the band's edges the rate is.

    The rate is taken as it stands. The longer side of the margin shrinks with the square root of the number of players.
    When it is no longer than the distance to the nearest edge, the margin lies inside the band, or outside. None with
    fewer than two clusters, which do not show how much clusters differ, or when it would take more than a million.
    """
    if found.clusters < 2:
        return None
    low, high = band
    # From within the band nothing can cross an edge at 0 or 1.
    edges = (low or -math.inf, high if high < 1.0 else math.inf) if low <= found.rate <= high else band
    distance = min(abs(found.rate - edge) for edge in edges)
    half = max(found.high - found.rate, found.rate - found.low)
    wanted = half * (1 + _POWER / _WIDTH)
    if distance <= 0 or wanted / distance > math.sqrt(_MOST_PLAYERS / players + 1):
        return None
    more = players * ((wanted / distance) ** 2 - 1)
    return max(rounded_up(more), 1)


def rounded_up(number: float) -> int:
    """A number of players, to two digits: more would claim to know better."""
    digits = int(10 ** max(0, math.floor(math.log10(max(number, 1.0))) - 1))
    return math.ceil(number / digits) * digits


def summary_rows(found: Verdict) -> list[tuple[str | int | float | None, ...]]:
    """The rows of summary.csv in the order of SUMMARY_COLUMNS; None where there is no value."""
    rows: list[tuple[str | int | float | None, ...]] = []
    for row in (*found.rows, *found.level_rows):
        values = asdict(row).values()
        rows.append(tuple(None if isinstance(value, float) and math.isnan(value) else value for value in values))
    return rows


HEADINGS: Final = ("group", "attempts", "win rate (95 %)", "target", "verdict", "difficulty", "quit")


def cells(row: Row) -> tuple[str, ...]:
    """A row as text under HEADINGS; the win rate with its margin."""
    rate = difficulty = "-"
    if row.attempts:
        rate = f"{100 * row.win_rate:.1f} % ({100 * row.win_rate_low:.1f}-{100 * row.win_rate_high:.1f})"
        difficulty = f"{row.difficulty:.2f}"
    target = target_words(row).replace(" to ", "-")
    state = STATE_WORDS[row.state]
    return row.cohort, f"{row.attempts:,}", rate, target, state, difficulty, share_text(row.quit_share)
