"""The answer of a report: the verdict in words, the cohorts against their targets, and whether the instrument works."""

from __future__ import annotations

from typing import Final

from sims.html.markup import Markup, joined, tag
from sims.html.page import section, table
from sims.reports.facts import Facts
from sims.verdict.goal import Row
from sims.verdict.self_test_record import PASSED, WARNING, Check, read_checks
from sims.verdict.verdict import cells

ONE_PERSON: Final = "These are the attempts of one person at the window. They say nothing of other people."
STATES: Final = {"in band": "good", "below": "off", "above": "off", "cannot tell": "open"}
_CHECKS: Final = {PASSED: "good", WARNING: "off"}


def state(row: Row) -> Markup:
    """Where a row lies against its band, as a coloured word."""
    return tag("span", row.state, class_=f"state {STATES[row.state]}")


def verdict_part(facts: Facts) -> Markup:
    """The verdict: words first, then the cohorts."""
    headline, *others, caution = facts.verdict.sentences
    headings = (
        "cohort",
        "judged attempts",
        "win rate (95 %)",
        "target",
        "verdict",
        "mean dial",
        "quit",
        "players judged",
    )
    rows = []
    for label, row in zip(facts.labels, facts.verdict.rows, strict=True):
        _, attempts, rate, target, _, dial, quits = cells(row)
        rows.append((label, attempts, rate, target, state(row), dial, quits, f"{row.players:,}"))
    after = facts.verdict.after_attempts
    judged = f"Judged are attempts after each player's first {after:,}. " if after else "All attempts are judged. "
    charted, cohorts = len(facts.charted), len(facts.labels)
    shown = f" Charts below are of the first {charted} of {cohorts} cohorts." if charted < cohorts else ""
    return tag(
        "section",
        tag("p", headline, class_="headline"),
        *(tag("p", sentence) for sentence in others),
        tag("p", ONE_PERSON if facts.of_a_person else caution, class_="caution"),
        table(headings, rows),
        tag("p", judged, "The dial runs from 0, easiest, to 1, hardest.", shown, class_="note"),
        class_="verdict",
    )


def self_test_part(facts: Facts) -> Markup:
    """What the instrument found when it tested itself, a line for each check; nothing for a person's sitting."""
    if facts.of_a_person:
        return Markup("")
    checks = read_checks(facts.manifest)
    heading = "Was the instrument working?"
    if not checks:
        return section(heading, tag("p", "Not tested: this run was made before Flowdial tested itself."))
    lines = [tag("li", _sign(check), tag("span", check.sentence)) for check in checks]
    return section(heading, tag("p", _summary(checks)), tag("ul", *lines, class_="checks"))


def _sign(check: Check) -> Markup:
    return tag("span", check.state, class_=f"state {_CHECKS.get(check.state, 'open')}")


def _summary(checks: list[Check]) -> Markup:
    passed, warnings = (sum(check.state == one for check in checks) for one in (PASSED, WARNING))
    words = [f"{passed} of {len(checks)} checks passed"]
    if warnings:
        words.append(f"{warnings} {'gives' if warnings == 1 else 'give'} a warning")
    untested = len(checks) - passed - warnings
    if untested:
        words.append(f"{untested} could not be made")
    return joined(f"The instrument was tested on this scenario before the report was written: {', '.join(words)}.")
