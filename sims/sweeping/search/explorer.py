"""What every search method of a sweep does: name trials, learn what came of them, and say which one is best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, Protocol

from sims.sweeping.space import Settings
from sims.sweeping.trial_losses import Gain, pooled
from sims.sweeping.trial_records import PlayerBlock, TrialAsk, TrialRecord, of_whole_lives

BATCH: Final = 16  # trials that are played together; the workers have no say in it


class Explorer(Protocol):
    """A search method. The baseline is no business of its: whoever plays adds it to every block."""

    def ask(self) -> list[TrialAsk]:
        """The next trials; none when the search has ended. Trials are numbered from 1."""

    def tell(self, records: Sequence[TrialRecord]) -> None:
        """Learn what came of the last ask, in its order."""

    def finalists(self) -> list[int]:
        """Numbers of the trials that may win, best first; of those that count."""


class PlannedTrials:
    """Settings that are known beforehand, on one block. The base of grid and random search."""

    def __init__(self, settings: Iterable[Settings], trials: int, block: PlayerBlock) -> None:
        self._settings: Iterator[Settings] = islice(settings, trials)
        self._block = block
        self._asked = 0
        self._records: list[TrialRecord] = []

    def ask(self) -> list[TrialAsk]:
        """The next batch."""
        batch = list(islice(self._settings, BATCH))
        self._asked += len(batch)
        first = self._asked - len(batch) + 1
        return [TrialAsk(first + place, one, self._block) for place, one in enumerate(batch)]

    def tell(self, records: Sequence[TrialRecord]) -> None:
        """Remember what came of them."""
        self._records += records

    def finalists(self) -> list[int]:
        """All trials that count."""
        return ranked_trials(self._records)


def ranked_trials(records: Sequence[TrialRecord]) -> list[int]:
    """Numbers of the trials that count, by the upper end of their pooled gain: a lucky mean is not enough."""
    gains = gains_of(records)
    return sorted(gains, key=lambda trial: (gains[trial].high, gains[trial].value, trial))


def gains_of(records: Sequence[TrialRecord]) -> dict[int, Gain]:
    """The gain of each trial that counts, over all its blocks, weighted by players."""
    failed = {record.ask.trial for record in records if record.failure}
    parts: dict[int, list[tuple[Gain, float]]] = {}
    for record in records:
        if record.ask.trial not in failed:
            parts.setdefault(record.ask.trial, []).append((record.gain, float(record.ask.block.players)))
    return {trial: pooled(own) for trial, own in parts.items()}


def upper_ends(records: Sequence[TrialRecord]) -> dict[int, tuple[float, ...]]:
    """The upper ends of a trial's gains in all objectives, of each trial that counts, over all its blocks."""
    failed = {record.ask.trial for record in records if record.failure}
    parts: dict[int, list[TrialRecord]] = {}
    for record in records:
        if record.ask.trial not in failed:
            parts.setdefault(record.ask.trial, []).append(record)
    return {trial: tuple(gain.high for gain in pooled_gains(of_whole_lives(own))) for trial, own in parts.items()}


def pooled_gains(records: Sequence[TrialRecord]) -> list[Gain]:
    """The gain of one trial in each objective over all its blocks, weighted by players."""
    weights = [float(record.ask.block.players) for record in records]
    of_each = zip(*((record.gain, *(gain for _, gain in record.others)) for record in records), strict=True)
    return [pooled(list(zip(gains, weights, strict=True))) for gains in of_each]


def front_of(trials: Sequence[int], bounds: Mapping[int, Sequence[float]]) -> Iterator[int]:
    """The trials that no other one beats: as good in every objective and better in one (the Pareto front)."""
    for one in trials:
        own = bounds[one]
        if not any(
            all(a <= b for a, b in zip(bounds[other], own, strict=True)) and tuple(bounds[other]) != tuple(own)
            for other in trials
        ):
            yield one
