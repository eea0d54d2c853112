"""Grid with modes: the grid posterior four times, each with another model of how skill moves.

A posterior that forgets nothing is best for a steady player and worst for a changing one. How much to forget depends on
the player. So the grid of `quest` stands under four modes of equal prior, and the outcomes decide:

    still    skill stays                    fast     it wanders faster
    slow     it wanders slowly              sudden   at any attempt it may be a new draw from the prior

Modes do not switch into each other, as they would in interacting multiple models (Blom and Bar-Shalom 1988): they are
averaged by evidence. With `tilt` the grid has one more axis: how much a win helps the next attempt and a loss harms it.
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
    SKILL_STEP,
    SKILLS,
    best_difficulty,
    cell_chances,
    chance_table,
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

SLOPES: Final = (0.625, 1.0, 1.625)  # as multiples of the option: 5, 8, 13 by default
SLOPE_SD: Final = 0.4  # of the slopes' logarithm
MODES: Final = 4


class Options(NamedTuple):
    skill0: float = 0.5
    sd0: float = 0.15
    slope: float = 8.0
    slow: float = 0.005
    fast: float = 0.015
    hazard: float = 0.01
    tilt: float = 0.0
    guess: float = 0.02
    lapse: float = 0.02


class Prepared(NamedTuple):
    """The grid: arrays over its cells, tables over cells and points of the dial.

    With tilt the tables hold the cells after a win, then the cells after a loss.
    """

    guess: float
    lapse: float
    slopes: Numbers
    after_win: Numbers  # reach of each cell
    after_loss: Numbers
    prior: Numbers  # of the cells of one mode
    skill_prior: Numbers  # shape (SKILLS,)
    skill: Numbers  # of each cell
    spread: Numbers  # share of the weight that goes to either neighbour in skill, per outcome: one for each mode
    hazard: Numbers  # chance of a new skill, per outcome: one for each mode
    chance: Numbers
    second: Numbers  # p^2
    floor: float  # the fields of Bounds
    ceiling: float
    least_target: float
    most_target: float


class State(NamedTuple):
    weight: Numbers  # posterior of each cell, mode by mode
    skill: float  # mean
    sd: float  # of skill
    moving: float  # weight of all modes but `still`


def prepare(options: Options, brief: Brief) -> Prepared:
    return _grid(options, bounds_for(brief))


@lru_cache(maxsize=8)
def _grid(options: Options, bounds: Bounds) -> Prepared:
    slopes = np.array([options.slope * times for times in SLOPES])
    tilts = (0.0, options.tilt, 2.0 * options.tilt) if options.tilt > 0.0 else (0.0,)
    after_win = reach_of(slopes.tolist(), tilts)
    after_loss = reach_of(slopes.tolist(), tuple(-tilt for tilt in tilts))
    skill0 = skill_inside(options.skill0, options.slope, options.guess, options.lapse, 0.0, 0.0, bounds)
    of_skill = skill_prior(skill0, options.sd0)
    of_slope = slope_prior(slopes.tolist(), options.slope, SLOPE_SD)
    lasts = (after_win, after_loss) if options.tilt > 0.0 else (after_win,)
    chance = np.concatenate([chance_table(reach, slopes, options.guess, options.lapse) for reach in lasts])
    return Prepared(
        options.guess,
        options.lapse,
        slopes,
        after_win,
        after_loss,
        normalise(np.outer(np.repeat(of_slope, len(tilts)), of_skill).ravel()),
        of_skill,
        np.tile(skills(), len(slopes) * len(tilts)),
        np.array([0.5 * (q / SKILL_STEP) ** 2 for q in (0.0, options.slow, options.fast, 0.0)]),
        np.array([0.0, 0.0, 0.0, options.hazard]),
        chance,
        chance * chance,
        *bounds,
    )


def sum_modes(weight: Numbers) -> Numbers:
    """Weights of the cells, all modes together."""
    each = len(weight) // MODES
    cells = weight[:each] + 0.0
    for mode in range(1, MODES):
        cells = cells + weight[mode * each : (mode + 1) * each]
    return cells


def posterior(grid: Prepared, weight: Numbers) -> State:
    """A posterior with its mean and standard deviation of skill."""
    cells = sum_modes(weight)
    skill = total(cells * grid.skill)
    off = grid.skill - skill
    still = total(weight[: len(cells)])
    return State(weight, skill, math.sqrt(total(cells * off * off)), max(1.0 - still, 0.0))


def start(grid: Prepared, target: float) -> State:
    weight = np.empty(MODES * len(grid.prior))
    for mode in range(MODES):
        weight[mode * len(grid.prior) : (mode + 1) * len(grid.prior)] = grid.prior / MODES
    return posterior(grid, weight)


def ask(grid: Prepared, state: State, situation: Situation) -> float:
    cells = sum_modes(state.weight)
    if has_tilt(grid):
        share = situation.target if situation.last < 0.0 else situation.last
        cells = np.concatenate((share * cells, (1.0 - share) * cells))
    return best_difficulty(cells, grid.chance, grid.second, situation.target, False)


def has_tilt(grid: Prepared) -> bool:
    """Whether the grid has the axis of tilt."""
    return len(grid.prior) > len(grid.slopes) * SKILLS


def tell(grid: Prepared, state: State, seen: Observation) -> State:
    if not seen.weight > 0.0:
        return state
    p = cell_chances(grid.after_win, grid.slopes, grid.guess, grid.lapse, seen.difficulty)
    if has_tilt(grid):
        share = seen.target if seen.last < 0.0 else seen.last
        lost = cell_chances(grid.after_loss, grid.slopes, grid.guess, grid.lapse, seen.difficulty)
        p = share * p + (1.0 - share) * lost
    factor = likelihood(p, seen.won, seen.weight)
    if at_bound(seen, grid) and pushes_out(total(sum_modes(state.weight) * p), seen, grid):
        factor = np.ones(len(p))
    weight = np.empty(len(state.weight))
    for mode in range(MODES):
        first, last = mode * len(p), (mode + 1) * len(p)
        weight[first:last] = move_skills(grid, mode, state.weight[first:last] * factor)
    return posterior(grid, normalise(weight))


def move_skills(grid: Prepared, mode: int, weight: Numbers) -> Numbers:
    """The weights of one mode an outcome later: wandered, then renewed; nothing leaves the grid at its ends."""
    k, h = grid.spread[mode], grid.hazard[mode]
    if k > 0.0:
        wandered = weight * (1.0 - 2.0 * k)
        for first in range(0, len(weight), SKILLS):
            last = first + SKILLS - 1
            wandered[first + 1 : last + 1] += k * weight[first:last]
            wandered[first:last] += k * weight[first + 1 : last + 1]
            wandered[first] += k * weight[first]
            wandered[last] += k * weight[last]
        weight = wandered
    if h > 0.0:
        renewed = weight * (1.0 - h)
        for first in range(0, len(weight), SKILLS):
            renewed[first : first + SKILLS] += h * total(weight[first : first + SKILLS]) * grid.skill_prior
        weight = renewed
    return weight


def reach(options: Options, game: AnyGame) -> tuple[float, float]:
    return reach_of_margins(options.guess, options.lapse)


CONTROLLER: Final = ControllerKind(
    name="grid_imm",
    mode="adaptive",
    summary="A grid posterior that learns how fast a player changes: good after jumps and for shared difficulty, but "
    "costly.",
    formula="as quest, over skills, slopes and four modes (drift q, hazard h); after each outcome skill spreads by "
    "N(0, q^2), then W <- (1 - h) W + h mass prior; modes are weighted by evidence",
    source="Multiple models: Magill 1965, Blom and Bar-Shalom 1988 without their switching; grid: Watson 2017",
    use="For players that may learn or jump, with a shared difficulty or one each. Set tilt = 0.3 where a loss harms "
    "the next attempt. It has no state for tiredness within a session. kalman is nearly as good and takes a hundredth "
    "of the time.",
    options=Options,
    option_list=(
        Option("skill0", 0.0, 1.0, "first belief about a player's skill, as a difficulty"),
        Option("sd0", 0.01, 1.0, "spread of players' skills: standard deviation, in units of difficulty"),
        Option("slope", 1.0, 50.0, "middle of the three slopes of win probability, in logits per unit of difficulty"),
        Option("slow", 0.0, 0.02, "drift of the slow mode: standard deviation per outcome, in units of difficulty"),
        Option("fast", 0.0, 0.02, "drift of the fast mode"),
        Option("hazard", 0.0, 0.5, "chance of a new skill in the sudden mode, per outcome"),
        Option(
            "tilt", 0.0, 2.0, "step of the axis 0, tilt, 2 tilt: logits that a win adds and a loss subtracts; 0 for off"
        ),
        Option("guess", 0.0, 0.4, "assumed chance of winning without any skill"),
        Option("lapse", 0.0, 0.4, "assumed chance of losing at any skill"),
    ),
    rule=Rule(start, ask, tell, beliefs=("skill", "sd", "moving"), prepare=prepare),
    scopes=("player", "cohort", "everyone"),
    belief_units={"skill": "dial", "sd": "dial", "moving": "1"},
    reach=reach,
)
