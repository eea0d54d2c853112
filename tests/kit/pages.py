"""Pages without the one script that is theirs."""

from __future__ import annotations

from sims.html.figure_tools import SCRIPT


def without_own_script(page: str) -> str:
    """A page without its own script, which stands in it once."""
    own = f"<script>{SCRIPT}</script>"
    assert page.count(own) == 1
    return page.replace(own, "")
