"""Games that come with Flowdial.

from games import get

game = get("gap_runner")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.public_names import built_in, built_in_names

if TYPE_CHECKING:
    from engine.game import Game

__all__ = ["get", "names"]


def get(name: str) -> Game:
    """A game by its name.

    Args:
        name: as `flowdial list games` prints it.

    Returns:
        Its record: knobs, rules and how to draw it.

    Raises:
        ScenarioError: no built-in game has this name.

    Example:
        >>> from games import get
        >>> [knob.name for knob in get("logistic").space]
        ['difficulty', 'guess']
    """
    game: Game = built_in(("games",), "GAME", "game", name)
    return game


def names() -> list[str]:
    """Names of all built-in games."""
    return list(built_in_names(("games",)))
