"""Fit synthetic players to the plays of real ones: the call that `flowdial calibrate` makes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.scenario import Scenario
from sims.calibration.error_gate import ErrorGate, error_gate
from sims.calibration.fit import Fit, fit
from sims.calibration.held_out import HeldOut, held_out
from sims.calibration.histories import FATIGUE, LEARNING, Histories, histories_of
from sims.calibration.play_file import read_play_file
from sims.calibration.play_table import PlayTable, read_play_table
from sims.calibration.sentences import all_sentences, assumed_of, headline_of
from sims.calibration.session_ends import SessionEnds, fit_session_ends
from sims.html.notebook import notebook_table
from sims.run_folder.folder import REPORT, SCENARIO
from sims.terminal import OnProgress, no_progress
from sims.workers.cores import cores

FORMAT_VERSION: Final = 1
_DIGITS: Final = 6  # of the numbers in calibration.json


@dataclass(frozen=True, repr=False)
class Calibration:
    """Players who were fitted to a file of plays.

    Attributes:
        source: name of the file.
        table: what the file says, and what was left out of it.
        fit: the estimates.
        held_out: how well unseen players were predicted; None where too few met any level.
        session_ends: how sessions end; None where the file has no sessions.
        scenario: a scenario with these players and levels, to be run.
        folder: where the files lie.
    """

    source: str
    table: PlayTable
    histories: Histories
    fit: Fit
    held_out: HeldOut | None
    session_ends: SessionEnds | None
    scenario: Scenario
    folder: Path

    @property
    def headline(self) -> str:
        """The answer in one line: sizes, and the error for unseen players beside two trivial answers."""
        return headline_of(self.histories, self.held_out)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer, what was fitted, what was left out, and what is assumed."""
        return all_sentences(self.table, self.histories, self.fit, self.held_out, self.session_ends)

    @property
    def scenario_file(self) -> Path:
        """The scenario, for flowdial run."""
        return self.folder / SCENARIO

    @property
    def report_file(self) -> Path:
        """The page."""
        return self.folder / REPORT

    def gate(self, limit: float) -> ErrorGate:
        """Whether unseen players are off by at most so much, at 95 % confidence.

        Args:
            limit: the largest mean error of a level's win rate.
        """
        return error_gate(self.held_out, limit)

    def __repr__(self) -> str:
        return f"Calibration({self.headline!r})"

    def _repr_html_(self) -> str:
        estimates = estimates_of(self.fit, self.session_ends)
        rows = [(name, *(f"{number:.3g}" for number in numbers)) for name, numbers in estimates.items()]
        return notebook_table(("estimate", "value", "low", "high"), rows, self.sentences)

    def to_json(self) -> dict[str, Any]:
        """The content of calibration.json; no id of a player, and nothing of fewer than ten of them."""
        return content_of_calibration(self.table, self.histories, self.fit, self.held_out, self.session_ends)


def calibrate(
    plays: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    skip_bad: bool = False,
    out: Path | None = None,
    threads: int | None = None,
    on_progress: OnProgress = no_progress,
) -> Calibration:
    """Fit how players win, learn, tire and quit to a file of plays, and leave a folder with a scenario.

    Args:
        plays: a CSV or Parquet file with a row for each attempt, or counts for each player and level; "-" for
            standard input.
        columns: part -> column, as in {"player": "uid"}, where names do not tell.
        skip_bad: leave out rows that cannot be read, at most 1 % of them.
        out: the new folder; None for a numbered one beside where the command runs.
        threads: of the sums; None for one per core. They change no number.
        on_progress: is told how much is done, and how much there is.

    Returns:
        The estimates with their intervals, the error for unseen players, and the scenario.

    Raises:
        ScenarioError: a column is not found, rows cannot be read, or there are too few players.
        RunFolderError: the folder exists.
        OSError: a file cannot be read or written.

    Example:
        >>> from sims import calibrate
        >>> calibrate("missing.csv")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory: 'missing.csv'
    """
    from sims.calibration.calibration_files import check_out, write_calibration
    from sims.calibration.fitted_scenario import fitted_scenario

    check_out(out)
    count = threads or cores()
    table = read_play_table(read_play_file(plays), columns or {}, skip_bad=skip_bad)
    histories = histories_of(table.plays)
    on_progress(1, 8)
    found = fit(histories, threads=count)
    on_progress(2, 8)
    tried = held_out(
        found, histories, threads=count, on_fold=lambda done, total: on_progress(2 + round(5 * done / total), 8)
    )
    ends = fit_session_ends(table.plays, threads=count)
    scenario = fitted_scenario(table, histories, found, tried, ends)
    content = content_of_calibration(table, histories, found, tried, ends)
    folder = write_calibration(out, table, histories, found, tried, ends, scenario, content)
    on_progress(8, 8)
    return Calibration(table.source, table, histories, found, tried, ends, scenario, folder)


def estimates_of(fitted: Fit, ends: SessionEnds | None) -> dict[str, tuple[float, float, float]]:
    """Every estimate with its 95 % interval, in the words of docs/calibration.md."""
    found = {}
    for place, name in enumerate(fitted.names, fitted.levels):
        low, high = fitted.interval(place)
        value = float(fitted.point[place])
        if name in ("log_skill_sd", "log_quit_sd"):
            name, value, low, high = name.removeprefix("log_"), math.exp(value), math.exp(low), math.exp(high)
        elif name == "atanh_rho":
            name, value, low, high = "correlation", math.tanh(value), math.tanh(low), math.tanh(high)
        found[name] = (value, low, high)
    if ends is not None:
        found |= ends.estimates
    return found


def content_of_calibration(
    table: PlayTable, histories: Histories, fitted: Fit, tried: HeldOut | None, ends: SessionEnds | None
) -> dict[str, Any]:
    """Everything that was found, as JSON; the same bytes for any order of rows, spelling of ids and threads."""
    levels = len(histories.levels)
    won = np.bincount(histories.level, histories.won, levels)
    attempts = np.bincount(histories.level, minlength=levels)
    owner = np.repeat(np.arange(histories.players), np.diff(histories.starts))
    met = np.bincount(np.unique(histories.level * histories.players + owner) // histories.players, minlength=levels)
    known = {LEARNING, FATIGUE} & set(histories.effects)
    return {
        "format_version": FORMAT_VERSION,
        "source": table.source,
        "columns": dict(table.mapped),
        "players": histories.players,
        "attempts": histories.rows,
        "days": None if table.dates is None else list(table.dates),
        "left_out": table.left_out,
        "fitted": sorted(known) + (["quitting"] if fitted.joint else []) + (["sessions"] if ends else []),
        "assumed": list(assumed_of(histories, fitted, ends)),
        "estimates": {
            name: dict(zip(("value", "low", "high"), map(_rounded, numbers), strict=True))
            for name, numbers in estimates_of(fitted, ends).items()
        },
        "levels_mean": _rounded(fitted.level_mean),
        "levels_sd": _rounded(fitted.level_sd),
        "unseen_players": None
        if tried is None
        else {
            "model": tried.model.to_json(),
            "level_means": tried.level_means.to_json(),
            "one_rate": tried.one_rate.to_json(),
            "luck": _rounded(tried.luck),
            "folds": tried.folds,
            "level_rates": tried.rates,
        },
        "levels": [
            {
                "level": name,
                "players": int(met[i]),
                "attempts": int(attempts[i]),
                "win_rate": _rounded(float(won[i] / attempts[i])),
                "difficulty": _rounded(float(fitted.difficulty[i])),
                "low": _rounded(fitted.interval(i)[0]),
                "high": _rounded(fitted.interval(i)[1]),
            }
            for i, name in enumerate(histories.levels)
        ],
    }


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")
