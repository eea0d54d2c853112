"""A gate says met, missed or that it cannot tell; how often it is wrong, and what it would have noticed."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from engine.tally import Scheme, Tally
from sims.cli.app import main
from sims.verdict.gate import ERROR, EXIT_CODES, judge_gate
from sims.verdict.goal import Goal
from tests.kit.small import TEXT

BAND = (0.65, 0.75)
ATTEMPTS = 20


def a_tally(wins, levels=0):
    """wins: of each player in ATTEMPTS attempts, shape (cohorts, 1 + levels, players)."""
    cohorts, cells, players = wins.shape
    tally = Tally.empty(Scheme(cohorts, levels, 0, "player", 0.0, 1.0, (0, 5), 1, 86_400))
    made = np.full((cohorts, cells), players * ATTEMPTS)
    count = np.full((cohorts, cells), players)
    columns = (count, count, made, wins.sum(axis=2), (wins**2).sum(axis=2), wins.sum(axis=2) * ATTEMPTS,
               made * ATTEMPTS, 0 * made)  # fmt: skip
    tally.judged[:] = np.stack(columns, axis=2)
    return tally


def a_goal(cohorts=1, **choices):
    names = tuple(f"cohort_{number}" for number in range(cohorts))
    return Goal(names, ((BAND,),) * cohorts, choices.get("shared", False), choices.get("replicas", 1))


def players_at(rates, players, dice):
    """Wins of players whose own chances differ around the rates of their cohorts, shape (cohorts, 1, players)."""
    rates = np.asarray(rates)[:, None]
    own = dice.beta(9.0 * rates, 9.0 * (1.0 - rates), (len(rates), players))
    return dice.binomial(ATTEMPTS, own)[:, None, :]


@pytest.mark.parametrize(
    ("rates", "state", "named"),
    [
        ((0.70, 0.70), "met", ""),
        ((0.70, 0.55), "missed", "cohort_1 win 0.5"),
        ((0.86, 0.70), "missed", "cohort_0 win 0.8"),
        ((0.70, 0.75), "cannot tell", "cohort_1 win 0.7"),
        ((0.75, 0.55), "missed", "cohort_1 win 0.5"),
    ],
)
def test_each_state_has_its_words_and_its_exit_code(rates, state, named):
    tally = a_tally(players_at(rates, 2000, np.random.default_rng(1)))
    found = judge_gate(a_goal(2), tally)
    assert found.state == state
    assert found.exit_code == {"met": 0, "missed": 1, "cannot tell": 2}[state]
    text = " ".join(found.sentences)
    assert text.startswith(f"Gate: {state}. ")
    assert named in text
    assert "in 90 % of such runs" in text
    json.dumps(found.to_json(), allow_nan=False)


def test_where_every_rate_lies_in_its_band_it_is_seldom_called_missed():
    """Sixteen rates at the very edge of their bands, the worst case: at most 5 % of runs, within 4 standard errors."""
    runs, dice = 1000, np.random.default_rng(2)
    edges = np.resize(BAND, 16)
    states = [judge_gate(a_goal(16), a_tally(players_at(edges, 300, dice))).state for _ in range(runs)]
    assert states.count("missed") / runs <= ERROR + 4.0 * math.sqrt(ERROR * (1.0 - ERROR) / runs)
    assert states.count("missed") > 0  # the promise is not kept by never saying it
    assert "met" not in states


def test_where_one_rate_is_out_it_is_seldom_called_met():
    """One rate just outside, the others well inside: at most 2.5 % of runs, within 4 standard errors."""
    runs, dice = 1000, np.random.default_rng(3)
    rates = (0.70, 0.70, BAND[1] + 1e-9)
    states = [judge_gate(a_goal(3), a_tally(players_at(rates, 1000, dice))).state for _ in range(runs)]
    assert 0 < states.count("met") / runs <= 0.025 + 4.0 * math.sqrt(0.025 * 0.975 / runs)


def test_a_miss_as_large_as_it_says_is_noticed_as_often_as_it_says():
    runs, dice = 1000, np.random.default_rng(4)
    inside = a_tally(players_at((0.70, 0.70, 0.70), 400, dice))
    notice = judge_gate(a_goal(3), inside).notice
    assert 0.01 < notice < 0.08
    rates = (0.70, BAND[0] - notice, 0.70)
    states = [judge_gate(a_goal(3), a_tally(players_at(rates, 400, dice))).state for _ in range(runs)]
    # The spread is a little larger further down, and it was measured once.
    assert abs(states.count("missed") / runs - 0.9) < 4.0 * math.sqrt(0.09 / runs) + 0.03


def test_one_replica_of_a_shared_controller_tells_nothing():
    tally = a_tally(players_at((0.5,), 2000, np.random.default_rng(5)))
    found = judge_gate(a_goal(shared=True), tally)
    assert (found.state, found.exit_code) == ("cannot tell", 2)
    assert "several replicas" in found.sentences[0]
    assert found.to_json()["notice"] is None


def test_who_was_not_judged_cannot_be_told():
    tally = a_tally(players_at((0.70, 0.70), 2000, np.random.default_rng(6)))
    tally.judged[1] = 0
    found = judge_gate(a_goal(2), tally)
    assert found.exit_code == EXIT_CODES["cannot tell"]
    assert "cohort_1: nobody was judged" in found.sentences[0]
    assert "too few players to notice any miss" in found.sentences[-1]


def test_where_too_few_were_judged_more_are_asked_for():
    alone = judge_gate(a_goal(), a_tally(players_at((0.70,), 1, np.random.default_rng(7))))
    nobody = a_tally(players_at((0.70,), 2, np.random.default_rng(7)))
    nobody.judged[:] = 0
    for found in (alone, judge_gate(a_goal(), nobody)):
        assert "several players, or replicas of a shared controller, must be judged" in found.sentences[0]
        assert "no number of players" not in found.sentences[0]


@pytest.mark.parametrize("players", [20, 200])
def test_where_all_players_were_alike_no_more_is_promised_than_is_noticed(players):
    """Everybody won everything, so each player is one attempt for all that is known; the worst case is that it is."""
    runs, dice = 1000, np.random.default_rng(8)
    goal = Goal(("all",), (((0.9, 1.0),),), False, 1)
    notice = judge_gate(goal, a_tally(np.full((1, 1, players), ATTEMPTS))).notice
    assert notice < 1.9 / math.sqrt(players)
    wins = ATTEMPTS * dice.binomial(1, 0.9 - notice, (runs, 1, 1, players))
    states = [judge_gate(goal, a_tally(one)).state for one in wins]
    assert states.count("missed") / runs > 0.9 - 4.0 * math.sqrt(0.09 / runs)


@pytest.mark.parametrize(
    ("settings", "code", "state"),
    [
        (("target.win_rate=0.6", "target.tolerance=0.1"), 0, "met"),
        (("target.win_rate=0.9", "controller.name='constant'"), 1, "missed"),
        (("target.win_rate=0.6", "target.tolerance=0.1", "players.count=6"), 2, "cannot tell"),
    ],
)
def test_from_the_command_line(tmp_path, monkeypatch, capsys, settings, code, state):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(
        TEXT.format(game="logistic", controller="weighted_up_down", players=60, attempts=60), encoding="utf-8"
    )
    words = ["run", "small.toml", "--gate", "--workers", "1"]
    words += [word for setting in settings for word in ("--set", setting)]
    assert main(words) == code
    assert f"Gate: {state}." in capsys.readouterr().out
    assert main([*words, "--json"]) == code
    found = json.loads(capsys.readouterr().out)
    assert found["gate"]["state"] == state
    assert main([*words, "--quiet"]) == code
    out, err = capsys.readouterr()
    assert out.strip() == "runs/small-003"
    assert (f"Gate: {state}." in err) == (code > 0)
