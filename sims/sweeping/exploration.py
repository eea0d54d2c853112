"""A sweep under way: the baseline beside every trial, the search, then the winner and the baseline on fresh players.

Its course follows from the request and from what the journal holds, so a stopped sweep is resumed by giving it the
records of its journal again. The baseline is a trial of every block and is never dropped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from engine.errors import PluginFault, RunFolderError
from sims.sweeping.search.explorer import Explorer, front_of, ranked_trials, upper_ends
from sims.sweeping.search.stages import KeyByKey, KeyStage
from sims.sweeping.space import Settings
from sims.sweeping.sweep_plan import SweepPlan
from sims.sweeping.trial_records import ClockTime, PlayerBlock, SweepJournal, TrialAsk, TrialRecord
from sims.terminal import OnProgress, no_progress

BASELINE_TRIAL: Final = 0
_SEARCH_SHARE: Final = 0.8  # of the time, where that is limited

PlayTrials = Callable[[Sequence[TrialAsk]], Iterable[TrialRecord]]


class SweepOutcome(NamedTuple):
    """Everything that a report of a sweep follows from.

    Attributes:
        search: all records of the search, the baseline's included, in order.
        fresh: those of the final measurement: the baseline and the winner on each block.
        winner: number of the best of the trials that were measured again.
        front: all of these; several only of several objectives.
        stages: of the method staged.
        in_time: False where the time was up before the search had ended.
    """

    search: tuple[TrialRecord, ...]
    fresh: tuple[TrialRecord, ...]
    winner: int
    stages: tuple[KeyStage, ...]
    in_time: bool
    front: tuple[int, ...] = ()


class Exploration:
    """One sweep. `run` it once."""

    def __init__(
        self,
        plan: SweepPlan,
        explorer: Explorer,
        play: PlayTrials,
        journal: SweepJournal,
        *,
        per_player: int,
        seconds: float | None = None,
        on_progress: OnProgress = no_progress,
    ) -> None:
        """per_player: most attempts of a player, in all repeats; seconds: most that it may take, None for no limit."""
        self._plan, self._explorer, self._play, self._journal = plan, explorer, play, journal
        self._per_player, self._seconds, self._on_progress = per_player, seconds, on_progress
        self._search: list[TrialRecord] = []
        self._blocks: set[PlayerBlock] = set()
        self._searching = True
        self._done = 0
        self._began = time.monotonic()
        self._before_s = 0.0

    def run(self) -> SweepOutcome:
        """Carry the sweep out to its end.

        Raises PluginFault when the baseline or all trials fail, RunFolderError when the journal holds other trials than
        those of this sweep, and what playing raises.
        """
        in_time = True
        while asks := self._explorer.ask():
            found = self._with_baseline(asks)
            self._explorer.tell([record for record in found if record.ask.trial != BASELINE_TRIAL])
            if self._is_late():
                in_time = False
                break
        finalists = self._explorer.finalists()
        if not finalists:
            failures = [record.failure for record in self._search if record.failure]
            raise PluginFault(f"all {len(failures):,} trials failed, the first one because {failures[0]}.")
        front = self._front(finalists)
        self._searching = False
        fresh = self._measure_again(front)
        if self._journal.unread:
            raise _other_trials(self._journal)
        stages = tuple(self._explorer.stages) if isinstance(self._explorer, KeyByKey) else ()
        return SweepOutcome(tuple(self._search), tuple(fresh), front[0], stages, in_time, front)

    def best_so_far(self) -> TrialRecord | None:
        """The trial that is ahead, with what it was chosen by: it may be good by luck. None before any trial."""
        trials = [record for record in self._search if record.ask.trial != BASELINE_TRIAL]
        best = ranked_trials(trials)[:1]
        return next((record for record in reversed(trials) if record.ask.trial in best), None)

    def _with_baseline(self, asks: Sequence[TrialAsk]) -> list[TrialRecord]:
        blocks = dict.fromkeys(ask.block for ask in asks)
        first = [TrialAsk(BASELINE_TRIAL, (), block) for block in blocks if block not in self._blocks]
        self._blocks.update(blocks)
        return self._records_of([*first, *asks])

    def _front(self, finalists: Sequence[int]) -> tuple[int, ...]:
        """The trials to measure again: the best; with several objectives, those that no other beats in all of them."""
        if self._plan.finalists == 1:
            return (finalists[0],)
        bounds = {trial: own for trial, own in upper_ends(self._search).items() if trial in finalists}
        return tuple(front_of([trial for trial in finalists if trial in bounds], bounds))[: self._plan.finalists]

    def _measure_again(self, front: Sequence[int]) -> list[TrialRecord]:
        settings: dict[int, Settings] = {record.ask.trial: record.ask.settings for record in self._search}
        first = max(block.number for block in self._blocks) + 1
        found = []
        for number in range(first, first + self._plan.fresh):
            block = PlayerBlock(number, self._plan.players)
            asks = [TrialAsk(trial, settings[trial], block) for trial in front]
            found += self._records_of([TrialAsk(BASELINE_TRIAL, (), block), *asks])
        failure = next((record.failure for record in found if record.failure), "")
        if failure:
            raise PluginFault(f"the best trial failed on fresh players: {failure}.")
        return found

    def _records_of(self, asks: Sequence[TrialAsk]) -> list[TrialRecord]:
        """What came of some asks, in their order: from the journal as far as it goes, then played."""
        found: list[TrialRecord] = []
        while len(found) < len(asks) and self._journal.unread:
            record = self._journal.next()
            if not isinstance(record, TrialRecord) or record.ask != asks[len(found)]:
                raise _other_trials(self._journal)
            self._take(record, found)
        for record in self._play(asks[len(found) :]) if len(found) < len(asks) else ():
            self._journal.add(record)
            self._journal.keep()
            self._take(record, found)
        return found

    def _take(self, record: TrialRecord, found: list[TrialRecord]) -> None:
        if record.ask.trial == BASELINE_TRIAL and record.failure:
            raise PluginFault(f"the scenario itself cannot be played: {record.failure}.")
        found.append(record)
        if self._searching:
            self._search.append(record)
        block = record.ask.block
        whole = self._plan.lives.parts[-1].last if self._plan.lives is not None else 1
        self._done += block.players * self._per_player * (block.last or whole) // whole
        self._on_progress(self._done, self._plan.attempts)

    def _is_late(self) -> bool:
        if self._seconds is None:
            return False
        return self._spent_s() >= _SEARCH_SHARE * self._seconds

    def _spent_s(self) -> float:
        """Seconds so far: those in the journal, otherwise those of the clock, which the journal then keeps."""
        if not self._journal.unread:
            spent = round(self._before_s + time.monotonic() - self._began, 3)
            self._journal.add(ClockTime(spent))
            return spent
        record = self._journal.next()
        if not isinstance(record, ClockTime):
            raise _other_trials(self._journal)
        self._before_s, self._began = record.seconds, time.monotonic()
        return record.seconds


def _other_trials(journal: SweepJournal) -> RunFolderError:
    return RunFolderError(
        f"{journal.path} does not hold the trials of this sweep, so it cannot be resumed; start a new one."
    )
