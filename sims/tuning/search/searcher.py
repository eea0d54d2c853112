"""The interface of every search method: it asks for points, learns from their counts, and names its finalists.

A search is a function of its seed and of the counts it was given, in their order. That is how a study is resumed: the
search gets the counts in the journal again, and must ask for the same points again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sims.tuning.search.counts import Ask, Tell
from sims.tuning.search.search_space import Point


class Searcher(Protocol):
    """A search by one method."""

    def ask(self, left: int) -> Sequence[Ask]:
        """The next points to play, whose attempts sum to at most `left`; empty when the search is over."""

    def tell(self, tells: Sequence[Tell]) -> None:
        """Learn the counts of the last ask, in its order."""

    def finalists(self, most: int) -> list[Point]:
        """The best points so far, best first: at least one, at most `most`."""
