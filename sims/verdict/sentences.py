"""What a verdict says in words, as a colleague would."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from engine.inference.sequential import LEAST, LEAST_REPLICAS
from engine.tally import Tally
from sims.wording import UNCALIBRATED, count, listed, percent, share_of

if TYPE_CHECKING:
    from sims.verdict.goal import Goal, Row

_WORTH_SAYING: Final = 0.01  # share of attempts from which on an end of the dial, clipping or the time limit is told
_WORTH_A_SENTENCE: Final = 0.1  # the same of an end of the dial for a cohort that is not surely out of its band
_WORTH_WARNING: Final = 0.5  # share of judged attempts at an end from which on little was left to control
_STILL_MOVING: Final = 0.02  # of the dial: a difference that is mentioned


def sentences_of(goal: Goal, tally: Tally, rows: Sequence[Row], levels: Sequence[Row]) -> tuple[str, ...]:
    """The answer first, then what is off and why, who quit, and last what the numbers are not."""
    said = [_headline(rows)]
    said += [_about(row, tally.scheme.cluster, goal.steered) for row in rows if row.state != "in band"]
    said += [
        f"{_ends(row, goal.steered)}."
        for row in rows
        if row.state in ("in band", "cannot tell") and max(row.easy_end_share, row.hard_end_share) >= _WORTH_A_SENTENCE
    ]
    if levels:
        said.append(_about_levels(levels))
    said += [*_about_players(goal, tally), *_about_faults(goal, tally)]
    if goal.shared and goal.replicas < 2:
        said.append(
            "Players share a controller and there is one replica, so they are not independent and the intervals may "
            "be too narrow: run several replicas (--set run.replicas=8)."
        )
    return (*said, *_about_few(rows, tally), UNCALIBRATED)


def _headline(rows: Sequence[Row]) -> str:
    good, unknown = (sum(row.state == state for row in rows) for state in ("in band", "cannot tell"))
    if len(rows) == 1:
        name = rows[0].cohort
        if unknown:
            return f"It cannot be told yet whether the cohort {name} is where you wanted it."
        return f"The cohort {name} is {'' if good else 'not '}where you wanted it."
    if good == len(rows):
        return f"{'Both' if good == 2 else f'All {count(good)}'} cohorts are where you wanted them."
    cohorts = f"the {count(len(rows))} cohorts"
    if unknown == len(rows):
        return f"It cannot be told yet whether {cohorts} are where you wanted them."
    if good > 1:
        said = f"{count(good).capitalize()} of {cohorts} are where you wanted them"
    elif good:
        said = f"One of {cohorts} is where you wanted it"
    else:
        none = "Neither" if len(rows) == 2 else "None"
        said = f"{none} of {cohorts} is {'surely ' if unknown else ''}where you wanted it"
    if not unknown:
        return f"{said}."
    which = count(unknown)
    if good + unknown == len(rows):
        which = "the other" if unknown == 1 else f"the other {which}"
    return f"{said}; for {which} it cannot be told yet."


def _about(row: Row, cluster: str, steered: bool) -> str:
    """One sentence on a cohort that is not surely in its band."""
    band = f"{row.target_low:.2f} to {row.target_high:.2f}"
    if row.attempts == 0:
        return f"Nothing can be said of {row.cohort}: nobody played long enough to be judged."
    low, high = row.win_rate_low, row.win_rate_high
    digits = 3 if high - low < 0.02 else 2
    rate = f"{row.cohort} win {row.win_rate:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
    rate = rate[0].upper() + rate[1:]
    if row.interval == "Wilson over attempts":
        return (
            f"{rate}, but all judged attempts are of one {cluster}: the interval (Wilson's) takes attempts as "
            f"independent, is too narrow, and says nothing of another {cluster}; play with several {cluster}s."
        )
    if row.state == "cannot tell":
        return f"{rate}, and an edge of their band of {band} lies in that range: {_remedy(row, cluster)}."
    ends = _ends(row, steered, "it")
    where = f"the dial stood at {row.difficulty:.2f} on average"
    if abs(row.difficulty_late - row.difficulty) >= _STILL_MOVING:
        where += f" and at {row.difficulty_late:.2f} in the last third of each player's attempts"
    where += f", and {ends}" if ends else ""
    return f"{rate}, {row.state} their band of {band}: {where}."


def _remedy(row: Row, cluster: str) -> str:
    if row.target_low == row.target_high:
        return "a band without width can never be met for sure; give it a tolerance"
    if row.more_players is None:
        return "the rate is so near an edge that even a million players would not settle it"
    noun = "player" if row.more_players == 1 else "players"
    if cluster == "replica":
        return f"further replicas with about {row.more_players:,} {noun} of that cohort in all would probably settle it"
    return f"about {row.more_players:,} more {noun} of that cohort would probably settle it"


def _ends(row: Row, steered: bool, dial: str = "") -> str:
    """Say how often the dial was at an end, by plan where outcomes do not steer it; empty when that is rare."""
    found = [(row.easy_end_share, "easiest"), (row.hard_end_share, "hardest")]
    parts = [f"its {end} end in {percent(share)} of attempts" for share, end in found if share >= _WORTH_SAYING]
    if not parts:
        return ""
    subject = dial or f"The dial of {row.cohort}"
    places = " and at ".join(parts)
    if not steered:
        return f"{subject} was at {places}, by plan"
    warning = " (little was left to control)" if row.easy_end_share + row.hard_end_share > _WORTH_WARNING else ""
    return f"{subject} was held at {places}{warning}"


def _about_few(rows: Sequence[Row], tally: Tally) -> list[str]:
    """Which intervals rest on so little that they may cover less than they say; one cluster alone is told elsewhere."""
    cluster = tally.scheme.cluster
    least = LEAST if cluster == "player" else LEAST_REPLICAS
    clusters = [int(tally.judged[cohort, 0, 0]) for cohort in range(len(rows))]
    few = [f"{row.cohort} ({found} {cluster}s)" for row, found in zip(rows, clusters, strict=True) if 1 < found < least]
    if not few:
        return []
    which = f"interval of {few[0]} is" if len(few) == 1 else f"intervals of {listed(few)} are"
    return [f"Few {cluster}s: the {which} rough; fewer than {least} may cover less than 95 %."]


def _about_levels(levels: Sequence[Row]) -> str:
    good = sum(row.state == "in band" for row in levels)
    off = [row for row in levels if row.state in ("below", "above")]
    verb = "is" if good == 1 else "are"
    text = f"Of {len(levels):,} win rates, one for each cohort and level, {good:,} {verb} surely in band "
    text += f"and {len(off):,} surely out of it"
    if off:
        worst = max(off, key=lambda row: max(row.target_low - row.win_rate, row.win_rate - row.target_high))
        rate = f"{worst.win_rate:.2f}, {worst.state} their band"
        text += f"; furthest off are {worst.cohort} on level {worst.level} with {rate}"
    return f"{text}."


def _about_players(goal: Goal, tally: Tally) -> list[str]:
    """Who quit, what the controller could not have, and what was stopped."""
    said = []
    cohorts = range(len(goal.cohorts))
    shares = {goal.cohorts[j]: share_of(tally.quits(j), tally.players(j)) for j in cohorts}
    quits = sum(tally.quits(j) for j in cohorts)
    if quits:
        whole = sum(tally.players(j) for j in cohorts)
        text = f"{percent(quits / whole)} of all players quit for good"
        most = max(shares, key=lambda name: -1.0 if math.isnan(shares[name]) else shares[name])
        said.append(f"{text}, most of all {most} with {percent(shares[most])}." if len(shares) > 1 else f"{text}.")
    asked = {goal.cohorts[j]: share_of(tally.total(j, "clipped"), tally.total(j, "attempts")) for j in cohorts}
    beyond = [name for name, share in asked.items() if share >= _WORTH_SAYING]
    attempts = sum(tally.total(j, "attempts") for j in cohorts)
    if beyond:
        whole = sum(tally.total(j, "clipped") for j in cohorts)
        text = f"In {percent(whole / attempts)} of attempts the controller asked for more than floor and ceiling allow"
        most = max(beyond, key=lambda name: asked[name])
        said.append(f"{text}, most of all for {most} in {percent(asked[most])}." if len(asked) > 1 else f"{text}.")
    stopped = sum(tally.total(j, "timed_out") for j in cohorts)
    if attempts and stopped / attempts >= _WORTH_SAYING:
        said.append(f"{percent(stopped / attempts)} of attempts were stopped by the time limit and count as not won.")
    return said


def _about_faults(goal: Goal, tally: Tally) -> list[str]:
    """What plug-ins did wrong."""
    said = []
    failed, bad, played = (
        sum(tally.total(j, name) for j in range(len(goal.cohorts))) for name in ("failed", "bad_proposals", "attempts")
    )
    if failed:
        said.append(
            f"{failed:,} of {failed + played:,} attempts failed through faults of a plug-in and are left out of all "
            "win rates: faults.csv says which and why."
        )
    if bad:
        warning = " (little of the run is the controller's)" if bad / played > _WORTH_WARNING else ""
        said.append(
            f"In {bad:,} of {played:,} attempts ({percent(bad / played)}) the controller proposed no setting, and the "
            f"one before was played{warning}."
        )
    return said
