"""The resolved form of a scenario: every default filled in, and the keys where it differs from the defaults.

It is printed as a complete file, and its digest names what is played.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from engine.controller import ControllerKind
from engine.external.external_game import AnyGame
from engine.parameters import Knob
from engine.players import DEFAULT_TRAITS, TRAIT_LIST, Distribution, Trait
from engine.scenario_file.consistency import fixed_names, scope_of
from engine.scenario_file.sections import DEFAULT_TOLERANCE, Form, GameSection, Section
from engine.scenario_file.toml import format_toml, key_text

Tree = dict[str, Any]

_HEAD: Final = "# A complete scenario: every default is written out; # changed marks what differs from it.\n"
_NOT_PLAYED: Final = ("title", "notes", "record")  # these do not change what is played; nor do the labels of cohorts


def resolve_form(
    form: Form, game: AnyGame, kind: ControllerKind, default_controller: str
) -> tuple[Form, frozenset[str]]:
    """The form with nothing left out, and the dotted keys whose value is not the default. The form must be checked."""
    knobs = [_narrowed(knob, form.game) for knob in game.space]
    listed = game.space.names if form.dial.knobs is None else form.dial.knobs
    moving = [knob for knob in knobs if knob.name in listed and knob.name not in fixed_names(form.game, form.levels)]
    fixed = {knob.name: _value(knob, form.game) for knob in knobs if knob not in moving}

    tree = form.model_dump(exclude_none=True)
    tree["game"]["params"] = fixed
    tree["game"]["bounds"] = {knob.name: [knob.low, knob.high] for knob in moving if knob.scale != "choice"}
    tree["dial"]["knobs"] = [knob.name for knob in moving]
    tree["dial"]["path"] = {knob.name: form.dial.path.get(knob.name, [0.0, 1.0]) for knob in moving}
    tree["controller"]["name"] = kind.name
    tree["controller"]["scope"] = scope_of(form.controller, kind)
    tree["controller"]["options"] = kind.options(**form.controller.options)._asdict()
    if "gain" in tree["controller"]:
        tree["controller"]["gain"].setdefault("length", form.horizon.attempts_per_player)
    common = tree["target"].get("tolerance", DEFAULT_TOLERANCE)
    for target in (tree["target"], *(cohort["target"] for cohort in tree["cohort"] if "target" in cohort)):
        if "win_rate" in target or "levels" in target:
            target.setdefault("tolerance", common)
    for cohort in tree["cohort"]:
        cohort["traits"] = _traits(cohort["traits"])
        correlation = _without_zeros(cohort.pop("correlation", {}))
        if correlation:  # a correlation of 0 is none, so that its bytes are the same
            cohort["correlation"] = correlation

    defaults = _defaults(Form)
    defaults["game"] |= {
        "params": {knob.name: knob.default for knob in game.space},
        "bounds": {knob.name: [knob.low, knob.high] for knob in game.space},
    }
    defaults["dial"] |= {"knobs": list(game.space.names), "path": {knob.name: [0.0, 1.0] for knob in knobs}}
    defaults["target"]["tolerance"] = DEFAULT_TOLERANCE
    defaults["controller"] |= {
        "name": default_controller,
        "scope": kind.scopes[0],
        "options": kind.options()._asdict(),
    }
    usual = {"label": "", "traits": _traits({}), "target": {"tolerance": common}}
    defaults["cohort"] = [usual] * len(tree["cohort"])
    return Form.model_validate(tree), frozenset(_differences(tree, defaults, ""))


def _narrowed(knob: Knob, section: GameSection) -> Knob:
    bounds = section.bounds.get(knob.name)
    return knob if bounds is None else knob.narrowed(*bounds)


def _value(knob: Knob, section: GameSection) -> float | int | str:
    """The fixed value of a knob, in the one spelling that its scale has."""
    return knob.shown(knob.real(section.params.get(knob.name, knob.default)))


def _traits(given: Mapping[str, Any]) -> Tree:
    """All traits that have a value, in their own order; given: as in the file."""
    traits: Tree = {}
    for trait in TRAIT_LIST:
        if trait.name in given:
            spread = given[trait.name]
            traits[trait.name] = _held_in(spread, trait) if isinstance(spread, dict) else spread
        elif trait.name in DEFAULT_TRAITS:
            traits[trait.name] = _usual(DEFAULT_TRAITS[trait.name], trait)
    return traits


def _without_zeros(correlation: Mapping[str, Mapping[str, float]]) -> Tree:
    kept = {name: {other: value for other, value in others.items() if value} for name, others in correlation.items()}
    return {name: others for name, others in kept.items() if others}


def _held_in(spread: Tree, trait: Trait) -> Tree:
    ends = {"low": spread.get("low", trait.low), "high": spread.get("high", trait.high)}
    return {**{key: value for key, value in spread.items() if key not in ends}, **ends}


def _usual(spread: Distribution, trait: Trait) -> float | Tree:
    if spread.kind == "fixed":
        return spread.a
    first, second = {"normal": ("mean", "sd"), "lognormal": ("median", "log_sd")}[spread.kind]
    return _held_in({"kind": spread.kind, first: spread.a, second: spread.b, f"common_{second}": spread.common}, trait)


def _defaults(model: type[Section]) -> Tree:
    """The defaults that the models know, tables within tables."""
    defaults: Tree = {}
    for name, field in model.model_fields.items():
        kind = field.annotation
        if not field.is_required():
            default = field.get_default()
            if isinstance(default, Section):
                defaults[name] = default.model_dump(exclude_none=True)
            elif default is not None:
                defaults[name] = default
        elif isinstance(kind, type) and issubclass(kind, Section):
            defaults[name] = _defaults(kind)
    return defaults


def _differences(value: Any, default: Any, key: str) -> Iterator[str]:
    """Dotted keys of values that have a default and differ from it."""
    if key.startswith("cohort.") and ".traits." in key:  # a trait is one line, whatever its form
        if value != default:
            yield key
    elif isinstance(value, dict) and isinstance(default, dict):
        for name in value:
            if name in default:
                yield from _differences(value[name], default[name], f"{key}.{name}" if key else name)
    elif key == "cohort":
        for table, usual in zip(value, default, strict=True):
            yield from _differences(table, usual, f"cohort.{table['name']}")
    elif value != default:
        yield key


def text_of(form: Form, changed: frozenset[str]) -> str:
    """A resolved form as TOML, in the order of the models."""
    lines = [_HEAD]
    _write(form.model_dump(exclude_none=True), "", "", changed, lines)
    return "\n".join(lines).rstrip("\n") + "\n"


def _write(table: Tree, header: str, key: str, changed: frozenset[str], lines: list[str]) -> None:
    """Append a table: its values, then the tables in it. key: the dotted key that `changed` knows it by."""
    inner: list[tuple[str, Any]] = []
    start = len(lines)
    for name, value in table.items():
        inline = key.startswith("cohort.") and (name == "target" or key.endswith((".traits", ".correlation")))
        if (isinstance(value, dict) and not inline) or name == "cohort":
            inner.append((name, value))
            continue
        here = f"{key}.{name}" if key else name
        mark = "  # changed" if any(one == here or one.startswith(here + ".") for one in changed) else ""
        lines.append(f"{key_text(name)} = {format_toml(value)}{mark}")
    if len(lines) > start:
        if header:
            lines.insert(start, header)
        lines.append("")
    for name, value in inner:
        here = f"{key}.{name}" if key else name
        if name == "cohort":
            for cohort in value:
                _write(cohort, "[[cohort]]", f"cohort.{cohort['name']}", changed, lines)
        else:
            path = f"cohort.{name}" if key.startswith("cohort.") else here
            _write(value, f"[{path}]", here, changed, lines)


def form_digest(form: Form) -> str:
    """SHA-256, 64 hex digits, of everything in a resolved form that decides what is played."""
    tree = form.model_dump(exclude_none=True, exclude=set(_NOT_PLAYED))
    for cohort in tree["cohort"]:
        del cohort["label"]
    if tree["levels"].get("layouts") == "shared":  # as it was before there was a choice, so that digests stay
        del tree["levels"]["layouts"]
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
