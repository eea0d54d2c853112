"""How far a study is: one line on a terminal, with the best setting so far and an interval of its worst miss."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from engine.inference.intervals import CONFIDENCE, wilson
from sims.tuning.search.counts import Counts, Segment, debiased_loss, scales_of
from sims.tuning.study import StudyProgress

_PAUSE_S: Final = 0.25  # between two updates, so that they cost nothing
_LEAST: Final = 2  # attempts in each segment that a loss needs


def study_meter(segments: Sequence[Segment], *, quiet: bool) -> Callable[[StudyProgress], None]:
    """Shows progress where stderr is a terminal and nobody asked for quiet."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return lambda progress: None
    began = time.monotonic()
    due = began
    first: int | None = None  # attempts that were there already, in a study that is taken up

    def show(progress: StudyProgress) -> None:
        nonlocal due, first
        now = time.monotonic()
        if now < due:
            return
        due = now + _PAUSE_S
        first = progress.spent if first is None else first
        rate = (progress.spent - first) / max(now - began, 1e-3)
        left = f", about {(progress.budget - progress.spent) / rate:.0f} s left" if rate else ""
        best = best_so_far(progress.counts, segments)
        sys.stderr.write(f"\r{progress.stage}: {progress.spent:,} of {progress.budget:,} attempts{left}{best}\x1b[K")
        sys.stderr.flush()

    return show


def best_so_far(counts: Counts, segments: Sequence[Segment]) -> str:
    """The point of least loss in words: how far its worst segment is off, and between which bounds that lies."""
    attempts, wins = counts.attempts, counts.wins
    enough = np.flatnonzero(attempts.min(axis=1) >= _LEAST)
    if not len(enough):
        return ""
    targets = np.array([segment.target for segment in segments])
    row = enough[np.argmin(debiased_loss(attempts[enough], wins[enough], targets, scales_of(segments)))]
    spans = [
        miss_of(int(w), int(n), segment, 1.0 - (1.0 - CONFIDENCE) / len(segments))
        for w, n, segment in zip(wins[row], attempts[row], segments, strict=True)
    ]
    miss, low, high = (max(parts) for parts in zip(*spans, strict=True))
    return f"; best so far {miss:.3f} off ({low:.3f} to {high:.3f})"


def miss_of(wins: int, attempts: int, segment: Segment, confidence: float) -> tuple[float, float, float]:
    """How far a win rate is from its target, and the least and the most that it can be."""
    low, high = wilson(wins, attempts, confidence)
    ends = (abs(low - segment.target), abs(high - segment.target))
    nearest = 0.0 if low <= segment.target <= high else min(ends)
    return abs(wins / attempts - segment.target), nearest, max(ends)
