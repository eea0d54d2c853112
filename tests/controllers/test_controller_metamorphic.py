"""Relations that must hold between two runs of every controller that is found, whatever its numbers are."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from engine.arithmetic import logistic
from engine.contract.controller_conduct import brief_for, hardness, make_controller
from engine.controller import Outcome, Situation, Who
from engine.randomness import CHANCE, RETURN, key_of, uniform
from engine.rule import PerPlayer
from sims.catalog import Catalog

pytestmark = pytest.mark.thorough

CATALOG = Catalog()
FOUND = [CATALOG.controller(entry.name) for entry in CATALOG.controllers()]
# A reference knows what no game tells; of this small world it would know something else.
KINDS = {kind.name: kind for kind in FOUND if kind.mode != "reference"}
ADAPTIVE = [name for name, kind in KINDS.items() if kind.mode != "deterministic"]
SCOPED = [(name, scope) for name, kind in KINDS.items() for scope in kind.scopes]
SEED = 2718
PLAYERS = range(4)
TARGET = 0.55


class World:
    """Four players of two cohorts, whose luck is addressed by who they are and by their attempt, not by their turn."""

    def __init__(self, controller: Any, skill=0.5, target=TARGET, names=None, delay=0):
        self.controller = controller
        self.skill, self.target, self.delay = skill, target, delay
        self.names = names or {player: 2 * player + player % 2 for player in PLAYERS}
        self.rows: dict[int, list[tuple[Any, ...]]] = {player: [] for player in PLAYERS}
        self.waiting: list[Outcome] = []
        self.turns = 0
        self.log: list[tuple[str, Any, Any]] = []

    def turn(self, player: int) -> None:
        """One attempt; outcomes then wait until `delay` others wait, and come in arbitrary order."""
        attempt = len(self.rows[player])
        last = -1.0 if self.delay and attempt else self.rows[player][-1][-1] if attempt else 1.0
        who = Who(self.names[player], player % 2, Situation(self.target, attempt, 0, attempt % 20, last))
        asked = self.controller.ask(who)
        self.log.append(("ask", who, asked))
        luck = uniform(key_of(SEED, 0, CHANCE, player, attempt), 0)
        hard = hardness(asked)
        won = luck < 0.02 + 0.96 * logistic(8.0 * (self.skill - hard))
        self.rows[player].append((asked.difficulty, asked.units, hard, 1.0 if won else 0.0))
        self.waiting.append(
            Outcome(
                who, asked, won, 1.0 if won else 0.5 * luck, 0.5 + 0.5 * luck if won else 0.4 * luck, 30.0 * self.turns
            )
        )
        while len(self.waiting) > self.delay:
            place = int(uniform(key_of(SEED, 0, RETURN, 0, self.turns), 0) * len(self.waiting))
            outcome = self.waiting.pop(place)
            self.controller.tell(outcome)
            self.log.append(("tell", outcome, None))
        self.turns += 1

    def rounds(self, count: int, order=PLAYERS) -> World:
        for _ in range(count):
            for player in order:
                self.turn(player)
        return self

    def mean_hardness(self, last: int) -> float:
        return math.fsum(row[2] for rows in self.rows.values() for row in rows[-last:]) / (len(PLAYERS) * last)


def rounds_to_settle(scope: str) -> int:
    return 300 if scope == "player" else 600


# --- Gain 0 equals constant

GAINED = [name for name, kind in KINDS.items() if kind.gains]


@pytest.mark.parametrize("name", GAINED)
def test_without_gain_the_dial_stands_still(name):
    kind = KINDS[name]
    assert kind.rule is not None
    still = kind.options(**dict.fromkeys(kind.gains, 0.0))
    for options, moves in ((still, False), (kind.options(), True)):
        world = World(PerPlayer(kind.rule, options, brief_for(kind.scopes[0]))).rounds(60)
        assert (len({row[2] for rows in world.rows.values() for row in rows}) > 1) is moves


def test_rules_that_step_by_a_gain_say_so():
    known = {"weighted_up_down", "robbins_monro", "kesten", "staircase", "elo", "pid", "plateau", "entropy", "dual"}
    assert known | {"gradient", "hypergradient"} <= set(GAINED)


# --- More skill never lowers the final difficulty


@pytest.mark.parametrize(("name", "scope"), SCOPED)
def test_more_skill_never_lowers_the_final_difficulty(name, scope):
    kind = KINDS[name]
    rounds = rounds_to_settle(scope)
    ends = [
        World(make_controller(kind, brief_for(scope)), skill).rounds(rounds).mean_hardness(60)
        for skill in (0.2, 0.5, 0.8)
    ]
    assert ends == sorted(ends)


# --- Targets near 0 or 1: at a bound, without wind-up

SATURATED = 2000  # rounds at a target out of reach: a sum that is not held would need as many to come back
COME_BACK = 100


@pytest.mark.parametrize("name", ADAPTIVE)
@pytest.mark.parametrize(("extreme", "bound"), [(0.995, 0.0), (0.005, 1.0)], ids=["easiest", "hardest"])
def test_an_extreme_target_ends_at_a_bound_and_is_soon_left(name, extreme, bound):
    kind = KINDS[name]
    scope = kind.scopes[0]
    world = World(make_controller(kind, brief_for(scope, (extreme, extreme))), target=extreme).rounds(SATURATED)
    assert world.mean_hardness(60) == pytest.approx(bound, abs=0.2)
    world.target = TARGET
    for _ in range(COME_BACK):
        world.rounds(1)
        if abs(world.mean_hardness(1) - bound) >= 0.25:  # half of the way to where these players win 55 %
            return
    pytest.fail(f"still at {world.mean_hardness(1):.3f} after {COME_BACK} attempts")


# --- Saved, loaded and continued equals uninterrupted


@pytest.mark.parametrize("delay", [0, 4])
@pytest.mark.parametrize(("name", "scope"), SCOPED)
def test_saved_loaded_and_continued_equals_uninterrupted_at_every_step(name, scope, delay):
    kind = KINDS[name]
    brief = brief_for(scope)
    whole = World(make_controller(kind, brief), delay=delay).rounds(12)
    parts = World(make_controller(kind, brief), delay=delay)
    for _ in range(12):
        for player in PLAYERS:
            saved = json.dumps(parts.controller.memory(), allow_nan=False)
            parts.controller = make_controller(kind, brief)
            parts.controller.remember(json.loads(saved))
            parts.turn(player)
    assert parts.rows == whole.rows


# --- Permuted players give the same rows


@pytest.mark.parametrize("name", list(KINDS))
def test_players_in_another_order_give_the_same_rows(name):
    kind = KINDS[name]
    if "player" not in kind.scopes:
        pytest.skip("a dial that players share depends on who comes first")
    brief = brief_for("player")
    forward = World(make_controller(kind, brief)).rounds(40)
    backward = World(make_controller(kind, brief)).rounds(40, tuple(reversed(PLAYERS)))
    assert forward.rows == backward.rows


@pytest.mark.parametrize(("name", "scope"), [(name, scope) for name, scope in SCOPED if scope != "player"])
def test_players_of_a_shared_dial_by_other_names_give_the_same_rows(name, scope):
    brief = brief_for(scope)
    names = {player: 907 - 13 * player for player in PLAYERS}
    plain = World(make_controller(KINDS[name], brief)).rounds(40)
    renamed = World(make_controller(KINDS[name], brief), names=names).rounds(40)
    assert plain.rows == renamed.rows
