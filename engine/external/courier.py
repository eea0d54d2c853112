"""The courier: brings attempts of a world to an external game, several at a time, and their replies back.

Attempts of different players may travel together where each player has a rule of their own: then no reply can change
what another player is asked. Where players share a controller, each attempt travels alone, at its moment. So no size of
a batch changes a row.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, Final

import simpy

from engine.errors import PluginFault
from engine.external.external_game import AttemptUnplayed, ExternalGame, Question, Reply, Unplayed
from engine.faults import NOBODY, PLAYER_AT, BlackBox

_MOST_IN_A_ROW: Final = 25  # attempts that fail: each may take twice the game's limit


class Courier:
    """Between the processes of a world and an external game."""

    def __init__(self, env: simpy.Environment, game: ExternalGame, box: BlackBox, *, together: bool) -> None:
        """together: whether attempts of several players may be played at once; box: of the world."""
        self._env, self._game, self._box = env, game, box.data
        self._together = together
        self._in_a_row = 0  # attempts that could not be played
        self._waiting: list[tuple[Question, simpy.Event]] = []

    def fetch(self, question: Question) -> Generator[simpy.Event, Any, Reply]:
        """Let a process wait for the reply. Raises AttemptUnplayed when there is none."""
        if self._together:
            event = self._env.event()
            self._waiting.append((question, event))
            reply = yield event
        else:
            (reply,) = self._play([question])
        if isinstance(reply, Unplayed):
            raise AttemptUnplayed(reply)
        found: Reply = reply
        return found

    def run(self) -> None:
        """Let the world go on until nothing is left to happen in it."""
        env, waiting = self._env, self._waiting
        while True:
            most = self._game.player.most
            while len(waiting) < most and env.peek() < math.inf:
                env.step()
            if not waiting:
                return
            replies = self._play([question for question, _ in waiting])
            events = [event for _, event in waiting]
            waiting.clear()
            for event, reply in zip(events, replies, strict=True):
                event.succeed(reply)

    def _play(self, questions: list[Question]) -> list[Reply | Unplayed]:
        self._box[PLAYER_AT] = NOBODY  # the game has limits of its own, and is to blame itself
        replies = self._game.player.play(questions)
        for reply in replies:
            if not isinstance(reply, Unplayed):
                self._in_a_row = 0
                continue
            self._in_a_row += 1
            if self._in_a_row == _MOST_IN_A_ROW:
                name = self._game.name
                raise PluginFault(
                    f"the game {name} must play its attempts, but {_MOST_IN_A_ROW} in a row failed, the last one with "
                    f"{reply.type}: {reply.message}; see flowdial connect check {name}."
                )
        return replies
