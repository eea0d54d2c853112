"""What every command prints with: messages, shell quoting, aligned columns and progress meters."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

OnProgress = Callable[[int, int], None]  # takes what is done and what there is in all
OnMessage = Callable[[str], None]  # takes one sentence


def no_progress(done: int, total: int) -> None:
    """Show nothing."""


def no_message(sentence: str) -> None:
    """Say nothing."""


def say(message: str) -> None:
    """Print a message on stderr; a stderr that is closed or full is no reason to fail."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"flowdial: {message}\n")


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


def meter(quiet: bool) -> Callable[[int, int], None]:
    """Takes attempts done and attempts in all; shows them where stderr is a terminal, unless quiet."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return lambda done, all_: None
    began = time.monotonic()

    def show(done: int, all_: int) -> None:
        left = (time.monotonic() - began) * (all_ - done) / max(done, 1)
        end = "\n" if done >= all_ else ""
        sys.stderr.write(f"\r{done / max(all_, 1):4.0%}  {done:,} attempts, about {left:.0f} s left   {end}")
        sys.stderr.flush()

    return show


def teller(quiet: bool) -> Callable[[str], None]:
    """Takes sentences of how far something is, and says one now and then once it takes long."""
    due = time.monotonic() + _LONG_S

    def tell(sentence: str) -> None:
        nonlocal due
        now = time.monotonic()
        if not quiet and sys.stderr is not None and now >= due:
            due = now + _PAUSE_S
            sys.stderr.write(f"flowdial: {sentence}\n")

    return tell
