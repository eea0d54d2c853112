"""What the colours, lines and marks of a chart mean."""

from __future__ import annotations

from sims.html.markup import Markup, tag


def key(colour: str, words: str) -> Markup:
    """What a colour of a chart means. colour: a name of the style sheet."""
    return tag("span", tag("span", class_=f"key {colour}"), words, class_="meaning")


def line_key(kind: str, words: str, colour: str = "quiet") -> Markup:
    """What a line of a chart means. kind: its classes; colour: a name of the style sheet."""
    line = tag("path", d="M0 5H26", class_=kind, style=f"color:var(--{colour})")
    return tag("span", tag("svg", line, viewBox="0 0 26 10", class_="swatch"), words, class_="meaning")
