"""Graded outcomes: what the score of an attempt says beyond win or loss, learnt from the game itself.

How well an attempt was played is evidence too, but each game has its own scale. So many attempts are simulated over
skills and difficulties d. The scores of wins and those of losses are cut into bins. The chance of each bin is fitted as
a function of z, the logit of the chance of winning (multinomial logistic regression):

    P(bin b | won or lost, z, d) = exp(intercept_b + slope_b z) / sum over all bins

at each difficulty; in between, intercepts and slopes are interpolated linearly. A controller multiplies its likelihood
by that. Where the bins do not depend on z, they say nothing. In a game without a score, progress takes its place, and
wins say nothing.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.arithmetic import exp, logit
from engine.batch import Crowd, batch_rows
from engine.controller import Brief
from engine.game import WON
from engine.parameters import along
from engine.players import MIX, TRAIT_NAMES

BINS: Final = 6
SKILLS: Final = (-2.0, -1.33, -0.67, 0.0, 0.67, 1.33, 2.0)  # standard deviations from the population's mean
LEAST_SD: Final = 0.7  # logits: bins describe the game, so players of equal skill must not hide the effect of skill
PLACES: Final = 17
PLAYERS: Final = 800  # of each skill at each place, one attempt each, shared by the cohorts
FEWEST: Final = 50  # of each cohort
SEED: Final = 7_301
WIDEST: Final = 4.0  # bins are fitted where z is so near to 0, and z is held within when they are used
PENALTY: Final = 10.0  # of the squared coefficients: from few attempts little is learnt
LEAST_SPREAD: Final = 0.2  # standard deviation of z at a place below which nothing can be learnt there
NEWTON_STEPS: Final = 20
LONGEST_STEP: Final = 2.0  # of any coefficient
ENOUGH: Final = 1e-9  # a step so short is the last one
DIGITS: Final = 4

Numbers = npt.NDArray[np.float64]


ATTEMPT: Final = np.dtype([("won", np.bool_), ("score", np.float64), ("place", np.int64), ("z", np.float64)])


class Graded(NamedTuple):
    """The bins and their chances: those of losses, then those of wins."""

    edges: Numbers  # shape (2 (BINS - 1),), ascending in each half: bin b holds scores from edge b - 1 up to edge b
    numbers: Numbers  # shape (2 PLACES BINS 2,): intercept and slope of each bin at each place


NOTHING: Final = Graded(np.zeros(2 * (BINS - 1)), np.zeros(4 * PLACES * BINS))
_KNOWN: dict[Any, Graded] = {}


def graded_of(brief: Brief) -> Graded:
    """The bins of the brief's game on its dial, for the players of all cohorts together."""
    key = (brief.game, brief.path.tobytes(), brief.space.table().tobytes(), brief.traits.tobytes())
    if key not in _KNOWN:
        found = _simulated(brief)
        halves = [_fitted(found[found["won"] == won]) for won in (False, True)]
        _KNOWN[key] = Graded(*(np.concatenate(parts) for parts in zip(*halves, strict=True)))
    return _KNOWN[key]


def _simulated(brief: Brief) -> npt.NDArray[np.void]:
    """Attempts as ATTEMPT records, where z is within WIDEST; z from the share that was won in the same cell."""
    place = TRAIT_NAMES.index("skill")
    units = [[along(brief.path, j, d / (PLACES - 1)) for j in range(len(brief.space))] for d in range(PLACES)]
    values = np.array([brief.space.real(u) for u in units])
    players = max(PLAYERS // len(brief.traits), FEWEST)
    found = np.zeros((len(brief.traits), len(SKILLS), PLACES, players), ATTEMPT)
    found["place"] = np.arange(PLACES)[:, np.newaxis]
    for cohort, table in enumerate(brief.traits):
        mean, sd = _moments(table[place])
        sd = max(sd, LEAST_SD)
        for number, step in enumerate(SKILLS):
            traits = table.copy()
            traits[place, :MIX] = (0.0, mean + step * sd, 0.0, -1e300, 1e300, 0.0)
            crowd = Crowd(traits, players, cohort=cohort, first=number * players)
            rows = batch_rows(brief.game, values, crowd, SEED)[:, :, 0]
            cells = found[cohort, number]
            cells["won"], cells["score"] = rows["outcome"] == WON, rows["score"]
            for cell in cells:
                z = logit((float(cell["won"].sum()) + 0.5) / (players + 1.0))
                cell["z"] = z
    near: npt.NDArray[np.void] = found[np.abs(found["z"]) < WIDEST]
    return near


def _moments(row: Numbers) -> tuple[float, float]:
    """Mean and standard deviation of a trait from its row of the distribution table."""
    kind, a, b, common = int(row[0]), float(row[1]), float(row[2]), float(row[5])
    if kind in (3, 4):  # uniform, also of the logarithm: as good here
        return (a + b) / 2.0, (b - a) / math.sqrt(12.0)
    return a, math.hypot(b, common) if kind else 0.0


def _fitted(attempts: npt.NDArray[np.void]) -> Graded:
    """Half of the bins."""
    edges = np.quantile(attempts["score"], np.arange(1, BINS) / BINS) if len(attempts) else np.zeros(BINS - 1)
    if len(attempts) < 10 * BINS or edges[0] == edges[-1]:
        return Graded(edges, np.zeros(2 * PLACES * BINS))
    of = np.searchsorted(edges, attempts["score"], side="right")
    found = [
        _at_place(of[attempts["place"] == place], attempts["z"][attempts["place"] == place]) for place in range(PLACES)
    ]
    return Graded(edges, np.concatenate(found))


def _at_place(of: Any, z: Numbers) -> Numbers:
    """Intercept and slope of each bin at one place, by regression on z; nothing where all z are alike.

    Slopes are about the mean of z, so that to be rare makes an intercept small and says nothing of a slope. Newton's
    method: at its end all digits but the last few are the same on all machines, and those are rounded away.
    """
    if not len(z) or z.std() < LEAST_SPREAD:
        return np.zeros(2 * BINS)
    features = np.stack([np.ones(len(z)), z - z.mean()], axis=1)
    each = np.eye(BINS)
    numbers = np.zeros((BINS, 2))
    for _ in range(NEWTON_STEPS):
        scores = features @ numbers.T
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        gradient = (shares - each[of]).T @ features + PENALTY * numbers
        spread = shares[:, :, None] * (each - shares[:, None, :])
        curvature = np.einsum("nbc,ni,nj->bicj", spread, features, features).reshape(2 * BINS, 2 * BINS)
        step = np.linalg.solve(curvature + PENALTY * np.eye(2 * BINS), gradient.ravel()).reshape(BINS, 2)
        numbers -= step * min(1.0, LONGEST_STEP / max(np.abs(step).max(), ENOUGH))
        if np.abs(step).max() < ENOUGH:
            break
    numbers[:, 0] -= numbers[:, 1] * z.mean()
    return np.round(numbers, DIGITS).ravel()


class Evidence(NamedTuple):
    """What a bin says at one z."""

    chance: float  # of the bin
    trend: float  # derivative of its logarithm by z
    information: float  # variance of the trend over all bins


def evidence(edges: Any, numbers: Any, won: float, score: float, d: float, z: float) -> Evidence:
    """What the score of an attempt at the place d says of z. It compiles. edges, numbers: as in Graded.

    Beyond WIDEST it says what it says there, so its trend is 0.
    """
    held = min(max(z, -WIDEST), WIDEST)
    half = 1 if won > 0.5 else 0
    mine = 0
    for b in range(BINS - 1):
        if score >= edges[half * (BINS - 1) + b]:
            mine = b + 1
    chance = 0.0
    trend = 0.0
    total = 0.0
    mean = 0.0
    square = 0.0
    place = min(int(d * (PLACES - 1)), PLACES - 2)
    after = d * (PLACES - 1) - place
    for b in range(BINS):
        j = 2 * ((half * PLACES + place) * BINS + b)
        intercept = numbers[j] + after * (numbers[j + 2 * BINS] - numbers[j])
        slope = numbers[j + 1] + after * (numbers[j + 2 * BINS + 1] - numbers[j + 1])
        share = exp(intercept + slope * held)
        total += share
        mean += share * slope
        square += share * slope * slope
        if b == mine:
            chance = share
            trend = slope
    mean /= total
    if held != z:
        return Evidence(chance / total, 0.0, 0.0)
    return Evidence(chance / total, trend - mean, max(square / total - mean * mean, 0.0))
