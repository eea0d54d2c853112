"""The picture of `watch`: nine viewports or one large one on the left, charts on the right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from engine.game import LOST, WON
from sims.window.canvas import HEIGHT, WIDTH, Box, Canvas
from sims.window.palette import CARD, INK, LINE, ORANGE, PURPLE, QUIET, RAISED, SKY
from sims.window.panels import (
    BODY,
    LARGE,
    MARGIN,
    OUTCOME_COLOURS,
    OUTCOME_MARKS,
    OUTCOME_WORDS,
    SMALL,
    TINY,
    backdrop,
    footer,
    key_line,
    outcome_sign,
    percent,
    setting_rows,
    shorten,
    wrap_lines,
)
from sims.window.watching.verdict_card import paint_verdict_card
from sims.window.watching.watch_charts import paint_charts
from sims.window.watching.watch_layout import (
    _MENU_ROW,
    GAP,
    GRID_HEIGHT,
    GRID_WIDTH,
    LARGE_VIEW,
    SIDE,
    TOP,
    VIEW_HEIGHT,
    menu_boxes,
    viewport_box,
)

if TYPE_CHECKING:
    from sims.window.watching.watch_scene import PlayerViewport, WatchScene

_NOTE: Final = 13
_MENU_TEXT: Final = 730  # pixels
_BETWEEN: Final = " · "
_UNBROKEN: Final = "\u00a0"  # no line break between a parameter and its value
_KEYS: Final = (
    (("space",), "pause"),
    (("right",), "one tick"),
    (("up", "down"), "speed"),
    (("1", "…", "9"), "enlarge"),
    (("click",), "last loss"),
    (("c",), "controller"),
    (("tab",), "group"),
    (("v",), "verdict"),
    (("escape",), "end"),
)
_LARGE_KEYS: Final = (
    *(one for one in _KEYS if one[1] not in ("enlarge", "last loss", "end")),
    (("escape",), "all players"),
)


def paint_watch(scene: WatchScene, canvas: Canvas) -> None:
    """The whole picture."""
    if scene.replay is not None:
        scene.replay.paint(canvas)
        return
    cohort = scene.world.cohort
    group = "all groups" if cohort is None else scene.scenario.labels[cohort]
    kind = scene.kind
    state = "finished: no players left" if scene.over else "paused" if scene.paused else speed_words(scene.speed)
    attempts = scene.rolling_rate.attempts
    counted = f"{attempts:,} attempt{'' if attempts == 1 else 's'}" if attempts else "first attempts under way"
    backdrop(
        canvas,
        f"Watch: {scene.setup.game.name}",
        f"{kind.name} for {_shared_by(scene.setup.scope)}, {group}",
        f"{counted}    {state}",
    )
    if scene.large is None:
        for number, viewport in enumerate(scene.viewports):
            _paint_viewport(scene, canvas, number, viewport)
    else:
        _paint_large(scene, canvas, scene.viewports[scene.large])
    paint_charts(scene, canvas, SIDE, GAP)
    footer(canvas, _KEYS if scene.large is None else _LARGE_KEYS)
    _paint_legend(canvas)
    if scene.shows_verdict:
        paint_verdict_card(scene, canvas)
    elif scene.menu is not None:
        _paint_menu(scene, canvas)
    elif scene.pending is not None:
        paint_pending(canvas, scene.pending.words)


def speed_words(speed: float) -> str:
    """A speed in words."""
    return "as fast as possible" if speed == math.inf else f"{speed:g}×"


def _paint_legend(canvas: Canvas) -> None:
    """Explain the marks below a viewport."""
    y, right = HEIGHT - 36.0, float(WIDTH - MARGIN)
    width = canvas.text("0.40 difficulty", right, y, TINY, ORANGE, align=1.0)
    for outcome in (LOST, WON):
        right -= width + 16
        width = canvas.text(OUTCOME_WORDS[outcome], right, y, TINY, QUIET, align=1.0) + 12
        outcome_sign(canvas, right - width + 4, y + 9, outcome)


def paint_pending(canvas: Canvas, words: str) -> None:
    """Paint the work in progress. words: what is prepared."""
    box = Box(MARGIN + GRID_WIDTH / 2 - 260, TOP + GRID_HEIGHT / 2 - 60, 520, 110)
    canvas.rect(box, CARD, radius=14)
    canvas.rect(box, LINE, radius=14, border=1)
    middle = box.x + box.width / 2
    canvas.text(f"Preparing {words}", middle, box.y + 22, LARGE, INK, align=0.5, bold=True)
    canvas.text("compiled once for each version of the rules, then cached", middle, box.y + 66, SMALL, QUIET, align=0.5)


def _shared_by(scope: str) -> str:
    return {"player": "each player", "cohort": "each group"}.get(scope, "everyone together")


def _paint_viewport(scene: WatchScene, canvas: Canvas, number: int, viewport: PlayerViewport) -> None:
    box = viewport_box(number)
    view = Box(box.x, box.y, box.width, VIEW_HEIGHT)
    if viewport.attempt is None or viewport.empty:
        canvas.rect(box, CARD, radius=8)
        words = "no players left" if viewport.empty else "" if scene.pending is not None else "waiting"
        canvas.text(words, box.x + box.width / 2, box.y + box.height / 2 - 10, SMALL, QUIET, align=0.5)
        return
    attempt = viewport.attempt
    key = (attempt.replica, attempt.player, viewport.version, viewport.ended)
    canvas.kept(f"place {number}", key, view, lambda: paint_view(canvas, viewport, view))
    y = box.y + VIEW_HEIGHT + 6
    canvas.text(str(number + 1), box.x, y, SMALL, QUIET, bold=True)
    label = scene.scenario.labels[attempt.cohort]
    canvas.text(_short(f"{label} {attempt.player % 10_000_000}", 15), box.x + 16, y, SMALL, INK)
    _paint_outcomes(canvas, viewport, box.x + box.width - 50, y + 8)
    canvas.text(f"{attempt.difficulty:.2f}", box.x + box.width, y, SMALL, ORANGE, align=1.0, bold=True)


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def _paint_outcomes(canvas: Canvas, viewport: PlayerViewport, right: float, y: float) -> None:
    """Paint the latest outcomes, the newest on the right."""
    for back, outcome in enumerate(reversed(viewport.outcomes)):
        outcome_sign(canvas, right - 11 * back, y, outcome)


def paint_view(canvas: Canvas, viewport: PlayerViewport, view: Box) -> None:
    """Paint the attempt of a viewport, and its end."""
    assert viewport.attempt is not None
    canvas.shapes(viewport.shapes(), view, letters=not viewport.ended)
    if viewport.ended:
        _paint_result(canvas, viewport, view, LARGE if view.width < 400 else 44)


def _paint_result(canvas: Canvas, viewport: PlayerViewport, view: Box, size: int) -> None:
    assert viewport.attempt is not None
    outcome = viewport.attempt.outcome
    words = f"{OUTCOME_MARKS[outcome]} {OUTCOME_WORDS[outcome]}"
    canvas.veil(view, (5, 10, 16), 0.62)
    middle = view.x + view.width / 2
    canvas.text(
        words, middle, view.y + view.height / 2 - size * 0.8, size, OUTCOME_COLOURS[outcome], align=0.5, bold=True
    )
    if outcome == LOST:
        game, stepper = viewport.attempt.stepper.game, viewport.attempt.stepper
        cause = game.causes[stepper.result().cause]
        canvas.text(cause, middle, view.y + view.height / 2 + size * 0.4, max(size // 2, SMALL), INK, align=0.5)


def _paint_large(scene: WatchScene, canvas: Canvas, viewport: PlayerViewport) -> None:
    if viewport.attempt is None:
        canvas.rect(LARGE_VIEW, CARD, radius=10)
        return
    attempt = viewport.attempt
    key = (attempt.replica, attempt.player, viewport.version, viewport.ended)
    canvas.kept("large", key, LARGE_VIEW, lambda: paint_view(canvas, viewport, LARGE_VIEW))
    y = LARGE_VIEW.y + LARGE_VIEW.height + 12
    label = scene.scenario.labels[attempt.cohort]
    width = canvas.text(f"{label}, player {attempt.player % 10_000_000}", MARGIN, y, BODY, INK, bold=True)
    canvas.text(f"attempt {attempt.number}, session {attempt.session}", MARGIN + width + 14, y + 2, SMALL, QUIET)
    canvas.text(f"difficulty {attempt.difficulty:.3f}", MARGIN + GRID_WIDTH, y, BODY, ORANGE, align=1.0, bold=True)
    _paint_outcomes(canvas, viewport, MARGIN + GRID_WIDTH - 190, y + 12)
    y += 27
    shown = [
        f"{name} {value}".replace(" ", _UNBROKEN)
        for name, value in setting_rows(attempt.stepper.game, attempt.stepper.values)
    ]
    size = TINY if canvas.width_of(_BETWEEN.join(shown), TINY) <= GRID_WIDTH else _NOTE
    for line in wrap_lines(canvas, _BETWEEN.join(shown), size, GRID_WIDTH):
        canvas.text(line, MARGIN, y, size, QUIET)
        y += 18
    faculties = attempt.stepper.faculties
    latency = faculties.reaction_s + faculties.reaction_tail_s
    abilities = f"skill {faculties.skill:+.2f} · reaction {latency:.2f} s · slips {percent(faculties.slip)}"
    abilities += f" · lapses {percent(faculties.lapse)} · foresight {faculties.foresight:.2f}"
    canvas.text(abilities, MARGIN, y, TINY, QUIET)
    chosen = scene.world.chosen[attempt.controller]
    if chosen.beliefs:
        pairs = list(zip(chosen.beliefs, attempt.beliefs, strict=True))[:5]
        words = _BETWEEN.join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in pairs)
        estimates = shorten(canvas, f"{chosen.kind.name} estimated: {words}", TINY, GRID_WIDTH)
        canvas.text(estimates, MARGIN, y + 18, TINY, PURPLE)


def _paint_menu(scene: WatchScene, canvas: Canvas) -> None:
    assert scene.menu is not None
    kinds, at = scene.menu
    boxes = menu_boxes(len(kinds), at)
    first = boxes[0][1]
    whole = Box(first.x - 20, first.y - 58, first.width + 40, len(boxes) * _MENU_ROW + 108)
    canvas.veil(Box(0, 0, WIDTH, HEIGHT), (0, 0, 0), 0.55)
    canvas.rect(whole, CARD, radius=14)
    canvas.rect(whole, LINE, radius=14, border=1)
    canvas.text("Switch the controller", first.x, whole.y + 16, LARGE, INK, bold=True)
    if len(boxes) < len(kinds):
        words = f"{at + 1} of {len(kinds)}"
        canvas.text(words, first.x + first.width, whole.y + 22, SMALL, QUIET, align=1.0)
    for number, box in boxes:
        kind = kinds[number]
        if number == at:
            canvas.rect(box, RAISED, radius=8)
            canvas.rect(Box(box.x, box.y, 4, box.height), SKY, radius=2)
        canvas.text(kind.name, box.x + 14, box.y + 11, BODY, INK, bold=number == at)
        lines = wrap_lines(canvas, kind.summary, TINY, _MENU_TEXT)[:2]
        for n, line in enumerate(lines):
            canvas.text(line, box.x + 215, box.y + (22 - 9 * len(lines)) + 18 * n, TINY, QUIET)
    end = whole.y + whole.height - 38
    key_line(canvas, ((("up", "down"), "choose"), (("return",), "switch now"), (("escape",), "cancel")), first.x, end)
