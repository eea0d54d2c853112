"""The guard: starts a game, and ends it with all that it started when Flowdial's own process is gone.

It runs as a script of its own, between a worker and the game, as the leader of their process group. It holds one end of
a socket, the life line. When the other end closes, by whatever death, it kills the group. When the game ends first, it
says how through the life line, and kills what the game has left behind.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys


def guard() -> None:
    """Guard the command of the line: LIFE_LINE COMMAND [ARGUMENT ...]."""
    life = socket.socket(fileno=int(sys.argv[1]))
    life.set_inheritable(False)
    command = sys.argv[2:]
    wake, ended = os.pipe()
    os.set_blocking(ended, False)
    signal.set_wakeup_fd(ended)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    defaults = [signal.SIGINT, signal.SIGPIPE, signal.SIGCHLD, signal.SIGXFSZ]  # what Python has changed
    try:
        game = os.posix_spawnp(command[0], command, os.environ, setsigdef=defaults)
    except OSError as fault:
        life.sendall(f"cannot be started ({(fault.strerror or 'unknown reason').lower()})".encode())
        return
    for standard in (0, 1, 2):  # the game alone holds them, so that their end tells of its end
        os.close(standard)
    while True:
        ready, _, _ = select.select([life.fileno(), wake], [], [])
        if life.fileno() in ready:
            break
        os.read(wake, 64)
        pid, status = os.waitpid(game, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            words = f"ended with exit code {code}" if code >= 0 else f"was ended by signal {-code}"
            life.sendall(words.encode())
            break
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    guard()
