"""The answer of a report: the verdict in words, player groups against their targets, and sanity checks."""

from __future__ import annotations

from typing import Final

from sims.html.markup import Markup, tag
from sims.html.page import folded, section, table
from sims.reports.facts import Facts
from sims.reports.strips import state, verdict_strips
from sims.verdict.further import FURTHER_HEADINGS
from sims.verdict.goal import TargetState
from sims.verdict.self_test_record import PASSED, WARNING, Check, read_checks

ONE_PERSON: Final = "These are the attempts of one person at the window. They say nothing about other people."
_MET: Final[dict[TargetState, str]] = {
    "in band": "good", "below": "off", "above": "off", "off": "off", "cannot tell": "open"
}  # fmt: skip
_CHECKS: Final = {PASSED: "good", WARNING: "off"}


def verdict_part(facts: Facts) -> Markup:
    """The verdict: the answer first, then a strip for each group, sentences and numbers."""
    headline, *others, caution = facts.verdict.sentences
    headings = (
        "group",
        "judged attempts (players)",
        "win rate (margin)",
        "target",
        "verdict",
        "mean difficulty (margin)",
        "quit (margin)",
    )
    rows = []
    for label, row, line in zip(facts.labels, facts.verdict.rows, facts.verdict.lines, strict=True):
        _, attempts, rate, target, judged, difficulty, quits = line
        rows.append((label, f"{attempts} ({row.players:,})", rate, target, state(row, judged), difficulty, quits))
    left_out = facts.verdict.judged or "All attempts are judged."
    charted, groups = len(facts.charted), len(facts.labels)
    shown = f" Charts below are of the first {charted} of {groups} groups." if charted < groups else ""
    return tag(
        "section",
        tag("p", headline, class_="headline"),
        tag("p", ONE_PERSON if facts.of_a_person else caution, class_="caution"),
        verdict_strips(facts),
        *(tag("p", sentence) for sentence in others),
        table(headings, rows),
        _further(facts),
        tag("p", left_out, " Difficulty runs from 0 (easiest) to 1 (hardest).", shown, class_="note"),
        class_="verdict",
    )


def _further(facts: Facts) -> Markup:
    """Targets beyond the win rate, a line each; nothing where there are none."""
    if not facts.verdict.further:
        return Markup("")
    rows = [
        (
            facts.labels[row.target.cohort],
            name,
            measured,
            wanted,
            tag("span", judged, class_=f"state {_MET[row.state]}"),
        )
        for row in facts.verdict.further
        for _, name, measured, wanted, judged in [row.line]
    ]
    return table(FURTHER_HEADINGS, rows)


def self_test_part(facts: Facts) -> Markup:
    """The sanity checks: a line that unfolds where all passed; nothing for a person's sitting."""
    if facts.of_a_person:
        return Markup("")
    checks = read_checks(facts.manifest)
    heading = "Sanity checks"
    if not checks:
        return section(heading, tag("p", "None: this run was made by a version of Flowdial without sanity checks."))
    lines = tag("ul", *(tag("li", _sign(check), tag("span", check.sentence)) for check in checks), class_="checks")
    if all(check.state == PASSED for check in checks):
        return section(heading, folded(_summary(checks), lines))
    return section(heading, tag("p", _summary(checks)), lines)


def _sign(check: Check) -> Markup:
    return tag("span", check.state, class_=f"state {_CHECKS.get(check.state, 'open')}")


def _summary(checks: list[Check]) -> str:
    passed, warnings = (sum(check.state == one for check in checks) for one in (PASSED, WARNING))
    words = [f"{passed} of {len(checks)} checks passed"]
    if warnings:
        words.append(f"{warnings} gave a warning")
    untested = len(checks) - passed - warnings
    if untested:
        words.append(f"{untested} could not be made")
    return f"Flowdial tested itself on this scenario before it wrote the report: {', '.join(words)}."
