"""Registered games for tests: the moody game in all its moods, and the processes that it leaves."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from engine.attempt import Address
from engine.contract.game_rules import faculties_at
from engine.external.external_game import Question, dice_of, question_of
from sims.connect.connected_player import ConnectedPlayer, shake_hands
from sims.connect.registry import Registration, game_of
from tests.kit.places import ROOT

SCRIPT = ROOT / "tests" / "kit" / "moody_game.py"


def moody(
    mood: str = "none", share: int = 0, *, mark: str = "-", batch: int = 256, limit_s: float = 10.0
) -> Registration:
    """A registration of the moody game."""
    command = (sys.executable, "-I", "-S", str(SCRIPT), mood, str(share), mark)
    plain = (sys.executable, "-I", "-S", str(SCRIPT))
    child, said = shake_hands(Registration("moody", plain, "/", "").launch, 30.0)
    child.end()
    return Registration("moody", command, "/", said.text, limit_s=limit_s, batch=batch)


def player_of(registration: Registration) -> ConnectedPlayer:
    """What plays its attempts."""
    player = game_of(registration).player
    assert isinstance(player, ConnectedPlayer)
    return player


def questions(registration: Registration, count: int, *, hard: float = 0.5, skill: float = 0.0) -> list[Question]:
    """Attempts of as many players."""
    game = game_of(registration)
    able = faculties_at(skill)
    return [question_of(game, [hard, 1.0], able, dice_of(*Address(11, 0, i, 0, 0)), 0) for i in range(count)]


def processes_with(mark: str) -> list[int]:
    """Numbers of the processes that have this word in their command line."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and int(path.name) != os.getpid():
            try:
                words = (path / "cmdline").read_bytes().split(b"\0")
                dead = (path / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            except OSError:
                continue
            if mark.encode() in words and not dead:
                found.append(int(path.name))
    return found


def wait_until_gone(mark: str, within_s: float = 10.0) -> Sequence[int]:
    """Processes with this mark that are still there after a while: none where all went well."""
    until = time.monotonic() + within_s
    while (left := processes_with(mark)) and time.monotonic() < until:
        time.sleep(0.02)
    return left
