"""Four of the noise-free functions of the BBOB suite, on the unit cube; their optimum is 0.

Hansen, Finck, Ros and Auger 2009, Real-parameter black-box optimization benchmarking: noiseless functions definitions
(INRIA RR-6829): f1 sphere, f2 separable ellipsoid, f8 Rosenbrock, f10 rotated ellipsoid. An instance draws its own
optimum and rotation; these are not COCO's instances, but of the same law.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

HALF_WIDTH = 5.0  # the search domain is [-5, 5] in each coordinate
SUITE_SEED = 2009


class Problem(NamedTuple):
    """A function and where its optimum is; places are in the unit cube, shape (dimension,)."""

    value: Callable[[Vector], float]
    optimum: Vector


def problem(number: int, dimension: int, instance: int) -> Problem:
    """An instance of function `number`."""
    draw = np.random.Generator(np.random.Philox([SUITE_SEED, number, dimension, instance]))
    optimum = draw.uniform(-4.0, 4.0, dimension)
    if number == 8:
        optimum *= 0.75  # so that the valley stays inside the domain
    rotation = _rotation(draw, dimension) if number == 10 else np.eye(dimension)
    conditioning = 1e6 ** (np.arange(dimension) / (dimension - 1))

    def value(place: Vector) -> float:
        x = HALF_WIDTH * (2.0 * place - 1.0) - optimum
        if number == 1:
            return float(x @ x)
        if number == 8:
            z = max(1.0, math.sqrt(dimension) / 8.0) * x + 1.0
            return float(np.sum(100.0 * (z[:-1] ** 2 - z[1:]) ** 2 + (z[:-1] - 1.0) ** 2))
        z = _oscillated(rotation @ x)
        return float(conditioning @ z**2)

    return Problem(value, 0.5 + optimum / (2.0 * HALF_WIDTH))


def _rotation(draw: np.random.Generator, dimension: int) -> npt.NDArray[np.float64]:
    """A random orthogonal matrix: Gram and Schmidt's orthonormal basis of normal vectors."""
    basis, upper = np.linalg.qr(draw.standard_normal((dimension, dimension)))
    return basis * np.sign(np.diag(upper))


def _oscillated(x: Vector) -> Vector:
    """T_osz: smooth but local irregularities, which let nobody profit from an exact quadratic."""
    size = np.log(np.where(x == 0.0, 1.0, np.abs(x)))
    right, left = np.where(x > 0.0, 10.0, 5.5), np.where(x > 0.0, 7.9, 3.1)
    bent: Vector = np.sign(x) * np.exp(size + 0.049 * (np.sin(right * size) + np.sin(left * size)))
    return bent
