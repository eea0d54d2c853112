"""TOML, read with limits that come before the parser, and written so that it reads back the same."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.errors import ScenarioError
from engine.scenario_file.likely_slips import slip_of_line
from engine.scenario_file.positions import KeyPath, LimitError, positions
from engine.scenario_file.scenario_faults import printable, quote_value

LARGEST_FILE: Final = 256 * 1024  # bytes

_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_KEY: Final = re.compile(r"[ \t]*([A-Za-z0-9_.-]{1,80})[ \t]*=")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_OPEN_TEXT: Final = "a text must end with its opening quote, on its line unless that has three, but this one is open"
_PLAIN_WORDS: Final = {  # how the parser's message begins -> what is allowed, and what came
    "Cannot overwrite a value": "a key may occur only once, but this one was already given",
    "Duplicate inline table key": "a key may occur only once, but one in these braces occurs twice",
    "Cannot mutate immutable namespace": "an inline table is complete in its braces, but this line adds a key to it",
    "Cannot redefine namespace": "the keys of a table must stand together, but this line adds one to a finished table",
    "Invalid statement": "a line must be key = value, a [table] or a # comment, but this one is not",
    "Invalid initial character for a key part": "a key must have letters, digits, _ and - only, or stand in quotes, "
    "but this one does not",
    "Invalid value": "a value must be a number, true, false, a text in quotes, a [list] or a {table}, but this one is "
    "not",
    "Invalid date or datetime": "a date must be a day of the calendar, such as 2026-12-31, but this one is not",
    "Invalid hex value": "\\u needs 4 hex digits after it and \\U needs 8, but they are missing here",
    "Escaped character is not a Unicode scalar value": "\\u and \\U must name a character of Unicode, but this is not "
    "one",
    "Unescaped '\\' in a string": (
        'a backslash needs one of b t n f r u U " \\ after it; a text in single quotes has no such escapes'
    ),
    "Expected newline or end of document": "a line must end after a value or a header, but this one goes on",
    "Expected '='": "a key needs = after it, but this one has none",
    "Expected ']": "a header must be [table] or [[table]] on one line, but this bracket is not closed",
    "Expected": _OPEN_TEXT,
    "Unterminated string": _OPEN_TEXT,
    "Illegal character '\\n'": _OPEN_TEXT,
    "Found invalid character '\\n'": _OPEN_TEXT,
    "Unclosed array": "a list needs commas between its entries and ] at its end, but this one lacks them",
    "Unclosed inline table": "a table in braces needs commas and an end } on one line, but this one lacks them",
    "Illegal character '\\r'": "lines must end with LF or CRLF, but here is a lone carriage return",
    "Illegal character": "a text must have no control characters, but this one has; write them as \\u and 4 hex digits",
    "Found invalid character": "comments and texts must have no control characters, but this one has",
}


@dataclass(frozen=True)
class Document:
    """A parsed TOML text and the lines of its keys."""

    tree: dict[str, Any]
    lines: Mapping[KeyPath, int]


def read(path: Path) -> bytes:
    """The bytes of a file, at most one more than is allowed. Raises ScenarioError if there is no such file."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ScenarioError(f"{printable(str(path))}: there is no such file") from None
    except IsADirectoryError:
        raise ScenarioError(f"{printable(str(path))}: a scenario must be a TOML file, but this is a folder") from None


def parse_toml(data: bytes, file: str) -> Document:
    """Parse the bytes of the file called so. Raises ScenarioError with file, line and rule."""
    text = _decoded(data, file)
    try:
        lines = positions(text)
        return Document(tomllib.loads(text), lines)
    except LimitError as fault:
        raise _error(file, fault.line, str(fault)) from None
    except tomllib.TOMLDecodeError as fault:
        raise _syntax_error(file, text, str(fault)) from None
    except RecursionError:
        raise _error(file, 1, "brackets are nested too deep to be read") from None
    except ValueError:  # the one plain ValueError of the parser: more digits than Python converts
        found = re.search(r"[0-9_]{1000,}", text)
        line = text.count("\n", 0, found.start()) + 1 if found else 1
        raise _error(file, line, "a number may have at most 19 digits, but this one has thousands") from None


def parse_value(text: str) -> Any:
    """The value of a `--set`: TOML, or a bare word that stands for a text. Raises ValueError with a sentence."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text) and text not in ("true", "false", "inf", "nan"):
        return text
    try:
        tree = parse_toml(b"value = " + text.encode("utf-8", "surrogateescape"), "").tree
    except ScenarioError:
        tree = {}
    if tree.keys() != {"value"}:
        forms = '3, 0.5, true, "a text", [1, 2], { a = 1 } or one bare word'
        raise ValueError(f"a value must be written as in TOML ({forms}), got {quote_value(text)}")
    return tree["value"]


def _decoded(data: bytes, file: str) -> str:
    if len(data) > LARGEST_FILE:
        raise _error(file, 1, f"a scenario may have at most {LARGEST_FILE // 1024} kB, but this file has more")
    if data.startswith(_WIDE_MARKS):
        raise _error(file, 1, "a scenario must be saved as UTF-8, but this file is UTF-16")
    data = data.removeprefix(_BYTE_ORDER_MARK)
    if data.startswith(_BYTE_ORDER_MARK):
        raise _error(file, 1, "a file may have at most one byte-order mark, but this one has two")
    if re.search(rb"\r(?!\n)", data) and b"\n" not in data:
        raise _error(
            file, 1, "a line must end with LF or CR LF, but lines of this file end with CR alone; save it again"
        )
    try:
        return data.decode()
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        column = fault.start - data.rfind(b"\n", 0, fault.start)
        came = f"byte 0x{data[fault.start]:02x} at column {column} is not"
        raise _error(file, line, f"a scenario must be saved as UTF-8, but {came}") from None


def _syntax_error(file: str, text: str, message: str) -> ScenarioError:
    place = _PLACE.search(message)
    rule = printable(message[: place.start()] if place else message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    twice = re.fullmatch(r"Cannot declare \((.*?),?\) twice", rule)
    if twice:
        keys = ".".join(re.findall(r"'([^']*)'", twice[1]))
        rule = "a table may have one header, but this one has two"
        slip = slip_of_line(text.split("\n")[line - 1])
        return ScenarioError(f"{printable(file)}:{line}: {keys}: {rule}{slip}")
    key = _KEY.match(text.split("\n")[line - 1])
    plain = next((words for start, words in _PLAIN_WORDS.items() if rule.startswith(start)), None)
    slip = slip_of_line(text.split("\n")[line - 1])
    return _error(file, line, (plain or rule[:1].lower() + rule[1:]) + slip, key[1] if key else "TOML")


def _error(file: str, line: int, sentence: str, key: str = "TOML") -> ScenarioError:
    return ScenarioError(f"{printable(file)}:{line}: {key}: {sentence}")


def format_toml(value: Any) -> str:
    """A value as TOML on one line: text, number, boolean, list or inline table."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(format_toml(item) for item in value)}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{key_text(key)} = {format_toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return repr(value)


def key_text(key: str) -> str:
    """A key as TOML spells it: bare where that is allowed, quoted otherwise."""
    return key if _BARE.fullmatch(key) else format_toml(key)
