"""The facts that advice rests on: the scenario, what its dial does to the players, and when outcomes are known.

What the dial does is known from the game's closed form or from its chance maps: to these players, on these levels. How
players come and go is known from a trial: some of the scenario's players, at one fixed difficulty, without a
controller.
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
from engine.response.chance_map import ChanceMap
from engine.response.level_curves import level_curves
from engine.response.response_map import ResponseMap
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from engine.world import Chunk, Played, simulate
from sims.arena.true_chances import chance_maps_of, map_attempts, maps_of
from sims.catalog import Catalog
from sims.terminal import OnMessage, announce, no_message

Numbers = npt.NDArray[np.float64]
Curves = Callable[[npt.NDArray[np.void], Numbers], Numbers]  # (rows, dial) -> win probabilities, (rows, places)

TRIED: Final = 20  # players of each cohort in the trial
MOST_ATTEMPTS: Final = 1000  # of each of them
PLACES: Final = 201  # of the dial, from floor to ceiling
EARLY: Final = 10  # attempts of a player that count as first attempts
EFFECTS: Final = {
    "practice": ("learning", "practice_gain"),
    "tiredness": ("fatigue", "tiring"),
    "jumps": ("jump",),
    "tilt": ("tilt",),
    "distorted difficulty": ("bend_a", "bend_b"),
}
_FIXED: Final = "constant"


class CohortFacts(NamedTuple):
    """What the dial does to one cohort. A place is a difficulty from floor to ceiling.

    Attributes:
        name: of the cohort.
        players: how many, over all replicas.
        target: wanted win rate, in [0, 1]; the mean over levels.
        tolerance: half the width of the target band.
        easiest: mean win probability at the floor.
        hardest: mean win probability at the ceiling.
        place: where the cohort as a whole wins as often as wanted; an end of the dial if no place does that.
        first_place: the same for the players' first attempts.
        last_place: the same for their last attempts.
        beyond: share of the players who are on target at no place.
        spread: standard deviation of the places that single players need.
        slope: |dp/dd| of a median player at the place that suits them.
        logits: the same as a change of the logit.
        judged: expected number of judged attempts.
        unreachable: levels whose target no place of the dial reaches within the tolerance, each with its target and the
            nearest mean win probability.
    """

    name: str
    players: int
    target: float
    tolerance: float
    easiest: float
    hardest: float
    place: float
    first_place: float
    last_place: float
    beyond: float
    spread: float
    slope: float
    logits: float
    judged: float
    unreachable: tuple[tuple[int, float, float], ...] = ()


class ScenarioFacts(NamedTuple):
    """What the rules look at.

    Attributes:
        name: title of the scenario, or its file.
        kind: the scenario's own controller.
        options: its options.
        scope: which players share a dial.
        deployed: whether settings are deployed on a timetable.
        replicas: of the scenario.
        knobs: how many knobs move.
        floor: easiest difficulty of the dial.
        ceiling: hardest difficulty of the dial.
        cohorts: what the dial does to each of them.
        best_for_all: the place that is best for all cohorts together.
        unserved: cohorts out of their band at that place, each with its win rate there and its target.
        attempts: median number of attempts of a player.
        late: attempts that a player begins before an outcome is known; the mean within sessions.
        unheard: share of the attempts after the first before which no outcome of the player was known.
        all_unheard: the same where an outcome of any player of the trial counts.
        synchronised: whether each attempt number begins at one time, or between two deployments, for a whole cohort.
        together: outcomes that reach a shared dial while one player makes an attempt.
        effects: what changes while players play; keys of EFFECTS.
    """

    name: str
    kind: ControllerKind
    options: dict[str, float]
    scope: Scope
    deployed: bool
    replicas: int
    knobs: int
    floor: float
    ceiling: float
    cohorts: tuple[CohortFacts, ...]
    best_for_all: float
    unserved: tuple[tuple[str, float, float], ...]
    attempts: float
    late: float
    unheard: float
    all_unheard: float
    synchronised: bool
    together: float
    effects: tuple[str, ...]


def facts_of(
    scenario: Scenario, catalog: Catalog, *, threads: int, on_message: OnMessage = no_message
) -> ScenarioFacts:
    """Look at a scenario. on_message: takes sentences: how long it will take, and then how far it is."""
    setup = setup_of(scenario, catalog)
    announce(map_attempts(setup), threads, on_message)  # before anything is compiled or played
    trial = play_trial(setup, catalog, 0.5 * (setup.floor + setup.ceiling))
    rows = trial.rows
    known = _maps_of(setup, trial.players, threads=threads, on_message=on_message)
    dial = np.linspace(setup.floor, setup.ceiling, PLACES)
    by_cohort = [rows[rows["cohort"] == c] for c in range(len(setup.cohorts))]
    cohorts = tuple(_cohort(scenario, setup, c, known[c], own, dial) for c, own in enumerate(by_cohort))
    means = [_mean(curves, own, dial) for curves, own in zip(known, by_cohort, strict=True)]
    weights = np.array([cohort.players for cohort in cohorts], dtype=np.float64)
    errors = [(mean - cohort.target) ** 2 for mean, cohort in zip(means, cohorts, strict=True)]
    best = int(np.argmin(sum(weight * error for weight, error in zip(weights, errors, strict=True))))
    late, unheard, all_unheard = _hearing(rows, setup.delay_s)
    return ScenarioFacts(
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
        unserved=tuple(
            (cohort.name, float(mean[best]), cohort.target)
            for cohort, mean in zip(cohorts, means, strict=True)
            if abs(mean[best] - cohort.target) > cohort.tolerance
        ),
        attempts=float(np.median(np.unique(rows["player"], return_counts=True)[1])) if len(rows) else 0.0,
        late=late,
        unheard=unheard,
        all_unheard=all_unheard,
        synchronised=_synchronised(rows, setup.deploy_every_s),
        together=_together(setup, rows),
        effects=_effects(setup.traits),
    )


def _maps_of(setup: Setup, players: npt.NDArray[np.void], *, threads: int, on_message: OnMessage) -> list[Curves]:
    """What is known of each cohort. players: those behind the rows that it will be asked about."""

    def mapped(known: ChanceMap) -> Curves:
        def curves(rows: npt.NDArray[np.void], dial: Numbers) -> Numbers:
            owners = players[np.searchsorted(players["player"], rows["player"])]
            found = np.empty((len(rows), len(dial)))
            for k, place in enumerate(dial):
                found[:, k] = known.chances(owners, rows["level"], rows["skill"], place)
            return found

        return curves

    def closed(known: ResponseMap) -> Curves:
        return lambda rows, dial: known.probability(rows["skill"][:, None], dial[None, :])

    if setup.game.win_probability is not None:
        return [closed(known) for known in maps_of(setup, threads=threads, on_message=on_message)]
    return [mapped(known) for known in chance_maps_of(setup, threads=threads, on_message=on_message)]


def play_trial(setup: Setup, catalog: Catalog, difficulty: float) -> Played:
    """Play some players of each cohort at one fixed difficulty."""
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
    parts = [simulate(fixed, Chunk(c, 0, c, 0, count)) for c, count in enumerate(counts)]
    rows, players, arrivals, sessions = map(np.concatenate, zip(*(part.tables for part in parts), strict=True))
    return Played(rows, players, arrivals, sessions)


def _cohort(
    scenario: Scenario, setup: Setup, number: int, known: Curves, rows: npt.NDArray[np.void], dial: Numbers
) -> CohortFacts:
    target = float(np.mean(setup.targets[number]))
    low, high = scenario.band(number)
    mean = _mean(known, rows, dial)
    first = _mean(known, rows[rows["attempt"] < EARLY], dial)
    last = _mean(known, _last_rows(rows), dial)
    typical = _typical_rows(rows)
    chances = known(typical, dial)
    beyond = (chances[:, 0] < target) | (chances[:, -1] > target)
    places = np.array([_place(chance, dial, target) for chance in chances])
    median = typical[:1].copy() if len(typical) else np.zeros(1, rows.dtype)
    median["skill"] = np.median(typical["skill"]) if len(typical) else 0.0
    slope = _slope(known(median, dial)[0], dial, target)
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
        unreachable=_unreachable(scenario, setup, number),
    )


def _unreachable(scenario: Scenario, setup: Setup, cohort: int) -> tuple[tuple[int, float, float], ...]:
    """Levels out of reach, see CohortFacts."""
    if setup.levels == 0:
        return ()
    curves, found = level_curves(setup), []
    for level, target in enumerate(setup.targets[cohort].tolist(), 1):
        low, high = scenario.band(cohort, level)
        nearest = curves.nearest(cohort, level, target)
        if not low <= nearest <= high:
            found.append((level, target, nearest))
    return tuple(found)


def _mean(known: Curves, rows: npt.NDArray[np.void], dial: Numbers) -> Numbers:
    """Mean win probability of rows along the dial; of a median player if there are no attempts."""
    some = rows if len(rows) else np.zeros(1, rows.dtype)
    mean: Numbers = known(some[:: max(len(some) // 2000, 1)], dial).mean(axis=0)
    return mean


def _last_rows(rows: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Each player's last attempt."""
    ends = np.append(np.diff(rows["player"]) != 0, True)[: len(rows)]
    last: npt.NDArray[np.void] = rows[ends]
    return last


def _typical_rows(rows: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """One row for each player: the middle one, at the player's median skill."""
    players, starts, counts = np.unique(rows["player"], return_index=True, return_counts=True)
    typical: npt.NDArray[np.void] = rows[starts + counts // 2]
    typical["skill"] = [np.median(rows["skill"][rows["player"] == player]) for player in players]
    return typical


def _place(chances: Numbers, dial: Numbers, target: float) -> float:
    """The place where falling win probabilities meet the target; an end of the dial if they do not."""
    return float(np.interp(-target, -chances, dial))


def _slope(chances: Numbers, dial: Numbers, target: float) -> float:
    """|dp/dd| of a player around the target, measured over a tenth of the dial. chances: along the dial."""
    place = _place(chances, dial, target)
    low, high = max(place - 0.05, float(dial[0])), min(place + 0.05, float(dial[-1]))
    ends = np.interp([low, high], dial, chances)
    return float(ends[0] - ends[1]) / max(high - low, 1e-9)


def _hearing(rows: npt.NDArray[np.void], delay_s: float) -> tuple[float, float, float]:
    """Measure `late`, `unheard` and `all_unheard` of ScenarioFacts."""
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


def _synchronised(rows: npt.NDArray[np.void], deploy_every_s: float) -> bool:
    """Whether the players of a cohort make each of their attempts at one time."""
    when = np.floor(rows["start_s"] / deploy_every_s) if deploy_every_s > 0.0 else rows["start_s"]
    order = np.lexsort((when, rows["attempt"], rows["cohort"]))
    same = (np.diff(rows["cohort"][order]) == 0) & (np.diff(rows["attempt"][order]) == 0)
    return not bool((np.diff(when[order])[same] > 0.0).any())


def _together(setup: Setup, rows: npt.NDArray[np.void]) -> float:
    """Outcomes that reach a shared dial while one player makes an attempt, the player's own included."""
    if setup.scope == "player" or not len(rows):
        return 1.0
    span_s = float((rows["start_s"] + rows["duration_s"]).max() - rows["start_s"].min())
    busy = float(rows["duration_s"].sum() / max(span_s, 1e-9))  # players of the trial who play at the same time
    tried = len(np.unique(rows["player"]))
    sharing = setup.players if setup.scope == "everyone" else max(setup.counts)
    round_s = float(np.median(rows["duration_s"]))
    return max(busy * sharing / max(tried, 1) * max(setup.deploy_every_s / max(round_s, 1e-9), 1.0), 1.0)


def _effects(traits: Numbers) -> tuple[str, ...]:
    """List the effects that act on any player. traits: shape (cohorts, traits, 6)."""

    def acts(name: str, usual: float) -> bool:
        table: Any = traits[:, TRAIT_NAMES.index(name)]
        return bool((table[:, 0] != 0.0).any() or (table[:, 1] != usual).any())

    return tuple(
        effect
        for effect, names in EFFECTS.items()
        if any(acts(name, 1.0 if name.startswith("bend") else 0.0) for name in names)
    )
