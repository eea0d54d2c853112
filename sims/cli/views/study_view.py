"""What the terminal shows of a study: progress, the best setting when it is stopped, and the answer."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sims.terminal import is_lively, show

if TYPE_CHECKING:
    from sims.tuning.answer.best_so_far import BestSoFar
    from sims.tuning.progress import OnStudyProgress, StudyProgress
    from sims.tuning.tiers.tuned_tiers import TunedTiers
    from sims.tuning.tuned_study import TunedStudy

_PAUSE_S: Final = 0.25  # between two updates, so that they cost nothing
_STAGES: Final = {"baseline": "your defaults", "final_race": "play-off"}  # as a designer calls them


def study_line(quiet: bool) -> OnStudyProgress:
    """A callback that shows progress in one line where stderr is a terminal, unless --quiet."""
    from sims.tuning.progress import no_study_progress

    if quiet or not is_lively(sys.stderr):
        return no_study_progress
    began = time.monotonic()
    due = began
    first: int | None = None  # attempts that were there already, in a resumed study

    def draw(progress: StudyProgress) -> None:
        nonlocal due, first
        now = time.monotonic()
        if now < due:
            return
        due = now + _PAUSE_S
        first = progress.done if first is None else first
        speed = (progress.done - first) / max(now - began, 1e-3)
        left = f", about {(progress.total - progress.done) / speed:.0f} s left" if speed else ""
        sys.stderr.write(f"\r{progress_text(progress, left)}\x1b[K")
        sys.stderr.flush()

    return draw


def progress_text(progress: StudyProgress, left: str = "") -> str:
    """Stage, attempts, time left and the best setting so far. left: the part about the time."""
    best = progress.best
    off = ""
    if best is not None:
        miss, low, high = (f"{100.0 * value:.1f}" for value in best)
        off = f"; best so far {miss} points off target (margin {low} to {high})"
    stage = _STAGES.get(progress.stage, progress.stage)
    if progress.tier:
        stage = f"{progress.tier}, {'its start' if progress.stage == 'baseline' else stage}"
    return f"{stage}: {progress.done:,} of {progress.total:,} attempts{left}{off}"


def best_printer(as_json: bool) -> Callable[[BestSoFar], None]:
    """A callback that prints the best setting of a study that is stopped."""

    def print_best(best: BestSoFar) -> None:
        show(json.dumps(best.to_json(), indent=1) if as_json else best.text)

    return print_best


def print_study(study: TunedStudy, *, quiet: bool, as_json: bool) -> None:
    """Print a complete study: its answer and where its files are."""
    if as_json:
        show(json.dumps(study.to_json(), indent=1))
    elif quiet:
        show(study.folder)
    else:
        places = {"report": study.report_file, "counts": study.counts_file, "folder": study.folder}
        show("\n".join([study.text, "", *(f"{name}  {path}" for name, path in places.items())]))


def print_tiers(tiers: TunedTiers, *, quiet: bool, as_json: bool) -> None:
    """Print complete tiers: the answer, and where the scenario of each is."""
    if as_json:
        show(json.dumps(tiers.to_json(), indent=1))
    elif quiet:
        show(tiers.folder)
    else:
        files = {tier["name"]: tiers.folder / tier["file"] for tier in tiers.answer["tiers"]}
        places = files | {"report": tiers.report_file, "folder": tiers.folder}
        show("\n".join([tiers.text, "", *(f"{name}  {path}" for name, path in places.items())]))
