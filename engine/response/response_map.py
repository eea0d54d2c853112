"""The response map: win probability over (skill, setting), from many attempts of the batch kernel.

Skill is skill now, after practice and tiring; the setting is a place on the dial. A map belongs to one game, one
space of knobs, one dial and one cohort's traits. It is what tells the true chance behind an attempt where a game has
no closed form, and what lets a controller imagine players.

Maps are kept between processes in the cache folder, by the content of all that they depend on, the game's rules and the
player model included.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.arithmetic import logistic, logit
from engine.attempt import unpack_params
from engine.batch import Crowd, batch_of, batch_wins
from engine.external.external_game import AnyGame, ExternalGame
from engine.game import Game
from engine.inference.intervals import normal_half_width, wilson
from engine.kernel import compiled, kernel_digest
from engine.parameters import ParameterSpace, along, to_real
from engine.players import (
    MIX,
    OVERRIDES,
    PLAYER,
    TRAIT_LIST,
    TRAIT_NAMES,
    Distribution,
    be_born,
    distribution_table,
    faculties_of,
)
from engine.response.kept_tables import keep_tables, read_tables
from engine.response.monotone import TOLERANCE, monotone

Numbers = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]  # (skills done, skills in all)

SKILLS: Final = tuple(0.5 * step for step in range(-10, 11))  # of players: the median has 0, sd about 1
POINTS: Final = 21
ATTEMPTS: Final = 2000  # for each cell
SEED: Final = 20_260  # fixed in advance, and used for nothing else but maps

# What acts on an attempt besides skill. All other traits act through skill now, or between attempts.
ACTING: Final = ("slope", "speed", *OVERRIDES)
# A condition that is none: the skill asked for is the skill that plays.
_CALM: Final = {name: Distribution("fixed", 0.0) for name in ("jump", "tilt", "thrown")}
_COARSE: Final = 10  # a knob of at most so many values moves the chance in steps that interpolation must not smooth
_NEVER: Final = 1e-12  # a closed form's chance is held so far away from 0 and 1, so that its logit is finite
_FORMAT: Final = 1  # of the files
_TABLES: Final = ("raw", "rate", "low", "high")


@dataclass(frozen=True, eq=False)
class ResponseMap:
    """Win probability in cells of (skill, difficulty). All arrays are read-only; n skills, m places on the dial.

    rate never falls with skill and never rises along the dial; it is the monotone fit of raw. low and high are the
    monotone fits of 95 % intervals (Wilson's over attempts, normal over players for a closed form), so low <= rate <=
    high. Cells share their luck: neighbours differ less by chance than their intervals say.
    """

    skills: Numbers  # shape (n,), skill units, ascending
    dial: Numbers  # shape (m,), in [0, 1], ascending; where a coarse knob jumps, both sides of the jump
    attempts: int  # behind each cell: of different players, one each; players, for a closed form
    seed: int
    exact: bool  # from the game's closed form, averaged over the players
    raw: Numbers  # shape (n, m): share won, or mean chance
    rate: Numbers  # shape (n, m)
    low: Numbers  # shape (n, m)
    high: Numbers  # shape (n, m)

    @cached_property
    def logits(self) -> Numbers:
        """Logits of the rate, shape (n, m), finite and monotone, the same bits on every machine.

        Shares won are first drawn toward one half by Jeffreys' half attempt to each side: no rate of 0 or 1 is sure.
        """
        if self.exact:
            chances = np.clip(self.rate, _NEVER, 1.0 - _NEVER)
        else:
            chances = (self.rate * self.attempts + 0.5) / (self.attempts + 1.0)
        return _frozen(np.array([logit(float(chance)) for chance in chances.flat]).reshape(chances.shape))

    def probability(self, skill: npt.ArrayLike, difficulty: npt.ArrayLike) -> Numbers:
        """Win probability, of the shape that skill and difficulty have together, see `logit_at`.

        skill: skill now, in skill units; difficulty: where the dial acts, in [0, 1]. Beyond its ends the map goes on
        as it is there. Raises ValueError for what is not finite.
        """
        # Copies: views of many layouts would each be compiled for.
        pairs = np.array(np.broadcast_arrays(skill, difficulty), dtype=np.float64)
        if not np.isfinite(pairs).all():
            raise ValueError("a response map needs finite skills and difficulties, got NaN or infinity")
        out = np.empty(pairs.shape[1:])
        look_up = compiled(chances_at)
        look_up(self.logits.ravel(), self.skills, self.dial, pairs[0].ravel(), pairs[1].ravel(), out.reshape(-1))
        return out

    @property
    def half_width(self) -> float:
        """Half the width of the widest interval."""
        return float((self.high - self.low).max()) / 2.0

    @property
    def disorder(self) -> npt.NDArray[np.bool_]:
        """Cells in which the fit hides more than chance explains, shape (n, m): a harder place is won more often there.

        Of a map whose truth is monotone, less than one in twenty has any such cell (Bonferroni).
        """
        if self.exact:
            low, high = self.raw - TOLERANCE * self.raw.size, self.raw + TOLERANCE * self.raw.size
        else:
            low, high = _wilson(self.raw, self.attempts, 1.0 - 0.05 / self.raw.size)
        hidden: npt.NDArray[np.bool_] = (self.rate < low) | (self.rate > high)
        return hidden


def logit_at(logits: Any, skills: Any, dial: Any, skill: float, difficulty: float) -> float:
    """A map's logit at any skill and difficulty, bilinear between cells, held at the ends. It compiles.

    logits: shape (n * m,), rows of the table one after the other; skills: shape (n,); dial: shape (m,).
    """
    m = len(dial)
    i = _cell(skills, skill)
    j = _cell(dial, difficulty)
    down = _share(skills, i, skill)
    right = _share(dial, j, difficulty)
    at = i * m + j
    weak = float(logits[at]) * (1.0 - right) + float(logits[at + 1]) * right
    strong = float(logits[at + m]) * (1.0 - right) + float(logits[at + m + 1]) * right
    return weak * (1.0 - down) + strong * down


def _cell(edges: Any, value: float) -> int:
    """Index of the last edge that is not above the value, but of one that has a right neighbour."""
    low = 0
    high = len(edges) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if edges[middle] <= value:
            low = middle
        else:
            high = middle
    return low


def _share(edges: Any, i: int, value: float) -> float:
    """How far the value is from edge i to the next one, in [0, 1]."""
    return min(max((value - float(edges[i])) / (float(edges[i + 1]) - float(edges[i])), 0.0), 1.0)


def chances_at(logits: Any, skills: Any, dial: Any, skill: Any, difficulty: Any, out: Any) -> None:
    """Win probabilities at pairs of skill and difficulty, all of shape (pairs,), into out."""
    for k in range(len(out)):
        out[k] = logistic(logit_at(logits, skills, dial, float(skill[k]), float(difficulty[k])))


def response_map(
    game: AnyGame,
    space: ParameterSpace,
    path: Numbers,
    traits: Numbers,
    *,
    skills: Sequence[float] | Numbers = SKILLS,
    dial: Sequence[float] | Numbers | None = None,
    attempts: int = ATTEMPTS,
    seed: int = SEED,
    threads: int = 1,
    progress: Progress | None = None,
) -> ResponseMap:
    """The map of a game for players that differ as a cohort in everything but skill; from the cache where it is known.

    space: the game's knobs, with bounds and held values; path: the dial, shape (points, knobs); traits: one cohort's
    table, shape (traits, 6), see engine.players.distribution_table. Of these, slope, speed and the motor overrides act.
    Skill takes each value of `skills`. There is no practice, tiredness, tilt, jump, thrown attempt or bend of the dial.
    dial: places on it; `dial_places` when None. threads change no number.

    With a closed form the map is its mean over so many players, else the share that as many players win, one attempt
    each. All cells meet the same players and the same luck. Raises ValueError for a grid that does not ascend.
    """
    where = dial_places(space, path) if dial is None else np.array(dial, dtype=np.float64)
    who = np.array(skills, dtype=np.float64)
    _check(who, where, traits, attempts)
    crowd = _calm_crowd(traits)
    key = _key(game, space, path, crowd, who, where, attempts, seed)
    tables = read_tables(key, _TABLES, (len(who), len(where)))
    exact = game.win_probability is not None
    if tables is None:
        values = np.array([space.real([along(path, j, float(u)) for j in range(len(space))]) for u in where])
        estimate = _averaged if exact else _played
        raw, low, high = estimate(game, values, crowd, who, attempts, seed, threads, progress)
        rate = monotone(raw)
        low, high = (
            np.minimum(monotone(low), rate),
            np.maximum(monotone(high), rate),
        )
        tables = {"raw": raw, "rate": rate, "low": low, "high": high}
        keep_tables(key, tables)
    return ResponseMap(
        _frozen(who), _frozen(where), attempts, seed, exact, **{name: _frozen(tables[name]) for name in _TABLES}
    )


def dial_places(space: ParameterSpace, path: Numbers, points: int = POINTS) -> Numbers:
    """Where a map looks at the dial: so many places at equal steps, and both sides of each jump of a coarse knob.

    A knob of few values (a choice, a number of hearts) moves the chance at once; a map that interpolated across the
    jump would be wrong by half of it. path: shape (points of the dial, knobs).
    """
    table = space.table()
    coarse = [j for j in space.free if 0 < space[j].levels <= _COARSE]

    def held(u: float) -> list[float]:
        return [to_real(table, j, along(path, j, u)) for j in coarse]

    corners = [k / (len(path) - 1) for k in range(len(path))]  # between them each knob goes one way
    sides = [side for left, right in itertools.pairwise(corners) for side in _jumps(held, left, right)]
    return np.unique(np.concatenate([np.linspace(0.0, 1.0, points), sides]))


def _jumps(held: Callable[[float], list[float]], left: float, right: float) -> Iterator[float]:
    """Both sides, next to each other as numbers, of every change of `held` in an interval where it goes one way."""
    if held(left) == held(right):
        return
    middle = (left + right) / 2.0
    if not left < middle < right:
        yield from (left, right)
        return
    yield from _jumps(held, left, middle)
    yield from _jumps(held, middle, right)


def _check(skills: Numbers, dial: Numbers, traits: Numbers, attempts: int) -> None:
    for name, grid, low, high in (("skills", skills, -1000.0, 1000.0), ("dial", dial, 0.0, 1.0)):
        if grid.ndim != 1 or len(grid) < 2 or not (np.diff(grid) > 0.0).all() or grid[0] < low or grid[-1] > high:
            raise ValueError(
                f"the {name} of a response map must be two or more ascending numbers in [{low:g}, {high:g}], got "
                f"{grid.tolist()}"
            )
    count = len(TRAIT_LIST)
    if traits.shape not in ((count, MIX), (count, MIX + count)):
        raise ValueError(f"a response map needs one cohort's traits, shape ({count}, {MIX}), got {traits.shape}")
    if attempts < 1:
        raise ValueError(f"a response map needs one or more attempts for each cell, got {attempts}")


def _calm_crowd(traits: Numbers) -> Numbers:
    """The cohort without condition, shape (traits, 6): so cohorts that differ in what does not act share a map."""
    calm = distribution_table(_CALM)
    for name in ACTING:
        row = TRAIT_NAMES.index(name)
        calm[row] = traits[row, :MIX]
        # One draw that a cohort shares in a replica is one of many cohorts here: each player gets a draw of it.
        calm[row, 2] = math.sqrt(traits[row, 2] ** 2 + traits[row, 5] ** 2) if traits[row, 5] else traits[row, 2]
        calm[row, 5] = 0.0
    return calm


def _of_skill(crowd: Numbers, skill: float) -> Numbers:
    """The same players, all with this skill."""
    table = crowd.copy()
    table[TRAIT_NAMES.index("skill"), :MIX] = (0.0, skill, 0.0, skill, skill, 0.0)
    return table


def _played(
    game: AnyGame,
    values: Numbers,
    crowd: Numbers,
    skills: Numbers,
    attempts: int,
    seed: int,
    threads: int,
    progress: Progress | None,
) -> tuple[Numbers, Numbers, Numbers]:
    """Share won and its interval, each of shape (skills, settings)."""
    raw = np.empty((len(skills), len(values)))
    if progress:
        progress(0, len(skills))
    for i, skill in enumerate(skills):
        players = Crowd(_of_skill(crowd, float(skill)), attempts)
        raw[i] = batch_wins(game, values, players, seed, threads=threads) / attempts
        if progress:
            progress(i + 1, len(skills))
    return raw, *_wilson(raw, attempts)


def _wilson(raw: Numbers, attempts: int, *confidence: float) -> Numbers:
    """Both ends of Wilson's interval, shape (2, *raw.shape)."""
    ends = [wilson(float(share) * attempts, attempts, *confidence) for share in raw.flat]
    found: Numbers = np.clip(np.array(ends).T, 0.0, 1.0).reshape(2, *raw.shape)
    return found


def _averaged(
    game: AnyGame,
    values: Numbers,
    crowd: Numbers,
    skills: Numbers,
    players: int,
    seed: int,
    threads: int,
    progress: Progress | None,
) -> tuple[Numbers, Numbers, Numbers]:
    """The closed form's mean over players and its interval, each of shape (skills, settings)."""
    kernel = compiled(chances_of(game))
    sums = np.zeros((2, len(skills), len(values)))

    def row(i: int) -> None:
        kernel(values, _of_skill(crowd, float(skills[i])), seed, players, np.zeros(1, PLAYER), sums[0, i], sums[1, i])

    with ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(row, range(len(skills))), 1):
            if progress:
                progress(done, len(skills))
    raw = sums[0]
    half = normal_half_width() * np.sqrt(sums[1] / max(players - 1, 1) / players)
    return raw, np.maximum(raw - half, 0.0), np.minimum(raw + half, 1.0)


@cache
def chances_of(game: Game) -> Callable[..., None]:
    """The plain kernel: mean of a closed form's chances over players, and the sum of squares about it, by setting."""
    assert game.win_probability is not None
    unpack, chance = unpack_params(game), game.win_probability

    def chances(values: Any, traits: Any, seed: int, players: int, player: Any, means: Any, squares: Any) -> None:
        for i in range(players):
            be_born(player[0], i, 0, traits, seed, 0, 0, 0.0)
            faculties = faculties_of(player[0])
            for k in range(len(values)):
                # Welford's update: players without a difference have a spread of exactly 0.
                above = chance(unpack(values[k]), faculties) - means[k]
                means[k] += above / (i + 1.0)
                squares[k] += above * above * (i / (i + 1.0))

    return chances


def _frozen(array: Numbers) -> Numbers:
    array.flags.writeable = False
    return array


def _key(
    game: AnyGame,
    space: ParameterSpace,
    path: Numbers,
    crowd: Numbers,
    skills: Numbers,
    dial: Numbers,
    attempts: int,
    seed: int,
) -> str:
    """32 hex digits that change with anything that could change a map."""
    if isinstance(game, ExternalGame):
        digest = repr(game.facts)
    else:
        digest = kernel_digest(batch_of(game) if game.win_probability is None else chances_of(game), monotone)
    state = hashlib.sha256(f"{_FORMAT} {digest} {attempts} {seed}".encode())
    for array in (space.table(), path, crowd, skills, dial):
        state.update(f" {array.shape} ".encode() + np.ascontiguousarray(array, dtype=np.float64).tobytes())
    return state.hexdigest()[:32]
