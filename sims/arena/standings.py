"""Controllers over the worlds of the arena: their scores, and the standings that follow from them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

from sims.arena.score import Interval
from sims.arena.score_card import ScoreLine
from sims.arena.worlds import WORLDS
from sims.wording import listed


class Standing(NamedTuple):
    """One controller over all worlds that were played.

    Attributes:
        controller: name with options.
        mode: of the controller.
        ratios: by world, its error divided by the limit's; NaN if one of the two did not play.
        mean: geometric mean over the ten worlds; NaN if one of those that were played has no ratio.
        worst: largest ratio over the ten worlds; NaN as the mean.
        microseconds: for each attempt on one core, median over worlds.
    """

    controller: str
    mode: str
    ratios: dict[str, float]
    mean: float
    worst: float
    microseconds: float


@dataclasses.dataclass(frozen=True)
class ArenaScores:
    """The scores of all controllers in all worlds.

    Attributes:
        players: how many players each world has.
        worlds: names of the worlds that were played.
        scores: one line for each world and controller.
        advantages: by controller, what losing on purpose gains in the other attempts, in win probability.
        absent: by world and controller, why it did not play or does not count.
        faulty: whether a controller is left out because it or a game raised an error.
    """

    players: int
    worlds: tuple[str, ...]
    scores: tuple[ScoreLine, ...]
    advantages: dict[str, Interval]
    absent: dict[tuple[str, str], str]
    faulty: bool = False

    @property
    def standings(self) -> list[Standing]:
        """All controllers: the smallest mean ratio over the ten worlds first, those without one last."""
        names = dict.fromkeys(line.controller for line in self.scores)
        standings = [
            _standing([line for line in self.scores if line.controller == name], self.worlds) for name in names
        ]
        return sorted(standings, key=lambda one: (math.isnan(one.mean), one.mean))

    @property
    def limited_worlds(self) -> list[str]:
        """The worlds in which the limit played, so that there are ratios."""
        return [world for world in self.worlds if any(one.ratios[world] > 0.0 for one in self.standings)]

    @property
    def absences(self) -> list[str]:
        """Why controllers are missing in a world: a sentence for each reason, with its controllers."""
        reasons: dict[str, list[str]] = {}
        for (world, name), why in self.absent.items():
            reasons.setdefault(f"{world}: {why}", []).append(name)
        return [f"{why} ({listed(list(dict.fromkeys(names)))})." for why, names in reasons.items()]


def _standing(lines: Sequence[ScoreLine], worlds: Sequence[str]) -> Standing:
    """lines: of one controller."""
    ratios = dict.fromkeys(worlds, math.nan) | {line.course: line.ratio.value for line in lines}
    ten = [ratios[world] for world in WORLDS if world in ratios]
    known = bool(ten) and all(ratio > 0.0 for ratio in ten)
    return Standing(
        lines[0].controller,
        lines[0].mode,
        ratios,
        math.exp(math.fsum(map(math.log, ten)) / len(ten)) if known else math.nan,
        max(ten) if known else math.nan,
        _median([line.microseconds for line in lines]),
    )


def _median(numbers: Sequence[float]) -> float:
    ranked = sorted(numbers)
    return (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2.0
