"""What every command prints with: messages, shell quoting, aligned columns and progress meters."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

OnProgress = Callable[[int, int], None]  # takes what is done and what there is in all
OnMessage = Callable[[str], None]  # takes one sentence


def no_progress(done: int, total: int) -> None:
    """Show nothing."""


def no_message(sentence: str) -> None:
    """Say nothing."""


def say(message: str) -> None:
    """Print a message of one line on stderr; a stderr that is closed or full is no reason to fail."""
    from engine.scenario_file.scenario_faults import printable  # help must not need the engine

    show_error(f"flowdial: {printable(message)}")


def show_error(text: str) -> None:
    """Print text on stderr, see `say`. It may have several lines."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"{harmless(text)}\n")


def show(text: object, end: str = "\n", *, stream: IO[str] | None = None) -> None:
    """Print a result: the one way from texts of others, such as names of folders, to a terminal.

    A program that reads the result gets it as it is. stream: None for stdout. Raises OSError where that is closed or
    full.
    """
    place = sys.stdout if stream is None else stream
    words = f"{text}{end}"
    place.write(harmless(words) if place.isatty() else words)


def harmless(text: str) -> str:
    """Text that cannot control a terminal: all unprintable characters but line ends and tabs are escaped."""
    if text.isprintable():
        return text
    from engine.scenario_file.scenario_faults import printable

    return "".join(mark if mark in "\n\t" else printable(mark) for mark in text)


def is_lively(stream: IO[str] | None) -> bool:
    """Whether a stream is a terminal that can draw over its last line: not one without a name, nor a dumb one."""
    if stream is None or not stream.isatty():
        return False
    return os.name == "nt" or os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def print_utf8(text: str) -> None:
    """Print what another command reads: as UTF-8, whatever the locale, unless a terminal shows it."""
    if sys.stdout.isatty() or not hasattr(sys.stdout, "buffer"):
        sys.stdout.write(text)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())


def quoted(path: Path) -> str:
    """A path as it can be typed into a shell."""
    import shlex

    return str(path) if os.name == "nt" else shlex.quote(str(path))


def aligned(rows: Sequence[Sequence[object]], indent: str = "  ") -> str:
    """Rows as columns of text, two spaces apart."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in texts) for i in range(len(texts[0]))] if texts else []
    return "\n".join(
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts
    )


def json_text(content: Mapping[str, Any]) -> str:
    """A result as --json prints it, with an end of line. Unknown numbers (NaN) become null."""
    import json

    return json.dumps(_without_nan(content), indent=1, allow_nan=False) + "\n"


def _without_nan(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and math.isnan(content) else content


_LONG_S: Final = 2.0  # a longer wait is explained
_PAUSE_S: Final = 10.0
_USUAL_PER_S: Final = 30_000  # attempts of a core with a controller: few of gap_runner, many of logistic


class Forecast:
    """How long something will take, by how long its parts took. The first part tells nothing: it may compile."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None  # when a part was done for the first time, and how much then

    def left_s(self, done: int, total: int) -> float | None:
        """Seconds until all is done.

        Args:
            done: how much is done.
            total: how much there is.

        Returns:
            The seconds; None before anything could be measured.
        """
        now = time.monotonic()
        if self._first is None:
            self._first = (now, done) if done else None
            return None
        began, before = self._first
        return (now - began) * (total - done) / (done - before) if done > before else None


def announce(attempts: int, workers: int, on_message: OnMessage) -> None:
    """Say before attempts are played how many there are, and about how long that takes; nothing where it is short.

    Args:
        attempts: at most so many.
        workers: processes or threads that play them.
        on_message: takes the sentence.
    """
    seconds = attempts / (_USUAL_PER_S * max(workers, 1))
    if seconds >= _LONG_S:
        on_message(
            f"at most {attempts:,} attempts are to be played: {duration(seconds)} at {_USUAL_PER_S:,} a second, "
            "which is usual for a core."
        )


def duration(seconds: float) -> str:
    """A time in words: seconds, minutes or hours, as exactly as a forecast is worth."""
    for unit, size in (("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"about {seconds / size:.0f} {unit}"
    return f"about {max(seconds, 1.0):.0f} s"


def meter(quiet: bool) -> Callable[[int, int], None]:
    """Takes attempts done and attempts in all; shows them where stderr is a terminal, unless quiet.

    Elsewhere it says once, near the beginning, how long it will take.
    """
    if quiet or sys.stderr is None:
        return lambda done, all_: None
    forecast, said = Forecast(), False
    on_terminal = is_lively(sys.stderr)

    def show(done: int, all_: int) -> None:
        nonlocal said
        left = forecast.left_s(done, all_)
        if on_terminal:
            end = "\n" if done >= all_ else ""
            words = "" if left is None else f", {duration(left)} left"
            sys.stderr.write(f"\r{done / max(all_, 1):4.0%}  {done:,} attempts{words}   {end}")
            sys.stderr.flush()
        elif left is not None and not said and (left >= _LONG_S or done >= all_):
            said = True
            if done < all_:
                say(f"at most {all_:,} attempts are played, which takes {duration(left)}.")

    return show


class Reminder:
    """When to say again how far something is: once it takes long, and then now and then."""

    def __init__(self) -> None:
        self._due = time.monotonic() + _LONG_S

    def is_due(self) -> bool:
        """Whether it is time for a sentence, which is then counted as said."""
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + _PAUSE_S
        return True
