"""Two scenarios under watch with the same players and the same luck, and what changed from one to the other so far.

The difference is that of `compare`, by the same functions, over the players who have come to their end on both sides.
Where players share a controller nobody has an end of their own: then it is over all attempts so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from engine.errors import ScenarioError
from engine.players import COHORT_STRIDE
from engine.scenario import Scenario, parse
from engine.scenario_file.resolution import text_of
from engine.scenario_file.sections import ControllerSection
from engine.world import played_of
from sims.catalog import Catalog
from sims.comparison.comparison import refuse_unlike
from sims.comparison.differences import EVERYBODY, Change, Differences, measure_differences
from sims.comparison.metrics import WIN_RATE, metric_sums
from sims.comparison.sides import SideSetups, SideSums, sides_of
from sims.window.panels import Dot
from sims.window.watching.live_world import WatchedPiece
from sims.window.watching.watch_scene import WatchScene

FIRST: Final = 12  # players who have ended on both sides, before the first difference
_GROWTH: Final = 1.06  # from one difference to the next
_MOST_POINTS: Final = 300


def rival_of(scenario: Scenario, rival: str, catalog: Catalog, settings: Sequence[tuple[str, str]] = ()) -> Scenario:
    """What a scenario is watched against: another one, or the same with another controller.

    rival: a scenario's path or bundled name, or a controller's name. settings: keys of another scenario and their
    values; the seed is that of `scenario`. Raises
    ScenarioError where the two do not have the same game and the same player groups.
    """
    form = scenario.form
    if rival in {entry.name for entry in catalog.controllers()}:
        scope = form.controller.scope if form.controller.scope in catalog.controller(rival).scopes else None
        changed = form.model_copy(update={"controller": ControllerSection(name=rival, scope=scope)})
        text, name, settings = text_of(changed, scenario.changed), scenario.name, ()
    else:
        path = catalog.scenario(rival)
        text, name = path.read_text(encoding="utf-8"), str(path)
    own = [(key, value) for key, value in settings if key != "seed"]
    other = parse(text.encode(), name, catalog, [*own, ("seed", str(scenario.seed))], allow_long=True)
    refuse_unlike(scenario, [other])
    if other.cohorts != scenario.cohorts:
        raise ScenarioError(
            f"--against needs the same player groups in the same order, {', '.join(scenario.cohorts)}, got "
            f"{', '.join(other.cohorts)}; compare the two with flowdial compare."
        )
    return other


class PairedWorlds:
    """The worlds of two scenes, and the paired difference between them."""

    def __init__(self, scenes: Sequence[WatchScene]) -> None:
        """scenes: before and after, of scenarios with the same cohorts and one seed."""
        self.scenes = scenes
        self.differences: Differences | None = None  # the latest; None before FIRST players
        self.rates: list[Dot] = []  # change of the win rate of everybody; x in players
        self._sides = sides_of(scenes[0].scenario, [scenes[1].scenario], scenes[0].scenario.seed)
        self._setups = SideSetups(self._sides)
        self._sums = [self._setups.no_sums(number) for number in range(2)]
        self._apart = all(scene.world.apart for scene in scenes)
        self._taken = [0, 0]  # finished pieces of each side that were looked at
        self._unpaired: tuple[dict[tuple[int, int], WatchedPiece], ...] = ({}, {})
        self.players = 0  # compared
        self._due = float(FIRST)

    def look(self, *, now: bool = False) -> None:
        """Take in who has ended, and measure again if it is time, or now."""
        self._take()
        if self.players and (now or self.players >= self._due):
            self._due = max(self.players * _GROWTH, self.players + 1.0)
            self.measure()
            change = next((one for one in self.changes if one.cohort == self._whole), None)
            if change is not None and not np.isnan(change.difference.low):
                difference = change.difference
                dot = Dot(float(self.players), difference.value, difference.low, difference.high)
                if self.rates and self.rates[-1].x == dot.x:
                    self.rates.pop()
                self.rates.append(dot)
                if len(self.rates) >= _MOST_POINTS:
                    del self.rates[-2::-2]

    @property
    def _whole(self) -> str:
        """The name of everybody: that of the only cohort where there is one."""
        cohorts = self.scenes[0].scenario.cohorts
        return EVERYBODY if len(cohorts) > 1 else cohorts[0]

    @property
    def changes(self) -> list[Change]:
        """The changes of the win rate so far, everybody first."""
        if self.differences is None:
            return []
        found = [change for change in self.differences.changes if change.metric is WIN_RATE]
        order = [self._whole, *self.scenes[0].scenario.cohorts]
        return sorted(found, key=lambda change: order.index(change.cohort))

    def measure(self) -> Differences:
        """What `compare` says of these attempts."""
        results = [
            SideSums(self._sums[number], scene.live_verdict.judge_now(), scene.world.played)
            for number, scene in enumerate(self.scenes)
        ]
        self.differences = measure_differences(self._sides, results)
        return self.differences

    def _take(self) -> None:
        if not self._apart:
            self._take_all()
            return
        for number, scene in enumerate(self.scenes):
            finished = scene.world.finished
            for piece in finished[self._taken[number] :]:
                self._unpaired[number][piece.replica, int(piece.players["player"][0])] = piece
            self._taken[number] = len(finished)
        for key in [key for key in self._unpaired[0] if key in self._unpaired[1]]:
            for number in range(2):
                self._add(number, self._unpaired[number].pop(key))
            self.players += 1

    def _take_all(self) -> None:
        """All attempts so far, where players share a controller."""
        self.players = 0
        for number, scene in enumerate(self.scenes):
            self._sums[number] = self._setups.no_sums(number)
            for piece in scene.world.pieces():
                self._add(number, piece)
                self.players += len(np.unique(piece.rows["player"])) if number == 0 else 0

    def _add(self, number: int, piece: WatchedPiece) -> None:
        setup = self._setups.setups[number]
        played = played_of(piece.rows, piece.players, piece.arrivals)
        sums = metric_sums(played, self._setups.after, len(setup.game.causes), self._setups.levels)
        begun = np.isin(played.players["player"], played.rows["player"]) | self._apart
        numbers = played.players["player"]
        for player, one in zip(numbers[begun], sums[begun], strict=True):
            address, place = int(player) // COHORT_STRIDE, int(player) % COHORT_STRIDE
            self._sums[number][address][piece.replica, place] = one
