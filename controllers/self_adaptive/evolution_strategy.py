"""Evolution strategy: individuals carry their own step size, and those near the target pass it on.

An individual is a difficulty with a step size. Each generation `children` individuals are born from the mean of the
parents: first the step size changes by a log-normal factor, then the difficulty by that step (Schwefel's order: a step
size is judged by what it did). Every child is played `trials` times and scored by the squared distance of its win share
from the target; the best become the parents of the next generation, whatever their own parents' scores (comma
selection: a lucky score dies with its owner).

Draws are addressed by unit and generation (controllers.common.draws), so that no two players try the same children.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from controllers.common.draws import draw_key, stream_of
from engine.arithmetic import exp, log
from engine.controller import Brief, ControllerKind, Observation, Option, Rule, Situation
from engine.randomness import standard_normal, words

Numbers = npt.NDArray[np.float64]

SAME: Final = 1e-9  # difficulties this close are one
LARGEST_SIGMA: Final = 0.3


class Options(NamedTuple):
    children: float = 6.0
    parents: float = 3.0
    trials: float = 2.0
    sigma: float = 0.05
    tau: float = 0.3
    floor: float = 0.01
    start: float = 0.5


class Prepared(NamedTuple):
    """Options as whole numbers, with the address of the draws and the ends of the dial."""

    children: float
    parents: float
    trials: float
    sigma: float
    tau: float
    floor: float
    start: float
    lowest: float
    highest: float
    seed_low: float
    seed_high: float
    stream: float


class State(NamedTuple):
    difficulty: float  # mean of the parents
    sigma: float  # their step size: geometric mean
    generation: float
    unit: float  # player or cohort
    played: Numbers  # attempts of each child
    excess: Numbers  # sum of won - target of each child


class Child(NamedTuple):
    difficulty: float
    sigma: float  # its step size


def prepare(options: Options, brief: Brief) -> Prepared:
    children = float(math.floor(options.children))
    return Prepared(
        children,
        min(float(math.floor(options.parents)), children),
        float(math.floor(options.trials)),
        options.sigma,
        options.tau,
        options.floor,
        min(max(options.start, brief.floor), brief.ceiling),
        brief.floor,
        brief.ceiling,
        *stream_of(brief),
    )


def born(plan: Prepared, state: State, i: int) -> Child:
    """Child number i of the generation, around the mean of the parents (Schwefel 1981; Beyer and Schwefel 2002)."""
    a, b, _, _ = words(draw_key(plan, state.unit, state.generation), i)
    sigma = min(max(state.sigma * exp(plan.tau * standard_normal(a)), plan.floor), LARGEST_SIGMA)
    return Child(min(max(state.difficulty + sigma * standard_normal(b), plan.lowest), plan.highest), sigma)


def start(plan: Prepared, target: float) -> State:
    return State(plan.start, plan.sigma, 0.0, 0.0, np.zeros(int(plan.children)), np.zeros(int(plan.children)))


def ask(plan: Prepared, state: State, situation: Situation) -> float:
    """The children that need attempts, in turn by attempt, so that a late outcome delays no other."""
    wanting = 0
    for i in range(len(state.played)):
        if state.played[i] < plan.trials:
            wanting += 1
    turn = situation.attempt % max(wanting, 1)
    for i in range(len(state.played)):
        if state.played[i] < plan.trials:
            if turn == 0:
                return born(plan, state, i).difficulty
            turn -= 1
    return state.difficulty


def tell(plan: Prepared, state: State, seen: Observation) -> State:
    children = len(state.played)
    played = state.played.copy()
    excess = state.excess.copy()
    places = np.empty(children)
    sigmas = np.empty(children)
    complete = True
    for i in range(children):  # an outcome of an earlier generation has no child, unless its difficulty came back
        child = born(plan, state, i)
        places[i] = child.difficulty
        sigmas[i] = child.sigma
        if abs(child.difficulty - seen.difficulty) <= SAME:
            played[i] += seen.weight
            excess[i] += seen.weight * (seen.won - seen.target)
        complete = complete and played[i] >= plan.trials
    if complete:
        return selected(plan, state, places, sigmas, played, excess, seen.target)
    return State(state.difficulty, state.sigma, state.generation, state.unit, played, excess)


def selected(
    plan: Prepared, state: State, places: Numbers, sigmas: Numbers, played: Numbers, excess: Numbers, target: float
) -> State:
    """The next generation: that of the parents with the best scores, by intermediate recombination."""
    taken = np.zeros(len(played))
    total = 0.0
    logs = 0.0
    for _ in range(int(plan.parents)):
        best = -1
        for i in range(len(played)):
            if taken[i] == 0.0 and (best < 0 or better(places, played, excess, i, best, target)):
                best = i
        taken[best] = 1.0
        total += places[best]
        logs += log(sigmas[best])
    nothing = np.zeros(len(played))
    generation = state.generation + 1.0
    return State(total / plan.parents, exp(logs / plan.parents), generation, state.unit, nothing, nothing.copy())


def better(places: Numbers, played: Numbers, excess: Numbers, i: int, j: int, target: float) -> bool:
    """Whether child i is nearer to the target than j; of two that missed it alike, the one further the right way.

    Half a win and half a loss are added to each child's trials (Krichevsky and Trofimov 1981): a few wins in a row do
    not say that there are no losses to come.
    """
    a = (excess[i] + 0.5 - target) / (played[i] + 1.0)
    b = (excess[j] + 0.5 - target) / (played[j] + 1.0)
    if abs(a) != abs(b):
        return bool(abs(a) < abs(b))
    return bool((places[i] - places[j]) * a > 0.0)


CONTROLLER: Final = ControllerKind(
    name="evolution_strategy",
    mode="self_adaptive",
    summary="A (mu, lambda) evolution strategy whose step size evolves with the difficulty: slow and jittery.",
    formula="sigma_i = sigma exp(tau N), d_i = clip(d + sigma_i N', floor, ceiling), score (mean won - target)^2 over "
    "`trials` attempts; d = mean, sigma = geometric mean of the best",
    source="Schwefel 1981, Numerical optimization of computer models; Beyer and Schwefel 2002, Evolution strategies",
    use="For a difficulty shared by many players, and as a self-adaptive comparison for cma_es. A single player feels "
    "every trial: each generation has children times trials attempts at scattered difficulties.",
    options=Options,
    option_list=(
        Option("children", 2.0, 32.0, "individuals of a generation (lambda), a whole number"),
        Option("parents", 1.0, 32.0, "how many of them become parents (mu), a whole number, at most all"),
        Option("trials", 1.0, 1000.0, "attempts for each child before it is judged, a whole number"),
        Option("sigma", 0.001, 0.3, "first step size of difficulty"),
        Option("tau", 0.0, 2.0, "change of a step size per generation: standard deviation of its logarithm"),
        Option("floor", 0.0001, 0.3, "smallest step size"),
        Option("start", 0.0, 1.0, "difficulty around which the first children are born"),
    ),
    rule=Rule(start, ask, tell, beliefs=("difficulty", "sigma", "generation"), prepare=prepare, unit="unit"),
    scopes=("player", "cohort", "everyone"),
    belief_units={"sigma": "dial", "generation": "1"},
)
