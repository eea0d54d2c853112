"""What a ledger of planted flaws is made of, and what it counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

TOOLS: Final = ("check_game", "self-test", "check", "advise", "verdict", "compare")


class Entry(NamedTuple):
    """A game or scenario that is made wrong in one place, or a sound one that looks odd."""

    name: str
    about: str  # what is wrong, or what looks odd
    tool: str  # one of TOOLS: which should tell
    subject: Callable[[], Any]  # makes what the tool looks at
    says: str = ""  # a regular expression that the right sentence matches; empty for a sound decoy
    also: str = ""  # a regular expression of true sentences about what follows from the flaw


class Finding(NamedTuple):
    """What a tool said of an entry."""

    entry: Entry
    right: tuple[str, ...]  # sentences that name the flaw
    wrong: tuple[str, ...]  # sentences that name something else

    @property
    def is_missed(self) -> bool:
        return bool(self.entry.says) and not self.right


class Score(NamedTuple):
    """Of a tool, or of all of them."""

    planted: int
    found: int
    decoys: int
    false_alarms: int  # wrong sentences, about decoys and about flaws

    @property
    def recall(self) -> float:
        """Share of planted flaws that were named; 1 where there are none."""
        return self.found / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        """Named flaws as a share of these and of false alarms; 1 where nothing was said."""
        said = self.found + self.false_alarms
        return self.found / said if said else 1.0


def finding_of(entry: Entry, sentences: Iterable[str]) -> Finding:
    """Sort the sentences of a tool into those that name the flaw and those that are false alarms."""
    right, wrong = [], []
    for sentence in sentences:
        if entry.says and re.search(entry.says, sentence):
            right.append(sentence)
        elif not (entry.also and re.search(entry.also, sentence)):
            wrong.append(sentence)
    return Finding(entry, tuple(right), tuple(wrong))


def score_of(findings: Sequence[Finding]) -> Score:
    """Count over findings."""
    planted = [finding for finding in findings if finding.entry.says]
    return Score(
        planted=len(planted),
        found=sum(not finding.is_missed for finding in planted),
        decoys=len(findings) - len(planted),
        false_alarms=sum(len(finding.wrong) for finding in findings),
    )


def table_of(findings: Sequence[Finding]) -> str:
    """The ledger in Markdown: a line for each tool, then one for each entry."""
    lines = ["| tool | flaws | named | decoys | false alarms | recall | precision |", "|---|---|---|---|---|---|---|"]
    for tool in (*TOOLS, "all"):
        score = score_of([finding for finding in findings if tool in ("all", finding.entry.tool)])
        lines.append(
            f"| {tool} | {score.planted} | {score.found} | {score.decoys} | {score.false_alarms} "
            f"| {score.recall:.2f} | {score.precision:.2f} |"
        )
    lines += ["", "| tool | flaw or decoy | what it is | answer |", "|---|---|---|---|"]
    for finding in findings:
        entry = finding.entry
        kind = entry.name if entry.says else f"{entry.name} (sound)"
        lines.append(f"| {entry.tool} | {kind} | {entry.about} | {_answer(finding)} |")
    return "\n".join(lines)


def _answer(finding: Finding) -> str:
    alarm = f"false alarm: {finding.wrong[0]}" if finding.wrong else ""
    if not finding.entry.says:
        return alarm or "silent"
    named = "**missed**" if finding.is_missed else "named"
    return f"{named}; {alarm}" if alarm else named
