"""How a controller's options change with the outcomes of those it controls: stairs of values, and the gain's shape.

The outcomes are those that the rule was told; where players share it, those that came together count as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from engine.scheduling.shapes import cosine, one_cycle, share_done, warm_up_decay

GainShape = Literal["warm_up", "cosine", "one_cycle", "plateau"]
_MOST_KNOTS: Final = 4096  # at which a gain is told anew: a longer shape is a fine staircase

Stairs = tuple[tuple[int, float], ...]  # (outcome from which on, value), the first at outcome 0


class GainSchedule(NamedTuple):
    """How all gains of a rule change, as shares of their options.

    warm_up rises from `first` to 1 over the share `rise` of `length`, and stays there. cosine falls from 1 to `last` by
    half a wave (Loshchilov and Hutter 2017). one_cycle rises from `first` to 1, comes back as fast, and falls to `last`
    (Smith 2018). plateau multiplies by `factor`, down to `last`, whenever the mean error of `patience` outcomes is not
    nearer to 0 than the best so far by `threshold`; the next `cooldown` outcomes are not looked at (as in PyTorch's
    ReduceLROnPlateau).
    """

    shape: GainShape
    length: int = 200  # outcomes
    first: float = 0.2
    last: float = 0.1
    rise: float = 0.2
    patience: float = 20.0  # outcomes
    factor: float = 0.5
    threshold: float = 0.01
    cooldown: float = 0.0  # outcomes

    def share(self, outcomes: int) -> float:
        """The share of the gain after so many outcomes, in [0, 1]; 1 for plateau, whose share outcomes decide."""
        u = share_done(outcomes, self.length)
        match self.shape:
            case "warm_up":
                return warm_up_decay(u, self.first, 1.0, 1.0, self.rise)
            case "cosine":
                return cosine(u, 1.0, self.last)
            case "one_cycle":
                return one_cycle(u, self.first, 1.0, self.last, self.rise)
        return 1.0


class OptionSchedule(NamedTuple):
    """stairs: by option, as pairs so that it can be hashed; gain: None where it keeps its size."""

    stairs: tuple[tuple[str, Stairs], ...] = ()
    gain: GainSchedule | None = None

    def __bool__(self) -> bool:
        return bool(self.stairs) or self.gain is not None

    def knots(self) -> list[int]:
        """Numbers of outcomes at which something changes, rising, the first 0."""
        found = {0, *(at for _, stairs in self.stairs for at, _ in stairs)}
        if self.gain is not None and self.gain.shape != "plateau":
            found.update(range(0, self.gain.length + 1, -(-self.gain.length // _MOST_KNOTS)))
            found.add(self.gain.length)
        return sorted(found)


NO_SCHEDULE: Final = OptionSchedule()


def stairs_at(stairs: Stairs, knots: list[int]) -> Iterator[float]:
    """The value of an option from each knot on."""
    for knot in knots:
        yield next(value for at, value in reversed(stairs) if at <= knot)
