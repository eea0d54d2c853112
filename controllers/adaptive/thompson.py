"""Thompson: a bandit whose arms are difficulties, each with a belief about its own win rate only.

Before every attempt a win rate is drawn for each arm from its Beta posterior. The arm with the draw nearest to the
target is played. A named baseline: an adaptive rule that does not know that harder means fewer wins.

Draws are addressed by unit, outcomes so far and attempt (controllers.common.draws).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from controllers.common.draws import draw_key, stream_of
from controllers.common.particles import Numbers
from engine.arithmetic import log
from engine.controller import Brief, ControllerKind, Observation, Option, Rule, Situation
from engine.randomness import Key, standard_normal, unit, words

ARMS: Final = 9
FIRST_ARM: Final = 0.05  # of the way from floor to ceiling; the last arm lies as far from the ceiling
TRIES: Final = 64  # of a rejection method that accepts 95 % and more
ATTEMPT_BLOCKS: Final = 4096  # from one attempt's draws to the next one's; 2 ARMS TRIES are used
ATTEMPTS: Final = 1 << 20  # whose draws have blocks of their own


class Options(NamedTuple):
    memory: float = 1.0


class Prepared(NamedTuple):
    """Options, the arms, and the address of the draws."""

    memory: float
    seed_low: float
    seed_high: float
    stream: float
    arms: Numbers  # difficulties, shape (ARMS,)


class State(NamedTuple):
    a: Numbers  # wins of each arm + 1
    b: Numbers  # losses + 1
    told: float  # observations so far
    unit: float  # player or cohort
    best: float  # difficulty of the arm whose mean lies nearest to the target


def prepare(options: Options, brief: Brief) -> Prepared:
    ways = FIRST_ARM + (1.0 - 2.0 * FIRST_ARM) * np.arange(ARMS) / (ARMS - 1)
    arms = brief.floor + (brief.ceiling - brief.floor) * ways
    return Prepared(options.memory, *stream_of(brief), arms)


def start(plan: Prepared, target: float) -> State:
    return State(np.ones(ARMS), np.ones(ARMS), 0.0, 0.0, float(plan.arms[ARMS // 2]))


def gamma(key: Key, block: int, shape: float) -> float:
    """A standard gamma number for shape >= 1 (Marsaglia and Tsang 2000), from the blocks after `block`."""
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    for j in range(TRIES):
        first, second, _, _ = words(key, block + j)
        x = standard_normal(first)
        v = (1.0 + c * x) * (1.0 + c * x) * (1.0 + c * x)
        if v > 0.0 and log(1.0 - unit(second)) < 0.5 * x * x + d * (1.0 - v + log(v)):
            return d * v
    return d


def ask(plan: Prepared, state: State, situation: Situation) -> float:
    key = draw_key(plan, state.unit, state.told)
    first = situation.attempt % ATTEMPTS * ATTEMPT_BLOCKS
    best = 0
    least = 2.0
    for arm in range(ARMS):
        wins = gamma(key, first + 2 * arm * TRIES, state.a[arm])
        losses = gamma(key, first + (2 * arm + 1) * TRIES, state.b[arm])
        off = abs(wins / (wins + losses) - situation.target)
        if off < least:
            best = arm
            least = off
    return float(plan.arms[best])


def tell(plan: Prepared, state: State, seen: Observation) -> State:
    if not seen.weight > 0.0:
        return state
    arm = 0  # the one that was played, or the nearest to what was played
    for i in range(ARMS):
        if abs(plan.arms[i] - seen.difficulty) < abs(plan.arms[arm] - seen.difficulty):
            arm = i
    a = 1.0 + plan.memory * (state.a - 1.0)
    b = 1.0 + plan.memory * (state.b - 1.0)
    a[arm] += seen.weight * seen.won
    b[arm] += seen.weight * (1.0 - seen.won)
    best = 0
    for i in range(ARMS):
        if abs(a[i] / (a[i] + b[i]) - seen.target) < abs(a[best] / (a[best] + b[best]) - seen.target):
            best = i
    return State(a, b, state.told + 1.0, state.unit, float(plan.arms[best]))


CONTROLLER: Final = ControllerKind(
    name="thompson",
    mode="adaptive",
    summary="A bandit that treats difficulties as unrelated arms: as bad as a fixed difficulty, with huge jitter.",
    formula="theta_i ~ Beta(a_i, b_i), play the arm with theta_i nearest to the target; a, b <- 1 + memory (a - 1), "
    "1 + memory (b - 1), then wins and losses to the arm that was played; 9 arms",
    source="Thompson 1933, Biometrika 25; Beta-Bernoulli arms with discount: Raj and Kalyani 2017 (from memory)",
    use="For comparison only. It spends a session learning what the order of difficulties already says. Meanwhile the "
    "difficulty jumps from one end to the other.",
    options=Options,
    option_list=(Option("memory", 0.0, 1.0, "share of all counts that each outcome keeps; 1 forgets nothing"),),
    rule=Rule(start, ask, tell, beliefs=("best",), prepare=prepare, unit="unit"),
    scopes=("player", "cohort", "everyone"),
    belief_units={"best": "1"},
)
