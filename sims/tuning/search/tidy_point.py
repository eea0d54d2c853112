"""A setting without changes that do nothing: knobs back at the designer's defaults, and round numbers.

By one binomial model for each segment, fitted around the setting to all counts, a knob goes back where no win rate
visibly depends on it, and where all knobs that go back change none by more than a fifth of its tolerance. A knob whose
effect is visible but well known may go back, too, if small moves of the other changed knobs make up for it. Then each
number is rounded as far as a tenth of the tolerance allows. The result is a proposal of the model: it is measured like
every other setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from engine.parameters import Knob, ParameterSpace
from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.local_model import LocalModel
from sims.tuning.search.search_space import Numbers, Point, SearchSpace, point_of, values_of

_BACK: Final = 0.2  # of the tolerance: most change of a win rate by knobs that go back
_ROUNDED: Final = 0.1  # and by rounding
_DOUBT: Final = 0.5  # of the tolerance: largest standard deviation of such a change
_WELL_KNOWN: Final = 0.25  # the same where other knobs make up for the change
_FARTHEST: Final = 0.05  # of a knob's range: the longest move that makes up for another knob
_STEPS: Final = 4  # of Newton's method
_DAMPING: Final = 1e-3  # of it, in tolerances squared
_TINY: Final = 1e-4  # step of a numerical derivative
_VISIBLE: Final = 2.0  # standard deviations
_DRAWS: Final = 200
_MOST_DIGITS: Final = 12


def tidy_point(
    knobs: ParameterSpace,
    space: SearchSpace,
    segments: Sequence[Segment],
    tells: Sequence[Tell],
    point: Point,
    start: Point,
    seed: int,
) -> Point:
    """The setting that does the same as `point` with fewer changes and fewer digits.

    tells: all counts of the study, one or more; start: the designer's defaults.
    """
    room = _Room(space, segments, tells, point, seed)
    tidied = point
    alone = [_with(point, j, start[j]) for j in range(space.size)]
    for j in sorted(range(space.size), key=lambda j: room.change(alone[j])):
        if tidied[j] == start[j]:
            continue
        home = _with(tidied, j, start[j])
        if room.holds(home, _BACK):
            tidied = home
            continue
        others = [i for i in range(space.size) if i != j and not space.levels[i] and tidied[i] != start[i]]
        made_up = room.made_up(home, others)
        if room.holds(made_up, _BACK, _WELL_KNOWN):
            tidied = made_up
    room.begin_at(tidied)
    for place, j in enumerate(knobs.free):
        if tidied[place] == start[place] or space.levels[place]:
            continue
        values = values_of(knobs, tidied, space.steps)
        for shorter in _rounded(knobs[j], values[j]):
            values[j] = shorter
            rounded = _with(tidied, place, point_of(knobs, values, space.steps)[place])
            if room.holds(rounded, _ROUNDED):
                tidied = rounded
                break
    return tidied


class _Room:
    """How far a setting may differ from the one that was found."""

    def __init__(
        self, space: SearchSpace, segments: Sequence[Segment], tells: Sequence[Tell], point: Point, seed: int
    ) -> None:
        dice = np.random.Generator(np.random.Philox(key=[seed, 0x74696479]))
        self._tolerances: Numbers = np.array([max(segment.tolerance, 1e-6) for segment in segments])
        self._model = LocalModel(space, tells, np.array(point))
        self._betas = self._model.draw(_DRAWS, dice)
        self.begin_at(point)

    def begin_at(self, point: Point) -> None:
        """Compare with this setting from now on."""
        self._rates = self._model.chances(np.array([point]))[0]
        self._drawn = self._model.chances_by(self._betas, np.array([point]))[:, 0]

    def change(self, point: Point) -> float:
        """The largest change of a win rate by the model, as a share of the tolerance."""
        rates = self._model.chances(np.array([point]))[0]
        return float((np.abs(rates - self._rates) / self._tolerances).max())

    def made_up(self, point: Point, knobs: Sequence[int]) -> Point:
        """A point with continuous knobs moved, by the shortest steps that bring the win rates back by the model."""
        if not knobs:
            return point
        first = np.array(point)[list(knobs)]
        low, high = np.maximum(first - _FARTHEST, 0.0), np.minimum(first + _FARTHEST, 1.0)
        places = first.copy()
        for _ in range(_STEPS):
            steps = np.vstack([np.zeros(len(knobs)), _TINY * np.eye(len(knobs))])
            around = np.array([self._moved(point, knobs, places + step) for step in steps])
            rates = self._model.chances(around) / self._tolerances
            slopes = (rates[1:] - rates[0]).T / _TINY
            wanted = self._rates / self._tolerances - rates[0]
            damped = slopes @ slopes.T + _DAMPING * np.eye(len(wanted))
            places = np.clip(places + slopes.T @ np.linalg.solve(damped, wanted), low, high)
        return self._moved(point, knobs, places)

    @staticmethod
    def _moved(point: Point, knobs: Sequence[int], places: Numbers) -> Point:
        moved = np.array(point)
        moved[list(knobs)] = places
        return tuple(moved.tolist())

    def holds(self, point: Point, most: float, doubtful: float = _DOUBT) -> bool:
        """Whether a setting is as good: no win rate changes visibly, or by more than `most` times its tolerance.

        doubtful: largest standard deviation of a change, as a share of the tolerance.
        """
        if self.change(point) > most:
            return False
        rates = self._model.chances(np.array([point]))[0]
        doubt = (self._model.chances_by(self._betas, np.array([point]))[:, 0] - self._drawn).std(axis=0)
        small = np.abs(rates - self._rates) <= np.maximum(_VISIBLE * doubt, _ROUNDED * self._tolerances)
        return bool((small & (doubt <= doubtful * self._tolerances)).all())


def _rounded(knob: Knob, value: float) -> Iterator[float]:
    """Shorter numbers within the knob's range, the shortest first."""
    for digits in range(-_MOST_DIGITS, _MOST_DIGITS):
        rounded = round(value, digits)
        if knob.low <= rounded <= knob.high:
            yield rounded


def _with(point: Point, j: int, place: float) -> Point:
    return (*point[:j], place, *point[j + 1 :])
