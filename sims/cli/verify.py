"""The command that plays rows of a run again: verify."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sims.cli.options import (
    SEED_RANGE,
    Command,
    json_option,
)


class _Rows(click.ParamType[int]):
    """A number of rows; "all" is 0."""

    name = "rows"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if value == "all":
            return 0
        if not value.isdecimal() or not 0 < int(value) < 10**12:
            self.fail(f"must be a whole number above 0, or all, got {value!r}.", parameter, context)
        return int(value)


@click.command(cls=Command)
@click.argument("target", metavar="DIR|FILE", type=click.Path(exists=True, path_type=Path))
@click.option("--rows", type=_Rows(), default=1000, show_default=True, metavar="N|all", help="How many to play again.")
@click.option("--seed", type=SEED_RANGE, default=1, show_default=True, help="Chooses the rows.")
@json_option
def verify(target: Path, rows: int, seed: int, as_json: bool) -> int:
    """Play rows of a run again and compare their state hashes."""
    from sims.playback.verify import verify as verify_rows

    return verify_rows(target, rows=rows or None, seed=seed, json=as_json)
