"""Fit synthetic players to the plays of real ones: the call that `flowdial calibrate` makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.scenario import Scenario
from sims.calibration.calibration_files import check_out, content_of_findings, write_calibration
from sims.calibration.calibration_findings import Findings, sizes_of, sizes_of_totals
from sims.calibration.checks.fit_checks import Checks, check_fit
from sims.calibration.error_gate import ErrorGate, error_gate
from sims.calibration.fit import fit, predict
from sims.calibration.fitted_scenario import fitted_scenario
from sims.calibration.game.game_plays import GamePlays, read_game_plays
from sims.calibration.game.rule_check import judge_rules
from sims.calibration.histories import histories_of
from sims.calibration.kept_players import PLAYERS, key_of_file
from sims.calibration.level_totals import fit_totals
from sims.calibration.play_files.play_file import read_play_file
from sims.calibration.play_files.play_table import PlayTable, read_play_table
from sims.calibration.sentences import all_sentences, headline_of
from sims.calibration.session_ends import fit_session_ends
from sims.calibration.session_times import ATTEMPT_S, fit_session_times
from sims.catalog import Catalog
from sims.html.notebook import notebook_table
from sims.run_folder.folder import REPORT, SCENARIO
from sims.terminal import OnProgress, no_progress
from sims.workers.cores import cores

_STEPS = 8  # of the work: one to read, one to fit, five to try the fit, one to write


@dataclass(frozen=True, repr=False)
class Calibration:
    """Players who were fitted to a file of plays.

    Attributes:
        findings: what the file says, the estimates, and how well unseen players were predicted.
        scenario: a scenario with these players and levels, to be run.
        folder: where the files lie.
    """

    findings: Findings
    scenario: Scenario
    folder: Path

    @property
    def headline(self) -> str:
        """The answer in one line: sizes, and the error for unseen players beside two trivial answers."""
        return headline_of(self.findings)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer, what was fitted, what was left out, and what is assumed."""
        return all_sentences(self.findings)

    @property
    def scenario_file(self) -> Path:
        """The scenario, for flowdial run."""
        return self.folder / SCENARIO

    @property
    def report_file(self) -> Path:
        """The page."""
        return self.folder / REPORT

    @property
    def players_file(self) -> Path | None:
        """The players under other names; None without keep_ids."""
        path = self.folder / PLAYERS
        return path if path.is_file() else None

    def gate(self, limit: float) -> ErrorGate:
        """Whether unseen players are off by at most so much, at 95 % confidence.

        Args:
            limit: the largest mean error of a level's win rate.
        """
        return error_gate(self.findings.checks.unseen_players, limit)

    def __repr__(self) -> str:
        return f"Calibration({self.headline!r})"

    def _repr_html_(self) -> str:
        rows = [(name, *(f"{number:.3g}" for number in found)) for name, found in self.findings.estimates.items()]
        return notebook_table(("estimate", "value", "low", "high"), rows, self.sentences)

    def to_json(self) -> dict[str, Any]:
        """The content of calibration.json; no id of a player, and nothing of fewer than ten of them."""
        return content_of_findings(self.findings)


def calibrate(
    plays: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    game: str | None = None,
    skip_bad: bool = False,
    keep_ids: Path | None = None,
    out: Path | None = None,
    threads: int | None = None,
    on_progress: OnProgress = no_progress,
) -> Calibration:
    """Fit how players win, learn, tire and quit to a file of plays, and leave a folder with a scenario.

    Args:
        plays: a CSV or Parquet file with a row for each attempt, or counts for each player and level, or for each
            level; "-" for standard input.
        columns: part -> column, as in {"player": "uid"}, where names do not tell.
        game: name of the game that was played, whose knobs are columns as param_speed; None for any other game, of
            which the file knows levels alone.
        skip_bad: leave out rows that cannot be read, at most 1 % of them.
        keep_ids: a file with a key, made where it does not exist; players.csv then has the players under names that
            are a hash of their ids by this key. None to write nothing of single players.
        out: the new folder; None for a numbered one below calibrations/.
        threads: of the sums; None for one per core. They change no number.
        on_progress: takes how much is done, and how much there is.

    Returns:
        The estimates with their intervals, the error for unseen players, and the scenario.

    Raises:
        ScenarioError: a column is not found, rows cannot be read, there are too few players, or there is no such game.
        RunFolderError: the folder exists.
        OSError: a file cannot be read or written.

    Example:
        >>> from sims import calibrate
        >>> calibrate("missing.csv")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory: 'missing.csv'
    """
    check_out(out)
    key = None if keep_ids is None else key_of_file(keep_ids, out)
    file, given, count = read_play_file(plays), columns or {}, threads or cores()
    if game is None:
        table, played = read_play_table(file, given, skip_bad=skip_bad, keep_ids=key is not None), None
    else:
        rules = Catalog().game_with_rules(game, "a fit to plays of a game")
        played = read_game_plays(
            file, rules, given, skip_bad=skip_bad, keep_ids=key is not None, threads=count,
            on_map=lambda done, total: on_progress(round(done / total), _STEPS),
        )  # fmt: skip
        table = played.table
    on_progress(1, _STEPS)
    findings = _findings_of(table, played, count, on_progress)
    scenario = fitted_scenario(findings)
    folder = write_calibration(out, findings, scenario, key)
    on_progress(_STEPS, _STEPS)
    return Calibration(findings, scenario, folder)


def _findings_of(table: PlayTable, played: GamePlays | None, threads: int, on_progress: OnProgress) -> Findings:
    if table.totals is not None:
        return Findings(table, sizes_of_totals(table.totals), None, fit_totals(table.totals), Checks(), None)
    assert table.plays is not None  # a file has plays or totals
    histories = histories_of(table.plays)
    win_map = None if played is None else played.win_map
    found = fit(histories, threads=threads, win_map=win_map)
    on_progress(2, _STEPS)
    ends = fit_session_ends(table.plays, threads=threads)
    checks = check_fit(
        found,
        histories,
        ends,
        table.level_features,
        campaign=table.is_campaign,
        threads=threads,
        win_map=win_map,
        on_fold=lambda done, total: on_progress(2 + round(5 * done / total), _STEPS),
    )
    rules = None
    if played is not None:
        chance = predict(found, histories, threads=threads, win_map=win_map)
        rules = judge_rules(histories, chance, found.mean_skill)
    times = fit_session_times(
        table.plays, cut="session" not in table.mapped, attempt_s=ATTEMPT_S if played is None else None
    )
    return Findings(table, sizes_of(histories), histories, found, checks, ends, played, rules, times)
