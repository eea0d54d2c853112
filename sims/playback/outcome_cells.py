"""The columns of a row that tell how its attempt ended: what `verify` and `replay` hold against a row."""

from __future__ import annotations

from typing import Any

from engine.attempt import Result
from engine.external.external_game import AnyGame
from engine.game import LOST, OUTCOMES, WON


def outcome_cells(game: AnyGame, result: Result) -> dict[str, Any]:
    """How an attempt ended, as the values of its row."""
    ended_at = {"end_place": result.place} if game.has_places else {}
    score = {"score": result.score} if game.has_score else {}
    return {
        "duration_s": result.duration_s,
        "outcome": OUTCOMES[result.outcome],
        "won": result.outcome == WON,
        "progress": result.progress,
        **score,
        "cause": game.causes[result.cause] if result.outcome == LOST else None,
        **ended_at,
        "ticks": result.ticks,
        "state_hash": result.state_hash,
    }
