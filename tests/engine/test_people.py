"""Players are read a block at a time, and are the same people whatever the blocks are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sims.reports import row_batches
from sims.reports.people import read_people

HEAD = "replica,player,cohort,attempts,wins,level,trait_skill,left\n"
REASONS = ("", "quit", "completed", "horizon")


def written(folder: Path, count: int) -> Path:
    """Players in an order that is not that of their keys, with a reason that is met late."""
    dice = np.random.default_rng(5)
    keys = dice.permutation(count)
    reasons = [REASONS[int(dice.integers(0, 2 if n < count - 50 else 4))] for n in range(count)]
    rows = [
        f"{key % 2},{key},{'old' if key % 3 else 'new'},{key % 7 + 1},{key % 5},{key % 4},{key / 8 - 3},{reason}\n"
        for key, reason in zip(keys.tolist(), reasons, strict=True)
    ]
    path = folder / "players.csv"
    path.write_text(HEAD + "".join(rows))
    return path


@pytest.mark.parametrize("block", [500, 3000])
def test_blocks_of_any_size_give_the_same_people(tmp_path, monkeypatch, block):
    path = written(tmp_path, 800)
    whole = read_people(path, ["new", "old"])
    monkeypatch.setattr(row_batches, "_CSV_BLOCK", block)
    parts = read_people(path, ["new", "old"])
    for name in ("key", "cohort", "attempts", "wins", "level", "skill", "losing_run"):
        found, wanted = getattr(parts, name), getattr(whole, name)
        assert found.dtype == wanted.dtype
        assert np.array_equal(found, wanted), name
    assert np.all(whole.key[1:] > whole.key[:-1])
    assert set(parts.reasons) == set(whole.reasons) == set(REASONS)
    words = [[people.reasons[place] for place in people.left] for people in (parts, whole)]
    assert words[0] == words[1]
    assert parts.leavings(1) == whole.leavings(1)


def test_nobody_is_nobody(tmp_path):
    (tmp_path / "players.csv").write_text(HEAD)
    assert len(read_people(tmp_path / "players.csv", ["new", "old"]).key) == 0
