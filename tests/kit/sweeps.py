"""Records of trials made by hand, and the digests of a sweep's folder, for tests of sweeps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sims.run_folder.folder import MANIFEST, read_manifest
from sims.sweeping.space import Settings
from sims.sweeping.trial_losses import NO_GAIN, Gain, LossGroup, gain_of, loss_of
from sims.sweeping.trial_records import TrialAsk, TrialRecord

Truth = Callable[[Settings], float]  # the true loss of settings


def record(ask: TrialAsk, loss: float, error: float = 0.0, failure: str = "") -> TrialRecord:
    """A record whose gain is the loss itself: the baseline's is 0."""
    gain = Gain(loss, error, 99.0) if ask.trial else NO_GAIN
    return TrialRecord(ask, 10, 0, failure, Gain(loss, error, 99.0), gain, ("in band",), ())


class NoisyPlayers:
    """Plays trials whose losses are means over players: a true loss, the player's luck, and luck of the trial alone."""

    def __init__(self, truth: Truth, *, own_luck: float, seed: int) -> None:
        self._truth, self._own_luck, self._seed = truth, own_luck, seed

    def groups(self, ask: TrialAsk) -> tuple[LossGroup, ...]:
        block, players = ask.block[:2]
        shared = np.random.default_rng([self._seed, block, 0]).exponential(0.01, players)
        own = np.random.default_rng([self._seed, block, 1, ask.trial]).exponential(self._own_luck, players)
        sums = np.stack([self._truth(ask.settings) + shared + own, np.ones(players)], axis=1)
        return (LossGroup(np.arange(players), sums),)

    def __call__(self, asks: Sequence[TrialAsk]) -> Iterable[TrialRecord]:
        usuals = {block: self.groups(TrialAsk(0, (), block)) for block in {ask.block for ask in asks}}
        for ask in asks:
            groups, usual = self.groups(ask), usuals[ask.block]
            gain = gain_of(groups, usual) if ask.trial else NO_GAIN
            yield TrialRecord(ask, ask.block.players, 0, "", loss_of(groups), gain, ("in band",), ())


def sweep_digests(folder: Path) -> dict[str, Any]:
    """Digests of all files, and of the manifest what is not from the clock."""
    digests: dict[str, Any] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    manifest = read_manifest(folder, "sweep")
    digests[MANIFEST] = {name: manifest[name] for name in ("files", "sweep", "code", "versions")}
    return digests
