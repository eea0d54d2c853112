"""Play: a person plays, a controller adapts, and every attempt becomes a row like those of synthetic players.

From the tenth attempt on, the person's skill is estimated, and the win rate of a synthetic twin of that skill. Another
process computes both, so that no frame waits for it and play can begin before anything is compiled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.errors import EnvironmentFault, ScenarioError
from engine.game import Game
from engine.scenario import Scenario, load, parse
from sims.catalog import DEFAULT_CONTROLLER, Catalog
from sims.run_folder.folder import REPORT
from sims.run_folder.names import ATTEMPTS
from sims.terminal import say, show
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
    """The default scenario of `play`: a thousand average players."""
    kind = catalog.controller(controller or DEFAULT_CONTROLLER)
    usual = kind.name if "player" in kind.scopes else DEFAULT_CONTROLLER
    settings = [] if seed is None else [("seed", str(seed))]
    return parse(_TEXT.format(game=game, controller=usual).encode(), f"play {game}", catalog, settings)


def check_wishes(game: Game, catalog: Catalog, controller: str | None) -> None:
    """Raise ScenarioError when a person cannot play the game, or the controller does not exist."""
    reason = "it has no keys or cells" if not game.keys and not CellInput.fits(game) else ""
    if game.pace == "abstract":
        reason = "it is only a formula"
    if reason:
        raise ScenarioError(f"a person cannot play {game.name}: {reason}; use flowdial watch instead.")
    if controller is not None:
        catalog.controller(controller)


def scenario_for_play(
    catalog: Catalog, game: str, controller: str | None, scenario: str | None, seed: int | None
) -> Scenario:
    """Load a scenario, by its path or bundled name; None for that of `play_scenario`.

    Raises ScenarioError when the game, the controller or the scenario does not fit.
    """
    check_wishes(catalog.game_with_rules(game, "a window in which a person plays"), catalog, controller)
    if scenario is None:
        return play_scenario(catalog, game, controller=controller, seed=seed)
    settings = [] if seed is None else [("seed", str(seed))]
    loaded = load(catalog.scenario(scenario), catalog, settings, allow_long=True)
    name = loaded.form.game.name
    if name != game:
        raise ScenarioError(f"--scenario must be one of {game}, got {scenario} of {name}; use flowdial play {name}.")
    return loaded


def play(
    game: str,
    *,
    controller: str | None = None,
    target: float | None = None,
    scenario: str | None = None,
    seed: int | None = None,
    frames: int | None = None,
    size: tuple[int, int] | None = None,
    display: int = 0,
    out: Path | None = None,
) -> int:
    """Open a window in which a person plays a game. Each attempt is saved before the next begins.

    scenario: the path or bundled name of a scenario of this game; None for a thousand average players. seed: None for a
    new one in each session. out: folder of the rows; None for runs/play-<game>-001, -002 ..., the next free number.
    size, display: as in `sims.window.screen.show_scene`.
    """
    catalog = Catalog()
    chosen = scenario_for_play(catalog, game, controller, scenario, seed)
    folder = begin_recording(out, f"play-{game}", chosen)
    if seed is None and out is None:  # every session has its own levels, by the number of its folder
        number = int(folder.name.rpartition("-")[2])
        path = str(folder / "scenario.toml")
        chosen = parse(chosen.resolved_toml().encode(), path, catalog, [("seed", str(chosen.seed + number))])
    scene = PlayScene(chosen, catalog, folder, controller=controller, target=target)
    try:
        show_scene(scene, paint_play, f"Flowdial play: {game}", frames=frames, size=size, display=display)
    except EnvironmentFault:  # no window could be opened
        scene.close()
        discard(folder)
        raise
    except BaseException:
        _keep(scene, folder)
        raise
    _keep(scene, folder)
    return 0


def _keep(scene: PlayScene, folder: Path) -> None:
    """End the session, however the window was closed, and print its results."""
    with Stopping() as stopping:
        stopping.hold()  # a second Ctrl-C must not interrupt the saving
        try:
            scene.close()
            if scene.attempts:
                say("all rows are saved; writing the report ...")
            scene.write_run()
        finally:
            discard(folder)  # if no attempt was played
        _print_results(scene, folder)


def _print_results(scene: PlayScene, folder: Path) -> None:
    given_up = f", {scene.given_up} given up" if scene.given_up else ""
    plural = "" if scene.attempts == 1 else "s"
    show(f"played  {scene.attempts} attempt{plural}, won {scene.wins}{given_up}")
    estimate = scene.estimate
    if estimate is not None:
        words = f"{estimate.skill:+.2f} ({estimate.low:+.2f} to {estimate.high:+.2f}), "
        words += f"better than {percent(estimate.percentile)} "
        words += f"({percent(estimate.percentile_low)} to {percent(estimate.percentile_high)}) of the synthetic players"
        left_out = f"; excludes {scene.given_up} given up" if scene.given_up else ""
        show(f"skill   {words}{left_out}; not fitted to real players yet (uncalibrated)")
    if scene.attempts:
        show(f"rows    {folder / ATTEMPTS}\nreport  {folder / REPORT}")
