"""Last stage of the game contract: every part of a knob's range changes how often players win, in its direction.

A stretch is dead when the same players, with the same luck, win as often at both of its ends, whatever the other knobs
are. A designer who turns such a knob learns nothing, and a search over it spends attempts for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.batch import Crowd, batch_rows
from engine.contract.game_rules import SEED, values_at
from engine.game import WON, Game
from engine.parameters import Knob
from engine.players import distribution_table

POINTS: Final = 5  # of a range: four stretches
PLACES: Final = (0.25, 0.5, 0.75)  # of the other knobs on the dial, besides their defaults
CROWDS: Final = (400, 1600, 4000)  # players of each round; those of later rounds are other players
DEAD: Final = 0.005  # a change of the win rate that is nothing to a designer
ERRORS: Final = 4.0  # standard errors beyond which a change is seen
WORTH: Final = 0.02  # a rise of the win rate that is worth a sentence
SURE: Final = 2.0  # standard errors within which it must be nothing, in every place


def no_stretch_is_easier(game: Game) -> Iterator[str]:
    """No stretch of a knob gets easier on the way to its hard end, with the other knobs at their defaults."""
    for j, knob in enumerate(game.space.knobs):
        if knob.name in game.space.held or knob.scale == "choice":  # the order of choices is their author's
            continue
        points = _points(knob)
        won = _wins(game, np.array(game.space.defaults()), j, points, CROWDS[1], 0)
        for k in range(len(points) - 1):
            change = won[k + 1] - won[k]
            size, error = float(change.mean()), float(change.std()) / math.sqrt(CROWDS[1])
            if size > max(WORTH, ERRORS * error):
                yield (
                    f"{knob.name}: no part of its range must get easier on the way to its hard end, but from "
                    f"{_told(knob, points[k])} to {_told(knob, points[k + 1])} the win rate rises by {size:.3f}; "
                    "reverse the rule there, or end the range"
                )
                break


def knobs_work(game: Game) -> Iterator[str]:
    """Every part of a knob's range changes how often players win."""
    for j, knob in enumerate(game.space.knobs):
        if knob.name in game.space.held:
            continue
        points = _points(knob)
        dead = _dead_stretches(game, j, points)
        if all(dead):
            yield f"{knob.name}: it must change how often players win, but it changes nothing; let the rules read it"
            continue
        for first, last in _runs(dead):
            low, high = sorted((points[first], points[last]))
            yield (
                f"{knob.name}: all of its range must change how often players win, but from {_told(knob, low)} to "
                f"{_told(knob, high)} nothing changes; end the range there, or give that part an effect"
            )


def _points(knob: Knob) -> list[float]:
    """Values over the range as rules see them, from the easy end to the hard one."""
    if knob.levels:
        count = min(knob.levels, POINTS)
        values = [knob.low + round(k * (knob.levels - 1) / (count - 1)) for k in range(count)]
    elif knob.scale == "log":
        values = [knob.low * (knob.high / knob.low) ** (k / (POINTS - 1)) for k in range(POINTS)]
    else:
        values = [knob.low + (knob.high - knob.low) * k / (POINTS - 1) for k in range(POINTS)]
    turned = knob.harder == "low" and knob.scale != "choice"
    return [min(max(value, knob.low), knob.high) for value in (reversed(values) if turned else values)]


def _dead_stretches(game: Game, j: int, points: Sequence[float]) -> list[bool]:
    """Which stretches between neighbouring values change nothing; what cannot be told counts as alive."""
    others = [np.array(game.space.defaults()), *(values_at(game, place) for place in PLACES)]
    unsettled, dead = set(range(len(points) - 1)), [False] * (len(points) - 1)
    first = 0
    for players in CROWDS:
        nothing = dict.fromkeys(unsettled, True)  # in every place so far
        for values in others:
            ends = sorted({end for k in unsettled for end in (k, k + 1)})
            won = _wins(game, values, j, [points[k] for k in ends], players, first)
            for k in sorted(unsettled):
                change = won[ends.index(k + 1)] - won[ends.index(k)]
                size, error = abs(float(change.mean())), float(change.std()) / math.sqrt(players)
                if size > ERRORS * error and size >= 1.0 / players:
                    unsettled.discard(k)
                elif size + SURE * max(error, 1.0 / players) > DEAD:
                    nothing[k] = False
        for k in sorted(unsettled):
            if nothing[k]:
                dead[k] = True
                unsettled.discard(k)
        first += players
        if not unsettled:
            break
    return dead


def _wins(
    game: Game, values: Any, j: int, points: Sequence[float], players: int, first: int
) -> npt.NDArray[np.float64]:
    """Who won at each value of knob j, 1 or 0, shape (values, players): the same players with the same luck."""
    settings = np.tile(values, (len(points), 1))
    settings[:, j] = points
    crowd = Crowd(distribution_table({}), players, first=first)
    won: npt.NDArray[np.float64] = (batch_rows(game, settings, crowd, SEED)["outcome"][:, :, 0] == WON).astype(float)
    return won


def _runs(dead: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """First and last point of each run of dead stretches."""
    begin = -1
    for k, is_dead in enumerate([*dead, False]):
        if is_dead and begin < 0:
            begin = k
        elif not is_dead and begin >= 0:
            yield begin, k
            begin = -1


def _told(knob: Knob, value: float) -> str:
    if knob.scale == "choice":
        return str(knob.shown(value))
    unit = "" if knob.unit == "1" else f" {knob.unit}"
    return f"{value:.3g}{unit}"
