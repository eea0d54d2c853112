"""What a verdict says in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from engine.inference.sequential import LEAST, LEAST_REPLICAS
from engine.tally import Tally
from sims.verdict.goal import STATE_WORDS, Goal, Row
from sims.wording import UNCALIBRATED, count, in_percent, listed, share_of, share_text

_WORTH_SAYING: Final = 0.01  # share of attempts at an end of the dial, clipped or timed out that is mentioned
_WORTH_A_SENTENCE: Final = 0.1  # the same of an end of the dial, for a group that is on target or too close to call
_WORTH_WARNING: Final = 0.5  # share of judged attempts at an end from which the controller had little room left
_STILL_MOVING: Final = 0.02  # of the dial: a difference that is mentioned


def sentences_of(goal: Goal, tally: Tally, rows: Sequence[Row], levels: Sequence[Row]) -> tuple[str, ...]:
    """The answer first, then what is off target and why, quitting and faults, and last what the numbers are not."""
    sentences = [_headline(rows)]
    for row in rows:
        if row.state != "in band":
            sentences += _about(row, tally.scheme.cluster, goal.steered)
    sentences += [
        f"{_ends(row, goal.steered)}."
        for row in rows
        if row.state in ("in band", "cannot tell") and max(row.easy_end_share, row.hard_end_share) >= _WORTH_A_SENTENCE
    ]
    if levels:
        sentences += _about_levels(levels)
    sentences += [*_about_players(goal, tally), *_about_faults(goal, tally)]
    if goal.shared and goal.replicas < 2:
        sentences.append(
            "Players share a controller and there is one repeat only, so they are not independent and the margins may "
            "be too narrow. Run several repeats (--set run.replicas=8)."
        )
    return (*sentences, *_about_few(rows, tally), UNCALIBRATED)


def _headline(rows: Sequence[Row]) -> str:
    if len(rows) == 1:
        return f"The player group {rows[0].cohort} is {STATE_WORDS[rows[0].state]}."
    good, unknown = (sum(row.state == state for row in rows) for state in ("in band", "cannot tell"))
    off = len(rows) - good - unknown
    if len(rows) in (good, unknown):
        every = "Both" if len(rows) == 2 else f"All {count(len(rows))}"
        return f"{every} player groups are {STATE_WORDS[rows[0].state]}."
    groups = f"of the {count(len(rows))} player groups"
    if off == len(rows):
        return f"{'Neither' if off == 2 else 'None'} {groups} is on target."
    first, where = (good, "on target") if good else (off, "off target")
    answer = f"{count(first).capitalize()} {groups} {_are(first)} {where}"
    if not unknown:
        return f"{answer}."
    which = count(unknown)
    if first + unknown == len(rows):
        which = "the other" if unknown == 1 else f"the other {which}"
    return f"{answer}; {which} {_are(unknown)} too close to call."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _about(row: Row, cluster: str, steered: bool) -> Iterator[str]:
    """Sentences on a group that is not known to be on target."""
    if row.attempts == 0:
        yield f"No player of {row.cohort} played long enough to be judged."
        return
    rate = f"{row.cohort} win {rate_with_margin(row)}"
    rate = rate[0].upper() + rate[1:]
    target = f"their target of {target_words(row)}"
    if row.interval == "Wilson over attempts":
        noun = _noun(cluster)
        remedy = " Play with several players." if cluster == "player" else ""  # too few repeats are mentioned elsewhere
        yield f"{rate}, but all judged attempts are of one {noun}."
        yield (
            "That margin (Wilson's) takes attempts as independent, so it is too narrow and says nothing of another "
            f"{noun}.{remedy}"
        )
    elif row.state == "cannot tell":
        yield f"{rate}, and an edge of {target} lies within that margin."
        yield f"{_remedy(row, cluster)}."
    else:
        yield f"{rate}, {row.state} {target}."
        late = ""
        if abs(row.difficulty_late - row.difficulty) >= _STILL_MOVING:
            late = f", and {row.difficulty_late:.2f} in the last third of each player's attempts"
        yield f"Their difficulty was {row.difficulty:.2f} on average{late}."
        ends = _ends(row, steered, "It")
        if ends:
            yield f"{ends}."


def rate_with_margin(row: Row) -> str:
    """A win rate and its 95 % interval: 81.0 % (margin 80.7 to 81.3 %)."""
    return f"{100 * row.win_rate:.1f} % (margin {100 * row.win_rate_low:.1f} to {100 * row.win_rate_high:.1f} %)"


def target_words(row: Row) -> str:
    """The target of a row: 77 to 83 %."""
    low, high = in_percent(row.target_low), in_percent(row.target_high)
    return f"{low} %" if row.target_low == row.target_high else f"{low} to {high} %"


def _noun(cluster: str) -> str:
    """What a person reads for a cluster of attempts."""
    return "repeat" if cluster == "replica" else cluster


def _remedy(row: Row, cluster: str) -> str:
    if row.target_low == row.target_high:
        return "A target without width can never be confirmed; set a tolerance"
    if row.more_players is None:
        return "The rate is so near that edge that even a million players would not give a clear answer"
    if cluster == "replica":
        return f"More repeats with about {row.more_players:,} players of that group in all would probably settle it"
    return f"About {row.more_players:,} more players in that group would probably give a clear answer"


def _ends(row: Row, steered: bool, subject: str = "") -> str:
    """How often the dial was at an end, by plan where outcomes do not steer it; empty when that is rare."""
    shares = [(row.easy_end_share, "easiest"), (row.hard_end_share, "hardest")]
    parts = [f"its {end} end in {share_text(share)} of attempts" for share, end in shares if share >= _WORTH_SAYING]
    if not parts:
        return ""
    text = f"{subject or f'The difficulty of {row.cohort}'} was at {' and at '.join(parts)}"
    if not steered:
        return f"{text}, by plan"
    saturated = row.easy_end_share + row.hard_end_share > _WORTH_WARNING
    return f"{text}, so the controller had little room left" if saturated else text


def _about_few(rows: Sequence[Row], tally: Tally) -> list[str]:
    """Which margins rest on so few that they are approximate; one cluster alone is mentioned elsewhere."""
    cluster = tally.scheme.cluster
    least = LEAST if cluster == "player" else LEAST_REPLICAS
    clusters = [int(tally.judged[cohort, 0, 0]) for cohort in range(len(rows))]
    few = [(number, row.cohort) for number, row in zip(clusters, rows, strict=True) if 1 < number < least]
    if not few:
        return []
    samples = listed([f"{number} {_noun(cluster)}s in {name}" for number, name in few])
    return [f"Small sample: {samples}. Below {least} {_noun(cluster)}s the 95 % margin is approximate."]


def _about_levels(levels: Sequence[Row]) -> Iterator[str]:
    good, unknown = (sum(row.state == state for row in levels) for state in ("in band", "cannot tell"))
    off = [row for row in levels if row.state in ("below", "above")]
    yield (
        f"Of {len(levels):,} win rates, one per player group and level, {good:,} {_are(good)} on target, {len(off):,} "
        f"{_are(len(off))} off target and {unknown:,} {_are(unknown)} too close to call."
    )
    if off:
        worst = max(off, key=lambda row: max(row.target_low - row.win_rate, row.win_rate - row.target_high))
        where = f"level {worst.level} for {worst.cohort}"
        yield f"Furthest off is {where}: {rate_with_margin(worst)}, {STATE_WORDS[worst.state]}."


def _about_players(goal: Goal, tally: Tally) -> list[str]:
    """How many quit, what the controller could not have, and what was stopped."""
    sentences = []
    cohorts = range(len(goal.cohorts))
    shares = {goal.cohorts[j]: share_of(tally.quits(j), tally.players(j)) for j in cohorts}
    quits = sum(tally.quits(j) for j in cohorts)
    if quits:
        whole = sum(tally.players(j) for j in cohorts)
        sentences.append(f"{share_text(quits / whole)} of players quit for good{_highest(shares)}.")
    asked = {goal.cohorts[j]: share_of(tally.total(j, "clipped"), tally.total(j, "attempts")) for j in cohorts}
    attempts = sum(tally.total(j, "attempts") for j in cohorts)
    if any(share >= _WORTH_SAYING for share in asked.values()):
        share = share_text(sum(tally.total(j, "clipped") for j in cohorts) / attempts)
        sentences.append(
            f"In {share} of attempts the controller asked for more than floor and ceiling allow{_highest(asked)}."
        )
    stopped = sum(tally.total(j, "timed_out") for j in cohorts)
    if attempts and stopped / attempts >= _WORTH_SAYING:
        sentences.append(f"{share_text(stopped / attempts)} of attempts ran into the time limit and count as not won.")
    return sentences


def _highest(shares: dict[str, float]) -> str:
    """The group with the highest share, in brackets; empty where there is one group only."""
    if len(shares) < 2:
        return ""
    most = max(shares, key=lambda name: -1.0 if math.isnan(shares[name]) else shares[name])
    return f" (highest: {most}, {share_text(shares[most])})"


def _about_faults(goal: Goal, tally: Tally) -> list[str]:
    """What plug-ins did wrong."""
    sentences = []
    failed, bad, played = (
        sum(tally.total(j, name) for j in range(len(goal.cohorts))) for name in ("failed", "bad_proposals", "attempts")
    )
    if failed:
        sentences.append(
            f"{failed:,} of {failed + played:,} attempts failed because of a plug-in error. "
            "They are left out of all win rates; faults.csv lists them."
        )
    if bad:
        warning = ", which is most of this run" if bad / played > _WORTH_WARNING else ""
        sentences.append(
            f"In {bad:,} of {played:,} attempts ({share_text(bad / played)}{warning}) the controller proposed no "
            "setting, so the previous one was played."
        )
    return sentences
