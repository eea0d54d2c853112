"""Find help per level: the place of the dial on each level of a campaign that brings it to its target."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Final

import numpy as np

from engine.randomness import LARGEST_SEED
from engine.scenario import Scenario
from sims.catalog import scenario_of
from sims.terminal import OnMessage, OnProgress, no_message, no_progress
from sims.tuning.levels.level_dials import LevelDials
from sims.tuning.levels.level_search import LevelSearch
from sims.tuning.levels.played_levels import play_levels
from sims.tuning.levels.tuned_levels import TunedLevels
from sims.verdict.verdict import Verdict
from sims.workers.execution_place import executor_of
from sims.workers.executor import Executor

ROUNDS: Final = 7  # of the search
_APART: Final = 3_000_000_019  # how far the seed of the last measurement is from that of the search


def tune_levels(
    scenario: Scenario | str | Path,
    *,
    seed: int | None = None,
    workers: int | None = None,
    on: str | None = None,
    on_progress: OnProgress = no_progress,
    on_message: OnMessage = no_message,
) -> TunedLevels:
    """Find the place of the dial on each level of a campaign that brings its win rate to its target.

    The players of the scenario play the campaign seven times with the same luck, and the dial moves on each level
    between. What is reported is measured on players whom the search had not seen, on the levels before and after.

    Args:
        scenario: a campaign with a dial, the path of its file, or the name of a bundled one. Its targets, one for each
            level or one for all, are the curve to meet. For several player groups, the mean of their targets.
        seed: of the search; None for that of the scenario.
        workers: number of processes, from 1; None for one per core. They change no number.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        on_progress: takes attempts played, and all attempts, were each player to make as many as the scenario allows.
        on_message: takes a sentence when a worker was stopped by a signal.

    Returns:
        The levels, the verdicts before and after, and a scenario to run.

    Raises:
        ScenarioError: there are no numbered levels, or no dial that moves.
        PluginFault: too many attempts failed.

    Example:
        >>> from sims import load_scenario, tune_levels
        >>> small = {"players.count": 40, "horizon.attempts_per_player": 40}
        >>> tuned = tune_levels(load_scenario("campaign", **small), workers=1)
        >>> len(tuned.places) == tuned.scenario.levels
        True
    """
    given = scenario_of(scenario)
    given = given if seed is None else _with_seed(given, seed)
    with executor_of(workers, on) as executor:
        return _tuned_levels(given, executor, on_progress, on_message)


def _tuned_levels(given: Scenario, executor: Executor, on_progress: OnProgress, on_message: OnMessage) -> TunedLevels:
    dials = LevelDials(given)
    fresh = (given.seed + _APART) % (LARGEST_SEED + 1)
    before = play_levels(_with_seed(given, fresh), workers=executor, on_message=on_message)
    most = sum(given.counts) * given.form.run.replicas * given.form.horizon.attempts_per_player

    def tell(rounds: int) -> None:
        on_progress(rounds * most, (ROUNDS + 2) * most)

    tell(1)
    start = np.clip(np.full(given.levels, dials.start), dials.floor, dials.ceiling)
    search = LevelSearch(_targets(given, before), start, dials.floor, dials.ceiling)
    for number in range(ROUNDS):
        found = play_levels(dials.scenario_at(search.places.tolist()), workers=executor, on_message=on_message)
        search.tell(*_counts(found, given.levels))
        tell(number + 2)
    places = search.places.tolist()
    tuned = dials.scenario_at(places)
    after = play_levels(_with_seed(tuned, fresh), workers=executor, on_message=on_message)
    tell(ROUNDS + 2)
    ends = dials.floor, dials.ceiling
    return TunedLevels(tuned, tuple(places), dials.values(places), before, after, dials.steady, ends)


def _with_seed(scenario: Scenario, seed: int) -> Scenario:
    return dataclasses.replace(scenario, form=scenario.form.model_copy(update={"seed": seed}))


def _targets(scenario: Scenario, before: Verdict) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The wanted win rate of each level: over player groups by their attempts."""
    levels = scenario.levels
    wanted = np.array([scenario.win_rates(cohort) for cohort in range(len(scenario.cohorts))])
    tried = np.array([row.attempts for row in before.level_rows], np.float64).reshape(-1, levels) + 1e-9
    means: np.ndarray[tuple[int], np.dtype[np.float64]] = (wanted * tried).sum(axis=0) / tried.sum(axis=0)
    return means


def _counts(found: Verdict, levels: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], ...]:
    """Attempts and wins of each level, of all player groups together."""
    attempts, wins = np.zeros(levels, np.int64), np.zeros(levels, np.int64)
    for row in found.level_rows:
        attempts[row.level - 1] += row.attempts
        wins[row.level - 1] += row.wins
    return attempts, wins
