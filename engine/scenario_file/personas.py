"""Personas: kinds of players by name. A cohort that names one takes its traits, and its own traits come on top.

A persona sets only traits in which it differs from the median player; the rest is as by default. All numbers are
assumptions unless a source is named, and none is fitted to a game: `flowdial calibrate` does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple


class Persona(NamedTuple):
    """A kind of player."""

    name: str
    summary: str
    traits: Mapping[str, Any]  # as in [cohort.traits]
    source: str  # of its numbers, or what is assumed


def _normal(mean: float, sd: float) -> dict[str, Any]:
    return {"kind": "normal", "mean": mean, "sd": sd}


def _lognormal(median: float, log_sd: float) -> dict[str, Any]:
    return {"kind": "lognormal", "median": median, "log_sd": log_sd}


PERSONAS: Final = (
    Persona(
        "newcomer",
        "little skill at first, and learns fast",
        {"skill": _normal(-1.0, 0.6), "learning": _lognormal(0.3, 0.5), "quit_frailty": _normal(-5.0, 1.2)},
        "assumption: better than 16 % of players; first practice gains most (Heathcote, Brown and Mewhort 2000)",
    ),
    Persona(
        "regular",
        "the median player, from a narrower spread",
        {"skill": _normal(0.0, 0.6)},
        "assumption: the spread is two thirds of that of all players",
    ),
    Persona(
        "expert",
        "much skill, hardly anything left to learn",
        {"skill": _normal(1.3, 0.5), "learning": _lognormal(0.05, 0.5), "quit_frailty": _normal(-6.5, 1.0)},
        "assumption: better than 90 % of players, and persistent",
    ),
    Persona(
        "rage-quitter",
        "plays worse after a loss, and leaves soon",
        {"tilt": 0.3, "quit_frailty": _normal(-4.0, 1.2), "session_frailty": _normal(0.7, 1.0)},
        "assumption: 4.5 times the usual odds of quitting. Losses multiply the odds as [players.flow] says",
    ),
    Persona(
        "stubborn",
        "stays whatever happens, in long sessions",
        {"quit_frailty": _normal(-8.0, 0.8), "session_frailty": _normal(-1.0, 0.8)},
        "assumption: a twelfth of the usual odds of quitting",
    ),
    Persona(
        "cautious",
        "slow, and makes few slips",
        {"speed": _lognormal(1.2, 0.1), "slip": 0.015, "lapse": 0.01},
        "assumption: the usual trade of speed for accuracy (Wickelgren 1977), a fifth slower for half of the slips",
    ),
    Persona(
        "returning",
        "skilled once, comes rarely and forgets between sessions",
        {"skill": _normal(0.5, 0.7), "return_scale": _lognormal(8.0, 0.7), "forgetting": 0.03},
        "assumption: half of what was learnt is gone after 23 days",
    ),
    Persona(
        "child",
        "slower hands, more missed moments, learns fast",
        {"skill": _normal(-0.6, 0.8), "speed": _lognormal(1.5, 0.12), "lapse": 0.05, "learning": _lognormal(0.25, 0.5)},
        "times of ten- to twelve-year-olds are 1.4 to 1.6 times those of adults (Kail 1991); the rest is assumed",
    ),
    Persona(
        "one-handed",
        "more wrong keys, somewhat slower",
        {"speed": _lognormal(1.2, 0.12), "slip": 0.1},
        "assumption: two to three times the usual slips",
    ),
    Persona(
        "tired-commuter",
        "short sessions, tires soon, misses moments",
        {
            "session_frailty": _normal(1.2, 0.8),
            "tiring": 0.8,
            "fatigue": 0.1,
            "lapse": 0.05,
            "speed": _lognormal(1.1, 0.1),
        },
        "assumption: sessions half as long as usual; reactions a tenth slower",
    ),
)
PERSONA_NAMES: Final = tuple(persona.name for persona in PERSONAS)


def persona_traits(name: str) -> Mapping[str, Any]:
    """The traits of a persona, as in [cohort.traits]; empty for no persona and an unknown one."""
    return next((persona.traits for persona in PERSONAS if persona.name == name), {})
