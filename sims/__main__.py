"""The command line. It imports click and nothing else before a command needs it, so that help comes at once.

Results go to stdout, progress and messages to stderr. An error is one line without a traceback, unless --debug is
given; exit codes are those of engine.errors, and EXIT_CODES below says them all.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from sims.cli.compare import RACE_COMMANDS
from sims.cli.export import DATA_COMMANDS
from sims.cli.options import SEED_RANGE, Commands, State, calculate_alone, pairs_of, set_debug
from sims.cli.options import seed_option as _seed
from sims.cli.options import set_option as _set
from sims.cli.options import workers_option as _workers
from sims.cli.plan import TRUST_COMMANDS
from sims.cli.shadowed_packages import check_packages
from sims.cli.tune import TUNE_COMMANDS
from sims.cli.window import WINDOW_COMMANDS

if TYPE_CHECKING:
    from engine.record import Format
    from engine.scenario import Scenario
    from sims.catalog import Catalog
    from sims.verdict.remark import Remarking

EXIT_CODES: Final = """\b
Exit codes:
   0  done
   1  a stated goal was missed
   2  wrong usage or a wrong scenario; with --gate: cannot tell
   3  attempts failed by a game's or controller's fault:
      they are marked in the rows, or too many stopped it
   4  a run folder is damaged, in use or does not match
   5  the machine is in the way: disk, permission, a missing extra
  70  a fault of Flowdial itself
 130  interrupted (143 when terminated)
"""
_USAGE: Final = 2
_ENVIRONMENT: Final = 5
_OWN_FAULT: Final = 70
_INTERRUPTED: Final = 130
_TERMINATED: Final = 143


def _show_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        from sims.catalog import version

        click.echo(f"flowdial {version()}")
        context.exit()


@click.group(
    cls=Commands,
    epilog=EXIT_CODES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--debug", is_flag=True, expose_value=False, callback=set_debug, help="Show the traceback of an error.")
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="Show the version."
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Turn a game's difficulty dials until each kind of player wins as often as wanted.

    SCENARIO is the path of a TOML file or the name of a bundled scenario, see flowdial list.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


_scenario = click.argument("scenario")
_allow_long = click.option("--allow-long", is_flag=True, help="Accept a run of very many attempts.")
_quiet = click.option("--quiet", is_flag=True, help="No progress and no table.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_folder = click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))


@cli.command()
@_scenario
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the results; it must be new.")
@_seed
@_workers
@_set
@click.option(
    "--format", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True, help="File format of rows."
)
@click.option(
    "--precision",
    type=click.FloatRange(0.0, 0.5, min_open=True),
    metavar="WIDTH",
    help="Play as many players as it takes until every cohort's 95 % interval reaches at most so far to either side.",
)
@click.option(
    "--budget",
    type=click.IntRange(1, 5_000_000_000),  # LARGEST_WORK of engine.scenario_file.consistency
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
@_quiet
@_json
@_allow_long
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
    from sims.catalog import Catalog

    if precision is not None and precision != precision:
        raise click.BadParameter("must be a number above 0 and at most 0.5, got nan.", param_hint="'--precision'")
    if budget is not None and precision is None:
        raise click.UsageError("--budget is how long --precision may go on, give both.")
    checked = _load(scenario, Catalog(), settings, seed, allow_long)
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


@cli.command()
@_scenario
@_seed
@_set
@click.option("--resolved", is_flag=True, help="Print the complete scenario, every default written out.")
@_allow_long
def check(scenario: str, seed: int | None, settings: tuple[str, ...], resolved: bool, allow_long: bool) -> None:
    """Tell everything that is wrong with a scenario, and run nothing."""
    from sims.catalog import Catalog

    checked = _load(scenario, Catalog(), settings, seed, allow_long)
    from sims.runs.preflight import prepared

    prepared(checked)
    if resolved:
        click.echo(checked.resolved_toml(), nl=False)
    else:
        cohorts = len(checked.cohorts)
        players = f"{checked.form.players.count} players in {cohorts} cohort{'' if cohorts == 1 else 's'}"
        click.echo(f"{scenario}: valid; {players}, at most {checked.work} attempts, digest {checked.digest[:16]}")


@cli.command()
@_folder
@_workers
@_quiet
@_json
def resume(folder: Path, workers: int | None, quiet: bool, as_json: bool) -> int:
    """Finish a run or a study that was stopped: compute only what is missing or damaged."""
    calculate_alone()
    from sims.runs import run as runs
    from sims.tuning import command as tune

    if tune.is_study(folder):
        return tune.resume(folder, workers=workers, quiet=quiet, json=as_json)
    return runs.resume(folder, workers=workers, quiet=quiet, json=as_json)


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


@cli.command()
@click.argument("target", metavar="DIR|FILE", type=click.Path(exists=True, path_type=Path))
@click.option("--rows", type=_Rows(), default=1000, show_default=True, metavar="N|all", help="How many to play again.")
@click.option("--seed", type=SEED_RANGE, default=1, show_default=True, help="Chooses the rows.")
@_json
def verify(target: Path, rows: int, seed: int, as_json: bool) -> int:
    """Play rows of a run again and compare their state hashes."""
    from sims.playback.verify import verify as verify_rows

    return verify_rows(target, rows=rows or None, seed=seed, json=as_json)


@cli.command()
@_folder
def report(folder: Path) -> None:
    """Write report.html of a run again, from its rows."""
    from sims.reports.report import report as write_report

    click.echo(write_report(folder))


@cli.command("list")
@click.argument("what", required=False, type=click.Choice(["games", "controllers", "scenarios"]))
@_json
def list_(what: str | None, as_json: bool) -> None:
    """Say which games, controllers and scenarios there are, and where they come from."""
    from sims.catalog import Catalog
    from sims.cli.descriptions import listing

    catalog = Catalog()
    click.echo(listing(catalog, [what] if what else ["games", "controllers", "scenarios"], as_json))
    _warn(catalog)


@cli.command()
@click.argument("name")
@click.option("--dial", is_flag=True, help="For a game: play it along its dial and print how often players win.")
@click.option("--map", "heat_map", is_flag=True, help="For a game: print the chance to win by skill and difficulty.")
@click.option("--json", "as_json", is_flag=True, help="With --dial or --map: print the numbers as JSON.")
def describe(name: str, dial: bool, heat_map: bool, as_json: bool) -> None:
    """Explain a game, a controller or a scenario."""
    from sims.catalog import Catalog
    from sims.cli.descriptions import description, dial_description, show_map

    if dial and heat_map:
        raise click.UsageError("--dial and --map are two tables, ask for one of them.")
    if as_json and not (dial or heat_map):
        raise click.UsageError("--json prints the numbers of a table, give --dial or --map with it.")
    catalog = Catalog()
    if heat_map:
        show_map(catalog.game(name), as_json, _say, sys.stdout)
    else:
        click.echo(dial_description(catalog.game(name), as_json, _say) if dial else description(catalog, name))
    _warn(catalog)


@cli.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it to this file.")
def schema(out: Path | None) -> None:
    """Print the JSON schema of scenario files, for editors that complete and check."""
    import json

    from engine.scenario import json_schema

    text = json.dumps(json_schema(), indent=2)
    if out is None:
        click.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")


for _further in (*WINDOW_COMMANDS, *RACE_COMMANDS, *DATA_COMMANDS, *TUNE_COMMANDS, *TRUST_COMMANDS):
    cli.add_command(_further)


def _load(scenario: str, catalog: Catalog, settings: Sequence[str], seed: int | None, allow_long: bool) -> Scenario:
    """Read and check a scenario with what the command line puts over it. Raises ScenarioError."""
    from engine.scenario import load

    pairs = pairs_of(settings) + ([("seed", str(seed))] if seed is not None else [])
    return load(catalog.scenario(scenario), catalog, pairs, allow_long=allow_long)


def _warn(catalog: Catalog) -> None:
    for warning in catalog.warnings:
        _say(f"warning: {warning}")


def _say(message: str) -> None:
    click.echo(f"flowdial: {message}", err=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; arguments: those of the command line when None. Returns the exit code."""
    check_packages()
    if "_FLOWDIAL_COMPLETE" in os.environ:
        cli.main(prog_name="flowdial")
    signal.signal(signal.SIGTERM, _terminate)
    closed = sys.stdout is None  # the caller closed it: the command still runs, but it cannot say its result
    if closed:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - it lives as long as the process
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal of few letters must not end a run
    state = State()
    try:
        code = _invoke(sys.argv[1:] if arguments is None else list(arguments), state)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - each becomes its exit code, only here
        if state.debug:
            traceback.print_exception(fault)
        return _told(fault)
    if closed and code == 0:
        _say("the result could not be told, for stdout is closed.")
        return _ENVIRONMENT
    return code


def _invoke(arguments: list[str], state: State) -> int:
    try:
        with cli.make_context("flowdial", arguments, obj=state) as context:
            code = cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return code if isinstance(code, int) else 0


def _told(fault: Exception | KeyboardInterrupt) -> int:
    """Say on stderr what went wrong, in one line for each thing, and return the exit code."""
    from engine.errors import FlowdialError, ScenarioError

    match fault:
        case BrokenPipeError():
            _abandon_stdout()
            return _ENVIRONMENT
        case click.ClickException():
            context = getattr(fault, "ctx", None)
            command = context.command_path if context else "flowdial"
            click.echo(f"{command}: {' '.join(fault.format_message().split())} See {command} --help.", err=True)
            return _USAGE
        case ScenarioError():
            click.echo(str(fault), err=True)
            return fault.exit_code
        case FlowdialError():
            _say(str(fault))
            return fault.exit_code
        case KeyboardInterrupt() | click.Abort():
            _say("interrupted.")
            return _INTERRUPTED
        case OSError():
            _abandon_stdout()
            place = f": {fault.filename}" if fault.filename else ""
            _say(f"{fault.strerror or type(fault).__name__}{place}")
            return _ENVIRONMENT
        case ModuleNotFoundError() if fault.name and fault.name.partition(".")[0] not in ("engine", "sims"):
            _say(f"the package '{fault.name}' is missing; install it, or install Flowdial again with what it needs.")
            return _ENVIRONMENT
        case MemoryError():
            _say("the memory is not enough; use fewer players, fewer workers or a machine with more.")
            return _ENVIRONMENT
    _say(f"a fault of Flowdial itself: {type(fault).__name__}: {' '.join(str(fault).split())} (--debug says where)")
    return _OWN_FAULT


def _abandon_stdout() -> None:
    """Let the interpreter's own last flush go nowhere, if stdout is closed or full."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: object) -> NoReturn:
    raise SystemExit(_TERMINATED)


if __name__ == "__main__":
    sys.exit(main())
