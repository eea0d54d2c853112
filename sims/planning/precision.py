"""A run that is as large as its margins need: `flowdial run --precision`.

A pilot with other players decides how many players that takes (sims.planning.pilot, engine.inference.sequential). The
run itself is an ordinary one of a scenario with that many: it can be verified, resumed and replayed like any other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from engine.errors import ScenarioError
from engine.inference.intervals import CONFIDENCE, rate_interval
from engine.inference.sequential import (
    LEAST,
    LEAST_REPLICAS,
    PILOT,
    PILOT_REPLICAS,
    Size,
    Width,
    find_size,
    is_narrow,
    needed_size,
)
from engine.record import Format
from engine.scenario import Scenario
from engine.scenario_file.consistency import LARGEST_WORK, LONG_WORK
from engine.tally import Tally
from sims.catalog import scenario_of
from sims.planning.pilot import elsewhere, first_size, growing, largest_size, people, resized, sums_for, width_of
from sims.run_folder.folder import check_free
from sims.runs.execution import execute
from sims.runs.preflight import prepare_job
from sims.runs.progress import OnRunProgress, no_run_progress
from sims.runs.run import Run
from sims.terminal import OnMessage, no_message
from sims.verdict.goal import Goal
from sims.verdict.numbers import rounded_up
from sims.verdict.precision_record import Precision
from sims.workers.execution_place import executor_of
from sims.workers.executor import Workers

_PILOTS_SHARE: Final = 0.2  # of the budget that pilots may have
_LEAST_PILOT: Final = 5  # of the smallest size that a pilot may have, per cohort


def run_to_precision(
    scenario: Scenario | str | Path,
    precision: float,
    *,
    budget: int | None = None,
    allow_long: bool = False,
    out: Path | str | None = None,
    workers: int | None = None,
    on: str | None = None,
    format: Format = "csv",  # noqa: A002 - named as in sims.run
    on_progress: OnRunProgress = no_run_progress,
    on_message: OnMessage = no_message,
    on_pilot: OnMessage = no_message,
) -> Run:
    """Play a scenario with as many players as its margins need.

    Args:
        scenario: a scenario, the path of its TOML file, or the name of a bundled one.
        precision: half width of every cohort's 95 % interval, a win rate in (0, 0.5].
        budget: largest number of attempts, the pilot's included, counted as Scenario.work; None for what a scenario
            may have at most.
        allow_long: allow budgets above the safety limit.
        out, workers, on, format, on_progress, on_message: as for `run`.
        on_pilot: takes a sentence before each pilot.

    Returns:
        The complete run; its `precision` says why it has its size.

    Raises:
        ScenarioError: the scenario is wrong, or the budget is too small for a pilot.
        RunFolderError, EnvironmentFault, PluginFault, Stopped: as for `run`.

    Example:
        >>> from sims import load_scenario, run_to_precision
        >>> small = {"players.count": 40, "horizon.attempts_per_player": 40}
        >>> result = run_to_precision(load_scenario("arena/stationary", **small), 0.05, workers=1)
        >>> result.precision.reached
        True
    """
    chosen = scenario_of(scenario)
    prepare_job(chosen)
    place = None if out is None else Path(out)
    if place is not None:
        check_free(place)
    search = Search(chosen, precision, budget or (LARGEST_WORK if allow_long else LONG_WORK))
    with executor_of(workers, on) as executor:
        size = search.first(executor, on_pilot)
        while True:
            result = execute(
                size, out=place, workers=executor, file_format=format, on_progress=on_progress,
                on_message=on_message, is_enough=search.is_enough,
            )  # fmt: skip
            if result is not None:
                return replace(result, precision=search.answer(result.goal, result.tally))
            size = search.larger()


class Search:
    """How large a run must be, from the pilot to the last word about it."""

    def __init__(self, scenario: Scenario, precision: float, budget: int) -> None:
        """Begin a search.

        Args:
            precision: half width of every margin, in (0, 0.5].
            budget: attempts.

        Raises:
            ScenarioError: the budget is too small.
        """
        self._scenario, self._precision, self._budget = scenario, precision, budget
        self._noun = growing(scenario)
        form = scenario.form
        others = form.run.replicas if self._noun == "players" else form.players.count
        if scenario.draws_estimates:
            raise ScenarioError(
                f"{scenario.name}: --precision needs margins that more players narrow, and these hold the error of "
                "a calibration; add --set run.replicas=1 for the luck of players alone, or calibrate on more plays."
            )
        self._each = others * form.horizon.attempts_per_player  # attempts of one more player or replica
        least = _LEAST_PILOT * (len(scenario.cohorts) if self._noun == "players" else 1)
        self._pilots = int(_PILOTS_SHARE * budget / self._each)
        if self._pilots < least:
            needed = math.ceil(least * self._each / _PILOTS_SHARE)
            raise ScenarioError(
                f"{scenario.name}: --budget must be at least {needed} attempts, for a pilot with {least} "
                f"{people(self._noun)} and a run, got {budget}"
            )
        self._least = first_size(scenario, LEAST, LEAST_REPLICAS)
        self._pilot = Size(0, 0, 0)
        self._kurtosis: dict[str, float] = {}
        self._played: list[int] = []  # sizes of the runs so far
        self._needed = 0  # size of the next run

    def first(self, workers: Workers, on_pilot: OnMessage) -> Scenario:
        """Play pilots until they show how large the run must be; the scenario of that size, or of the budget's."""
        pilot = elsewhere(self._scenario)

        def look(size: int) -> list[Width]:
            on_pilot(f"pilot with {size:,} other {people(self._noun)} (seed {pilot.seed}) ...")
            sums = sums_for(resized(pilot, size), workers=workers, on_message=on_pilot)
            widths = {name: width_of(own) for name, own in sums.items()}
            self._kurtosis = {name: width.kurtosis for name, width in widths.items()}
            return [width for width in widths.values() if width.clusters]

        self._pilot = find_size(
            look, self._precision, first=first_size(self._scenario, PILOT, PILOT_REPLICAS),
            least=self._least, affordable=min(self._pilots, largest_size(self._scenario)),
        )  # fmt: skip
        return self._with(min(self._pilot.needed, self._left))

    def is_enough(self, tally: Tally) -> bool:
        """Whether the margins of a run are narrow enough, or a larger one would exceed the budget."""
        widths = self._widths(tally).values()
        if is_narrow(widths, self._precision):
            return True
        self._needed = needed_size(self._played[-1], widths, self._precision)
        return self._needed > self._left

    def larger(self) -> Scenario:
        """The larger scenario to play instead of a run whose margins turned out too wide."""
        return self._with(self._needed)

    def answer(self, goal: Goal, tally: Tally) -> Precision:
        """Why the run has its size, and what its margins are worth."""
        widths = self._widths(tally)
        reached = is_narrow(widths.values(), self._precision)
        size, pilot = self._played[-1], elsewhere(self._scenario)
        numbers = {
            "wanted": self._precision,
            "reached": reached,
            "half_widths": {name: width.half_width for name, width in widths.items()},
            "growing": self._noun,
            "size": size,
            "budget": self._budget,
            "pilot": {"size": self._pilot.pilot, "seed": pilot.seed, "needed": self._pilot.needed},
            "played_again": len(self._played) - 1,
            "error_rate": round(1.0 - CONFIDENCE, 12),
        }
        stated = self._stated(pilot.seed) if widths else ()
        return Precision(reached, (*self._outcome(widths, reached), *stated), numbers)

    def _outcome(self, widths: Mapping[str, Width], reached: bool) -> Iterator[str]:
        noun = people(self._noun)
        size = f"{self._played[-1]:,} {noun}"
        if not widths:
            yield f"Precision: unknown, since none of {size} was judged."
            return
        widest = max(widths, key=lambda name: (widths[name].clusters < 2, widths[name].half_width))
        margin = f"{widest} \u00b1{100 * widths[widest].half_width:.2g} points"
        wanted = f"\u00b1{100 * self._precision:.3g} points"
        if reached:
            which = "the margin is" if len(widths) == 1 else "every margin is"
            yield f"Precision: reached. With {size}, {which} at most {wanted} (widest: {margin})."
            if self._pilot.needed == self._played[-1] == self._least:
                unit = f"{LEAST_REPLICAS} repeats" if self._scenario.shares_luck else f"{LEAST} players per group"
                yield f"Fewer {noun} would reach it, but a margin is not trusted below {unit}."
            return
        end = f"the budget of {self._budget:,} attempts"
        needed = max(needed_size(self._played[-1], widths.values(), self._precision), self._played[-1] + 1)
        remedy = f"About {rounded_up(needed):,} {noun} would be enough"
        if self._played[-1] == largest_size(self._scenario):
            end = f"the largest number of {noun} in a scenario"
        else:
            budget = math.ceil(needed * self._each / (1.0 - _PILOTS_SHARE))
            remedy += f" (--budget {rounded_up(budget)})"
        yield f"Precision: {wanted} not reached within {end}. With {size} the widest margin is {margin}."
        yield f"{remedy}."

    def _stated(self, pilot_seed: int) -> Iterator[str]:
        """That the size was chosen sequentially, and its error rate."""
        noun, error = people(self._noun), f"{100 * (1.0 - CONFIDENCE):.2g} %"
        yield (
            f"A trial with {self._pilot.pilot:,} other {noun} (seed {pilot_seed}) chose the number of {noun}. "
            "So the margins are as reliable as those of any run."
        )
        if len(self._played) > 1:
            yield (
                f"The run was played again with more {noun}, because {self._played[0]:,} were too few. That happens "
                f"in a few of 100 runs and is part of the {error}."
            )

    def _widths(self, tally: Tally) -> dict[str, Width]:
        """How wide the interval of each cohort's win rate is; cohorts without a judged player are left out."""
        widths = {}
        for name, cells in zip(self._scenario.cohorts, tally.judged, strict=True):
            one = rate_interval(cells[0], tally.scheme.cluster)
            if one.attempts:
                half_width = max(one.high - one.rate, one.rate - one.low)
                widths[name] = Width(one.clusters, half_width, self._kurtosis[name])
        return widths

    @property
    def _left(self) -> int:
        """How large one more run may be."""
        affordable = self._budget // self._each - self._pilot.played - sum(self._played)
        return min(affordable, largest_size(self._scenario))

    def _with(self, size: int) -> Scenario:
        self._played.append(size)
        return resized(self._scenario, size)
