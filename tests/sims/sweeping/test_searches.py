"""Every method names different settings, learns only from what it was told, and finds what is there to find."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import pytest

from engine.errors import EnvironmentFault, ScenarioError
from engine.scenario import setup_of
from engine.scheduling.option_schedule import Stairs
from sims.catalog import Catalog, load_scenario
from sims.sweeping.search.explorer import Explorer, ranked_trials
from sims.sweeping.search.halving import Halving, cost_of, plan_brackets
from sims.sweeping.search.population import LEAST_MEMBERS, STRETCHES, life_parts
from sims.sweeping.search.random_trials import drawn
from sims.sweeping.search.stages import KeyByKey
from sims.sweeping.space import Settings, SweepSpace, space_of
from sims.sweeping.sweep_plan import SweepPlan, plan_sweep
from sims.sweeping.sweep_request import SweepRequest, check_sweep
from sims.sweeping.trial_records import PlayerBlock, TrialAsk, TrialRecord
from tests.kit import small
from tests.kit.sweeps import record

SCENARIO = small.scenario(controller="kalman", players=600, attempts=100)
SETUP = setup_of(SCENARIO, Catalog())
WORK = SCENARIO.work
BEST = 0.01
OVER = {"controller.options.q": "log:0.0001:1", "target.win_rate": "0.4:0.8"}
SPACE = space_of(OVER, SCENARIO)


def loss(settings: Settings) -> float:
    """Lowest at q = 0.01 and a win rate of 0.5; 0 is what the baseline has."""
    values: dict[str, Any] = dict(settings)
    q, rate = float(values.get("controller.options.q", 0.1)), float(values.get("target.win_rate", 0.6))
    return math.log10(q / BEST) ** 2 + 10.0 * (rate - 0.5) ** 2 - 1.1


def play(explorer: Explorer) -> list[TrialRecord]:
    found: list[TrialRecord] = []
    while asks := explorer.ask():
        told = [record(ask, loss(ask.settings), 0.01) for ask in asks]
        explorer.tell(told)
        found += told
    return found


def plan(over=OVER, **request) -> tuple[SweepSpace, SweepPlan]:
    space = space_of(over, SCENARIO)
    return space, plan_sweep(SweepRequest(over, **request), space, SCENARIO, SETUP)


@pytest.mark.parametrize("method", ["grid", "random", "hyperband", "staged"])
def test_a_method_keeps_its_budget_and_names_the_best_of_what_it_played(method):
    space, chosen = plan(budget=60 * WORK, method=method)
    explorer = chosen.begin(space, 7)
    records = play(explorer)
    blocks = {one.ask.block for one in records}
    attempts = sum(one.ask.block.players for one in records) + sum(block.players for block in blocks)
    assert attempts * WORK // 600 + 2 * chosen.fresh * WORK <= chosen.attempts <= 60 * WORK
    numbers = {one.ask.trial: one.ask.settings for one in records}
    assert len(set(numbers.values())) == len(numbers) == max(numbers)
    best = explorer.finalists()[0]
    through = [one.ask.trial for one in records if one.ask.block.players == 600]
    assert loss(numbers[best]) == min(loss(numbers[trial]) for trial in through)
    again = play(chosen.begin(space, 7))
    assert [one.ask for one in again] == [one.ask for one in records]


def test_random_draws_differ_and_end_where_a_space_ends():
    tiny = space_of({"controller.name": "kalman,elo"}, SCENARIO)
    assert sorted(drawn(tiny, 1)) == sorted(tiny.grid())
    first, second = ([next(iter(drawn(SPACE, seed))) for _ in range(1)] for seed in (1, 2))
    assert first != second


def test_brackets_halve_trials_and_pay_for_the_baseline_on_every_rung():
    brackets = plan_brackets(600, 60 * WORK, 100)
    for bracket in brackets:
        assert [one.players for one in bracket] == sorted(one.players for one in bracket)
        assert bracket[-1].players == 600
        assert all(later.trials <= max(rung.trials // 3, 1) for rung, later in pairwise(bracket))
    assert cost_of(brackets, 100) <= 60 * WORK
    assert plan_brackets(100, 60 * WORK, 100) == ()  # two rungs need 180 players
    assert plan_brackets(600, WORK, 100) == ()


def test_a_lucky_mean_does_not_go_on():
    """Two trials with the same mean: the surer one goes on, even if the other looks a little better."""
    block = PlayerBlock(0, 60)
    lucky = record(TrialAsk(1, (("a", 1),), block), -0.12, 0.2)
    sure = record(TrialAsk(2, (("a", 2),), block), -0.10, 0.01)
    failed = record(TrialAsk(3, (("a", 3),), block), -9.0, 0.0, "raised")
    assert ranked_trials([lucky, sure, failed]) == [2, 1]


def test_a_trial_goes_on_with_fresh_luck_on_every_rung():
    halving = Halving(SPACE, plan_brackets(600, 60 * WORK, 100), 3)
    blocks: dict[PlayerBlock, list[int]] = {}
    for one in play(halving):
        blocks.setdefault(one.ask.block, []).append(one.ask.trial)
    assert [block.number for block in blocks] == list(range(len(blocks)))
    later = [trials for block, trials in blocks.items() if block.players == 600]
    assert later
    assert len(blocks[PlayerBlock(0, 67)]) > len(blocks[PlayerBlock(1, 200)]) > 0
    assert set(blocks[PlayerBlock(1, 200)]) < set(blocks[PlayerBlock(0, 67)])


def test_stages_set_one_key_after_the_other_and_stop_when_nothing_is_surely_better():
    search = KeyByKey(SPACE, 600, 100)
    play(search)
    assert [stage.key for stage in search.stages] == ["controller.options.q", "target.win_rate"]
    assert [stage.value for stage in search.stages] == [BEST, 0.5]
    dull = KeyByKey(SPACE, 600, 100)
    while asks := dull.ask():
        dull.tell([record(ask, 0.0, 0.01) for ask in asks])
    assert dull.stages == []
    assert dull.finalists()


Q = {"controller.options.q": "log:0.0001:1"}


def wanted_q(attempt: int) -> float:
    return 0.001 if attempt < 50 else 0.1


def stairs_of(ask: TrialAsk) -> Stairs:
    (found,) = (value for _, value in ask.settings)
    return found if isinstance(found, tuple) else ((0, float(found)),)


def stretch_loss(ask: TrialAsk) -> float:
    """Of the judged attempts, with an optimum that moves in the middle of a life."""
    stairs = stairs_of(ask)
    judged = range(ask.block.first, ask.block.last or 100)
    inside = [next(value for at, value in reversed(stairs) if at <= attempt) for attempt in judged]
    off = [math.log10(q / wanted_q(attempt)) ** 2 for q, attempt in zip(inside, judged, strict=True)]
    return sum(off) / len(off) - 2.0


def test_pbt_finds_a_schedule_where_no_single_value_fits():
    space, chosen = plan(Q, budget=200 * WORK, method="pbt")
    explorer = chosen.begin(space, 7)
    records: list[TrialRecord] = []
    while asks := explorer.ask():
        records += (told := [record(ask, stretch_loss(ask), 0.001) for ask in asks])
        explorer.tell(told)
    blocks = list(dict.fromkeys(one.ask.block for one in records))
    assert [block.number for block in blocks] == list(range(STRETCHES + 1))
    assert (blocks[-1].first, blocks[-1].last) == (0, 0)
    assert all(one.last == other.first for one, other in pairwise(blocks[:-1]))
    played = sum(block.players * (block.last or 100) for block in blocks)  # the baseline's
    played += sum(one.ask.block.players * (one.ask.block.last or 100) for one in records)
    assert played <= chosen.attempts - 2 * chosen.fresh * WORK
    best = next(one for one in records if one.ask.trial == explorer.finalists()[0] and not one.ask.block.last)
    fixed = min(stretch_loss(TrialAsk(1, ((key, q),), blocks[-1])) for key in Q for q in (0.001, 0.01, 0.1))
    assert best.loss.value < fixed - 0.3
    assert isinstance(best.ask.settings[0][1], tuple)


def test_a_member_that_takes_over_another_has_its_past():
    """Every schedule of a stretch goes on from one that was played in the stretch before."""
    space, chosen = plan(Q, budget=100 * WORK, method="pbt")
    explorer = chosen.begin(space, 3)
    played: dict[int, set[object]] = {}
    while asks := explorer.ask():
        explorer.tell([record(ask, stretch_loss(ask), 0.001) for ask in asks])
        for ask in asks:
            stairs = stairs_of(ask)
            number, first = ask.block.number, ask.block.first
            played.setdefault(number, set()).add(stairs)
            if 0 < number < STRETCHES:
                assert tuple(step for step in stairs if step[0] < first) in played[number - 1]
    assert len(played) == STRETCHES + 1
    assert len({stairs for own in played.values() for stairs in own}) > len(played[0])


def test_stretches_are_equal_and_the_first_has_the_attempts_that_are_not_judged():
    assert life_parts(140, 20) == ((0, 40), (40, 60), (60, 80), (80, 100), (100, 120), (120, 140))
    assert len(life_parts(3, 0)) == 3


@pytest.mark.parametrize(
    ("keys", "over", "message"),
    [
        ({"controller.name": "quest"}, {"controller.options.sd0": "0.1:0.2"}, "quest makes tables of its options once"),
        ({}, {"target.win_rate": "0.4:0.8"}, "pbt changes options of the controller that are numbers"),
        ({}, {"controller.options.q": "0.1:0.2"}, f"pbt needs {LEAST_MEMBERS} members"),
    ],
)
def test_pbt_is_refused_where_options_cannot_change_on_the_way(keys, over, message):
    scenario = load_scenario("arena/jump", **{"controller.name": "kalman", **keys})
    setup, space = setup_of(scenario, Catalog()), space_of(over, scenario)
    with pytest.raises(ScenarioError, match=message):
        plan_sweep(SweepRequest(over, budget=20 * scenario.work, method="pbt"), space, scenario, setup)


def test_auto_changes_options_on_the_way_where_lives_are_long():
    scenario = small.scenario(controller="kalman", players=60, attempts=1000)
    over = {"controller.options.q": "log:0.001:0.1", "controller.options.reopen": "0:8"}
    chosen = plan_sweep(
        SweepRequest(over, budget=80 * scenario.work), space_of(over, scenario), scenario, setup_of(scenario, Catalog())
    )
    assert (chosen.method, chosen.why) == (
        "pbt", "players make 1,000 attempts, so options may be changed on the way"
    )  # fmt: skip


@pytest.mark.skipif(find_spec("optuna") is None, reason="needs the extra search")
def test_tpe_gets_nearer_than_random_and_never_plays_a_setting_twice():
    space, chosen = plan(budget=80 * WORK, method="tpe")
    records = play(chosen.begin(space, 7))
    settings = [one.ask.settings for one in records]
    assert len(set(settings)) == len(settings) == chosen.trials
    _, usual = plan(budget=80 * WORK, method="random")
    random = [one.loss.value for one in play(usual.begin(space, 7))]
    assert min(one.loss.value for one in records) < min(random)
    assert sum(one.loss.value for one in records[-20:]) < sum(random[-20:])


@pytest.mark.skipif(find_spec("optuna") is not None, reason="needs an environment without the extra search")
@pytest.mark.parametrize(("method", "extra"), [("tpe", "search"), ("gp", "gp")])
def test_without_optuna_the_extra_is_named(method, extra):
    space, chosen = plan(budget=80 * WORK, method=method)
    with pytest.raises(EnvironmentFault, match=rf"needs the package optuna.*flowdial\[{extra}\]"):
        chosen.begin(space, 7)


@pytest.mark.thorough
@pytest.mark.skipif(find_spec("torch") is None or find_spec("optuna") is None, reason="needs the extra gp")
def test_gp_gets_nearer_than_random():
    found = {}
    for method in ("gp", "random"):
        space, chosen = plan(budget=40 * WORK, method=method)
        records = play(explorer := chosen.begin(space, 7))
        best = explorer.finalists()[0]
        found[method] = next(one.loss.value for one in records if one.ask.trial == best)
        assert len({one.ask.settings for one in records}) == len(records)
    assert found["gp"] < found["random"]


@pytest.mark.parametrize(
    ("over", "budget", "method", "words"),
    [
        ({"target.win_rate": "0.5,0.6,0.7"}, None, "grid", "all 3 settings can be played"),
        ({"target.win_rate": "0.5:0.7"}, 40, "grid", "draw the whole curve"),
        (OVER, 60, "random", "too few to learn from"),
        (OVER, 400, "hyperband", "the poor ones should be dropped"),
    ],
)
def test_auto_chooses_by_the_table_and_says_why(over, budget, method, words):
    _, chosen = plan(over, budget=None if budget is None else budget * WORK)
    assert chosen.method == method
    assert words in chosen.why


@pytest.mark.parametrize(
    ("over", "request_", "message"),
    [
        (OVER, {}, "a range has no end of values.*needs a budget"),
        (OVER, {"budget": 3 * WORK}, "too few for two trials, the baseline and the final measurement"),
        ({"target.win_rate": "0.1:0.9:90"}, {"budget": 30 * WORK}, r"the grid has 90 settings, but --budget .* allow"),
        ({**OVER, "dial.floor": "0:0.1"}, {"budget": 20 * WORK, "method": "grid"}, "fewer than 3 values"),
        (OVER, {"budget": 10 * WORK, "method": "staged"}, "staged tries 10 values, one key at a time"),
        (OVER, {"seconds": 9.0, "method": "hyperband"}, "needs a budget; give --budget"),
    ],
)
def test_what_would_cost_too_much_is_refused_with_a_way_out(over, request_, message):
    request = {"method": "grid" if "allow" in message else "auto", **request_}
    with pytest.raises(ScenarioError, match=message):
        plan(over, **request)


def test_auto_without_a_budget_plans_no_rungs():
    _, chosen = plan(OVER, seconds=60.0)
    assert chosen.method == "random"


def test_hyperband_is_refused_where_few_players_are_another_world():
    shared = space_of({"target.win_rate": "0.4:0.8"}, SCENARIO)
    with pytest.raises(ScenarioError, match="players share a controller here"):
        plan_sweep(
            SweepRequest({}, budget=500 * WORK, method="hyperband"), shared, SCENARIO, replace(SETUP, scope="everyone")
        )


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"method": "tpee"}, "the method must be one of auto, grid.*'tpee' - did you mean 'tpe'"),
        ({"budget": 0}, "the budget must be 1 to"),
        ({"seconds": -1.0}, "the time must be a number of seconds above 0"),
    ],
)
def test_a_wrong_request_is_refused(request_, message):
    with pytest.raises(ScenarioError, match=message):
        check_sweep(SweepRequest(OVER, **request_))
