"""How a terminal shows a verdict: a table of player groups, and sentences below it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Final

from sims.terminal import aligned, harmless
from sims.verdict.further import FURTHER_HEADINGS
from sims.verdict.verdict import HEADINGS, Verdict

if TYPE_CHECKING:
    from rich.console import Console

_WRAPPED: Final = (0, 4)  # columns of words, which may take several lines


def print_verdict(verdict: Verdict, stream: IO[str]) -> None:
    """Print table and words: in colour on a terminal (NO_COLOR is respected), as plain text elsewhere."""
    if stream.isatty():
        _print_rich(verdict, stream)
    else:
        _print_plain(verdict, stream)


def _print_plain(verdict: Verdict, stream: IO[str]) -> None:
    lines = [HEADINGS, *verdict.lines]
    widths = [max(len(line[j]) for line in lines) for j in range(len(HEADINGS))]
    for line in lines:
        texts = [text.rjust(w) if j in (1, 5, 6) else text.ljust(w) for j, (text, w) in enumerate(zip(line, widths))]
        stream.write("  ".join(texts).rstrip() + "\n")
    if verdict.further:
        stream.write(f"\n{aligned([FURTHER_HEADINGS, *(row.line for row in verdict.further)], indent='')}\n")
    stream.write("\n" + "\n".join([*_judged(verdict), *verdict.sentences]) + "\n")


def _judged(verdict: Verdict) -> list[str]:
    return [verdict.judged] if verdict.judged else []


def _print_rich(verdict: Verdict, stream: IO[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"in band": "green", "below": "yellow", "above": "yellow", "off": "yellow", "cannot tell": "cyan"}
    width = shutil.get_terminal_size().columns  # rich would take a dumb terminal for 80 columns wide
    console = Console(file=stream, highlight=False, width=width, height=25)
    lines = verdict.lines
    whole = sum(max(len(line[j]) for line in (HEADINGS, *lines)) + 1 for j in range(len(HEADINGS)))
    if whole > width:  # then the margins of difficulty and quit stand below their numbers
        lines = [(*line[:5], *(text.replace(" (", "\n").rstrip(")") for text in line[5:])) for line in lines]
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for j, heading in enumerate(HEADINGS):
        table.add_column(
            heading, justify="right" if j in (1, 5, 6) else "left", overflow="fold", no_wrap=j not in _WRAPPED
        )
    for row, line in zip(verdict.rows, lines, strict=True):
        table.add_row(*(Text(harmless(text), colours[row.state] if j == 4 else "") for j, text in enumerate(line)))
    if _least_width([HEADINGS, *lines]) <= width:
        console.print(table)
        console.print()
    else:
        for row, line in zip(verdict.rows, verdict.lines, strict=True):
            _print_block(line, colours[row.state], console)
    for one in verdict.further:
        group, name, measured, wanted, judged = (harmless(text) for text in one.line)
        console.print(Text.assemble(f"{group}, {name}: {measured}, target {wanted}, ", (judged, colours[one.state])))
    for sentence in (*_judged(verdict), *verdict.sentences):
        console.print(Text(harmless(sentence)))


def _least_width(lines: Sequence[Sequence[str]]) -> int:
    """Columns of a terminal that a table needs, so that lines are broken between words only."""
    longest = 0
    for j, texts in enumerate(zip(*lines, strict=True)):
        end = None if j in _WRAPPED else "\n"
        longest += 1 + max(len(word) for text in texts for word in text.split(end))
    return longest


def _print_block(texts: Sequence[str], colour: str, console: Console) -> None:
    """A player group on a narrow terminal: a line for each of its numbers, which is broken between words only."""
    from rich.text import Text

    console.print(Text(harmless(texts[0]), "bold"))
    for j, (heading, text) in enumerate(zip(HEADINGS[1:], texts[1:], strict=True), 1):
        words = heading.partition(" (")[0]
        console.print(Text.assemble(f"  {words} ", (text, colour if j == 4 else "")))
    console.print()
