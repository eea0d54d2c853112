"""Faults of plug-ins: what a game or a controller did in an attempt against its contract, and where that was.

An attempt in which a plug-in raised an exception, hung or ended its process is FAILED: it is a row, it counts as an
attempt that was made, and no controller learns from it. A proposal that is no setting is replaced, and the attempt is
played.

The black box is a small array of whole numbers into which the attempt is written before anything is asked of a plug-in.
A worker's parent can read its box too, so the box reports even for a worker that has died.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

NO_FAULT: Final = 0
RAISED: Final = 1
TIMEOUT: Final = 2
KILLED: Final = 3
BAD_PROPOSAL: Final = 4
FAULTS: Final = ("", "raised", "timeout", "killed", "bad_proposal")  # words, by number

TOO_MANY: Final = 0.2  # share of failed attempts above which a run is stopped
_ENOUGH: Final = 100  # attempts, made or not, of which that share is taken at least
_LONGEST: Final = 500  # characters of a message

# Places in a black box.
PLAYER_AT: Final = 0  # whose attempt it is; NOBODY outside attempts
ATTEMPT_AT: Final = 1
ROWS_AT: Final = 2  # attempts of the chunk so far
STOP_AT: Final = 3  # from the world to the session kernel: the attempt that must not be played, once
KIND_AT: Final = 4  # and which fault its row shows
BOX_SIZE: Final = 5
NOBODY: Final = -1

BlackBox = npt.NDArray[np.int64]


class Fault(NamedTuple):
    """Why an attempt failed."""

    replica: int
    player: int
    attempt: int
    kind: int  # RAISED, TIMEOUT or KILLED
    type: str = ""  # the exception's class; empty where there was none
    message: str = ""  # in one printable line


def empty_box() -> BlackBox:
    """A black box that tells of no attempt."""
    return np.array([NOBODY, NOBODY, 0, NOBODY, NO_FAULT], dtype=np.int64)


def failed(fault: int) -> bool:
    """Whether nothing was played."""
    return NO_FAULT < fault < BAD_PROPOSAL


def too_many(failures: int, attempts: int) -> bool:
    """Whether so many failed attempts of so many are no exceptions any more."""
    return failures > TOO_MANY * max(attempts, _ENOUGH)


def raised_by(fault: BaseException, replica: int, player: int, attempt: int) -> Fault:
    """The fault that an exception is."""
    return Fault(replica, player, attempt, RAISED, _printable(type(fault).__name__), message_of(fault))


def message_of(fault: BaseException) -> str:
    """An exception's message in one printable line of at most 500 characters."""
    try:
        text = str(fault)
    except Exception:  # noqa: BLE001 - a plug-in's exception may do anything when it is asked
        return ""
    return _printable(text)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))[:_LONGEST]


def by_player(faults: Iterable[Fault]) -> dict[int, dict[int, int]]:
    """Player -> attempt -> kind."""
    found: dict[int, dict[int, int]] = {}
    for fault in faults:
        found.setdefault(fault.player, {})[fault.attempt] = fault.kind
    return found
