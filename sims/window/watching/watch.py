"""Watch: nine live sessions beside charts of win rate, difficulty and what the controller thinks of its players.

The world plays each attempt with the kernels of a run when a viewport asks for it. The viewport then shows it by
stepping the plain rules. So rows do not depend on what is shown, paused or skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.errors import ScenarioError
from engine.scenario import Scenario, load
from engine.scenario_file.scenario_faults import suggestion
from sims.catalog import Catalog
from sims.run_folder.folder import REPORT, SCENARIO, has_manifest
from sims.run_folder.names import ATTEMPTS
from sims.run_folder.sound_tables import sound_manifest
from sims.terminal import say, show
from sims.window.recording_folder import begin_recording, discard
from sims.window.screen import show_scene
from sims.window.watching.row_log import RowLog
from sims.window.watching.watch_picture import paint_watch
from sims.window.watching.watch_scene import WatchScene
from sims.window.watching.watched_run import write_watched_run
from sims.workers.signals import Stopping

USUAL_SPEED: Final = 8.0  # the first sessions are soon over, and the charts move


def watch(
    target: str,
    *,
    settings: Sequence[tuple[str, str]] = (),
    cohort: str | None = None,
    speed: float = USUAL_SPEED,
    record: Path | None = None,
    frames: int | None = None,
    size: tuple[int, int] | None = None,
    fps: int | None = None,
    display: int = 0,
    out: Path | None = None,
) -> int:
    """Show a scenario live: its path, its bundled name, or a run folder. Rows are saved when it ends.

    settings: keys of the scenario and their values. cohort: show only its players. speed: 1 is normal, inf as fast as
    possible. out: folder of the rows; None for runs/watch-<name>-001, -002 ..., the next free number. With record but
    without out, no rows are saved. size, fps, display: as in `sims.window.screen.show_scene`.
    """
    catalog = Catalog()
    scenario, name = opened_scenario(catalog, target, settings)
    number = None
    if cohort is not None:
        if cohort not in scenario.cohorts:
            nearest = suggestion(cohort, scenario.cohorts)
            raise ScenarioError(f"--cohort must be one of {', '.join(scenario.cohorts)}, got {cohort!r}{nearest}")
        number = scenario.cohorts.index(cohort)
    scene = WatchScene(scenario, catalog, cohort=number, speed=speed, ends_itself=record is not None)
    kept = None if record is not None and out is None else begin_recording(out, f"watch-{name}", scenario)
    if kept is not None:
        scene.log_rows(RowLog(scene.world, kept / ATTEMPTS))

    def make_ready() -> None:
        scene.make_ready()
        scene.play_ahead()

    scene.wait_for(scene.setup.game.name, make_ready, scene.take_ahead)
    try:
        if scene.pending is not None and (record is not None or frames is not None):
            scene.pending.work.result()  # --frames counts frames of the game, not of the wait
        title = f"Flowdial watch: {name}"
        show_scene(scene, paint_watch, title, record=record, frames=frames, size=size, fps=fps, display=display)
    finally:
        scene.leave()
        if kept is not None:
            keep_rows(scene, kept)
    if record is not None:
        show(f"picture {record}")
    return 0


def opened_scenario(catalog: Catalog, target: str, settings: Sequence[tuple[str, str]]) -> tuple[Scenario, str]:
    """The scenario of a path, a bundled name or a run folder, and a name for its folder. settings: keys and values."""
    folder = Path(target)
    path = folder / SCENARIO if folder.is_dir() else catalog.scenario(target)
    if has_manifest(folder):
        sound_manifest(folder, (SCENARIO,))
    scenario = load(path, catalog, settings, allow_long=True)
    return scenario, folder.resolve().name if folder.is_dir() else path.stem


def keep_rows(scene: WatchScene, folder: Path) -> None:
    """Make a run folder of the rows and print its files; remove a folder without rows, or without a window."""
    with Stopping() as stopping:
        stopping.hold()  # a second Ctrl-C must not interrupt the saving
        if scene.row_log is None or not scene.seconds or not scene.row_log.publish():
            discard(folder)
            return
        say("all rows are saved; writing the report ...")
        switches = [{"attempts": round(mark.x), "controller": mark.words} for mark in scene.marks]
        write_watched_run(folder, scene.scenario, scene.world, switches, scene.seconds)
        found = scene.live_verdict.judge_now()
        for row, word in zip(found.rows, scene.live_verdict.words(), strict=True):
            show(f"{row.cohort}: {word.words}")
        show(f"rows    {folder / ATTEMPTS}\nreport  {folder / REPORT}")
