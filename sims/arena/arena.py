"""The arena: compare controllers over many worlds, each relative to the Bayes-optimal limit.

All controllers meet the same players with the same luck.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from sims.arena.courses import LIMIT, STATIC, Course, Entrant, score_courses
from sims.arena.race import ControllerChoice, entrants_of
from sims.arena.score import advantage_of
from sims.arena.score_card import number_text, score_json, score_line
from sims.arena.score_files import STANDINGS_PAGE, write_page, write_scores
from sims.arena.sentences import SAME, chance_notes
from sims.arena.standings import ArenaScores
from sims.arena.standings_page import standings_page
from sims.arena.worlds import ALL, SANDBAGGING, THROWN, world_of
from sims.catalog import Catalog
from sims.html.notebook import notebook_table
from sims.terminal import OnMessage, OnProgress, aligned, no_message, no_progress
from sims.workers.execution_place import executor_of

PLAYERS: Final = 2000  # of each world in the tables of docs/controllers.md
_HONEST: Final = "honest"  # twins of the sandbaggers, who do their best throughout


@dataclasses.dataclass(frozen=True, repr=False)
class Arena(ArenaScores):
    """Controllers compared over the worlds of the arena."""

    @property
    def table(self) -> list[tuple[str, ...]]:
        """Headings, then one row for each controller: its error in each world, divided by the limit's."""
        worlds = self.limited_worlds
        rows: list[tuple[str, ...]] = [("controller", *worlds, "mean", "worst", "us")]
        for one in self.standings:
            numbers = (*(one.ratios[world] for world in worlds), one.mean, one.worst)
            cells = (number_text(number, ".2f") for number in numbers)
            rows.append((one.controller, *cells, number_text(one.microseconds, ".1f")))
        return rows

    @property
    def text(self) -> str:
        """The whole result as the command line prints it."""
        blocks = [self._ratio_block(), self._error_block(), self._advantage_block()]
        if self.absences:
            blocks.append("\n".join(f"- in {reason}" for reason in self.absences))
        return "\n\n".join(block for block in blocks if block)

    def _ratio_block(self) -> str:
        if not self.limited_worlds:
            return ""
        head = (
            f"Errors divided by that of {LIMIT}; {self.players:,} players in each world, {SAME}\n"
            "mean (geometric) and worst: over the ten worlds; us: microseconds per attempt on one core"
        )
        return "\n".join([head, aligned(self.table, indent=""), *chance_notes(self.scores)])

    def _error_block(self) -> str:
        worlds = [world for world in self.worlds if world not in self.limited_worlds]
        if not worlds:
            return ""
        errors = {(line.course, line.controller): line.card.rmse.value for line in self.scores}
        rows: list[tuple[str, ...]] = [("controller", *worlds)]
        for one in self.standings:
            own = (errors.get((world, one.controller), math.nan) for world in worlds)
            rows.append((one.controller, *(number_text(error, ".4f") for error in own)))
        return f"Errors where {LIMIT} cannot play\n{aligned(rows, indent='')}"

    def _advantage_block(self) -> str:
        if not self.advantages:
            return ""
        ordered = sorted(self.advantages.items(), key=lambda item: item[1].value)
        rows = [("controller", "gain", "95 % margin")]
        rows += [(name, f"{gain.value:+.3f}", f"{gain.low:+.3f} to {gain.high:+.3f}") for name, gain in ordered]
        head = f"What players gain in their other attempts by losing {THROWN} of 20 on purpose, in win probability"
        return f"{head}\n{aligned(rows, indent='')}"

    def to_json(self) -> dict[str, Any]:
        """Everything in plain lists, dictionaries and numbers; None or NaN for unknown values."""
        return {
            "scores": [score_json(line) for line in self.scores],
            "standings": [one._asdict() for one in self.standings],
            "sandbagging": {name: gain._asdict() for name, gain in self.advantages.items()},
            "absent": [{"course": key[0], "controller": key[1], "why": why} for key, why in self.absent.items()],
        }

    def write(self, folder: Path) -> None:
        """Write scores.csv and arena.html into a folder. Raises OSError on I/O errors."""
        write_scores(folder, self.scores)
        page = standings_page(f"{self.players:,} players in each world, {SAME}", self)
        write_page(folder / STANDINGS_PAGE, page)

    def __repr__(self) -> str:
        return f"Arena({len(self.worlds)} worlds: {', '.join(one.controller for one in self.standings)})"

    def _repr_html_(self) -> str:
        headings, *rows = self.table
        return notebook_table(headings, rows, self.absences)


def run_arena(
    controllers: Iterable[ControllerChoice] = (),
    worlds: Iterable[str] = (),
    *,
    players: int = PLAYERS,
    seed: int | None = None,
    workers: int | None = None,
    on: str | None = None,
    on_progress: OnProgress = no_progress,
    on_message: OnMessage = no_message,
) -> Arena:
    """Compare controllers over the worlds of the arena. The limit and a baseline always play too.

    Args:
        controllers: names, or pairs of a name and options, as ("kalman", {"q": 0.01}). If empty: all.
        worlds: names of worlds. If empty: all.
        players: how many players each world has, from 40.
        seed: of all worlds; None for that of each world.
        workers: number of processes, from 1; None for one per core.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        on_progress: takes attempts played, and the largest possible number of attempts in all.
        on_message: takes sentences while win probabilities are measured by playing.

    Raises:
        ScenarioError: if there is no such world or controller.

    Example:
        >>> from sims import run_arena
        >>> arena = run_arena(["kalman"], ["stationary"], players=40, workers=1)
        >>> [standing.controller for standing in arena.standings][0]
        'bayes_limit'
    """
    catalog = Catalog()
    chosen = tuple(dict.fromkeys(worlds)) or ALL
    entrants = entrants_of(controllers, catalog) or [Entrant(entry.name) for entry in catalog.controllers()]
    starters = list(dict.fromkeys([Entrant(LIMIT), Entrant(STATIC), *entrants]))
    courses = _courses(chosen, players, seed, catalog)
    with executor_of(workers, on) as executor:
        scores = score_courses(courses, starters, workers=executor, on_progress=on_progress, on_message=on_message)
    by_key = scores.scores
    lines = tuple(
        score_line(
            world, entrant.label, catalog.controller(entrant.controller).mode, by_key[world, entrant.label],
            by_key.get((world, LIMIT)), by_key.get((world, STATIC)),
            microseconds=scores.microseconds[world, entrant.label],
        )
        for world in chosen
        for entrant in starters
        if (world, entrant.label) in by_key
    )  # fmt: skip
    advantages = {
        entrant.label: advantage_of(by_key[SANDBAGGING, entrant.label], by_key[_HONEST, entrant.label])
        for entrant in starters
        if {(SANDBAGGING, entrant.label), (_HONEST, entrant.label)} <= by_key.keys()
    }
    # A controller that is absent among the twins has no advantage, which belongs to the world of the sandbaggers.
    absent = {(SANDBAGGING if world == _HONEST else world, name): why for (world, name), why in scores.absent.items()}
    return Arena(players, chosen, lines, advantages, absent, bool(scores.faulty))


def _courses(worlds: Iterable[str], players: int, seed: int | None, catalog: Catalog) -> list[Course]:
    """The worlds, and with the sandbaggers their honest twins, who are scored on the same attempts."""
    courses = []
    for world in worlds:
        unscored = THROWN if world == SANDBAGGING else 0
        courses.append(Course(world, world_of(world, players, seed, catalog), unscored))
        if world == SANDBAGGING:
            honest = world_of(world, players, seed, catalog, [("cohort.players.traits.thrown", "0.0")])
            courses.append(Course(_HONEST, honest, unscored))
    return courses
