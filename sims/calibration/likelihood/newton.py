"""Newton steps to the top of the likelihood with its priors."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import ScenarioError
from sims.calibration.likelihood.likelihood_sums import LikelihoodSums, LogLikelihood, Numbers

_MOST_STEPS: Final = 60


class Prior(NamedTuple):
    """A normal prior of the point."""

    mean: Numbers
    precision: Numbers  # shape (numbers, numbers)


def find_top(
    sums: LikelihoodSums, prior: Prior, point: Numbers, free: npt.NDArray[np.bool_], steps: int | None = None
) -> tuple[Numbers, LogLikelihood]:
    """Newton with a ridge where the curvature is not that of a maximum, and shorter steps where one is too long.

    Args:
        sums: the likelihood.
        prior: of the point.
        point: where to begin.
        free: which numbers may move.
        steps: at most so many, wherever they lead; None for as many as it takes.

    Returns:
        The top, and the likelihood there with its gradient and curvature, those of the prior included.

    Raises:
        ScenarioError: the steps do not end.
    """

    def at(place: Numbers) -> tuple[float, LogLikelihood]:
        found = sums.evaluate(place)
        away = place - prior.mean
        pull = prior.precision @ away
        height = found.value - 0.5 * float(away @ pull)
        return height, LogLikelihood(found.value, found.gradient - pull, found.curvature - prior.precision)

    height, here = at(point)
    inside = np.ix_(free, free)
    ridge = 0.0
    for _ in range(steps or _MOST_STEPS):
        step = np.zeros(len(point))
        step[free], ridge = _newton_step(-here.curvature[inside], here.gradient[free], ridge)
        if float(step @ here.gradient) < sums.exactness:
            break
        share = 1.0
        while True:
            tried = at(point + share * step)
            if tried[0] > height or share < 1e-6:
                break
            share *= 0.4
        if tried[0] <= height:
            break
        gained = tried[0] - height
        point = point + share * step
        height, here = tried
        ridge = 0.0 if share == 1.0 else ridge
        if gained < sums.exactness:
            break
    else:
        if steps is not None:
            return point, here
        raise ScenarioError(
            f"the fit did not settle in {_MOST_STEPS} steps; leave out columns or levels that say little, and report "
            "it as a fault of Flowdial."
        )
    return point, here


def _newton_step(information: Numbers, gradient: Numbers, ridge: float) -> tuple[Numbers, float]:
    """The step, held to 2 in its longest part, and the ridge that made the information positive."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    scale = np.diag(np.abs(np.diag(information)) + 1e-8)
    while True:
        try:
            root = cho_factor(information + ridge * scale, lower=True)
        except LinAlgError:
            ridge = max(2.0 * ridge, 0.05)
            continue
        step = np.asarray(cho_solve(root, gradient), np.float64)
        longest = float(np.abs(step).max())
        return step * min(1.0, 2.0 / max(longest, 1e-300)), ridge
