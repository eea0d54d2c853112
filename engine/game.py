"""What a game is: one record of pure functions over named tuples.

The functions are written in plain Python within what numba compiles: numbers, tuples, named tuples and numpy arrays
that are treated as values. They call only each other and `engine.randomness` / `engine.arithmetic` / `math.sqrt` /
`math.floor`. They never divide by zero and use no libm function. So a compiled and a plain attempt agree bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from engine.parameters import ParameterSpace

RUNNING: Final = 0
WON: Final = 1
LOST: Final = 2
TIMED_OUT: Final = 3
FAILED: Final = 4  # a plug-in was at fault, so nothing was played: engine.faults
MOST_PLACES: Final = 10_000  # of a level
OUTCOMES: Final = ("running", "won", "lost", "timed_out", "failed")

Pace = Literal["real_time", "turns", "abstract"]


class Faculties(NamedTuple):
    """What a player can do right now (engine.players maps skill to it). Times in seconds, shares in [0, 1]."""

    skill: float  # logit, after practice and fatigue
    slope: float  # how sharply skill decides; only closed-form games use it
    reaction_s: float  # mean of the normal part of the reaction time
    reaction_sd_s: float
    reaction_tail_s: float  # mean of the exponential part
    slip: float  # chance that a change of intent comes out as another action
    lapse: float  # chance that a change of intent is missed
    foresight: float  # how far ahead the player sees; 1 for the median player, each game says of what


PERFECT: Final = Faculties(
    skill=6.0,
    slope=1.0,
    reaction_s=0.0,
    reaction_sd_s=0.0,
    reaction_tail_s=0.0,
    slip=0.0,
    lapse=0.0,
    foresight=100.0,
)


class Shape(NamedTuple):
    """One thing to paint, in a game's own view coordinates: x to the right, y upward, both in [0, 1] for the view.

    kind "rect": x, y = lower left corner, width, height. "circle": x, y = centre, width = diameter. "line": x, y to x +
    width, y + height. "triangle": isosceles, standing on its base. "text": x, y = lower left, height = letter height.
    role names a colour of the palette: "player", "danger", "ground", "sky", "far", "good", "goal", "text", "accent",
    "neutral".
    """

    kind: Literal["rect", "circle", "line", "triangle", "text"]
    x: float
    y: float
    width: float
    height: float
    role: str
    text: str = ""


@dataclass(frozen=True, eq=False)
class Game:
    """Everything the engine, the window and the reports need to know of a game. `check_game` tests the promises."""

    name: str
    version: int  # raised when behaviour changes, never for speed
    summary: str  # one honest sentence for `flowdial list`
    pace: Pace  # real_time: late, slips, lapses; turns: the game waits; abstract: the expert's action happens at once
    tick_seconds: float
    max_ticks: int  # the attempt is TIMED_OUT after so many
    actions: tuple[str, ...]  # names; action 0 is doing nothing
    space: ParameterSpace
    params: type[Any]  # NamedTuple with the space's names; float, or int for whole numbers and choices
    causes: tuple[str, ...]  # the ways to lose
    build: Callable[..., Any]  # (params, key) -> Level: procedural, beatable by a perfect player at the easy end
    start: Callable[..., Any]  # (params, level, key) -> State; the key's draws are its own
    expert: Callable[..., int]  # (params, level, state, faculties) -> action wanted now, before it is late or slips
    step: Callable[..., Any]  # (params, level, state, action, key, tick) -> State; one key for all steps: the block
    # number of a draw must name the tick
    status: Callable[..., int]  # (params, level, state) -> RUNNING | WON | LOST
    progress: Callable[..., float]  # (params, level, state) -> [0, 1]: how near to winning
    cause: Callable[..., int]  # (params, level, state) -> index into causes; read only when LOST
    draw: Callable[..., list[Shape]]  # (params, level, state) -> shapes; plain Python, draws no random number
    keys: Mapping[str, int] = field(default_factory=dict)  # key name (as pygame spells it) -> action
    dealt: bool = False  # step gets the four words of its key's block tick + 1 in place of the key: for a game whose
    # turn needs no more than four, the engine draws the blocks of many turns at a time, at a seventh of the price
    how_to: tuple[str, ...] = ()  # what a person must know to play it, in sentences: first the goal, then the means
    score: Callable[..., float] | None = None  # (params, level, state) -> [0, 1]: how well it was played, won or lost,
    # finer than progress; None: as well as it progressed
    foreseen: Callable[..., float] | None = None  # (params, level, state, faculties, action) -> seconds until a newly
    # wanted action is due, from 0, where the player saw it coming; below 0 where it is a surprise. None: always one
    place: Callable[..., int] | None = None  # (params, level, state) -> where the attempt is, from 1, never falling:
    # obstacle 7, turn 12. None: the game names no places
    place_noun: str = ""  # what people call a place, in the singular: "obstacle"
    without: Callable[..., Any] | None = None  # (level, place) -> the same level with nothing at the place, for games
    # that can leave one out
    read_level: Callable[[Mapping[str, Any]], tuple[float, ...]] | None = None  # a level file's content -> its numbers,
    # always as many; plain Python; raises ValueError with the rule, what came and what to do
    arrange: Callable[..., Any] | None = None  # (params, key, numbers) -> Level made by hand; numbers: float64 array
    hurt: Callable[..., bool] | None = None  # (state before, state after) -> whether this tick cost the player
    # something; the replay marks it. None: nothing is marked
    progression: tuple[str, ...] = ()  # knobs that a designer raises from one numbered level to the next
    win_probability: Callable[..., float] | None = None  # (params, faculties) -> chance, where there is a closed form

    @property
    def has_places(self) -> bool:
        """Whether it says where an attempt is."""
        return self.place is not None

    @property
    def has_score(self) -> bool:
        """Whether it rates how well an attempt was played."""
        return self.score is not None
