"""Fail or die at the n-th call to the disk, for every n: what is published is whole, and the end is the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EnvironmentFault, RunFolderError
from sims.run_folder.files import read_sealed
from sims.run_folder.folder import CHUNKS, MANIFEST, PARTIAL, START, read_manifest, take_up
from sims.run_folder.lock import FolderLock
from sims.runs.execution import execute, resume, run
from sims.runs.progress import no_run_progress
from sims.terminal import say
from sims.workers.signals import Stopped
from tests.kit.faulty_disk import BROKEN, DEATH, FULL, FaultyDisk
from tests.kit.small import scenario

pytestmark = pytest.mark.thorough


def tiny():
    """Two chunks, one a cohort."""
    return scenario(players=2, attempts=20_000)


@pytest.fixture(autouse=True)
def cheap_report(monkeypatch):
    """The report is written as ever, but its charts are not drawn: they take longer than the run."""
    monkeypatch.setattr(
        "sims.reports.report.report_page", lambda facts: f"{facts.title} {facts.tally.to_json()}\n" * 50
    )


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
        patch.setattr("sims.reports.report.report_page", lambda facts: f"{facts.title} {facts.tally.to_json()}\n" * 50)
        with FaultyDisk(folder).active() as disk:
            assert run(tiny(), out=folder / "run", workers=1).faults == {}
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


def play(**choices) -> int:
    """What the command line does; the exit code."""
    run(tiny(), on_message=say, **choices)
    return 0


def finish_it(folder: Path, **choices) -> int:
    resume(folder, on_message=say, **choices)
    return 0


def go_on(out: Path, again: Callable[..., int] = play) -> None:
    """What a person does after a fault: follow the advice. again: what it was that failed."""
    folder = under_way(out)
    if out.exists():
        with pytest.raises(RunFolderError, match="already complete"):
            resume(folder)
        return
    if (folder / START).exists() or (folder / MANIFEST).exists():
        with pytest.raises(RunFolderError, match="holds an unfinished run; run `flowdial resume"):
            again(out=out)
        assert resume(folder, workers=1).faults == {}
        return
    if (folder / FolderLock.NAME).exists():
        with pytest.raises(RunFolderError, match="so there is nothing to resume; start a new run"):
            resume(folder)
    assert again(out=out, workers=1) == 0


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
        code = attempt(partial(play, out=out, workers=1), disk)
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


# --- A run that is thrown away for a larger one ----------------------------------------------------------------------


def small():
    return scenario(players=2, attempts=200)


def grown(**choices) -> int:
    """A run that turns out not to be enough, so that another is played instead of it."""
    given: dict[str, Any] = {
        "workers": 1,
        "file_format": "csv",
        "on_progress": no_run_progress,
        "on_message": say,
        **choices,
    }
    if execute(small(), is_enough=lambda tally: False, **given) is None:
        execute(tiny(), **given)
    return 0


@pytest.fixture(scope="module")
def thrown_away(tmp_path_factory):
    """The tree of the small run, and the numbers of the calls that throw it away."""
    folder = tmp_path_factory.mktemp("grown")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.reports.report.report_page", lambda facts: f"{facts.title} {facts.tally.to_json()}\n" * 50)
        assert run(small(), out=folder / "small", workers=1).faults == {}
        with FaultyDisk(folder).active() as disk:
            assert grown(out=folder / "run", workers=1) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["run", "small"]
    first = min(n for n, call in enumerate(disk.calls, 1) if call.startswith("unlink 0"))
    return tree(folder / "small"), range(first, disk.calls.index("rmdir run.partial") + 2)


@pytest.mark.parametrize(("fault", "code"), [(BROKEN, 5), (DEATH, -9)])
def test_a_run_that_is_thrown_away_is_there_or_gone(reference, thrown_away, tmp_path, capsys, fault, code):
    """It goes wrong while the folder of the smaller run is removed: the advice holds, and nothing is in the way."""
    whole, _ = reference
    before, removing = thrown_away
    kept = []
    for n in removing:
        out = tmp_path / f"{fault}-{n}" / "run"
        out.parent.mkdir()
        disk = FaultyDisk(out.parent, n, fault)
        assert attempt(partial(grown, out=out, workers=1), disk) == code, disk.calls[n - 1]
        kept.append((under_way(out) / START).exists())
        said = capsys.readouterr().err
        assert (f"To resume: flowdial resume {under_way(out)}" in said) == (kept[-1] and code == 5)
        go_on(out, grown)
        assert tree(out) == (before if kept[-1] else whole), (n, disk.calls[n - 1])
        assert [path.name for path in out.parent.iterdir()] == ["run"]
    assert sorted(kept, reverse=True) == kept
    assert 5 < sum(kept) < len(kept)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("shutil.rmtree", "stopped; what is finished is kept. To resume: flowdial resume"),
        ("pathlib.Path.rmdir", "stopped; nothing is kept; start again."),
    ],
)
def test_a_wish_to_stop_while_a_run_is_thrown_away_is_heard(reference, thrown_away, tmp_path, capsys, where, words):
    def stop(*arguments, **more):
        raise Stopped(15)

    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, stop)
        with pytest.raises(Stopped):
            grown(out=out, workers=1)
    assert words in capsys.readouterr().err
    go_on(out, grown)
    assert tree(out) == (thrown_away[0] if "resume" in words else reference[0])


# --- Another process at any moment -----------------------------------------------------------------------------------


def test_nobody_else_gets_in_from_the_first_moment_to_the_last(reference, tmp_path, capsys):
    """A lock is one of an open file, so a second one in this process is as good as one in another."""
    whole, _ = reference
    out = tmp_path / "run"
    found: list[str] = []

    def come(disk: FaultyDisk) -> None:
        with pytest.raises(RunFolderError) as refused:
            take_up(out).close()
        found.append(str(refused.value))

    with FaultyDisk(tmp_path, visitor=come).active() as disk:
        assert grown(out=out, workers=1) == 0
    assert len(found) == len(disk.calls) > 150
    others = [sentence for sentence in found if f"{under_way(out)} is in use by " not in sentence]
    assert len(others) == 3, "before the folder is there, either time, and when it has its name"
    assert tree(out) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("mistake", [resume, lambda out, **choices: play(out=out, **choices)])
def test_a_second_start_at_any_moment_is_refused_or_the_only_one(reference, tmp_path, capsys, mistake):
    whole, good = reference
    held = good.calls.index("open lock") + 1
    last = len(good.calls)
    for n in [*range(1, held + 1), *range(last - 3, last + 1)]:
        out = tmp_path / str(n) / "run"
        out.parent.mkdir()
        codes: list[int] = []

        def come(disk: FaultyDisk, n: int = n, out: Path = out, codes: list[int] = codes) -> None:
            if len(disk.calls) == n:
                codes.append(code_of(partial(mistake, out, workers=1)))

        with FaultyDisk(out.parent, visitor=come).active():
            codes.append(code_of(partial(play, out=out, workers=1)))
        assert sorted(codes) == [0, RunFolderError.exit_code], n
        assert codes[-1] == 0 or n < held
        assert tree(out) == whole
        assert [path.name for path in out.parent.iterdir()] == ["run"]


def code_of(act: Callable[[], int]) -> int:
    try:
        return act()
    except RunFolderError as fault:
        return fault.exit_code
