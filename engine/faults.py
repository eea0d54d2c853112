"""Everything that is wrong with a scenario, gathered so that all of it is told at once, one line each."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from engine.errors import ScenarioError
from engine.positions import Address, line_of

_LONGEST: Final = 60  # characters of a value in a message


class Faults:
    """Collects what is wrong, by address; the first fault at an address stands for all of them.

    lines: where each key of the file stands. overridden: address -> the key of the `--set` that put it there.
    """

    def __init__(self, file: str, lines: Mapping[Address, int]) -> None:
        self.file = file
        self.lines = lines
        self.overridden: dict[Address, str] = {}
        self.names: dict[int, str] = {}  # place of a cohort -> its name, for messages
        self._found: dict[Address, str] = {}
        self._overrides: dict[str, str] = {}

    def add(self, address: Address, sentence: str) -> None:
        """Note a fault: the rule, what came, what to do."""
        self._found.setdefault(address, sentence)

    def add_override(self, key: str, sentence: str) -> None:
        """Note that a `--set` could not be applied at all."""
        self._overrides.setdefault(key, sentence)

    def touch(self, *address: str | int) -> bool:
        """Whether something is wrong at this address or below it, so that further checks of it would mislead."""
        return any(found[: len(address)] == address for found in self._found)

    def report(self) -> list[str]:
        """One line per fault, in the order of the file, those of `--set` last and in their own order."""
        order = list(self.overridden.values())
        rows = []
        for address, sentence in self._found.items():
            key = self.key(address)
            setter = self._setter(address)
            if setter is None:
                line = line_of(self.lines, address)
                rows.append(((0, line, key), f"{printable(self.file)}:{line}: {key}: {sentence}"))
            else:
                inner = "" if setter == key else f"{key}: "
                rows.append(((1, order.index(setter), key), f"--set {printable(setter)}: {inner}{sentence}"))
        rows += [((2, 0, key), f"--set {printable(key)}: {text}") for key, text in self._overrides.items()]
        return [line for _, line in sorted(rows)]

    def check(self) -> None:
        """Raise ScenarioError with every line if there is a fault."""
        lines = self.report()
        if lines:
            raise ScenarioError(*lines)

    def _setter(self, address: Address) -> str | None:
        for length in range(len(address), 0, -1):
            if address[:length] in self.overridden:
                return self.overridden[address[:length]]
        return None

    def key(self, address: Address) -> str:
        """The address as people write it; a cohort by its name where it has a good one."""
        text = ""
        for place, part in enumerate(address):
            if isinstance(part, str):
                text += f".{part}" if text else part
            elif place == 1 and address[0] == "cohort" and part in self.names:
                text += f".{self.names[part]}"
            else:
                text += f"[{part + 1}]"
        return printable(text)


def suggestion(word: object, names: Iterable[str]) -> str:
    """The ending of a sentence: the name that was probably meant, or nothing."""
    if not isinstance(word, str):
        return ""
    by_folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word[:_LONGEST].casefold(), by_folded, n=1)
    return f" - did you mean {by_folded[close[0]]!r}?" if close else ""


def one_of(names: Collection[str]) -> str:
    """Names as a phrase: 'one of a, b'."""
    return f"one of {', '.join(names)}" if names else "none, for there are no names here"


def printable(text: str) -> str:
    """Text that can neither break a line nor steer a terminal: control, bidi and other unprintable marks escaped."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)


def shown(value: Any) -> str:
    """A value of the file as it appears in a message: short, printable, spelled as in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 200:
        return f"a whole number of {value.bit_length()} bits"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        inner = [shown(item) for item in value[:5]] + ["..."] * (len(value) > 5)
        return f"[{', '.join(inner)}]"
    text = repr(value[: _LONGEST + 1]) if isinstance(value, str) else printable(str(value))
    return text if len(text) <= _LONGEST + 2 else text[:_LONGEST] + "..."
