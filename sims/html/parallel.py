"""Parallel coordinates (Inselberg 1985): an upright axis for each key, and a line across them for each setting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sims.html.axes import WIDTH, length, picture
from sims.html.markup import Markup, tag

_HEIGHT: Final = 240.0
_TOP: Final = 30.0
_BOTTOM: Final = 22.0
_SIDE: Final = 34.0


class UprightAxis(NamedTuple):
    """An axis: its name, and what stands at its lower and upper end."""

    name: str
    low: str
    high: str


class Path(NamedTuple):
    """A line across all axes. places: 0 at the lower end of an axis, 1 at the upper, None where it has no value."""

    places: Sequence[float | None]
    title: str
    colour: str = "quiet"  # a name of the style sheet
    faint: bool = True


def parallel_coordinates(axes: Sequence[UprightAxis], paths: Sequence[Path]) -> Markup:
    """Draw axes, then all lines in their order, so that the last one lies on top. Raises ValueError below two axes."""
    if len(axes) < 2:
        raise ValueError(f"parallel coordinates need two axes or more, got {len(axes)}")
    step = (WIDTH - 2.0 * _SIDE) / (len(axes) - 1)
    across = [_SIDE + step * place for place in range(len(axes))]
    drawn = [part for x, axis in zip(across, axes, strict=True) for part in _axis(x, axis)]
    return picture(_HEIGHT, [*drawn, *(_line(across, path) for path in paths)])


def _axis(x: float, axis: UprightAxis) -> Iterator[Markup]:
    middle = {"x": length(x), "class_": "middle"}
    yield tag("path", d=f"M{length(x)} {length(_TOP)}V{length(_HEIGHT - _BOTTOM)}", class_="axis")
    yield tag("text", axis.name, **{**middle, "class_": "middle name"}, y=length(12.0))
    yield tag("text", axis.high, **middle, y=length(_TOP - 5.0))
    yield tag("text", axis.low, **middle, y=length(_HEIGHT - _BOTTOM + 14.0))


def _line(across: Sequence[float], path: Path) -> Markup:
    """A line, broken where it has no value."""
    words, pen = [], "M"
    for x, place in zip(across, path.places, strict=True):
        if place is None:
            pen = "M"
            continue
        y = _HEIGHT - _BOTTOM - min(max(place, 0.0), 1.0) * (_HEIGHT - _TOP - _BOTTOM)
        words.append(f"{pen}{length(x)} {length(y)}")
        pen = "L"
    style = f"color:var(--{path.colour})" + (";opacity:.4;stroke-width:1" if path.faint else "")
    return tag("path", tag("title", path.title), d="".join(words), class_="line", style=style)
