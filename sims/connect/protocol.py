"""The line protocol between Flowdial and a game: one JSON object a line, in UTF-8.

    Flowdial  {"flowdial": 1}
    game      {"flowdial": 1, "name": "Dungeon", "version": 3, "params": [...], "causes": [...], "deterministic": true}
    Flowdial  {"play": [{"id": 1, "seed": "17", "level": 0, "level_seed": "4", "params": {...}, "player": {...}}]}
    game      {"played": [{"id": 1, "outcome": "lost", "progress": 0.4, "cause": "trap", "ticks": 90, "seconds": 41.5}]}

docs/protocol.md explains it and has its JSON schema. What a game says is checked here, strictly: a key that nobody
knows is a typing error, a number out of range is no number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine.external.external_game import LONGEST_S, MOST_TICKS, ExternalGame, Question, Reply, Unplayed
from engine.game import LOST, TIMED_OUT, WON
from engine.parameters import Knob
from engine.record import MISSING_WORDS, NOT_MISSING, PLAIN_WORDS, plain

VERSION: Final = 1
LARGEST_HANDSHAKE: Final = 1 << 20  # bytes
LARGEST_REPLY: Final = 4096  # bytes for each attempt of a line
MOST_PER_LINE: Final = 256  # attempts
_MOST_KNOBS: Final = 200
_MOST_CAUSES: Final = 100
_LONGEST_TEXT: Final = 200
_OUTCOMES: Final = {"won": WON, "lost": LOST, "timed_out": TIMED_OUT}
_CHECK_DIGITS: Final = frozenset("0123456789abcdef")
_HANDSHAKE: Final = ("flowdial", "name", "version", "params", "causes", "deterministic")
_MAYBE_SAID: Final = ("summary", "score", "batch", "progression")
_KNOB: Final = ("name", "low", "high", "default", "unit", "meaning", "harder", "scale", "choices")
_REPLY: Final = frozenset(("id", "outcome", "progress", "score", "cause", "ticks", "seconds", "check"))


class NotProtocol(ValueError):
    """A line is not what the protocol asks for. The message is the rule and what came."""


class Handshake(NamedTuple):
    """What a game says of itself. `text` is the JSON object that it said, in one spelling."""

    name: str
    version: int
    summary: str
    knobs: tuple[Knob, ...]
    causes: tuple[str, ...]
    deterministic: bool
    has_score: bool
    batch: int  # most attempts in a line that it takes
    progression: tuple[str, ...]
    text: str


def hello() -> bytes:
    """The first line to a game."""
    return _line({"flowdial": VERSION})


def request(questions: Sequence[Question], first: int) -> bytes:
    """The line that asks for attempts, which are numbered from `first`."""
    return _line(
        {
            "play": [
                {
                    "id": first + i,
                    "seed": str(seed),
                    "level": level,
                    "level_seed": str(level_seed),
                    "params": params,
                    "player": faculties._asdict(),
                }
                for i, (seed, level, level_seed, params, faculties) in enumerate(questions)
            ]
        }
    )


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def parsed(line: bytes) -> dict[str, Any]:
    """The JSON object of a line. Raises NotProtocol."""
    try:
        found = json.loads(line.decode(), parse_constant=_no_constant, object_pairs_hook=_without_doubles)
    except NotProtocol:
        raise
    except (ValueError, RecursionError):
        raise NotProtocol(f"a line must be a JSON object in UTF-8, got {_shown(line)}") from None
    if not isinstance(found, dict):
        raise NotProtocol(f"a line must be a JSON object, got {_shown(line)}")
    return found


def _no_constant(word: str) -> float:
    raise NotProtocol(f"a number must be finite, got {word}")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotProtocol("a key must stand in an object once, got one twice")
    return found


def _shown(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."


def is_handshake(line: bytes) -> bool:
    """Whether a line is meant as a handshake, or is a banner that an engine prints as it starts."""
    return line.lstrip().startswith(b"{") and b'"flowdial"' in line


def handshake_of(line: bytes) -> Handshake:
    """What a game says of itself. Raises NotProtocol with the rule, what came, and what to do."""
    said = parsed(line)
    if said.get("flowdial") != VERSION or isinstance(said["flowdial"], bool):
        raise NotProtocol(
            f"flowdial must be {VERSION}, the version of the protocol, got {_shown(said.get('flowdial'))}"
        )
    _check_keys(said, _HANDSHAKE, _MAYBE_SAID, "the handshake")
    knobs = _listed(said["params"], "params", 1, _MOST_KNOBS)
    causes = tuple(_text(cause, "a cause") for cause in _listed(said["causes"], "causes", 1, _MOST_CAUSES))
    if len(set(causes)) < len(causes):
        raise NotProtocol("causes must differ, got one twice")
    for cause in causes:
        if not plain(cause):
            raise NotProtocol(f"{PLAIN_WORDS}, got the cause {_shown(cause)}")
        if cause in MISSING_WORDS:
            raise NotProtocol(f"{NOT_MISSING}, got {_shown(cause)}")
    space = tuple(_knob(one) for one in knobs)
    names = [knob.name for knob in space]
    if len(set(names)) < len(names):
        raise NotProtocol("params must have different names, got one twice")
    progression = tuple(_text(name, "progression") for name in _listed(said.get("progression", []), "progression", 0))
    for name in progression:
        if name not in names:
            raise NotProtocol(f"progression names params, got {_shown(name)}")
    return Handshake(
        _text(said["name"], "name"),
        _whole(said["version"], "version", 0, 10**9),
        _text(said.get("summary", said["name"]), "summary"),
        space,
        causes,
        _truth(said["deterministic"], "deterministic"),
        _truth(said.get("score", False), "score"),
        _whole(said.get("batch", 1), "batch", 1, 10**6),
        progression,
        json.dumps(said, sort_keys=True),
    )


def _knob(said: Any) -> Knob:
    if not isinstance(said, dict):
        raise NotProtocol(f"each of params must be an object, got {_shown(said)}")
    _check_keys(said, ("name",), _KNOB[1:], "a param")
    name = _text(said["name"], "the name of a param")
    given = dict(said)
    if "choices" in given:
        given["choices"] = tuple(_text(choice, f"a choice of {name}") for choice in _listed(given["choices"], name, 2))
        given.setdefault("default", given["choices"][0])
        for choice in given["choices"]:
            if not plain(choice):
                raise NotProtocol(f"{PLAIN_WORDS}, got the choice {_shown(choice)} of {name}")
    for key in ("low", "high"):
        if key in given:
            given[key] = _number(given[key], f"{key} of {name}", -1e300, 1e300)
    for key in ("unit", "meaning"):
        if key in given and not (isinstance(given[key], str) and given[key].isprintable() and len(given[key]) <= 200):
            raise NotProtocol(f"the {key} of {name} must be a line of at most 200 characters, got {_shown(given[key])}")
    for key, words in (("harder", ("high", "low")), ("scale", ("linear", "log", "integer", "choice"))):
        if key in given and given[key] not in words:
            raise NotProtocol(f"{key} of {name} must be one of {', '.join(words)}, got {_shown(given[key])}")
    if (given.get("scale") == "choice") != ("choices" in given):
        raise NotProtocol(f"{name}: choices belong to the scale choice, and it needs them")
    if "choices" not in given and not {"low", "high", "default"} <= given.keys():
        raise NotProtocol(f"{name} needs low, high and default; add what is missing")
    try:
        return Knob(**given)
    except (ValueError, TypeError, OverflowError) as fault:
        raise NotProtocol(str(fault)) from None


def replies_of(line: bytes, game: ExternalGame, first: int, count: int) -> list[Reply | Unplayed]:
    """What a line says of the attempts that were asked for, numbered from `first`.

    A single attempt that cannot have ended as it says is Unplayed. Raises NotProtocol when the line is not about these
    attempts.
    """
    said = parsed(line)
    if said.keys() != {"played"}:
        raise NotProtocol(f"a line must be an object with the key played alone, got {_shown(line)}")
    played = said["played"]
    if not isinstance(played, list) or len(played) != count:
        raise NotProtocol(f"played must be a list of one object for each attempt asked for, here {count}")
    for i, one in enumerate(played):
        if not isinstance(one, dict) or one.get("id") != first + i or one["id"].__class__ not in (int, float):
            raise NotProtocol("each attempt must come back with its id, in the order asked for")
    return [_reply(one, game) for one in played]


def _reply(said: dict[str, Any], game: ExternalGame) -> Reply | Unplayed:
    if said.keys() == {"id", "error"} and isinstance(said["error"], str):
        return Unplayed(type="GameError", message=" ".join(said["error"].split())[:_LONGEST_TEXT])
    try:
        return _checked(said, game)
    except NotProtocol as fault:
        return Unplayed(type="WrongReply", message=str(fault))


def _checked(said: dict[str, Any], game: ExternalGame) -> Reply:
    if not said.keys() <= _REPLY:
        raise NotProtocol(f"a reply has the keys {', '.join(sorted(_REPLY))}, got {_shown(sorted(said))}")
    outcome = _OUTCOMES.get(said["outcome"]) if isinstance(said.get("outcome"), str) else None
    if outcome is None:
        raise NotProtocol(f"outcome must be one of {', '.join(_OUTCOMES)}, got {_shown(said.get('outcome'))}")
    progress = _number(said.get("progress"), "progress", 0.0, 1.0)
    if outcome == WON and progress != 1.0:
        raise NotProtocol(f"the progress of a won attempt must be 1, got {_shown(progress)}")
    score = progress
    if game.has_score:
        score = _number(said.get("score"), "score", 0.0, 1.0)
    elif "score" in said:
        raise NotProtocol("a score must be announced by the handshake, got one without")
    cause = -1
    if outcome == LOST:
        if said.get("cause") not in game.causes:
            raise NotProtocol(f"cause must be one of {', '.join(game.causes)}, got {_shown(said.get('cause'))}")
        cause = game.causes.index(said["cause"])
    elif said.get("cause") is not None:
        raise NotProtocol(f"only a lost attempt has a cause, got {_shown(said['cause'])}")
    ticks = _whole(said.get("ticks"), "ticks", 0, MOST_TICKS)
    seconds = _number(said.get("seconds"), "seconds", 0.0, LONGEST_S)
    return Reply(outcome, progress, score, cause, ticks, seconds, _check_word(said.get("check")))


def _check_word(said: Any) -> int:
    if said is None:
        return 0
    if not isinstance(said, str) or not 1 <= len(said) <= 16 or not _CHECK_DIGITS.issuperset(said):
        raise NotProtocol(f"check must be text of 1 to 16 hexadecimal digits, got {_shown(said)}")
    word = int(said, 16)
    return word - 2**64 if word >= 2**63 else word


def _check_keys(said: Mapping[str, Any], needed: Sequence[str], others: Sequence[str], where: str) -> None:
    missing = [key for key in needed if key not in said]
    if missing:
        raise NotProtocol(f"{where} must have {', '.join(needed)}, got none of {', '.join(missing)}")
    unknown = [key for key in said if key not in needed and key not in others]
    if unknown:
        raise NotProtocol(f"{where} knows {', '.join((*needed, *others))}, got {_shown(unknown[0])}")


def _listed(said: Any, name: str, least: int, most: int = 1000) -> list[Any]:
    if not isinstance(said, list) or not least <= len(said) <= most:
        raise NotProtocol(f"{name} must be a list of {least} to {most}, got {_shown(said)}")
    return said


def _text(said: Any, name: str) -> str:
    if not isinstance(said, str) or not said.strip() or not said.isprintable() or len(said) > _LONGEST_TEXT:
        raise NotProtocol(f"{name} must be a line of 1 to {_LONGEST_TEXT} characters, got {_shown(said)}")
    return said


def _truth(said: Any, name: str) -> bool:
    if not isinstance(said, bool):
        raise NotProtocol(f"{name} must be true or false, got {_shown(said)}")
    return said


def _number(said: Any, name: str, low: float, high: float) -> float:
    fits = said.__class__ in (int, float) and low <= said <= high and math.isfinite(said)
    if not fits:
        raise NotProtocol(f"{name} must be a number from {low:g} to {high:g}, got {_shown(said)}")
    return float(said) + 0.0  # no negative zero, which two games may spell in two ways


def _whole(said: Any, name: str, low: int, high: int) -> int:
    if said.__class__ is float and said.is_integer():  # some languages have no other numbers
        said = int(said)
    if said.__class__ is not int or not low <= said <= high:
        raise NotProtocol(f"{name} must be a whole number from {low} to {high}, got {_shown(said)}")
    return int(said)
