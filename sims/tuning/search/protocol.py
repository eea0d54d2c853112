"""What every method of search is: it asks for points, is told counts, and in the end names its finalists.

A search is a function of its seed and of the tells it was given, in their order: so a study is resumed by telling it
again what its journal holds. It must ask for the same points after the same tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sims.tuning.search.counts import Ask, Tell
from sims.tuning.search.knob_box import Point


class Search(Protocol):
    """A method of search."""

    def ask(self, left: int) -> Sequence[Ask]:
        """The next points to play, one or more, whose attempts sum to at most `left`; none when it has no more."""

    def tell(self, tells: Sequence[Tell]) -> None:
        """What came of the last ask, in its order."""

    def finalists(self, most: int) -> list[Point]:
        """The best points by what was told, best first: one to `most` of them."""
