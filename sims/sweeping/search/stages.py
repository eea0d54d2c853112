"""One key at a time: first the one that helps most, then the next, each with the others as they are by then.

A screen plays every key alone, on its values with the rest as in the scenario. The key whose best value gains most is
set to it; then the keys that are left are played again around that. Each stage has players of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sims.sweeping.search.explorer import BATCH, gains_of, ranked_trials
from sims.sweeping.space import Settings, SweepSpace, SweptValue
from sims.sweeping.trial_losses import Gain
from sims.sweeping.trial_records import PlayerBlock, TrialAsk, TrialRecord

STEPS: Final = 5  # values of a range


class KeyStage(NamedTuple):
    """What a stage bought."""

    key: str  # empty where no key was better than what there was
    value: SweptValue
    gain: Gain  # of its best trial, on the players of the stage
    trials: int


class KeyByKey:
    """Sets one key in each stage, until none is surely better."""

    def __init__(self, space: SweepSpace, players: int, trials: int) -> None:
        """trials: most of them, besides one of the baseline."""
        self._space, self._players, self._most = space, players, trials
        self._set: dict[str, SweptValue] = {}
        self._best = 0  # trial that all settings so far are
        self._waiting: list[TrialAsk] = []
        self._records: list[TrialRecord] = []  # of this stage
        self._all: list[TrialRecord] = []
        self._numbers: dict[Settings, int] = {(): 0}
        self._spent = self._blocks = 0
        self._ended = False
        self.stages: list[KeyStage] = []

    def ask(self) -> list[TrialAsk]:
        """The next trials of a stage."""
        if not self._waiting and self._records:
            self._end_stage()
        if not self._waiting and not self._ended:
            self._begin_stage()
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        return batch

    def tell(self, records: Sequence[TrialRecord]) -> None:
        """Remember what came of them."""
        self._records += records
        self._all += records

    def finalists(self) -> list[int]:
        """What the stages have set, then the others."""
        others = [trial for trial in ranked_trials(self._all) if trial != self._best]
        return [self._best, *others] if self._best else others

    def _begin_stage(self) -> None:
        block = PlayerBlock(self._blocks, self._players)
        self._blocks += 1
        found = [self._space.settings(self._set)] if self._set else []
        for one in self._space.keys:
            if one.key not in self._set:
                found += [self._space.settings({**self._set, one.key: value}) for value in one.spaced(STEPS)]
        found = [one for one in dict.fromkeys(found) if one]
        new = [one for one in found if one != self._space.settings(self._set)]
        cost = len(found) + 1  # the baseline plays every stage
        if not new or self._spent + cost > self._most + 1:
            self._ended = True
            return
        for settings in found:
            self._numbers.setdefault(settings, len(self._numbers))
        self._spent += cost
        self._waiting = [TrialAsk(self._numbers[one], one, block) for one in found]

    def _end_stage(self) -> None:
        """Set the key whose best value gains most over what there was, if that is sure."""
        gains = gains_of(self._records)
        settings = {record.ask.trial: record.ask.settings for record in self._records}
        before = gains.get(self._best)
        best = next((trial for trial in ranked_trials(self._records) if trial != self._best), None)
        trials, self._records = len(self._records), []
        floor = before.value if before is not None else 0.0
        if best is None or gains[best].high >= floor:
            self._ended = True
            return
        ((key, value),) = [pair for pair in settings[best] if self._set.get(pair[0]) != pair[1]][:1]
        self._set[key] = value
        self._best = best
        self.stages.append(KeyStage(key, value, gains[best], trials))
