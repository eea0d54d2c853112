"""Stage 1 of the controller contract: the record.

A plug-in's fields may hold anything, whatever their declared types say: hence Any.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from engine.controller import SCOPES, Option, Rule


def names_and_words(kind: Any) -> Iterator[str]:
    """Names are identifiers, mode and scopes are known words, descriptions are one line each."""
    if not (isinstance(kind.name, str) and kind.name.isidentifier() and kind.name == kind.name.lower()):
        yield f"name must be a lower-case identifier, got {kind.name!r}"
    if kind.mode not in ("deterministic", "adaptive", "self_adaptive", "reference"):
        yield f"mode must be deterministic, adaptive, self_adaptive or reference, got {kind.mode!r}"
    for field in ("summary", "formula", "source", "use"):
        words = getattr(kind, field)
        if not isinstance(words, str) or not words.strip() or "\n" in words:
            yield f"{field} must be one line of words, got {words!r}"
    if not isinstance(kind.scopes, tuple) or not kind.scopes or not set(kind.scopes) <= set(SCOPES):
        yield f"scopes must be one or more of {', '.join(SCOPES)}, got {kind.scopes!r}"


def options_are_declared(kind: Any) -> Iterator[str]:
    """Every option is a float with a default within its declared range and a meaning."""
    fields = getattr(kind.options, "_fields", None)
    if not isinstance(kind.options, type) or fields is None:
        yield f"options must be a NamedTuple class, got {kind.options!r}"
        return
    names = tuple(getattr(option, "name", option) for option in kind.option_list)
    if names != tuple(fields):
        yield f"option_list must name the fields of options in order, {tuple(fields)}, got {names}"
        return
    defaults: Any = getattr(kind.options, "_field_defaults", {})
    for option in kind.option_list:
        yield from _option_faults(option, defaults.get(option.name))


def _option_faults(option: Any, default: Any) -> Iterator[str]:
    if not isinstance(option, Option):
        yield f"option_list must contain engine.controller.Option, got {type(option).__name__}"
    elif not (math.isfinite(option.low) and math.isfinite(option.high) and option.low < option.high):
        yield f"option {option.name} must have finite bounds with low < high, got [{option.low!r}, {option.high!r}]"
    elif not isinstance(default, float):
        yield f"option {option.name} must have a default that is a float, got {default!r}"
    elif not option.low <= default <= option.high:
        yield f"option {option.name} must have its default in [{option.low:g}, {option.high:g}], got {default!r}"
    elif not str(option.meaning).strip() or "\n" in str(option.meaning):
        yield f"option {option.name} must have a meaning on one line, got {option.meaning!r}"


def gains_are_options(kind: Any) -> Iterator[str]:
    """What a controller calls its gains are options that can be 0."""
    lows = {option.name: option.low for option in kind.option_list if isinstance(option, Option)}
    for name in kind.gains:
        if lows.get(name) != 0.0:
            yield f"gains must name options whose range begins at 0, got {name!r}"


def one_way_to_make_it(kind: Any) -> Iterator[str]:
    """A controller has either a rule or a function that makes it, not both."""
    if (kind.rule is None) == (kind.make is None):
        yield f"a controller has either a rule or make, got {'neither' if kind.rule is None else 'both'}"
    if kind.rule is not None and not isinstance(kind.rule, Rule):
        yield f"rule must be an engine.controller.Rule, got {type(kind.rule).__name__}"
    if kind.make is not None and not callable(kind.make):
        yield f"make must be callable with (options, brief), got {kind.make!r}"
