"""What attempts of players amount to: who quits after how many, who passes after how many, and rows of losses.

The same sums are made of the players of a file and of their simulated twins, so that both are measured alike. Whoever
leaves without quitting, such as at the end of the file's days, stops being counted; nobody is taken for a quitter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.kernel import compiled
from sims.calibration.histories import Histories, Indices, Numbers

MOST_ATTEMPTS: Final = 200  # of the curve of those who stay
MOST_TRIES: Final = 30  # of the curve of those who passed
MOST_LOSSES: Final = 50  # attempts of each player in which rows of losses are looked for
LEAST_PLAYERS: Final = 10  # behind each point


@dataclass(frozen=True)
class BehaviourCounts:
    """Counts of many players."""

    could_quit: Indices  # players who could quit after attempt k and of whom it is known, shape (MOST_ATTEMPTS,)
    did_quit: Indices
    tried: Indices  # visits to a level with at least t + 1 tries, shape (MOST_TRIES,)
    passed: Indices  # of those, the visits passed at try t + 1
    longest: Indices  # players with a longest row of so many losses, shape (MOST_LOSSES + 1,)

    @classmethod
    def nothing(cls) -> BehaviourCounts:
        """Zeros to be added to."""
        sizes = (MOST_ATTEMPTS, MOST_ATTEMPTS, MOST_TRIES, MOST_TRIES, MOST_LOSSES + 1)
        return cls(*(np.zeros(size, np.int64) for size in sizes))

    @property
    def arrays(self) -> tuple[Indices, ...]:
        """For the kernel, in its order."""
        return self.could_quit, self.did_quit, self.tried, self.passed, self.longest

    def stay(self) -> Numbers:
        """Share of players who have not quit after 1, 2, 3 ... attempts."""
        share: Numbers = np.cumprod(1.0 - self.did_quit / np.maximum(self.could_quit, 1), dtype=np.float64)
        return share

    def pass_by(self) -> Numbers:
        """Share of visits to a level that are passed within 1, 2, 3 ... tries."""
        share: Numbers = 1.0 - np.cumprod(1.0 - self.passed / np.maximum(self.tried, 1), dtype=np.float64)
        return share

    def lose_in_a_row(self) -> Numbers:
        """Share of players whose longest row of losses has at least 1, 2, 3 ... of them."""
        share: Numbers = np.cumsum(self.longest[::-1])[::-1][1:] / max(int(self.longest.sum()), 1)
        return share


def count_behaviour(histories: Histories, looked_at: int) -> BehaviourCounts:
    """Count the players of a file.

    Args:
        histories: the players.
        looked_at: first attempts of each player in which rows of losses are looked for.
    """
    found = BehaviourCounts.nothing()
    h = histories
    compiled(add_all)(h.starts, h.level, h.won, h.risk, h.quits, looked_at, *found.arrays)
    return found


def attempts_looked_at(histories: Histories) -> int:
    """As many as half of the players made."""
    return int(min(np.median(np.diff(histories.starts)), MOST_LOSSES))


def add_all(
    starts: Any, level: Any, won: Any, risk: Any, quits: Any, looked_at: int,
    could_quit: Any, did_quit: Any, tried: Any, passed: Any, longest: Any,
) -> None:  # fmt: skip
    """Add all players to the counts."""
    for i in range(len(starts) - 1):
        add_player(
            starts[i], starts[i + 1], level, won, risk, quits, looked_at, could_quit, did_quit, tried, passed, longest
        )


def add_player(
    first: int, last: int, level: Any, won: Any, risk: Any, quits: Any, looked_at: int,
    could_quit: Any, did_quit: Any, tried: Any, passed: Any, longest: Any,
) -> None:  # fmt: skip
    """Add one player, whose rows are first to last - 1, to the counts."""
    losses = most = tries = 0
    for r in range(first, last):
        number = r - first
        if r > first and (level[r] != level[r - 1] or won[r - 1] == 1):
            tries = 0  # a visit to a level ends with a win, or when the player goes elsewhere
        if number < len(could_quit) and risk[r] == 1:
            could_quit[number] += 1
            did_quit[number] += quits[r]
        if tries < len(tried):
            tried[tries] += 1
            passed[tries] += 1 if won[r] == 1 else 0
        tries += 1
        losses = 0 if won[r] == 1 else losses + 1
        if number < looked_at:
            most = max(most, losses)
    if last - first >= looked_at:
        longest[most] += 1
