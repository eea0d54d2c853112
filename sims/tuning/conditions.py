"""In which condition players make the attempts that a run judges, and what it costs to measure as a run does.

A search plays one attempt of each player, since that tells most. But a run judges players who have practised, tired and
partly left. So the attempts of a search are made by players in the conditions of a run. These come from small runs
of a stand-in for the game: its chance of winning is logistic in skill and right on target on average, as at the
setting that the search looks for.

How strongly skill decides in the real game is not known at first. Who stays depends on it, so a search looks for
targets that are a little off until a rehearsal has measured it: some attempts at the best setting so far, by players
of eight classes of skill. Then the stand-in gets the slope of the game, and `aims_of` moves the targets of the search
to where runs are on target.

The small runs also tell how many attempts a player of a run makes, and how much these say about a win rate. And they
sharpen measurements (`controls_of`): who by chance stays long in a measurement does so in the stand-in, too, of which
the true win rate is known (control variates; Lavenberg and Welch, Management Science 27, 1981).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit

from engine.game import FAILED, WON, Faculties
from engine.parameters import Knob
from engine.players import MIX, TRAIT_LIST, TRAIT_NAMES
from engine.setup import Setup
from sims.catalog import Catalog
from sims.tuning.search.counts import Segment
from sims.tuning.search.search_space import Numbers
from sims.tuning.whole_runs import held_at, judged_counts, play_block, replica_of

_STAND_IN: Final = "logistic"
_HARDEST: Final = 60.0  # of the stand-in's difficulties, in units of skill
_FIRST_REPLICA: Final = 1 << 26  # no run and no block of a study has these players
_PLAYERS: Final = 16  # of a block whose spread tells how much players differ
_BLOCKS: Final = 80
_MANY: Final = 512  # players of a block that tells of conditions
_LARGE_BLOCKS: Final = 8
_LEAST_LARGE: Final = 4
_MOST_ATTEMPTS: Final = 200_000  # of the blocks of one cohort, where players make many attempts
_LEAST_BLOCKS: Final = 12
_ROUNDS: Final = 2  # of looking for the stand-in's difficulty
PARTS: Final = 8  # classes of skill in a rehearsal
_LIKELY_SLOPE: Final = 2.0  # standard deviation of slopes before any data, about 1
_ABLE: Final = 2048  # players in their conditions that are kept of each segment
_LEAST_JUDGED: Final = 50  # attempts on a level that stand for it; with fewer, those of all levels do
_NEWTON: Final = 30  # steps
_UNCONTROLLED: Final = 0.7  # share of the variance between players that controls leave, about
_LEAST_WASTE: Final = 0.2
_MOST_WASTE: Final = 300.0


class Conditions(NamedTuple):
    """What a study must know of runs of its scenario. All follows from the scenario alone."""

    able: tuple[Numbers, ...]  # by segment: players by their faculties at a judged attempt, least skilled first
    costs: tuple[float, ...]  # by segment: attempts that one more player adds; levels share those of their cohort
    wastes: tuple[float, ...]  # by segment: attempts in a run that tell as much as one attempt of a player of their own


class RehearsedPart(NamedTuple):
    """Counts of one class of skill, by segment."""

    attempts: tuple[int, ...]
    wins: tuple[int, ...]


def conditions_of(
    setup: Setup, segments: Sequence[Segment], after_attempts: int, slopes: Sequence[float] | None = None
) -> Conditions:
    """The conditions of a scenario's players.

    setup: by sims.tuning.whole_runs.run_setup; slopes: how much skill decides, None for the players' own slopes.
    """
    found: dict[int, tuple[Numbers, float, float]] = {}
    for own in _by_cohort(segments):
        slope = None if slopes is None else slopes[own[0]]
        stand_in, cohort = _on_target(setup, segments, own, after_attempts, slope), segments[own[0]].cohort
        blocks = _blocks_of(stand_in, cohort, _PLAYERS, _BLOCKS, _LEAST_BLOCKS)
        made = sum(map(len, blocks)) / (_PLAYERS * len(blocks))
        whole = _judged(
            np.concatenate(_blocks_of(stand_in, cohort, _MANY, _LARGE_BLOCKS, _LEAST_LARGE)), after_attempts
        )
        cost = max(made / len(own), 1.0)
        for k in own:
            level = segments[k].level
            found[k] = _able(_on_level(whole, level)), cost, _waste(blocks, level, after_attempts, cost)
    able, costs, wastes = zip(*(found[k] for k in range(len(segments))), strict=True)
    return Conditions(able, costs, wastes)


def slopes_of(
    segments: Sequence[Segment], conditions: Conditions, rehearsed: Sequence[RehearsedPart]
) -> tuple[float, ...]:
    """How much the log-odds of a win rise with skill, by segment; the same for all segments of a cohort.

    rehearsed: PARTS classes of skill, the least skilled first.
    """
    slopes = [0.0] * len(segments)
    for own in _by_cohort(segments):
        slope = _slope(conditions, rehearsed, own)
        for k in own:
            slopes[k] = slope
    return tuple(slopes)


def aims_of(
    setup: Setup, segments: Sequence[Segment], after_attempts: int, conditions: Conditions, slopes: Sequence[float]
) -> tuple[Segment, ...]:
    """The segments with the targets that a search must look for, so that runs are on target.

    A search plays players in `conditions`; players of a run differ from these where skill decides more, or less, than
    in the stand-in.
    """
    aims = list(segments)
    for own in _by_cohort(segments):
        slope = slopes[own[0]]
        cohort = segments[own[0]].cohort
        stand_in = _on_target(setup, segments, own, after_attempts, slope)
        whole = _judged(
            np.concatenate(_blocks_of(stand_in, cohort, _MANY, _LARGE_BLOCKS, _LEAST_LARGE)), after_attempts
        )
        for k in own:
            skill = _on_level(whole, segments[k].level)["skill"]
            target = segments[k].target
            difficulty = _difficulty(skill, slope, target)
            if difficulty is None:
                continue
            seen = float(expit(slope * (conditions.able[k][:, 0] - difficulty)).mean())
            shift = _logit(seen) - _logit(target)
            low, high = (float(expit(_logit(end) + shift)) for end in (segments[k].low, segments[k].high))
            aims[k] = segments[k]._replace(low=low, high=high)
    return tuple(aims)


class Control(NamedTuple):
    """What the stand-in says of the players who measured a segment, by block, and of all players."""

    attempts: tuple[int, ...]  # judged
    wins: tuple[int, ...]
    rate: float  # of very many players; NaN where nothing is known
    error: float  # its standard error


def controls_of(
    setup: Setup,
    segments: Sequence[Segment],
    after_attempts: int,
    slopes: Sequence[float] | None,
    blocks: Sequence[tuple[int, tuple[int, ...]]],
) -> tuple[Control, ...]:
    """The controls of a measurement, by segment.

    The same players with the same luck in staying and leaving play the stand-in, too. Where they win more there than
    all players do, they are likely to do so in the game. slopes: None for the players' own; blocks: number of each, and
    its players by segment.
    """
    found: dict[int, Control] = {}
    for own in _by_cohort(segments):
        cohort = segments[own[0]].cohort
        stand_in = _on_target(setup, segments, own, after_attempts, None if slopes is None else slopes[own[0]])
        same = [
            judged_counts(
                stand_in, play_block(stand_in, cohort, players[own[0]], replica_of(setup, block)).rows, after_attempts
            )
            for block, players in blocks
        ]
        many = [
            judged_counts(stand_in, rows, after_attempts)
            for rows in _blocks_of(stand_in, cohort, _MANY, _LARGE_BLOCKS, _LEAST_LARGE)
        ]
        for k in own:
            level = max(segments[k].level - 1, 0)
            attempts, wins = (np.array([int(one[i][level]) for one in many], dtype=np.float64) for i in (0, 1))
            rate = float(wins.sum() / attempts.sum()) if attempts.sum() else math.nan
            spread = float(((wins - rate * attempts) ** 2).sum()) * len(many) / (len(many) - 1)
            found[k] = Control(
                tuple(int(one.attempts[level]) for one in same),
                tuple(int(one.wins[level]) for one in same),
                rate,
                math.sqrt(spread) / max(float(attempts.sum()), 1.0),
            )
    return tuple(found[k] for k in range(len(segments)))


def _by_cohort(segments: Sequence[Segment]) -> list[list[int]]:
    """Places of the segments of each cohort."""
    cohorts = dict.fromkeys(segment.cohort for segment in segments)
    return [[k for k, segment in enumerate(segments) if segment.cohort == cohort] for cohort in cohorts]


def _slope(conditions: Conditions, rehearsed: Sequence[RehearsedPart], own: Sequence[int]) -> float:
    """How much the log-odds of a win rise with skill in some segments, at least 0 (Newton's method).

    Without wins or losses there is nothing to learn, and the slope stays near 1.
    """
    rows = []
    for k in own:
        parts = np.array_split(conditions.able[k][:, 0], len(rehearsed))
        rows += [
            (float(part.mean()), one.attempts[k], one.wins[k], own.index(k))
            for part, one in zip(parts, rehearsed, strict=True)
        ]
    skill, attempts, wins, place = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    phi = np.column_stack([skill, np.eye(len(own))[place.astype(np.int64)]])
    mean = np.array([1.0, *([0.0] * len(own))])
    ridge = np.array([_LIKELY_SLOPE**-2.0, *([0.01] * len(own))])
    beta = mean.copy()
    for _ in range(_NEWTON):
        rate = expit(np.clip(phi @ beta, -20.0, 20.0))
        curvature = attempts * rate * (1.0 - rate)
        information = (phi * curvature[:, None]).T @ phi + np.diag(ridge)
        beta += np.clip(
            np.linalg.solve(information, phi.T @ (wins - attempts * rate) - ridge * (beta - mean)), -2.0, 2.0
        )
    return float(max(beta[0], 0.0))


def _on_target(
    setup: Setup, segments: Sequence[Segment], own: Sequence[int], after_attempts: int, slope: float | None = None
) -> Setup:
    """The stand-in where a cohort wins as often as its targets say, mean over levels.

    slope: in skill; None for the players' own, which closed-form games have.
    """
    target, cohort = sum(segments[k].target for k in own) / len(own), segments[own[0]].cohort
    if slope is not None:
        setup = replace(setup, traits=_with_slope(setup.traits, slope))
    difficulty = float(setup.traits[cohort, 0, 1])
    for _ in range(_ROUNDS + 1):
        stand_in = _stand_in(setup, difficulty)
        judged = _judged(play_block(stand_in, cohort, _MANY // 4, _FIRST_REPLICA).rows, after_attempts)
        if not len(judged) or (found := _difficulty(judged["skill"], judged["slope"], target)) is None:
            break
        difficulty = found
    return _stand_in(setup, difficulty)


def _with_slope(traits: npt.NDArray[np.float64], slope: float) -> npt.NDArray[np.float64]:
    """Tables of traits in which skill decides by this slope; tilt acts on skill as much as before."""
    changed = traits.copy()
    tilt, row = TRAIT_NAMES.index("tilt"), TRAIT_NAMES.index("slope")
    changed[:, row, :MIX] = (0.0, max(slope, TRAIT_LIST[row].low), 0.0, TRAIT_LIST[row].low, TRAIT_LIST[row].high, 0.0)
    changed[:, tilt, 1:3] *= slope / np.maximum(traits[:, row, 1:2], 1e-9)
    return changed


def _difficulty(skill: Numbers, slope: Numbers | float, target: float) -> float | None:
    """The stand-in's difficulty at which players of these skills win so often; None where there is none."""

    def excess(difficulty: float) -> float:
        return float(expit(slope * (skill - difficulty)).mean()) - target

    if not len(skill) or excess(-_HARDEST) <= 0.0 or excess(_HARDEST) >= 0.0:
        return None
    return float(brentq(excess, -_HARDEST, _HARDEST))


def _blocks_of(stand_in: Setup, cohort: int, players: int, most: int, least: int) -> list[npt.NDArray[np.void]]:
    """The rows of small runs: `most` blocks of players, or as many as there is room for, at least `least`."""
    blocks: list[npt.NDArray[np.void]] = []
    while len(blocks) < least or (len(blocks) < most and sum(map(len, blocks)) < _MOST_ATTEMPTS):
        blocks.append(play_block(stand_in, cohort, players, _FIRST_REPLICA + 1 + len(blocks)).rows)
    return blocks


def _many(stand_in: Setup, cohort: int) -> list[npt.NDArray[np.void]]:
    """The rows of very many players."""
    return _blocks_of(stand_in, cohort, _MANY, _LARGE_BLOCKS, _LEAST_LARGE)


def _on_level(rows: npt.NDArray[np.void], level: int) -> npt.NDArray[np.void]:
    """The rows of a level; all of them in an endless stream, and where a level has too few."""
    here = rows[rows["level"] == level] if level else rows
    return here if len(here) >= _LEAST_JUDGED else rows


def _stand_in(setup: Setup, difficulty: float) -> Setup:
    """The same scenario with a game of closed form, in which a player of that skill wins half of the attempts."""
    game = Catalog().game(_STAND_IN)
    knob, guess = game.space
    wide = replace(setup, game=game, space=type(game.space)(Knob(knob.name, -_HARDEST, _HARDEST, 0.0), guess))
    return held_at(wide, [min(max(difficulty, -_HARDEST), _HARDEST), 0.0])


def _judged(rows: npt.NDArray[np.void], after_attempts: int) -> npt.NDArray[np.void]:
    judged: npt.NDArray[np.void] = rows[(rows["attempt"] >= after_attempts) & (rows["outcome"] != FAILED)]
    return judged


def _able(rows: npt.NDArray[np.void]) -> Numbers:
    """Faculties at some attempts, evenly chosen among them by skill, shape (players, faculties)."""
    order = np.argsort(rows["skill"], kind="stable")
    kept = order[np.linspace(0, len(order) - 1, min(len(order), _ABLE)).round().astype(np.int64)]
    able: Numbers = np.stack([rows[name][kept] for name in Faculties._fields], axis=1)
    return able


def _waste(blocks: Sequence[npt.NDArray[np.void]], level: int, after_attempts: int, cost: float) -> float:
    """Attempts of a run that are worth one attempt of a player of their own, by the spread between blocks."""
    attempts, wins = np.zeros(len(blocks)), np.zeros(len(blocks))
    for b, rows in enumerate(blocks):
        judged = _judged(rows, after_attempts)
        here = judged[judged["level"] == level] if level else judged
        attempts[b], wins[b] = len(here), (here["outcome"] == WON).sum()
    if not 0.0 < wins.sum() < attempts.sum():
        return _MOST_WASTE
    rate = wins.sum() / attempts.sum()
    variance = ((wins - rate * attempts) ** 2).sum() / (len(blocks) - 1) * len(blocks) / attempts.sum() ** 2
    # What the control of a measurement is likely to leave: a part of what players add to the noise of outcomes.
    plain = rate * (1.0 - rate) / attempts.sum()
    variance = plain + _UNCONTROLLED * max(variance - plain, 0.0)
    worth = rate * (1.0 - rate) / max(variance, 1e-12)  # attempts of players of their own that are as good
    return float(min(max(cost * _PLAYERS * len(blocks) / worth, _LEAST_WASTE), _MOST_WASTE))


def _logit(rate: float) -> float:
    held = min(max(rate, 1e-4), 1.0 - 1e-4)
    return math.log(held / (1.0 - held))
