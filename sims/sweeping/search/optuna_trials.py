"""Optuna's samplers: they play more where losses were small.

tpe is a tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011), gp a Gaussian process with expected
improvement. Either sees the loss less the baseline's on the same players, which has far less luck in it than the loss.
Optuna comes with the extra `search`, and with all that gp needs in the extra `gp`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sims.sweeping.search.explorer import ranked_trials
from sims.sweeping.space import CONTROLLER, Settings, SweepSpace, SweptKey, SweptValue
from sims.sweeping.trial_records import PlayerBlock, TrialAsk, TrialRecord
from sims.tuning.search.optuna_search import gp_sampler, study_in_memory, tell_failure, tpe_sampler

_BATCH: Final = 4  # trials that are asked for together; those still in play count as bad ones
_REPEATS: Final = 100  # proposals that were there before, for each trial


class OptunaTrials:
    """An Optuna study in memory, asked for batches."""

    def __init__(self, method: str, space: SweepSpace, block: PlayerBlock, trials: int, seed: int) -> None:
        """method: tpe or gp; seed: 0 or more. Raises EnvironmentFault where a package is missing."""
        self._study = study_in_memory(gp_sampler(seed) if method == "gp" else tpe_sampler(seed, conditional=True))
        self._space, self._block, self._most = space, block, trials
        self._trials: list[Any] = []  # of the last ask
        self._asked = 0
        self._seen: set[Settings] = set()
        self._losses: dict[Settings, float] = {}
        self._records: list[TrialRecord] = []

    def ask(self) -> list[TrialAsk]:
        """The next batch of settings that were not played before."""
        self._trials = []
        asks: list[TrialAsk] = []
        repeats = 0
        while len(asks) < min(_BATCH, self._most - self._asked) and repeats < _REPEATS * _BATCH:
            trial = self._study.ask()
            settings = self._settings(trial)
            if settings in self._seen:
                repeats += 1
                known = self._losses.get(settings)
                if known is None:
                    tell_failure(self._study, trial)
                else:
                    self._study.tell(trial, known)
                continue
            self._seen.add(settings)
            self._trials.append(trial)
            asks.append(TrialAsk(self._asked + len(asks) + 1, settings, self._block))
        self._asked += len(asks)
        return asks

    def tell(self, records: Sequence[TrialRecord]) -> None:
        """Learn the losses of the last ask."""
        self._records += records
        for trial, record in zip(self._trials, records, strict=True):
            if record.failure:
                tell_failure(self._study, trial)
            else:
                self._losses[record.ask.settings] = record.gain.value
                self._study.tell(trial, record.gain.value)

    def finalists(self) -> list[int]:
        """All trials that count."""
        return ranked_trials(self._records)

    def _settings(self, trial: Any) -> Settings:
        """What Optuna proposes. The controller comes first: only options that it has are asked for."""
        values: dict[str, SweptValue] = {}
        for one in sorted(self._space.keys, key=lambda one: one.key != CONTROLLER):
            if self._space.applies(one.key, str(values.get(CONTROLLER, self._space.own_controller))):
                values[one.key] = _suggested(trial, one)
        return self._space.settings(values)


def _suggested(trial: Any, one: SweptKey) -> SweptValue:
    if one.values and one.is_number:
        return one.values[int(trial.suggest_int(one.key, 0, len(one.values) - 1))]
    if one.values:
        return one.values[int(trial.suggest_categorical(one.key, tuple(range(len(one.values)))))]
    return one.at(float(trial.suggest_float(one.key, 0.0, 1.0)))
