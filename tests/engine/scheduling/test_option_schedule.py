"""Options and gains that change with outcomes: shapes, stairs, plateaus, and that a schedule of nothing is nothing."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from engine.controller import Bounds, Observation, Situation
from engine.errors import ScenarioError
from engine.rule import prepare_options
from engine.scenario import parse, setup_of
from engine.scheduling.option_schedule import GainSchedule, OptionSchedule
from engine.scheduling.scheduled_rule import scheduled_kind, why_no_gain_schedule
from engine.world import chunks, simulate
from sims.arena.race import own_entrant
from sims.catalog import Catalog, load_scenario
from sims.window.playing.human_session import human_setup
from tests.kit import small

CATALOG = Catalog()
BOUNDS = Bounds(0.0, 1.0, 0.6, 0.6)
RULES = [entry.name for entry in CATALOG.controllers() if why_no_gain_schedule(CATALOG.controller(entry.name)) is None]
SETUP = setup_of(small.scenario(controller="weighted_up_down"), CATALOG)


def moves(name, schedule, wins, target=0.6):
    """The difficulties that a rule asks for while it is told these outcomes."""
    kind = CATALOG.controller(name)
    rule = scheduled_kind(kind).rule if schedule else kind.rule
    assert rule is not None
    assert rule.anti_windup is not None
    brief = dataclasses.replace(SETUP, kind=kind, schedule=schedule).brief(0)
    chosen = prepare_options(rule, kind.options(), brief)
    state = rule.start(chosen, target)
    asked = []
    for attempt, won in enumerate(wins):
        asked.append(rule.ask(chosen, state, Situation(target, attempt, 0, attempt, 1.0)))
        seen = Observation(asked[-1], won, won, won, target, float(attempt), 1.0, 1.0)
        state = rule.anti_windup(chosen, rule.tell(chosen, state, seen), BOUNDS)
    return np.array(asked)


COSINE = {"controller.name": "elo", "controller.gain.shape": "cosine"}
WINS = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0] * 4


@pytest.mark.parametrize("name", RULES)
def test_every_rule_with_a_gain_follows_a_shape(name):
    plain = moves(name, OptionSchedule(), WINS)
    same = moves(name, OptionSchedule(gain=GainSchedule("cosine", length=40, last=1.0)), WINS)
    assert np.array_equal(plain, same)
    damped = moves(name, OptionSchedule(gain=GainSchedule("warm_up", length=400, first=0.1, rise=0.4)), WINS)
    assert 0.0 < np.abs(np.diff(damped)).sum() < 0.8 * np.abs(np.diff(plain)).sum()


def test_rules_that_steer_their_gain_and_controllers_without_one_are_named():
    reasons = {entry.name: why_no_gain_schedule(CATALOG.controller(entry.name)) for entry in CATALOG.controllers()}
    assert reasons["plateau"] == "plateau changes its gain by itself"
    assert reasons["hypergradient"] == "hypergradient changes its gain by itself"
    assert reasons["kalman"] == "kalman has no gain"
    assert set(RULES) >= {"weighted_up_down", "robbins_monro", "kesten", "staircase", "elo", "pid", "dual", "gradient"}


def test_shapes_are_those_of_their_sources():
    cosine = GainSchedule("cosine", length=101, last=0.2)
    assert [cosine.share(n) for n in (0, 50, 100, 400)] == pytest.approx([1.0, 0.6, 0.2, 0.2])
    warm_up = GainSchedule("warm_up", length=101, first=0.2, rise=0.4)
    assert [warm_up.share(n) for n in (0, 20, 40, 400)] == pytest.approx([0.2, 0.6, 1.0, 1.0])
    cycle = GainSchedule("one_cycle", length=101, first=0.2, last=0.1, rise=0.25)
    assert [cycle.share(n) for n in (0, 25, 50, 100)] == pytest.approx([0.2, 1.0, 0.2, 0.1])


def test_a_long_shape_is_a_fine_staircase():
    knots = OptionSchedule(gain=GainSchedule("cosine", length=10_000_000)).knots()
    assert len(knots) <= 4098
    assert knots[-1] == 10_000_000
    assert OptionSchedule(gain=GainSchedule("cosine", length=200)).knots() == list(range(201))


def test_a_race_is_refused_where_options_change():
    with pytest.raises(ScenarioError, match="compared with fixed options here, but those of this scenario change"):
        own_entrant(load_scenario("arena/jump", **COSINE), CATALOG)


def test_a_person_plays_against_the_schedule_of_the_scenario():
    setup = setup_of(load_scenario("arena/jump", **COSINE), CATALOG)
    human = human_setup(setup, CATALOG.controller("elo"), 0.5)
    assert human.kind is setup.kind
    assert human.schedule == setup.schedule
    assert human_setup(setup, CATALOG.controller("kalman"), 0.5).kind is CATALOG.controller("kalman")


def test_a_step_is_the_gain_times_its_share():
    shape = GainSchedule("cosine", length=30, last=0.0)
    asked = moves("weighted_up_down", OptionSchedule(gain=shape), WINS[:30])
    errors = np.array(WINS[:29]) - 0.6
    assert np.diff(asked) == pytest.approx(0.05 * errors * [shape.share(n) for n in range(29)], abs=1e-12)


def test_stairs_hold_each_value_from_its_outcome_on():
    asked = moves("weighted_up_down", OptionSchedule((("step", ((0, 0.1), (3, 0.02), (7, 0.0))),)), WINS[:10])
    steps = np.diff(asked) / (np.array(WINS[:9]) - 0.6)
    assert steps == pytest.approx([0.1] * 3 + [0.02] * 4 + [0.0] * 2)


def test_a_plateau_cuts_waits_and_ends_at_its_least():
    """Windows of five: the first is the best there is, so each later one cuts, and after each cut three rest."""
    shape = GainSchedule("plateau", last=0.2, patience=5.0, factor=0.5, threshold=0.0, cooldown=3.0)
    wins = [1.0, 0.0] * 30
    steps = np.diff(moves("weighted_up_down", OptionSchedule(gain=shape), wins, 0.5)) / (np.array(wins[:-1]) - 0.5)
    shares = np.round(steps / 0.05, 6)
    cuts = [at for at in range(1, len(shares)) if shares[at] != shares[at - 1]]
    assert list(dict.fromkeys(shares)) == [1.0, 0.5, 0.25, 0.2]
    assert cuts[0] in (5, 10)
    assert all(later - earlier == 8 for earlier, later in pairwise(cuts))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"controller.name": "kalman", "controller.gain.shape": "cosine"}, "but kalman has no gain"),
        (
            {"controller.name": "quest", "controller.piecewise.sd0": [[0, 0.1]]},
            "quest makes tables of its options once",
        ),
        ({"controller.name": "kalman", "controller.piecewise.nix": [[0, 0.1]]}, "kalman has the options"),
        ({"controller.name": "kalman", "controller.piecewise.q": [[5, 0.1]]}, "whole numbers that rise from 0"),
        ({"controller.name": "kalman", "controller.piecewise.q": [[0, 0.1], [9, 7.0]]}, "must have values from"),
    ],
)
def test_what_cannot_follow_a_schedule_is_refused(keys, message):
    with pytest.raises(ScenarioError, match=message):
        load_scenario("arena/jump", **keys)


@pytest.mark.thorough
def test_sessions_and_single_attempts_give_the_same_rows_under_a_schedule():
    keys = {"controller.name": "robbins_monro", "controller.gain.shape": "plateau", "controller.gain.patience": 8}
    keys |= {"controller.piecewise.floor": [[0, 0.05], [20, 0.01]], "players.count": 30}
    setup = setup_of(load_scenario("arena/jump", **keys), CATALOG)
    (chunk,) = chunks(setup)
    whole, single = simulate(setup, chunk), simulate(setup, chunk, one_by_one=True)
    for name in whole.rows.dtype.names or ():
        equal_nan = whole.rows[name].dtype.kind == "f"
        assert np.array_equal(whole.rows[name], single.rows[name], equal_nan=equal_nan), name


def test_a_complete_scenario_with_schedules_reads_back():
    keys = {
        "controller.name": "elo",
        "controller.gain.shape": "one_cycle",
        "controller.piecewise.b": [[0, 0.4], [9, 1]],
    }
    made = load_scenario("arena/jump", **keys)
    assert made.form.controller.gain is not None
    assert made.form.controller.gain.length == made.form.horizon.attempts_per_player
    text = made.resolved_toml()
    assert parse(text.encode(), "again", CATALOG, allow_long=True).resolved_toml() == text
