"""The picture of two walls side by side: what they say of each group, and in the middle what changed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.players import COHORT_STRIDE
from sims.comparison.differences import EVERYBODY, Change
from sims.window.canvas import Box, Canvas
from sims.window.palette import CARD, GREEN, INK, LINE, ORANGE, QUIET, SKY, VERMILLION, YELLOW, Colour
from sims.window.panels import (
    BODY,
    HUGE,
    SMALL,
    TINY,
    Chart,
    Span,
    backdrop,
    footer,
    outcome_sign,
    percent,
    shorten,
    wrap_lines,
)
from sims.window.watching.versus_layout import (
    MIDDLE,
    PLACES,
    VIEW_HEIGHT,
    WALL_WIDTH,
    WALLS,
    place_box,
    verdict_box,
)
from sims.window.watching.watch_charts import GROUP_COLOURS, STRIPS, paint_word, shorten_name
from sims.window.watching.watch_picture import paint_pending, paint_view, speed_words

if TYPE_CHECKING:
    from sims.window.watching.versus_scene import VersusScene
    from sims.window.watching.watch_scene import WatchScene

_SIDES: Final = ("left", "right")
_NOTE: Final = 13
_LEAST_SPAN: Final = 0.04  # of the axis, above and below no change
_KEYS: Final = (
    (("space",), "pause"),
    (("up", "down"), "speed"),
    (("click",), "last loss of a player"),
    (("escape",), "end"),
)


def paint_versus(scene: VersusScene, canvas: Canvas) -> None:
    """The whole picture."""
    replaying = scene.replaying
    if replaying is not None and replaying.replay is not None:
        replaying.replay.paint(canvas)
        return
    state = "finished: no players left" if scene.over else "paused" if scene.paused else speed_words(scene.speed)
    game = scene.scenes[0].setup.game.name
    backdrop(canvas, f"Watch: {game}", "two walls, the same players, the same luck", state)
    for side, one in enumerate(scene.scenes):
        _paint_title(one, canvas, side)
        for number in range(PLACES):
            _paint_place(one, canvas, side, number)
        _paint_words(one, canvas, verdict_box(side))
    _paint_middle(scene, canvas)
    footer(canvas, _KEYS)
    if scene.pending is not None:
        paint_pending(canvas, scene.pending.words)


def _paint_title(scene: WatchScene, canvas: Canvas, side: int) -> None:
    x = WALLS[side]
    width = canvas.text(_SIDES[side], x, 72, SMALL, SKY if side == 0 else ORANGE, bold=True)
    words = f"{scene.kind.name}, {Path(scene.scenario.name).stem}"
    canvas.text(shorten_name(canvas, words, WALL_WIDTH - width - 12, SMALL), x + width + 10, 72, SMALL, INK)


def _paint_place(scene: WatchScene, canvas: Canvas, side: int, number: int) -> None:
    box, viewport = place_box(side, number), scene.viewports[number]
    view = Box(box.x, box.y, box.width, VIEW_HEIGHT)
    if viewport.attempt is None or viewport.empty:
        canvas.rect(view, CARD, radius=8)
        words = "no players left" if viewport.empty else ""
        canvas.text(words, box.x + box.width / 2, view.y + view.height / 2 - 10, SMALL, QUIET, align=0.5)
        return
    attempt, waits = viewport.attempt, scene.world.holds(number) and viewport.free
    key = (attempt.replica, attempt.player, viewport.version, viewport.ended, waits)
    canvas.kept(f"{_SIDES[side]} {number}", key, view, lambda: _paint_view(scene, canvas, number, view, waits=waits))
    y = view.y + view.height + 4
    name = f"{scene.scenario.labels[attempt.cohort]} {attempt.player % COHORT_STRIDE}"
    canvas.text(shorten_name(canvas, name, 92, TINY), box.x, y, TINY, INK)
    for back, outcome in enumerate(list(reversed(viewport.outcomes))[:5]):
        outcome_sign(canvas, box.x + box.width - 46 - 11 * back, y + 9, outcome)
    canvas.text(f"{attempt.difficulty:.2f}", box.x + box.width, y, TINY, ORANGE, align=1.0, bold=True)


def _paint_view(scene: WatchScene, canvas: Canvas, number: int, view: Box, *, waits: bool) -> None:
    viewport = scene.viewports[number]
    if not waits:
        paint_view(canvas, viewport, view)
        return
    assert viewport.attempt is not None
    canvas.shapes(viewport.shapes(), view, letters=False)
    canvas.veil(view, (5, 10, 16), 0.8)
    made = viewport.attempt.number + 1
    middle, y = view.x + view.width / 2, view.y + view.height / 2
    canvas.text("gone", middle, y - 26, BODY, INK, align=0.5, bold=True)
    canvas.text(f"after {made} attempt{'' if made == 1 else 's'}", middle, y + 2, TINY, QUIET, align=0.5)


def _paint_words(scene: WatchScene, canvas: Canvas, box: Box) -> None:
    """Each group of a side against its target."""
    canvas.rect(box, CARD, radius=10)
    rows = () if scene.live_verdict.verdict is None else scene.live_verdict.verdict.rows
    step = min((box.height - 12) / min(len(scene.scenario.cohorts), STRIPS), 30.0)
    for n, (label, word) in enumerate(zip(scene.scenario.labels, scene.live_verdict.words(), strict=True)):
        if n == STRIPS:
            return
        y = box.y + 8 + n * step
        canvas.rect(Box(box.x + 12, y + 3, 4, 12), GROUP_COLOURS[n % len(GROUP_COLOURS)])
        width = canvas.text(shorten_name(canvas, label, 110), box.x + 22, y, _NOTE, INK)
        if rows and rows[n].attempts:
            row = rows[n]
            told = f"{percent(row.win_rate)} ({100 * row.win_rate_low:.0f}–{100 * row.win_rate_high:.0f})"
            canvas.text(told, box.x + 30 + width, y, _NOTE, QUIET)
        paint_word(canvas, word, box.x + box.width - 12, y)


def said_of(change: Change) -> tuple[str, Colour]:
    """What may be said of a change, and its colour: as `compare`, no more than is known."""
    more = change.difference.value > 0.0
    if change.exact:
        return "the same on both sides", QUIET
    if change.matters:
        return (f"the right side wins {'more' if more else 'less'}", GREEN if more else VERMILLION)
    if change.flagged:
        return "a small difference, less than a point", YELLOW
    return "not sure yet", QUIET


def points(value: float) -> str:
    """A difference of win rates in points, with its sign."""
    return "–" if math.isnan(value) else f"{100.0 * value:+.1f}".replace("-", "−")


def _paint_middle(scene: VersusScene, canvas: Canvas) -> None:
    paired, box = scene.paired, MIDDLE
    canvas.rect(box, CARD, radius=10)
    x, width = box.x + 16, box.width - 32
    canvas.text("change of the win rate, right − left", x, box.y + 12, SMALL, QUIET, bold=True)
    changes = paired.changes
    if not changes or math.isnan(changes[0].difference.low):
        words = "starts when players have come to their end on both sides"
        for n, line in enumerate(wrap_lines(canvas, words, BODY, width)):
            canvas.text(line, x, box.y + 60 + 26 * n, BODY, INK)
        return
    difference = changes[0].difference
    words, colour = said_of(changes[0])
    at = x + canvas.text(points(difference.value), x, box.y + 40, HUGE, colour, bold=True)
    canvas.text("points", at + 10, box.y + 62, BODY, INK)
    margin = f"{points(difference.low)} to {points(difference.high)}"
    canvas.text(margin, x + width, box.y + 50, BODY, INK, align=1.0)
    canvas.text(words, x, box.y + 96, BODY, colour, bold=True)
    _paint_growth(scene, canvas, Box(x + 36, box.y + 150, width - 40, 210))
    y = box.y + 412
    shown = changes[1 : 1 + STRIPS] if changes[0].cohort == EVERYBODY else []
    for change in shown:
        _paint_group(scene, canvas, change, Box(x, y, width, 38))
        y += 38
    assert paired.differences is not None  # it has changes
    sure = f"{100.0 * paired.differences.confidence:.1f} %"
    note = f"margins of {sure}, as flowdial compare gives them for these attempts"
    for n, line in enumerate(wrap_lines(canvas, note, _NOTE, width)):
        canvas.text(line, x, box.y + box.height - 40 + 17 * n, _NOTE, QUIET)


def _paint_growth(scene: VersusScene, canvas: Canvas, plot: Box) -> None:
    """The difference with its margin, as more players come to their end."""
    dots = scene.paired.rates
    most = max([_LEAST_SPAN, *(min(max(abs(dot.low), abs(dot.high)), 0.3) for dot in dots[len(dots) // 3 :])])
    chart = Chart(canvas, plot, Span(0.0, max(float(scene.paired.players), 20.0)), Span(-1.15 * most, 1.15 * most))
    for value in (-most, 0.0, most):
        y = chart.y(value)
        canvas.rect(Box(plot.x, y, plot.width, 2 if value == 0.0 else 1), INK if value == 0.0 else LINE)
        canvas.text(points(value) if value else "0", plot.x - 7, y - 8, _NOTE, QUIET, align=1.0)
    with canvas.clipped(Box(plot.x - 2, plot.y, plot.width + 8, plot.height)):
        chart.ribbon(dots, SKY)
        chart.curve(dots, SKY)
    below = plot.y + plot.height + 6
    canvas.text("0", plot.x, below, _NOTE, QUIET)
    unit = "players, to their end on both sides" if scene.scenes[0].world.apart else "players"
    canvas.text(f"{scene.paired.players:,} {unit}", plot.x + plot.width, below, _NOTE, QUIET, align=1.0)


def _paint_group(scene: VersusScene, canvas: Canvas, change: Change, box: Box) -> None:
    """The change of one group: name, points, margin, and what may be said."""
    scenario = scene.scenes[0].scenario
    place = scenario.cohorts.index(change.cohort)
    words, colour = said_of(change)
    canvas.rect(Box(box.x, box.y + 3, 4, 12), GROUP_COLOURS[place % len(GROUP_COLOURS)])
    canvas.text(shorten_name(canvas, scenario.labels[place], 120), box.x + 10, box.y, _NOTE, INK)
    found = change.difference
    canvas.text(points(found.value), box.x + 180, box.y - 3, SMALL, colour, align=1.0, bold=True)
    margin = f"{points(found.low)} to {points(found.high)}"
    canvas.text(margin, box.x + box.width, box.y, _NOTE, QUIET, align=1.0)
    canvas.text(shorten(canvas, words, _NOTE, box.width - 12), box.x + 10, box.y + 16, _NOTE, colour)
