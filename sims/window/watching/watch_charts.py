"""The charts of watch: win rate with its target, difficulty, and what the controller thinks of its players.

Player groups may have different targets, so a win rate over all groups has no target to compare with. When all groups
are shown, each one has a separate strip with its own band.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sims.window.canvas import Box, Canvas
from sims.window.palette import CARD, DIAL, INK, LINE, PURPLE, QUIET, RATE, Colour
from sims.window.panels import SMALL, Chart, Dot, Span, percent
from sims.window.watching.rolling_rate import FEWEST, WINDOW, RollingRate

if TYPE_CHECKING:
    from sims.window.watching.watch_scene import WatchScene

_STRIPS: Final = 4  # groups that have a strip; more strips would be unreadable
_NOTE: Final = 13  # font size of axes and notes
_HEAD: Final = 38
_FOOT: Final = 42
_LEFT: Final = 52
_RIGHT: Final = 16
_FIRST_SPAN: Final = 20.0  # attempts; with a shorter axis, lines would jump
_RATE_SHARE: Final = 0.48  # of the height, for the win rates of several groups
_QUARTERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


def paint_charts(scene: WatchScene, canvas: Canvas, side: Box, gap: float) -> None:
    """Paint all three, one above the other; each is repainted only when its data has changed."""
    cohorts = _cohorts_shown(scene)
    room = side.height - 2 * gap
    first = room * (_RATE_SHARE if len(cohorts) > 1 else 1 / 3)
    rest = (room - first) / 2
    rates = Box(side.x, side.y, side.width, first)
    dials = Box(side.x, side.y + first + gap, side.width, rest)
    beliefs = Box(side.x, side.y + first + rest + 2 * gap, side.width, rest)
    version = (scene.rolling_rates[-1].attempts, scene.world.cohort, len(scene.marks))
    canvas.kept("rates", version, rates, lambda: _paint_rates(scene, canvas, rates, cohorts))
    canvas.kept("dials", version, dials, lambda: _paint_dials(scene, canvas, dials))
    canvas.kept("beliefs", version, beliefs, lambda: _paint_beliefs(scene, canvas, beliefs))


def _cohorts_shown(scene: WatchScene) -> Sequence[int]:
    """The cohorts whose win rates are shown."""
    if scene.world.cohort is not None:
        return (scene.world.cohort,)
    return range(min(len(scene.scenario.cohorts), _STRIPS))


def _framed(canvas: Canvas, box: Box, title: str, value: str, note: str, span: Span | None) -> Box:
    """Paint a card with title, current value, ends of the x axis and a note. Returns the box of the plot."""
    canvas.rect(box, CARD, radius=10)
    canvas.text(title, box.x + 14, box.y + 9, SMALL, QUIET, bold=True)
    canvas.text(value, box.x + box.width - _RIGHT, box.y + 9, SMALL, INK, align=1.0, bold=True)
    plot = Box(box.x + _LEFT, box.y + _HEAD, box.width - _LEFT - _RIGHT, box.height - _HEAD - _FOOT)
    below = plot.y + plot.height + 4
    if span is not None:
        canvas.text(f"{span.low:,.0f}", plot.x, below, _NOTE, QUIET)
        canvas.text(f"{span.high:,.0f} attempts", plot.x + plot.width, below, _NOTE, QUIET, align=1.0)
    canvas.text(note, box.x + 14, below + 17, _NOTE, QUIET)
    return plot


def _span(scene: WatchScene) -> Span:
    """The x axis: attempts of all players, so that a mark has the same x in all charts."""
    return Span(0.0, max(scene.rolling_rates[-1].attempts, _FIRST_SPAN))


def _waits(canvas: Canvas, plot: Box, words: str) -> None:
    """Paint a text in the middle of a plot that has no line yet."""
    canvas.text(words, plot.x + plot.width / 2, plot.y + plot.height / 2 - 9, _NOTE, QUIET, align=0.5)


def _paint_rates(scene: WatchScene, canvas: Canvas, box: Box, cohorts: Sequence[int]) -> None:
    note = f"last {WINDOW} attempts, 95 % margin; green: {_target_words(scene)}"
    span = _span(scene)
    if len(cohorts) == 1:
        rolling_rate = scene.rolling_rates[cohorts[0]]
        plot = _framed(canvas, box, "win rate", _rate_words(rolling_rate), note, span)
        _paint_rate(scene, canvas, plot, cohorts[0], _QUARTERS, named=True)
        return
    hidden = len(scene.scenario.cohorts) - len(cohorts)
    more = f"{hidden} more: Tab" if hidden else ""
    plot = _framed(canvas, box, "win rate by player group", more, note, span)
    height = plot.height / len(cohorts)
    for n, cohort in enumerate(cohorts):
        strip = Box(plot.x, plot.y + n * height, plot.width, height)
        label = scene.scenario.labels[cohort]
        canvas.text(label, strip.x, strip.y, _NOTE, INK)
        canvas.text(
            _rate_words(scene.rolling_rates[cohort]), strip.x + strip.width, strip.y, _NOTE, INK, align=1.0, bold=True
        )
        last = n == len(cohorts) - 1
        lines = Box(strip.x, strip.y + 20, strip.width, strip.height - (22 if last else 26))
        _paint_rate(scene, canvas, lines, cohort, (0.0, 1.0), named=last)


def _paint_rate(
    scene: WatchScene, canvas: Canvas, plot: Box, cohort: int, lines: Sequence[float], *, named: bool
) -> None:
    rolling_rate = scene.rolling_rates[cohort]
    chart = Chart(canvas, plot, _span(scene), Span(0.0, 1.0))
    chart.grid(lines, as_percent=True)
    chart.ribbon(rolling_rate.rates, RATE)
    chart.band(*scene.scenario.band(cohort))
    chart.curve(rolling_rate.rates, RATE)
    chart.marks(scene.marks, named=named)
    if not rolling_rate.rates:
        _waits(
            canvas,
            plot,
            f"{rolling_rate.attempts} of {FEWEST} attempts needed" if rolling_rate.attempts else "",
        )


def _rate_words(rolling_rate: RollingRate) -> str:
    if not rolling_rate.rates:
        return ""
    latest = rolling_rate.rates[-1]
    return f"{percent(latest.y)}  ({100 * latest.low:.0f}–{100 * latest.high:.0f})"


def _target_words(scene: WatchScene) -> str:
    several = any(len(set(scene.scenario.win_rates(cohort))) > 1 for cohort in range(len(scene.scenario.cohorts)))
    return "mean target" if several else "target"


def _paint_dials(scene: WatchScene, canvas: Canvas, box: Box) -> None:
    dots = scene.rolling_rate.dials
    value = f"{dots[-1].y:.2f}" if dots else ""
    plot = _framed(canvas, box, "difficulty", value, "median and central 80 % of attempts", _span(scene))
    _paint_dots(scene, canvas, plot, dots, Span(0.0, 1.0), (0.0, 0.5, 1.0), DIAL)


def _paint_beliefs(scene: WatchScene, canvas: Canvas, box: Box) -> None:
    chosen, dots = scene.world.chosen[scene.world.number], scene.rolling_rate.beliefs
    if not chosen.beliefs:
        plot = _framed(canvas, box, "what the controller thinks", "", "", None)
        _waits(canvas, plot, f"{chosen.kind.name} estimates nothing")
        return
    name = chosen.beliefs[0].replace("_", " ")
    value = f"{dots[-1].y:.3g}" if dots else ""
    plot = _framed(canvas, box, f"estimate: {name}", value, "before an attempt: median, central 80 %", _span(scene))
    low, high = min((dot.low for dot in dots), default=0.0), max((dot.high for dot in dots), default=1.0)
    room = max(0.08 * (high - low), 1e-3)
    lines = (low, (low + high) / 2, high) if dots else ()
    _paint_dots(scene, canvas, plot, dots, Span(low - room, high + room), lines, PURPLE)


def _paint_dots(
    scene: WatchScene, canvas: Canvas, plot: Box, dots: Sequence[Dot], y: Span, lines: Sequence[float], colour: Colour
) -> None:
    chart = Chart(canvas, plot, _span(scene), y)
    chart.grid(lines)
    chart.ribbon(dots, colour)
    chart.curve(dots, colour)
    chart.marks(scene.marks, named=False)
    if not dots:
        canvas.rect(Box(plot.x, plot.y + plot.height, plot.width, 1), LINE)
        _waits(canvas, plot, "starts after the first attempt")
