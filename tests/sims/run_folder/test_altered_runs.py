"""A run whose files were altered: each reader refuses it with the file's name, or says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from engine.errors import RunFolderError
from engine.scenario import parse
from sims.catalog import Catalog
from sims.cli.app import main
from sims.comparison.comparison import compare
from sims.reports.report import write_report
from sims.run_folder.sound_tables import sound_manifest
from sims.runs.execution import run
from sims.runs.export import export
from sims.runs.run import read_run
from sims.window.watching.watch import watch
from tests.kit.small import TEXT


def small(title="Small", seed=11, **choices):
    usual = {"game": "gap_runner", "controller": "weighted_up_down", "players": 20, "attempts": 30, **choices}
    text = TEXT.replace('"Small"', f'"{title}"').replace("seed = 11", f"seed = {seed}").format(**usual)
    return parse(text.encode(), "small.toml", Catalog())


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
        return run(small(), out=tmp_path_factory.mktemp("runs") / "run", workers=1).folder


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def alter(path: Path) -> None:
    """Turn one loss into a win, as many bytes as before, or one digit of another file."""
    text = path.read_bytes()
    changed = text.replace(b",lost,false,", b",won,true,  ", 1) if path.name == "attempts.csv" else text[:-2] + b"7\n"
    assert changed != text
    path.write_bytes(changed)


READERS = {
    "report": ("attempts.csv", lambda folder: write_report(folder)),
    "report of players": ("players.csv", lambda folder: write_report(folder)),
    "export": ("sessions.csv", lambda folder: export(folder, "csv")),
    "compare": ("attempts.csv", lambda folder: compare(folder, folder)),
    "attempts": ("attempts.csv", lambda folder: read_run(folder).attempts(["won"])),
    "players": ("players.csv", lambda folder: read_run(folder).players()),
    "sessions": ("sessions.csv", lambda folder: read_run(folder).sessions()),
    "summary": ("summary.csv", lambda folder: read_run(folder).summary()),
    "watch": ("scenario.toml", lambda folder: watch(str(folder), frames=1)),
}


@pytest.mark.parametrize("name", READERS)
def test_each_reader_of_a_file_refuses_it_when_it_was_altered(folder, name):
    file, read = READERS[name]
    alter(folder / file)
    with pytest.raises(RunFolderError, match=rf"as the run wrote them, but {file} is not; `flowdial verify") as caught:
        read(folder)
    assert caught.value.exit_code == 4


def test_the_command_names_the_file_and_leaves_the_old_page(folder, capsys):
    assert main(["report", str(folder)]) == 0
    page = (folder / "report.html").read_bytes()
    alter(folder / "attempts.csv")
    capsys.readouterr()
    assert main(["report", str(folder)]) == 4
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "attempts.csv is not" in err
    assert (folder / "report.html").read_bytes() == page


def test_other_tables_of_it_can_be_read(folder):
    alter(folder / "attempts.csv")
    assert len(read_run(folder).players()) == 20
    assert sound_manifest(folder, ("players.csv",))["rows"] > 0


def test_a_replay_says_so_and_goes_on(folder, capsys, monkeypatch):
    words = ["replay", str(folder), "--row", "3", "--record", str(folder.parent / "a.png")]
    monkeypatch.setattr("sims.window.replay.show_scene", lambda scene, *rest, **more: None)
    assert main(words) == 0
    assert capsys.readouterr().err == ""
    lines = (folder / "attempts.csv").read_bytes().splitlines(keepends=True)
    (folder / "attempts.csv").write_bytes(b"".join(lines[:-1]))
    assert main(words) == 0
    assert "attempts.csv has changed since the run; `flowdial verify" in capsys.readouterr().err


def test_summaries_of_many_runs_can_be_put_together(tmp_path, monkeypatch):
    monkeypatch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
    runs = {
        number: run(small(title, number, game="logistic"), out=tmp_path / str(number), workers=1)
        for number, title in ((1, "=cmd(), a title"), (2, ""))
    }
    tables = [pd.read_csv(one.folder / "summary.csv", keep_default_na=False, na_values=[""]) for one in runs.values()]
    together = pd.concat(tables)
    assert list(together.columns[:6]) == ["scenario", "title", "seed", "game", "controller", "cohort"]
    assert not together.duplicated(["scenario", "cohort", "level"]).any()
    assert together["title"].dropna().unique().tolist() == ["'=cmd(), a title"]
    assert together["seed"].tolist() == [1, 1, 2, 2]
    for one in runs.values():
        rows = one.attempts(["scenario", "seed", "game", "controller"]).drop_duplicates()
        own = one.summary(["scenario", "seed", "game", "controller"]).drop_duplicates()
        assert rows.astype(str).values.tolist() == own.astype(str).values.tolist()
