"""How a sweep spends its attempts: the method, its trials, and what is kept for the final measurement."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from engine.errors import ScenarioError
from engine.scenario import Scenario
from engine.scheduling.scheduled_rule import why_unscheduled
from engine.setup import Setup
from sims.catalog import Catalog
from sims.sweeping.search.explorer import Explorer
from sims.sweeping.search.full_grid import FullGrid
from sims.sweeping.search.halving import Bracket, Halving, cost_of, plan_brackets
from sims.sweeping.search.population import (
    LEAST_MEMBERS,
    MOST_MEMBERS,
    Lives,
    Population,
    life_parts,
    lives_played,
    nearest_unit,
)
from sims.sweeping.search.random_trials import RandomTrials
from sims.sweeping.search.stages import STEPS, KeyByKey
from sims.sweeping.space import OPTION, SweepSpace, value_in
from sims.sweeping.sweep_request import MOST_ATTEMPTS, SweepRequest
from sims.sweeping.trial_records import PlayerBlock

_FRESH_SHARE: Final = 0.2  # of the budget, for the winner and the baseline on fresh players
_MOST_FRESH: Final = 10  # blocks
_FRONT: Final = 4  # trials that are measured again where there are several objectives
_MOST_STEPS: Final = 21  # values of a range in a grid
_LEAST_STEPS: Final = 3
_LONG_LIFE: Final = 1000  # attempts of a player from which options may as well change on the way
_FEW_TRIALS: Final = 100  # below, there is little to learn from, and random trials cover a space well


class SweepPlan(NamedTuple):
    """What will be played.

    Attributes:
        method: grid, random, tpe, gp, hyperband, staged or pbt.
        why: the reason for the method, in a sentence.
        trials: most trials besides the baseline.
        steps: values of each range in a grid; 0 elsewhere.
        brackets: of hyperband.
        lives: of pbt: how the attempts of a player are cut; None elsewhere.
        own: of pbt: the scenario's options as places from 0 to 1.
        fresh: blocks of fresh players for the final measurement.
        players: of a whole trial, in each repeat.
        attempts: most attempts of everything.
        finalists: most trials that are measured again, besides the baseline.
    """

    method: str
    why: str
    trials: int
    steps: int
    brackets: tuple[Bracket, ...]
    fresh: int
    players: int
    attempts: int
    finalists: int = 1
    lives: Lives | None = None
    own: tuple[float, ...] = ()

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
            case "pbt":
                assert self.lives is not None  # planned
                return Population(space, self.own, self.players, self.trials, self.lives, seed)
        from sims.sweeping.search.optuna_trials import OptunaTrials

        return OptunaTrials(self.method, space, block, self.trials, seed)


class _Allowance(NamedTuple):
    """What may be spent: attempts of the search, trials and blocks of the final measurement, and what these take."""

    search: int
    finalists: int
    fresh: int
    kept: int


def plan_sweep(request: SweepRequest, space: SweepSpace, scenario: Scenario, setup: Setup) -> SweepPlan:
    """The plan of a sweep. Raises ScenarioError where it would cost more than it may."""
    work, players = scenario.work, scenario.form.players.count
    budget = request.budget
    if budget is None and request.seconds is None and not space.is_finite:
        raise ScenarioError(
            f"a range has no end of values, so a sweep over one needs a budget; give --budget {40 * work:,} for about "
            "30 trials, or a number of steps such as low:high:9"
        )
    allowed = _allowance(request, work)
    trials, limit = allowed.search // work - 1, allowed.search + allowed.kept
    if trials < 2:
        raise ScenarioError(
            f"a trial takes {work:,} attempts, so {limit:,} are too few for two trials, the baseline and the final "
            f"measurement; give a budget of {(4 + allowed.finalists) * work:,} or more, or fewer players"
        )
    if request.method == "pbt":
        return _plan_population(space, scenario, allowed)
    brackets = () if budget is None else _brackets(setup, players, allowed.search, work)
    method, why = (request.method, "you asked for it") if request.method != "auto" else _chosen(space, trials, brackets)
    if request.method == "auto" and budget is not None and method != "grid":
        long = _long_lives(space, scenario, allowed)
        if long is not None:
            return long
    if method == "hyperband":
        if not brackets:
            raise ScenarioError(_no_rungs(setup, players, budget))
        cost, most = cost_of(brackets, work // players), sum(bracket[0].trials for bracket in brackets)
        return _planned(method, why, most, allowed, players, cost, brackets=brackets)
    steps = _steps(space, trials) if method == "grid" else 0
    trials = _most_trials(method, space, trials, steps, allowed, work, budget)
    timed = budget is None and request.seconds is not None and method != "grid"
    return _planned(
        method, why, trials, allowed, players, allowed.search if timed else (trials + 1) * work, steps=steps
    )


def _planned(
    method: str,
    why: str,
    trials: int,
    allowed: _Allowance,
    players: int,
    cost: int,
    *,
    steps: int = 0,
    brackets: tuple[Bracket, ...] = (),
    lives: Lives | None = None,
    own: tuple[float, ...] = (),
) -> SweepPlan:
    return SweepPlan(
        method, why, trials, steps, brackets, allowed.fresh, players, cost + allowed.kept, allowed.finalists, lives, own
    )


def _allowance(request: SweepRequest, work: int) -> _Allowance:
    limit = MOST_ATTEMPTS if request.budget is None else request.budget
    finalists = 1 if "," not in request.objective else _FRONT
    each = (1 + finalists) * work
    fresh = 1 if request.budget is None else min(max(int(_FRESH_SHARE * limit / each), 1), _MOST_FRESH)
    return _Allowance(limit - fresh * each, finalists, fresh, fresh * each)


def _most_trials(
    method: str, space: SweepSpace, trials: int, steps: int, allowed: _Allowance, work: int, budget: int | None
) -> int:
    """How many trials a method plays of those that are paid for. Raises ScenarioError where it needs more."""
    limit = allowed.search + allowed.kept
    if method == "grid":
        size = sum(1 for _ in space.grid(steps)) if steps else space.size
        if size > trials:
            given = "" if budget is None else "--budget "
            raise ScenarioError(
                f"the grid has {space.size_text} settings, but {given}{limit:,} attempts allow {trials:,} of "
                f"{work:,} attempts; use --method random, fewer values, fewer players, or a budget of "
                f"{(size + 1) * work + allowed.kept:,}"
            )
        return size
    if method == "staged":
        first = sum(len(one.spaced(STEPS)) for one in space.keys)
        if trials < first:
            raise ScenarioError(
                f"staged tries {first:,} values, one key at a time, but {limit:,} attempts allow {trials:,} trials of "
                f"{work:,}; use fewer values, fewer players, or a budget of {(first + 1) * work + allowed.kept:,}"
            )
        return trials
    return min(trials, space.size) if space.is_finite else trials


def _plan_population(space: SweepSpace, scenario: Scenario, allowed: _Allowance) -> SweepPlan:
    """The plan of population-based training. Raises ScenarioError where options cannot change or cost too much."""
    if reason := why_unscheduled(Catalog().controller(scenario.controller)):
        raise ScenarioError(
            f"pbt changes options while players play, but {reason}; use --method random, or a rule such as kalman"
        )
    if scenario.levels:
        raise ScenarioError("pbt cuts an endless stream of attempts into parts, and a campaign has levels; use random")
    fixed = [one.key for one in space.keys if not (one.key.startswith(OPTION) and one.is_number)]
    if fixed:
        raise ScenarioError(
            f"pbt changes options of the controller that are numbers, got {fixed[0]}; sweep it with another method"
        )
    work, unjudged = scenario.work, scenario.after_attempts
    lives = Lives(life_parts(scenario.form.horizon.attempts_per_player, unjudged), unjudged)
    if len(lives.parts) < 2:
        raise ScenarioError("pbt cuts the judged attempts of a player into parts, and there is only one; use random")
    most = (
        n for n in range(MOST_MEMBERS, LEAST_MEMBERS - 1, -1) if lives_played(lives.parts, n) * work <= allowed.search
    )
    members = next(most, 0)
    if not members:
        needed = math.ceil(lives_played(lives.parts, LEAST_MEMBERS) * work / (1.0 - _FRESH_SHARE)) + allowed.kept
        raise ScenarioError(
            f"pbt needs {LEAST_MEMBERS} members, and {allowed.search:,} attempts besides the final measurement pay for "
            f"fewer; give a budget of {needed:,}, fewer players, or --method random"
        )
    own = tuple(nearest_unit(one, value_in(scenario, one.key)) for one in space.keys)
    cost = math.ceil(lives_played(lives.parts, members) * work)
    return _planned(
        "pbt", "you asked for it", members, allowed, scenario.form.players.count, cost, lives=lives, own=own
    )


def _long_lives(space: SweepSpace, scenario: Scenario, allowed: _Allowance) -> SweepPlan | None:
    """The plan that auto prefers where players play for long and all keys may change meanwhile; None elsewhere."""
    attempts = scenario.form.horizon.attempts_per_player
    if attempts < _LONG_LIFE:
        return None
    try:
        plan = _plan_population(space, scenario, allowed)
    except ScenarioError:
        return None
    return plan._replace(why=f"players make {attempts:,} attempts, so options may be changed on the way")


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
