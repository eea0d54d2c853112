"""What is known of a trial on a block of players, and the journal of a sweep.

A block is a set of players with their luck. All trials of a block meet the same players, and no two blocks have any in
common. The records of a journal are what a sweep was told, in order; everything else follows from them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from engine.errors import RunFolderError
from sims.run_folder.appended_records import AppendedRecords
from sims.sweeping.space import Settings
from sims.sweeping.trial_losses import Gain


class PlayerBlock(NamedTuple):
    """Players with their luck. number: 0 has the luck of a run of the scenario; players: in each replica.

    Of their attempts those from `first` up to, not including, `last` are judged, and no more are played; 0 and 0: as
    the scenario says.
    """

    number: int
    players: int
    first: int = 0
    last: int = 0


class TrialAsk(NamedTuple):
    """A trial to play on a block. Trial 0 is the baseline: the scenario as it is."""

    trial: int
    settings: Settings
    block: PlayerBlock


class Measure(NamedTuple):
    """A number of a player group with its 95 % margin; NaN where unknown."""

    value: float
    low: float
    high: float


class TrialRecord(NamedTuple):
    """What came of a trial on a block.

    Attributes:
        ask: what was played.
        attempts: that were made.
        failed: of these, by a fault of a plug-in.
        failure: why the trial does not count; empty where it does.
        loss: what the objective makes of it, with its error.
        gain: the loss less the baseline's on the same players.
        states: of each cohort, "in band", "below", "above" or "cannot tell".
        measures: by cohort, and for all players together last, then by metric.
        others: of each further objective what the loss and the gain are of the first.
    """

    ask: TrialAsk
    attempts: int
    failed: int
    failure: str
    loss: Gain
    gain: Gain
    states: tuple[str, ...]
    measures: tuple[tuple[Measure, ...], ...]
    others: tuple[tuple[Gain, Gain], ...] = ()


class ClockTime(NamedTuple):
    """Seconds that a sweep has taken, as it read them to decide whether to go on."""

    seconds: float


SweepRecord = TrialRecord | ClockTime


def of_whole_lives(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The records of a trial that count where it was played in parts and as a whole: those of whole lives, else all."""
    return [record for record in records if not record.ask.block.last] or list(records)


class SweepJournal(AppendedRecords[SweepRecord]):
    """The journal of a sweep, see sims.run_folder.appended_records."""

    @staticmethod
    def items_of(record: SweepRecord) -> list[Any]:
        """The values of a line; a number that is not known becomes null."""
        if isinstance(record, ClockTime):
            return [record.seconds]
        trial, settings, block = record.ask
        return [
            trial,
            [list(pair) for pair in settings],
            list(block),
            record.attempts,
            record.failed,
            record.failure,
            _kept(record.loss),
            _kept(record.gain),
            list(record.states),
            [[_kept(measure) for measure in group] for group in record.measures],
            [[_kept(one) for one in pair] for pair in record.others],
        ]

    @staticmethod
    def record_of(items: Any) -> SweepRecord:
        """The record of a line. Raises RunFolderError for one that no sweep writes."""
        try:
            match items:
                case [float() | int() as seconds]:
                    return ClockTime(float(seconds))
                case [
                    int(trial), list(settings), list(block), int(attempts), int(failed), str(failure),
                    list(loss), list(gain), list(states), list(measures), list(others),
                ]:  # fmt: skip
                    given = tuple((str(key), _frozen(value)) for key, value in settings)
                    found = tuple(tuple(Measure(*_read(one)) for one in group) for group in measures)
                    return TrialRecord(
                        TrialAsk(trial, given, PlayerBlock(*map(int, block))),
                        attempts,
                        failed,
                        failure,
                        Gain(*_read(loss)),
                        Gain(*_read(gain)),
                        tuple(map(str, states)),
                        found,
                        tuple((Gain(*_read(one)), Gain(*_read(other))) for one, other in others),
                    )
        except (TypeError, ValueError):
            pass
        raise RunFolderError(f"a journal of a sweep holds trials, got {str(items)[:80]}; it cannot be used.")


def _frozen(value: Any) -> Any:
    """A value as it was before JSON made lists of its tuples."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _kept(numbers: tuple[float, ...]) -> list[float | str | None]:
    return [None if math.isnan(one) else "inf" if one == math.inf else one for one in numbers]


def _read(items: list[Any]) -> list[float]:
    return [math.nan if one is None else float(one) for one in items]
