"""Stage 2 of the game contract: attempts in plain Python, tick by tick."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from engine.attempt import AT_REST, SURPRISE, Address, act, choose, foreseen_of, luck_of, opening_of
from engine.game import LOST, MOST_PLACES, RUNNING, WON, Faculties, Game, Shape
from engine.players import PLAYER, Distribution, be_born, distribution_table, faculties_of
from engine.randomness import Key, words

SEED: Final = 20
DIALS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
ATTEMPTS: Final = ((0.0, 1.0), (0.5, 0.0), (1.0, -1.0))  # that are looked at: difficulty and skill
MOMENTS: Final = 40  # of an attempt that are looked at
SHAPES: Final = ("rect", "circle", "line", "triangle", "text")
ROLES: Final = ("player", "danger", "ground", "sky", "far", "good", "goal", "text", "accent", "neutral")


class Moment(NamedTuple):
    """One tick of an attempt, as the rules saw it."""

    params: Any
    level: Any
    state: Any
    faculties: Faculties
    action: int
    key: Key  # of the steps
    tick: int


@cache
def faculties_at(skill: float) -> Faculties:
    """What a player of this skill can do, if they differ from the median in skill alone."""
    fixed = {name: Distribution("fixed", value) for name, value in (("skill", skill), ("speed", 1.0), ("fatigue", 0.0))}
    player = np.zeros(1, PLAYER)[0]
    be_born(player, 0, 0, distribution_table(fixed), SEED, 0, 0, 0.85)
    return faculties_of(player)


def values_at(game: Game, difficulty: float) -> Any:
    """Params on the straight dial as the rules see them, shape (knobs,)."""
    return np.array(game.space.real([difficulty] * len(game.space)))


def moments(game: Game, difficulty: float, skill: float, number: int) -> Iterator[Moment]:
    """Every tick of an attempt on the straight dial, the last state included."""
    return step_through(game, values_at(game, difficulty), faculties_at(skill), Address(SEED, 0, 0, number, 0))


def step_through(game: Game, values: Any, faculties: Faculties, address: Address) -> Iterator[Moment]:
    """Play an attempt in plain Python and give every tick of it, at last the final state (with action 0)."""
    params, level, state, chance, motor_key = opening_of(game)(values, *address)
    motor = AT_REST
    tick = 0
    while tick < game.max_ticks and game.status(params, level, state) == RUNNING:
        wanted = game.expert(params, level, state, faculties)
        if game.pace == "abstract":
            action = wanted
        elif game.pace == "turns":
            action = choose(wanted, len(game.actions), faculties, words(motor_key, tick))
        else:
            due_s = SURPRISE
            if wanted != motor.wanted:
                due_s = foreseen_of(game)(params, level, state, faculties, wanted)
            motor = act(motor, wanted, due_s, len(game.actions), faculties, motor_key, tick, game.tick_seconds)
            action = motor.action
        yield Moment(params, level, state, faculties, action, chance, tick)
        state = game.step(params, level, state, action, luck_of(game, chance, tick), tick)
        tick += 1
    yield Moment(params, level, state, faculties, 0, chance, tick)


def sampled_moments(game: Game) -> Iterator[Moment]:
    """Moments of three attempts: about MOMENTS each, the first and the last among them."""
    for number, (difficulty, skill) in enumerate(ATTEMPTS):
        trace = list(moments(game, difficulty, skill, number))
        stride = max(1, len(trace) // MOMENTS)
        yield from trace[:-1:stride]
        yield trace[-1]


def is_over(game: Game, moment: Moment) -> bool:
    """Whether nothing is asked of the expert and of step any more."""
    return game.status(moment.params, moment.level, moment.state) != RUNNING


def starts_running(game: Game) -> Iterator[str]:
    """An attempt is running when it begins."""
    for difficulty in DIALS:
        first = next(moments(game, difficulty, 0.0, 0))
        now = game.status(first.params, first.level, first.state)
        if now != RUNNING:
            yield f"status must be RUNNING at the start, got {now!r} at difficulty {difficulty}"
            return


def nothing_is_left_out(game: Game) -> Iterator[str]:
    """A level and a state have no default values: what leaves them out does not compile."""
    first = next(moments(game, 0.5, 0.0, 0))
    for name, maker, value in (("level", "build", first.level), ("state", "start", first.state)):
        defaults: Any = getattr(value, "_field_defaults", None)
        if defaults:
            yield f"the {name} that {maker} returns must have no default values, which do not compile, got {defaults!r}"


def states_hold_numbers(game: Game) -> Iterator[str]:
    """A state is a named tuple of numbers, tuples of numbers or arrays, always of the same types."""
    yield from first_state_is_playable(game)
    first = next(moments(game, 0.5, 0.0, 0)).state
    if not hasattr(first, "_fields"):
        return
    for moment in sampled_moments(game):
        if type(moment.state) is not type(first):
            yield f"step must return the State that start returns, got {type(moment.state).__name__}"
            return
        for name, value, begin in zip(first._fields, moment.state, first, strict=True):
            if not _is_numbers(value):
                if _is_numbers(begin):  # otherwise it was said of the first state
                    yield _not_numbers(name, value)
                return
            if not isinstance(value, np.ndarray) and isinstance(value, float) != isinstance(begin, float):
                yield (
                    f"state.{name} must keep its type, {type(begin).__name__} at the start, "
                    f"got {type(value).__name__} at tick {moment.tick}; write 0.0 for a float"
                )
                return


def first_state_is_playable(game: Game) -> Iterator[str]:
    """The first state is a named tuple of numbers, tuples of numbers or arrays; nothing else can be compiled."""
    first = next(moments(game, 0.5, 0.0, 0)).state
    if not hasattr(first, "_fields"):
        yield f"start must return a NamedTuple, got {type(first).__name__}"
        return
    wrong = next((name for name, value in zip(first._fields, first, strict=True) if not _is_numbers(value)), None)
    if wrong is not None:
        yield _not_numbers(wrong, getattr(first, wrong))


def _is_numbers(value: Any) -> bool:
    items = value if isinstance(value, tuple) else (value,)
    return isinstance(value, np.ndarray) or all(isinstance(item, int | float | np.number) for item in items)


def _not_numbers(name: str, value: Any) -> str:
    return f"state.{name} must be a number, a tuple of numbers or an array, got {value!r}"


def actions_exist(game: Game) -> Iterator[str]:
    """The expert wants one of the actions."""
    for moment in sampled_moments(game):
        if is_over(game, moment):
            continue
        wanted: Any = game.expert(moment.params, moment.level, moment.state, moment.faculties)
        if not isinstance(wanted, int | np.integer) or not 0 <= wanted < len(game.actions):
            yield f"expert must return an action, 0 to {len(game.actions) - 1}, got {wanted!r} at tick {moment.tick}"
            return


def rules_are_pure(game: Game) -> Iterator[str]:
    """A rule changes none of its arguments and gives the same answer to the same question."""
    for moment in _before_each_step(game):
        params, level, state, faculties, action, key, tick = moment
        calls: dict[str, tuple[Any, ...]] = {
            "build": (params, key),
            "start": (params, level, key),
            "expert": (params, level, state, faculties),
            "step": (params, level, state, action, luck_of(game, key, tick), tick),
            "status": (params, level, state),
            "progress": (params, level, state),
            "draw": (params, level, state),
        }
        if game.score is not None:
            calls["score"] = (params, level, state)
        if game.place is not None:
            calls["place"] = (params, level, state)
        if game.foreseen is not None:
            calls["foreseen"] = (params, level, state, faculties, action)
        if is_over(game, moment):
            del calls["expert"], calls["step"]
        for name, arguments in calls.items():
            kept = copy.deepcopy(arguments)
            answers = [_told(getattr(game, name)(*arguments)) for _ in range(2)]
            if _told(kept) != _told(arguments):
                yield f"{name} changes its arguments at tick {tick}; copy an array before writing to it"
                return
            if answers[0] != answers[1]:
                yield f"{name} gives two results for the same arguments at tick {tick}; draw by address, keep no memory"
                return


def _before_each_step(game: Game) -> Iterator[Moment]:
    """Moments in order, before any call of step on their state: the first few, then some."""
    for number, (difficulty, skill) in enumerate(ATTEMPTS):
        for moment in moments(game, difficulty, skill, number):
            if moment.tick < MOMENTS // 2 or moment.tick % MOMENTS == 0:
                yield moment


def _told(value: Any) -> Any:
    """A value as something that compares by content and by bits."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, tuple | list):
        return type(value).__name__, [_told(item) for item in value]
    return float(value).hex() if isinstance(value, float | np.floating) else repr(value)


def progress_is_graded(game: Game) -> Iterator[str]:
    """Progress and score lie in [0, 1], progress is 1 when the attempt is won, and a lost one has a valid cause."""
    for moment in sampled_moments(game):
        at = (moment.params, moment.level, moment.state)
        reached, now = game.progress(*at), int(game.status(*at))
        if not 0.0 <= reached <= 1.0:
            yield f"progress must lie in [0, 1], got {reached!r} at tick {moment.tick}"
            return
        scored = reached if game.score is None else game.score(*at)
        if not 0.0 <= scored <= 1.0:
            yield f"score must lie in [0, 1], got {scored!r} at tick {moment.tick}"
            return
        if now == WON and reached < 0.999:
            yield f"progress must be 1 when the attempt is won, got {reached!r}"
            return
        if now not in (RUNNING, WON, LOST):
            yield f"status must be RUNNING, WON or LOST, got {now!r} at tick {moment.tick}"
            return
        if now == LOST and not _valid_cause(game, game.cause(*at)):
            yield f"cause must be an index into causes, 0 to {len(game.causes) - 1}, when lost, got {game.cause(*at)!r}"
            return


def _valid_cause(game: Game, cause: Any) -> bool:
    return isinstance(cause, int | np.integer) and bool(0 <= cause < len(game.causes))


def places_follow(game: Game) -> Iterator[str]:
    """A place is a whole number from 1, and never falls during an attempt: who is at a place has met those before."""
    if game.place is None:
        return
    reached = 1
    for moment in _whole_attempts(game):
        here: Any = game.place(moment.params, moment.level, moment.state)
        if not isinstance(here, int | np.integer) or not 1 <= here <= MOST_PLACES:
            yield f"place must be a whole number from 1 to {MOST_PLACES:,}, got {here!r} at tick {moment.tick}"
            return
        if moment.tick > 0 and here < reached:
            yield f"place must never fall during an attempt, but it went from {reached} to {here} at tick {moment.tick}"
            return
        reached = int(here)


def _whole_attempts(game: Game) -> Iterator[Moment]:
    """Every moment of three attempts, one after the other."""
    for number, (difficulty, skill) in enumerate(ATTEMPTS):
        yield from moments(game, difficulty, skill, number)


def pictures_are_shapes(game: Game) -> Iterator[str]:
    """A picture is a list of shapes of known kinds and colours, in finite numbers."""
    for moment in sampled_moments(game):
        picture: Any = game.draw(moment.params, moment.level, moment.state)
        if not isinstance(picture, list) or not picture:
            yield f"draw must return a list of one or more shapes, got {type(picture).__name__}"
            return
        for shape in picture:
            fault = _shape_fault(shape)
            if fault:
                yield f"draw at tick {moment.tick}: {fault}"
                return


def _shape_fault(shape: Any) -> str:
    if not isinstance(shape, Shape):
        return f"every item must be an engine.game.Shape, got {type(shape).__name__}"
    if shape.kind not in SHAPES:
        return f"kind must be one of {', '.join(SHAPES)}, got {shape.kind!r}"
    if shape.role not in ROLES:
        return f"role must be one of {', '.join(ROLES)}, got {shape.role!r}"
    numbers: tuple[Any, ...] = shape[1:5]
    if not all(isinstance(x, int | float | np.number) and math.isfinite(x) for x in numbers):
        return f"position and size must be finite numbers, got {numbers!r}"
    return ""
