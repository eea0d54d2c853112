"""Golden texts: what a person reads in one situation, kept in one file that can be read and edited.

A text that differs fails with its difference. `pytest --regenerate-goldens` writes all texts as they are now; read the
difference before committing it.
"""

from __future__ import annotations

import difflib

import pytest

from tests.kit.places import GOLDENS


def check_golden(request: pytest.FixtureRequest, name: str, text: str) -> None:
    """Compare a text with its golden file tests/goldens/<name>.txt.

    Args:
        request: pytest's, for its option.
        name: path below tests/goldens without its ending, such as "verdict/all_on_target".
        text: what the product says now.
    """
    path = GOLDENS / f"{name}.txt"
    text = text.rstrip("\n") + "\n"
    if request.config.getoption("--regenerate-goldens"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    assert path.is_file(), f"{path} is missing; record it with pytest --regenerate-goldens, and read it"
    expected = path.read_text(encoding="utf-8")
    difference = difflib.unified_diff(expected.splitlines(), text.splitlines(), str(path.name), "now", lineterm="")
    assert text == expected, "\n".join(difference)
