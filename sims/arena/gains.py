"""Gains of a controller that are tried on a scenario, and what their errors say.

With too small a gain a controller follows too slowly, with too large a one it swings, so the error has one valley. If
a controller has several gains, their ratios are kept. Recommended is the smallest gain that is surely within 5 % of the
best, because it moves the dial least. If there are too few players to be sure of any, the best is recommended.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.controller import ControllerKind
from engine.errors import ScenarioError
from engine.scenario import Scenario, setup_of
from sims.arena.score import Interval
from sims.catalog import Catalog

OCTAVES: Final = 5.0  # to either side of the defaults
STEPS: Final = 8  # to either side
NEAR: Final = 1.05  # times the smallest error: what a smaller gain may cost


class GainTrial(NamedTuple):
    """One set of gains, and its error."""

    gains: tuple[float, ...]
    rmse: Interval
    behind: Interval  # rmse divided by that of the best gains, on the same players; all of these hold together


@dataclasses.dataclass(frozen=True)
class GainTrials:
    """All gains that were tried, and which one is recommended.

    Attributes:
        controller: its name.
        options: names of its gains.
        trials: from small to large gains.
        recommended: the recommended gains.
        low: first gains from `low` to `high` are too close to call with the best.
        high: see `low`.
        fresh: RMSE of the recommended gains on other players.
        fresh_seed: seed of those players.
        to_default: `fresh` divided by the RMSE of the default gains on the same players.
    """

    controller: str
    options: tuple[str, ...]
    trials: tuple[GainTrial, ...]
    recommended: tuple[float, ...]
    low: float
    high: float
    fresh: Interval
    fresh_seed: int
    to_default: Interval

    @property
    def best(self) -> GainTrial:
        """The trial with the smallest error."""
        return min(self.trials, key=lambda trial: trial.rmse.value)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is recommended, how sure that is, and the error on other players."""
        values = zip(self.options, self.recommended, strict=True)
        chosen = ", ".join(f"{name} = {gain:g}" for name, gain in values)
        return f"Recommended for {self.controller}: {chosen}.", self._how_sure(), self._on_other_players()

    def _how_sure(self) -> str:
        name, best = self.options[0], self.best
        text = f"The best tested value is {name} = {best.gains[0]:g}"
        if self.low < self.high:
            text += f"; values from {self.low:g} to {self.high:g} are too close to call."
        else:
            text += "; no other one is as good."
        if self.recommended != best.gains:
            text += f" {self.recommended[0]:g} is the smallest that is surely within {100 * (NEAR - 1):.0f} % of it."
        if self.high == self.trials[-1].gains[0]:
            text += " The good values reach the upper end of the tested range: a larger one may be as good."
        elif self.low == self.trials[0].gains[0]:
            text += " The good values reach the lower end of the tested range: not adapting may be as good."
        return text

    def _on_other_players(self) -> str:
        ratio, fresh = self.to_default, self.fresh
        if math.isnan(ratio.low):
            beside = "which cannot be compared with the default here"
        elif ratio.low == ratio.high == 1.0:
            beside = "and it is the default"
        elif ratio.low <= 1.0 <= ratio.high:
            beside = "too close to call with the default"
        else:
            beside = f"{ratio.value:.2f} times that of the default (margin {ratio.low:.2f} to {ratio.high:.2f})"
        error = f"{fresh.value:.4f} (margin {fresh.low:.4f} to {fresh.high:.4f})"
        return f"On other players (seed {self.fresh_seed}) its error is {error}, {beside}."


def gain_names(scenario: Scenario, kind: ControllerKind) -> tuple[str, ...]:
    """The names of a controller's gains. Raises ScenarioError if it has none, or if all players form one group."""
    usual = kind.options()._asdict()
    names = tuple(name for name in kind.gains if usual[name] > 0.0)
    if not names:
        raise ScenarioError(f"only a controller with a gain can be searched, {kind.name} has none; choose another")
    setup = setup_of(scenario, Catalog())
    groups = {"player": setup.players, "cohort": sum(count > 0 for count in setup.counts), "everyone": 1}
    if groups[setup.scope] * setup.replicas < 2:
        raise ScenarioError(
            f"{scenario.name}: there is only one group of players, so no margin is known; set [run] replicas to a "
            "larger number"
        )
    return names


def gains_to_try(kind: ControllerKind, names: tuple[str, ...]) -> list[tuple[float, ...]]:
    """Gains from small to large. The defaults are among them, and none is out of its range."""
    usual = kind.options()._asdict()
    highs = {option.name: option.high for option in kind.option_list}
    choices = []
    for step in range(-STEPS, STEPS + 1):
        factor = 2.0 ** (OCTAVES * step / STEPS)
        gains = tuple(float(f"{usual[name] * factor:.3g}") if step else usual[name] for name in names)
        if all(gain <= highs[name] for name, gain in zip(names, gains, strict=True)):
            choices.append(gains)
    return choices


def recommended(best: int, behind: Sequence[Interval]) -> int:
    """The place of the smallest gain that is surely within NEAR of the best; the best itself if there is no other."""
    return next((i for i, one in enumerate(behind) if one.high <= NEAR), best)


def around(best: int, as_good: Sequence[bool]) -> tuple[int, int]:
    """First and last of the places next to the best, without a gap, that are as good."""
    first = last = best
    while first > 0 and as_good[first - 1]:
        first -= 1
    while last + 1 < len(as_good) and as_good[last + 1]:
        last += 1
    return first, last
