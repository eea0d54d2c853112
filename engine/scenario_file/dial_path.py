"""Whether a dial does what its label says: between floor and ceiling some knob moves, and not all of them backwards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from engine.parameters import Knob
from engine.scenario_file.positions import KeyPath
from engine.scenario_file.scenario_faults import quote_value

_STILL: Final = 1e-12  # of a position: less is the rounding of an interpolation
_STRAIGHT: Final = (0.0, 1.0)


def fault_of_dial(
    floor: float, ceiling: float, knobs: Mapping[str, Knob], paths: Mapping[str, Sequence[float]]
) -> tuple[KeyPath, str] | None:
    """What is wrong with the way from floor to ceiling, and where it stands; None for a dial that gets harder.

    A knob may fall while another one rises: that is for the run's sanity checks, since only playing tells which of
    them counts more. Where all that moves falls, the dial gets easier whatever the game.

    Args:
        floor, ceiling: ends of the way, 0 <= floor < ceiling <= 1.
        knobs: what moves, by name, with the scenario's bounds.
        paths: positions of some of them, 0 easiest to 1 hardest; the others go straight from 0 to 1.
    """
    places = _places(floor, ceiling, paths)
    ways = {name: [_rank(knob, paths.get(name, _STRAIGHT), at) for at in places] for name, knob in knobs.items()}
    steps = {name: [after - before for before, after in pairwise(way)] for name, way in ways.items()}
    moves = False
    for j, (begin, end) in enumerate(pairwise(places)):
        here = {name: step[j] for name, step in steps.items() if abs(step[j]) > _STILL}
        moves = moves or bool(here)
        if here and all(step < 0.0 for step in here.values()):
            name = next(iter(here))
            return ("dial", "path", name), (
                f"must get harder with difficulty, from 0 (easiest) to 1 (hardest), got {quote_value(paths[name])}: "
                f"from difficulty {begin:g} to {end:g} nothing gets harder and {name} gets easier; turn it round"
            )
    if moves:
        return None
    name = next((name for name in knobs if name in paths), "")
    address: KeyPath = ("dial", "path", name) if name else ("dial", "ceiling")
    return address, (
        f"must let the dial change a parameter, but from floor {floor:g} to ceiling {ceiling:g} none changes; widen "
        "the path, or floor and ceiling"
    )


def still_parts(
    floor: float, ceiling: float, knobs: Mapping[str, Knob], paths: Mapping[str, Sequence[float]]
) -> list[tuple[float, float]]:
    """Parts of the way from floor to ceiling in which no knob moves, as pairs of difficulties; arguments as above."""
    places = _places(floor, ceiling, paths)
    return [
        (begin, end)
        for begin, end in pairwise(places)
        if all(
            abs(_rank(knob, paths.get(name, _STRAIGHT), end) - _rank(knob, paths.get(name, _STRAIGHT), begin)) <= _STILL
            for name, knob in knobs.items()
        )
    ]


def _places(floor: float, ceiling: float, paths: Mapping[str, Sequence[float]]) -> list[float]:
    """Both ends, and between them where a path turns."""
    turns = {i / (len(path) - 1) for path in paths.values() for i in range(len(path))}
    return sorted({floor, ceiling, *(turn for turn in turns if floor < turn < ceiling)})


def _rank(knob: Knob, path: Sequence[float], difficulty: float) -> float:
    """How hard a knob is at a place of the dial: its position, or for one of steps the number of its step."""
    last = len(path) - 1
    i = min(int(difficulty * last), last - 1)
    share = difficulty * last - i
    position = path[i] * (1.0 - share) + path[i + 1] * share
    if not knob.levels:
        return position
    if knob.harder == "low" and knob.scale != "choice":  # counted from the easy end, as engine.parameters turns it
        return -min(math.floor((1.0 - position) * knob.levels), knob.levels - 1.0)
    return min(math.floor(position * knob.levels), knob.levels - 1.0)
