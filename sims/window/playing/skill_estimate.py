"""A person's skill on the scale of synthetic players, estimated from wins and losses.

Synthetic players of thirteen skills play each setting a few hundred times. That gives the chance to win as a function
of skill. Bayes' rule on a grid combines it with a wide prior around the scenario's population: a normal with its mean
and twice its spread. The result is the skill *during these attempts*: practice while playing is not separated from
skill. It is as uncalibrated as the synthetic players are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.batch import Crowd, batch_wins
from engine.game import Game
from engine.kernel import compiled
from engine.players import PLAYER, Distribution, distribution_table
from engine.session import births, frame_of
from engine.setup import Setup

FEWEST: Final = 10  # attempts before an estimate is shown
NODES: Final = np.linspace(-4.5, 4.5, 13)  # skills of the synthetic players
GRID: Final = np.linspace(-4.5, 4.5, 181)
TRIES: Final = 240  # attempts for each setting and skill
_CONFIDENCE: Final = 0.95
_FIRST: Final = 5_000_000  # beyond the players of any scenario, so that they have random streams of their own
_POPULATION: Final = 4000


class SkillEstimate(NamedTuple):
    """An estimate of a person's skill."""

    skill: float  # posterior mean, logit
    low: float  # ends of the central 95 % interval
    high: float
    percentile: float  # share of the population with less skill, [0, 1]
    percentile_low: float  # the same share at both ends of the interval
    percentile_high: float
    twin: float  # win rate that a synthetic player of this skill has on the same settings, [0, 1]
    attempts: int


def win_curve(game: Game, values: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    """Chance to win at a setting, shape (181,), for the skills of GRID. Plays a few hundred attempts per node."""
    shares = np.empty(len(NODES))
    for k, skill in enumerate(NODES):
        traits = distribution_table({"skill": Distribution("fixed", float(skill))})
        won = batch_wins(game, values[np.newaxis], Crowd(traits, TRIES, first=_FIRST), seed)[0]
        shares[k] = (won + 0.5) / (TRIES + 1.0)  # neither 0 nor 1: they would exclude what was merely not observed
    logits = np.log(shares / (1.0 - shares))
    # More skill never wins less: a decrease between two nodes is noise.
    logits = 0.5 * (np.maximum.accumulate(logits) + np.minimum.accumulate(logits[::-1])[::-1])
    chances: npt.NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.interp(GRID, NODES, logits)))
    return chances


def population_skills(setup: Setup) -> npt.NDArray[np.float64]:
    """Skills of players of the scenario, sorted, cohorts by their shares."""
    cohorts = len(setup.cohorts)
    shares = np.array(setup.counts, float)
    sizes = np.maximum(np.rint(_POPULATION * shares / shares.sum()), 1).astype(int)
    players = np.zeros(int(sizes.sum()), PLAYER)
    numbers = np.concatenate([setup.player_number(c, 0) + np.arange(n) for c, n in enumerate(sizes)])
    frame = frame_of(setup, 0)
    of = np.repeat(np.arange(cohorts), sizes)
    compiled(births)(players, numbers, of, setup.traits, frame.whole, frame.real)
    return np.sort(players["skill"])


def estimate_skill(
    curves: Sequence[npt.NDArray[np.float64]], won: Sequence[bool], skills: npt.NDArray[np.float64]
) -> SkillEstimate:
    """Combine wins and losses. curves: chance to win of each attempt (`win_curve`); skills: those of the population."""
    middle, spread = float(np.mean(skills)), max(2.0 * float(np.std(skills)), 1.0)
    log_weights = -0.5 * ((GRID - middle) / spread) ** 2
    for chance, win in zip(curves, won, strict=True):
        log_weights = log_weights + np.log(chance if win else 1.0 - chance)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    reached = np.cumsum(weights)
    tail = (1.0 - _CONFIDENCE) / 2.0
    ends = [min(int(np.searchsorted(reached, edge)), len(GRID) - 1) for edge in (tail, 1.0 - tail)]
    below = np.searchsorted(skills, GRID) / len(skills)
    return SkillEstimate(
        float(weights @ GRID),
        float(GRID[ends[0]]),
        float(GRID[ends[1]]),
        float(weights @ below),
        float(below[ends[0]]),
        float(below[ends[1]]),
        float(np.mean([weights @ chance for chance in curves])),
        len(curves),
    )
