"""How a sweep spends its attempts: the method, its trials, and what is kept for the final measurement."""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.errors import ScenarioError
from engine.scenario import Scenario
from engine.setup import Setup
from sims.sweeping.search.explorer import Explorer
from sims.sweeping.search.full_grid import FullGrid
from sims.sweeping.search.halving import Bracket, Halving, cost_of, plan_brackets
from sims.sweeping.search.random_trials import RandomTrials
from sims.sweeping.search.stages import STEPS, KeyByKey
from sims.sweeping.space import SweepSpace
from sims.sweeping.sweep_request import MOST_ATTEMPTS, SweepRequest
from sims.sweeping.trial_records import PlayerBlock

_FRESH_SHARE: Final = 0.2  # of the budget, for the winner and the baseline on fresh players
_MOST_FRESH: Final = 10  # blocks
_MOST_STEPS: Final = 21  # values of a range in a grid
_LEAST_STEPS: Final = 3
_FEW_TRIALS: Final = 100  # below, there is little to learn from, and random trials cover a space well


class SweepPlan(NamedTuple):
    """What will be played.

    Attributes:
        method: grid, random, tpe, hyperband or staged.
        why: the reason for the method, in a sentence.
        trials: most trials besides the baseline.
        steps: values of each range in a grid; 0 elsewhere.
        brackets: of hyperband.
        fresh: blocks of fresh players for the final measurement.
        players: of a whole trial, in each repeat.
        attempts: most attempts of everything.
    """

    method: str
    why: str
    trials: int
    steps: int
    brackets: tuple[Bracket, ...]
    fresh: int
    players: int
    attempts: int

    def begin(self, space: SweepSpace, seed: int) -> Explorer:
        """A fresh search. Raises EnvironmentFault where its package is missing."""
        block = PlayerBlock(0, self.players)
        match self.method:
            case "grid":
                return FullGrid(space, block, self.trials, self.steps)
            case "random":
                return RandomTrials(space, block, self.trials, seed)
            case "hyperband":
                return Halving(space, self.brackets, seed)
            case "staged":
                return KeyByKey(space, self.players, self.trials)
        from sims.sweeping.search.tpe_trials import TpeTrials

        return TpeTrials(space, block, self.trials, seed)


def plan_sweep(request: SweepRequest, space: SweepSpace, scenario: Scenario, setup: Setup) -> SweepPlan:
    """The plan of a sweep. Raises ScenarioError where it would cost more than it may."""
    work, players = scenario.work, scenario.form.players.count
    budget = request.budget
    if budget is None and request.seconds is None and not space.is_finite:
        raise ScenarioError(
            f"a range has no end of values, so a sweep over one needs a budget; give --budget {40 * work:,} for about "
            "30 trials, or a number of steps such as low:high:9"
        )
    limit = MOST_ATTEMPTS if budget is None else budget
    fresh = 1 if budget is None else min(max(int(_FRESH_SHARE * budget / (2 * work)), 1), _MOST_FRESH)
    search = limit - 2 * fresh * work
    trials = search // work - 1
    if trials < 2:
        raise ScenarioError(
            f"a trial takes {work:,} attempts, so {limit:,} are too few for two trials, the baseline and the final "
            f"measurement; give a budget of {5 * work:,} or more, or fewer players"
        )
    brackets = () if budget is None else _brackets(setup, players, search, work)
    method, why = (request.method, "you asked for it") if request.method != "auto" else _chosen(space, trials, brackets)
    steps = 0
    cost = 0
    if method == "grid":
        steps = _steps(space, trials)
        size = sum(1 for _ in space.grid(steps)) if steps else space.size
        if size > trials:
            allowed = "" if budget is None else "--budget "
            raise ScenarioError(
                f"the grid has {space.size_text} settings, but {allowed}{limit:,} attempts allow {trials:,} of "
                f"{work:,} attempts; use --method random, fewer values, fewer players, or a budget of "
                f"{(size + 1 + 2 * fresh) * work:,}"
            )
        trials = size
    elif method == "staged":
        first = sum(len(one.spaced(STEPS)) for one in space.keys)
        if trials < first:
            raise ScenarioError(
                f"staged tries {first:,} values, one key at a time, but {limit:,} attempts allow {trials:,} trials of "
                f"{work:,}; use fewer values, fewer players, or a budget of {(first + 1 + 2 * fresh) * work:,}"
            )
    elif space.is_finite:
        trials = min(trials, space.size)
    if method == "hyperband":
        if not brackets:
            raise ScenarioError(_no_rungs(setup, players, budget))
        cost = cost_of(brackets, work // players)
        trials = sum(bracket[0].trials for bracket in brackets)
    elif budget is None and request.seconds is not None:
        cost = search
    else:
        brackets = ()
        cost = (trials + 1) * work
    return SweepPlan(
        method, why, trials, steps, brackets if method == "hyperband" else (), fresh, players, cost + 2 * fresh * work
    )


def _brackets(setup: Setup, players: int, search: int, work: int) -> tuple[Bracket, ...]:
    return () if setup.scope != "player" else plan_brackets(players, search, work // players)


def _no_rungs(setup: Setup, players: int, budget: int | None) -> str:
    if budget is None:
        return "hyperband plans its rungs by attempts, so it needs a budget; give --budget, or use --method random"
    if setup.scope != "player":
        return "players share a controller here, so a rung of few players is another world; use --method random"
    return (
        f"hyperband compares trials on a part of the {players:,} players first, and these or the budget are too few "
        "for that; use --method random, or more players"
    )


def _chosen(space: SweepSpace, trials: int, brackets: tuple[Bracket, ...]) -> tuple[str, str]:
    """The method by the table of docs/sweeping.md, and why."""
    if space.is_finite and space.size <= trials:
        return "grid", f"all {space.size:,} settings can be played"
    ranges = [one for one in space.keys if not one.values]
    if len(space.keys) == len(ranges) == 1 and trials >= _LEAST_STEPS:
        return "grid", "evenly spaced values of one number draw the whole curve"
    if trials < _FEW_TRIALS:
        return "random", f"{trials:,} trials are too few to learn from, and random ones cover several keys best"
    if brackets:
        return "hyperband", "there is room for many settings, so the poor ones should be dropped after few players"
    return "random", "players cannot be divided into rungs here, and random trials cover several keys best"


def _steps(space: SweepSpace, trials: int) -> int:
    """Values of each range in a grid; 0 without ranges. Raises ScenarioError where there is no room for three."""
    ranges = sum(1 for one in space.keys if not one.values)
    if not ranges:
        return 0
    others = 1
    for one in space.keys:
        others *= len(one.values) or 1
    steps = min(int((trials / others) ** (1.0 / ranges) + 1e-9), _MOST_STEPS)
    if steps < _LEAST_STEPS:
        raise ScenarioError(
            f"{trials:,} trials leave fewer than {_LEAST_STEPS} values for each range of the grid; use --method random"
        )
    return steps
