"""Strange run and study folders whose checksums are right: no command has a fault of its own, hangs or goes astray."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from engine.errors import FlowdialError
from sims import read_run, read_study, read_sweep, resume_sweep, sweep
from sims.cli.app import main
from sims.run_folder.folder import read_manifest
from sims.runs.execution import run
from sims.tracking.trial_table import study_trials, sweep_trials
from sims.tuning.problem import load_free, problem_of
from sims.tuning.tune import tune
from sims.tuning.warm_start import earlier_tells
from tests.kit.folder_mutants import mutate, put_right
from tests.kit.small import TEXT, scenario

SECONDS = 20
RUN_COMMANDS = (
    ["verify", "run", "--rows", "5"],
    ["report", "run"],
    ["export", "run", "--to", "csv", "--out", "made"],
    ["replay", "run", "--row", "1", "--record", "made.png", "--frames", "1"],
    ["compare", "run", "other", "--quiet"],
    ["resume", "run"],
)
TABLES = ("attempts", "players", "sessions", "summary", "failures")


@pytest.fixture(scope="module", params=["csv", "parquet"])
def whole(request, tmp_path_factory) -> Path:
    found = scenario(game="gap_runner", players=6, attempts=5)
    out: Path = tmp_path_factory.mktemp(request.param) / "run"
    return run(found, out=out, workers=1, format=request.param).folder


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("study")
    (folder / "small.toml").write_text(TEXT.format(game="gap_runner", controller="constant", players=40, attempts=200))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.tuning.answer.study_page.study_page", lambda *facts: "cheap")
        return tune(folder / "small.toml", budget=20_000, method="random", out=folder / "study", workers=1).folder


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> Path:
    small = scenario(players=40, attempts=40)
    return sweep(
        small, {"target.win_rate": "0.5,0.6"}, out=tmp_path_factory.mktemp("sweep") / "sweep", workers=1
    ).folder


@pytest.fixture
def place(tmp_path, monkeypatch, whole):
    """Where the commands run: beside a file of the user and another run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    (tmp_path / "outside").write_text("of the user")
    shutil.copytree(whole, tmp_path / "other")
    return tmp_path


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """A limit of time for what is read."""

    def stop(number: int, frame: object) -> None:
        raise TimeoutError(f"it took longer than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def refusal(read: Callable[[], object]) -> str | None:
    """The sentence with which a folder is refused; None where it is not."""
    try:
        with limited():
            read()
    except FlowdialError as fault:
        return str(fault)
    return None


def check_run(place: Path, whole: Path, number: int, capsys) -> None:
    target = place / "run"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(whole, target)
    what = mutate(target, number)
    around = {name: data for name, data in files_of(place).items() if not name.startswith("run/")}
    for words in RUN_COMMANDS:
        with limited():
            code = main(words)
        out, err = capsys.readouterr()
        assert code in (0, 2, 3, 4, 5), (number, what, words, err)
        assert "Traceback" not in err, (number, what, words)
        assert not any(mark in out + err for mark in "\x1b\x07\u202e") or out.isprintable(), (number, what, words)
        for made in ("made", "made.png"):
            shutil.rmtree(place / made, ignore_errors=True)
            (place / made).unlink(missing_ok=True)
    for table in TABLES:
        said = refusal(lambda table=table: getattr(read_run(target), table)())  # type: ignore[misc]
        assert said is None or said.replace("\n", "").isprintable(), (number, what, table)
    assert {name: data for name, data in files_of(place).items() if not name.startswith("run/")} == around, (
        number,
        what,
    )


def check_study(place: Path, study: Path, number: int) -> None:
    target = place / "study"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(study, target)
    what = mutate(target, number)
    problem = problem_of(load_free(study.parent / "small.toml"))
    for read in (
        lambda: str(read_study(target)) + read_study(target).text + str(read_study(target).to_json()),
        lambda: [option.rates for option in read_study(target).options],
        lambda: earlier_tells(target, problem),
        lambda: study_trials(read_study(target)),
    ):
        said = refusal(read)
        assert said is None or said.replace("\n", "").isprintable(), (number, what)


def check_sweep(place: Path, sweep: Path, number: int) -> None:
    target = place / "sweep"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(sweep, target)
    what = mutate(target, number)
    for read in (
        lambda: (read_sweep(target).sentences, read_sweep(target).trials()),
        lambda: read_sweep(target).scenario,
        lambda: sweep_trials(read_sweep(target)),
        lambda: resume_sweep(target, workers=1),
    ):
        said = refusal(read)
        assert said is None or said.replace("\n", "").isprintable(), (number, what)


def collected(checks: Iterable[tuple[int, Callable[[int], None]]]) -> list[str]:
    """What went wrong, of many checks, each with its number."""
    found = []
    for number, check in checks:
        try:
            check(number)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the other mutants are read too
            found.append(f"{number}: {type(fault).__name__}: {str(fault)[:500]}")
    return found


pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs an alarm")


def test_a_few_mutants_of_runs(place, whole, capsys, monkeypatch):
    monkeypatch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
    for number in range(6):
        check_run(place, whole, number, capsys)


@pytest.mark.thorough
def test_more_mutants_of_runs(place, whole, capsys, monkeypatch):
    monkeypatch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
    for number in range(100, 150):
        check_run(place, whole, number, capsys)


@pytest.mark.thorough
def test_mutants_of_studies(place, study):
    for number in range(200):
        check_study(place, study, number)


@pytest.mark.thorough
def test_mutants_of_sweeps(place, swept):
    for number in range(100):
        check_sweep(place, swept, number)


@pytest.mark.thorough
def test_each_key_that_the_manifest_of_a_run_lacks(place, whole, capsys, monkeypatch):
    monkeypatch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
    manifest = {key: value for key, value in read_manifest(whole).items() if key != "checksum"}
    for key in manifest:
        shutil.copytree(whole, place / "run")
        put_right(place / "run", {name: value for name, value in manifest.items() if name != key})
        for words in (["compare", "run", "other", "--quiet"], ["report", "run"], ["verify", "run", "--rows", "1"]):
            code = main(words)
            assert code in (0, 2, 4), (key, words, capsys.readouterr().err)
        shutil.rmtree(place / "run")


@pytest.mark.slow
def test_two_thousand_mutants(place, whole, study, swept, capsys):
    """So many with both formats together; a fifth of them of studies, and some more of sweeps."""
    runs = [(number, lambda one: check_run(place, whole, one, capsys)) for number in range(1000, 1800)]
    studies = [(number, lambda one: check_study(place, study, one)) for number in range(1000, 1200)]
    sweeps = [(number, lambda one: check_sweep(place, swept, one)) for number in range(1000, 1200)]
    assert collected([*runs, *studies, *sweeps]) == []
