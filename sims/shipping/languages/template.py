"""Templates: what is the same in the files of all rules, with places for what differs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Final

import numpy as np

from sims.shipping.shipped_rule import ShippedRule

_WIDTH: Final = 110


def filled(name: str, **parts: str) -> str:
    """A template with its places, such as @FLOOR@, filled.

    Args:
        name: of the template's file.
        parts: text for each place.
    """
    text = _file(name)
    for place, part in parts.items():
        text = text.replace(f"@{place}@", part)
    return text


def words_of(language: str, kind: str) -> frozenset[str]:
    """Words of a language that are no names, or names that its file takes.

    Args:
        language: as it is typed after --to.
        kind: words or taken.
    """
    for line in _file("words.txt").splitlines():
        if line.startswith(f"{language} {kind} "):
            return frozenset(line.split()[2:])
    raise KeyError(language)


def _file(name: str) -> str:
    return resources.files("sims.shipping.languages").joinpath("templates", name).read_text(encoding="utf-8")


def file_header(shipped: ShippedRule, mark: str) -> str:
    """What the file is and where it comes from, as comments."""
    said = [
        f"The controller {shipped.controller} of the scenario {shipped.scenario} (fingerprint {shipped.digest}), "
        f"for the game {shipped.game}.",
        f"Made by Flowdial {shipped.version} with `flowdial export-controller`. Change the scenario and export again "
        "rather than change the numbers here.",
        "README.md shows how to use it, vectors.json holds the numbers that must come out.",
    ]
    return "\n".join(f"{mark}{line}" for text in said for line in textwrap.wrap(text, _WIDTH))


def numbers_of(values: Iterable[float], infinity: str) -> list[str]:
    """Doubles with all digits that tell them from their neighbours.

    Args:
        values: numbers, some of them infinite.
        infinity: the language's word for it.
    """
    signs = {"inf": infinity, "-inf": f"-{infinity}"}
    return [signs.get(repr(value), repr(value)) for value in np.asarray(values, dtype=np.float64).tolist()]


def spread(numbers: Iterable[str], indent: str = "    ", end: str = "") -> str:
    """Numbers with commas between them, in lines where they do not fit into one."""
    lines = [""]
    for number in numbers:
        if len(lines[-1]) + len(number) > _WIDTH:
            lines.append("")
        lines[-1] += f"{number}, "
    lines[-1] = lines[-1].removesuffix(", ")
    return lines[0] if len(lines) == 1 else "\n" + "\n".join(f"{indent}{line.rstrip()}" for line in lines) + f"\n{end}"


def list_text(items: Sequence[str], indent: str, end: str) -> str:
    """A list with an item in each line."""
    return "[\n" + "".join(f"{indent}{item},\n" for item in items) + f"{end}]"
