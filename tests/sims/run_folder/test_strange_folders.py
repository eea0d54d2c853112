"""Unfinished runs that anybody may have made: they are refused, or played anew, and nothing outside is touched."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest

from engine.errors import RunFolderError
from engine.faults import KILLED, RAISED, Fault
from engine.world import Chunk, chunks, simulate
from sims.run_folder.faults_table import read_faults
from sims.run_folder.files import write_sealed
from sims.run_folder.folder import CHUNKS, PARTIAL, begin, take_up
from sims.run_folder.lock import FolderLock
from sims.runs.chunks import Job, job_of, read_chunk, write_chunk
from sims.runs.execution import resume, run, start_of_run
from tests.kit.small import scenario, setup

NASTY: list[Any] = [None, "", "x\n", -1, 1.5, 10**30, True, [], {}, [1], {"a": 1}, math.nan]


@pytest.fixture
def outside(tmp_path) -> Path:
    """Files of somebody that lie elsewhere."""
    folder: Path = tmp_path / "precious"
    folder.mkdir()
    for name in ("letter.txt", ".draft.tmp"):
        (folder / name).write_text("dear", encoding="utf-8")
    return folder


def untouched(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == {
        "letter.txt": "dear",
        ".draft.tmp": "dear",
    }


@pytest.mark.parametrize("again", [resume, lambda partial: run(scenario(), out=partial.with_suffix(""))])
@pytest.mark.parametrize("dangling", [False, True])
def test_a_lock_that_is_a_link_is_refused(tmp_path, outside, again, dangling):
    partial = tmp_path / f"run{PARTIAL}"
    partial.mkdir()
    (partial / FolderLock.NAME).symlink_to(outside / ("nothing.txt" if dangling else "letter.txt"))
    with pytest.raises(RunFolderError, match=r"(a file of its own, got a link|already exists);"):
        again(partial)
    assert untouched(outside)


def test_chunks_that_are_a_link_are_refused(tmp_path, outside):
    partial = tmp_path / f"run{PARTIAL}"
    partial.mkdir()
    (partial / CHUNKS).symlink_to(outside)
    with pytest.raises(RunFolderError, match="chunks must be a folder of its own, got a link"):
        take_up(partial)
    with pytest.raises(RunFolderError, match="chunks must be a folder of its own, got a link"):
        take_up(partial)  # the lock was let go
    with pytest.raises(RunFolderError, match="holds an unfinished run"):
        begin(tmp_path / "run", start_of_run(scenario(), setup(), "csv", "run"))
    assert untouched(outside)


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> tuple[Job, Chunk]:
    """A chunk in its folder."""
    small = setup(players=4, attempts=20)
    job = job_of(tmp_path_factory.mktemp("run"), small, 0, "csv")
    (job.folder / CHUNKS).mkdir()
    chunk = chunks(small)[0]._replace(faults=(Fault(0, 1, 3, KILLED, "", "its worker was killed by SIGKILL"),))
    write_chunk(job, chunk, simulate(small, chunk))
    return job, chunk


def places(value, path=()):
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if path[:1] != ("tally",) or key in (0, "scheme", "judged", "totals"):
            yield from places(item, (*path, key))


def test_a_record_that_says_anything_is_no_record_or_a_sound_one(played):
    job, chunk = played
    whole = read_chunk(job, chunk.number)
    assert whole is not None
    assert len(whole.faults) == 1
    path = job.record(chunk.number)
    found = json.loads(path.read_bytes().splitlines()[0])
    accepted = 0
    for place in places(found):
        for value in NASTY:
            other = copy.deepcopy(found)
            at = other
            for part in place[:-1]:
                at = at[part]
            if place:
                at[place[-1]] = value
            write_sealed(path, other if place else value)
            record = read_chunk(job, chunk.number)
            if record is not None:
                accepted += 1
                assert record.number == chunk.number
                assert {type(count) for count in record.rows.values()} == {int}
                assert min(record.rows.values()) >= 0
                assert record.tally.scheme == job.scheme
                assert all(type(fault.message) is str and fault.kind in (RAISED, KILLED) for fault in record.faults)
    assert 0 < accepted < 100
    write_sealed(path, found)
    assert read_chunk(job, chunk.number) is not None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"replica,player,attempt,kind,type,message\n0,1,2,killed,,\n0,1\n",
        b"replica,player,attempt,kind,type,message\n0,1,2,slain,,\n",
        b"replica,player,attempt,kind,type,message\n0,one,2,killed,,\n",
        b"replica,player,attempt,kind,type,message\n0,1,2,killed,,\xff\n",
        b"replica,player,attempt,kind,type,message\n0,1,2,killed,," + b"x" * 200_000 + b"\n",
    ],
)
def test_a_list_of_faults_that_no_run_writes_is_refused(tmp_path, text):
    (tmp_path / "faults.csv").write_bytes(text)
    with pytest.raises(RunFolderError, match=r"faults\.csv must be as the run wrote it, got "):
        read_faults(tmp_path)
