"""The command that writes a new scenario: new."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from sims.cli.options import Command, NumberRange
from sims.terminal import quoted, show

_KINDS: Final = (
    "endless",
    "campaign",
    "launch",
    "live_service",
    "spike",
)  # of sims.cli.new_scenario, which help must not import
_GAME: Final = "gap_runner"
_LEVELS: Final = 20
_PATCH_DAY: Final = 28
_MOST_LEVELS: Final = 1000  # of a campaign, engine.scenario_file.sections
_LAST_DAY: Final = 10_000


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("--kind", type=click.Choice(_KINDS), help="What the scenario is about.")
@click.option("--play", "game", metavar="GAME", help="Game that is played.")
@click.option(
    "--target",
    type=NumberRange(0, 1, low_open=True, high_open=True),
    metavar="RATE",
    help="Target win rate, e.g. 0.75.",
)
@click.option("--levels", type=NumberRange(1, _MOST_LEVELS, whole=True), help="Levels of a campaign.")
@click.option("--patch-day", type=NumberRange(1, _LAST_DAY, whole=True), help="Day of a live service's patch.")
def new(
    name: str | None,
    kind: str | None,
    game: str | None,
    target: float | None,
    levels: int | None,
    patch_day: int | None,
) -> None:
    """Write a new scenario with notes on every part.

    On a terminal it asks three or four questions; with any option it asks none. It never replaces a file.
    """
    from sims.cli.new_scenario import KINDS, new_file_of, write_from_template

    given = (kind, game, target, levels, patch_day)
    can_ask = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    if can_ask and all(value is None for value in given):
        show("\n".join(f"{one:12}  {meaning}" for one, meaning in KINDS.items()))
        kind, game, target, levels, patch_day = _asked()
    if levels is not None and kind != "campaign":
        raise click.UsageError("--levels needs --kind campaign: only a campaign has numbered levels.")
    if patch_day is not None and kind != "live_service":
        raise click.UsageError("--patch-day needs --kind live_service: only a live service is patched.")
    chosen = kind or "endless"
    changes: dict[tuple[str, str], Any] = {}
    for place, value in (
        (("game", "name"), game),
        (("target", "win_rate"), target),
        (("levels", "count"), levels),
        (("horizon", "days"), patch_day),
    ):
        if value is not None:
            changes[place] = value
    path = new_file_of(name or chosen)
    write_from_template(path, chosen, changes)
    show(f"{path} is written. Next: flowdial check {quoted(path)}, then flowdial run {quoted(path)}")


def _asked() -> tuple[str, str, float, int | None, int | None]:
    """The answers of a person."""
    from sims.catalog import Catalog

    games = [entry.name for entry in Catalog().games()]
    kind = click.prompt("What is it about", type=click.Choice(_KINDS), default=_KINDS[0])
    game = click.prompt("Which game", type=click.Choice(games), default=_GAME)
    share = NumberRange(0, 1, low_open=True, high_open=True)
    target = click.prompt("Share of attempts that players should win", type=share, default=0.75)
    levels: int | None = None
    patch_day: int | None = None
    if kind == "campaign":
        count = NumberRange(1, _MOST_LEVELS, whole=True)
        levels = int(click.prompt("How many levels", type=count, default=_LEVELS))
    if kind == "live_service":
        day = NumberRange(1, _LAST_DAY, whole=True)
        patch_day = int(click.prompt("On which day does the patch come", type=day, default=_PATCH_DAY))
    return kind, game, target, levels, patch_day
