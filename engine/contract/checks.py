"""The contract suites: what every game and every controller promises, checked by name.

    >>> from engine.contract.checks import check_game
    >>> from games.logistic import GAME
    >>> check_game(GAME)
    []

An empty list says that all promises are kept; otherwise there is one plain sentence for each that is broken. The
promises themselves are the functions listed in engine.contract.game_contract and engine.contract.controller_contract.
"""

from __future__ import annotations

from engine.contract.controller_contract import check_controller
from engine.contract.game_contract import check_game

__all__ = ["check_controller", "check_game"]
