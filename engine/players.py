"""Synthetic players: what they are born with, what changes while they play, and what that makes them able to do.

Traits are drawn once per player by address. The condition changes with every attempt. `faculties_of` is the one
documented mapping from skill to reaction, slip, lapse and foresight; `after_attempt` is the one place where
practice, streaks, the end of a session and quitting happen. Formulas follow the minimal player of the literature
review in docs/players.md; constants without a source there are assumptions to be fitted, and every report says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.arithmetic import exp, log, logistic
from engine.game import FAILED, WON, Faculties
from engine.presence.week import later, share_of_wave
from engine.randomness import (
    ARRIVAL,
    FLOW,
    RETURN,
    TRAITS,
    Key,
    key_of,
    standard_exponential,
    standard_normal,
    unit,
    words,
)

COHORT_STRIDE: Final = 10_000_000  # player number = cohort * stride + place in cohort, so cohorts can grow
LARGEST_COHORT: Final = 64
NOT_SET: Final = float("nan")  # a motor override that leaves the mapping alone

DAY_S: Final = 86_400.0


class Trait(NamedTuple):
    """One thing a player is born with."""

    name: str
    unit: str
    meaning: str
    low: float  # no draw leaves [low, high]
    high: float


TRAIT_LIST: Final = (
    Trait("skill", "logit", "skill before any practice", -10.0, 10.0),
    Trait("slope", "1/skill unit", "how sharply skill decides a closed-form game", 0.01, 100.0),
    Trait("learning", "logit per log attempt", "gain of skill with log(1 + attempts); 0 for none", 0.0, 5.0),
    Trait("fatigue", "logit per log attempt", "loss of skill with log(1 + attempts this session)", 0.0, 5.0),
    Trait(
        "quit_frailty", "logit", "tendency to quit for good after an attempt; persistence is its negative", -40.0, 20.0
    ),
    Trait("session_frailty", "logit", "tendency to end a session after an attempt", -40.0, 20.0),
    Trait("return_scale", "1", "multiplies the time between sessions", 0.001, 1000.0),
    Trait("speed", "1", "multiplies reaction times; below 1 is faster", 0.1, 10.0),
    Trait("reaction_s", "s", "motor override: mean of the normal part of the reaction time", 0.0, 10.0),
    Trait("slip", "1", "motor override: chance of another action", 0.0, 1.0),
    Trait("lapse", "1", "motor override: chance of a missed change of intent", 0.0, 1.0),
    Trait("foresight", "1", "motor override: how far ahead the player sees, median player 1", 0.0, 100.0),
    Trait("practice_gain", "skill unit", "gain of skill that practice approaches, by a power law", 0.0, 20.0),
    Trait("practice_attempts", "attempts", "attempts after which about 0.6 of that gain is still to come", 0.1, 1e6),
    Trait("tiring", "skill unit", "loss of skill over a session, linear over its first 50 attempts", 0.0, 20.0),
    Trait("jump", "skill unit", "sudden change of skill, as by an insight or a new gamepad", -20.0, 20.0),
    Trait("jump_attempt", "attempts", "attempts before that change", 0.0, 1e6),
    Trait(
        "tilt",
        "logit",
        "effect of the last outcome on the next attempt: plus after a win, minus after a loss",
        -10.0,
        10.0,
    ),
    Trait("lowest_skill", "skill unit", "skill never falls below this value", -1000.0, 1000.0),
    Trait("highest_skill", "skill unit", "skill never rises above this value", -1000.0, 1000.0),
    Trait("bend_a", "1", "bend of the difficulty: d acts as 1 - (1 - d^a)^b; 1 and 1 for none", 0.01, 100.0),
    Trait("bend_b", "1", "see bend_a", 0.01, 100.0),
    Trait("thrown", "attempts", "attempts at the start of each session that are lost on purpose", 0.0, 1e6),
    Trait("layout_share", "1", "share of practice that belongs to the numbered level it was made on", 0.0, 1.0),
    Trait("forgetting", "1/day", "rate at which practice is forgotten between sessions; 0 for never", 0.0, 100.0),
    Trait("recovery_s", "s", "time between sessions in which half of the tiredness goes; 0 for all at once", 0.0, 1e8),
)
TRAIT_NAMES: Final = tuple(trait.name for trait in TRAIT_LIST)
OVERRIDES: Final = ("reaction_s", "slip", "lapse", "foresight")
MIX: Final = 6  # columns of a distribution table before those of correlations
USUAL_REACTION_S: Final = 0.3  # mean of the normal part of the median player's reaction time
LONG_SESSION: Final = 50  # attempts after which tiring is complete

# One record a player: traits, then condition.
PLAYER: Final = np.dtype(
    [
        ("player", np.int64),
        ("cohort", np.int64),
        *((name, np.float64) for name in TRAIT_NAMES),
        ("attempts", np.int64),  # played so far
        ("place", np.int64),  # played so far in this session
        ("session", np.int64),  # number of the session, from 0
        ("level", np.int64),  # next level of a campaign, from 1; 0 in an endless stream
        ("tries", np.int64),  # attempts made on that level; 0 in an endless stream, where every layout is new
        ("forgotten", np.float64),  # share of practice that is forgotten
        ("carried", np.float64),  # attempts of earlier sessions whose tiredness is left
        ("streak", np.int64),  # losses in a row
        ("mood", np.float64),  # moving average of wins, half-life five attempts, starts at `content`
        ("last", np.float64),  # the last outcome: 1 won, 0 not; 1 before the first
        ("clock_s", np.float64),  # the player's own time since the start of the run
        ("left", np.int64),  # why they are gone, an index into LEAVINGS; 0 while they stay
    ]
)
LEAVINGS: Final = ("playing", "session_end", "quit", "finished", "horizon", "attempt_limit")
PLAYING: Final = 0
SESSION_END: Final = 1
QUIT: Final = 2
FINISHED: Final = 3  # the campaign's last level is passed
HORIZON: Final = 4
ATTEMPT_LIMIT: Final = 5

_LN2: Final = 0.6931471805599453
_MOOD_KEPT: Final = 0.8705505632961241  # 0.5 ** (1 / 5)


class Flow(NamedTuple):
    """How outcomes act on staying; coefficients of the logits in `after_attempt`, and the times between plays.

    The effect of the last outcome on quitting follows the churn by the last three outcomes of 36.9 million matches
    (Chen et al. 2017). The other numbers are assumptions of the scenario, to be fitted to telemetry.
    """

    end_base: float = -2.0  # session end: logit at the first attempt of a session, plus session_frailty
    end_place: float = 0.25  # per log(1 + attempts this session)
    end_won: float = 0.0
    quit_streak: float = 0.15  # quitting for good: per log(1 + losses in a row)
    quit_won: float = -0.4  # after a win; with mood and streak 1.8 times the odds after one loss as after a win
    content: float = 0.85  # win share that players are content with
    quit_boredom: float = 0.0  # per win share above it
    quit_frustration: float = -1.0  # per win share above it, so below it a negative number raises quitting
    pause_s: float = 6.0  # median break between two attempts of a session
    pause_log_sd: float = 0.5
    same_day_share: float = 0.5  # next session: log-normal hours later ...
    same_day_s: float = 10_800.0
    daily_share: float = 0.35  # ... or around the same hour on the next day; the rest days later
    daily_sd_s: float = 7_200.0
    later_s: float = 259_200.0
    return_log_sd: float = 0.8
    session_attempts: float = 0.0  # most attempts of a session, as lives or energy allow; 0 for no limit


FLOW_FIELDS: Final = Flow._fields

DistributionKind = Literal["fixed", "normal", "lognormal", "uniform", "loguniform"]
KINDS: Final = ("fixed", "normal", "lognormal", "uniform", "loguniform")


class Distribution(NamedTuple):
    """How a trait is spread over a cohort; draws are held in [low, high]."""

    kind: DistributionKind
    a: float  # fixed: value; normal: mean; lognormal: median; uniform and loguniform: low end
    b: float = 0.0  # normal: sd; lognormal: sd of the log; uniform and loguniform: high end
    low: float = -1e300
    high: float = 1e300
    common: float = 0.0  # a further sd, of a draw that all players of a cohort share in one replica


DEFAULT_TRAITS: Final = {
    "skill": Distribution("normal", 0.0, 0.9),
    "slope": Distribution("fixed", 1.0),
    "learning": Distribution("lognormal", 0.15, 0.5),
    "fatigue": Distribution("fixed", 0.02),
    "quit_frailty": Distribution("normal", -5.5, 1.2),
    "session_frailty": Distribution("normal", 0.0, 1.0),
    "return_scale": Distribution("lognormal", 1.0, 1.0),
    "speed": Distribution("lognormal", 1.0, 0.1),
    "practice_gain": Distribution("fixed", 0.0),
    "practice_attempts": Distribution("fixed", 20.0),
    "tiring": Distribution("fixed", 0.0),
    "jump": Distribution("fixed", 0.0),
    "jump_attempt": Distribution("fixed", 0.0),
    "tilt": Distribution("fixed", 0.0),
    "lowest_skill": Distribution("fixed", -1000.0),
    "highest_skill": Distribution("fixed", 1000.0),
    "bend_a": Distribution("fixed", 1.0),
    "bend_b": Distribution("fixed", 1.0),
    "thrown": Distribution("fixed", 0.0),
    "layout_share": Distribution("fixed", 0.0),
    "forgetting": Distribution("fixed", 0.0),
    "recovery_s": Distribution("fixed", 0.0),
}


def distribution_table(
    traits: dict[str, Distribution], correlation: Mapping[str, Mapping[str, float]] | None = None
) -> npt.NDArray[np.float64]:
    """A cohort's traits as numbers for the kernels, shape (traits, 6): kind, a, b, low, high, common.

    Missing: the default. With a correlation the shape is (traits, 6 + traits): after them the row of the factor that
    makes correlated normal numbers of independent ones.
    """
    factor = correlation_factor(correlation) if correlation else None
    rows = np.zeros((len(TRAIT_LIST), MIX if factor is None else MIX + len(TRAIT_LIST)))
    if factor is not None:
        rows[:, MIX:] = factor
    for row, trait in zip(rows, TRAIT_LIST, strict=True):
        chosen = traits.get(trait.name, DEFAULT_TRAITS.get(trait.name, Distribution("fixed", NOT_SET)))
        row[:MIX] = (
            KINDS.index(chosen.kind),
            chosen.a,
            chosen.b,
            max(chosen.low, trait.low),
            min(chosen.high, trait.high),
            chosen.common,
        )
    return rows


def correlation_factor(
    correlation: Mapping[str, Mapping[str, float]],
) -> npt.NDArray[np.float64] | None:
    """The Cholesky factor of the traits' correlations, shape (traits, traits); None where they are impossible."""
    size = len(TRAIT_NAMES)
    wanted = np.eye(size)
    for name, others in correlation.items():
        for other, value in others.items():
            i, j = TRAIT_NAMES.index(name), TRAIT_NAMES.index(other)
            wanted[i, j] = wanted[j, i] = value
    factor = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            left = float(wanted[i, j])
            for k in range(j):
                left -= float(factor[i, k]) * float(factor[j, k])
            if i == j:
                if left < 0.0:
                    return None
                factor[i, i] = math.sqrt(left)
            elif factor[j, j] > 0.0:
                factor[i, j] = left / float(factor[j, j])
            elif abs(left) > 1e-12:
                return None
    return factor


def mixed_normal(table: Any, key: Key, j: int) -> float:
    """The standard normal number of trait j, correlated with those of the traits before it as the table says."""
    mixed = 0.0
    for k in range(j + 1):
        weight = float(table[j, MIX + k])
        if weight != 0.0:
            mixed = mixed + weight * standard_normal(words(key, k)[0])
    return mixed


def draw_trait(row: Any, word: int, shared: int) -> float:
    """A trait from one row of a distribution table, the player's random word, and that of the whole cohort."""
    normal = standard_normal(word) if int(row[0]) == 1 or int(row[0]) == 2 else 0.0
    return trait_of(row, word, normal, shared)


def trait_of(row: Any, word: int, normal: float, shared: int) -> float:
    """The same from the player's normal number, which a normal or log-normal trait takes."""
    kind = int(row[0])
    a = float(row[1])
    b = float(row[2])
    spread = 0.0
    if kind == 1 or kind == 2:
        spread = b * normal
        if row[5] != 0.0:
            spread = spread + float(row[5]) * standard_normal(shared)
    if kind == 1:
        a = a + spread
    elif kind == 2:
        a = a * exp(spread)
    elif kind == 3:
        a = a + (b - a) * unit(word)
    elif kind == 4:
        a = a * exp(log(b / a) * unit(word))
    if math.isnan(a):
        return a
    return min(max(a, float(row[3])), float(row[4]))


def be_born(
    player: Any, number: int, cohort: int, table: Any, seed: int, replica: int, level: int, content: float
) -> None:
    """Fill a PLAYER record: traits by address (one block a trait), a fresh condition."""
    key = key_of(seed, replica, TRAITS, number, 0)
    shared = key_of(seed, replica, TRAITS, number // COHORT_STRIDE * COHORT_STRIDE, 1)
    player["player"] = number
    player["cohort"] = cohort
    # A loop, since numba would compile the draws again for every literal block number.
    born = np.empty(len(table))
    for j in range(len(table)):
        own = 0 if table[j, 0] == 0.0 else words(key, j)[0]  # a fixed trait needs no dice
        common = 0 if table[j, 5] == 0.0 else words(shared, j)[0]
        if table.shape[1] > MIX and table[j, MIX + j] != 1.0:
            born[j] = trait_of(table[j], own, mixed_normal(table, key, j), common)
        else:
            born[j] = draw_trait(table[j], own, common)
    player["skill"] = born[0]
    player["slope"] = born[1]
    player["learning"] = born[2]
    player["fatigue"] = born[3]
    player["quit_frailty"] = born[4]
    player["session_frailty"] = born[5]
    player["return_scale"] = born[6]
    player["speed"] = born[7]
    player["reaction_s"] = born[8]
    player["slip"] = born[9]
    player["lapse"] = born[10]
    player["foresight"] = born[11]
    player["practice_gain"] = born[12]
    player["practice_attempts"] = born[13]
    player["tiring"] = born[14]
    player["jump"] = born[15]
    player["jump_attempt"] = born[16]
    player["tilt"] = born[17]
    player["lowest_skill"] = born[18]
    player["highest_skill"] = born[19]
    player["bend_a"] = born[20]
    player["bend_b"] = born[21]
    player["thrown"] = born[22]
    player["layout_share"] = born[23]
    player["forgetting"] = born[24]
    player["recovery_s"] = born[25]
    player["attempts"] = 0
    player["place"] = 0
    player["session"] = 0
    player["level"] = level
    player["tries"] = 0
    player["forgotten"] = 0.0
    player["carried"] = 0.0
    player["streak"] = 0
    player["mood"] = content
    player["last"] = 1.0
    player["clock_s"] = 0.0
    player["left"] = PLAYING


def skill_now(player: Any) -> float:
    """Skill after practice and fatigue, in skill units (logits where the slope is 1).

    skill + learning log(1 + attempts) - fatigue log(1 + place), and where those traits are set

        + practice_gain (1 - (1 + attempts / practice_attempts)^-0.8) - tiring min(place / 49, 1)
        + jump, once `jump_attempt` attempts are made,

    held in [lowest_skill, highest_skill]; then tilt / slope more after a win, and less after a loss. Of both kinds of
    practice the share `layout_share` counts the attempts on this level alone: another level does not profit from it.
    What is forgotten of practice is missing, and `place` includes the attempts whose tiredness is left.
    """
    tried = int(player["attempts"])
    practice = practised(player, tried)
    share = float(player["layout_share"])
    if share != 0.0:
        practice = (1.0 - share) * practice + share * practised(player, int(player["tries"]))
    kept = 1.0 - float(player["forgotten"])
    tired = int(player["place"]) + float(player["carried"])
    skill = float(player["skill"]) + kept * practice - float(player["fatigue"]) * log(1.0 + tired)
    gain = gained(player, tried)
    if share != 0.0:
        gain = (1.0 - share) * gain + share * gained(player, int(player["tries"]))
    skill = skill + kept * gain
    tiring = float(player["tiring"])
    if tiring != 0.0:
        skill = skill - tiring * min(tired / (LONG_SESSION - 1.0), 1.0)
    if tried >= float(player["jump_attempt"]):
        skill = skill + float(player["jump"])
    skill = min(max(skill, float(player["lowest_skill"])), float(player["highest_skill"]))
    tilt = float(player["tilt"])
    if tilt != 0.0:
        skill = skill + tilt * (2.0 * float(player["last"]) - 1.0) / float(player["slope"])
    return skill


def practised(player: Any, attempts: int) -> float:
    """Gain of skill by so many attempts, by the unbounded law of practice."""
    return float(player["learning"]) * log(1.0 + attempts)


def gained(player: Any, attempts: int) -> float:
    """The same by the bounded law; 0 for a player who has none."""
    gain = float(player["practice_gain"])
    return gain * (1.0 - exp(-0.8 * log(1.0 + attempts / float(player["practice_attempts"])))) if gain != 0.0 else 0.0


def felt_difficulty(player: Any, difficulty: float) -> float:
    """Where the dial acts for this player when it stands at `difficulty`: 1 - (1 - d^a)^b (Kumaraswamy 1980)."""
    a = float(player["bend_a"])
    b = float(player["bend_b"])
    if (a == 1.0 and b == 1.0) or difficulty <= 0.0 or difficulty >= 1.0:
        return difficulty
    rest = 1.0 - exp(a * log(difficulty))
    return 1.0 if rest <= 0.0 else 1.0 - exp(b * log(rest))


def either(override: float, mapped: float) -> float:
    """A motor override where one is set."""
    return mapped if math.isnan(override) else override


def faculties_of(player: Any) -> Faculties:
    """What the player can do now.

    The reaction is choice-like and ex-Gaussian: 300 ms, sd 40 ms, tail 100 ms at skill 0. It is multiplied by exp(-0.15
    skill) (latency falls about log-linearly with skill) and by the player's own speed. Where its mean is set, sd and
    tail go with it, so that a player without latency has no spread either. Slips, lapses and foresight are
    logistic and exponential in skill with assumed constants: 4 % slips, 2 % lapses and a look-ahead of 1 at skill 0. A
    player who throws an attempt misses every change of intent.
    """
    skill = skill_now(player)
    quick = float(player["speed"]) * exp(-0.15 * skill)
    mean = either(float(player["reaction_s"]), USUAL_REACTION_S * quick)
    if not math.isnan(float(player["reaction_s"])):
        quick = mean / USUAL_REACTION_S
    slip = either(float(player["slip"]), logistic(-3.2 - 0.8 * skill))
    lapse = either(float(player["lapse"]), logistic(-3.9 - 0.5 * skill))
    sight = either(float(player["foresight"]), exp(0.3 * skill))
    if int(player["place"]) < float(player["thrown"]):
        lapse = 1.0
    return Faculties(skill, float(player["slope"]), mean, 0.04 * quick, 0.1 * quick, slip, lapse, sight)


def after_attempt(
    player: Any,
    outcome: int,
    duration_s: float,
    flow: Flow,
    seed: int,
    replica: int,
    levels: int,
    limit: int,
    horizon_s: float,
) -> None:
    """Bring a player's condition past an attempt: practice, streak, mood, clock, and whether they stay.

    levels: number of levels of the campaign, 0 for an endless stream; limit: most attempts of one player.
    """
    number = int(player["attempts"])
    end_word, quit_word, pause_word, _ = words(key_of(seed, replica, FLOW, int(player["player"]), number), 0)
    won = 1.0 if outcome == WON else 0.0
    place = int(player["place"]) + 1
    streak = 0 if outcome == WON else int(player["streak"]) + 1
    mood = won + _MOOD_KEPT * (float(player["mood"]) - won)
    if outcome == FAILED:  # neither a success nor a setback
        won, streak, mood = float(player["last"]), int(player["streak"]), float(player["mood"])
    clock_s = float(player["clock_s"]) + duration_s
    level = int(player["level"])
    tries = int(player["tries"]) + 1 if levels > 0 else 0
    if levels > 0 and outcome == WON:
        level, tries = level + 1, 0

    above = mood - flow.content
    pull = flow.quit_boredom if above > 0.0 else flow.quit_frustration
    quits = float(player["quit_frailty"]) + flow.quit_streak * log(1.0 + streak) + flow.quit_won * won + pull * above
    ends = float(player["session_frailty"]) + flow.end_base + flow.end_place * log(1.0 + place) + flow.end_won * won
    left = PLAYING
    if levels > 0 and level > levels:
        left = FINISHED
    elif unit(quit_word) < logistic(quits):
        left = QUIT
    elif number + 1 >= limit:
        left = ATTEMPT_LIMIT
    elif clock_s >= horizon_s:
        left = HORIZON
    elif unit(end_word) < logistic(ends) or 0.0 < flow.session_attempts < place + 1:
        left = SESSION_END
    else:
        clock_s = clock_s + flow.pause_s * exp(flow.pause_log_sd * standard_normal(pause_word))
        if clock_s >= horizon_s:
            left = HORIZON

    player["attempts"] = number + 1
    player["place"] = place
    player["level"] = level
    player["tries"] = tries
    player["streak"] = streak
    player["mood"] = mood
    player["last"] = won
    player["clock_s"] = clock_s
    player["left"] = left


def come_back(player: Any, flow: Flow, week: Any, seed: int, replica: int, horizon_s: float) -> None:
    """Bring a player from the end of a session to the start of the next: same day, around the next day, or later.

    `return_scale` multiplies the first and the last; a daily player with 2 comes every other day, at about that hour.
    Returns follow the hours and days of the week (engine.presence.week); a daily player's follow their own hour, and
    only its spread the profile.
    """
    session = int(player["session"])
    which, spread, _, _ = words(key_of(seed, replica, RETURN, int(player["player"]), session), 0)
    z = standard_normal(spread)
    scale = float(player["return_scale"])
    since_s = float(player["clock_s"])  # away_s are counted from here, on the clock of the week
    if unit(which) < flow.same_day_share:
        away_s = flow.same_day_s * exp(flow.return_log_sd * z) * scale
    elif unit(which) < flow.same_day_share + flow.daily_share:
        days = max(math.floor(scale + 0.5), 1.0)  # whole days, so that the hour stays
        away_s = max(DAY_S * days + flow.daily_sd_s * z, 3600.0)
        if len(week) > 0:
            since_s, away_s = since_s + DAY_S * days, max(flow.daily_sd_s * z, 3600.0 - DAY_S * days)
    else:
        away_s = flow.later_s * exp(flow.return_log_sd * z) * scale
    clock_s = later(since_s, away_s, week)
    if len(week) > 0:
        away_s = clock_s - float(player["clock_s"])
    forgetting = float(player["forgetting"])
    if forgetting > 0.0:
        player["forgotten"] = 1.0 - (1.0 - float(player["forgotten"])) * exp(-forgetting * away_s / DAY_S)
    recovery_s = float(player["recovery_s"])
    if recovery_s > 0.0:
        player["carried"] = (float(player["carried"]) + int(player["place"])) * exp(-_LN2 * away_s / recovery_s)
    player["clock_s"] = clock_s
    player["session"] = session + 1
    player["place"] = 0
    player["left"] = HORIZON if clock_s >= horizon_s else PLAYING


def arrivals(
    count: int, first: int, seed: int, replica: int, mean_gap_s: float, window_s: float, week: Any, out: Any
) -> None:
    """Arrival times of players first, first + 1, ... into out, shape (count,), in seconds from the start.

    mean_gap_s > 0: a Poisson process, so that the time of a player is the sum of the gaps before; players added at the
    end move no others. Otherwise a launch wave: each player at a uniform time within window_s. Both follow the hours
    and days of the week (engine.presence.week).
    """
    now_s = 0.0
    for i in range(count):
        word = words(key_of(seed, replica, ARRIVAL, first + i, 0), 0)[0]
        if mean_gap_s > 0.0:
            now_s = now_s + mean_gap_s * standard_exponential(word)
            out[i] = later(0.0, now_s, week)
        else:
            out[i] = share_of_wave(unit(word), window_s, week)
