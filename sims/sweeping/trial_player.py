"""Plays trials: all trials of a block meet the same players with the same luck. Only sums are kept, never rows.

What comes out depends on the scenario, the code and the asks alone: not on the workers, nor on the order in which they
end. A trial whose plug-in raises, hangs, ends its worker or gives no usable difficulty is labelled and does not count.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from types import TracebackType
from typing import Any, Final, NamedTuple

import numpy as np

from engine.controller import Scope
from engine.errors import FlowdialError, ScenarioError
from engine.faults import FAULTS, NOBODY, Fault, message_of, too_many
from engine.game import FAILED
from engine.inference.difference import ratio_error
from engine.inference.intervals import t_half_width
from engine.players import COHORT_STRIDE
from engine.randomness import LARGEST_SEED
from engine.response.win_probability import closed_form
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from engine.tally import Scheme, Tally, scheme_of, tally_of
from engine.world import Chunk, Played, chunks, simulate
from sims.arena.score import scores_of
from sims.catalog import Catalog
from sims.comparison.metrics import (
    JUDGED,
    WORST_RATE,
    Metric,
    Sums,
    cohort_places,
    metric_sums,
    metrics_for,
    worst_sums,
)
from sims.comparison.sides import sides_of
from sims.runs.tables import goal_for
from sims.sweeping.objective import OF_CHANCES, TRUE_CHANCE, WIN_RATES, Objective
from sims.sweeping.space import Settings
from sims.sweeping.trial_losses import NO_GAIN, Gain, LossGroup, gain_of, loss_of
from sims.sweeping.trial_records import Measure, PlayerBlock, TrialAsk, TrialRecord
from sims.sweeping.trial_scenarios import trial_scenario
from sims.terminal import OnMessage, no_message
from sims.verdict.verdict import verdict
from sims.workers.executor import Workers, executor_for
from sims.workers.pool import STALL_S, Loss
from sims.workers.worker_process import worker_box

_NEXT_SEED: Final = 1_000_000_007  # from the seed of a block to that of the next one
_MOST_KEPT: Final = 64  # trials that a worker keeps ready
_SCOPES: Final[tuple[Scope, ...]] = ("player", "cohort", "everyone")  # from narrow to wide
_REPLICA: Final = 1 << 32  # above all numbers of players
_NOWHERE: Final = Gain(math.nan, math.nan, math.nan)


class TrialTask(NamedTuple):
    """Some players of a trial. failure: why it must not be played."""

    ask: TrialAsk
    chunk: Chunk
    failure: str = ""


class TrialPart(NamedTuple):
    """What a task returns."""

    failure: str
    replica: int = 0
    attempts: int = 0
    faults: tuple[Fault, ...] = ()
    bad_proposals: int = 0
    address: Any = None  # of each player's cohort, shape (players,)
    place: Any = None  # in the cohort
    sums: Any = None  # shape (players, metrics, 2)
    tally: Tally | None = None
    clusters: Any = None  # of the true chances
    squares: Any = None  # shape (clusters, 3): squares, judged attempts, those of them out of band


class ReadyTrial(NamedTuple):
    """A trial on a block, ready to be played."""

    scenario: Scenario
    setup: Setup  # with seed and addresses of the block
    order: tuple[int, ...]  # places of the cohorts in the scenario, in the order of their addresses
    scheme: Scheme
    chunks: tuple[Chunk, ...]


class TrialSetups:
    """Trials that are ready, in a worker and in the process that collects what comes out."""

    def __init__(self, baseline: Scenario, objectives: Sequence[Objective]) -> None:
        self.baseline, self.objectives = baseline, tuple(objectives)
        self.catalog = Catalog()
        base = setup_of(baseline, self.catalog)
        self.scope, self.levels, self.causes = base.scope, base.levels, base.game.causes
        self._ready: dict[tuple[Settings, PlayerBlock], ReadyTrial] = {}

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured of every trial."""
        return metrics_for(self.causes, self.levels)

    def ready(self, ask: TrialAsk) -> ReadyTrial:
        """The trial of an ask. Raises ScenarioError where its settings do not go together."""
        key = ask.settings, ask.block
        if key not in self._ready:
            if len(self._ready) >= _MOST_KEPT:
                self._ready.clear()
            self._ready[key] = self._made(ask)
        return self._ready[key]

    def _made(self, ask: TrialAsk) -> ReadyTrial:
        first = trial_scenario(self.baseline, (), ask.block)
        seed = (self.baseline.seed + ask.block.number * _NEXT_SEED) % (LARGEST_SEED + 1)
        others = [trial_scenario(self.baseline, ask.settings, ask.block)] if ask.settings else []
        side = sides_of(first, others, seed)[-1]
        setup = side.setup(self.catalog)
        # players that are scored together play together
        wide = max(self.scope, setup.scope, key=_SCOPES.index)
        cut = chunks(dataclasses.replace(setup, scope=wide))
        own = side.scenario
        scheme = scheme_of(setup_of(own, self.catalog), own.after_attempts, own.further_targets)
        return ReadyTrial(side.scenario, setup, side.cohorts, scheme, tuple(cut))


def prepare_trials(argument: tuple[Scenario, tuple[Objective, ...]]) -> TrialSetups:
    """In a worker: prepare for the tasks of a sweep."""
    return TrialSetups(*argument)


def play_players(setups: TrialSetups, task: TrialTask) -> TrialPart:
    """In a worker: play some players of a trial and sum up what they did."""
    if task.failure:
        return TrialPart(task.failure)
    try:
        with redirect_stdout(sys.stderr):  # what a plug-in prints is no result
            trial = setups.ready(task.ask)
            played = simulate(trial.setup, task.chunk, box=worker_box())
        return _summed(setups, trial, played, task.chunk.replica)
    except ScenarioError as fault:
        return TrialPart(" ".join(fault.lines))
    except (FlowdialError, MemoryError, OSError):
        raise
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - a plug-in may raise anything
        return TrialPart(f"{type(fault).__name__}: {message_of(fault)}")


def _summed(setups: TrialSetups, trial: ReadyTrial, played: Played, replica: int) -> TrialPart:
    setup, after = trial.setup, trial.scenario.after_attempts
    sums = metric_sums(played, after, len(setups.causes), setups.levels)
    address, place = cohort_places(played)
    clusters = squares = None
    if any(one in OF_CHANCES for one in setups.objectives):
        rows = played.rows[played.rows["outcome"] != FAILED]
        scores = scores_of(
            setups.scope, rows, closed_form(setup.game, rows), after,
            dial=setup.scope, deploy_every_s=setup.deploy_every_s,
        )  # fmt: skip
        clusters, places = np.unique(scores["unit"], return_inverse=True)
        out = scores["judged"] - scores["in_band"]
        columns = (scores["square"], scores["judged"].astype(np.float64), out)
        squares = np.stack([np.bincount(places, column, len(clusters)) for column in columns], 1)
    order = np.array(trial.order)
    for table in (played.rows, played.players):  # targets are those of the scenario's own order
        table["cohort"] = order[table["cohort"]]
    tally = tally_of(played.rows, played.players, trial.scheme)
    bad = sum(tally.total(cohort, "bad_proposals") for cohort in range(len(order)))
    return TrialPart("", replica, len(played.rows), played.faults, bad, address, place, sums, tally, clusters, squares)


class TrialPlayer:
    """Plays the asks of a sweep. Use it as a context manager in the main thread: leaving it ends all workers."""

    def __init__(
        self,
        baseline: Scenario,
        *objectives: Objective,
        workers: Workers,
        apart: bool = False,
        on_message: OnMessage = no_message,
    ) -> None:
        """apart: with one worker too in a process of its own, as plug-ins of others may hang or end it.

        on_message: takes a sentence when a worker was stopped by a signal.
        """
        self._setups = TrialSetups(baseline, objectives)
        chosen: dict[str, Any] = {"stall_s": STALL_S, "noun": "trial", "apart": apart, "explain": _Blame()}
        chosen["on_message"] = on_message
        self._pool = executor_for(workers).pool(prepare_trials, (baseline, objectives), play_players, **chosen)
        self._usual: dict[PlayerBlock, list[tuple[LossGroup, ...]]] = {}  # of the baseline, by objective

    def __enter__(self) -> TrialPlayer:
        self._pool.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.__exit__(kind, fault, trace)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured of every trial."""
        return self._setups.metrics

    def play(self, asks: Sequence[TrialAsk]) -> Iterator[TrialRecord]:
        """What came of each ask, in their order, each as soon as it and those before it are complete.

        Raises what sims.workers.pool.Pool.run raises for faults of the machine.
        """
        blocks = dict.fromkeys(ask.block for ask in asks)
        self._usual = {block: groups for block, groups in self._usual.items() if block in blocks}
        missing = [block for block in blocks if block not in self._usual]
        asked = {(ask.trial, ask.block) for ask in asks}
        again = [TrialAsk(0, (), block) for block in missing if (0, block) not in asked]
        first = sorted((ask for ask in asks if ask.trial == 0), key=asks.index)
        if first and list(asks[: len(first)]) != first:
            raise ValueError("the baseline must be asked for before the other trials")
        everything = [*again, *asks]
        for ask, parts in zip(everything, self._played(everything), strict=True):
            record = self._record(ask, parts)
            if ask not in again:
                yield record

    def _played(self, asks: Sequence[TrialAsk]) -> Iterator[list[TrialPart]]:
        """The parts of each ask, in order."""
        tasks: list[tuple[int, TrialTask]] = []
        parts: list[list[TrialPart | None]] = []
        refused: dict[int, str] = {}
        for number, ask in enumerate(asks):
            try:
                cut = self._setups.ready(ask).chunks
            except ScenarioError as fault:
                refused[number], cut = " ".join(fault.lines), ()
            tasks += [(number, TrialTask(ask, chunk)) for chunk in cut]
            parts.append([None] * len(cut))
        places = [(number, task.chunk.number) for number, task in tasks]
        done = 0
        for at, part in self._pool.run(enumerate(task for _, task in tasks)):
            number, chunk = places[at]
            parts[number][chunk] = part
            while done < len(asks) and all(one is not None for one in parts[done]):
                yield _whole(parts[done], refused.get(done))
                parts[done] = []
                done += 1
        while done < len(asks):  # those that were refused at the end
            yield _whole(parts[done], refused.get(done))
            done += 1

    def _record(self, ask: TrialAsk, parts: Sequence[TrialPart]) -> TrialRecord:
        failed = [fault for part in parts for fault in part.faults]
        attempts = sum(part.attempts for part in parts)
        failure = next((part.failure for part in parts if part.failure), "") or _too_many_faults(failed, attempts)
        bad = sum(part.bad_proposals for part in parts)
        if not failure and too_many(bad, attempts):
            failure = f"{bad:,} of {attempts:,} difficulties that it gave were no numbers of the dial"
        if not failure:
            trial = self._setups.ready(ask)
            sums = _by_address(trial.setup, parts, len(self.metrics) - 1)
            groups = [self._groups(trial, sums, parts, one) for one in self._setups.objectives]
            losses = [loss_of(one) for one in groups]
            if math.isnan(losses[0].value):
                failure = "no attempt was judged, so it has no score"
        if failure:
            return TrialRecord(ask, attempts, len(failed), failure, _NOWHERE, _NOWHERE, (), ())
        if ask.trial == 0:
            self._usual[ask.block] = groups
        usual = self._usual.get(ask.block)
        if ask.trial == 0:
            gains = [NO_GAIN] * len(groups)
        elif usual is None:
            gains = [_NOWHERE] * len(groups)
        else:
            gains = [gain_of(one, theirs) for one, theirs in zip(groups, usual, strict=True)]
        states, measures = self._measures(trial, sums, parts)
        others = tuple(zip(losses[1:], gains[1:], strict=True))
        return TrialRecord(ask, attempts, len(failed), "", losses[0], gains[0], states, measures, others)

    def _groups(
        self, trial: ReadyTrial, sums: dict[int, Sums], parts: Sequence[TrialPart], objective: Objective
    ) -> tuple[LossGroup, ...]:
        """What a loss is computed from."""
        if objective in OF_CHANCES:
            clusters = np.concatenate([part.clusters for part in parts])
            order = np.argsort(clusters, kind="stable")
            squares = np.concatenate([part.squares for part in parts])[order]
            merged, places = np.unique(clusters[order], return_inverse=True)
            over = (0, 1) if objective == TRUE_CHANCE else (2, 1)
            columns = [np.bincount(places, squares[:, j], len(merged)) for j in over]
            return (LossGroup(merged, np.stack(columns, 1)),)
        column = JUDGED if objective == WIN_RATES else [one.name for one in self.metrics].index(objective.name)
        by_replica = trial.setup.shares_luck and trial.setup.replicas > 1
        groups = []
        for address, own in sorted(sums.items()):
            replicas, players = own.shape[:2]
            one = own[:, :, column]
            if by_replica:
                clusters = np.arange(replicas, dtype=np.int64)
                one = one.sum(axis=1)
            else:
                numbers = np.arange(players) + address * COHORT_STRIDE
                clusters = (np.arange(replicas)[:, None] * _REPLICA + numbers).ravel()
                one = one.reshape(-1, 2)
            low, high = trial.scenario.band(trial.order[trial.setup.addresses.index(address)])
            groups.append(LossGroup(clusters, one, (low + high) / 2.0))
        if objective == WIN_RATES:
            return tuple(groups)
        clusters = np.unique(np.concatenate([group.clusters for group in groups]))
        together = np.zeros((len(clusters), 2))
        for group in groups:
            together[np.searchsorted(clusters, group.clusters)] += group.sums
        return (LossGroup(clusters, together),)

    def _measures(
        self, trial: ReadyTrial, sums: dict[int, Sums], parts: Sequence[TrialPart]
    ) -> tuple[tuple[str, ...], tuple[tuple[Measure, ...], ...]]:
        """The state of each cohort, and the metrics by cohort, in the order of the baseline's, all players last."""
        tally = Tally.empty(trial.scheme)
        for part in parts:
            assert part.tally is not None  # it was played
            tally = tally + part.tally
        rows = verdict(goal_for(trial.scenario, setup_of(trial.scenario, self._setups.catalog)), tally).rows
        by_replica = trial.setup.shares_luck and trial.setup.replicas > 1
        states, measures = [], []
        for number, address in enumerate(trial.setup.addresses):
            row = rows[trial.order[number]]
            states.append(row.state)
            rate = Measure(row.win_rate, row.win_rate_low, row.win_rate_high)
            others = self._of_players([sums[address]], by_replica)
            measures.append((rate, *others[1:]))
        measures.append(self._of_players(list(sums.values()), by_replica))
        return tuple(states), tuple(measures)

    def _of_players(self, cohorts: Sequence[Sums], by_replica: bool) -> tuple[Measure, ...]:
        found = []
        for place, metric in enumerate(self.metrics):
            column = JUDGED if metric is WORST_RATE else place
            sums = np.concatenate([cohort[:, :, column] for cohort in cohorts], axis=1)
            replicas = len(sums)
            flat = sums.reshape(-1, 2)
            if metric is WORST_RATE:
                flat = worst_sums(flat)
            if by_replica:
                flat = flat.reshape(replicas, -1, 2).sum(axis=1)
            found.append(_measured(flat[flat[:, 1] > 0.0], metric))
        return tuple(found)


class _Blame:
    """Explains the loss of a worker: a trial that loses two in a row at the same attempt does not count."""

    def __init__(self) -> None:
        self._suspects: dict[TrialTask, tuple[int, int]] = {}

    def __call__(self, task: TrialTask, loss: Loss) -> TrialTask | None:
        here = loss.player, loss.attempt
        before = self._suspects.get(task)
        self._suspects[task] = here
        if loss.player == NOBODY or here != before or not loss.sure:
            return None
        del self._suspects[task]
        return task._replace(failure=f"its worker {loss.fate}, at attempt {loss.attempt} of player {loss.player}")


def _whole(parts: Sequence[TrialPart | None], refusal: str | None) -> list[TrialPart]:
    return [TrialPart(refusal)] if refusal is not None else [part for part in parts if part is not None]


def _too_many_faults(faults: Sequence[Fault], attempts: int) -> str:
    if not too_many(len(faults), attempts):
        return ""
    first = min(faults)
    why = ": ".join(word for word in (FAULTS[first.kind], first.type, first.message) if word)
    return f"{len(faults):,} of {attempts:,} attempts failed, one of them {why}"


def _by_address(setup: Setup, parts: Sequence[TrialPart], metrics: int) -> dict[int, Sums]:
    """The sums of all players by the address of their cohort, shape (replicas, players, metrics, 2)."""
    found = {
        address: np.zeros((setup.replicas, count, metrics, 2))
        for address, count in zip(setup.addresses, setup.counts, strict=True)
    }
    for part in parts:
        for address in np.unique(part.address):
            own = part.address == address
            found[int(address)][part.replica, part.place[own]] = part.sums[own]
    return found


def _measured(sums: Sums, metric: Metric) -> Measure:
    if not len(sums):
        return Measure(math.nan, math.nan, math.nan)
    value = float(sums[:, 0].sum() / sums[:, 1].sum())
    if len(sums) < 2:
        return Measure(value, math.nan, math.nan)
    half = t_half_width(len(sums) - 1.0) * ratio_error(sums, value)
    low, high = value - half, value + half
    return Measure(value, max(low, 0.0), min(high, 1.0) if metric.kind != "number" else high)
