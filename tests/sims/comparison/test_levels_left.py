"""Who is left by level, before and after: counts by hand, and a campaign with one level eased, moved or dropped."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.inference.difference import paired_difference
from sims.catalog import load_scenario
from sims.comparison.comparison import compare
from sims.comparison.levels_left import HEADING, levels_left, shown_levels
from tests.sims.tuning.levels.test_tune_levels import DIFFICULTY, TEXT

SIZE = {"players.count": 300, "horizon.attempts_per_player": 30, "cohort.players.traits.quit_frailty": -2.5}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("left") / "ladder.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def variant(file, difficulties):
    count = len(difficulties)
    return load_scenario(
        file,
        **SIZE,
        **{
            "levels.count": count,
            "levels.params.level_difficulty": list(difficulties),
            "target.levels": [0.7] * count,
        },
    )


def test_shares_and_margins_are_those_of_the_same_players():
    before, after = np.array([[0.0, 1, 1, 2, 2, 2]]), np.array([[0.0, 1, 2, 2, 2, 2]])
    left = levels_left([before], [after], 2, paired=True, by_replica=False)
    assert [(one.level, round(one.difference.before, 9), round(one.difference.after, 9)) for one in left] == [
        (1, round(5 / 6, 9), round(5 / 6, 9)),
        (2, 0.5, round(4 / 6, 9)),
    ]
    assert left[0].difference.value == left[0].difference.low == left[0].difference.high == 0.0
    one, two = (np.stack((side[0] >= 2, np.ones(6)), axis=1).astype(float) for side in (before, after))
    assert left[1].difference == paired_difference(one, two, 0.975)  # 95 % for both levels at once


def test_a_long_campaign_shows_its_first_its_last_and_some_between():
    left = levels_left([np.ones((1, 9))], [np.ones((1, 9))], 40, paired=True, by_replica=False)
    shown = [one.level for one in shown_levels(left)]
    assert (shown[0], shown[-1], len(shown)) == (1, 40, 12)


def test_easing_a_level_lets_more_players_through_it_and_none_fewer_before_it(file, tmp_path):
    eased = list(DIFFICULTY)
    eased[1] -= 1.5
    found = compare(variant(file, DIFFICULTY), variant(file, eased), workers=1)
    left = found.others[0].left
    assert [one.level for one in left] == [1, 2, 3, 4]
    assert left[0].difference.value == 0.0
    assert left[0].difference.error == 0.0
    assert left[1].difference.low > 0.0
    assert HEADING in found.text
    found.write(tmp_path)
    content = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert content["comparisons"][0]["left"][1]["change"] == pytest.approx(left[1].difference.value)
    assert HEADING in (tmp_path / "changes.html").read_text(encoding="utf-8")
    names = {change.metric.name for change in found.changes}
    assert {"levels_passed", "quit_share"} <= names  # passes and quits, paired


def test_levels_may_be_reordered_or_dropped(file):
    moved, dropped = [DIFFICULTY[j] for j in (0, 2, 1, 3)], [DIFFICULTY[j] for j in (0, 2, 3)]
    found = compare(variant(file, DIFFICULTY), variant(file, moved), variant(file, dropped), workers=1)
    assert [len(other.left) for other in found.others] == [3, 3]  # levels that all campaigns have
    assert found.others[0].left[1].difference.value > 0.0  # the easier of the two now comes first
