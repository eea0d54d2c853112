"""The command that estimates the sample size of a comparison: plan."""

from __future__ import annotations

import json

import click

from sims.cli.options import (
    Command,
    NumberRange,
    game_option,
    on_option,
    scenario_from_options,
    seed_option,
    set_option,
    workers_option,
)
from sims.terminal import aligned, meter, no_message, say, show


@click.command(cls=Command)
@click.argument("scenario")
@click.argument("after", required=False)
@click.option(
    "--effect",
    type=NumberRange(0, 1, low_open=True, high_open=True),
    required=True,
    help="Smallest change to detect, e.g. 0.02 for two points.",
)
@click.option(
    "--power",
    type=NumberRange(0.5, 1, low_open=True, high_open=True),
    default=0.9,
    show_default=True,
    help="Chance to notice the change.",
)
@seed_option
@set_option
@workers_option
@on_option
@click.option("--quiet", is_flag=True, help="Suppress progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--allow-long", is_flag=True, help="Allow more than 200,000,000 attempts.")
@game_option
def plan(
    scenario: str,
    after: str | None,
    effect: float,
    power: float,
    seed: int | None,
    settings: tuple[str, ...],
    workers: int | None,
    on: str | None,
    quiet: bool,
    as_json: bool,
    allow_long: bool,
) -> None:
    """Estimate how many players it takes to detect a change.

    A small pilot run measures how much players differ. With a second scenario, AFTER, both play with the same players
    and the same luck. The answer then says how many players this pairing saves. --set and --seed apply to both.
    """
    before = scenario_from_options(scenario, settings, seed, allow_long)
    changed = None if after is None else scenario_from_options(after, settings, seed, allow_long)
    from sims.planning.plan import plan as make_plan

    result = make_plan(
        before, changed, effect=effect, power=power, workers=workers, on=on, on_progress=meter(quiet),
        on_message=no_message if quiet else say,
    )  # fmt: skip
    if as_json:
        show(json.dumps(result.to_json(), indent=1, allow_nan=False))
    else:
        show(aligned(result.table, indent="") + "\n\n" + "\n".join(result.sentences))
