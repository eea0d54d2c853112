"""The bar on a terminal: players done, attempts, live win rates, speed, time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any, Protocol

from engine.inference.intervals import rate_interval
from engine.tally import Tally


class Meter(Protocol):
    """What shows how far a run is."""

    def show(self, players: int, attempts: int, tally: Tally) -> None:
        """So much is done by now."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class NoMeter:
    """Shows nothing."""

    def show(self, players: int, attempts: int, tally: Tally) -> None:
        return

    def close(self) -> None:
        return


class Bar:
    """A progress bar on stderr, with a line of win rates and their intervals below it."""

    def __init__(self, players: int, cohorts: Sequence[str]) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.text import Text

        self._cohorts = cohorts
        self._began = time.monotonic()
        self._before: int | None = None  # attempts that were there already, in a resumed run
        columns: list[Any] = [
            BarColumn(28),
            TaskProgressColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
        ]
        self._bar = Progress(*columns)
        self._task = self._bar.add_task("starting", total=players)
        self._text = Text
        self._live = Live(self._bar, console=Console(stderr=True), transient=True, refresh_per_second=8)
        self._live.start()

    def show(self, players: int, attempts: int, tally: Tally) -> None:
        from rich.console import Group

        if self._before is None:
            self._before = attempts
        speed = (attempts - self._before) / max(time.monotonic() - self._began, 1e-3)
        self._bar.update(self._task, completed=players, description=f"{attempts:,} attempts, {speed:,.0f}/s")
        self._live.update(Group(self._bar, self._text(self._rates(tally))))

    def _rates(self, tally: Tally) -> str:
        parts = []
        for cohort, name in enumerate(self._cohorts):
            found = rate_interval(tally.judged[cohort, 0], tally.scheme.cluster)
            if found.attempts:
                parts.append(f"{name} {found.rate:.3f} ({found.low:.3f}-{found.high:.3f})")
        return f"won: {',  '.join(parts)}" if parts else ""

    def close(self) -> None:
        self._live.stop()


def meter(players: int, cohorts: Sequence[str], *, quiet: bool) -> Meter:
    """A bar where stderr is open, a terminal, and nobody asked for quiet."""
    return NoMeter() if quiet or sys.stderr is None or not sys.stderr.isatty() else Bar(players, cohorts)
