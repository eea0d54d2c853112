"""The window itself: what it starts, what it says when it cannot open, what it paints, and real keys."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest

from engine.errors import EnvironmentFault
from engine.game import LOST, TIMED_OUT, WON, Shape
from sims.catalog import Catalog
from sims.playback.row_choice import choose_row
from sims.window import canvas, screen
from sims.window.canvas import HEIGHT, WIDTH, Box
from sims.window.palette import blend
from sims.window.panels import outcome_sign
from sims.window.playing.demonstration import Demonstration
from sims.window.playing.play_menu import READY_S, PlayMenu
from sims.window.playing.play_scene import PlayScene
from sims.window.recorder import Recorder
from sims.window.recording_folder import begin_recording
from sims.window.replay import ReplayScene
from sims.window.screen import FRAME_S, Window
from sims.window.watching.watch_scene import WatchScene
from tests.kit.places import PICTURES, ROOT
from tests.kit.small import TEXT, scenario
from tests.kit.window import GAMES, Screen, frames, installed, rows_of, small_run, until

MEAN_DIFFERENCE = 1.5  # of 255, over all pixels and colours: letters may be drawn a little differently
FAR_OFF = 0.01  # share of pixels that may differ by more than 40 in a colour


@pytest.fixture
def painted():
    with Window("test", hidden=True) as window:
        yield Screen(window)


def in_a_fresh_interpreter(code: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **{name: value for name, value in changes.items() if value is not None}}
    for name in [name for name, value in changes.items() if value is None]:
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_only_display_and_font_are_started_and_stderr_stays_silent():
    done = in_a_fresh_interpreter(
        "from sims.window.screen import Window\n"
        "with Window('x', hidden=True):\n"
        "    import pygame\n"
        "    assert pygame.display.get_init() and pygame.font.get_init()\n"
        "    assert pygame.mixer.get_init() is None and not pygame.joystick.get_init()\n",
        PYGAME_HIDE_SUPPORT_PROMPT=None,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
def test_without_a_display_there_is_one_clear_line():
    code = "from sims.window.screen import Window\nfrom engine.errors import EnvironmentFault\ntry:\n    Window('x')\n"
    code += "except EnvironmentFault as fault:\n    print(fault, fault.exit_code)"
    done = in_a_fresh_interpreter(code, DISPLAY=None, WAYLAND_DISPLAY=None, SDL_VIDEODRIVER=None)
    assert done.stdout == "cannot open a window: no display found; use --record FILE, which needs none. 5\n"
    assert done.stderr == ""
    for x11, wayland, driver in ((":98765", None, "x11"), (":98765", None, None), (None, "nowhere", None)):
        done = in_a_fresh_interpreter(code, DISPLAY=x11, WAYLAND_DISPLAY=wayland, SDL_VIDEODRIVER=driver)
        assert done.stdout.startswith("cannot open a window: no display found; use --record FILE"), (x11, wayland)
        assert done.stdout.count("\n") == 1


def test_pygame_beside_pygame_ce_gives_the_repair(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: object())
    canvas._both_installed.cache_clear()
    with pytest.raises(EnvironmentFault, match="pip uninstall -y pygame pygame-ce && pip install pygame-ce"):
        canvas.load_pygame()
    canvas._both_installed.cache_clear()


@pytest.mark.parametrize("name", ["motion.webp", "motion.gif"])
def test_motion_without_pillow_is_one_sentence_before_anything_is_shown(tmp_path, monkeypatch, name):
    canvas.load_pygame()  # it looks for packages too
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentFault, match="needs the package pillow; install it with: pip install pillow"):
        Recorder(tmp_path / name)
    Recorder(tmp_path / "frame.png")


class Restless:
    """A scene that sends a signal to its own process in each of its frames."""

    done = False

    def __init__(self, number: int) -> None:
        self.number = number
        self.painted = 0

    def handle(self, event) -> None: ...

    def advance(self, seconds: float) -> None:
        signal.raise_signal(self.number)  # in this thread, so that two of them are two

    def paint(self, canvas) -> None:
        self.painted += 1


@pytest.mark.parametrize(("number", "fault"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_ends_a_scene_after_its_frame_and_the_recording_is_kept(tmp_path, number, fault):
    before = signal.getsignal(number)
    scene = Restless(number)
    with pytest.raises(fault):
        screen.show_scene(scene, Restless.paint, "test", record=tmp_path / "a.png")
    assert scene.painted == 1
    assert (tmp_path / "a.png").exists()
    assert signal.getsignal(number) is before


def test_a_second_signal_does_not_wait_for_the_frame(tmp_path):
    class Stuck(Restless):
        def advance(self, seconds: float) -> None:
            super().advance(seconds)
            super().advance(seconds)

    scene = Stuck(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        screen.show_scene(scene, Restless.paint, "test", record=tmp_path / "a.png")
    assert scene.painted == 0


def test_shapes_stand_where_their_game_puts_them(painted):
    painted.canvas.clear((0, 0, 0))
    box = Box(100, 100, 400, 200)
    shapes = [
        Shape("rect", 0.0, 0.0, 0.25, 0.5, "far"),
        Shape("circle", 0.75, 0.75, 0.1, 0.1, "goal"),
        Shape("triangle", 0.5, 0.0, 0.2, 0.4, "danger"),
        Shape("rect", 0.9, 0.9, 0.5, 0.5, "good"),
        Shape("rect", 0.4, 0.8, 0.0, 0.1, "good"),
    ]
    painted.canvas.shapes(shapes, box)
    surface = painted.canvas.surface
    assert surface.get_at((110, 290))[:3] == (42, 62, 81)
    assert surface.get_at((110, 190))[:3] == (0, 0, 0)
    assert surface.get_at((400, 150))[:3] == (240, 228, 66)
    assert surface.get_at((340, 280))[:3] == (226, 99, 28)
    assert surface.get_at((305, 230))[:3] == (0, 0, 0)
    assert surface.get_at((510, 95))[:3] == (0, 0, 0), "nothing is painted outside the box"
    assert surface.get_at((260, 130))[:3] == (0, 0, 0), "an empty bar is no line"


def test_a_win_looks_like_no_loss_and_like_no_heart_of_a_game_whatever_the_colours(painted):
    def pixels(paint):
        painted.canvas.clear((0, 0, 0))
        paint()
        return {(x, y) for x in range(30) for y in range(30) if any(painted.canvas.surface.get_at((x, y))[:3])}

    won, lost, stopped = (
        pixels(lambda end=end: outcome_sign(painted.canvas, 15, 15, end)) for end in (WON, LOST, TIMED_OUT)
    )
    heart = pixels(lambda: painted.canvas.circle(15, 15, 4, (36, 181, 137)))
    assert lost == stopped
    for other in (lost, heart):
        assert len(won ^ other) > len(won & other) > 0


def never(*words):
    raise AssertionError("a random number was drawn while painting")


@pytest.mark.parametrize("game", GAMES)
def test_the_wall_is_painted_without_a_random_number(painted, monkeypatch, game):
    scene = WatchScene(scenario(installed(game), "kalman", players=12, attempts=8), Catalog(), speed=16.0)
    until(
        scene, lambda: any(viewport.ended for viewport in scene.viewports) and not all(p.ended for p in scene.viewports)
    )
    monkeypatch.setattr("engine.randomness.philox", never)
    painted.paint(scene)
    for viewport in range(len(scene.viewports)):
        scene.large = viewport
        painted.paint(scene)


@pytest.mark.parametrize("game", GAMES)
def test_a_replay_is_painted_without_a_random_number(painted, tmp_path, monkeypatch, game):
    scene = ReplayScene(choose_row(small_run(tmp_path, game), row=1))
    moments = [*np.linspace(0.0, 0.9, 4) * int(scene.row.cells["ticks"]), float(scene.row.game.max_ticks)]
    for moment in (*moments, 2.5):
        scene.go_to(moment)
        with monkeypatch.context() as forbidden:
            forbidden.setattr("engine.randomness.philox", never)
            painted.paint(scene)


def at_stage(scene, stage):
    return scene.stage == stage


@pytest.mark.parametrize("game", GAMES)
def test_playing_is_painted_without_a_random_number(painted, tmp_path, monkeypatch, game):
    found = scenario(installed(game), "kalman")
    scene = Demonstration(found, Catalog(), begin_recording(tmp_path / "sitting", "x", found))
    monkeypatch.setattr(scene._skill, "tell", lambda values, won: None)
    for stage in ("start", "playing", "ending", "card"):
        until(scene, partial(at_stage, scene, stage))
        frames(scene, 5)
        assert scene._opening is not None
        scene._opening.result()  # plays for nothing, in a thread, and draws
        with monkeypatch.context() as forbidden:
            forbidden.setattr("engine.randomness.philox", never)
            painted.paint(scene)
            scene.menu = PlayMenu()
            painted.paint(scene)
            scene.menu = None
            scene.ready_s = READY_S
            painted.paint(scene)
            scene.ready_s = 0.0
    scene.close()


def test_painting_writes_no_state(painted):
    watched = WatchScene(scenario("gap_runner", "kalman", players=12, attempts=8), Catalog(), speed=4.0)
    frames(watched, 120)

    def everything():
        states = [viewport.stepper.state for viewport in watched.viewports if viewport.stepper is not None]
        return watched.world.rows().tobytes(), states, watched.rolling_rate.attempts

    before = everything()
    painted.paint(watched)
    watched.large = 3
    painted.paint(watched)
    assert before == everything()


def test_a_movement_is_smooth_and_what_does_not_match_stays():
    a, b = Shape("rect", 0.1, 0.2, 0.1, 0.1, "player"), Shape("rect", 0.2, 0.2, 0.3, 0.1, "player")
    assert blend([a], [b], 0.5)[0].x == pytest.approx(0.15)
    assert blend([a], [b, b], 0.5) == [a]
    assert blend([a], [b._replace(kind="circle")], 0.5) == [a]
    assert blend([a], [b._replace(x=0.9)], 0.5) == [a], "what is far away is another thing"
    assert blend([a], [b], 1.0) == [b]


def test_letters_are_painted_once_and_their_memory_is_bounded(painted):
    for n in range(4000):
        painted.canvas.text(str(n), 0, 0, 17)
    assert len(painted.canvas._texts) <= 1500


@pytest.mark.parametrize("name", ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"])
def test_the_letters_come_with_the_window_and_have_every_character_that_is_shown(painted, name):
    folder = ROOT / "sims" / "window" / "fonts"
    font = painted.canvas._pygame.font.Font(folder / name, 20)
    texts = [path.read_text(encoding="utf-8") for path in [*ROOT.glob("sims/**/*.py"), *ROOT.glob("games/*.py")]]
    shown = {letter for text in texts for letter in text if letter.isprintable()} | set("ÄÖÜäöüßéèçñøåłšžαβμ♥✓✗±×–·…")

    def drawn(letter):
        return painted.canvas._pygame.image.tobytes(font.render(letter, True, "white"), "RGBA")

    missing = drawn("漢")  # the box that stands for a letter that a font lacks
    assert [letter for letter in sorted(shown - {"漢"}) if drawn(letter) == missing] == []
    assert drawn("字") == missing
    assert (folder / "LICENSE").read_text(encoding="utf-8").startswith("Fonts are (c) Bitstream")


# --- Frames as they were looked at ----------------------------------------------------------------------------------


def compare(pixels: np.ndarray, name: str) -> None:
    """Compare with the committed frame, at half its size; FLOWDIAL_WRITE_PICTURES=1 writes the frames anew."""
    from PIL import Image

    small = Image.fromarray(pixels).resize((640, 360), Image.Resampling.BOX)
    path = PICTURES / f"{name}.png"
    if os.environ.get("FLOWDIAL_WRITE_PICTURES"):
        small.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    with Image.open(path) as found:
        expected = np.asarray(found.convert("RGB"), np.int64)
    apart = np.abs(np.asarray(small, np.int64) - expected)
    assert apart.mean() < MEAN_DIFFERENCE, name
    assert (apart.max(axis=2) > 40).mean() < FAR_OFF, name


@pytest.mark.parametrize("game", GAMES)
def test_a_replay_looks_as_it_was_looked_at(painted, tmp_path, game):
    scene = ReplayScene(choose_row(small_run(tmp_path, game), row=1))
    scene.go_to(400.0 if game == "gap_runner" else 4.0)
    scene.playing = False
    compare(painted.paint(scene), f"replay_{game}")


def test_the_wall_looks_as_it_was_looked_at(painted):
    scene = WatchScene(scenario("gap_runner", "kalman", players=12, attempts=40), Catalog(), speed=4.0)
    for _ in range(150):  # as in scene.advance, but no clock decides how much is shown
        for number in range(9):
            scene._serve(number)
            scene.viewports[number].play(8 * FRAME_S)
            scene._count_if_ended(scene.viewports[number])
    compare(painted.paint(scene), "watch")


def test_the_start_screen_looks_as_it_was_looked_at(painted, tmp_path):
    scene = PlayScene(scenario("gap_runner", "kalman"), Catalog(), tmp_path)
    scene.kinds = tuple(kind for kind in scene.kinds if kind.name in ("constant", "kalman"))
    scene.kind_at = 1
    frames(scene, 200)
    compare(painted.paint(scene), "play")
    scene.close()


def test_every_picture_of_the_docs_is_linked_and_small():
    """Both ways: no picture that nobody sees, and no link to a picture that is not there."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    linked = set()
    for page in pages:
        for target in re.findall(r"\]\(([^)]+\.(?:png|webp|gif))\)", page.read_text(encoding="utf-8")):
            linked.add((page.parent / target).resolve())
    found = set((ROOT / "docs" / "pictures").iterdir())
    assert linked == {path.resolve() for path in found}
    assert all(path.stat().st_size < 300_000 for path in found)


# --- A real window ---------------------------------------------------------------------------------------------------


@pytest.fixture
def size():
    """The picture's own size; a test may ask for a smaller display."""
    return WIDTH, HEIGHT


@pytest.fixture
def server(size):
    """A bare X server."""
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    words = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten", "tcp"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield f":{process.stdout.readline().strip()}"
        process.terminate()


WATCH = """
import sys
from pathlib import Path
from sims.window.watching import watch
paint = watch.paint_watch
def told(scene, canvas):
    paint(scene, canvas)
    if scene.pending is None:  # everything is compiled
        print("shown", flush=True)
        watch.paint_watch = paint
watch.paint_watch = told
sys.exit(watch.watch({path!r}, out=Path({out!r})))
"""


def do(display: str, *words: str) -> None:
    subprocess.run(["xdotool", *words], env={**os.environ, "DISPLAY": display}, check=True, capture_output=True)
    time.sleep(0.3)


@pytest.mark.parametrize(
    ("ending", "size"), [("escape", (WIDTH, HEIGHT)), ("interrupt", (WIDTH, HEIGHT)), ("escape", (800, 600))]
)
def test_real_keys_in_a_real_window(server, tmp_path, ending, size):
    path, out = tmp_path / "small.toml", tmp_path / "out"
    path.write_text(TEXT.format(game=installed("gap_runner"), controller="kalman", players=12, attempts=30))
    code = WATCH.format(path=str(path), out=str(out))
    environment = {**os.environ, "DISPLAY": server, "SDL_VIDEODRIVER": "x11"}
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "shown\n"
        time.sleep(1.0)
        at = (str(400 * size[0] // WIDTH), str(300 * size[0] // WIDTH))
        do(server, "mousemove", *at, "click", "1")  # the middle place is enlarged
        do(server, "key", "Up", "Up", "Up", "Up", "Up", "Up")
        time.sleep(2.0)
        if ending == "escape":
            do(server, "key", "Escape")
            assert process.poll() is None, "the first Escape only gives the wall back"
            do(server, "key", "Escape")
            assert process.wait(20) == 0
        else:
            process.send_signal(signal.SIGINT)
            process.wait(20)
    assert len(rows_of(out / "attempts.csv")) > 50, "the keys for more speed arrived"
