"""Players under other names: a keyed hash of their ids, with the key outside of the folder."""

from __future__ import annotations

import csv
import errno
import os
import stat

import numpy as np
import pandas as pd
import pytest

from engine.errors import ScenarioError
from sims.calibration.calibration import calibrate
from sims.calibration.kept_players import PLAYERS, key_of_file
from sims.cli.app import main
from tests.kit.plays import Truth, planted

P = planted(120, Truth(levels=5, seed=17), most=30)
SECRET = 918_000_000


def frame(ids):
    return pd.DataFrame({"player": ids, "level": P.level + 1, "won": P.won, "order": P.order})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("kept")
    frame([f"id{SECRET + 31 * player}" for player in P.player]).to_csv(place / "plays.csv", index=False)
    return place


@pytest.fixture(scope="module")
def found(home):
    return calibrate(home / "plays.csv", keep_ids=home / "key", out=home / "out")


def names_of(path):
    return [row["player"] for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())]


def test_the_key_is_made_for_its_owner_only_and_lies_outside(found, home):
    assert stat.S_IMODE((home / "key").stat().st_mode) == 0o600
    assert len((home / "key").read_text(encoding="utf-8").strip()) == 64
    key = (home / "key").read_text(encoding="utf-8").strip()
    assert sorted(path.name for path in found.folder.iterdir()) == [
        "calibration.json", PLAYERS, "report.html", "scenario.toml",
    ]  # fmt: skip
    for path in found.folder.iterdir():
        text = path.read_text(encoding="utf-8")
        assert key not in text
        assert str(SECRET)[:6] not in text.replace(".", "")
        for player in set(P.player.tolist()):
            assert f"id{SECRET + 31 * player}" not in text


def test_every_player_has_a_name_and_what_they_did(found):
    rows = list(csv.DictReader(found.players_file.read_text(encoding="utf-8").splitlines()))
    assert len({row["player"] for row in rows}) == len(rows) == 120
    assert sum(int(row["attempts"]) for row in rows) == len(P.player)
    assert sum(int(row["wins"]) for row in rows) == P.won.sum()
    spread = np.var([float(row["skill"]) for row in rows]) + np.mean([float(row["skill_sd"]) ** 2 for row in rows])
    assert spread == pytest.approx(found.findings.fit.skill_sd**2, rel=0.25)
    winners = [float(row["skill"]) for row in rows if int(row["wins"]) == int(row["attempts"])]
    assert min(winners) > 0.0


def test_one_key_gives_one_name_and_another_key_another(found, home):
    again = calibrate(home / "plays.csv", keep_ids=home / "key", out=home / "again")
    assert again.players_file is not None
    assert again.players_file.read_bytes() == found.players_file.read_bytes()
    other = calibrate(home / "plays.csv", keep_ids=home / "other key", out=home / "other")
    assert not set(names_of(other.players_file)) & set(names_of(found.players_file))
    for name in ("calibration.json", "report.html", "scenario.toml"):
        assert (home / "other" / name).read_bytes() == (home / "out" / name).read_bytes()


def test_a_key_in_the_folder_or_of_a_few_letters_is_refused(home, tmp_path):
    with pytest.raises(ScenarioError, match="must lie outside the output folder"):
        key_of_file(tmp_path / "out" / "key", tmp_path / "out")
    (tmp_path / "short").write_text("abc\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="must have 16 bytes or more, but short has 3"):
        key_of_file(tmp_path / "short", None)


def test_a_file_without_players_has_none_to_name(tmp_path):
    rows = "".join(f"{level},{100},{50 + level}\n" for level in range(9))
    (tmp_path / "totals.csv").write_text("level,attempts,successes\n" + rows, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"totals\.csv does not say who played"):
        calibrate(tmp_path / "totals.csv", keep_ids=tmp_path / "key", out=tmp_path / "out")


def test_the_command_says_where_the_players_are(home, capsys):
    args = ["calibrate", str(home / "plays.csv"), "--keep-ids", str(home / "key"), "--out", str(home / "cli")]
    assert main(args) == 0
    assert f"players   {home / 'cli' / PLAYERS}" in capsys.readouterr().out


def test_a_key_that_cannot_be_written_is_named_and_leaves_nothing(home, tmp_path, capsys, monkeypatch):
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("sims.run_folder.files.os.fsync", full)
    key = tmp_path / "key"
    assert main(["calibrate", str(home / "plays.csv"), "--keep-ids", str(key), "--out", str(tmp_path / "out")]) == 5
    assert f"flowdial: {key}: No space left on device; make room" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []  # a torn key would be taken for a key, or refused, by the next start


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_key_behind_links_in_a_circle_is_refused_in_one_line(home, tmp_path, capsys):
    (tmp_path / "key").symlink_to("key")
    words = ["--keep-ids", str(tmp_path / "key"), "--out", str(tmp_path / "out")]
    assert main(["calibrate", str(home / "plays.csv"), *words]) == 4
    assert "must be a regular file, got a link" in capsys.readouterr().err
