"""Files of a stranger's run folder that are pipes, devices, links, folders or sockets are refused at once."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.errors import FlowdialError, RunFolderError
from sims import read_sweep, sweep
from sims.catalog import scenario_in
from sims.cli.app import main
from sims.runs.execution import run
from tests.kit.places import ROOT
from tests.kit.small import scenario

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX files")

SECONDS = 10
MEGABYTES = 500
FILES = (
    "manifest.json",
    "scenario.toml",
    "attempts.csv",
    "players.csv",
    "sessions.csv",
    "summary.csv",
    "datapackage.json",
)
UNFINISHED = ("start.json", "scenario.toml", "lock", "chunks", "manifest.json")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def link(path: Path) -> None:
    path.symlink_to(path.parents[1] / "outside")


def folder(path: Path) -> None:
    path.mkdir()


def a_socket(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # a socket's name is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


KINDS: dict[str, Callable[[Path], None]] = {
    "pipe": pipe,
    "device": device,
    "link": link,
    "folder": folder,
    "socket": a_socket,
}
COMMANDS = {
    "verify": ["verify", "RUN"],
    "report": ["report", "RUN"],
    "export": ["export", "RUN", "--to", "csv", "--out", "exported"],
    "workbook": ["export", "RUN", "--to", "xlsx", "--out", "exported.xlsx"],
    "replay": ["replay", "RUN", "--row", "1", "--record", "picture.png", "--frames", "2"],
    "watch": ["watch", "RUN", "--record", "picture.png", "--frames", "2"],
    "compare": ["compare", "RUN", "OTHER", "--quiet"],
    "resume": ["resume", "RUN"],
}
# What a command does not read may be anything.
UNREAD = {
    "replay": {"scenario.toml", "players.csv", "sessions.csv", "summary.csv", "datapackage.json"},
    "watch": {"attempts.csv", "players.csv", "sessions.csv", "summary.csv", "datapackage.json"},
    "resume": set(FILES),  # it is no folder that could be resumed
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
        found = scenario(game="gap_runner", players=8, attempts=6)
        out: Path = tmp_path_factory.mktemp("whole") / "run"
        return run(found, out=out, workers=1).folder


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """A limit of time; memory is looked at afterwards."""

    def stop(number, frame):
        raise AssertionError(f"it took longer than {SECONDS} s")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    handler = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES << 10


def attacked(whole: Path, tmp_path: Path, name: str, kind: str) -> Path:
    (tmp_path / "outside").write_text("of the user")
    target = Path(shutil.copytree(whole, tmp_path / "run"))
    (target / name).unlink()
    KINDS[kind](target / name)
    return target


def check(command: str, name: str, tmp_path: Path, whole: Path, capsys) -> None:
    words = [{"RUN": "run", "OTHER": str(whole)}.get(word, word) for word in COMMANDS[command]]
    with limited():
        code = main(words)
    err = capsys.readouterr().err
    assert code == 4 or (code == 0 and name in UNREAD.get(command, ())), (code, err)
    assert "Traceback" not in err
    assert (tmp_path / "outside").read_text() == "of the user"
    assert code == 0 or not any((tmp_path / left).exists() for left in ("exported", "exported.xlsx"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_pipe_in_place_of_a_table_is_refused(whole, tmp_path, monkeypatch, capsys, command):
    """One of each, quickly; all of them below."""
    monkeypatch.chdir(tmp_path)
    attacked(whole, tmp_path, "attempts.csv", "pipe")
    check(command, "attempts.csv", tmp_path, whole, capsys)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("command", COMMANDS)
def test_each_file_as_each_kind_under_each_command(whole, tmp_path, monkeypatch, capsys, command, name, kind):
    monkeypatch.chdir(tmp_path)
    attacked(whole, tmp_path, name, kind)
    check(command, name, tmp_path, whole, capsys)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", UNFINISHED)
def test_each_file_of_an_unfinished_run_as_each_kind(whole, tmp_path, monkeypatch, capsys, name, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outside").write_text("of the user")
    target = tmp_path / "run.partial"
    target.mkdir()
    shutil.copy(whole / "scenario.toml", target)
    (target / "start.json").write_text("{}\n")
    with contextlib.suppress(FileNotFoundError):
        (target / name).unlink()
    KINDS[kind](target / name)
    with limited():
        code = main(["resume", "run.partial"])
    err = capsys.readouterr().err
    assert (code, "Traceback" in err) in ((4, False), (5, False)), err
    assert (tmp_path / "outside").read_text() == "of the user"


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> Path:
    small = scenario(players=20, attempts=20)
    return sweep(
        small, {"target.win_rate": "0.5,0.6"}, out=tmp_path_factory.mktemp("sweep") / "sweep", workers=1
    ).folder


def read_all_of(folder: Path) -> None:
    found = read_sweep(folder)
    _ = (found.trials(), found.scenario)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["manifest.json", "sweep.json", "trials.csv", "best.toml"])
def test_each_file_of_a_sweep_as_each_kind(swept, tmp_path, name, kind):
    target = attacked(swept, tmp_path, name, kind)
    with limited(), pytest.raises((FlowdialError, OSError)):
        read_all_of(target)
    assert (tmp_path / "outside").read_text() == "of the user"


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["journal.txt", "start.json", "scenario.toml"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_file_of_an_unfinished_sweep_as_each_kind(swept, tmp_path, monkeypatch, capsys, name, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outside").write_text("of the user")
    target = tmp_path / "sweep.partial"
    target.mkdir()
    small = scenario(players=20, attempts=20)
    monkeypatch.setattr("sims.sweeping.sweep._carry_out", lambda folder, *rest: folder.close())
    sweep(small, {"target.win_rate": "0.5,0.6"}, out=tmp_path / "other", workers=1)
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tmp_path / "other.partial", target, dirs_exist_ok=True)
    (target / "lock").unlink(missing_ok=True)
    (target / name).unlink(missing_ok=True)
    KINDS[kind](target / name)
    with limited():
        code = main(["resume", "sweep.partial", "--workers", "1"])
    err = capsys.readouterr().err
    assert (code, "Traceback" in err) in ((4, False), (5, False)), err
    assert (tmp_path / "outside").read_text() == "of the user"


@pytest.mark.parametrize("kind", KINDS)
def test_a_scenario_of_a_folder_is_read_like_its_other_files(tmp_path, kind):
    (tmp_path / "outside").write_text("of the user")
    (tmp_path / "folder").mkdir()
    KINDS[kind](tmp_path / "folder" / "scenario.toml")
    with limited(), pytest.raises(RunFolderError, match="must be a regular file"):
        scenario_in(tmp_path / "folder" / "scenario.toml")
    with pytest.raises(RunFolderError, match="is missing"):
        scenario_in(tmp_path / "folder" / "other.toml")


def test_no_folder_of_ours_is_read_by_the_loader_of_files_that_the_user_names():
    """It follows links and waits for pipes, as a user may want."""
    loaders = r"\bload(_scenario)?\((self\.file|path, Catalog|.*folder / )"
    found = [path.name for path in sorted((ROOT / "sims").rglob("*.py")) if re.search(loaders, path.read_text())]
    assert found == []
