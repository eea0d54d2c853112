"""Kalman: an extended Kalman filter that knows how unsure it is, and steps accordingly.

It assumes that a player's skill is some difficulty, and that it drifts a little from attempt to attempt. The win
probability at difficulty d is

    p = guess + (1 - guess - lapse) logistic(slope (skill + sign tilt - f tire - d))

with sign = +1 after a win and -1 after a loss (tilt: what a loss does to the next attempt), f = how far the session
has gone, 0 to 1 over 50 attempts (tire: what a session costs). Both are off by default; each needs one more state and
pays where its effect exists. The slope is assumed, not learnt: outcomes near the target say almost nothing about it.
`reopen` watches the errors with a two-sided CUSUM test (Page 1954) and widens the filter after a jump in skill.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from controllers.common.dial_bounds import skill_inside
from controllers.common.dial_margin import margin_for, reach_of_margins, sign_of_last
from engine.arithmetic import logistic
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation
from engine.external.external_game import AnyGame

LOWEST: Final = -0.3  # skill lies within the dial or a little outside: margins of the published rule
HIGHEST: Final = 1.1
LONGEST_SESSION: Final = 49.0  # attempts after which tiring is complete
LARGEST_VARIANCE: Final = 1.0  # a whole dial: what an unlimited random walk at a bound is cut to
SMALLEST_NOISE: Final = 1e-9  # of an outcome, where guess and lapse are 0 and the outcome is all but certain
CUSUM_SLACK: Final = 0.5  # standard deviations that an error may lie off without being counted
REOPENED_SD: Final = 0.08


class Options(NamedTuple):
    sd0: float = 0.15
    q: float = 0.005
    slope: float = 6.0
    tilt_sd: float = 0.0
    tire_sd: float = 0.0
    reopen: float = 0.0
    guess: float = 0.02
    lapse: float = 0.02
    skill0: float = 0.5


class State(NamedTuple):
    skill: float  # place on the dial
    tilt: float
    tire: float
    var_skill: float  # covariance of the three, in squared dial units
    var_tilt: float
    var_tire: float
    cov_skill_tilt: float
    cov_skill_tire: float
    cov_tilt_tire: float
    up: float  # CUSUM of errors towards winning more than expected, in standard deviations
    down: float


def start(options: Options, target: float) -> State:
    tilt_sd = options.tilt_sd / options.slope  # given in logits
    return State(
        options.skill0,
        0.0,
        0.0,
        options.sd0 * options.sd0,
        tilt_sd * tilt_sd,
        options.tire_sd * options.tire_sd,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
    )


def ask(options: Options, state: State, situation: Situation) -> float:
    sign = sign_of_last(situation.last, situation.target)
    f = min(situation.place / LONGEST_SESSION, 1.0)
    wanted = (
        state.skill
        + sign * state.tilt
        - f * state.tire
        - margin_for(situation.target, options.slope, options.guess, options.lapse)
    )
    return min(max(wanted, 0.0), 1.0)


def tell(options: Options, state: State, seen: Observation) -> State:
    if not seen.weight > 0.0:
        return state
    # What was expected: h = (1, sign, -f), p, and G h, the gradient of p by the state.
    sign = sign_of_last(seen.last, seen.target)
    f = min(seen.place / LONGEST_SESSION, 1.0)
    certain = 1.0 - options.guess - options.lapse
    c = logistic(options.slope * (state.skill + sign * state.tilt - f * state.tire - seen.difficulty))
    p = options.guess + certain * c
    G = certain * options.slope * c * (1.0 - c)
    R = max(p * (1.0 - p), SMALLEST_NOISE) / seen.weight
    error = seen.won - p

    # v = P (G h), gain K = v / (G h v + R), x <- x + K error, P <- P - K v'
    v_skill = G * (state.var_skill + sign * state.cov_skill_tilt - f * state.cov_skill_tire)
    v_tilt = G * (state.cov_skill_tilt + sign * state.var_tilt - f * state.cov_tilt_tire)
    v_tire = G * (state.cov_skill_tire + sign * state.cov_tilt_tire - f * state.var_tire)
    S = max(G * (v_skill + sign * v_tilt - f * v_tire), 0.0) + R
    step = error / S
    offset = margin_for(seen.target, options.slope, options.guess, options.lapse)
    low = LOWEST + min(offset, 0.0)  # so that every difficulty stays within reach for every target
    high = HIGHEST + max(offset, 0.0)
    skill = min(max(state.skill + v_skill * step, low), high)
    tilt = min(max(state.tilt + v_tilt * step, LOWEST), HIGHEST)
    tire = min(max(state.tire + v_tire * step, LOWEST), HIGHEST)
    var_skill = max(state.var_skill - v_skill * v_skill / S, 0.0) + options.q * options.q

    up = state.up
    down = state.down
    if options.reopen > 0.0:
        z = error / math.sqrt(R)
        up = max(0.0, up + z - CUSUM_SLACK)
        down = max(0.0, down - z - CUSUM_SLACK)
        if up > options.reopen or down > options.reopen:
            var_skill = max(var_skill, REOPENED_SD * REOPENED_SD)
            up = 0.0
            down = 0.0
    return State(
        skill,
        tilt,
        tire,
        min(var_skill, LARGEST_VARIANCE),
        max(state.var_tilt - v_tilt * v_tilt / S, 0.0),
        max(state.var_tire - v_tire * v_tire / S, 0.0),
        state.cov_skill_tilt - v_skill * v_tilt / S,
        state.cov_skill_tire - v_skill * v_tire / S,
        state.cov_tilt_tire - v_tilt * v_tire / S,
        up,
        down,
    )


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    swing = abs(state.tilt)
    skill = skill_inside(
        state.skill,
        options.slope,
        options.guess,
        options.lapse,
        swing + max(state.tire, 0.0),
        swing + max(-state.tire, 0.0),
        bounds,
    )
    return State(
        skill,
        state.tilt,
        state.tire,
        state.var_skill,
        state.var_tilt,
        state.var_tire,
        state.cov_skill_tilt,
        state.cov_skill_tire,
        state.cov_tilt_tire,
        state.up,
        state.down,
    )


def reach(options: Options, game: AnyGame) -> tuple[float, float]:
    return reach_of_margins(options.guess, options.lapse)


CONTROLLER: Final = ControllerKind(
    name="kalman",
    mode="adaptive",
    summary="Extended Kalman filter of the player's skill: near the statistical limit where skill is steady.",
    formula="d = clip(skill + sign tilt - f tire - logit(C) / slope, 0, 1), "
    "C = (target - guess) / (1 - guess - lapse); the three and their covariance by the extended Kalman filter",
    source="Kalman 1960 and its extended form, in the manner of Glickman 1999 (Glicko); CUSUM: Page 1954",
    use="Where each attempt must cost almost nothing, for single players and player groups, late outcomes included. "
    "Divide q by about 5 where 20 players share a difficulty. Set reopen = 4 where skill jumps. Set tilt_sd = 0.3 and "
    "tire_sd = 0.1 where moods and tiredness matter.",
    options=Options,
    option_list=(
        Option("sd0", 0.0, 1.0, "spread of players' skills at first: standard deviation, in units of difficulty"),
        Option("q", 0.0, 0.1, "drift of skill from attempt to attempt: standard deviation, in units of difficulty"),
        Option("slope", 1.0, 50.0, "assumed slope of win probability, in logits per unit of difficulty"),
        Option(
            "tilt_sd",
            0.0,
            3.0,
            "effect of the last outcome on the next attempt: standard deviation in logits; 0 for off",
        ),
        Option("tire_sd", 0.0, 1.0, "effect of a long session: standard deviation, in units of difficulty; 0 for off"),
        Option("reopen", 0.0, 100.0, "CUSUM threshold of a jump, in standard deviations; 0 for off"),
        Option("guess", 0.0, 0.4, "assumed chance of winning without any skill"),
        Option("lapse", 0.0, 0.4, "assumed chance of losing at any skill"),
        Option("skill0", 0.0, 1.0, "first belief about a player's skill, as a difficulty"),
    ),
    rule=Rule(start, ask, tell, beliefs=("skill", "var_skill", "tilt", "tire"), anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
    belief_units={"skill": "dial", "var_skill": "dial^2", "tilt": "dial", "tire": "dial"},
    reach=reach,
)
