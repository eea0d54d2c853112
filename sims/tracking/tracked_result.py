"""What a tracker records of a result, whichever tracker it is: plain numbers and words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

TrackedSetting = str | float | int | bool


class CurvePoint(NamedTuple):
    """A number at a step: an attempt, or how many attempts or players there have been."""

    step: int
    value: float


class TrackedResult(NamedTuple):
    """What is recorded of a result.

    Attributes:
        kind: "run", "study", "sweep", "comparison" or "race".
        name: of the result, as people see it.
        settings: every key of the scenario with its defaults, and what was asked for.
        seed: of the scenario.
        scores: the final numbers; those below fresh/ are of players whom no search has met.
        curves: numbers over steps, by name.
        seconds: that it took; None where that is not known.
        notes: the answer in words.
        folder: with all files; None where there is none.
    """

    kind: str
    name: str
    settings: Mapping[str, TrackedSetting]
    seed: int
    scores: Mapping[str, float]
    curves: Mapping[str, tuple[CurvePoint, ...]]
    seconds: float | None
    notes: tuple[str, ...]
    folder: Path | None


_ODD: Final = re.compile(r"[^\w./-]+")  # what a tracker does not take in a name


def with_plain_names(result: TrackedResult) -> TrackedResult:
    """The same with names that every tracker takes as they are."""
    return result._replace(
        settings={_ODD.sub("_", name): one for name, one in result.settings.items()},
        scores={_ODD.sub("_", name): one for name, one in result.scores.items()},
        curves={_ODD.sub("_", name): one for name, one in result.curves.items()},
    )


def flat_settings(table: Mapping[str, Any], prefix: str = "") -> dict[str, TrackedSetting]:
    """The values of nested tables by dotted keys; a list of tables by the names of its entries."""
    return dict(_flat(table, prefix))


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, TrackedSetting]]:
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            for place, one in enumerate(value):
                yield from _flat(one, f"{name}.{one.get('name', place)}.")
        elif isinstance(value, str | float | int):
            yield name, value
        else:
            yield name, str(value)
