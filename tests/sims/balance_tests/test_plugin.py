"""The plug-in as a team uses it: a repository of its own, whose tests pass, fail and skip as told."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.kit.places import ROOT
from tests.kit.small import TEXT

SMALL = TEXT.format(game="logistic", controller="oracle", players=60, attempts=60)
TESTS = """
import pytest


def test_on_target(flowdial):
    assert flowdial.check("small.toml").met


@pytest.mark.balance("small.toml", **{"target.win_rate": 0.9, "dial.floor": 0.5})
def test_too_hard(flowdial):
    flowdial.check()


@pytest.mark.balance("small.toml", unsure="skip", **{"players.count": 2})
def test_too_few(flowdial):
    flowdial.check()


@pytest.mark.balance("small.toml")
def test_more_of_a_run(flowdial):
    assert len(flowdial.run(seed=5).attempts()) > 0


def test_wrong(flowdial):
    flowdial.check("small.toml", **{"target.win_rat": 0.5})


def test_nothing(flowdial):
    flowdial.check()


def test_of_another_kind():
    pass
"""


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A repository with a scenario and tests."""
    (tmp_path / "small.toml").write_text(SMALL)
    (tmp_path / "test_balance.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def outcome_of(team: Path, *words: str) -> tuple[int, str, dict[str, str]]:
    """Exit code, output, and the outcome of each test by its name."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--strict-markers", "--junit-xml=junit.xml", *words],
        cwd=team,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    outcomes = {}
    for case in ElementTree.parse(team / "junit.xml").iter("testcase"):
        kinds = [node.tag for node in case if node.tag != "properties"]
        outcomes[str(case.get("name"))] = kinds[0] if kinds else "passed"
    return done.returncode, done.stdout + done.stderr, outcomes


@pytest.mark.thorough
@pytest.mark.parametrize("words", [(), ("-n", "2")])
def test_tests_pass_fail_and_skip_as_told_and_reports_are_kept(team, words):
    code, said, outcomes = outcome_of(team, "--balance-out", "kept", *words)
    assert code == 1, said
    assert outcomes == {
        "test_on_target": "passed",
        "test_too_hard": "failure",
        "test_too_few": "skipped",
        "test_more_of_a_run": "passed",
        "test_wrong": "failure",
        "test_nothing": "failure",
        "test_of_another_kind": "passed",
    }
    assert "Traceback" not in said
    assert "off target" in said
    command = next(line for line in said.splitlines() if "flowdial replay" in line)
    rows = command.split("replay ")[1].split(" --row")[0]
    assert Path(rows).is_file() or (team / rows).is_file()
    assert "did you mean 'win_rate'?" in said
    assert "During handling" not in said
    assert "name it" in said
    reports = sorted((team / "kept").glob("*/report.html"))
    assert len(reports) == 4
    assert said.count("report.html") >= len(reports)


def test_tests_are_skipped_where_that_was_asked_for(team):
    code, _, outcomes = outcome_of(team, "--skip-balance")
    assert code == 0
    assert outcomes.pop("test_of_another_kind") == "passed"
    assert set(outcomes.values()) == {"skipped"}
    code, said, _ = outcome_of(team, "-m", "not balance", "-q")
    assert code == 0
    assert "1 passed, 6 deselected" in said
