"""What the scenario's own controller lacks beside the recommended one, as far as the facts show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sims.advice.facts import EFFECTS, ScenarioFacts
from sims.advice.rules import ARENA, Choice, Statement
from sims.catalog import DEFAULT_CONTROLLER, Catalog
from sims.wording import listed

_WHOSE: Final = {"player": "each player", "cohort": "each cohort", "everyone": "everybody together"}
_CLOSE: Final = 0.01  # relative difference up to which an option is as recommended
_STATES: Final[Mapping[str, tuple[str, ...]]] = {  # effect -> options that are 0 where there is no state for it
    "practice": ("learning",),
    "tiredness": ("tired", "tire_sd"),
    "jumps": ("hazard", "reopen"),
    "tilt": ("tilted", "tilt_sd", "tilt"),
}
_CLOCKS: Final = ("learning", "tilted")  # options of DEFAULT_CONTROLLER: weights of filters with a practice curve
_RACE: Final = "whether what is recommended is better here, only a race can tell."
_NOTHING: Final = Statement(f"lacks nothing that these facts show: {_RACE}", ARENA)


def shortcoming_of(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    """One sentence; None where the scenario has what is recommended."""
    if (facts.kind.name, facts.scope) == (choice.controller, choice.scope):
        found = _of_options(facts, choice) or _of_states(facts, choice)
    else:
        found = (
            _of_mode(facts, choice)
            or _of_scope(facts, choice)
            or _of_clock(facts, choice)
            or _of_gain(facts, choice)
            or _of_states(facts, choice)
            or _of_both(facts)
        )
    return found and found._replace(text=f"The scenario's {facts.kind.name} {found.text}")


def _of_options(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    others = [name for name, value in choice.options.items() if abs(facts.options[name] - value) > _CLOSE * abs(value)]
    if not others:
        return None
    told = listed([f"{name} = {facts.options[name]:.3g} where {choice.options[name]:.3g} is" for name in others])
    return Statement(f"is the right one, but has {told} recommended.", "the lines for the scenario")


def _of_mode(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    mode, source = facts.kind.mode, "Eiben, Hinterding and Michalewicz 1999"
    if mode == choice.mode == "deterministic":
        return Statement("is a schedule too, but not the one that these facts give.", "the lines for the scenario")
    if mode == "reference":
        return Statement(
            "lacks nothing and cannot be had: it knows what no game can know.", "flowdial list controllers"
        )
    if mode == "deterministic":
        return Statement("hears no outcome, so it goes the same way for who wins and for who loses.", source)
    if choice.mode == "deterministic":
        return Statement("listens to outcomes, and here they tell less than what is known beforehand.", source)
    if choice.mode == "self_adaptive" and facts.kind.rule is not None:  # a rule asks for a place on the dial
        return Statement(
            f"moves the {facts.knobs} knobs together, along the dial, and none without the others.", source
        )
    return None


def _of_scope(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    if facts.scope == choice.scope:
        return None
    own, better = _WHOSE[facts.scope], _WHOSE[choice.scope]
    return Statement(f"has one dial for {own}, and what is recommended has one for {better}.", "the scenario")


def _of_clock(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    """`kalman` is recommended where a shared dial has no common clock."""
    if (facts.kind.name, choice.controller) != (DEFAULT_CONTROLLER, "kalman"):
        return None
    if not any(facts.options[name] for name in _CLOCKS):
        return None
    return Statement(
        "counts practice by the steps of the shared dial, which out of lockstep are nobody's practice.", ARENA
    )


def _of_gain(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    if not facts.kind.gains:
        return None
    less = _less(facts, choice)
    states = f", and {_no_state(less, facts.options)}" if less else ""
    return Statement(f"steps by a gain: it holds no doubt about a player to weigh an outcome by{states}.", ARENA)


def _of_states(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    less = _less(facts, choice)
    return Statement(f"{_no_state(less, facts.options)}.", ARENA) if less else None


def _of_both(facts: ScenarioFacts) -> Statement:
    """Where the recommended controller has no state that the scenario's own lacks."""
    if not facts.effects:
        return _NOTHING
    own = _states_of(facts.kind.name, facts.scope, facts.options)
    neither = [name for name in facts.effects if name not in own]
    if neither:
        return Statement(f"has no state for {listed(neither)}, nor has what is recommended: {_RACE}", ARENA)
    return Statement(f"reckons with {listed(facts.effects)}: {_RACE}", ARENA)


def _less(facts: ScenarioFacts, choice: Choice) -> list[str]:
    """Effects that act, that the recommended controller has a state for and the scenario's own has none."""
    options = Catalog().controller(choice.controller).options()._asdict() | choice.options
    better = _states_of(choice.controller, choice.scope, options)
    own = _states_of(facts.kind.name, facts.scope, facts.options)
    return [name for name in facts.effects if name in better and name not in own]


def _states_of(name: str, scope: str, options: Mapping[str, float]) -> set[str]:
    """Effects that a controller has a state for."""
    if name == "model_average":  # its models are those of the engine's players; on a shared dial the steady one alone
        return set(EFFECTS) if scope == "player" and options["steady"] < 1.0 else set()
    return {effect for effect, switches in _STATES.items() if any(options.get(one, 0.0) for one in switches)}


def _no_state(effects: Sequence[str], options: Mapping[str, float]) -> str:
    """States that it cannot have, and those that it could and that are switched off."""
    off = {effect: one for effect in effects for one in _STATES[effect] if one in options}
    never = [effect for effect in effects if effect not in off]
    parts = [f"has no state for {listed(never)}"] if never else []
    if off:
        switches = " and ".join(f"{option} = 0" for option in off.values())
        parts.append(f"{'none' if never else 'has no state'} for {listed(list(off))} as long as {switches}")
    return " and ".join(parts)
