"""Forest plots: where estimates stand, what tells two kinds apart, and long names."""

from __future__ import annotations

import math
import re

import pytest

from sims.html.forest_plot import SHAPES, Estimate, forest_plot, shape_key

ROWS = [
    Estimate("one", 0.2, 0.1, 0.3, "line0", "circle"),
    Estimate("two", 0.4, 0.4, 0.4, "line1", "square"),
    Estimate("three", 0.6, math.nan, math.nan, "line2", "diamond"),
]


def test_estimates_stand_at_their_values_on_the_lines_of_their_intervals():
    picture = forest_plot(ROWS, (0.0, 0.6), ".3f", line=0.3)
    ticks = dict(re.findall(r'<path d="M([0-9.]+) 0V[0-9.]+" class="grid"></path><text [^>]*>([0-9.]+)<', picture))
    assert list(ticks.values()) == ["0.0", "0.2", "0.4", "0.6"]
    place = {float(word): float(x) for x, word in ticks.items()}
    ends = [(float(a), float(b)) for a, b in re.findall(r'd="M([0-9.]+) [0-9.]+H([0-9.]+)" class="line"', picture)]
    middle = (place[0.0] + place[0.2]) / 2.0
    assert ends[0] == pytest.approx((middle, middle + place[0.2] - place[0.0]), abs=0.11)
    assert ends[1] == (place[0.4], place[0.4])
    assert len(ends) == 2, "what has no interval has no line"
    assert float(re.findall(r'<circle cx="([0-9.]+)"', picture)[0]) == pytest.approx(place[0.2], abs=0.11)
    (dashed,) = re.findall(r'd="M([0-9.]+) 0V[0-9.]+" class="limit"', picture)
    assert float(dashed) == pytest.approx((place[0.2] + place[0.4]) / 2.0, abs=0.11)
    assert re.findall(r'class="end">([^<]*)<', picture) == ["0.200", "0.400", "0.600"]
    assert re.findall(r"<title>([^<]*)<", picture) == [
        "one: 0.200 (0.100 to 0.300)", "two: 0.400 (0.400 to 0.400)", "three: 0.600",
    ]  # fmt: skip
    assert "nan" not in picture


def test_without_a_line_there_is_none_and_without_rows_there_is_an_axis():
    assert 'class="limit"' not in forest_plot(ROWS, (0.0, 1.0), ".3f")
    assert 'class="grid"' in forest_plot([], (0.0, 1.0), ".3f")


def test_what_lies_outside_is_drawn_at_the_edge():
    picture = forest_plot([Estimate("far", 5.0, 4.0, 6.0, "line0", "circle")], (0.0, 1.0), ".1f")
    (right,) = re.findall(r'<path d="M([0-9.]+) 0V[0-9.]+" class="grid"></path><text [^>]*>1.0<', picture)
    assert re.findall(r'<circle cx="([0-9.]+)"', picture) == [right]


def test_a_long_name_is_broken_and_its_row_is_higher():
    name = "a_plug_in_with_a_name_of_forty_letters_x option=0.123 other=4.5"
    picture = forest_plot([Estimate(name, 0.5, 0.4, 0.6, "line0", "circle"), ROWS[0]], (0.0, 1.0), ".2f")
    words = re.findall(r'<text x="1" y="([0-9.]+)"( class="quiet")?>([^<]*)</text>', picture)
    assert "".join(text for _, _, text in words[:-1]) == name.replace(" ", "")
    assert [bool(quiet) for _, quiet, _ in words] == [False, False, False, True, True, False]
    assert all(len(text) <= 18 for _, _, text in words)
    places = [float(y) for y, _, _ in words]
    assert places == sorted(places)
    assert places[-1] - places[-2] > 20.0


def test_each_shape_is_drawn_in_a_way_of_its_own_and_its_key_is_the_same():
    def outline(shape):
        picture = shape_key("line0", shape, "words")
        return re.findall(r"<(?:circle|path) ([^>]*)>", picture)

    assert len({str(outline(shape)) for shape in SHAPES}) == len(SHAPES)
    with pytest.raises(KeyError):
        outline("star")
