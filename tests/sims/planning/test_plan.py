"""A plan's sizes are those of players whose spread is known, and they are enough when they are played."""

from __future__ import annotations

import dataclasses
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
from sims.planning.pilot import resized
from sims.planning.plan import Need, Plan, plan
from tests.kit.small import TEXT

# Players who are all alike and never leave: each attempt of 20 is won with one chance.
ALIKE = (
    TEXT.format(game="logistic", controller="constant", players=100, attempts=20)
    .replace('skill = { kind = "normal", mean = 1.0, sd = 0.5 }', "skill = 1.0\nlearning = 0.0\nquit_frailty = -40.0")
    .replace('name = "new"\nshare = 0.5', 'name = "new"\nshare = 0.5\n[cohort.traits]\nskill = 0.0\nlearning = 0.0\n'
             'quit_frailty = -40.0')
)  # fmt: skip


def a_scenario(text=ALIKE, **overrides):
    return parse(text.encode(), "small.toml", Catalog(), {key: str(value) for key, value in overrides.items()})


def test_sizes_for_players_who_are_all_alike():
    """The variance of one player's win rate is p (1 - p) / 20, known to 10 %: 4 standard errors."""
    found = plan(a_scenario(), effect=0.03, power=0.9, workers=1)
    for need in found.needs:
        variance = need.rate * (1.0 - need.rate) / 20.0
        assert need.spread**2 == pytest.approx(variance, rel=0.4)
        assert need.unpaired == pytest.approx(clusters_for_effect(2.0 * variance, 0.03, 0.9), rel=0.4)
        assert need.unpaired == clusters_for_effect(2.0 * need.spread**2, 0.03, 0.9)
        assert need.paired is None
        assert need.now == 50
    most = max(need.unpaired for need in found.needs)
    assert 2 * most <= found.size <= 2.2 * most
    assert found.noun == "players"


def test_with_the_same_players_it_takes_fewer_and_they_are_enough():
    before, after = a_scenario(), a_scenario(**{"controller.options.difficulty": 0.52})
    found = plan(before, after, effect=0.02, power=0.9, workers=1)
    assert found.tests is not None
    assert found.tests > 24
    for need in found.needs:
        assert need.paired is not None
        assert need.flagged is not None
        assert need.paired < need.unpaired / 3
        assert need.paired < need.flagged < 4 * need.paired
    size = resized(before, found.size), resized(after, found.size)
    compared = compare(size[0], [size[1]], 99, workers=1)
    for change in compared.changes:
        if change.metric == WIN_RATE and change.cohort:
            # An effect is seen with power 0.9 when it is 1.96 + 1.28 standard errors.
            assert change.difference.error * 3.24 <= 0.02 * 1.2


def test_the_words_of_a_colleague(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "before.toml").write_text(ALIKE, encoding="utf-8")
    (tmp_path / "after.toml").write_text(ALIKE.replace("ceiling = 1.0", "ceiling = 0.48"), encoding="utf-8")
    assert main(["plan", "before.toml", "--effect", "0.02", "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    assert "To see a change of 0.02 in the win rate of every cohort in 90 % of comparisons, play " in out
    assert "name the changed scenario too" in out
    assert "pilot of 400 other players" in err
    assert main(["plan", "before.toml", "after.toml", "--effect", "0.02", "--workers", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [need["cohort"] for need in found["needs"]] == ["new", "old"]
    assert found["needs"][0]["paired"] < found["needs"][0]["unpaired"]
    assert any("With different players it would take" in sentence for sentence in found["said"])


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
    with pytest.raises(ScenarioError, match="needs more players and this one other"):
        plan(a_scenario(), a_scenario(shared), effect=0.05, power=0.8, workers=1)


def test_cohorts_of_which_nobody_is_judged_are_named(tmp_path, capsys):
    """Who quits after the first attempt is never judged."""
    late = ALIKE.replace("win_rate = 0.6", "win_rate = 0.6\nafter_attempts = 5").replace("-40.0", "20.0", 1)
    found = plan(a_scenario(late), effect=0.02, power=0.9, workers=1)
    assert found.skipped == ("new",)
    assert "Of new nothing can be said: too few of them played long enough." in found.sentences
    (tmp_path / "late.toml").write_text(late.replace("-40.0", "20.0"), encoding="utf-8")
    assert main(["plan", str(tmp_path / "late.toml"), "--effect", "0.02", "--workers", "1", "--quiet"]) == 2
    assert "nobody played long enough to be judged" in capsys.readouterr().err


def test_what_does_not_act_on_play_is_not_promised_to_be_seen(tmp_path, capsys):
    renamed = ALIKE.replace('name = "new"', 'name = "fresh"')
    found = plan(a_scenario(), a_scenario(renamed), effect=0.02, power=0.9, workers=1)
    assert found.unchanged == ("new", "old")
    assert all(math.isnan(need.power_now) for need in found.needs)
    first, *rest = found.sentences
    assert "no number of players would show a change" in first
    assert not any("To see a change" in sentence or "as many" in sentence for sentence in rest)
    for name, text in (("before", ALIKE), ("after", renamed)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    words = [str(tmp_path / "before.toml"), str(tmp_path / "after.toml"), "--effect", "0.02", "--workers", "1"]
    assert main(["plan", *words, "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unchanged"] == ["new", "old"]


def test_a_cohort_that_alone_is_untouched_is_named():
    after = ALIKE.replace("[cohort.traits]\nskill = 0.0", "[cohort.traits]\nskill = 0.2")
    found = plan(a_scenario(), a_scenario(after), effect=0.02, power=0.9, workers=1)
    assert found.unchanged == ("old",)
    assert found.needs[0].power_now > 0.0
    assert any("nobody of old won more or less often" in sentence for sentence in found.sentences)


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


@pytest.mark.parametrize(("power_now", "told"), [(0.96, True), (0.5, False)])
def test_it_says_so_when_there_are_players_enough_but_not_for_an_interval(power_now, told):
    need = Need("experts", 0.7, 0.02, None, 71, None, None, 71, 54, power_now)
    words = " ".join(Plan(0.02, 0.9, (need,), (), (), "players", 480, 360, None, 1334, 1).sentences)
    assert ("see such a change in 96 % of comparisons already" in words) is told


def test_where_the_least_that_is_trusted_decides_nothing_is_said_of_what_pairing_saves():
    """An effect so large that few players see it: every number is the same, whatever pairing is worth."""
    before, after = a_scenario(), a_scenario(**{"controller.options.difficulty": 0.52})
    large = plan(before, after, effect=0.3, power=0.9, workers=1)
    assert [(need.paired, need.unpaired, need.flagged) for need in large.needs] == [(LEAST, LEAST, LEAST)] * 2
    words = " ".join(large.sentences)
    assert "times as many" not in words
    assert "Fewer would see such a change; the number is larger because no interval is trusted" in words
    dearer = tuple(need._replace(unpaired=400) for need in large.needs)
    words = " ".join(dataclasses.replace(large, needs=dearer).sentences)
    assert "With different players it would take 8.0 times as many." in words
    assert "to be flagged" not in words
    small = plan(before, after, effect=0.01, power=0.9, workers=1)
    assert not any(need.is_least for need in small.needs)
    words = " ".join(small.sentences)
    assert "Fewer would see" not in words
    assert words.count("times as many") == 2
