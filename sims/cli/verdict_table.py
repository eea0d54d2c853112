"""How a terminal shows a verdict: a table of player groups, and sentences below it."""

from __future__ import annotations

from typing import IO

from sims.verdict.verdict import HEADINGS, Verdict


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
    stream.write("\n" + "\n".join([*_judged(verdict), *verdict.sentences]) + "\n")


def _judged(verdict: Verdict) -> list[str]:
    return [verdict.judged] if verdict.judged else []


def _print_rich(verdict: Verdict, stream: IO[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"in band": "green", "below": "yellow", "above": "yellow", "off": "yellow", "cannot tell": "cyan"}
    console = Console(file=stream, highlight=False)
    lines = verdict.lines
    whole = sum(max(len(line[j]) for line in (HEADINGS, *lines)) + 1 for j in range(len(HEADINGS)))
    if whole > console.width:  # then the margins of difficulty and quit stand below their numbers
        lines = [(*line[:5], *(text.replace(" (", "\n").rstrip(")") for text in line[5:])) for line in lines]
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for j, heading in enumerate(HEADINGS):
        table.add_column(
            heading, justify="right" if j in (1, 5, 6) else "left", overflow="fold", no_wrap=j not in (0, 4)
        )
    for row, line in zip(verdict.rows, lines, strict=True):
        table.add_row(*(Text(text, colours[row.state] if j == 4 else "") for j, text in enumerate(line)))
    console.print(table)
    console.print()
    for sentence in (*_judged(verdict), *verdict.sentences):
        console.print(Text(sentence))
