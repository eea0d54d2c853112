"""Records the frames of a window to a file: a still picture, or motion at any size and rate."""

from __future__ import annotations

import importlib.util
import io
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Final

from engine.errors import EnvironmentFault, ScenarioError
from sims.run_folder.files import write_file
from sims.window.canvas import HEIGHT, WIDTH, load_pygame

STILL: Final = ".png"
MOTION: Final = (".webp", ".gif", ".mp4")
SCENE_FPS: Final = 60  # frames of a scene in a second
USUAL_FPS: Final = 15  # of a recording
_MOTION_SIZE: Final = (960, 540)  # the smallest at which no letter has to grow
_GIF_COLOURS: Final = 256
_SAMPLES: Final = 8  # frames that the palette of a .gif is made of


def size_of(path: Path, size: tuple[int, int] | None) -> tuple[int, int]:
    """The size at which a recording is painted. size: the wanted one, None for the usual one of its kind of file."""
    if size is not None:
        return size
    return (WIDTH, HEIGHT) if path.suffix.lower() == STILL else _MOTION_SIZE


class Recorder:
    """Collects frames and writes them to a file."""

    def __init__(self, path: Path, *, fps: int | None = None) -> None:
        """path: .png keeps the last frame, .webp, .gif and .mp4 the motion. fps: frames a second, None for 15.

        Raises ScenarioError for another file, EnvironmentFault when what writes it is not installed.
        """
        self._path, self._kind = path, path.suffix.lower()
        if self._kind not in (STILL, *MOTION):
            raise ScenarioError(f"--record needs a file that ends in .png, .webp, .gif or .mp4, got {path.name}")
        if self._kind in (".gif", ".webp") and importlib.util.find_spec("PIL") is None:
            raise EnvironmentFault(
                "a .webp or .gif needs the package pillow; install it with: pip install pillow, or record a .png."
            )
        if self._kind == ".mp4" and shutil.which("ffmpeg") is None:
            raise EnvironmentFault("an .mp4 needs the program ffmpeg; install it, or record a .webp.")
        self._fps = USUAL_FPS if fps is None else fps
        self._pygame = load_pygame()
        self._count = 0
        self._last: Any = None
        self._frames: list[bytes] = []
        self._size = (0, 0)

    def take(self, surface: Any) -> None:
        """Keep a frame if it belongs in the file."""
        due = self._count * self._fps // SCENE_FPS != (self._count - 1) * self._fps // SCENE_FPS
        self._count += 1
        self._last = surface
        if self._kind != STILL and due:
            self._size = surface.get_size()
            # Compressed at once: a long recording must fit into memory.
            self._frames.append(zlib.compress(self._pygame.image.tobytes(surface, "RGB"), 1))

    def save(self) -> None:
        """Write the file. Raises OSError on I/O errors, EnvironmentFault when there is no frame or ffmpeg fails."""
        if self._last is None:
            raise EnvironmentFault(f"cannot record {self._path}: no frame was shown; record at least one frame.")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        whole = io.BytesIO()  # so that a full disk leaves no half of a picture
        if self._kind == STILL:
            self._pygame.image.save(self._last, whole, "png")
        elif self._kind == ".webp":
            self._write_images(whole, self._images(), 1, {"quality": 40, "method": 4})
        elif self._kind == ".gif":
            self._write_images(whole, self._in_few_colours(), 10, {"optimize": False, "disposal": 1})
        else:
            self._write_film(whole)
        write_file(self._path, whole.getvalue())

    def _write_images(self, sink: IO[bytes], images: Iterator[Any], unit_ms: int, options: dict[str, Any]) -> None:
        """unit_ms: the times of a file are whole multiples of it."""
        ends = [round(1000 * n / self._fps / unit_ms) * unit_ms for n in range(len(self._frames) + 1)]
        times = [max(end - begin, unit_ms) for begin, end in pairwise(ends)]
        first = next(images)
        first.save(sink, self._kind[1:], save_all=True, append_images=images, duration=times, loop=0, **options)

    def _images(self) -> Iterator[Any]:
        from PIL import Image

        for frame in self._frames:
            yield Image.frombytes("RGB", self._size, zlib.decompress(frame))

    def _in_few_colours(self) -> Iterator[Any]:
        """The frames in one palette, which is that of frames from the whole recording: nothing flickers."""
        from PIL import Image

        every = max(len(self._frames) // _SAMPLES, 1)
        samples = [Image.frombytes("RGB", self._size, zlib.decompress(one)) for one in self._frames[::every]]
        together = Image.new("RGB", (self._size[0], self._size[1] * len(samples)))
        for n, sample in enumerate(samples):
            together.paste(sample, (0, n * self._size[1]))
        palette = together.quantize(_GIF_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        for image in self._images():
            yield image.quantize(palette=palette, dither=Image.Dither.NONE)

    def _write_film(self, sink: IO[bytes]) -> None:
        """Let ffmpeg write an .mp4 that every player shows."""
        with tempfile.TemporaryDirectory() as scratch:
            film = Path(scratch) / "film.mp4"
            words = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
            words += ["-s", f"{self._size[0]}x{self._size[1]}", "-r", str(self._fps), "-i", "-"]
            # Its chroma is stored for pairs of pixels, so both sides must be even.
            words += ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
            with subprocess.Popen(
                [*words, str(film)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            ) as ffmpeg:
                assert ffmpeg.stdin is not None
                assert ffmpeg.stderr is not None
                try:
                    for frame in self._frames:
                        ffmpeg.stdin.write(zlib.decompress(frame))
                    ffmpeg.stdin.close()
                except BrokenPipeError:  # its exit code and its words say why
                    pass
                said = ffmpeg.stderr.read().decode(errors="replace").strip().splitlines()
            if ffmpeg.returncode:
                why = said[-1] if said else f"exit code {ffmpeg.returncode}"
                raise EnvironmentFault(f"ffmpeg could not write {self._path.name}: {why}; record a .webp instead.")
            sink.write(film.read_bytes())
