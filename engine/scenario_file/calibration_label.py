"""Whether the players of a scenario were fitted to real plays, and whether they still are what was fitted."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, Literal, NamedTuple

from engine.scenario_file.sections import CalibrationSection, Form

CalibrationState = Literal["uncalibrated", "calibrated", "changed", "outside"]
UNFITTED: Final = "uncalibrated"


class CalibrationLabel(NamedTuple):
    """What is said of the players wherever their win rates are shown."""

    state: CalibrationState
    words: str  # a few words, without an end

    @property
    def calibrated(self) -> bool:
        """Whether nothing was changed since the players were fitted, and nothing is beyond what the file has."""
        return self.state == "calibrated"


NOT_FITTED: Final = CalibrationLabel("uncalibrated", UNFITTED)


def calibration_label(form: Form) -> CalibrationLabel:
    """The label of a resolved form."""
    section = form.calibration
    if section is None:
        return NOT_FITTED
    changed = [name for name, print_ in fingerprints(form).items() if section.fitted.get(name) != print_]
    if changed:
        return CalibrationLabel("changed", f"calibrated on {section.source}, then changed: {', '.join(changed)}")
    low, high = _difficulties(form)
    if low < section.difficulty[0] or high > section.difficulty[1]:
        known = _range(*section.difficulty)
        return CalibrationLabel(
            "outside", f"calibrated on {section.source}, outside its range: difficulty {_range(low, high)}, not {known}"
        )
    return CalibrationLabel("calibrated", f"calibrated on {section.source}{_error_words(section)}")


def fingerprints(form: Form) -> dict[str, str]:
    """A short digest of every part of a resolved form that a calibration fits."""
    tree = form.model_dump(exclude_none=True)
    levels = tree["levels"]
    parts: dict[str, Any] = {
        "traits": [[cohort["share"], cohort["traits"]] for cohort in tree["cohort"]],
        "correlation": [cohort.get("correlation", {}) for cohort in tree["cohort"]],
        "flow": tree["players"]["flow"],
        "levels": [levels.get("count", 0), levels.get("params", {})],
        "game": [tree["game"], tree["dial"]["path"]],
    }
    return {name: _digest(value) for name, value in parts.items()}


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _difficulties(form: Form) -> tuple[float, float]:
    """Lowest and highest difficulty that the controller can set."""
    if form.controller.name == "constant" and "difficulty" in form.controller.options:
        place = form.controller.options["difficulty"]
        return place, place
    return form.dial.floor, form.dial.ceiling


def _range(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _error_words(section: CalibrationSection) -> str:
    levels = f"levels 1-{section.levels}" if section.levels > 1 else "one level"
    if section.game is not None:
        levels = f"difficulty {_range(*section.difficulty)}"
    if section.players is None:
        return f": {levels}, difficulties only"
    if section.error is None:
        return f": {levels}, not tried on unseen players"
    margin = ""
    if section.error_low is not None and section.error_high is not None:
        margin = f" ({_rate(section.error_low)}-{_rate(section.error_high)})"
    return f": unseen players off by {_rate(section.error)}{margin}, {levels}"


def _rate(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
