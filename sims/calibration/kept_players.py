"""Players of a file under other names: a keyed hash of each id, whose key lies outside the folder.

Without the key nobody can tell from a name whose it is, nor try ids until one fits. The same key gives the same names,
so that files of different days can be joined. This is for who may know their players one by one: without --keep-ids
nothing about fewer than ten players is written.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import secrets
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from engine.errors import ScenarioError
from engine.user_files.regular_file import read_regular
from sims.calibration.fit import Fit
from sims.calibration.histories import Histories, Numbers
from sims.calibration.likelihood.likelihood_sums import REACH
from sims.run_folder.files import write_new_file

PLAYERS: Final = "players.csv"
COLUMNS: Final = ("player", "attempts", "wins", "skill", "skill_sd")
_KEY_BYTES: Final = 32
_LEAST_KEY: Final = 16  # bytes of a key
_NAME_BYTES: Final = 16  # of a name: two of a billion players are alike with a chance of 1e-21
_NODES: Final = 61
_LEAST_CHANCE: Final = 1e-300
_ROWS: Final = 20_000  # at once, so that memory stays small


def key_of_file(path: Path, out: Path | None) -> bytes:
    """The key in a file; a new one, readable by its owner only, where there is no file.

    Args:
        path: the file.
        out: the folder of results, in which the key must not lie; None for one that is still to be numbered.

    Raises:
        ScenarioError: the file lies in the folder of results, or is too short for a key.
        OSError: it cannot be read or written.
    """
    if out is not None and Path(os.path.realpath(out)) in Path(os.path.realpath(path)).parents:
        raise ScenarioError(
            f"the key of --keep-ids must lie outside the output folder, since who has both knows the players, got "
            f"{path.name}; put it elsewhere."
        )
    content = f"{secrets.token_hex(_KEY_BYTES)}\n".encode()
    try:
        write_new_file(path, content, private=True)
    except FileExistsError:
        content = read_regular(path)
        if len(content.strip()) < _LEAST_KEY:
            raise ScenarioError(
                f"the key of --keep-ids must have {_LEAST_KEY} bytes or more, but {path.name} has "
                f"{len(content.strip())}; name a file that does not exist, and a key is made."
            ) from None
    return hashlib.blake2b(content.strip(), digest_size=_KEY_BYTES).digest()


def players_table(fit: Fit, histories: Histories, ids: Sequence[str], key: bytes, *, with_skill: bool = True) -> bytes:
    """A CSV of the players: their names by the key, what they did, and their skill as far as wins tell.

    Args:
        fit: of the players.
        histories: the players.
        ids: of the file, by the number of each player in it.
        key: by `key_of_file`.
        with_skill: whether the fit is by levels; skills of a game's own rules are not estimated one by one.
    """
    assert histories.number is not None  # players of a file have numbers
    names = [hashlib.blake2b(one.encode(), digest_size=_NAME_BYTES, key=key).hexdigest() for one in ids]
    starts = histories.starts[:-1]
    attempts = np.diff(histories.starts)
    wins = np.add.reduceat(histories.won.astype(np.int64), starts)
    columns = [[names[number] for number in histories.number.tolist()], attempts.tolist(), wins.tolist()]
    if with_skill:
        columns += [[f"{one:.3f}" for one in values] for values in estimate_skills(fit, histories)]
    rows = zip(*columns, strict=True)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS[: len(columns)])
    table.writerows(sorted(rows))
    return text.getvalue().encode()


def estimate_skills(fit: Fit, histories: Histories) -> tuple[Numbers, Numbers]:
    """Mean and standard deviation of each player's skill before any practice, given what they did; shape (players,)."""
    nodes = fit.skill_sd * np.linspace(-REACH, REACH, _NODES)
    prior = -0.5 * (nodes / fit.skill_sd) ** 2
    effects = fit.point[fit.levels : fit.levels + len(fit.effects)]
    guess, lapse = fit.plain_curve
    means, sds = np.empty(histories.players), np.empty(histories.players)
    edges = np.searchsorted(histories.starts, np.arange(0, histories.rows, _ROWS)).tolist() + [histories.players]
    for first, last in pairwise(edges):
        if last <= first:
            continue
        begin, end = histories.starts[first], histories.starts[last]
        known = histories.features[begin:end] @ effects - fit.difficulty[histories.level[begin:end]]
        chance = guess + (1.0 - guess - lapse) / (1.0 + np.exp(-(known[:, None] + nodes)))
        seen = np.where(histories.won[begin:end, None] == 1, chance, 1.0 - chance)
        told = np.log(np.maximum(seen, _LEAST_CHANCE))
        height = np.add.reduceat(told, histories.starts[first:last] - begin, axis=0) + prior
        weight = np.exp(height - height.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        means[first:last] = weight @ nodes
        sds[first:last] = np.sqrt(np.maximum(weight @ nodes**2 - means[first:last] ** 2, 0.0))
    return means, sds
