"""Which column of a file is what: by exact name, by usual names, and for wins by content."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from engine.errors import ScenarioError
from engine.scenario_file.scenario_faults import suggestion

Role = Literal["player", "level", "won", "order", "time", "session", "quit", "attempts", "successes", "replica"]
FileForm = Literal["attempts", "counts", "totals"]

MEANINGS: Final[Mapping[Role, str]] = {
    "player": "who played",
    "level": "what was played",
    "won": "whether the attempt was won",
    "order": "number of the attempt",
    "time": "when it began",
    "session": "session of the player",
    "quit": "whether the player left for good after it",
    "attempts": "attempts of this row",
    "successes": "wins of this row",
    "replica": "repeat of a simulation",
}
_USUAL: Final[Mapping[Role, tuple[str, ...]]] = {
    "player": (
        "playerid", "user", "userid", "uid", "subject", "subjectid", "participant", "participantid", "person",
        "personid", "account", "accountid", "deviceid", "student", "studentid", "playername", "username",
    ),
    "level": (
        "levelid", "levelname", "levelnumber", "lvl", "stage", "stageid", "puzzle", "puzzleid", "map", "mission",
        "quest", "item", "itemid", "problem", "problemid", "question", "questionid", "task", "challenge",
    ),
    "won": (
        "win", "success", "solved", "passed", "completed", "complete", "cleared", "correct", "iscorrect", "iswin",
        "victory", "result", "outcome",
    ),
    "order": (
        "attempt", "attemptnumber", "attemptindex", "attemptno", "trial", "trialnumber", "trialindex", "sequence",
        "seq", "playindex", "orderid",
    ),
    "time": ("timestamp", "datetime", "date", "ts", "eventtime", "startedat", "starttime", "createdat", "unixtime"),
    "session": ("sessionid", "sessionnumber"),
    "quit": ("churn", "churned", "left", "abandoned", "quits"),
    "attempts": ("tries", "nattempts", "attemptcount", "plays", "ntries", "failsplussuccesses"),
    "successes": ("wins", "nsuccess", "nsuccesses", "successcount", "passes", "nwins", "solves"),
    "replica": (),
}  # fmt: skip
_NEEDED: Final[Mapping[FileForm, tuple[Role, ...]]] = {
    "attempts": ("player", "level", "won"),
    "counts": ("player", "level", "attempts", "successes"),
    "totals": ("level", "attempts", "successes"),
}


class Mapped(dict[Role, str]):
    """Role -> name of its column."""

    @property
    def form(self) -> FileForm:
        """What a row is: an attempt, the counts of a player on a level, or those of all players on a level."""
        if "won" in self or not {"attempts", "successes"} <= self.keys():
            return "attempts"
        return "counts" if "player" in self else "totals"


def map_columns(names: Sequence[str], given: Mapping[str, str], is_won: Callable[[str], bool]) -> Mapped:
    """Find the column of every role.

    Args:
        names: of the file's columns.
        given: role -> column, as --columns says.
        is_won: whether all values of a column are spellings of won and lost.

    Raises:
        ScenarioError: a role has two candidates, or a needed one has none; the message prints the option to type.
    """
    for role, name in given.items():
        if role not in MEANINGS:
            known = ", ".join(MEANINGS)
            raise ScenarioError(f"--columns knows the parts {known}, got {role!r}{suggestion(role, tuple(MEANINGS))}.")
        if name not in names:
            raise ScenarioError(
                f"--columns must name columns of the file ({_some(names)}), got {name!r}{suggestion(name, names)}."
            )
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ScenarioError(f"every column needs a name of its own, but {doubled[0]!r} is there twice; rename one.")
    found = Mapped({role: given[role] for role in MEANINGS if role in given})
    for role in MEANINGS:
        if role in found:
            continue
        free = [name for name in names if name not in found.values()]
        exact = [name for name in free if _plain(name) == role]
        usual = exact or [name for name in free if _plain(name) in _USUAL[role]]
        if len(usual) == 1:
            found[role] = usual[0]
        elif len(usual) > 1 and role in ("player", "level", "won", "attempts", "successes"):
            raise ScenarioError(
                f"one column must say {MEANINGS[role]}, but {' and '.join(map(repr, usual))} both may; "
                f"add --columns {role}={usual[0]}."
            )
    if "won" not in found and not {"attempts", "successes"} <= found.keys():
        likely = [name for name in names if name not in found.values() and is_won(name)]
        if len(likely) == 1:
            found["won"] = likely[0]
    missing = [role for role in _NEEDED[found.form] if role not in found]
    if missing:
        role = missing[0]
        raise ScenarioError(
            f"a column must say {MEANINGS[role]}, but none of {_some(names)} is called so; add --columns {role}=NAME."
        )
    return found


def parse_columns(text: str) -> dict[str, str]:
    """What --columns was given: role=name, separated by commas.

    Raises:
        ScenarioError: for a part without an equals sign, or a role that is given twice.
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        role, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals or not role or not name:
            raise ScenarioError(f"--columns must be like player=uid,level=stage, got {part!r}.")
        if role in found:
            raise ScenarioError(f"--columns gives {role} twice; give it once.")
        found[role] = name
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def _some(names: Sequence[str]) -> str:
    shown = [repr(name[:40]) for name in names[:12]]
    return ", ".join(shown) + (" ..." if len(names) > len(shown) else "")
