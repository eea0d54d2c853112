"""An attempt played again from its row, with all its states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.attempt import Result
from engine.game import Shape
from sims.playback.outcome_cells import outcome_cells
from sims.playback.row_choice import RecordedRow, choose_row
from sims.playback.stepper import Recording


@dataclass(frozen=True, repr=False)
class PlayedRow:
    """An attempt that was played again.

    Attributes:
        number: of its row, from 0.
        cells: the row, column by column.
        result: how the attempt ended now.
        differences: columns of the outcome in which row and result differ; empty when the row is true.
        states: the game's state at the start and after each tick, as the named tuple of its rules.
    """

    number: int
    cells: Mapping[str, Any] = field(compare=False)
    result: Result
    differences: tuple[str, ...]
    states: tuple[Any, ...] = field(compare=False)
    _recording: Recording = field(compare=False)

    @property
    def equal(self) -> bool:
        """Whether it ended as the row says, down to the hash of its last state."""
        return not self.differences

    def shapes(self, tick: int) -> Sequence[Shape]:
        """The picture after a tick, as shapes; tick 0 is the start."""
        return self._recording.shapes(tick)

    def to_json(self) -> dict[str, Any]:
        """The row, whether it is equal, and the columns that differ."""
        return {
            "row": self.number,
            "equal": self.equal,
            "differences": list(self.differences),
            "ticks": len(self.states) - 1,
            "cells": dict(self.cells),
        }

    def __repr__(self) -> str:
        end = "equal" if self.equal else f"differs in {', '.join(self.differences)}"
        return f"PlayedRow({self.number}: {self.cells['outcome']} after {len(self.states) - 1} ticks, {end})"


def differences_of(row: RecordedRow, recording: Recording) -> tuple[str, ...]:
    """Columns of the outcome in which a row differs from an attempt that was played to its end."""
    expected = outcome_cells(row.game, recording.stepper.result())
    # A row from before its game had a score has none to compare.
    return tuple(name for name, value in expected.items() if row.cells.get(name, value) != value)


def play_row(target: Path, number: int) -> PlayedRow:
    """Play a row of a run folder, or of a file of attempts, again. Raises what `choose_row` raises."""
    row = choose_row(target, row=number)
    recording = row.recording()
    recording.reach(row.game.max_ticks)
    result = recording.stepper.result()
    return PlayedRow(number, row.cells, result, differences_of(row, recording), tuple(recording.states), recording)
