"""Help per level, found: what the dial is on each level, and what that does to win rates, quitting and who is left."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.parameters import Value
from engine.scenario import Scenario
from sims.html.notebook import notebook_table
from sims.run_folder.files import write_file, write_json
from sims.run_folder.folder import REPORT
from sims.terminal import aligned
from sims.tuning.levels.levels_page import levels_page
from sims.verdict.goal import Row
from sims.verdict.verdict import Verdict
from sims.wording import caution_of

ANSWER: Final = "levels.json"
TUNED: Final = "tuned.toml"
_STATES: Final = {"in band": "on target", "below": "below target", "above": "above target"}


@dataclass(frozen=True, repr=False)
class TunedLevels:
    """The dial of each level that brings its win rate to its target, measured on fresh players.

    Attributes:
        scenario: with the levels as they were found; ready to run.
        places: of the dial on each level, in [0, 1].
        values: knob -> its value on each level, in the game's units.
        before: the verdict on the levels as they were, by the same players as after.
        after: the verdict on the levels as they were found, by players whom the search had not seen.
        steady: whether the dial stood still before, too; else a controller moved it.
        ends: lowest and highest place of the dial.
    """

    scenario: Scenario
    places: tuple[float, ...]
    values: Mapping[str, Sequence[Value]]
    before: Verdict
    after: Verdict
    steady: bool
    ends: tuple[float, float]

    @property
    def met(self) -> bool:
        """Whether every level is on target for every player group, at 95 % confidence."""
        return self.after.met

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer in words."""
        return tuple(self._sentences())

    @property
    def text(self) -> str:
        """The answer and its table."""
        return "\n".join((*self.sentences, "", aligned((self.headings, *self.lines)), "", caution_of(self.after.label)))

    @property
    def lines(self) -> list[tuple[str, ...]]:
        """A line for each player group and level, as texts."""
        several = len(self.after.rows) > 1
        return [
            (
                str(row.level),
                *((row.cohort,) if several else ()),
                f"{_percent(row.target_low)} to {_percent(row.target_high)}",
                _percent(old.win_rate),
                *(_short(own[row.level - 1]) for own in self.values.values()),
                f"{_percent(row.win_rate)} ({_percent(row.win_rate_low)} to {_percent(row.win_rate_high)})",
                _STATES.get(row.state, "too close to call"),
                f"{old.players:,}",
                f"{row.players:,}",
            )
            for old, row in zip(self.before.level_rows, self.after.level_rows, strict=True)
        ]

    @property
    def headings(self) -> tuple[str, ...]:
        """Of the lines."""
        group = ("group",) if len(self.after.rows) > 1 else ()
        return (
            "level", *group, "target %", "before %", *self.values, "now % (margin)", "", "players before", "players now"
        )  # fmt: skip

    def _sentences(self) -> Iterator[str]:
        rows = self.after.level_rows
        yield (
            f"{_levels(rows, ('in band',))} on target, {_levels(rows, ('below', 'above'), verb=False)} off, "
            f"{_levels(rows, ('cannot tell',), verb=False)} too close to call. Before: "
            f"{sum(row.state == 'in band' for row in self.before.level_rows)} on target."
        )
        needs = [row.more_players for row in rows if row.state == "cannot tell" and row.more_players is not None]
        if needs:
            yield f"To tell of all, the level that needs most takes about {max(needs):,} players more who reach it."
        for old, row in zip(self.before.rows, self.after.rows, strict=True):
            last = [
                [one.players for one in verdict.level_rows if one.cohort == row.cohort][-1]
                for verdict in (self.before, self.after)
            ]
            group = f"{row.cohort}: " if len(self.after.rows) > 1 else ""
            yield (
                f"{group}{_percent(row.quit_share)} % of players quit, before {_percent(old.quit_share)} %; "
                f"{last[1]:,} reach the last level, before {last[0]:,}."
            )
        if not self.steady:
            yield "Before, a controller moved the dial; now it stands still on each level."
        for row in rows:
            place = self.places[row.level - 1]
            end = "easy" if place <= self.ends[0] else "hard" if place >= self.ends[1] else ""
            if end and row.state == ("below" if end == "easy" else "above"):
                group = f" for {row.cohort}" if len(self.after.rows) > 1 else ""
                yield (
                    f"Level {row.level} cannot reach its target{group}: at the {end} end of the dial players win "
                    f"{_percent(row.win_rate)} %."
                )

    def to_json(self) -> dict[str, Any]:
        """The content of levels.json."""
        return {
            "met": self.met,
            "sentences": list(self.sentences),
            "places": [round(place, 6) for place in self.places],
            "params": {name: list(own) for name, own in self.values.items()},
            "before": self.before.to_json(),
            "after": self.after.to_json(),
        }

    def write(self, folder: Path) -> None:
        """Write tuned.toml, levels.json and report.html into a folder. Raises OSError on I/O errors."""
        write_file(folder / TUNED, self.scenario.resolved_toml().encode())
        write_json(folder / ANSWER, self.to_json())
        title = self.scenario.title or self.scenario.name
        page = levels_page(title, self.sentences, self.headings, self.lines, self.before, self.after)
        write_file(folder / REPORT, page.encode())

    def __repr__(self) -> str:
        return f"TunedLevels({self.sentences[0]!r})"

    def _repr_html_(self) -> str:
        return notebook_table(self.headings, self.lines, self.sentences)


def _levels(rows: Sequence[Row], states: Sequence[str], *, verb: bool = True) -> str:
    number = sum(row.state in states for row in rows)
    return f"{number} of {len(rows)} levels {'is' if number == 1 else 'are'}" if verb else str(number)


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100.0 * share:.1f}"


def _short(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
