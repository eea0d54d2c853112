"""The benchmarks measure what they say: the naive twin plays the same game, the bare kernel the same rows."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks import naive_gap_runner
from benchmarks.__main__ import agreed_on
from benchmarks.cases import RULES, Bare, agreement, setup
from benchmarks.timing import Item, Ratio, measure, quotient, rate, verdict
from tests.kit.places import ROOT

pytestmark = pytest.mark.thorough


def test_the_naive_twin_wins_as_often_as_the_product():
    for row in agreement(attempts=250):
        assert 0.1 < row.product < 0.9
        assert row.same, row


def test_no_rate_is_quoted_of_a_naive_twin_that_plays_another_game(monkeypatch):
    monkeypatch.setattr(naive_gap_runner, "JUMP_HEIGHT", 0.7)
    with pytest.raises(AssertionError, match="different games"):
        agreed_on(60)


@pytest.mark.parametrize("name", RULES)
def test_the_bare_kernel_plays_the_rows_of_the_world(name):
    assert Bare(setup(RULES[name], 10, attempts=50)).same_rows()


def test_items_are_measured_in_turns():
    order = []

    def work(name):
        def play():
            order.append(name)
            return 10

        return play

    samples = measure([Item("a", "x/s", work("a")), Item("b", "x/s", work("b"), two_cores=True)], turns=2)
    assert order == ["a", "b"] * 3  # the first turn does not count
    assert {name: len(found) for name, found in samples.items()} == {"a": 2, "b": 2}
    assert rate(samples, "a").low <= rate(samples, "a").median <= rate(samples, "a").high


def test_ratios_are_taken_turn_by_turn():
    samples = {"a": [2.0, 30.0, 400.0], "b": [1.0, 10.0, 100.0]}
    assert quotient(samples, Ratio("", "a", "b", 1.0, 2.0)) == (3.0, 2.0, 4.0)
    assert [verdict(value, 1.0, 2.0) for value in (0.9, 1.0, 2.0)] == [
        "BELOW THE FLOOR",
        "floor reached",
        "aim reached",
    ]


@pytest.mark.slow
def test_everything_is_measured_in_one_run(tmp_path):
    file = tmp_path / "bench.json"
    command = [sys.executable, "-W", "error", "-m", "benchmarks", "--quick", "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    assert len(found["ratios"]) >= 6
    assert all(value > 0.0 for value in found["ratios"].values())
    for name in found["samples"]:
        assert name in done.stdout
