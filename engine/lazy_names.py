"""Public names of a package that are imported when they are first used, so that importing the package stays cheap."""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False  # what type checkers take for true; typing itself takes most of the time of an import
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The module-level `__getattr__` (PEP 562) of a package.

    Args:
        package: its name.
        homes: public name -> the module that defines it.

    Returns:
        A function that imports a name, keeps it in the package, and raises AttributeError for other names.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {', '.join(sorted(homes))}")
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return get
