"""An attempt of the wall as a row that can be replayed, before it is in any file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from engine.attempt import Result
from engine.game import Faculties
from sims.playback.outcome_cells import outcome_cells
from sims.playback.row_choice import RecordedRow
from sims.run_folder.names import ATTEMPTS
from sims.window.watching.live_world import LiveAttempt, LiveWorld

IN_NO_FILE: Final = -1  # in place of the number of a row


def live_row(world: LiveWorld, attempt: LiveAttempt) -> RecordedRow:
    """The row of an attempt that the world has played."""
    stepper, row = attempt.stepper, attempt.row
    game = stepper.game
    ended = {"place": "end_place"}  # in a row, place is that in the session
    result = Result(*(row[ended.get(name, name)].item() for name in Result._fields))
    cells: dict[str, Any] = {
        "source": "synthetic",
        "controller": world.chosen[attempt.controller].kind.name,
        "cohort": world.setup.cohorts[attempt.cohort],
        **{name: row[name].item() for name in ("player", "replica", "attempt", "session", "place", "level")},
        "difficulty": attempt.difficulty,
        **{name: row[name].item() for name in Faculties._fields},
        **outcome_cells(game, result),
    }
    several = world.setup.replicas > 1
    return RecordedRow(
        Path(ATTEMPTS), IN_NO_FILE, game, stepper.values, stepper.faculties, stepper.address, cells, None, several
    )
