"""Controllers with one flaw each: variants of weighted_up_down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from controllers.adaptive.weighted_up_down import CONTROLLER as SOUND
from controllers.adaptive.weighted_up_down import Options, State, ask, start
from engine.controller import ControllerKind, Observation, Rule


def tell_without_end(options: Options, state: State, seen: Observation) -> State:
    """Runs on beyond the dial, and has to come all the way back."""
    return State(state.difficulty + options.step * (seen.won - seen.target))


def tell_turned_round(options: Options, state: State, seen: Observation) -> State:
    """Gets easier after a win and harder after a loss."""
    return State(min(max(state.difficulty - options.step * (seen.won - seen.target), 0.0), 1.0))


def tell_for_half(options: Options, state: State, seen: Observation) -> State:
    """Steers for a win rate of a half, whatever is wanted."""
    return State(min(max(state.difficulty + options.step * (seen.won - 0.5), 0.0), 1.0))


def _variant(name: str, tell: Any) -> ControllerKind:
    return replace(SOUND, name=name, rule=Rule(start, ask, tell))


CONTROLLERS: Final = {
    kind.name: kind
    for kind in (
        _variant("winds_up", tell_without_end),
        _variant("turned_round", tell_turned_round),
        _variant("deaf_to_target", tell_for_half),
    )
}
