"""Wrong and strange scenarios by the thousand, made out of right ones: the food of tests/engine/test_scenario_fuzz.py.

Each mutant changes one thing of a right scenario and says what, except those that change two at once and those that
change bytes blindly. All follow from the base scenarios, the grids below and fixed seeds: the same ones every time.
"""

from __future__ import annotations

import copy
import itertools
import random
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from engine.scenario import parse
from engine.scenario_file.positions import KeyPath
from engine.scenario_file.toml import LARGEST_FILE, format_toml, key_text
from sims.catalog import Catalog
from tests.kit.places import SCENARIOS

HERE: Final = SCENARIOS


class Mutant(NamedTuple):
    """A scenario that may be wrong."""

    base: str
    what: str  # was done to it, for people
    make: Callable[[], bytes]  # the file; made when it is wanted, since most are left out most of the time
    address: KeyPath | None = None  # of the key that was changed, where one was
    setting: tuple[str, str] | None = None  # of --set


class Raw(str):
    """A value as it stands in the file, TOML or not."""


# --- The grid: every leaf gets each of these ------------------------------------------------------------------------

_LONG: Final = '"' + "x" * 121 + '"'
_NORMAL: Final = '{ kind = "normal", mean = 0, sd = 0.1'
GRID: Final = (
    # other types
    *("true", "false", '""', '"x"', '"1"', "[]", "{}", "[[]]", "[[[[[[1]]]]]]", "[1]", "[1, 2, 3]", "{ a = 1 }"),
    *('["a"]', '["a", "a"]', "[true]", "[{}]", '[1, "a"]', "{ a = { b = {} } }", "2026-11-22", "07:32:00"),
    *("2026-11-22T07:32:00Z", "1979-05-27 07:32:00.999999-07:00"),
    # numbers
    *("nan", "-nan", "+nan", "inf", "-inf", "1e400", "-1e400", "1e308", "-1e308", "1e300", "1e-300", "5e-324"),
    *("0", "-0.0", "0.0", "1", "-1", "2", "0.5", "1.5", "-0.5", "1e-9", "1.0000000000000002", "0.9999999999999999"),
    *("100", "1001", "1e9", "999999999999", "9007199254740993", "9223372036854775807", "9223372036854775808"),
    *("-9223372036854775809", f"1{'0' * 400}", "9" * 4301, "0xff", "0o17", "0b11", "1_000", "0.1e1", f"0.{'3' * 400}"),
    # texts: paths, formulas, format strings, markup, terminal and reading-direction marks, devices, look-alikes
    *('"../../etc/passwd"', '"/etc/passwd"', "'C:\\Windows\\win.ini'", '"~/.bashrc"', "'\\\\host\\share'"),
    *('"file:///etc/passwd"', '"con"', '"NUL.txt"', '"."', '".."', '"os:system"', '"games.gap_runner:GAME"'),
    *('"=1+1"', '"+1"', '"-1"', '"@SUM(A1)"', "\"=cmd|' /C calc'!A0\"", '"\uff1d1+1"', '"a,b"', "'a\"b'", '"a;b"'),
    *(
        '"{0.__class__}"',
        '"%s%n%x"',
        '"${HOME}"',
        '"$(id)"',
        '"`id`"',
        '"\';DROP TABLE"',
        '"<script>alert(1)</script>"',
    ),
    *('"a\\u0000b"', '"\\u001b[31mred"', '"a\\nb"', '"a\\rb"', '"\\u202egnp.exe"', '"\u2066\u2069"', '"\\u2028"'),
    *('"e\\u0301"', '"\\u200bzero"', '"n\u0435w"', '"\U0001f3ae"', '"\\U0010ffff"', '"\ufb01"', '"NaN"', '"1e5"'),
    *(_LONG, '"' + "y" * 10_001 + '"', '"' + "a\u0301\u0323" * 5_000 + '"', '"""\nmany\nlines\n"""', '"x" "y"', '"x'),
    # lists of wrong length, of wrong order, of twins
    *("[0.5]", "[0.2, 0.8]", "[0.8, 0.2]", "[0.5, 0.5]", "[nan, nan]", "[0.0, inf]", "[0, 1]", "[1, 4]", "[2.5, 3]"),
    *(f"[{', '.join(['0.5'] * 34)}]", f"[{', '.join(['0.5'] * 1001)}]", "[0.0, 0.5, 1.0]", "[-0.0, 1.0]", "[1e400, 2]"),
    *("[5e-324, 1e-323]", "[0.0, 5e-324]", "[0.9999999999999999, 1.0]", '["speed", "speed"]', '["difficulty"]'),
    "[" * 40 + "]" * 40,
    "[" * 70 + "]" * 70,
    # tables with a kind
    *('{ kind = "normal" }', "{ kind = 1 }", "{ kind = {} }", '{ kind = "norml", mean = 0, sd = 1 }', f"{_NORMAL} }}"),
    *(f"{_NORMAL}, sd = 2 }}", f"{_NORMAL}, low = 1, high = 0 }}", f"{_NORMAL}, low = nan }}", f"{_NORMAL}, up = 1 }}"),
    *('{ kind = "normal", mean = inf, sd = 1 }', '{ kind = "normal", mean = 0, sd = -1 }'),
    *('{ kind = "uniform", low = 1, high = 1 }', '{ kind = "uniform", low = 0, high = 1 }'),
    *('{ kind = "lognormal", median = 5e-324, log_sd = 10 }', '{ kind = "lognormal", median = 0, log_sd = 1 }'),
    *('{ kind = "loguniform", low = 5e-324, high = 1 }', '{ kind = "loguniform", low = 1, high = 2 }'),
    *('{ kind = "endless" }', '{ kind = "campaign", count = 1 }', '{ kind = "launch", within_days = 0 }'),
    *('{ kind = "rate", per_day = 5e-324 }', '{ kind = "rate", per_day = 1e9 }', "{ win_rate = 0.5, win_rate = 0.5 }"),
    *("{ win_rate = 0.5 }", "{ band = [0.4, 0.6], tolerance = 0.1 }", "{ levels = [] }", "{ levels = [0.5] }"),
    # no value
    *("", "null", "None", "x", "=", "#", "1 2", "0x", "01", "1.", ".5", "+-1", "{", "[", "}", "]", "'", "\x00", "\x07"),
    *('"\\q"', '"\\u12"', '"\\ud800"', "2026-13-40", "{ a = 1, }", "{ a = 1\n}", "[1,, 2]", "tru", "-", "1__0", "\r"),
)
"""Values as TOML text."""

NAMES: Final = (
    *("sede", "SEED", "seed", "name", "kind", "__class__", "format", "a.b", '""', '" "', '"a b"', "'=1+1'", "-", "1"),
    *('"\\u202ea"', '"s\u0435ed"', '"\\u0000"', '"\\n"', '"../x"', "x" * 65, "x" * 5_000),
    *("a" + ".a" * 16, "a" + ".a" * 17),
)
"""Names that a key is given instead of its own."""

SETTINGS: Final = (
    *(
        "seed",
        "format",
        "title",
        "game",
        "game.name",
        "game.params.hearts",
        "game.bounds.speed",
        "dial.floor",
        "dial.knobs",
    ),
    *("target.win_rate", "controller.options.step", "players.count", "players.flow.content", "cohort", "cohort.new"),
    *(
        "cohort.new.name",
        "cohort.new.traits.skill",
        "cohort.old.target",
        "horizon.days",
        "run.replicas",
        "nothing.here",
    ),
)
"""Keys of --set."""


# --- Right scenarios ------------------------------------------------------------------------------------------------


def bases() -> dict[str, str]:
    """Name and text of right scenarios that together have every section, each in its resolved form too."""
    catalog = Catalog()
    files = {
        "base": HERE / "base.toml",
        "all_kinds": HERE / "all_kinds.toml",
        "quickstart": catalog.scenario("quickstart"),
    }
    texts = {name: path.read_text(encoding="utf-8") for name, path in files.items()}
    return texts | {
        f"{name} resolved": parse(text.encode(), name, catalog).resolved_toml() for name, text in texts.items()
    }


def toml_text(tree: dict[str, Any]) -> str:
    """A scenario's tree as TOML, tables under headers as people write them."""
    lines: list[str] = []
    _table(tree, "", lines)
    return "\n".join(lines) + "\n"


def _table(table: dict[str, Any], header: str, lines: list[str]) -> None:
    inner = []
    for key, value in table.items():
        here = f"{header}.{_key(key)}" if header else _key(key)
        if isinstance(value, dict) and value and not _is_short(value):
            inner.append((here, value, f"[{here}]"))
        elif key == "cohort" and isinstance(value, list) and all(isinstance(item, dict) for item in value):
            inner += [(here, item, f"[[{here}]]") for item in value]
        else:
            lines.append(f"{_key(key)} = {_value(value)}")
    for here, value, line in inner:
        lines.append(line)
        _table(value, here, lines)


def _is_short(table: dict[str, Any]) -> bool:
    """Whether people would write the table in braces: a spread or a cohort's target."""
    return (
        len(table) < 7
        and not any(isinstance(item, dict) for item in table.values())
        and bool({"sd", "log_sd"} & table.keys())
    )


def _key(key: str) -> str:
    return key if isinstance(key, Raw) else key_text(key)


def _value(value: Any) -> str:
    if isinstance(value, Raw):
        return value
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return format_toml(value)


def leaves(node: Any, address: KeyPath = ()) -> Iterator[KeyPath]:
    """Addresses of all values in a tree, those in lists included."""
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from leaves(value, (*address, key))
    if not isinstance(node, dict | list):
        yield address


def tables(node: Any, address: KeyPath = ()) -> Iterator[KeyPath]:
    """Addresses of all tables and lists in a tree but the whole."""
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if isinstance(value, dict | list):
            yield (*address, key)
        yield from tables(value, (*address, key))


def _holder(tree: dict[str, Any], address: KeyPath) -> Any:
    """A deep copy's table or list that holds the address."""
    here: Any = tree
    for part in address[:-1]:
        here = here[part]
    return here


@dataclass(frozen=True)
class _Edit:
    """What is done to a tree: keys taken out, then keys put in."""

    tree: dict[str, Any]
    put: tuple[tuple[KeyPath, Any], ...] = ()
    out: tuple[KeyPath, ...] = ()

    def __call__(self) -> bytes:
        result = copy.deepcopy(self.tree)
        for address in self.out:
            del _holder(result, address)[address[-1]]
        for address, value in self.put:
            _holder(result, address)[address[-1]] = value
        return toml_text(result).encode()


# --- Mutants --------------------------------------------------------------------------------------------------------


def mutants() -> Iterator[Mutant]:
    """All of them."""
    for name, text in bases().items():
        tree = tomllib.loads(text)
        if name.endswith("resolved"):  # a resolved form has every key of its file, and all others
            yield from _of_leaves(name, tree)
            yield from _of_structure(name, tree)
            yield from _of_pairs(name, tree)
        yield from _of_lines(name, text)
        yield from _of_bytes(name, text)
    yield from _of_settings()
    yield from _of_size()


def _of_leaves(name: str, tree: dict[str, Any]) -> Iterator[Mutant]:
    for address in [*leaves(tree), *tables(tree)]:
        for value in GRID:
            yield Mutant(name, f"{address} = {value[:60]}", _Edit(tree, ((address, Raw(value)),)), address)


def _of_structure(name: str, tree: dict[str, Any]) -> Iterator[Mutant]:
    """Keys and tables deleted, renamed, doubled under another name, wrapped and moved to another table."""
    addresses = [address for address in [*leaves(tree), *tables(tree)] if isinstance(address[-1], str)]
    homes: list[KeyPath] = [(), ("game",), ("cohort", 0), ("players", "flow")]
    for address in addresses:
        value = _holder(tree, address)[address[-1]]
        out = (address,)
        yield Mutant(name, f"{address} is gone", _Edit(tree, (), out), address)
        yield Mutant(name, f"{address} in a list", _Edit(tree, ((address, [value]),)), address)
        yield Mutant(name, f"{address} in a table", _Edit(tree, ((address, {"value": value}),)), address)
        for other in NAMES:
            put = (((*address[:-1], Raw(other)), value),)
            yield Mutant(name, f"{address} is called {other[:40]}", _Edit(tree, put, out))
            yield Mutant(name, f"{address} also as {other[:40]}", _Edit(tree, put))
        for home in homes:
            if home != address[:-1] and address != home[: len(address)]:
                put = (((*home, address[-1]), value),)
                yield Mutant(name, f"{address} moved to {home}", _Edit(tree, put, out))
                yield Mutant(name, f"{address} copied to {home}", _Edit(tree, put))
    cohorts = tree["cohort"]
    for count in (2, 64, 65, 200):
        crowd = [{**copy.deepcopy(cohorts[0]), "name": f"c{i}", "share": 1 / count} for i in range(count)]
        yield Mutant(name, f"{count} cohorts", _Edit(tree, ((("cohort",), crowd),)))
    yield Mutant(name, "cohorts turned", _Edit(tree, ((("cohort",), cohorts[::-1]),)))
    yield Mutant(name, "a cohort twice", _Edit(tree, ((("cohort",), [*cohorts, cohorts[0]]),)))


def _of_pairs(name: str, tree: dict[str, Any], count: int = 600) -> Iterator[Mutant]:
    """Two leaves changed at once, to values that one of them could have."""
    dice = random.Random(f"pairs of {name}")
    addresses = list(leaves(tree))
    taken = ("0", "1", "0.5", "-1", "2", "1e-9", "5e-324", "1e300", "10", "1e9", "0.9999999999999999", "true", '"a"')
    for _ in range(count):
        pair = dice.sample(addresses, 2)
        changes = tuple((address, Raw(dice.choice(taken))) for address in pair)
        yield Mutant(name, str(changes), _Edit(tree, changes))


_FULL_WIDTH: Final = {ord("0") + i: ord("\uff10") + i for i in range(10)}


def _of_lines(name: str, text: str) -> Iterator[Mutant]:
    """Every line of the file doubled, left out, moved, cut and bent."""
    rows = text.splitlines()
    for place, row in enumerate(rows):
        if not row.strip() or row.startswith("#"):
            continue
        rest = rows[:place] + rows[place + 1 :]
        changed = {
            "twice": [*rows[: place + 1], *rows[place:]],
            "gone": rest,
            "last": [*rest, row],
            "first": [row, *rest],
            "without =": [*rows[:place], row.replace("=", "", 1), *rows[place + 1 :]],
            "with ==": [*rows[:place], row.replace("=", "==", 1), *rows[place + 1 :]],
            "with :": [*rows[:place], row.replace("=", ":", 1), *rows[place + 1 :]],
            "without quotes": [*rows[:place], row.replace('"', ""), *rows[place + 1 :]],
            "without brackets": [*rows[:place], row.translate(dict.fromkeys(map(ord, "[]{}"))), *rows[place + 1 :]],
            "in more brackets": [*rows[:place], f"[{row}]", *rows[place + 1 :]],
            "cut": [*rows[:place], row[: len(row) // 2], *rows[place + 1 :]],
            "the last line": rows[: place + 1],
            "the first line": rows[place:],
            "of full-width digits": [
                *rows[:place],
                row.translate({48 + i: 0xFF10 + i for i in range(10)}),
                *rows[place + 1 :],
            ],
        }
        for what, lines in changed.items():
            data = "\n".join([*lines, ""]).encode()
            if data != text.encode():
                yield Mutant(name, f"line {place + 1} {what}", partial(bytes, data))


def _of_bytes(name: str, text: str, count: int = 400) -> Iterator[Mutant]:
    """Bytes flipped, left out, put in, cut off and repeated, blindly."""
    dice = random.Random(f"bytes of {name}")
    data = text.encode()
    marks = [
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\r",
        b"\n",
        b'"',
        b"'",
        b"[",
        b"]",
        b"{",
        b"}",
        b"=",
        b".",
        b"#",
        b"\\",
    ]
    marks += [b"\xc3", b"\xed\xa0\x80", "\u202e".encode(), b'"""', b"e", b"-", b"9", b"0", b" ", b"\x1b[31m", b"1e999"]
    for number in range(count):
        result = bytearray(data)
        for _ in range(1 + number % 3):
            first, last = sorted(dice.randrange(len(result) + 1) for _ in range(2))
            match dice.randrange(6):
                case 0 if first < len(result):
                    result[first] ^= 1 << dice.randrange(8)
                case 1:
                    del result[first : first + dice.choice([1, 2, 10])]
                case 2:
                    result[first:first] = dice.choice(marks)
                case 3:
                    result[first : first + 1] = dice.choice(marks)
                case 4:
                    del result[first:]
                case 5:
                    result[first:first] = result[first : min(last, first + 200)]
        yield Mutant(name, f"bytes, number {number}", partial(bytes, result))


def _of_settings() -> Iterator[Mutant]:
    """--set with every value of the grid, and with every name as its key."""
    make = partial(bytes, (HERE / "base.toml").read_bytes())
    for key, value in itertools.product(SETTINGS, GRID):
        if "\x00" not in value:  # no command line can hold it
            yield Mutant("base", f"--set {key}={value[:60]}", make, None, (key, value))
    for name in NAMES:
        for key in (name, f"players.{name}", f"cohort.{name}.share", f"cohort.new.{name}", f"game.params.{name}"):
            yield Mutant("base", f"--set {key[:60]}=1", make, None, (key, "1"))


def _of_size() -> Iterator[Mutant]:
    """As much of one thing as a file may hold, and more: what makes a reader slow."""
    base = (HERE / "base.toml").read_text(encoding="utf-8")
    room = LARGEST_FILE - len(base) - 100

    def many(unit: str) -> str:
        """The text as often as it fits, with a number in place of every #."""
        count = room // len(unit.replace("#", "00000"))
        return "".join(unit.replace("#", str(i)) for i in range(count))

    for unit in ("1,", "1.5,", '"",', "[],", "{},", "[" * 60 + "]" * 60 + ",", "\n", "#\n", f"{'1' * 4300},", "\t"):
        yield Mutant("base", f"a list of {unit[:20]!r}", partial(bytes, f"x = [{many(unit)}]\n{base}".encode()))
    for unit in ('{ name = "a#" },', '{ name = "a" },', "{},", '{ name = "a#", share = 1 },'):
        text = base[: base.index("[[cohort]]")].replace("seed = 7", f"cohort = [{many(unit)}]")
        yield Mutant("base", f"cohorts {unit}", partial(bytes, text.encode()))
    for unit in ("k# = 1\n", '"k#" = 1\n', "a.b.c.d.e.k# = 1\n", "[t#]\n", "[[x]]\n", "[[x]]\n[[x.y]]\n", "#\n", "=\n"):
        yield Mutant("base", f"lines {unit!r}", partial(bytes, f"{base}\n{many(unit)}".encode()))
    places = {
        "hearts = 2": ("a# = 1\n", "a# = nan\n"),
        "speed = [5.0, 9.0]": ("a# = [1, 2]\n", "a# = [2, 1, 0]\n"),
        "speed = [0.0, 0.5, 1.0]": ("a# = [0, 1]\n", "a# = [0, 1, 2, 3]\n"),
        "step = 0.1": ("a# = 1\n", "a# = inf\n"),
        "learning = 0.1": ("a# = 1\n", 'a# = { kind = "normal" }\n', "a# = {}\n"),
    }
    for line, units in places.items():
        for unit in units:
            text = base.replace(line, many(unit))
            yield Mutant("base", f"{line} as many {unit!r}", partial(bytes, text.encode()))
    for value in (
        *(
            f'"{many(unit)}"'
            for unit in ("a", "\\\\", "\\u0041", "a\u0301", "\u0301\u0323", "\u202e", "\u1100\u1161\u11a8")
        ),
        *(f'"""{many(unit)}"""' for unit in ('""a', "\\\n", "\n", "a\\\n  ")),
        *(f'"""{many(unit)}' for unit in ('""a', "\\", "a")),
        *("9" * room, "0x" + "f" * room, "0o" + "7" * room, "0." + "3" * room, "1e" + "9" * room, many("1_") + "1"),
        *(
            "2026-01-01T00:00:00." + "3" * room,
            "[" * room,
            "{a=" * (room // 3),
            "'" * room,
            '"' * room,
            "=" * room,
            "." * room,
        ),
    ):
        for line in ('"why"', "7", '"gap_runner"', '"campaign"', '"new"'):
            text = base.replace(line, value, 1)
            yield Mutant("base", f"{line} as {value[:12]!r} and so on", partial(bytes, text.encode()))
    yield Mutant("base", "too large", partial(bytes, f"{base}{'#' * LARGEST_FILE}".encode()))
