"""The commands about games of the user's own: connect add, check, list, remove."""

from __future__ import annotations

import json
import os
from typing import Final

import click

from sims.cli.options import Command, Commands, NumberRange, json_option
from sims.terminal import aligned, say, show

_LIMIT_S: Final = 10.0  # sims.connect.connected_player.LIMIT_S, which help must not import
_LONGEST_S: Final = 3600
_MOST: Final = 256  # sims.connect.protocol.MOST_PER_LINE
_MISSED: Final = 1


@click.group(cls=Commands)
def connect() -> None:
    """Simulate a game of your own in its own process.

    docs/protocol.md tells how it answers.
    """


@connect.command(cls=Command)
@click.argument("name")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--limit",
    "limit_s",
    type=NumberRange(0, _LONGEST_S, low_open=True, range_shown=False),
    default=_LIMIT_S,
    show_default=True,
    metavar="SECONDS",
    help="Time for one attempt.",
)
@click.option(
    "--batch",
    type=NumberRange(1, _MOST, whole=True),
    default=_MOST,
    show_default=True,
    metavar="N",
    help="Most attempts in a line.",
)
@click.option("--tcp", is_flag=True, help="Talk through a port of this machine, in the variable FLOWDIAL_PORT.")
def add(name: str, command: tuple[str, ...], limit_s: float, batch: int, tcp: bool) -> None:
    """Register a game: flowdial connect add NAME -- COMMAND [ARGUMENT]...

    It is started once to say what it is. A game of this name is replaced.
    """
    from sims.catalog import REGISTERED, Catalog
    from sims.connect.child_process import Launch, Transport
    from sims.connect.connected_player import START_S, shake_hands
    from sims.connect.registered_names import NAME
    from sims.connect.registry import Registration, register

    if not NAME.fullmatch(name):
        raise click.UsageError(f"NAME must be a letter, then letters, digits, _ and -, 64 at most, got {name[:80]!r}.")
    catalog = Catalog()
    if name in catalog.names("games") and catalog.origin_of_game(name) != REGISTERED:
        raise click.UsageError(f"NAME must be free, but an installed game is called {name!r}; choose another one.")
    transport: Transport = "tcp" if tcp else "pipes"
    child, said = shake_hands(Launch(command, os.getcwd(), transport), START_S)
    child.end(politely=True)
    register(Registration(name, command, os.getcwd(), said.text, transport, float(limit_s), int(batch)))
    params = f"{len(said.knobs)} param{'' if len(said.knobs) == 1 else 's'}"
    show(f"{name} is registered: {said.name}, version {said.version}, {params}. Next: flowdial connect check {name}")


@connect.command("check", cls=Command)
@click.argument("name")
@json_option
def check_registered(name: str, as_json: bool) -> int:
    """Play a registered game and tell what is wrong with it."""
    from sims.connect.game_checks import check_connected
    from sims.connect.registry import registration_of

    findings = check_connected(registration_of(name), on_message=say)
    if as_json:
        show(json.dumps([finding._asdict() for finding in findings], indent=1))
    else:
        show("\n".join(f"{finding.state:8} {finding.sentence}" for finding in findings))
    return _MISSED if any(finding.state == "wrong" for finding in findings) else 0


@connect.command("list", cls=Command)
@json_option
def list_connected(as_json: bool) -> None:
    """List registered games."""
    from sims.connect.registry import Registration, registrations

    found = list(registrations())
    games = [one for one in found if isinstance(one, Registration)]
    for one in found:
        if isinstance(one, str):
            say(f"warning: {one}")
    if as_json:
        rows = [{**game._asdict(), "handshake": json.loads(game.handshake)} for game in games]
        show(json.dumps(rows, indent=1))
    elif games:
        head = ("name", "version", "time for an attempt", "command")
        lines = [(game.name, game.said.version, f"{game.limit_s:g} s", " ".join(game.command)) for game in games]
        show(aligned([head, *lines]))
    else:
        show("no game is registered; register one with flowdial connect add NAME -- COMMAND")


@connect.command(cls=Command)
@click.argument("name")
def remove(name: str) -> None:
    """Forget a registered game. Its runs stay."""
    from sims.connect.registry import unregister

    unregister(name)
    show(f"{name} is forgotten")
