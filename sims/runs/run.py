"""A complete run, opened: its verdict, its tables, and its attempts played again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import RunFolderError
from engine.tally import Tally
from sims.run_folder.folder import REPORT, read_manifest
from sims.terminal import OnMessage, no_message
from sims.verdict.gate import Gate, judge_gate
from sims.verdict.goal import Goal, goal_of
from sims.verdict.precision_record import Precision
from sims.verdict.self_test_record import WARNING, read_checks
from sims.verdict.verdict import Verdict, verdict

if TYPE_CHECKING:
    import pandas as pd

    from engine.places.knock_out import PlaceCost
    from sims.playback.played import PlayedRow
    from sims.reports.rows import Example


@dataclass(frozen=True, repr=False)
class Run:
    """A run folder that is complete. `run`, `resume` and `read_run` return one.

    Attributes:
        folder: where its files are.
        manifest: what manifest.json says: seed, versions, targets, counts.
        precision: how wide its margins are, when `run_to_precision` chose its size.
        unreported: why report.html could not be written; None when it is there.
    """

    folder: Path
    manifest: Mapping[str, Any] = field(compare=False)
    precision: Precision | None = None
    unreported: Exception | None = field(default=None, compare=False)

    @cached_property
    def goal(self) -> Goal:
        """What the run was for: its cohorts and the bands of their win rates."""
        return goal_of(self.manifest)

    @cached_property
    def tally(self) -> Tally:
        """Its counts, by cohort and level."""
        return Tally.from_json(self.manifest["tallies"])

    @cached_property
    def verdict(self) -> Verdict:
        """Whether each cohort is on target, and how sure that is."""
        return verdict(self.goal, self.tally)

    @property
    def met(self) -> bool:
        """Whether every cohort, and every level of a campaign, is on target at 95 % confidence."""
        return self.verdict.met

    @property
    def settled(self) -> bool:
        """Whether no cohort is too close to call."""
        return self.verdict.settled

    @property
    def faults(self) -> Mapping[str, int]:
        """Number of attempts that a game or controller failed, by the kind of fault; empty when there are none."""
        faults: Mapping[str, int] = self.manifest.get("faults", {})
        return faults

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sanity checks that failed, as sentences; without any the numbers can mean what they say."""
        return tuple(check.sentence for check in read_checks(self.manifest) if check.state == WARNING)

    @property
    def rows_file(self) -> Path:
        """The table of attempts."""
        return self.folder / f"attempts.{self.manifest['format']}"

    @property
    def report_file(self) -> Path:
        """The page for people."""
        return self.folder / REPORT

    def gate(self) -> Gate:
        """The verdict that ends a build: met, missed or too close to call."""
        return judge_gate(self.goal, self.tally)

    def attempts(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """One line for each attempt.

        Args:
            columns: names of the columns to read; None for all. docs/columns.md explains them.

        Raises:
            RunFolderError: there is no such column, or the file is damaged or was altered after the run.
        """
        return self._table("attempts", columns)

    def players(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """One line for each player; arguments as for `attempts`."""
        return self._table("players", columns)

    def sessions(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """One line for each session of a player; arguments as for `attempts`."""
        return self._table("sessions", columns)

    def summary(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """One line for each cohort, and for each of its levels in a campaign; arguments as for `attempts`."""
        return self._table("summary", columns)

    def failures(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """One line for each attempt that a plug-in failed, none without any; arguments as for `attempts`.

        It joins the table of attempts by replica, player and attempt.
        """
        return self._table("faults", columns)

    def losses(self) -> list[dict[str, Any]]:
        """Attempts that were not won, by cohort, level, place and cause; the places that end most attempts first.

        Returns:
            One entry for each cell: how many losses, how many attempts got to the place, and the row of the first loss.
            The losses of all cells add up to all losses. Empty where the game names no places.

        Raises:
            RunFolderError: the table of attempts is damaged.
        """
        from sims.reports.end_places import read_endings

        endings = read_endings(self.folder, self.manifest)
        return [] if endings is None else endings.to_json(self.goal.cohorts)

    def knock_out(
        self, level: int | None = None, attempts: int = 2000, *, on_message: OnMessage = no_message
    ) -> list[PlaceCost]:
        """What each place costs in points of win rate: attempts are made again without one place after the other.

        Args:
            level: of a campaign, from 1; None for all of them.
            attempts: how many attempts of each cohort on each level to make again, at most, from 1.
            on_message: takes a sentence: how long it will take.

        Returns:
            One entry for each cohort, level and place, the most costly first.

        Raises:
            ScenarioError: the game cannot leave out a place, or there is no such level.
            RunFolderError: the table of attempts is damaged, or another version of the game wrote it.
        """
        from sims.playback.place_measuring import measure_places
        from sims.reports.end_places import read_endings

        endings = read_endings(self.folder, self.manifest)
        if endings is None:
            raise RunFolderError(f"{self.rows_file} does not say where attempts ended; run the scenario again.")
        return measure_places(self.folder, endings, level=level, attempts=attempts, on_message=on_message)

    def row(self, number: int) -> PlayedRow:
        """Play an attempt again from its row.

        Args:
            number: of the row in the table of attempts, from 0.

        Returns:
            The states of the attempt, its pictures, and whether it ends as the row says.

        Raises:
            ScenarioError: there is no such row, or nothing was played in it.
            RunFolderError: the file is damaged, or another version of the game wrote it.
        """
        from sims.playback.played import play_row

        return play_row(self.folder, number)

    def worth_watching(self) -> tuple[Example, ...]:
        """Rows to play again: the closest loss, the hardest level that was won, the end of the longest losing streak.

        Raises:
            RunFolderError: a table is damaged.
        """
        from sims.reports.rows import gather

        found = gather(self.folder, self.manifest, self.tally.scheme)
        return tuple(example for _, example in found.examples.values())

    def to_json(self) -> dict[str, Any]:
        """Verdict, counts and paths as values of JSON."""
        paths = {"folder": self.folder, "rows_file": self.rows_file, "report": self.report_file}
        content = {**self.verdict.to_json(), "attempts": self.manifest["rows"]}
        losses = self.losses()
        content |= {"losses": losses, "place_noun": self.manifest.get("place_noun", "place")} if losses else {}
        content |= {"warnings": list(self.warnings), **{name: str(path) for name, path in paths.items()}}
        return content | ({"precision": self.precision.to_json()} if self.precision is not None else {})

    def __repr__(self) -> str:
        state = "on target" if self.met else "not on target" if self.settled else "too close to call"
        return f"Run({str(self.folder)!r}: {self.manifest['rows']:,} attempts, {state})"

    def _repr_html_(self) -> str:
        return self.verdict._repr_html_()

    def _table(self, name: str, columns: Sequence[str] | None) -> pd.DataFrame:
        from sims.runs.frames import read_table  # pandas takes half a second to import

        return read_table(self.folder, name, columns)


def read_run(folder: Path | str) -> Run:
    """Open a complete run.

    Args:
        folder: as `flowdial run` leaves it.

    Raises:
        RunFolderError: the folder is missing, is not that of a complete run, or is damaged.

    Example:
        >>> from sims import load_scenario, read_run, run
        >>> small = {"players.count": 40, "horizon.attempts_per_player": 40}
        >>> folder = run(load_scenario("arena/stationary", **small), workers=1).folder
        >>> read_run(folder).row(3).equal
        True
    """
    path = Path(folder)
    return Run(path, read_manifest(path))
