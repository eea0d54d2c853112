"""Files with the parameters that were found: JSON, CSV, and what Unity, Godot and Unity Remote Config read."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from engine.errors import ScenarioError
from engine.parameters import Knob, Value
from sims.run_folder.files import file_fault, write_new_file
from sims.run_folder.new_folder import check_new
from sims.shipping.shipped_knobs import GroupKnobs, ShippedKnobs, shipped_knobs
from sims.shipping.shipped_rule import POINTS

KnobForm = Literal["knobs.json", "knobs.csv", "unity", "godot", "remote-config"]
_FILES: Final[Mapping[KnobForm, str]] = {
    "knobs.json": "-knobs.json",
    "knobs.csv": "-knobs.csv",
    "unity": "-knobs.unity.json",
    "godot": "-knobs.cfg",
    "remote-config": "-knobs.rc",
}
KNOB_FORMS: Final[tuple[KnobForm, ...]] = ("knobs.json", "knobs.csv", "unity", "godot", "remote-config")
RC_SCHEMA: Final = "https://ugs-config-schemas.unity3d.com/v1/remote-config.schema.json"
LONGEST_KEY: Final = 255  # of Unity Remote Config
_LARGEST_INT: Final = 2**31 - 1


def export_knobs(folder: Path, form: KnobForm, out: Path | None = None) -> Path:
    """Write the parameters that a run played or a study found.

    Args:
        folder: of a complete run or study.
        form: one of KNOB_FORMS.
        out: the new file; None for one beside the folder.

    Returns:
        The file.

    Raises:
        RunFolderError: the folder is neither, or damaged; or the file exists.
        ScenarioError: the parameters have no place in this form; the sentence says why.
        EnvironmentFault: the disk failed.
    """
    found = shipped_knobs(folder)
    place = folder.resolve()
    target = place.with_name(f"{place.name}{_FILES[form]}") if out is None else out
    if target.resolve().is_relative_to(place):
        raise ScenarioError(f"--out must lie outside of the {found.source}, got {target}")
    check_new(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_new_file(target, knob_text(found, form).encode())
    except OSError as fault:
        raise file_fault(fault) from fault
    return target


def knob_text(found: ShippedKnobs, form: KnobForm) -> str:
    """The text of a file in one of the forms."""
    match form:
        case "knobs.json":
            return _json(_tree(found))
        case "knobs.csv":
            return _csv(found)
        case "unity":
            return _json(_unity(found))
        case "godot":
            return _godot(found)
        case "remote-config":
            return _json(_remote_config(found))


def _json(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _about(found: ShippedKnobs) -> dict[str, Any]:
    return {
        "format": 1,
        "made_by": f"Flowdial {found.version}",
        "source": found.source,
        "scenario": found.scenario,
        "fingerprint": found.digest,
        "game": found.game,
    }


def _tree(found: ShippedKnobs) -> dict[str, Any]:
    return {
        **_about(found),
        "knobs": [_knob(knob) for knob in found.knobs],
        "groups": [one._asdict() for one in found.groups],
        "changed": [one._asdict() for one in found.changed],
        "dial": [{"difficulty": difficulty, "values": values} for difficulty, values in _dial(found)],
    }


def _knob(knob: Knob) -> dict[str, Any]:
    ends = {} if knob.scale == "choice" else {"low": knob.shown(knob.low), "high": knob.shown(knob.high)}
    return {
        "name": knob.name,
        "unit": knob.unit,
        "meaning": knob.meaning,
        "scale": knob.scale,
        **ends,
        "default": knob.shown(knob.real(knob.default)),
        **({"choices": list(knob.choices)} if knob.choices else {"harder": knob.harder}),
    }


def _dial(found: ShippedKnobs) -> Iterator[tuple[float, dict[str, Value]]]:
    """The difficulties of the table, and the parameters there."""
    for i in range(POINTS):
        yield i / (POINTS - 1), {one.knob.name: one.values[i] for one in found.dial}


def _csv(found: ShippedKnobs) -> str:
    """A parameter in each row: those of the groups, then those of the dial."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(
        ["kind", "group", "level", "difficulty", "knob", "value", "unit", "lowest", "highest", "low", "high", "default",
         "changed"]
    )  # fmt: skip
    changed = {(one.group, one.level, one.knob) for one in found.changed}
    for one in found.groups:
        difficulty = "" if one.difficulty is None else repr(one.difficulty)
        for knob in found.knobs:
            ends = _ends(knob)
            other = "true" if (one.group, one.level, knob.name) in changed else "false"
            numbers = [one.lowest[knob.name], one.highest[knob.name], *ends, knob.shown(knob.real(knob.default))]
            row = ["group", one.group, one.level, difficulty, knob.name, one.values[knob.name], knob.unit, *numbers]
            writer.writerow([*row, other])
    for place, values in _dial(found):
        for knob in found.knobs:
            row = ["dial", "", "", repr(place), knob.name, values[knob.name], knob.unit, "", "", *_ends(knob)]
            writer.writerow([*row, knob.shown(knob.real(knob.default)), ""])
    return sink.getvalue()


def _ends(knob: Knob) -> tuple[Value, Value]:
    if knob.scale == "choice":
        return knob.choices[0], knob.choices[-1]
    return knob.shown(knob.low), knob.shown(knob.high)


def _unity(found: ShippedKnobs) -> dict[str, Any]:
    """Lists of objects with the same fields: Unity's JsonUtility reads no dictionaries and no mixed types."""
    return {
        **_about(found),
        "groups": [
            {
                "group": one.group,
                "level": one.level,
                "target": one.target,
                "difficulty": -1.0 if one.difficulty is None else one.difficulty,
                "values": [_unity_value(knob, one.values[knob.name]) for knob in found.knobs],
            }
            for one in found.groups
        ],
        "dial": [
            {"difficulty": place, "values": [_unity_value(knob, values[knob.name]) for knob in found.knobs]}
            for place, values in _dial(found)
        ],
    }


def _unity_value(knob: Knob, value: Value) -> dict[str, Any]:
    return {"knob": knob.name, "unit": knob.unit, "number": knob.real(value), "text": str(value)}


def _godot(found: ShippedKnobs) -> str:
    """Sections of a ConfigFile: one for each group and level, one for each difficulty of the dial's table.

    They hold parameters and nothing else, whose names might be those of the game.
    """
    lines = ["[about]", "", *(f"{name}={json.dumps(value)}" for name, value in _about(found).items())]
    for one in found.groups:
        lines += ["", f"[{_section(one)}]", ""]
        lines += [f"{name}={json.dumps(value)}" for name, value in one.values.items()]
    for place, values in _dial(found):
        lines += ["", f"[dial/{place!r}]", ""]
        lines += [f"{name}={json.dumps(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def _section(one: GroupKnobs) -> str:
    group = one.group.replace("]", "_").replace("[", "_")
    return f"group/{group}/{one.level}" if one.level else f"group/{group}"


def _remote_config(found: ShippedKnobs) -> dict[str, Any]:
    """Keys such as difficulty.newcomers.speed, with the types of Unity Remote Config."""
    entries: dict[str, Any] = {}
    types: dict[str, str] = {}

    def add(words: list[str], value: Any, kind: str) -> None:
        key = ".".join(re.sub(r"[^A-Za-z0-9_-]", "_", word) for word in words)
        if len(key) > LONGEST_KEY:
            raise ScenarioError(
                f"a key of Unity Remote Config has at most {LONGEST_KEY} letters, got {key[:40]}... with {len(key)}; "
                "give the player group a shorter name."
            )
        if key in entries:
            raise ScenarioError(
                f"two player groups have the key {key} in Unity Remote Config, which knows letters, digits, . _ and - "
                "only; give one of them another name."
            )
        entries[key], types[key] = value, kind

    for one in found.groups:
        words = ["difficulty", one.group, *([f"level_{one.level}"] if one.level else [])]
        for knob in found.knobs:
            value = one.values[knob.name]
            add([*words, knob.name], value, _type(knob, value))
    dial = [{"difficulty": place, "values": values} for place, values in _dial(found)]
    add(["difficulty_dial"], {**_about(found), "points": dial}, "JSON")
    return {"$schema": RC_SCHEMA, "entries": entries, "types": types}


def _type(knob: Knob, value: Value) -> str:
    if knob.scale == "choice":
        return "STRING"
    if knob.scale == "integer":
        return "INT" if abs(int(value)) <= _LARGEST_INT else "LONG"
    return "FLOAT"
