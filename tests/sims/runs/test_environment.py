"""The machine in the way of a run: no room, no permission, no stdout, no home. One line each, and nothing is lost."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EnvironmentFault
from sims.run_folder.folder import PARTIAL
from sims.runs.execution import resume, run
from tests.kit.faulty_disk import FaultyDisk
from tests.kit.places import ROOT
from tests.kit.small import TEXT, scenario
from tests.sims.run_folder.test_file_faults import check_published, go_on, reference, tiny, tree, under_way

pytestmark = pytest.mark.thorough

__all__ = ["reference"]  # a fixture


@pytest.fixture(autouse=True)
def cheap_report(monkeypatch):
    monkeypatch.setattr(
        "sims.reports.report.report_page", lambda facts: f"{facts.title} {facts.tally.to_json()}\n" * 50
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path: Path = tmp_path / "small.toml"
    path.write_text(TEXT.format(game="logistic", controller="weighted_up_down", players=4, attempts=200))
    return path


def flowdial(*words: object, folder: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own. more: of subprocess.run."""
    command = [sys.executable, "-m", "sims", *map(str, words)]
    # Python itself writes torn byte code where a file may not grow, and the next process cannot read it.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **more.pop("env", {})}
    choices: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, cwd=folder, env=environment, text=True, check=False, **choices
    )
    return done


def mounted(folder: Path, options: str) -> bool:
    """Whether a file system of this process's own could be mounted there: only root can, and not everywhere."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


# --- No room -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tenth", range(10))
def test_a_disk_of_ten_sizes_fills_up(reference, tmp_path, capsys, tenth):
    """One line that names the file, what is published is whole, and room makes it go on to the same end."""
    whole, good = reference
    need = sum(good.written.values())
    out = tmp_path / "run"
    disk = FaultyDisk(tmp_path, room=need * tenth // 10)
    with disk.active(), pytest.raises(EnvironmentFault) as caught:
        run(tiny(), out=out, workers=1)
    assert caught.value.exit_code == 5
    assert str(caught.value).startswith(str(tmp_path))
    assert str(caught.value).endswith(": No space left on device; make room and try again.")
    check_published(under_way(out), good)
    go_on(out)
    assert tree(out) == whole


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 512 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mounted(folder, "size=512k"):
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 4, 16, 32, 64, 96, 128, 192, 256, 320])
def test_a_real_disk_fills_up_under_two_workers(small_disk, tmp_path, room):
    """room: kB that are left of it."""
    (tmp_path / "small.toml").write_text(
        TEXT.format(game="logistic", controller="weighted_up_down", players=40, attempts=2000)
    )
    (small_disk / "ballast").write_bytes(bytes((512 - room) * 1024))
    words = ("--out", small_disk / "run", "--workers", 2, "--quiet")
    done = flowdial("run", "small.toml", *words, folder=tmp_path)
    assert done.returncode == 5, done.stderr
    assert "No space left on device; make room and try again." in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    (small_disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    if (small_disk / f"run{PARTIAL}" / "start.json").exists():
        assert resume(small_disk / "run", workers=1).faults == {}
    else:
        assert flowdial("run", "small.toml", *words, folder=tmp_path).returncode == 0
    assert run(scenario(), out=tmp_path / "reference", workers=1).faults == {}
    names = ("attempts.csv", "players.csv", "sessions.csv", "summary.csv", "datapackage.json")
    same = [
        hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in names
        for folder in (small_disk / "run", tmp_path / "reference")
    ]
    assert same[::2] == same[1::2]


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX limits")
@pytest.mark.parametrize("kilobytes", [1, 20])
def test_a_limit_of_file_size_is_one_line(tmp_path, monkeypatch, file, kilobytes):
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # whatever measures that process has files, too
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))
    words = ("run", file, "--out", "run", "--workers", 1, "--quiet")
    done = flowdial(*words, folder=tmp_path, preexec_fn=limit)
    assert done.returncode == 5
    assert done.stderr.splitlines()[-1].endswith(": File too large; make room and try again.")
    assert "Traceback" not in done.stderr
    again = ("resume", f"run{PARTIAL}", "--quiet") if (tmp_path / f"run{PARTIAL}").exists() else words
    assert flowdial(*again, folder=tmp_path).returncode == 0


SWEEP = ["sweep", "small.toml", "--over", "target.win_rate=0.5,0.6", "--set", "players.count=20", "--workers", "1"]
PLAYS = "".join(f"p{number % 80},{number // 80},{number % 3 % 2}\n" for number in range(400))
FILES = {  # what each command writes first
    "schema": (["schema", "--out", "schema.json"], "schema.json"),
    "new": (["new", "mine"], "mine.toml"),
    "check": (["check", "quickstart", "--resolved", "--out", "full.toml"], "full.toml"),
    "run": (["run", "small.toml", "--out", "made", "--workers", "1"], "made.partial"),
    "report": (["report", "run"], "run/report.html"),
    "export": (["export", "run", "--to", "csv", "--out", "exported"], "exported"),
    "workbook": (["export", "run", "--to", "xlsx", "--out", "made.xlsx"], "made.xlsx"),
    "compare": (["compare", "small.toml", "small.toml", "--out", "compared", "--quiet", "--workers", "1"], "compared"),
    "race": (["compare", "small.toml", "--out", "raced", "--quiet", "--workers", "1"], "raced"),
    "workers": (["compare", "small.toml", "small.toml", "--out", "compared", "--quiet"], "a worker cannot start"),
    "replay": (["replay", "run", "--record", "picture.png"], "picture.png"),
    "calibrate": (["calibrate", "plays.csv", "--out", "fitted"], "fitted/calibration.json"),
    "sweep": ([*SWEEP, "--out", "swept"], "swept.partial/scenario.toml"),
}


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX limits")
@pytest.mark.parametrize("command", FILES)
def test_each_command_names_the_file_that_has_no_room_and_can_be_started_again(tmp_path, monkeypatch, file, command):
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    run(scenario(players=4, attempts=20), out=tmp_path / "run", workers=1)
    (tmp_path / "plays.csv").write_text(f"player,level,won\n{PLAYS}")
    words, name = FILES[command]
    variables = {"SDL_VIDEODRIVER": "dummy"}
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (400, 400))
    done = flowdial(*words, folder=tmp_path, preexec_fn=limit, env=variables)
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, "Traceback" in done.stderr) == (5, False), done.stderr
    assert "File too large" in last
    assert name in last, last
    left = {path.name for path in tmp_path.iterdir()} - {"run", "small.toml", "plays.csv", "made.partial"}
    assert left == set()
    again = ["resume", "made.partial"] if (tmp_path / "made.partial" / "start.json").exists() else words
    assert flowdial(*again, folder=tmp_path, env=variables).returncode == 0


# --- No permission -------------------------------------------------------------------------------------------------


@pytest.fixture
def locked(tmp_path, file) -> Iterator[Path]:
    """A folder that cannot be changed, with the scenario in it. Permissions do not stop root, so it gets a disk."""
    folder = tmp_path / "locked"
    folder.mkdir()
    disk = mounted(folder, "size=64k")
    if not disk and (os.name == "nt" or os.geteuid() == 0):
        pytest.skip("nothing keeps this user from writing")
    (folder / "small.toml").write_bytes(file.read_bytes())
    if disk:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    else:
        folder.chmod(0o555)
    yield folder
    if disk:
        subprocess.run(["umount", str(folder)], check=True)
    else:
        folder.chmod(0o755)


@pytest.mark.parametrize("words", [("--out", "run"), ()])
def test_a_folder_that_cannot_be_written_is_one_line(locked, words):
    done = flowdial("run", "small.toml", *words, "--workers", 1, folder=locked)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr in [
        f"flowdial: run{'s' if not words else PARTIAL}: {why}.\n"
        for why in ("Permission denied", "Read-only file system")
    ]


def test_a_home_that_cannot_be_written_is_no_obstacle(locked, tmp_path):
    """The kernels are then kept in a temporary folder of the user's own."""
    (tmp_path / "tmp").mkdir()
    out = tmp_path / "run"
    home = {"HOME": str(locked), "XDG_CACHE_HOME": str(locked / "cache"), "FLOWDIAL_CACHE_DIR": ""}
    words = ("run", locked / "small.toml", "--out", out, "--workers", 2, "--quiet")
    done = flowdial(*words, folder=tmp_path, env=home | {"TMPDIR": str(tmp_path / "tmp")})
    assert (done.returncode, done.stderr) == (0, "")
    assert (out / "report.html").is_file()
    assert any(path.suffix == ".nbi" for path in (tmp_path / "tmp").rglob("*"))


# --- No stdout -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_stdout_costs_the_words_not_the_run(tmp_path, file):
    with open("/dev/full", "w") as full:
        done = flowdial("run", file, "--out", "run", "--workers", 1, folder=tmp_path, stdout=full)
    assert (done.returncode, done.stderr) == (5, "flowdial: No space left on device\n")
    assert (tmp_path / "run" / "manifest.json").is_file()


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX pipes")
def test_a_closed_stdout_costs_the_words_not_the_run(tmp_path, file):
    read, write = os.pipe()
    os.close(read)
    done = flowdial("run", file, "--out", "run", "--workers", 1, folder=tmp_path, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (5, "")
    assert (tmp_path / "run" / "manifest.json").is_file()


# --- No package ----------------------------------------------------------------------------------------------------


def test_a_missing_package_is_one_line_and_what_is_finished_is_kept(tmp_path, file):
    (tmp_path / "scipy.py").write_text("raise ModuleNotFoundError('gone', name='scipy')\n")
    env = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = flowdial("run", file, "--out", "run", "--workers", 1, "--quiet", folder=tmp_path, env=env)
    assert done.returncode == 5
    (why,) = done.stderr.splitlines()
    assert why.startswith("flowdial: the package 'scipy' is missing; install it")
    (tmp_path / "scipy.py").unlink()
    assert flowdial("resume", "run.partial", "--workers", 1, folder=tmp_path).returncode == 0
    assert (tmp_path / "run" / "report.html").is_file()
