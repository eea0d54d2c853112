"""Registered games: how each is started, and what it has said of itself. One file for each in the user's own folder.

A scenario names a registered game, and never a command: it may be a stranger's.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.errors import EnvironmentFault, RunFolderError
from engine.external.external_game import ExternalGame
from engine.parameters import ParameterSpace
from engine.user_files.regular_file import read_regular
from sims.connect.child_process import Launch, Transport
from sims.connect.connected_player import LIMIT_S, ConnectedPlayer
from sims.connect.protocol import MOST_PER_LINE, Handshake, handshake_of
from sims.connect.registered_names import NAME, games_folder, registered_names

_FORMAT: Final = 1
LONGEST_LIMIT_S: Final = 3600.0
_LARGEST: Final = 4 << 20  # bytes of a file


class Registration(NamedTuple):
    """A registered game."""

    name: str
    command: tuple[str, ...]
    folder: str  # in which the command is run
    handshake: str  # JSON text of what it said
    transport: Transport = "pipes"
    limit_s: float = LIMIT_S  # for one attempt
    batch: int = MOST_PER_LINE  # most attempts in a line

    @property
    def launch(self) -> Launch:
        return Launch(self.command, self.folder, self.transport)

    @property
    def said(self) -> Handshake:
        """What the game said of itself."""
        return handshake_of(self.handshake.encode())


def registration_of(name: str) -> Registration:
    """A registered game.

    Raises:
        EnvironmentFault: there is none of this name, or its file is damaged.
    """
    folder = games_folder()
    if folder is None or not NAME.fullmatch(name):
        raise EnvironmentFault(f"no game is registered as {name[:64]!r}; see flowdial connect list.")
    path = folder / f"{name}.json"
    try:
        found = json.loads(read_regular(path, _LARGEST))
        if found.pop("format") != _FORMAT:
            raise ValueError
        read = Registration(name=name, **{**found, "command": tuple(found["command"])})
        _check(read)
    except FileNotFoundError:
        raise EnvironmentFault(f"no game is registered as {name!r}; see flowdial connect list.") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, RunFolderError):
        raise EnvironmentFault(f"{path} is damaged; register the game again with flowdial connect add.") from None
    return read


def _check(read: Registration) -> None:
    texts: list[object] = [read.folder, read.handshake, *read.command]
    batch: object = read.batch
    limit_s: object = read.limit_s
    if not (read.command and all(isinstance(text, str) for text in texts) and read.transport in ("pipes", "tcp")):
        raise ValueError
    if not (isinstance(batch, int) and 1 <= batch <= MOST_PER_LINE):
        raise ValueError
    if not (isinstance(limit_s, int | float) and 0.0 < limit_s <= LONGEST_LIMIT_S):
        raise ValueError
    handshake_of(read.handshake.encode())


def register(registration: Registration) -> Path:
    """Keep a game, in place of an earlier one of its name. Raises EnvironmentFault."""
    folder = games_folder(make=True)
    assert folder is not None
    content: dict[str, Any] = {"format": _FORMAT, **registration._asdict()}
    del content["name"]
    path = folder / f"{registration.name}.json"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.write("\n")
            os.replace(draft, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(draft)
            raise
    except OSError as fault:
        reason = (fault.strerror or type(fault).__name__).lower()
        raise EnvironmentFault(
            f"{path} cannot be written ({reason}); set FLOWDIAL_CONFIG_DIR to another one."
        ) from None
    return path


def unregister(name: str) -> None:
    """Forget a game. Raises EnvironmentFault when none is registered under the name."""
    folder = games_folder()
    if folder is None or name not in registered_names():
        raise EnvironmentFault(f"no game is registered as {name[:64]!r}; see flowdial connect list.")
    (folder / f"{name}.json").unlink(missing_ok=True)


def connected_game(name: str) -> ExternalGame:
    """The record of a registered game. It is started when it is first asked to play. Raises EnvironmentFault."""
    return game_of(registration_of(name))


@lru_cache(maxsize=64)
def game_of(registration: Registration) -> ExternalGame:
    """The record of a game; the same for the same registration, so that a process starts it once."""
    said = registration.said
    player = ConnectedPlayer(
        registration.name, registration.launch, said, limit_s=registration.limit_s, batch=registration.batch
    )
    game = ExternalGame(
        name=registration.name,
        version=said.version,
        summary=said.summary,
        space=ParameterSpace(*said.knobs),
        causes=said.causes,
        deterministic=said.deterministic,
        has_score=said.has_score,
        player=player,
        progression=said.progression,
    )
    player.belongs_to(game)
    return game


def registrations() -> Iterator[Registration | str]:
    """All registered games; for one that is damaged the sentence about it."""
    for name in registered_names():
        try:
            yield registration_of(name)
        except EnvironmentFault as fault:
            yield str(fault)
