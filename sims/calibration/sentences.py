"""What a calibration says in words: the answer first, then what was fitted, left out and assumed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from sims.calibration.calibration_findings import Findings
from sims.calibration.check_sentences import check_sentences, rate_words
from sims.calibration.fit import SHAPES, Fit
from sims.calibration.game.game_plays import GamePlays
from sims.calibration.histories import FATIGUE, LEARNING
from sims.calibration.play_files.attempt_order import CHURN_S, SESSION_GAP_S
from sims.calibration.play_files.columns import MEANINGS
from sims.calibration.play_files.play_table import PlayTable
from sims.calibration.session_times import ATTEMPT_S, SessionTimes

SHAPE_WORDS: Final = {"log_guess": "guessing", "log_lapse": "lapses"}
_LUCK: Final = 0.01  # chance of so much by luck alone, below which it is more


def headline_of(findings: Findings) -> str:
    """Sizes, and the error for unseen players beside two trivial answers."""
    sizes, tried = findings.sizes, findings.checks.unseen_players
    counted = [_counted(len(sizes.levels), "level")]
    means = "level means"
    if findings.played is not None:
        counted, means = [f"{_counted(len(sizes.levels), 'place')} of the dial of {findings.played.game.name}"], "means"
    counted += [_counted(sizes.players, "player")] if sizes.players is not None else []
    words = f"{', '.join([*counted, _counted(sizes.attempts, 'attempt')])}."
    if sizes.players is None:
        return f"{words} Only the difficulty of levels was fitted, since the file does not say who played."
    if tried is None:
        return f"{words} Too few players met any level to try the fit on unseen ones."
    return (
        f"{words} Win rates of players we had not seen: off by {rate_words(tried.model.error)} on average ({means} "
        f"{rate_words(tried.trivial.error)}, one rate for all {rate_words(tried.one_rate.error)})."
    )


def all_sentences(findings: Findings) -> tuple[str, ...]:
    """All sentences, the answer first."""
    return (
        headline_of(findings),
        *_about_rules(findings),
        *check_sentences(findings.checks, findings.table.features),
        *(_about_players(findings) if findings.histories is not None else ()),
        *_about_settings(findings.fit),
        *_about_quits(findings.table, findings.fit),
        *_about_times(findings.session_times),
        *_about_form(findings.table),
        *_about_left_out(findings.table),
        *(f"Not in the file, so assumed: {one}." for one in assumed_of(findings)),
    )


def mapping_words(table: PlayTable) -> str:
    """Which column was taken for what."""
    return "columns: " + ", ".join(f"{name} is {MEANINGS[role]}" for role, name in table.mapped.items())


def assumed_of(findings: Findings) -> Iterator[str]:
    """What the file cannot tell, and what stands in its place."""
    fitted = findings.fit
    if findings.histories is None:
        yield f"how players differ, so skill has the default spread of {fitted.skill_sd:g} logits"
    if LEARNING not in fitted.effects:
        yield "the order of attempts, so players neither learn nor tire"
    elif FATIGUE not in fitted.effects:
        yield "sessions, so players do not tire, and sessions end as by default"
    if not fitted.joint and "quit" in findings.table.mapped:
        yield "after which attempt players quit, so quitting is as by default"
    elif not fitted.joint:
        yield "who quit, so quitting is as by default"
    if FATIGUE in fitted.effects and findings.session_ends is None:
        yield "how sessions end, as too few did; they end as by default"
    if findings.played is not None:
        yield from _assumed_of_game(findings.played)
    else:
        missing = [SHAPE_WORDS[name] for name in SHAPES if name not in fitted.shapes]
        if missing:
            yield f"{' and '.join(missing)}, which {'are' if len(missing) > 1 else 'is'} 0"
    times, missing = findings.session_times, []
    missing += [] if times.returns else ["times between sessions"]
    missing += [] if times.pauses else ["breaks between attempts"]
    if missing:
        yield f"{' and '.join(missing)}, which are as by default"
    if times.returns:
        yield "how much players differ in when they come back, which is as by default"
    if findings.played is None:
        yield f"how long an attempt takes, which is {ATTEMPT_S:.0f} s"


def _assumed_of_game(played: GamePlays) -> Iterator[str]:
    if played.settings.assumed:
        yield f"{', '.join(played.settings.assumed)} of {played.game.name}, held as by default"
    yield "how players differ in anything but skill, which is as by default: wins cannot tell it from skill"


def _about_rules(findings: Findings) -> Iterator[str]:
    """Whether the rules are those of the game that was played; said first where they are not."""
    check, played = findings.rules, findings.played
    if check is None or played is None:
        return
    name = played.game.name
    if not check.fits:
        yield (
            f"These rules are not your game: {check.where}, players won {rate_words(check.seen)} of attempts, and by "
            f"the rules of {name} it would be {rate_words(check.predicted)}. Do not trust what it says of settings."
        )
    else:
        yield (
            f"The rules of {name} leave {rate_words(check.off)} of win rates unexplained on average, which is "
            f"{'luck' if check.chance > _LUCK else 'more than luck, but small'}."
        )


def _about_players(findings: Findings) -> Iterator[str]:
    fitted = findings.fit
    place = fitted.levels + len(fitted.effects)
    low, high = (math.exp(end) for end in fitted.interval(place))
    if findings.played is not None:
        ends = fitted.interval(0)
        yield (
            f"Mean skill: {fitted.mean_skill:.2f} ({-ends[1]:.2f} to {-ends[0]:.2f}), where 0 is the median player of "
            f"our scenarios; players differ by {fitted.skill_sd:.2f} ({low:.2f} to {high:.2f}) of standard deviation."
        )
    else:
        yield (
            f"Players differ in skill by {fitted.skill_sd:.2f} ({low:.2f} to {high:.2f}) logits of standard deviation: "
            f"on a level that the median player wins half of the time, who is better than 84 in 100 wins "
            f"{_chance(fitted.skill_sd)} of attempts."
        )
    for name, chance in zip(("log_guess", "log_lapse"), fitted.plain_curve, strict=True):
        if name in fitted.shapes:
            low, high = (math.exp(end) for end in fitted.interval(fitted.levels + fitted.names.index(name)))
            share = f"{100 * chance:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)"
            yield (
                f"Guessing: {share} of attempts are won without any skill."
                if name == "log_guess"
                else f"Lapses: {share} of attempts are lost with any skill."
            )
    if LEARNING in fitted.effects:
        gain = fitted.effect(LEARNING)
        yield (
            f"Learning: {gain:.2f}{_margin(fitted, LEARNING)} logits per log attempt."
            if gain > 0.0
            else "No learning was found; it is held at 0."
        )
    if FATIGUE in fitted.effects:
        loss = fitted.effect(FATIGUE)
        yield (
            f"Tiring: {loss:.2f}{_margin(fitted, FATIGUE)} logits per log attempt of a session."
            if loss > 0.0
            else "No tiring within sessions was found; it is held at 0."
        )


def _about_settings(fitted: Fit) -> Iterator[str]:
    for name in fitted.effects:
        if name not in (LEARNING, FATIGUE):
            yield (
                f"{name}: {fitted.effect(name):+.2f}{_margin(fitted, name)} logits per standard deviation of it; the "
                "scenario has it at its mean."
            )


def _about_quits(table: PlayTable, fitted: Fit) -> Iterator[str]:
    if not fitted.joint:
        return
    point = fitted.point
    rho = math.tanh(float(point[-1]))
    low, high = (math.tanh(end) for end in fitted.interval(len(point) - 1))
    yield (
        f"Quitting: skill and the tendency to quit go together by {rho:+.2f} ({low:+.2f} to {high:+.2f}); a row of "
        f"losses adds {float(point[-4]):+.2f} logits per log loss, a win {float(point[-3]):+.2f}."
    )
    if "quit" not in table.mapped:
        yield (
            f"A player has quit who did not play in the last {CHURN_S / 86_400:.0f} days of the file; those who played "
            "in them may still come back, and count as neither."
        )


def _about_times(times: SessionTimes) -> Iterator[str]:
    if times.pauses:
        value, low, high = times.pauses["pause_s"]
        yield f"Break between two attempts of a session: {value:.1f} s in the median ({low:.1f} to {high:.1f})."
    if times.returns:
        near, day = (100.0 * times.returns[name][0] for name in ("same_day_share", "daily_share"))
        soon, later = times.returns["same_day_s"][0] / 3600.0, times.returns["later_s"][0] / 86_400.0
        yield (
            f"Next session: {near:.0f} % after {soon:.1f} hours in the median, {day:.0f} % around the same hour of a "
            f"later day, the others after {later:.1f} days."
        )


def _about_form(table: PlayTable) -> Iterator[str]:
    if table.form == "counts" and {"time", "order"} & table.mapped.keys():
        yield "A row counts several attempts, so times and orders say nothing of each of them, and are not used."
    elif "time" in table.mapped and "session" not in table.mapped:
        yield f"A session ends with a break of {SESSION_GAP_S / 60:.0f} minutes."
    if table.plays is not None and table.plays.dial is not None:
        yield "The target of the scenario is ours: put yours. What it plays stays within the settings of the file."
    elif table.plays is None or table.plays.order is None:
        yield "The target of the scenario is ours, since the file does not tell what follows a loss: put yours."
    elif not table.is_campaign:
        yield (
            f"After {100 * (1 - table.retried):.0f} % of their losses players went to another level. Those of the "
            "scenario retry until they pass, so its rates differ from the file's, and its target is ours: put yours."
        )


def _about_left_out(table: PlayTable) -> Iterator[str]:
    for name, role in table.mapped.unread.items():
        yield f"Left out: the column {name}, since none of its cells says {MEANINGS[role]}."
    for why, number in table.left_out.items():
        yield f"Left out: {number:,} {why}."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _margin(fitted: Fit, name: str) -> str:
    low, high = fitted.interval(fitted.levels + fitted.effects.index(name))
    return f" ({low:.2f} to {high:.2f})"


def _chance(skill: float) -> str:
    return f"{100.0 / (1.0 + math.exp(-skill)):.0f} %"
