"""What the manifest of a run, a study or a sweep may say: a reader relies on it, even where the file is untrusted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ValidationError

from engine.errors import RunFolderError
from engine.record import Format
from engine.scenario_file.calibration_label import CalibrationState
from engine.tally import Tally
from sims.run_folder.json_types import (
    STRICT,
    Count,
    Finite,
    Name,
    Scalar,
    TextLine,
    fits,
    is_count,
    is_number,
    place_of,
)
from sims.verdict.goal import goal_of

FolderKind = Literal["run", "study", "sweep", "tier-study"]
KINDS: Final[tuple[FolderKind, ...]] = ("run", "study", "sweep", "tier-study")
# What every run has, besides its table of attempts.
FILES_OF_RUN: Final = ("players.csv", "sessions.csv", "summary.csv", "datapackage.json", "scenario.toml")


def _is_file_name(value: str) -> bool:
    return value[0] != "." and not set(value) & {"/", "\\", ":"}


def _is_band(value: Any) -> bool:
    """Whether these are two shares, the lower one first."""
    pair = isinstance(value, list) and len(value) == 2 and all(map(is_number, value))
    return pair and 0.0 <= value[0] <= value[1] <= 1.0


def _are_bands(value: Any) -> bool:
    """Whether this is one band, or a list of at least one."""
    return _is_band(value) or (isinstance(value, list) and value != [] and all(map(_is_band, value)))


def _are_wanted(value: Any) -> bool:
    """Whether this is a list of pairs of shares, or null for a band that was given as one."""
    pairs = isinstance(value, list) and value != []
    return pairs and all(
        one is None
        or (
            isinstance(one, list)
            and len(one) == 2
            and all(is_number(number) and 0.0 <= number <= 1.0 for number in one)
        )
        for one in value
    )


def _are_edges(value: Any) -> bool:
    """Whether these are edges of one bin or more, in order."""
    return isinstance(value, list) and len(value) > 1 and all(map(is_count, value)) and value == sorted(set(value))


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


class _Model(BaseModel):
    """Fields that are needed, or may be left out; a file may have others."""

    model_config = STRICT


class _Scheme(_Model):
    """How rows were counted."""

    cohorts: Count
    levels: Count
    after_attempts: Count
    cluster: Name
    floor: Finite
    ceiling: Finite
    attempt_edges: Annotated[Any, fits(_are_edges)]
    day_bins: Count
    day_width_s: Annotated[Count, fits(bool)]


class _Tallies(_Model):
    """The counts themselves are checked by `engine.tally`."""

    scheme: _Scheme


class _Knob(_Model):
    """A knob of the game, and where it was held."""

    name: Name
    unit: str | None
    scale: Name
    harder: TextLine
    low: Finite
    high: Finite
    default: Scalar = None
    choices: list[TextLine] | None = None
    held: Scalar


class _FileNote(_Model):
    """What a file must be like."""

    bytes: Count
    sha256: TextLine
    rows: Count = 0


class _Manifest(_Model):
    """What manifests of all kinds say."""

    format_version: Count
    flowdial_version: TextLine
    name: TextLine = ""
    title: str | None = None
    scenario_digest: TextLine
    seed: Count
    game: Name
    files: dict[Annotated[Name, fits(_is_file_name)], _FileNote]
    versions: dict[TextLine, TextLine | None]


class _Calibration(_Model):
    """Whether the players were fitted to real plays."""

    state: CalibrationState
    words: TextLine


class _OptionSchedule(_Model):
    """How the controller's options change with outcomes."""

    piecewise: dict[TextLine, list[list[Finite]]] = {}
    gain: dict[TextLine, Scalar] = {}


class _RunManifest(_Manifest):
    code: dict[TextLine, TextLine] = {}
    game_version: Scalar
    controller: Name
    mode: TextLine = ""
    options: dict[TextLine, Scalar]
    option_schedule: _OptionSchedule = _OptionSchedule()
    state_numbers: Count | None = None
    scope: TextLine
    cohorts: list[Name]
    targets: dict[TextLine, Annotated[Any, fits(_are_bands)]]
    wanted: dict[TextLine, Annotated[Any, fits(_are_wanted)]] | None = None
    layouts: TextLine = ""
    place_noun: TextLine = ""
    calibration: _Calibration | None = None
    replicas: Count
    knobs: list[_Knob]
    rows: Count
    format: Format
    tallies: _Tallies
    code_digest: TextLine = ""
    faults: dict[TextLine, Count] = {}
    source: TextLine = ""


class _Level(_Model):
    level: Count | None


class _SearchManifest(_Manifest):
    """What manifests of studies and sweeps say."""

    code: Annotated[dict[TextLine, TextLine], fits(lambda code: "game" in code)]
    seconds: Finite
    finished: Annotated[str, fits(_is_moment)]


class _StudyManifest(_SearchManifest):
    study: _Level
    knobs: list[Name]


class _SweepManifest(_SearchManifest):
    sweep: dict[TextLine, Any]


class _TiersManifest(_Manifest):
    code: Annotated[dict[TextLine, TextLine], fits(lambda code: "game" in code)]
    study: dict[TextLine, Any]


_MODELS: Final[Mapping[FolderKind, type[_Manifest]]] = {
    "run": _RunManifest,
    "study": _StudyManifest,
    "sweep": _SweepManifest,
    "tier-study": _TiersManifest,
}


def fault_of(manifest: object, kind: FolderKind) -> str | None:
    """What is wrong with a manifest of this kind, in words; None when a reader can rely on it."""
    try:
        _MODELS[kind].model_validate(manifest)
    except ValidationError as fault:
        return f"{place_of(fault)} is not as a {kind} writes it"
    return _fault_of_run(manifest) if kind == "run" and isinstance(manifest, dict) else None


def _fault_of_run(manifest: Mapping[str, Any]) -> str | None:
    """What in a run's manifest does not belong together."""
    unlisted = [name for name in (f"attempts.{manifest['format']}", *FILES_OF_RUN) if name not in manifest["files"]]
    if unlisted:  # a file without a checksum may be anything
        return f"files lacks {unlisted[0]}"
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
