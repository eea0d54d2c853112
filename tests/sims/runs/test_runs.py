"""The same scenario gives the same bytes, whoever plays it, however often it was stopped on the way."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from engine.errors import EnvironmentFault, RunFolderError
from sims.cli.app import main
from sims.run_folder.files import read_sealed, write_sealed
from sims.run_folder.folder import CHUNKS, MANIFEST, PARTIAL, SCENARIO, WorkFolder, read_manifest, take_up
from sims.run_folder.names import plain_name
from sims.runs import chunks as chunks_module
from sims.runs import execution as runs
from sims.runs import finish as finish_module
from sims.runs.execution import resume, run
from sims.terminal import say
from sims.workers.cores import cores
from sims.workers.signals import Stopped
from sims.workers.task_fault import TaskFault
from tests.kit.places import ROOT
from tests.kit.small import scenario

DATA = ("attempts.csv", "players.csv", "sessions.csv", "summary.csv", "datapackage.json", SCENARIO, "report.html")
# A run in a process of its own: folder, workers, players.
DRIVER = """
import sys
from pathlib import Path
from sims.runs.execution import resume, run
from tests.kit.small import scenario
out, workers, players = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
from sims.terminal import say
from sims.workers.signals import Stopped
try:
    if players:
        run(scenario(players=players), out=out, workers=workers, on_message=say)
    else:
        resume(out, workers=workers)
except Stopped as stop:
    sys.exit(stop.exit_code)
"""


def started(out: Path, workers: int, players: int, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(out), str(workers), str(players)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def hashes(folder: Path, names=DATA) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def wait_for_chunks(out: Path, count: int, process: subprocess.Popen[str]) -> None:
    folder = out.with_name(out.name + PARTIAL) / CHUNKS
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if folder.is_dir() and sum(path.suffix == ".json" for path in folder.iterdir()) >= count:
            return
        time.sleep(0.005)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A run of one worker that nothing has disturbed."""
    out: Path = tmp_path_factory.mktemp("whole") / "run"
    assert run(scenario(), out=out, workers=1).faults == {}
    return out


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """The same with more players, so that it takes long enough to be disturbed."""
    out: Path = tmp_path_factory.mktemp("large") / "run"
    assert run(scenario(players=320), out=out, workers=1).faults == {}
    return out


@pytest.fixture
def broken(monkeypatch):
    """A run that ends with a fault after so many chunks; gives the numbers of the chunks that are played later."""
    played: list[int] = []
    real = chunks_module.play_chunk

    def run_until(out: Path, count: int, fault: BaseException) -> list[int]:
        def note(job, chunk):
            played.append(chunk.number)
            return real(job, chunk)

        def play(job, chunk):
            if len(played) == count:
                raise fault
            return note(job, chunk)

        monkeypatch.setattr("sims.runs.chunk_pool.play_chunk", play)
        if isinstance(fault, Stopped):
            with pytest.raises(Stopped):
                run(scenario(), out=out, workers=1, on_message=say)
        else:
            with pytest.raises((EnvironmentFault, TaskFault, RuntimeError)):
                run(scenario(), out=out, workers=1, on_message=say)
        played.clear()
        monkeypatch.setattr("sims.runs.chunk_pool.play_chunk", note)
        return played

    return run_until


# --- Same bytes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workers", "environment"),
    [
        (2, {"TZ": "Asia/Kolkata", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "1"}),
        pytest.param(3, {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "2"}, marks=pytest.mark.thorough),
    ],
)
def test_bytes_do_not_depend_on_workers_zone_locale_or_hash_seed(whole, tmp_path, workers, environment):
    process = started(tmp_path / "run", workers, 40, **environment)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert err == ""
    assert hashes(tmp_path / "run") == hashes(whole)
    assert out == "", "a function prints nothing"


def test_a_published_folder_holds_these_files_and_no_others(whole):
    assert sorted(path.name for path in whole.iterdir()) == sorted([*DATA, MANIFEST])
    assert not any(b"\r" in (whole / name).read_bytes() for name in DATA)


def test_the_manifest_is_true(whole):
    manifest = json.loads((whole / MANIFEST).read_text())
    assert manifest["format_version"] == 1
    assert set(manifest["files"]) == {*DATA} - {"report.html"}
    for name, note in manifest["files"].items():
        data = (whole / name).read_bytes()
        assert (note["bytes"], note["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        if name.endswith(".csv"):
            assert note["rows"] == data.count(b"\n") - 1
    assert manifest["rows"] == manifest["files"]["attempts.csv"]["rows"]
    assert manifest["cohorts"] == ["new", "old"]
    assert manifest["targets"]["new"] == pytest.approx([0.55, 0.65])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", manifest["finished"])
    assert {"python", "numpy", "numba", "simpy", "pyarrow"} <= set(manifest["versions"])
    package = json.loads((whole / "datapackage.json").read_text())
    for resource in package["resources"]:
        assert resource["hash"] == f"sha256:{manifest['files'][resource['path']]['sha256']}"


def test_rows_are_sorted_and_complete(whole):
    table = csv.read_csv(whole / "attempts.csv").to_pandas()
    keys = list(table[["replica", "player", "attempt"]].itertuples(index=False))
    assert keys == sorted(set(keys))
    players = csv.read_csv(whole / "players.csv").to_pandas()
    sessions = csv.read_csv(whole / "sessions.csv").to_pandas()
    assert len(players) == 40
    for part in (players, sessions):
        assert (part["attempts"].sum(), part["wins"].sum()) == (len(table), table["won"].sum())
    assert players["sessions"].sum() == len(sessions)


def test_parquet_holds_the_same_values(whole, tmp_path):
    assert run(scenario(), out=tmp_path / "run", workers=1, format="parquet").faults == {}
    right = parquet.read_table(tmp_path / "run" / "attempts.parquet")
    types = {field.name: field.type for field in right.schema}
    convert = csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    left = csv.read_csv(whole / "attempts.csv", convert_options=convert)
    assert left.column_names == right.column_names
    for name in left.column_names:
        assert left[name].to_pylist() == right[name].to_pylist(), name
    others = ("players.csv", "sessions.csv", "summary.csv", SCENARIO)
    assert hashes(tmp_path / "run", others) == hashes(whole, others)
    assert run(scenario(), out=tmp_path / "again", workers=2, format="parquet").faults == {}
    assert hashes(tmp_path / "again", ["attempts.parquet"]) == hashes(tmp_path / "run", ["attempts.parquet"])
    assert pa.types.is_dictionary(right.schema.field("cohort").type)


# --- Stopped and taken up ------------------------------------------------------------------------------------------


def test_a_stopped_run_says_how_to_go_on_and_goes_on(whole, tmp_path, broken, capsys):
    played = broken(tmp_path / "run", 2, Stopped(signal.SIGINT))
    partial = tmp_path / "run.partial"
    assert f"flowdial resume {partial}" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert resume(partial, workers=1).faults == {}
    assert len(played) == 2  # of four; the others were there
    assert hashes(tmp_path / "run") == hashes(whole)
    assert not partial.exists()


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "delete"])
@pytest.mark.parametrize("name", ["000000.attempts.csv", "000001.players.csv", "000000.json"])
def test_a_damaged_chunk_is_played_again(whole, tmp_path, broken, name, damage):
    played = broken(tmp_path / "run", 2, Stopped(signal.SIGINT))
    path = tmp_path / "run.partial" / CHUNKS / name
    data = bytearray(path.read_bytes())
    if damage == "delete":
        path.unlink()
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes({"flip": data, "cut": data[: len(data) // 2], "empty": b""}[damage])
    assert resume(tmp_path / "run", workers=1).faults == {}
    assert sorted(played) == sorted([int(name[:6]), 2, 3])
    assert hashes(tmp_path / "run") == hashes(whole)


def test_a_run_that_was_whole_but_not_published_is_published(whole, tmp_path, monkeypatch):
    def stop(folder):
        raise Stopped(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(WorkFolder, "publish", stop)
        with pytest.raises(Stopped):
            run(scenario(), out=tmp_path / "run", workers=1)
    monkeypatch.setattr("sims.runs.chunk_pool.play_chunk", None)  # nothing is played
    assert resume(tmp_path / "run").faults == {}
    assert hashes(tmp_path / "run") == hashes(whole)


def test_a_full_disk_ends_the_run_and_room_lets_it_go_on(whole, tmp_path, broken, monkeypatch, capsys):
    broken(tmp_path / "run", 3, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "rows"))
    assert "resume" in capsys.readouterr().err
    with monkeypatch.context() as patch:

        def full(handle):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr(os, "fsync", full)
        with pytest.raises(EnvironmentFault, match=r"run\.partial.*No space left on device; make room"):
            resume(tmp_path / "run", workers=1)
    assert resume(tmp_path / "run", workers=1).faults == {}
    assert hashes(tmp_path / "run") == hashes(whole)


def test_a_plugins_fault_is_one_sentence_with_a_traceback_in_the_folder(tmp_path, monkeypatch, capsys):
    def play(job, chunk):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("sims.runs.chunk_pool.play_chunk", play)
    with pytest.raises(TaskFault, match="chunk 0 failed: ZeroDivisionError: division by zero"):
        run(scenario(), out=tmp_path / "run", workers=1)
    assert "ZeroDivisionError" in (tmp_path / "run.partial" / "crash.log").read_text()
    monkeypatch.undo()
    assert resume(tmp_path / "run", workers=1).faults == {}
    assert not (tmp_path / "run" / "crash.log").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="finds workers in /proc")
def test_a_killed_worker_changes_nothing(large, tmp_path):
    process = started(tmp_path / "run", 2, 320)
    wait_for_chunks(tmp_path / "run", 3, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert hashes(tmp_path / "run") == hashes(large)


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.thorough), 2])
def test_a_killed_run_goes_on_even_when_killed_twice(large, tmp_path, workers):
    for players, count in ((320, 3), (0, 9)):
        process = started(tmp_path / "run", workers, players)
        wait_for_chunks(tmp_path / "run", count, process)
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
    process = started(tmp_path / "run", workers, 0)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert hashes(tmp_path / "run") == hashes(large)


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.thorough)]
)
def test_a_signal_ends_the_run_within_seconds(large, tmp_path, number, code):
    process = started(tmp_path / "run", 2, 320)
    wait_for_chunks(tmp_path / "run", 2, process)
    process.send_signal(number)
    began = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 5
    assert process.returncode == code, err
    assert err == f"flowdial: stopped; what is finished is kept. To resume: flowdial resume {tmp_path}/run.partial\n"
    assert resume(tmp_path / "run.partial", workers=1).faults == {}
    assert hashes(tmp_path / "run") == hashes(large)


# --- Refused -------------------------------------------------------------------------------------------------------


def test_a_second_start_is_refused_and_names_the_holder(tmp_path, broken):
    broken(tmp_path / "run", 1, Stopped(signal.SIGINT))
    held = take_up(tmp_path / "run")
    for start in (lambda: resume(tmp_path / "run"), lambda: run(scenario(), out=tmp_path / "run")):
        with pytest.raises(RunFolderError, match=rf"is in use by process {os.getpid()} on .*; wait until it ends"):
            start()
    held.close()
    with pytest.raises(RunFolderError, match="holds an unfinished run; run `flowdial resume"):
        run(scenario(), out=tmp_path / "run")
    assert resume(tmp_path / "run", workers=1).faults == {}


def test_a_folder_that_is_there_is_refused(whole):
    with pytest.raises(RunFolderError, match="already exists; choose another --out"):
        run(scenario(), out=whole)


def test_a_whole_run_cannot_be_resumed(whole):
    with pytest.raises(RunFolderError, match="is already complete"):
        resume(whole)
    with pytest.raises(RunFolderError, match="there is no unfinished run"):
        resume(whole.parent / "other")


def test_a_changed_scenario_is_refused_with_the_first_difference(tmp_path, broken):
    broken(tmp_path / "run", 1, Stopped(signal.SIGINT))
    path = tmp_path / "run.partial" / SCENARIO
    text = path.read_text()
    path.write_text(text.replace("seed = 11", "seed = 12"))
    with pytest.raises(RunFolderError, match=r"scenario\.toml line \d+ was 'seed = 11.*' and is 'seed = 12"):
        resume(tmp_path / "run")
    path.write_text(text)
    assert resume(tmp_path / "run", workers=1).faults == {}


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("code_digests", lambda found: {**found, "game": "other"}, "the code of the game was "),
        ("versions", lambda found: {**found, "numpy": "9"}, r"numpy was [\d.]+ and is 9;"),
        ("version", lambda found: "9.9", r"flowdial_version was [\d.]+ and is 9\.9;"),
    ],
)
def test_changed_code_or_libraries_are_refused(tmp_path, broken, monkeypatch, name, change, sentence):
    broken(tmp_path / "run", 1, Stopped(signal.SIGINT))
    original = getattr(runs, name)
    monkeypatch.setattr(runs, name, lambda *arguments: change(original(*arguments)))
    with pytest.raises(RunFolderError, match=sentence):
        resume(tmp_path / "run")


def test_a_start_that_cannot_be_read_is_refused(tmp_path, broken):
    broken(tmp_path / "run", 1, Stopped(signal.SIGINT))
    path = tmp_path / "run.partial" / "start.json"
    whole, data = read_sealed(path), path.read_bytes()
    for damaged in (data[:50], b"", data.replace(b'"small"', b'"snall"'), data.replace(b'"format_version": 1', b"")):
        path.write_bytes(damaged)
        with pytest.raises(RunFolderError, match=r"start\.json is damaged"):
            resume(tmp_path / "run")
    write_sealed(path, {**whole, "format_version": 2, "an entry of tomorrow": 3})
    with pytest.raises(RunFolderError, match="has format 2, but this Flowdial reads formats up to 1"):
        resume(tmp_path / "run")
    path.unlink()
    with pytest.raises(RunFolderError, match=r"has no start\.json, so there is nothing to resume"):
        resume(tmp_path / "run")


def test_a_manifest_in_which_a_digit_changed_is_refused(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    path = tmp_path / "run" / MANIFEST
    rows = read_manifest(whole)["rows"]
    path.write_text(path.read_text().replace(f'"rows": {rows}', f'"rows": {rows + 1}'))
    with pytest.raises(RunFolderError, match=r"manifest\.json is damaged: its checksum differs"):
        read_manifest(tmp_path / "run")


def test_a_damaged_manifest_of_a_run_under_way_is_written_again(whole, tmp_path, monkeypatch):
    def stop(folder):
        raise Stopped(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(WorkFolder, "publish", stop)
        with pytest.raises(Stopped):
            run(scenario(), out=tmp_path / "run", workers=1)
    path = tmp_path / "run.partial" / MANIFEST
    path.write_bytes(path.read_bytes()[:-9])
    assert resume(tmp_path / "run", workers=1).faults == {}
    assert hashes(tmp_path / "run") == hashes(whole)
    assert read_manifest(tmp_path / "run")["files"] == read_manifest(whole)["files"]


@pytest.mark.parametrize("left", [(), ("lock",), ("lock", "chunks"), ("lock", "chunks", SCENARIO, ".start.json.7.tmp")])
def test_a_start_that_died_before_anything_was_finished_is_no_obstacle(tmp_path, left):
    partial = tmp_path / "run.partial"
    partial.mkdir()
    for name in left:
        (partial / name).mkdir() if name == CHUNKS else (partial / name).touch()
    assert run(scenario(players=4, attempts=20), out=tmp_path / "run", workers=1).faults == {}
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == sorted([*DATA, MANIFEST])


def test_a_strangers_folder_is_left_alone(tmp_path):
    (tmp_path / "run.partial").mkdir()
    (tmp_path / "run.partial" / "letter.txt").touch()
    with pytest.raises(RunFolderError, match=r"run\.partial already exists; choose another --out"):
        run(scenario(), out=tmp_path / "run")
    assert [path.name for path in (tmp_path / "run.partial").iterdir()] == ["letter.txt"]


def test_files_under_way_of_dead_processes_do_not_stay(tmp_path, broken):
    broken(tmp_path / "run", 2, Stopped(signal.SIGINT))
    partial = tmp_path / "run.partial"
    for path in (partial / ".attempts.csv.7.tmp", partial / CHUNKS / ".000003.json.8.tmp"):
        path.write_text("torn")
    folder = take_up(tmp_path / "run")
    assert not any(path.suffix == ".tmp" for path in partial.rglob("*"))
    folder.close()
    shutil.rmtree(partial / CHUNKS)
    assert resume(tmp_path / "run", workers=1).faults == {}
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == sorted([*DATA, MANIFEST])


def test_runs_without_a_name_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "small-004.partial").mkdir(parents=True)
    for _ in range(2):
        assert run(scenario(players=4, attempts=20), workers=1).faults == {}
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "small-004.partial",
        "small-005",
        "small-006",
    ]


# --- The rest ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_file(tmp_path) -> str:
    path = tmp_path / "small.toml"
    path.write_text(scenario(players=4, attempts=20).resolved_toml(), encoding="utf-8")
    return str(path)


def test_json_goes_to_stdout_alone(tmp_path, capsys, small_file):
    assert main(["run", small_file, "--out", str(tmp_path / "run"), "--workers", "1", "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["folder"] == str(tmp_path / "run")
    assert [row["cohort"] for row in found["rows"]] == ["new", "old"]
    assert said.err == ""


def test_quiet_says_only_where_the_results_are(tmp_path, capsys, small_file):
    assert main(["run", small_file, "--out", str(tmp_path / "run"), "--workers", "1", "--quiet"]) == 0
    assert capsys.readouterr() == (f"{tmp_path / 'run'}\n", "")


def test_a_full_disk_at_the_report_keeps_the_run_open(whole, tmp_path, monkeypatch, capsys):
    def report(folder, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "report.html"))

    with monkeypatch.context() as patch:
        patch.setattr("sims.reports.report.write_report", report)
        with pytest.raises(EnvironmentFault, match=r"report\.html: No space left on device; make room and try again"):
            run(scenario(), out=tmp_path / "run", workers=1, on_message=say)
    assert "flowdial resume" in capsys.readouterr().err
    assert resume(tmp_path / "run", workers=1).faults == {}
    assert hashes(tmp_path / "run") == hashes(whole)


def test_rows_are_safe_when_the_report_fails(tmp_path, monkeypatch, capsys):
    def report(folder, **options):
        raise ImportError("no pyarrow")

    monkeypatch.setattr("sims.reports.report.write_report", report)
    done = run(scenario(players=4, attempts=20), out=tmp_path / "run", workers=1, on_message=say)
    assert isinstance(done.unreported, ImportError)
    assert (tmp_path / "run" / "attempts.csv").is_file()
    assert "is complete but has no report. To try again: flowdial report" in capsys.readouterr().err


def test_a_closed_stdout_does_not_harm_the_run(tmp_path, monkeypatch, small_file):
    def write(text):
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    monkeypatch.setattr(sys.stdout, "write", write)
    assert main(["run", small_file, "--out", str(tmp_path / "run"), "--workers", "1"]) == 5
    assert (tmp_path / "run" / MANIFEST).is_file()


@pytest.mark.parametrize("stderr", [None, "full"])
def test_a_closed_or_full_stderr_does_not_harm_the_run(tmp_path, monkeypatch, broken, stderr):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sys, "stderr", Full() if stderr else None)
    broken(tmp_path / "run", 1, Stopped(signal.SIGINT))
    assert resume(tmp_path / "run", workers=1).faults == {}


def test_a_crash_on_a_full_disk_is_still_told(tmp_path, monkeypatch):
    def play(job, chunk):
        raise ZeroDivisionError("division by zero")

    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("sims.runs.chunk_pool.play_chunk", play)
    monkeypatch.setattr(finish_module, "write_file", full)
    with pytest.raises(TaskFault, match="division by zero"):
        run(scenario(), out=tmp_path / "run", workers=1)


def test_names_are_safe():
    assert plain_name("somewhere/my own: scenario.toml") == "my-own-scenario"
    assert plain_name("…") == "run"
    assert cores() >= 1


MEMORY = """
import resource, sys
from pathlib import Path
from sims.runs.execution import run
from tests.kit.small import scenario
run(scenario(players=int(sys.argv[2])), out=Path(sys.argv[1]), workers=1, format=sys.argv[3])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kB on Linux")
@pytest.mark.parametrize(
    ("file_format", "players"),
    [
        pytest.param("csv", (100, 800), marks=pytest.mark.thorough),
        pytest.param("parquet", (1200, 4000), marks=pytest.mark.slow),
    ],
)
def test_memory_stays_flat(tmp_path, file_format, players):
    peaks = []
    for count in players:
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(tmp_path / str(count)), str(count), file_format],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout.split()[-1]) / 1024)
    assert peaks[1] - peaks[0] < 60, peaks
