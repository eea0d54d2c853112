"""Start-up guard: the four packages must be our own.

`engine`, `games`, `controllers` and `sims` are plain names, and another distribution may ship one of them. Python
installs it without a warning and then imports half of theirs and half of ours, which fails far away from the cause.
So the command line asks first, before it imports any of them. Nothing is imported here to find out.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

PACKAGES = ("engine", "games", "controllers", "sims")
_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
_EXIT_CODE = 5  # that of engine.errors.EnvironmentFault, which cannot be imported when `engine` is what is wrong


def check_packages() -> None:
    """Return if the four packages are siblings of one folder; call it before anything of them is imported.

    Raises SystemExit with code 5, after one line on stderr that names the conflicting file. It is not an exception
    class of ours because those live in `engine`, which may be the package that is shadowed.
    """
    fault = find_fault()
    if fault is not None:
        sys.stderr.write(f"flowdial: {fault}\n")
        raise SystemExit(_EXIT_CODE)


def find_fault() -> str | None:
    """Say in one sentence which package is missing or not ours; None if all is well."""
    for name in PACKAGES:
        origin = _origin(name)
        if origin is None:
            return (
                f"the package '{name}' must be in {_HOME}, but it is missing or has no __init__.py; "
                "install Flowdial again."
            )
        if os.path.dirname(os.path.dirname(os.path.realpath(origin))) != _HOME:
            return (
                f"the package '{name}' must come from {_HOME}, but {origin} is found first; rename or uninstall "
                "that one, start from another folder, or give Flowdial a virtual environment of its own."
            )
    return None


def _origin(name: str) -> str | None:
    """Return the file that `import name` runs; None if there is none, as for a folder without __init__.py."""
    try:
        spec = find_spec(name)
    except ValueError:  # already imported, by a program that left no specification behind
        return getattr(sys.modules[name], "__file__", None)
    return None if spec is None else spec.origin
