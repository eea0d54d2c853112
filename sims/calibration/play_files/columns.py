"""Which column of a file is what: by exact name, by usual names, and for wins by content."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from engine.errors import ScenarioError
from engine.scenario_file.scenario_faults import suggestion

Role = Literal[
    "player", "level", "won", "order", "time", "session", "quit", "duration", "attempts", "successes", "replica"
]
FileForm = Literal["attempts", "counts", "totals"]

MEANINGS: Final[Mapping[Role, str]] = {
    "player": "who played",
    "level": "what was played",
    "won": "whether the attempt was won",
    "order": "number of the attempt",
    "time": "when it began",
    "session": "session of the player",
    "quit": "whether the player left for good after it",
    "duration": "how long it took, in seconds",
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
        "quest", "item", "itemid", "problem", "problemid", "question", "questionid", "task", "taskid", "taskname",
        "challenge", "game", "gameid", "gamename", "skill", "skillid", "skillname", "word", "wordid", "lexemeid",
    ),
    "won": (
        "win", "success", "solved", "passed", "completed", "complete", "cleared", "correct", "iscorrect", "iswin",
        "victory", "result", "outcome",
    ),
    "order": (
        "attempt", "attemptnum", "attemptnumber", "attemptindex", "attemptno", "trial", "trialorder",
        "trialnumber", "trialindex", "sequence",
        "seq", "playindex", "orderid",
    ),
    "time": (
        "timestamp", "datetime", "date", "day", "dt", "ts", "eventtime", "startedat", "starttime", "createdat",
        "unixtime",
    ),
    "session": ("sessionid", "sessionnumber"),
    "quit": ("churn", "churned", "left", "abandoned", "quits"),
    "duration": ("durations", "durationsec", "durationseconds", "seconds", "elapsed", "elapsedseconds", "timespent"),
    "attempts": (
        "tries", "nattempts", "numattempts", "attemptcount", "totalattempts", "plays", "ntries", "numtries", "seen",
        "sessionseen", "trials", "numplays", "nplays",
    ),
    "successes": (
        "wins", "nsuccess", "nsuccesses", "numsuccess", "numsuccesses", "successcount", "totalsuccesses", "passes",
        "nwins", "numwins", "solves", "sessioncorrect", "made", "hits",
    ),
    "replica": (),
}  # fmt: skip
_HELD: Final[tuple[Role, ...]] = ("order", "time", "quit", "attempts", "successes")  # a usual name is not enough
_NEEDED: Final[Mapping[FileForm, tuple[Role, ...]]] = {
    "attempts": ("player", "level", "won"),
    "counts": ("player", "level", "attempts", "successes"),
    "totals": ("level", "attempts", "successes"),
}


class Mapped(dict[Role, str]):
    """Role -> name of its column.

    Attributes:
        unread: columns that are called like a role but do not hold what it says -> the role.
    """

    def __init__(self, columns: Mapping[Role, str]) -> None:
        super().__init__(columns)
        self.unread: dict[str, Role] = {}

    @property
    def form(self) -> FileForm:
        """What a row is: an attempt, the counts of a player on a level, or those of all players on a level."""
        if "won" in self or not {"attempts", "successes"} <= self.keys():
            return "attempts"
        return "counts" if "player" in self else "totals"


def map_columns(names: Sequence[str], given: Mapping[str, str], holds: Callable[[Role, str], bool]) -> Mapped:
    """Find the column of every role.

    Args:
        names: of the file's columns.
        given: role -> column, as --columns says.
        holds: whether a column's cells can be read as what a role says.

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
        called = [name for name in free if _plain(name) == role]
        called = called or [name for name in free if _plain(name) in _USUAL[role]]
        usual = [name for name in called if role not in _HELD or holds(role, name)]
        found.unread |= {name: role for name in called if name not in usual}
        if len(usual) == 1:
            found[role] = usual[0]
        elif len(usual) > 1 and role in ("player", "level", "won", "attempts", "successes"):
            raise ScenarioError(
                f"one column must say {MEANINGS[role]}, but {' and '.join(map(repr, usual))} both may; "
                f"add --columns {role}={usual[0]}."
            )
    _add_by_content(found, names, holds)
    found.unread = {name: role for name, role in found.unread.items() if name not in found.values()}
    missing = [role for role in _NEEDED[found.form] if role not in found]
    if missing:
        role = missing[0]
        raise ScenarioError(
            f"a column must say {MEANINGS[role]}, but none of {_some(names)} is called so; add --columns {role}=NAME."
        )
    return found


def _add_by_content(found: Mapped, names: Sequence[str], holds: Callable[[Role, str], bool]) -> None:
    """The column of wins by what it holds, and a column called id as that of players: it may also number the rows."""
    free = [name for name in names if name not in found.values()]
    if "won" not in found and not {"attempts", "successes"} <= found.keys():
        likely = [name for name in free if holds("won", name)]
        if len(likely) > 1:
            both = "both" if len(likely) == 2 else "all"
            raise ScenarioError(
                f"one column must say {MEANINGS['won']}, but {' and '.join(map(repr, likely[:6]))} {both} may; "
                f"add --columns won={likely[0]}."
            )
        if likely:
            found["won"] = likely[0]
    if "player" not in found:
        likely = [name for name in free if _plain(name) == "id" and holds("player", name)]
        if likely:
            found["player"] = likely[0]


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
