"""The command that serves an assistant: mcp."""

from __future__ import annotations

from pathlib import Path

import click

from sims.cli.options import Command, NumberRange, UserPath, workers_option


@click.command(cls=Command)
@click.option(
    "--folder",
    type=UserPath(),
    default=".",
    metavar="DIR",
    help="Where scenarios are read and results written (default: here).",
)
@click.option(
    "--most-attempts",
    type=NumberRange(1, 5_000_000_000, whole=True),
    default=20_000_000,
    show_default=True,
    metavar="N",
    help="Most attempts that one call may play.",
)
@workers_option
def mcp(folder: Path, most_attempts: int, workers: int | None) -> None:
    """Serve an assistant over the Model Context Protocol.

    It answers on standard input and output; an assistant starts it. Nothing outside of the folder is read or written.
    """
    from sims.mcp_server.server import serve_tools

    serve_tools(folder, workers=workers, most_attempts=most_attempts)
