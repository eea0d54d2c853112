"""A contradiction between targets and skill is told before the search where it is sure, and nowhere else."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from engine.errors import RunFolderError
from engine.players import Distribution, distribution_table
from engine.scenario import Scenario, parse
from sims.catalog import Catalog, load_scenario
from sims.tuning.answer import skill_order
from sims.tuning.answer.skill_order import find_contradiction, lead_lost, skills_of
from sims.tuning.problem import free_knobs, problem_of
from sims.tuning.tune import tune
from tests.kit import small
from tests.kit.golden import check_golden

CATALOG = Catalog()


def scenario(*pairs: tuple[str, str]) -> Scenario:
    """Two cohorts, of which "old" are more skilled, with other targets and traits."""
    text = small.TEXT.format(game="logistic", controller="constant", players=40, attempts=100)
    return parse(text.encode(), "small.toml", CATALOG, pairs)


def target(cohort: str, low: float, high: float) -> tuple[str, str]:
    return f"cohort.{cohort}.target", f"{{ band = [{low}, {high}] }}"


AGAINST = (target("new", 0.7, 0.8), target("old", 0.5, 0.6))


def test_the_bundled_scenario_has_a_contradiction(request):
    found = find_contradiction(problem_of(free_knobs(load_scenario("quickstart"))))
    check_golden(request, "tuning/contradictory_targets", found)


@pytest.mark.parametrize(
    "pairs",
    [
        (),
        (target("new", 0.5, 0.6), target("old", 0.7, 0.8)),
        (target("new", 0.6, 0.7), target("old", 0.5, 0.6)),  # one setting may lie on both edges
        (target("new", 0.615, 0.7), target("old", 0.5, 0.6)),  # less than games keep their order by
        (*AGAINST, ("cohort.old.traits.speed", "1.3")),  # who is slower may win less
        (*AGAINST, ("cohort.new.traits.slip", "0.0")),
        (*AGAINST, ("cohort.old.traits.thrown", "1.0")),
        (*AGAINST, ("cohort.new.traits.jump", "3.0")),  # and so may who is behind after practice
        (*AGAINST, ("cohort.new.traits.learning", "0.5"), ("target.after_attempts", "20")),
        (*AGAINST, ("cohort.old.traits.skill", '{ kind = "normal", mean = 1.0, sd = 2.5 }')),  # ahead, but not all
        (*AGAINST, ("cohort.old.traits.jump", '{ kind = "uniform", low = 0.0, high = 1.0 }')),  # not looked into
    ],
)
def test_nothing_is_said_where_it_is_not_sure(pairs):
    assert find_contradiction(problem_of(scenario(*pairs))) == ""


@pytest.mark.parametrize(
    "pairs",
    [
        (),
        (("cohort.new.traits.quit_frailty", "-9.0"), ("cohort.old.traits.fatigue", "0.3")),  # no attempt turns on these
        (("cohort.old.traits.skill", "-0.5"), ("cohort.old.traits.jump", "4.0")),
        (("cohort.new.traits.speed", "1.3"), ("cohort.old.traits.speed", "1.3")),
    ],
)
def test_who_is_ahead_in_skill_and_is_to_win_less_is_named(pairs):
    found = find_contradiction(problem_of(scenario(*AGAINST, *pairs)))
    assert found.startswith("contradictory targets: old are more skilled than new, so ")
    assert "the target is 50 to 60 % for old and 70 to 80 % for new." in found


def test_who_is_as_skilled_is_not_called_more_skilled():
    same = tuple((f"cohort.{name}.traits.skill", "0.5") for name in ("new", "old"))
    found = find_contradiction(problem_of(scenario(*AGAINST, *same)))
    assert found.startswith("contradictory targets: old are as skilled as new, so ")


def test_the_skills_of_a_cohort_are_worked_out_once(monkeypatch):
    seen = []

    def watched(table, attempts):
        seen.append(table)
        return skills_of(table, attempts)

    monkeypatch.setattr(skill_order, "skills_of", watched)
    levels = (("levels.kind", '"campaign"'), ("levels.count", "9"))
    rising = ("cohort.new.target.levels", str([0.5] * 9)), ("cohort.old.target.levels", str([0.8] * 9))
    assert find_contradiction(problem_of(scenario(*levels, *rising))) == ""
    assert len(seen) == 2


def test_only_targets_of_one_level_contradict_each_other():
    levels = (("levels.kind", '"campaign"'), ("levels.count", "2"))
    rising = ("cohort.new.target.levels", "[0.8, 0.6]"), ("cohort.old.target.levels", "[0.8, 0.6]")
    falling = ("cohort.new.target.levels", "[0.7, 0.8]"), ("cohort.old.target.levels", "[0.7, 0.5]")
    assert find_contradiction(problem_of(scenario(*levels, *rising))) == ""
    assert "the target on level 2 is 45 to 55 %" in find_contradiction(problem_of(scenario(*levels, *falling)))


def test_skill_after_practice_is_that_of_the_distributions():
    traits = {"skill": Distribution("normal", 0.3, 0.8), "learning": Distribution("fixed", 0.2)}
    found = np.sort(skills_of(distribution_table(traits), 20))
    wanted = NormalDist(0.3 + 0.2 * math.log(21.0), 0.8)
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert wanted.cdf(np.quantile(found, share)) == pytest.approx(share, abs=1.0 / 250)
    drawn = np.sort(skills_of(distribution_table({**traits, "learning": Distribution("uniform", 0.0, 0.4)}), 20))
    assert drawn.mean() == pytest.approx(wanted.mean, abs=1e-3)
    spread = math.hypot(0.8, 0.4 * math.log(21.0) / math.sqrt(12.0))
    assert drawn.std() == pytest.approx(spread, rel=0.01)


def test_what_a_lead_may_lose_is_the_largest_difference_of_the_distributions():
    even = (np.arange(1000) + 0.5) / 1000
    narrow, wide = (np.array([NormalDist(0.5, sd).inv_cdf(u) for u in even]) for sd in (0.5, 1.0))
    places = np.linspace(-4.0, 4.0, 4001)
    known = max(NormalDist(0.5, 0.5).cdf(x) - NormalDist(0.5, 1.0).cdf(x) for x in places)
    assert lead_lost(narrow, wide) == pytest.approx(known, abs=2.0 / 1000)
    assert lead_lost(narrow + 10.0, narrow) == 0.0
    assert lead_lost(narrow, narrow + 10.0) == 1.0


def test_a_warning_comes_before_there_is_a_folder(tmp_path):
    messages: list[str] = []
    with pytest.raises(RunFolderError):
        tune(scenario(*AGAINST), budget=100_000, out=tmp_path, workers=1, on_message=messages.append)
    assert [message.partition(": old")[0] for message in messages] == ["warning: contradictory targets"]
    with pytest.raises(RunFolderError):
        tune(scenario(), budget=100_000, out=tmp_path, workers=1, on_message=messages.append)
    assert len(messages) == 1
