"""Players who are left: how far players come, how skilled they are, where they quit, and how they ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.inference.intervals import RateInterval
from sims.html.charts import PARTS, Line, lines_chart
from sims.html.markup import Markup, Part, tag
from sims.html.page import figure, folded, section, table
from sims.html.row_charts import stacked_bars
from sims.reports.facts import Facts
from sims.reports.people import People
from sims.reports.row_batches import Integers
from sims.wording import share_text

_MOST_MILES: Final = 9  # rows of the table of who is left
_MOST_POINTS: Final = 60  # of a line
_MOST_MIXED: Final = 6  # cohorts whose shares have columns
_ENDINGS: Final = {
    "quit": "quit for good",
    "finished": "finished the campaign",
    "attempt_limit": "reached the limit of attempts",
    "horizon": "still there at the end",
}


class Mile(NamedTuple):
    """One place on the way, and the players who came that far."""

    at: int  # a level, or a number of attempts
    reached: int
    passed: int  # of these, players who won the level, or made the attempt: all of them
    quit_here: int  # of these, players who quit for good before the next one in the table, or on this level
    skill: float  # their mean skill at birth; NaN of none, and of a person
    mix: tuple[float, ...]  # shares of the cohorts among them


def far(facts: Facts, cohort: int | None) -> Integers:
    """How far each player of a cohort came: the level they reached, or their attempts; 0 for those who never played."""
    people = facts.rows.people
    chosen = people.of(cohort)
    if not facts.levels:
        return people.attempts[chosen]
    reached = np.minimum(people.level, facts.levels)
    return np.where(people.attempts > 0, reached, 0)[chosen]


def miles(facts: Facts, places: Sequence[int]) -> list[Mile]:
    """What became of players on their way. places: ascending levels, or numbers of attempts."""
    people = facts.rows.people
    reached, quits = far(facts, None), _quit(people)
    rows = []
    for j, at in enumerate(places):
        here = reached >= at
        count = int(here.sum())
        until = at + 1 if facts.levels else places[j + 1] if j + 1 < len(places) else math.inf
        counts = np.bincount(people.cohort[here], minlength=len(facts.labels))
        rows.append(
            Mile(
                at,
                count,
                int((here & (people.level > at)).sum()) if facts.levels else count,
                int((here & quits & (reached < until)).sum()),
                float(people.skill[here].mean()) if count else math.nan,
                tuple(float(share) for share in counts / max(count, 1)),
            )
        )
    return rows


def _quit(people: People) -> npt.NDArray[np.bool_]:
    """Which of all players quit for good."""
    return np.array([reason == "quit" for reason in people.reasons], bool)[people.left]


def survivors_part(facts: Facts) -> Markup:
    """How many players come how far, their skill, and how they ended; nothing for a person's sitting."""
    people = facts.rows.people
    last = int(far(facts, None).max(initial=0))
    if facts.of_a_person or not last:
        return Markup("")
    noun = "level" if facts.levels else "attempt"
    pictures = [
        figure("How far players come", _lines(facts, last, noun), "shares of the players, as in the table below"),
        figure("How they ended", _endings(facts), "shares of the players"),
    ]
    mean = float(people.skill.mean())
    whole = f"Mean skill of all players at the start: {mean:.2f}. " if not math.isnan(mean) else ""
    heading = "The campaign: players who are left" if facts.levels else "Players who are left"
    note = (
        f"Late numbers are those of the players who are still there. {whole}Where it rises along the way, late win "
        "rates are those of better players; where it falls, of weaker ones."
    )
    parts = [
        tag("p", _half_gone(facts, noun)),
        tag("div", *pictures, class_="charts wider"),
        *_quit_table(facts),
        folded("The same as numbers", _mile_table(facts, last, noun)),
    ]
    return section(heading, *parts, note=note)


def _half_gone(facts: Facts, noun: str) -> str:
    """By when half of the players are gone, for good or because the run ended."""
    came = np.sort(far(facts, None))
    last = int(came[(len(came) - 1) // 2])  # more than half do not come further
    if last >= int(came[-1]):
        return f"More than half of the players reach {noun} {last:,}, the last one."
    return f"Half of the players are gone by {noun} {last + 1:,}."


def _quit_table(facts: Facts) -> list[Markup]:
    """After how many losses and how many wins players quit, with margins; nothing where nobody quit."""
    rows = []
    for j, label in enumerate(facts.labels):
        found = [facts.tally.quits_of(j, outcome) for outcome in ("lost", "won")]
        if any(one.attempts and one.rate > 0.0 for one in found):
            cells = [_quit_cell(one) for one in found]
            rows.append((label, *cells[0], *cells[1]))
    headings = ("group", "losses", "quit after a loss (margin)", "wins", "quit after a win (margin)")
    return [table(headings, rows)] if rows else []


def _quit_cell(found: RateInterval) -> tuple[str, str]:
    if not found.attempts:
        return "0", "-"
    share, low, high = (100.0 * number for number in (found.rate, found.low, found.high))
    return f"{found.attempts:,}", f"{share:.2f} % ({low:.2f}-{high:.2f})"


def _lines(facts: Facts, last: int, noun: str) -> Markup:
    """Share of each cohort that came so far."""
    step = max(1, math.ceil(last / _MOST_POINTS))
    places = sorted({*range(1, last + 1, step), last})
    lines = []
    for j in facts.charted[:PARTS]:
        reached = np.sort(far(facts, j))
        if len(reached):
            left = [1.0 - float(np.searchsorted(reached, at)) / len(reached) for at in places]
            lines.append(Line(facts.labels[j], list(zip(map(float, places), left, strict=True))))
    return lines_chart(lines, (noun, f"players who reached that {noun}"))


def _endings(facts: Facts) -> Markup:
    people = facts.rows.people
    counts = [people.leavings(j) for j in facts.charted]
    words = [word for word in _ENDINGS if any(counter[word] for counter in counts)]
    rows = [
        (facts.labels[j], [counter[word] / counter.total() for word in words])
        for j, counter in zip(facts.charted, counts, strict=True)
        if counter.total()
    ]
    return stacked_bars(rows, [_ENDINGS[word] for word in words])


def _mile_table(facts: Facts, last: int, noun: str) -> Markup:
    people = facts.rows.people
    places = _places(facts.levels or last, every=bool(facts.levels))
    mixed = 1 < len(facts.labels) <= _MOST_MIXED
    headings = ["", "reached by", "of all players", f"quit {'on it' if facts.levels else 'before the next row'}"]
    headings += ["passed by"] if facts.levels else []
    headings += ["mean skill at the start", *([f"share of {label}" for label in facts.labels] if mixed else [])]
    rows: list[list[Part]] = []
    for mile in miles(facts, places):
        row: list[Part] = [
            f"{noun} {mile.at:,}",
            f"{mile.reached:,}",
            share_text(mile.reached / len(people.key)),
            f"{mile.quit_here:,}",
        ]
        row += [f"{mile.passed:,}"] if facts.levels else []
        row += ["-" if math.isnan(mile.skill) else f"{mile.skill:.2f}"]
        row += [share_text(share) for share in mile.mix] if mixed and mile.reached else ["-"] * (mixed * len(mile.mix))
        rows.append(row)
    return table(headings, rows)


def _places(last: int, *, every: bool) -> list[int]:
    """Some places up to the last one: all where they are few, else at equal steps, or of attempts ever wider ones."""
    if every:
        step = max(1, math.ceil(last / (_MOST_MILES + 3)))
        return sorted({*range(1, last + 1, step), last})
    places = [at for at in (1, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000) if at < last]
    return [*places[-(_MOST_MILES - 1) :], last]
