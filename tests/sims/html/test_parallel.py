"""Parallel coordinates: a line across every axis, broken where a setting leaves a key."""

from __future__ import annotations

import re

import pytest

from sims.html.parallel import Path, UprightAxis, parallel_coordinates

AXES = [UprightAxis("q", "0.001", "0.1"), UprightAxis("name", "elo", "kalman"), UprightAxis("loss", "9", "12")]


def lines(drawn: str) -> list[str]:
    return re.findall(r'd="([^"]+)" class="line"', drawn)


def test_each_setting_is_a_line_that_ends_where_it_has_no_value():
    drawn = parallel_coordinates(
        AXES, [Path([0.0, 1.0, 0.5], "one"), Path([None, 0.0, 0.2], "two"), Path([2.0, -1.0, 0.0], "three")]
    )
    first, second, third = lines(drawn)
    assert first.count("L") == 2
    assert second.count("L") == 1
    ends = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", first)]
    assert ends[0] > ends[2] > ends[1]  # 0 is the lower end
    held = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", third)]
    assert held[:2] == [ends[1], ends[0]]  # beyond an axis it is drawn at its end
    for word in ("q", "0.001", "0.1", "elo", "kalman", "one", "two"):
        assert f">{word}<" in drawn


def test_one_axis_is_none():
    with pytest.raises(ValueError, match="need two axes or more, got 1"):
        parallel_coordinates(AXES[:1], [])
