"""Advice: each rule speaks where it should, and only there."""

from __future__ import annotations

import json
import math
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pytest

from controllers.adaptive.entropy import EASIEST, predictability
from engine.scenario import parse
from sims.advice import rules
from sims.advice.advice import Advice, advice_on, command_for, lines_for
from sims.advice.facts import CohortFacts, Facts, facts_of
from sims.advice.gain_effect import dial_gains
from sims.catalog import DEFAULT_CONTROLLER, Catalog
from sims.cli.app import main
from tests.sims.arena.test_race import scenario

CATALOG = Catalog()


def cohort(**changes):
    usual = CohortFacts(
        name="players", players=500, target=0.6, tolerance=0.05, easiest=0.95, hardest=0.1, place=0.5, first_place=0.5,
        last_place=0.5, beyond=0.0, spread=0.15, slope=2.0, logits=8.0, judged=50_000.0,
    )  # fmt: skip
    return usual._replace(**changes)


def facts(controller="kalman", cohorts=None, options=None, **changes):
    kind = CATALOG.controller(controller)
    usual = Facts(
        name="Fake", kind=kind, options={**kind.options()._asdict(), **(options or {})}, scope="player", deployed=False,
        replicas=1, knobs=3, floor=0.0, ceiling=1.0, cohorts=cohorts or (cohort(),), best_for_all=0.5, misfits=(),
        attempts=200.0, late=0.0, deaf=0.0, all_deaf=0.0, lockstep=True, together=1.0, effects=(),
    )  # fmt: skip
    return usual._replace(**changes)


def text_of(said):
    assert said is not None
    return said.text


UNSERVED = (("weak", 0.4, 0.6), ("strong", 0.8, 0.6))

# --- Which mode -----

MODES = {
    "feedback": (facts(), ("adaptive", DEFAULT_CONTROLLER, "player"), "feedback beats every schedule"),
    "late but heard": (facts(late=5.0), ("adaptive", DEFAULT_CONTROLLER, "player"), "heard 5 attempts late"),
    "too late": (facts(deaf=0.9, all_deaf=0.9), ("deterministic", "constant", "player"), "nothing to adapt to"),
    "too late for one": (facts(deaf=0.9, all_deaf=0.1), ("adaptive", DEFAULT_CONTROLLER, "cohort"), "those of others"),
    "too little": (facts(attempts=6.0), ("adaptive", DEFAULT_CONTROLLER, "cohort"), "late ones meet what it found"),
    "too little of all": (
        facts(attempts=6.0, cohorts=(cohort(players=20),)), ("deterministic", "constant", "player"), "too few outcomes"
    ),
    "all alike": (facts(cohorts=(cohort(spread=0.005),)), ("deterministic", "constant", "player"), "known beforehand"),
    "alike and drifting": (
        facts(cohorts=(cohort(spread=0.005, first_place=0.3, last_place=0.6),)),
        ("deterministic", "ramp", "player"),
        "known beforehand",
    ),
    "one dial for many": (
        facts(scope="everyone", misfits=UNSERVED), ("self_adaptive", "cma_es", "everyone"), "no place on the dial"
    ),
    "one dial, one knob": (
        facts(scope="everyone", deployed=True, misfits=UNSERVED, knobs=1),
        ("adaptive", DEFAULT_CONTROLLER, "everyone"), "",
    ),
    "one dial, too few to search": (
        facts(scope="everyone", deployed=True, misfits=UNSERVED, attempts=3.0, cohorts=(cohort(players=100),)),
        ("adaptive", DEFAULT_CONTROLLER, "cohort"), "late ones",
    ),
    "settings on a timetable": (
        facts(scope="cohort", deployed=True), ("adaptive", DEFAULT_CONTROLLER, "cohort"), "feedback"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODES)
def test_the_mode_follows_from_the_facts(name):
    given, wanted, word = MODES[name]
    found = advice_on(given)
    assert (found.choice.mode, found.choice.controller, found.choice.scope) == wanted
    assert word in found.reasons[0].text
    assert found.choice.mode == CATALOG.controller(found.choice.controller).mode
    assert found.choice.scope in CATALOG.controller(found.choice.controller).scopes


def test_a_number_of_attempts_is_said_to_be_that_of_the_trial():
    enough, few = (advice_on(facts(attempts=attempts)).choice.reason.text for attempts in (31.0, 6.0))
    assert "the median player of a short trial made 31 attempts, and outcomes are heard in time: feedback" in enough
    assert few.startswith("In a short trial half of the players made 6 attempts or fewer")


# --- Every rule, where it speaks and where it does not -----

CALM = facts()
SPEAKS = {
    rules._delay: (facts(late=5.0), "5 attempts late"),
    rules._cohort_size: (facts(scope="cohort", together=20.0), "20 outcomes"),
    rules._changes: (facts(effects=("practice", "tilt")), "(practice)"),
    rules._moods: (facts(effects=("tiredness", "tilt", "practice")), "tiredness and tilt"),
    rules._first_attempts: (facts(attempts=30.0), "The median player of a short trial made 30 attempts"),
    rules._reference: (facts("oracle"), "oracle is a reference"),
    rules._out_of_reach: (
        facts(cohorts=(cohort(name="experts", target=0.7, hardest=0.78),)), "experts win 0.78 even at the hardest"
    ),
    rules._nothing_to_steer: (facts(cohorts=(cohort(easiest=0.62, hardest=0.58),)), "0.58 to 0.62"),
    rules._one_for_all: (facts(scope="everyone", misfits=UNSERVED), "weak win 0.40 instead of 0.60"),
    rules._shared_without_need: (facts(scope="cohort"), "a dial that they share cannot mend"),
    rules._large_gain: (facts("weighted_up_down", options={"step": 0.6}), "0.6 x 2 = 1.2, where 1 already overshoots"),
    rules._noisy_gain: (facts("weighted_up_down", options={"step": 0.2}), "never comes to rest"),
    rules._gain_with_delay: (facts("pid", late=5.0), "goes on stepping"),
    rules._few_judged: (facts(cohorts=(cohort(judged=300.0),)), "players about 300 of at least 369"),
    rules._steady_mismatch: (facts("ramp"), "does not listen"),
}  # fmt: skip


def test_every_rule_has_a_test():
    assert set(SPEAKS) == {*rules.REASONS, *rules.WARNINGS}


@pytest.mark.parametrize("rule", SPEAKS, ids=lambda rule: rule.__name__)
def test_a_rule_speaks_where_it_should_and_only_there(rule):
    given, word = SPEAKS[rule]
    assert word in rule(given).text
    assert rule(given).source
    assert rule(CALM) is None


MOODS = ("tiredness", "tilt")
CHANGES = ("practice", "jumps")
RACE = "whether what is recommended is better here, only a race can tell."


def shared(controller, effects=(), **options):
    return facts(
        controller, options=options, scope="cohort", deployed=True, lockstep=False, cohorts=(cohort(players=20),),
        effects=effects,
    )  # fmt: skip


SHARED = shared("kalman")
LACKS = {
    "reference": (facts("oracle"), "oracle lacks nothing and cannot be had"),
    "deaf": (facts("ramp"), "ramp hears no outcome"),
    "listens for nothing": (facts(deaf=0.9, all_deaf=0.9), "kalman listens to outcomes, and here they tell less"),
    "one dial": (facts("cma_es", scope="cohort"), "has one dial for each cohort, and what is recommended has one for"),
    "one knob": (facts(scope="everyone", misfits=UNSERVED), "kalman moves the 3 knobs together"),
    "one knob, self-adaptive": (
        facts("hypergradient", scope="everyone", misfits=UNSERVED), "hypergradient moves the 3 knobs together"
    ),
    "schedule": (MODES["alike and drifting"][0]._replace(kind=CATALOG.controller("constant")), "is a schedule too"),
    "clock": (shared(DEFAULT_CONTROLLER, MOODS), "counts practice by the steps of the shared dial, which out of"),
    "no clock": (
        shared(DEFAULT_CONTROLLER, ("tiredness",), learning=0.0, tilted=0.0),
        f"kalman_bank reckons with tiredness: {RACE}",
    ),
    "gain": (facts("pid", effects=MOODS), "by, and has no state for tiredness and tilt."),
    "steady gain": (facts("pid"), "to weigh an outcome by."),
    "gain on a shared dial": (shared("pid", MOODS), "to weigh an outcome by."),
    "gain of elo on a shared dial": (shared("elo", MOODS + CHANGES), "to weigh an outcome by."),
    "states": (facts(effects=MOODS), "no state for tiredness and tilt as long as tire_sd = 0 and tilt_sd = 0."),
    "one state": (facts(effects=MOODS, options={"tilt_sd": 0.3}), "no state for tiredness as long as tire_sd = 0."),
    "all states": (
        facts(effects=MOODS, options={"tilt_sd": 0.3, "tire_sd": 0.1}),
        f"kalman reckons with tiredness and tilt: {RACE}",
    ),
    "changes": (facts(effects=CHANGES), "kalman has no state for practice and none for jumps as long as reopen = 0."),
    "a state and none": (
        facts("grid_imm", effects=MOODS), "grid_imm has no state for tiredness and none for tilt as long as tilt = 0."
    ),
    "a state off and none": (
        facts("grid_imm", effects=MOODS, options={"tilt": 0.3}), "grid_imm has no state for tiredness."
    ),
    "models": (facts("model_average", effects=MOODS), f"model_average reckons with tiredness and tilt: {RACE}"),
    "bent models": (facts("model_average", effects=("bent dials",)), "model_average reckons with bent dials: whether"),
    "steady models": (
        facts("model_average", effects=MOODS, options={"steady": 1.0}),
        "model_average has no state for tiredness and tilt.",
    ),
    "shared models": (
        facts("model_average", effects=MOODS, scope="cohort", deployed=True),
        "model_average has no state for tiredness and tilt.",
    ),
    "neither": (shared("quest", MOODS), f"no state for tiredness and tilt, nor has what is recommended: {RACE}"),
    "bent": (facts(effects=("bent dials",)), f"no state for bent dials, nor has what is recommended: {RACE}"),
    "bank without": (
        facts(DEFAULT_CONTROLLER, effects=MOODS, options={"tired": 0.0}), "no state for tiredness as long as tired = 0."
    ),
    "nothing": (facts(), f"kalman lacks nothing that these facts show: {RACE}"),
    "options": (SHARED._replace(options={"q": 0.01}), "kalman is the right one, but has q = 0.01 where 0.001 is recom"),
    **{
        f"{name} has none": (
            facts(name, effects=MOODS + CHANGES), f"{name} has no state for tiredness, tilt, practice and jumps."
        )
        for name in ("quest", "cma_es", "evolution_strategy", "thompson", "posm")
    },
}  # fmt: skip


@pytest.mark.parametrize("name", LACKS)
def test_what_the_scenario_has_is_told_by_what_it_lacks(name):
    given, words = LACKS[name]
    found = advice_on(given).lack
    assert words in text_of(found)
    assert text_of(found).startswith(f"The scenario's {given.kind.name} ")
    assert found is not None
    assert found.source


@pytest.mark.parametrize("name", [entry.name for entry in CATALOG.controllers()])
@pytest.mark.parametrize("effects", [("tiredness",), ("tilt",), CHANGES, MOODS + CHANGES], ids=" ".join)
@pytest.mark.parametrize("given", [facts, shared], ids=["own dial", "shared dial"])
def test_nobody_lacks_nothing_where_an_effect_acts(given, effects, name):
    found = advice_on(given(name, effects=effects)).lack
    assert found is None or "nothing that these facts show" not in found.text


def test_a_state_is_missed_only_where_what_is_recommended_has_it():
    """On a shared dial out of step that is kalman without states, so that no lack of a state tells them apart."""
    for entry in CATALOG.controllers():
        found = advice_on(shared(entry.name, MOODS + CHANGES)).lack
        assert found is None or "no state" not in found.text or "nor has what is recommended" in found.text


@pytest.mark.parametrize(
    "given",
    [facts(DEFAULT_CONTROLLER), facts(DEFAULT_CONTROLLER, effects=MOODS), SHARED._replace(options={"q": 0.001})],
)
def test_who_has_what_is_recommended_lacks_nothing(given):
    assert advice_on(given).lack is None


def test_out_of_reach_knows_both_ends_and_single_players():
    easy = facts(cohorts=(cohort(easiest=0.5),))
    some = facts(cohorts=(cohort(beyond=0.2),))
    assert "win 0.50 even at the easiest" in text_of(rules._out_of_reach(easy))
    assert "20% of players cannot be brought to 0.60" in text_of(rules._out_of_reach(some))


def test_a_gain_that_warms_up_is_not_large():
    cold = facts("gradient", options={"gain": 0.8, "schedule": 0.0})
    warm = facts("gradient", options={"gain": 0.8, "schedule": 6.0, "warm_up": 0.1})
    assert rules._large_gain(cold)
    assert rules._large_gain(warm) is None
    assert rules._large_gain(facts("gradient", options={"gain": 0.8, "schedule": 6.0, "first": 1.0})), "not warmer"


def test_delay_makes_a_gain_large_and_scaling_no_larger_than_its_cap():
    late = facts("weighted_up_down", options={"step": 0.1}, late=5.0)
    many = facts("weighted_up_down", options={"step": 0.05, "scaling": 1.0}, scope="cohort", together=20.0)
    assert "with outcomes 5 attempts late" in text_of(rules._large_gain(late))
    assert rules._large_gain(late._replace(late=0.0)) is None
    assert rules._large_gain(many) is None, "0.25 x 2 is no more than half of 1"
    assert "0.25 x 6 = 1.5" in text_of(rules._large_gain(many._replace(cohorts=(cohort(slope=6.0),))))
    assert rules._large_gain(many._replace(together=2.0, cohorts=(cohort(slope=6.0),))) is None


# By hand, from the formulas of the defaults, after 200 steps; None: the answer is not in proportion to the error.
FIRST_AND_LAST = {
    "weighted_up_down": (0.05, 0.05),
    "robbins_monro": (0.8 / (1.0 + 3.0), 0.02),
    "kesten": (0.4, 0.01),  # two hundred outcomes have far more than the forty reversals to its floor
    "staircase": (0.2, 0.03),
    "elo": (0.4 / (1.0 + 0.4), 0.02),
    "pid": (0.03 + 0.1 * 0.1, 0.03 + 0.1 * 0.1),
    "gradient": (0.12, 0.15 * 0.12),
    "hypergradient": (0.05, None),  # between 0.01 and 0.15, as luck has it
    "plateau": (0.1, None),  # between 0.02 and 0.1, likewise
    "entropy": (0.033, 0.033),
    "dual": (None, None),
}


def entropy_gain(target):
    """gain x dr/dp x dd/d(log odds) in the middle of the dial; the mean hands on an error whole in the end."""
    up, down = (predictability(target + step) for step in (1e-5, -1e-5))
    return 0.07 * (up - down) / 2e-5 * 0.25 / (1.0 - 2.0 * EASIEST)


def test_the_gains_of_all_defaults_are_those_of_their_formulas():
    steering = [name for entry in CATALOG.controllers() if CATALOG.controller(name := entry.name).gains]
    assert set(steering) == set(FIRST_AND_LAST)
    assert entropy_gain(0.6) == pytest.approx(0.033, rel=0.02)
    for name in steering:
        kind = CATALOG.controller(name)
        found = dial_gains(kind, {}, target=0.6, slope=2.0, weight=1.0, attempts=200)
        assert found is not None
        first, last = FIRST_AND_LAST[name]
        bent = 0.02 if name == "entropy" else 1e-6  # it is measured over a step, along a curve
        if first is None:
            assert math.isnan(found.first), name
        else:
            assert found.first == pytest.approx(first, rel=bent), name
        if last is not None:
            assert found.last == pytest.approx(last, rel=bent), name


def test_no_default_begins_with_too_large_a_gain_and_one_never_rests():
    """weighted_up_down alone: sqrt(.1 x .24 / 1.9) = .112 is more than twice the band of .05."""
    for name in FIRST_AND_LAST:
        assert rules._large_gain(facts(name)) is None, name
        assert (rules._noisy_gain(facts(name)) is not None) == (name == "weighted_up_down"), name


def test_what_is_no_gain_is_not_taken_for_one():
    """Of plateau with cut = 1 the floor is a difficulty; of robbins_monro c is a numerator."""
    cut = dial_gains(CATALOG.controller("plateau"), {"cut": 1.0}, target=0.6, slope=2.0, weight=1.0, attempts=200)
    assert cut is not None
    assert tuple(cut) == pytest.approx((0.1, 0.1))
    assert rules._large_gain(facts("robbins_monro", options={"c": 1.9})) is None
    assert rules._large_gain(facts("robbins_monro", options={"c": 1.9, "n0": 0.0}))
    assert rules._large_gain(facts("dual", options={"lr": 1.0})) is None, "not known, so nothing is said"
    assert dial_gains(CATALOG.controller("kalman"), {}, target=0.6, slope=2.0, weight=1.0, attempts=9) is None


def test_who_shares_a_dial_out_of_step_gets_a_filter_without_a_practice_clock():
    twenty = facts(scope="cohort", deployed=True, lockstep=False, cohorts=(cohort(players=20),))
    found = advice_on(twenty).choice
    assert (found.controller, found.scope, found.options) == ("kalman", "cohort", {"q": 0.001})
    assert "lockstep" in found.reason.text
    eighty = advice_on(twenty._replace(cohorts=(cohort(players=80),))).choice
    assert eighty.options == {"q": 0.0005}
    assert advice_on(twenty._replace(cohorts=(cohort(players=160),), replicas=8)).choice.options == {"q": 0.001}
    assert advice_on(twenty._replace(lockstep=True)).choice.controller == DEFAULT_CONTROLLER
    assert advice_on(facts(lockstep=False)).choice.controller == DEFAULT_CONTROLLER, "a dial for each player"


def swings(gain, late):
    """e_t+1 = e_t - k e_t-D, from an error of 1: is it still there after a long time?"""
    errors = [1.0] * (late + 1)
    for _ in range(4000):
        errors.append(errors[-1] - gain * errors[-1 - late])
    return max(abs(error) for error in errors[-50:]) > 1e-3


@pytest.mark.parametrize("late", [0, 1, 2, 5, 10])
def test_the_largest_gain_that_does_not_swing_is_that_of_the_recursion(late):
    most = rules.most_gain(float(late))
    assert not swings(0.97 * most, late)
    assert swings(1.01 * most, late)


@pytest.mark.parametrize(("gain", "told"), [(0.02, 0.072), (0.03, 0.087), (0.05, 0.111)])
def test_what_a_gain_leaves_over_is_what_the_arena_measured(gain, told):
    assert rules.left_over(gain, cohort(target=0.55, slope=2.05), 1.0) == pytest.approx(told, rel=0.05)


def test_what_a_gain_leaves_over_agrees_with_a_simulation():
    """A linear dial under the rule itself: 4 standard errors of the mean square over independent players."""
    dice = np.random.default_rng(821)
    gain, slope, target = 0.08, 2.0, 0.6
    error = np.zeros(4000)
    for _ in range(400):
        won = dice.uniform(size=len(error)) < target + error
        error = error - gain * slope * (won - target)
    told = rules.left_over(gain, cohort(target=target, slope=slope), 1.0) ** 2
    told = told / (1.0 + gain * slope / (2.0 - gain * slope))  # the noise itself shrinks where p is off: -E e^2
    assert abs((error**2).mean() - told) < 4.0 * (error**2).std() / math.sqrt(len(error))


# --- The lines and the words -----


@pytest.mark.parametrize("name", MODES)
def test_the_lines_can_be_put_into_a_scenario(name):
    choice = advice_on(MODES[name][0]).choice
    table = tomllib.loads(lines_for(choice))["controller"]
    text = scenario(scope="cohort").resolved_toml()
    start, end = text.index("[controller]"), text.index("[telemetry]")
    found = parse((text[:start] + lines_for(choice) + "\n" + text[end:]).encode(), "new.toml", CATALOG)
    assert (found.controller, found.scope) == (table["name"], table["scope"])


def test_the_command_races_it_against_what_the_scenario_has():
    given = facts("weighted_up_down", options={"step": 0.123456789}, deaf=0.9, all_deaf=0.1)
    words = command_for(advice_on(given), given, ["my own.toml", "--set", "players.count=9"])
    assert shlex.split(words) == [
        "flowdial", "compare", "my own.toml", "--set", "players.count=9", "--set", "controller.scope=cohort",
        "--controller", DEFAULT_CONTROLLER, "--controller", "weighted_up_down,step=0.123456789",
    ]  # fmt: skip
    same = facts(DEFAULT_CONTROLLER)
    assert command_for(advice_on(same), same, ["a.toml"]).count("--controller") == 1


def test_facts_are_those_of_the_scenario():
    found = facts_of(scenario(players=40, attempts=60), CATALOG, threads=1)
    weak, strong = found.cohorts
    assert (weak.target, strong.target, weak.players) == (0.6, 0.4, 20)
    assert weak.easiest > 0.85
    assert weak.hardest < 0.15
    assert weak.place < strong.place, "who should win less plays harder"
    assert weak.judged == 20 * 50
    assert (found.attempts, found.late, found.deaf, found.together) == (60.0, 0.0, 0.0, 1.0)
    assert not found.lockstep, "they come back from a break when each likes to"
    assert facts_of(scenario(players=40, attempts=20), CATALOG, threads=1).lockstep
    assert found.misfits
    late = scenario(players=40, attempts=60).resolved_toml().replace("delay_s = 0.0", "delay_s = 170.0")
    assert facts_of(parse(late.encode(), "late.toml", CATALOG), CATALOG, threads=1).late == 5.0
    never = late.replace("delay_s = 170.0", "delay_s = 1e9")
    assert facts_of(parse(never.encode(), "never.toml", CATALOG), CATALOG, threads=1).deaf == 1.0


def test_the_command_line_says_it_in_words_and_in_json(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(scenario().resolved_toml())
    assert main(["advise", "small.toml"]) == 0
    out = capsys.readouterr().out
    assert "Recommended: " in out
    assert "  1. " in out
    assert "Instead of\n  - The scenario's " in out
    assert "[controller]" in out
    assert "flowdial compare small.toml --controller " in out
    assert "without a target, without a floor or a ceiling" in " ".join(out.split())
    assert main(["advise", "small.toml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert tomllib.loads(found["lines"])["controller"]["name"] == found["controller"]
    assert found["reasons"][0]["source"]
    assert found["lack"]["text"].startswith("The scenario's ")


def test_advice_is_a_choice_reasons_and_warnings():
    found = advice_on(facts("ramp", late=5.0))
    assert isinstance(found, Advice)
    assert len(found.reasons) == 2
    assert [said.text.split()[0] for said in found.warnings] == ["ramp"]


@pytest.mark.parametrize(("spread", "reasons"), [(0.005, 2), (0.2, 5)])
def test_no_reason_for_listening_is_given_for_a_schedule(spread, reasons):
    """Where all are alike a constant is recommended, which hears nothing; a first attempt is made all the same."""
    moved = facts(late=5.0, effects=("practice", "tilt"), attempts=30.0, cohorts=(cohort(spread=spread),))
    found = advice_on(moved)
    assert (found.choice.mode == "deterministic") is (reasons == 2)
    assert len(found.reasons) == reasons
    assert found.reasons[-1].text.startswith("The median player of a short trial made 30 attempts")
