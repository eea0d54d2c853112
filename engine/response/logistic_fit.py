"""Logistic regression with known offsets: Newton's method on the penalised likelihood.

p_i = logistic(offset_i + sum_k x_ik b_k), with a normal prior of mean 0 and variance 1 / penalty_k on each coefficient
(ridge regression: le Cessie and van Houwelingen 1992). Written here, not taken from a library, because controllers play
by the result: loops in a fixed order give the same bits on every machine.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.arithmetic import exp, log, logistic
from engine.kernel import compiled

_MOST_STEPS: Final = 50
_SETTLED: Final = 1e-9  # largest change of a coefficient


def fit_logistic(
    design: npt.NDArray[np.float64],
    offsets: npt.NDArray[np.float64],
    won: npt.NDArray[np.float64],
    penalty: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """The likeliest coefficients, shape (terms,), under the prior that the penalty is.

    Args:
        design: shape (attempts, terms), finite.
        offsets: logits that are known beforehand, shape (attempts,).
        won: 1 or 0, shape (attempts,).
        penalty: inverse prior variance of each coefficient, shape (terms,), all above 0, so that there is one answer.
    """
    found = np.zeros(design.shape[1])
    compiled(climb)(design, offsets, won, penalty, found)
    return found


def climb(design: Any, offsets: Any, won: Any, penalty: Any, found: Any) -> None:
    """Newton's steps from `found`, halved where the objective would get worse, until nothing changes; in place."""
    terms = len(found)
    slope = np.empty(terms)
    bend = np.empty((terms, terms))
    trial = np.empty(terms)
    best = loss_at(design, offsets, won, penalty, found)
    for _ in range(_MOST_STEPS):
        for a in range(terms):
            slope[a] = -penalty[a] * found[a]
            for b in range(terms):
                bend[a, b] = penalty[a] if a == b else 0.0
        for i in range(len(won)):
            p = logistic(logit_in(design[i], offsets[i], found))
            error, weight = won[i] - p, p * (1.0 - p)
            for a in range(terms):
                slope[a] += design[i, a] * error
                share = weight * design[i, a]
                for b in range(a + 1):
                    bend[a, b] += share * design[i, b]
        solve(bend, slope)
        size = 1.0
        moved = 0.0
        for _ in range(30):
            for a in range(terms):
                trial[a] = found[a] + size * slope[a]
            loss = loss_at(design, offsets, won, penalty, trial)
            if loss <= best:
                for a in range(terms):
                    moved = max(moved, abs(trial[a] - found[a]))
                    found[a] = trial[a]
                best = loss
                break
            size *= 0.5
        if moved < _SETTLED:
            return


def logit_in(terms: Any, offset: float, found: Any) -> float:
    """The logit of one attempt. terms: its row of the design."""
    x = offset
    for a in range(len(found)):
        x += terms[a] * found[a]
    return x


def loss_at(design: Any, offsets: Any, won: Any, penalty: Any, found: Any) -> float:
    """Minus the logarithm of likelihood times prior, up to a constant."""
    loss = 0.0
    for a in range(len(found)):
        loss += 0.5 * penalty[a] * found[a] * found[a]
    for i in range(len(won)):
        x = logit_in(design[i], offsets[i], found)
        loss += max(x, 0.0) + log(1.0 + exp(-abs(x))) - won[i] * x
    return loss


def solve(matrix: Any, vector: Any) -> None:
    """Solve matrix x = vector by Cholesky's factors; x comes in vector. matrix: positive definite, its lower half."""
    size = len(vector)
    for a in range(size):
        for b in range(a + 1):
            rest = matrix[a, b]
            for k in range(b):
                rest -= matrix[a, k] * matrix[b, k]
            matrix[a, b] = np.sqrt(rest) if a == b else rest / matrix[b, b]
    for a in range(size):
        rest = vector[a]
        for k in range(a):
            rest -= matrix[a, k] * vector[k]
        vector[a] = rest / matrix[a, a]
    for a in range(size - 1, -1, -1):
        rest = vector[a]
        for k in range(a + 1, size):
            rest -= matrix[k, a] * vector[k]
        vector[a] = rest / matrix[a, a]
