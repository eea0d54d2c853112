"""The command that tunes a game's own numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from sims.cli.options import Command, Number, calculate_alone, pairs_of, seed_option, set_option, workers_option

_METHODS: Final = ("pooled", "cma_es", "tpe", "gp", "random", "grid")  # those of sims.tuning.search.methods
_MOST_OPTIONS: Final = 8


@click.command(cls=Command)
@click.argument("scenario")
@click.option("--budget", type=Number(1, whole=True), metavar="N", help="Attempts to spend at most.")
@click.option(
    "--seconds",
    type=Number(1),
    help="Seconds to spend, about: the clock is looked at between batches of the search, and what is measured at the "
    "end is planned by the speed so far. The result is then not exactly reproducible.",
)
@click.option("--money", type=Number(0, low_open=True), help="Money to spend at most, with --price-per-million.")
@click.option("--price-per-million", type=Number(0, low_open=True), help="What a million attempts cost.")
@click.option("--method", type=click.Choice(_METHODS), default="pooled", show_default=True, help="How to search.")
@click.option("--lock", "locks", multiple=True, metavar="KNOB", help="Leave this knob where it is; may be repeated.")
@click.option(
    "--options",
    type=Number(1, _MOST_OPTIONS, whole=True),
    default=3,
    show_default=True,
    help="Settings to end with, at most.",
)
@click.option(
    "--near-default",
    type=Number(0, 1_000_000),
    default=0.0,
    metavar="WEIGHT",
    help="Prefer settings that change less. At 1, to turn every knob from end to end is as bad as to miss every target "
    "by its tolerance.",
)
@click.option("--level", type=Number(1, whole=True), help="Tune for this level of a campaign alone.")
@click.option("--staged", is_flag=True, help="Turn the most influential knobs first, one group at a time.")
@click.option(
    "--warm-start",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="STUDY",
    help="Begin with the counts of an earlier study of the same game and players; targets may differ.",
)
@seed_option
@set_option
@workers_option
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the results; it must be new.")
@click.option("--quiet", is_flag=True, help="No progress and no table.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--allow-long", is_flag=True, help="Accept a budget of very many attempts.")
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
    staged: bool,
    warm_start: Path | None,
    seed: int | None,
    settings: tuple[str, ...],
    workers: int | None,
    out: Path | None,
    quiet: bool,
    as_json: bool,
    allow_long: bool,
) -> int:
    """Search the game's own numbers until every cohort meets its target.

    Turned are all knobs that the scenario does not hold in [game.params], within [game.bounds]; the dial and the
    controller have no part in it. A budget is given in attempts, seconds, money or several of them.
    """
    calculate_alone()
    from sims.catalog import Catalog
    from sims.tuning.command import StudyRequest, attempts_for, tune
    from sims.tuning.problem import free_scenario, problem_of
    from sims.tuning.warm_start import earlier_tells

    attempts = attempts_for(budget, seconds, money, price_per_million, allow_long=allow_long)
    catalog = Catalog()
    pairs = pairs_of(settings) + ([("seed", str(seed))] if seed is not None else [])
    read = replace(free_scenario(catalog.scenario(scenario), catalog, pairs, locks), name=scenario)
    earlier = () if warm_start is None else tuple(earlier_tells(warm_start, problem_of(read, level)))
    request = StudyRequest(attempts, seconds, method, options, near_default, level, staged, locks, earlier)
    return tune(read, request, out=out, workers=workers, quiet=quiet, json=as_json)
