"""Folders of runs and studies with one thing changed and every checksum put right: food for whatever reads a folder.

Each mutant is a function of its number: the same ones every time.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from sims.run_folder.files import content_of
from sims.run_folder.folder import write_manifest

ODD_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1, 2.5, 1e308, 10**30, "", "x", "../../outside", "/etc/passwd", "a\x1b]0;owned\x07", "\u202e"),
    *("a" * 5000, [], {}, [[]], [1, 2, 3], {"a": {"b": []}}, "attempts.csv", "NaN", "2026-01-01"),
)
ODD_CELLS: Final[tuple[str, ...]] = (
    *("", "x", "-1", "0", "1e308", "nan", "inf", "9" * 40, "0x1", "TRUE", "1,5", '"', "\x1b[31m", "\u202e", "=1+1"),
    *("a\nb", "true", "won", "\x00", "1" * 3000, "-0", "1e-400", " 1", "\uff11"),
)
_TEXTS: Final = (b"", b"\x00", b"[", b"{}", b"null", b"\xff\xfe", b"PAR1", b"x" * 100_000, b"=", b"[" * 5000)


def mutate(folder: Path, number: int) -> str:
    """Change one thing of a folder, a copy, in place.

    Args:
        folder: of a run or a study.
        number: which mutant.

    Returns:
        What was changed, for people.
    """
    dice = random.Random(f"mutant {number}")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest.pop("checksum")
    files = sorted(name for name in manifest["files"] if (folder / name).is_file())
    name = dice.choice([*files, *files, "manifest.json", "manifest.json"])
    if name == "manifest.json":
        what = _mutate_tree(manifest, dice)
        if dice.random() < 0.5:  # where other files are named, they are named as they are
            write_manifest(folder, manifest)
            return f"{name}: {what}"
    else:
        what = _mutate_file(folder / name, dice)
    put_right(folder, manifest)
    return f"{name}: {what}"


def put_right(folder: Path, manifest: dict[str, Any]) -> None:
    """Write a manifest with the checksums that the files now have."""
    files = manifest.get("files")
    for name, note in files.items() if isinstance(files, dict) else ():
        if isinstance(note, dict) and "/" not in name and (folder / name).is_file():
            note |= content_of(folder / name)._asdict()
    write_manifest(folder, manifest)


def _mutate_file(path: Path, dice: random.Random) -> str:
    if dice.random() < 0.05:
        path.write_bytes(dice.choice(_TEXTS))
        return "other bytes"
    match path.suffix:
        case ".json":
            tree = json.loads(path.read_text(encoding="utf-8"))
            what = _mutate_tree(tree, dice)
            path.write_text(json.dumps(tree), encoding="utf-8")
            return what
        case ".csv":
            return _mutate_table(path, dice)
        case ".parquet":
            return _mutate_parquet(path, dice)
    return _mutate_lines(path, dice)


def _places(node: Any, address: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*address, key)
        yield from _places(value, (*address, key))


def _mutate_tree(tree: Any, dice: random.Random) -> str:
    address = dice.choice(list(_places(tree)))
    here = tree
    for part in address[:-1]:
        here = here[part]
    last = address[-1]
    way = dice.choice(["value", "value", "value", "gone", "twice", "renamed"])
    if way == "gone":
        del here[last]
    elif way == "twice" and isinstance(here, list):
        here.append(copy.deepcopy(here[last]))
    elif way == "renamed" and isinstance(here, dict):
        here[dice.choice(["x", "../outside", "", "manifest.json"])] = here.pop(last)
    else:
        here[last] = copy.deepcopy(dice.choice(ODD_VALUES))
    return f"{way} at {address}"


def _mutate_table(path: Path, dice: random.Random) -> str:
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    row, column = dice.randrange(len(rows)), dice.randrange(len(rows[0]))
    ways: dict[str, Callable[[], object]] = {
        "cell": lambda: rows[row].__setitem__(column, dice.choice(ODD_CELLS)),
        "column gone": lambda: [line.pop(column) for line in rows],
        "column twice": lambda: rows.__setitem__(slice(None), [[line[column], *line] for line in rows]),
        "column renamed": lambda: rows[0].__setitem__(column, dice.choice(ODD_CELLS)),
        "a column's cells": lambda: [line.__setitem__(column, "7") for line in rows[1:]],
        "row gone": lambda: rows.pop(row),
        "row twice": lambda: rows.insert(row, rows[row]),
        "rows turned": lambda: rows.__setitem__(slice(1, None), rows[:0:-1]),
        "row shorter": lambda: rows[row].pop(),
        "row longer": lambda: rows[row].append("1"),
        "header alone": lambda: rows.__delitem__(slice(1, None)),
        "nothing": rows.clear,
    }
    way = dice.choice(["cell", "cell", "cell", "cell", *ways])
    ways[way]()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None, escapechar="\\").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return f"{way}, row {row}, column {column}"


def _mutate_parquet(path: Path, dice: random.Random) -> str:
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.read_table(path)
    place = dice.randrange(table.num_columns)
    name = table.column_names[place]
    rows = table.num_rows
    others: dict[str, Callable[[], Any]] = {
        "text": lambda: pa.array(["x"] * rows),
        "float": lambda: pa.array([1.5] * rows),
        "nulls": lambda: pa.nulls(rows),
        "lists": lambda: pa.array([[1]] * rows),
        "huge": lambda: pa.array([2**62] * rows),
        "nan": lambda: pa.array([float("nan")] * rows),
        "bytes": lambda: pa.array([b"\xff"] * rows),
    }
    way = dice.choice(["gone", "renamed", "short", "turned", *others])
    if way == "gone":
        table = table.remove_column(place)
    elif way == "renamed":
        table = table.rename_columns([dice.choice(ODD_CELLS) if one == name else one for one in table.column_names])
    elif way == "short":
        table = table.slice(0, dice.randrange(rows))
    elif way == "turned":
        table = table.take(list(range(rows))[::-1])
    else:
        table = table.set_column(place, name, others[way]())
    parquet.write_table(table, path)
    return f"{way}: {name}"


def _mutate_lines(path: Path, dice: random.Random) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    place = dice.randrange(len(lines))
    way = dice.choice(["gone", "twice", "value", "cut", "moved"])
    if way == "gone":
        del lines[place]
    elif way == "twice":
        lines.insert(place, lines[place])
    elif way == "value":
        lines[place] = (
            f"{lines[place].partition('=')[0]}= {dice.choice(['-1', 'nan', '[]', '{}', '1e400', 'true', 'x'])}"
        )
    elif way == "cut":
        lines[place] = lines[place][: len(lines[place]) // 2]
    else:
        lines.insert(dice.randrange(len(lines)), lines.pop(place))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"{way}, line {place}"
