"""A persona as text: what it changes, and from what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.players import DEFAULT_TRAITS, TRAIT_LIST, Distribution
from engine.scenario_file.personas import Persona
from sims.terminal import aligned


def persona_description(persona: Persona) -> str:
    """The traits in which a persona differs from the median player, with their defaults, meanings and source."""
    rows = [("trait", "this persona", "default", "meaning")]
    for trait in TRAIT_LIST:
        if trait.name in persona.traits:
            usual = DEFAULT_TRAITS.get(trait.name)
            rows.append((trait.name, _spread_text(persona.traits[trait.name]), _usual_text(usual), trait.meaning))
    return (
        f"{persona.name}: {persona.summary}\n{aligned(rows)}\nSource: {persona.source}.\n"
        f'A cohort has it by persona = "{persona.name}"; traits of its own come on top.'
    )


def _spread_text(given: Any) -> str:
    if not isinstance(given, Mapping):
        return f"{given:g}"
    if given["kind"] == "normal":
        return f"mean {given['mean']:g}, sd {given['sd']:g}"
    return f"median {given['median']:g}, log-sd {given['log_sd']:g}"


def _usual_text(usual: Distribution | None) -> str:
    if usual is None:
        return "from skill"
    if usual.kind == "fixed":
        return f"{usual.a:g}"
    words = ("mean", "sd") if usual.kind == "normal" else ("median", "log-sd")
    return f"{words[0]} {usual.a:g}, {words[1]} {usual.b:g}"
