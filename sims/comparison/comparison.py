"""Compare scenarios: the same players play each of them, and the result says what changed, for whom and how surely."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from engine.errors import ScenarioError
from engine.scenario import Scenario
from sims.catalog import scenario_of
from sims.comparison.cells import HEADINGS, change_cells
from sims.comparison.comparison_files import json_content, write_files
from sims.comparison.differences import EVERYBODY, Change, ComparedScenario, Differences, measure_differences
from sims.comparison.notes import notes
from sims.comparison.sentences import SAME, SIGNIFICANT, UNCLEAR, caution, names_of, summary
from sims.comparison.sides import play_sides, sides_of
from sims.html.notebook import notebook_table
from sims.runs.preflight import prepare_job
from sims.terminal import OnProgress, aligned, no_progress
from sims.workers.cores import cores

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
        return notebook_table(HEADINGS, [change_cells(change) for change in self.flagged[:_MOST_ROWS]], sentences)


def compare(
    before: Scenario | str | Path,
    *after: Scenario | str | Path,
    seed: int | None = None,
    workers: int | None = None,
    on_progress: OnProgress = no_progress,
) -> Comparison:
    """Compare scenarios with the first one. The same players with the same luck play all of them.

    Args:
        before: a scenario, the path of its file, or the name of a bundled one.
        after: one or more scenarios of the same game.
        seed: of all scenarios; None for that of `before`.
        workers: number of processes, from 1; None for one per core.
        on_progress: takes attempts played, and the largest possible number of attempts in all.

    Raises:
        ScenarioError: if the scenarios cannot be compared, or one of them cannot be played.
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
    first, *others = (scenario_of(scenario) for scenario in (before, *after))
    _refuse_unlike(first, others)
    sides = sides_of(first, others, first.seed if seed is None else seed)
    differences = measure_differences(sides, play_sides(sides, workers=workers or cores(), on_progress=on_progress))
    return Comparison(**vars(differences))


def _refuse_unlike(first: Scenario, others: Sequence[Scenario]) -> None:
    """Raise ScenarioError for scenarios of different games, and for one that cannot be played."""
    if not others:
        raise ScenarioError(f"{first.name}: a comparison needs at least two scenarios, got one; add another.")
    game = first.form.game.name
    for scenario in (first, *others):
        own = scenario.form.game.name
        if own != game:
            raise ScenarioError(
                f"{scenario.name}: compared scenarios must be of one game, but this one is of {own} and {first.name} "
                f"of {game}; compare scenarios of one game."
            )
        prepare_job(scenario)


def _scenario_lines(comparison: Differences, other: ComparedScenario) -> list[str]:
    """What the terminal shows of one scenario: the changed keys, sentences, notes and tables."""
    names = names_of(comparison)
    players = sum(other.players.values())
    changes = comparison.changes_of(other)
    flagged = [change for change in changes if change.flagged]
    unclear = [change for change in changes if change.unclear]
    lines = [
        f"{names[0]} -> {names[other.number]}: {players:,} players, seed {comparison.seed}, {SAME}",
        "",
        *([f"  {key}" for key in other.keys] or ["  no key that affects play was changed"]),
        "",
        *summary(comparison, other),
        *notes(comparison, other),
    ]
    if flagged:
        lines += ["", SIGNIFICANT, _table(flagged)]
    if unclear:
        together = [change for change in unclear if change.cohort == EVERYBODY] if len(other.pairs) > 1 else unclear
        rest = len(unclear) - len(together)
        lines += [
            "",
            UNCLEAR + (f" (all players; --json and --out also list {rest:,} of player groups)" if rest else ""),
        ]
        lines += [_table(together)] if together else []
    return lines


def _table(changes: Sequence[Change]) -> str:
    return aligned([HEADINGS, *map(change_cells, changes)])
