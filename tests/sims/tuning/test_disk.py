"""A study on a disk that fails or fills up, as tests/sims/run_folder/test_file_faults.py does with runs."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EnvironmentFault, RunFolderError, ScenarioError
from sims.run_folder.folder import MANIFEST, PARTIAL, START, WorkFolder, read_manifest, take_up
from sims.terminal import say
from sims.tuning import tune as tune_module
from sims.tuning.answer.best_so_far import BestSoFar
from sims.tuning.journal import NAME as JOURNAL
from sims.tuning.tune import is_study, resume_study, tune
from sims.workers.signals import Stopped
from tests.kit.faulty_disk import BROKEN, DEATH, FULL, FaultyDisk
from tests.kit.small import scenario
from tests.sims.run_folder.test_file_faults import attempt, code_of, under_way

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True, scope="module")
def cheap_page():
    """The report is written as ever, but its charts are not drawn: they take longer than the study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.tuning.answer.study_page.study_page", lambda *facts: f"{len(facts)}\n" * 50)
        yield


def study(out: Path, **choices: Any) -> int:
    tune(scenario(), budget=40_000, method="random", out=out, workers=1, on_message=say, **choices)
    return 0


def tree(folder: Path) -> dict[str, str]:
    """Hashes of all files; of the manifest, what does not tell of the clock."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    manifest = read_manifest(folder, "study")
    return {**found, MANIFEST: json.dumps([manifest["files"], manifest["attempts"], manifest["study"]])}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    out: Path = tmp_path_factory.mktemp("whole") / "study"
    assert study(out) == 0
    return out


def begun(out: Path) -> bool:
    return (under_way(out) / START).exists() or (under_way(out) / MANIFEST).exists()


def go_on(out: Path) -> None:
    """What a person does after a fault: follow the advice."""
    if out.exists():
        with pytest.raises(RunFolderError, match="already complete"):
            resume_study(out)
    elif begun(out):
        with pytest.raises(RunFolderError, match="holds an unfinished run; run `flowdial resume"):
            study(out)
        assert is_study(out)
        assert resume_study(out, workers=1).folder == out
    else:
        assert study(out) == 0


SAMPLE = [(5, FULL, 72), (29, BROKEN, 72), (53, DEATH, 72)]
EACH = [(1, FULL, 3), (2, BROKEN, 3), (3, DEATH, 3)]


@pytest.mark.parametrize(
    ("first", "fault", "stride"), [*SAMPLE, *(pytest.param(*one, marks=pytest.mark.slow) for one in EACH)]
)
def test_a_study_ends_the_same_whichever_call_goes_wrong(whole, tmp_path, capsys, first, fault, stride):
    """Every third call for each fault, so that each call meets one of them; in the thorough tier a sample of calls."""
    n = first
    while True:
        out = tmp_path / str(n) / "study"
        out.parent.mkdir()
        disk = FaultyDisk(out.parent, n, fault)
        code = attempt(partial(study, out), disk)
        untouched = len(disk.calls) < n
        assert code in ((0,) if untouched else (0, 5, -9)), disk.calls[n - 1]
        said = capsys.readouterr().err
        assert ("To resume: flowdial resume" in said) == (code == 5 and begun(out))
        go_on(out)
        assert tree(out) == tree(whole), (n, disk.calls[n - 1 : n])
        assert [path.name for path in out.parent.iterdir()] == ["study"]
        if untouched:
            break
        n += stride
    assert n > 60


def test_nobody_else_gets_in_while_a_study_is_at_work(whole, tmp_path):
    out = tmp_path / "study"
    codes = []

    def enter() -> int:
        take_up(out).close()
        return 0

    def come(disk: FaultyDisk) -> None:
        codes.append(code_of(enter))

    with FaultyDisk(tmp_path, visitor=come).active():
        assert study(out) == 0
    assert set(codes) == {RunFolderError.exit_code}
    assert tree(out) == tree(whole)


def stopped_at_the_end(out: Path, **choices: Any) -> Path:
    """A study that is whole but for its name."""

    def stop(folder: WorkFolder) -> Path:
        raise Stopped(15)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WorkFolder, "publish", stop)
        with pytest.raises(Stopped):
            study(out, **choices)
    return under_way(out)


def test_a_stopped_study_gives_its_best_setting(tmp_path):
    stops: list[BestSoFar] = []
    stopped_at_the_end(tmp_path / "study", on_stop=stops.append)
    (best,) = stops
    assert set(json.loads(json.dumps(best.to_json(), allow_nan=False))) == {"best_so_far"}


def test_a_study_that_is_stopped_before_it_has_begun_has_no_best(whole, tmp_path, monkeypatch, capsys):
    stops: list[BestSoFar] = []

    def stop(path: Path, seal: str) -> None:
        raise Stopped(15)

    with monkeypatch.context() as patch:
        patch.setattr(tune_module, "Journal", stop)
        with pytest.raises(Stopped):
            study(tmp_path / "study", on_stop=stops.append)
    assert stops == []
    assert f"flowdial resume {under_way(tmp_path / 'study')}" in capsys.readouterr().err
    resume_study(tmp_path / "study", workers=1)
    assert tree(tmp_path / "study") == tree(whole)


def test_a_method_that_refuses_leaves_no_folder(tmp_path, monkeypatch):
    """It may do so late: a limit of seconds says only after the baseline how much is left to it."""

    def refuse(self: object) -> None:
        raise ScenarioError("grid needs more attempts than that; give more")

    monkeypatch.setattr("sims.tuning.tune.Study.run", refuse)
    with pytest.raises(ScenarioError, match="grid needs more"):
        study(tmp_path / "study")
    assert list(tmp_path.iterdir()) == []


def test_what_was_changed_after_the_last_file_is_not_published(whole, tmp_path, capsys):
    partial = stopped_at_the_end(tmp_path / "study")
    (partial / START).unlink()
    text = (partial / "tuned.toml").read_text()
    (partial / "tuned.toml").write_text(text + "\n")
    with pytest.raises(RunFolderError, match=r"tuned\.toml was changed after the study wrote it; start a new study"):
        resume_study(partial)
    (partial / "tuned.toml").write_text(text)
    resume_study(partial)  # the lock was released
    assert tree(tmp_path / "study") == tree(whole)


@pytest.mark.parametrize(
    ("name", "where"), [("take_up", tune_module), ("read_start", WorkFolder)], ids=["taking it up", "reading it"]
)
def test_a_disk_that_cannot_be_read_is_one_line(whole, tmp_path, monkeypatch, name, where):
    partial = stopped_at_the_end(tmp_path / "study")

    def unread(*arguments: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(partial / START))

    with monkeypatch.context() as patch:
        patch.setattr(where, name, unread)
        with pytest.raises(EnvironmentFault, match=r"study\.partial/start\.json: Input/output error\."):
            resume_study(partial)
    resume_study(partial, workers=1)
    assert tree(tmp_path / "study") == tree(whole)


def test_a_folder_whose_start_is_damaged_is_known_by_its_journal(tmp_path):
    partial = tmp_path / f"study{PARTIAL}"
    partial.mkdir()
    (partial / START).write_text("{}")
    assert not is_study(partial)
    (partial / JOURNAL).touch()
    assert is_study(partial)
    assert is_study(tmp_path / "study")
