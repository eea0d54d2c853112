"""Stage of the controller contract: floor and ceiling.

Players who are far too good for the ceiling play there for long, and then lose most of their skill. Others play as long
at a place that suits them just below the ceiling, and fall as far. A controller whose state ran on beyond the ceiling
comes down later for the former than for the latter. The same at the floor, with players who are far too weak.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from engine.arithmetic import logistic
from engine.contract.controller_conduct import PLAYERS, Wins, brief_for, hardness, make_controller, play_exchanges
from engine.controller import ControllerKind, Scope, Setting, Who

STAY: Final = 120  # attempts of each player at the bound
SHARED_STAY: Final = 400  # the same where players share the dial
LEVEL: Final = 20  # last attempts of the stay, whose mean difficulty is where the way back begins
AWAY: Final = 0.3  # of the way from bound to bound: no stay at the bound
SLOWER: Final = 2.0  # times as long as from inside may the way back take ...
LATER: Final = 10  # ... and so many attempts: the last step beyond the bound, and luck


class Bound(NamedTuple):
    """One end of a narrow dial, and three kinds of players."""

    words: str
    end: float
    floor: float
    ceiling: float
    outside: float  # skill for which the dial ends much too early, on the dial
    near: float  # skill that the dial suits just inside the bound
    after: float  # skill after the fall, or rise


BOUNDS: Final = (
    Bound("ceiling", 0.3, 0.05, 0.3, 1.5, 0.28, 0.08),
    Bound("floor", 0.7, 0.7, 0.95, -0.5, 0.77, 0.92),
)


def comes_back_from_a_bound(kind: ControllerKind) -> Iterator[str]:
    """After a long stay at floor or ceiling a controller answers about as soon as from inside."""
    if kind.mode in ("deterministic", "reference"):
        return
    scope = kind.scopes[0]
    for bound in BOUNDS:
        outside = _way_back(kind, scope, bound, bound.outside)
        if outside <= LATER:
            continue
        inside = _way_back(kind, scope, bound, bound.near)
        if outside > SLOWER * inside + LATER:
            yield (
                f"a state must not run on beyond the {bound.words}, but after a long stay there difficulty was halfway "
                f"back after {outside} attempts, and from inside after {inside}; see Rule.anti_windup"
            )
            return


def _way_back(kind: ControllerKind, scope: Scope, bound: Bound, before: float) -> int:
    """Attempts after the fall until all players' mean difficulty is halfway to their skill; the stay's length if never.

    0 for a controller that kept away from the bound all the time: it has nothing to come back from. before: skill until
    the fall.
    """
    stay = STAY if scope == "player" else SHARED_STAY
    brief = brief_for(scope)._replace(floor=bound.floor, ceiling=bound.ceiling)
    controller = make_controller(kind, brief)
    means: list[float] = []  # of each attempt
    total = 0.0
    for seen, exchange in enumerate(play_exchanges(controller, brief, _falling(before, bound, stay), 2 * stay), 1):
        total += hardness(exchange.outcome.setting)
        if seen % (2 * PLAYERS):
            continue
        means.append(total / (2 * PLAYERS))
        total = 0.0
        if len(means) > stay:
            level = math.fsum(means[stay - LEVEL : stay]) / LEVEL
            if before == bound.outside and abs(level - bound.end) > AWAY * (bound.ceiling - bound.floor):
                return 0
            if abs(means[-1] - bound.after) <= 0.5 * abs(level - bound.after):
                return len(means) - stay
    return stay


def _falling(before: float, bound: Bound, stay: int) -> Wins:
    """A world in which all players have one place on the dial, and another one from attempt number `stay` on."""

    def wins(who: Who, setting: Setting, luck: float) -> bool:
        skill = before if who.situation.attempt < stay else bound.after
        return luck < 0.02 + 0.96 * logistic(8.0 * (skill - hardness(setting)))

    return wins
