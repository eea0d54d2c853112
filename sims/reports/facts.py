"""Everything that the page of a report is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.places.knock_out import PlaceCost
from engine.tally import Tally
from sims.reports.changes import ChangedDefault
from sims.reports.rows import Gathered
from sims.verdict.goal import Goal
from sims.verdict.verdict import Verdict

_MOST_CHARTS: Final = 12  # cohorts with charts of their own: the page stays under a megabyte


@dataclass(frozen=True, eq=False)
class Facts:
    """What a report knows of a run."""

    title: str
    labels: tuple[str, ...]  # what people read instead of the names of cohorts
    manifest: Mapping[str, Any]
    goal: Goal
    tally: Tally
    verdict: Verdict
    rows: Gathered
    changes: tuple[ChangedDefault, ...] | None  # what the scenario sets; None where that is not known
    costs: tuple[PlaceCost, ...] = ()  # what each place costs, where it was measured

    @property
    def of_a_person(self) -> bool:
        """Whether a person played this at the window."""
        return self.manifest.get("source") == "human"

    @property
    def charted(self) -> range:
        """Numbers of the cohorts that have charts of their own."""
        return range(min(len(self.labels), _MOST_CHARTS))

    @property
    def levels(self) -> int:
        """Levels of a campaign; 0 in an endless stream."""
        return self.tally.scheme.levels
