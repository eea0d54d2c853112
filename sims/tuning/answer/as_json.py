"""The answer of a study for programs: the table, the words, and what they say as numbers."""

from __future__ import annotations

import math
from typing import Any

from sims.tuning.answer.answer import Answer, TunedOption
from sims.tuning.answer.sentences import sentences
from sims.tuning.answer.table import outcome_json
from sims.tuning.study_files import tuned_name


def answer_json(answer: Answer) -> dict[str, Any]:
    """Everything; null where nothing is known."""
    names = [segment.name for segment in answer.problem.segments]
    table = outcome_json(answer.record)
    measured = zip(answer.options, table["options"], strict=True)
    return {
        **table,
        "baseline": {**_summary(answer.baseline), **table["baseline"]},
        "options": [
            {"name": option.letter, "file": tuned_name(i), **_summary(option), **counts}
            for i, (option, counts) in enumerate(measured)
        ],
        "sentences": sentences(answer),
        "sensitivity": [
            {
                "knob": effect.knob.name,
                "from": effect.before,
                "to": effect.after,
                "segments": {name: shift._asdict() for name, shift in zip(names, effect.shifts, strict=True)},
            }
            for effect in answer.effects
        ],
        "reach": [
            {
                "segment": reach.segment.name,
                "direction": "down" if reach.above else "up",
                "verdict": reach.verdict,
                "rate": _known(reach.rate),
                "low": _known(reach.low),
                "high": _known(reach.high),
            }
            for reach in answer.feasibility.alone
        ],
        "conflict": answer.feasibility.conflict,
        "stopped_early": answer.record.certain or None,
    }


def _summary(option: TunedOption) -> dict[str, Any]:
    return {
        "meets_all": option.meets_all,
        "changed": [{"knob": change.knob.name, "from": change.before, "to": change.after} for change in option.changes],
        "change": option.change_size,
        "largest_error": _known(option.error),
        "spread": _known(option.spread),
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
