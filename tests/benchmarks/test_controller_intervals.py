"""Intervals with a controller in the loop, in small: those that draw, from luck that players must not share."""

from __future__ import annotations

import pytest

from benchmarks.controller_intervals import coverage_of, main

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize(("name", "seeds"), [("thompson", 100), ("evolution_strategy", 50), ("cma_es", 20)])
def test_intervals_of_controllers_that_draw_hold(name, seeds):
    found = coverage_of(name, seeds)
    assert found.intervals == 2 * seeds
    assert abs(found.share - 0.95) <= 4.0 * found.error, found


def test_a_table_has_a_line_for_each_controller(capsys):
    assert main(["--quick", "constant", "elo"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| constant", "| elo"]
