"""The commands that race controllers: compare and arena, and the advice that follows from races."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sims.cli.options import Command, Number, load_scenario, seed_option, set_option, workers_option
from sims.terminal import json_text, meter, teller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.scenario import Scenario

_PLAYERS: Final = 2000  # of the arena's tables in the docs


class _Wish(click.ParamType[tuple[str, dict[str, float]]]):
    """A controller as it is typed: NAME or NAME,option=value,option=value."""

    name = "controller"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[str, dict[str, float]]:
        if isinstance(value, tuple):
            return value
        name, *pairs = value.split(",")
        options = {}
        for pair in pairs:
            option, _, number = pair.partition("=")
            try:
                options[option.strip()] = float(number)
            except ValueError:
                self.fail(f"must be NAME or NAME,option=number, got {value!r}.", parameter, context)
        return name.strip(), options


_controllers = click.option(
    "--controller",
    "controllers",
    type=_Wish(),
    multiple=True,
    metavar="NAME[,option=value]",
    help="Who races; may be repeated. Options that are not given have their defaults.",
)
_quiet = click.option("--quiet", is_flag=True, help="No progress.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_allow_long = click.option("--allow-long", is_flag=True, help="Accept a scenario of very many attempts.")
_out = click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for tables and a page; it must be new."
)


@click.command(cls=Command)
@click.argument("scenarios", metavar="SCENARIO...", nargs=-1, required=True)
@_controllers
@click.option("--find-gain", metavar="NAME", help="Race one controller with growing gains, and recommend one.")
@seed_option
@set_option
@workers_option
@_out
@_quiet
@_json
@_allow_long
def compare(
    scenarios: tuple[str, ...],
    controllers: tuple[tuple[str, dict[str, float]], ...],
    find_gain: str | None,
    seed: int | None,
    settings: tuple[str, ...],
    workers: int | None,
    out: Path | None,
    quiet: bool,
    as_json: bool,
    allow_long: bool,
) -> int:
    """Compare scenarios, or race controllers on one, with the same players and the same luck.

    Two or more scenarios: what changed from the first to each of the others, for whom, by how much and how sure.

    One scenario: each controller as a ratio to the best that anybody could do. The limit (bayes_limit) and a baseline
    (best_static) always race too. Without --controller, the scenario's own races against the default.
    """
    if find_gain is not None and controllers:
        raise click.UsageError("--find-gain races one controller alone, leave --controller out.")
    if len(scenarios) > 1 and (controllers or find_gain is not None):
        option = "--controller" if controllers else "--find-gain"
        raise click.UsageError(f"{option} races on one scenario, got {len(scenarios)}; give one, or leave it out.")
    if len(scenarios) > 1:
        several = [load_scenario(scenario, settings, None, allow_long) for scenario in scenarios]
        return _compare_scenarios(several, seed, workers=workers, out=out, quiet=quiet, as_json=as_json)
    read = load_scenario(scenarios[0], settings, seed, allow_long)
    from sims.arena import command as races

    if find_gain is not None:
        return races.compare_gains(read, find_gain, workers=workers, out=out, quiet=quiet, json=as_json)
    return races.compare(read, controllers, workers=workers, out=out, quiet=quiet, json=as_json)


def _compare_scenarios(
    scenarios: Sequence[Scenario],
    seed: int | None,
    *,
    workers: int | None,
    out: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    from engine.errors import PluginFault
    from sims.comparison.comparison import compare

    with _output_folder(out) as folder:
        comparison = compare(*scenarios, seed=seed, workers=workers, on_progress=meter(quiet))
        if folder is not None:
            comparison.write(folder)
    if as_json:
        click.echo(json_text(comparison.to_json()), nl=False)
    else:
        click.echo(comparison.text)
        if folder is not None:
            click.echo(f"\ntable, page and JSON  {out}")
    return PluginFault.exit_code if comparison.failed else 0


@contextlib.contextmanager
def _output_folder(out: Path | None) -> Iterator[Path | None]:
    """Make the folder of --out before anything is played. It is removed again if there is nothing to put into it."""
    if out is None:
        yield None
        return
    from sims.run_folder.new_folder import new_folder

    folder = new_folder(out).absolute()  # a plug-in may change the current directory
    try:
        yield folder
    except BaseException:
        with contextlib.suppress(OSError):  # it is not empty
            folder.rmdir()
        raise


@click.command(cls=Command)
@_controllers
@click.option("--world", "worlds", multiple=True, metavar="NAME", help="Only this world; may be repeated.")
@click.option(
    "--players",
    type=Number(40, 1_000_000, whole=True),
    default=_PLAYERS,
    show_default=True,
    help="Players of each world.",
)
@seed_option
@workers_option
@_out
@_quiet
@_json
def arena(
    controllers: tuple[tuple[str, dict[str, float]], ...],
    worlds: tuple[str, ...],
    players: int,
    seed: int | None,
    workers: int | None,
    out: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Race all controllers, or some, over ten worlds with a known answer, two games and players who cheat."""
    from sims.arena.command import race_arena

    return race_arena(
        worlds, controllers, players=players, seed=seed, workers=workers, out=out, quiet=quiet, json=as_json
    )


@click.command(cls=Command)
@click.argument("scenario")
@set_option
@_json
def advise(scenario: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Say which controller suits a scenario and why, and what is wrong with the one it has."""
    checked = load_scenario(scenario, settings, None, True)
    from sims.advice.advice import advise

    named = [scenario, *(word for setting in settings for word in ("--set", setting))]
    advice = advise(checked, named=named, on_message=teller(quiet=as_json))
    click.echo(json_text(advice.to_json()) if as_json else advice.text, nl=not as_json)
