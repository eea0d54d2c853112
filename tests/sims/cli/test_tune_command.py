"""`flowdial tune` on the command line: limits, numbers, progress, Ctrl-C, and what it prints."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time

import click
import pytest

from sims.cli.app import main
from sims.cli.tune import attempts_for
from sims.cli.views import study_view
from sims.cli.views.study_view import progress_text, study_line
from sims.tuning.journal import read_journal
from sims.tuning.progress import StudyProgress
from sims.tuning.search.counts import Counts, Segment, Tell
from tests.kit.places import ROOT
from tests.kit.tuning import scenario_file

SEGMENTS = (Segment("new", 0, 0, 0.55, 0.65), Segment("old", 1, 0, 0.65, 0.75))


def test_the_answer_is_printed_with_the_places_of_its_files(tmp_path, capsys):
    words = ["tune", str(scenario_file(tmp_path)), "--budget", "40000", "--method", "random", "--workers", "1"]
    assert main([*words, "--out", str(tmp_path / "study")]) == 0
    text = capsys.readouterr().out
    assert f"report  {tmp_path / 'study' / 'report.html'}\n" in text
    assert main([*words, "--out", str(tmp_path / "again"), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["sentences"][0] == text.splitlines()[0]
    assert content["folder"] == str(tmp_path / "again")
    page = (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert page == (tmp_path / "again" / "report.html").read_text(encoding="utf-8")
    assert page.count(text.splitlines()[0]) == 1
    assert main([*words, "--out", str(tmp_path / "third"), "--quiet"]) == 0
    assert capsys.readouterr() == (f"{tmp_path / 'third'}\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_ctrl_c_ends_with_the_best_so_far_and_a_way_to_go_on(tmp_path):
    words = [sys.executable, "-m", "sims", "tune", str(scenario_file(tmp_path)), "--method", "random", "--workers", "2"]
    process = subprocess.Popen(
        [*words, "--budget", "40000000", "--out", str(tmp_path / "study")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    journal = tmp_path / "study.partial" / "journal.txt"
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        if journal.is_file() and journal.read_bytes().count(b"\n") > 40:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "best so far" in out
    message = f"stopped; what is finished is kept. To resume: flowdial resume {tmp_path / 'study.partial'}"
    assert err == f"flowdial: {message}\n"
    assert len(read_journal(journal)) > 38


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ((None, None, None, None), "a study needs a limit"),
        ((None, None, 3.0, None), "--money and --price-per-million must be given together"),
        ((300_000_000, None, None, None), "add --allow-long"),
    ],
)
def test_limits_that_say_nothing_are_refused(limits, sentence):
    with pytest.raises(click.UsageError, match=sentence):
        attempts_for(*limits, allow_long=False)


def test_the_smallest_limit_counts():
    assert attempts_for(5000, None, 2.0, 1000.0, allow_long=False) == 2000
    assert attempts_for(1000, None, 2.0, 1000.0, allow_long=False) == 1000
    assert attempts_for(300_000_000, None, None, None, allow_long=True) == 300_000_000
    assert attempts_for(None, None, 1e300, 1e-300, allow_long=False) == 200_000_000
    assert attempts_for(None, 9.0, None, None, allow_long=False) == 200_000_000


@pytest.mark.parametrize("option", ["--seconds", "--money", "--price-per-million", "--near-default"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_numbers_that_are_none_are_refused(tmp_path, capsys, option, value):
    assert main(["tune", str(scenario_file(tmp_path)), "--budget", "40000", option, value]) == 2
    assert f"Invalid value for '{option}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--budget", "a whole number of at least 1"),
        ("--level", "a whole number of at least 1"),
        ("--seconds", "a number of at least 1"),
        ("--money", "a number above 0"),
        ("--near-default", "a number from 0 to 1,000,000"),
    ],
)
def test_what_is_no_number_is_refused_in_a_sentence(tmp_path, capsys, option, sentence):
    assert main(["tune", str(scenario_file(tmp_path)), option, "abc"]) == 2
    assert f"Invalid value for '{option}': must be {sentence}, got 'abc'." in capsys.readouterr().err


def test_a_bundled_scenario_is_called_by_its_name(capsys):
    assert main(["tune", "quickstart", "--budget", "500"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("quickstart: 500 attempts are too few to confirm any setting")


# --- Progress ---------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


NEAR = Tell((0.3, 0.2), (400, 400), (236, 300), 1)


def progress(stage="search", done=800, tells=(NEAR,)):
    return StudyProgress(stage, done, 4000, SEGMENTS, Counts(tells))


def test_the_best_so_far_is_the_setting_of_least_loss_with_a_margin():
    far = Tell((0.1, 0.2), (400, 400), (100, 100), 0)
    best = progress(tells=[far, NEAR]).best
    assert best is not None
    off, low, high = best
    assert off == pytest.approx(0.05, abs=0.001)  # the worst segment: 0.75 for 0.70
    assert 0.0 <= low < off < high < 0.12
    assert progress(tells=[NEAR, far]).best == best


def test_settings_without_attempts_are_not_the_best():
    assert progress(tells=[Tell((0.1, 0.2), (1, 0), (1, 0), 0)]).best is None
    assert progress(tells=[]).best is None
    assert progress_text(progress(tells=[])) == "search: 800 of 4,000 attempts"


def test_a_terminal_shows_stage_attempts_time_and_the_best(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(study_view, "_PAUSE_S", 0.0)
    show = study_line(quiet=False)
    show(progress())
    show(progress("final_race", 1600))
    first, second = terminal.getvalue().removeprefix("\r").replace("\x1b[K", "").split("\r")
    assert first == "search: 800 of 4,000 attempts; best so far 5.0 points off target (margin 0.0 to 9.5)"
    assert second.startswith("play-off: 1,600 of 4,000 attempts, about ")


@pytest.mark.parametrize(("quiet", "stream"), [(True, Terminal()), (False, io.StringIO()), (False, None)])
def test_nothing_is_shown_where_nobody_looks(monkeypatch, quiet, stream):
    monkeypatch.setattr("sys.stderr", stream)
    study_line(quiet=quiet)(progress())
    assert stream is None or stream.getvalue() == ""
