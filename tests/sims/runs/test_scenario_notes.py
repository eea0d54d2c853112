"""`flowdial check` says what a valid scenario will not answer, and which default decides it."""

from __future__ import annotations

import pytest

from engine.players import Flow
from engine.scenario import parse, setup_of
from sims.catalog import Catalog
from sims.cli.app import main
from sims.runs.scenario_notes import notes_of, quits_after_losses

TEXT = """
format = 1
seed = 1
game.name = "logistic"
dial = { floor = 0.0, ceiling = 1.0 }
target = { win_rate = 0.75, tolerance = 0.03, after_attempts = 5 }
players.count = 4000
players.flow.quit_frustration = -6.0
horizon = { days = 14, attempts_per_player = 100 }
[[cohort]]
name = "casual"
share = 0.5
traits = { skill = -0.5 }
[[cohort]]
name = "core"
share = 0.5
traits = { skill = 0.8 }
"""


def notes(*settings, text=TEXT):
    scenario = parse(text.encode(), "notes.toml", Catalog(), settings)
    return notes_of(scenario, setup_of(scenario, Catalog()))


def test_a_scenario_without_doubts_has_no_notes():
    assert notes() == ()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ([("target", "{ win_rate = 0.75 }")], "No tolerance is given, so up to 5 points"),
        ([("target", "{ win_rate = 0.75 }")], "70 to 80 % (75 \u00b1 5)"),
        (
            [("cohort.core.traits", "{ skill = -0.5 }"), ("cohort.core.target", "{ win_rate = 0.5 }")],
            "casual and core have the same traits and different targets",
        ),
        ([("horizon.attempts_per_player", "15")], "At most 10 attempts of a player are judged"),
        ([("players.count", "4"), ("target.tolerance", "0.01")], "2 players of casual are too few"),
        ([("players.count", "60")], "30 players of core are few"),
        ([("controller.name", "elo"), ("controller.scope", "cohort")], "one repeat says little"),
        ([("dial.path", "{ difficulty = [0.0, 1.0, 1.0] }"), ("dial.knobs", "['difficulty']")], "from 0.5 to 1"),
        ([("players.flow", "{ quit_won = -0.1 }")], "Quitting hardly depends on losing"),
        (
            [("players.flow", "{ quit_frustration = 0.0, quit_streak = 0.0, quit_won = 0.0 }")],
            "Quitting does not depend on losing",
        ),
        (
            [
                ("levels", '{ kind = "campaign", count = 120 }'),
                ("target", "{ win_rate = 0.75, tolerance = 0.03 }"),
            ],
            "the last 20 are never judged",
        ),
        (
            [
                ("levels", '{ kind = "campaign", count = 90 }'),
                ("target", "{ win_rate = 0.75, tolerance = 0.03 }"),
            ],
            "90 levels take 120 attempts on average",
        ),
        (
            [
                ("levels", '{ kind = "campaign", count = 3, layouts = "per_replica" }'),
                ("target", "{ win_rate = 0.75, tolerance = 0.03 }"),
            ],
            "changes nothing with one repeat",
        ),
    ],
)
def test_each_doubt_has_its_note(settings, words):
    assert any(words in note for note in notes(*settings)), notes(*settings)


def test_a_band_a_tolerance_anywhere_and_players_who_never_quit_need_no_note():
    assert notes(("target", "{ band = [0.7, 0.8], after_attempts = 5 }")) == ()
    own = "{ win_rate = 0.75, tolerance = 0.03 }"
    assert notes(("target.tolerance", "0.05"), ("cohort.core.target", own)) == ()
    faithful = [(f"cohort.{name}.traits.quit_frailty", "-40") for name in ("casual", "core")]
    assert notes(("players.flow.quit_frustration", "-1.0"), *faithful) == ()


def test_twins_with_one_target_are_no_doubt():
    assert notes(("cohort.core.traits", "{ skill = -0.5 }")) == ()


def test_who_quits_after_losses():
    assert quits_after_losses(Flow(quit_streak=0.0, quit_frustration=0.0, quit_won=0.0)) == 1.0
    assert 2.3 < quits_after_losses(Flow()) < 2.6
    assert quits_after_losses(Flow(quit_won=2.0)) < 1.0


def test_check_prints_notes_below_its_line(tmp_path, capsys):
    path = tmp_path / "notes.toml"
    path.write_text(TEXT.replace(", tolerance = 0.03", ""), encoding="utf-8")
    assert main(["check", str(path)]) == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert ": valid; " in first
    assert [line.startswith("note: No tolerance") for line in others] == [True]
    assert main(["check", str(path), "--resolved"]) == 0
    assert "note: " not in capsys.readouterr().out
