"""What advice rests on: what a scenario says, what its dial does to its players, and when their outcomes are heard.

The dial is known from the game's response map. Flow is known from a trial: some of the scenario's players, at the one
difficulty that suits most, with nobody steering.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.controller import ControllerKind, Scope
from engine.players import TRAIT_NAMES
from engine.response import ResponseMap
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from engine.world import Chunk, play
from sims.arena.true_chances import maps_of
from sims.catalog import Catalog

Numbers = npt.NDArray[np.float64]

TRIED: Final = 20  # players of each cohort in the trial
MOST_ATTEMPTS: Final = 1000  # of each of them
PLACES: Final = 201  # of the dial, from floor to ceiling
EARLY: Final = 10  # attempts of a player that count as the first ones
EFFECTS: Final = {
    "practice": ("learning", "practice_gain"),
    "tiredness": ("fatigue", "tiring"),
    "jumps": ("jump",),
    "tilt": ("tilt",),
    "bent dials": ("bend_a", "bend_b"),
}
_FIXED: Final = "constant"


class CohortFacts(NamedTuple):
    """One cohort and the dial."""

    name: str
    players: int  # of all replicas
    target: float  # wanted win rate; the mean over levels
    tolerance: float  # half the width of the band
    easiest: float  # mean win probability at the floor
    hardest: float  # and at the ceiling
    place: float  # where on the dial the cohort as a whole wins as often as wanted; an end where that is beyond it
    first_place: float  # the same for first attempts
    last_place: float  # and for the last ones
    beyond: float  # share of players who cannot be served between floor and ceiling
    spread: float  # standard deviation of places that single players need
    slope: float  # |dp/dd| of a median player where they win as often as wanted
    logits: float  # the same as change of the logit
    judged: float  # attempts that are judged, in expectation


class Facts(NamedTuple):
    """What rules look at."""

    name: str
    kind: ControllerKind  # the scenario's own controller
    options: dict[str, float]
    scope: Scope
    deployed: bool  # settings are deployed on a timetable
    replicas: int
    knobs: int  # that move
    floor: float
    ceiling: float
    cohorts: tuple[CohortFacts, ...]
    best_for_all: float  # the place that serves all cohorts together best
    misfits: tuple[tuple[str, float, float], ...]  # cohort, its win probability there, its target: out of tolerance
    attempts: float  # median of a player's attempts
    late: float  # attempts that a player begins before an outcome is heard, mean within sessions
    deaf: float  # share of attempts, but for the first, before which no outcome of the player was heard
    all_deaf: float  # the same where an outcome of anybody in the trial counts
    lockstep: bool  # each attempt number begins at one time, or between the same two deployments, for a whole cohort
    together: float  # outcomes that reach a shared dial per attempt of one player: players there at a time
    effects: tuple[str, ...]  # what changes while somebody plays, a key of EFFECTS each


def facts_of(
    scenario: Scenario, catalog: Catalog, *, threads: int, told: Callable[[str], None] = lambda sentence: None
) -> Facts:
    """Look at a scenario. told: gets a sentence now and then where chances have to be played first."""
    setup = setup_of(scenario, catalog)
    maps = maps_of(setup, threads=threads, told=told)
    rows = trial(setup, catalog, 0.5 * (setup.floor + setup.ceiling))
    dial = np.linspace(setup.floor, setup.ceiling, PLACES)
    counts = rows["cohort"].max() + 1 if len(rows) else 0
    assert counts <= len(maps)
    own = [rows[rows["cohort"] == c] for c in range(len(maps))]
    cohorts = tuple(_cohort(scenario, setup, c, maps[c], own[c], dial) for c in range(len(maps)))
    means = [_mean(known, skills["skill"], dial) for known, skills in zip(maps, own, strict=True)]
    shares = np.array([one.players for one in cohorts], dtype=np.float64)
    missed = sum(share * (mean - one.target) ** 2 for share, mean, one in zip(shares, means, cohorts, strict=True))
    best = int(np.argmin(missed))
    misfits = tuple(
        (one.name, float(mean[best]), one.target)
        for one, mean in zip(cohorts, means, strict=True)
        if abs(mean[best] - one.target) > one.tolerance
    )
    late, deaf, all_deaf = _hearing(rows, setup.delay_s)
    return Facts(
        name=scenario.title or scenario.name,
        kind=setup.kind,
        options=dict(setup.options._asdict()),
        scope=setup.scope,
        deployed=setup.deploy_every_s > 0.0,
        replicas=setup.replicas,
        knobs=len(setup.space.free),
        floor=setup.floor,
        ceiling=setup.ceiling,
        cohorts=cohorts,
        best_for_all=float(dial[best]),
        misfits=misfits,
        attempts=float(np.median(np.unique(rows["player"], return_counts=True)[1])) if len(rows) else 0.0,
        late=late,
        deaf=deaf,
        all_deaf=all_deaf,
        lockstep=_in_lockstep(rows, setup.deploy_every_s),
        together=_together(setup, rows),
        effects=_effects(setup.traits),
    )


def trial(setup: Setup, catalog: Catalog, difficulty: float) -> npt.NDArray[np.void]:
    """Rows of some players of each cohort whom nobody steers."""
    kind = catalog.controller(_FIXED)
    counts = tuple(min(count, TRIED) for count in setup.counts)
    fixed = dataclasses.replace(
        setup,
        kind=kind,
        options=kind.options(difficulty=difficulty),
        scope="player",
        delay_s=0.0,
        deploy_every_s=0.0,
        counts=counts,
        attempts_per_player=min(setup.attempts_per_player, MOST_ATTEMPTS),
    )
    parts = [play(fixed, Chunk(c, 0, c, 0, count)).rows for c, count in enumerate(counts)]
    return np.concatenate(parts)


def _cohort(
    scenario: Scenario, setup: Setup, number: int, known: ResponseMap, rows: npt.NDArray[np.void], dial: Numbers
) -> CohortFacts:
    target = float(np.mean(setup.targets[number]))
    low, high = scenario.band(number)
    skills = rows["skill"]
    mean = _mean(known, skills, dial)
    first = _mean(known, skills[rows["attempt"] < EARLY], dial)
    last = _mean(known, _last_skills(rows), dial)
    typical = np.array([np.median(skills[rows["player"] == player]) for player in np.unique(rows["player"])])
    chances = known.probability(typical[:, None], dial[None, :])
    beyond = (chances[:, 0] < target) | (chances[:, -1] > target)
    places = np.array([_place(chance, dial, target) for chance in chances])
    slope = _slope(known, float(np.median(typical)) if len(typical) else 0.0, dial, target)
    players = setup.counts[number] * setup.replicas
    judged = rows["attempt"] >= scenario.after_attempts
    tried = max(len(typical), 1)
    return CohortFacts(
        name=setup.cohorts[number],
        players=players,
        target=target,
        tolerance=(high - low) / 2.0,
        easiest=float(mean[0]),
        hardest=float(mean[-1]),
        place=_place(mean, dial, target),
        first_place=_place(first, dial, target),
        last_place=_place(last, dial, target),
        beyond=float(beyond.mean()) if len(beyond) else 0.0,
        spread=float(places.std()) if len(places) else 0.0,
        slope=slope,
        logits=slope / (target * (1.0 - target)),
        judged=float(judged.sum()) / tried * players,
    )


def _mean(known: ResponseMap, skills: Numbers, dial: Numbers) -> Numbers:
    """Mean win probability of players along the dial; of median players where nobody played."""
    some = skills if len(skills) else np.zeros(1)
    found: Numbers = known.probability(some[:: max(len(some) // 2000, 1), None], dial[None, :]).mean(axis=0)
    return found


def _last_skills(rows: npt.NDArray[np.void]) -> Numbers:
    """Skill at each player's last attempt."""
    ends = np.append(np.diff(rows["player"]) != 0, True)[: len(rows)]
    found: Numbers = rows["skill"][ends]
    return found


def _place(chances: Numbers, dial: Numbers, target: float) -> float:
    """Where falling chances meet the target; an end of the dial where they do not."""
    return float(np.interp(-target, -chances, dial))


def _slope(known: ResponseMap, skill: float, dial: Numbers, target: float) -> float:
    """|dp/dd| of a player around the target, over a tenth of the dial."""
    chances = known.probability(np.full(len(dial), skill), dial)
    place = _place(chances, dial, target)
    low, high = max(place - 0.05, float(dial[0])), min(place + 0.05, float(dial[-1]))
    ends = np.interp([low, high], dial, chances)
    return float(ends[0] - ends[1]) / max(high - low, 1e-9)


def _hearing(rows: npt.NDArray[np.void], delay_s: float) -> tuple[float, float, float]:
    """Attempts begun before an outcome is heard, within sessions; shares of attempts without any outcome heard."""
    same = (np.diff(rows["player"]) == 0) & (np.diff(rows["session"]) == 0)
    cycles = np.diff(rows["start_s"])[same]
    pauses = (rows["start_s"][1:] - rows["start_s"][:-1] - rows["duration_s"][:-1])[same]
    if not len(cycles):
        return 0.0, 0.0, 0.0
    late = math.ceil(max(delay_s - float(np.median(pauses)), 0.0) / float(np.median(cycles)))
    first = np.concatenate(([True], np.diff(rows["player"]) != 0))
    ends_s = rows["start_s"] + rows["duration_s"] + delay_s
    later = rows[~first]
    if not len(later):
        return float(late), 0.0, 0.0
    own_s = ends_s[first][np.cumsum(first) - 1][~first]
    return float(late), float((later["start_s"] < own_s).mean()), float((later["start_s"] < ends_s.min()).mean())


def _in_lockstep(rows: npt.NDArray[np.void], deploy_every_s: float) -> bool:
    """Whether players of a cohort make each of their attempts at one time."""
    when = np.floor(rows["start_s"] / deploy_every_s) if deploy_every_s > 0.0 else rows["start_s"]
    order = np.lexsort((when, rows["attempt"], rows["cohort"]))
    same = (np.diff(rows["cohort"][order]) == 0) & (np.diff(rows["attempt"][order]) == 0)
    return not bool((np.diff(when[order])[same] > 0.0).any())


def _together(setup: Setup, rows: npt.NDArray[np.void]) -> float:
    """Outcomes of others that a shared dial hears while one player makes an attempt, that player's own included."""
    if setup.scope == "player" or not len(rows):
        return 1.0
    span_s = float((rows["start_s"] + rows["duration_s"]).max() - rows["start_s"].min())
    busy = float(rows["duration_s"].sum() / max(span_s, 1e-9))  # players of the trial who play at a time
    tried = len(np.unique(rows["player"]))
    sharing = setup.players if setup.scope == "everyone" else max(setup.counts)
    round_s = float(np.median(rows["duration_s"]))
    return max(busy * sharing / max(tried, 1) * max(setup.deploy_every_s / max(round_s, 1e-9), 1.0), 1.0)


def _effects(traits: Numbers) -> tuple[str, ...]:
    """Which effects act on some player. traits: shape (cohorts, traits, 6)."""

    def acts(name: str, usual: float) -> bool:
        table: Any = traits[:, TRAIT_NAMES.index(name)]
        return bool((table[:, 0] != 0.0).any() or (table[:, 1] != usual).any())

    return tuple(
        effect
        for effect, names in EFFECTS.items()
        if any(acts(name, 1.0 if name.startswith("bend") else 0.0) for name in names)
    )
