"""The command that plays rows of a run again: verify."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from sims.cli.options import (
    SEED_RANGE,
    Command,
    UserPath,
    game_option,
    json_option,
)
from sims.terminal import show

_DIFFERS: Final = 4  # engine.errors.RunFolderError.exit_code, which help must not import


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
@click.argument("target", metavar="DIR|FILE", type=UserPath(exists=True))
@click.option(
    "--rows", type=_Rows(), default=1000, show_default=True, metavar="N|all", help="Number of rows to replay."
)
@click.option("--seed", type=SEED_RANGE, default=1, show_default=True, help="Seed that chooses the rows.")
@json_option
@game_option
def verify(target: Path, rows: int, seed: int, as_json: bool) -> int:
    """Replay recorded attempts and compare how they end."""
    from sims.runs.verification import verify as verify_rows

    result = verify_rows(target, rows=rows or None, seed=seed)
    show(json.dumps(result.to_json(), indent=1) if as_json else "\n".join(result.sentences))
    return 0 if result.equal else _DIFFERS
