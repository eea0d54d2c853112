"""A scenario in the form that the world plays: checked, resolved, numbers in arrays, nothing optional."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.attempt import RUNS_OWN
from engine.controller import Brief, ControllerKind, Scope
from engine.estimates.estimate_errors import EstimateErrors
from engine.external.external_game import AnyGame
from engine.parameters import ParameterSpace
from engine.players import COHORT_STRIDE, Flow
from engine.presence.week import ALWAYS_ALIKE, Week
from engine.randomness import LEVEL, WORD, key_of, words
from engine.scheduling.option_schedule import NO_SCHEDULE, OptionSchedule

Layouts = Literal["shared", "per_replica"]


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything a world needs to know. Made by engine.scenario; immutable."""

    game: AnyGame
    space: ParameterSpace  # the game's knobs with the scenario's bounds and held values
    path: npt.NDArray[np.float64]  # the dial, shape (points, knobs)
    floor: float  # no controller leaves [floor, ceiling]
    ceiling: float
    kind: ControllerKind
    options: Any  # the controller's options tuple
    scope: Scope
    cohorts: tuple[str, ...]
    counts: tuple[int, ...]  # players per cohort, in each replica
    traits: npt.NDArray[np.float64]  # shape (cohorts, traits, 6), see engine.players.distribution_table
    targets: npt.NDArray[np.float64]  # wanted win rate, shape (cohorts, levels); one level in an endless stream
    levels: int  # levels of the campaign; 0 for an endless stream
    flow: Flow
    gaps_s: tuple[float, ...]  # mean time between arrivals, per cohort; 0 for a launch wave
    window_s: float  # length of the launch wave
    delay_s: float  # how late an outcome reaches the controller
    deploy_every_s: float  # a shared controller's settings are renewed so often; 0 for at once
    horizon_s: float  # no attempt starts later
    attempts_per_player: int  # nor makes more attempts
    replicas: int
    seed: int
    digest: str  # first 16 hex digits, after an s, of the resolved scenario's sha256
    layouts: Layouts = "shared"  # whether all replicas meet the numbered levels of one draw, or each those of its own
    level_seed: int = RUNS_OWN  # from which numbered levels are drawn; RUNS_OWN: the seed of the run
    addresses: tuple[int, ...] = ()  # of the cohorts, rising; empty where each has its own place as address
    week: Week = ALWAYS_ALIKE  # when people play, see engine.presence.week
    win_chance: bool = False  # whether rows have the true chance of winning
    errors: EstimateErrors | None = None  # how sure the fitted players and levels are; None where none were fitted
    schedule: OptionSchedule = NO_SCHEDULE  # how the controller's options change with outcomes

    def brief(self, replica: int) -> Brief:
        """What the controller of one replica receives."""
        return Brief(
            self.space,
            self.path,
            self.floor,
            self.ceiling,
            self.targets,
            self.scope,
            self.cohorts,
            self.seed,
            replica,
            self.game,
            self.traits,
            self.layout_seed(replica),
            self.levels,
            self.schedule,
        )

    @property
    def own_layouts(self) -> bool:
        """Whether each replica has numbered levels of its own."""
        return self.levels > 0 and self.layouts == "per_replica"

    @property
    def draws_estimates(self) -> bool:
        """Whether each replica draws what was fitted, from the covariance of the estimates."""
        return self.errors is not None and self.replicas > 1

    @property
    def shares_luck(self) -> bool:
        """Whether players of one replica share a controller, or the luck of its layouts or of its estimates, so that
        replicas count."""
        return self.scope != "player" or self.own_layouts or self.draws_estimates

    def layout_seed(self, replica: int) -> int:
        """The seed of the numbered levels that one replica meets; RUNS_OWN for the seed of the run.

        A number of 48 bits where each replica has its own, so that a spreadsheet keeps it.
        """
        if not self.own_layouts:
            return self.level_seed
        seed = self.seed if self.level_seed == RUNS_OWN else self.level_seed
        high, low, _, _ = words(key_of(seed, replica, LEVEL, WORD, 0), 0)  # level 0 is no level of a campaign
        return ((high & 0xFFFF) << 32) + low

    def player_number(self, cohort: int, place: int) -> int:
        """The number that is a player's address: cohorts can grow without shifting other players."""
        return (self.addresses[cohort] if self.addresses else cohort) * COHORT_STRIDE + place

    @property
    def players(self) -> int:
        """Players of one replica."""
        return sum(self.counts)
