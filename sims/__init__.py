"""Simulate and balance a game's difficulty: scenarios in, verdicts and tables out.

    from sims import load_scenario, run

    result = run(load_scenario("quickstart"))
    result.verdict
    result.attempts()

Functions return frozen results; they print nothing and never exit. Errors are those of `engine.errors`. Nothing is
loaded before a name is used. docs/python_api.md explains every name.
"""

from __future__ import annotations

TYPE_CHECKING = False  # what type checkers take for true; typing itself takes most of the time of an import
if TYPE_CHECKING:
    from typing import Any

    from sims.advice.advice import Advice as Advice
    from sims.advice.advice import advise as advise
    from sims.arena.arena import Arena as Arena
    from sims.arena.arena import run_arena as run_arena
    from sims.arena.gain_finder import GainSearch as GainSearch
    from sims.arena.gain_finder import find_gain as find_gain
    from sims.arena.race import Race as Race
    from sims.arena.race import race as race
    from sims.calibration.calibration import Calibration as Calibration
    from sims.calibration.calibration import calibrate as calibrate
    from sims.catalog import load_scenario as load_scenario
    from sims.comparison.comparison import Comparison as Comparison
    from sims.comparison.comparison import compare as compare
    from sims.planning.plan import Plan as Plan
    from sims.planning.plan import plan as plan
    from sims.planning.precision import run_to_precision as run_to_precision
    from sims.playback.played import PlayedRow as PlayedRow
    from sims.runs.execution import resume as resume
    from sims.runs.execution import run as run
    from sims.runs.run import Run as Run
    from sims.runs.run import read_run as read_run
    from sims.runs.verification import Verification as Verification
    from sims.runs.verification import verify as verify
    from sims.shipping.controller_folder import export_controller as export_controller
    from sims.sweeping.finished_sweep import FinishedSweep as FinishedSweep
    from sims.sweeping.finished_sweep import read_sweep as read_sweep
    from sims.sweeping.sweep import resume_sweep as resume_sweep
    from sims.sweeping.sweep import sweep as sweep
    from sims.tracking.optuna_storage import export_trials as export_trials
    from sims.tracking.track import track as track
    from sims.tuning.levels.tune_levels import tune_levels as tune_levels
    from sims.tuning.levels.tuned_levels import TunedLevels as TunedLevels
    from sims.tuning.tiers.tune_tiers import resume_tiers as resume_tiers
    from sims.tuning.tiers.tune_tiers import tune_tiers as tune_tiers
    from sims.tuning.tiers.tuned_tiers import TunedTiers as TunedTiers
    from sims.tuning.tiers.tuned_tiers import read_tiers as read_tiers
    from sims.tuning.tune import resume_study as resume_study
    from sims.tuning.tune import tune as tune
    from sims.tuning.tuned_study import TunedOption as TunedOption
    from sims.tuning.tuned_study import TunedStudy as TunedStudy
    from sims.tuning.tuned_study import read_study as read_study
    from sims.verdict.gate import Gate as Gate
    from sims.verdict.verdict import Verdict as Verdict
    from sims.workers.signals import Stopped as Stopped

# Public name -> the module that defines it; tests/sims/test_surface.py holds both lists together.
_HOMES = {
    "Advice": "sims.advice.advice",
    "Arena": "sims.arena.arena",
    "Calibration": "sims.calibration.calibration",
    "Comparison": "sims.comparison.comparison",
    "FinishedSweep": "sims.sweeping.finished_sweep",
    "GainSearch": "sims.arena.gain_finder",
    "Gate": "sims.verdict.gate",
    "Plan": "sims.planning.plan",
    "PlayedRow": "sims.playback.played",
    "Race": "sims.arena.race",
    "Run": "sims.runs.run",
    "Stopped": "sims.workers.signals",
    "TunedLevels": "sims.tuning.levels.tuned_levels",
    "TunedOption": "sims.tuning.tuned_study",
    "TunedStudy": "sims.tuning.tuned_study",
    "TunedTiers": "sims.tuning.tiers.tuned_tiers",
    "Verdict": "sims.verdict.verdict",
    "Verification": "sims.runs.verification",
    "advise": "sims.advice.advice",
    "calibrate": "sims.calibration.calibration",
    "compare": "sims.comparison.comparison",
    "export_controller": "sims.shipping.controller_folder",
    "export_trials": "sims.tracking.optuna_storage",
    "find_gain": "sims.arena.gain_finder",
    "load_scenario": "sims.catalog",
    "plan": "sims.planning.plan",
    "race": "sims.arena.race",
    "read_run": "sims.runs.run",
    "read_study": "sims.tuning.tuned_study",
    "read_sweep": "sims.sweeping.finished_sweep",
    "read_tiers": "sims.tuning.tiers.tuned_tiers",
    "resume": "sims.runs.execution",
    "resume_study": "sims.tuning.tune",
    "resume_sweep": "sims.sweeping.sweep",
    "resume_tiers": "sims.tuning.tiers.tune_tiers",
    "run": "sims.runs.execution",
    "run_arena": "sims.arena.arena",
    "run_to_precision": "sims.planning.precision",
    "sweep": "sims.sweeping.sweep",
    "track": "sims.tracking.track",
    "tune": "sims.tuning.tune",
    "tune_levels": "sims.tuning.levels.tune_levels",
    "tune_tiers": "sims.tuning.tiers.tune_tiers",
    "verify": "sims.runs.verification",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    from engine.public_names import lazy_name

    return lazy_name(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
