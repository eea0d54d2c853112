"""The command that fits players to a file of plays: calibrate."""

from __future__ import annotations

from pathlib import Path

import click

from sims.cli.options import Command, NumberRange, UserPath, calculate_alone, json_option
from sims.terminal import json_text, say, show


@click.command(cls=Command)
@click.argument("plays", metavar="FILE", type=UserPath(exists=True, dir_okay=False, allow_dash=True))
@click.option("--columns", metavar="PART=NAME,...", help="Name the columns, e.g. player=uid,level=stage,won=result.")
@click.option(
    "--game",
    metavar="NAME",
    help="Name or .py file of the game that was played; the plays have its knobs as param_speed.",
)
@click.option("--skip-bad", is_flag=True, help="Leave out rows that cannot be read, at most 1 % of them.")
@click.option(
    "--keep-ids",
    type=UserPath(dir_okay=False),
    metavar="KEYFILE",
    help="Write players.csv, with a hash of each id by the key in KEYFILE, which is made if it does not exist.",
)
@click.option(
    "--gate",
    type=NumberRange(0, 1, low_open=True, range_shown=False),
    metavar="ERROR",
    help="Exit 0 if unseen players are off by at most ERROR, 1 if by more, 2 if unclear.",
)
@click.option(
    "--threads", type=NumberRange(1, 256, whole=True, range_shown=False), metavar="N", help="Default: one per core."
)
@click.option("--out", type=UserPath(), metavar="DIR", help="Output folder; must not exist yet.")
@click.option("--quiet", is_flag=True, help="Print the output folder only.")
@json_option
def calibrate(
    plays: Path,
    columns: str | None,
    game: str | None,
    skip_bad: bool,
    keep_ids: Path | None,
    gate: float | None,
    threads: int | None,
    out: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Fit synthetic players to the plays of your real ones.

    FILE is CSV (also gzip) or Parquet, or - for standard input: one row for each attempt (player, level, won; better
    also order or time, session, quit), or attempts and successes for each player and level. The output folder has a
    scenario to run, calibration.json and a report. Ids of players are in none of them.
    """
    calculate_alone()
    from sims.calibration.calibration import calibrate as fit_players
    from sims.calibration.play_files.columns import parse_columns
    from sims.calibration.sentences import mapping_words
    from sims.catalog import use_game_file

    if game is not None and game.endswith(".py"):
        game = use_game_file(Path(game).expanduser())

    result = fit_players(
        plays,
        columns=parse_columns(columns) if columns else None,
        game=game,
        skip_bad=skip_bad,
        keep_ids=keep_ids,
        out=out,
        threads=threads,
    )
    judged = None if gate is None else result.gate(gate)
    if as_json:
        verdict = {} if judged is None else {"gate": judged.to_json()}
        show(json_text({**result.to_json(), "folder": str(result.folder), **verdict}), end="")
    elif quiet:
        show(result.folder)
        if judged is not None and judged.exit_code:
            say(judged.sentence)
    else:
        show("\n".join(result.sentences))
        show(f"\n{mapping_words(result.findings.table)}")
        if judged is not None:
            show(f"\n{judged.sentence}")
        players = "" if result.players_file is None else f"\nplayers   {result.players_file}"
        show(f"\nscenario  {result.scenario_file}\nreport    {result.report_file}{players}")
    return 0 if judged is None else judged.exit_code
