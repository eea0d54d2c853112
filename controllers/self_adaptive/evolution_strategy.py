"""Evolution strategy: individuals carry their own step size, and those near the target pass it on.

An individual is a difficulty with a step size. Each generation `children` individuals are born from the mean of the
parents: first the step size changes by a log-normal factor, then the difficulty by that step (Schwefel's order: a step
size is judged by what it did). Every child is played `trials` times and scored by the squared distance of its win share
from the target; the best become the parents of the next generation, whatever their own parents' scores (comma
selection: a lucky score dies with its owner).

Draws are addressed by seed, replica, generation and the outcomes so far, so a player's luck does not depend on other
players. Until their outcomes differ, players try the same difficulties.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from controllers.common.draws import history_after
from engine.arithmetic import exp, log
from engine.controller import Brief, ControllerKind, Observation, Option, Rule, Situation
from engine.randomness import CONTROLLER as CONTROLLER_DRAWS
from engine.randomness import WORD, Key, key_of, standard_normal, words

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
    history: float  # 32 bits made of the outcomes so far
    places: Numbers  # difficulties of the children
    sigmas: Numbers  # step sizes of the children
    played: Numbers  # attempts of each child
    excess: Numbers  # sum of won - target of each child


def prepare(options: Options, brief: Brief) -> Prepared:
    key = key_of(brief.seed, brief.replica, CONTROLLER_DRAWS, 0, 0)
    children = float(math.floor(options.children))
    return Prepared(
        children,
        min(float(math.floor(options.parents)), children),
        float(math.floor(options.trials)),
        options.sigma,
        options.tau,
        options.floor,
        options.start,
        brief.floor,
        brief.ceiling,
        float(key.seed_low),
        float(key.seed_high),
        float(key.stream),
    )


def born(plan: Prepared, difficulty: float, sigma: float, generation: float, history: float) -> State:
    """A generation of children around the mean of the parents (Schwefel 1981; Beyer and Schwefel 2002)."""
    count = int(plan.children)
    places = np.zeros(count)
    sigmas = np.zeros(count)
    key = Key(int(plan.seed_low), int(plan.seed_high), int(generation) & WORD, int(history), int(plan.stream))
    for i in range(count):
        a, b, _, _ = words(key, i)
        sigmas[i] = min(max(sigma * exp(plan.tau * standard_normal(a)), plan.floor), LARGEST_SIGMA)
        places[i] = min(max(difficulty + sigmas[i] * standard_normal(b), plan.lowest), plan.highest)
    return State(difficulty, sigma, generation, history, places, sigmas, np.zeros(count), np.zeros(count))


def start(plan: Prepared, target: float) -> State:
    return born(plan, plan.start, plan.sigma, 0.0, 0.0)


def ask(plan: Prepared, state: State, situation: Situation) -> float:
    """The children that need attempts, in turn by attempt, so that a late outcome delays no other."""
    wanting = 0
    for i in range(len(state.places)):
        if state.played[i] < plan.trials:
            wanting += 1
    turn = situation.attempt % max(wanting, 1)
    for i in range(len(state.places)):
        if state.played[i] < plan.trials:
            if turn == 0:
                return float(state.places[i])
            turn -= 1
    return state.difficulty


def tell(plan: Prepared, state: State, seen: Observation) -> State:
    history = history_after(state.history, seen)
    played = state.played.copy()
    excess = state.excess.copy()
    for i in range(len(played)):  # an outcome of an earlier generation has no child, unless its difficulty came back
        if abs(state.places[i] - seen.difficulty) <= SAME:
            played[i] += seen.weight
            excess[i] += seen.weight * (seen.won - seen.target)
    for i in range(len(played)):
        if played[i] < plan.trials:
            return State(
                state.difficulty, state.sigma, state.generation, history, state.places.copy(), state.sigmas.copy(),
                played, excess,
            )  # fmt: skip
    return selected(plan, state, played, excess, history, seen.target)


def selected(plan: Prepared, state: State, played: Numbers, excess: Numbers, history: float, target: float) -> State:
    """The next generation: children of the parents with the best scores, by intermediate recombination."""
    taken = np.zeros(len(played))
    total = 0.0
    logs = 0.0
    for _ in range(int(plan.parents)):
        best = -1
        for i in range(len(played)):
            if taken[i] == 0.0 and (best < 0 or better(state, played, excess, i, best, target)):
                best = i
        taken[best] = 1.0
        total += state.places[best]
        logs += log(state.sigmas[best])
    return born(plan, total / plan.parents, exp(logs / plan.parents), state.generation + 1.0, history)


def better(state: State, played: Numbers, excess: Numbers, i: int, j: int, target: float) -> bool:
    """Whether child i is nearer to the target than j; of two that missed it alike, the one further the right way.

    Half a win and half a loss are added to each child's trials (Krichevsky and Trofimov 1981): a few wins in a row do
    not say that there are no losses to come.
    """
    a = (excess[i] + 0.5 - target) / (played[i] + 1.0)
    b = (excess[j] + 0.5 - target) / (played[j] + 1.0)
    if abs(a) != abs(b):
        return bool(abs(a) < abs(b))
    return bool((state.places[i] - state.places[j]) * a > 0.0)


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
    rule=Rule(start, ask, tell, beliefs=("difficulty", "sigma", "generation"), prepare=prepare),
    scopes=("player", "cohort", "everyone"),
    belief_units={"sigma": "dial", "generation": "1"},
)
