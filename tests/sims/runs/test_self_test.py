"""The self-test: a sound game passes, and each way of being broken turns its own line into a warning."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest

from controllers.adaptive.weighted_up_down import CONTROLLER as WEIGHTED_UP_DOWN
from controllers.deterministic.constant import CONTROLLER as CONSTANT
from engine.arithmetic import logistic
from engine.batch import batch_rows
from engine.errors import PluginFault
from engine.external.external_game import rules_of
from engine.game import LOST, PERFECT, RUNNING, WON, Game
from engine.inference.intervals import DIAL_UNIT, cluster_sums
from engine.parameters import Knob, ParameterSpace
from engine.players import COHORT_STRIDE, Distribution
from engine.randomness import uniform
from engine.scenario import parse
from engine.tally import TOTALS, Tally, scheme_of
from sims.catalog import Catalog
from sims.cli.app import main
from sims.reports.report import write_report
from sims.run_folder.folder import read_manifest, write_manifest
from sims.runs import self_test as module
from sims.runs.execution import run
from sims.runs.self_test import Bench, give_up, run_checks, self_test, warm
from sims.verdict.self_test_record import NOT_TESTED, PASSED, WARNING, Check, read_checks
from sims.workers.pool import Loss
from tests.kit import small
from tests.kit.small import scenario
from tests.kit.worlds import setup_of

NAMES = ["null change", "known change", "skill order", "saturation", "clipping"]
GO = 1


class Params(NamedTuple):
    steepness: float


class Level(NamedTuple):
    key: object


class State(NamedTuple):
    luck: float
    ended: int


def build(params, key):
    return Level(key)


def start(params, level, key):
    return State(uniform(key, 0), RUNNING)


def expert(params, level, state, faculties):
    return GO if state.luck < logistic(2.0 + faculties.skill - params.steepness) else 0


def step(params, level, state, action, key, tick):
    return State(state.luck, WON if action == GO else LOST)


def status(params, level, state):
    return state.ended


def progress(params, level, state):
    return 0.5


def cause(params, level, state):
    return 0


def draw(params, level, state):
    return []


COIN = Game(
    name="coin",
    version=1,
    summary="Go or stay: one turn.",
    pace="abstract",
    tick_seconds=1.0,
    max_ticks=3,
    actions=("wait", "go"),
    space=ParameterSpace(Knob("steepness", 0.0, 4.0, 2.0)),
    params=Params,
    causes=("stayed",),
    build=build,
    start=start,
    expert=expert,
    step=step,
    status=status,
    progress=progress,
    cause=cause,
    draw=draw,
)


def counted(setup, *, won=0.7, place=0.5, at_end=0):
    """The tally of a run in which each cohort made a thousand attempts at one place of the dial."""
    tally = Tally.empty(scheme_of(setup, 0))
    wins = round(1000 * won)
    own = np.full(50, wins // 50)
    own[: wins % 50] += 1
    ones = np.ones_like(own)
    columns = cluster_sums(ones, own, 20 * ones, round(20 * place * DIAL_UNIT) * ones, 1)
    tally.judged[:, 0] = [column.sum() for column in columns]
    tally.totals[:, TOTALS.index("attempts")] = 1000
    tally.totals[:, TOTALS.index("hard_end")] = at_end
    tally.left[:, 2] = 50
    return tally


def checked(game=COIN, kind=WEIGHTED_UP_DOWN, *, players=200, tally=None, space=None, cohorts=({},), **changes):
    """Checks of a game in plain Python, by name."""
    setup = setup_of(game, kind, cohorts=cohorts, counts=(20,) * len(cohorts), space=space, **changes)
    found = self_test(setup, counted(setup) if tally is None else tally(setup), players)
    assert [check.name for check in found] == NAMES
    return {check.name: check for check in found}


@pytest.fixture
def plain(monkeypatch):
    """Games as plain Python, so that broken ones need not be compiled, and may do what no kernel can."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)


def states(checks):
    return [check.state for check in checks.values()]


# --- A sound instrument ----------------------------------------------------------------------------------------------


def test_a_sound_game_passes_every_check_and_says_what_was_found(plain):
    found = checked()
    assert states(found) == [PASSED] * 5, found
    for check in found.values():
        assert check.sentence.startswith(check.name.capitalize())
        assert check.sentence.endswith(".")
    assert "200 players acted exactly the same" in found["null change"].sentence
    assert "points less often" in found["known change"].sentence
    assert "70 %" in found["saturation"].sentence


@pytest.mark.parametrize("learning", [0.0, 0.4])
def test_what_is_played_has_the_win_rates_of_the_closed_form(learning):
    """Players have half of the practice that they had in the run: ten attempts of twenty."""
    steady = {"skill": Distribution("fixed", 0.0), "learning": Distribution("fixed", learning)}
    setup = setup_of(cohorts=(steady,), counts=(20,))
    bench = Bench(setup, counted(setup), 4000)
    game = rules_of(setup.game, "this test")
    chance = game.win_probability
    assert chance is not None
    for place, more in ((0.5, 0.0), (0.6, 0.0), (0.5, 1.0), (0.5, -1.0)):
        wins, attempts = bench.play([place], skill=more).sums.sum(axis=0)
        params = game.params(*bench.values(place)[0])
        truth = chance(params, PERFECT._replace(skill=more + learning * math.log(11.0)))
        assert abs(wins / attempts - truth) < 4.0 * (truth * (1.0 - truth) / attempts) ** 0.5


def test_it_has_one_result_and_goes_through_json_unchanged(plain):
    first, second = checked(), checked()
    assert first == second
    written = json.loads(json.dumps([check._asdict() for check in first.values()]))
    assert read_checks({"self_test": written}) == list(first.values())


def test_chance_alone_warns_in_one_scenario_of_a_thousand():
    """200 seeds: three false alarms or more have a chance of 0.1 %; a known change of 0.8 logits is never missed."""
    warned = []
    for seed in range(200):
        setup = setup_of(counts=(20,), seed=seed)
        found = self_test(setup, counted(setup), 400)
        warned += [check.name for check in found if check.state != PASSED]
    assert warned.count("null change") <= 2
    assert set(warned) <= {"null change"}


def test_players_of_all_cohorts_take_part_in_their_shares():
    setup = setup_of(cohorts=({}, {}, {}), counts=(60, 30, 0))
    bench = Bench(setup, counted(setup), 900)
    assert np.bincount(bench.owner).tolist() == [600, 300, 2]


@pytest.mark.parametrize(
    "traits",
    [
        {"thrown": Distribution("fixed", 3.0)},  # would lose every first attempt of a session
        {"jump": Distribution("fixed", -9.0), "jump_attempt": Distribution("fixed", 5.0)},
    ],
)
def test_attempts_are_neither_thrown_nor_made_after_a_jump(traits):
    found = []
    cohorts: list[dict[str, Distribution]] = [traits, {}]
    for cohort in cohorts:
        setup = setup_of(cohorts=(cohort,), counts=(20,))
        found.append(Bench(setup, counted(setup), 200).play([0.5]))
    assert np.array_equal(found[0].hashes, found[1].hashes)


def test_luck_that_a_whole_cohort_shares_is_not_taken_for_chance_between_players(plain):
    shared = {"skill": Distribution("normal", 0.0, 0.1, common=3.0)}
    assert checked(cohorts=(shared,), seed=3)["null change"].state == PASSED


def test_where_the_dial_has_no_room_above_the_step_goes_down(plain):
    found = checked(tally=lambda setup: counted(setup, place=0.97))["known change"]
    assert found.state == PASSED
    assert "a difficulty 0.1 higher the same players win" in found.sentence


# --- A broken one ----------------------------------------------------------------------------------------------------


def broken(**changes):
    return dataclasses.replace(COIN, **changes)


def test_a_game_with_a_memory_is_found_out(plain):
    calls = itertools.count()

    def restless(params, level, key):
        return State((next(calls) * 0.618) % 1.0, RUNNING)

    found = checked(broken(start=restless))["null change"]
    assert found.state == WARNING
    assert "acted differently when they met the same setting and the same luck again" in found.sentence


def test_a_change_is_seen_where_there_is_none(plain):
    """The game treats players of high numbers worse: nothing changed, and yet others win less."""

    def unfair(params, level, state, action, key, tick):
        return State(state.luck, WON if action == GO and key.player % COHORT_STRIDE < 1000 else LOST)

    found = checked(broken(step=unfair))["null change"]
    assert found.state == WARNING
    assert found.sentence.endswith("a change is flagged where there is none.")


def test_a_dial_that_does_nothing_is_found_out(plain):
    def deaf(params, level, state, faculties):
        return GO if state.luck < logistic(faculties.skill) else 0

    found = checked(broken(expert=deaf))
    assert (found["known change"].state, found["skill order"].state) == (WARNING, PASSED)
    assert "are not detected" in found["known change"].sentence


def test_a_dial_the_wrong_way_round_is_found_out(plain):
    space = ParameterSpace(Knob("steepness", 0.0, 4.0, 2.0, harder="low"))
    found = checked(space=space)["known change"]
    assert found.state == WARNING
    assert "the hard end of the difficulty is not the harder one here" in found.sentence


def test_a_step_that_changes_no_parameter_is_not_called_a_miss(plain):
    space = ParameterSpace(Knob("steepness", 0, 1, 0, scale="integer"))
    found = checked(space=space, tally=lambda setup: counted(setup, place=0.1))["known change"]
    assert found.state == NOT_TESTED


def test_skill_that_does_nothing_or_the_wrong_thing_is_found_out(plain):
    def unskilled(params, level, state, faculties):
        return GO if state.luck < logistic(2.0 - params.steepness) else 0

    def reversed_(params, level, state, faculties):
        return GO if state.luck < logistic(2.0 - faculties.skill - params.steepness) else 0

    found = checked(broken(expert=unskilled))["skill order"]
    assert (found.state, "makes no visible difference" in found.sentence) == (WARNING, True)
    found = checked(broken(expert=reversed_))["skill order"]
    assert (found.state, "More skill wins less" in found.sentence) == (WARNING, True)


def test_skill_that_helps_only_at_first_is_found_out(plain):
    """A fall in the second step is told even where two steps together rise."""

    def overbold(params, level, state, faculties):
        skill = faculties.skill
        return GO if state.luck < logistic(3.0 * skill if skill < 0.5 else 0.8) else 0

    traits = {"skill": Distribution("fixed", 0.4), "learning": Distribution("fixed", 0.0)}
    found = checked(broken(expert=overbold), cohorts=(traits,), players=400)["skill order"]
    assert (found.state, "More skill wins less" in found.sentence) == (WARNING, True)


@pytest.mark.parametrize("won", [1.0, 0.99, 0.01, 0.0])
def test_a_saturated_metric_is_named_with_its_cohort(plain, won):
    def tally(setup):
        found = counted(setup)
        found.judged[1] = counted(setup, won=won).judged[1]
        return found

    found = checked(cohorts=({}, {}), tally=tally)["saturation"]
    assert found.state == WARNING
    assert f"cohort_1 ({100 * won:.1f} %)" in found.sentence
    assert "cohort_0" not in found.sentence


@pytest.mark.parametrize(("at_end", "state"), [(0, PASSED), (500, PASSED), (501, WARNING), (1000, WARNING)])
def test_settings_at_an_end_are_told_and_more_than_half_are_a_warning(plain, at_end, state):
    found = checked(tally=lambda setup: counted(setup, at_end=at_end))["clipping"]
    assert found.state == state
    assert f"in {at_end / 10:.0f} % of judged attempts" in found.sentence


def test_a_plan_may_stay_at_an_end(plain):
    found = checked(kind=CONSTANT, tally=lambda setup: counted(setup, at_end=1000))["clipping"]
    assert (found.state, "the plan sets" in found.sentence) == (PASSED, True)


# Each check alone: name -> what of a sound game of coins is broken. The last two are played as scenarios below.


def _unfair(params, level, state, action, key, tick):
    """Players of high numbers lose."""
    return State(state.luck, WON if action == GO and key.player % COHORT_STRIDE < 1000 else LOST)


def _unskilled(params, level, state, faculties):
    return GO if state.luck < logistic(2.0 - params.steepness) else 0


ALONE: dict[str, dict[str, Any]] = {
    "null change": {"game": dataclasses.replace(COIN, step=_unfair)},
    "known change": {"space": ParameterSpace(Knob("steepness", 0.0, 4.0, 2.0, harder="low"))},
    "skill order": {"game": dataclasses.replace(COIN, expert=_unskilled)},
}


@pytest.mark.parametrize("name", ALONE)
def test_each_check_of_a_game_fails_alone(plain, name):
    found = checked(**ALONE[name])
    assert [check.name for check in found.values() if check.state != PASSED] == [name]


SETTLED = """
format = 1
seed = 3
game.name = "logistic"
dial = {{ floor = 0.0, ceiling = {ceiling} }}
target = {{ win_rate = 0.75, tolerance = 0.03 }}
players.count = 200
horizon = {{ days = 60, attempts_per_player = 30 }}
controller = {{ {controller} }}
[[cohort]]
name = "all"
share = 1.0
traits = {{ skill = {skill}, slope = 2.0, lapse = 0.0, learning = 0.0, fatigue = 0.0 }}
"""


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        (
            "saturation",
            {"ceiling": 1.0, "controller": 'name = "constant", options = { difficulty = 0.24 }', "skill": 0.0},
        ),
        ("clipping", {"ceiling": 0.35, "controller": 'name = "kalman"', "skill": 0.0}),
    ],
)
def test_each_check_of_a_run_fails_alone(tmp_path, name, changes):
    """98.5 % won at a fixed difficulty; a controller that never clips itself, at a ceiling too easy for its target."""
    scenario = parse(SETTLED.format(**changes).encode(), "settled.toml", Catalog())
    found = run(scenario, out=tmp_path / "run", workers=1)
    checks = read_checks(found.manifest)
    assert [check.name for check in checks if check.state != PASSED] == [name]
    (warning,) = found.warnings
    assert warning.startswith(name.capitalize())
    assert found.to_json()["warnings"] == [warning]


def test_a_dead_knob_is_said_on_the_terminal(tmp_path, monkeypatch, capsys):
    """A dial that moves nothing but a guess nobody needs is valid; that it does nothing is said below the verdict."""
    monkeypatch.chdir(tmp_path)
    text = SETTLED.format(ceiling=1.0, controller='name = "constant"', skill=0.0)
    text = text.replace('name = "logistic"', 'name = "logistic"\ngame.params.difficulty = 0.0').replace(
        "ceiling = 1.0 }", "ceiling = 1.0, path = { guess = [0.0, 0.001] } }"
    )
    (tmp_path / "dead.toml").write_text(text, encoding="utf-8")
    assert main(["run", "dead.toml", "--workers", "1"]) == 0
    assert "Sanity check failed. Known change: " in capsys.readouterr().out


def test_a_run_in_which_nobody_played(plain):
    found = checked(tally=lambda setup: Tally.empty(scheme_of(setup, 0)))
    assert states(found)[3:] == [NOT_TESTED, NOT_TESTED]


# --- In a run --------------------------------------------------------------------------------------------------------


def test_a_run_keeps_its_checks_and_the_report_tells_them(tmp_path):
    assert run(scenario(attempts=200), out=tmp_path / "run", workers=1).faults == {}
    checks = read_checks(read_manifest(tmp_path / "run"))
    assert [(check.name, check.state) for check in checks] == [(name, PASSED) for name in NAMES]
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "5 of 5 checks passed" in page
    for check in checks:
        assert check.sentence in page
    write_report(tmp_path / "run")
    assert (tmp_path / "run" / "report.html").read_text(encoding="utf-8") == page


def test_a_warning_and_what_could_not_be_made_stand_in_the_report(tmp_path):
    run(scenario(attempts=100), out=tmp_path / "run", workers=1)
    manifest = read_manifest(tmp_path / "run")
    manifest["self_test"][1] = Check("known change", WARNING, "Known change: <b>lost</b>.")._asdict()
    manifest["self_test"][2] = Check("skill order", NOT_TESTED, "Skill order: nobody knows.")._asdict()
    write_manifest(tmp_path / "run", manifest)
    page = write_report(tmp_path / "run").read_text(encoding="utf-8")
    assert "3 of 5 checks passed, 1 gave a warning, 1 could not be made" in page
    assert "Known change: &lt;b&gt;lost&lt;/b&gt;." in page


def test_a_game_that_fails_here_costs_the_checks_and_not_the_run(tmp_path, monkeypatch):
    def raises(*arguments, **keywords):
        raise ArithmeticError("beyond me")

    monkeypatch.setattr(module, "batch_rows", raises)
    assert run(scenario(attempts=100), out=tmp_path / "run", workers=1).faults == {}
    (check,) = read_checks(read_manifest(tmp_path / "run"))
    assert (check.state, "ArithmeticError: beyond me" in check.sentence) == (NOT_TESTED, True)
    assert "Not tested: " in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_with_plugins_of_others_it_is_made_in_a_process_of_its_own(tmp_path):
    wanted = scenario(attempts=100)
    tally = Tally.empty(scheme_of(small.setup(attempts=100), 0))
    assert run_checks(wanted, tally, apart=True) == run_checks(wanted, tally, apart=False)


def test_warming_up_plays_next_to_nothing(monkeypatch):
    sizes = []

    def noted(game, values, crowd, seed):
        sizes.append((crowd.players, crowd.attempts))
        return batch_rows(game, values, crowd, seed)

    monkeypatch.setattr(module, "batch_rows", noted)
    warm(setup_of(cohorts=({}, {}), counts=(500, 20)))
    assert sizes == [(2, 2), (2, 2)]


def test_a_worker_that_is_lost_is_not_tried_again():
    with pytest.raises(PluginFault, match=r"the game was killed by SIGKILL in a sanity check"):
        give_up(Tally.empty(scheme_of(setup_of(), 0)), Loss(-1, 0, 0, 0, "was killed by SIGKILL", sure=True))


def test_a_stopped_worker_is_nobodys_fault():
    """It is tried again, as often as a worker that another program killed."""
    loss = Loss(-1, 0, 0, 0, "was stopped by a signal for 30 s", sure=True, stopped=True)
    give_up(Tally.empty(scheme_of(setup_of(), 0)), loss)


@pytest.mark.parametrize("found", [None, "all well", [{"name": "x"}], [{"name": "x", "state": "<b>", "sentence": ""}]])
def test_what_is_no_list_of_checks_counts_as_none(found):
    assert read_checks({"self_test": found}) == []
