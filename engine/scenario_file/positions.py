"""Where every key of a TOML text stands, found by one pass that also keeps the text within limits.

The parser of the standard library gives no line numbers, needs quadratic time for a key of thousands of dots, and
recurses into nested brackets. So this pass runs first. It reads keys and skips values; at the first thing that is not
TOML it stops, and the parser says what is wrong. Keys inside an inline table have the line of the key it belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

KeyPath = tuple[str | int, ...]  # ("cohort", 1, "traits", "skill"): keys, and places in a list counted from 0

LARGEST_DOTS: Final = 16
LARGEST_DEPTH: Final = 64
LARGEST_COUNT: Final = 20_000  # of words in keys, all together; a long scenario has a thousand

_STRING: Final = (
    r'"""(?:[^"\\]++|\\.|"{1,2}+(?!"))*+"{3,5}+'
    r"|'''(?:[^']++|'{1,2}+(?!'))*+'{3,5}+"
    r'|"(?:[^"\\\n]++|\\.)*+"'
    r"|'[^'\n]*+'"
)
_BLANK: Final = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_SPACE: Final = re.compile(r"[ \t]*+")
_PART: Final = re.compile(rf"(?P<bare>[A-Za-z0-9_-]++)|(?P<quoted>{_STRING})", re.DOTALL)
_PIECE: Final = re.compile(
    rf"(?P<string>{_STRING})|(?P<comment>#[^\n]*+)|(?P<open>[\[{{])|(?P<close>[\]}}])|(?P<dot>\.)|(?P<end>\n)"
    r"|(?P<again>[,=])|[^\"'#\[\]{}.\n,=]++|.",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)


class LimitError(ValueError):
    """The text goes beyond a limit that is set for the parser's sake."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


def positions(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every key and table header. Raises LimitError; never fails on a text that is not TOML."""
    return _Reader(text).read()


def line_number(lines: Mapping[KeyPath, int], address: KeyPath) -> int:
    """The line of an address, or of the nearest table around it; 1 when nothing of it was written."""
    for length in range(len(address), 0, -1):
        if address[:length] in lines:
            return lines[address[:length]]
    return 1


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._counted = 0  # line breaks before this place are in _line
        self._line = 1
        self._words = 0  # of keys, so far
        self._arrays: dict[KeyPath, int] = {}  # address of an array of tables -> place of its last table

    @property
    def line(self) -> int:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def read(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while True:
            self._skip(_BLANK)
            if self.at >= len(self.text):
                return self.lines
            header = self._header() if self.text[self.at] == "[" else None
            if header is not None:
                table = header
                continue
            line = self.line
            parts = self._key()
            if not parts or not self._take("="):
                return self.lines
            self._record((*table, *parts), line)
            if not self._value():
                return self.lines

    def _header(self) -> KeyPath | None:
        """Read [a.b] or [[a.b]]; the address of the table it opens, None when it is something else."""
        line = self.line
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        parts = self._key()
        if not parts or not self._take("]]" if array else "]"):
            self.at = len(self.text)
            return None
        address: KeyPath = ()
        for part in parts[:-1]:
            address = self._inside((*address, part))
        address = (*address, parts[-1])
        if array:
            self.lines.setdefault(address, line)
            self._arrays[address] = self._arrays.get(address, -1) + 1
        address = self._inside(address)
        self._record(address, line)
        return address

    def _inside(self, address: KeyPath) -> KeyPath:
        """A header that goes through an array of tables means the last table of it."""
        return (*address, self._arrays[address]) if address in self._arrays else address

    def _record(self, address: KeyPath, line: int) -> None:
        for length in range(1, len(address) + 1):
            self.lines.setdefault(address[:length], line)

    def _key(self) -> list[str]:
        """Read a dotted key; empty when there is none."""
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            found = _PART.match(self.text, self.at)
            if found is None:
                return []
            self.at = found.end()
            parts.append(found["bare"] or _unquoted(found["quoted"]))
            self._count_word(len(parts) - 1)
            if not self._take("."):
                return parts

    def _value(self) -> bool:
        """Skip a value and the rest of its line; False at the end of the text or of what can be read."""
        depth = dots = 0
        while found := _PIECE.match(self.text, self.at):
            self.at = found.end()
            kind = found.lastgroup
            if kind == "open":
                depth += 1
                dots = 0
                if depth > LARGEST_DEPTH:
                    raise LimitError(self.line, f"brackets may be nested at most {LARGEST_DEPTH} deep, got more")
            elif kind == "close":
                depth -= 1
            elif kind == "again":
                dots = 0
            elif kind == "dot":
                dots += 1
                self._count_word(dots)
            elif kind == "end" and depth <= 0:
                return True
        return False

    def _count_word(self, dots: int) -> None:
        """Count a word of a key that had so many dots until here."""
        self._words += 1
        if dots > LARGEST_DOTS:
            raise LimitError(self.line, f"a key may have at most {LARGEST_DOTS} dots, but this one has more")
        if self._words > LARGEST_COUNT:
            rule = f"a scenario may have at most {LARGEST_COUNT} keys and decimal points"
            raise LimitError(self.line, f"{rule}, but this one has more")

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _take(self, mark: str) -> bool:
        """Step over spaces and the mark, if it stands there."""
        self._skip(_SPACE)
        if not self.text.startswith(mark, self.at):
            return False
        self.at += len(mark)
        return True


def _unquoted(token: str) -> str:
    inner = token[1:-1]
    if token[0] == "'" or "\\" not in inner:
        return inner
    short = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}

    def character(found: re.Match[str]) -> str:
        code = found[1] or found[2]
        if code is None:
            return short.get(found[3], found[3])
        return chr(int(code, 16)) if int(code, 16) < 0x110000 else found[0]

    return _ESCAPE.sub(character, inner)
