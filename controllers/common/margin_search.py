"""CMA-ES with margin in the unit cube: floats, whole numbers and choices together, by ask and tell.

The only wrapper of the optimiser. It knows nothing of players: the caller asks for a generation and then reports the
loss of each candidate. That is a noisy estimate in live play and offline, an exact number in the tests.

Hansen 2016, The CMA evolution strategy: a tutorial; Hamano et al. 2022, CMA-ES with margin. A whole number or a choice
is a normal coordinate like the others, read in cells; the margin widens it for reading where it grows so narrow that
the neighbouring cell would hardly ever be tried again. Candidates must therefore be played where the strategy read
them, and not in the cell that their coordinate lies in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from controllers.common.knob_box import KnobBox
from controllers.common.local_response import Vector


class Proposal(NamedTuple):
    """One proposal of a generation; both of shape (knobs searched,)."""

    sample: Vector  # normal coordinates: what the strategy learns from
    place: Vector  # what is played for it: within bounds, whole numbers and choices in the middle of their cell


class MarginSearch:
    """A search distribution over a part of the unit cube.

    start: mean of the first generation, shape (knobs searched,), within the cube's bounds. population: candidates of
    a generation, 4 or more. spread: standard deviation of the first generation along the dial, in positions; off_dial:
    that across the dial, as a share of it (1: the same everywhere). seed: below 2^32.
    """

    def __init__(
        self, cube: KnobBox, start: Vector, *, population: int, spread: float, off_dial: float, seed: int
    ) -> None:
        # Imported where it is needed: it loads scipy.stats, which checking a scenario has no use for.
        from cmaes import CMAwM

        self._cube = cube
        direction = cube.dial_direction()
        across = off_dial**2
        self._optimiser = CMAwM(
            mean=start,
            sigma=spread,
            bounds=np.column_stack([cube.low, cube.high]),
            steps=cube.step,
            seed=seed,
            population_size=population,
            cov=across * np.eye(len(direction)) + (1.0 - across) * np.outer(direction, direction),
        )

    @property
    def mean(self) -> Vector:
        """Mean of the distribution, moved into the bounds, shape (knobs searched,)."""
        return self._cube.held(self._optimiser.mean)

    def ask(self) -> list[Proposal]:
        """A generation."""
        pairs = [self._optimiser.ask() for _ in range(self._optimiser.population_size)]
        return [Proposal(np.round(sample, self._cube.digits), self._cube.playable(read)) for read, sample in pairs]

    def tell(self, generation: Sequence[Proposal], losses: Sequence[float]) -> None:
        """Losses of the candidates of the last generation, in the same order; only their ranks count.

        Of equal losses the earlier candidate's ranks first; what is not a number ranks last.
        """
        order = np.argsort(np.asarray(losses, dtype=np.float64), kind="stable")
        self._optimiser.tell([(generation[i].sample, float(rank)) for rank, i in enumerate(order)])
