"""The commands that show what is installed: list and describe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from sims.cli.options import (
    Command,
    game_name_option,
    json_option,
)
from sims.terminal import say, show

if TYPE_CHECKING:
    from sims.catalog import Catalog

GROUPS: Final = ("scenarios", "games", "controllers", "personas")


@click.command("list", cls=Command)
@click.argument("what", required=False, type=click.Choice(GROUPS))
@click.option("--all", "everything", is_flag=True, help="Also the worlds in which controllers are compared.")
@json_option
def list_(what: str | None, everything: bool, as_json: bool) -> None:
    """List scenarios, games, controllers and personas."""
    from sims.catalog import Catalog
    from sims.describing.descriptions import listing

    catalog = Catalog()
    groups = [what] if what else GROUPS
    show(listing(catalog, groups, as_json, everything=everything))
    _warn(catalog)


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("--dial", is_flag=True, help="For a game: win rates by difficulty, for three skills.")
@click.option("--map", "heat_map", is_flag=True, help="For a game: chance to win by skill and difficulty.")
@click.option("--json", "as_json", is_flag=True, help="With --dial or --map: print JSON.")
@game_name_option
def describe(name: str | None, dial: bool, heat_map: bool, as_json: bool, in_file: str | None) -> None:
    """Describe a game, a controller, a persona or a scenario."""
    from sims.catalog import Catalog
    from sims.describing.descriptions import description, dial_description, show_map

    if dial and heat_map:
        raise click.UsageError("--dial and --map are two tables; choose one.")
    if as_json and not (dial or heat_map):
        raise click.UsageError("--json prints the numbers of a table; add --dial or --map.")
    catalog = Catalog()
    chosen = name if name is not None else in_file
    if chosen is None:
        raise click.MissingParameter(param_type="argument", param_hint="'NAME'")
    if heat_map:
        show_map(catalog.game(chosen), as_json, say, sys.stdout)
    else:
        show(dial_description(catalog.game(chosen), as_json, say) if dial else description(catalog, chosen))
    _warn(catalog)


def _warn(catalog: Catalog) -> None:
    for warning in catalog.warnings:
        say(f"warning: {warning}")
