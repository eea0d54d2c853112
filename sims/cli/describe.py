"""The commands that show what is installed: list and describe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sims.cli.options import (
    Command,
    json_option,
)
from sims.terminal import say

if TYPE_CHECKING:
    from sims.catalog import Catalog


@click.command("list", cls=Command)
@click.argument("what", required=False, type=click.Choice(["games", "controllers", "scenarios"]))
@json_option
def list_(what: str | None, as_json: bool) -> None:
    """List installed games, controllers and scenarios."""
    from sims.catalog import Catalog
    from sims.cli.descriptions import listing

    catalog = Catalog()
    click.echo(listing(catalog, [what] if what else ["games", "controllers", "scenarios"], as_json))
    _warn(catalog)


@click.command(cls=Command)
@click.argument("name")
@click.option("--dial", is_flag=True, help="For a game: win rates by difficulty, for three skills.")
@click.option("--map", "heat_map", is_flag=True, help="For a game: chance to win by skill and difficulty.")
@click.option("--json", "as_json", is_flag=True, help="With --dial or --map: print JSON.")
def describe(name: str, dial: bool, heat_map: bool, as_json: bool) -> None:
    """Describe a game, a controller or a scenario."""
    from sims.catalog import Catalog
    from sims.cli.descriptions import description, dial_description, show_map

    if dial and heat_map:
        raise click.UsageError("--dial and --map are two tables; choose one.")
    if as_json and not (dial or heat_map):
        raise click.UsageError("--json prints the numbers of a table; add --dial or --map.")
    catalog = Catalog()
    if heat_map:
        show_map(catalog.game(name), as_json, say, sys.stdout)
    else:
        click.echo(dial_description(catalog.game(name), as_json, say) if dial else description(catalog, name))
    _warn(catalog)


def _warn(catalog: Catalog) -> None:
    for warning in catalog.warnings:
        say(f"warning: {warning}")
