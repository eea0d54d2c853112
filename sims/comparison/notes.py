"""What a reader of a before/after comparison must know: whose seed, who is compared, what failed, what is not known."""

from __future__ import annotations

from engine.scenario import Scenario
from sims.comparison.comparison import BeforeAfter, Comparison
from sims.comparison.metrics import LEAST_WORST, OWN_RATE, WORST, WORST_RATE
from sims.comparison.sentences import names_of, who
from sims.wording import listed


def notes(found: BeforeAfter, comparison: Comparison) -> list[str]:
    """What a reader of one comparison must know: whose seed, who is compared, what is not known."""
    first, other = found.before, comparison.scenario
    names = names_of(found)
    one, two = names[0], names[comparison.after]
    said = []
    for name, scenario in ((one, first), (two, other)):
        if scenario.seed != found.seed:
            said.append(
                f"{name} has a seed of its own, {scenario.seed}; for the same luck all were played with {found.seed}."
            )
    said += _about_cohorts(comparison, first, one, two)
    if other.after_attempts != first.after_attempts:
        said.append(
            f"Judged are, in both, the attempts after each player's first {first.after_attempts:,}, as in {one}."
        )
    if other.form.run.replicas != first.form.run.replicas:
        least = min(other.form.run.replicas, first.form.run.replicas)
        said.append(f"The replicas differ in number; the first {least:,} are compared.")
    if comparison.shared:
        said.append(
            "Players share a controller and there is one replica, so they are not independent: intervals may be too "
            "narrow, and more may be flagged than is true. Play several replicas (--set run.replicas=8)."
        )
    for name, number in zip((one, two), comparison.failed, strict=True):
        if number:
            said.append(f"In {name} {number:,} attempts failed through faults of a plug-in; they count nowhere.")
    unknown = [change for change in found.changes_of(comparison) if not change.known]
    for metric in dict.fromkeys(change.metric for change in unknown):
        of = listed([who(change) for change in unknown if change.metric == metric])
        said.append(f"Not known for {of}: {metric.label}{_why(metric is WORST_RATE)}.")
    return said


def _why(tail: bool) -> str:
    if not tail:
        return ", for there is nothing to count, or one replica or player alone"
    return f", which needs {round(LEAST_WORST / WORST)} players with {OWN_RATE} judged attempts or more"


def _about_cohorts(comparison: Comparison, first: Scenario, one: str, two: str) -> list[str]:
    other = comparison.scenario
    said = []
    for pair in comparison.pairs:
        was, is_ = first.cohorts[pair.before], other.cohorts[pair.after]
        counts = first.counts[pair.before], other.counts[pair.after]
        if was != is_:
            same = first.form.cohort[pair.before].traits == other.form.cohort[pair.after].traits
            why = "the same traits" if same else "the same place"
            said.append(f"{was} is taken to be {is_} of {two}: {why}.")
        if counts[0] != counts[1]:
            said.append(
                f"{was}: {counts[0]:,} players in {one} and {counts[1]:,} in {two}; the first {min(counts):,}, who are "
                "in both, are compared."
            )
    gone = [name for j, name in enumerate(first.cohorts) if j not in {pair.before for pair in comparison.pairs}]
    new = [name for j, name in enumerate(other.cohorts) if j not in {pair.after for pair in comparison.pairs}]
    for names, where in ((gone, one), (new, two)):
        if names:
            said.append(
                f"Only {where} has the {'cohort' if len(names) == 1 else 'cohorts'} {listed(names)}: not compared."
            )
    return said
