"""Players of worlds for the intervals of targets beyond the win rate, see benchmarks.calibration.

A world plays each population once: players who quit, in an endless stream and in a campaign. A repetition draws players
from it, with replacement, so that the truth is known exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from engine.further.further_counts import player_ratio
from engine.further.further_target import FurtherTarget
from engine.game import FAILED
from engine.inference.intervals import Integers
from engine.scenario import Scenario, parse, setup_of
from engine.world import chunks, simulate
from sims.catalog import Catalog

SIZES: Final = (60, 150, 400)  # players of a repetition
_SECONDS_UNIT: Final = 2**40  # moments of seconds are not kept
_TEXT: Final = """
format = 1
seed = 51
game = {{ name = "{game}", params = {{ guess = 0.0 }} }}
dial = {{ floor = 0.0, ceiling = 1.0{knobs} }}
controller = {{ name = "constant", options = {{ difficulty = {difficulty} }} }}
players = {{ count = {players} }}
horizon = {{ days = 14.0, attempts_per_player = 80 }}
target = {{ win_rate = 0.7 }}
{levels}
[[cohort]]
name = "a"
share = 1.0
[cohort.traits]
skill = {{ kind = "normal", mean = 0.0, sd = 0.8 }}
learning = 0.05
quit_frailty = {{ kind = "normal", mean = -3.5, sd = 1.0 }}
"""
_CAMPAIGN: Final = """
[levels]
kind = "campaign"
count = 4
params = { level_difficulty = [-1.5, 0.4, -0.2, 0.8] }
"""

ENDLESS: Final = (
    FurtherTarget("win_rate", 0, 0.0, 1.0, first=20),
    FurtherTarget("quit", 0, 0.0, 1.0, first=10),
    FurtherTarget("quit", 0, 0.0, 1.0, day=1.0),
    FurtherTarget("losing_run", 0, 0.0, 1.0, first=40),
    FurtherTarget("session_length", 0, 0.0, 1.0),
    FurtherTarget("session_length", 0, 0.0, 1.0, unit="minutes"),
)
CAMPAIGN: Final = (
    FurtherTarget("quit", 0, 0.0, 1.0, level=2),
    FurtherTarget("attempts_to_pass", 0, 0.0, 1.0, level=2),
    FurtherTarget("attempts_to_pass", 0, 0.0, 1.0, level=4),
    FurtherTarget("attempts_to_pass", 0, 0.0, 1.0, level=2, statistic="p90"),
)


class FurtherPopulation(NamedTuple):
    """What the players of a world add to the ratio of a target; each has shape (cells, players)."""

    target: FurtherTarget
    part: Integers
    whole: Integers

    @property
    def unit(self) -> int:
        """Of attempts in moments."""
        return _SECONDS_UNIT if self.target.unit == "minutes" else 1


def further_populations(players: int) -> Iterator[FurtherPopulation]:
    """All of them, from one endless stream and one campaign."""
    endless = _TEXT.format(game="logistic", knobs="", difficulty=0.35, players=players, levels="")
    campaign = _TEXT.format(
        game="ladder", knobs=', knobs = ["help"]', difficulty=0.3, players=players, levels=_CAMPAIGN
    )
    for text, targets in ((endless, ENDLESS), (campaign, CAMPAIGN)):
        yield from _played(parse(text.encode(), "further.toml", Catalog(), allow_long=True), targets)


def _played(scenario: Scenario, targets: tuple[FurtherTarget, ...]) -> Iterator[FurtherPopulation]:
    found: dict[FurtherTarget, list[tuple[Integers, Integers]]] = {target: [] for target in targets}
    setup = setup_of(scenario, Catalog())
    for chunk in chunks(setup):
        played = simulate(setup, chunk)
        rows = played.rows[played.rows["outcome"] != FAILED]
        for target, parts in found.items():
            ratio = player_ratio(target, rows, played.players)
            parts.append((ratio.part, ratio.whole))
    for target, parts in found.items():
        part, whole = (np.concatenate(column, axis=1) for column in zip(*parts, strict=True))
        yield FurtherPopulation(target, part, whole)
