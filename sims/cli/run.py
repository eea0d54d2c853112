"""The commands that play a scenario and look after its folder: run, check, resume, report, schema."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sims.cli.options import (
    Command,
    NumberRange,
    UserPath,
    allow_long_option,
    calculate_alone,
    folder_argument,
    game_option,
    json_option,
    on_option,
    quiet_option,
    record,
    scenario_argument,
    scenario_from_options,
    seed_option,
    set_option,
    track_option,
    workers_option,
)
from sims.cli.sweep import print_sweep
from sims.cli.views.run_bar import run_bar
from sims.cli.views.study_view import best_printer, print_study, print_tiers, study_line
from sims.terminal import meter, no_message, print_utf8, say, show

if TYPE_CHECKING:
    from engine.record import Format
    from sims.runs.run import Run


_MISSED: Final = 1  # the exit code of a gate that comes before the code for plug-in errors


@click.command(cls=Command)
@scenario_argument
@click.option("--out", type=UserPath(), metavar="DIR", help="Output folder; must not exist yet.")
@seed_option
@workers_option
@on_option
@track_option
@set_option
@click.option(
    "--format", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True, help="File format of the rows."
)
@click.option(
    "--precision",
    type=NumberRange(0, 0.5, low_open=True),
    metavar="WIDTH",
    help="Add players until every margin is at most \u00b1WIDTH, e.g. 0.01 for one point.",
)
@click.option(
    "--budget",
    type=NumberRange(1, 5_000_000_000, whole=True),  # LARGEST_WORK of engine.scenario_file.consistency
    metavar="ATTEMPTS",
    help="With --precision: largest number of attempts.",
)
@click.option(
    "--gate",
    is_flag=True,
    help="Exit 0 if all targets are met, 1 if one is missed, 2 if too close to call.",
)
@quiet_option
@json_option
@allow_long_option
@game_option
def run(
    scenario: str,
    out: Path | None,
    seed: int | None,
    workers: int | None,
    on: str | None,
    trackers: tuple[str, ...],
    settings: tuple[str, ...],
    format: Format,  # noqa: A002 - named as its option
    precision: float | None,
    budget: int | None,
    gate: bool,
    quiet: bool,
    as_json: bool,
    allow_long: bool,
) -> int:
    """Simulate a scenario: rows, a verdict and a report.

    --budget counts players x attempts x repeats, the pilot included. Its default is 200,000,000, and 5,000,000,000 with
    --allow-long. --gate decides at 95 % confidence.
    """

    if budget is not None and precision is None:
        raise click.UsageError("--budget limits --precision; give both.")
    checked = scenario_from_options(scenario, settings, seed, allow_long)
    from sims.planning.precision import run_to_precision
    from sims.runs.execution import run as play

    with run_bar(quiet) as on_progress:
        chosen: dict[str, Any] = {
            "out": out,
            "workers": workers,
            "on": on,
            "format": format,
            "on_progress": on_progress,
        }
        if precision is None:
            result = play(checked, on_message=say, **chosen)
        else:
            result = run_to_precision(
                checked, precision, budget=budget, allow_long=allow_long, on_message=say,
                on_pilot=no_message if quiet else say, **chosen,
            )  # fmt: skip
    code = _shown(result, gate=gate, quiet=quiet, as_json=as_json)
    record(result, trackers)
    return code


@click.command(cls=Command)
@scenario_argument
@seed_option
@set_option
@click.option("--resolved", is_flag=True, help="Print the complete scenario with all defaults.")
@click.option("--out", type=UserPath(), metavar="FILE", help="With --resolved: a new file to write.")
@allow_long_option
@game_option
def check(
    scenario: str, seed: int | None, settings: tuple[str, ...], resolved: bool, out: Path | None, allow_long: bool
) -> None:
    """Validate a scenario without running it.

    --resolved --out FILE writes the complete scenario as UTF-8, which is what a scenario must be. A shell may write
    what it redirects in another encoding.
    """
    if out is not None and not resolved:
        raise click.UsageError("--out needs --resolved: only the complete scenario can be written to a file.")
    checked = scenario_from_options(scenario, settings, seed, allow_long)
    from sims.advice.usual_mistakes import mistakes_in
    from sims.runs.preflight import prepare_job
    from sims.runs.scenario_notes import notes_of
    from sims.sweeping.trial_scenarios import check_swept

    setup = prepare_job(checked).setup
    check_swept(checked)
    if out is not None:
        from sims.run_folder.files import write_new_file

        try:
            write_new_file(out, checked.resolved_toml().encode())
        except FileExistsError:
            raise click.UsageError(f"{out} already exists; choose another --out or remove it.") from None
    elif resolved:
        print_utf8(checked.resolved_toml())
    else:
        groups = len(checked.cohorts)
        players = f"{checked.form.players.count:,} players in {groups} group{'' if groups == 1 else 's'}"
        fingerprint = checked.digest[:16]
        show(f"{scenario}: valid; {players}, at most {checked.work:,} attempts, fingerprint {fingerprint}")
        for note in (*notes_of(checked, setup), *mistakes_in(checked, setup)):
            show(f"note: {note}")


@click.command(cls=Command)
@folder_argument
@workers_option
@on_option
@track_option
@quiet_option
@json_option
@game_option
def resume(
    folder: Path, workers: int | None, on: str | None, trackers: tuple[str, ...], quiet: bool, as_json: bool
) -> int:
    """Finish a run, a study or a sweep that was stopped."""
    calculate_alone()
    from sims.runs.execution import resume as resume_run
    from sims.sweeping.sweep import is_sweep, resume_sweep
    from sims.tuning.tiers.tune_tiers import is_tiers, resume_tiers
    from sims.tuning.tune import is_study, resume_study

    if is_tiers(folder):
        if trackers:
            raise click.UsageError("tiers of difficulty cannot be recorded, so --track has no use; drop it.")
        tiers = resume_tiers(
            folder,
            workers=workers,
            on=on,
            on_progress=study_line(quiet),
            on_message=say,
            on_stop=best_printer(as_json),
        )
        print_tiers(tiers, quiet=quiet, as_json=as_json)
        return 0
    if is_study(folder):
        study = resume_study(
            folder,
            workers=workers,
            on=on,
            on_progress=study_line(quiet),
            on_message=say,
            on_stop=best_printer(as_json),
        )
        print_study(study, quiet=quiet, as_json=as_json)
        record(study, trackers)
        return 0
    if is_sweep(folder):
        done = resume_sweep(
            folder, workers=workers, on=on, on_progress=meter(quiet), on_message=say, on_stop=click.echo
        )
        print_sweep(done, quiet=quiet, as_json=as_json)
        record(done, trackers)
        return 0
    with run_bar(quiet) as on_progress:
        result = resume_run(folder, workers=workers, on=on, on_progress=on_progress, on_message=say)
    code = _shown(result, gate=False, quiet=quiet, as_json=as_json)
    record(result, trackers)
    return code


def _shown(result: Run, *, gate: bool, quiet: bool, as_json: bool) -> int:
    """Print a run. The exit code is that of a missed gate first, then of plug-in errors, then of an unclear gate."""
    from engine.errors import PluginFault
    from sims.cli.views.verdict_table import print_verdict

    judged = result.gate() if gate else None
    if as_json:
        content = result.to_json() | ({} if judged is None else {"gate": judged.to_json()})
        show(json.dumps(content, indent=1))
    elif quiet:
        show(result.folder)
        for warning in result.warnings:
            say(f"Sanity check failed. {warning}")
        if judged is not None and judged.exit_code:
            say(" ".join(judged.sentences))
    else:
        print_verdict(result.verdict, sys.stdout)
        for warning in result.warnings:
            show(f"Sanity check failed. {warning}")
        for extra in (result.precision, judged):
            if extra is not None:
                show("\n" + "\n".join(extra.sentences))
        show(f"\nrows    {result.rows_file}\nreport  {result.report_file}")
    if result.unreported is not None:
        raise result.unreported
    code = 0 if judged is None else judged.exit_code
    return code if code == _MISSED or not result.faults else PluginFault.exit_code


@click.command(cls=Command)
@folder_argument
@click.option("--knock-out", is_flag=True, help="Measure what each place of a level costs, and add it to the report.")
@click.option("--level", type=NumberRange(1, 10_000, whole=True), metavar="N", help="With --knock-out: this level.")
@click.option(
    "--attempts",
    type=NumberRange(1, 1_000_000, whole=True),
    default=2000,
    show_default=True,
    metavar="N",
    help="With --knock-out: attempts of each group on each level that are made again.",
)
@click.option("--json", "as_json", is_flag=True, help="With --knock-out: print the costs as JSON.")
def report(folder: Path, knock_out: bool, level: int | None, attempts: int, as_json: bool) -> None:
    """Rebuild report.html from the rows of a run.

    --knock-out makes attempts again without one place after the other, such as obstacle 7, with the same players and
    the same luck. It says first how long that takes.
    """
    from sims.reports.report import write_report

    if not knock_out:
        if level is not None or as_json:
            raise click.UsageError("--level and --json are for --knock-out; add it.")
        show(write_report(folder))
        return
    from sims.cli.views.cost_table import print_costs
    from sims.run_folder.sound_tables import sound_manifest
    from sims.runs.run import Run

    opened = Run(folder, sound_manifest(folder))
    costs = opened.knock_out(level, attempts, on_message=say)
    page = write_report(folder, costs=costs)
    print_costs(opened, costs, as_json=as_json)
    if not as_json:
        show(f"\nreport  {page}")


@click.command(cls=Command)
@click.option("--out", type=UserPath(dir_okay=False), metavar="FILE", help="Write the schema to this file.")
def schema(out: Path | None) -> None:
    """Print the JSON schema for editors of scenario files."""

    from engine.scenario import json_schema

    text = json.dumps(json_schema(), indent=2)
    if out is None:
        show(text)
    else:
        from sims.run_folder.files import write_file

        write_file(out, text.encode() + b"\n")
