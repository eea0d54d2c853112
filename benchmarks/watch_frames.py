"""Measure the wall without a screen: `python -m benchmarks.watch_frames` prints frame times and growth of memory.

A frame is all of it: step nine live players, draw, paint the charts, flip, at 1920 x 1080 under SDL's dummy driver.
"""

from __future__ import annotations

import argparse
import gc
import resource
import statistics
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Final

from engine.scenario import parse
from sims.catalog import Catalog
from sims.window.screen import FRAME_S, Window
from sims.window.watching.watch_picture import paint_watch
from sims.window.watching.watch_scene import WatchScene

FLOOR_MS: Final = 8.0
SLOW_FLOOR_MS: Final = 16.0  # of 99 % of the frames
SIZE: Final = (1920, 1080)
GROWTH_FLOOR: Final = 2.0  # MB over the second half of the frames, rows left out
MEGABYTE: Final = 1e6
TEXT: Final = """
format = 1
title = "nine live players"
seed = 3
[game]
name = "{game}"
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.75
[controller]
name = "kalman"
[players]
count = 200
[[cohort]]
name = "players"
share = 1.0
[horizon]
days = 30
attempts_per_player = 400
"""


def frame_ms(scene: WatchScene, window: Window) -> float:
    began = time.perf_counter()
    for event in window.events():
        scene.handle(event)
    scene.advance(FRAME_S)
    paint_watch(scene, window.canvas)
    window.flip()
    return (time.perf_counter() - began) * 1000.0


def scene_of(game: str, speed: float) -> WatchScene:
    catalog = Catalog()
    return WatchScene(parse(TEXT.format(game=game).encode(), game, catalog), catalog, speed=speed)


def frame_times(game: str, speed: float, frames: int) -> list[float]:
    """Milliseconds of each frame, after a second to warm up."""
    with Window("frames", hidden=True, size=SIZE) as window:
        scene = scene_of(game, speed)
        for _ in range(60):
            frame_ms(scene, window)
        return [frame_ms(scene, window) for _ in range(frames)]


def growth_mb(frames: int) -> tuple[float, float]:
    """What Python's own memory and the whole process grew by over the second half of so many frames, in MB."""
    with Window("memory", hidden=True, size=SIZE) as window:
        scene = scene_of("gap_runner", 1.0)
        marks = []
        tracemalloc.start()
        for n in range(frames):
            frame_ms(scene, window)
            if n in (frames // 2, frames - 1):
                gc.collect()
                marks.append((tracemalloc.get_traced_memory()[0], resident_bytes()))
        tracemalloc.stop()
    (traced, whole), (traced_after, whole_after) = marks
    return (traced_after - traced) / MEGABYTE, (whole_after - whole) / MEGABYTE


def resident_bytes() -> int:
    """Memory that the process holds now; its peak where the system does not tell."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=600, help="of each measurement of time")
    parser.add_argument("--memory", type=int, default=10_000, help="frames of the measurement of memory; 0 for none")
    options = parser.parse_args()
    missed = 0
    for game in ("gap_runner", "tile_match", "boss_duel"):
        for speed in (1.0, 8.0):
            times = sorted(frame_times(game, speed, options.frames))
            median, slow = statistics.median(times), times[int(0.99 * len(times))]
            missed += median > FLOOR_MS or slow > SLOW_FLOOR_MS
            floors = f"(floors {FLOOR_MS:g} and {SLOW_FLOOR_MS:g} ms)"
            print(f"{game:11} {speed:2.0f}x  median {median:5.2f} ms  99 %: {slow:5.2f} ms  {floors}")
    if options.memory:
        traced, whole = growth_mb(options.memory)
        missed += traced > GROWTH_FLOOR
        print(f"memory over the last {options.memory // 2:,} frames: Python {traced:+.2f} MB, process {whole:+.2f} MB")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
