"""Gap Runner as one would write it first: SimPy and plain Python, one timeout per tick, a dict per row.

The yardstick for the compiled batch. Rules and player model are those of games.gap_runner and engine.attempt, said
again in the obvious way, so that the runner takes the same steps and win rates agree within noise
(`benchmarks.cases.agreement`, and tests, look at that). It shares no code with the product and is written for clarity,
not slowed down on purpose.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

import simpy

TICK_S = 1.0 / 60.0
MAX_TICKS = 7200
JUMP_LENGTH = 4.9
JUMP_HEIGHT = 1.84
HALF_WIDTH = 0.3
SPIKE_HEIGHT = 0.6
RUN_UP = 14.0


@dataclass
class Settings:
    speed: float
    gap_share: float
    spacing_m: float
    sight_m: float
    obstacles: int
    hearts: int
    hazards: int  # 0: gaps, 1: and spikes, 2: and beams


@dataclass
class Obstacle:
    kind: str
    at: float
    width: float


class Player:
    """A synthetic player of the default cohort, in their first attempt."""

    def __init__(self, rng: random.Random) -> None:
        self.skill = min(max(rng.gauss(0.0, 0.9), -10.0), 10.0)
        self.pace = min(max(math.exp(rng.gauss(0.0, 0.1)), 0.1), 10.0)
        quick = self.pace * math.exp(-0.15 * self.skill)
        self.reaction_s = 0.3 * quick
        self.reaction_sd_s = 0.04 * quick
        self.reaction_tail_s = 0.1 * quick
        self.slip = 1.0 / (1.0 + math.exp(3.2 + 0.8 * self.skill))
        self.lapse = 1.0 / (1.0 + math.exp(3.9 + 0.5 * self.skill))
        self.foresight = math.exp(0.3 * self.skill)

    def reaction_time(self, rng: random.Random) -> float:
        drawn = rng.gauss(self.reaction_s, self.reaction_sd_s) + rng.expovariate(1.0 / self.reaction_tail_s)
        return max(drawn, 0.1)


class Hands:
    """Between wanting and doing: late, sometimes wrong, sometimes not at all."""

    def __init__(self, player: Player, rng: random.Random) -> None:
        self.player = player
        self.rng = rng
        self.wanted = "run"
        self.action = "run"
        self.pending = "run"
        self.due = 0

    def act(self, wanted: str, due_s: float, tick: int) -> str:
        if wanted != self.wanted:
            self.wanted = wanted
            self.pending = wanted
            error = 1.0 if wanted == "run" else self.rng.random()
            if error < self.player.lapse:
                self.pending = self.action
            elif error < self.player.lapse + self.player.slip:
                self.pending = self.rng.choice([other for other in ("run", "jump", "duck") if other != wanted])
            if wanted == "run" or due_s > self.player.reaction_s + self.player.reaction_tail_s - TICK_S:
                wait_s = max(self.rng.gauss(due_s, self.player.reaction_sd_s), 0.0)  # it was seen coming
            else:
                wait_s = self.player.reaction_time(self.rng)
            self.due = tick + math.ceil(wait_s / TICK_S - 0.5)
        if tick >= self.due:
            self.action = self.pending
        return self.action


class Runner:
    """The runner on a level."""

    def __init__(self, settings: Settings, rng: random.Random) -> None:
        self.settings = settings
        self.obstacles = make_level(settings, rng)
        self.goal = RUN_UP + settings.spacing_m * settings.obstacles
        # How long a jump is lower than a spike after the take-off, and again before the landing.
        self.low = 0.5 * JUMP_LENGTH * (1.0 - math.sqrt(1.0 - SPIKE_HEIGHT / JUMP_HEIGHT))
        self.x = 0.0
        self.landing = 0.0  # where the last jump ends: who has not reached it is in the air
        self.held = "run"
        self.ducking = False
        self.ahead = 0
        self.hearts = settings.hearts
        self.hurt_by = ""
        self.stumbles = False  # in the tick after a hit

    def step(self, action: str) -> None:
        if action == "jump" and self.x >= self.landing and self.held != "jump":
            self.landing = self.x + JUMP_LENGTH
        begin = self.x
        self.x += self.settings.speed * TICK_S
        self.ducking = action == "duck" and self.x >= self.landing
        self.held = action
        self.stumbles = False
        if self.ahead < len(self.obstacles):
            self.meet(self.obstacles[self.ahead], begin)

    def meet(self, obstacle: Obstacle, begin: float) -> None:
        if self.x + HALF_WIDTH <= obstacle.at:
            return
        end = obstacle.at + obstacle.width
        if self.touches(obstacle, begin):
            self.hearts -= 1
            self.hurt_by = obstacle.kind
            self.x = end + HALF_WIDTH
            self.landing = self.x
            self.stumbles = True
        if self.stumbles or self.x - HALF_WIDTH >= end:
            self.ahead += 1

    def touches(self, obstacle: Obstacle, begin: float) -> bool:
        """Whether the obstacle hurts anywhere between begin and x: up to the landing in the air, then on the ground."""
        end = obstacle.at + obstacle.width
        if obstacle.kind == "gap":
            return overlap((max(begin, self.landing), self.x), (obstacle.at, end))
        reach = (obstacle.at - HALF_WIDTH, end + HALF_WIDTH)
        if obstacle.kind == "spike":
            rising = (begin, min(self.x, self.landing - JUMP_LENGTH + self.low))
            falling_or_landed = (max(begin, self.landing - self.low), self.x)
            return overlap(rising, reach) or overlap(falling_or_landed, reach)
        if self.ducking:
            return overlap((begin, min(self.x, self.landing)), reach)
        return overlap((begin, self.x), reach)

    def wants(self, player: Player) -> tuple[str, float]:
        """What an expert would want now, who sees as far as this player does, and in how many seconds it is due."""
        if self.x < self.landing or self.stumbles or self.ahead >= len(self.obstacles):
            return "run", 0.0
        obstacle = self.obstacles[self.ahead]
        if obstacle.at - self.x > self.settings.sight_m * min(player.foresight, 1.0):
            return "run", 0.0
        best = obstacle.at - HALF_WIDTH - 0.5
        if obstacle.kind != "beam":
            best = obstacle.at + 0.5 * (obstacle.width - JUMP_LENGTH)
        due_s = (best - self.x) / self.settings.speed
        if due_s > player.reaction_s + player.reaction_tail_s + 0.5 * TICK_S:  # one's mind can be made up later
            return "run", 0.0
        if obstacle.kind != "beam" and self.x >= obstacle.at + 0.5 * obstacle.width:  # it is behind
            return "run", 0.0
        return "duck" if obstacle.kind == "beam" else "jump", max(due_s, 0.0)


def overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two stretches, each from its begin to its end, have a piece in common; one that ends first is empty."""
    return max(one[0], other[0]) < min(one[1], other[1])


def make_level(settings: Settings, rng: random.Random) -> list[Obstacle]:
    level = []
    kinds = ["gap", "spike", "beam"][: settings.hazards + 1]
    for index in range(settings.obstacles):
        at = RUN_UP + settings.spacing_m * (index + 0.15 * rng.random())
        kind = rng.choice(kinds)
        if kind == "gap":
            width = JUMP_LENGTH * settings.gap_share * (0.8 + 0.2 * rng.random())
        else:
            width = 2.2 if kind == "spike" else 0.8
        level.append(Obstacle(kind, at, width))
    return level


def attempt(
    env: simpy.Environment, settings: Settings, player: Player, rng: random.Random, rows: list[dict[str, Any]]
) -> Any:
    """One attempt as a SimPy process: a timeout per tick, a row at the end."""
    runner = Runner(settings, rng)
    hands = Hands(player, rng)
    began = env.now
    tick = 0
    while runner.hearts > 0 and runner.x < runner.goal and tick < MAX_TICKS:
        runner.step(hands.act(*runner.wants(player), tick))
        tick += 1
        yield env.timeout(TICK_S)
    outcome = "lost" if runner.hearts <= 0 else "won" if runner.x >= runner.goal else "timed_out"
    rows.append(
        {
            **vars(settings),
            "skill": player.skill,
            "reaction_s": player.reaction_s,
            "slip": player.slip,
            "lapse": player.lapse,
            "foresight": player.foresight,
            "start_s": began,
            "duration_s": env.now - began,
            "outcome": outcome,
            "progress": min(runner.x / runner.goal, 1.0),
            "cause": runner.hurt_by if outcome == "lost" else "",
            "ticks": tick,
        }
    )


def play(settings: Settings, attempts: int, seed: int) -> list[dict[str, Any]]:
    """So many players, each in one attempt at the settings, all in one SimPy environment."""
    rng = random.Random(seed)
    env = simpy.Environment()
    rows: list[dict[str, Any]] = []
    for _ in range(attempts):
        env.process(attempt(env, settings, Player(rng), rng, rows))
    env.run()
    return rows
