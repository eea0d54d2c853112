"""Elo: a rating of the player as a difficulty, moved by how surprising each outcome was where it was played."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.dial_bounds import skill_inside
from controllers.common.dial_margin import margin_for, reach_of_margins
from controllers.common.gain import SCALING, gain_for
from engine.arithmetic import logistic
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation
from engine.external.external_game import AnyGame

HIGHEST: Final = 1.1  # a rating may lie a little above the dial


class Options(NamedTuple):
    a: float = 0.4
    b: float = 0.4
    floor: float = 0.02
    slope: float = 8.0
    rating: float = 0.5
    scaling: float = 0.0


class State(NamedTuple):
    rating: float  # place on the dial where the player wins half of the attempts
    n: float  # outcomes so far; those that came together count as one


def start(options: Options, target: float) -> State:
    return State(options.rating, 0.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    return min(max(state.rating - margin_for(situation.target, options.slope, 0.0, 0.0), 0.0), 1.0)


def tell(options: Options, state: State, seen: Observation) -> State:
    n = state.n + 1.0
    gain = gain_for(max(options.a / (1.0 + options.b * n), options.floor), seen.weight, options.scaling)
    expected = logistic(options.slope * (state.rating - seen.difficulty))
    offset = margin_for(seen.target, options.slope, 0.0, 0.0)
    # Every difficulty is within reach for every target, and no rating runs on beyond that.
    low = min(offset, 0.0)
    high = max(1.0 + offset, HIGHEST)
    return State(min(max(state.rating + gain * (seen.won - expected), low), high), n)


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    return State(skill_inside(state.rating, options.slope, 0.0, 0.0, 0.0, 0.0, bounds), state.n)


def reach(options: Options, game: AnyGame) -> tuple[float, float]:
    return reach_of_margins(0.0, 0.0)


CONTROLLER: Final = ControllerKind(
    name="elo",
    mode="adaptive",
    summary="Rates the player as in chess, by the difficulty that was played: a new target needs no new learning.",
    formula="d = clip(rating - logit(target) / slope, 0, 1); rating <- rating + max(a / (1 + b n), floor) (won - "
    "logistic(slope (rating - d played)))",
    source="Elo 1978, The rating of chess players; uncertainty function: Pelánek 2016, formula as we remember it",
    use="Where targets differ between levels and all levels need one skill. Late outcomes hurt it less than rules "
    "that only count steps. Played at its own difficulty, it equals robbins_monro with c = a / b and n0 = 1 / b.",
    options=Options,
    option_list=(
        Option("a", 0.0, 10.0, "gain before the first outcome"),
        Option("b", 0.0, 10.0, "how fast the gain shrinks with outcomes"),
        Option("floor", 0.0, 1.0, "smallest gain"),
        Option("slope", 1.0, 50.0, "assumed slope of win probability, in logits per unit of difficulty"),
        Option("rating", 0.0, 1.0, "first belief about a player's skill, as a difficulty"),
        SCALING,
    ),
    rule=Rule(start, ask, tell, beliefs=("rating",), anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
    gains=("a", "floor"),
    belief_units={"rating": "dial"},
    reach=reach,
)
