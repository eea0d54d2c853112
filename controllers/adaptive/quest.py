"""Quest: the posterior of skill and slope on a grid, and the difficulty with the win rate surest to be the target.

Psychometric adaptive testing, as in QUEST and QUEST+: 61 skills by 5 slopes, each outcome multiplies in its likelihood,
nothing is forgotten. QUEST+ plays the most informative difficulty; here that is an option. By default the expected
squared distance of the win probability from the target is least. The most informative difficulty is away from the
target, so that placement tests players rather than serves them.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from controllers.common.dial_bounds import at_bound, bounds_for, pushes_out, skill_inside
from controllers.common.dial_margin import reach_of_margins
from controllers.common.particles import Numbers
from controllers.common.skill_grid import (
    best_difficulty,
    cell_chances,
    chance_table,
    entropy,
    likelihood,
    normalise,
    reach_of,
    skill_prior,
    skills,
    slope_prior,
    total,
)
from engine.controller import Bounds, Brief, ControllerKind, Observation, Option, Rule, Situation
from engine.external.external_game import AnyGame

SLOPES: Final = (0.5, 0.75, 1.0, 1.375, 2.0)  # as multiples of the option: 4, 6, 8, 11, 16 by default


class Options(NamedTuple):
    skill0: float = 0.5
    sd0: float = 0.15
    slope: float = 8.0
    slope_sd: float = 0.4
    guess: float = 0.02
    lapse: float = 0.02
    placement: float = 0.0


class Prepared(NamedTuple):
    """The grid: arrays over its cells, tables over cells and points of the dial."""

    guess: float
    lapse: float
    informing: float  # 1: place for information
    slopes: Numbers
    reach: Numbers
    prior: Numbers
    skill: Numbers  # of each cell
    chance: Numbers
    second: Numbers  # p^2, or the entropy of p where informing
    floor: float  # the fields of Bounds
    ceiling: float
    least_target: float
    most_target: float


class State(NamedTuple):
    weight: Numbers  # posterior of each cell
    skill: float  # its mean
    sd: float  # of skill


def prepare(options: Options, brief: Brief) -> Prepared:
    return _grid(options, bounds_for(brief))


@lru_cache(maxsize=8)
def _grid(options: Options, bounds: Bounds) -> Prepared:
    skill0 = skill_inside(options.skill0, options.slope, options.guess, options.lapse, 0.0, 0.0, bounds)
    slopes = [options.slope * times for times in SLOPES]
    reach = reach_of(slopes, (0.0,))
    prior = np.outer(slope_prior(slopes, options.slope, options.slope_sd), skill_prior(skill0, options.sd0))
    chance = chance_table(reach, np.array(slopes), options.guess, options.lapse)
    informing = options.placement >= 0.5
    return Prepared(
        options.guess,
        options.lapse,
        1.0 if informing else 0.0,
        np.array(slopes),
        reach,
        normalise(prior.ravel()),
        np.tile(skills(), len(slopes)),
        chance,
        np.array([entropy(p) for p in chance.tolist()]) if informing else chance * chance,
        *bounds,
    )


def posterior(grid: Prepared, weight: Numbers) -> State:
    """A posterior with its mean and standard deviation of skill."""
    skill = total(weight * grid.skill)
    off = grid.skill - skill
    return State(weight, skill, math.sqrt(total(weight * off * off)))


def start(grid: Prepared, target: float) -> State:
    return posterior(grid, grid.prior.copy())


def ask(grid: Prepared, state: State, situation: Situation) -> float:
    return best_difficulty(state.weight, grid.chance, grid.second, situation.target, grid.informing == 1.0)


def tell(grid: Prepared, state: State, seen: Observation) -> State:
    if not seen.weight > 0.0:
        return state
    p = cell_chances(grid.reach, grid.slopes, grid.guess, grid.lapse, seen.difficulty)
    if at_bound(seen, grid) and pushes_out(total(state.weight * p), seen, grid):
        return state
    return posterior(grid, normalise(state.weight * likelihood(p, seen.won, seen.weight)))


def reach(options: Options, game: AnyGame) -> tuple[float, float]:
    return reach_of_margins(options.guess, options.lapse)


CONTROLLER: Final = ControllerKind(
    name="quest",
    mode="adaptive",
    summary="Bayes' rule on a grid of skills and slopes: at the limit for steady players, poor for players that "
    "change.",
    formula="W <- W p(d)^wins (1 - p(d))^losses, p = guess + (1 - guess - lapse) logistic(a (skill - d)); d = argmin "
    "of E (p - target)^2, or of E H(p) - H(E p)",
    source="QUEST: Watson and Pelli 1983; QUEST+, whose placement is an option: Watson 2017, J. Vision 17(3):10",
    use="For short tests and players that do not change, late outcomes and shared difficulty included. It never "
    "forgets, so it follows learning, tiredness and jumps more and more slowly. Use kalman or grid_imm there.",
    options=Options,
    option_list=(
        Option("skill0", 0.0, 1.0, "first belief about a player's skill, as a difficulty"),
        Option("sd0", 0.01, 1.0, "spread of players' skills: standard deviation, in units of difficulty"),
        Option("slope", 1.0, 50.0, "middle of the five slopes of win probability, in logits per unit of difficulty"),
        Option("slope_sd", 0.05, 2.0, "spread of slopes: standard deviation of their logarithm; low: one slope"),
        Option("guess", 0.0, 0.4, "assumed chance of winning without any skill"),
        Option("lapse", 0.0, 0.4, "assumed chance of losing at any skill"),
        Option("placement", 0.0, 1.0, "0: nearest to the target; 1: most information about the player, as QUEST+"),
    ),
    rule=Rule(start, ask, tell, beliefs=("skill", "sd"), prepare=prepare),
    scopes=("player", "cohort", "everyone"),
    belief_units={"skill": "dial", "sd": "dial"},
    reach=reach,
)
