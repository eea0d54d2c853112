"""The chance map: the win probability of one player of a cohort, on one level, at one place of the dial.

A response map is a mean: over fresh layouts, and over all that players of one skill differ in. A numbered level has
one layout, and a player one speed. So a chance map adds to the response map's logit, for each numbered level (or for
the endless stream), what a logistic regression finds in attempts of players of the cohort on that level: a curve along
the dial with a step of its own at each jump of a coarse knob, how much steeper the level is than the mean of all, what
skill does beyond the map, and for each acting trait that varies what it does to players of each skill at each place.
Where the layout is always fresh and nothing varies but skill, the response map is the answer, and nothing is added.

A trait acts where the same players with the same luck do something else when they all have one end of it, or the
other. The attempts are addressed by a replica that no run has, so a map knows the layouts of a run and nothing of its
luck.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.arithmetic import exp, log, logistic
from engine.attempt import Address, opening_of, play_of
from engine.external.external_game import AnyGame, ExternalGame, Meeting, played_elsewhere
from engine.game import WON, Faculties, Game
from engine.kernel import compiled, kernel_digest
from engine.parameters import ParameterSpace, put_made, value_at
from engine.players import MIX, PLAYER, TRAIT_NAMES, be_born, draw_trait, faculties_of, skill_now
from engine.randomness import CONTROLLER, LARGEST_REPLICA, key_of, unit, words
from engine.response.kept_tables import keep_tables, read_tables
from engine.response.logistic_fit import climb, fit_logistic
from engine.response.response_map import ACTING, ResponseMap, logit_at, response_map

Numbers = npt.NDArray[np.float64]
LevelProgress = Callable[[int, int], None]  # (levels done, levels in all)

LEVEL_ATTEMPTS: Final = 65_536  # behind each numbered level
TRAIT_ATTEMPTS: Final = 131_072  # behind the endless stream, where traits vary
MAP_REPLICA: Final = LARGEST_REPLICA  # of the attempts behind a map
_TRIED: Final = 512  # attempts by which it is found out whether a trait acts
_MOST_TRIED: Final = 300  # attempts of practice behind a player of a map
_MOST_PLACE: Final = 50  # attempts of the session before
_FREE: Final = 0.01  # inverse prior variance of every coefficient: only what no attempt tells of is held at 0
STEEPEST: Final = 8.0  # logits of the response map; what is surer counts as this
TRAIT_REACH: Final = 4.0  # spreads of a trait from its middle: the map goes on from there as it is there
_SIDES: Final = 1e-9  # places of the dial that are nearer to each other are the sides of one jump
_FORMAT: Final = 1  # of the files


class LogitChart(NamedTuple):
    """A chance map as kernels take it; n skills and m places of the response map, k acting traits that vary."""

    logits: Numbers  # of the response map, shape (n * m,)
    skills: Numbers  # shape (n,)
    dial: Numbers  # shape (m,)
    jumps: Numbers  # places of the dial from which on a coarse knob has its next value
    which: npt.NDArray[np.int64]  # the traits, as places in ACTING, shape (k,)
    bent: npt.NDArray[np.int64]  # 1 where the trait's logarithm counts, shape (k,)
    middle: Numbers  # shape (k,)
    spread: Numbers  # shape (k,)
    span: Numbers  # lowest and highest skill of the attempts behind it, shape (2,)
    terms: Numbers  # coefficients, shape (levels, terms); no rows where nothing is added


@dataclass(frozen=True, eq=False)
class ChanceMap:
    """What `chance_map` gives. numbered: whether it has a row for each level, rather than one for an endless stream."""

    known: ResponseMap
    chart: LogitChart
    numbered: bool

    def chances(
        self, players: npt.NDArray[np.void], levels: npt.ArrayLike, skills: npt.ArrayLike, places: npt.ArrayLike
    ) -> Numbers:
        """Win probabilities of attempts, shape (attempts,).

        players: PLAYER records; levels: from 1, 0 in an endless stream; skills: skill now; places: where the dial acts,
        in [0, 1].
        """
        out = np.empty(len(players))
        rows = np.maximum(np.broadcast_to(np.asarray(levels, np.int64), out.shape) - 1, 0)
        skill, place = (np.array(np.broadcast_to(x, out.shape), np.float64) for x in (skills, places))
        compiled(chances_on)(self.chart, rows, skill, place, np.ascontiguousarray(players), out)
        return out


def acting_trait(player: Any, which: int) -> float:
    """A trait of ACTING by its place there: kernels know no field by number."""
    if which == 0:
        return float(player["slope"])
    if which == 1:
        return float(player["speed"])
    if which == 2:
        return float(player["reaction_s"])
    if which == 3:
        return float(player["slip"])
    return float(player["lapse"]) if which == 4 else float(player["foresight"])


def terms_of(chart: LogitChart, base: float, skill: float, place: float, player: Any, out: Any) -> None:
    """What the coefficients of a level belong to, into out, shape (terms,). base: the logit of the response map."""
    d = place - 0.5
    g = min(max(base, -STEEPEST), STEEPEST)
    out[0] = 1.0
    out[1] = d
    out[2] = d * d
    out[3] = d * d * d
    out[4] = d * d * d * d
    at = 5
    for j in range(len(chart.jumps)):
        out[at] = 1.0 if place >= chart.jumps[j] else 0.0
        at += 1
    s = 0.5 * min(max(skill, chart.span[0]), chart.span[1])
    out[at] = s
    out[at + 1] = s * d
    out[at + 2] = s * d * d
    out[at + 3] = s * s
    out[at + 4] = g
    at += 5
    for k in range(len(chart.which)):
        value = acting_trait(player, int(chart.which[k]))
        z = ((log(value) if chart.bent[k] == 1 else value) - chart.middle[k]) / chart.spread[k]
        z = min(max(z, -TRAIT_REACH), TRAIT_REACH)
        out[at] = z
        out[at + 1] = z * s
        out[at + 2] = z * d
        out[at + 3] = z * d * d
        out[at + 4] = z * z
        out[at + 5] = z * z * d
        out[at + 6] = z * g
        at += 7


def count_terms(jumps: int, traits: int) -> int:
    """Terms of a level."""
    return 10 + jumps + 7 * traits


def chart_logit(chart: LogitChart, row: int, skill: float, place: float, player: Any) -> float:
    """The logit of a chance. row: of the level, from 0; place: where the dial acts; player: a PLAYER record."""
    x = logit_at(chart.logits, chart.skills, chart.dial, skill, place)
    if len(chart.terms) == 0:
        return x
    terms = np.empty(chart.terms.shape[1])
    terms_of(chart, x, skill, place, player, terms)
    for a in range(len(terms)):
        x += chart.terms[row, a] * terms[a]
    return x


def chances_on(chart: LogitChart, rows: Any, skills: Any, places: Any, players: Any, out: Any) -> None:
    """Win probabilities of attempts, all of shape (attempts,), into out; see `chart_logit`."""
    for i in range(len(out)):
        out[i] = logistic(chart_logit(chart, int(rows[i]), float(skills[i]), float(places[i]), players[i]))


def chance_map(
    game: AnyGame,
    space: ParameterSpace,
    path: Numbers,
    traits: Numbers,
    *,
    levels: int = 0,
    seed: int = 0,
    attempts: int | None = None,
    threads: int = 1,
    known: ResponseMap | None = None,
    progress: LevelProgress | None = None,
) -> ChanceMap:
    """The map of a game without a closed form for one cohort; from the cache where it is known.

    Args:
        game: what is played.
        space: its knobs, with bounds and held values.
        path: the dial, shape (points, knobs).
        traits: the cohort's table, shape (traits, 6), see engine.players.distribution_table.
        levels: of the campaign; 0 for an endless stream.
        seed: that draws the levels' layouts; without a meaning in an endless stream.
        attempts: behind each level; None for LEVEL_ATTEMPTS, or TRAIT_ATTEMPTS in an endless stream.
        threads: of the measuring; they change no number.
        known: the response map to build on; None for that of the cohort.
        progress: is told how many levels are done.
    """
    base = response_map(game, space, path, traits, threads=threads) if known is None else known
    crowd = strangers(traits)
    bare = _chart(base, space, path, crowd, [])
    acting = [place for place in _varying(crowd) if _acts(game, space, path, crowd, bare, place)]
    chart = _chart(base, space, path, crowd, acting)
    if levels == 0 and not acting:
        return ChanceMap(base, chart, numbered=False)
    count = attempts or (LEVEL_ATTEMPTS if levels else TRAIT_ATTEMPTS)
    layouts = seed if levels else 0
    rows = max(levels, 1)
    shape = rows, count_terms(len(chart.jumps), len(chart.which))
    key = _key(game, space, path, crowd, chart, levels, layouts, count)
    tables = read_tables(key, ("terms",), shape)
    if tables is None:

        def fitted(row: int) -> Numbers:
            tried = _tried(game, space, path, crowd, chart, layouts, row + 1 if levels else 0, count)
            return fit_logistic(tried.design, tried.offsets, tried.won, np.full(shape[1], _FREE))

        terms = np.empty(shape)
        if progress:
            progress(0, rows)
        with ThreadPoolExecutor(threads) as pool:
            for row, found in enumerate(pool.map(fitted, range(rows))):
                terms[row] = found
                if progress:
                    progress(row + 1, rows)
        tables = {"terms": terms}
        keep_tables(key, tables)
    return ChanceMap(base, chart._replace(terms=tables["terms"]), numbered=levels > 0)


class Tried(NamedTuple):
    """Attempts behind a map."""

    design: Numbers  # shape (attempts, terms)
    offsets: Numbers  # logits of the response map, shape (attempts,)
    won: Numbers  # shape (attempts,)
    ticks: npt.NDArray[np.int64]  # shape (attempts,)


def _tried(
    game: AnyGame,
    space: ParameterSpace,
    path: Numbers,
    crowd: Numbers,
    chart: LogitChart,
    seed: int,
    level: int,
    count: int,
) -> Tried:
    tried = Tried(
        np.empty((count, count_terms(len(chart.jumps), len(chart.which)))),
        np.empty(count),
        np.empty(count),
        np.empty(count, np.int64),
    )
    given = chart, np.ascontiguousarray(crowd), space.table(), np.ascontiguousarray(path), seed, level
    if isinstance(game, ExternalGame):
        values, able = np.empty((count, len(space))), np.empty((count, len(Faculties._fields)))
        compiled(set_trials)(*given, np.zeros(1, PLAYER), tried.design, tried.offsets, values, able)
        meetings = (
            Meeting(values[i], Faculties(*row), Address(seed, MAP_REPLICA, i, level, level))
            for i, row in enumerate(able.tolist())
        )
        for i, (_, reply) in enumerate(played_elsewhere(game, meetings)):
            tried.won[i], tried.ticks[i] = reply.outcome == WON, reply.ticks
    else:
        compiled(trials_of(game))(*given, np.zeros(1, PLAYER), *tried)
    return tried


@cache
def trials_of(game: Game) -> Callable[..., None]:
    """The plain kernel: one attempt of each of so many players, at places of the dial that are spread evenly."""
    opening, play = opening_of(game), play_of(game)

    def trials(
        chart: LogitChart, crowd: Any, table: Any, path: Any, seed: int, level: int, players: Any, design: Any,
        offsets: Any, won: Any, ticks: Any,
    ) -> None:  # fmt: skip
        values = np.empty(len(table))
        for i in range(len(won)):
            offsets[i] = set_trial(chart, crowd, table, path, seed, level, i, players[0], values, design[i])
            ended = play(opening(values, seed, MAP_REPLICA, i, level, level), faculties_of(players[0]))
            won[i] = 1.0 if ended.outcome == WON else 0.0
            ticks[i] = ended.ticks

    return trials


def set_trial(
    chart: LogitChart, crowd: Any, table: Any, path: Any, seed: int, level: int, i: int, player: Any, values: Any,
    terms: Any,
) -> float:  # fmt: skip
    """Prepare an attempt: its player, its params and its terms are filled in; its offset. It compiles."""
    stand_in(player, crowd, seed, i, level)
    # Strides of the golden section: the first places of a sequence are spread as evenly as all of them.
    place = (i + 0.5) * 0.6180339887498949
    place -= np.floor(place)
    knobs = path.shape[1]
    for j in range(knobs):
        values[j] = value_at(table, path, j, place, level)
    put_made(table, knobs, level, values)
    skill = skill_now(player)
    offset = logit_at(chart.logits, chart.skills, chart.dial, skill, place)
    terms_of(chart, offset, skill, place, player, terms)
    return offset


def set_trials(
    chart: LogitChart, crowd: Any, table: Any, path: Any, seed: int, level: int, players: Any, design: Any,
    offsets: Any, values: Any, able: Any,
) -> None:  # fmt: skip
    """Prepare many attempts for a game that plays elsewhere: params, shape (attempts, knobs), and faculties."""
    for i in range(len(offsets)):
        offsets[i] = set_trial(chart, crowd, table, path, seed, level, i, players[0], values[i], design[i])
        faculties = faculties_of(players[0])
        for j in range(len(faculties)):
            able[i, j] = faculties[j]


def stand_in(player: Any, crowd: Any, seed: int, number: int, level: int) -> None:
    """Fill a PLAYER record: a player of the cohort in some condition, who throws no attempt.

    Attempts and places of the session are spread evenly by their logarithms, as their effects are.
    """
    be_born(player, number, 0, crowd, seed, MAP_REPLICA, level, 0.0)
    tried, sat, before, _ = words(key_of(seed, MAP_REPLICA, CONTROLLER, number, level), 0)
    attempts = int(exp(log(_MOST_TRIED + 1.0) * unit(tried))) - 1
    player["attempts"] = attempts
    player["place"] = min(attempts, int(exp(log(_MOST_PLACE + 0.0) * unit(sat))) - 1)
    player["tries"] = player["place"] if level > 0 else 0  # where practice on a level counts, it is spread like that
    player["last"] = 1.0 if unit(before) < 0.5 else 0.0
    player["thrown"] = 0.0


def strangers(traits: Numbers) -> Numbers:
    """The cohort's table, with what a cohort shares in one replica drawn for each player: one of many cohorts."""
    crowd = traits.copy()
    for row in crowd:
        if row[5] != 0.0:
            row[2] = math.sqrt(row[2] ** 2 + row[5] ** 2)
            row[5] = 0.0
    return crowd


def _varying(crowd: Numbers) -> list[int]:
    """Which acting traits differ between players, as places in ACTING."""
    rows = [crowd[TRAIT_NAMES.index(name)] for name in ACTING]
    return [place for place, row in enumerate(rows) if _quantile(row, 0.02) < _quantile(row, 0.98)]


def _quantile(row: Numbers, share: float) -> float:
    return draw_trait(row, int(share * 2.0**32), 0)


def _acts(game: AnyGame, space: ParameterSpace, path: Numbers, crowd: Numbers, bare: LogitChart, place: int) -> bool:
    """Whether an attempt goes another way when everybody has one end of a trait, and then the other."""
    at = TRAIT_NAMES.index(ACTING[place])
    ends = []
    for share in (0.02, 0.98):
        table = crowd.copy()
        end = _quantile(crowd[at], share)
        table[at, :MIX] = (0.0, end, 0.0, end, end, 0.0)
        ends.append(_tried(game, space, path, table, bare, 0, 0, _TRIED))
    return bool((ends[0].won != ends[1].won).any() or (ends[0].ticks != ends[1].ticks).any())


def _chart(base: ResponseMap, space: ParameterSpace, path: Numbers, crowd: Numbers, acting: list[int]) -> LogitChart:
    """The chart of a response map, to which nothing is added yet. acting: traits that do, as places in ACTING."""
    rows = [crowd[TRAIT_NAMES.index(ACTING[place])] for place in acting]
    bent = np.array([row[0] in (2.0, 4.0) for row in rows], np.int64)
    ends = np.array([[_quantile(row, share) for share in (0.16, 0.84)] for row in rows]).reshape(len(rows), 2)
    for k in np.flatnonzero(bent):
        ends[k] = [log(float(end)) for end in ends[k]]
    jumps = dial_jumps(base.dial)
    skills = np.empty(4 * _TRIED)
    compiled(skills_in)(crowd, np.zeros(1, PLAYER), skills)
    return LogitChart(
        base.logits.ravel(), base.skills, base.dial, np.array(jumps), np.array(acting, np.int64), bent,
        ends.mean(axis=1), np.maximum(np.diff(ends, axis=1)[:, 0] / 2.0, 1e-9),
        np.array([skills.min(), skills.max()]), np.empty((0, 0)),
    )  # fmt: skip


def dial_jumps(places: Numbers) -> list[float]:
    """Places of the dial from which on a coarse knob has its next value. places: see response_map.dial_places."""
    # Both sides of a jump stand next to each other as numbers, and jumps of several knobs nearly so.
    jumps: list[float] = []
    for left, right in itertools.pairwise(places.tolist()):
        if right - left < _SIDES and not (jumps and right - jumps[-1] < _SIDES):
            jumps.append(right)
    return jumps


def skills_in(crowd: Any, players: Any, out: Any) -> None:
    """Skills of players of a cohort in some condition, into out."""
    for i in range(len(out)):
        stand_in(players[0], crowd, 0, i, 0)
        out[i] = skill_now(players[0])


def _key(
    game: AnyGame,
    space: ParameterSpace,
    path: Numbers,
    crowd: Numbers,
    chart: LogitChart,
    levels: int,
    seed: int,
    count: int,
) -> str:
    """32 hex digits that change with anything that could change a map."""
    digest = repr(game.facts) if isinstance(game, ExternalGame) else kernel_digest(trials_of(game), climb)
    state = hashlib.sha256(f"chances {_FORMAT} {digest} {levels} {seed} {count}".encode())
    for array in (space.table(), path, crowd, *chart):
        state.update(f" {array.shape} ".encode() + np.ascontiguousarray(array, dtype=np.float64).tobytes())
    return state.hexdigest()[:32]
