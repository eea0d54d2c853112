"""What the scenario's own controller lacks beside the recommended one, as far as the facts show it."""

from __future__ import annotations

from typing import Final

from sims.advice_facts import Facts
from sims.advice_rules import ARENA, Choice, Said
from sims.verdict_words import listed

_WHOSE: Final = {"player": "each player", "cohort": "each cohort", "everyone": "everybody together"}
_CLOSE: Final = 0.01  # relative difference up to which an option is as recommended
_STATES: Final = {"tilt": "tilt", "tiredness": "tire"}  # effect -> how options begin that are 0 without a state for it
_NOTHING: Final = Said(
    "lacks nothing that these facts show: whether what is recommended is better here, only a race can tell.", ARENA
)


def lack(facts: Facts, choice: Choice) -> Said | None:
    """One sentence; None where the scenario has what is recommended."""
    if (facts.kind.name, facts.scope) == (choice.controller, choice.scope):
        found = _of_options(facts, choice)
    else:
        found = _of_mode(facts, choice) or _of_scope(facts, choice) or _of_gain(facts) or _of_states(facts) or _NOTHING
    return found and found._replace(text=f"The scenario's {facts.kind.name} {found.text}")


def _of_options(facts: Facts, choice: Choice) -> Said | None:
    others = [name for name, value in choice.options.items() if abs(facts.options[name] - value) > _CLOSE * abs(value)]
    if not others:
        return None
    told = listed([f"{name} = {facts.options[name]:.3g} where {choice.options[name]:.3g} is" for name in others])
    return Said(f"is the right one, but has {told} recommended.", "the lines for the scenario")


def _of_mode(facts: Facts, choice: Choice) -> Said | None:
    mode, source = facts.kind.mode, "Eiben, Hinterding and Michalewicz 1999"
    if mode == choice.mode == "deterministic":
        return Said("is a schedule too, but not the one that these facts give.", "the lines for the scenario")
    if mode == choice.mode:
        return None
    if mode == "reference":
        return Said("lacks nothing and cannot be had: it knows what no game can know.", "flowdial list controllers")
    if mode == "deterministic":
        return Said("hears no outcome, so it goes the same way for who wins and for who loses.", source)
    if choice.mode == "deterministic":
        return Said("listens to outcomes, and here they tell less than what is known beforehand.", source)
    if choice.mode == "self_adaptive":
        return Said(f"moves the {facts.knobs} knobs together, along the dial, and none without the others.", source)
    return None


def _of_scope(facts: Facts, choice: Choice) -> Said | None:
    if facts.scope == choice.scope:
        return None
    own, better = _WHOSE[facts.scope], _WHOSE[choice.scope]
    return Said(f"has one dial for {own}, and what is recommended has one for {better}.", "the scenario")


def _of_gain(facts: Facts) -> Said | None:
    if not facts.kind.gains:
        return None
    moods = [name for name in facts.effects if name in _STATES]
    states = f", and has no state for {listed(moods)}" if moods else ""
    return Said(f"steps by a gain: it holds no doubt about a player to weigh an outcome by{states}.", ARENA)


def _of_states(facts: Facts) -> Said | None:
    """States that it could have and that are switched off."""
    off = {
        name: option
        for name in facts.effects
        for option, value in facts.options.items()
        if name in _STATES and option.startswith(_STATES[name]) and value == 0.0
    }
    if not off:
        return None
    options = " and ".join(f"{option} = 0" for option in off.values())
    return Said(f"has no state for {listed(list(off))} as long as {options}.", ARENA)
