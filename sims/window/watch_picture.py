"""How the wall looks: nine viewports or one large one on the left, the charts of `sims.window.watch_charts` on the right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from engine.game import LOST, WON
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
    fitted,
    footer,
    key_line,
    lines_within,
    outcome_sign,
    percent,
    setting_rows,
)
from sims.window.screen import HEIGHT, WIDTH, Box, Canvas
from sims.window.watch_charts import paint_charts
from sims.window.watch_layout import (
    _MENU_ROW,
    GAP,
    LARGE_VIEW,
    SIDE,
    TOP,
    VIEW_HEIGHT,
    WALL_HEIGHT,
    WALL_WIDTH,
    menu_boxes,
    place_box,
)

if TYPE_CHECKING:
    from sims.window.watch_scene import Session, Watch

_NOTE: Final = 13
_MENU_TEXT: Final = 730  # pixels
_BETWEEN: Final = " · "
_UNBROKEN: Final = "\u00a0"  # no line ends between a param and its value
_KEYS: Final = (
    (("space",), "pause"),
    (("right",), "one tick"),
    (("up", "down"), "speed"),
    (("1", "…", "9"), "or click: enlarge"),
    (("c",), "controller"),
    (("tab",), "cohort"),
    (("escape",), "end"),
)


def paint_watch(scene: Watch, canvas: Canvas) -> None:
    """The whole picture."""
    cohort = scene.wall.cohort
    who = "all cohorts" if cohort is None else scene.scenario.labels[cohort]
    kind = scene.kind
    state = "over: everybody is gone" if scene.over else "paused" if scene.paused else speed_words(scene.speed)
    counted = f"{scene.trend.attempts:,} attempts" if scene.trend.attempts else "first attempts under way"
    backdrop(
        canvas,
        f"Watch: {scene.setup.game.name}",
        f"{kind.name} for {_whose(scene.setup.scope)}, {who}",
        f"{counted}    {state}",
    )
    if scene.large is None:
        for number, place in enumerate(scene.places):
            _paint_place(scene, canvas, number, place)
    else:
        _paint_large(scene, canvas, scene.places[scene.large])
    paint_charts(scene, canvas, SIDE, GAP)
    footer(canvas, _KEYS if scene.large is None else (*_KEYS[:-1], (("escape",), "the wall")))
    _paint_legend(canvas)
    if scene.menu is not None:
        _paint_menu(scene, canvas)
    elif scene.task is not None:
        _paint_task(canvas, scene.task.words)


def speed_words(speed: float) -> str:
    """A speed as people read it."""
    return "as fast as possible" if speed == math.inf else f"{speed:g}×"


def _paint_legend(canvas: Canvas) -> None:
    """What stands under a place, in the words of its marks."""
    y, right = HEIGHT - 36.0, float(WIDTH - MARGIN)
    width = canvas.text("0.40 difficulty", right, y, TINY, ORANGE, align=1.0)
    for outcome in (LOST, WON):
        right -= width + 16
        width = canvas.text(OUTCOME_WORDS[outcome], right, y, TINY, QUIET, align=1.0) + 12
        outcome_sign(canvas, right - width + 4, y + 9, outcome)


def _paint_task(canvas: Canvas, words: str) -> None:
    """What everybody waits for."""
    box = Box(MARGIN + WALL_WIDTH / 2 - 260, TOP + WALL_HEIGHT / 2 - 60, 520, 110)
    canvas.rect(box, CARD, radius=14)
    canvas.rect(box, LINE, radius=14, border=1)
    middle = box.x + box.width / 2
    canvas.text(f"Preparing {words}", middle, box.y + 22, LARGE, INK, align=0.5, bold=True)
    canvas.text("compiled once for each version of its rules, then kept", middle, box.y + 66, SMALL, QUIET, align=0.5)


def _whose(scope: str) -> str:
    return {"player": "each player", "cohort": "each cohort"}.get(scope, "everyone")


def _paint_place(scene: Watch, canvas: Canvas, number: int, place: Session) -> None:
    box = place_box(number)
    view = Box(box.x, box.y, box.width, VIEW_HEIGHT)
    if place.seen is None or place.empty:
        canvas.rect(box, CARD, radius=8)
        words = "everybody is gone" if place.empty else "" if scene.task is not None else "waiting"
        canvas.text(words, box.x + box.width / 2, box.y + box.height / 2 - 10, SMALL, QUIET, align=0.5)
        return
    seen = place.seen
    key = (seen.replica, seen.player, place.version, place.ended)
    canvas.kept(f"place {number}", key, view, lambda: _paint_view(canvas, place, view))
    y = box.y + VIEW_HEIGHT + 6
    canvas.text(str(number + 1), box.x, y, SMALL, QUIET, bold=True)
    label = scene.scenario.labels[seen.cohort]
    canvas.text(_short(f"{label} {seen.player % 10_000_000}", 15), box.x + 16, y, SMALL, INK)
    _paint_outcomes(canvas, place, box.x + box.width - 50, y + 8)
    canvas.text(f"{seen.difficulty:.2f}", box.x + box.width, y, SMALL, ORANGE, align=1.0, bold=True)


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def _paint_outcomes(canvas: Canvas, place: Session, right: float, y: float) -> None:
    """Latest outcomes, the newest on the right."""
    for back, outcome in enumerate(reversed(place.outcomes)):
        outcome_sign(canvas, right - 11 * back, y, outcome)


def _paint_view(canvas: Canvas, place: Session, view: Box) -> None:
    assert place.seen is not None
    canvas.shapes(place.shapes(), view)
    if place.ended:
        _paint_result(canvas, place, view, LARGE if view.width < 400 else 44)


def _paint_result(canvas: Canvas, place: Session, view: Box, size: int) -> None:
    assert place.seen is not None
    outcome = place.seen.outcome
    words = f"{OUTCOME_MARKS[outcome]} {OUTCOME_WORDS[outcome]}"
    canvas.veil(view, (5, 10, 16), 0.62)
    middle = view.x + view.width / 2
    canvas.text(
        words, middle, view.y + view.height / 2 - size * 0.8, size, OUTCOME_COLOURS[outcome], align=0.5, bold=True
    )
    if outcome == LOST:
        game, film = place.seen.film.game, place.seen.film
        cause = game.causes[film.result().cause]
        canvas.text(cause, middle, view.y + view.height / 2 + size * 0.4, max(size // 2, SMALL), INK, align=0.5)


def _paint_large(scene: Watch, canvas: Canvas, place: Session) -> None:
    if place.seen is None:
        canvas.rect(LARGE_VIEW, CARD, radius=10)
        return
    seen = place.seen
    key = (seen.replica, seen.player, place.version, place.ended)
    canvas.kept("large", key, LARGE_VIEW, lambda: _paint_view(canvas, place, LARGE_VIEW))
    y = LARGE_VIEW.y + LARGE_VIEW.height + 12
    label = scene.scenario.labels[seen.cohort]
    width = canvas.text(f"{label}, player {seen.player % 10_000_000}", MARGIN, y, BODY, INK, bold=True)
    canvas.text(f"attempt {seen.attempt}, session {seen.session}", MARGIN + width + 14, y + 2, SMALL, QUIET)
    canvas.text(f"difficulty {seen.difficulty:.3f}", MARGIN + WALL_WIDTH, y, BODY, ORANGE, align=1.0, bold=True)
    _paint_outcomes(canvas, place, MARGIN + WALL_WIDTH - 190, y + 12)
    y += 27
    shown = [
        f"{name} {value}".replace(" ", _UNBROKEN) for name, value in setting_rows(seen.film.game, seen.film.values)
    ]
    size = TINY if canvas.width_of(_BETWEEN.join(shown), TINY) <= WALL_WIDTH else _NOTE
    for line in lines_within(canvas, _BETWEEN.join(shown), size, WALL_WIDTH):
        canvas.text(line, MARGIN, y, size, QUIET)
        y += 18
    faculties = seen.film.faculties
    latency = faculties.reaction_s + faculties.reaction_tail_s
    told = f"skill {faculties.skill:+.2f} · reaction {latency:.2f} s · slips {percent(faculties.slip)}"
    told += f" · lapses {percent(faculties.lapse)} · foresight {faculties.foresight:.2f}"
    canvas.text(told, MARGIN, y, TINY, QUIET)
    chosen = scene.wall.chosen[seen.controller]
    if chosen.beliefs:
        pairs = list(zip(chosen.beliefs, seen.beliefs, strict=True))[:5]
        words = _BETWEEN.join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in pairs)
        told = fitted(canvas, f"{chosen.kind.name} believed: {words}", TINY, WALL_WIDTH)
        canvas.text(told, MARGIN, y + 18, TINY, PURPLE)


def _paint_menu(scene: Watch, canvas: Canvas) -> None:
    assert scene.menu is not None
    kinds, at = scene.menu
    boxes = menu_boxes(len(kinds), at)
    first = boxes[0][1]
    whole = Box(first.x - 20, first.y - 58, first.width + 40, len(boxes) * _MENU_ROW + 108)
    canvas.veil(Box(0, 0, WIDTH, HEIGHT), (0, 0, 0), 0.55)
    canvas.rect(whole, CARD, radius=14)
    canvas.rect(whole, LINE, radius=14, border=1)
    canvas.text("Let another controller decide", first.x, whole.y + 16, LARGE, INK, bold=True)
    if len(boxes) < len(kinds):
        words = f"{at + 1} of {len(kinds)}"
        canvas.text(words, first.x + first.width, whole.y + 22, SMALL, QUIET, align=1.0)
    for number, box in boxes:
        kind = kinds[number]
        if number == at:
            canvas.rect(box, RAISED, radius=8)
            canvas.rect(Box(box.x, box.y, 4, box.height), SKY, radius=2)
        canvas.text(kind.name, box.x + 14, box.y + 11, BODY, INK, bold=number == at)
        lines = lines_within(canvas, kind.summary, TINY, _MENU_TEXT)[:2]
        for n, line in enumerate(lines):
            canvas.text(line, box.x + 215, box.y + (22 - 9 * len(lines)) + 18 * n, TINY, QUIET)
    end = whole.y + whole.height - 38
    key_line(canvas, ((("up", "down"), "choose"), (("return",), "switch now"), (("escape",), "keep")), first.x, end)
