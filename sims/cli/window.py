"""The commands that open a window: play, watch, replay. What they show is imported only when one of them runs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import click

from sims.cli.options import Command, NumberRange, seed_option

_PICTURES: Final = (".png", ".webp", ".gif")  # those of sims.window.screen.Recorder, which help must not import


class _Picture(click.Path):
    """A file for a picture; another ending is refused before anything is played or made."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        path = super().convert(value, parameter, context)
        assert isinstance(path, Path)  # path_type
        if path.suffix.lower() not in _PICTURES:
            self.fail(f"must end in .png, .webp or .gif, got {path.name!r}.", parameter, context)
        return path


_SPEED: Final = NumberRange(0, math.inf, low_open=True)
_speed = click.option(
    "--speed", type=_SPEED, default=1.0, show_default=True, metavar="X", help="How fast; 1 is the game's own pace."
)
_record = click.option(
    "--record",
    type=_Picture(),
    metavar="FILE",
    help="Paint to a .png (the last frame), .webp or .gif (motion); needs no screen.",
)
_frames = click.option("--frames", type=NumberRange(1, whole=True), metavar="N", help="End after so many frames.")
_out = click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the rows; it must be new.")


@click.command(cls=Command)
@click.argument("game")
@click.option(
    "--controller", metavar="NAME", help="Who decides how hard it is; otherwise the scenario's, or the default."
)
@click.option(
    "--target",
    type=NumberRange(0, 1, low_open=True, high_open=True),
    metavar="RATE",
    help="How often you should win, as in 0.75.",
)
@click.option("--scenario", metavar="SCENARIO", help="Play in the world of this scenario of the game.")
@seed_option
@click.option(
    "--record",
    type=_Picture(),
    metavar="FILE",
    help="Let a synthetic player show an attempt, painted to a .png (the last frame), .webp or .gif (motion).",
)
@_frames
@_out
def play(
    game: str,
    controller: str | None,
    target: float | None,
    scenario: str | None,
    seed: int | None,
    record: Path | None,
    frames: int | None,
    out: Path | None,
) -> int:
    """Play a game yourself while a controller adapts it to you."""
    if record is not None:
        if out is not None:
            raise click.UsageError("--out keeps what a person plays, and with --record nobody does; leave one out.")
        from sims.window.playing.demonstration import demonstrate

        return demonstrate(
            game, record, controller=controller, target=target, scenario=scenario, seed=seed, frames=frames
        )
    from sims.window.playing.play import play as open_window

    return open_window(game, controller=controller, target=target, scenario=scenario, seed=seed, frames=frames, out=out)


@click.command(cls=Command)
@click.argument("target", metavar="SCENARIO|RUN")
@click.option("--cohort", metavar="NAME", help="Show players of this cohort only.")
@seed_option
@click.option(
    "--speed",
    type=_SPEED,
    default=1.0,
    show_default=True,
    metavar="X",
    help="How fast; 1 is the game's own pace, inf as fast as possible.",
)
@_record
@_frames
@_out
def watch(
    target: str,
    cohort: str | None,
    seed: int | None,
    speed: float,
    record: Path | None,
    frames: int | None,
    out: Path | None,
) -> int:
    """Watch nine players live, beside charts. With --record the rows are kept only where --out names a folder."""
    from sims.window.watching.watch import watch as open_window

    return open_window(target, seed=seed, cohort=cohort, speed=speed, record=record, frames=frames, out=out)


@click.command(cls=Command)
@click.argument("target", metavar="FILE|RUN", type=click.Path(exists=True, path_type=Path))
@click.option("--row", type=NumberRange(0, whole=True), metavar="N", help="The row of this number; the first one is 0.")
@click.option("--player", type=NumberRange(0, whole=True), metavar="N", help="An attempt of this player.")
@click.option("--attempt", type=NumberRange(0, whole=True), metavar="N", help="The attempt of this number.")
@click.option(
    "--replica", type=NumberRange(0, whole=True), metavar="N", help="Of this replica, where a run has several."
)
@click.option("--pick", metavar="TEXT", help='Say it in words: "the closest loss".')
@_speed
@_record
@_frames
def replay(
    target: Path,
    row: int | None,
    player: int | None,
    attempt: int | None,
    replica: int | None,
    pick: str | None,
    speed: float,
    record: Path | None,
    frames: int | None,
) -> int:
    """Show one recorded attempt again and check how it ends."""
    from sims.window.replay import replay as open_window

    return open_window(
        target,
        row=row,
        player=player,
        attempt=attempt,
        replica=replica,
        pick=pick,
        speed=speed,
        record=record,
        frames=frames,
    )
