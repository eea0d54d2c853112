"""What packages offer by name: names imported when they are first used, and plug-ins that come with Flowdial."""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False  # what type checkers take for true; typing itself takes most of the time of an import
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


def lazy_name(package: str, homes: Mapping[str, str], name: str) -> Any:
    """Import a public name of a package and keep it there: the work of a module-level `__getattr__` (PEP 562).

    Args:
        package: its name.
        homes: public name -> the module that defines it.
        name: that was asked for. Raises AttributeError, with all names, for one that is not public.
    """
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {', '.join(sorted(homes))}")
    value = getattr(import_module(homes[name]), name)
    setattr(sys.modules[package], name, value)
    return value


def built_in_names(packages: Sequence[str]) -> dict[str, str]:
    """Name -> module of each plug-in file in these packages, in the order of packages, then by name."""
    import pkgutil

    return {
        info.name: f"{package}.{info.name}"
        for package in packages
        for info in pkgutil.iter_modules(import_module(package).__path__)
        if not info.ispkg
    }


def built_in(packages: Sequence[str], attribute: str, noun: str, name: str) -> Any:
    """Import a plug-in by its name. Raises ScenarioError, with the nearest name, when there is none."""
    from engine.errors import ScenarioError
    from engine.scenario_file.scenario_faults import suggestion

    modules = built_in_names(packages)
    if name not in modules:
        known = ", ".join(modules)
        raise ScenarioError(f"there is no built-in {noun} {name[:64]!r}; there are {known}{suggestion(name, modules)}")
    return getattr(import_module(modules[name]), attribute)
