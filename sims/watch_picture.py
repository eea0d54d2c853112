"""How the wall looks: nine viewports or one large one on the left, three charts on the right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from engine.game import LOST
from sims.palette import CARD, DIAL, INK, LINE, ORANGE, PURPLE, QUIET, RAISED, RATE, SKY
from sims.panels import (
    BODY,
    LARGE,
    MARGIN,
    OUTCOME_COLOURS,
    OUTCOME_MARKS,
    OUTCOME_WORDS,
    SMALL,
    TINY,
    Chart,
    Span,
    backdrop,
    fitted,
    footer,
    key_line,
    percent,
    setting_rows,
)
from sims.screen import HEIGHT, WIDTH, Box, Canvas
from sims.trend import WINDOW, Trend

if TYPE_CHECKING:
    from sims.watch import Session, Watch

TOP: Final = 68
GAP: Final = 10
VIEW_WIDTH: Final = 288
VIEW_HEIGHT: Final = 162
CAPTION: Final = 28
WALL_WIDTH: Final = 3 * VIEW_WIDTH + 2 * GAP
WALL_HEIGHT: Final = 3 * (VIEW_HEIGHT + CAPTION) + 2 * GAP
LARGE_VIEW: Final = Box(MARGIN, TOP, WALL_WIDTH, round(WALL_WIDTH * 9 / 16))
SIDE: Final = Box(MARGIN + WALL_WIDTH + 14, TOP, WIDTH - 2 * MARGIN - WALL_WIDTH - 14, WALL_HEIGHT)
_MENU_ROW: Final = 40
_KEYS: Final = (
    (("space",), "pause"),
    (("right",), "one tick"),
    (("up", "down"), "speed"),
    (("1", "…", "9"), "or click: enlarge"),
    (("c",), "controller"),
    (("tab",), "cohort"),
    (("escape",), "end"),
)


def place_box(place: int) -> Box:
    """Where a place of the wall is shown, with its caption."""
    row, column = divmod(place, 3)
    return Box(
        MARGIN + column * (VIEW_WIDTH + GAP),
        TOP + row * (VIEW_HEIGHT + CAPTION + GAP),
        VIEW_WIDTH,
        VIEW_HEIGHT + CAPTION,
    )


def menu_boxes(count: int) -> list[Box]:
    """Where the controllers to choose from stand."""
    top = HEIGHT / 2 - count * _MENU_ROW / 2
    return [Box(WIDTH / 2 - 480, top + i * _MENU_ROW, 960, _MENU_ROW - 4) for i in range(count)]


def paint_watch(scene: Watch, canvas: Canvas) -> None:
    """The whole picture."""
    cohort = scene.wall.cohort
    who = "all cohorts" if cohort is None else scene.scenario.labels[cohort]
    kind = scene.wall.chosen[scene.wall.number].kind
    state = "over: everybody is gone" if scene.over else "paused" if scene.paused else speed_words(scene.speed)
    backdrop(
        canvas,
        f"Watch: {scene.setup.game.name}",
        f"{kind.name} for {_whose(scene.setup.scope)}, {who}",
        f"{scene.trend.attempts:,} attempts    {state}",
    )
    if scene.large is None:
        for number, place in enumerate(scene.places):
            _paint_place(scene, canvas, number, place)
    else:
        _paint_large(scene, canvas, scene.places[scene.large])
    height = (SIDE.height - 2 * GAP) / 3
    boxes = [Box(SIDE.x, SIDE.y + i * (height + GAP), SIDE.width, height) for i in range(3)]
    version = (scene.trend.attempts, cohort, len(scene.marks[0]))
    canvas.kept("rates", version, boxes[0], lambda: _paint_rate(scene, canvas, boxes[0]))
    canvas.kept("dials", version, boxes[1], lambda: _paint_dial(scene, canvas, boxes[1]))
    canvas.kept("beliefs", version, boxes[2], lambda: _paint_belief(scene, canvas, boxes[2]))
    footer(canvas, _KEYS)
    if scene.menu is not None:
        _paint_menu(scene, canvas)


def speed_words(speed: float) -> str:
    """A speed as people read it."""
    return "as fast as possible" if speed == math.inf else f"{speed:g}×"


def _whose(scope: str) -> str:
    return {"player": "each player", "cohort": "each cohort"}.get(scope, "everyone")


def _paint_place(scene: Watch, canvas: Canvas, number: int, place: Session) -> None:
    box = place_box(number)
    view = Box(box.x, box.y, box.width, VIEW_HEIGHT)
    if place.seen is None or place.empty:
        canvas.rect(box, CARD, radius=8)
        words = "everybody is gone" if place.empty else "waiting"
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
    """Latest outcomes, the newest on the right: a disc for a win, a ring for anything else."""
    for back, outcome in enumerate(reversed(place.outcomes)):
        won = outcome < LOST
        canvas.circle(right - 11 * back, y, 4 if won else 4.5, OUTCOME_COLOURS[outcome], border=0 if won else 1)


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
    y += 28
    shown = [f"{name} {value}" for name, value in setting_rows(seen.film.game, seen.film.values)]
    canvas.text("   ".join(shown), MARGIN, y, TINY, QUIET)
    faculties = seen.film.faculties
    latency = faculties.reaction_s + faculties.reaction_tail_s
    told = f"skill {faculties.skill:+.2f}   reaction {latency:.2f} s   slips {percent(faculties.slip)}"
    told += f"   lapses {percent(faculties.lapse)}   foresight {faculties.foresight:.2f}"
    canvas.text(told, MARGIN, y + 20, TINY, QUIET)
    chosen = scene.wall.chosen[seen.controller]
    if chosen.beliefs:
        pairs = list(zip(chosen.beliefs, seen.beliefs, strict=True))[:5]
        words = "   ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in pairs)
        canvas.text(f"{chosen.kind.name} believed: {words}", MARGIN, y + 40, TINY, PURPLE)


def _span(trend: Trend) -> Span:
    return Span(trend.rates[0].x if trend.rates else 0.0, max(trend.attempts, 10))


def _paint_rate(scene: Watch, canvas: Canvas, box: Box) -> None:
    trend = scene.trend
    latest = trend.rates[-1] if trend.rates else None
    told = "" if latest is None else f"{percent(latest.y)}  ({100 * latest.low:.0f}–{100 * latest.high:.0f})"
    chart = Chart(canvas, box, "win rate", _span(trend), Span(0.0, 1.0), value=told)
    chart.grid((0.0, 0.25, 0.5, 0.75, 1.0), as_percent=True)
    chart.ribbon(trend.rates, RATE)
    chart.band(*_band(scene))
    chart.curve(trend.rates, RATE)
    chart.marks(scene.shown_marks)
    _explain(canvas, box, f"last {min(trend.attempts, WINDOW)} attempts, 95 % interval; green: target")


def _band(scene: Watch) -> tuple[float, float]:
    """The wanted win rate of the cohort that is shown; of all together, the mean weighted by their players."""
    scenario, cohort = scene.scenario, scene.wall.cohort
    if cohort is not None:
        return scenario.band(cohort)
    pairs = list(zip(scenario.counts, map(scenario.band, range(len(scenario.cohorts))), strict=True))
    players = sum(scenario.counts)
    return sum(n * low for n, (low, _) in pairs) / players, sum(n * high for n, (_, high) in pairs) / players


def _explain(canvas: Canvas, box: Box, words: str) -> None:
    canvas.text(words, box.x + 46, box.y + box.height - 20, 13, QUIET)


def _paint_dial(scene: Watch, canvas: Canvas, box: Box) -> None:
    trend = scene.trend
    told = f"{trend.dials[-1].y:.2f}" if trend.dials else ""
    chart = Chart(canvas, box, "difficulty", _span(trend), Span(0.0, 1.0), value=told)
    chart.grid((0.0, 0.25, 0.5, 0.75, 1.0))
    chart.ribbon(trend.dials, DIAL)
    chart.curve(trend.dials, DIAL)
    chart.marks(scene.shown_marks)
    _explain(canvas, box, "median, and the range of eight in ten attempts")


def _paint_belief(scene: Watch, canvas: Canvas, box: Box) -> None:
    trend = scene.trend
    chosen = scene.wall.chosen[scene.wall.number]
    if not chosen.beliefs:
        Chart(canvas, box, "what the controller believes", Span(0.0, 1.0), Span(0.0, 1.0))
        canvas.text(f"{chosen.kind.name} follows its plan", box.x + box.width / 2, box.y + 90, SMALL, QUIET, align=0.5)
        canvas.text("and believes nothing", box.x + box.width / 2, box.y + 112, SMALL, QUIET, align=0.5)
        return
    name = chosen.beliefs[0].replace("_", " ")
    low = min((dot.low for dot in trend.beliefs), default=0.0)
    high = max((dot.high for dot in trend.beliefs), default=1.0)
    room = max(0.08 * (high - low), 1e-3)
    told = f"{trend.beliefs[-1].y:.3g}" if trend.beliefs else ""
    chart = Chart(canvas, box, f"belief: {name}", _span(trend), Span(low - room, high + room), value=told)
    chart.grid((low, (low + high) / 2, high))
    chart.ribbon(trend.beliefs, PURPLE)
    chart.curve(trend.beliefs, PURPLE)
    chart.marks(scene.shown_marks)
    _explain(canvas, box, "before each attempt: median, eight in ten")


def _paint_menu(scene: Watch, canvas: Canvas) -> None:
    assert scene.menu is not None
    boxes = menu_boxes(len(scene.menu.kinds))
    whole = Box(boxes[0].x - 20, boxes[0].y - 58, boxes[0].width + 40, len(boxes) * _MENU_ROW + 108)
    canvas.veil(Box(0, 0, WIDTH, HEIGHT), (0, 0, 0), 0.55)
    canvas.rect(whole, CARD, radius=14)
    canvas.rect(whole, LINE, radius=14, border=1)
    canvas.text("Let another controller decide", boxes[0].x, whole.y + 16, LARGE, INK, bold=True)
    for i, (box, kind) in enumerate(zip(boxes, scene.menu.kinds, strict=True)):
        if i == scene.menu.at:
            canvas.rect(box, RAISED, radius=8)
            canvas.rect(Box(box.x, box.y, 4, box.height), SKY, radius=2)
        canvas.text(kind.name, box.x + 14, box.y + 8, BODY, INK, bold=i == scene.menu.at)
        canvas.text(fitted(canvas, kind.summary, SMALL, 730), box.x + 215, box.y + 10, SMALL, QUIET)
    end = whole.y + whole.height - 38
    key_line(canvas, ((("up", "down"), "choose"), (("return",), "switch now"), (("escape",), "keep")), boxes[0].x, end)
