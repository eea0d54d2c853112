"""The command that sweeps keys of a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sims.cli.options import (
    Command,
    NumberRange,
    UserPath,
    calculate_alone,
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
from sims.cli.tune import attempts_for
from sims.terminal import json_text, meter, say, show

if TYPE_CHECKING:
    from sims.sweeping.finished_sweep import FinishedSweep

_METHODS: Final = (
    "auto",
    "grid",
    "random",
    "tpe",
    "gp",
    "hyperband",
    "staged",
    "pbt",
)  # of sims.sweeping.sweep_request


@click.command(cls=Command)
@scenario_argument
@click.option(
    "--over",
    "overs",
    multiple=True,
    metavar="KEY=VALUES",
    help="Key to vary (repeatable): low:high:steps, low:high, log:low:high or a,b,c.",
)
@click.option(
    "--space",
    type=UserPath(exists=True, dir_okay=False),
    metavar="FILE",
    help="TOML file with a table [sweep] (default: the scenario's).",
)
@click.option("--budget", type=NumberRange(1, whole=True), metavar="N", help="Maximum number of attempts.")
@click.option("--seconds", type=NumberRange(1), help="Approximate time limit. The result then depends on the machine.")
@click.option("--money", type=NumberRange(0, low_open=True), help="Maximum cost, with --price-per-million.")
@click.option("--price-per-million", type=NumberRange(0, low_open=True), help="Cost of a million attempts.")
@click.option("--method", type=click.Choice(_METHODS), default="auto", show_default=True, help="Search method.")
@click.option(
    "--objective",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="What is to be small (see docs/sweeping.md); several with commas.",
)
@seed_option
@set_option
@workers_option
@on_option
@track_option
@click.option("--out", type=UserPath(), metavar="DIR", help="Output folder; must not exist yet.")
@quiet_option
@json_option
@click.option("--allow-long", is_flag=True, help="Allow more than 200,000,000 attempts.")
def sweep(
    scenario: str,
    overs: tuple[str, ...],
    space: Path | None,
    budget: int | None,
    seconds: float | None,
    money: float | None,
    price_per_million: float | None,
    method: str,
    objective: str,
    seed: int | None,
    settings: tuple[str, ...],
    workers: int | None,
    on: str | None,
    trackers: tuple[str, ...],
    out: Path | None,
    quiet: bool,
    as_json: bool,
    allow_long: bool,
) -> None:
    """Vary keys of a scenario and say which values are best.

    One --over draws a curve, two a heat map. Your own settings are always played beside the others, by the same players
    with the same luck. The best trial and your settings are measured again on fresh players.

    A trial has as many attempts as a run; --set players.count=200 makes it smaller. Without a limit every combination
    of values is played.
    """
    calculate_alone()
    over = _over(overs, space)
    limited = budget is not None or money is not None or price_per_million is not None
    attempts = attempts_for(budget, seconds, money, price_per_million, allow_long=allow_long) if limited else None
    checked = scenario_from_options(scenario, settings, seed, allow_long)
    from sims.sweeping.sweep import sweep as sweep_scenario

    done = sweep_scenario(
        checked,
        over,
        budget=attempts,
        seconds=seconds,
        method=method,
        objective=objective,
        out=out,
        workers=workers,
        on=on,
        on_progress=meter(quiet),
        on_message=say,
        on_stop=show,
    )
    print_sweep(done, quiet=quiet, as_json=as_json)
    record(done, trackers)


def print_sweep(done: FinishedSweep, *, quiet: bool, as_json: bool) -> None:
    """Print a complete sweep: its answer and where its files are."""
    if as_json:
        show(json_text(done.to_json()), end="")
    elif quiet:
        show(done.folder)
    else:
        show(f"{done.text}\n\nreport  {done.report_file}\ntrials  {done.trials_file}\nfolder  {done.folder}")


def _over(overs: tuple[str, ...], space: Path | None) -> dict[str, str] | Path | None:
    """The keys of --over, or the file of --space; None for the scenario's own table. Raises click.UsageError."""
    if space is not None and overs:
        raise click.UsageError("--space and --over both say what is varied; give one of them.")
    if not overs:
        return space
    pairs = []
    for one in overs:
        key, equals, values = one.partition("=")
        if not equals:
            raise click.BadParameter(f"must be KEY=VALUES, got {one!r}.", param_hint="'--over'")
        pairs.append((key.strip(), values.strip()))
    for place, (key, _) in enumerate(pairs):
        if key in dict(pairs[:place]):
            raise click.UsageError(f"--over gives {key} twice; give it once.")
    return dict(pairs)
