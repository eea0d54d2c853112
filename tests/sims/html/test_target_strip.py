"""The strips of a verdict: marks stand where the numbers are, and all strips share one axis."""

from __future__ import annotations

import math
import re

import pytest

from sims.html.target_strip import Strip, shared_span, strip_key, target_strip

WANTED = Strip((0.7, 0.8), 0.9, 0.88, 0.92, wanted=0.75, early=0.6)
BANDED = Strip((0.5, 0.6), math.nan, math.nan, math.nan)


def test_marks_stand_where_the_numbers_are():
    drawn = str(target_strip(WANTED, (0.5, 1.0)))
    marks = {name: float(x) for x, name in re.findall(r'<circle cx="([0-9.]+)"[^>]* class="(hollow|dot)"', drawn)}
    assert marks["dot"] - marks["hollow"] == pytest.approx(300.0 * (0.9 - 0.6) / 0.5, abs=0.11)
    ((left, width),) = (map(float, one) for one in re.findall(r'<rect x="([0-9.]+)"[^>]* width="([0-9.]+)"', drawn))
    assert width == pytest.approx(300.0 * 0.1 / 0.5, abs=0.11)
    (tick,) = (float(x) for x in re.findall(r'<path d="M([0-9.]+) [^"]*" class="tick"', drawn))
    assert left < tick < left + width


def test_what_is_not_known_is_not_drawn():
    drawn = str(target_strip(BANDED, (0.4, 0.8)))
    assert "circle" not in drawn
    assert "tick" not in drawn
    assert 'class="wanted"' in drawn
    assert "hollow" not in strip_key("win rate")


def test_strips_share_an_axis_with_room_for_all_of_them():
    low, high = shared_span([WANTED, BANDED])
    assert (low, high) == pytest.approx((0.4, 0.95))
    assert shared_span([Strip((0.9, 0.99), 1.0, 1.0, 1.0)]) == pytest.approx((0.8, 1.0)), "rates end at 1"


def test_a_change_is_a_way_from_one_mark_to_the_other():
    change = WANTED._replace(joined=True, early_band=(0.4, 0.5))
    drawn = str(target_strip(change, shared_span([change])))
    ((start, end),) = (
        map(float, one) for one in re.findall(r'<path d="M([0-9.]+) [0-9.]+H([0-9.]+)" class="way"', drawn)
    )
    marks = {name: float(x) for x, name in re.findall(r'<circle cx="([0-9.]+)"[^>]* class="(hollow|dot)"', drawn)}
    assert (start, end) == (marks["hollow"], marks["dot"])
    assert 'class="once-wanted"' in drawn
    assert shared_span([change])[0] == pytest.approx(0.3), "the band before has room, too"
