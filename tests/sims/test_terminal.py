"""Terminals: forecasts, marks that would control one, narrow ones and dumb ones."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

import pytest

from sims.arena.true_chances import _told
from sims.cli.app import main
from sims.cli.views.verdict_table import print_verdict
from sims.terminal import Forecast, announce, duration, harmless, is_lively, meter, say, show
from sims.verdict.verdict import cells
from tests.kit.places import ROOT


class Screen(io.StringIO):
    """A terminal that remembers."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when they are told to."""

    class Clock:
        now = 100.0

    monkeypatch.setattr("sims.terminal.time.monotonic", lambda: Clock.now)
    return Clock


def test_a_forecast_leaves_out_the_first_part_which_may_compile(clock):
    forecast = Forecast()
    clock.now += 50
    assert forecast.left_s(0, 100) is None
    assert forecast.left_s(10, 100) is None
    clock.now += 4
    assert forecast.left_s(30, 100) == pytest.approx(14)
    clock.now += 1
    assert forecast.left_s(60, 100) == pytest.approx(4)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about 1 s"),
        (90, "about 90 s"),
        (119, "about 119 s"),
        (600, "about 10 minutes"),
        (36_000, "about 10 hours"),
    ],
)
def test_a_duration_in_words(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize("pace", [0.001, 1.0])
def test_where_no_bar_is_drawn_it_is_said_once_beforehand_how_long_it_takes(clock, capsys, pace):
    on_progress = meter(quiet=False)
    for done in range(0, 1001, 50):
        clock.now += 50 * pace
        on_progress(done, 1000)
    told = "flowdial: at most 1,000 attempts are played, which takes about 15 minutes.\n"
    assert capsys.readouterr().err == (told if pace == 1.0 else "")


@pytest.mark.parametrize("name", ["dumb", "", "unknown", None])
def test_nothing_is_drawn_over_on_a_dumb_terminal(clock, monkeypatch, name):
    if name is None:
        monkeypatch.delenv("TERM", raising=False)
    else:
        monkeypatch.setenv("TERM", name)
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    on_progress = meter(quiet=False)
    for done in (0, 10, 20, 100):
        clock.now += 5
        on_progress(done, 100)
    assert not is_lively(screen)
    assert "\r" not in screen.getvalue()
    assert "\x1b" not in screen.getvalue()
    monkeypatch.setenv("TERM", "xterm")
    assert is_lively(screen)


NASTY = "a\x1b]0;owned\x07\x1b[31mb\x9b2Jc\x08\r\u202ed"


def test_no_control_character_reaches_a_terminal(monkeypatch, capsys):
    screen = Screen()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setattr("sys.stderr", screen)
    show(f"{NASTY}\nnext\tline")
    say(f"{NASTY}\nnot a line of its own")
    said = screen.getvalue()
    assert [mark for mark in said if not mark.isprintable() and mark not in "\n\t"] == []
    assert said.count("\n") == 3
    assert harmless("plain\n") == "plain\n"


def test_a_program_that_reads_a_result_gets_it_as_it_is(capsys):
    show(NASTY)
    assert capsys.readouterr().out == f"{NASTY}\n"


@pytest.mark.parametrize(
    "words", [["verify"], ["report"], ["export", "--to", "csv"], ["resume"], ["check"], ["replay"]]
)
def test_names_of_folders_and_messages_of_libraries_are_escaped(tmp_path, monkeypatch, words):
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "dumb")  # no bar, which is drawn with such marks
    folder = tmp_path / "a\x1b]0;owned\x07"
    folder.mkdir()
    (folder / "attempts.parquet").write_bytes(b"PAR1\x1b]0;owned\x07PAR1")
    assert main([words[0], str(folder), *words[1:]]) in (2, 4)
    assert "owned" in screen.getvalue()
    assert "\x1b" not in screen.getvalue()


def test_everything_that_is_printed_goes_through_the_door():
    """Who writes to a stream: the door itself, and what draws with the library rich."""
    found = {}
    for path in sorted((ROOT / "sims").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        ways = {
            call for call in calls if re.fullmatch(r"print|click\.s?echo|sys\.std(out|err)\.write|stream\.write", call)
        }
        if ways:
            found[path.relative_to(ROOT).as_posix()] = ways
    assert found == {
        "sims/cli/shadowed_packages.py": {"sys.stderr.write"},  # before anything of ours can be imported
        "sims/cli/views/study_view.py": {"sys.stderr.write"},  # numbers and words of our own
        "sims/cli/views/verdict_table.py": {"stream.write"},  # where no terminal is
        "sims/run_folder/data_package.py": {"sys.stdout.write"},  # docs/columns.md
        "sims/terminal.py": {"sys.stderr.write", "sys.stdout.write"},
    }


@pytest.fixture(scope="module")
def verdict(tmp_path_factory):
    from sims.runs.execution import run
    from tests.kit.small import scenario

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
        folder: Path = tmp_path_factory.mktemp("runs") / "run"
        return run(scenario(players=40, attempts=100), out=folder, workers=1).verdict


@pytest.mark.parametrize("columns", [20, 25, 30, 40, 50, 80, 200])
@pytest.mark.parametrize("name", ["xterm", "dumb"])
def test_no_number_is_broken_on_a_narrow_terminal(verdict, monkeypatch, columns, name):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", name)
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen()
    print_verdict(verdict, screen)
    assert "\x1b[3" not in screen.getvalue()  # no colour
    shown = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert max(map(len, shown.splitlines())) <= columns
    for row in verdict.rows:
        for text in cells(row):
            assert [word for word in re.findall(r"[\d.,%-]+", text) if word not in shown] == []


def test_a_current_folder_that_was_deleted_is_told(tmp_path, monkeypatch, capsys):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for words in (["list"], ["run", "quickstart"], ["check", "quickstart"]):
        assert main(words) == 5
        assert capsys.readouterr() == (
            "",
            "flowdial: the current folder does not exist any more; go to another one and try again.\n",
        )
    assert main(["--version"]) == 0


def test_long_work_is_announced_before_it_begins_and_short_work_is_not():
    said: list[str] = []
    announce(1_000, 2, said.append)
    assert said == []
    announce(18_000_000, 2, said.append)
    assert said == [
        "at most 18,000,000 attempts are to be played: about 5 minutes at 30,000 a second, which is usual for a core."
    ]


def test_a_measurement_is_announced_first_and_then_told_now_and_then(clock):
    said: list[str] = []
    progress = _told(said.append, "measuring", 1_200_000, 2)
    for done in range(21):
        progress(done, 20)
        clock.now += 4
    assert said[0].startswith("measuring: at most 1,200,000 attempts are to be played: about 20 s")
    assert said[1:] == [
        f"measuring: {done} of 20 parts are done, about {4 * (20 - done)} s left." for done in (2, 5, 8, 11, 14, 17)
    ]
