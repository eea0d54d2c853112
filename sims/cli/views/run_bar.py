"""The bar that a terminal shows while a run is played: players done, attempts, live win rates, speed, time left."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sims.terminal import is_lively

if TYPE_CHECKING:
    from sims.runs.progress import OnRunProgress, RunProgress


@contextlib.contextmanager
def run_bar(quiet: bool) -> Iterator[OnRunProgress]:
    """A callback that shows progress where stderr is a terminal, unless --quiet; the terminal is left as it was."""
    from sims.runs.progress import no_run_progress

    if quiet or not is_lively(sys.stderr):
        yield no_run_progress
        return
    bar = _Bar()
    try:
        yield bar.show
    finally:
        bar.close()


class _Bar:
    """A progress bar on stderr, with a line of win rates and their intervals below it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._began = time.monotonic()
        self._before: int | None = None  # attempts that were there already, in a resumed run
        columns: list[Any] = [
            BarColumn(28),
            TaskProgressColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
        ]
        self._bar = Progress(*columns)
        self._task = self._bar.add_task("starting", total=None)
        self._live = Live(self._bar, console=Console(stderr=True), transient=True, refresh_per_second=8)
        self._live.start()

    def show(self, progress: RunProgress) -> None:
        from rich.console import Group
        from rich.text import Text

        if self._before is None:
            self._before = progress.attempts
        speed = (progress.attempts - self._before) / max(time.monotonic() - self._began, 1e-3)
        description = f"{progress.attempts:,} attempts, {speed:,.0f}/s"
        self._bar.update(self._task, total=progress.total, completed=progress.done, description=description)
        self._live.update(Group(self._bar, Text(_rates(progress))))

    def close(self) -> None:
        self._live.stop()


def _rates(progress: RunProgress) -> str:
    from engine.inference.intervals import rate_interval

    parts = []
    for cohort, name in enumerate(progress.cohorts):
        rate = rate_interval(progress.tally.judged[cohort, 0], progress.tally.scheme.cluster)
        if rate.attempts:
            parts.append(f"{name} {rate.rate:.3f} ({rate.low:.3f}-{rate.high:.3f})")
    return f"won: {',  '.join(parts)}" if parts else ""
