"""The command that tunes the knobs of a game."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sims.cli.options import (
    Command,
    NumberRange,
    UserPath,
    calculate_alone,
    game_option,
    json_option,
    on_option,
    once,
    pairs_of,
    quiet_option,
    record,
    scenario_argument,
    scenario_from_options,
    seed_option,
    set_option,
    track_option,
    workers_option,
)
from sims.cli.views.study_view import best_printer, print_study, print_tiers, study_line
from sims.terminal import json_text, meter, say, show

if TYPE_CHECKING:
    from engine.scenario import Scenario

_METHODS: Final = ("pooled", "cma_es", "tpe", "gp", "random", "grid")  # those of sims.tuning.search.methods
_STUDIES: Final = "studies"
_OF_KNOBS: Final = (  # options that say how knobs are searched
    "budget", "seconds", "money", "price_per_million", "method", "locks", "options", "near_default", "level", "per",
    "tiers", "staged", "warm_start", "trackers",
)  # fmt: skip
_MOST_OPTIONS: Final = 8  # MOST_OPTIONS of sims.tuning.request, which help must not import


@click.command(cls=Command)
@scenario_argument
@click.option("--budget", type=NumberRange(1, whole=True), metavar="N", help="Maximum number of attempts.")
@click.option("--seconds", type=NumberRange(1), help="Approximate time limit. The result then depends on the machine.")
@click.option("--money", type=NumberRange(0, low_open=True), help="Maximum cost, with --price-per-million.")
@click.option("--price-per-million", type=NumberRange(0, low_open=True), help="Cost of a million attempts.")
@click.option("--method", type=click.Choice(_METHODS), default="pooled", show_default=True, help="Search method.")
@click.option(
    "--lock",
    "locks",
    multiple=True,
    callback=once,
    metavar="KNOB",
    help="Leave this knob at its default (repeatable).",
)
@click.option(
    "--options",
    type=NumberRange(1, _MOST_OPTIONS, whole=True),
    default=3,
    show_default=True,
    help="Maximum number of recommended settings.",
)
@click.option(
    "--near-default",
    type=NumberRange(0, 1_000_000),
    default=0.0,
    metavar="WEIGHT",
    help="0: changes cost nothing. Larger: stay nearer to your defaults.",
)
@click.option("--level", type=NumberRange(1, whole=True), help="Tune for one level of a campaign.")
@click.option("--levels", is_flag=True, help="Find help per level: the place of the dial on each level of a campaign.")
@click.option(
    "--per",
    type=click.Choice(("cohort",)),
    help="Tune one setting for each player group, easiest first.",
)
@click.option("--tiers", metavar="NAMES", help="The same, with names for them: easy,normal,hard.")
@click.option("--staged", is_flag=True, help="Tune the most influential knobs first, one group at a time.")
@click.option(
    "--warm-start",
    type=UserPath(exists=True, file_okay=False),
    metavar="STUDY",
    help="Start from the attempts of an earlier study.",
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
@game_option
def tune(
    scenario: str,
    budget: int | None,
    seconds: float | None,
    money: float | None,
    price_per_million: float | None,
    method: str,
    locks: tuple[str, ...],
    options: int,
    near_default: float,
    level: int | None,
    levels: bool,
    per: str | None,
    tiers: str | None,
    staged: bool,
    warm_start: Path | None,
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
    """Tune game knobs until every player group is on target.

    Tunes every knob that [game.params] does not fix, within [game.bounds]. The difficulty dial and the controller are
    not used. Give a limit: --budget, --seconds, --money, or several of them.

    With --near-default 1, moving every knob from end to end counts as much as missing every target by its tolerance.
    --warm-start needs the same game and players; the targets may differ.

    With --per cohort or --tiers each player group gets a setting of its own: a tier. Knobs are ordered from tier to
    tier, in the order of the groups in the file, and a folder has a study of each. Limits are of all tiers together.

    With --levels the dial is used: it stands still on each level of a campaign, where the level meets its target. It
    needs no limit: the players of the scenario play the campaign nine times.
    """
    calculate_alone()
    if levels:
        _tune_levels(
            scenario_from_options(scenario, settings, seed, allow_long), workers, on, out, quiet=quiet, as_json=as_json
        )
        return
    from sims.catalog import Catalog
    from sims.tuning.problem import load_free
    from sims.tuning.tune import tune as tune_scenario

    attempts = attempts_for(budget, seconds, money, price_per_million, allow_long=allow_long)
    if per or tiers:
        _refuse(("options", "warm_start", "trackers"), "--per and --tiers end with one setting for each tier")
    free = replace(load_free(Catalog().scenario(scenario), pairs_of(settings, seed), locks), name=scenario)
    if per or tiers:
        from sims.tuning.tiers.tune_tiers import WEIGHT, tune_tiers

        given = click.get_current_context().get_parameter_source("near_default")
        done = tune_tiers(
            free,
            tiers=[] if tiers is None else [name.strip() for name in tiers.split(",")],
            budget=attempts,
            seconds=seconds,
            method=method,
            lock=locks,
            near_default=near_default if given is click.core.ParameterSource.COMMANDLINE else WEIGHT,
            level=level,
            staged=staged,
            out=out,
            workers=workers,
            on=on,
            on_progress=study_line(quiet),
            on_message=say,
            on_stop=best_printer(as_json),
        )
        print_tiers(done, quiet=quiet, as_json=as_json)
        return
    study = tune_scenario(
        free,
        budget=attempts,
        seconds=seconds,
        method=method,
        lock=locks,
        options=options,
        near_default=near_default,
        level=level,
        staged=staged,
        warm_start=warm_start,
        out=out,
        workers=workers,
        on=on,
        on_progress=study_line(quiet),
        on_message=say,
        on_stop=best_printer(as_json),
    )
    print_study(study, quiet=quiet, as_json=as_json)
    record(study, trackers)


def _refuse(options: tuple[str, ...], reason: str) -> None:
    """Raise click.UsageError for options that were given although they have no use. reason: why."""
    context = click.get_current_context()
    for option in options:
        if context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
            name = {"locks": "lock", "trackers": "track"}.get(option, option).replace("_", "-")
            raise click.UsageError(f"{reason}, so --{name} has no use; drop it.")


def _tune_levels(
    scenario: Scenario, workers: int | None, on: str | None, out: Path | None, *, quiet: bool, as_json: bool
) -> None:
    from sims.run_folder.names import plain_name
    from sims.run_folder.new_folder import check_new, new_folder, numbered_folder
    from sims.tuning.levels.tune_levels import tune_levels
    from sims.tuning.levels.tuned_levels import TUNED

    _refuse(_OF_KNOBS, "--levels moves the dial and searches no knobs")
    if out is not None:
        check_new(out)
    found = tune_levels(scenario, workers=workers, on=on, on_progress=meter(quiet), on_message=say)
    name = f"{plain_name(scenario.name)}-levels"
    folder = numbered_folder(Path(_STUDIES), name) if out is None else new_folder(out)
    found.write(folder)
    if as_json:
        show(json_text({**found.to_json(), "folder": str(folder)}), end="")
    elif quiet:
        show(folder)
    else:
        show(f"{found.text}\n\nscenario  {folder / TUNED}")


def attempts_for(
    budget: int | None, seconds: float | None, money: float | None, price: float | None, *, allow_long: bool
) -> int:
    """The smallest of the limits, in attempts. price: of a million attempts. Raises click.UsageError."""
    from sims.tuning.request import LARGEST_BUDGET, LONG_BUDGET

    if (money is None) != (price is None):
        raise click.UsageError("--money and --price-per-million must be given together.")
    if budget is None and seconds is None and money is None:
        raise click.UsageError(
            "a study needs a limit: --budget, --seconds, or --money with --price-per-million; try --budget 100000."
        )
    most = LARGEST_BUDGET if allow_long else LONG_BUDGET
    if budget is not None and budget > most:
        remedy = "" if allow_long else "; give less, or add --allow-long"
        raise click.UsageError(f"--budget is at most {most:,} attempts, got {budget:,}{remedy}.")
    affordable = most if money is None or price is None else int(min(money / price * 1e6, most))
    return min(affordable, budget if budget is not None else most)
