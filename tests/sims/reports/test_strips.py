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
    assert marks["dot"] - marks["hollow"] == pytest.approx(308.0 * (0.9 - 0.6) / 0.5, abs=0.11)
    ((left, width),) = (map(float, one) for one in re.findall(r'<rect x="([0-9.]+)"[^>]* width="([0-9.]+)"', drawn))
    assert width == pytest.approx(308.0 * 0.1 / 0.5, abs=0.11)
    (tick,) = (float(x) for x in re.findall(r'<path d="M([0-9.]+) [^"]*" class="tick"', drawn))
    assert left < tick < left + width


def test_what_is_not_known_is_not_drawn():
    drawn = str(target_strip(BANDED, (0.4, 0.8)))
    assert "circle" not in drawn
    assert "tick" not in drawn
    assert 'class="wanted"' in drawn
    assert "hollow" not in strip_key(None, False)


def test_strips_share_an_axis_with_room_for_all_of_them():
    low, high = shared_span([WANTED, BANDED], 0.1)
    assert (low, high) == pytest.approx((0.4, 0.95))
    assert shared_span([Strip((0.9, 0.99), 1.0, 1.0, 1.0)], 0.1) == pytest.approx((0.8, 1.0)), "rates end at 1"
