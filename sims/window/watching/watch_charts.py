"""The charts of watch: what each player group wins against its band, its difficulty, and what is believed of it.

The win rate is that of the verdict: all judged attempts so far, with the margin that `run` would give the same
attempts. So line, word and sign agree. The axis shows the band and 15 points on both sides; a strip beside it shows
where that lies between 0 and 100 %. The mouse reads values off all charts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from sims.window.canvas import Box, Canvas
from sims.window.palette import CARD, GREEN, INK, LINE, ORANGE, PURPLE, QUIET, RAISED, SKY, VERMILLION, YELLOW, Colour
from sims.window.panels import SMALL, Chart, Dot, Span, percent, shorten
from sims.window.watching.live_verdict import GroupSign, GroupWord

if TYPE_CHECKING:
    from sims.window.watching.watch_scene import WatchScene

STRIPS: Final = 4  # groups that have a strip; more strips would be unreadable
GROUP_COLOURS: Final[tuple[Colour, ...]] = (SKY, ORANGE, PURPLE, YELLOW)
SIGN_COLOURS: Final[dict[GroupSign, Colour]] = {
    "on target": GREEN,
    "too hard": VERMILLION,
    "too easy": YELLOW,
    "off": VERMILLION,
    "not sure": QUIET,
}
_NOTE: Final = 13  # font size of axes and notes
_HEAD: Final = 38
_FOOT: Final = 42
_LEFT: Final = 48
_RIGHT: Final = 16
_NAMES: Final = 66  # for the names at the ends of lines
_AROUND: Final = 0.15  # of the win rate, shown on both sides of the band
_INSET: Final = 10.0  # width of the strip from 0 to 100 %
_BEFORE: Final = 0.5  # of the attempts since a switch, shown before it
_FIRST_SPAN: Final = 20.0  # attempts; with a shorter axis, lines would jump
_RATE_SHARE: Final = 0.56  # of the height, for the win rates of several groups
_NAME_STEP: Final = 15.0  # between two names at the ends of lines


class Plot(NamedTuple):
    """A chart that the mouse reads: its area, and what its lines say."""

    area: Box
    lines: tuple[tuple[str, Sequence[Dot]], ...]  # name and points
    as_percent: bool


def paint_charts(scene: WatchScene, canvas: Canvas, side: Box, gap: float) -> None:
    """Paint all three, one above the other; each is repainted only when its data has changed."""
    rates, dials, beliefs = _cards(scene, side, gap)
    version = (scene.rolling_rates[-1].attempts, scene.world.cohort, len(scene.marks), scene.live_verdict.judged)
    canvas.kept("rates", version, rates, lambda: _paint_rates(scene, canvas, rates))
    canvas.kept("dials", version, dials, lambda: _paint_dials(scene, canvas, dials))
    canvas.kept("beliefs", version, beliefs, lambda: _paint_beliefs(scene, canvas, beliefs))
    for plot in _plots(scene, rates, dials, beliefs):
        if plot.area.holds(*scene.pointer):
            _paint_reading(scene, canvas, plot, side)


def _cards(scene: WatchScene, side: Box, gap: float) -> tuple[Box, Box, Box]:
    room = side.height - 2 * gap
    first = room * (_RATE_SHARE if len(shown_groups(scene)) > 1 else 0.4)
    rest = (room - first) / 2
    rates = Box(side.x, side.y, side.width, first)
    dials = Box(side.x, side.y + first + gap, side.width, rest)
    return rates, dials, Box(side.x, side.y + first + rest + 2 * gap, side.width, rest)


def shown_groups(scene: WatchScene) -> Sequence[int]:
    """The player groups in the charts."""
    if scene.world.cohort is not None:
        return (scene.world.cohort,)
    return range(min(len(scene.scenario.cohorts), STRIPS))


def _plots(scene: WatchScene, rates: Box, dials: Box, beliefs: Box) -> list[Plot]:
    groups, labels = shown_groups(scene), scene.scenario.labels
    found = [
        Plot(_strip(scene, rates, n), ((labels[group], scene.live_verdict.rates[group]),), True)
        for n, group in enumerate(groups)
    ]
    lines = [(labels[group], scene.rolling_rates[group]) for group in groups]
    found.append(Plot(_inner(dials, len(groups)), tuple((name, rate.dials) for name, rate in lines), False))
    if scene.world.chosen[scene.world.number].beliefs:
        found.append(Plot(_inner(beliefs, len(groups)), tuple((name, rate.beliefs) for name, rate in lines), False))
    return found


def _inner(box: Box, groups: int = 1) -> Box:
    """The plot in a card; with several lines there is room for their names."""
    right = _RIGHT if groups == 1 else _NAMES
    return Box(box.x + _LEFT, box.y + _HEAD, box.width - _LEFT - right, box.height - _HEAD - _FOOT)


def _strip(scene: WatchScene, box: Box, place: int) -> Box:
    """The plot of one group in the card of win rates."""
    plot, groups = _inner(box), len(shown_groups(scene))
    height = plot.height / groups
    top = plot.y + place * height + 22
    return Box(plot.x, top, plot.width - _INSET - 14, height - (24 if place == groups - 1 else 34))


def _framed(canvas: Canvas, box: Box, title: str, value: str, note: str, span: Span | None, plot: Box) -> None:
    """Paint a card with title, current value, ends of the x axis and a note."""
    canvas.rect(box, CARD, radius=10)
    canvas.text(title, box.x + 14, box.y + 9, SMALL, QUIET, bold=True)
    canvas.text(value, box.x + box.width - _RIGHT, box.y + 9, SMALL, INK, align=1.0, bold=True)
    below = box.y + box.height - _FOOT + 4
    if span is not None:
        canvas.text(f"{span.low:,.0f}", plot.x, below, _NOTE, QUIET)
        canvas.text(f"{span.high:,.0f} attempts", plot.x + plot.width, below, _NOTE, QUIET, align=1.0)
    canvas.text(note, box.x + 14, below + 17, _NOTE, QUIET)


def _span(scene: WatchScene) -> Span:
    """The x axis: attempts of all players, so that a mark has the same x in all charts.

    After the controller was switched, it begins shortly before the first switch: there is what one wants to see.
    """
    now = max(float(scene.rolling_rates[-1].attempts), _FIRST_SPAN)
    if not scene.marks:
        return Span(0.0, now)
    first = scene.marks[0].x
    return Span(max(first - max(_BEFORE * (now - first), _FIRST_SPAN), 0.0), now)


def _seen(dots: Sequence[Dot], span: Span) -> Sequence[Dot]:
    """The points on the axis."""
    return dots if span.low == 0.0 else [dot for dot in dots if dot.x >= span.low]


def _waits(canvas: Canvas, plot: Box, words: str) -> None:
    """Paint a text in the middle of a plot that has no line yet."""
    canvas.text(words, plot.x + plot.width / 2, plot.y + plot.height / 2 - 9, _NOTE, QUIET, align=0.5)


def _paint_rates(scene: WatchScene, canvas: Canvas, box: Box) -> None:
    groups = shown_groups(scene)
    hidden = len(scene.scenario.cohorts) - len(groups) if scene.world.cohort is None else 0
    note = f"judged attempts, 95 % margin; green: {_target_words(scene)}"
    _framed(canvas, box, "win rate", f"{hidden} more: Tab" if hidden else "", note, _span(scene), _strip(scene, box, 0))
    for n, group in enumerate(groups):
        plot = _strip(scene, box, n)
        _paint_heading(scene, canvas, Box(box.x + 14, plot.y - 22, box.width - 14 - _RIGHT, 20), group)
        _paint_rate(scene, canvas, plot, group, named=n == len(groups) - 1)


def _paint_heading(scene: WatchScene, canvas: Canvas, row: Box, group: int) -> None:
    """A group's name, its win rate, and the word of the verdict with its sign."""
    word = scene.live_verdict.words()[group]
    rates = scene.live_verdict.rates[group]
    width = paint_word(canvas, word, row.x + row.width, row.y)
    value = f"{percent(rates[-1].y)} ({100 * rates[-1].low:.0f}–{100 * rates[-1].high:.0f})" if rates else ""
    room = row.width - width - canvas.width_of(value, _NOTE) - 30
    colour = GROUP_COLOURS[group % len(GROUP_COLOURS)]
    canvas.rect(Box(row.x, row.y + 3, 4, 12), colour)
    x = row.x + 9 + canvas.text(shorten_name(canvas, scene.scenario.labels[group], room), row.x + 9, row.y, _NOTE, INK)
    canvas.text(value, x + 8, row.y, _NOTE, QUIET)


def shorten_name(canvas: Canvas, name: str, room: float, size: float = _NOTE) -> str:
    """A name that fits into a width, with an ellipsis where letters are missing."""
    shown = name
    while len(shown) > 1 and canvas.width_of(shown if shown == name else f"{shown}…", size) > room:
        shown = shown[:-1]
    return shown if shown == name else f"{shown}…"


def paint_word(canvas: Canvas, word: GroupWord, right: float, y: float, size: float = _NOTE) -> float:
    """Paint a verdict's word, with its sign before it, so that it ends at `right`. Returns its width."""
    colour = SIGN_COLOURS[word.sign]
    width = canvas.text(word.words, right, y, size, colour, align=1.0, bold=True)
    _paint_sign(canvas, word.sign, right - width - 0.7 * size, y + 0.6 * size, 0.36 * size, colour)
    return width + 1.2 * size


def _paint_sign(canvas: Canvas, sign: GroupSign, x: float, y: float, half: float, colour: Colour) -> None:
    """A disc on target, a triangle up where it is too hard and down where too easy, a ring where nobody knows."""
    if sign == "on target":
        canvas.circle(x, y, half, colour)
    elif sign == "not sure":
        canvas.circle(x, y, half, colour, border=2)
    elif sign == "off":
        canvas.rect(Box(x - half, y - half, 2 * half, 2 * half), colour)
    else:
        up = -half if sign == "too hard" else half
        canvas.polygon([(x - half, y - up), (x + half, y - up), (x, y + up)], colour)


def _paint_rate(scene: WatchScene, canvas: Canvas, plot: Box, group: int, *, named: bool) -> None:
    rates, colour = _seen(scene.live_verdict.rates[group], _span(scene)), GROUP_COLOURS[group % len(GROUP_COLOURS)]
    low, high = scene.scenario.band(group)
    shown = Span(max(low - _AROUND, 0.0), min(high + _AROUND, 1.0))
    chart = Chart(canvas, plot, _span(scene), shown)
    chart.grid((shown.low, shown.high), as_percent=True)
    chart.band(low, high)
    chart.ribbon(rates, colour)
    chart.curve(rates, colour)
    chart.marks(scene.marks, named=named)
    _paint_inset(canvas, Box(plot.x + plot.width + 14, plot.y, _INSET, plot.height), shown, (low, high), rates, colour)
    if not rates:
        judged = scene.scenario.after_attempts
        words = f"starts after {judged} attempts of a player" if judged else "starts after the first attempts"
        canvas.text(words, plot.x + plot.width / 2, plot.y + 2, _NOTE, QUIET, align=0.5)  # above the band


def _paint_inset(
    canvas: Canvas, box: Box, shown: Span, band: tuple[float, float], rates: Sequence[Dot], colour: Colour
) -> None:
    """The whole range from 0 to 100 %: the band, what the chart shows of it, and where the rate is."""
    whole = Chart(canvas, box, Span(0.0, 1.0), Span(0.0, 1.0))
    canvas.rect(box, RAISED)
    top, bottom = whole.y(shown.high), whole.y(shown.low)
    canvas.rect(Box(box.x, top, box.width, bottom - top), LINE)
    canvas.rect(Box(box.x, whole.y(band[1]), box.width, max(whole.y(band[0]) - whole.y(band[1]), 1.0)), GREEN)
    if rates:
        canvas.rect(Box(box.x - 3, whole.y(rates[-1].y) - 1, box.width + 6, 2), colour)


def _target_words(scene: WatchScene) -> str:
    several = any(len(set(scene.scenario.win_rates(cohort))) > 1 for cohort in range(len(scene.scenario.cohorts)))
    return "mean target" if several else "target"


def _paint_dials(scene: WatchScene, canvas: Canvas, box: Box) -> None:
    groups = shown_groups(scene)
    dots = [_seen(scene.rolling_rates[group].dials, _span(scene)) for group in groups]
    plot = _inner(box, len(groups))
    note = "median of the last 150 attempts" if len(groups) > 1 else "median and central 80 % of attempts"
    value = f"{dots[0][-1].y:.2f}" if len(groups) == 1 and dots[0] else ""
    _framed(canvas, box, "difficulty", value, note, _span(scene), plot)
    _paint_lines(scene, canvas, plot, dots, Span(0.0, 1.0), (0.0, 0.5, 1.0))


def _paint_beliefs(scene: WatchScene, canvas: Canvas, box: Box) -> None:
    chosen, groups = scene.world.chosen[scene.world.number], shown_groups(scene)
    plot = _inner(box, len(groups))
    if not chosen.beliefs:
        _framed(canvas, box, "what the controller thinks", "", "", None, plot)
        _waits(canvas, plot, f"{chosen.kind.name} estimates nothing")
        return
    dots = [_seen(scene.rolling_rates[group].beliefs, _span(scene)) for group in groups]
    name = chosen.beliefs[0].replace("_", " ")
    several = len(groups) > 1
    note = "before an attempt: median" if several else "before an attempt: median, central 80 %"
    value = f"{dots[0][-1].y:.3g}" if not several and dots[0] else ""
    _framed(canvas, box, f"estimate: {name}", value, note, _span(scene), plot)
    ends = [end for line in dots for dot in line for end in ((dot.y,) if several else (dot.low, dot.high))]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = max(0.08 * (high - low), 1e-3)
    lines = (low, (low + high) / 2, high) if ends else ()
    _paint_lines(scene, canvas, plot, dots, Span(low - room, high + room), lines)


def _paint_lines(
    scene: WatchScene, canvas: Canvas, plot: Box, dots: Sequence[Sequence[Dot]], y: Span, lines: Sequence[float]
) -> None:
    """A line for each group with its name at its end; one alone has its spread around it."""
    groups = shown_groups(scene)
    chart = Chart(canvas, plot, _span(scene), y)
    chart.grid(lines)
    if len(groups) == 1:
        chart.ribbon(dots[0], GROUP_COLOURS[groups[0] % len(GROUP_COLOURS)])
    for group, line in zip(groups, dots, strict=True):
        chart.curve(line, GROUP_COLOURS[group % len(GROUP_COLOURS)])
    chart.marks(scene.marks, named=False)
    if len(groups) > 1:
        ends = [(chart.y(line[-1].y), group) for group, line in zip(groups, dots, strict=True) if line]
        for at, group in _apart(ends, plot):
            name = shorten_name(canvas, scene.scenario.labels[group], _NAMES - 10)
            canvas.text(name, plot.x + plot.width + 8, at - 8, _NOTE, GROUP_COLOURS[group % len(GROUP_COLOURS)])
    if not any(dots):
        canvas.rect(Box(plot.x, plot.y + plot.height, plot.width, 1), LINE)
        _waits(canvas, plot, "starts after the first attempt")


def _apart(ends: Sequence[tuple[float, int]], plot: Box) -> list[tuple[float, int]]:
    """Where names stand that belong to these heights, so that none is over another."""
    found: list[tuple[float, int]] = []
    for at, group in sorted(ends):
        found.append((max(at, found[-1][0] + _NAME_STEP) if found else at, group))
    over = found[-1][0] - (plot.y + plot.height + 4) if found else 0.0
    return [(at - max(over, 0.0), group) for at, group in found]


def _paint_reading(scene: WatchScene, canvas: Canvas, plot: Plot, side: Box) -> None:
    """What the lines of a chart say at the mouse."""
    area, span = plot.area, _span(scene)
    x = span.low + (scene.pointer[0] - area.x) / area.width * (span.high - span.low)
    words = [f"at {x:,.0f} attempts"]
    for name, dots in plot.lines:
        place = bisect_right(dots, x, key=lambda dot: dot.x) - 1
        if place < 0:
            words.append(f"{name}: nothing yet")
            continue
        dot, scale = dots[place], 100.0 if plot.as_percent else 1.0
        unit, digits = (" %", ".0f") if plot.as_percent else ("", ".3g")
        words.append(f"{name}: {scale * dot.y:{digits}}{unit} ({scale * dot.low:{digits}}–{scale * dot.high:{digits}})")
    at = scene.pointer[0]
    canvas.rect(Box(at, area.y, 1, area.height), INK)
    width = min(max(canvas.width_of(line, _NOTE) for line in words) + 16, side.width)
    left = min(max(at - width - 8, side.x), side.x + side.width - width)
    box = Box(left, min(area.y, side.y + side.height - 17 * len(words) - 10), width, 17 * len(words) + 10)
    canvas.rect(box, RAISED, radius=6)
    for n, line in enumerate(words):
        canvas.text(shorten(canvas, line, _NOTE, width - 14), box.x + 8, box.y + 5 + 17 * n, _NOTE, INK if n else QUIET)
