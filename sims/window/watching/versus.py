"""Watch a scenario against another one, or against another controller: two walls side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sims.catalog import Catalog
from sims.run_folder.files import file_fault
from sims.run_folder.names import ATTEMPTS
from sims.run_folder.new_folder import new_folder, numbered_folder
from sims.terminal import show
from sims.window.recording_folder import begin_recording
from sims.window.screen import show_scene
from sims.window.watching.paired_worlds import rival_of
from sims.window.watching.row_log import RowLog
from sims.window.watching.versus_picture import paint_versus, points, said_of
from sims.window.watching.versus_scene import VersusScene
from sims.window.watching.watch import USUAL_SPEED, keep_rows, opened_scenario

SIDES: Final = ("left", "right")  # folders of the rows


def watch_against(
    target: str,
    rival: str,
    *,
    settings: Sequence[tuple[str, str]] = (),
    speed: float = USUAL_SPEED,
    record: Path | None = None,
    frames: int | None = None,
    size: tuple[int, int] | None = None,
    fps: int | None = None,
    display: int = 0,
    out: Path | None = None,
) -> int:
    """Show two scenarios live, with the same players and the same luck, and the difference between them.

    rival: a scenario's path or bundled name, or a controller's name. settings: keys of both and their values. out:
    folder of both sides' rows. The others are those of `sims.window.watching.watch.watch`. Raises ScenarioError where
    the two have not the same player groups.
    """
    catalog = Catalog()
    before, name = opened_scenario(catalog, target, settings)
    after = rival_of(before, rival, catalog, settings)
    scene = VersusScene(before, after, catalog, speed=speed, ends_itself=record is not None)
    folders: list[Path] = []
    if record is None or out is not None:
        try:
            named = f"watch-{name}-against-{Path(rival).stem}"
            folder = numbered_folder(Path("runs"), named) if out is None else new_folder(out)
        except OSError as fault:
            raise file_fault(fault) from fault
        for side, one in zip(SIDES, scene.scenes, strict=True):
            folders.append(begin_recording(folder / side, named, one.scenario))
            one.log_rows(RowLog(one.world, folders[-1] / ATTEMPTS))
    scene.wait_for(scene.scenes[0].setup.game.name, scene.make_ready)
    try:
        if scene.pending is not None and (record is not None or frames is not None):
            scene.pending.work.result()  # --frames counts frames of the game, not of the wait
        title = f"Flowdial watch: {name} against {Path(rival).stem}"
        show_scene(scene, paint_versus, title, record=record, frames=frames, size=size, fps=fps, display=display)
    finally:
        scene.leave()
        for one, kept in zip(scene.scenes, folders, strict=False):
            keep_rows(one, kept)
        if folders and not any(kept.exists() for kept in folders):
            folders[0].parent.rmdir()
    for change in scene.paired.changes[:1]:
        found = change.difference
        margin = f"{points(found.low)} to {points(found.high)}"
        show(f"win rate, right − left: {points(found.value)} points ({margin}): {said_of(change)[0]}")
    if record is not None:
        show(f"picture {record}")
    return 0
