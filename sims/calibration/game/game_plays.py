"""A file of plays of one of our games: who won at which setting, and what the rules say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from engine.errors import ScenarioError
from engine.game import Game
from sims.calibration.game.game_map import game_map
from sims.calibration.game.play_settings import PlaySettings, setting_readers, settings_of
from sims.calibration.likelihood.win_map import WinMap
from sims.calibration.play_files.play_file import PlayFile
from sims.calibration.play_files.play_table import PlayTable, read_play_table

_LEVEL = "level"


@dataclass(frozen=True, eq=False)
class GamePlays:
    """Plays with their settings.

    Attributes:
        game: that was played.
        table: the file, whose levels are places of the dial.
        settings: how they move.
        win_map: what the rules say.
    """

    game: Game
    table: PlayTable
    settings: PlaySettings
    win_map: WinMap


def read_game_plays(
    file: PlayFile,
    game: Game,
    given: Mapping[str, str],
    *,
    skip_bad: bool,
    keep_ids: bool = False,
    threads: int,
    on_map: Callable[[int, int], None],
) -> GamePlays:
    """Read settings beside wins, and measure the rules at them.

    Args:
        file: the table of texts.
        game: that was played.
        given: role -> column, as --columns says.
        keep_ids: keep the ids of players.
        skip_bad: leave out rows that cannot be read, if they are at most 1 %.
        threads: of the measuring; they change no number.
        on_map: takes how much is measured, and how much there is.

    Raises:
        ScenarioError: as of any file; and where settings are missing, not those of the game, or on no dial.
    """
    readers = setting_readers(game, file.columns)
    # What is played follows from the settings: a name of the level adds nothing.
    columns = {**file.columns, _LEVEL: pa.array(["all"] * file.rows, pa.string())}
    roles = {role: name for role, name in given.items() if role != _LEVEL}
    table = read_play_table(
        replace(file, columns=columns), roles, skip_bad=skip_bad, settings=readers, keep_ids=keep_ids
    )
    if table.plays is None:
        raise ScenarioError(f"--game {game.name} needs a column that says who played; name it with --columns player=.")
    assert table.plays.numbers is not None  # settings were asked for
    settings = settings_of(game, table.plays.extra, table.plays.numbers)
    names, place = settings.places()
    plays = replace(table.plays, levels=names, level=place, dial=settings.dial, extra=(), numbers=None, campaign=False)
    mapped = type(table.mapped)({role: name for role, name in table.mapped.items() if role != _LEVEL})
    found = replace(table, mapped=mapped, plays=plays, retried=np.nan)
    return GamePlays(game, found, settings, game_map(game, settings, threads=threads, on_progress=on_map))
