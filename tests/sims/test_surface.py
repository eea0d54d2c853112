"""The public surface: what the four packages offer, that it is lazy, documented, and that its examples run."""

from __future__ import annotations

import ast
import doctest
import inspect
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

from tests.kit.golden import check_golden
from tests.kit.places import ROOT

PACKAGES = ("engine", "games", "controllers", "sims")


def surface() -> list[tuple[str, str]]:
    return [(package, name) for package in PACKAGES for name in import_module(package).__all__]


def test_the_names_are_those_that_were_agreed_on(request):
    """A golden list: a name that comes or goes is a decision, not an accident."""
    lines = [f"from {package} import {name}" for package, name in surface()]
    check_golden(request, "surface", "\n".join(lines))


@pytest.mark.parametrize("package", ["engine", "sims"])
def test_what_the_type_checker_sees_is_what_is_imported(package):
    tree = ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))  # if TYPE_CHECKING
    seen = {
        str(alias.asname): node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert seen == import_module(package)._HOMES
    assert all(getattr(import_module(package), name) is not None for name in seen)


def test_an_unknown_name_is_an_attribute_error_that_lists_the_others():
    with pytest.raises(AttributeError, match=r"module 'sims' has no attribute 'rum'; it has .*\brun\b"):
        import_module("sims").__getattr__("rum")


def test_importing_sims_loads_nothing_that_takes_time():
    code = "import sys; import sims, engine; print({'numpy', 'pandas', 'numba', 'click', 'typing'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(("package", "name"), surface())
def test_every_function_says_what_it_takes_gives_and_raises(package, name):
    thing = getattr(import_module(package), name)
    if isinstance(thing, int | tuple):
        return  # a constant
    assert inspect.getdoc(thing), f"{package}.{name} has no docstring"
    if inspect.isfunction(thing) and package in ("sims", "games", "controllers"):
        assert name == "names" or "Example:" in (inspect.getdoc(thing) or ""), f"{package}.{name} has no example"
        text = inspect.getdoc(thing) or ""
        parameters = list(inspect.signature(thing).parameters)
        assert not parameters or "Args:" in text, f"{package}.{name} explains no arguments"
        missing = [
            one for one in parameters if f"{one}:" not in text and f"{one}," not in text and f", {one}" not in text
        ]
        assert not missing, f"{package}.{name} does not explain {missing}"


def _module_of(package: str, name: str) -> ModuleType:
    return import_module(getattr(import_module(package), name).__module__)


@pytest.mark.thorough
def test_examples_in_docstrings_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # they leave runs
    modules = {
        _module_of(package, name)
        for package, name in surface()
        if hasattr(getattr(import_module(package), name), "__module__")
    }
    tried = 0
    for module in sorted(modules, key=lambda one: one.__name__):
        result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
        assert result.failed == 0, module.__name__
        tried += result.attempted
    assert tried >= 8
