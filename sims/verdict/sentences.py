"""What a verdict says in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from engine.inference.intervals import FEW, FEW_REPLICAS, RateInterval, rate_interval
from engine.tally import Tally
from sims.verdict.further import FurtherRow, about_further
from sims.verdict.goal import NOT_KNOWN, STATE_WORDS, Goal, Row
from sims.verdict.numbers import difficulty_words, rate_with_margin, target_words, won_with_margin
from sims.verdict.quitting import about_quitting
from sims.verdict.reach import about_reach
from sims.verdict.remedies import remedy_of
from sims.verdict.reservations import about_never_judged, about_swing, ends_words, reservation
from sims.wording import caution_of, count, listed, share_of, share_text

_WORTH_SAYING: Final = 0.01  # share of attempts clipped or timed out that is mentioned
_WORTH_A_SENTENCE: Final = 0.1  # share of attempts at an end of the dial that is mentioned of a group that is not off
_WORTH_WARNING: Final = 0.5  # share of attempts without a proposal that is most of a run
_STILL_MOVING: Final = 0.02  # of the dial: a difference that is mentioned
_MOST_NAMED: Final = 4  # groups whose warm-up is named one by one


def sentences_of(
    goal: Goal, tally: Tally, rows: Sequence[Row], levels: Sequence[Row], further: Sequence[FurtherRow] = ()
) -> tuple[str, ...]:
    """The answer first, then what is off target and why, quitting and faults, and last what the numbers are not."""
    cluster, steered, warm_up = tally.scheme.cluster, goal.steered, tally.scheme.after_attempts > 0
    if levels:
        sentences = [_levels_headline(rows, levels), *_about_levels(rows, levels, cluster, goal.is_alone)]
        sentences += about_reach(levels, tally.scheme.floor, tally.scheme.ceiling)
    else:
        sentences = [_headline(rows, cluster, warm_up) + _reserved(rows, steered)]
        for row in rows:
            if row.state != "in band" and (row.attempts or len(rows) > 1):
                sentences += _about(row, cluster, goal, warm_up)
    sentences += about_further(further)
    sentences += [
        ends_words(row, steered)
        for row in rows
        if (levels or row.state in ("in band", "cannot tell"))
        and max(row.easy_end_share, row.hard_end_share) >= _WORTH_A_SENTENCE
    ]
    sentences += [words for row in rows for words in (*about_swing(row, steered), *about_never_judged(row))]
    sentences += [*_about_players(goal, tally), *_about_faults(goal, tally)]
    if goal.is_alone:
        sentences.append(
            "Players share a controller and there is one repeat only, so one player's results affect the others'. "
            "The margins may be too narrow. Run several repeats (--set run.replicas=8)."
        )
    if cluster == "estimate":
        sentences.append(
            "Margins hold the error of the calibration: each repeat has players and levels of its own, drawn from what "
            "the plays leave open, and a margin is where one of them would lie. More plays make it narrower."
        )
    if levels:
        sentences.append(_about_layouts(goal))
    return (*sentences, *_about_few(rows, tally), caution_of(goal.label))


def about_warm_up(rows: Sequence[Row], after_attempts: int) -> str:
    """Which attempts are not judged, and how many of them were won; empty when all are judged."""
    if not after_attempts:
        return ""
    text = f"Left out of the verdict: the first {after_attempts:,} attempts of each player (warm-up)"
    known = [row for row in rows if not math.isnan(row.warm_up_win_rate)]
    if not known:
        return f"{text}."
    if len(rows) == 1:
        return f"{text}, of which {share_text(known[0].warm_up_win_rate)} were won."
    if len(known) <= _MOST_NAMED:
        return f"{text}. Won of them: {listed([f'{row.cohort} {share_text(row.warm_up_win_rate)}' for row in known])}."
    rates = [row.warm_up_win_rate for row in known]
    return f"{text}, of which the groups won {share_text(min(rates))} to {share_text(max(rates))}."


def _headline(rows: Sequence[Row], cluster: str, warm_up: bool) -> str:
    """The answer for an endless stream, without its full stop."""
    if len(rows) == 1:
        row = rows[0]
        if row.is_known:
            return f"The player group {row.cohort} is {STATE_WORDS[row.state]}"
        why = _unjudged(row, warm_up) if not row.attempts else f"there are not enough {_noun(cluster)}s to judge"
        return f"Whether the player group {row.cohort} is on target is {NOT_KNOWN}: {why}"
    good, unknown = (sum(row.state == state for row in rows) for state in ("in band", "cannot tell"))
    off = len(rows) - good - unknown
    doubt = " or ".join(dict.fromkeys(row.state_words for row in rows if row.state == "cannot tell"))
    if doubt == NOT_KNOWN and len(rows) == unknown:
        return f"Whether the {count(len(rows))} player groups are on target is {NOT_KNOWN}"
    if len(rows) in (good, unknown):
        return f"{_every(len(rows))} player groups are {doubt or STATE_WORDS['in band']}"
    groups = f"of the {count(len(rows))} player groups"
    if off == len(rows):
        return f"{'Neither' if off == 2 else 'None'} {groups} is on target"
    first, where = (good, "on target") if good else (off, "off target")
    answer = f"{count(first).capitalize()} {groups} {_are(first)} {where}"
    if not unknown:
        return answer
    which = count(unknown)
    if first + unknown == len(rows):
        which = "the other" if unknown == 1 else f"the other {which}"
    return f"{answer}; {which} {_are(unknown)} {doubt}"


def _reserved(rows: Sequence[Row], steered: bool) -> str:
    """The end of a headline: what the groups on target owe to something else than their controller."""
    doubtful = {row.cohort: reservation(row, steered) for row in rows if row.state == "in band"}
    doubtful = {name: words for name, words in doubtful.items() if words}
    if not doubtful:
        return "."
    if len(rows) == 1:
        return f", but {doubtful[rows[0].cohort]}."
    return f", with a reservation for {listed(list(doubtful))}: see below."


def _every(number: int) -> str:
    return "Both" if number == 2 else f"All {count(number)}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _unjudged(row: Row, warm_up: bool) -> str:
    """Why nobody of a group was judged, as a clause."""
    return f"no player of {row.cohort} {'got past the warm-up' if warm_up else 'played'}"


def _about(row: Row, cluster: str, goal: Goal, warm_up: bool) -> Iterator[str]:
    """Sentences on a group that is not known to be on target."""
    if row.attempts == 0:
        why = _unjudged(row, warm_up)
        yield f"{why[0].upper()}{why[1:]}."
        return
    rate = won_with_margin(row, f"{row.cohort[0].upper()}{row.cohort[1:]}")
    target = f"the target of {target_words(row)}"
    if not row.is_known:
        noun = _noun(cluster)
        remedy = " Play with several players." if cluster == "player" else ""  # too few repeats are mentioned elsewhere
        yield f"{rate}, but all judged attempts are of one {noun}."
        yield (
            f"This margin treats attempts of one {noun} as if they came from many {noun}s. So it is too narrow, and "
            f"says nothing about other {noun}s.{remedy}"
        )
    elif row.state == "cannot tell":
        yield f"{rate}, and an edge of {target} lies within that margin."
        if not goal.is_alone:
            yield f"{remedy_of(row, cluster)}."
    else:
        yield f"{rate}, {row.state} {target}."
        late = ""
        if abs(row.difficulty_late - row.difficulty) >= _STILL_MOVING:
            late = f", and {row.difficulty_late:.2f} in the last third of each player's attempts"
        yield f"Their difficulty was {difficulty_words(row)} on average{late}."
        ends = ends_words(row, goal.steered, "It")
        if ends:
            yield ends


def _noun(cluster: str) -> str:
    """What a person reads for a cluster of attempts."""
    return cluster if cluster == "player" else "repeat"


def _levels_headline(rows: Sequence[Row], levels: Sequence[Row]) -> str:
    """The answer of a campaign counts levels: a mean over levels can be right where no level is."""
    good, number = sum(level.state == "in band" for level in levels), len(levels) // len(rows)
    if good == len(levels):
        every = "The only level is" if number == 1 else f"{_every(number)} levels are"
        groups = (
            f" for {'both' if len(rows) == 2 else f'all {count(len(rows))}'} player groups" if len(rows) > 1 else ""
        )
        return f"{every} on target{groups}."
    if len(rows) > 1:
        good_ones = "none is" if good == 0 else f"{count(good)} {_are(good)}"
        return f"Of {len(levels):,} win rates, one per player group and level, {good_ones} on target."
    unknown, close = _unknown_and_close(levels)
    off = len(levels) - good - unknown - close
    parts = [(good, "on target"), (off, "off target"), (close, "too close to call"), (unknown, NOT_KNOWN)]
    said = listed(
        [
            f"{count(number) if number else 'none'} {_are(max(number, 1))} {what}"
            for number, what in parts
            if number or what == "on target"
        ]
    )
    return f"Of {count(number)} {'level' if number == 1 else 'levels'}, {said}."


def _unknown_and_close(levels: Sequence[Row]) -> tuple[int, int]:
    """How many levels are not known, and how many are too close to call."""
    doubtful = [level.is_known for level in levels if level.state == "cannot tell"]
    return doubtful.count(False), doubtful.count(True)


def _about_levels(rows: Sequence[Row], levels: Sequence[Row], cluster: str, is_alone: bool) -> Iterator[str]:
    """Counts of a campaign for each group; the level that is furthest off; what would settle the others.

    is_alone: see Goal.
    """
    for row in rows:
        own = [level for level in levels if level.cohort == row.cohort]
        good, (unknown, close) = sum(level.state == "in band" for level in own), _unknown_and_close(own)
        if good < len(own) and len(rows) > 1:
            yield (
                f"{row.cohort[0].upper()}{row.cohort[1:]}: {good:,} of {len(own):,} levels on target, "
                f"{len(own) - good - unknown - close:,} off target, {close:,} too close to call"
                f"{f', {unknown:,} {NOT_KNOWN}' if unknown else ''}."
            )
    off = [level for level in levels if level.state in ("below", "above")]
    if off:
        worst = max(off, key=lambda row: max(row.target_low - row.win_rate, row.win_rate - row.target_high))
        yield (
            f"Furthest off is level {worst.level} for {worst.cohort}: {rate_with_margin(worst)}, {worst.state} its "
            f"target of {target_words(worst)}."
        )
    missing = [level for level in levels if level.attempts == 0]
    if missing:
        first = missing[0]
        yield (
            f"No player was judged on {count(len(missing))} of the levels (first: level {first.level} for "
            f"{first.cohort}). More attempts per player or more days would take players there. More players would not."
        )
    single = [level for level in levels if level.attempts and not level.is_known]
    if single:
        where = f"{count(len(single))} {'level' if len(single) == 1 else 'levels'}"
        yield f"On {where} there are not enough {_noun(cluster)}s to judge."
    unclear = [level for level in levels if level.state == "cannot tell" and level.is_known]
    if unclear and not is_alone:
        hardest = max(unclear, key=lambda row: -1 if row.more_players is None else row.more_players)
        edges = sum(level.more_players is None for level in unclear)
        which = f"level {hardest.level} for {hardest.cohort}"
        yield f"Of those too close to call, {which} needs most. {remedy_of(hardest, cluster)}."
        if 0 < edges < len(unclear):
            yield f"{count(edges).capitalize()} of them {_are(edges)} settled by no sensible number of players."


def _about_layouts(goal: Goal) -> str:
    """Which luck the margins of a campaign hold."""
    if goal.layouts == "made":
        return "Margins hold the luck of players; the levels were made by hand, so there is no luck in their layouts."
    if goal.layouts == "per_replica" and goal.replicas > 1:
        return (
            f"Margins hold the luck of players and of level layouts, which each of the {goal.replicas:,} repeats draws."
        )
    return (
        "Margins hold the luck of players, not that of level layouts: all players meet one draw of them. Another "
        'levels.seed draws others, and so does each repeat with levels.layouts = "per_replica".'
    )


def _about_few(rows: Sequence[Row], tally: Tally) -> list[str]:
    """Which margins rest on so few that they are approximate; one cluster alone is mentioned elsewhere."""
    cluster = tally.scheme.cluster
    least = FEW if cluster == "player" else FEW_REPLICAS
    found = [rate_interval(tally.judged[cohort, 0], cluster) for cohort in range(len(rows))]
    few = [
        (one, row.cohort) for one, row in zip(found, rows, strict=True) if one.clusters > 1 and one.effective < least
    ]
    if not few:
        return []
    noun = f"{_noun(cluster)}s"
    samples = listed([_sample(one, name, noun) for one, name in few])
    return [f"Small sample: {samples}. Below {least} {noun} of equal weight the 95 % margin is approximate."]


def _sample(found: RateInterval, name: str, noun: str) -> str:
    """How many were judged, and how many of equal weight would be as sure."""
    if round(found.effective) == found.clusters:
        return f"{found.clusters} {noun} in {name}"
    return f"{found.clusters} {noun} in {name}, as sure as {found.effective:.0f} who all play as much"


def _about_players(goal: Goal, tally: Tally) -> list[str]:
    """How many quit, what the controller could not have, and what was stopped."""
    cohorts = range(len(goal.cohorts))
    sentences = [*about_quitting(goal, tally)]
    asked = {goal.cohorts[j]: share_of(tally.total(j, "clipped"), tally.total(j, "attempts")) for j in cohorts}
    attempts = sum(tally.total(j, "attempts") for j in cohorts)
    if any(share >= _WORTH_SAYING for share in asked.values()):
        share = share_text(sum(tally.total(j, "clipped") for j in cohorts) / attempts)
        sentences.append(
            f"In {share} of attempts{_highest(asked)} the controller wanted a difficulty outside the range that the "
            "scenario allows ([dial] floor to ceiling)."
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
            f"{failed:,} of {failed + played:,} attempts failed because the game's or controller's code broke. "
            "They are left out of all win rates; faults.csv lists them."
        )
    if bad:
        warning = ", which is most of this run" if bad / played > _WORTH_WARNING else ""
        sentences.append(
            f"In {bad:,} of {played:,} attempts ({share_text(bad / played)}{warning}) the controller proposed no "
            "setting, so the previous one was played."
        )
    return sentences
