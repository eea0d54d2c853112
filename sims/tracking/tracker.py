"""Which experiment tracker is meant, and where its record goes."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Final, NamedTuple

from engine.errors import EnvironmentFault, ScenarioError

_PACKAGES: Final = {"mlflow": "mlflow", "tensorboard": "tensorboardX", "wandb": "wandb"}


class Tracker(NamedTuple):
    """Where a record goes."""

    name: str
    where: str  # empty for the tracker's usual place


def tracker_of(word: str) -> Tracker:
    """The tracker of NAME or NAME=WHERE. Raises ScenarioError for an unknown name, or without a place after the =."""
    name, equals, where = word.partition("=")
    if name not in _PACKAGES:
        raise ScenarioError(f"a tracker must be {', '.join(_PACKAGES)}, or one of them with =WHERE, got {word[:64]!r}")
    if equals and not where:
        raise ScenarioError(f"{name}= must be followed by where the record goes, or leave the = out")
    return Tracker(name, where)


def check_installed(trackers: Iterable[Tracker]) -> None:
    """Raise EnvironmentFault where the package of a tracker is missing."""
    for name, _ in trackers:
        if find_spec(_PACKAGES[name]) is None:
            raise EnvironmentFault(
                f"the tracker {name} needs the package {_PACKAGES[name]}; install flowdial[tracking]."
            )
