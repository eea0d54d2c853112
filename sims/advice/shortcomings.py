"""The shortcoming of the scenario's own controller, compared with the recommended one, as far as the facts show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sims.advice.rules import ARENA, EIBEN, FIXED_STEP, Choice, Statement
from sims.advice.scenario_facts import EFFECTS, ScenarioFacts
from sims.catalog import DEFAULT_CONTROLLER, Catalog
from sims.wording import listed

SHARED_BY: Final = {"player": "each player", "cohort": "each player group", "everyone": "all players together"}
_CLOSE: Final = 0.01  # relative difference of an option that is too small to mention
_STATES: Final[Mapping[str, tuple[str, ...]]] = {  # effect -> options that are 0 without a state for it
    "practice": ("learning",),
    "tiredness": ("tired", "tire_sd"),
    "jumps": ("hazard", "reopen"),
    "tilt": ("tilted", "tilt_sd", "tilt"),
}
_CLOCKS: Final = ("learning", "tilted")  # options of DEFAULT_CONTROLLER: weights of filters with a practice curve
_LAGS: Final = "; it has no trend and lags behind players who learn, who win more than wanted"
_LINES: Final = "the lines for the scenario"
_MEASURE: Final = "Only a comparison can show whether the recommended controller is better here."
_NOTHING: Final = Statement(f"lacks nothing that these facts show. {_MEASURE}", ARENA)


def shortcoming_of(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    """State what the scenario's controller lacks; None if it is the recommended one."""
    if (facts.kind.name, facts.scope) == (choice.controller, choice.scope):
        statement = _of_options(facts, choice) or _of_states(facts, choice)
    else:
        statement = (
            _of_mode(facts, choice)
            or _of_scope(facts, choice)
            or _of_clock(facts, choice)
            or _of_gain(facts, choice)
            or _of_states(facts, choice)
            or _of_both(facts)
        )
    return statement and statement._replace(text=f"The scenario's {facts.kind.name} {statement.text}")


def _of_options(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    others = [name for name, value in choice.options.items() if abs(facts.options[name] - value) > _CLOSE * abs(value)]
    if not others:
        return None
    values = listed([f"{name} = {facts.options[name]:.3g} instead of {choice.options[name]:.3g}" for name in others])
    return Statement(f"is the recommended controller, but has {values}.", _LINES)


def _of_mode(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    mode = facts.kind.mode
    if mode == choice.mode == "deterministic":
        return Statement("is a fixed plan too, but not the one that suits these players.", _LINES)
    if mode == "reference":
        return Statement("is a reference: it uses knowledge that no game has.", "flowdial list controllers")
    if mode == "deterministic":
        text = "ignores outcomes, so it does the same for players who win and for players who lose."
        return Statement(text, EIBEN)
    if choice.mode == "deterministic":
        return Statement("reacts to outcomes, which say less here than what is known in advance.", EIBEN)
    if choice.mode == "self_adaptive" and facts.kind.rule is not None:  # a rule asks for a place on the dial
        return Statement(f"changes the {facts.knobs} parameters together and never one by one.", EIBEN)
    return None


def _of_scope(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    if facts.scope == choice.scope:
        return None
    own, better = SHARED_BY[facts.scope], SHARED_BY[choice.scope]
    text = f"has one difficulty for {own}. The recommended controller has one for {better}."
    return Statement(text, "the scenario")


def _of_clock(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    """`kalman` is recommended for a shared dial without a common clock."""
    if (facts.kind.name, choice.controller) != (DEFAULT_CONTROLLER, "kalman"):
        return None
    if not any(facts.options[name] for name in _CLOCKS):
        return None
    text = (
        "counts practice by steps of the shared difficulty. Attempts are not synchronised, so those steps are no "
        "player's practice."
    )
    return Statement(text, ARENA)


def _of_gain(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    if not facts.kind.gains:
        return None
    less = _less(facts, choice)
    states = f" It {_no_state(less, facts.options)}." if less else ""
    return Statement(f"{FIXED_STEP}.{states}", ARENA)


def _of_states(facts: ScenarioFacts, choice: Choice) -> Statement | None:
    less = _less(facts, choice)
    return Statement(f"{_no_state(less, facts.options)}.", ARENA) if less else None


def _of_both(facts: ScenarioFacts) -> Statement:
    """The recommended controller has no state that the scenario's own lacks."""
    if not facts.effects:
        return _NOTHING
    own = _states_of(facts.kind.name, facts.scope, facts.options)
    neither = [name for name in facts.effects if name not in own]
    if neither:
        text = f"does not track {_either(neither)}, and neither does the recommended controller. {_MEASURE}"
        return Statement(text, ARENA)
    return Statement(f"accounts for {listed(facts.effects)}. {_MEASURE}", ARENA)


def _less(facts: ScenarioFacts, choice: Choice) -> list[str]:
    """List the effects for which the recommended controller has a state and the scenario's own has none."""
    options = Catalog().controller(choice.controller).options()._asdict() | choice.options
    better = _states_of(choice.controller, choice.scope, options)
    own = _states_of(facts.kind.name, facts.scope, facts.options)
    return [name for name in facts.effects if name in better and name not in own]


def _states_of(name: str, scope: str, options: Mapping[str, float]) -> set[str]:
    """The effects that a controller has a state for."""
    if name == "model_average":  # its models are those of the engine's players; on a shared dial the steady one alone
        return set(EFFECTS) if scope == "player" and options["steady"] < 1.0 else set()
    return {effect for effect, switches in _STATES.items() if any(options.get(one, 0.0) for one in switches)}


def _no_state(effects: Sequence[str], options: Mapping[str, float]) -> str:
    """Name the states that a controller cannot have, and those that are switched off."""
    off = {effect: one for effect in effects for one in _STATES[effect] if one in options}
    never = [effect for effect in effects if effect not in off]
    text = f"does not track {_either(never)}" if never else ""
    if off:
        switches = " and ".join(f"{option} = 0" for option in off.values())
        text += f"{', nor' if never else 'does not track'} {_either(list(off))} (switched off by {switches})"
    return f"{text}{_LAGS}" if "practice" in effects else text


def _either(names: Sequence[str]) -> str:
    """Names as one reads them out after a denial."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
