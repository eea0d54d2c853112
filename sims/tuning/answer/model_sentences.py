"""What the model of all counts says, in words: what cannot be reached, and which knobs move whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sims.tuning.answer.answer import Answer
from sims.tuning.answer.feasibility import ReachableRate
from sims.tuning.answer.phrases import band_text, named, shift_text, step_text, targets_text
from sims.wording import listed

_MOST_EFFECTS: Final = 3


def about_limits(answer: Answer) -> Iterator[str]:
    """What can be said of the targets that the first option misses."""
    if answer.nothing_to_change:
        return
    constant = [segment for segment, _ in answer.constant]
    alone = [reach for reach in answer.feasibility.alone if reach.segment not in constant]
    for reach in alone:
        if reach.verdict == "out of reach":
            wanted = f"by the model of all counts; wanted are {band_text(reach.segment)}"
            yield f"{_knobs(answer)}, {_bound(reach)}, {wanted}."
        elif reach.verdict == "cannot tell":
            yield f"Whether {reach.segment.name} can be brought to their target at all, these attempts do not tell."
    within = [reach.segment.name for reach in alone if reach.verdict == "within reach"]
    if within:
        names = f"target of {within[0]}" if len(within) == 1 else f"targets of {listed(named(within))}"
        each = "" if len(within) == 1 else " each"
        if len(answer.problem.segments) == 1:
            yield f"By the model of all counts the {names} can be met: search with a larger budget."
        elif answer.feasibility.conflict:
            yield (
                f"The {names} can{each} be met alone, but by the model of all counts no setting meets "
                f"{targets_text(answer.problem.segments)} at once."
            )
        else:
            yield (f"The {names} can{each} be met alone; whether together with the others, these attempts do not tell.")


def about_effects(answer: Answer) -> Iterator[str]:
    """The most influential knobs, and those that do nothing to be seen."""
    names = [segment.name for segment in answer.problem.segments]
    visible = [effect for effect in answer.effects if effect.visible]
    by_knob = {effect.knob.name: effect for effect in reversed(visible)}  # the strongest of each knob
    strongest = sorted(by_knob.values(), key=visible.index)
    for place, effect in enumerate(strongest[:_MOST_EFFECTS]):
        opening = "By the model of all counts the most influential knob is" if place == 0 else "Then"
        by = shift_text(effect.shifts[effect.strongest])
        segment = names[effect.strongest]
        yield f"{opening} {effect.knob.name}: {step_text(effect)} moves the win rate of {segment} by {by}."
    others = list(dict.fromkeys(one.knob.name for one in answer.effects if one.knob.name not in by_knob))
    small = [name for name in others if all(one.small for one in answer.effects if one.knob.name == name)]
    open_ = [name for name in others if name not in small]
    if small:
        most = max(shift.most for one in answer.effects if one.knob.name in small for shift in one.shifts)
        yield (
            f"There is no visible effect of {listed(small)} around {answer.options[0].letter}: at most {most:.3f} "
            "either way."
        )
    if open_:
        verb = "do" if len(open_) > 1 else "does"
        yield f"What {listed(open_)} {verb}, these attempts are too few to tell."


def _knobs(answer: Answer) -> str:
    held = [name for name in answer.problem.space.names if name in answer.problem.space.held]
    return f"With the knobs that are free (held: {listed(named(held))})" if held else "Even with every knob free"


def _bound(reach: ReachableRate) -> str:
    """How near a segment can come to its target."""
    way = "go below" if reach.above else "rise above"
    if reach.known:
        return f"{reach.segment.name} cannot {way} {reach.rate:.3f} ({reach.low:.3f} to {reach.high:.3f})"
    between = f"between {reach.low:.3f} and {reach.high:.3f}"
    return (
        f"{reach.segment.name} cannot meet their target: they cannot {way} a rate that lies {between}, which these "
        "attempts are too few to tell more exactly"
    )
