"""Where attempts ended before and after: losses by place, cause and cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.places.endings import PASSED, Endings, Spot

HEADING: Final = "Where attempts end"
NOTE: Final = (
    "Losses for each 100 attempts of the group on that level, before and after; the largest changes are first. They "
    "describe what was played and have no margin: what is beyond luck stands in the tables of changes."
)
MOST_ROWS: Final = 12  # of a table


class PlaceChange(NamedTuple):
    """Losses at one place of one level by one cause, before and after."""

    cohort: str  # its name in the first scenario
    level: int  # 0 in an endless stream
    place: int
    cause: str
    losses: tuple[int, int]  # before and after
    attempts: tuple[int, int]  # of the cohort on this level, before and after
    rows: tuple[int, int]  # first such row of each finished run; -1 where there is none

    @property
    def change(self) -> float:
        """After less before, in losses for each attempt."""
        before, after = (n / made if made else 0.0 for n, made in zip(self.losses, self.attempts, strict=True))
        return after - before

    def to_json(self) -> dict[str, int | str | None]:
        """For comparison.json."""
        rows = (None if row < 0 else row for row in self.rows)
        return {
            "cohort": self.cohort, "level": self.level, "place": self.place, "cause": self.cause,
            "losses_before": self.losses[0], "losses_after": self.losses[1],
            "attempts_before": self.attempts[0], "attempts_after": self.attempts[1],
            "row_before": next(rows), "row_after": next(rows),
        }  # fmt: skip


def place_changes(
    before: Endings | None, after: Endings | None, cohorts: Sequence[tuple[str, int, int]]
) -> tuple[PlaceChange, ...]:
    """Compare where attempts ended, the largest changes first; nothing where a side does not say it.

    cohorts: name, number before, number after.
    """
    if before is None or after is None:
        return ()
    found = []
    for name, *numbers in cohorts:
        sides = [_cells(side, number) for side, number in zip((before, after), numbers, strict=True)]
        made: list[Counter[int]] = [Counter(), Counter()]
        for side, own in zip(sides, made, strict=True):
            for (level, _, _), count in side.items():
                own[level] += count
        for level, place, cause in dict.fromkeys((*sides[0], *sides[1])):
            if cause == PASSED:
                continue
            spots = [Spot(number, level, place, cause) for number in numbers]
            losses = tuple(side.get((level, place, cause), 0) for side in sides)
            attempts = tuple(own[level] for own in made)
            rows = tuple(side.rows.get(spot, -1) for side, spot in zip((before, after), spots, strict=True))
            found.append(PlaceChange(name, level, place, cause, _pair(losses), _pair(attempts), _pair(rows)))
    return tuple(sorted(found, key=lambda one: (-abs(one.change), one.cohort, one.level, one.place, one.cause)))


def _cells(endings: Endings, cohort: int) -> dict[tuple[int, int, str], int]:
    return {spot[1:]: count for spot, count in endings.counts.items() if spot.cohort == cohort}


def _pair(numbers: Sequence[int]) -> tuple[int, int]:
    before, after = numbers
    return before, after


def place_headings(changes: Sequence[PlaceChange], noun: str) -> tuple[str, ...]:
    """Of a table of these changes."""
    level = ("level",) if any(one.level for one in changes) else ()
    rows = ("row before", "row after") if any(max(one.rows) >= 0 for one in changes) else ()
    return noun, *level, "cause", "players", "before, %", "after, %", "change", *rows


def place_cells(one: PlaceChange, headings: Sequence[str]) -> tuple[str, ...]:
    """A change as text under its headings."""
    shares = (f"{100.0 * n / made:.1f}" if made else "-" for n, made in zip(one.losses, one.attempts, strict=True))
    level = (str(one.level),) if "level" in headings else ()
    rows = tuple("-" if row < 0 else str(row) for row in one.rows) if "row after" in headings else ()
    change = f"{100.0 * one.change:+.1f}"
    return f"{headings[0]} {one.place}", *level, one.cause, one.cohort, *shares, change, *rows
