"""Floor and ceiling: no rule's state runs on beyond them, and a fall of skill is answered at once."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from controllers.adaptive import kalman
from controllers.common.dial_bounds import at_bound, pushes_out, skill_inside
from controllers.common.dial_margin import margin_for
from engine.attempt import define_function
from engine.contract.controller_conduct import brief_for, make_controller
from engine.controller import Bounds, ControllerKind, Observation, Outcome, Setting, Situation, Who
from engine.players import Distribution
from sims.catalog import Catalog
from tests.kit.worlds import FAITHFUL, STEADY, played, setup_of

CATALOG = Catalog()
ADAPTING = [
    kind
    for kind in (CATALOG.controller(entry.name) for entry in CATALOG.controllers())
    if kind.mode in ("adaptive", "self_adaptive")
]
TARGET = 0.75
CEILING = 0.4
FALL = 100  # attempt at which skill falls
STRONG = {
    **STEADY,
    **FAITHFUL,
    "skill": Distribution("fixed", 1.5),
    "slope": Distribution("fixed", 1.7),
    "jump": Distribution("fixed", -3.5),
    "jump_attempt": Distribution("fixed", float(FALL)),
}
WEAK = {**STEADY, **FAITHFUL, "skill": Distribution("fixed", -3.0)}

# The same rules with bounds written into them by hand: what becomes of a field of the state after an outcome.
PLACE = ("difficulty", "min(max(after.difficulty, LOW), HIGH)")
BY_HAND = {
    **dict.fromkeys(("weighted_up_down", "robbins_monro", "kesten", "staircase", "plateau", "entropy"), PLACE),
    **dict.fromkeys(("dual", "gradient", "hypergradient"), PLACE),
    "pid": ("integral", "min(max(after.integral, LOW - 0.5), HIGH - 0.5)"),
    "elo": ("rating", "min(max(after.rating, LOW + ELO), HIGH + ELO)"),
    "kalman": ("skill", "min(max(after.skill, LOW + KALMAN), HIGH + KALMAN)"),
}


def with_bounds_by_hand(kind: ControllerKind, low: float, high: float) -> ControllerKind:
    assert kind.rule is not None
    name, moved = BY_HAND[kind.name]
    state = kind.rule.start(kind.options(), TARGET)
    fields = ", ".join(moved if field == name else f"after.{field}" for field in state._fields)
    text = f"def tell(options, state, seen):\n    after = inner(options, state, seen)\n    return State({fields})\n"
    margins = {"ELO": margin_for(TARGET, 8.0, 0.0, 0.0), "KALMAN": margin_for(TARGET, 6.0, 0.02, 0.02)}
    names = {"inner": kind.rule.tell, "State": type(state), "LOW": low, "HIGH": high, **margins}
    rule = dataclasses.replace(kind.rule, tell=define_function("tell", text, names), anti_windup=None)
    return dataclasses.replace(kind, rule=rule)


def rows_of(kind: ControllerKind, traits: Any, ceiling: float, attempts: int, players: int) -> Any:
    setup = setup_of(
        kind=kind, cohorts=(traits,), counts=(players,), targets=TARGET, ceiling=ceiling, attempts_per_player=attempts,
        horizon_s=400 * 86_400.0,
    )  # fmt: skip
    return played(setup).rows


def rates(rows: Any, first: int, last: int) -> tuple[float, float]:
    """Win rate of attempts from first on, before last, and its standard error over players."""
    mine = rows[(rows["attempt"] >= first) & (rows["attempt"] < last)]
    _, numbers = np.unique(mine["player"], return_inverse=True)
    won = np.bincount(numbers, weights=mine["outcome"] == 1) / np.bincount(numbers)
    return float(won.mean()), float(won.std(ddof=1) / np.sqrt(len(won)))


def test_the_classic_rule_answers_a_fall_at_the_ceiling_at_once():
    """The state ran on to .998 and won .37, .39, .39, .45 at attempts 105, 115, 120, 130."""
    rows = rows_of(CATALOG.controller("weighted_up_down"), STRONG, CEILING, 160, 2000)
    assert rows["beliefs"].max() <= CEILING
    assert not rows["clipped"].any()
    for attempt, rate in ((115, 0.71), (120, 0.72), (130, 0.74), (150, 0.76)):
        won = (rows["outcome"][rows["attempt"] == attempt] == 1).mean()
        assert won == pytest.approx(rate, abs=0.02 + 4.0 * np.sqrt(0.2 / 2000))  # the rates are those of 400 players


@pytest.mark.thorough
@pytest.mark.parametrize("kind", [kind for kind in ADAPTING if kind.name in BY_HAND], ids=lambda kind: kind.name)
@pytest.mark.parametrize(("traits", "ceiling", "spans"), [
    (STRONG, CEILING, ((FALL, FALL + 20), (FALL + 20, FALL + 60), (FALL, 240))), (WEAK, 0.2, ((0, 12), (0, 40)))
], ids=["wind_up", "ceiling"])  # fmt: skip
def test_a_rule_wins_what_it_would_with_bounds_of_its_own(kind, traits, ceiling, spans):
    last = spans[-1][1]
    ours = rows_of(kind, traits, ceiling, last, 400)
    by_hand = rows_of(with_bounds_by_hand(kind, 0.0, ceiling), traits, ceiling, last, 400)
    for first, end in spans:
        (mine, error), (theirs, other) = rates(ours, first, end), rates(by_hand, first, end)
        assert abs(mine - theirs) < 0.05 + 4.0 * np.hypot(error, other), (first, end)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ADAPTING, ids=lambda kind: kind.name)
def test_every_controller_starts_inside(kind):
    """Between .02 and .04 there is no default start, no default skill and no setting of a coarse grid but one."""
    for floor, ceiling in ((0.02, 0.04), (0.9, 0.93)):
        brief = brief_for(kind.scopes[0])._replace(floor=floor, ceiling=ceiling)
        controller = make_controller(kind, brief)
        who = Who(0, 0, Situation(0.55, 0, 0, 0, 1.0))
        for won in (True, True, False):
            asked = controller.ask(who)
            described = controller.describe(who)
            for name in {"difficulty", "best"} & set(described):
                assert floor <= described[name] <= ceiling
            played_at = min(max(asked.difficulty, floor), ceiling)
            assert asked.difficulty == pytest.approx(played_at, abs=0.12)  # an estimate may be unsure
            controller.tell(Outcome(who, Setting(played_at, asked.units, asked.ticket), won, 0.5, 0.5, 0.0))


@pytest.mark.parametrize("name", ["elo", "thompson"])
def test_a_session_in_one_call_and_attempt_by_attempt_know_the_same_bounds_and_units(name):
    """Two groups with targets of their own on three levels, between .3 and .6."""
    setup = setup_of(
        kind=CATALOG.controller(name), cohorts=(STRONG, WEAK), counts=(3, 3), levels=3, floor=0.3, ceiling=0.6,
        targets=[[0.9, 0.7, 0.5], [0.6, 0.5, 0.4]],
    )  # fmt: skip
    whole, parts = (played(setup, one_by_one=one).rows for one in (False, True))
    assert whole.tobytes() == parts.tobytes()
    assert len(whole) >= 6 * 3  # each player on each level


def test_a_skill_is_kept_where_the_dial_answers_it_for_one_of_the_targets():
    bounds = Bounds(0.3, 0.6, 0.5, 0.9)
    low, high = 0.3, 0.6 + margin_for(0.9, 6.0, 0.0, 0.0)
    for skill, kept in ((0.0, low), (0.31, 0.31), (0.9, 0.9), (1.2, high)):
        assert skill_inside(skill, 6.0, 0.0, 0.0, 0.0, 0.0, bounds) == pytest.approx(kept, abs=1e-8)
    assert skill_inside(-5.0, 6.0, 0.0, 0.0, 0.0, 0.0, bounds._replace(floor=0.0)) == -5.0
    assert skill_inside(5.0, 6.0, 0.0, 0.0, 0.0, 0.0, bounds._replace(ceiling=1.0)) == 5.0


def test_kalman_reaches_its_bounds_exactly():
    options, bounds = kalman.Options(q=0.05), Bounds(0.3, 0.7, TARGET, TARGET)
    for won, end in ((1.0, 0.7), (0.0, 0.3)):
        state = kalman.start(options, TARGET)
        for _ in range(400):
            asked = kalman.ask(options, state, Situation(TARGET, 0, 0, 0, won))
            place = min(max(asked, 0.3), 0.7)
            state = kalman.tell(options, state, Observation(place, won, won, won, TARGET, 0, won, 1.0))
            state = kalman.anti_windup(options, state, bounds)
        assert place == end
        assert asked == pytest.approx(end, abs=1e-8)


def test_an_outcome_pushes_out_only_where_it_was_played_at_a_bound_that_it_leaves():
    bounds = Bounds(0.3, 0.7, 0.6, 0.8)
    win, loss = (Observation(0.7, won, won, won, 0.7, 0.0, 1.0, 1.0) for won in (1.0, 0.0))
    assert pushes_out(0.85, win, bounds)
    assert not pushes_out(0.75, win, bounds), "a level with a target of .8 would be played below the ceiling"
    assert not pushes_out(0.85, loss, bounds)
    assert not pushes_out(0.85, win._replace(difficulty=0.69), bounds)
    assert not pushes_out(0.85, win, bounds._replace(ceiling=1.0))
    assert pushes_out(0.55, loss._replace(difficulty=0.3), bounds)
    assert not pushes_out(0.55, win._replace(difficulty=0.3), bounds)
    assert at_bound(win, bounds)
    assert not at_bound(win._replace(difficulty=1.0), Bounds(0.0, 1.0, 0.6, 0.8))
    assert not at_bound(win._replace(difficulty=0.8), bounds), "a level that moves the dial"
