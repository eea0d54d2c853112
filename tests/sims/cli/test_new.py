"""`new` writes a scenario that runs, asks on a terminal only, and never replaces a file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from sims.catalog import load_scenario
from sims.cli.app import main
from sims.cli.new_scenario import KINDS
from sims.runs.execution import run


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path: Path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_written_with_its_notes_and_listed(here, kind, capsys):
    assert main(["new", f"my_{kind}", "--kind", kind]) == 0
    assert f"my_{kind}.toml is written" in capsys.readouterr().out
    path = here / f"my_{kind}.toml"
    assert path.read_text(encoding="utf-8").count("#") > 12
    assert main(["check", path.name]) == 0
    assert main(["list", "scenarios"]) == 0
    assert f"\n  {kind} " in capsys.readouterr().out


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.thorough) for kind in KINDS])
def test_each_kind_runs(here, kind):
    small = load_scenario(kind, **{"players.count": 40, "horizon.attempts_per_player": 30, "run.replicas": 1})
    assert run(small, out=here / "run", workers=1).faults == {}


def test_the_options_change_their_lines_and_what_the_game_lacks(here):
    words = ["--kind", "campaign", "--play", "logistic", "--target", "0.6", "--levels", "5"]
    assert main(["new", "a"]) == main(["new", "b.toml", *words]) == 0
    assert read(here / "a.toml")["levels"] == {"kind": "endless"}
    assert main(["new", "c", "--kind", "campaign"]) == 0
    plain, changed = ((here / name).read_text(encoding="utf-8").splitlines() for name in ("c.toml", "b.toml"))
    other = [(was, now) for was, now in zip(plain, changed, strict=True) if was != now]
    lines = [now.split("#")[0].rstrip() for _, now in other]
    off = "progression = 0.0"  # logistic has no knobs that rise from level to level
    assert lines == ['name = "logistic"', "count = 5", off, "win_rate = 0.6"]
    assert all(was.find("#") == now.find("#") for was, now in other)
    found = read(here / "b.toml")
    assert (found["game"]["name"], found["levels"]["count"], found["target"]["win_rate"]) == ("logistic", 5, 0.6)
    assert found["players"]["count"] == 400
    assert main(["new", "d", "--kind", "live_service", "--patch-day", "9"]) == 0
    assert read(here / "d.toml")["horizon"]["days"] == 9


def test_without_a_name_the_file_is_called_as_its_kind(here):
    assert main(["new", "--kind", "launch"]) == 0
    assert (here / "launch.toml").is_file()


@pytest.mark.parametrize("link", [False, True])
def test_a_file_is_never_replaced(here, capsys, link):
    kept = here / "mine.toml"
    if link:
        kept.symlink_to(here / "nowhere")
    else:
        kept.write_text("mine")
    assert main(["new", "mine"]) == 4
    out, err = capsys.readouterr()
    assert (out, err) == ("", "flowdial: mine.toml already exists; choose another name, or remove it.\n")
    assert not (here / "nowhere").exists()
    assert link or kept.read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["a.tml"], "must end in .toml, got 'a.tml'; write a.toml"),
        (["a", "--levels", "3"], "--levels needs --kind campaign"),
        (["a", "--kind", "launch", "--patch-day", "3"], "--patch-day needs --kind live_service"),
        (["a", "--play", "gap_runer"], "did you mean 'gap_runner'?"),
        (["a", "--kind", "campain"], "campaign"),
        (["no/such/a"], "no/such/a.toml"),
    ],
)
def test_what_cannot_be_written_is_told_in_one_line(here, capsys, words, told):
    assert main(["new", *words]) in (2, 5)
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert told in err
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("answers", "kind", "fourth"),
    [
        (["campaign", "logistic", "0.6", "7"], "campaign", ("levels", "count", 7)),
        (["live_service", "", "", "12"], "live_service", ("horizon", "days", 12)),
        (["", "", ""], "endless", ("target", "win_rate", 0.75)),
        (["endless", "", "75", "0.7"], "endless", ("target", "win_rate", 0.7)),  # 75 is asked again
    ],
)
def test_on_a_terminal_it_asks(here, monkeypatch, answers, kind, fourth):
    given = iter(answers)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda text: next(given))
    assert main(["new", "mine"]) == 0
    assert next(given, None) is None
    section, key, value = fourth
    found = read(here / "mine.toml")
    assert found["levels"]["kind"] == ("campaign" if kind == "campaign" else "endless")
    assert found[section][key] == value


def test_a_slip_in_the_ending_is_told(here, capsys):
    assert main(["new", "my"]) == 0
    for words in (["check", "my.tml"], ["run", "mi.toml"], ["check", "my"]):
        assert main(words) == 2
        assert "did you mean 'my.toml'?" in capsys.readouterr().err


def test_a_closed_stdin_is_no_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", None)
    assert main(["new", "mine"]) == 0
    assert (tmp_path / "mine.toml").is_file()
    assert main(["calibrate", "-"]) == 2
    assert "standard input must be open" in capsys.readouterr().err
