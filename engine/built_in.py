"""Games and controllers that come with Flowdial, by name, without a catalog of installed plug-ins."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from engine.errors import ScenarioError
from engine.scenario_file.faults import suggestion


def built_in_names(packages: Sequence[str]) -> dict[str, str]:
    """Name -> module of each plug-in file in these packages, in the order of packages, then by name."""
    return {
        info.name: f"{package}.{info.name}"
        for package in packages
        for info in pkgutil.iter_modules(import_module(package).__path__)
        if not info.ispkg
    }


def built_in(packages: Sequence[str], attribute: str, noun: str, name: str) -> Any:
    """Import a plug-in by its name. Raises ScenarioError, with the nearest name, when there is none."""
    modules = built_in_names(packages)
    if name not in modules:
        known = ", ".join(modules)
        raise ScenarioError(f"there is no built-in {noun} {name[:64]!r}; there are {known}{suggestion(name, modules)}")
    return getattr(import_module(modules[name]), attribute)
