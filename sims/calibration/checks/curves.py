"""Posterior predictive bands: what players of the file did over their attempts, beside many sets of their twins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sims.calibration.checks.behaviour_counts import LEAST_PLAYERS, BehaviourCounts, attempts_looked_at, count_behaviour
from sims.calibration.checks.twins import count_sets_of_twins, tours_of
from sims.calibration.fit import Fit
from sims.calibration.histories import Histories, Numbers
from sims.calibration.session_ends import SessionEnds

_ATTEMPTS: Final = 2_000_000  # of all twins together
_DRAWS: Final = (20, 100)  # fewest and most sets of twins
_MOST_ROWS: Final = 200_000  # of the players who have twins
_WIDTH: Final = 1.959964
_RARE: Final = 0.05
_LEAST_SD: Final = 1e-9  # where all twins did the same


@dataclass(frozen=True)
class Curve:
    """Shares over 1, 2, 3 ... of something."""

    name: str
    seen: Numbers  # of the players of the file, shape (points,)
    twins: Numbers  # mean of the sets of twins
    low: Numbers  # 95 % band of sets of twins
    high: Numbers
    as_far: float  # share of the sets of twins whose curve is as far from their mean as that of the file

    @property
    def differs(self) -> bool:
        """Whether the file is further off than all but one in twenty sets of twins."""
        return self.as_far < _RARE

    @property
    def farthest(self) -> int:
        """Where the two are furthest apart, from 0."""
        return int(np.abs(self.seen - self.twins).argmax())

    def to_json(self) -> dict[str, Any]:
        """For calibration.json."""
        lists = {"seen": self.seen, "twins": self.twins, "low": self.low, "high": self.high}
        return {name: [float(f"{one:.4g}") for one in values] for name, values in lists.items()} | {
            "as_far": float(f"{self.as_far:.4g}")
        }


@dataclass(frozen=True)
class Behaviour:
    """The curves of a file and of twins of its players."""

    stay: Curve | None  # who has not quit after 1, 2, 3 ... attempts; None where the file does not tell
    pass_by: Curve | None  # visits to a level that are passed within 1, 2, 3 ... tries; None where nobody retries
    lose_in_a_row: Curve | None  # players whose longest row of losses has at least 1, 2, 3 ... of them
    looked_at: int  # first attempts of each player in which rows of losses are looked for
    draws: int
    players: int

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Those that there are."""
        return tuple(curve for curve in (self.stay, self.pass_by, self.lose_in_a_row) if curve is not None)


def behaviour_of(
    histories: Histories, fit: Fit, ends: SessionEnds | None, *, campaign: bool, threads: int = 1
) -> Behaviour | None:
    """Play sets of twins of the players, with numbers drawn from the covariance of the fit.

    Args:
        histories: the players.
        fit: of all of them.
        ends: how sessions end; None where the file does not tell.
        campaign: whether players retry a level until they pass.
        threads: they change no number.

    Returns:
        The curves; None where the file has no order of attempts.
    """
    if histories.late is None:
        return None
    some = histories
    if histories.rows > _MOST_ROWS:  # every so many: players who did the same stand together
        some = histories.part(np.arange(histories.players) % -(-histories.rows // _MOST_ROWS) == 0)
    looked_at = attempts_looked_at(some)
    draws = min(max(_ATTEMPTS // some.rows, _DRAWS[0]), _DRAWS[1])
    seen = count_behaviour(some, looked_at)
    sets = count_sets_of_twins(some, tours_of(some, campaign), fit, ends, draws, looked_at, threads)
    quits = seen.could_quit >= LEAST_PLAYERS
    retries = seen.tried >= LEAST_PLAYERS
    return Behaviour(
        _curve("stay", BehaviourCounts.stay, seen, sets, quits) if fit.joint and quits[1] else None,
        _curve("pass_by", BehaviourCounts.pass_by, seen, sets, retries) if retries[1] else None,
        _losses(seen, sets, looked_at),
        looked_at,
        draws,
        some.players,
    )


def _losses(seen: BehaviourCounts, sets: Sequence[BehaviourCounts], looked_at: int) -> Curve | None:
    """Up to the longest row that ten players had."""
    if looked_at < 2 or seen.longest.sum() < LEAST_PLAYERS:
        return None
    had = np.cumsum(seen.longest[::-1])[::-1][1:]
    return _curve("lose_in_a_row", BehaviourCounts.lose_in_a_row, seen, sets, had >= LEAST_PLAYERS)


def _curve(
    name: str,
    of: Callable[[BehaviourCounts], Numbers],
    seen: BehaviourCounts,
    sets: Sequence[BehaviourCounts],
    enough: npt.NDArray[np.bool_],
) -> Curve | None:
    """Points up to the first that fewer than ten players are behind."""
    points = len(enough) if enough.all() else int(enough.argmin())
    if points < 1:
        return None
    own = of(seen)[:points]
    twins = np.stack([of(one)[:points] for one in sets])
    mean, sd = twins.mean(axis=0), twins.std(axis=0, ddof=1)
    scale = np.maximum(sd, _LEAST_SD)
    far = (np.abs(twins - mean) / scale).max(axis=1)
    as_far = float(np.mean(far >= (np.abs(own - mean) / scale).max()))
    low, high = np.clip(mean - _WIDTH * sd, 0.0, 1.0), np.clip(mean + _WIDTH * sd, 0.0, 1.0)
    return Curve(name, own, mean, low, high, as_far)
