"""Whether the rules are those of the game that was played: what is left over when players were fitted to them.

Each attempt is predicted from what its player did before, so what is left over is independent from attempt to attempt,
and its spread is known. It is summed over places of the dial and over predicted chances.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from sims.calibration.histories import Histories, Indices, Numbers

LEAST_OFF: Final = 0.02  # mean distance of rates, from which on the rules are not those of the game
_ALARM: Final = 1e-4  # chance of a false alarm
_MAP_ERROR: Final = 0.005  # of a rate of the map
_CELLS: Final = 10
_STRANGE: Final = 4.0  # skill units: no player group's mean lies further from that of the game's median player


@dataclass(frozen=True)
class RuleCheck:
    """What is left over.

    Attributes:
        off: mean distance of seen and predicted win rates, over places and over predicted chances: the larger one.
        chance: how likely so much is by luck alone.
        fits: whether the rules may be those of the game.
        where: the part that is furthest off, in words.
        seen: its win rate.
        predicted: what the rules say.
    """

    off: float
    chance: float
    fits: bool
    where: str
    seen: float
    predicted: float

    def to_json(self) -> dict[str, Any]:
        """Rounded to what is sure on every machine."""
        return {name: round(one, 6) if isinstance(one, float) else one for name, one in asdict(self).items()}


def judge_rules(histories: Histories, chance: Numbers, mean_skill: float) -> RuleCheck:
    """Compare seen wins with predicted ones.

    Args:
        histories: the players; levels are places of the dial.
        chance: predicted, from what each player did before, shape (rows,).
        mean_skill: that was fitted.
    """
    order = np.argsort(chance, kind="stable")
    tenth = np.empty(len(order), np.int64)
    for cell, rows in enumerate(np.array_split(order, _CELLS)):
        tenth[rows] = cell
    names = [f"where the rules give {100 * float(chance[tenth == k].mean()):.0f} % of wins" for k in range(_CELLS)]
    places = [f"at {name}" for name in histories.levels]
    one = _left_over(histories, chance, histories.level, places)
    two = _left_over(histories, chance, tenth, names)
    worse = one if one[0] >= two[0] else two
    luck = min(2.0 * min(one[1], two[1]), 1.0)
    fits = not (luck < _ALARM and worse[0] > LEAST_OFF) and abs(mean_skill) <= _STRANGE
    return RuleCheck(worse[0], luck, fits, *worse[2:])


def _left_over(
    histories: Histories, chance: Numbers, cell: Indices, names: list[str]
) -> tuple[float, float, str, float, float]:
    """Mean distance, the chance of so much, and the worst cell with its rates."""
    from scipy.stats import chi2

    count = len(names)
    tried = np.bincount(cell, minlength=count).astype(float)
    used = tried > 0
    seen = np.bincount(cell, histories.won, count)[used] / tried[used]
    wanted = np.bincount(cell, chance, count)[used] / tried[used]
    variance = np.bincount(cell, chance * (1.0 - chance), count)[used] / tried[used] ** 2 + _MAP_ERROR**2
    distance = np.abs(seen - wanted)
    off = math.fsum(distance * tried[used]) / tried.sum()
    luck = float(chi2.sf(float(np.sum(distance**2 / variance)), int(used.sum())))
    worst = int(np.argmax(distance**2 / variance))
    return off, luck, np.array(names)[used].tolist()[worst], float(seen[worst]), float(wanted[worst])
