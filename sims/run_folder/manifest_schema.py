"""What a manifest and a start may say, so that whoever reads one meets nothing else: it may come from a stranger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from engine.errors import RunFolderError
from engine.record import FORMATS
from engine.tally import Tally
from sims.run_folder.json_schema import Each, is_count, is_line, is_name, is_number, is_text, misfit
from sims.verdict.goal import goal_of

Kind = Literal["run", "study"]
KINDS: Final[tuple[Kind, ...]] = ("run", "study")


def _is_file_name(value: str) -> bool:
    return is_name(value) and value[0] != "." and not set(value) & {"/", "\\", ":"}


def _is_format(value: object) -> bool:
    return value in FORMATS


def _is_band(value: Any) -> bool:
    """Whether these are two shares, the lower one first."""
    pair = isinstance(value, list) and len(value) == 2 and all(map(is_number, value))
    return pair and 0.0 <= value[0] <= value[1] <= 1.0


def _are_bands(value: object) -> bool:
    return isinstance(value, list) and value != [] and all(map(_is_band, value))


def _are_edges(value: Any) -> bool:
    """Whether these are edges of one bin or more, in order."""
    return isinstance(value, list) and len(value) > 1 and all(map(is_count, value)) and value == sorted(set(value))


def _is_width(value: Any) -> bool:
    return is_count(value) and value > 0


_SCALAR: Final = (is_number, is_line, bool, None)
_HEAD: Final[Mapping[str, Any]] = {
    "format_version": is_count,
    "flowdial_version": is_line,
    "name?": is_line,
    "title?": (str, None),
    "scenario_digest": is_line,
    "seed": is_count,
    "game": is_name,
    "files": Each({"bytes": is_count, "sha256": is_line, "rows?": is_count}, _is_file_name),
    "code?": Each(is_line),
    "versions": Each((is_line, None)),
}
START_FORM: Final[Mapping[str, Any]] = {
    "flowdial_version": is_line,
    "name": is_name,
    "scenario": is_text,
    "scenario_digest": is_line,
    "format": _is_format,
    "code": Each(is_line),
    "versions": Each(is_line),
    "study?": dict,
}
_KNOB: Final[Mapping[str, Any]] = {
    "name": is_name,
    "unit": (str, None),
    "scale": is_name,
    "harder": is_line,
    "low": is_number,
    "high": is_number,
    "default?": _SCALAR,
    "choices?": ([is_line], None),
    "held": _SCALAR,
}
_SCHEME: Final[Mapping[str, Any]] = {
    "cohorts": is_count,
    "levels": is_count,
    "after_attempts": is_count,
    "cluster": is_name,
    "floor": is_number,
    "ceiling": is_number,
    "attempt_edges": _are_edges,
    "day_bins": is_count,
    "day_width_s": _is_width,
}
_FORMS: Final[Mapping[Kind, Mapping[str, Any]]] = {
    "run": {
        **_HEAD,
        "game_version": _SCALAR,
        "controller": is_name,
        "mode?": is_line,
        "options": Each(_SCALAR),
        "scope": is_line,
        "cohorts": [is_name],
        "targets": Each((_is_band, _are_bands)),
        "replicas": is_count,
        "knobs": [_KNOB],
        "rows": is_count,
        "format": _is_format,
        "tallies": {"scheme": _SCHEME},
        "code_digest?": is_line,
        "faults?": Each(is_count),
        "source?": is_line,
    },
    "study": {**_HEAD, "code": {"game": is_line}, "study": {"level": (is_count, None)}, "knobs": [is_name]},
}


def fault_of(manifest: object, kind: Kind) -> str | None:
    """What is wrong with a manifest of this kind, in words; None when whoever reads it can rely on it."""
    place = misfit(manifest, _FORMS[kind])
    if place is not None:
        return f"{place} is not as a {kind} writes it"
    return _fault_of_run(manifest) if kind == "run" and isinstance(manifest, dict) else None


def _fault_of_run(manifest: Mapping[str, Any]) -> str | None:
    """What in a run's manifest does not belong together."""
    for knob in manifest["knobs"]:
        if not (knob.get("choices") if knob["scale"] == "choice" else knob["low"] < knob["high"]):
            return f"the ends of {knob['name']} are not as a run writes them"
    try:
        goal, tally = goal_of(manifest), Tally.from_json(manifest["tallies"])
    except RunFolderError as fault:
        return " ".join(str(fault).split())
    levels = {1, tally.scheme.levels}
    if len(set(goal.cohorts)) != tally.scheme.cohorts or any(len(bands) not in levels for bands in goal.bands):
        return "cohorts, targets and tallies do not belong together"
    return None
