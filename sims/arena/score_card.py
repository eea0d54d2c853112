"""Score cards: one line for each controller, as text for people and as rows for files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine.record import Column
from sims.arena.score import MOST_OFF, UNKNOWN, Card, Interval, card_of, ratio_of, regret_of

# In the order of trust. The win rate is last: a rule that adds up its errors brings it to the target whatever the win
# probabilities were.
COLUMNS: Final = (
    Column("course", "name", "", "scenario that was played"),
    Column("controller", "name", "", "controller, with the options that differ from its defaults"),
    Column("mode", "name", "", "deterministic, adaptive, self_adaptive or reference"),
    Column("cohort", "name", "", "player group; empty for all players together", optional=True),
    Column("units", "integer", "1", "independent players, or independent groups of players who share a dial"),
    Column("rmse", "number", "1", "root mean square of true win probability - target, judged attempts", optional=True),
    Column("rmse_low", "number", "1", "low end of its 95 % interval", optional=True),
    Column("rmse_high", "number", "1", "high end of its 95 % interval", optional=True),
    Column("ratio", "number", "1", "rmse divided by that of bayes_limit on the same players", optional=True),
    Column("ratio_low", "number", "1", "low end of its 95 % interval, paired", optional=True),
    Column("ratio_high", "number", "1", "high end of its 95 % interval, paired", optional=True),
    Column("rmse_early", "number", "1", "the same over the attempts before the judged ones", optional=True),
    Column("rmse_all", "number", "1", "the same over all attempts", optional=True),
    Column("settled", "number", "attempts", "median attempt from which a dial is in band for ten", optional=True),
    Column("never", "number", "1", "share of dials that never settle", optional=True),
    Column("in_band", "number", "1", "share of judged attempts within 0.05 of the target", optional=True),
    Column("jitter", "number", "1", "mean absolute change of a dial from one attempt to the next", optional=True),
    Column("overshoot", "number", "1", "largest error past the target once crossed; mean over dials", optional=True),
    Column("worst", "number", "1", "95th percentile over dials of a dial's own rmse", optional=True),
    Column("regret", "number", "1", "rmse_all minus that of the baseline; below 0 is better", optional=True),
    Column("regret_low", "number", "1", "low end of its 95 % interval, paired", optional=True),
    Column("regret_high", "number", "1", "high end of its 95 % interval, paired", optional=True),
    Column("streaks", "number", "1", "share of attempts that complete three or more losses in a row"),
    Column("map_error", "number", "1", "root mean square error of what single attempts are told by", optional=True),
    Column("win_error", "number", "1", "mean absolute error of the realised win rate: can mislead", optional=True),
)  # fmt: skip
# The columns of a table for people, and what each of them means.
MEANINGS: Final = {
    "error": "root mean square of true win probability minus target, over judged attempts",
    "x limit": "error divided by that of bayes_limit, with its 95 % margin",
    "settled": "median attempt from which ten attempts are within 0.05 of the target",
    "never": "players that never settle",
    "on target": "attempts within 0.05 of the target",
    "jitter": "mean step of the difficulty",
    "overshoot": "largest error past the target",
    "worst 5 %": "error of the worst players",
    "regret": "error minus that of the baseline",
    "3 losses": "attempts that complete three losses in a row",
    "us": "microseconds per attempt on one core",
    "win error": "error of the realised win rate",
}
COST: Final = "us"
HEADINGS: Final = ("controller", *MEANINGS)
WHY_LAST: Final = (
    "The realised win rate comes last: a rule that adds up its errors brings it to the target, whatever the win "
    "probabilities were."
)


OFF_THE_DIAL: Final = "it moves knobs off the dial, where no map foretells them"


class ScoreLine(NamedTuple):
    """The score card of one controller on one course."""

    course: str
    controller: str
    mode: str
    cohort: str  # name; empty for all players together
    card: Card
    ratio: Interval = UNKNOWN  # to bayes_limit
    regret: Interval = UNKNOWN  # against the baseline
    microseconds: float = math.nan  # of one core, per attempt


def score_line(
    course: str,
    controller: str,
    mode: str,
    scores: Any,
    limit: Any,
    baseline: Any,
    *,
    cohort: tuple[int, str] | None = None,
    microseconds: float = math.nan,
) -> ScoreLine:
    """Make a line from scores.

    Args:
        course: its name.
        controller: name with options.
        mode: of the controller.
        scores: its SCORE records.
        limit: those of bayes_limit; None if it did not play.
        baseline: those of the baseline; None if it did not play.
        cohort: number and name; None for all players together.
        microseconds: of one core, for each attempt.
    """

    def some(part: Any) -> Any:
        return part if cohort is None or part is None else part[part["cohort"] == cohort[0]]

    own, best, static = some(scores), some(limit), some(baseline)
    return ScoreLine(
        course,
        controller,
        mode,
        "" if cohort is None else cohort[1],
        card_of(own),
        UNKNOWN if best is None else ratio_of(own, best),
        UNKNOWN if static is None else regret_of(own, static),
        microseconds,
    )


def why_untold(card: Card) -> str | None:
    """Why a controller's single attempts are not told, so that what they add up to is unknown; None if they are."""
    if math.isnan(card.rmse_all):
        return "nothing was played"
    if math.isnan(card.off):
        return OFF_THE_DIAL
    if card.off > MOST_OFF:
        return f"the map is {card.off:.3f} off there (root mean square), and at most {MOST_OFF:g} is allowed"
    return None


def score_row(line: ScoreLine) -> tuple[str | int | float | None, ...]:
    """A line in the order of COLUMNS; None where unknown."""
    card = line.card
    values: list[str | int | float] = [
        line.course, line.controller, line.mode, line.cohort, card.units, *card.rmse, *line.ratio, card.rmse_early,
        card.rmse_all, card.settled, card.never, card.in_band, card.jitter, card.overshoot, card.worst, *line.regret,
        card.streaks, card.off, card.win_error,
    ]  # fmt: skip
    return tuple(None if isinstance(value, float) and math.isnan(value) else value for value in values)


def score_json(line: ScoreLine) -> Mapping[str, str | int | float | None]:
    """A line by the names of COLUMNS, and its cost, which differs from one machine and run to the next."""
    row = dict(zip((column.name for column in COLUMNS), score_row(line), strict=True))
    return {**row, "microseconds": None if math.isnan(line.microseconds) else line.microseconds}


def legend_text(but: str = "") -> str:
    """What the headings mean, and why the win rate is last. but: a heading to leave out."""
    meanings = "; ".join(f"{heading}: {meaning}" for heading, meaning in MEANINGS.items() if heading != but)
    return f"{meanings}. {WHY_LAST}"


def score_table(lines: Sequence[ScoreLine]) -> list[tuple[str, ...]]:
    """Lines as text under HEADINGS: the smallest error first, unknown errors last."""
    return [HEADINGS, *map(_texts, sorted(lines, key=_place))]


def _place(line: ScoreLine) -> tuple[bool, float]:
    return math.isnan(line.card.rmse.value), line.card.rmse.value


def _texts(line: ScoreLine) -> tuple[str, ...]:
    card = line.card
    return (
        line.controller,
        number_text(card.rmse.value, ".4f"),
        ratio_text(line.ratio),
        number_text(card.settled, ".0f"),
        _percent(card.never),
        _percent(card.in_band),
        number_text(card.jitter, ".4f"),
        number_text(card.overshoot, ".3f"),
        number_text(card.worst, ".3f"),
        number_text(line.regret.value, "+.4f"),
        _percent(card.streaks),
        number_text(line.microseconds, ".1f"),
        number_text(card.win_error, ".4f"),
    )


def cohort_table(lines: Sequence[ScoreLine]) -> list[tuple[str, ...]]:
    """Controllers down, cohorts across: the error, and how many times the limit's it is where that is known.

    lines: those of all players together, then those of the cohorts.
    """
    cohorts = list(dict.fromkeys(line.cohort for line in lines if line.cohort))
    cells = {(line.controller, line.cohort): line for line in lines}
    rows: list[tuple[str, ...]] = [("controller", *cohorts)]
    for line in sorted((line for line in lines if not line.cohort), key=_place):
        rows.append((line.controller, *(_cell(cells[line.controller, cohort]) for cohort in cohorts)))
    return rows


def _cell(line: ScoreLine) -> str:
    text = number_text(line.card.rmse.value, ".4f")
    return text if math.isnan(line.ratio.value) else f"{text} x{line.ratio.value:.2f}"


def ratio_text(ratio: Interval, between: str = "-") -> str:
    """A ratio with its margin; "-" if unknown. between: stands between the ends of the margin."""
    if math.isnan(ratio.value):
        return "-"
    margin = "" if math.isnan(ratio.low) else f" ({ratio.low:.2f}{between}{ratio.high:.2f})"
    return f"{ratio.value:.2f}{margin}"


def number_text(value: float, form: str) -> str:
    """A number as text, "-" if unknown."""
    return "-" if math.isnan(value) else format(value, form)


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100.0 * value:.0f} %"
