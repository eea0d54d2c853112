"""Casting: imagined players drawn from trait distributions, as the tables that controllers.particles works on.

Draws are Sobol points (Sobol 1967; direction numbers of Joe and Kuo 2008, as scipy has them) under a digital shift by
address, put through the engine's own distributions. Each trait that varies takes one dimension. In a cohort that
shares a dial a particle is a cohort: what its players have in common is drawn, and its members stand at equal steps of
what they have of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from controllers.particles import CELLS, Cast, Numbers, exponentials
from engine.arithmetic import log, logistic, logit
from engine.attempt import unpack_params
from engine.controller import Brief
from engine.game import Faculties
from engine.parameters import along
from engine.players import TRAIT_NAMES, drawn, either
from engine.randomness import CONTROLLER, key_of, words

MEMBERS: Final = 10  # of an imagined cohort
STEPS: Final = (1, 3, 7, 9)  # coprime to MEMBERS: each trait takes its members in another order
BITS: Final = 30  # of a Sobol number, as scipy makes it
USED: Final = (
    "skill", "slope", "learning", "fatigue", "lapse", "practice_gain", "practice_attempts", "tiring", "jump",
    "jump_attempt", "tilt", "lowest_skill", "highest_skill", "bend_a", "bend_b", "thrown",
)  # fmt: skip
KNOTS: Final = (*range(17), *(round(16 * 1.08**k) for k in range(1, 72)), 1e9)  # attempts; dense where practice bends


class Ground(NamedTuple):
    """How skill meets the dial in a game."""

    dial: Numbers  # b(d), shape (CELLS + 1,): skill at which the chance is halfway
    bottom: Numbers  # shape (CELLS + 1,): win probability without any skill
    top: Callable[[float], float]  # lapse -> win probability with all the skill there can be


def plain_ground(guess: float) -> Ground:
    """Skill is a place on the dial."""
    return Ground(np.arange(CELLS + 1) / CELLS, np.full(CELLS + 1, guess), lambda lapse: 1.0 - lapse)


def closed_ground(brief: Brief) -> Ground:
    """The ground of a closed form of the four-parameter logistic family, found by asking it.

    Raises ValueError for a game without a closed form, or with one of another family.
    """
    chance = brief.game.win_probability
    if chance is None:
        raise ValueError(f"this controller needs a game with a closed form, and {brief.game.name} has none")
    unpack = unpack_params(brief.game)

    def asked(difficulty: float, skill: float, slope: float, lapse: float) -> float:
        values = brief.space.real([along(brief.path, j, difficulty) for j in range(len(brief.space))])
        return float(chance(unpack(values), Faculties(skill, slope, 0.0, 0.0, 0.0, 0.0, lapse, 1.0)))

    dial, bottom = np.empty(CELLS + 1), np.empty(CELLS + 1)
    for cell in range(CELLS + 1):
        d = cell / CELLS
        low, high = asked(d, -1e6, 1.0, 0.0), asked(d, 1e6, 1.0, 0.0)
        dial[cell] = -logit((asked(d, 0.0, 1.0, 0.0) - low) / (high - low))
        bottom[cell] = low
        expected = low + (high - low) * logistic(2.0 * (1.0 - dial[cell]))
        if abs(asked(d, 1.0, 2.0, 0.0) - expected) > 1e-9:
            raise ValueError(f"a closed form must be logistic in slope (skill - b), that of {brief.game.name} is not")
    return Ground(dial, bottom, lambda lapse: asked(0.0, 1e6, 1.0, lapse))


def cast_of(table: Numbers, ground: Ground, count: int, shared: bool) -> Cast:
    """`count` particles (a power of two) of one cohort. table: its traits, as in engine.players.distribution_table.

    Raises ValueError where a dial that players feel bent also moves the lowest win probability.
    """
    members = MEMBERS if shared else 1
    drawn_traits = _drawn(table.tobytes(), len(table), count, members)
    traits = dict(zip(USED, drawn_traits, strict=True))
    skill, slope = traits["skill"], traits["slope"]
    lapses = [either(x, logistic(-3.9 - 0.5 * s)) for x, s in zip(traits["lapse"].tolist(), skill.tolist())]
    tops = {lapse: ground.top(lapse) for lapse in {*lapses, 1.0}}
    gain, slowness = traits["practice_gain"], traits["practice_attempts"]
    knots = np.array(KNOTS, dtype=np.float64)
    practice = np.zeros((len(KNOTS), 1))
    if gain.any():
        practice = gain * (1.0 - exponentials(-0.8 * _logs(1.0 + knots[:, None] / slowness)))
    return Cast(
        members=float(members),
        weight=np.full(count, 1.0 / count),
        skill=skill,
        slope=slope,
        top=np.array([tops[lapse] for lapse in lapses]),
        idle_top=np.full(len(skill), tops[1.0]),
        thrown=traits["thrown"],
        learning=traits["learning"],
        fatigue=traits["fatigue"],
        tiring=traits["tiring"],
        jump=traits["jump"],
        jump_attempt=traits["jump_attempt"],
        lift=exponentials(-traits["tilt"]),
        drop=exponentials(traits["tilt"]),
        lowest=traits["lowest_skill"],
        highest=traits["highest_skill"],
        knots=knots,
        practice=practice.ravel(),
        dial=exponentials(slope * _felt(ground, traits["bend_a"], traits["bend_b"])).ravel(),
        bottom=ground.bottom,
    )


def _logs(x: Numbers) -> Numbers:
    """Natural logarithms of an array, by engine.arithmetic."""
    return np.array([log(float(number)) for number in x.ravel()]).reshape(x.shape)


def _felt(ground: Ground, a: Numbers, b: Numbers) -> Numbers:
    """b(d) as each voice feels it, shape (CELLS + 1, voices): place d acts as 1 - (1 - d^a)^b (engine.players.felt)."""
    if (a == 1.0).all() and (b == 1.0).all():
        return np.repeat(ground.dial[:, None], len(a), axis=1)
    if (ground.bottom != ground.bottom[0]).any():
        raise ValueError("where players feel the dial bent, it must not move the lowest chance of winning; hold it")
    places = np.arange(CELLS + 1) / CELLS
    felt = np.zeros((CELLS + 1, len(a)))
    felt[CELLS] = 1.0
    rest = 1.0 - exponentials(a * _logs(places[1:CELLS])[:, None])
    felt[1:CELLS] = 1.0 - exponentials(b * _logs(np.maximum(rest, 1e-300)))
    return np.interp(felt, places, ground.dial)


@lru_cache(maxsize=16)
def _drawn(table: bytes, rows: int, count: int, members: int) -> tuple[Numbers, ...]:
    """Traits of USED for each voice, shape (members * count,), voice by voice of all particles."""
    numbers = np.frombuffer(table, dtype=np.float64).reshape(rows, -1)
    chosen = [numbers[TRAIT_NAMES.index(name)] for name in USED]
    own = [row[0] != 0.0 and members == 1 for row in chosen]
    common = [row[5] != 0.0 for row in chosen]
    points = iter(_sobol(sum(own) + sum(common), count).T)
    found = []
    order = 0
    for row, varies, together in zip(chosen, own, common, strict=True):
        mine = next(points) if varies else None
        shared = next(points) if together else np.zeros(count, np.int64)
        if row[0] == 0.0:
            found.append(np.full(count * members, drawn(row, 0, 0)))
        elif mine is not None:
            found.append(np.array([drawn(row, int(w), int(s)) for w, s in zip(mine, shared, strict=True)]))
        else:
            step = STEPS[order % len(STEPS)]
            order += 1
            stands = [int(((step * i % members) + 0.5) / members * 2.0**32) for i in range(members)]
            found.append(np.array([drawn(row, w, int(s)) for w in stands for s in shared]))
    return tuple(found)


def _sobol(dimensions: int, count: int) -> npt.NDArray[np.int64]:
    """Sobol points as 32-bit words, shape (count, dimensions); count is a power of two."""
    from scipy.stats.qmc import Sobol  # half a second to import: only where particles are drawn

    if dimensions == 0:
        return np.zeros((count, 0), np.int64)
    points = Sobol(dimensions, scramble=False, bits=BITS).random_base2(count.bit_length() - 1)
    cells = (points * 2.0**BITS).astype(np.int64)
    shift = [words(key_of(0, 0, CONTROLLER, 0, 0), j)[0] >> (32 - BITS) for j in range(dimensions)]
    found: npt.NDArray[np.int64] = (cells ^ np.array(shift)) * 4 + 2  # 2: the middle of what BITS leave open
    return found
