"""The command line: all commands, and the exit code of whatever ends one.

It imports click and nothing else before a command needs it, so that help comes at once. Results go to stdout, progress
and messages to stderr. An error is one line without a traceback, unless --debug is given.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Final, NoReturn

import click

from sims.cli.calibrate import calibrate
from sims.cli.compare import advise, arena, compare
from sims.cli.connect import connect
from sims.cli.describe import describe, list_
from sims.cli.export import export, export_controller
from sims.cli.mcp import mcp
from sims.cli.new import new
from sims.cli.options import Commands, CommandState, set_debug
from sims.cli.plan import plan
from sims.cli.run import check, report, resume, run, schema
from sims.cli.shadowed_packages import check_packages
from sims.cli.sweep import sweep
from sims.cli.tune import tune
from sims.cli.verify import verify
from sims.cli.window import play, replay, watch
from sims.terminal import say, show, show_error

EXIT_CODES: Final = """\b
Exit codes:
   0  done
   1  a stated goal was missed
   2  usage or scenario error; with --gate: too close to call
   3  plug-in error: attempts are marked in the rows
   4  run folder damaged, in use or not matching
   5  environment error: disk, permission, a missing extra
  70  internal error of Flowdial
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

        show(f"flowdial {version()}")
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
    """Tune and simulate game difficulty until each player group hits its target.

    SCENARIO is the path of a TOML file, or a name of flowdial list scenarios.
    """
    if context.invoked_subcommand is None:
        show(context.get_help())


for _command in (
    new,
    run,
    check,
    resume,
    verify,
    report,
    list_,
    describe,
    schema,
    play,
    watch,
    replay,
    compare,
    arena,
    advise,
    export,
    export_controller,
    tune,
    sweep,
    plan,
    calibrate,
    mcp,
    connect,
):
    cli.add_command(_command)


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
    state = CommandState()
    words = sys.argv[1:] if arguments is None else list(arguments)
    if not {"-h", "--help", "--version"} & set(words) and not _has_current_folder():
        say("the current folder does not exist any more; go to another one and try again.")
        return _ENVIRONMENT
    try:
        code = _invoke(words, state)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - each becomes its exit code, only here
        if state.debug:
            traceback.print_exception(fault)
        return _exit_code_of(fault)
    if closed and code == 0:
        say("stdout is closed, so the result cannot be printed.")
        return _ENVIRONMENT
    return code


def _has_current_folder() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def _invoke(arguments: list[str], state: CommandState) -> int:
    try:
        with cli.make_context("flowdial", arguments, obj=state) as context:
            code = cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return code if isinstance(code, int) else 0


def _exit_code_of(fault: Exception | KeyboardInterrupt) -> int:
    """Say on stderr what went wrong, in one line for each thing, and return the exit code."""
    from engine.errors import FlowdialError, ScenarioError
    from sims.workers.signals import Stopped

    match fault:
        case BrokenPipeError():
            _abandon_stdout()
            return _ENVIRONMENT
        case click.ClickException():
            context = getattr(fault, "ctx", None)
            command = context.command_path if context else "flowdial"
            show_error(f"{command}: {' '.join(fault.format_message().split())} See {command} --help.")
            return _USAGE
        case ScenarioError():
            show_error(str(fault))
            return fault.exit_code
        case FlowdialError():
            say(str(fault))
            return fault.exit_code
        case Stopped():  # what is kept was said before
            return fault.exit_code
        case KeyboardInterrupt() | click.Abort():
            say("interrupted.")
            return _INTERRUPTED
        case OSError():
            _abandon_stdout()
            if fault.filename:
                from sims.run_folder.files import file_fault

                say(str(file_fault(fault)))
            else:
                say(fault.strerror or type(fault).__name__)
            return _ENVIRONMENT
        case ModuleNotFoundError() if fault.name and fault.name.partition(".")[0] not in ("engine", "sims"):
            say(f"the package '{fault.name}' is missing; install it, or install Flowdial again with what it needs.")
            return _ENVIRONMENT
        case MemoryError():
            say("not enough memory; free some, raise the limit, or ask for less: players, rows, workers or threads.")
            return _ENVIRONMENT
    say(f"internal error of Flowdial: {type(fault).__name__}: {' '.join(str(fault).split())} (--debug shows where)")
    return _OWN_FAULT


def _abandon_stdout() -> None:
    """Let the interpreter's own last flush go nowhere, if stdout is closed or full."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: object) -> NoReturn:
    raise SystemExit(_TERMINATED)
