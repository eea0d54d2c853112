"""The verdict of a run: is each player group on target, and how sure is that?

A verdict needs the tallies of a run and its goals, never the rows. "in band" needs the whole interval inside the band,
"below" and "above" need all of it outside. Everything else is "cannot tell", with the number of further players that
would probably give a clear answer. One cluster (one player, or one replica of a shared controller) says nothing of
others, so fewer than two are always "cannot tell". A campaign is judged level by level: a cohort is "in band" when it
is so on every level, since a mean over levels can be right where none of them is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from engine.inference.intervals import DIAL_UNIT, NOTHING_PLAYED, RateInterval, dial_interval, mean_dial, rate_interval
from engine.scenario_file.calibration_label import NOT_FITTED, CalibrationLabel
from engine.tally import SWING_UNIT, TOTALS, Tally
from sims.html.notebook import notebook_table
from sims.verdict.further import FurtherRow, further_rows
from sims.verdict.goal import Band, Goal, Row, TargetState
from sims.verdict.numbers import difficulty_words, margin_of, quit_words, rounded_up, target_words
from sims.verdict.sentences import about_warm_up, sentences_of
from sims.wording import share_of

_POWER: Final = 0.8416  # normal quantile of 0.8: so often would the further players give a clear answer
_WIDTH: Final = 1.96  # half width of a 95 % interval in standard errors
_MOST_PLAYERS: Final = 1_000_000  # beyond that no answer is worth the wait
_EDGE: Final = 0.1  # of half a band: a rate that is nearer to its edge is practically there
_MOST_TIMES: Final = 25.0  # as many players: beyond that a rate is practically at the edge too


@dataclass(frozen=True, repr=False)
class Verdict:
    """The answer: sentences for people, rows for tables."""

    sentences: tuple[str, ...]
    rows: tuple[Row, ...]  # one per cohort
    level_rows: tuple[Row, ...]  # one per cohort and level of a campaign
    after_attempts: int
    label: CalibrationLabel = NOT_FITTED  # whether the players were fitted to real plays
    further: tuple[FurtherRow, ...] = ()  # targets beyond the win rate

    @property
    def settled(self) -> bool:
        """Whether no row is too close to call."""
        return "cannot tell" not in self._states

    @property
    def met(self) -> bool:
        """Whether every cohort, every level and every further target is on target at 95 % confidence."""
        return self._states <= {"in band"}

    @property
    def _states(self) -> set[TargetState]:
        return {row.state for row in (*self.rows, *self.level_rows)} | {row.state for row in self.further}

    @property
    def text(self) -> str:
        """All sentences as one paragraph."""
        return " ".join(self.sentences)

    @property
    def judged(self) -> str:
        """Which attempts the table leaves out, and how many of them were won; empty when it counts all."""
        return about_warm_up(self.rows, self.after_attempts)

    @property
    def lines(self) -> list[tuple[str, ...]]:
        """The table of player groups: a line of texts under HEADINGS for each of `rows`.

        A group of a campaign is judged by its levels, so its line counts those that are on target.
        """
        return [cells(row, [one for one in self.level_rows if one.cohort == row.cohort]) for row in self.rows]

    def __repr__(self) -> str:
        return f"Verdict({self.sentences[0]!r})"

    def _repr_html_(self) -> str:
        return notebook_table(HEADINGS, self.lines, [line for line in (self.judged, *self.sentences) if line])

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
            "calibrated": self.label.calibrated,
            "calibration": self.label.words,
            "after_attempts": self.after_attempts,
            "rows": rows,
            **({"further": [row.to_json() for row in self.further]} if self.further else {}),
        }


def verdict(goal: Goal, tally: Tally) -> Verdict:
    """Judge a run by its tallies."""
    cohorts = range(len(goal.cohorts))
    rows = [_row(goal, tally, cohort, 0) for cohort in cohorts]
    levels = tuple(
        _row(goal, tally, cohort, level) for cohort in cohorts for level in range(1, tally.scheme.levels + 1)
    )
    if levels:
        rows = [_together(row, [level for level in levels if level.cohort == row.cohort]) for row in rows]
    further = further_rows(goal, tally)
    said = sentences_of(goal, tally, rows, levels, further)
    return Verdict(said, tuple(rows), levels, tally.scheme.after_attempts, goal.label, further)


def _together(row: Row, levels: Sequence[Row]) -> Row:
    """The row of a cohort in a campaign, which is on target where each of its levels is."""
    states = {level.state for level in levels}
    off = states & {"below", "above"}
    state: TargetState = "in band"
    if off:
        state = "off" if len(off) > 1 else "below" if "below" in off else "above"
    elif states != {"in band"}:
        state = "cannot tell"
    needs = [level.more_players for level in levels if level.more_players is not None]
    return replace(row, state=state, more_players=max(needs) if needs and state == "cannot tell" else None)


def _row(goal: Goal, tally: Tally, cohort: int, level: int) -> Row:
    sums = tally.judged[cohort, level]
    found = rate_interval(sums, tally.scheme.cluster)
    band = _band(goal, tally, cohort, level)
    state = state_of(found, band)
    players = int(sums[1])
    whole = level == 0  # what is not counted by level is not repeated in the rows of levels
    late = tally.total(cohort, "late_attempts") * whole
    judged = int(tally.judged[cohort, 0, 2]) * whole
    wanted, tolerance = _wanted(goal, cohort, level)
    difficulty_low, difficulty_high = dial_interval(sums)
    quits = tally.quit_interval(cohort) if whole else NOTHING_PLAYED
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
        # More players of one repeat are still one repeat, and tell nothing of others.
        more_players=further_players(found, band, players) if state == "cannot tell" and not goal.is_alone else None,
        difficulty=mean_dial(sums),
        difficulty_low=difficulty_low,
        difficulty_high=difficulty_high,
        difficulty_late=mean_dial((0, 0, late, 0, 0, 0, 0, tally.total(cohort, "late_dial"))),
        easy_end_share=share_of(tally.total(cohort, "easy_end"), judged),
        hard_end_share=share_of(tally.total(cohort, "hard_end"), judged),
        quit_share=share_of(tally.quits(cohort), tally.players(cohort) * whole),
        quit_share_low=quits.low,
        quit_share_high=quits.high,
        wanted=wanted,
        tolerance=tolerance,
        **(_of_players(tally, cohort) if whole else {}),
    )


def _of_players(tally: Tally, cohort: int) -> dict[str, Any]:
    """What only whole players tell, by the name of its field in `Row`."""
    total = {name: tally.total(cohort, name) for name in TOTALS}
    squares, freedom = total["late_squares"], total["late_freedom"]
    return {
        "never_judged": total["unjudged_players"],
        "never_judged_win_rate": share_of(total["unjudged_wins"], total["unjudged_attempts"]),
        "win_rate_by_player": share_of(total["player_rates"], total["playing_players"] * DIAL_UNIT),
        "warm_up_win_rate": share_of(total["warm_up_wins"], total["warm_up_attempts"]),
        "difficulty_swing": math.sqrt(squares / freedom) / SWING_UNIT if freedom else math.nan,
    }


def _wanted(goal: Goal, cohort: int, level: int) -> tuple[float, float]:
    """Wanted win rate and tolerance; NaN where a band was given, and of all levels together where they differ."""
    known = goal.wanted[cohort] if goal.wanted else ()
    chosen = {known[min(level, len(known)) - 1]} if known and level else set(known)
    (pair,) = chosen if len(chosen) == 1 else (None,)
    return pair or (math.nan, math.nan)


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


def further_players(found: RateInterval, band: Band, players: int, *, at_any_price: bool = False) -> int | None:
    """How many more players would probably (in four of five runs) show on which side of the band's edges the rate is.

    The rate is taken as it stands. The longer side of the margin shrinks with the square root of the number of players.
    When it is no longer than the distance to the nearest edge, the margin lies inside the band, or outside. None with
    fewer than two clusters, which do not show how much clusters differ, or when it would take more than a million. None
    as well where the rate is practically at the edge: within a tenth of half the band, as far as the margin shows that,
    or when it would take too many times the players of a margin that is no wider than the band.

    at_any_price: the answer even where the rate is practically at the edge.
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
    times = (wanted / distance) ** 2 - 1
    middle = 0.5 * (high - low)
    wide = max(1.0, half / middle) if middle else 1.0
    near = (wide == 1.0 and distance < _EDGE * middle) or times > _MOST_TIMES * wide**2
    return None if near and not at_any_price else max(rounded_up(players * times), 1)


def summary_rows(found: Verdict) -> list[tuple[str | int | float | None, ...]]:
    """The rows of summary.csv in the order of SUMMARY_COLUMNS; None where there is no value."""
    rows: list[tuple[str | int | float | None, ...]] = []
    for row in (*found.rows, *found.level_rows):
        values = asdict(row).values()
        rows.append(tuple(None if isinstance(value, float) and math.isnan(value) else value for value in values))
    return rows


HEADINGS: Final = ("group", "attempts", "win rate (margin)", "target", "verdict", "difficulty", "quit")


def cells(row: Row, levels: Sequence[Row] = ()) -> tuple[str, ...]:
    """A row as text under HEADINGS; numbers with their margins, a band with the wanted win rate in brackets.

    levels: those of a campaign, where the row is of all of them together.
    """
    rate = difficulty = "-"
    if row.attempts:
        middle, low, high = margin_of(row)
        rate = f"{middle} % ({low}-{high})"
        difficulty = difficulty_words(row, short=True)
    target, judged = target_words(row, short=True), row.state_words
    if levels:
        judged = f"{sum(level.state == 'in band' for level in levels)} of {len(levels)} levels on target"
        if any((level.target_low, level.target_high) != (row.target_low, row.target_high) for level in levels):
            target = "of each level"
    quits = quit_words(row.quit_share, row.quit_share_low, row.quit_share_high, short=True)
    return row.cohort, f"{row.attempts:,}", rate, target, judged, difficulty, quits
