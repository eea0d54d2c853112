"""A game as a child process: a line goes in, a line comes out, within a limit of time and of bytes.

The child has a process group and a guard of its own (sims.connect.guard), so that it and all that it starts end with
this process. What it writes to stderr is read and forgotten, but for its last lines, which a message can show.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from engine.errors import EnvironmentFault
from engine.faults import KILLED, RAISED, TIMEOUT
from engine.scenario_file.scenario_faults import printable

Transport = Literal["pipes", "tcp"]

PORT: Final = "FLOWDIAL_PORT"  # variable of the child that names the port of the second transport
_GUARD: Final = Path(__file__).with_name("guard.py")
_PIECE: Final = 1 << 16  # bytes read at a time
_KEPT: Final = 4096  # bytes of stderr
_LINES: Final = 5  # of them, in a message
_END_S: Final = 0.5  # for a child to end by itself once its input has ended
_STATUS_S: Final = 2.0  # for the guard to say how the child has ended


class ChildFault(Exception):
    """The child did not answer as it should. The message is a verb phrase that holds nothing random."""

    def __init__(self, kind: int, message: str) -> None:
        """kind: RAISED, TIMEOUT or KILLED, see engine.faults."""
        super().__init__(message)
        self.kind = kind


class Launch(NamedTuple):
    """How a game is started."""

    command: tuple[str, ...]
    folder: str
    transport: Transport = "pipes"


class ChildProcess:
    """A running game. Whoever makes one ends it."""

    def __init__(self, launch: Launch) -> None:
        """Raises EnvironmentFault on a system without process groups, or when no process can be started."""
        if sys.platform == "win32":
            raise EnvironmentFault("an external game needs process groups, which Windows lacks; use Linux or macOS.")
        self._launch = launch
        self._buffer = bytearray()
        self._noise = bytearray()
        self._listener: socket.socket | None = None
        self._channel: socket.socket | None = None
        variables = dict(os.environ)
        if launch.transport == "tcp":
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
            variables[PORT] = str(self._listener.getsockname()[1])
        self._life, guarded = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_GUARD), str(guarded.fileno()), *launch.command],
                cwd=launch.folder,
                env=variables,
                stdin=subprocess.PIPE if self._listener is None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(guarded.fileno(),),
                start_new_session=True,
                bufsize=0,
            )
        except OSError as fault:
            self._life.close()
            self._close_sockets()
            reason = (fault.strerror or type(fault).__name__).lower()
            raise EnvironmentFault(f"no process can be started in {launch.folder} ({reason}).") from fault
        finally:
            guarded.close()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        # What is read but is no reply: stderr, and with the second transport stdout as well.
        self._noises = [self._process.stderr.fileno()]
        self._reads = self._process.stdout.fileno()
        self._writes = -1
        if self._process.stdin is not None:
            self._writes = self._process.stdin.fileno()
            os.set_blocking(self._writes, False)
        else:
            self._noises.append(self._reads)
            self._reads = -1

    def connect(self, within_s: float) -> None:
        """Wait until the child has called, with the second transport. Raises ChildFault."""
        if self._listener is None:
            return
        until = time.monotonic() + within_s
        waiting = [self._listener.fileno(), self._life.fileno(), *self._noises]
        while True:
            left_s = until - time.monotonic()
            ready = _readable(waiting, left_s) if left_s > 0.0 else []
            if self._listener.fileno() in ready:
                break
            if self._life.fileno() in ready:
                raise self._gone()
            for noise in self._noises:
                if noise in ready and not self._hear(noise):
                    waiting.remove(noise)
            if not ready and time.monotonic() >= until:
                raise ChildFault(TIMEOUT, f"did not connect within {within_s:g} s")
        self._channel, _ = self._listener.accept()
        self._channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._channel.setblocking(False)
        self._reads = self._writes = self._channel.fileno()

    def exchange(self, request: bytes, within_s: float, most_bytes: int) -> bytes:
        """Send a line and give the next one that comes back, without its end. An empty request sends nothing.

        Raises ChildFault when none comes within the time, it is longer than so many bytes, or the child has ended.
        """
        until = time.monotonic() + within_s
        unsent = memoryview(request)
        while True:
            if not unsent and (end := self._buffer.find(b"\n")) >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                if len(line) <= most_bytes:
                    return line
            if len(self._buffer) > most_bytes:
                raise ChildFault(RAISED, f"wrote a line of more than {most_bytes:,} bytes")
            left_s = until - time.monotonic()
            if left_s <= 0.0:
                raise ChildFault(TIMEOUT, f"gave no answer within {within_s:g} s")
            readable, writable = self._wait(left_s, bool(unsent))
            for noise in self._noises[:]:
                if noise in readable and not self._hear(noise):
                    self._noises.remove(noise)
            if writable:
                unsent = self._send(unsent)
            if self._reads in readable and not self._receive():
                raise self._gone()

    def _wait(self, left_s: float, sending: bool) -> tuple[set[int], bool]:
        poll = select.poll()
        poll.register(self._reads, select.POLLIN)
        for noise in self._noises:
            poll.register(noise, select.POLLIN)
        if sending:
            both = self._writes == self._reads
            poll.register(self._writes, select.POLLIN | select.POLLOUT if both else select.POLLOUT)
        readable, writable = set(), False
        for file, event in poll.poll(left_s * 1000.0):
            if file == self._writes and sending and event & (select.POLLOUT | select.POLLERR):
                writable = True
            if file != self._writes or event & (select.POLLIN | select.POLLHUP):
                readable.add(file)
        return readable, writable

    def _send(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[os.write(self._writes, unsent[:_PIECE]) :]
        except BlockingIOError:
            return unsent
        except OSError:
            raise self._gone() from None

    def _receive(self) -> bool:
        """Whether there is more to come."""
        try:
            piece = os.read(self._reads, _PIECE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._buffer += piece
        return bool(piece)

    def _hear(self, noise: int) -> bool:
        """Read what is no reply. Whether there is more to come."""
        piece = os.read(noise, _PIECE)
        self.note(piece)
        return bool(piece)

    def note(self, text: bytes) -> None:
        """Keep text for `last_lines`."""
        self._noise += text
        del self._noise[:-_KEPT]

    def _gone(self) -> ChildFault:
        self._life.settimeout(_STATUS_S)
        try:
            words = self._life.recv(200).decode(errors="replace")
        except OSError:
            words = ""
        return ChildFault(KILLED, words or "closed its output")

    def last_lines(self) -> str:
        """What the child wrote last beside its replies, in one printable line; empty for nothing."""
        for noise in self._noises[:]:
            while noise in _readable([noise], 0.0):
                if not self._hear(noise):
                    self._noises.remove(noise)
                    break
        lines = [line.strip() for line in self._noise.decode(errors="replace").splitlines() if line.strip()]
        return printable(" | ".join(lines[-_LINES:]))[-600:]

    def end(self, *, politely: bool = False) -> None:
        """End the child and all that it has started. politely: let it end by itself first, for half a second."""
        self._close_sockets()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        if politely:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_S)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._life.close()
        self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _close_sockets(self) -> None:
        for one in (self._listener, self._channel):
            if one is not None:
                one.close()


def _readable(files: Sequence[int], within_s: float) -> list[int]:
    poll = select.poll()
    for file in files:
        poll.register(file, select.POLLIN)
    return [file for file, _ in poll.poll(max(within_s, 0.0) * 1000.0)]
