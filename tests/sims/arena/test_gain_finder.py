"""The gain finder: one race over growing gains, what is recommended, and how sure that is."""

from __future__ import annotations

import itertools
import json
import math

import pytest

from engine.errors import ScenarioError
from engine.scenario import load, parse
from sims.arena.gain_finder import GainSearch, find_gain
from sims.arena.gains import NEAR, STEPS, GainTrial, around, gains_to_try, recommended
from sims.arena.score import Interval
from sims.catalog import Catalog
from sims.cli.app import main
from tests.kit.golden import check_golden
from tests.kit.two_groups import two_groups

CATALOG = Catalog()


@pytest.mark.parametrize("name", ["weighted_up_down", "pid", "robbins_monro", "staircase"])
def test_gains_grow_exponentially_keep_their_ratios_and_stay_in_range(name):
    kind = CATALOG.controller(name)
    usual = kind.options()._asdict()
    names = tuple(gain for gain in kind.gains if usual[gain] > 0.0)
    ways = gains_to_try(kind, names)
    highs = {option.name: option.high for option in kind.option_list}
    assert tuple(usual[gain] for gain in names) in ways, "the default is among those tried"
    assert STEPS < len(ways) <= 2 * STEPS + 1
    for small, large in itertools.pairwise(ways):
        for a, b in zip(small, large, strict=True):
            assert b / a == pytest.approx(2.0 ** (5.0 / 8.0), rel=0.02)
    assert all(gain <= highs[name] for way in ways for name, gain in zip(names, way, strict=True))


def test_the_best_of_one_valley_is_found_and_measured_again_on_others():
    """Twenty players of one dial who never change: neither the smallest nor the largest gain can be the best."""
    found = find_gain(two_groups(players=40, attempts=80), "weighted_up_down", workers=1)
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


def test_a_controller_without_a_gain_has_none_to_be_found():
    with pytest.raises(ScenarioError, match="constant has none"):
        find_gain(two_groups(), "constant", workers=1)


def test_the_smallest_gain_that_is_surely_near_the_best_is_recommended():
    exact, near, wide = Interval(1.0, 1.0, 1.0), Interval(1.02, 0.99, 1.05), Interval(1.02, 0.9, 1.2)
    far, unknown = Interval(1.2, 1.1, 1.3), Interval(math.nan, math.nan, math.nan)
    assert recommended(3, [far, wide, near, exact, near]) == 2, "what cannot be told apart is not near yet"
    assert recommended(2, [unknown, wide, exact, wide]) == 2


ONE_GROUP = {
    "one dial for everybody": lambda: two_groups(scope="everyone"),
    "one player": lambda: load(CATALOG.scenario("arena/stationary"), CATALOG, [("players.count", "1")]),
    "one cohort": lambda: load(CATALOG.scenario("arena/batch20"), CATALOG, [("run.replicas", "1")]),
}


@pytest.mark.parametrize("name", ONE_GROUP)
def test_one_group_finds_no_gain(name):
    """Without a margin any gain would do, the worst too."""
    with pytest.raises(ScenarioError, match=r"only one group.*set \[run\] replicas to a larger number") as fault:
        find_gain(ONE_GROUP[name](), "weighted_up_down", workers=1)
    assert len(str(fault.value).splitlines()) == 1


def test_where_no_chance_is_judged_no_gain_is_found():
    text = two_groups().resolved_toml().replace("quit_frailty = -40.0", "quit_frailty = 20.0")
    leaving = parse(text.encode(), "leaving.toml", CATALOG)
    with pytest.raises(ScenarioError, match="no judged attempt of weighted_up_down"):
        find_gain(leaving, "weighted_up_down", workers=1)


def test_what_is_as_good_as_the_best_lies_next_to_it():
    assert around(2, [True, False, True, True, False, True]) == (2, 3)
    assert around(0, [True, True]) == (0, 1)


def tried(low, high, to_default):
    errors = {0.01: 0.11, 0.02: 0.10, 0.04: 0.12}
    trials = tuple(
        GainTrial((gain,), Interval(rmse, rmse - 0.01, rmse + 0.01), Interval(10 * rmse, 9 * rmse, 11 * rmse))
        for gain, rmse in errors.items()
    )
    fresh = Interval(0.1, 0.09, 0.11)
    return GainSearch("pid", ("ki",), trials, (low,), low, high, fresh, 5, Interval(*to_default), two_groups())


def test_how_sure_it_is_is_said(request):
    cases = {
        "sure": tried(0.02, 0.02, (0.8, 0.7, 0.9)),
        "up to the largest, as good as the default": tried(0.02, 0.04, (1.0, 0.9, 1.1)),
        "down to the smallest, the default": tried(0.01, 0.02, (1.0, 1.0, 1.0)),
        "default not comparable": tried(0.02, 0.02, (math.nan,) * 3),
    }
    text = "\n\n".join("\n  ".join([name, *case.sentences]) for name, case in cases.items())
    check_golden(request, "arena/gains", text)
    check_golden(request, "arena/gain_search", cases["down to the smallest, the default"].text)


def test_the_command_prints_a_table_a_page_and_json(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(two_groups(players=10, attempts=25).resolved_toml())
    command = ["compare", "small.toml", "--find-gain", "weighted_up_down", "--workers", "1"]
    assert main([*command, "--out", "gains"]) == 0
    assert "recommended" in capsys.readouterr().out
    assert "may be as good as the best" in (tmp_path / "gains" / "gains.html").read_text()
    assert main([*command, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["options"] == ["step"]
    assert len(content["trials"]) > STEPS
    assert content["recommended"] in [trial["gains"] for trial in content["trials"] if trial["behind"]["high"] <= NEAR]
