"""The commands that compare scenarios or controllers: compare and arena, and advise, which recommends a controller."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import click

from sims.cli.options import (
    SEED_RANGE,
    Command,
    NumberRange,
    UserPath,
    game_option,
    on_option,
    once,
    pairs_of,
    record,
    scenario_from_options,
    seed_option,
    set_option,
    track_option,
    workers_option,
)
from sims.terminal import json_text, meter, no_message, say, show

if TYPE_CHECKING:
    from sims.arena.race import ControllerChoice

_PLAYERS: Final = 2000  # sims.arena.arena.PLAYERS, which help must not import


class _Result(Protocol):
    """A result that can be printed and written."""

    @property
    def text(self) -> str: ...

    def to_json(self) -> dict[str, Any]: ...

    def write(self, folder: Path) -> None: ...


_R = TypeVar("_R", bound=_Result)


class _Controller(click.ParamType["ControllerChoice"]):
    """A controller as it is typed: NAME or NAME,option=value,option=value."""

    name = "controller"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> ControllerChoice:
        if isinstance(value, tuple):
            return value
        name, *pairs = value.split(",")
        options: dict[str, float] = {}
        for pair in pairs:
            option, _, number = (part.strip() for part in pair.partition("="))
            if option in options:
                self.fail(f"gives {option} twice, in {value!r}; give it once.", parameter, context)
            try:
                options[option] = float(number)
            except ValueError:
                self.fail(f"must be NAME or NAME,option=number, got {value!r}.", parameter, context)
        return name.strip(), options


_controllers = click.option(
    "--controller",
    "controllers",
    type=_Controller(),
    multiple=True,
    callback=once,
    metavar="NAME",
    help="Controller to compare (repeatable), e.g. kalman,q=0.01.",
)
_quiet = click.option("--quiet", is_flag=True, help="Suppress the progress bar.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_allow_long = click.option("--allow-long", is_flag=True, help="Allow more than 200,000,000 attempts.")
_out = click.option("--out", type=UserPath(), metavar="DIR", help="Output folder; must not exist yet.")


@click.command(cls=Command)
@click.argument("scenarios", metavar="SCENARIO|RUN...", nargs=-1, required=True)
@_controllers
@click.option("--find-gain", metavar="NAME", help="Find how strongly one controller should react.")
@click.option(
    "--least",
    type=NumberRange(0, 1),
    metavar="SIZE",
    help="Smallest change that matters: 0.01, the default, is one point, and 1 % of a time or a count.",
)
@seed_option
@set_option
@workers_option
@on_option
@track_option
@_out
@_quiet
@_json
@_allow_long
@game_option
def compare(
    scenarios: tuple[str, ...],
    controllers: tuple[ControllerChoice, ...],
    find_gain: str | None,
    least: float | None,
    seed: int | None,
    settings: tuple[str, ...],
    workers: int | None,
    on: str | None,
    trackers: tuple[str, ...],
    out: Path | None,
    quiet: bool,
    as_json: bool,
    allow_long: bool,
) -> int:
    """Compare scenarios, finished runs or controllers.

    Two or more scenarios: whether each player group is nearer to its target than in the first, and what changed, for
    whom, by how much and how sure. The same players with the same luck play all of them.

    Two or more finished runs: the same of what they hold, player by player where the players are the same.

    One scenario: each controller compared with the best that any controller could do (the limit). The limit
    (bayes_limit) and a baseline (best_static) always play too. Without --controller, the scenario's own controller and
    the default play.
    """
    began = time.monotonic()
    runs = [Path(scenario).is_dir() for scenario in scenarios]
    _check_usage(len(scenarios), bool(controllers), find_gain is not None, least is not None)
    if any(runs):
        _check_runs(runs, played={"--seed": seed is not None, "--set": bool(settings)})
    pairs_of(settings, seed)  # a seed that is given in both ways is refused, whatever it is for
    on_progress, on_message = meter(quiet), no_message if quiet else say
    if len(scenarios) > 1:
        several = [
            Path(scenario) if all(runs) else scenario_from_options(scenario, settings, None, allow_long)
            for scenario in scenarios
        ]
        from sims.comparison.comparison import compare as compare_several
        from sims.comparison.differences import LEAST

        comparison = _deliver(
            lambda: compare_several(
                *several, seed=seed, least=LEAST if least is None else least, workers=workers, on=on,
                on_progress=on_progress, on_message=on_message,
            ),
            out, as_json, "table, page and JSON",
        )  # fmt: skip
        record(comparison, trackers, folder=out, seconds=time.monotonic() - began)
        return _exit_code(bool(comparison.failed))
    scenario = scenario_from_options(scenarios[0], settings, seed, allow_long)
    if find_gain is not None:
        if trackers:
            raise click.UsageError("--track records comparisons, not --find-gain; leave one of them out.")
        from sims.arena.gain_finder import find_gain as search_gain

        name = find_gain
        _deliver(
            lambda: search_gain(scenario, name, workers=workers, on=on, on_progress=on_progress, on_message=on_message),
            out, as_json, "page",
        )  # fmt: skip
        return 0
    from sims.arena.race import race

    result = _deliver(
        lambda: race(scenario, controllers, workers=workers, on=on, on_progress=on_progress, on_message=on_message),
        out, as_json, "scores and page",
    )  # fmt: skip
    record(result, trackers, folder=out, seconds=time.monotonic() - began)
    return _exit_code(result.faulty)


def _check_runs(runs: Sequence[bool], played: Mapping[str, bool]) -> None:
    """Refuse what finished runs cannot do. runs: which words name one; played: options of what is played, if given."""
    if len(runs) < 2:
        raise click.UsageError("a finished run is compared with another one; give two.")
    if not all(runs):
        raise click.UsageError("runs are compared with runs, and scenarios with scenarios, got both.")
    for option, given in played.items():
        if given:
            raise click.UsageError(f"{option} is for scenarios that are played, and runs are finished; leave it out.")


def _check_usage(scenarios: int, controllers: bool, find_gain: bool, least: bool) -> None:
    if scenarios < 2 and least:
        raise click.UsageError("--least needs two scenarios, got one; give two, or leave --least out.")
    if find_gain and controllers:
        raise click.UsageError("--find-gain takes its one controller by name; leave --controller out.")
    if scenarios > 1 and (controllers or find_gain):
        option = "--controller" if controllers else "--find-gain"
        raise click.UsageError(f"{option} needs one scenario, got {scenarios}; give one, or leave {option} out.")


def _deliver(compute: Callable[[], _R], out: Path | None, as_json: bool, files: str) -> _R:
    """Compute a result, write its files and print it. files: what --out holds."""
    with _output_folder(out) as folder:
        result = compute()
        if folder is not None:
            result.write(folder)
    if as_json:
        show(json_text(result.to_json()), end="")
        return result
    show(result.text)
    if out is not None:
        show(f"\n{files}  {out}")
    return result


@contextlib.contextmanager
def _output_folder(out: Path | None) -> Iterator[Path | None]:
    """Make the folder of --out before anything is played. Without a result it is removed, so that it is in no way."""
    if out is None:
        yield None
        return
    from sims.run_folder.new_folder import new_folder

    folder = new_folder(out).absolute()  # a plug-in may change the current directory
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # it was made above, and all in it is ours
        raise


def _exit_code(faulty: bool) -> int:
    from engine.errors import PluginFault

    return PluginFault.exit_code if faulty else 0


@click.command(cls=Command)
@_controllers
@click.option(
    "--world",
    "worlds",
    multiple=True,
    callback=once,
    metavar="NAME",
    help="World to play (repeatable; default: all).",
)
@click.option(
    "--players",
    type=NumberRange(40, 1_000_000, whole=True),
    default=_PLAYERS,
    show_default=True,
    help="Players in each world.",
)
@click.option("--seed", type=SEED_RANGE, metavar="N", help="Seed: another number gives other luck.")
@workers_option
@on_option
@_out
@_quiet
@_json
def arena(
    controllers: tuple[ControllerChoice, ...],
    worlds: tuple[str, ...],
    players: int,
    seed: int | None,
    workers: int | None,
    on: str | None,
    out: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Compare controllers over the worlds of the arena.

    Without --controller, all controllers play. The worlds are ten with a known answer, two games, and players who lose
    on purpose.
    """
    from sims.arena.arena import run_arena

    result = _deliver(
        lambda: run_arena(
            controllers, worlds, players=players, seed=seed, workers=workers, on=on,
            on_progress=meter(quiet), on_message=no_message if quiet else say,
        ),
        out, as_json, "scores and page",
    )  # fmt: skip
    return _exit_code(result.faulty)


@click.command(cls=Command)
@click.argument("scenario")
@set_option
@_json
@game_option
def advise(scenario: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Recommend a controller and review the current one."""
    checked = scenario_from_options(scenario, settings, None, True)
    from sims.advice.advice import advise as recommend

    named = [scenario, *(word for setting in settings for word in ("--set", setting))]
    advice = recommend(checked, named=named, on_message=no_message if as_json else say)
    show(json_text(advice.to_json()) if as_json else advice.text, end="" if as_json else "\n")
