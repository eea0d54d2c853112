"""A scenario's tables validated against their models, with errors in our own words.

A finding gives the rule, the value, and the name that was probably meant. Wrong parts are then left out, and the valid
tables are still checked against each other, the game and the controller. So all errors are reported at once.
"""

from __future__ import annotations

import copy
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from engine.players import TRAIT_NAMES
from engine.scenario_file.likely_slips import slip_of_key, slip_of_table, slip_of_value
from engine.scenario_file.positions import KeyPath
from engine.scenario_file.scenario_faults import Faults, one_of, quote_value, suggestion
from engine.scenario_file.sections import (
    Campaign,
    CohortSection,
    ControllerSection,
    DialSection,
    Endless,
    FieldRule,
    Form,
    GameSection,
    HorizonSection,
    PlayersSection,
    RunSection,
    TargetSection,
    TelemetrySection,
)

_MOST_BITS: Final = 1024  # of a whole number that a float can hold


@dataclass(frozen=True)
class Parts:
    """The tables that could be read; None for those that are missing or too wrong."""

    game: GameSection | None
    dial: DialSection | None
    levels: Endless | Campaign | None
    target: TargetSection | None
    controller: ControllerSection | None
    telemetry: TelemetrySection | None
    players: PlayersSection | None
    cohorts: Mapping[int, CohortSection]  # by place in the file
    all_cohorts: bool  # whether every cohort could be read, so that shares can be added up
    horizon: HorizonSection | None
    run: RunSection | None


def validate_document(tree: Mapping[str, Any], faults: Faults) -> Parts:
    """Hold the tree against the models, add what is wrong to the faults, and return what is left."""
    tree = _without_huge_numbers(tree, faults)
    try:
        form = Form.model_validate(tree)
    except ValidationError as error:
        return _rest(tree, _note(error, faults))
    return Parts(
        form.game,
        form.dial,
        form.levels,
        form.target,
        form.controller,
        form.telemetry,
        form.players,
        dict(enumerate(form.cohort)),
        True,
        form.horizon,
        form.run,
    )


def _without_huge_numbers(tree: Mapping[str, Any], faults: Faults) -> Mapping[str, Any]:
    """The tree without whole numbers that no float can hold, which are faults: the models cannot even print them."""
    huge = list(_huge_numbers(tree, ()))
    rest = copy.deepcopy(tree) if huge else tree
    for address, bits in huge:
        faults.add(address, f"must be a number of at most 64 bits, got a whole number of {bits} bits")
        _remove(rest, address)
    return rest


def _huge_numbers(node: Any, address: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    """Addresses of whole numbers beyond all floats, and their bits."""
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(node, dict):
        items = node.items()
    elif isinstance(node, list):
        items = enumerate(node)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from _huge_numbers(value, (*address, key))
        elif isinstance(value, int) and value.bit_length() > _MOST_BITS:
            yield (*address, key), value.bit_length()


def _rest(tree: Mapping[str, Any], wrong: Sequence[KeyPath]) -> Parts:
    """The tables without the keys that are wrong."""
    rest = {name: copy.deepcopy(tree[name]) for name in Form.model_fields if name in tree}
    for address in wrong:
        _remove(rest, address)
    read: dict[str, Any] = {}
    for name, field in Form.model_fields.items():
        if name in rest:
            read[name] = _tried(Annotated[field.annotation, field], rest[name])
        else:
            read[name] = None if name in tree or field.is_required() else field.get_default()
    tables = rest.get("cohort", Form.model_fields["cohort"].get_default() if "cohort" not in tree else [])
    cohorts = [_tried(CohortSection, table) for table in tables] if isinstance(tables, list) else []
    found = {place: cohort for place, cohort in enumerate(cohorts) if cohort is not None}
    names = Parts.__dataclass_fields__.keys() - {"cohorts", "all_cohorts"}
    whole = 0 < len(found) == len(cohorts)
    return Parts(cohorts=found, all_cohorts=whole, **{name: read[name] for name in names})


def _remove(tree: Any, address: KeyPath) -> None:
    """Take out a key; of an address inside a list of values the whole list."""
    while address and not isinstance(address[-1], str):
        address = address[:-1]
    for part in address[:-1]:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return
    if address and isinstance(tree, dict):
        tree.pop(address[-1], None)


def _tried(kind: Any, value: Any) -> Any:
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return None


class _Place(NamedTuple):
    """Where a finding is: its address in the file, and what the models know of it."""

    address: KeyPath
    model: type[BaseModel] | None  # the table that holds the key
    field: FieldInfo | None  # None for a key that the table does not know
    kind: Any  # the type wanted there


def _note(error: ValidationError, faults: Faults) -> list[KeyPath]:
    """Add every finding of the validator to the faults. Returns the addresses to leave out."""
    wrong = []
    for finding in error.errors(include_url=False):
        place = _place(finding["loc"])
        if faults.full:  # a suggestion takes time
            wrong.append(place.address)
            continue
        address, sentence = _sentence(finding, place)
        faults.add(address, sentence)
        incomplete = finding["type"] == "missing" and len(address) > 2 and isinstance(address[-2], str)
        wrong.append(address[:-1] if incomplete else place.address)  # a small table that lacks a key says nothing
    return wrong


def _place(location: Sequence[str | int]) -> _Place:
    """Follow a location through the models; the tag of a union is not part of the address."""
    kind: Any = Form
    address: KeyPath = ()
    model: type[BaseModel] | None = None
    field: FieldInfo | None = None
    for part in location:
        members = [_bare(member) for member in typing.get_args(kind)] if _is_union(kind) else []
        if members:
            kind = next((member for member in members if _tag(member) == part), float)
            continue
        address = (*address, part)
        model = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
        field = model.model_fields.get(str(part)) if model else None
        if field is not None:
            kind = _bare(field.annotation)
        elif model is None and typing.get_args(kind):  # a list or a dict: its items
            kind = _bare(typing.get_args(kind)[-1])
        else:
            kind = object
    return _Place(address, model, field, kind)


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _bare(kind: Any) -> Any:
    """A type without its annotations and without None."""
    while typing.get_origin(kind) is Annotated:
        kind = typing.get_args(kind)[0]
    if _is_union(kind):
        members = [member for member in typing.get_args(kind) if member is not type(None)]
        if len(members) == 1:
            return _bare(members[0])
    return kind


def _tag(member: Any) -> str | None:
    """The `kind` that a model of a union stands for."""
    if not (isinstance(member, type) and issubclass(member, BaseModel)):
        return None
    literal = member.model_fields["kind"].annotation
    return str(typing.get_args(literal)[0]) if typing.get_origin(literal) is Literal else None


def _sentence(finding: ErrorDetails, place: _Place) -> tuple[KeyPath, str]:
    """The address to name, and the sentence to say there."""
    context = finding.get("ctx", {})
    came = finding["input"]
    match finding["type"]:
        case "rule":
            rule = context["sentence"]
            slip = slip_of_value(came, rule, str(place.address[-1]))
            if place.address[:2] == ("game", "bounds") and isinstance(came, str) and not slip:
                slip = "; a choice has no bounds, so fix it below [game.params] instead"
            return place.address, rule + slip
        case "missing":
            return place.address, f"is required: {_meaning(place.field)}"
        case "extra_forbidden":
            names = sorted(place.model.model_fields) if place.model else []
            key = str(place.address[-1])
            traits = TRAIT_NAMES if place.model is CohortSection else ()
            slip = slip_of_key(key, came, tables=Form.model_fields, traits=traits) or suggestion(key, names)
            return place.address, f"is unknown: this table has the keys {', '.join(names)}{slip}"
        case "union_tag_invalid" | "union_tag_not_found":
            kinds = _kinds(place.kind)
            got = came.get("kind")
            if got is None:
                return (*place.address, "kind"), f"is required: {one_of(kinds)}"
            return (*place.address, "kind"), f"must be {one_of(kinds)}, got {quote_value(got)}{suggestion(got, kinds)}"
        case "literal_error":
            words = re.findall(r"'([^']*)'", context["expected"])
            return place.address, f"must be {one_of(words)}, got {quote_value(came)}{suggestion(came, words)}"
        case "too_short" | "too_long":
            least, most = context.get("min_length"), context.get("max_length")
            rule = f"at least {least}" if least is not None else f"at most {most}"
            return place.address, f"must have {rule} entries, got {context['actual_length']}"
        case "list_type":
            rule = "must be a list in [brackets]"
            slip = slip_of_table(str(place.address[-1]), came, rule)
            return place.address, f"{rule}, got {quote_value(came)}{slip}"
        case "model_type" | "dict_type" | "model_attributes_type":
            rule = "must be a table"
            return place.address, f"{rule}, got {quote_value(came)}{slip_of_table(str(place.address[-1]), came, rule)}"
        case "string_type":
            rule = "must be a text in quotes"
            return place.address, f"{rule}, got {quote_value(came)}{slip_of_value(came, rule)}"
    return place.address, f"{finding['msg'][:1].lower()}{finding['msg'][1:]}, got {quote_value(came)}"


def _meaning(field: FieldInfo | None) -> str:
    """What a field is for and what it may be, as far as the models say it."""
    if field is None:
        return "this table needs it"
    kind = _bare(field.annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"the table {kind.__doc__ or ''}".rstrip(".")
    if typing.get_origin(kind) is Literal:
        return one_of([str(word) for word in typing.get_args(kind)])
    rules = [mark.rule for mark in field.metadata if isinstance(mark, FieldRule)]
    return ", ".join(filter(None, [field.description, *rules]))


def _kinds(union: Any) -> list[str]:
    """The kinds that a table of this union may have."""
    return [tag for member in typing.get_args(union) if (tag := _tag(_bare(member)))]
