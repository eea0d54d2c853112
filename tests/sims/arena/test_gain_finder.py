"""The gain finder: one race over growing gains, what is recommended, and how sure that is."""

from __future__ import annotations

import itertools
import json
import math

import pytest

from engine.errors import ScenarioError
from engine.scenario import load, parse
from sims.arena.command import compare_gains
from sims.arena.gain_finder import NEAR, STEPS, Finding, Trial, around, find_gain, gains_of, recommended, said
from sims.arena.score import Interval
from sims.catalog import Catalog
from tests.sims.arena.test_race import scenario

CATALOG = Catalog()


@pytest.mark.parametrize("name", ["weighted_up_down", "pid", "robbins_monro", "staircase"])
def test_gains_grow_exponentially_keep_their_ratios_and_stay_in_range(name):
    kind = CATALOG.controller(name)
    usual = kind.options()._asdict()
    names = tuple(gain for gain in kind.gains if usual[gain] > 0.0)
    ways = gains_of(kind, names)
    highs = {option.name: option.high for option in kind.option_list}
    assert tuple(usual[gain] for gain in names) in ways, "the default is among those tried"
    assert STEPS < len(ways) <= 2 * STEPS + 1
    for small, large in itertools.pairwise(ways):
        for a, b in zip(small, large, strict=True):
            assert b / a == pytest.approx(2.0 ** (5.0 / 8.0), rel=0.02)
    assert all(gain <= highs[name] for way in ways for name, gain in zip(names, way, strict=True))


def test_the_best_of_one_valley_is_found_and_measured_again_on_others():
    """Twenty players of one dial who never change: neither the smallest nor the largest gain can be the best."""
    found = find_gain(scenario(players=40, attempts=80), CATALOG.controller("weighted_up_down"), workers=1)
    errors = [trial.rmse.value for trial in found.trials]
    best = errors.index(min(errors))
    assert 0 < best < len(errors) - 1
    assert found.trials[best].behind.value == 1.0
    assert found.low <= found.trials[best].gains[0] <= found.high
    chosen = [trial for trial in found.trials if trial.behind.high <= NEAR]
    assert found.recommended == chosen[0].gains
    assert found.recommended[0] <= found.trials[best].gains[0]
    assert found.trials[0].behind.low > 1.0
    assert found.trials[-1].behind.low > 1.0
    assert found.fresh_seed != 31
    assert found.fresh.value != found.trials[best].rmse.value
    assert f"seed {found.fresh_seed}" in said(found)


def test_a_controller_without_a_gain_has_none_to_be_found():
    with pytest.raises(ScenarioError, match="constant has none"):
        find_gain(scenario(), CATALOG.controller("constant"), workers=1)


def test_the_smallest_gain_that_is_surely_near_the_best_is_recommended():
    exact, near, wide = Interval(1.0, 1.0, 1.0), Interval(1.02, 0.99, 1.05), Interval(1.02, 0.9, 1.2)
    far, unknown = Interval(1.2, 1.1, 1.3), Interval(math.nan, math.nan, math.nan)
    assert recommended(3, [far, wide, near, exact, near]) == 2, "what cannot be told apart is not near yet"
    assert recommended(2, [unknown, wide, exact, wide]) == 2


ONE_GROUP = {
    "one dial for everybody": lambda: scenario(scope="everyone"),
    "one player": lambda: load(CATALOG.scenario("arena/stationary"), CATALOG, [("players.count", "1")]),
    "one cohort": lambda: load(CATALOG.scenario("arena/batch20"), CATALOG, [("run.replicas", "1")]),
}


@pytest.mark.parametrize("name", ONE_GROUP)
def test_one_group_finds_no_gain(name, tmp_path):
    """Without an interval any gain would do, the worst too."""
    alone = ONE_GROUP[name]()
    for chosen in ({}, {"json": True}, {"out": tmp_path / "gains"}):
        with pytest.raises(ScenarioError, match=r"one group only.*give \[run\] replicas a larger number") as fault:
            compare_gains(alone, "weighted_up_down", workers=1, **chosen)
        assert len(str(fault.value).splitlines()) == 1
    assert not (tmp_path / "gains").exists()


def test_where_no_chance_is_judged_no_gain_is_found():
    text = scenario().resolved_toml().replace("quit_frailty = -40.0", "quit_frailty = 20.0")
    leaving = parse(text.encode(), "leaving.toml", CATALOG)
    with pytest.raises(ScenarioError, match="no judged attempt of weighted_up_down"):
        find_gain(leaving, CATALOG.controller("weighted_up_down"), workers=1)


def test_what_is_as_good_as_the_best_lies_next_to_it():
    assert around(2, [True, False, True, True, False, True]) == (2, 3)
    assert around(0, [True, True]) == (0, 1)


def _finding(low, high, to_default):
    trials = tuple(Trial((gain,), Interval(0.1, 0.09, 0.11), Interval(1.0, 1.0, 1.0)) for gain in (0.01, 0.02, 0.04))
    return Finding("pid", ("ki",), trials, (low,), low, high, Interval(0.1, 0.09, 0.11), 5, Interval(*to_default))


@pytest.mark.parametrize(
    ("low", "high", "to_default", "words"),
    [
        (0.02, 0.02, (0.8, 0.7, 0.9), ("no other gain that was tried", "0.80 (0.70-0.90) times the default's")),
        (0.02, 0.04, (1.0, 0.9, 1.1), ("0.02 to 0.04 cannot be told", "upper end", "cannot be told from the default")),
        (0.01, 0.02, (1.0, 1.0, 1.0), ("lower end", "it is the default")),
        (0.02, 0.02, (math.nan,) * 3, ("Recommended for pid: ki = 0.02", "cannot be held against the default", "5%")),
    ],
)  # fmt: skip
def test_how_sure_it_is_is_said(low, high, to_default, words):
    assert [word for word in words if word not in said(_finding(low, high, to_default))] == []


def test_the_command_prints_a_table_a_picture_and_json(tmp_path, capsys):
    small = scenario(players=10, attempts=25)
    assert compare_gains(small, "weighted_up_down", workers=1, out=tmp_path / "gains") == 0
    out = capsys.readouterr().out
    assert "recommended" in out
    assert "How sure:" in out
    assert "as good as the best" in (tmp_path / "gains" / "gains.html").read_text()
    assert compare_gains(small, "weighted_up_down", workers=1, json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["options"] == ["step"]
    assert len(found["trials"]) > STEPS
    assert found["recommended"] in [trial["gains"] for trial in found["trials"] if trial["behind"]["high"] <= NEAR]
