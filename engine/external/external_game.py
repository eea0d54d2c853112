"""What an external game is: a record of facts, and one function that plays whole attempts elsewhere.

A studio's own game has no Level, State or step here. It is told who plays, with which params and with which dice, and
it tells how the attempt ended. So a world plays it one event per attempt; everything before and after is the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from engine.attempt import NOWHERE, Address, Result, layout_key
from engine.errors import ScenarioError
from engine.faults import RAISED
from engine.game import Faculties, Game
from engine.kernel import compiled
from engine.parameters import ParameterSpace, Value
from engine.randomness import CHANCE, key_of, words
from engine.statehash import FRESH, fold, fold_int, seal_hash

EXTERNAL: Final = "external"  # of rows
LONGEST_S: Final = 1e9  # of an attempt, some 30 years
MOST_TICKS: Final = 2**53  # the last whole number up to which JSON numbers are exact


class Question(NamedTuple):
    """An attempt that is to be played."""

    seed: int  # 64 bits: all luck of the attempt
    level: int  # of a campaign, from 1; 0 for a layout of its own
    level_seed: int  # 64 bits: the layout, the same for all players who meet a numbered level
    params: dict[str, Value]  # as people read them: a choice by its name
    faculties: Faculties


class Reply(NamedTuple):
    """How an attempt ended, as the game tells it. Whoever makes one has checked its ranges."""

    outcome: int  # WON, LOST or TIMED_OUT
    progress: float  # [0, 1]; 1 when won
    score: float  # [0, 1]; the progress in a game that has no score
    cause: int  # index into the game's causes; -1 unless LOST
    ticks: int  # [0, MOST_TICKS]
    duration_s: float  # [0, LONGEST_S]
    check: int = 0  # signed 64 bits: the game's own check word of how it ended; 0 for none


class Unplayed(NamedTuple):
    """Why an attempt could not be played. The texts stand in files, so they hold nothing that differs by chance."""

    kind: int = RAISED  # RAISED, TIMEOUT or KILLED, see engine.faults
    type: str = ""
    message: str = ""


class AttemptUnplayed(Exception):
    """Raised where an attempt of an external game could not be played."""

    def __init__(self, why: Unplayed) -> None:
        super().__init__(why.message)
        self.why = why


class PlaysAttempts(Protocol):
    """Plays attempts of a game elsewhere."""

    @property
    def most(self) -> int:
        """Attempts that are worth handing over at once. It changes no reply."""

    def play(self, questions: Sequence[Question]) -> list[Reply | Unplayed]:
        """One for each question, in order. A reply depends on its question alone.

        Raises EnvironmentFault when the game cannot be started.
        """


@dataclass(frozen=True, eq=False)
class ExternalGame:
    """Everything that the engine and the reports need to know of a game whose rules are elsewhere."""

    name: str
    version: int  # raised when behaviour changes, never for speed
    summary: str
    space: ParameterSpace
    causes: tuple[str, ...]  # the ways to lose
    deterministic: bool  # whether the same question has the same answer, to the last bit
    has_score: bool
    player: PlaysAttempts
    progression: tuple[str, ...] = ()  # knobs that a designer raises from one numbered level to the next

    @property
    def has_places(self) -> bool:
        """It names no places."""
        return False

    @property
    def place_noun(self) -> str:
        """It names no places."""
        return ""

    @property
    def read_level(self) -> None:
        """Its levels are its own."""

    @property
    def win_probability(self) -> None:
        """No closed form is known."""

    @property
    def facts(self) -> tuple[object, ...]:
        """Everything that it says of itself: with the same facts it counts as the same game."""
        return self.name, self.version, self.space.knobs, self.causes, self.deterministic, self.has_score


AnyGame = Game | ExternalGame


def rules_of(game: AnyGame, purpose: str) -> Game:
    """A game whose rules are here. Raises ScenarioError for an external one, which cannot serve the purpose."""
    if isinstance(game, ExternalGame):
        raise ScenarioError(f"{purpose} needs the rules of a game, but {game.name} is external; choose another game")
    return game


class Dice(NamedTuple):
    """Two seeds of 64 bits, each as two words of 32: a kernel has no room for a number of 64 bits above 0."""

    luck_high: int
    luck_low: int
    layout_high: int
    layout_low: int


def dice_of(seed: int, replica: int, player: int, attempt: int, level: int, layout_seed: int) -> Dice:
    """The seeds of an attempt's luck and of its layout. It compiles."""
    luck_high, luck_low, _, _ = words(key_of(seed, replica, CHANCE, player, attempt), 0)
    high, low, _, _ = words(layout_key(seed, replica, player, attempt, level, layout_seed), 0)
    return Dice(luck_high, luck_low, high, low)


def sealed(
    values: Any, faculties: Faculties, seed: int, replica: int, player: int, attempt: int, level: int,
    layout_seed: int, reply: Reply,
) -> int:  # fmt: skip
    """The state hash of an attempt that was played elsewhere: all that went in, and all that came back. It compiles."""
    folded = FRESH
    for j in range(len(values)):
        folded = fold(folded, float(values[j]))
    for j in range(len(faculties)):
        folded = fold(folded, faculties[j])
    folded = fold_int(folded, seed)
    folded = fold_int(folded, replica)
    folded = fold_int(folded, player)
    folded = fold_int(folded, attempt)
    folded = fold_int(folded, level)
    if layout_seed >= 0:
        folded = fold_int(folded, layout_seed)
    folded = fold_int(folded, reply.check)
    folded = fold(folded, reply.progress)
    folded = fold(folded, reply.score)
    folded = fold(folded, reply.duration_s)
    folded = fold_int(folded, reply.cause)
    folded = fold_int(folded, reply.ticks * 4 + reply.outcome)
    return seal_hash(folded)


def question_of(game: ExternalGame, values: Sequence[float], faculties: Faculties, dice: Dice, level: int) -> Question:
    """The question of an attempt. values: params as rules see them."""
    params = {knob.name: knob.shown(value) for knob, value in zip(game.space.knobs, values, strict=True)}
    luck = (dice.luck_high << 32) + dice.luck_low
    return Question(luck, level, (dice.layout_high << 32) + dice.layout_low, params, faculties)


class Meeting(NamedTuple):
    """Who meets which setting, with which dice."""

    values: Any  # float64 array, shape (knobs,): params as rules see them
    faculties: Faculties
    address: Address


def played_elsewhere(game: ExternalGame, meetings: Iterable[Meeting]) -> Iterator[tuple[Meeting, Reply]]:
    """Play attempts, as many at a time as the game takes, in order.

    Raises AttemptUnplayed when one could not be played, and EnvironmentFault when the game cannot be started.
    """
    left = iter(meetings)
    while some := list(itertools.islice(left, game.player.most)):
        questions = [
            question_of(game, values.tolist(), faculties, dice_of(*address), address.level)
            for values, faculties, address in some
        ]
        for meeting, reply in zip(some, game.player.play(questions), strict=True):
            if isinstance(reply, Unplayed):
                raise AttemptUnplayed(reply)
            yield meeting, reply


def seal_of_reply(meeting: Meeting, reply: Reply) -> int:
    """The state hash of an attempt that was played elsewhere."""
    return int(compiled(sealed)(meeting.values, meeting.faculties, *meeting.address, reply))


def external_attempt(game: ExternalGame, values: Any, faculties: Faculties, address: Address) -> Result:
    """One attempt by its address. Raises AttemptUnplayed when it could not be played."""
    ((meeting, reply),) = played_elsewhere(game, [Meeting(values, faculties, address)])
    return Result(*reply[:6], seal_of_reply(meeting, reply), NOWHERE)
