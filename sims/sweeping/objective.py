"""What a sweep looks for: a number for each trial, or several, the smaller the better."""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.errors import ScenarioError
from engine.setup import Setup


class Objective(NamedTuple):
    """A number that a sweep makes small."""

    name: str
    words: str  # what it is, for people
    squared: bool = False  # whether it is kept as a mean square, whose root people read in points
    share: bool = False  # whether people read it in per cent


TRUE_CHANCE: Final = Objective(
    "true_chance", "distance of the chance of winning from the target (root mean square)", squared=True
)
WIN_RATES: Final = Objective(
    "win_rates", "distance of the win rates from their targets (root mean square over groups)", squared=True
)
QUIT_SHARE: Final = Objective("quit_share", "share of players who quit", share=True)
LONGEST_LOSSES: Final = Objective("longest_losses", "longest losing streak, mean over players")
OUT_OF_BAND: Final = Objective(
    "out_of_band", "share of attempts whose chance of winning is more than 5 points from the target", share=True
)
OBJECTIVES: Final = {one.name: one for one in (TRUE_CHANCE, WIN_RATES, OUT_OF_BAND, QUIT_SHARE, LONGEST_LOSSES)}
OF_CHANCES: Final = (TRUE_CHANCE, OUT_OF_BAND)
AUTO: Final = "auto"


def objectives_of(names: str, setup: Setup) -> tuple[Objective, ...]:
    """The objectives of these names, which commas separate; by the first one the search goes.

    Raises ScenarioError where the game cannot tell.
    """
    found = tuple(_objective_of(name.strip(), setup) for name in names.split(","))
    if len(set(found)) < len(found):
        raise ScenarioError(f"every objective must be there once, got {names[:200]!r}")
    return found


def _objective_of(name: str, setup: Setup) -> Objective:
    """The objective of this name; "auto": the true chance where the game's is known, else the win rates."""
    known = setup.game.win_probability is not None
    if name == AUTO:
        return TRUE_CHANCE if known else WIN_RATES
    if name not in OBJECTIVES:
        raise ScenarioError(f"the objective must be auto, {', '.join(OBJECTIVES)}, got {name[:64]!r}")
    if OBJECTIVES[name] in OF_CHANCES and not known:
        raise ScenarioError(
            f"the true chance of winning is known only of games with a closed form, and {setup.game.name} has none; "
            "use the objective win_rates"
        )
    return OBJECTIVES[name]
