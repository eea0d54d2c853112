"""Fail or die at the n-th call to the disk, for every n: what is published is whole, and the end is the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from engine.errors import EnvironmentFault, RunFolderError
from sims.files import read_sealed
from sims.run_folder import CHUNKS, MANIFEST, PARTIAL, START, read_manifest
from sims.runs import resume, run
from tests.faulty_disk import BROKEN, DEATH, FULL, FaultyDisk
from tests.small import scenario


def tiny():
    """Two chunks, one a cohort."""
    return scenario(players=2, attempts=20_000)


@pytest.fixture(autouse=True)
def cheap_report(monkeypatch):
    """The report is written as ever, but its charts are not drawn: they take longer than the run."""
    monkeypatch.setattr("sims.report.page", lambda facts: f"{facts.title} {facts.tally.to_json()}\n" * 50)


def tree(folder: Path) -> dict[str, str]:
    """Hashes of all files; of the manifest, what does not tell of the clock."""
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.name != MANIFEST}
    manifest = read_manifest(folder)
    return {**found, MANIFEST: json.dumps([manifest["files"], manifest["tallies"], manifest["scenario_digest"]])}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A run that nothing disturbed: its tree, and the disk it went through."""
    folder = tmp_path_factory.mktemp("reference")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.report.page", lambda facts: f"{facts.title} {facts.tally.to_json()}\n" * 50)
        with FaultyDisk(folder).active() as disk:
            assert run(tiny(), out=folder / "run", workers=1, quiet=True) == 0
    return tree(folder / "run"), disk


def test_all_that_is_written_goes_through_the_disk(reference):
    whole, disk = reference
    for name in whole:
        size = Path(disk.folder, "run", name).stat().st_size
        assert disk.written[str(Path(disk.folder, "run.partial", name))] == size
    kinds = {call.split()[0] for call in disk.calls}
    assert kinds == {"open", "write", "truncate", "fsync", "mkdir", "unlink", "rmdir", "rename", "replace"}


def test_a_name_is_given_only_after_the_file_and_before_the_folder_is_synced(reference):
    _, disk = reference
    for n, call in enumerate(disk.calls):
        if call.startswith("replace "):
            assert disk.calls[n - 1] == call.replace("replace", "fsync")
            assert disk.calls[n + 1] in ("fsync run.partial", "fsync chunks")
    assert disk.calls[-3:] == ["fsync run.partial", "rename run.partial", f"fsync {Path(disk.folder).name}"]


def test_no_text_file_is_written_past_the_file_layer(tmp_path):
    with FaultyDisk(tmp_path).active(), pytest.raises(AssertionError, match="written as text"):
        (tmp_path / "a").write_text("b")


def attempt(act: Callable[[], int], disk: FaultyDisk) -> int:
    """The exit code of what a person does while the disk fails; -9 when the process died."""
    with disk.active():
        try:
            return act()
        except EnvironmentFault as fault:
            sentence, code = str(fault), fault.exit_code
        except BaseException:
            if not disk.dead:
                raise
            return -9
    assert "\n" not in sentence
    assert disk.folder in sentence, "it must name the file"
    return code


def under_way(out: Path) -> Path:
    """The folder of a run that is not whole."""
    return out.with_name(out.name + PARTIAL)


def go_on(out: Path) -> None:
    """What a person does after a fault: follow the advice."""
    folder = under_way(out)
    if out.exists():
        with pytest.raises(RunFolderError, match="whole already"):
            resume(folder)
        return
    if (folder / START).exists() or (folder / MANIFEST).exists():
        assert resume(folder, workers=1, quiet=True) == 0
        return
    if folder.exists():
        with pytest.raises(RunFolderError, match="nothing was finished, so nothing can be resumed; run the"):
            resume(folder)
    assert run(tiny(), out=out, workers=1, quiet=True) == 0


def check_published(folder: Path, disk: FaultyDisk) -> None:
    """Whatever has its name is whole: as it was in the reference, or sealed."""
    for path in [*folder.glob("*"), *folder.glob(f"{CHUNKS}/*")]:
        if path.is_dir() or path.suffix == ".tmp" or path.name == "lock":
            continue
        if path.name == MANIFEST:
            read_manifest(folder)
        elif path.name == START:
            read_sealed(path)
        else:
            assert hashlib.sha256(path.read_bytes()).hexdigest() in disk.sealed[path.name], path.name


def check_every_call(reference, tmp_path: Path, fault: str, first: int = 1, step: int = 1) -> int:
    """The loop: the n-th call goes wrong, n rising until none does; how often it was."""
    whole, good = reference
    n = first
    while True:
        out = tmp_path / f"{fault}-{n}"
        disk = FaultyDisk(tmp_path, n, fault)
        code = attempt(partial(run, tiny(), out=out, workers=1, quiet=True), disk)
        untouched = len(disk.calls) < n
        assert code in ((0,) if untouched else (0, 5, -9)), disk.calls[n - 1]
        check_published(under_way(out), good)
        go_on(out)
        assert tree(out) == whole, (n, disk.calls[n - 1 : n])
        if untouched:
            return n
        n += step


@pytest.mark.parametrize(("first", "fault"), [(1, FULL), (2, BROKEN), (3, DEATH)])
def test_the_end_is_the_same_whichever_call_goes_wrong(reference, tmp_path, capsys, fault, first):
    """Every third call for each fault, so that each call meets one of them."""
    assert check_every_call(reference, tmp_path, fault, first, 3) > 80


@pytest.mark.slow
@pytest.mark.parametrize("fault", [FULL, BROKEN, DEATH])
def test_the_end_is_the_same_whichever_call_meets_whichever_fault(reference, tmp_path, capsys, fault):
    assert check_every_call(reference, tmp_path, fault) > 80
