"""How playing looks: the start screen, the game with its keys, the card after an attempt, and the skill beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.game import LOST, WON, Game
from engine.statistics import wilson
from sims.palette import CARD, DIAL, GREEN, INK, LINE, ORANGE, PAPER, PURPLE, QUIET, RAISED, SKY
from sims.panels import (
    BODY,
    HUGE,
    LARGE,
    MARGIN,
    OUTCOME_COLOURS,
    OUTCOME_MARKS,
    OUTCOME_WORDS,
    SMALL,
    TINY,
    backdrop,
    bar,
    card,
    fitted,
    footer,
    heading,
    key_cap,
    key_line,
    key_name,
    lines_within,
    percent,
    setting_rows,
    table,
)
from sims.screen import WIDTH, Box, Canvas
from sims.skill_estimate import FEWEST, SkillEstimate

if TYPE_CHECKING:
    from sims.play import Play

VIEW: Final = Box(MARGIN, 68, 912, 513)
SIDE: Final = Box(MARGIN + 912 + 16, 68, WIDTH - 2 * MARGIN - 928, 586)
DEMO: Final = Box(MARGIN + 42, 180, 496, 279)
CHOICE: Final = Box(600, 180, 640, 404)
START: Final = Box(600, 600, 640, 48)
_SCALE: Final = 3.5  # logits to each side of the scale of skill
_DOTS: Final = 20
_START_KEYS: Final = (
    (("up", "down"), "who decides"),
    (("left", "right"), "how often you win"),
    (("return",), "start"),
    (("escape",), "end"),
)
_KEYS: Final = ((("p",), "pause"), (("r",), "give up, next level"), (("escape",), "end"))


def game_keys(game: Game) -> list[tuple[tuple[str, ...], str]]:
    """Which keys do what in a game."""
    if not game.keys:
        return [(("left", "right", "up", "down"), "cursor"), (("return",), "take a tile, then a direction: swap")]
    by_action: dict[int, list[str]] = {}
    for key, action in game.keys.items():
        by_action.setdefault(action, []).append(key)
    return [(tuple(keys), game.actions[action]) for action, keys in by_action.items()]


def paint_play(scene: Play, canvas: Canvas) -> None:
    """The whole picture."""
    if scene.stage in ("start", "warming"):
        _paint_start(scene, canvas)
        return
    task = scene.last if scene.stage in ("ending", "card") else scene.task
    assert task is not None  # there is one as soon as the start screen is left
    backdrop(canvas, f"Play: {scene.game.name}", f"{scene.kind.name} adapts", f"attempt {task.number + 1}")
    shapes = scene.picture()
    canvas.shapes(shapes, VIEW)
    if scene.cells is not None and scene.stage == "playing":
        scene.cells.paint(canvas, shapes, VIEW)
    end = key_line(canvas, game_keys(scene.game), MARGIN, VIEW.y + VIEW.height + 18)
    if scene.cells is not None:
        canvas.text("or click two neighbours", end, VIEW.y + VIEW.height + 22, TINY, QUIET)
    if scene.stage == "card":
        _paint_card(scene, canvas)
    elif scene.paused:
        canvas.veil(VIEW, (5, 10, 16), 0.65)
        middle = VIEW.x + VIEW.width / 2
        canvas.text("paused", middle, VIEW.y + 200, HUGE, INK, align=0.5, bold=True)
        canvas.text("P plays on", middle, VIEW.y + 260, BODY, QUIET, align=0.5)
    _paint_side(scene, canvas)
    footer(canvas, _KEYS)


def _paint_start(scene: Play, canvas: Canvas) -> None:
    canvas.clear(PAPER)
    canvas.text(scene.game.name.replace("_", " ").title(), MARGIN + 40, 56, 56, INK, bold=True)
    canvas.text(scene.game.summary, MARGIN + 42, 128, BODY, QUIET)
    canvas.shapes(scene.demo.shapes(), DEMO)
    canvas.rect(DEMO, LINE, border=1)
    canvas.text("a synthetic player", DEMO.x + 8, DEMO.y + DEMO.height + 6, TINY, QUIET)
    x, y = DEMO.x, DEMO.y + DEMO.height + 34
    for keys, meaning in game_keys(scene.game):
        width = sum(canvas.width_of(key_name(key), SMALL, bold=True) + 22 for key in keys)
        if x > DEMO.x and x + width + canvas.width_of(meaning, SMALL) > DEMO.x + DEMO.width:
            x, y = DEMO.x, y + 36
        for key in keys:
            x += key_cap(canvas, key, x, y) + 5
        x += canvas.text(meaning, x + 4, y + 4, SMALL, INK) + 24
    if scene.cells is not None:
        y += 36
        canvas.text("or click two neighbouring tiles", DEMO.x, y + 4, SMALL, INK)
    y += 44
    causes = "ways to lose: " + ", ".join(scene.game.causes)
    for i, line in enumerate(lines_within(canvas, causes, TINY, DEMO.width)):
        canvas.text(line, DEMO.x, y + 20 * i, TINY, QUIET)
    box = card(canvas, CHOICE, "who decides how hard it is")
    y = box.y
    for i, kind in enumerate(scene.kinds):
        row = Box(box.x, y, box.width, 34)
        if i == scene.kind_at:
            canvas.rect(row, RAISED, radius=7)
            canvas.rect(Box(row.x, row.y, 4, row.height), SKY, radius=2)
        canvas.text(kind.name, row.x + 14, y + 7, SMALL, INK, bold=i == scene.kind_at)
        canvas.text(fitted(canvas, kind.summary, TINY, row.width - 200), row.x + 190, y + 8, TINY, QUIET)
        y += 36
    y = CHOICE.y + CHOICE.height - 72
    canvas.text("how often you should win", box.x, y, SMALL, QUIET, bold=True)
    canvas.text(percent(scene.target), box.x + box.width, y - 4, LARGE, GREEN, align=1.0, bold=True)
    bar(canvas, Box(box.x, y + 34, box.width, 9), scene.target, GREEN)
    # Compiling what estimates the skill takes a while, once; during an attempt it would make the game stutter.
    words = "getting ready, once for this game …" if scene.stage == "warming" else "Enter starts"
    canvas.rect(START, GREEN if scene.stage == "start" else RAISED, radius=10)
    colour = PAPER if scene.stage == "start" else QUIET
    canvas.text(words, START.x + START.width / 2, START.y + 11, LARGE, colour, align=0.5, bold=True)
    footer(canvas, _START_KEYS)


def _paint_card(scene: Play, canvas: Canvas) -> None:
    assert scene.last is not None
    assert scene.task is not None
    film = scene.last.film
    outcome, colour = film.outcome, OUTCOME_COLOURS[film.outcome]
    box = Box(VIEW.x + VIEW.width / 2 - 260, VIEW.y + 130, 520, 236)
    canvas.veil(VIEW, (5, 10, 16), 0.5)
    canvas.rect(box, CARD, radius=16)
    canvas.rect(box, colour, radius=16, border=3)
    middle = box.x + box.width / 2
    words = f"{OUTCOME_MARKS[outcome]}  {OUTCOME_WORDS[outcome]}"
    canvas.text(words, middle, box.y + 20, HUGE, colour, align=0.5, bold=True)
    told = "given up: counts as not won"
    if outcome == WON:
        told = "well played"
    elif outcome == LOST:
        told = f"{scene.game.causes[film.result().cause]}, {percent(film.progress)} of the way"
    canvas.text(told, middle, box.y + 78, BODY, INK, align=0.5)
    before, after = scene.last.setting.difficulty, scene.task.setting.difficulty
    change = after - before
    word = "harder" if change > 0.0005 else "easier" if change < -0.0005 else "as hard as before"
    canvas.text("difficulty", box.x + 40, box.y + 122, SMALL, QUIET)
    canvas.text(
        f"{before:.2f}  →  {after:.2f}   {word}",
        box.x + box.width - 40,
        box.y + 120,
        BODY,
        ORANGE,
        align=1.0,
        bold=True,
    )
    track = Box(box.x + 40, box.y + 152, box.width - 80, 8)
    bar(canvas, track, after, DIAL)
    canvas.circle(track.x + before * track.width, track.y + 4, 6, QUIET)
    width = canvas.width_of("next", BODY) + 150
    x = middle - width / 2
    x += key_cap(canvas, "return", x, box.y + 184, size=SMALL) + 6
    x += key_cap(canvas, "space", x, box.y + 184, size=SMALL) + 12
    canvas.text("next", x, box.y + 187, BODY, INK)


def _paint_side(scene: Play, canvas: Canvas) -> None:
    box = card(canvas, SIDE, "you")
    attempts, wins = len(scene.outcomes), scene.wins
    if not attempts:
        canvas.text("The first attempt", box.x, box.y - 2, BODY, INK, bold=True)
        canvas.text(f"You should win {percent(scene.target)} of them.", box.x, box.y + 30, SMALL, QUIET)
    else:
        width = canvas.text(f"{wins} of {attempts}", box.x, box.y - 4, LARGE, INK, bold=True)
        canvas.text("won", box.x + width + 8, box.y + 3, BODY, QUIET)
        low, high = wilson(wins, attempts)
        canvas.text(percent(wins / attempts), box.x + box.width, box.y - 4, LARGE, SKY, align=1.0, bold=True)
        _interval(canvas, Box(box.x, box.y + 40, box.width, 8), low, wins / attempts, high, scene.target)
    for i, outcome in enumerate(scene.outcomes[-_DOTS:]):
        won = outcome == WON
        canvas.circle(box.x + 6 + 13.8 * i, box.y + 78, 5, OUTCOME_COLOURS[outcome], border=0 if won else 2)
    task = scene.task
    assert task is not None
    shown = scene.last if scene.stage in ("ending", "card") and scene.last is not None else task
    y = heading(canvas, "this attempt", box, box.y + 102)
    canvas.text("difficulty", box.x, y, SMALL, QUIET)
    canvas.text(f"{shown.setting.difficulty:.3f}", box.x + box.width, y, SMALL, ORANGE, align=1.0, bold=True)
    bar(canvas, Box(box.x, y + 22, box.width, 7), shown.setting.difficulty, DIAL)
    y = table(canvas, Box(box.x, y + 38, box.width, 0), setting_rows(scene.game, shown.film.values), step=19, size=TINY)
    _paint_skill(scene, canvas, Box(box.x, max(y + 8, SIDE.y + 372), box.width, 200))


def _interval(canvas: Canvas, box: Box, low: float, value: float, high: float, target: float) -> None:
    """A share with its interval on a line from 0 to 1, and the target beside it."""
    canvas.rect(box, RAISED, radius=4)
    canvas.rect(Box(box.x + low * box.width, box.y, (high - low) * box.width, box.height), (44, 98, 132), radius=4)
    canvas.circle(box.x + value * box.width, box.y + box.height / 2, 6, SKY)
    at = box.x + target * box.width
    canvas.rect(Box(at - 1, box.y - 5, 3, box.height + 10), GREEN)
    canvas.text(
        f"target {percent(target)}", min(max(at, box.x + 40), box.x + box.width - 40), box.y + 12, 13, GREEN, align=0.5
    )


def _paint_skill(scene: Play, canvas: Canvas, box: Box) -> None:
    y = heading(canvas, "your skill", box, box.y)
    found = scene.estimate
    if found is None:
        left = FEWEST - len(scene.outcomes)
        words = f"after {left} more attempt{'s' if left != 1 else ''}" if left > 0 else "being estimated …"
        canvas.text(words, box.x, y, SMALL, INK)
        bar(canvas, Box(box.x, y + 28, box.width, 7), len(scene.outcomes) / FEWEST, PURPLE)
        return
    _paint_estimate(canvas, Box(box.x, y, box.width, 0), found, scene.wins, len(scene.outcomes))
    if scene.computing:
        canvas.text("…", box.x + box.width, box.y, SMALL, QUIET, align=1.0)


def _paint_estimate(canvas: Canvas, box: Box, found: SkillEstimate, wins: int, attempts: int) -> None:
    def place(skill: float) -> float:
        return box.x + box.width * min(max(0.5 + 0.5 * skill / _SCALE, 0.0), 1.0)

    y = box.y
    canvas.text(f"{found.skill:+.2f}", box.x, y - 2, LARGE, PURPLE, bold=True)
    canvas.text(f"{found.low:+.1f} to {found.high:+.1f}", box.x + box.width, y + 4, SMALL, INK, align=1.0)
    y += 38
    canvas.rect(Box(box.x, y, box.width, 8), RAISED, radius=4)
    canvas.rect(Box(place(found.low), y, place(found.high) - place(found.low), 8), (101, 66, 86), radius=4)
    canvas.circle(place(found.skill), y + 4, 6, PURPLE)
    canvas.rect(Box(place(0.0), y - 4, 1, 16), LINE)
    rows = [
        ("better than", f"{percent(found.percentile)} of the players"),
        ("you won", percent(wins / attempts)),
        ("your twin would win", percent(found.twin)),
    ]
    table(canvas, Box(box.x, y + 20, box.width, 0), rows, step=21)
    canvas.text("uncalibrated: the scale is the simulation's", box.x, y + 86, 13, QUIET)
