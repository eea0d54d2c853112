"""How far a study is: attempts, and the best setting so far with the margin of its largest error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.inference.intervals import CONFIDENCE, wilson
from sims.tuning.search.counts import Counts, Segment, debiased_loss, scales_of

_LEAST: Final = 2  # attempts in each segment that a loss needs


class StudyProgress(NamedTuple):
    """How far a study is, after a batch of settings."""

    stage: str  # "baseline", "search", "final_race" or "measurement"
    done: int  # attempts so far
    total: int  # attempts that the study may have
    segments: Sequence[Segment]
    counts: Counts  # of all settings so far
    tier: str = ""  # whose study it is; empty where there are no tiers

    @property
    def best(self) -> tuple[float, float, float] | None:
        """Largest error of the best setting so far, with its lower and upper margin; None before any setting."""
        attempts, wins = self.counts.attempts, self.counts.wins
        enough = np.flatnonzero(attempts.min(axis=1) >= _LEAST) if len(attempts) else ()
        if not len(enough):
            return None
        targets = np.array([segment.target for segment in self.segments])
        losses = debiased_loss(attempts[enough], wins[enough], targets, scales_of(self.segments))
        row = enough[np.argmin(losses)]
        misses = [
            miss_of(int(w), int(n), segment, 1.0 - (1.0 - CONFIDENCE) / len(self.segments))
            for w, n, segment in zip(wins[row], attempts[row], self.segments, strict=True)
        ]
        miss, low, high = (max(parts) for parts in zip(*misses, strict=True))
        return miss, low, high


OnStudyProgress = Callable[[StudyProgress], None]  # is called after each batch of settings


def no_study_progress(progress: StudyProgress) -> None:
    """Show nothing."""


def miss_of(wins: int, attempts: int, segment: Segment, confidence: float) -> tuple[float, float, float]:
    """The distance of a win rate from its target, and the least and the most that it can be."""
    low, high = wilson(wins, attempts, confidence)
    ends = (abs(low - segment.target), abs(high - segment.target))
    nearest = 0.0 if low <= segment.target <= high else min(ends)
    return abs(wins / attempts - segment.target), nearest, max(ends)
