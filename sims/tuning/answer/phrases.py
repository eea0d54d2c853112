"""Phrases of which the answer of a study is made: rates, knobs, bands and lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.parameters import Knob
from sims.tuning.answer.answer import KnobChange
from sims.tuning.answer.sensitivity import Effect, Shift
from sims.tuning.answer.table import value_text
from sims.tuning.final_race import Rate
from sims.tuning.search.counts import Segment
from sims.wording import count

_MOST_NAMED: Final = 4  # knobs, segments or effects in one sentence
_TENTHS: Final = {"linear": " (a tenth of its range)", "log": " (a tenth of its range, on a log scale)"}


def rate_text(rate: Rate) -> str:
    """A measured rate with its interval."""
    if not rate.attempts:
        return "not measured"
    return f"{rate.rate:.3f} ({rate.low:.3f} to {rate.high:.3f})"


def shift_text(shift: Shift) -> str:
    """What a step does to a win rate, with its interval."""
    return f"{shift.value:+.3f} ({shift.low:+.3f} to {shift.high:+.3f})"


def step_text(effect: Effect) -> str:
    """From where to where a knob goes, as the subject of a sentence."""
    knob = effect.knob
    before, after = (value_text(knob, value) for value in (effect.before, effect.after))
    if knob.scale == "choice":
        return f"{after} instead of {before}"
    way = f"from {before} to {after}{_unit(knob)}"
    if knob.scale == "integer":
        cells = int(effect.after) - int(effect.before)
        return f"{count(abs(cells))} {'more' if cells > 0 else 'fewer'} ({way})"
    return f"{way}{_TENTHS[knob.scale]}"


def change_text(change: KnobChange) -> str:
    """What an option does to a knob."""
    knob = change.knob
    before, after = (value_text(knob, value) for value in (change.before, change.after))
    if before == after:
        return f"{knob.name} hardly, at {after}{_unit(knob)}"
    return f"{knob.name} from {before} to {after}{_unit(knob)}"


def _unit(knob: Knob) -> str:
    return "" if knob.unit == "1" else f" {knob.unit}"


def band_text(segment: Segment) -> str:
    """The wanted win rates of a segment."""
    return f"{segment.low:.3g} to {segment.high:.3g}"


def targets_text(segments: Sequence[Segment]) -> str:
    """All targets, as one speaks of them."""
    return {1: "the target", 2: "both targets"}.get(len(segments), f"all {count(len(segments))} targets")


def named(names: Sequence[str]) -> list[str]:
    """The first few, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return list(names) if more <= 1 else [*names[:_MOST_NAMED], f"{count(more)} more"]
