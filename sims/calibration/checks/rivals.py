"""A fit beside two trivial predictions of the same attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sims.calibration.checks.prediction_score import Score, UnseenAttempts, error_by_luck, score_of
from sims.calibration.histories import Numbers


@dataclass(frozen=True)
class Rivals:
    """The fit and its rivals."""

    model: Score
    trivial: Score  # the mean of the level, or of its neighbours where the level is new
    one_rate: Score
    luck: float  # the error that the model would have were it right: the luck of so few attempts
    folds: int
    rates: int  # level rates that were compared

    def to_json(self, trivial: str) -> dict[str, Any]:
        """For calibration.json. trivial: the name of the better of the two trivial predictions."""
        return {
            "model": self.model.to_json(),
            trivial: self.trivial.to_json(),
            "one_rate": self.one_rate.to_json(),
            "luck": float(f"{self.luck:.6g}"),
            "folds": self.folds,
            "level_rates": self.rates,
        }


def rivals_of(unseen: Sequence[UnseenAttempts], chances: Sequence[tuple[Numbers, Numbers, Numbers]]) -> Rivals | None:
    """Score all three; None where no level has ten players.

    Args:
        unseen: the attempts of each fold.
        chances: of winning them, by the model, by the better of the trivial predictions and by one rate.
    """
    scores = [score_of(unseen, [each[way] for each in chances]) for way in range(3)]
    if None in scores:
        return None
    model, trivial, one = (score for score in scores if score is not None)
    luck, rates = error_by_luck(unseen, [each[0] for each in chances])
    return Rivals(model, trivial, one, luck, len(unseen), rates)
