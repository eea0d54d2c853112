"""A complete sweep, opened: its answer in words, its trials, and the scenario with the best settings."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import RunFolderError
from sims.html.notebook import notebook_table
from sims.run_folder.begun_search import answer_in, bytes_in, unreadable
from sims.run_folder.folder import REPORT
from sims.sweeping.sweep_files import BEST, SWEEP_JSON, TRIALS

if TYPE_CHECKING:
    import pandas as pd

    from engine.scenario import Scenario

_MOST_ROWS = 20  # that a notebook shows


@dataclass(frozen=True, repr=False)
class FinishedSweep:
    """A sweep folder that is complete. `sweep`, `resume_sweep` and `read_sweep` return one.

    Attributes:
        folder: where its files are.
        answer: what sweep.json says.
    """

    folder: Path
    answer: Mapping[str, Any] = field(compare=False)

    @property
    def claim(self) -> str:
        """What fresh players say of the best trial: "better", "worse", "same" or "cannot tell"."""
        return str(self.answer["claim"])

    @property
    def best(self) -> Mapping[str, Any]:
        """The settings of the best trial, by key."""
        best: Mapping[str, Any] = self.answer["best"]
        return best

    @property
    def optimism(self) -> float:
        """How much better the best trial looked in the search than on fresh players."""
        return float(self.answer["optimism"])

    @property
    def text(self) -> str:
        """The answer as the terminal shows it: sentences and a table."""
        return str(self.answer["text"])

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer in words; the first sentence says whether the best trial is better."""
        return tuple(self.answer["sentences"])

    @property
    def failed_trials(self) -> int:
        """Trials that failed and do not count."""
        return int(self.answer["failed_trials"])

    @property
    def report_file(self) -> Path:
        """The page for people."""
        return self.folder / REPORT

    @property
    def trials_file(self) -> Path:
        """The table of trials: one row for each trial and player group."""
        return self.folder / TRIALS

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario with the best settings, ready to run. Raises ScenarioError where its file is wrong."""
        from sims.catalog import scenario_in

        return scenario_in(self.folder / BEST)

    def trials(self) -> pd.DataFrame:
        """The table of trials as a DataFrame. Raises RunFolderError where it was changed after the sweep."""
        import pandas as pd

        data = io.BytesIO(bytes_in(self.folder, "sweep", TRIALS))
        try:
            return pd.read_csv(data)
        except ValueError as fault:  # those of pandas are of this class
            reason = " ".join(str(fault).split())[:300]
            raise RunFolderError(f"{self.trials_file} cannot be read: {reason}.") from None

    def to_json(self) -> dict[str, Any]:
        """The whole answer and the paths as values of JSON."""
        paths = {"folder": str(self.folder), "report": str(self.report_file), "table": str(self.trials_file)}
        return paths | {name: value for name, value in self.answer.items() if name != "text"}

    def __repr__(self) -> str:
        return f"FinishedSweep({str(self.folder)!r}: {len(self.answer['trials']) - 1} trials. {self.sentences[0]})"

    def _repr_html_(self) -> str:
        keys = self.answer["keys"]
        rows = []
        for trial in self.answer["trials"][:_MOST_ROWS]:
            own = trial["settings"] if trial["number"] else self.answer["own_values"]
            loss = trial.get("loss")
            shown = trial["failure"] or ("-" if loss is None or loss[0] is None else f"{loss[0]:.4f}")
            rows.append([str(trial["number"]), *(str(own.get(key, "")) for key in keys), shown])
        return notebook_table(("trial", *keys, "loss"), rows, self.sentences)


def read_sweep(folder: Path | str) -> FinishedSweep:
    """Open a complete sweep.

    Args:
        folder: as `flowdial sweep` leaves it.

    Raises:
        RunFolderError: the folder is missing, is not that of a complete sweep, or is damaged.

    Example:
        >>> from sims import read_sweep
        >>> read_sweep("sweeps/mine-001").best  # doctest: +SKIP
    """
    path = Path(folder)
    found = FinishedSweep(path, answer_in(path, "sweep", SWEEP_JSON))
    try:
        _ = (repr(found), found._repr_html_(), found.claim, found.optimism, found.text, found.failed_trials)
        _ = (dict(found.best), found.to_json())  # all of it can be read
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as fault:
        raise unreadable(path / SWEEP_JSON, "sweep", fault) from None
    return found
