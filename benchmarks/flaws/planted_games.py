"""Games with one flaw each, and sound ones that look odd: variants of `signals` and of `doors`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

from benchmarks.doors import GAME as DOORS
from benchmarks.doors import TICK_S
from benchmarks.doors import State as DoorsState
from benchmarks.doors import step as doors_step
from benchmarks.flaws.ledger import Entry
from benchmarks.flaws.signals import (
    ALIKE,
    FIRST,
    GAME,
    GOAL,
    KINDS,
    MOST_KINDS,
    TURNS,
    WINDOW,
    Level,
    Params,
    State,
    answered,
    build,
    expert,
    is_seen,
    status,
)
from engine.game import LOST, RUNNING, WON, Faculties, Game
from engine.parameters import Knob, ParameterSpace
from engine.randomness import Key, uniform, uniforms


def game(name: str, **changes: Any) -> Game:
    """The sound game with other rules or knobs."""
    return replace(GAME, name=name, **changes)


class WithBonus(NamedTuple):
    window_s: float
    alike: float
    kinds: int
    goal: int
    bonus: float


def with_bonus(knob: Knob) -> dict[str, Any]:
    """Space and params with a fifth knob."""
    return {"space": ParameterSpace(WINDOW, ALIKE, KINDS, GOAL, knob), "params": WithBonus}


BONUS: Final = Knob("bonus", 0.0, 1.0, 0.5, "1", "what the designer hopes for")


# --- flaws


def expert_of_short_windows(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    return expert(Params(min(params.window_s, 0.8), params.alike, params.kinds, params.goal), level, state, faculties)


def build_of_one_kind(params: Params, key: Key) -> Level:
    """Nine of ten signals are the first one."""
    level = build(params, key)
    signals = level.signals.copy()
    for turn in range(TURNS):
        if uniforms(key, turn)[2] < 0.9:
            signals[turn] = 0
    return Level(signals, level.blurs)


def expert_that_guesses(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    """Whoever cannot make a signal out gives the second answer, as if the first were not the usual one."""
    if state.turn >= TURNS:
        return 0
    return int(level.signals[state.turn]) + 1 if is_seen(params, level, state.turn, faculties) else FIRST + 1


def step_of_a_sleeper(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    """Whoever waits is given the point."""
    signal = int(level.signals[min(state.turn, TURNS - 1)])
    return answered(level, state, signal + 1 if action == 0 else action)


def expert_turned_round(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    """The better a player, the less they see."""
    seen = 1.0 / max(faculties.foresight, 0.01)
    worse = Faculties(0.0, 1.0, faculties.foresight * 0.3, 0.04, faculties.foresight * 0.1, 0.0, 0.0, seen)
    return expert(params, level, state, worse)


def status_of_a_coin(params: Params, level: Level, state: State) -> int:
    """The last turn is decided by how the levels were dealt."""
    if state.turn < TURNS:
        return RUNNING
    blur = 0.0
    for turn in range(TURNS):
        blur += float(level.blurs[turn])
    return WON if blur / TURNS < 2.1 - 0.07 * (params.goal - 7) else LOST


def progress_of_a_coin(params: Params, level: Level, state: State) -> float:
    return 1.0 if status_of_a_coin(params, level, state) == WON else 0.5


def status_of_some_walls(params: Params, level: Level, state: State) -> int:
    """On levels whose first signal is very blurred, more right answers are asked for than there are turns."""
    if state.turn >= TURNS and float(level.blurs[0]) > 3.15:
        return LOST
    return RUNNING if float(level.blurs[0]) > 3.15 else status(params, level, state)


def cause_always_the_first(params: Params, level: Level, state: State) -> int:
    return 0


def cause_swapped(params: Params, level: Level, state: State) -> int:
    return 1 - state.fault


def score_turned_round(params: Params, level: Level, state: State) -> float:
    return 1.0 - min(state.right / params.goal, 1.0)


def step_that_writes(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    """A turn that was answered rightly makes the next signal clear, in the level that all moments share."""
    later = answered(level, state, action)
    if later.right > state.right and later.turn < TURNS:
        level.blurs[later.turn] = 0.3
    return later


def start_of_an_overflow(params: Params, level: Level, key: Key) -> State:
    """Numbers that grow beyond 64 bits are other ones in compiled code."""
    grown = 1
    for turn in range(TURNS):
        grown = grown * 31 + int(1000.0 * float(level.blurs[turn]))
    return State(0, 1 if grown % 2 == 0 and grown > 0 else 0, 0)


def expert_of_a_bump(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    """Signals that are half alike are the hardest to tell apart: both ends of the knob are easier."""
    bump = 0.5 * params.alike + (3.0 if 0.1 < params.alike < 0.3 else 0.0)
    return expert(Params(params.window_s, bump, params.kinds, params.goal), level, state, faculties)


def build_of_rare_walls(params: Params, key: Key) -> Level:
    """One level in 400 shows signals that no answer fits."""
    level = build(params, key)
    return Level(level.signals + MOST_KINDS, level.blurs) if uniform(key, TURNS) < 0.0025 else level


def expert_within_actions(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    return min(expert(params, level, state, faculties), MOST_KINDS)


def build_without_the_third(params: Params, key: Key) -> Level:
    """The third signal is never shown, so its answer is never right."""
    level = build(params, key)
    signals = level.signals.copy()
    for turn in range(TURNS):
        if signals[turn] == 2:
            signals[turn] = 0
    return Level(signals, level.blurs)


def progress_without_a_win(params: Params, level: Level, state: State) -> float:
    return min(state.right / TURNS, 1.0)


# --- sound, though they look odd


def build_of_favourites(params: Params, key: Key) -> Level:
    """Four of ten signals are the first one, and weak players fall back on it."""
    level = build(params, key)
    signals = level.signals.copy()
    for turn in range(TURNS):
        if uniforms(key, turn)[2] < 0.25:
            signals[turn] = 0
    return Level(signals, level.blurs)


def step_with_luck(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    """One answer in five is right by luck, whatever it was."""
    lucky = uniform(key, tick) < 0.2
    return answered(level, state, int(level.signals[min(state.turn, TURNS - 1)]) + 1 if lucky else action)


def step_with_a_small_bonus(params: WithBonus, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    """The new knob takes a right answer away in one turn of a hundred at most."""
    lost = uniform(key, tick) < 0.02 * params.bonus
    return answered(level, state, 0 if lost else action)


def step_with_a_late_bonus(params: WithBonus, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    """The new knob acts only where there are five kinds of signal or more: nowhere near the other knobs' defaults."""
    lost = params.kinds >= 5 and uniform(key, tick) < 0.3 * params.bonus
    return answered(level, state, 0 if lost else action)


def carried(params: Any, level: Any, state: Any, action: int, key: Key, tick: int) -> Any:
    """As in `doors`, but what a tick takes too much of a visit is missing in the next one."""
    clock_s, visitor, greeted, friends, mistakes = doors_step(params, level, state, action, key, tick)
    if visitor > state.visitor:
        clock_s = state.clock_s + TICK_S - params.pause_s - params.open_s
    return DoorsState(clock_s, visitor, greeted, friends, mistakes)


def build_of_few_rare_signals(params: Params, key: Key) -> Level:
    """Levels differ much: half of them are hardly blurred at all."""
    level = build(params, key)
    if uniform(key, TURNS) < 0.5:
        return level
    return Level(level.signals, level.blurs * 0.5)


GAMES: Final = (
    Entry("dead knob", "no rule reads a knob", "check_game",
          lambda: game("dead_knob", **with_bonus(BONUS)), r"^bonus: .*changes nothing; let the rules"),
    Entry("dead stretch", "half of a knob's range is cut off by a rule", "check_game",
          lambda: game("dead_stretch", expert=expert_of_short_windows),
          r"^window_s: all of its range .*0\.8 s to 1\.6 s"),
    Entry("staircase", "knobs in seconds act in whole ticks", "check_game",
          lambda: DOORS, r"^(open_s|pause_s): a knob in seconds"),
    Entry("constant action wins", "nine of ten signals are the first; the expert guesses otherwise", "check_game",
          lambda: game("one_answer", build=build_of_one_kind, expert=expert_that_guesses),
          r"playing without sense.*always one", also=r"^kinds"),
    Entry("sleeping wins", "whoever waits is given the point", "check_game",
          lambda: game("sleeper", step=step_of_a_sleeper), r"playing without sense.*doing nothing",
          also=r"more skill must not win less|no answer"),
    Entry("skill turned round", "who sees further recognises less", "check_game",
          lambda: game("turned_skill", expert=expert_turned_round), r"more skill must not win less",
          also=r"perfect player"),
    Entry("luck alone", "the deal decides, not the answers", "check_game",
          lambda: game("coin", status=status_of_a_coin, progress=progress_of_a_coin),
          r"skill must matter|luck alone", also=r"perfect player must win"),
    Entry("level that cannot be won", "one level in twenty asks for the impossible", "check_game",
          lambda: game("walls", status=status_of_some_walls), r"a perfect player must win all"),
    Entry("knob turned round", "the hard end of a knob is the easy one", "check_game",
          lambda: game("turned_knob", space=ParameterSpace(replace(WINDOW, harder="high"), ALIKE, KINDS, GOAL)),
          r"^window_s: its hard end must not win more", also=r"difficulty must matter|perfect player"),
    Entry("never over", "the clock stops most attempts before the rules do", "check_game",
          lambda: game("endless", max_ticks=6), r"timed out", also=r"perfect player"),
    Entry("cause that never comes", "every loss has the first cause", "check_game",
          lambda: game("one_cause", cause=cause_always_the_first), r"no answer.*never"),
    Entry("causes swapped", "each loss has the other one's name", "check_game",
          lambda: game("swapped", cause=cause_swapped), r"cause"),
    Entry("score turned round", "won attempts score less than lost ones", "check_game",
          lambda: game("turned_score", score=score_turned_round), r"score must not be lower in wins"),
    Entry("rule that writes", "a rule changes its argument in place of a copy", "check_game",
          lambda: game("writes", step=step_that_writes), r"step changes its arguments"),
    Entry("overflow", "integers beyond 64 bits differ in compiled code", "check_game",
          lambda: game("overflow", start=start_of_an_overflow), r"compiled and plain attempts differ|does not compile"),
    Entry("won without progress", "progress is not 1 after a win", "check_game",
          lambda: game("no_progress", progress=progress_without_a_win), r"progress must be 1"),
    Entry("hardest in the middle", "both ends of a knob are easier than what lies between", "check_game",
          lambda: game("bump", expert=expert_of_a_bump), r"^alike: no part",
          also=r"^alike: all of its range"),
    Entry("wall in one of 400 levels", "a level that cannot be won, but a rare one", "check_game",
          lambda: game("rare_walls", build=build_of_rare_walls, expert=expert_within_actions),
          r"a perfect player must win all"),
    Entry("answer that is never right", "no rule rewards one of the actions", "check_game",
          lambda: game("no_third", build=build_without_the_third), r"three"),
    Entry("signals", "the game without a flaw", "check_game", lambda: GAME),
    Entry("a favourite signal", "the first answer is right in every second turn; weak players give it", "check_game",
          lambda: game("favourite", build=build_of_favourites)),
    Entry("much luck", "one answer in five is right whatever it is", "check_game",
          lambda: game("lucky", step=step_with_luck)),
    Entry("small effect", "a knob is worth a few points only", "check_game",
          lambda: game("small_effect", step=step_with_a_small_bonus, **with_bonus(BONUS))),
    Entry("knob of the hard half", "a knob acts only where others are hard", "check_game",
          lambda: game("late_bonus", step=step_with_a_late_bonus, **with_bonus(BONUS))),
    Entry("seconds between ticks", "knobs in seconds, in a game of ticks that carries the rest over", "check_game",
          lambda: replace(DOORS, name="carried", step=carried)),
    Entry("unlike levels", "half of the levels are far easier", "check_game",
          lambda: game("unlike", build=build_of_few_rare_signals)),
)  # fmt: skip

IN_SCENARIOS: Final = {
    planted.name: planted
    for planted in (
        GAME,
        game("turned_skill", expert=expert_turned_round),
        game("turned_knob", space=ParameterSpace(replace(WINDOW, harder="high"), ALIKE, KINDS, GOAL)),
        game("coin", status=status_of_a_coin, progress=progress_of_a_coin),
    )
}
