"""Casting: imagined players drawn from trait distributions, as the tables that controllers.common.particles works on.

Draws are Sobol points (Sobol 1967; direction numbers of Joe and Kuo 2008, as scipy has them) under a digital shift by
address, put through the engine's own distributions. Each trait that varies takes one dimension. In a cohort that shares
a dial a particle is a cohort: the common part of its players' traits is drawn, and the individual parts of its members
are at equal steps.

The ground is a game's closed form where it has one, and its response map elsewhere. A response map holds what a player
does in the game, so there slope and lapse have no say of their own. A reference knows more: the chance map, which adds
to the ground what the level and the player's other traits do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from controllers.common.particles import CELLS, CURVE_STEPS, KNOTS, KNOTS_PER_LOG, REACH, Cast, Numbers
from engine.arithmetic import log, logistic, logit
from engine.attempt import unpack_params
from engine.controller import Bounds, Brief
from engine.external.external_game import rules_of
from engine.game import Faculties
from engine.kernel import compiled
from engine.parameters import along
from engine.players import PLAYER, TRAIT_NAMES, draw_trait, either
from engine.randomness import CONTROLLER, key_of, words
from engine.response.chance_map import TRAIT_REACH, LogitChart, chance_map, terms_of
from engine.response.response_map import ACTING, logit_at, response_map

MEMBERS: Final = 10  # of an imagined cohort
STEPS: Final = (1, 3, 7, 9)  # coprime to MEMBERS: each trait takes its members in another order
BITS: Final = 30  # of a Sobol number, as scipy makes it
FURTHEST: Final = 2000.0  # skill units: traits, tilt included, go no further
USED: Final = (
    "skill", "slope", "learning", "fatigue", "lapse", "practice_gain", "practice_attempts", "tiring", "jump",
    "jump_attempt", "tilt", "lowest_skill", "highest_skill", "bend_a", "bend_b", "thrown", "speed", "reaction_s",
    "slip", "foresight",
)  # fmt: skip
_ADDED: Final = ("levels", "added", "added_skill", "added_square", "added_own", "span")
NOTHING: Final = (0.0, *[np.zeros(1)] * 5)  # is added

UNBOUNDED: Final = Bounds(0.0, 1.0, 0.0, 1.0)

_LOG2_E: Final = 1.4426950408889634
_LN2: Final = 0.6931471805599453


class Ground(NamedTuple):
    """How skill meets the dial in a game."""

    first_skill: float  # of the rows of `logits`, at equal steps
    skill_step: float
    logits: Numbers  # M, shape (skills, CELLS + 1): of the win probability within its bounds, at slope 1
    bottom: Numbers  # shape (CELLS + 1,): lowest win probability
    highest: float  # win probability without lapses, with all the skill there can be
    idle: float  # the same of a player who always lapses
    closed: bool  # slope and lapse act on the chance; otherwise they are in the logits


def closed_ground(dial: Numbers, bottom: Numbers, highest: float, idle: float) -> Ground:
    """Skill less b(d), in the closed form of the four-parameter logistic family. dial: b, shape (CELLS + 1,)."""
    ends = np.array([[-FURTHEST], [FURTHEST]])
    return Ground(-FURTHEST, 2.0 * FURTHEST, ends - dial, bottom, highest, idle, True)


def plain_ground(guess: float) -> Ground:
    """Skill is a place on the dial."""
    return closed_ground(np.arange(CELLS + 1) / CELLS, np.full(CELLS + 1, guess), 1.0, 0.0)


def ground_of(brief: Brief, cohort: int) -> Ground:
    """The ground of a game: its closed form, or its response map for a cohort, which takes seconds when it is new.

    Raises ValueError for a closed form of another family.
    """
    if brief.game.win_probability is not None:
        return _asked_ground(brief)
    known = response_map(brief.game, brief.space, brief.path, brief.traits[cohort])
    cells = np.arange(CELLS + 1) / CELLS
    logits = np.empty((len(known.skills), CELLS + 1))
    compiled(_looked_up)(known.logits.ravel(), known.skills, known.dial, cells, logits)
    step = float(known.skills[1] - known.skills[0])
    return Ground(float(known.skills[0]), step, logits, np.zeros(CELLS + 1), 1.0, 0.0, False)


def _looked_up(logits: Any, skills: Any, dial: Any, cells: Any, out: Any) -> None:
    """A response map's logits at its own skills and the places of the dial's tables, into out."""
    for i in range(len(skills)):
        for cell in range(len(cells)):
            out[i, cell] = logit_at(logits, skills, dial, float(skills[i]), float(cells[cell]))


def _asked_ground(brief: Brief) -> Ground:
    """The ground of a closed form, measured by calling it."""
    chance, unpack = brief.game.win_probability, unpack_params(rules_of(brief.game, "a closed form"))
    assert chance is not None

    def asked(difficulty: float, skill: float, slope: float, lapse: float) -> float:
        values = brief.space.real([along(brief.path, j, difficulty) for j in range(len(brief.space))])
        return float(chance(unpack(values), Faculties(skill, slope, 0.0, 0.0, 0.0, 0.0, lapse, 1.0)))

    dial, bottom = np.empty(CELLS + 1), np.empty(CELLS + 1)
    highest, idle = asked(0.0, 1e6, 1.0, 0.0), asked(0.0, 1e6, 1.0, 1.0)
    for cell in range(CELLS + 1):
        d = cell / CELLS
        low, high = asked(d, -1e6, 1.0, 0.0), asked(d, 1e6, 1.0, 0.0)
        dial[cell] = -logit((asked(d, 0.0, 1.0, 0.0) - low) / (high - low))
        bottom[cell] = low
        expected = low + (high - 0.1 * (highest - idle) - low) * logistic(2.0 * (1.0 - dial[cell]))
        if abs(asked(d, 1.0, 2.0, 0.1) - expected) > 1e-9:
            raise ValueError(
                f"a closed form must be bottom + (top - lapse - bottom) logistic(slope (skill - b)) to be predicted "
                f"by particles, but that of {brief.game.name} is not"
            )
    return closed_ground(dial, bottom, highest, idle)


def true_cast_of(brief: Brief, cohort: int, count: int, shared: bool) -> Cast:
    """Imagined players of a cohort, of whom is known what no game tells: what each level does, and each trait."""
    table = brief.traits[cohort]
    if brief.game.win_probability is not None:
        return cast_of([table], ground_of(brief, cohort), count, shared)
    known = chance_map(brief.game, brief.space, brief.path, table, levels=brief.levels, seed=brief.seed_of_levels)
    return cast_of([table], ground_of(brief, cohort), count, shared, chart=known.chart)


def cast_of(
    tables: Sequence[Numbers], ground: Ground, count: int, shared: bool, *, chart: LogitChart | None = None
) -> Cast:
    """`count` particles (a power of two) of each kind of player, all of one weight.

    tables: the traits of each kind, as in engine.players.distribution_table. shared: a particle is a cohort of MEMBERS.
    chart: what is added to the ground of a response map; None for nothing. Raises ValueError where a dial that players
    feel bent also moves the lowest win probability.
    """
    kinds = [_drawn(table.tobytes(), len(table), count, MEMBERS if shared else 1) for table in tables]
    traits = {name: np.concatenate(parts) for name, parts in zip(USED, zip(*kinds, strict=True), strict=True)}
    skill, slope = traits["skill"], traits["slope"]
    voices, particles = len(skill), count * len(tables)
    top = np.full(voices, ground.highest)
    if ground.closed:
        lapses = [either(x, logistic(-3.9 - 0.5 * s)) for x, s in zip(traits["lapse"].tolist(), skill.tolist())]
        top = top - (ground.highest - ground.idle) * np.array(lapses)
    added = NOTHING if chart is None or len(chart.terms) == 0 else _added(chart, traits)
    rest: dict[str, Any] = {**UNBOUNDED._asdict(), **dict(zip(_ADDED, added, strict=True))}
    return Cast(
        members=float(voices // particles),
        weight=np.full(particles, 1.0 / particles),
        skill=skill,
        slope=slope if ground.closed else np.ones(voices),
        top=top,
        idle_top=ground.idle,
        thrown=traits["thrown"],
        learning=traits["learning"],
        fatigue=traits["fatigue"],
        tiring=traits["tiring"],
        jump=traits["jump"],
        jump_attempt=traits["jump_attempt"],
        lift=traits["tilt"] / slope,
        lowest=traits["lowest_skill"],
        highest=traits["highest_skill"],
        practice=_practice(traits["practice_gain"], traits["practice_attempts"]).ravel(),
        felt=_felt(traits["bend_a"], traits["bend_b"], ground.bottom).ravel(),
        bottom=ground.bottom,
        first_skill=ground.first_skill,
        skill_step=ground.skill_step,
        ground=ground.logits.ravel(),
        curve=_curve(),
        **rest,
    )


def _added(chart: LogitChart, traits: dict[str, Numbers]) -> tuple[float | Numbers, ...]:
    """The terms of a chart for voices with these traits, as `particles.added_to` adds them up: fields of _ADDED."""
    levels, count = chart.terms.shape
    dial, skill = np.zeros((levels, CELLS + 1)), np.zeros((levels, CELLS + 1))
    ahead = 5 + len(chart.jumps)
    terms = np.empty(count)
    nobody = np.zeros(1, PLAYER)[0]
    for name in ACTING:
        nobody[name] = 1.0
    for cell in range(CELLS + 1):
        terms_of(chart, 0.0, 0.0, cell / CELLS, nobody, terms)
        for j in range(ahead):  # one after the other: a matrix product has its own order on every machine
            dial[:, cell] += chart.terms[:, j] * terms[j]
        d = cell / CELLS - 0.5
        skill[:, cell] = chart.terms[:, ahead] + chart.terms[:, ahead + 1] * d + chart.terms[:, ahead + 2] * d * d
    own = np.zeros((levels, 5, len(traits["skill"])))
    own[:, 4] = chart.terms[:, ahead + 4, None]
    for k, which in enumerate(chart.which.tolist()):
        values = traits[ACTING[which]]
        if chart.bent[k]:
            values = np.array([log(value) for value in values.tolist()])
        z = np.clip((values - chart.middle[k]) / chart.spread[k], -TRAIT_REACH, TRAIT_REACH)
        a, b, c, e, f, g, h = chart.terms[:, ahead + 5 + 7 * k : ahead + 12 + 7 * k].T[:, :, None]
        own += np.stack([a * z + f * z * z, b * z, c * z + g * z * z, e * z, h * z], axis=1)
    return float(levels), dial.ravel(), skill.ravel(), chart.terms[:, ahead + 3].copy(), own.ravel(), chart.span


@lru_cache(maxsize=1)
def _curve() -> Numbers:
    """The logistic from -REACH to REACH, CURVE_STEPS to the logit."""
    return np.array([logistic(k / CURVE_STEPS - REACH) for k in range(2 * REACH * CURVE_STEPS + 1)])


def _practice(gain: Numbers, slowness: Numbers) -> Numbers:
    """Gain of skill at each knot, shape (KNOTS, voices), or (KNOTS, 1) without practice (engine.players)."""
    if not gain.any():
        return np.zeros((KNOTS, 1))
    attempts = _exps(np.arange(KNOTS) / KNOTS_PER_LOG) - 1.0
    return gain * (1.0 - _exps(-0.8 * _logs(1.0 + attempts[:, None] / slowness)))


def _felt(a: Numbers, b: Numbers, bottom: Numbers) -> Numbers:
    """Where the dial acts for each voice, in cells, shape (CELLS + 1, voices), or (CELLS + 1, 1) without bends.

    Place d acts as 1 - (1 - d^a)^b (engine.players.felt_difficulty).
    """
    if (a == 1.0).all() and (b == 1.0).all():
        return np.arange(CELLS + 1.0)[:, None]
    if (bottom != bottom[0]).any():
        raise ValueError(
            "where players have a bend, the dial must not move the lowest chance of winning; fix that "
            "knob in [game.params]"
        )
    felt = np.zeros((CELLS + 1, len(a)))
    felt[CELLS] = 1.0
    rest = 1.0 - _exps(a * _logs(np.arange(1, CELLS) / CELLS)[:, None])
    felt[1:CELLS] = 1.0 - _exps(b * _logs(np.maximum(rest, 1e-300)))
    return CELLS * felt


def _exps(x: Numbers) -> Numbers:
    """e^x, relative error below 1e-9; |x| is limited to 700. Taylor series of degree 7 at a quarter of the rest."""
    x = np.clip(x, -700.0, 700.0)
    k = np.floor(x * _LOG2_E + 0.5)
    r = (x - k * _LN2) * 0.25
    p = 1.0 + r * (1.0 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040)))))))
    powers: Numbers = np.ldexp(p * p * p * p, k.astype(np.int64))
    return powers


def _logs(x: Numbers) -> Numbers:
    """Natural logarithms of numbers > 0, error below 1e-9: the atanh series of degree 11 on |s| <= 0.172."""
    m, e = np.frexp(x)
    low = m < math.sqrt(0.5)
    m, e = np.where(low, 2.0 * m, m), np.where(low, e - 1, e)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    logs: Numbers = e * _LN2 + 2.0 * s * (1.0 + z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11))))))
    return logs


@lru_cache(maxsize=16)
def _drawn(table: bytes, rows: int, count: int, members: int) -> tuple[Numbers, ...]:
    """Traits of USED for each voice, shape (count * members,), particle by particle."""
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
            found.append(np.full(count * members, draw_trait(row, 0, 0)))
        elif mine is not None:
            found.append(np.array([draw_trait(row, int(w), int(s)) for w, s in zip(mine, shared, strict=True)]))
        else:
            step = STEPS[order % len(STEPS)]
            order += 1
            stands = [int(((step * i % members) + 0.5) / members * 2.0**32) for i in range(members)]
            found.append(np.array([draw_trait(row, w, int(s)) for s in shared for w in stands]))
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
