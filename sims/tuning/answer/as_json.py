"""The answer of a study for programs: answer.json."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from sims.run_folder.files import write_json
from sims.tuning.answer.answer import Answer, MeasuredSetting, target_verdict
from sims.tuning.answer.sentences import answer_text, end_of, sentences
from sims.tuning.problem import Problem
from sims.tuning.study import CountedPoint
from sims.tuning.study_files import ANSWER, shown_values, tuned_name


def write_answer(folder: Path, answer: Answer) -> str:
    """Write the answer into the folder of a study; return the file's name."""
    write_json(folder / ANSWER, answer_json(answer))
    return ANSWER


def answer_json(answer: Answer) -> dict[str, Any]:
    """Everything, as values of JSON; null where nothing is known."""
    record, problem = answer.record, answer.problem
    names = [segment.name for segment in problem.segments]
    return {
        "met": answer.options[0].meets_all,
        "attempts": record.spent,
        "targets": {segment.name: [segment.low, segment.high] for segment in problem.segments},
        "baseline": _setting_json(problem, answer.baseline),
        "options": [
            {"name": option.letter, "file": tuned_name(i), **_setting_json(problem, option)}
            for i, option in enumerate(answer.options)
        ],
        "stages": [{"knobs": stage.knobs, **point_json(problem, end_of(stage, problem))} for stage in record.stages],
        "sentences": sentences(answer),
        "text": answer_text(answer),
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
        "stopped_early": record.certain or None,
        "calibrated": answer.problem.scenario.calibration.calibrated,
        "calibration": answer.problem.scenario.calibration.words,
    }


def point_json(problem: Problem, point: CountedPoint) -> dict[str, Any]:
    """One point with its win rates; null where nothing was played."""
    rates = zip(problem.segments, point.rates, point.wins, strict=True)
    return {
        "params": shown_values(problem, point.point),
        "segments": {
            segment.name: {
                "attempts": rate.attempts,
                "wins": wins,
                "rate": _known(rate.rate),
                "interval": [rate.low, rate.high] if rate.attempts else None,
                "verdict": target_verdict(rate, segment),
            }
            for segment, rate, wins in rates
        },
    }


def _setting_json(problem: Problem, setting: MeasuredSetting) -> dict[str, Any]:
    return {
        "meets_all": setting.meets_all,
        "changed": [{"knob": one.knob.name, "from": one.before, "to": one.after} for one in setting.changes],
        "change": setting.change_size,
        "largest_error": _known(setting.error),
        "spread": _known(setting.spread),
        **point_json(problem, setting.point),
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
