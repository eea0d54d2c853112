"""Whatever happens to a run, in whatever order: once it is whole, it equals a run to which nothing happened.

A machine that Hypothesis drives through running, dying, failing, resuming, damage to files, reports and exports, while
others try to get in.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from functools import cache, partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.errors import EnvironmentFault, RunFolderError
from engine.record import FORMATS, Format
from sims.reports.report import write_report
from sims.run_folder.folder import CHUNKS, MANIFEST, PARTIAL, SCENARIO, START, take_up
from sims.run_folder.lock import FolderLock
from sims.runs.execution import resume, run
from sims.runs.export import export
from sims.runs.verification import verify
from tests.kit.faulty_disk import BROKEN, DEATH, FULL, FaultyDisk
from tests.kit.small import scenario
from tests.sims.run_folder.test_file_faults import tree

pytestmark = pytest.mark.thorough

FAULTS = st.sampled_from([FULL, BROKEN, DEATH])
CALLS = st.integers(1, 110)  # a run makes about so many; a later one never comes


@pytest.fixture(autouse=True)
def cheap_report(monkeypatch, capsys):
    monkeypatch.setattr(
        "sims.reports.report.report_page", lambda facts: f"{facts.title} {facts.tally.to_json()}\n" * 50
    )


def tiny():
    return scenario(players=2, attempts=20_000)


@cache
def wanted(form: Format = "csv") -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        assert run(tiny(), out=Path(folder, "run"), workers=1, format=form).faults == {}
        return tree(Path(folder, "run"))


class Folder(RuleBasedStateMachine):
    """One run folder and what its owner knows about it."""

    @initialize()
    def make(self) -> None:
        self.place = Path(tempfile.mkdtemp())
        self.out = self.place / "run"
        self.partial = self.place / f"run{PARTIAL}"
        self.damaged = False  # a file without which nothing can be resumed, or one of a whole run

    def teardown(self) -> None:
        if hasattr(self, "place"):
            shutil.rmtree(self.place)

    @property
    def whole(self) -> bool:
        return self.out.exists()

    @property
    def begun(self) -> bool:
        return (self.partial / START).exists() or (self.partial / MANIFEST).exists()

    def another(self, disk: FaultyDisk) -> None:
        """Another process would like to have the folder, before each call of whoever has it."""
        if "open lock" in disk.calls:
            with pytest.raises(RunFolderError):
                take_up(self.partial).close()

    def act(self, at: int = 0, fault: str = "") -> int:
        """Run or resume, as is right; the exit code, -9 when the process died."""
        do = partial(resume, self.partial) if self.begun else partial(run, tiny(), out=self.out)
        disk = FaultyDisk(self.place, at, fault, visitor=self.another)
        with disk.active():
            try:
                do(workers=1)
                return 0
            except (EnvironmentFault, RunFolderError) as known:
                return known.exit_code
            except BaseException:
                if not disk.dead:
                    raise
        return -9

    @precondition(lambda self: not self.whole and not self.damaged)
    @rule()
    def go_on(self) -> None:
        assert self.act() == 0
        assert self.whole

    @precondition(lambda self: not self.whole and not self.damaged)
    @rule(at=CALLS, fault=FAULTS)
    def go_on_and_fail(self, at: int, fault: str) -> None:
        assert self.act(at, fault) in (0, 5, -9)

    @precondition(lambda self: self.whole)
    @rule()
    def start_by_mistake(self) -> None:
        for mistake in (partial(run, tiny(), out=self.out), partial(resume, self.out)):
            with pytest.raises(RunFolderError):
                mistake(workers=1)

    @precondition(lambda self: self.whole and not self.damaged)
    @rule(lost=st.booleans())
    def report_again(self, lost: bool) -> None:
        if lost:
            (self.out / "report.html").unlink(missing_ok=True)
        write_report(self.out)

    @precondition(lambda self: self.whole or self.partial.exists())
    @rule(form=st.sampled_from(FORMATS))
    def export_it(self, form: Format) -> None:
        """A whole run comes out as one of that form, everything else is refused; that nothing changes is invariant."""
        made = self.place / "made"
        try:
            export(self.out if self.whole else self.partial, form, made)
        except RunFolderError:
            assert not self.whole or self.damaged
            assert not made.exists()
        else:
            assert self.whole
            assert tree(made) == wanted(form)
            shutil.rmtree(made)
        assert {path.name for path in self.place.iterdir()} <= {self.out.name, self.partial.name}

    @precondition(lambda self: (self.whole or self.partial.exists()) and not self.damaged)
    @rule(choice=st.integers(0, 99), at=st.floats(0.0, 0.999), how=st.sampled_from(["flip", "cut", "empty", "delete"]))
    def damage(self, choice: int, at: float, how: str) -> None:
        folder = self.out if self.whole else self.partial
        kept = ("report.html", FolderLock.NAME) if self.whole else (FolderLock.NAME,)
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in kept]
        if not files:
            return
        path = files[choice % len(files)]
        data = bytearray(path.read_bytes())
        if how == "delete" or not data:
            path.unlink()
        else:
            place = int(at * len(data))
            data[place] ^= 1
            path.write_bytes(bytes(data[: {"flip": len(data), "cut": place, "empty": 0}[how]]))
        needed = path.name in (START, SCENARIO) or not (self.partial / START).exists()
        self.damaged = self.whole or (self.begun and needed)

    @precondition(lambda self: self.damaged)
    @rule()
    def notice_damage(self) -> None:
        """It is told, never a silent other result; then the owner throws the folder away and begins anew."""
        if self.whole:
            with contextlib.suppress(RunFolderError):
                assert not verify(self.out).equal
        elif self.begun:
            code = self.act()
            assert code == 4 or tree(self.out) == wanted()
        shutil.rmtree(self.out, ignore_errors=True)
        shutil.rmtree(self.partial, ignore_errors=True)
        self.damaged = False

    @invariant()
    def tree_equals_the_reference(self) -> None:
        if hasattr(self, "out") and self.whole and not self.damaged:
            assert tree(self.out) == wanted()
            assert not self.partial.exists()

    @invariant()
    def nothing_under_way_has_a_chunk_without_its_folder(self) -> None:
        if hasattr(self, "out") and self.whole:
            assert not (self.out / CHUNKS).exists()


TestFolder = Folder.TestCase
TestFolder.settings = settings(
    max_examples=20,
    stateful_step_count=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a failing story is short enough as it is
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
