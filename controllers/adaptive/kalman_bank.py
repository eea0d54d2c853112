"""Kalman bank: many small Kalman filters, each with another model of the player, weighted by how well they predicted.

One filter must assume the slope of win probability, the lapse rate, and what changes skill. The bank assumes none of
these. It runs a filter for each combination of three slopes, two lapse rates and a *structure*, and the outcomes decide
(multiple model adaptive estimation, Magill 1965). The structures are

    steady    skill stays where it is             tilted    a win helps the next attempt, a loss harms it
    tired     skill falls through a session       learning  skill rises along a practice curve, fast or slowly
    drifting  skill wanders                       moody learner  learning and tilted
    changed   skill changed at once, some time ago: every ten attempts one of twelve such filters restarts from the
              steady one, so that a change is recognised at any attempt (in the manner of Adams and MacKay 2007)

A filter's state is x = (skill, tilt, tire, gain) with covariance P, in dial units, and

    p(d) = guess + (1 - guess - lapse) logistic(slope (h x - d)),   h = (1, sign, -f, c)

with sign = +1 after a win and -1 after a loss. f is the progress of the session, 0 to 1 over 50 attempts, and c the
practice curve 1 - (1 + attempts / scale)^-0.8. The difficulty is that at which the mean of (p - target)^2 over all
filters and their uncertainty is least.

With `graded`, how well an attempt was played is evidence too, see controllers.common.score_evidence.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from controllers.common.dial_bounds import at_bound, bounds_for, pushes_out, skill_inside
from controllers.common.dial_margin import reach_of_margins, sign_of_last
from controllers.common.score_evidence import NOTHING, evidence, graded_of
from engine.arithmetic import exp, log, logistic, logit
from engine.controller import Brief, ControllerKind, Observation, Option, Rule, Situation
from engine.external.external_game import AnyGame

SLOPES: Final = ((0.625, 0.3), (1.0, 0.4), (1.625, 0.3))  # as multiples of the option, with their prior weights
LAPSES: Final = ((0.02, 0.6), (0.12, 0.4))
STATES: Final = 4
PAIRS: Final = 10  # numbers of a symmetric 4 x 4 matrix, row by row: 00 01 02 03 11 12 13 22 23 33
CHANGES: Final = 12  # filters that remember a change, each from another time
EVERY: Final = 10  # attempts between two possible changes
CHANGE_MEAN: Final = 0.1  # dial units: insight is likelier than loss
CHANGE_SD: Final = 0.2
LONGEST_SESSION: Final = 49.0  # attempts after which tiring is complete
PROBIT: Final = 0.39269908169872414  # pi / 8: a logistic in a normal's mean (MacKay 1992)
FORGOTTEN: Final = -12.0  # log weight, against the best filter, below which a filter is not worth its time
HEARD: Final = -6.0  # the same for having a say in the next difficulty
LOWEST: Final = -0.5  # skill lies within the dial or not far outside
HIGHEST: Final = 1.5
NODE: Final = 1.7320508075688772  # Gauss-Hermite with three nodes: -sqrt 3, 0, sqrt 3, weights 1/6, 2/3, 1/6
BISECTIONS: Final = 8
ROUNDS: Final = 6
FIRST_STEP: Final = 0.02


class Options(NamedTuple):
    skill0: float = 0.5
    sd0: float = 0.15
    slope: float = 8.0
    guess: float = 0.02
    q: float = 0.001
    tilted: float = 0.2
    tired: float = 0.25
    learning: float = 0.4
    drifting: float = 0.1
    hazard: float = 0.003
    say: float = 0.25
    graded: float = 0.0


class Structure(NamedTuple):
    """What a filter believes can move a player's skill: prior mean and standard deviation of each effect."""

    weight: float
    tilt: tuple[float, float] = (0.0, 0.0)  # logits
    tire: tuple[float, float] = (0.0, 0.0)  # dial units, as the rest
    gain: tuple[float, float] = (0.0, 0.0)
    scale: float = 0.0  # of the practice curve, in attempts; 0 without one
    q: float = 0.0  # wandering from attempt to attempt, added to the option


class Filter(NamedTuple):
    """A filter as it begins; the bank has an array of each field."""

    slope: float
    lapse: float
    scale: float  # of the practice curve
    mean: tuple[float, ...]  # of the STATES
    variance: tuple[float, ...]
    wander: float  # variance added with each attempt
    prior: float  # weight
    change: float  # which of the CHANGES it remembers; -1 for none
    steady: float  # number of the filter that it restarts from


class Bank(NamedTuple):
    """The filters, one number each or STATES of them."""

    slope: Any
    lapse: Any
    scale: Any
    mean: Any  # of the states at first
    variance: Any
    wander: Any  # variance added with each attempt
    weight: Any  # logarithm of the prior weight
    change: Any  # which of the CHANGES it remembers; -1 for the others
    steady: Any  # the filter that it restarts from
    guess: float
    hazard: float  # chance of a change, per attempt
    change_mean: float
    change_sd: float
    say: float  # least weight of tilted filters together for tilt to be acted upon
    shared: float  # 1 where players share the dial: its practice is counted in its own observations
    graded: float  # how much scores count
    floor: float  # the fields of Bounds
    ceiling: float
    least_target: float
    most_target: float
    edges: Any  # see controllers.common.score_evidence.Graded
    bins: Any


class State(NamedTuple):
    x: Any  # STATES numbers for each filter
    P: Any  # PAIRS numbers for each filter
    weight: Any  # logarithms, the best filter's 0
    attempts: float
    skill: float  # mean over all filters
    tilt: float
    steady: float  # weight of the filters that believe in no effect at all


class Update(NamedTuple):
    """What a measurement changes in a filter."""

    likelihood: float  # logarithm of the chance that the filter gave to what was measured
    step: float  # of the state, along v = P h
    k: float  # v v^T to be taken from the covariance


def structures(options: Options) -> list[Structure]:
    """Prior means are half what a strong effect would be; a tenth of the dial is a lot."""
    return [
        Structure(1.0),
        Structure(options.tilted, tilt=(0.5, 0.175)),
        Structure(options.tired, tire=(0.2, 0.06)),
        Structure(options.learning / 2.0, gain=(0.225, 0.075), scale=8.0),
        Structure(options.learning / 2.0, gain=(0.225, 0.075), scale=25.0),
        Structure(options.drifting, q=0.008),
        Structure(options.tilted, tilt=(0.5, 0.175), gain=(0.125, 0.05), scale=20.0),
    ]


def make_filters(options: Options) -> list[Filter]:
    """For each slope and lapse rate the structures, then the changes."""
    filters: list[Filter] = []
    for times, slope_weight in SLOPES:
        for lapse, lapse_weight in LAPSES:
            slope = options.slope * times
            common = slope_weight * lapse_weight
            first = float(len(filters))
            for one in structures(options):
                tilt = (one.tilt[0] / slope, one.tilt[1] / slope)
                mean = (options.skill0, tilt[0], one.tire[0], one.gain[0])
                variance = tuple(s * s for s in (options.sd0, tilt[1], one.tire[1], one.gain[1]))
                wander, prior = (options.q + one.q) ** 2, common * one.weight
                filters.append(
                    Filter(slope, lapse, one.scale, mean, variance, wander, prior, change=-1.0, steady=first)
                )
            mean, variance, wander = (options.skill0, 0.0, 0.0, 0.0), (options.sd0**2, 0.0, 0.0, 0.0), options.q**2
            for change in range(CHANGES):  # no weight until they spring
                filters.append(
                    Filter(slope, lapse, 0.0, mean, variance, wander, prior=0.0, change=float(change), steady=first)
                )
    return filters


def prepare(options: Options, brief: Brief) -> Bank:
    bounds = bounds_for(brief)
    skill0 = skill_inside(options.skill0, options.slope, options.guess, LAPSES[0][0], 0.0, 0.0, bounds)
    filters = make_filters(options._replace(skill0=skill0))
    column = {name: np.array(values) for name, values in zip(Filter._fields, zip(*filters, strict=True), strict=True)}
    total = math.fsum(column["prior"])
    bins = graded_of(brief) if options.graded > 0.0 else NOTHING
    return Bank(
        slope=column["slope"],
        lapse=column["lapse"],
        scale=column["scale"],
        mean=column["mean"].ravel(),
        variance=column["variance"].ravel(),
        wander=column["wander"],
        weight=np.array([log(one.prior / total) if one.prior > 0.0 else 2.0 * FORGOTTEN for one in filters]),
        change=column["change"],
        steady=column["steady"],
        guess=options.guess,
        hazard=options.hazard,
        change_mean=CHANGE_MEAN,
        change_sd=CHANGE_SD,
        say=options.say,
        shared=0.0 if brief.scope == "player" else 1.0,
        graded=options.graded,
        floor=bounds.floor,
        ceiling=bounds.ceiling,
        least_target=bounds.least_target,
        most_target=bounds.most_target,
        edges=bins.edges,
        bins=bins.numbers,
    )


def start(bank: Bank, target: float) -> State:
    P = np.zeros(PAIRS * len(bank.slope))
    for i in range(len(bank.slope)):
        P[PAIRS * i] = bank.variance[STATES * i]
        P[PAIRS * i + 4] = bank.variance[STATES * i + 1]
        P[PAIRS * i + 7] = bank.variance[STATES * i + 2]
        P[PAIRS * i + 9] = bank.variance[STATES * i + 3]
    return State(bank.mean.copy(), P, bank.weight - bank.weight.max(), 0.0, bank.mean[0], 0.0, 1.0)


def practice(scale: float, attempts: float) -> float:
    """The practice curve, 0 to 1."""
    return 0.0 if scale == 0.0 else 1.0 - exp(-0.8 * log(1.0 + attempts / scale))


def ask(bank: Bank, state: State, situation: Situation) -> float:
    target = situation.target
    sign = sign_of_last(situation.last, target)
    f = min(situation.place / LONGEST_SESSION, 1.0)
    filters = len(bank.slope)
    # Each filter's mean and spread of where on the dial the player stands now, and its weight.
    at = np.empty(filters)
    sd = np.empty(filters)
    slope = np.empty(filters)
    room = np.empty(filters)
    weight = np.empty(filters)
    tilted = 0.0
    total = 0.0
    for i in range(filters):
        if state.weight[i] > HEARD:
            total += exp(state.weight[i])
            if bank.variance[STATES * i + 1] > 0.0:
                tilted += exp(state.weight[i])
    s = sign if tilted > bank.say * total else 2.0 * target - 1.0
    unknown = 1.0 - s * s if s != sign or situation.last < 0.0 else 0.0
    attempts = state.attempts if bank.shared > 0.0 else float(situation.attempt)
    n = filter_places(bank, state, s, unknown, f, attempts, total, at, sd, slope, room, weight)
    d = fair_place(at, sd, slope, room, weight, n, bank.guess, target)
    d = least_square_place(at, sd, slope, room, weight, n, bank.guess - target, d)
    return min(max(d, 0.0), 1.0)


def filter_places(
    bank: Bank, state: State, s: float, unknown: float, f: float, attempts: float, total: float,
    at: Any, sd: Any, slope: Any, room: Any, weight: Any,
) -> int:  # fmt: skip
    """The player's skill as a difficulty in each filter with enough weight, written into the last five; how many.

    s: the sign that is acted upon; unknown: its variance; total: of the weights of those filters.
    """
    n = 0
    for i in range(len(bank.slope)):
        if state.weight[i] <= HEARD:
            continue
        c = practice(bank.scale[i], attempts)
        x = STATES * i
        p = PAIRS * i
        P = state.P
        spread = (
            P[p] + s * s * P[p + 4] + f * f * P[p + 7] + c * c * P[p + 9]
            + 2.0 * (s * P[p + 1] - f * P[p + 2] + c * P[p + 3])
            + 2.0 * (s * c * P[p + 6] - s * f * P[p + 5] - f * c * P[p + 8])
            + unknown * state.x[x + 1] * state.x[x + 1]
        )  # fmt: skip
        at[n] = state.x[x] + s * state.x[x + 1] - f * state.x[x + 2] + c * state.x[x + 3]
        sd[n] = math.sqrt(max(spread, 0.0))
        slope[n] = bank.slope[i]
        room[n] = 1.0 - bank.guess - bank.lapse[i]
        weight[n] = exp(state.weight[i]) / total
        n += 1
    return n


def fair_place(at: Any, sd: Any, slope: Any, room: Any, weight: Any, n: int, guess: float, target: float) -> float:
    """Where the mean chance over filters and their spread equals the target: near the answer."""
    low = 0.0
    high = 1.0
    for _ in range(BISECTIONS):
        d = 0.5 * (low + high)
        chance = guess
        for j in range(n):
            a = slope[j]
            chance += weight[j] * room[j] * logistic(a * (at[j] - d) / math.sqrt(1.0 + PROBIT * a * a * sd[j] * sd[j]))
        if chance > target:
            low = d
        else:
            high = d
    return 0.5 * (low + high)


def least_square_place(at: Any, sd: Any, slope: Any, room: Any, weight: Any, n: int, offset: float, d: float) -> float:
    """Where the mean square is least: beside the fair place d, where the chance is surer."""
    step = FIRST_STEP
    here = mean_square(at, sd, slope, room, weight, n, offset, d)
    for _ in range(ROUNDS):
        above = mean_square(at, sd, slope, room, weight, n, offset, d + step)
        below = mean_square(at, sd, slope, room, weight, n, offset, d - step)
        if above < here and above <= below:
            d += step
            here = above
        elif below < here:
            d -= step
            here = below
        else:
            bend = above + below - 2.0 * here
            if bend > 0.0:
                d += 0.5 * step * (below - above) / bend
            break
    return d


def mean_square(at: Any, sd: Any, slope: Any, room: Any, weight: Any, n: int, offset: float, d: float) -> float:
    """Mean of (p - target)^2 over filters and their spread, with three Gauss-Hermite nodes; offset: guess - target."""
    total = 0.0
    for j in range(n):
        a = slope[j]
        u = a * (at[j] - d)
        v = a * NODE * sd[j]
        one = offset + room[j] * logistic(u - v)
        two = offset + room[j] * logistic(u)
        three = offset + room[j] * logistic(u + v)
        total += weight[j] * (one * one + 4.0 * two * two + three * three)
    return total / 6.0


def tell(bank: Bank, state: State, seen: Observation) -> State:
    if not seen.weight > 0.0:
        return state
    x = state.x.copy()
    P = state.P.copy()
    weight = state.weight.copy()
    attempts = state.attempts
    if attempts > 0.0 and attempts % EVERY == 0.0 and bank.hazard > 0.0:
        spring(bank, x, P, weight, (attempts // EVERY) % CHANGES)
    if at_bound(seen, bank) and pushes_out(expected_chance(bank, x, P, weight, attempts, seen), seen, bank):
        best = wander(bank, P, weight)
    else:
        best = correct(bank, x, P, weight, attempts, seen)
    return summarise(bank, x, P, weight, best, attempts + 1.0)


def expected_chance(bank: Bank, x: Any, P: Any, weight: Any, attempts: float, seen: Observation) -> float:
    """Win probability that the bank had for what was played, of the filters that have a say."""
    sign = sign_of_last(seen.last, seen.target)
    f = min(seen.place / LONGEST_SESSION, 1.0)
    chance = 0.0
    total = 0.0
    for i in range(len(bank.slope)):
        if weight[i] > HEARD:
            c = practice(bank.scale[i], attempts)
            j = STATES * i
            a = bank.slope[i] / math.sqrt(1.0 + PROBIT * bank.slope[i] * bank.slope[i] * P[PAIRS * i])
            place = x[j] + sign * x[j + 1] - f * x[j + 2] + c * x[j + 3]
            share = exp(weight[i])
            total += share
            chance += share * (
                bank.guess + (1.0 - bank.guess - bank.lapse[i]) * logistic(a * (place - seen.difficulty))
            )
    return chance / total


def wander(bank: Bank, P: Any, weight: Any) -> float:
    """An attempt that says nothing: skills wander, in place. The largest weight."""
    best = -1e300
    for i in range(len(bank.slope)):
        P[PAIRS * i] += bank.wander[i]
        best = max(best, weight[i])
    return best


def correct(bank: Bank, x: Any, P: Any, weight: Any, attempts: float, seen: Observation) -> float:
    """Update all filters and weight them by how well they predicted the outcome, in place; the largest weight."""
    sign = sign_of_last(seen.last, seen.target)
    f = min(seen.place / LONGEST_SESSION, 1.0)
    best = -1e300
    for i in range(len(bank.slope)):
        if weight[i] < FORGOTTEN:
            continue
        c = practice(bank.scale[i], attempts)
        j = STATES * i
        p = PAIRS * i
        # v = P h, and the spread h P h of the player's place
        v0 = P[p] + sign * P[p + 1] - f * P[p + 2] + c * P[p + 3]
        v1 = P[p + 1] + sign * P[p + 4] - f * P[p + 5] + c * P[p + 6]
        v2 = P[p + 2] + sign * P[p + 5] - f * P[p + 7] + c * P[p + 8]
        v3 = P[p + 3] + sign * P[p + 6] - f * P[p + 8] + c * P[p + 9]
        spread = max(v0 + sign * v1 - f * v2 + c * v3, 0.0)
        place = x[j] + sign * x[j + 1] - f * x[j + 2] + c * x[j + 3]
        likelihood, step, k = update_by_win(bank.slope[i], bank.lapse[i], bank.guess, place, spread, seen)
        weight[i] += likelihood
        if bank.graded > 0.0 and seen.weight == 1.0:
            likelihood, step, k = update_by_score(
                bank.slope[i], bank.lapse[i], bank.guess, bank.graded, bank.edges, bank.bins,
                place, spread, step, k, seen,
            )  # fmt: skip
            weight[i] += likelihood
        best = max(best, weight[i])
        x[j] = min(max(x[j] + v0 * step, LOWEST), HIGHEST)
        x[j + 1] = min(max(x[j + 1] + v1 * step, LOWEST), HIGHEST)
        x[j + 2] = min(max(x[j + 2] + v2 * step, LOWEST), HIGHEST)
        x[j + 3] = min(max(x[j + 3] + v3 * step, LOWEST), HIGHEST)
        P[p] = max(P[p] - k * v0 * v0, 0.0) + bank.wander[i]
        P[p + 1] -= k * v0 * v1
        P[p + 2] -= k * v0 * v2
        P[p + 3] -= k * v0 * v3
        P[p + 4] = max(P[p + 4] - k * v1 * v1, 0.0)
        P[p + 5] -= k * v1 * v2
        P[p + 6] -= k * v1 * v3
        P[p + 7] = max(P[p + 7] - k * v2 * v2, 0.0)
        P[p + 8] -= k * v2 * v3
        P[p + 9] = max(P[p + 9] - k * v3 * v3, 0.0)
    return best


# What is called for each filter gets its numbers, not the bank: numba counts references to each array passed on.


def update_by_win(slope: float, lapse: float, guess: float, place: float, spread: float, seen: Observation) -> Update:
    """The measurement update of a filter by wins. place: the player's on the dial, with its spread."""
    # The chance, with the spread within it (moderated: MacKay 1992), and its gradient G h.
    a = slope / math.sqrt(1.0 + PROBIT * slope * slope * spread)
    room = 1.0 - guess - lapse
    share = logistic(a * (place - seen.difficulty))
    chance = min(max(guess + room * share, 1e-6), 1.0 - 1e-6)
    G = room * a * share * (1.0 - share)
    # One outcome: S = p (1 - p) with the spread in p. Several: the spread is common to them.
    S = chance * (1.0 - chance)
    error = seen.won - chance
    if seen.weight > 1.0:
        S = S / seen.weight + G * G * spread
        likelihood = -0.5 * (error * error / S + log(S))
    else:
        likelihood = log(chance) if seen.won > 0.5 else log(1.0 - chance)
    return Update(likelihood, G * error / S, G * G / S)


def update_by_score(
    slope: float, lapse: float, guess: float, graded: float, edges: Any, bins: Any,
    place: float, spread: float, step: float, k: float, seen: Observation,
) -> Update:  # fmt: skip
    """The measurement update by wins and then by the score, as one along v; the likelihood is the score's alone.

    step, k: of the update by wins.
    """
    # z, the logit of the chance, moves with h x, by a.
    left = spread * (1.0 - k * spread)
    share = logistic(slope * (place + spread * step - seen.difficulty))
    room = 1.0 - guess - lapse
    chance = guess + room * share
    a = slope * room * share * (1.0 - share) / (chance * (1.0 - chance))
    said = evidence(edges, bins, seen.won, seen.score, seen.difficulty, logit(chance))
    told = graded * said.information * a * a
    loss = 1.0 + told * left
    both = step + (1.0 - k * spread) * graded * a * said.trend / loss
    return Update(graded * log(said.chance), both, k + (1.0 - k * spread) ** 2 * told / loss)


def summarise(bank: Bank, x: Any, P: Any, weight: Any, best: float, attempts: float) -> State:
    """The state, with its means over all filters. best: the largest weight, from which all are counted, in place."""
    skill = 0.0
    tilt = 0.0
    steady = 0.0
    total = 0.0
    for i in range(len(bank.slope)):
        weight[i] = max(weight[i] - best, 2.0 * FORGOTTEN)
        if weight[i] < FORGOTTEN:
            continue
        share = exp(weight[i])
        total += share
        skill += share * x[STATES * i]
        tilt += share * x[STATES * i + 1] * bank.slope[i]
        if bank.steady[i] == i:
            steady += share
    return State(x, P, weight, attempts, skill / total, tilt / total, steady / total)


def spring(bank: Bank, x: Any, P: Any, weight: Any, change: float) -> None:
    """Restart the filters of one change, each from its steady one. Before that, the steady one takes their state if it
    is more likely. In place: the arrays are the caller's own copies.
    """
    for i in range(len(bank.slope)):
        if bank.change[i] != change:
            continue
        base = int(bank.steady[i])
        if weight[i] > weight[base]:
            for j in range(STATES):
                x[STATES * base + j] = x[STATES * i + j]
            for j in range(PAIRS):
                P[PAIRS * base + j] = P[PAIRS * i + j]
            weight[base] = weight[i] + log(1.0 + exp(weight[base] - weight[i]))
        for j in range(STATES):
            x[STATES * i + j] = x[STATES * base + j]
        for j in range(PAIRS):
            P[PAIRS * i + j] = P[PAIRS * base + j]
        x[STATES * i] += bank.change_mean
        P[PAIRS * i] += bank.change_sd * bank.change_sd
        weight[i] = max(weight[base] + log(bank.hazard * EVERY), 2.0 * FORGOTTEN)


def reach(options: Options, game: AnyGame) -> tuple[float, float]:
    return reach_of_margins(options.guess, LAPSES[0][0])


CONTROLLER: Final = ControllerKind(
    name="kalman_bank",
    mode="adaptive",
    summary="A bank of Kalman filters with different models of the player, weighted by how well they predicted.",
    formula="d minimises sum of w E[(p(d) - target)^2] over all filters; w <- w x predicted chance of the outcome",
    source="Magill 1965 (multiple model adaptive estimation); changes in the manner of Adams and MacKay 2007; "
    "moderated output: MacKay 1992",
    use="The default, for single players and synchronised player groups, whatever changes their skill, late outcomes "
    "included. Where newcomers join a shared difficulty, use kalman: the bank counts practice in its own "
    "observations. Not where a microsecond matters: an attempt costs tens of them, with kalman a tenth of one.",
    options=Options,
    option_list=(
        Option("skill0", 0.0, 1.0, "first belief about a player's skill, as a difficulty"),
        Option("sd0", 0.0, 1.0, "spread of players' skills at first: standard deviation, in units of difficulty"),
        Option(
            "slope",
            1.0,
            50.0,
            "middle of the three assumed slopes of win probability, in logits per unit of difficulty",
        ),
        Option("guess", 0.0, 0.4, "assumed chance of winning without any skill"),
        Option("q", 0.0, 0.1, "drift of any skill from attempt to attempt: standard deviation, in units of difficulty"),
        Option("tilted", 0.0, 10.0, "prior weight of tilt, against 1 for no effect at all"),
        Option("tired", 0.0, 10.0, "prior weight of tiring within a session, against 1"),
        Option("learning", 0.0, 10.0, "prior weight of learning, against 1"),
        Option("drifting", 0.0, 10.0, "prior weight of a drifting skill, against 1"),
        Option("hazard", 0.0, 0.05, "chance of a sudden change of skill, per attempt"),
        Option("say", 0.0, 1.0, "total weight of filters with tilt from which the last outcome moves the difficulty"),
        Option(
            "graded",
            0.0,
            1.0,
            "weight of scores: 0 none, 1 their full weight for players that differ in skill alone; simulates the game",
        ),
    ),
    rule=Rule(start, ask, tell, beliefs=("skill", "tilt", "steady"), prepare=prepare),
    scopes=("player", "cohort", "everyone"),
    belief_units={"skill": "dial", "tilt": "dial", "steady": "1"},
    reach=reach,
)
