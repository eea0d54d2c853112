"""HTML that is safe by construction: text becomes markup only through `tag`, which escapes it."""

from __future__ import annotations

import html


class Markup(str):
    """Text that is HTML already; everything else is escaped when it is put into a tag."""

    __slots__ = ()


Part = str | Markup | int | None

_VOID = frozenset({"meta", "br", "hr"})


def escaped(part: Part) -> Markup:
    """Make a part of a page: markup stays, None is nothing, all else is escaped."""
    if isinstance(part, Markup):
        return part
    return Markup("" if part is None else html.escape(str(part)))


def tag(name: str, /, *parts: Part, **attributes: str | int | None) -> Markup:
    """Write an element. A trailing underscore of an attribute's name is dropped, others become hyphens."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(*parts)}</{name}>")


def joined(*parts: Part) -> Markup:
    """Put parts one after the other."""
    return Markup("".join(escaped(part) for part in parts))
