"""What happened between the eyes and the hands of a synthetic player, and why the attempt was lost.

The attempt is played again with the same rules, and every change of intent is looked at: when the player could see what
to do, when they wanted it, when the hands did it, and whether it slipped, lapsed, or came too late. Nothing here
decides anything: it says in words what `engine.attempt` has drawn.
"""

from __future__ import annotations

import math
from typing import Final, Literal, NamedTuple

from engine.attempt import Motor, foreseen_of, reaction_time
from engine.game import LOST, PERFECT, Faculties
from engine.randomness import standard_normal, unit, words
from sims.playback.stepper import AttemptStepper

MomentKind = Literal["seen", "wanted", "done", "slip", "lapse", "hit"]
MOMENT_KINDS: Final[tuple[MomentKind, ...]] = ("seen", "wanted", "done", "slip", "lapse", "hit")

_ENDLESS: Final = 1e6  # seconds: whoever needs so long wants to act as soon as there is something to see
_STEPS: Final = 40  # of a bisection
_SAME: Final = 1.0  # seconds from the best moment to a hit; what was due longer ago was meant for something else
_AS_MEANT: Final = 0.005  # seconds


class StoryMoment(NamedTuple):
    """Something that happened at a tick."""

    tick: int
    kind: MomentKind
    action: int  # that was seen, wanted or done; of a hit, what the hands did


class Intent(NamedTuple):
    """A change of intent in a real-time game, and what came of it."""

    tick: int
    action: int  # wanted
    seen: int  # tick from which on it could be seen
    left_s: float  # until the best moment; below 0 where it came as a surprise
    delay_s: float  # from wanting to doing
    aimed: bool  # whether it was timed ahead; otherwise it was a reaction
    fault: Literal["", "slip", "lapse", "held"]  # held: the hands did it already, so that no fresh press came
    did: int  # what the hands did

    @property
    def late_s(self) -> float:
        """By how much it came after the best moment; below 0 before it."""
        return self.delay_s - max(self.left_s, 0.0)


class TurnTaken(NamedTuple):
    """A turn, and what went wrong in it."""

    tick: int
    best: int  # what a perfect player does
    wanted: int
    did: int
    fault: Literal["", "slip", "lapse", "not seen"]
    enough_s: float  # usual latency at which the player would have wanted the best; NaN where that is not the reason


class Story(NamedTuple):
    """The events of an attempt, and why it was lost."""

    moments: tuple[StoryMoment, ...]
    intents: tuple[Intent, ...]  # of a real-time game
    turns: tuple[TurnTaken, ...]  # of a game of turns
    why: str  # one sentence; empty unless it was lost


def story_of(stepper: AttemptStepper) -> Story:
    """Play a synthetic player's attempt to its end and tell it. stepper: at its start; it is used up."""
    if stepper.game.pace == "turns":
        return _of_turns(stepper)
    if stepper.game.pace == "real_time":
        return _of_hands(stepper)
    return Story((), (), (), "")


# --- Games in real time ----------------------------------------------------------------------------------------------


def _of_hands(stepper: AttemptStepper) -> Story:
    game, faculties = stepper.game, stepper.faculties
    eager = faculties._replace(reaction_s=_ENDLESS)
    moments: list[StoryMoment] = []
    intents: list[Intent] = []
    hits: list[int] = []
    seen, saw = 0, 0
    while not stepper.ended:
        tick, before, motor = stepper.tick, stepper.state, stepper.motor
        sees = game.expert(stepper.params, stepper.level, before, eager)
        if sees != saw:
            saw, seen = sees, tick
            if sees:
                moments.append(StoryMoment(tick, "seen", sees))
        stepper.step()
        after = stepper.motor
        if after.changes > motor.changes:
            intent = _intent(stepper, motor, after, before, tick, seen if saw else tick)
            intents.append(intent)
            if intent.action:
                moments.append(StoryMoment(tick, "wanted", intent.action))
                if intent.fault in ("slip", "lapse"):
                    moments.append(StoryMoment(tick, intent.fault, intent.did))
        if after.action != motor.action and after.action:
            moments.append(StoryMoment(tick, "done", after.action))
        if game.hurt is not None and game.hurt(before, stepper.state):
            hits.append(tick)
            moments.append(StoryMoment(tick, "hit", after.action))
    why = ""
    if stepper.outcome == LOST:
        why = _why_hit(stepper, intents, hits[-1] if hits else stepper.tick - 1)
    return Story(tuple(moments), tuple(intents), (), why)


def _intent(stepper: AttemptStepper, motor: Motor, after: Motor, state: object, tick: int, seen: int) -> Intent:
    """A change of intent that was just made, with the draws that `engine.attempt.act` made for it."""
    game, faculties, wanted = stepper.game, stepper.faculties, after.wanted
    left_s = foreseen_of(game)(stepper.params, stepper.level, state, faculties, wanted)
    normal_word, tail_word, error_word, _ = words(stepper.motor_key, motor.changes)
    lets_go = wanted == 0 and left_s >= 0.0
    error = 1.0 if lets_go else unit(error_word)
    aimed = lets_go or left_s > faculties.reaction_s + faculties.reaction_tail_s - game.tick_seconds
    if aimed:
        delay_s = max(left_s + faculties.reaction_sd_s * standard_normal(normal_word), 0.0)
    else:
        delay_s = reaction_time(faculties, normal_word, tail_word)
    fault: Literal["", "slip", "lapse", "held"] = ""
    if error < faculties.lapse:
        fault = "lapse"
    elif error < faculties.lapse + faculties.slip:
        fault = "slip"
    elif wanted == motor.action and wanted:
        fault = "held"
    return Intent(tick, wanted, seen, left_s, delay_s, aimed, fault, after.pending)


def blamed(intents: tuple[Intent, ...] | list[Intent], hit: int, tick_s: float) -> Intent | None:
    """The intent that should have prevented a hit; None where the player wanted nothing in time."""
    for intent in reversed(intents):
        if intent.action and intent.tick <= hit:
            due_s = intent.tick * tick_s + max(intent.left_s, 0.0)
            return intent if hit * tick_s - due_s <= _SAME else None
    return None


def _why_hit(stepper: AttemptStepper, intents: list[Intent], hit: int) -> str:
    game, faculties = stepper.game, stepper.faculties
    intent = blamed(intents, hit, game.tick_seconds)
    if intent is None:
        return f"saw it too late to want anything: foresight {faculties.foresight:.2f}"
    name = game.actions[intent.action]
    if intent.fault == "lapse":
        return f"did not {name}: a lapse, as in {_share(faculties.lapse)} of intents"
    if intent.fault == "slip":
        return f"did {game.actions[intent.did]} in place of {name}: a slip, as in {_share(faculties.slip)} of intents"
    if intent.fault == "held":
        return f"wanted to {name} while the key was still down, so nothing happened"
    if intent.aimed:
        side = "late" if intent.late_s > 0.0 else "early"
        if abs(intent.late_s) < _AS_MEANT:
            return f"{name} came as it was meant, at the best moment"
        return f"{name} came {abs(intent.late_s):.2f} s too {side}: seen in time, but aimed with an error"
    if intent.left_s < 0.0:
        return f"{name} came as a reaction, {intent.delay_s:.2f} s after a surprise"
    reacted = f"reaction {intent.delay_s:.2f} s, {max(intent.left_s, 0.0):.2f} s were left"
    if intent.tick + round(intent.delay_s / game.tick_seconds) > hit:
        return f"was hit before {name}, which was to come {abs(intent.late_s):.2f} s too late: {reacted}"
    side = "late" if intent.late_s > 0.0 else "early"
    return f"{name} came {abs(intent.late_s):.2f} s too {side}: {reacted}"


# --- Games of turns --------------------------------------------------------------------------------------------------


def _of_turns(stepper: AttemptStepper) -> Story:
    game, faculties = stepper.game, stepper.faculties
    moments: list[StoryMoment] = []
    turns: list[TurnTaken] = []
    while not stepper.ended:
        tick, before = stepper.tick, stepper.state
        best = game.expert(stepper.params, stepper.level, before, PERFECT)
        wanted = game.expert(stepper.params, stepper.level, before, faculties)
        _, _, error_word, _ = words(stepper.motor_key, tick)
        stepper.step()
        error = unit(error_word)
        fault: Literal["", "slip", "lapse", "not seen"] = "" if wanted == best else "not seen"
        if error < faculties.lapse:
            fault = "lapse"
        elif error < faculties.lapse + faculties.slip:
            fault = "slip"
        enough_s = _enough(stepper, before, best) if wanted != best else math.nan
        turns.append(TurnTaken(tick, best, wanted, stepper.action, fault, enough_s))
        if wanted == best:
            moments.append(StoryMoment(tick, "seen", best))
        moments.append(StoryMoment(tick, "wanted", wanted))
        moments.append(StoryMoment(tick, fault if fault in ("slip", "lapse") else "done", stepper.action))
        if game.hurt is not None and game.hurt(before, stepper.state):
            moments.append(StoryMoment(tick, "hit", stepper.action))
    struck = bool(moments) and moments[-1].kind == "hit"
    return Story(tuple(moments), (), tuple(turns), _why_lost(stepper, turns, struck) if stepper.outcome == LOST else "")


def _enough(stepper: AttemptStepper, state: object, best: int) -> float:
    """The longest usual latency with which this player would have wanted the best; NaN where none is short enough."""
    faculties = stepper.faculties
    usual_s = faculties.reaction_s + faculties.reaction_tail_s

    def wants_best(share: float) -> bool:
        quicker = _slower(faculties, share)
        return bool(stepper.game.expert(stepper.params, stepper.level, state, quicker) == best)

    if usual_s <= 0.0 or not wants_best(0.0):
        return math.nan
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if wants_best(middle) else (low, middle)
    return low * usual_s


def _slower(faculties: Faculties, share: float) -> Faculties:
    return faculties._replace(
        reaction_s=share * faculties.reaction_s, reaction_tail_s=share * faculties.reaction_tail_s
    )


def _why_lost(stepper: AttemptStepper, turns: list[TurnTaken], struck: bool) -> str:
    """struck: whether the last turn cost something; otherwise all turns together were not enough."""
    if not turns:
        return ""
    parts = [_why_turn(stepper, turns[-1]), _in_all(turns)]
    return "; ".join(parts if struck else reversed(parts))


def _why_turn(stepper: AttemptStepper, last: TurnTaken) -> str:
    """What went wrong in the last turn."""
    faculties = stepper.faculties
    did, best = _named(stepper, last.did), _named(stepper, last.best)
    if last.fault == "lapse":
        return f"did nothing at the end: a lapse, as in {_share(faculties.lapse)} of turns"
    if last.fault == "slip":
        return f"did {did} at the end in place of {_named(stepper, last.wanted)}: a slip"
    if last.fault == "not seen":
        reason = f"foresight {faculties.foresight:.2f}"
        if not math.isnan(last.enough_s):
            usual_s = faculties.reaction_s + faculties.reaction_tail_s
            reason = f"reaction {usual_s:.3f} s, {last.enough_s:.3f} s were left"
        return f"did {did} at the end and did not see that {best} was best: {reason}"
    return f"{did} at the end was the best, and not enough"


def _named(stepper: AttemptStepper, action: int) -> str:
    return stepper.game.actions[action]


def _in_all(turns: list[TurnTaken]) -> str:
    counts = {fault: sum(turn.fault == fault for turn in turns) for fault in ("not seen", "slip", "lapse")}
    told = [f"{number} {_plural(fault, number)}" for fault, number in counts.items() if number]
    return f"in {len(turns)} turns: {', '.join(told) if told else 'no mistake'}"


def _plural(word: str, number: int) -> str:
    return word if number == 1 or word == "not seen" else f"{word}s"


def _share(value: float) -> str:
    return f"{100.0 * value:.0f} %"
