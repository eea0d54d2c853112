"""Score cards as text for people and as rows for files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine.record import Column
from sims.arena.score import UNKNOWN, Card, Interval, card_of, ratio_of, regret_of

# The order is that of trust: first what cannot be flattered, last the win rate, which any rule that adds up its errors
# brings to the target whatever the chances were.
COLUMNS: Final = (
    Column("course", "name", "", "scenario that was played"),
    Column("controller", "name", "", "controller, with the options that differ from its defaults"),
    Column("mode", "name", "", "deterministic, adaptive, self_adaptive or reference"),
    Column("cohort", "name", "", "whose score this is; empty for all players together", optional=True),
    Column("units", "integer", "1", "players, or groups of players who share a dial: what is independent"),
    Column("rmse", "number", "1", "root mean square of true chance less target, judged attempts", optional=True),
    Column("rmse_low", "number", "1", "low end of its 95 % interval", optional=True),
    Column("rmse_high", "number", "1", "high end of its 95 % interval", optional=True),
    Column("ratio", "number", "1", "rmse over that of bayes_limit on the same players", optional=True),
    Column("ratio_low", "number", "1", "low end of its 95 % interval, paired", optional=True),
    Column("ratio_high", "number", "1", "high end of its 95 % interval, paired", optional=True),
    Column("rmse_early", "number", "1", "the same over the attempts before the judged ones", optional=True),
    Column("rmse_all", "number", "1", "the same over all attempts", optional=True),
    Column("settled", "number", "attempts", "median attempt at which a dial is in band to stay for ten", optional=True),
    Column("never", "number", "1", "share of dials that never are", optional=True),
    Column("in_band", "number", "1", "share of judged attempts within 0.05 of the target", optional=True),
    Column("jitter", "number", "1", "mean change of a dial from one attempt on it to the next, no sign", optional=True),
    Column("overshoot", "number", "1", "largest error beyond the target once crossed; mean over dials", optional=True),
    Column("worst", "number", "1", "95th percentile over dials of a dial's own rmse", optional=True),
    Column("regret", "number", "1", "rmse_all less the baseline's; below 0 is better", optional=True),
    Column("regret_low", "number", "1", "low end of its 95 % interval, paired", optional=True),
    Column("regret_high", "number", "1", "high end of its 95 % interval, paired", optional=True),
    Column("streaks", "number", "1", "share of attempts that complete three or more losses in a row"),
    Column("win_error", "number", "1", "mean error of the realised win rate, no sign: easily flattered", optional=True),
)  # fmt: skip
HEADINGS: Final = (
    "controller", "RMSE", "x limit", "settled", "never", "in band", "jitter", "overshoot", "worst 5 %", "regret",
    "3 losses", "us", "win error",
)  # fmt: skip
LEGEND: Final = (
    "settled: median attempt at which ten within 0.05 of the target begin; never: players who have none;\n"
    "in band: attempts as near; jitter: mean step of a dial; overshoot: largest error past the target;\n"
    "worst 5 %: their RMSE; regret: RMSE less the baseline's; 3 losses: in a row; us: microseconds each."
)
WHY_LAST: Final = (
    "RMSE is of the true win probability, over judged attempts; x limit is its multiple of bayes_limit's, with 95 %\n"
    "intervals over the same players. The win rate's error stands last: a rule that adds up its errors brings it to\n"
    "zero whatever the chances were."
)


class Line(NamedTuple):
    """One controller on one course."""

    course: str
    controller: str
    mode: str
    cohort: str  # name; empty for all together
    card: Card
    ratio: Interval = UNKNOWN  # to bayes_limit
    regret: Interval = UNKNOWN  # against the baseline
    microseconds: float = math.nan  # of one core, per attempt


def line_of(
    course: str,
    controller: str,
    mode: str,
    scores: Any,
    limit: Any,
    baseline: Any,
    *,
    cohort: tuple[int, str] | None = None,
    microseconds: float = math.nan,
) -> Line:
    """A line from scores.

    limit, baseline: the scores of these two, None where they did not race; cohort: number and name, None for all.
    """

    def some(part: Any) -> Any:
        return part if cohort is None or part is None else part[part["cohort"] == cohort[0]]

    own, best, static = some(scores), some(limit), some(baseline)
    return Line(
        course,
        controller,
        mode,
        "" if cohort is None else cohort[1],
        card_of(own),
        UNKNOWN if best is None else ratio_of(own, best),
        UNKNOWN if static is None else regret_of(own, static),
        microseconds,
    )


def row_of(line: Line) -> tuple[str | int | float | None, ...]:
    """A line in the order of COLUMNS; None where there is no value."""
    card = line.card
    values: list[str | int | float] = [
        line.course, line.controller, line.mode, line.cohort, card.units, *card.rmse, *line.ratio, card.rmse_early,
        card.rmse_all, card.settled, card.never, card.in_band, card.jitter, card.overshoot, card.worst, *line.regret,
        card.streaks, card.win_error,
    ]  # fmt: skip
    return tuple(None if isinstance(value, float) and math.isnan(value) else value for value in values)


def json_of(line: Line) -> Mapping[str, str | int | float | None]:
    """A line by the names of COLUMNS, and what it cost, which differs from one machine and run to the next."""
    row = dict(zip((column.name for column in COLUMNS), row_of(line), strict=True))
    return {**row, "microseconds": None if math.isnan(line.microseconds) else line.microseconds}


def table(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """Lines as text under HEADINGS, the best first, those without a known chance last."""
    return [HEADINGS, *map(_texts, sorted(lines, key=_place))]


def _place(line: Line) -> tuple[bool, float]:
    return math.isnan(line.card.rmse.value), line.card.rmse.value


def _texts(line: Line) -> tuple[str, ...]:
    card = line.card
    return (
        line.controller,
        number(card.rmse.value, ".4f"),
        interval(line.ratio),
        number(card.settled, ".0f"),
        _percent(card.never),
        _percent(card.in_band),
        number(card.jitter, ".4f"),
        number(card.overshoot, ".3f"),
        number(card.worst, ".3f"),
        number(line.regret.value, "+.4f"),
        _percent(card.streaks),
        number(line.microseconds, ".1f"),
        number(card.win_error, ".4f"),
    )


def cohort_table(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """Controllers down, cohorts across: RMSE, and its multiple of the limit where that is known.

    lines: those of all together, in the order wanted, then those of the cohorts.
    """
    cohorts = list(dict.fromkeys(line.cohort for line in lines if line.cohort))
    cells = {(line.controller, line.cohort): line for line in lines}
    rows: list[tuple[str, ...]] = [("controller", *cohorts)]
    for line in sorted((line for line in lines if not line.cohort), key=_place):
        found = (cells[line.controller, cohort] for cohort in cohorts)
        rows.append((line.controller, *(_cell(one) for one in found)))
    return rows


def _cell(line: Line) -> str:
    text = number(line.card.rmse.value, ".4f")
    return text if math.isnan(line.ratio.value) else f"{text} x{line.ratio.value:.2f}"


def interval(found: Interval) -> str:
    """A ratio with its interval, "-" where it is not known."""
    if math.isnan(found.value):
        return "-"
    return f"{found.value:.2f}" + ("" if math.isnan(found.low) else f" ({found.low:.2f}-{found.high:.2f})")


def number(value: float, form: str) -> str:
    """A number as text, "-" where it is not known."""
    return "-" if math.isnan(value) else format(value, form)


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100.0 * value:.0f} %"
