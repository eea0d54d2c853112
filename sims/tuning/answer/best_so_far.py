"""The best setting of a study that was stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sims.tuning.answer.as_json import point_json
from sims.tuning.answer.sentences import points_table
from sims.tuning.problem import Problem
from sims.tuning.study import CountedPoint, Study


@dataclass(frozen=True)
class BestSoFar:
    """The best setting by the search's model and, where that was not played yet, the best one that was."""

    problem: Problem
    points: Mapping[str, CountedPoint]  # by what they are called

    @classmethod
    def of(cls, problem: Problem, study: Study) -> BestSoFar:
        """The best settings of a study that has not come to its end."""
        points = {"best so far": study.best()}
        if not any(points["best so far"].attempts):
            points["best played"] = study.best_played()
        return cls(problem, points)

    @property
    def text(self) -> str:
        """A table, and how much to trust it."""
        return (
            f"{points_table(self.problem, self.points)}\n\nNot measured on fresh players: a setting looks better than "
            "it is on the attempts that chose it."
        )

    def to_json(self) -> dict[str, Any]:
        """The settings and their counts as values of JSON."""
        return {name.replace(" ", "_"): point_json(self.problem, point) for name, point in self.points.items()}
