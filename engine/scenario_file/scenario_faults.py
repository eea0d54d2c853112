"""Everything that is wrong with a scenario, gathered so that all errors are reported at once, one line each."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from engine.errors import ScenarioError
from engine.scenario_file.positions import KeyPath, line_number

_WORD: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")  # a key that needs no quotes
_MOST: Final = 100  # faults that are reported: no one reads more, and a hostile file could make thousands
_MOST_NAMED: Final = 8  # keys of `--set` in a line
_LONGEST: Final = 60  # characters of a value in a message

# What the checks of a key read beside the key's own table (engine.scenario_file.consistency); the longest match counts.
_READ: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = {
    ("dial",): ("game", "controller"),
    ("target",): ("cohort",),
    ("target", "levels"): ("levels",),
    ("target", "after_attempts"): ("horizon", "levels"),
    ("telemetry", "deploy_every_s"): ("controller",),
    ("players", "count"): ("cohort", "horizon", "run"),
    ("cohort", "target"): ("target", "levels"),
}


class Faults:
    """Collects what is wrong, by address; the first fault at an address stands for all of them.

    lines: where each key of the file stands. overridden: address -> the key of the `--set` that put it there.
    """

    def __init__(self, file: str, lines: Mapping[KeyPath, int]) -> None:
        self.file = file
        self.lines = lines
        self.overridden: dict[KeyPath, str] = {}
        self._names: dict[int, str] = {}  # place of a cohort -> its name, for messages
        self._found: dict[KeyPath, str] = {}
        self._overrides: dict[str, str] = {}

    @property
    def full(self) -> bool:
        """Whether there are so many that no more are added."""
        return len(self._found) >= _MOST

    def add(self, address: KeyPath, sentence: str) -> None:
        """Note a fault: the rule, what came, what to do."""
        if not self.full:
            self._found.setdefault(address, sentence)

    def add_override(self, key: str, sentence: str) -> None:
        """Note that a `--set` could not be applied at all."""
        self._overrides.setdefault(key, sentence)

    def name_cohorts(self, tree: Mapping[str, Any]) -> None:
        """Let messages call cohorts by their names, as far as those are short words and differ."""
        tables = tree.get("cohort")
        listed = tables if isinstance(tables, list) else []
        names = [table.get("name") if isinstance(table, dict) else None for table in listed]
        words = [name if isinstance(name, str) and _WORD.fullmatch(name) else None for name in names]
        counts = Counter(words)
        self._names = {place: word for place, word in enumerate(words) if word is not None and counts[word] == 1}

    def touch(self, *address: str | int) -> bool:
        """Whether something is wrong at this address or below it, so that further checks of it would mislead."""
        return any(found[: len(address)] == address for found in self._found)

    @property
    def doubtful(self) -> bool:
        """Whether something that stands in the file may be wrong only because of a `--set`."""
        return any(self._setter(address) is None and self._read_with(address) for address in self._found)

    def report(self, alone: Faults | None = None) -> list[str]:
        """One line per fault, in the order of the file, those of `--set` last and in their own order.

        alone: the faults of the file alone. A line that is wrong only with the values of `--set` then names these.
        """
        order = list(self.overridden.values())
        rows = []
        for address, sentence in self._found.items():
            key = self.key(address)
            setter = self._setter(address)
            if setter is None:
                line = line_number(self.lines, address)
                cause = "" if alone is None else self._cause(address, alone)
                rows.append(((0, line, key), f"{printable(self.file)}:{line}: {key}: {sentence}{cause}"))
            else:
                inner = "" if setter == key else f"{key}: "
                rows.append(((1, order.index(setter), key), f"--set {shorten_key(setter)}: {inner}{sentence}"))
        rows += [((2, 0, key), f"--set {shorten_key(key)}: {text}") for key, text in self._overrides.items()]
        more = [f"{printable(self.file)}: there may be more errors; only {_MOST} are shown"] * self.full
        return [line for _, line in sorted(rows)] + more

    def check(self, alone: Faults | None = None) -> None:
        """Raise ScenarioError with every line of the report if there is a fault."""
        lines = self.report(alone)
        if lines:
            raise ScenarioError(*lines)

    def _cause(self, address: KeyPath, alone: Faults) -> str:
        """The ending of a line of the file: the settings that cause its fault, or nothing.

        Nothing, too, where one of them corrects a fault of the file: that fault may have hidden this one.
        """
        settings = self._read_with(address)
        if alone.full or address in alone._found or any(map(alone._overlap, settings)):
            return ""
        names = [shorten_key(key) for key in settings.values()]
        shortened = names[:_MOST_NAMED] + ["..."] * (len(names) > _MOST_NAMED)
        return f" (with --set {', '.join(shortened)})" if names else ""

    def _read_with(self, address: KeyPath) -> dict[KeyPath, str]:
        """The settings in the tables that the checks of an address read."""
        words = tuple(part for part in address if isinstance(part, str))
        lengths = range(len(words), 0, -1)
        others = next((_READ[words[:length]] for length in lengths if words[:length] in _READ), ())
        return {place: key for place, key in self.overridden.items() if place[0] in (*words[:1], *others)}

    def _overlap(self, address: KeyPath) -> bool:
        """Whether something is wrong at this address, below it, or with a table around it."""
        return any(found[: len(address)] == address[: len(found)] for found in self._found)

    def _setter(self, address: KeyPath) -> str | None:
        """The `--set` that put the value there, or that made the table in which something is wrong."""
        for length in range(len(address), 0, -1):
            if address[:length] in self.overridden:
                return self.overridden[address[:length]]
        if address in self.lines:
            return None
        inside = [key for place, key in self.overridden.items() if place[: len(address)] == address]
        return inside[0] if inside else None

    def key(self, address: KeyPath) -> str:
        """The address as people write it; a cohort by its name where it has a good one."""
        text = ""
        for place, part in enumerate(address):
            if isinstance(part, str):
                word = shorten_key(part) if _BARE.fullmatch(part) else quote_value(part)
                text += f".{word}" if text else word
            elif place == 1 and address[0] == "cohort" and part in self._names:
                text += f".{self._names[part]}"
            else:
                text += f"[{part + 1}]"
        return text


def suggestion(word: object, names: Iterable[str]) -> str:
    """The ending of a sentence: the name that was probably meant, or nothing."""
    if not isinstance(word, str):
        return ""
    by_end = {name[-_LONGEST:].casefold(): name for name in names}  # files of one folder differ in the end
    close = difflib.get_close_matches(word[-_LONGEST:].casefold(), by_end, n=1)
    return f" - did you mean {by_end[close[0]]!r}?" if close else ""


def one_of(names: Collection[str]) -> str:
    """Names as a phrase: 'one of a, b'."""
    return f"one of {', '.join(names)}" if names else "none, because there are no names here"


def printable(text: str) -> str:
    """Text that can neither break a line nor control a terminal: unprintable characters are escaped, bidi included."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)


def shorten_key(word: str) -> str:
    """A key as it appears in a message: printable, and short."""
    return printable(word if len(word) <= _LONGEST else word[:_LONGEST] + "...")


def quote_value(value: Any) -> str:
    """A value of the file as it appears in a message: short, printable, spelled as in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 200:
        return f"a whole number of {value.bit_length()} bits"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        inner = ["[...]" if isinstance(item, list) else quote_value(item) for item in value[:5]]
        inner += ["..."] * (len(value) > 5)
        return f"[{', '.join(inner)}]"
    text = repr(value[: _LONGEST + 1]) if isinstance(value, str) else printable(str(value))
    return text if len(text) <= _LONGEST + 2 else text[:_LONGEST] + "..."
