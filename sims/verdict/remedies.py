"""What would settle a win rate that is too close to call, said only where it would."""

from __future__ import annotations

from typing import Final

from sims.verdict.goal import Row
from sims.verdict.numbers import rounded_up

OTHER_SEED: Final = "with another seed (--seed)"  # more players on the same seed are a second look at the same luck


def remedy_of(row: Row, cluster: str) -> str:
    """A clause without its full stop. cluster: player, replica or estimate, which is what margins count."""
    if row.target_low == row.target_high:
        return "A target without width can never be confirmed; set a tolerance"
    if cluster == "estimate":
        return "The plays leave it open; calibrate on more of them"
    noun = (
        "More repeats with about {:,} players of that group in all"
        if cluster == "replica"
        else "About {:,} players of that group"
    )
    if row.more_players is not None:
        number = noun.format(rounded_up(row.players + row.more_players))
        return f"{number}, {OTHER_SEED}, would probably give a clear answer"
    longer = max(row.win_rate_high - row.win_rate, row.win_rate - row.win_rate_low)
    times = 2.0 * longer / (row.target_high - row.target_low)
    if times <= 1.0:
        return "The rate is practically at the edge of its target; more players would hardly make it clearer"
    number = noun.format(rounded_up(row.players * (2.0 * times) ** 2))
    return f"The margin is wider than the target. {number}, {OTHER_SEED}, would bring it down to half of that"
