"""The ledger of planted flaws: how it counts, and the part of it that takes little time."""

from __future__ import annotations

import pytest

from benchmarks.flaws.__main__ import ENTRIES, main
from benchmarks.flaws.ledger import TOOLS, Entry, finding_of, score_of, table_of
from benchmarks.flaws.tools import SAID_BY

QUICK = ("check",)
LONG = ("advise", "verdict", "compare")  # and some games
GAMES = ("dead stretch", "hardest in the middle", "cause that never comes", "a favourite signal")


def entry(name="bug", says="bug", also=""):
    return Entry(name, "about it", "check", dict, says, also)


def test_a_flaw_is_named_missed_or_mistaken_for_another():
    assert finding_of(entry(), ["a bug here"]).right == ("a bug here",)
    missed = finding_of(entry(also="so"), ["so it goes", "a moth"])
    assert missed.is_missed
    assert missed.wrong == ("a moth",)
    decoy = finding_of(entry(says=""), ["a bug"])
    assert not decoy.is_missed
    assert decoy.wrong == ("a bug",)


def test_recall_is_of_flaws_and_precision_is_of_what_was_said():
    findings = [
        finding_of(entry("one"), ["bug", "bug again"]),
        finding_of(entry("two"), []),
        finding_of(entry("odd", says=""), ["a bug"]),
        finding_of(entry("odder", says=""), []),
    ]
    score = score_of(findings)
    assert (score.planted, score.found, score.decoys, score.false_alarms) == (2, 1, 2, 1)
    assert (score.recall, score.precision) == (0.5, 0.5)
    table = table_of(findings)
    assert "| all | 2 | 1 | 2 | 1 | 0.50 | 0.50 |" in table
    assert "| check | two | about it | **missed** |" in table
    assert "| check | odd (sound) | about it | false alarm: a bug |" in table


def test_the_ledger_is_large_enough_and_names_nothing_twice():
    assert len({(one.tool, one.name) for one in ENTRIES}) == len(ENTRIES)
    assert {one.tool for one in ENTRIES} == set(TOOLS)
    assert sum(bool(one.says) for one in ENTRIES) >= 20
    assert len({one.name for one in ENTRIES if not one.says}) >= 10


def missed_or_blamed(entries):
    """Names of flaws that were missed and of sound entries that were blamed."""
    found = [finding_of(one, SAID_BY[one.tool](one.subject())) for one in entries]
    return [finding.entry.name for finding in found if finding.is_missed or finding.wrong]


@pytest.mark.parametrize("tool", QUICK)
def test_a_quick_tool_names_the_flaws_of_scenarios_and_blame_no_sound_one(tool):
    assert missed_or_blamed([one for one in ENTRIES if one.tool == tool]) == []


@pytest.mark.thorough
@pytest.mark.parametrize("tool", LONG)
def test_tools_that_play_name_them_too(tool):
    assert missed_or_blamed([one for one in ENTRIES if one.tool == tool]) == []


@pytest.mark.thorough
@pytest.mark.parametrize("name", GAMES)
def test_check_game_names_flaws_of_games(name):
    assert missed_or_blamed([one for one in ENTRIES if one.tool == "check_game" and one.name == name]) == []


def test_the_command_prints_the_ledger_of_a_tool(capsys):
    assert main(["--tool", "check"]) == 0
    assert "| check | 8 | 8 |" in capsys.readouterr().out
