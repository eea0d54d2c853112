"""The arena: all controllers over all worlds, each as a ratio to the best that anybody could do.

Ten worlds on `logistic` (what changes while a player plays, see docs/controllers.md), the population of the first on
gap_runner and boss_duel, and players who lose on purpose. The players of a race are the same for all controllers, and
so is their luck.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from engine.errors import ScenarioError
from engine.scenario import Scenario, load
from engine.scenario_file.faults import suggestion
from sims.arena.race import LIMIT, STATIC, Course, Entrant, race
from sims.arena.score import Interval, gain_of
from sims.arena.score_card import Line, line_of
from sims.arena.true_chances import OFF_THE_DIAL
from sims.catalog import Catalog
from sims.wording import listed

FOLDER: Final = "arena/"
WORLDS: Final = (
    "stationary", "learning", "fatigue", "jump", "lapses", "delay5", "batch20", "warped", "tilt", "combined",
)  # fmt: skip
GAMES: Final = ("gap_runner", "boss_duel")
SANDBAGGING: Final = "sandbagging"
ALL: Final = (*WORLDS, *GAMES, SANDBAGGING)
THROWN: Final = 3  # attempts that sandbaggers throw at the start of each session
_HONEST: Final = "honest"  # the sandbaggers' twins, who do their best throughout
SHARED: Final = 20  # players who share a dial in the world of cohorts


class Arena(NamedTuple):
    """What came of it."""

    lines: tuple[Line, ...]  # by world, then controller, in the order in which they were asked for
    gains: dict[str, Interval]  # controller -> what throwing attempts gains in the others: win probability
    absent: dict[tuple[str, str], str]  # world and controller -> why it did not play, or does not count
    faulty: bool = False  # whether one of them raised, or the game


class Standing(NamedTuple):
    """One controller over all worlds that were played."""

    controller: str
    mode: str
    ratios: dict[str, float]  # by world; NaN where it or the limit did not play
    mean: float  # geometric, over the ten worlds; NaN when one of those that were played has no ratio
    worst: float
    microseconds: float  # median over worlds, of one core per attempt


def arena(
    worlds: Sequence[str],
    entrants: Sequence[Entrant],
    *,
    players: int,
    seed: int | None,
    workers: int,
    shown: Callable[[int, int], None] = lambda done, all_: None,
    told: Callable[[str], None] = lambda sentence: None,
) -> Arena:
    """Race all entrants over these worlds. Raises ScenarioError for a world that there is not."""
    catalog = Catalog()
    courses = [
        Course(world, world_of(world, players, seed, catalog), THROWN if world == SANDBAGGING else 0)
        for world in worlds
    ]
    if SANDBAGGING in worlds:
        honest = world_of(SANDBAGGING, players, seed, catalog, [("cohort.players.traits.thrown", "0.0")])
        courses.append(Course(_HONEST, honest, THROWN))
    found = race(courses, entrants, workers=workers, shown=shown, told=told)
    lines = []
    for world in worlds:
        for entrant in entrants:
            scores = found.scores.get((world, entrant.label))
            if scores is not None:
                limit, static = (found.scores.get((world, name)) for name in (LIMIT, STATIC))
                mode = catalog.controller(entrant.controller).mode
                spent = found.microseconds[world, entrant.label]
                lines.append(line_of(world, entrant.label, mode, scores, limit, static, microseconds=spent))
    gains = {
        entrant.label: gain_of(found.scores[SANDBAGGING, entrant.label], found.scores[_HONEST, entrant.label])
        for entrant in entrants
        if (SANDBAGGING, entrant.label) in found.scores and (_HONEST, entrant.label) in found.scores
    }
    # Who is missing among the twins has no gain, which is told of the world that it would be told for.
    absent = {(SANDBAGGING if world == _HONEST else world, name): why for (world, name), why in found.absent.items()}
    return Arena(tuple(lines), gains, absent, bool(found.faulty))


def everybody(catalog: Catalog) -> list[Entrant]:
    """Every controller that is installed, with its defaults."""
    return [Entrant(entry.name) for entry in catalog.controllers()]


def world_of(
    world: str, players: int, seed: int | None, catalog: Catalog, further: Sequence[tuple[str, str]] = ()
) -> Scenario:
    """The scenario of a world with so many players. Raises ScenarioError when there is no such world."""
    if world not in ALL:
        raise ScenarioError(f"there is no world {world[:64]!r}; there are {', '.join(ALL)}{suggestion(world, ALL)}")
    count = ("run.replicas", str(max(players // SHARED, 2))) if world == "batch20" else ("players.count", str(players))
    settings = [count, *further, *([("seed", str(seed))] if seed is not None else [])]
    return load(catalog.scenario(FOLDER + world), catalog, settings, allow_long=True)


def standings(found: Arena) -> list[Standing]:
    """All controllers, the smallest mean ratio over the ten worlds first, those without one last."""
    worlds = dict.fromkeys([line.course for line in found.lines] + [world for world, _ in found.absent])
    standing = []
    for name in dict.fromkeys(line.controller for line in found.lines):
        mine = {line.course: line for line in found.lines if line.controller == name}
        ratios = {world: mine[world].ratio.value if world in mine else math.nan for world in worlds}
        ten = [ratios[world] for world in WORLDS if world in ratios]
        known = bool(ten) and all(ratio > 0.0 for ratio in ten)
        standing.append(
            Standing(
                name,
                next(iter(mine.values())).mode,
                ratios,
                math.exp(math.fsum(map(math.log, ten)) / len(ten)) if known else math.nan,
                max(ten) if known else math.nan,
                _median([line.microseconds for line in mine.values()]),
            )
        )
    return sorted(standing, key=lambda one: (math.isnan(one.mean), one.mean))


def limited_worlds(standings: Sequence[Standing]) -> list[str]:
    """Worlds in which the limit could play, so that there are ratios."""
    return [world for world in standings[0].ratios if any(one.ratios[world] > 0.0 for one in standings)]


def absences(found: Arena) -> list[str]:
    """Why a controller or its chances are missing in a world: a sentence for each reason, with its controllers."""
    unknown = {(line.course, line.controller): OFF_THE_DIAL for line in found.lines if math.isnan(line.card.rmse_all)}
    reasons: dict[str, list[str]] = {}
    for (world, name), why in {**found.absent, **unknown}.items():
        reasons.setdefault(f"{world}: {why}", []).append(name)
    return [f"{why} ({listed(list(dict.fromkeys(names)))})." for why, names in reasons.items()]


def _median(numbers: Sequence[float]) -> float:
    ranked = sorted(numbers)
    return (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2.0
