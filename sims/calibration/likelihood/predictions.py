"""Chances of winning as they are before each attempt, from what the same player did before it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from engine.arithmetic import exp

NOT_SEEN: Final = 2  # in the place of won: predicted, but nothing follows from it


@cache
def predictions_of(win_rows: Callable[..., float]) -> Callable[..., None]:
    """The plain kernel of one of the win curves."""

    def predict_players(
        first: int, last: int, starts: Any, level: Any, won: Any, features: Any, curve: Any, point: Any, levels: int,
        nodes: Any, density: Any, out: Any,
    ) -> None:  # fmt: skip
        """The chance of each win of the players first to last - 1 into out, shape (rows,).

        A row whose won is NOT_SEEN is predicted, but tells nothing about the attempts after it.
        """
        sd = exp(point[levels + features.shape[1]])
        steps = nodes.copy()
        decay = nodes.copy()
        posterior = nodes.copy()
        told = nodes.copy()
        wins = won.copy()  # as if all were won
        for r in range(starts[first], starts[last]):
            wins[r] = 1
        unused = nodes.reshape(1, -1).copy()
        for q in range(len(nodes)):
            steps[q] = sd * nodes[q]
            decay[q] = exp(-steps[q])
        for i in range(first, last):
            for q in range(len(nodes)):
                posterior[q] = density[q]
            for r in range(starts[i], starts[i + 1]):
                top = win_rows(r, 1, level, wins, features, point, levels, steps, decay, curve, unused, unused, told)
                size = exp(top)
                mass = hope = 0.0
                for q in range(len(nodes)):
                    p = size * told[q]
                    mass += posterior[q]
                    hope += posterior[q] * p
                    if won[r] != NOT_SEEN:
                        posterior[q] *= p if won[r] == 1 else max(1.0 - p, 1e-300)
                out[r] = hope / mass
                for q in range(len(nodes)):
                    posterior[q] /= mass

    return predict_players
