"""Charts of a report, as SVG that is put into the page itself.

Colours are names of the page's style sheet, so that one picture is readable on white, on black and on paper. Text
stays text, and the same data give the same bytes: matplotlib is asked for no date and for ids that follow from the
chart's name.
"""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from sims.markup import Markup

# What stands for a colour until the picture is drawn -> the style sheet's name for it.
_COLOURS: Final = {
    "ink": "#010001",
    "quiet": "#010002",
    "rate": "#010003",
    "wanted": "#010004",
    "dial": "#010005",
    "on_part": "#010006",
    **{f"part{j}": f"#0101{j:02x}" for j in range(7)},
}
PARTS: Final = 7  # different colours of a stacked bar
_SIZE: Final = (3.8, 2.3)  # inches: small enough to be read at its own size on a phone
_BAR_WIDTH: Final = 4.2
_MOST_LETTERS: Final = 20  # of a label in a picture
_SETTINGS: Final[Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the layout is the same everywhere
    "font.size": 9.0,
    "text.parse_math": False,  # a word from a scenario is never taken for a formula
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "figure.constrained_layout.use": True,
}
_ONLY_REFERENCED = re.compile(r' id="(?![mp][0-9a-f]{10}")[^"]*"')
_FAMILY = re.compile(r"font-family: [^;\"]*;? ?")


class Point(NamedTuple):
    """One point of a line with its interval."""

    x: float
    y: float
    low: float
    high: float


def line_chart(
    name: str,
    points: Sequence[Point],
    colour: str,
    labels: tuple[str, str],
    span: tuple[float, float],
    band: tuple[float, float] | None = None,
) -> Markup:
    """Draw a line with its interval, over a wanted band if there is one.

    name: unique in the page; labels: of the x and y axes; span: of the y axis.
    """
    with _drawing(name) as figure:
        axes = figure.add_subplot()
        ink = _COLOURS["ink"]
        if band is not None:
            axes.axhspan(*band, color=_COLOURS["wanted"], alpha=0.22, linewidth=0)
            for edge in band:
                axes.axhline(edge, color=_COLOURS["wanted"], linewidth=0.8, linestyle=(0, (4, 3)))
        x = [point.x for point in points]
        shade = _COLOURS[colour]
        axes.fill_between(
            x, [point.low for point in points], [point.high for point in points], color=shade, alpha=0.25, linewidth=0
        )
        marker = "o" if len(points) < 12 else ""
        axes.plot(x, [point.y for point in points], color=shade, linewidth=1.8, marker=marker, markersize=3.5)
        axes.set_ylim(*span)
        axes.set_xlim(min(0.0, *x) if x else 0.0, max(x, default=1.0) * 1.02 or 1.0)
        axes.set_xlabel(labels[0], color=ink)
        axes.set_ylabel(labels[1], color=ink)
        axes.locator_params(axis="y", nbins=5)
        axes.grid(visible=True, axis="y", color=_COLOURS["quiet"], linewidth=0.5, alpha=0.5)
        _paint_axes(axes)
        return _svg(figure)


def stacked_bars(name: str, rows: Sequence[tuple[str, Sequence[float]]], words: Sequence[str]) -> Markup:
    """Draw a horizontal bar of shares per row; words are what the parts mean, at most PARTS of them."""
    with _drawing(name, width=_BAR_WIDTH, height=0.75 + 0.42 * len(rows) + 0.22 * ((len(words) + 1) // 2)) as figure:
        axes = figure.add_subplot()
        start = [0.0] * len(rows)
        places = list(range(len(rows)))[::-1]
        for j, word in enumerate(words):
            shares = [row[1][j] for row in rows]
            axes.barh(places, shares, left=start, height=0.66, color=_COLOURS[f"part{j}"], label=_short(word))
            for place, left, share in zip(places, start, shares, strict=True):
                if share >= 0.09:
                    middle = left + share / 2
                    axes.text(
                        middle, place, f"{share * 100:.0f} %", ha="center", va="center", color=_COLOURS["on_part"]
                    )
            start = [left + share for left, share in zip(start, shares, strict=True)]
        axes.set_xlim(0.0, 1.0)
        axes.set_yticks(places, [_short(row[0]) for row in rows])
        axes.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0", "25", "50", "75", "100 %"])
        _paint_axes(axes)
        ink = _COLOURS["ink"]
        figure.legend(loc="outside lower center", ncols=2, frameon=False, labelcolor=ink, handlelength=1.0)
        return _svg(figure)


def _short(label: str) -> str:
    """A label that leaves room for the bars; the table beside the picture has all of it."""
    return label if len(label) <= _MOST_LETTERS else label[: _MOST_LETTERS - 1] + "…"


def _paint_axes(axes: Any) -> None:
    for spine in axes.spines.values():
        spine.set_color(_COLOURS["quiet"])
    axes.tick_params(color=_COLOURS["quiet"], labelcolor=_COLOURS["ink"], length=3.0)


@contextmanager
def _drawing(name: str, width: float = _SIZE[0], height: float = _SIZE[1]) -> Iterator[Any]:
    """A figure of its own, whatever the user's matplotlib settings are; width and height in inches."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # that a home cannot be written is no news
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        matplotlib.rcParams["svg.hashsalt"] = name
        figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        yield figure


def _svg(figure: Any) -> Markup:
    """Write the figure and take away what the page has itself: header, metadata, fonts, colours, unused ids."""
    sink = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with warnings.catch_warnings():
        # Only the layout needs matplotlib's font; the browser has one for the label's own script.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(sink, format="svg", transparent=True, metadata=nothing)
    text = sink.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    text = re.sub(r"<svg[^>]*viewBox=\"([^\"]*)\"[^>]*>", r'<svg viewBox="\1" aria-hidden="true">', text, count=1)
    text = _FAMILY.sub("", _ONLY_REFERENCED.sub("", text))
    for name, colour in _COLOURS.items():
        text = text.replace(colour, f"var(--{name.replace('_', '-')})")
    return Markup(re.sub(r"\s*\n\s*", "\n", text).strip())
