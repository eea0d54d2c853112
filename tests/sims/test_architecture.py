"""The picture of docs/architecture.md against the imports: rooms, layers, circles and sizes of folders."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.kit.places import ROOT

PACKAGES = ("engine", "games", "controllers", "sims")
MOST_FILES = 6  # beside the rooms of sims
MOST_MODULES = 20  # in a folder
PAGE = ROOT / "docs" / "architecture.md"


def modules() -> dict[str, Path]:
    paths = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def imports() -> dict[str, set[str]]:
    """Module -> modules of ours that it imports anywhere: at the top, in a function, or for the type checker."""
    known = modules()
    arrows: dict[str, set[str]] = {}
    for name, path in known.items():
        found = set(_imported(ast.parse(path.read_text(encoding="utf-8")), known))
        arrows[name] = found - {name}
    return arrows


def _imported(tree: ast.Module, known: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else str(node.module)


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, by removing those that import nothing any more."""
    left = {name: set(targets) for name, targets in arrows.items()}
    while ends := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in ends:
            del left[name]
    used = {target for targets in left.values() for target in targets}
    return [sorted(name for name in left if name in used)] if left else []


def layers() -> dict[str, int]:
    """Room of sims -> its line in the picture."""
    return {
        room: int(line[0])
        for line in re.findall(r"^\d  [a-z_ ]+$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for room in line[1:].split()
    }


def room_of(module: str) -> str:
    return module.split(".")[1]


def test_no_modules_import_each_other():
    assert circles(imports()) == []


def test_a_circle_would_be_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == [["a", "b", "c"]]


def test_every_room_is_in_the_picture_and_imports_lower_rooms_only():
    picture = layers()
    arrows = {
        (room_of(one), room_of(other))
        for one, targets in imports().items()
        for other in targets
        if one.startswith("sims.") and other.startswith("sims.") and room_of(one) != room_of(other)
    }
    rooms = {room_of(name) for name in modules() if name.startswith("sims.")} - {"__main__"}
    assert picture.keys() == rooms
    upward = [f"{one} -> {other}" for one, other in sorted(arrows) if one in picture and picture[one] <= picture[other]]
    assert upward == []


def test_folders_are_small():
    files = [path.name for path in (ROOT / "sims").iterdir() if path.is_file()]
    assert len(files) <= MOST_FILES, files
    folders = {path.parent for path in modules().values()}
    sizes = {folder: len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) for folder in folders}
    full = {str(folder.relative_to(ROOT)): size for folder, size in sizes.items() if size > MOST_MODULES}
    assert full == {}


def test_the_page_names_every_room():
    text = PAGE.read_text(encoding="utf-8")
    folders = [path.name for path in (ROOT / "sims").iterdir() if (path / "__init__.py").is_file()]
    assert [name for name in folders if f"| `{name}` |" not in text] == []
