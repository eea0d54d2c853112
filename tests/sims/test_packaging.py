"""The files around the code agree with each other and with the code."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib

import pytest

from tests.kit.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PLUGINS = [
    (group, name, target)
    for group, rows in PROJECT["entry-points"].items()
    for name, target in rows.items()
    if group.startswith("flowdial.")
]
LIGHT = ("engine", "games", "controllers", "sims")


def plain(requirement: str) -> str:
    """Return the name of a requirement in the one spelling that all index pages share."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def test_constraints_are_names_and_exact_versions_only():
    assert [line for line in PINS if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)] == []
    assert sorted(PINS, key=str.lower) == PINS
    assert len({plain(line) for line in PINS}) == len(PINS)


@pytest.mark.parametrize("requirement", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
def test_what_we_ask_for_is_pinned(requirement):
    assert plain(requirement) in {plain(line) for line in PINS}


EXTRAS = [line for extra, lines in PROJECT["optional-dependencies"].items() if extra != "dev" for line in lines]
USED_BY = {  # what only another package imports, when our code calls it, or what shows what it wrote
    "torch": "optuna", "alembic": "mlflow", "sqlalchemy": "mlflow", "tensorboard": "tensorboardX",
}  # fmt: skip
IMPORTED_AS = {  # where a package has another name than its distribution
    "pillow": "PIL", "pygame-ce": "pygame", "mlflow-skinny": "mlflow", "tensorboardx": "tensorboardX",
}  # fmt: skip


def test_what_we_ask_for_is_imported_by_the_product():
    """Neither a dependency nor an extra without code."""
    texts = [path.read_text(encoding="utf-8") for package in LIGHT for path in (ROOT / package).rglob("*.py")]
    found = {name for text in texts for name in re.findall(r"^\s*(?:import|from) (\w+)", text, re.MULTILINE)}
    asked = [plain(requirement) for requirement in PROJECT["dependencies"] + EXTRAS]
    assert [name for name in asked if IMPORTED_AS.get(name, USED_BY.get(name, name)) not in found] == []


@pytest.mark.parametrize(("group", "name", "target"), PLUGINS, ids=[f"{row[0]}:{row[1]}" for row in PLUGINS])
def test_each_entry_point_names_something_that_exists(group, name, target):
    module, _, attribute = target.partition(":")
    assert module.rpartition(".")[2] == name
    assert hasattr(importlib.import_module(module), attribute)


def test_pytest_finds_the_plug_in():
    assert hasattr(importlib.import_module(PROJECT["entry-points"]["pytest11"]["flowdial"]), "pytest_addoption")


def test_every_game_and_controller_is_registered():
    registered = {target.partition(":")[0] for _, _, target in PLUGINS}
    files = [path for folder in ("games", "controllers") for path in (ROOT / folder).rglob("*.py")]
    plugins = [
        path for path in files if re.search(r"^(GAME|CONTROLLER)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in plugins} == registered


@pytest.mark.parametrize("package", LIGHT)
def test_packages_are_typed_and_only_their_own_init_says_anything(package):
    assert (ROOT / package / "py.typed").is_file()
    said = [path for path in (ROOT / package).rglob("__init__.py") if path.read_bytes()]
    assert said == [ROOT / package / "__init__.py"]


def test_every_folder_with_code_is_a_package():
    folders = {path.parent for package in LIGHT for path in (ROOT / package).rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_the_version_is_the_same_everywhere():
    assert f"\nversion: {PROJECT['version']}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_python_is_new_enough_for_what_we_declare():
    low = tuple(int(part) for part in PROJECT["requires-python"].removeprefix(">=").split("."))
    assert sys.version_info[:2] >= low
