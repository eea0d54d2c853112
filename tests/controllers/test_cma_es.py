"""CMA-ES as a live controller: tickets, records, drift, and two cohorts of gap_runner brought to their targets."""

from __future__ import annotations

import json

import numpy as np
import pytest

from controllers.common.local_response import PlaceCounts, fit_response
from controllers.self_adaptive.cma_es import CmaEs, Options
from engine.arithmetic import logistic
from engine.attempt import attempt_of
from engine.contract.controller_conduct import PLAYERS, brief_for, by_skill, play_exchanges
from engine.contract.ladder import SPACE
from engine.controller import Brief, Outcome, Situation, Who
from engine.errors import ScenarioError
from engine.game import WON
from engine.kernel import compiled
from engine.parameters import ParameterSpace, straight_path
from engine.players import PLAYER, Distribution, be_born, distribution_table, faculties_of
from engine.randomness import CHANCE, key_of, uniform
from games.gap_runner import GAME

pytestmark = pytest.mark.thorough

QUICK = Options(population=8.0, attempts=10.0, generations=4.0)


def driven(controller, brief, rounds, delay=0):
    return list(play_exchanges(controller, brief, by_skill(0.35, 0.65), rounds, delay))


@pytest.mark.parametrize("scope", ["cohort", "everyone"])
@pytest.mark.parametrize("rounds", [3, 57, 230])
def test_cma_es_goes_on_from_its_record_as_if_nothing_had_happened(scope, rounds):
    brief = brief_for(scope)
    first = CmaEs(QUICK, brief)
    driven(first, brief, rounds, delay=5)
    second = CmaEs(QUICK, brief)
    second.remember(json.loads(json.dumps(first.memory(), allow_nan=False)))
    ahead = [[(e.asked, repr(e.described)) for e in driven(controller, brief, 60)] for controller in (first, second)]
    assert ahead[0] == ahead[1]
    assert [first.best(cohort) for cohort in (0, 1)] == [second.best(cohort) for cohort in (0, 1)]


def test_cma_es_explores_by_address():
    brief = brief_for("cohort")
    asked = [[e.asked for e in driven(CmaEs(QUICK, b), b, 30)] for b in (brief, brief, brief._replace(replica=1))]
    assert asked[0] == asked[1] != asked[2]


def test_cma_es_gives_every_candidate_its_attempts_and_lets_nobody_wait():
    brief = brief_for("cohort")
    tickets = [exchange.asked.ticket for exchange in driven(CmaEs(QUICK, brief), brief, 21, delay=10**6)]
    played_by_one = [ticket for ticket in tickets if ticket % 2 == 0]
    counts = [played_by_one.count(ticket) for ticket in sorted(set(played_by_one))]
    assert counts == [4, *[10] * 8]  # the centre is played when all candidates wait for outcomes


def test_cma_es_credits_outcomes_by_ticket_in_any_order():
    brief = brief_for("everyone")
    who = [Who(number, number % 2, Situation(0.55, 0, 0, 0, 1.0)) for number in range(160)]
    forward, backward = CmaEs(QUICK, brief), CmaEs(QUICK, brief)
    outcomes = []
    for player in who:
        asked = forward.ask(player)
        assert backward.ask(player) == asked
        outcomes.append(Outcome(player, asked, asked.difficulty < 0.5, 0.0, 0.0, 0.0))
    for outcome in outcomes:
        forward.tell(outcome)
    for outcome in reversed(outcomes):
        backward.tell(outcome)
    assert forward.best(0) == backward.best(0)
    assert forward.describe(who[0])["generation"] == backward.describe(who[0])["generation"] == 1.0


def test_lost_outcomes_do_not_stop_the_search():
    brief = brief_for("cohort")
    controller = CmaEs(QUICK, brief)
    for i, exchange in enumerate(play_exchanges(controller, brief, by_skill(0.5, 0.5), 400, delay=10**6)):
        if i % 3:
            controller.tell(exchange.outcome)
    assert controller.describe(exchange.outcome.who)["generation"] > 2.0


def test_cma_es_keeps_whole_knobs_whole_and_stays_between_floor_and_ceiling():
    brief = brief_for("cohort")
    for exchange in driven(CmaEs(QUICK, brief), brief, 120):
        units = exchange.asked.units
        assert all(brief.floor <= u <= brief.ceiling for u in units)
        assert (units[2] * 8.0 - 0.5) == pytest.approx(round(units[2] * 8.0 - 0.5))
        assert (units[3] * 3.0 - 0.5) == pytest.approx(round(units[3] * 3.0 - 0.5))


def test_cma_es_starts_over_when_the_players_change():
    brief = brief_for("everyone")
    controller = CmaEs(QUICK, brief)
    weak, strong = by_skill(0.2, 0.2), by_skill(0.9, 0.9)
    for _ in play_exchanges(controller, brief, weak, 200):
        pass
    before = controller.best(0)
    assert controller.memory()["searches"][0]["open"][1:] == []
    late = [len(controller.memory()["searches"][0]["open"]) for _ in play_exchanges(controller, brief, strong, 200)]
    assert max(late) == 9
    assert controller.best(0).difficulty > before.difficulty + 0.2


def test_cma_es_refuses_a_space_in_which_nothing_moves():
    held = ParameterSpace(*SPACE.knobs, held={knob.name: knob.default for knob in SPACE.knobs})
    with pytest.raises(ScenarioError, match="needs a knob"):
        CmaEs(QUICK, brief_for("cohort")._replace(space=held, path=straight_path(held)))


def test_the_local_response_finds_planted_values():
    key = key_of(83, 0, CHANCE, 0, 0)
    slopes = np.array([-3.0, -1.0])
    rows = []
    for i in range(400):
        place = np.array([uniform(key, 3 * i), uniform(key, 3 * i + 1)])
        p = logistic(0.4 + float(slopes @ (place - 0.5)))
        rows.append(PlaceCounts(place, 50.0, float(round(50.0 * p)), 1.0))
    fit = fit_response(rows, np.array([0.5, 0.5]))
    assert fit.level == pytest.approx(0.4, abs=0.05)
    assert fit.slopes == pytest.approx(slopes, abs=0.15)


def test_the_local_response_of_nothing_but_wins_is_finite():
    fit = fit_response([PlaceCounts(np.array([0.5]), 1000.0, 1000.0, 1.0)] * 20, np.array([0.5]))
    assert 0.99 < fit.rate_at(np.array([0.5])) < 1.0


# --- CMA-ES on gap_runner: three knobs, two cohorts, fresh seeds

PLAY = attempt_of(GAME)
TARGETS = (0.55, 0.7)
SKILLS = (Distribution("normal", -0.7, 0.7), Distribution("normal", 1.4, 0.5))


def wins_of(player, table, values, seed, first, count):
    won = 0
    for number in range(first, first + count):
        be_born(player, number, 0, table, seed, 0, 0, 0.85)
        won += PLAY(values, faculties_of(player), seed, 0, number, 0, 0).outcome == WON
    return won


@pytest.mark.parametrize("knobs", [("gap_share", "obstacles", "hearts"), ("gap_share", "speed", "obstacles")])
def test_cma_es_brings_both_cohorts_of_gap_runner_to_their_targets(knobs):
    count = compiled(wins_of)
    player = np.zeros(1, PLAYER)[0]
    tables = [distribution_table({"skill": skill}) for skill in SKILLS]
    space = ParameterSpace(*GAME.space.knobs, held={k.name: k.default for k in GAME.space if k.name not in knobs})
    targets = np.array([[target] for target in TARGETS])
    brief = Brief(
        space, straight_path(space), 0.0, 1.0, targets, "cohort", ("new", "old"), 84, 0, GAME, np.array(tables)
    )
    controller = CmaEs(Options(), brief)
    for attempt in range(3000):
        for cohort, table in enumerate(tables):
            who = Who(attempt, cohort, Situation(TARGETS[cohort], 0, 0, 0, 1.0))
            asked = controller.ask(who)
            won = count(player, table, np.array(space.real(asked.units or ())), 84 + cohort, attempt, 1)
            controller.tell(Outcome(who, asked, bool(won), 0.0, 0.0, 0.0))
    for cohort, table in enumerate(tables):
        values = np.array(space.real(controller.best(cohort).units or ()))
        fresh = count(player, table, values, 8484, 10**6, 4000) / 4000
        assert abs(fresh - TARGETS[cohort]) < 0.05
        assert (
            abs(controller.describe(Who(0, cohort, Situation(TARGETS[cohort], 0, 0, 0, 1.0)))["win_rate"] - fresh)
            < 0.08
        )


def test_the_small_world_has_both_cohorts_and_all_kinds_of_knobs():
    assert {knob.scale for knob in SPACE.knobs} == {"linear", "log", "integer", "choice"}
    assert PLAYERS >= 2
