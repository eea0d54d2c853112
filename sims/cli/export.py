"""The command that writes a run's tables in another format: export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sims.cli.options import Command, UserPath
from sims.terminal import show

if TYPE_CHECKING:
    from sims.runs.export import ExportFormat


@click.command(cls=Command)
@click.argument("folder", metavar="RUN", type=UserPath(exists=True, file_okay=False))
@click.option(
    "--to",
    "form",
    type=click.Choice(["csv", "parquet", "xlsx", "telemetry"]),
    required=True,
    help="Format of the tables.",
)
@click.option(
    "--out",
    type=UserPath(),
    metavar="DIR|FILE",
    help="New folder, .xlsx or .csv file (default: beside the run).",
)
def export(folder: Path, form: ExportFormat, out: Path | None) -> None:
    """Export the tables or the telemetry of a run.

    csv and parquet write a run folder, the same as `flowdial run --format`. xlsx writes a workbook with one sheet per
    table and one sheet that explains the columns. telemetry writes one CSV file with what a game could have logged, as
    `flowdial calibrate` reads it. The run itself does not change.
    """
    from sims.runs.export import export as write_export

    show(write_export(folder, form, out))
