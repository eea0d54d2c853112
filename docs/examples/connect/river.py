"""Coin River as a game of its own, in Python: it plays whole attempts that Flowdial asks for, one line at a time.

    flowdial connect add river -- python3 river.py
    flowdial connect check river

The rules are those of ../coin_river.py. The bot below stands for yours: it is late, errs and overlooks as the player
that it is told to be. docs/protocol.md explains every key of a line.
"""

import json
import sys
from typing import Any

TICK_S = 1 / 30
ROWS, LANES = 24, 3
REACH = 5 * TICK_S  # lanes in a tick that the canoe is steered
MOST_TICKS = 1800
WATERS = ["calm", "rocky", "white"]
WORD = 0xFFFFFFFF

HANDSHAKE: dict[str, Any] = {
    "flowdial": 1,
    "name": "Coin River",
    "version": 1,
    "summary": "Steer a canoe through rocks and bring enough coins.",
    "params": [
        {"name": "speed", "low": 0.8, "high": 1.8, "default": 1.1, "unit": "rows/s", "scale": "log"},
        {"name": "sight", "low": 0.6, "high": 1.0, "default": 0.8, "unit": "row", "harder": "low"},
        {"name": "hull", "low": 4, "high": 8, "default": 7, "harder": "low", "scale": "integer"},
        {"name": "toll", "low": 10, "high": 20, "default": 15, "scale": "integer"},
        {"name": "water", "default": "rocky", "scale": "choice", "choices": WATERS},
    ],
    "causes": ["wrecked", "too few coins"],
    "deterministic": True,
    "batch": 256,
}


class Dice:
    """The generator sfc32, seeded with 64 bits that came as text."""

    def __init__(self, seed: str) -> None:
        self.a, self.b, self.c, self.turn = int(seed) & WORD, int(seed) >> 32, 0x9E3779B9, 1
        for _ in range(12):
            self.word()

    def word(self) -> int:
        drawn = (self.a + self.b + self.turn) & WORD
        self.turn = (self.turn + 1) & WORD
        self.a = self.b ^ (self.b >> 9)
        self.b = (self.c + (self.c << 3)) & WORD
        self.c = (((self.c << 21) | (self.c >> 11)) + drawn) & WORD
        return drawn

    def uniform(self) -> float:
        return self.word() / 4294967296


def layout(dice: Dice, water: int) -> tuple[list[int], list[list[int]]]:
    coins, rocks = [], []
    for _ in range(ROWS):
        coin, many = dice.word() % LANES, dice.uniform()
        first = (coin + 1 + dice.word() % 2) % LANES
        row = [0] * LANES
        if water > 0 or many < 0.5:
            row[first] = 1
        if water == 2 and many < 0.5:
            row[LANES - coin - first] = 1
        coins.append(coin)
        rocks.append(row)
    return coins, rocks


def play(asked: dict[str, Any]) -> dict[str, Any]:
    params, who = asked["params"], asked["player"]
    coins, rocks = layout(Dice(asked["level_seed"]), WATERS.index(params["water"]))
    dice = Dice(asked["seed"])
    sight = params["sight"] * min(who["foresight"], 1)
    lane, way, hull, won_coins, ticks = 1.0, 0.0, params["hull"], 0, 0
    wanted = hands = coming = due = 0  # 0 drifts, 1 to 3 steer for a lane
    while hull > 0 and way < ROWS and ticks < MOST_TICKS:
        row = min(int(way), ROWS - 1)
        wish = coins[row] + 1 if row + 1 - way <= sight else 0
        if wish != wanted:  # a change of mind: the hands are late, slip, or do not follow
            wanted = coming = wish
            error, other, tail = dice.uniform(), dice.word() % 3, dice.uniform()
            if error < who["lapse"]:
                coming = hands
            elif error < who["lapse"] + who["slip"]:
                coming = (wish + 1 + other) % 4
            late = who["reaction_s"] + who["reaction_sd_s"] * (2 * dice.uniform() - 1)
            due = ticks + int((late + who["reaction_tail_s"] * 3 * tail * tail) / TICK_S + 0.5)
        if ticks >= due:
            hands = coming
        if hands > 0:
            lane += min(max(hands - 1 - lane, -REACH), REACH)
        way += params["speed"] * TICK_S
        if int(way) > row:
            at = int(lane + 0.5)
            hull -= rocks[row][at]
            won_coins += coins[row] == at
        ticks += 1
    answer = {"id": asked["id"], "ticks": ticks, "seconds": ticks * TICK_S}
    passed = min((way if hull > 0 else way - 1) / ROWS, 1)
    answer["progress"] = 0.5 * passed + 0.5 * min(won_coins / params["toll"], 1)
    answer["check"] = format(won_coins * 256 + hull, "x")
    if hull <= 0:
        answer.update(outcome="lost", cause="wrecked")
    elif way < ROWS:
        answer.update(outcome="timed_out")
    elif won_coins < params["toll"]:
        answer.update(outcome="lost", cause="too few coins")
    else:
        answer.update(outcome="won", progress=1)
    return answer


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        said = {"played": [play(one) for one in asked["play"]]} if "play" in asked else HANDSHAKE
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
