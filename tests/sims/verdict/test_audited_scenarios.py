"""Scenarios whose verdicts once promised more than held: each says now what it rests on."""

from __future__ import annotations

from functools import cache

import pytest

from engine.errors import ScenarioError
from engine.scenario import Scenario, parse, setup_of
from engine.tally import Tally, scheme_of, tally_of
from engine.world import chunks, simulate
from sims.catalog import Catalog
from sims.runs.tables import goal_for
from sims.verdict.gate import judge_gate
from sims.verdict.verdict import Verdict, verdict

LOSERS_LEAVE_FIRST = """
format = 1
seed = 3
game.name = "logistic"
dial = { floor = 0.0, ceiling = 1.0 }
target = { win_rate = 0.8, tolerance = 0.03, after_attempts = 20 }
controller = { name = "constant", options = { difficulty = 0.5 } }
players.count = 1500
players.arrival = { kind = "launch", within_days = 1.0 }
players.flow = { quit_frustration = -6.0, quit_streak = 0.6, quit_won = 0.0 }
horizon = { days = 14, attempts_per_player = 200 }
[[cohort]]
name = "a"
share = 1.0
[cohort.traits]
skill = { kind = "normal", mean = 0.0, sd = 1.6 }
learning = 0.0
quit_frailty = { kind = "normal", mean = -5.0, sd = 1.0 }
"""

RIGHT_ON_AVERAGE = """
format = 1
seed = 5
game = { name = "logistic", params = { guess = 0.0 } }
dial = { floor = 0.0, ceiling = 1.0 }
levels = { kind = "campaign", count = 8 }
target = { levels = [0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5], tolerance = 0.04 }
controller = { name = "constant", options = { difficulty = 0.382 } }
players.count = 3000
horizon = { days = 100, attempts_per_player = 80 }
[[cohort]]
name = "casual"
share = 0.6
traits = { skill = 0.0, lapse = 0.0, learning = 0.0, fatigue = 0.0 }
[[cohort]]
name = "core"
share = 0.4
traits = { skill = 0.0, lapse = 0.0, learning = 0.0, fatigue = 0.0 }
"""

AT_THE_EASY_END = """
format = 1
seed = 2
game.name = "logistic"
dial = { floor = 0.3, ceiling = 1.0 }
target = { win_rate = 0.9, tolerance = 0.18, after_attempts = 5 }
controller.name = "CONTROLLER"
players.count = 400
horizon = { days = 60, attempts_per_player = 90 }
[[cohort]]
name = "a"
share = 1.0
traits = { skill = SKILL, learning = 0.0, fatigue = 0.0, quit_frailty = -40 }
"""


def read(text: str, *settings: tuple[str, str]) -> Scenario:
    return parse(text.encode(), "audited.toml", Catalog(), settings)


@cache
def judged(text: str) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict on a scenario, and the sentences of its gate."""
    scenario = read(text)
    setup = setup_of(scenario, Catalog())
    tally = Tally.empty(scheme := scheme_of(setup, scenario.after_attempts))
    for chunk in chunks(setup):
        played = simulate(setup, chunk)
        tally += tally_of(played.rows, played.players, scheme)
    goal = goal_for(scenario, setup)
    return verdict(goal, tally), judge_gate(goal, tally).sentences


def test_those_who_left_before_they_were_judged_are_told():
    """852 of 1,500 players left before their 21st attempt and won .517: a re-count from the rows."""
    found, gate = judged(LOSERS_LEAVE_FIRST)
    (row,) = found.rows
    assert (row.state, row.never_judged) == ("in band", 852)
    assert row.never_judged_win_rate == pytest.approx(0.517, abs=0.0005)
    assert row.win_rate_by_player < row.win_rate - 0.15
    assert row.warm_up_win_rate == pytest.approx(0.65, abs=0.01)
    assert "57 % of its players were never judged" in found.sentences[0]
    assert "65 % were won" in found.judged
    for said in (found.text, " ".join(gate)):
        assert "852 of 1,500 players of a (57 %)" in said
        assert "51.7 % of their attempts" in said


def test_a_campaign_whose_mean_is_right_is_not_met():
    """All levels win .72, the mean of the wanted rates: only levels 4 and 5 can be on target."""
    found, gate = judged(RIGHT_ON_AVERAGE)
    for row in found.rows:
        assert row.target_low < row.win_rate_low < row.win_rate_high < row.target_high, "on average all is well"
    assert [row.state for row in found.rows] == ["off", "off"]
    assert not found.met
    assert sum(row.state == "in band" for row in found.level_rows) <= 4
    assert found.sentences[0].startswith("Of 16 win rates, one per player group and level, ")
    assert gate[0].startswith("Gate: missed.")


def test_a_warm_up_in_a_campaign_is_refused():
    with pytest.raises(ScenarioError, match="must be 0 in a campaign, got 20"):
        read(RIGHT_ON_AVERAGE, ("target.after_attempts", "20"))


def test_a_controller_near_an_end_is_not_praised():
    """A floor too hard for its target: the rule keeps inside the floor, and hovers within .014 of it."""
    found, gate = judged(AT_THE_EASY_END.replace("CONTROLLER", "kalman").replace("SKILL", "-0.9"))
    (row,) = found.rows
    assert row.state == "in band"
    assert row.easy_end_share > 0.5
    assert ", but its difficulty was at its easiest or hardest in " in found.sentences[0]
    assert "the win rate is not the controller's alone" in gate[-1]


@pytest.mark.thorough
@pytest.mark.parametrize("controller", ["kalman", "kalman_bank", "weighted_up_down", "elo", "pid", "quest"])
def test_a_controller_that_settles_does_not_swing(controller):
    found, _ = judged(AT_THE_EASY_END.replace("CONTROLLER", controller).replace("SKILL", "1.5"))
    assert 0.0 < found.rows[0].difficulty_swing < 0.1
    assert "swings" not in found.text
