"""Where Flowdial keeps what a user has told it once: one folder of the user's own.

The place follows the XDG base directory specification, as that of cached files does. Commands are kept here, and a
command runs code. So the folder is used only if it is a real folder of this user that no other user may write.
"""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import EnvironmentFault
from engine.user_files.cache_folder import absolute_variable, home_folder, is_private


def configuration_folder(*, make: bool = False) -> Path | None:
    """The folder for what a user has told Flowdial.

    Args:
        make: make it where there is none yet.

    Returns:
        FLOWDIAL_CONFIG_DIR, else the user's configuration folder; None where there is none and none was to be made.

    Raises:
        EnvironmentFault: the folder cannot be made, is a link, or can be written by another user.
    """
    folder = _place()
    if folder is None:
        if make:
            raise EnvironmentFault(
                "a game is kept in a folder of the user, but there is none; set FLOWDIAL_CONFIG_DIR."
            )
        return None
    try:
        if make:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif not os.path.lexists(folder):
            return None
    except OSError as fault:
        reason = (fault.strerror or type(fault).__name__).lower()
        raise EnvironmentFault(f"{folder} cannot be made ({reason}); set FLOWDIAL_CONFIG_DIR to another one.") from None
    if not is_private(folder):
        raise EnvironmentFault(
            f"{folder} must be a folder of yours that nobody else may write, since commands are read from it; correct "
            "its owner and mode, or set FLOWDIAL_CONFIG_DIR."
        )
    return folder


def _place() -> Path | None:
    chosen, home = absolute_variable("FLOWDIAL_CONFIG_DIR"), home_folder()
    if chosen is not None:
        return chosen
    if os.name == "nt":
        base = absolute_variable("APPDATA") or (home / "AppData" / "Roaming" if home is not None else None)
    else:
        base = absolute_variable("XDG_CONFIG_HOME") or (home / ".config" if home is not None else None)
    return None if base is None else base / "flowdial"
