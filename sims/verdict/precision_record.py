"""How wide the margins of a run are that was made as large as they need: the answer of `run_to_precision`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Precision:
    """Why a run has the size that it has.

    Attributes:
        reached: whether every margin is as narrow as was asked for.
        sentences: for people.
        numbers: wanted and reached half widths of win rates, sizes and the seed of the pilot.
    """

    reached: bool
    sentences: tuple[str, ...]
    numbers: Mapping[str, Any] = field(compare=False)

    def to_json(self) -> dict[str, Any]:
        """Numbers and sentences as values of JSON."""
        return {**self.numbers, "said": " ".join(self.sentences)}
