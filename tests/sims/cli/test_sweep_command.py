"""flowdial sweep: what it prints, refuses and returns."""

from __future__ import annotations

import json

import pytest

from sims.cli.app import main

SMALL = ["arena/stationary", "--set", "players.count=40", "--set", "horizon.attempts_per_player=40", "--workers", "1"]


def test_it_prints_words_first_then_a_table_and_where_the_files_are(tmp_path, capsys):
    out = tmp_path / "sweep"
    assert main(["sweep", *SMALL, "--over", "controller.options.q=0.001,0.1", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.index("your settings") < printed.index("trial  q") < printed.index(f"report  {out / 'report.html'}")
    assert (out / "trials.csv").is_file()


def test_json_and_quiet(tmp_path, capsys):
    over = ["--over", "controller.options.q=0.001,0.1"]
    assert main(["sweep", *SMALL, *over, "--json", "--out", str(tmp_path / "one")]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["keys"] == ["controller.options.q"]
    assert len(content["trials"]) == 3
    assert main(["sweep", *SMALL, *over, "--quiet", "--out", str(tmp_path / "two")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'two'}\n"


def test_a_file_of_keys(tmp_path, capsys):
    space = tmp_path / "space.toml"
    space.write_text('[sweep]\n"controller.options.q" = "0.001,0.1"\n')
    assert main(["sweep", *SMALL, "--space", str(space), "--out", str(tmp_path / "sweep")]) == 0
    assert "q" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "a sweep needs a key to vary"),
        (["--over", "q"], "must be KEY=VALUES"),
        (["--over", "a.b=1,2", "--over", "a.b=1,2"], "--over gives a.b twice"),
        (["--over", "a.b=1,2", "--space", __file__], "give one of them"),
        (["--over", "controller.options.q=log:0.001:0.1"], "a range has no end of values"),
        (["--over", "controller.options.q=1,2", "--money", "3"], "must be given together"),
        (["--over", "controller.nome=1,2"], "controller.nome"),
    ],
)
def test_wrong_usage_is_one_sentence_and_leaves_nothing(tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", *SMALL, *words]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_help_says_what_a_trial_costs(capsys):
    assert main(["sweep", "--help"]) == 0
    printed = capsys.readouterr().out
    assert "low:high:steps" in printed
    assert "A trial has as many attempts as a run" in printed
