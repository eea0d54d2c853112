"""The commands that open a window: play, watch, replay. Their scenes are imported only when one of them runs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import click

from sims.cli.options import (
    Command,
    NumberRange,
    UserPath,
    game_name_option,
    game_option,
    one_game,
    pairs_of,
    seed_option,
    set_option,
)

_PICTURES: Final = (".png", ".webp", ".gif", ".mp4")  # as in sims.window.recorder, which help must not import


class _Picture(UserPath):
    """A picture file. Any other file type is refused before an attempt is played or a folder created."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False)

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        path = super().convert(value, parameter, context)
        assert isinstance(path, Path)  # path_type
        if path.suffix.lower() not in _PICTURES:
            self.fail(f"must end in .png, .webp, .gif or .mp4, got {path.name!r}.", parameter, context)
        return path


class _Size(click.ParamType[tuple[int, int]]):
    """Width and height in pixels, as in 1920x1080."""

    name = "size"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        width, cross, height = str(value).lower().partition("x")
        digits = cross and all(side.isascii() and side.isdigit() and len(side) <= 5 for side in (width, height))
        size = (int(width), int(height)) if digits else (0, 0)
        if not all(low <= one <= high for low, one, high in zip(_SMALLEST, size, _LARGEST, strict=True)):
            span = f"{_SMALLEST[0]}x{_SMALLEST[1]} to {_LARGEST[0]}x{_LARGEST[1]}"
            self.fail(f"must be a width and a height from {span}, as in 1920x1080, got {value!r}.", parameter, context)
        return size


_SMALLEST: Final = (320, 180)  # pixels
_LARGEST: Final = (7680, 4320)
_SPEED: Final = NumberRange(0, math.inf, low_open=True)
_speed = click.option(
    "--speed", type=_SPEED, default=1.0, show_default=True, metavar="X", help="Playback speed; 1 is normal."
)
_record = click.option(
    "--record",
    type=_Picture(),
    metavar="FILE",
    help="Record to a .png (last frame), .webp, .gif or .mp4; needs no display.",
)
_frames = click.option("--frames", type=NumberRange(1, whole=True), metavar="N", help="Stop after N frames.")
_size = click.option("--size", type=_Size(), metavar="WxH", help="Size of the window or recording, in pixels.")
_fps = click.option(
    "--fps", type=NumberRange(1, 60, whole=True), metavar="N", help="Frames a second of a recording; 15 if not given."
)
_display = click.option(
    "--display", type=NumberRange(0, 99, whole=True), default=0, metavar="N", help="Number of the display, from 0."
)
_out = click.option("--out", type=UserPath(), metavar="DIR", help="Output folder; must not exist yet.")


def _check_rate(fps: int | None, record: Path | None) -> None:
    """Refuse a rate where nothing moves in a file."""
    if fps is not None and (record is None or record.suffix.lower() == ".png"):
        raise click.UsageError("--fps is the rate of a moving picture; add --record FILE with .webp, .gif or .mp4.")


@click.command(cls=Command)
@click.argument("game", required=False)
@click.option("--controller", metavar="NAME", help="Controller that sets the difficulty.")
@click.option(
    "--target",
    type=NumberRange(0, 1, low_open=True, high_open=True),
    metavar="RATE",
    help="Target win rate, e.g. 0.75.",
)
@click.option("--scenario", metavar="SCENARIO", help="Scenario of this game to play in.")
@seed_option
@click.option(
    "--record",
    type=_Picture(),
    metavar="FILE",
    help="Record a synthetic player to a .png (last frame), .webp, .gif or .mp4.",
)
@_frames
@_size
@_fps
@_display
@_out
@game_name_option
def play(
    game: str | None,
    controller: str | None,
    target: float | None,
    scenario: str | None,
    seed: int | None,
    record: Path | None,
    frames: int | None,
    size: tuple[int, int] | None,
    fps: int | None,
    display: int,
    out: Path | None,
    in_file: str | None,
) -> int:
    """Play a game yourself; a controller adapts it to you.

    Without --controller and --target, those of the scenario are preselected. You can change both on the start screen.
    """
    _check_rate(fps, record)
    chosen = one_game(game, in_file)
    if record is not None:
        if out is not None:
            raise click.UsageError("--out keeps a person's rows, but --record shows a synthetic player; leave one out.")
        from sims.window.playing.demonstration import demonstrate

        return demonstrate(
            chosen,
            record,
            controller=controller,
            target=target,
            scenario=scenario,
            seed=seed,
            frames=frames,
            size=size,
            fps=fps,
        )
    from sims.window.playing.play import play as open_window

    return open_window(
        chosen,
        controller=controller,
        target=target,
        scenario=scenario,
        seed=seed,
        frames=frames,
        out=out,
        size=size,
        display=display,
    )


@click.command(cls=Command)
@click.argument("target", metavar="SCENARIO|RUN")
@click.option(
    "--against",
    metavar="OTHER",
    help="Another scenario, or another controller: two walls with the same players and luck.",
)
@click.option("--cohort", metavar="NAME", help="Show only this player group.")
@seed_option
@set_option
@click.option(
    "--speed",
    type=_SPEED,
    default=8.0,
    show_default=True,
    metavar="X",
    help="Playback speed; 1 is normal, inf as fast as possible.",
)
@_record
@_frames
@_size
@_fps
@_display
@_out
@game_option
def watch(
    target: str,
    against: str | None,
    cohort: str | None,
    seed: int | None,
    settings: tuple[str, ...],
    speed: float,
    record: Path | None,
    frames: int | None,
    size: tuple[int, int] | None,
    fps: int | None,
    display: int,
    out: Path | None,
) -> int:
    """Watch nine players live, beside charts.

    The rows and a report are saved when it ends. With --record they are saved only if --out is given.
    """
    _check_rate(fps, record)
    pairs = pairs_of(settings, seed)
    if against is not None:
        if cohort is not None:
            raise click.UsageError("--against shows all player groups; leave out --cohort.")
        from sims.window.watching.versus import watch_against

        return watch_against(
            target,
            against,
            settings=pairs,
            speed=speed,
            record=record,
            frames=frames,
            size=size,
            fps=fps,
            display=display,
            out=out,
        )
    from sims.window.watching.watch import watch as open_window

    return open_window(
        target,
        settings=pairs,
        cohort=cohort,
        speed=speed,
        record=record,
        frames=frames,
        out=out,
        size=size,
        fps=fps,
        display=display,
    )


@click.command(cls=Command)
@click.argument("target", metavar="FILE|RUN", type=UserPath(exists=True))
@click.option("--row", type=NumberRange(0, whole=True), metavar="N", help="Row number, from 0.")
@click.option("--player", type=NumberRange(0, whole=True), metavar="N", help="Player number.")
@click.option("--attempt", type=NumberRange(0, whole=True), metavar="N", help="Attempt number of this player, from 0.")
@click.option("--replica", type=NumberRange(0, whole=True), metavar="N", help="Repeat number, if there are several.")
@click.option("--pick", metavar="TEXT", help='Choose in words, e.g. "closest loss".')
@_speed
@_record
@_frames
@_size
@_fps
@_display
@game_option
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
    size: tuple[int, int] | None,
    fps: int | None,
    display: int,
) -> int:
    """Replay one recorded attempt and check its end state."""
    _check_rate(fps, record)
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
        size=size,
        fps=fps,
        display=display,
    )
