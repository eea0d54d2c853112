"""The covariance of the estimates as a factor that a scenario can carry, for each repeat to draw from."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.estimates.estimate_errors import NAMES
from sims.calibration.fit import Fit
from sims.calibration.histories import Numbers
from sims.calibration.session_ends import SessionEnds

_DIGITS = 4  # of a loading
_NAMES = {
    "log_skill_sd": "skill_sd", "log_quit_sd": "quit_sd", "atanh_rho": "correlation", "log_guess": "guess",
    "log_lapse": "lapse",
}  # fmt: skip


def error_factor(fitted: Fit, ends: SessionEnds | None, *, game: bool) -> dict[str, Any]:
    """Loadings of every number on independent standard normal numbers, as [calibration.errors] has them.

    Numbers of players are exact. Difficulties are exact in what they share with those, and beside that share one number
    of their own: players of the file who are a little better or worse than all make every level look easier or harder.
    The rest of a level's error is its own.

    Args:
        fitted: the estimates of wins and quits.
        ends: those of how sessions end; None where they were not fitted.
        game: whether the rules of a game were given; then there is a mean skill in the place of difficulties.
    """
    shared = [(place, _NAMES.get(name, name)) for place, name in enumerate(fitted.names, fitted.levels)]
    shared = [(place, name) for place, name in shared if fitted.covariance[place, place] > 0.0]
    if game:
        shared.insert(0, (0, "skill_mean"))
    places = [place for place, _ in shared]
    root = _root(fitted.covariance[np.ix_(places, places)])
    if game:
        root[0] = -root[0]  # the mean skill is the negative of the difficulty
    levels = np.empty((0, 0)) if game else _of_levels(fitted, places, root)
    numbers = dict(zip((name for _, name in shared), root, strict=True))
    first = root.shape[1] + (0 if game else 1)
    if ends is not None:
        own = ends.fit
        names = ["end_base", *own.effects, "session_sd"]
        block = _root(own.covariance)
        block[0] = -block[0]  # the first is the negative of a difficulty
        for name, row in zip(names, block, strict=True):
            numbers[name] = np.concatenate((np.zeros(first), row))
    found: dict[str, Any] = {"numbers": {name: _listed(row) for name, row in numbers.items() if name in NAMES}}
    if len(levels):
        found["levels"] = [_listed(row) for row in levels]
    return found


def _root(covariance: Numbers) -> Numbers:
    """A positive matrix as the product of this one and its transpose: lower triangular, so there is one only."""
    return np.asarray(np.linalg.cholesky(covariance), np.float64)


def _of_levels(fitted: Fit, places: list[int], root: Numbers) -> Numbers:
    """Loadings of the difficulties, shape (levels, shared + 2)."""
    own = fitted.covariance[: fitted.levels, : fitted.levels]
    with_shared = fitted.covariance[: fitted.levels][:, places]
    loadings = np.linalg.solve(root, with_shared.T).T
    rest = own - loadings @ loadings.T
    common = np.full(fitted.levels, 1.0 / np.sqrt(fitted.levels))
    for _ in range(50):  # power iteration: the largest part that all share
        pulled = rest @ common
        common = pulled / (float(np.linalg.norm(pulled)) + 1e-300)
    size = float(common @ rest @ common)
    together = common * np.sqrt(max(size, 0.0))
    alone = np.sqrt(np.maximum(np.diag(rest) - together**2, 0.0))
    return np.column_stack((loadings, together, alone))


def _listed(row: Numbers) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in row]
