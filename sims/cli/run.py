"""The commands that play a scenario and look after its folder: run, check, resume, report, schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sims.cli.options import (
    Command,
    Number,
    allow_long_option,
    calculate_alone,
    folder_argument,
    json_option,
    load_scenario,
    quiet_option,
    scenario_argument,
    seed_option,
    set_option,
    workers_option,
)

if TYPE_CHECKING:
    from engine.record import Format
    from sims.verdict.remark import Remarking


@click.command(cls=Command)
@scenario_argument
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the results; it must be new.")
@seed_option
@workers_option
@set_option
@click.option(
    "--format", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True, help="File format of rows."
)
@click.option(
    "--precision",
    type=Number(0, 0.5, low_open=True),
    metavar="WIDTH",
    help="Play as many players as it takes until every cohort's 95 % interval reaches at most so far to either side.",
)
@click.option(
    "--budget",
    type=Number(1, 5_000_000_000, whole=True),  # LARGEST_WORK of engine.scenario_file.consistency
    metavar="ATTEMPTS",
    help="With --precision: most attempts (players x attempts x replicas), its pilot's included; 200,000,000 when left "
    "out, 5,000,000,000 with --allow-long.",
)
@click.option(
    "--gate",
    is_flag=True,
    help="For continuous integration: exit with 0 only when every target is surely met, with 1 when one is surely "
    "missed, with 2 when so few players cannot tell.",
)
@quiet_option
@json_option
@allow_long_option
def run(
    scenario: str,
    out: Path | None,
    seed: int | None,
    workers: int | None,
    settings: tuple[str, ...],
    format: Format,  # noqa: A002 - named as its option
    precision: float | None,
    budget: int | None,
    gate: bool,
    quiet: bool,
    as_json: bool,
    allow_long: bool,
) -> int:
    """Simulate a scenario and write rows, a verdict and a report."""

    if budget is not None and precision is None:
        raise click.UsageError("--budget is how long --precision may go on, give both.")
    checked = load_scenario(scenario, settings, seed, allow_long)
    from sims.runs import run as runs

    remarks: list[Remarking] = []
    if gate:
        from sims.verdict.gate import gate as judge

        remarks.append(judge)
    chosen: dict[str, Any] = {"out": out, "workers": workers, "format": format, "quiet": quiet, "json": as_json}
    if precision is None:
        return runs.run(checked, remarks=remarks, **chosen)
    from sims.planning.precision import run as run_to_precision

    return run_to_precision(checked, precision, budget=budget, allow_long=allow_long, remarks=remarks, **chosen)


@click.command(cls=Command)
@scenario_argument
@seed_option
@set_option
@click.option("--resolved", is_flag=True, help="Print the complete scenario, every default written out.")
@allow_long_option
def check(scenario: str, seed: int | None, settings: tuple[str, ...], resolved: bool, allow_long: bool) -> None:
    """Tell everything that is wrong with a scenario, and run nothing."""

    checked = load_scenario(scenario, settings, seed, allow_long)
    from sims.runs.preflight import prepared

    prepared(checked)
    if resolved:
        click.echo(checked.resolved_toml(), nl=False)
    else:
        cohorts = len(checked.cohorts)
        players = f"{checked.form.players.count} players in {cohorts} cohort{'' if cohorts == 1 else 's'}"
        click.echo(f"{scenario}: valid; {players}, at most {checked.work} attempts, digest {checked.digest[:16]}")


@click.command(cls=Command)
@folder_argument
@workers_option
@quiet_option
@json_option
def resume(folder: Path, workers: int | None, quiet: bool, as_json: bool) -> int:
    """Finish a run or a study that was stopped: compute only what is missing or damaged."""
    calculate_alone()
    from sims.runs import run as runs
    from sims.tuning import command as tune

    if tune.is_study(folder):
        return tune.resume(folder, workers=workers, quiet=quiet, json=as_json)
    return runs.resume(folder, workers=workers, quiet=quiet, json=as_json)


@click.command(cls=Command)
@folder_argument
def report(folder: Path) -> None:
    """Write report.html of a run again, from its rows."""
    from sims.reports.report import report as write_report

    click.echo(write_report(folder))


@click.command(cls=Command)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it to this file.")
def schema(out: Path | None) -> None:
    """Print the JSON schema of scenario files, for editors that complete and check."""

    from engine.scenario import json_schema

    text = json.dumps(json_schema(), indent=2)
    if out is None:
        click.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")
