"""A small game for tests of external games: a script that plays well, but for the attempts in which it is moody.

    python moody_game.py [MOOD] [SHARE] [MARK]

An attempt is moody when its seed is divisible by SHARE; the mood says what happens then. MARK is for tests that look
for the process. It needs nothing of Flowdial.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from typing import Any, TextIO

HANDSHAKE: dict[str, Any] = {
    "flowdial": 1,
    "name": "Moody",
    "version": 1,
    "params": [
        {"name": "hard", "low": 0.0, "high": 1.0, "default": 0.5},
        {"name": "idle", "low": 0, "high": 3, "default": 1, "scale": "integer"},
    ],
    "causes": ["too hard", "bad luck"],
    "deterministic": True,
    "batch": 256,
}


def seeded(seed: int) -> float:
    """A number in [0, 1) that depends on all bits of a seed (SplitMix64)."""
    word = (seed + 0x9E3779B97F4A7C15) % 2**64
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        word = ((word ^ (word >> shift)) * factor) % 2**64
    return (word ^ (word >> 31)) / 2**64


def played(asked: dict[str, Any]) -> dict[str, Any]:
    """The attempt as it is without any mood: a player wins whose skill is above the difficulty, by luck."""
    luck = seeded(int(asked["seed"]))
    layout = seeded(int(asked["level_seed"]))
    chance = 0.5 + 0.25 * asked["player"]["skill"] - 0.8 * (asked["params"]["hard"] - 0.5)
    won = luck < min(max(chance, 0.02), 0.98)
    answer = {
        "id": asked["id"],
        "ticks": 10 + int(90 * luck),
        "seconds": 5.0 + 20.0 * layout,
        "check": f"{luck:.6f}"[2:],
    }
    if won:
        return {**answer, "outcome": "won", "progress": 1}
    if luck > 0.99:
        return {**answer, "outcome": "timed_out", "progress": 0.5}
    return {**answer, "outcome": "lost", "progress": 1 - luck, "cause": "too hard" if luck < 0.8 else "bad luck"}


def from_port() -> TextIO:
    """The lines that come through the port, to which what is said goes as well; stdout is noise then."""
    channel = socket.create_connection(("127.0.0.1", int(os.environ["FLOWDIAL_PORT"])))
    sys.stdout.write("frame 1\n")
    sys.stdout = channel.makefile("w", encoding="utf-8")
    return channel.makefile(encoding="utf-8")


def write(line: str) -> None:
    """Say a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def fall_ill(mood: str, answer: dict[str, Any]) -> dict[str, Any]:
    """What a moody attempt does; the moods that return spoil the answer only."""
    wrong: dict[str, dict[str, Any]] = {
        "progress": {"progress": 1.5},
        "nan": {"seconds": float("nan")},
        "cause": {"outcome": "lost", "cause": "no such cause", "progress": 0.5},
        "ticks": {"ticks": -1},
        "id": {"id": 10**6},
        "typing": {"outcom": "won"},
    }
    if mood in wrong:
        return {**answer, **wrong[mood]}
    if mood == "error":
        return {"id": answer["id"], "error": "the level could\nnot be built"}
    if mood == "crash":
        os._exit(7)
    if mood == "abort":
        os.abort()
    if mood == "garbage":
        write("Assertion failed: tile != null")
    if mood == "partial":
        sys.stdout.write('{"played": [{"id": 1, "outc')
        sys.stdout.flush()
        os._exit(0)
    if mood == "half":
        sys.stdout.write('{"played": [{"id": 1, "outc')
        sys.stdout.flush()
    while mood == "endless":
        sys.stdout.write("x" * 65536)
    if mood == "family":  # a child of the game that outlives it, and would hold its pipes
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", sys.argv[-1]])
    while mood in ("hang", "half", "family"):
        time.sleep(60)
    return answer


def main() -> None:
    mood, share = (sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 2 else ("none", 0)
    if mood == "silent":
        time.sleep(600)
    if mood == "banner":
        write("Engine 4.2 - https://engine.example\n{not json}")
    if mood == "refuses":
        sys.stderr.write("cannot open display\n")
        raise SystemExit(3)
    count = 0
    for line in sys.stdin if mood != "port" else from_port():
        asked = json.loads(line)
        if "flowdial" in asked:
            write(json.dumps({**HANDSHAKE, **({"version": 2} if mood == "newer" else {})}))
            continue
        answers = []
        for one in asked["play"]:
            answer = played(one)
            count += 1
            if mood == "forgetful":  # its luck depends on what was played before
                answer = {**answer, "ticks": answer["ticks"] + count}
            if mood == "noisy":
                sys.stderr.write("frame\n" * 2000)
            if share and int(one["seed"]) % share == 0:
                answer = fall_ill(mood, answer)
            answers.append(answer)
        said = json.dumps({"played": answers})
        write(said)
        if mood == "twice":
            write(said)


if __name__ == "__main__":
    main()
