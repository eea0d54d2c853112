"""Setups for tests of the world, made without a scenario file, and controllers that watch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from controllers.adaptive.weighted_up_down import CONTROLLER as WEIGHTED_UP_DOWN
from engine.controller import Controller, ControllerKind, Option, Outcome, Setting, Who
from engine.game import Game
from engine.parameters import ParameterSpace, straight_path
from engine.players import Distribution, Flow, distribution_table
from engine.setup import Setup
from engine.world import Chunk, Played, chunks, simulate
from games.logistic import GAME as LOGISTIC

Traits = Mapping[str, Distribution]

STEADY: Traits = {"learning": Distribution("fixed", 0.0), "fatigue": Distribution("fixed", 0.0)}
FAITHFUL: Traits = {"quit_frailty": Distribution("fixed", -40.0), "session_frailty": Distribution("fixed", 0.0)}
DAY_S = 86_400.0


def setup_of(
    game: Game = LOGISTIC,
    kind: ControllerKind = WEIGHTED_UP_DOWN,
    *,
    cohorts: Sequence[Traits] = ({},),
    counts: Sequence[int] = (8,),
    targets: Any = 0.55,
    levels: int = 0,
    flow: Flow | None = None,
    space: ParameterSpace | None = None,
    **changes: Any,
) -> Setup:
    """A setup: launch within a day, 30 attempts at most, a horizon of four weeks, and what is asked for otherwise.

    targets: one for all, or shape (cohorts, levels).
    """
    space = space or game.space
    made = Setup(
        game=game,
        space=space,
        path=straight_path(space),
        floor=0.0,
        ceiling=1.0,
        kind=kind,
        options=kind.options(),
        scope=kind.scopes[0],
        cohorts=tuple(f"cohort_{c}" for c in range(len(cohorts))),
        counts=tuple(counts),
        traits=np.array([distribution_table(dict(traits)) for traits in cohorts]),
        targets=np.broadcast_to(np.asarray(targets, dtype=np.float64), (len(cohorts), max(levels, 1))).copy(),
        levels=levels,
        flow=flow or Flow(),
        gaps_s=(0.0,) * len(cohorts),
        window_s=DAY_S,
        delay_s=0.0,
        deploy_every_s=0.0,
        horizon_s=28.0 * DAY_S,
        attempts_per_player=30,
        replicas=1,
        seed=20260101,
        digest="s0123456789abcdef",
    )
    return replace(made, **changes)


def played(setup: Setup, *, one_by_one: bool = False) -> Played:
    """The whole run, its chunks put together."""
    parts = [simulate(setup, chunk, one_by_one=one_by_one) for chunk in chunks(setup)]
    rows, players, arrivals, sessions = map(np.concatenate, zip(*(part.tables for part in parts), strict=True))
    return Played(rows, players, arrivals, sessions, tuple(fault for part in parts for fault in part.faults))


def everybody(setup: Setup, replica: int = 0) -> Chunk:
    """All players of the only cohort as one chunk, however many there are."""
    return Chunk(0, replica, 0, 0, setup.counts[0])


class Nothing(NamedTuple):
    unused: float = 0.0


def kind_of(make: Callable[[], Controller], scope: str = "player") -> ControllerKind:
    """A plug-in around a controller in Python."""
    return ControllerKind(
        name="fake",
        mode="deterministic",
        summary="For tests.",
        formula="-",
        source="-",
        use="-",
        options=Nothing,
        option_list=(Option("unused", 0.0, 1.0, "nothing"),),
        make=lambda options, brief: make(),
        scopes=(scope,),  # type: ignore[arg-type]
    )


class Recorder:
    """Asks for a setting that nobody asked for before, and writes down what it hears, in order."""

    def __init__(self, first: float = 0.4, step: float = 1e-4) -> None:
        self.beliefs = ("asked",)
        self.events: list[tuple[str, Who | Outcome]] = []
        self.settings: dict[int, tuple[Who, Setting]] = {}
        self._first, self._step = first, step

    def ask(self, who: Who) -> Setting:
        ticket = len(self.settings)
        setting = Setting(self._first + ticket * self._step, None, ticket)
        self.settings[ticket] = (who, setting)
        self.events.append(("ask", who))
        return setting

    def tell(self, outcome: Outcome) -> None:
        self.events.append(("tell", outcome))

    def describe(self, who: Who) -> Mapping[str, float]:
        return {"asked": float(len(self.settings))}

    @property
    def told(self) -> list[Outcome]:
        return [event for _, event in self.events if isinstance(event, Outcome)]


class Proposals:
    """Asks for the same numbers, whatever comes."""

    beliefs = ()

    def __init__(self, difficulty: float, units: tuple[float, ...] | None = None) -> None:
        self._setting = Setting(difficulty, units)

    def ask(self, who: Who) -> Setting:
        return self._setting

    def tell(self, outcome: Outcome) -> None:
        pass

    def describe(self, who: Who) -> Mapping[str, float]:
        return {}


def of_player(rows: npt.NDArray[np.void], number: int) -> npt.NDArray[np.void]:
    mine: npt.NDArray[np.void] = rows[rows["player"] == number]
    return mine


def standard_errors(won: int, tried: int, p: float) -> float:
    """How many binomial standard errors a count of wins lies from its expectation."""
    return (won - tried * p) / math.sqrt(tried * p * (1.0 - p))
