"""Compare scenarios, or finished runs: is it better or worse, what changed, for whom and how surely."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from engine.errors import ScenarioError
from engine.scenario import Scenario
from sims.catalog import scenario_of
from sims.comparison.cells import FOLLOWING_HEADINGS, HEADINGS, change_cells, following_cells
from sims.comparison.comparison_files import json_content, write_files
from sims.comparison.differences import EVERYBODY, LEAST, ComparedScenario, Differences, measure_differences
from sims.comparison.finished_runs import read_sides, run_scenario, run_sides
from sims.comparison.further_changes import FURTHER, FURTHER_CHANGE_HEADINGS
from sims.comparison.levels_left import HEADING as LEFT
from sims.comparison.levels_left import HEADINGS as LEFT_HEADINGS
from sims.comparison.levels_left import shown_levels
from sims.comparison.notes import notes
from sims.comparison.place_changes import HEADING as PLACES
from sims.comparison.place_changes import MOST_ROWS, place_cells, place_headings
from sims.comparison.sentences import (
    FOLLOWING,
    MATTERING,
    TARGETS,
    UNCLEAR,
    caution,
    names_of,
    players_line,
    small_heading,
    summary,
)
from sims.comparison.sides import play_sides, sides_of
from sims.comparison.target_changes import HEADINGS as STANDING_HEADINGS
from sims.comparison.target_changes import standing_cells
from sims.html.notebook import notebook_table
from sims.runs.preflight import prepare_job
from sims.runs.run import Run, read_run
from sims.terminal import OnMessage, OnProgress, aligned, no_message, no_progress
from sims.workers.execution_place import executor_of

Compared = Scenario | Run | str | Path  # what can be compared: two of one kind

_MOST_ROWS: Final = 20  # that a notebook shows


@dataclasses.dataclass(frozen=True, repr=False)
class Comparison(Differences):
    """What changed from one scenario to others."""

    @property
    def text(self) -> str:
        """The whole comparison as the command line prints it: what was changed, what that did, tables and notes."""
        blocks = ["\n".join(_scenario_lines(self, other)) for other in self.others]
        return "\n\n".join([*blocks, "\n".join(caution(self))])

    def to_json(self) -> dict[str, Any]:
        """Numbers and sentences in plain lists, dictionaries and numbers; None for unknown values."""
        return json_content(self)

    def write(self, folder: Path) -> None:
        """Write changes.csv, changes.html and comparison.json into a folder. Raises OSError on I/O errors."""
        write_files(folder, self)

    def __repr__(self) -> str:
        return f"Comparison({' -> '.join(names_of(self))}: {len(self.flagged)} of {len(self.changes)} changes flagged)"

    def _repr_html_(self) -> str:
        sentences = [sentence for other in self.others for sentence in summary(self, other)]
        return notebook_table(HEADINGS, [change_cells(change) for change in self.mattering[:_MOST_ROWS]], sentences)


def compare(
    before: Compared,
    *after: Compared,
    seed: int | None = None,
    least: float = LEAST,
    workers: int | None = None,
    on: str | None = None,
    on_progress: OnProgress = no_progress,
    on_message: OnMessage = no_message,
) -> Comparison:
    """Compare scenarios, or finished runs, with the first one.

    The same players with the same luck play all scenarios. Finished runs are compared as they are: player by player
    where seed and place in the file agree, else as two sets of different players, and a note says so.

    Args:
        before: a scenario, the path of its file, or the name of a bundled one; or a finished run or its folder.
        after: one or more of the same kind, and of the same game.
        seed: of all scenarios; None for that of `before`. Finished runs have theirs.
        least: smallest change that matters, in [0, 1]: of a share or the difficulty; of times and counts relative to
            the value before.
        workers: number of processes, from 1; None for one per core.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        on_progress: takes attempts played, and the largest possible number of attempts in all.
        on_message: takes sentences: how long it will take, and that a worker was lost.

    Raises:
        ScenarioError: if the scenarios cannot be compared, or one of them cannot be played.
        RunFolderError: if a run is damaged, or a file of it was altered.
        PluginFault: if too many attempts of one scenario failed.

    Example:
        >>> from sims import compare, load_scenario
        >>> small = {"players.count": 40, "horizon.attempts_per_player": 40}
        >>> before = load_scenario("arena/stationary", **small)
        >>> after = load_scenario("arena/stationary", **small, **{"target.win_rate": 0.8})
        >>> comparison = compare(before, after, workers=1)
        >>> [change.cohort for change in comparison.flagged if change.metric.name == "win_rate"]
        ['players']
    """
    if not 0.0 <= least <= 1.0:
        raise ScenarioError(f"least must be a number from 0 to 1, got {least}")
    given = [_opened(side) for side in (before, *after)]
    runs = [side for side in given if isinstance(side, Run)]
    if runs and len(runs) < len(given):
        raise ScenarioError("compare scenarios with scenarios, and finished runs with finished runs, got both.")
    if runs and seed is not None:
        raise ScenarioError("a seed is for scenarios that are played; finished runs have theirs; leave it out.")
    first, *others = map(run_scenario, runs) if runs else [side for side in given if isinstance(side, Scenario)]
    refuse_unlike(first, others)
    if runs:
        sides = run_sides(first, others)
        results = read_sides(runs, sides)
    else:
        for scenario in (first, *others):
            prepare_job(scenario)
        sides = sides_of(first, others, first.seed if seed is None else seed)
        with executor_of(workers, on) as executor:
            results = play_sides(sides, workers=executor, on_progress=on_progress, on_message=on_message)
    return Comparison(**vars(measure_differences(sides, results, least=least)))


def _opened(side: Compared) -> Scenario | Run:
    """A scenario, or a finished run where it is a folder."""
    if isinstance(side, str | Path) and Path(side).is_dir():
        return read_run(side)
    return side if isinstance(side, Run) else scenario_of(side)


def refuse_unlike(first: Scenario, others: Sequence[Scenario]) -> None:
    """Raise ScenarioError for scenarios of different games, and for one that is alone."""
    if not others:
        raise ScenarioError(f"{first.name}: a comparison needs at least two, got one; add another.")
    game = first.form.game.name
    for scenario in (first, *others):
        own = scenario.form.game.name
        if own != game:
            raise ScenarioError(
                f"{scenario.name}: compared scenarios must be of one game, but this one is of {own} and {first.name} "
                f"of {game}; compare scenarios of one game."
            )


def _scenario_lines(comparison: Differences, other: ComparedScenario) -> list[str]:
    """What the terminal shows of one scenario: the changed keys, sentences, notes and tables."""
    names = names_of(comparison)
    changes = comparison.changes_of(other)
    lines = [
        f"{names[0]} -> {names[other.number]}: {players_line(comparison, other)}",
        "",
        *([f"  {key}" for key in other.keys] or ["  no key that affects play was changed"]),
        "",
        *summary(comparison, other),
        *notes(comparison, other),
        "",
        TARGETS,
        aligned([STANDING_HEADINGS, *map(standing_cells, other.standings)]),
    ]
    if other.further:
        lines += ["", FURTHER, aligned([FURTHER_CHANGE_HEADINGS, *(change.line for change in other.further)])]
    if other.left:
        lines += ["", LEFT, aligned([LEFT_HEADINGS, *(one.cells() for one in shown_levels(other.left))])]
    unclear = [change for change in changes if change.unclear]
    together = [change for change in unclear if change.cohort == EVERYBODY] if len(other.pairs) > 1 else unclear
    rest = len(unclear) - len(together)
    more = f" (all players; --json and --out also list {rest:,} of player groups)" if rest else ""
    parts = [
        (MATTERING, [change for change in changes if change.matters]),
        (small_heading(comparison.least), [change for change in changes if change.flagged and not change.matters]),
        (UNCLEAR + more, together),
    ]
    for heading, listed in parts:
        if listed or (rest and heading.startswith(UNCLEAR)):
            lines += ["", heading]
        if listed:
            lines.append(aligned([HEADINGS, *map(change_cells, listed)]))
    shown = [place for place in other.places[:MOST_ROWS] if place.change]
    if shown:
        headings = place_headings(shown, other.place_noun)
        lines += ["", PLACES, aligned([headings, *(place_cells(one, headings) for one in shown)])]
    following = [change for change in changes if change.follows]
    if following:
        lines += ["", FOLLOWING, aligned([FOLLOWING_HEADINGS, *map(following_cells, following)])]
    return lines
