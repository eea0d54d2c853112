"""What a person did in each attempt, beside the rows: human_actions.jsonl, one line of JSON an attempt.

    {"seed": 20260, "replica": 0, "player": 640000000, "attempt": 3, "thinking_s": [], "actions": [[0, 31], [1, 12]]}

The four numbers are the attempt's address, as in its row. `actions` are pairs of an action (an index into the game's
actions) and for how many ticks or turns it was held, in order. `thinking_s` is empty in a real-time game; in a game
of turns it holds the seconds before each turn. A line is on disk before the next attempt begins. A synthetic player's
actions follow from the row; a person's do not, so without its line a human row cannot be played again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from engine.attempt import Address
from engine.errors import RunFolderError
from engine.user_files.regular_file import open_regular
from sims.playback.stepper import HumanAction

HUMAN_ACTIONS: Final = "human_actions.jsonl"
_KEY: Final = ("seed", "replica", "player", "attempt")


def format_line(address: Address, human_actions: Sequence[HumanAction]) -> str:
    """One attempt as a line, its line break included."""
    held: list[list[int]] = []
    for human_action in human_actions:
        if held and held[-1][0] == human_action.action:
            held[-1][1] += 1
        else:
            held.append([human_action.action, 1])
    thinking = (
        [human_action.thinking_s for human_action in human_actions]
        if any(human_action.thinking_s for human_action in human_actions)
        else []
    )
    found = {**{name: getattr(address, name) for name in _KEY}, "thinking_s": thinking, "actions": held}
    return json.dumps(found) + "\n"


def read_human_actions(folder: Path, address: Address, actions: int) -> list[HumanAction]:
    """What a person did in an attempt. actions: how many the game has.

    Raises RunFolderError when there is no line of this address, or one that is damaged.
    """
    path = folder / HUMAN_ACTIONS
    wanted = tuple(getattr(address, name) for name in _KEY)
    try:
        with open_regular(path) as file:
            for line in file:
                try:
                    found = json.loads(line)
                    if tuple(found[name] for name in _KEY) == wanted:
                        return _human_actions(found, actions)
                except (ValueError, KeyError, TypeError):
                    continue  # a line that a crash cut short; others may still be whole
    except FileNotFoundError:
        pass
    except OSError as fault:
        raise RunFolderError(f"{path} cannot be read: {fault.strerror}") from None
    raise RunFolderError(
        f"a person played player {address.player}, attempt {address.attempt}, but {path} does not hold what they did; "
        "without it the row cannot be played again."
    )


def _human_actions(found: dict[str, Any], actions: int) -> list[HumanAction]:
    chosen = [action for action, count in found["actions"] for _ in range(count)]
    if not all(isinstance(action, int) and 0 <= action < actions for action in chosen):
        raise ValueError("an action that the game does not have")
    thinking = found["thinking_s"] or [0.0] * len(chosen)
    return [HumanAction(action, float(spent_s)) for action, spent_s in zip(chosen, thinking, strict=True)]
