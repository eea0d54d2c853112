"""Plays attempts in a game that runs as a child, and says which attempt is to blame when it does not.

An attempt is blamed when it fails twice: the second time alone, in a game that was started anew. So a game that is
killed from outside, or fails once in a while, costs no row. A line with many attempts that fails is played again one by
one. Nothing of this depends on how many attempts stood in a line, so neither does any row.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Sequence
from typing import Final

from engine.errors import EnvironmentFault, PluginFault
from engine.external.external_game import ExternalGame, Question, Reply, Unplayed
from engine.faults import RAISED
from sims.connect.child_process import ChildFault, ChildProcess, Launch
from sims.connect.protocol import (
    LARGEST_HANDSHAKE,
    LARGEST_REPLY,
    MOST_PER_LINE,
    Handshake,
    NotProtocol,
    handshake_of,
    hello,
    is_handshake,
    replies_of,
    request,
)

LIMIT_S: Final = 10.0  # for one attempt
START_S: Final = 60.0  # for a game to start and to answer the first line
_BANNER: Final = 1000  # lines that an engine may print before its handshake
_MANY_STARTS: Final = 100
_TOO_OFTEN: Final = 0.4  # starts for each attempt; a run in which a fifth of the attempts fail has a third
_SHARE: Final = 0.05  # of the limit: how long a line of many attempts should take


def shake_hands(launch: Launch, within_s: float) -> tuple[ChildProcess, Handshake]:
    """Start a game and let it say what it is.

    Raises EnvironmentFault, with what was expected, how long was waited and the last lines of the game.
    """
    began = time.monotonic()
    child = ChildProcess(launch)
    try:
        child.connect(within_s)
        return child, _heard(child, began + within_s, within_s)
    except (ChildFault, NotProtocol) as fault:
        waited_s = time.monotonic() - began
        reason = f"it {fault} after {waited_s:.1f} s" if isinstance(fault, ChildFault) else str(fault)
        lines = child.last_lines()
        child.end()
        said = f"its last lines: {lines}" if lines else "it wrote nothing else"
        raise EnvironmentFault(
            f"{launch.command[0]} must answer the first line with its handshake within {within_s:g} s, but {reason}; "
            f"{said}."
        ) from None
    except BaseException:
        child.end()
        raise


def _heard(child: ChildProcess, until: float, within_s: float) -> Handshake:
    asked = hello()
    for _ in range(_BANNER):
        left_s = until - time.monotonic()
        if left_s <= 0.0:
            break
        try:
            line = child.exchange(asked, left_s, LARGEST_HANDSHAKE)
        except ChildFault as fault:
            raise ChildFault(fault.kind, str(fault).replace(f"{left_s:g} s", f"{within_s:g} s")) from None
        asked = b""
        if is_handshake(line):
            return handshake_of(line)
        child.note(line + b"\n")
    raise ChildFault(RAISED, f"wrote {_BANNER:,} lines that are no handshake")


class ConnectedPlayer:
    """Plays attempts of one registered game in a child of this process, which starts when it is needed."""

    def __init__(self, name: str, launch: Launch, handshake: Handshake, *, limit_s: float, batch: int) -> None:
        """handshake: what the game said when it was registered; batch: most attempts in a line."""
        self._name, self._launch, self._handshake = name, launch, handshake
        self._limit_s = limit_s
        self._batch = min(batch, handshake.batch, MOST_PER_LINE)
        self._one_at_a_time = threading.Lock()  # maps are measured by several threads
        self._attempt_s = 0.0  # as measured; it decides the size of a line, and no row
        self._asked = 0
        self._child: ChildProcess | None = None
        self._process = 0  # whose child it is
        self._game: ExternalGame | None = None
        self.starts = 0
        self.last_fault = ""  # why a line had no replies, and what the game had written by then
        self.last_lines = ""

    def belongs_to(self, game: ExternalGame) -> None:
        """Tell the record whose replies are read."""
        self._game = game

    @property
    def most(self) -> int:
        """Attempts that are worth handing over at once."""
        return self._batch

    def play(self, questions: Sequence[Question]) -> list[Reply | Unplayed]:
        """A reply for each question, in order. Raises EnvironmentFault when the game cannot be started."""
        with self._one_at_a_time:
            return self._play(questions)

    def _play(self, questions: Sequence[Question]) -> list[Reply | Unplayed]:
        found: list[Reply | Unplayed] = []
        while len(found) < len(questions):
            part = questions[len(found) : len(found) + self._size()]
            replies = self._tried(part)
            if isinstance(replies, Unplayed) and len(part) == 1:
                replies = self._again(part[0])
            elif isinstance(replies, Unplayed):
                replies = [reply for one in part for reply in self._alone(one)]
            found += replies
        return found

    def _size(self) -> int:
        """Attempts in the next line: so many that a line takes a small share of the limit."""
        if not self._attempt_s:
            return 1 if self._batch == 1 else min(self._batch, 16)
        return max(1, min(self._batch, int(_SHARE * self._limit_s / self._attempt_s)))

    def _alone(self, question: Question) -> list[Reply | Unplayed]:
        replies = self._tried([question])
        return self._again(question) if isinstance(replies, Unplayed) else replies

    def _again(self, question: Question) -> list[Reply | Unplayed]:
        """An attempt that has failed alone, in a game that was started anew."""
        replies = self._tried([question])
        return [replies] if isinstance(replies, Unplayed) else replies

    def _tried(self, questions: Sequence[Question]) -> list[Reply | Unplayed] | Unplayed:
        """Replies to a line; Unplayed when there was none, and the game was ended."""
        child = self._running()
        assert self._game is not None
        first, count = self._asked, len(questions)
        self._asked += count
        began = time.monotonic()
        try:
            line = child.exchange(request(questions, first), self._limit_s, LARGEST_REPLY * count)
            replies = replies_of(line, self._game, first, count)
        except ChildFault as fault:
            self._lose(f"the game {fault}")
            return Unplayed(fault.kind, "GameLost", f"the game {fault}")
        except NotProtocol as fault:
            self._lose(str(fault))
            return Unplayed(RAISED, "WrongReply", _stable(str(fault)))
        took_s = (time.monotonic() - began) / count
        self._attempt_s = max(took_s, 0.7 * self._attempt_s + 0.3 * took_s)
        return replies

    def _running(self) -> ChildProcess:
        if self._child is not None and self._process != os.getpid():  # that of the process this one was forked from
            self._child = None
        if self._child is None:
            self._check_starts()
            child, handshake = shake_hands(self._launch, START_S)
            if handshake.text != self._handshake.text:
                child.end()
                raise EnvironmentFault(
                    f"{self._name} must say of itself what it said when it was registered, but "
                    f"{_difference(self._handshake, handshake)}; register it again with flowdial connect add."
                )
            self._child, self._process = child, os.getpid()
            self.starts += 1
            atexit.register(self.close, politely=True)
        return self._child

    def _check_starts(self) -> None:
        """Raise PluginFault when the game is started more often than failed attempts of a run may explain."""
        if self.starts > _MANY_STARTS and self.starts > _TOO_OFTEN * self._asked:
            name = self._name
            raise PluginFault(
                f"the game {name} must keep running, but it was started {self.starts:,} times for {self._asked:,} "
                f"attempts, the last time since {self.last_fault}; see flowdial connect check {name}."
            )

    def _lose(self, why: str) -> None:
        assert self._child is not None
        self.last_fault, self.last_lines = why, self._child.last_lines()
        self.close()

    def close(self, *, politely: bool = False) -> None:
        """End the game, if it runs. politely: let it end by itself first."""
        child, self._child = self._child, None
        if child is not None and self._process == os.getpid():
            atexit.unregister(self.close)
            child.end(politely=politely)


def _stable(message: str) -> str:
    """A message as it may stand in a file: without what came, in which numbers of attempts differ by batch."""
    return message.partition(", got ")[0]


def _difference(before: Handshake, now: Handshake) -> str:
    if before.version != now.version:
        return f"its version is {now.version} and was {before.version}"
    changed = [name for name, one, two in zip(Handshake._fields, before, now, strict=True) if one != two]
    return f"its {changed[0]} has changed"
