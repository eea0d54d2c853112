"""Recordings: size, rate and colours of the files, and what is missing on this machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from engine.errors import EnvironmentFault, ScenarioError
from sims.cli.app import main
from sims.window.canvas import Box, load_pygame
from sims.window.recorder import Recorder
from sims.window.screen import Window, show_scene

SECONDS = 2
COLOURS = [(250, 10, 10), (10, 250, 10), (10, 10, 250)]


class Coloured:
    """A scene of three plain colours, one after another."""

    def __init__(self) -> None:
        self.done = False
        self.shown = 0

    def handle(self, event) -> None: ...

    def advance(self, seconds: float) -> None:
        self.shown += 1

    def paint(self, canvas) -> None:
        canvas.clear(COLOURS[self.shown // 40 % 3])
        canvas.rect(Box(0, 0, 640, 360), (200, 200, 200))


def recorded(path: Path, **how) -> Path:
    show_scene(Coloured(), Coloured.paint, "test", record=path, frames=60 * SECONDS, **how)
    return path


@pytest.mark.parametrize("fps", [None, 30, *(pytest.param(one, marks=pytest.mark.thorough) for one in (10, 25, 60))])
@pytest.mark.parametrize("kind", ["webp", "gif"])
def test_a_recording_has_its_size_its_rate_and_its_length(tmp_path, kind, fps):
    with Image.open(recorded(tmp_path / f"a.{kind}", size=(500, 300), fps=fps)) as film:
        assert film.size == (500, 300)
        length, frames = 0, 0
        for frame in ImageSequence.Iterator(film):
            frame.load()
            length, frames = length + frame.info["duration"], frames + 1
    assert length == pytest.approx(1000 * SECONDS, abs=10)
    assert 3 <= frames <= SECONDS * (fps or 15)  # frames that are alike may be put together


def test_the_picture_of_a_recording_is_painted_at_its_size_and_without_one_at_the_usual(tmp_path):
    for name, size, expected in (
        ("a.png", None, (1280, 720)),
        ("b.png", (1920, 1080), (1920, 1080)),
        ("c.webp", None, (960, 540)),
    ):
        with Image.open(recorded(tmp_path / name, size=size)) as picture:
            assert picture.size == expected
            quarter = np.asarray(picture.convert("RGB"), np.int64)[expected[1] // 4, expected[0] // 4]
            assert np.abs(quarter - 200).max() < 8


def test_the_palette_of_a_gif_is_that_of_all_frames(tmp_path):
    with Image.open(recorded(tmp_path / "a.gif", size=(320, 180))) as film:
        seen = set()
        for frame in ImageSequence.Iterator(film):
            seen.add(frame.convert("RGB").getpixel((300, 170)))
    assert seen == set(COLOURS)


def test_a_film_without_ffmpeg_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFault, match=r"an .mp4 needs the program ffmpeg; install it, or record a .webp."):
        Recorder(tmp_path / "a.mp4")
    with pytest.raises(ScenarioError, match=r"ends in .png, .webp, .gif or .mp4, got a.avi"):
        Recorder(tmp_path / "a.avi")


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
@pytest.mark.parametrize("code", [0, 1])
def test_a_film_gets_all_frames_and_a_fault_of_ffmpeg_is_told(tmp_path, monkeypatch, code):
    program = tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/sh\nfor last; do :; done\ncat > "$last"\necho "no such codec" >&2\nexit {code}\n')
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    if code:
        with pytest.raises(EnvironmentFault, match=r"ffmpeg could not write a\.mp4: no such codec; record a \.webp"):
            recorded(tmp_path / "a.mp4", size=(320, 180))
        assert not (tmp_path / "a.mp4").exists()
    else:
        found = recorded(tmp_path / "a.mp4", size=(320, 180), fps=30).read_bytes()
        assert len(found) == 320 * 180 * 3 * 30 * SECONDS
        assert found[-3:] == bytes(COLOURS[2])


def test_a_window_fills_the_display_and_returns_to_its_size():
    with Window("test", hidden=True, size=(640, 400)) as window:
        assert window.canvas.scale == 0.5
        assert window.canvas.place(320, 200) == (640, 360)
        pygame = load_pygame()
        for key, held in ((pygame.K_F11, 0), (pygame.K_RETURN, pygame.KMOD_ALT)):
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, mod=held))
            assert "press" not in [event.kind for event in window.events()], "the scene does not get this key"
            assert window.full == (key == pygame.K_F11)
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_RETURN, mod=0))
        assert "return" in [event.key for event in window.events()]
        assert window.canvas.surface.get_size() == (640, 400)
        window.resize((1280, 1440))
        assert window.canvas.place(0, 360) == (0, 0), "the picture is in the middle"


def test_a_display_that_is_not_there_is_one_sentence():
    with pytest.raises(ScenarioError, match="--display must be one of the displays, from 0, got 7: there is one"):
        Window("test", hidden=True, display=7)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "1920"], "must be a width and a height from 320x180 to 7680x4320, as in 1920x1080, got '1920'."),
        (["--size", "10x10"], "must be a width and a height from 320x180 to 7680x4320, as in 1920x1080, got '10x10'."),
        (["--fps", "30"], "--fps is the rate of a moving picture; add --record FILE with .webp, .gif or .mp4."),
        (["--fps", "30", "--record", "a.png"], "--fps is the rate of a moving picture"),
        (["--against", "constant", "--cohort", "x"], "--against shows all player groups; leave out --cohort."),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(capsys, words, said):
    assert main(["watch", "quickstart", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
