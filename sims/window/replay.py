"""Replay: the attempt of one row again, at any speed, forward and back.

The row gives parameters, faculties and address or, for a person, the recorded actions. The plain functions of the rules
play the attempt again. At its end its state hash is compared with the row's: "state equal" or "state differs".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from engine.attempt import Result
from engine.errors import RunFolderError
from engine.game import LOST, OUTCOMES, WON, Shape
from sims.playback.played import differences_of
from sims.playback.row_choice import RecordedRow, choose_row, is_altered, read_row, rows_of_pick
from sims.playback.stepper import Recording
from sims.playback.story import MomentKind, story_of
from sims.run_folder.rounding import kept_digits, rounding_note
from sims.run_folder.row_file import ignored_note, open_table
from sims.terminal import quoted, say, show
from sims.window.canvas import WIDTH, Box, Canvas
from sims.window.palette import (
    CARD,
    GREEN,
    INK,
    ORANGE,
    PAPER,
    PURPLE,
    QUIET,
    SKY,
    VERMILLION,
    Colour,
    blend,
)
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
    backdrop,
    badge,
    bar,
    card,
    footer,
    knob_for,
    paint_heading,
    paint_table,
    percent,
    setting_rows,
    shorten,
)
from sims.window.screen import Event, show_scene
from sims.window.viewport import tick_seconds

SPEEDS: Final = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
VIEW: Final = Box(MARGIN, 64, 848, 477)
RESULT: Final = Box(MARGIN, VIEW.y + VIEW.height + 8, VIEW.width, 58)  # nothing of the end covers the game's picture
SIDE: Final = Box(MARGIN + VIEW.width + 16, 64, WIDTH - 2 * MARGIN - VIEW.width - 16, 602)
TRACK: Final = Box(MARGIN + 60, 624, VIEW.width - 196, 10)
LANES: Final[dict[MomentKind, float]] = {  # heights of the events below the bar
    "seen": TRACK.y + 19,
    "wanted": TRACK.y + 26,
    "done": TRACK.y + 34,
    "slip": TRACK.y + 34,
    "lapse": TRACK.y + 34,
    "hit": TRACK.y + 45,
}
MOMENT_COLOURS: Final[dict[MomentKind, Colour]] = {
    "seen": SKY,
    "wanted": INK,
    "done": GREEN,
    "slip": ORANGE,
    "lapse": PURPLE,
    "hit": VERMILLION,
}
MEANINGS: Final[dict[MomentKind, str]] = {
    "seen": "could be seen",
    "wanted": "wanted",
    "done": "done",
    "slip": "slip: did something else",
    "lapse": "lapse: did nothing",
    "hit": "hit",
}
_END_S: Final = 2.0  # how long a recording shows the end
_KEYS: Final = (
    (("space",), "play, pause"),
    (("left", "right"), "one tick"),
    (("up", "down"), "speed"),
    (("home", "end"), "start, end"),
    (("escape",), "close"),
)


_NEXT_KEY: Final = (("n",), "next row of the pick; with Shift the one before")


class ReplayCheck(NamedTuple):
    """The comparison of a replay with its row."""

    equal: bool
    result: Result  # of the replay
    expected_hash: int  # of the row
    differences: tuple[str, ...]  # columns of the outcome that differ


def check_replay(row: RecordedRow, recording: Recording) -> ReplayCheck:
    """Compare the end of a complete recording with its row."""
    differences = differences_of(row, recording)
    return ReplayCheck(not differences, recording.stepper.result(), row.cells["state_hash"], differences)


class ReplayScene:
    """The scene: one attempt, with a slider over its time."""

    def __init__(
        self,
        row: RecordedRow,
        *,
        speed: float = 1.0,
        ends_itself: bool = False,
        others: Sequence[int] = (),
        open_row: Callable[[int], RecordedRow] | None = None,
    ) -> None:
        """others: numbers of the rows that N steps through; open_row: reads one of them."""
        self.done = False
        self.speed = speed
        self._others, self._open_row = others, open_row
        self._ends_itself = ends_itself
        self._show(row)

    def _show(self, row: RecordedRow) -> None:
        """Show a row from its start."""
        self.row, self.recording = row, row.recording()
        self.story = None if row.human_actions is not None else story_of(row.recording().stepper)
        self.playing = True
        self.place = 0.0  # ticks, with the elapsed fraction of the next one
        self.check: ReplayCheck | None = None
        self._tick_s = tick_seconds(row.game)
        self._unit = "tick" if row.game.pace == "real_time" else "turn"
        self._length = max(int(row.cells["ticks"]), 1)
        self._dragging = False
        self._ended_s = 0.0
        self._shown = -1  # tick of the current picture
        self._now: Sequence[Shape] = ()
        self._next: Sequence[Shape] = ()
        self.go_to(0.0)

    @property
    def at_end(self) -> bool:
        """Whether the last state is on screen."""
        return self.recording.whole and self.place >= len(self.recording.states) - 1

    def go_to(self, place: float) -> None:
        """Show a moment, in ticks from the start. Plays on as far as needed."""
        self.place = min(max(place, 0.0), float(self.row.game.max_ticks))
        self.recording.reach(math.ceil(self.place) + 1)
        if self.recording.whole:
            self._length = max(len(self.recording.states) - 1, 1)
            self.place = min(self.place, len(self.recording.states) - 1.0)
            if self.check is None:
                self.check = check_replay(self.row, self.recording)
        self._look()

    def _look(self) -> None:
        """Make the picture of the moment. Painting must not do so: a game may draw random numbers for its layout."""
        tick = int(self.place)
        if tick != self._shown:
            self._shown = tick
            self._now = self._next = self.recording.shapes(tick)
            if tick + 1 < len(self.recording.states):
                self._next = self.recording.shapes(tick + 1)

    def handle(self, event: Event) -> None:
        if event.kind == "close" or (event.kind == "press" and event.key == "escape"):
            self.done = True
        elif event.kind == "press":
            self._press("N" if event.key == "n" and event.shift else event.key)
        elif event.kind == "click" and TRACK.inner(-14).holds(event.x, event.y):
            self._dragging = True
        elif event.kind == "click" and VIEW.holds(event.x, event.y):
            self._press("space")
        elif event.kind == "drop":
            self._dragging = False
        if self._dragging and event.kind in ("click", "move"):
            self.playing = False
            share = min(max((event.x - TRACK.x) / TRACK.width, 0.0), 1.0)
            self.go_to(round(share * self._length))

    def _press(self, key: str) -> None:
        if key == "space":
            if self.at_end:
                self.go_to(0.0)
                self.playing = True
            else:
                self.playing = not self.playing
        elif key in ("left", "right", ",", "."):
            self.playing = False
            back = key in ("left", ",")
            self.go_to(math.ceil(self.place) - 1 if back else math.floor(self.place) + 1)
        elif key in ("n", "N"):
            self._step_rows(1 if key == "n" else -1)
        elif key in ("home", "r"):
            self.go_to(0.0)
        elif key == "end":
            self.playing = False
            self.finish()
        elif key in ("up", "+", "="):
            self.speed = next((speed for speed in SPEEDS if speed > self.speed), self.speed)
        elif key in ("down", "-"):
            self.speed = next((speed for speed in reversed(SPEEDS) if speed < self.speed), self.speed)

    def _step_rows(self, step: int) -> None:
        """Show the next row, or the one before, in the order of the pick."""
        if self._open_row is not None and self.row.number in self._others:
            at = self._others.index(self.row.number) + step
            if 0 <= at < len(self._others):
                self._show(self._open_row(self._others[at]))

    @property
    def place_among(self) -> str:
        """Which of the rows of a pick this is."""
        if len(self._others) < 2:
            return ""
        return f"{self._others.index(self.row.number) + 1:,} of {len(self._others):,}, "

    def finish(self) -> ReplayCheck:
        """Go to the end. Returns its comparison with the row."""
        self.go_to(float(self.row.game.max_ticks))
        assert self.check is not None  # every attempt ends with its clock at the latest
        return self.check

    def advance(self, seconds: float) -> None:
        if self.playing and not self.at_end:
            self.go_to(self.place + seconds * self.speed / self._tick_s)
        if self.at_end and self._ends_itself:
            self._ended_s += seconds
            self.done = self._ended_s >= _END_S

    def paint(self, canvas: Canvas) -> None:
        cells = self.row.cells
        player = "a person" if cells["source"] == "human" else f"player {cells['player']} of {cells['cohort']}"
        level = f", level {cells['level']}" if cells["level"] else ""
        repeat = f", repeat {cells['replica']}" if self.row.several_replicas else ""
        backdrop(
            canvas,
            f"Replay: {self.row.game.name}",
            f"{player}{repeat}, attempt {cells['attempt']}{level}",
            self.place_among + (f"{self.row.path.name}, row {self.row.number}" if self.row.number >= 0 else "live"),
        )
        tick = int(self.place)
        now = self._now if self.place == tick else blend(self._now, self._next, self.place - tick)
        differs = self.at_end and self.check is not None and not self.check.equal
        canvas.shapes(now, VIEW, letters=not differs)
        if self.at_end and self.check is not None:
            self._paint_check(canvas, self.check)
        elif self.story is not None and self.story.moments:
            _paint_signs(canvas)
        self._paint_track(canvas)
        self._paint_side(canvas, tick)
        footer(canvas, [*_KEYS[:-1], *([_NEXT_KEY] if len(self._others) > 1 else []), _KEYS[-1]])

    def _paint_check(self, canvas: Canvas, check: ReplayCheck) -> None:
        if check.equal:
            self._paint_outcome(canvas, check)
        else:
            _paint_difference(canvas, check)

    def _paint_outcome(self, canvas: Canvas, check: ReplayCheck) -> None:
        """Show the outcome as a frame and in words, with the equal state hash small."""
        outcome = check.result.outcome
        colour = OUTCOME_COLOURS[outcome]
        if outcome != WON:
            canvas.grey(VIEW)
        canvas.rect(VIEW, colour, border=5)
        canvas.rect(RESULT, CARD, radius=10)
        canvas.rect(Box(RESULT.x, RESULT.y, 5, RESULT.height), colour)
        words = f"{OUTCOME_MARKS[outcome]} {OUTCOME_WORDS[outcome]}"
        x, right = RESULT.x + 18, RESULT.x + RESULT.width - 14
        width = canvas.text(words, x, RESULT.y + 4, LARGE, colour, bold=True)
        canvas.text(self._ending(check.result), x + width + 14, RESULT.y + 8, BODY, INK)
        proof = f"state equal: same hash as the row, {check.expected_hash}"
        canvas.text(proof, right, RESULT.y + 11, TINY, QUIET, align=1.0)
        if self.story is not None and self.story.why:
            why = shorten(canvas, f"{self.story.why[0].upper()}{self.story.why[1:]}.", SMALL, RESULT.width - 36)
            canvas.text(why, x, RESULT.y + 34, SMALL, INK)

    def _ending(self, result: Result) -> str:
        """The cause of a loss with the progress, or the time of a win."""
        if result.outcome == WON:
            return f"in {result.duration_s:.1f} s" if self._unit == "tick" else f"in {result.ticks} turns"
        cause = self.row.game.causes[result.cause] if result.outcome == LOST else "stopped early"
        return f"{cause}, {_reached(result.progress)} completed"

    def _paint_track(self, canvas: Canvas) -> None:
        seconds, length = self.place * self._tick_s, self._length * self._tick_s
        canvas.text(_clock(seconds), TRACK.x - 12, TRACK.y - 5, SMALL, INK, align=1.0)
        canvas.text(_clock(length), TRACK.x + TRACK.width + 14, TRACK.y - 5, SMALL, QUIET)
        knob_for(canvas, TRACK, min(self.place / self._length, 1.0))
        if self.story is not None:
            for moment in self.story.moments:
                x = TRACK.x + (moment.tick + 1) / self._length * TRACK.width
                _paint_moment(canvas, moment.kind, min(x, TRACK.x + TRACK.width), LANES[moment.kind])
        state = "playing" if self.playing else "paused"
        if not self.at_end:
            told = f"{state}   {self._unit} {int(self.place)} of {self._length}"
            canvas.text(told, RESULT.x, RESULT.y + 6, SMALL, QUIET)
        canvas.text(_times(self.speed), VIEW.x + VIEW.width, TRACK.y - 7, BODY, INK, align=1.0, bold=True)

    def _paint_side(self, canvas: Canvas, tick: int) -> None:
        cells, game = self.row.cells, self.row.game
        box = card(canvas, SIDE, "the row")
        outcome = OUTCOMES.index(cells["outcome"])
        badge(
            canvas, cells["outcome"].replace("_", " "), box.x + box.width, SIDE.y + 7, OUTCOME_COLOURS[outcome], align=1
        )
        rows = [("cause", cells["cause"] or "–"), ("progress", _reached(cells["progress"]))]
        rows += [("place", f"{game.place_noun} {cells['end_place']}")] if cells.get("end_place") else []
        rows += [("score", _reached(cells["score"]))] if "score" in cells else []
        rows += [("session, position", f"{cells['session']}, {cells['place']}"), ("controller", cells["controller"])]
        y = paint_table(canvas, box, rows) + 8
        canvas.text("difficulty", box.x, y, SMALL, QUIET)
        canvas.text(f"{cells['difficulty']:.3f}", box.x + box.width, y, SMALL, INK, align=1.0)
        bar(canvas, Box(box.x, y + 22, box.width, 7), cells["difficulty"], ORANGE)
        y = paint_heading(canvas, "parameters", box, y + 44)
        y = paint_table(canvas, Box(box.x, y, box.width, 0), setting_rows(game, self.row.values), step=20) + 10
        if cells["skill"] is not None:
            y = paint_heading(canvas, "the player at this attempt", box, y)
            reaction = cells["reaction_s"] + cells["reaction_tail_s"]
            rows = [("skill", f"{cells['skill']:+.2f}"), ("mean reaction", f"{reaction:.2f} s")]
            rows += [("slips, lapses", f"{percent(cells['slip'])}, {percent(cells['lapse'])}")]
            y = paint_table(canvas, Box(box.x, y, box.width, 0), rows, step=20) + 10
        canvas.text("last action" if self.at_end else "action", box.x, SIDE.y + SIDE.height - 34, SMALL, QUIET)
        action = game.actions[self.recording.actions[min(tick, len(self.recording.actions) - 1)]]
        canvas.text(action, box.x + box.width, SIDE.y + SIDE.height - 38, LARGE, SKY, align=1.0, bold=True)


def _paint_moment(canvas: Canvas, kind: MomentKind, x: float, y: float) -> None:
    """The sign of an event: every kind has a height, a shape and a colour of its own."""
    colour = MOMENT_COLOURS[kind]
    if kind == "seen":
        canvas.circle(x, y, 3, colour, border=1)
    elif kind == "wanted":
        canvas.circle(x, y, 2.5, colour)
    elif kind == "done":
        canvas.rect(Box(x - 1, y - 4, 3, 8), colour)
    elif kind == "slip":
        canvas.polygon([(x - 4, y), (x, y - 4), (x + 4, y), (x, y + 4)], colour)
    elif kind == "lapse":
        canvas.rect(Box(x - 4, y - 1, 9, 3), colour)
    else:
        canvas.line(x - 4, y - 4, x + 4, y + 4, colour, 2)
        canvas.line(x - 4, y + 4, x + 4, y - 4, colour, 2)


def _paint_signs(canvas: Canvas) -> None:
    """What the signs below the bar mean."""
    x, y = RESULT.x + 6, RESULT.y + 34
    for kind, meaning in MEANINGS.items():
        _paint_moment(canvas, kind, x, y + 9)
        x += 11 + canvas.text(meaning, x + 9, y, TINY, QUIET) + 20


def _paint_difference(canvas: Canvas, check: ReplayCheck) -> None:
    """Show that the replay differs from its row; this must be the loudest thing on the screen."""
    canvas.grey(VIEW)
    canvas.veil(VIEW, (0, 0, 0), 0.5)
    box = Box(VIEW.x, VIEW.y + VIEW.height / 2 - 80, VIEW.width, 160)
    canvas.rect(box, VERMILLION)
    middle = box.x + box.width / 2
    canvas.text("≠  state differs", middle, box.y + 16, HUGE, PAPER, align=0.5, bold=True)
    columns = f"in these columns of the row: {', '.join(check.differences)}"
    canvas.text(shorten(canvas, columns, BODY, box.width - 40), middle, box.y + 76, BODY, PAPER, align=0.5, bold=True)
    hashes = f"state hash of the row: {check.expected_hash}, of the replay: {check.result.state_hash}"
    canvas.text(hashes, middle, box.y + 112, SMALL, PAPER, align=0.5)


def _reached(progress: float) -> str:
    """Progress in whole per cent, rounded down, so that it never overstates."""
    return f"{math.floor(100.0 * progress)} %"


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"


def _times(speed: float) -> str:
    return f"{speed:g}×" if speed >= 1.0 else f"1/{1.0 / speed:g}×"


def replay(
    target: Path,
    *,
    row: int | None = None,
    player: int | None = None,
    attempt: int | None = None,
    replica: int | None = None,
    pick: str | None = None,
    speed: float = 1.0,
    record: Path | None = None,
    frames: int | None = None,
    size: tuple[int, int] | None = None,
    fps: int | None = None,
    display: int = 0,
) -> int:
    """Replay one attempt of a run folder or a file of attempts. Returns 0 when its end equals the row, otherwise 4.

    Choose it by row (its number, from 0), by player, attempt and replica, or by pick, words of
    `sims.playback.row_choice`.

    speed: 1 is normal. record: a .png, .webp, .gif or .mp4, without a screen. frames: the most to show. size, fps,
    display: as in `sims.window.screen.show_scene`.
    """
    chosen = choose_row(target, row=row, player=player, attempt=attempt, replica=replica, pick=pick)
    if is_altered(chosen.path):  # the row itself is checked by playing it
        say(f"{chosen.path.name} has changed since the run; `flowdial verify {quoted(chosen.path.parent)}` says more.")
    if chosen.ignored:
        say(f"{ignored_note(chosen.path, chosen.ignored)}.")
    table = open_table(chosen.path)
    scene = ReplayScene(
        chosen,
        speed=speed,
        ends_itself=record is not None,
        others=() if pick is None else rows_of_pick(table, pick),
        open_row=lambda number: read_row(table, number)._replace(several_replicas=chosen.several_replicas),
    )
    title = f"Flowdial replay: {chosen.game.name}"
    show_scene(scene, ReplayScene.paint, title, record=record, frames=frames, size=size, fps=fps, display=display)
    check, chosen = scene.finish(), scene.row
    words = "state equal" if check.equal else "state differs"
    columns = "" if check.equal else f": {', '.join(check.differences)}"
    if not check.equal and (digits := kept_digits(table.path, table.columns)) is not None:
        say(f"{rounding_note(table.path, digits)}.")
    if record is not None:
        show(f"picture {record}")
    show(f"{chosen.path}, row {chosen.number}: {words}{columns} (hash {check.result.state_hash})")
    return 0 if check.equal else RunFolderError.exit_code
