"""The naive twin of boss_duel: the same rules and the same player, the way one would first write them with SimPy.

One process an attempt, one timeout a turn, `random` for all luck, one dict a row. It shares no code with the game, so
that agreement of the two says something about both. Knobs come by name, as people read them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Generator
from typing import Any

import simpy

HABITS = {
    "steady": {"light": 5.0, "heavy": 1.5, "sweep": 2.0, "rest": 2.0},
    "fierce": {"light": 3.5, "heavy": 2.5, "sweep": 2.5, "rest": 1.5},
    "cunning": {"light": 2.5, "heavy": 2.8, "sweep": 2.8, "rest": 1.4},
}
TAKEN = {
    "light": {"wait": 0.6, "attack": 0.15, "block": 0.15, "dodge": 0.3, "heal": 0.6},
    "heavy": {"wait": 1.6, "attack": 1.6, "block": 0.8, "dodge": 0.0, "heal": 1.6},
    "sweep": {"wait": 1.0, "attack": 1.0, "block": 0.0, "dodge": 1.0, "heal": 1.0},
}
DEALT = {
    "light": {"attack": 1.0},
    "heavy": {"attack": 0.5, "dodge": 0.5},
    "sweep": {"attack": 0.5, "block": 0.5},
    "rest": {"attack": 1.5},
}
ANSWER = {"light": "attack", "heavy": "dodge", "sweep": "block", "rest": "attack"}
ACTIONS = ["wait", "attack", "block", "dodge", "heal"]

Knobs = dict[str, Any]
Row = dict[str, Any]


class Player:
    """What a synthetic player can do."""

    def __init__(self, skill: float) -> None:
        self.skill = skill
        speed = random.lognormvariate(0.0, 0.1) * math.exp(-0.15 * skill)
        self.reaction = 0.3 * speed
        self.spread = 0.04 * speed
        self.tail = 0.1 * speed
        self.slip = 1.0 / (1.0 + math.exp(3.2 + 0.8 * skill))
        self.lapse = 1.0 / (1.0 + math.exp(3.9 + 0.5 * skill))
        self.foresight = math.exp(0.3 * skill)

    def reaction_time(self) -> float:
        return max(0.1, random.gauss(self.reaction, self.spread) + random.expovariate(1.0 / self.tail))

    def choose(self, windup: str, disguise: float, health: float, potions: int, blow: float, knobs: Knobs) -> str:
        """The action that comes out."""
        can_heal = potions > 0 and health + knobs["heal"] <= 100.0
        in_danger = health <= 1.6 * blow
        needed = (self.reaction + self.tail) * (0.3 + 3.0 * disguise)
        if needed > knobs["telegraph_s"] * self.foresight:
            wanted = "heal" if can_heal and in_danger else "attack"
        elif can_heal and (windup == "rest" or (in_danger and windup == "light")):
            wanted = "heal"
        else:
            wanted = ANSWER[windup]
        error = random.random()
        if error < self.lapse:
            return "wait"
        if error < self.lapse + self.slip:
            return random.choice([action for action in ACTIONS if action != wanted])
        return wanted


def duel(env: simpy.Environment, number: int, knobs: Knobs, skill: float, rows: list[Row]) -> Generator[Any, Any, None]:
    """One attempt."""
    player = Player(skill)
    habits = {move: weight * random.uniform(0.5, 1.5) for move, weight in HABITS[knobs["style"]].items()}
    moves, weights = list(habits), list(habits.values())
    full = knobs["boss_health"] * random.uniform(0.7, 1.3)
    blow = knobs["damage"] * random.uniform(0.7, 1.3)
    boss, health, potions, turns = full, 100.0, knobs["potions"], 0
    outcome, cause = "running", ""
    began = env.now
    while outcome == "running":
        windup = random.choices(moves, weights)[0]
        yield env.timeout(1.0 + player.reaction_time())
        action = player.choose(windup, random.random(), health, potions, blow, knobs)
        if action == "heal" and potions > 0:
            health = min(100.0, health + knobs["heal"])
            potions -= 1
        taken = blow * TAKEN[windup][action] * random.uniform(0.8, 1.2) if windup != "rest" else 0.0
        critical = random.random() < knobs["crit_chance"]
        health -= 2.0 * taken if critical else taken
        dealt = 10.0 * DEALT[windup].get(action, 0.0) * random.uniform(0.8, 1.2)
        boss -= 2.0 * dealt if random.random() < 0.125 else dealt
        turns += 1
        if health <= 0.0:
            outcome, cause = "lost", "critical" if critical else windup
        elif boss <= 0.0:
            outcome = "won"
        elif turns >= knobs["turns"]:
            outcome, cause = "lost", "exhausted"
    rows.append(
        {
            "player": number,
            "skill": player.skill,
            "outcome": outcome,
            "cause": cause,
            "progress": min(max(1.0 - boss / full, 0.0), 1.0),
            "ticks": turns,
            "duration_s": env.now - began,
            **knobs,
        }
    )


def play(knobs: Knobs, skill: float, attempts: int, seed: int) -> list[Row]:
    """Attempts of as many players of one skill, all at the same time."""
    random.seed(seed)
    env = simpy.Environment()
    rows: list[Row] = []
    for number in range(attempts):
        env.process(duel(env, number, knobs, skill, rows))
    env.run()
    return rows
