"""Better or worse: rates within their margins, bands, and levels."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest

from engine.inference.difference import Difference
from sims.comparison.target_changes import standing_cells, standing_of
from sims.verdict.goal import Row
from sims.verdict.verdict import Verdict

BAND = (0.55, 0.65)


def row(rate, half=0.01, band=BAND, level=0, attempts=1000) -> Row:
    low, high = rate - half, rate + half
    state = "cannot tell"
    if band[0] <= low and high <= band[1]:
        state = "in band"
    elif high < band[0] or low > band[1]:
        state = "below" if high < band[0] else "above"
    if not attempts:
        rate = low = high = math.nan
    values: dict[str, Any] = {field.name: math.nan for field in dataclasses.fields(Row)}
    values |= {
        "cohort": "new", "level": level, "players": 50, "attempts": attempts, "wins": 0, "win_rate": rate,
        "win_rate_low": low, "win_rate_high": high, "interval": "by player", "target_low": band[0],
        "target_high": band[1], "state": state, "more_players": None,
    }  # fmt: skip
    return Row(**values)


def said(*rows: Row) -> tuple[Verdict, str]:
    cohorts, levels = (tuple(one for one in rows if bool(one.level) == campaign) for campaign in (False, True))
    return Verdict(("",), cohorts, levels, 0), "new"


def change(was: Row, is_: Row, half=math.nan) -> Difference:
    value = is_.win_rate - was.win_rate
    return Difference(was.win_rate, is_.win_rate, value, value - half, value + half, half / 2, 50, 0.5, half)


def answer(was: Row, is_: Row, half=math.nan, least=0.01) -> str:
    return standing_of(said(was), said(is_), change(was, is_, half), least).answer


@pytest.mark.parametrize(
    ("was", "is_", "half", "wanted"),
    [
        (row(0.75), row(0.60), 0.01, "better"),  # now on target
        (row(0.60), row(0.75), 0.01, "worse"),  # no longer
        (row(0.60), row(0.58), 0.01, "as before"),  # on target both times
        (row(0.80), row(0.75), 0.01, "better"),  # off target, but nearer
        (row(0.40), row(0.75), 0.01, "better"),  # from 15 points below to 10 above
        (row(0.45), row(0.75), math.nan, "unclear"),  # as far off on the other side
        (row(0.75), row(0.752), 0.001, "as before"),  # surely further off, by less than matters
        (row(0.665, 0.01), row(0.66, 0.009), 0.004, "as before"),  # surely nearer, by less than matters
        (row(0.689, 0.048), row(0.615, 0.051), 0.023, "better"),  # too close to call both times, but surely moved
        (row(0.689, 0.048), row(0.615, 0.051), 0.09, "unclear"),  # it may not have moved
        (row(0.655, 0.004), row(0.64, 0.004), 0.002, "better"),  # by half a point, but now on target
        (row(0.75), row(0.60, attempts=0), 0.01, "unclear"),  # nothing was judged
    ],
)
def test_a_group_is_better_where_its_distance_to_the_band_surely_fell(was, is_, half, wanted):
    assert answer(was, is_, half) == wanted
    mirrored = [row(1.2 - one.win_rate, one.win_rate_high - one.win_rate, attempts=one.attempts) for one in (was, is_)]
    assert answer(mirrored[0], mirrored[1], half) == wanted
    opposite = {"better": "worse", "worse": "better"}
    assert answer(is_, was, half) == opposite.get(wanted, wanted)


def test_a_target_that_moves_counts_too():
    rate = row(0.60)
    assert answer(rate, row(0.60, band=(0.75, 0.85)), 0.0) == "worse"
    assert answer(row(0.60, band=(0.75, 0.85)), rate, 0.0) == "better"
    text = standing_cells(standing_of(said(rate), said(row(0.60, band=(0.75, 0.85))), change(rate, rate, 0.0), 0.01))
    assert text[1] == "55 to 65 % -> 75 to 85 %"
    assert text[-1] == "worse: 15.0 points further off"


def test_the_extremes_are_those_of_a_grid_of_rates():
    """What the corners give is what trying all rates within all margins gives."""
    rng = np.random.default_rng(4)
    answers = []
    for _ in range(60):
        was, is_ = (row(rate, half) for rate, half in zip(rng.uniform(0.5, 0.7, 2), rng.uniform(0.005, 0.06, 2)))
        half = rng.uniform(0.002, 0.05)
        grid = [np.linspace(one.win_rate_low, one.win_rate_high, 301) for one in (was, is_)]
        one, two = np.meshgrid(*grid)
        value = is_.win_rate - was.win_rate
        allowed = abs((two - one) - value) <= half

        def miss(rate):
            return np.maximum(np.maximum(BAND[0] - rate, rate - BAND[1]), 0.0)

        rises = (miss(two) - miss(one))[allowed]
        drop = float(miss(was.win_rate) - miss(is_.win_rate))
        found = answer(was, is_, half)
        answers.append(found)
        if rises.max() > 1e-3:
            assert found != "better"
        elif drop >= 0.01:
            assert found == "better"
        if rises.min() < -1e-3:
            assert found != "worse"
        elif drop <= -0.01:
            assert found == "worse"
    assert {"better", "worse", "unclear"} <= set(answers)


def test_a_campaign_is_judged_by_its_levels():
    def levels(*rates):
        return [row(rate, level=place) for place, rate in enumerate(rates, 1)]

    def standing(before, after):
        return standing_of(
            said(row(0.6), *levels(*before)), said(row(0.6), *levels(*after)), change(row(0.6), row(0.6)), 0.01
        )

    one = standing((0.60, 0.80, 0.40), (0.60, 0.60, 0.40))
    assert (one.answer, one.levels) == ("better", (1, 2, 3))
    assert standing_cells(one)[-1] == "better: 1 of 3 levels on target before, 2 after"
    assert standing((0.60, 0.80), (0.80, 0.60)).answer == "mixed"
    assert standing((0.60, 0.60), (0.60, 0.90)).answer == "worse"
    assert standing((0.60, 0.60), (0.61, 0.60)).answer == "as before"
    assert standing((0.60, 0.80, 0.40), (0.60, 0.60)).levels == (1, 2, 2)  # levels that both have
    assert set(itertools.chain(one.to_json())) == {"cohort", "before", "after", "levels", "answer", "nearer"}
