"""Further targets before and after a change: better only where margins leave no doubt."""

from __future__ import annotations

import json

import pytest

from engine.further.further_target import FurtherTarget
from engine.scenario import parse
from sims.catalog import Catalog
from sims.comparison.comparison import compare
from sims.comparison.further_changes import further_changes
from sims.verdict.further import FurtherRow
from sims.verdict.goal import TargetState
from tests.sims.verdict.test_further import HEAD

TARGET = FurtherTarget("quit", 0, 0.1, 0.2)


def row(
    low: float, high: float, *, cohort: str = "a", known: bool = True, target: FurtherTarget = TARGET
) -> FurtherRow:
    state: TargetState = "in band" if target.low <= low and high <= target.high else "cannot tell"
    return FurtherRow(cohort, target.words, target, 100, 0.5 * (low + high), low, high, state, known)


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        ((0.3, 0.4), (0.12, 0.18), "better"),
        ((0.3, 0.4), (0.21, 0.29), "better"),
        ((0.3, 0.4), (0.25, 0.31), "unclear"),
        ((0.12, 0.18), (0.3, 0.4), "worse"),
        ((0.0, 0.05), (0.3, 0.4), "unclear"),
        ((0.12, 0.18), (0.13, 0.19), "as before"),
    ],
)
def test_an_answer_needs_margins_that_leave_no_doubt(before, after, answer):
    (change,) = further_changes([row(*before)], [row(*after, cohort="b")], {"a": "b"})
    assert change.answer == answer


def test_one_player_tells_nothing_and_other_targets_are_no_pair():
    (change,) = further_changes([row(0.3, 0.4)], [row(0.12, 0.18, known=False)], {"a": "a"})
    assert change.answer == "unclear"
    other = TARGET._replace(first=5)
    assert further_changes([row(0.3, 0.4)], [row(0.1, 0.2, target=other)], {"a": "a"}) == ()
    assert further_changes([row(0.3, 0.4)], [row(0.1, 0.2)], {}) == ()


def test_a_comparison_shows_them():
    also = '[[target.also]]\nwhat = "attempts_to_pass"\nlevel = 2\nband = [1.0, 2.0]\n'
    text = HEAD.replace("count = 500", "count = 60")
    before = parse(f"{text}{also}".encode(), "before.toml", Catalog())
    after = parse(f"{text}{also}".replace("difficulty = 0.5", "difficulty = 0.1").encode(), "after.toml", Catalog())
    found = compare(before, after, workers=1)
    (change,) = found.others[0].further
    assert change.after.value < change.before.value
    assert change.answer in ("better", "unclear")
    assert "Further targets" in found.text
    assert "mean attempts to pass level 2" in found.text
    content = json.loads(json.dumps(found.to_json(), default=str))
    assert content["comparisons"][0]["further"][0]["answer"] == change.answer
