"""How far a run is: what `on_progress` of a run takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from engine.tally import Tally


class RunProgress(NamedTuple):
    """A moment of a run."""

    done: int  # players whose attempts are all played
    total: int  # players of all replicas
    attempts: int  # so far
    cohorts: tuple[str, ...]
    tally: Tally  # of these attempts


OnRunProgress = Callable[[RunProgress], None]


def no_run_progress(progress: RunProgress) -> None:
    """Show nothing."""
