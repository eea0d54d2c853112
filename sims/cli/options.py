"""A command of `flowdial`, and what several of them share. Like all that help needs, it imports click alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

_LARGEST_SEED: Final = 2**63 - 1  # engine.randomness.LARGEST_SEED, which help must not import

SEED_RANGE: Final = click.IntRange(0, _LARGEST_SEED)
seed_option = click.option("--seed", type=SEED_RANGE, help="Use this seed instead of the scenario's.")
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Put a value over the scenario's, as in --set target.win_rate=0.7; may be repeated.",
)
workers_option = click.option(
    "--workers", type=click.IntRange(1, 1024), help="Processes; one for each core when left out."
)


def calculate_alone() -> None:
    """Let linear algebra use one thread; to be called before anything imports numpy.

    More of them gain nothing on small matrices, wait for each other where cores are busy, and may end in other bits.
    """
    for library in ("OPENBLAS", "MKL", "OMP"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def pairs_of(settings: Sequence[str]) -> list[tuple[str, str]]:
    """What --set was given, as key and value. Raises click.BadParameter for one without an equals sign."""
    pairs = []
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise click.BadParameter(f"must be key=value, got {setting!r}.", param_hint="'--set'")
        pairs.append((key.strip(), value.strip()))
    return pairs


@dataclass
class State:
    """What all commands share."""

    debug: bool = False


def set_debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    """Remember --debug, wherever it stood."""
    if value:
        context.find_root().obj.debug = True


class Command(click.Command):
    """A command that takes --debug wherever people put it."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        debug = click.Option(["--debug"], is_flag=True, hidden=True, expose_value=False, callback=set_debug)
        self.params.append(debug)


class Commands(click.Group):
    """All of them."""

    command_class = Command
