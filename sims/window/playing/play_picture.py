"""The pictures of play: the start screen, the game with its keys, the card after an attempt, and the skill."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from engine.game import LOST, WON, Game
from engine.inference.intervals import wilson
from sims.window.canvas import Box, Canvas
from sims.window.palette import CARD, DIAL, GREEN, INK, LINE, ORANGE, PAPER, PURPLE, QUIET, RAISED, SKY
from sims.window.panels import (
    BODY,
    HUGE,
    LARGE,
    MARGIN,
    OUTCOME_COLOURS,
    OUTCOME_MARKS,
    OUTCOME_WORDS,
    SMALL,
    TINY,
    TITLE,
    backdrop,
    bar,
    card,
    footer,
    key_cap,
    key_line,
    key_name,
    outcome_sign,
    paint_heading,
    paint_table,
    percent,
    setting_rows,
    wrap_lines,
)
from sims.window.playing.play_layout import _BESIDE, _SCALE, AIM, CHOICE, DEMO, SIDE, START, TARGET, VIEW, choice_rows
from sims.window.playing.play_menu import READY_S, PlayMenu
from sims.window.playing.skill_estimate import FEWEST, SkillEstimate

if TYPE_CHECKING:
    from sims.window.playing.play_scene import PlayScene

_DOTS: Final = 20
_NOTE: Final = 13  # font size of notes
_RULES: Final = Box(MARGIN, VIEW.y + VIEW.height + 38, VIEW.width, 60)  # the rules, below the game
_RULES_SIZES: Final = ((SMALL, 22), (TINY, 19), (_NOTE, 15))  # font sizes and line heights; the largest that fits
_START_KEYS: Final = (
    (("up", "down"), "choose a controller"),
    (("left", "right"), "set the target win rate"),
    (("return",), "start"),
    (("escape",), "end"),
)
_KEYS: Final = ((("escape",), "pause and menu"), (("r",), "restart this level"))
_CARD_KEYS: Final = ((("return", "space"), "next level"), (("escape",), "menu"))
_MENU_KEYS: Final = ((("up", "down"), "choose"), (("return",), "take"), (("escape",), "go on"))
_MODES: Final = {
    "deterministic": "follows a fixed schedule",
    "adaptive": "adapts to how you play",
    "self_adaptive": "adapts, and tunes itself",
}


def title_of(game: Game) -> str:
    """A game's name in title case."""
    return game.name.replace("_", " ").title()


def game_keys(game: Game) -> list[tuple[tuple[str, ...], str]]:
    """The keys of a game and their actions."""
    if not game.keys:
        return [(("left", "right", "up", "down"), "cursor"), (("return",), "pick a tile, then a direction to swap it")]
    by_action: dict[int, list[str]] = {}
    for key, action in game.keys.items():
        by_action.setdefault(action, []).append(key)
    return [(tuple(keys), game.actions[action]) for action, keys in by_action.items()]


def paint_play(scene: PlayScene, canvas: Canvas) -> None:
    """The whole picture."""
    if scene.stage in ("start", "opening"):
        _paint_start(scene, canvas)
        return
    current = scene.last if scene.stage in ("ending", "card") and scene.last is not None else scene.current
    assert current is not None  # set when the start screen closes
    again = scene.again_s > 0.0 and scene.stage == "playing" and scene.ready_s <= 0.0
    backdrop(canvas, title_of(scene.game), "" if again else _subtitle(scene), f"attempt {current.number + 1}")
    shapes = scene.picture()
    canvas.shapes(shapes, VIEW)
    if scene.cells is not None and scene.stage == "playing":
        scene.cells.paint(canvas, shapes, VIEW)
    end = key_line(canvas, game_keys(scene.game), MARGIN, VIEW.y + VIEW.height + 10)
    if scene.cells is not None:
        canvas.text("or click two neighbouring tiles", end, VIEW.y + VIEW.height + 14, TINY, QUIET)
    _paint_rules(scene.game, canvas)
    keys: Sequence[tuple[Sequence[str], str]] = _KEYS
    if scene.stage == "card":
        _paint_card(scene, canvas)
        keys = _CARD_KEYS
    elif scene.ready_s > 0.0:
        _paint_countdown(scene, canvas)
    elif again:
        _paint_again(scene, canvas)
    if scene.menu is not None:
        _paint_menu(scene.menu, scene, canvas)
        keys = _MENU_KEYS
    _paint_side(scene, canvas)
    footer(canvas, keys)


def _subtitle(scene: PlayScene) -> str:
    player = "demo by a synthetic player, " if scene.demonstrated else ""
    return f"{player}{scene.kind.name} sets the difficulty"


def _paint_start(scene: PlayScene, canvas: Canvas) -> None:
    canvas.clear(PAPER)
    canvas.text(title_of(scene.game), MARGIN + 40, 32, 56, INK, bold=True)
    canvas.text(scene.game.summary, MARGIN + 42, 104, BODY, QUIET)
    canvas.shapes(scene.demo.shapes(), DEMO)
    canvas.rect(DEMO, LINE, border=1)
    canvas.text("demo by a synthetic player", DEMO.x, DEMO.y + DEMO.height + 5, TINY, QUIET)
    _paint_how_to(scene, canvas)
    _paint_choice(scene, canvas)
    box = card(canvas, AIM, "target win rate: how often you should win")
    canvas.text(percent(scene.target), box.x + box.width, AIM.y + 8, LARGE, GREEN, align=1.0, bold=True)
    bar(canvas, Box(TARGET.x, TARGET.y + 10, TARGET.width, 9), scene.target, GREEN)
    canvas.circle(TARGET.x + scene.target * TARGET.width, TARGET.y + 14, 9, INK)
    ready = scene.stage == "start"
    canvas.rect(START, GREEN if ready else RAISED, radius=10)
    words = "Press Enter to start" if ready else "loading …"
    canvas.text(words, START.x + START.width / 2, START.y + 11, LARGE, PAPER if ready else INK, align=0.5, bold=True)
    footer(canvas, _START_KEYS)


def _paint_how_to(scene: PlayScene, canvas: Canvas) -> None:
    """Paint the goal, the keys, and the ways to lose."""
    x, y = DEMO.x, DEMO.y + DEMO.height + 32
    for sentence in scene.game.how_to:
        for line in wrap_lines(canvas, sentence, TINY, _BESIDE):
            canvas.text(line, x, y, TINY, INK)
            y += 19
    y += 8
    for keys, meaning in game_keys(scene.game):
        width = sum(canvas.width_of(key_name(key), SMALL, bold=True) + 22 for key in keys)
        if x > DEMO.x and x + width + canvas.width_of(meaning, SMALL) > DEMO.x + _BESIDE:
            x, y = DEMO.x, y + 32
        for key in keys:
            x += key_cap(canvas, key, x, y) + 5
        x += canvas.text(meaning, x + 4, y + 4, SMALL, INK) + 24
    y += 34
    causes = f"Ways to lose: {', '.join(scene.game.causes)}."
    for line in wrap_lines(canvas, causes, TINY, _BESIDE):
        canvas.text(line, DEMO.x, y, TINY, QUIET)
        y += 20


def _paint_choice(scene: PlayScene, canvas: Canvas) -> None:
    box = card(canvas, CHOICE, "controller: sets the difficulty of each attempt")
    rows = choice_rows(len(scene.kinds), scene.kind_at)
    if len(rows) < len(scene.kinds):
        words = f"{scene.kind_at + 1} of {len(scene.kinds)}"
        canvas.text(words, box.x + box.width, CHOICE.y + 10, TINY, QUIET, align=1.0)
    for number, row in rows:
        kind, chosen = scene.kinds[number], number == scene.kind_at
        if chosen:
            canvas.rect(row, RAISED, radius=7)
            canvas.rect(Box(row.x, row.y, 4, row.height), SKY, radius=2)
        canvas.text(kind.name, row.x + 14, row.y + 7, SMALL, INK, bold=chosen)
        canvas.text(_MODES[kind.mode], row.x + row.width - 14, row.y + 8, TINY, QUIET, align=1.0)
    words, colour = (scene.refusal, ORANGE) if scene.refusal else (scene.kind.summary, INK)
    y = CHOICE.y + CHOICE.height - 80
    for line in wrap_lines(canvas, words, TINY, box.width - 14)[:3]:
        canvas.text(line, box.x + 14, y, TINY, colour)
        y += 21


def _paint_menu(menu: PlayMenu, scene: PlayScene, canvas: Canvas) -> None:
    canvas.veil(VIEW, (5, 10, 16), 0.82)
    middle = VIEW.x + VIEW.width / 2
    canvas.text("paused" if scene.stage == "playing" else "menu", middle, VIEW.y + 130, HUGE, INK, align=0.5, bold=True)
    for place, (choice, box) in enumerate(menu.rows()):
        chosen = place == menu.at
        canvas.rect(box, GREEN if chosen else RAISED, radius=9)
        canvas.text(choice, middle, box.y + 9, BODY, PAPER if chosen else INK, align=0.5, bold=chosen)


def _paint_countdown(scene: PlayScene, canvas: Canvas) -> None:
    """Three, two, one: the hands find the keys before the game goes on."""
    x, y = VIEW.x + VIEW.width / 2, VIEW.y + VIEW.height / 2
    canvas.circle(x, y, 58, CARD)
    canvas.circle(x, y, 58, SKY, border=3)
    left = math.ceil(scene.ready_s / READY_S * 3.0)
    canvas.text(str(left), x, y - 34, 64, INK, align=0.5, bold=True)


def _paint_rules(game: Game, canvas: Canvas) -> None:
    """Paint the rules below the game."""
    words = " ".join(game.how_to)
    for size, step in _RULES_SIZES:
        lines = wrap_lines(canvas, words, size, _RULES.width)
        if len(lines) * step <= _RULES.height:
            break
    for n, line in enumerate(lines[: int(_RULES.height // step)]):
        canvas.text(line, _RULES.x, _RULES.y + n * step, size, INK)


def _paint_again(scene: PlayScene, canvas: Canvas) -> None:
    words = "level restarted; the last attempt "
    words += "counts as not won" if scene.counted else f"was too short for {scene.kind.name} to learn from"
    width = canvas.width_of(words, SMALL) + 32
    title = canvas.width_of(title_of(scene.game), TITLE, bold=True)
    box = Box(MARGIN + title + 16, 20, width, 34)  # in the header: over the game it would cover its words
    canvas.rect(box, CARD, radius=17)
    canvas.rect(box, SKY, radius=17, border=2)
    canvas.text(words, box.x + width / 2, box.y + 8, SMALL, INK, align=0.5)


def _paint_card(scene: PlayScene, canvas: Canvas) -> None:
    assert scene.last is not None
    assert scene.current is not None
    stepper = scene.last.stepper
    outcome, colour = stepper.outcome, OUTCOME_COLOURS[stepper.outcome]
    box = Box(VIEW.x + VIEW.width / 2 - 260, VIEW.y + 130, 520, 236)
    canvas.veil(VIEW, (5, 10, 16), 0.5)
    canvas.rect(box, CARD, radius=16)
    canvas.rect(box, colour, radius=16, border=3)
    middle = box.x + box.width / 2
    words = f"{OUTCOME_MARKS[outcome]}  {OUTCOME_WORDS[outcome]}"
    canvas.text(words, middle, box.y + 20, HUGE, colour, align=0.5, bold=True)
    progress = f"{percent(stepper.progress)} completed"
    ending = f"time is up, {progress}"
    if outcome == WON:
        ending = f"in {stepper.result().duration_s:.0f} s"
    elif outcome == LOST:
        ending = f"{scene.game.causes[stepper.result().cause]}, {progress}"
    canvas.text(ending, middle, box.y + 78, BODY, INK, align=0.5)
    before, after = scene.last.setting.difficulty, scene.current.setting.difficulty
    change = after - before
    word = "harder" if change > 0.0005 else "easier" if change < -0.0005 else "unchanged"
    canvas.text("difficulty", box.x + 40, box.y + 122, SMALL, QUIET)
    words = f"{before:.2f}  →  {after:.2f}   {word}"
    canvas.text(words, box.x + box.width - 40, box.y + 120, BODY, ORANGE, align=1.0, bold=True)
    track = Box(box.x + 40, box.y + 152, box.width - 80, 8)
    bar(canvas, track, after, DIAL)
    canvas.circle(track.x + before * track.width, track.y + 4, 6, QUIET)
    width = canvas.width_of("next level", BODY) + 150
    x = middle - width / 2
    x += key_cap(canvas, "return", x, box.y + 184, size=SMALL) + 6
    x += key_cap(canvas, "space", x, box.y + 184, size=SMALL) + 12
    canvas.text("next level", x, box.y + 187, BODY, INK)


def _paint_side(scene: PlayScene, canvas: Canvas) -> None:
    box = card(canvas, SIDE, "the player" if scene.demonstrated else "you")
    ended, wins = scene.attempts, scene.wins
    if scene.given_up:
        words = f"{scene.given_up} given up: not won"
        canvas.text(words, box.x + box.width, SIDE.y + 10, TINY, QUIET, align=1.0)
    if not ended:
        canvas.text("No attempt yet", box.x, box.y - 2, SMALL, INK, bold=True)
        canvas.text(f"Target: win {percent(scene.target)} of attempts.", box.x, box.y + 30, SMALL, QUIET)
    else:
        width = canvas.text(f"{wins} of {ended}", box.x, box.y - 4, LARGE, INK, bold=True)
        canvas.text("won", box.x + width + 8, box.y + 3, BODY, QUIET)
        low, high = wilson(wins, ended)
        canvas.text(percent(wins / ended), box.x + box.width, box.y - 4, LARGE, SKY, align=1.0, bold=True)
        _interval(canvas, Box(box.x, box.y + 40, box.width, 8), low, wins / ended, high, scene.target)
    for i, outcome in enumerate(scene.tries[-_DOTS:]):
        outcome_sign(canvas, box.x + 6 + 13.8 * i, box.y + 78, outcome, 5, border=2)
    current = scene.current
    assert current is not None
    shown = scene.last if scene.stage in ("ending", "card") and scene.last is not None else current
    y = paint_heading(canvas, f"level {shown.stepper.address.level}", box, box.y + 102)
    canvas.text("difficulty, 0 to 1", box.x, y, SMALL, QUIET)
    canvas.text(f"{shown.setting.difficulty:.3f}", box.x + box.width, y, SMALL, ORANGE, align=1.0, bold=True)
    bar(canvas, Box(box.x, y + 22, box.width, 7), shown.setting.difficulty, DIAL)
    y = paint_table(
        canvas, Box(box.x, y + 38, box.width, 0), setting_rows(scene.game, shown.stepper.values), step=19, size=TINY
    )
    _paint_skill(scene, canvas, Box(box.x, max(y + 8, SIDE.y + 362), box.width, 200))


def _interval(canvas: Canvas, box: Box, low: float, value: float, high: float, target: float) -> None:
    """Paint a share with its margin on a line from 0 to 1, and the target."""
    canvas.rect(box, RAISED, radius=4)
    canvas.rect(Box(box.x + low * box.width, box.y, (high - low) * box.width, box.height), (44, 98, 132), radius=4)
    canvas.circle(box.x + value * box.width, box.y + box.height / 2, 6, SKY)
    at = box.x + target * box.width
    canvas.rect(Box(at - 1, box.y - 5, 3, box.height + 10), GREEN)
    middle = min(max(at, box.x + 40), box.x + box.width - 40)
    canvas.text(f"target {percent(target)}", middle, box.y + 12, _NOTE, GREEN, align=0.5)


def _paint_skill(scene: PlayScene, canvas: Canvas, box: Box) -> None:
    y = paint_heading(canvas, "skill of the player" if scene.demonstrated else "your skill", box, box.y)
    estimate, ended = scene.estimate, len(scene.outcomes)
    if scene.no_estimate:
        canvas.text("the estimate has failed", box.x, y, SMALL, ORANGE)
    elif estimate is not None:
        _paint_estimate(canvas, Box(box.x, y, box.width, 0), estimate, scene.outcomes[: estimate.attempts])
        if scene.computing:
            canvas.text("…", box.x + box.width, box.y, SMALL, QUIET, align=1.0)
    else:
        left = FEWEST - ended
        words = f"after {left} more finished attempt{'s' if left != 1 else ''}" if left > 0 else "computing …"
        canvas.text(words, box.x, y, SMALL, INK)
        bar(canvas, Box(box.x, y + 28, box.width, 7), ended / FEWEST, PURPLE)
    if scene.given_up:
        words = f"excludes {scene.given_up} attempt{'' if scene.given_up == 1 else 's'} given up"
        canvas.text(words, box.x, SIDE.y + SIDE.height - 24, _NOTE, QUIET)


def _paint_estimate(canvas: Canvas, box: Box, estimate: SkillEstimate, outcomes: Sequence[int]) -> None:
    def place(skill: float) -> float:
        return box.x + box.width * min(max(0.5 + 0.5 * skill / _SCALE, 0.0), 1.0)

    y = box.y
    canvas.text(f"{estimate.skill:+.2f}", box.x, y - 2, LARGE, PURPLE, bold=True)
    canvas.text(f"95 %: {estimate.low:+.1f} to {estimate.high:+.1f}", box.x + box.width, y + 4, TINY, INK, align=1.0)
    y += 38
    canvas.rect(Box(box.x, y, box.width, 8), RAISED, radius=4)
    canvas.rect(Box(place(estimate.low), y, place(estimate.high) - place(estimate.low), 8), (101, 66, 86), radius=4)
    canvas.circle(place(estimate.skill), y + 4, 6, PURPLE)
    canvas.rect(Box(place(0.0), y - 4, 1, 16), LINE)
    below, above = (f"{100.0 * share:.0f}" for share in (estimate.percentile_low, estimate.percentile_high))
    rows = [
        ("players with less skill", f"{percent(estimate.percentile)}  ({below}–{above})"),
        ("won in the same attempts", percent(sum(outcome == WON for outcome in outcomes) / len(outcomes))),
        ("won by a synthetic twin", percent(estimate.twin)),
    ]
    paint_table(canvas, Box(box.x, y + 20, box.width, 0), rows, step=21, size=TINY)
    canvas.text("simulation scale, not fitted to real players", box.x, y + 86, _NOTE, QUIET)
