"""Constant: one fixed difficulty for all players. The baseline that every controller has to beat."""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.controller import ControllerKind, Observation, Option, Rule, Situation


class Options(NamedTuple):
    difficulty: float = 0.5


class State(NamedTuple):
    difficulty: float


def start(options: Options, target: float) -> State:
    return State(options.difficulty)


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def tell(options: Options, state: State, seen: Observation) -> State:
    return state


CONTROLLER: Final = ControllerKind(
    name="constant",
    mode="deterministic",
    summary="One fixed difficulty for all players: the baseline. Its win rates show how much the players differ.",
    formula="d = difficulty",
    source="the control group of every experiment",
    use="As the baseline of a comparison, and to play a setting that was chosen elsewhere.",
    options=Options,
    option_list=(Option("difficulty", 0.0, 1.0, "difficulty of every attempt"),),
    rule=Rule(start, ask, tell),
    scopes=("player", "cohort", "everyone"),
)
