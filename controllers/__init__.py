"""Controllers that come with Flowdial, for use in one's own engine.

from controllers import get

rule = get("kalman").rule
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.public_names import built_in, built_in_names

if TYPE_CHECKING:
    from engine.controller import ControllerKind

__all__ = ["get", "names"]
_PACKAGES: Final = (
    "controllers.deterministic",
    "controllers.adaptive",
    "controllers.self_adaptive",
    "controllers.references",
)


def get(name: str) -> ControllerKind:
    """A controller by its name.

    Args:
        name: as `flowdial list controllers` prints it.

    Returns:
        Its record; `rule` has the pure functions start, ask and tell of a controller for one player.

    Raises:
        ScenarioError: no built-in controller has this name.

    Example:
        >>> from controllers import get
        >>> rule, options = get("elo").rule, get("elo").options()
        >>> state = rule.start(options, 0.75)
    """
    kind: ControllerKind = built_in(_PACKAGES, "CONTROLLER", "controller", name)
    return kind


def names() -> list[str]:
    """Names of all built-in controllers, by family."""
    return list(built_in_names(_PACKAGES))
