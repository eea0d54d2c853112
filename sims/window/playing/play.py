"""Play: a person plays, a controller adapts, and every attempt becomes a row like those of synthetic players.

The person's own skill is estimated beside them, from the tenth attempt on, together with a synthetic twin of that
skill. That work is done in another process, so that no frame waits for it and nothing has to be compiled before
somebody can play.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from engine.errors import EnvironmentFault, ScenarioError
from engine.game import Game
from engine.scenario import Scenario, load, parse
from sims.catalog import DEFAULT_CONTROLLER, Catalog
from sims.run_folder.folder import REPORT
from sims.run_folder.names import ATTEMPTS
from sims.window.input import CellInput
from sims.window.panels import percent
from sims.window.playing.play_picture import paint_play
from sims.window.playing.play_scene import PlayScene
from sims.window.recording_folder import begin_recording, discard
from sims.window.screen import show_scene
from sims.workers.signals import Stopping

_TEXT: Final = """
format = 1
title = "{game}"
seed = 20260
[game]
name = "{game}"
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.75
[controller]
name = "{controller}"
[players]
count = 1000
[[cohort]]
name = "players"
share = 1.0
[horizon]
days = 14
attempts_per_player = 400
"""


def play_scenario(catalog: Catalog, game: str, *, controller: str | None = None, seed: int | None = None) -> Scenario:
    """The world in which a person plays when no scenario is named: a thousand average players."""
    kind = catalog.controller(controller or DEFAULT_CONTROLLER)
    usual = kind.name if "player" in kind.scopes else DEFAULT_CONTROLLER
    settings = [] if seed is None else [("seed", str(seed))]
    return parse(_TEXT.format(game=game, controller=usual).encode(), f"play {game}", catalog, settings)


def check_wishes(game: Game, catalog: Catalog, controller: str | None) -> None:
    """Raise ScenarioError when a person cannot play the game, or not like this."""
    if game.pace == "abstract" or (not game.keys and not CellInput.fits(game)):
        raise ScenarioError(f"{game.name} has nothing that a person could do in it; watch it instead.")
    if controller is not None:
        catalog.controller(controller)


def scenario_for_play(
    catalog: Catalog, game: str, controller: str | None, scenario: str | None, seed: int | None
) -> Scenario:
    """The world for these wishes: that of a scenario, a path or a bundled one, or `play_scenario` when it is None.

    Raises ScenarioError when they cannot be met.
    """
    check_wishes(catalog.game(game), catalog, controller)
    if scenario is None:
        return play_scenario(catalog, game, controller=controller, seed=seed)
    settings = [] if seed is None else [("seed", str(seed))]
    found = load(catalog.scenario(scenario), catalog, settings, allow_long=True)
    if found.form.game.name != game:
        raise ScenarioError(f"{scenario} is a scenario of {found.form.game.name}, not of {game}")
    return found


def play(
    game: str,
    *,
    controller: str | None = None,
    target: float | None = None,
    scenario: str | None = None,
    seed: int | None = None,
    frames: int | None = None,
    out: Path | None = None,
) -> int:
    """Let a person play a game, in the world of a scenario if one is named; rows are saved attempt by attempt.

    scenario: a path or a bundled one, of this game; None for a thousand average players. seed: None for another one in
    each sitting. out: folder of the rows, None for runs/play-<game>-001, -002 ... whichever is free.
    """
    catalog = Catalog()
    found = scenario_for_play(catalog, game, controller, scenario, seed)
    folder = begin_recording(out, f"play-{game}", found)
    if seed is None and out is None:  # every sitting has levels of its own, and the folder's number tells which
        number = int(folder.name.rpartition("-")[2])
        path = str(folder / "scenario.toml")
        found = parse(found.resolved_toml().encode(), path, catalog, [("seed", str(found.seed + number))])
    scene = PlayScene(found, catalog, folder, controller=controller, target=target)
    try:
        show_scene(scene, paint_play, f"Flowdial play: {game}", frames=frames)
    except EnvironmentFault:  # there is no window to play in
        scene.close()
        discard(folder)
        raise
    except BaseException:
        _keep(scene, folder)
        raise
    _keep(scene, folder)
    return 0


def _keep(scene: PlayScene, folder: Path) -> None:
    """End the sitting however the window was closed, and say what it left."""
    with Stopping() as stopping:
        stopping.hold()  # a second Ctrl-C must not tear what the first one has ended
        try:
            scene.close()
            if scene.attempts:
                sys.stderr.write("flowdial: all rows are saved; writing the report ...\n")
            scene.write_run()
        finally:
            discard(folder)  # nothing was played
        _tell(scene, folder)


def _tell(scene: PlayScene, folder: Path) -> None:
    given_up = f", {scene.given_up} given up" if scene.given_up else ""
    plural = "" if scene.attempts == 1 else "s"
    sys.stdout.write(f"played  {scene.attempts} attempt{plural}, won {scene.wins}{given_up}\n")
    found = scene.estimate
    if found is not None:
        words = f"{found.skill:+.2f} ({found.low:+.2f} to {found.high:+.2f}), better than {percent(found.percentile)}"
        words += f" ({percent(found.percentile_low)} to {percent(found.percentile_high)}) of the players"
        left_out = f", without the {scene.given_up} given up" if scene.given_up else ""
        sys.stdout.write(f"skill   {words}{left_out}; uncalibrated\n")
    if scene.attempts:
        sys.stdout.write(f"rows    {folder / ATTEMPTS}\nreport  {folder / REPORT}\n")
