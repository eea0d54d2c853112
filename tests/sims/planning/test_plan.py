"""A plan's sizes are those of players whose spread is known, and they are enough when they are played."""

from __future__ import annotations

import json
import math

import pytest

from engine.errors import ScenarioError
from engine.inference.power import clusters_for_effect
from engine.inference.sequential import LEAST
from engine.scenario import parse
from sims.catalog import Catalog
from sims.cli.app import main
from sims.comparison.comparison import compare
from sims.comparison.metrics import WIN_RATE
from sims.planning import plan as plan_module
from sims.planning.pilot import resized
from sims.planning.plan import Need, Plan, plan
from tests.kit.golden import check_golden
from tests.kit.small import TEXT

# Players who are all alike and never leave: each attempt of 20 is won with one chance.
ALIKE = (
    TEXT.format(game="logistic", controller="constant", players=100, attempts=20)
    .replace('skill = { kind = "normal", mean = 1.0, sd = 0.5 }', "skill = 1.0\nlearning = 0.0\nquit_frailty = -40.0")
    .replace('name = "new"\nshare = 0.5', 'name = "new"\nshare = 0.5\n[cohort.traits]\nskill = 0.0\nlearning = 0.0\n'
             'quit_frailty = -40.0')
)  # fmt: skip


@pytest.fixture
def small_pilot(monkeypatch):
    """Enough where all players are alike."""
    monkeypatch.setattr(plan_module, "_PAIRED_PILOT", 1000)


def a_scenario(text=ALIKE, **overrides):
    return parse(text.encode(), "small.toml", Catalog(), {key: str(value) for key, value in overrides.items()})


def test_sizes_for_players_who_are_all_alike():
    """The variance of one player's win rate is p (1 - p) / 20, known to 10 %: 4 standard errors."""
    found = plan(a_scenario(), effect=0.03, power=0.9, workers=1)
    for need in found.needs:
        variance = need.rate * (1.0 - need.rate) / 20.0
        assert need.spread**2 == pytest.approx(variance, rel=0.4)
        strict = 1.0 - 0.05 / found.tests
        assert need.unpaired == pytest.approx(clusters_for_effect(2.0 * variance, 0.03, 0.9, strict), rel=0.4)
        assert need.unpaired == clusters_for_effect(2.0 * need.spread**2, 0.03, 0.9, strict)
        assert need.flagged is None
        assert need.now == 50
    assert found.tests == 3 * 13  # twelve metrics and one cause of loss, for both groups and all players
    most = max(need.unpaired for need in found.needs)
    assert 2 * most <= found.size <= 2.02 * most
    assert found.noun == "players"


def test_with_the_same_players_it_takes_fewer(small_pilot):
    before, after = a_scenario(), a_scenario(**{"controller.options.difficulty": 0.515})
    found = plan(before, after, effect=0.02, power=0.9, workers=1)
    assert found.tests > 24
    assert found.pilot_size == 2000
    for need in found.needs:
        assert need.flagged is not None
        assert need.change == pytest.approx(-0.027, abs=0.015)
        assert need.flagged < need.unpaired / 3


# Players who quit, at one difficulty: few of them change, and those who do play unequally.
QUITTING = """
format = 1
seed = 1
[game]
name = "logistic"
params = {{ guess = 0.0 }}
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.75
after_attempts = 0
[controller]
name = "constant"
options = {{ difficulty = {difficulty} }}
[players]
count = 60
[[cohort]]
name = "a"
share = 1.0
[cohort.traits]
skill = {{ kind = "normal", mean = 0.0, sd = 0.9 }}
learning = 0.0
fatigue = 0.0
quit_frailty = {{ kind = "normal", mean = -3.5, sd = 1.0 }}
[horizon]
days = 14
attempts_per_player = 60
"""


@pytest.mark.parametrize(
    ("difficulty", "effect"),
    [
        pytest.param(0.354, 0.005, marks=pytest.mark.slow),
        pytest.param(0.358, 0.01, marks=pytest.mark.thorough),
        (0.374, 0.03),
    ],
)
def test_comparisons_of_the_planned_size_flag_the_change_in_nine_of_ten(difficulty, effect):
    """Within 4 standard errors, and two points that the plan itself may be off."""
    before, after = (a_scenario(QUITTING.format(difficulty=place)) for place in (0.35, difficulty))
    found = plan(before, after, effect=effect, workers=1)
    sides = resized(before, found.size), resized(after, found.size)
    runs = 100
    flagged = 0
    for seed in range(runs):
        changes = compare(sides[0], sides[1], seed=seed, workers=1).changes
        flagged += next(change.flagged for change in changes if change.metric == WIN_RATE)
    assert abs(flagged / runs - 0.9) <= 4.0 * math.sqrt(0.9 * 0.1 / runs) + 0.02


def a_need(cohort, **choices):
    numbers = {"rate": 0.7, "spread": 0.31, "change": None, "unpaired": 5046, "flagged": None,
               "half_width": 926, "now": 120, "power_now": 0.08, "least": 50, **choices}  # fmt: skip
    return Need(cohort, **numbers)


def a_plan(*needs, **choices):
    size = {"noun": "players", "size": 16_000, "size_now": 360, "tests": 39, "pilot_size": 600, "pilot_seed": 20261}
    lists = {"unchanged": (), "skipped": ()}
    return Plan(effect=0.02, power=0.9, needs=needs, **{**lists, **size, **choices})


PAIR = {"change": -0.031, "flagged": 410}
SMALL = {"unpaired": 50, "half_width": 50, "now": 120, "power_now": 0.99}

# Name of a golden text -> the plan that it says.
SITUATIONS = {
    "one_scenario": a_plan(a_need("newcomers"), a_need("experts", rate=0.65, unpaired=5310)),
    "one_group": a_plan(a_need("experts")),
    "two_scenarios": a_plan(a_need("newcomers", **PAIR), a_need("experts", **PAIR), size=1300, tests=56),
    "no_change": a_plan(
        a_need("experts", flagged=50, change=0.0, power_now=math.nan), unchanged=("experts",), tests=56
    ),
    "no_change_in_one_group": a_plan(
        a_need("newcomers", **PAIR),
        a_need("experts", flagged=50, change=0.0, power_now=math.nan),
        unchanged=("experts",), size=1300, tests=56,
    ),
    "one_group_not_judged": a_plan(a_need("newcomers"), skipped=("experts",)),
    "enough_but_for_the_interval": a_plan(
        a_need("experts", unpaired=71, half_width=71, now=54, power_now=0.96), size=480
    ),
    "the_least_that_is_trusted": a_plan(a_need("experts", **SMALL), size=150),
    "the_least_with_two_scenarios": a_plan(
        a_need("experts", **SMALL, change=-0.03, flagged=50), size=150, tests=56
    ),
    "the_least_saves_players": a_plan(
        a_need("experts", **{**SMALL, "unpaired": 400}, change=-0.03, flagged=50), size=150, tests=56
    ),
    "another_change": a_plan(a_need("experts", change=-0.2, flagged=90), size=270, tests=13),
    "replicas": a_plan(
        a_need("experts", unpaired=480, now=8, power_now=math.nan), noun="replicas", size=60, size_now=1, pilot_size=20
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_a_person_reads(request, monkeypatch, capsys, name):
    monkeypatch.setattr(plan_module, "plan", lambda *given, **choices: SITUATIONS[name])
    assert main(["plan", "quickstart", "--effect", "0.02"]) == 0
    check_golden(request, f"plan/{name}", capsys.readouterr().out)


def test_numbers_for_programs(small_pilot, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "before.toml").write_text(ALIKE, encoding="utf-8")
    (tmp_path / "after.toml").write_text(ALIKE.replace("ceiling = 1.0", "ceiling = 0.48"), encoding="utf-8")
    assert main(["plan", "before.toml", "after.toml", "--effect", "0.02", "--workers", "1", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [need["cohort"] for need in found["needs"]] == ["new", "old"]
    assert found["needs"][0]["flagged"] < found["needs"][0]["unpaired"]
    assert "pilot with 2,000 other players" in err.splitlines()[0]
    assert all(line.startswith("flowdial: ") for line in err.splitlines()), "a slow machine is told how long it takes"


def test_replicas_are_planned_where_a_controller_is_shared():
    text = TEXT.format(game="logistic", controller="elo", players=8, attempts=10)
    shared = text.replace('"elo"', '"elo"\nscope = "cohort"')
    found = plan(a_scenario(shared), effect=0.05, power=0.8, workers=1)
    assert (found.noun, found.pilot_size, found.size_now) == ("replicas", 20, 1)
    most = max(need.unpaired for need in found.needs)
    assert all(need.unpaired % 4 == 0 and math.isnan(need.power_now) for need in found.needs)  # whole replicas
    assert found.size >= most / 4
    assert "--set run.replicas=" in found.sentences[0]


def test_scenarios_that_are_sure_in_other_ways_are_refused():
    text = TEXT.format(game="logistic", controller="elo", players=8, attempts=10)
    shared = text.replace('"elo"', '"elo"\nscope = "cohort"')
    with pytest.raises(ScenarioError, match="must agree in controller"):
        plan(a_scenario(), a_scenario(shared), effect=0.05, power=0.8, workers=1)


def test_cohorts_of_which_nobody_is_judged_are_named(tmp_path, capsys):
    """Who quits after the first attempt is never judged."""
    late = ALIKE.replace("win_rate = 0.6", "win_rate = 0.6\nafter_attempts = 5").replace("-40.0", "20.0", 1)
    found = plan(a_scenario(late), effect=0.02, power=0.9, workers=1)
    assert found.skipped == ("new",)
    (tmp_path / "late.toml").write_text(late.replace("-40.0", "20.0"), encoding="utf-8")
    assert main(["plan", str(tmp_path / "late.toml"), "--effect", "0.02", "--workers", "1", "--quiet"]) == 2
    assert "no player was judged in a pilot" in capsys.readouterr().err


def test_what_does_not_act_on_play_is_not_promised_to_be_seen(small_pilot, tmp_path, capsys):
    renamed = ALIKE.replace('name = "new"', 'name = "fresh"')
    found = plan(a_scenario(), a_scenario(renamed), effect=0.02, power=0.9, workers=1)
    assert found.unchanged == ("new", "old")
    assert all(math.isnan(need.power_now) for need in found.needs)
    for name, text in (("before", ALIKE), ("after", renamed)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    words = [str(tmp_path / "before.toml"), str(tmp_path / "after.toml"), "--effect", "0.02", "--workers", "1"]
    assert main(["plan", *words, "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unchanged"] == ["new", "old"]


def test_a_cohort_that_alone_is_untouched_is_named(small_pilot):
    after = ALIKE.replace("[cohort.traits]\nskill = 0.0", "[cohort.traits]\nskill = 0.2")
    found = plan(a_scenario(), a_scenario(after), effect=0.02, power=0.9, workers=1)
    assert found.unchanged == ("old",)
    assert found.needs[0].power_now > 0.0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Missing option '--effect'"),
        (("--effect", "0"), "must be a number above 0 and below 1, got '0'"),
        (("--effect", "nan"), "must be a number above 0 and below 1, got 'nan'"),
        (("--effect", "0.02", "--power", "0.4"), "must be a number above 0.5 and below 1, got '0.4'"),
    ],
)
def test_wrong_usage_is_one_line(words, sentence, capsys):
    assert main(["plan", "quickstart", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert sentence in err


def test_an_effect_so_large_that_the_least_number_of_players_sees_it(small_pilot):
    """Then every number is the same, whatever pairing is worth."""
    before, after = a_scenario(), a_scenario(**{"controller.options.difficulty": 0.52})
    large = plan(before, after, effect=0.3, power=0.9, workers=1)
    assert [(need.needed, need.unpaired, need.flagged) for need in large.needs] == [(LEAST, LEAST, LEAST)] * 2
    assert all(need.is_least for need in large.needs)
    small = plan(before, after, effect=0.01, power=0.9, workers=1)
    assert not any(need.is_least for need in small.needs)
