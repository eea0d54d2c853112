"""Simulate and balance a game's difficulty: scenarios in, verdicts and tables out.

    from sims import load_scenario, run

    result = run(load_scenario("quickstart"))
    result.verdict
    result.attempts()

Functions return frozen results; they print nothing and never exit. Errors are those of `engine.errors`. Nothing heavy
is imported before a name is used, so `import sims` costs a few milliseconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sims.catalog import load_scenario as load_scenario
    from sims.planning.plan import Plan as Plan
    from sims.planning.plan import plan as plan
    from sims.planning.precision import run_to_precision as run_to_precision
    from sims.runs.execution import resume as resume
    from sims.runs.execution import run as run
    from sims.runs.run import Run as Run
    from sims.runs.run import read_run as read_run
    from sims.runs.verification import Verification as Verification
    from sims.runs.verification import verify as verify

# Name of the surface -> the module that defines it.
_HOMES: Final = {
    "Plan": "sims.planning.plan",
    "Run": "sims.runs.run",
    "Verification": "sims.runs.verification",
    "load_scenario": "sims.catalog",
    "plan": "sims.planning.plan",
    "read_run": "sims.runs.run",
    "resume": "sims.runs.execution",
    "run": "sims.runs.execution",
    "run_to_precision": "sims.planning.precision",
    "verify": "sims.runs.verification",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a name of the surface when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sims' has no attribute {name!r}; it has {', '.join(sorted(_HOMES))}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
