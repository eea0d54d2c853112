"""Model average: a bank of the engine's own player models, weighted by how well they predicted the outcomes.

Particles are imagined players of eight kinds. One kind is steady. The others learn, tire, jump, lapse, have a bent
dial, tilt after the last outcome, or combine most of these. Every outcome multiplies a particle's weight by the chance
that the particle gave it. The difficulty is that at which the expected squared distance of the win probability from the
target is least. Skill is measured as a difficulty. A game without a closed form is played on the response map of its
first cohort, with difficulties scaled to the skills of the whole population. Players that share a dial are one imagined
cohort of steady members.

An observation has no number, so observations are counted: that of attempt t counts as the t-th observation.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from controllers.common.dial_bounds import at_bound, bounds_for, pushes_out
from controllers.common.dial_margin import reach_of_margins
from controllers.common.imagined_players import Ground, cast_of, ground_of, plain_ground
from controllers.common.particles import Cast, Numbers, best_place, particle_chances, reweight, stand_of
from engine.controller import Brief, ControllerKind, Observation, Option, Rule, Situation
from engine.external.external_game import AnyGame
from engine.players import TRAIT_NAMES, Distribution, distribution_table, draw_trait

TraitSpread = dict[str, Distribution]

LEARNS: Final[TraitSpread] = {
    "practice_gain": Distribution("uniform", 0.1, 0.35),
    "practice_attempts": Distribution("loguniform", 5.0, 40.0),
}
TIRES: Final[TraitSpread] = {"tiring": Distribution("uniform", 0.1, 0.3)}
JUMPS: Final[TraitSpread] = {
    "jump": Distribution("uniform", 0.1, 0.35),
    "jump_attempt": Distribution("uniform", 40.0, 160.0),
}
LAPSES: Final[TraitSpread] = {"lapse": Distribution("uniform", 0.02, 0.2)}
BENDS: Final[TraitSpread] = {
    "bend_a": Distribution("lognormal", 1.0, 0.5),
    "bend_b": Distribution("lognormal", 1.0, 0.5),
}
TILTS: Final[TraitSpread] = {"tilt": Distribution("uniform", 0.2, 0.8)}
MIXED: Final[TraitSpread] = {
    **LAPSES,
    **BENDS,
    **TILTS,
    "practice_gain": Distribution("uniform", 0.05, 0.2),
    "practice_attempts": Distribution("fixed", 20.0),
    "jump": Distribution("fixed", 0.2),
    "jump_attempt": Distribution("uniform", 40.0, 160.0),
}
CHANCE: Final = 0.02  # of winning without any skill, and of losing with all of it
STRATA: Final = 64  # draws that stand for a population
LEAST_SPREAD: Final = 0.1  # skill units: of a population that says it has none
BANK: Final[tuple[TraitSpread, ...]] = ({}, LEARNS, TIRES, JUMPS, LAPSES, BENDS, TILTS, MIXED)


class Options(NamedTuple):
    particles: float = 256.0
    skill0: float = 0.5
    sd0: float = 0.15
    slope: float = 8.0
    steady: float = 0.3


class State(NamedTuple):
    weight: Numbers  # of each particle
    told: float  # observations so far: the attempt that the next one belongs to
    place: float  # of the dial, as played last
    only: float  # 1 or 0 while all outcomes so far were wins or losses; -1 before the first, 0.5 after both
    effective: float  # number of particles that would know as much, were they of equal weight: 1 / sum of W^2


def prepare(options: Options, brief: Brief) -> Cast:
    mapped = brief.game.win_probability is None
    ground = on_the_dial(ground_of(brief, 0), brief.traits) if mapped else plain_ground(CHANCE)
    return bank_of(options, ground, brief.scope != "player")._replace(**bounds_for(brief)._asdict())


def on_the_dial(ground: Ground, traits: Numbers) -> Ground:
    """A response map on a scale of skill on which the population has the default prior's mean and standard deviation.

    traits: as in Brief; all cohorts count alike.
    """
    rows = traits[:, TRAIT_NAMES.index("skill")]
    strata = [int((i + 0.5) / STRATA * 2.0**32) for i in range(STRATA)]
    skills = np.array([[draw_trait(row, word, 0) for word in strata] for row in rows])
    spread = math.sqrt(float(skills.var()) + float((rows[:, 5] ** 2).mean()))
    usual = Options()
    unit = max(spread, LEAST_SPREAD) / usual.sd0
    first = usual.skill0 + (ground.first_skill - float(skills.mean())) / unit
    return ground._replace(first_skill=first, skill_step=ground.skill_step / unit)


def bank_of(options: Options, ground: Ground, shared: bool) -> Cast:
    """All models of the bank as one cast; players that share a dial have one model."""
    own = 0.1 / 0.15 * options.sd0 if shared else options.sd0
    base: TraitSpread = {
        "skill": Distribution("normal", options.skill0, own, common=options.sd0 if shared else 0.0),
        "slope": Distribution("lognormal", options.slope, 0.4, common=0.4 if shared else 0.0),
        "lapse": Distribution("fixed", CHANCE),
        "learning": Distribution("fixed", 0.0),
        "fatigue": Distribution("fixed", 0.0),
        "lowest_skill": Distribution("fixed", 0.08),
        "highest_skill": Distribution("fixed", 0.95),
    }
    count = 1 << (int(options.particles).bit_length() - 1)
    bank = BANK[:1] if shared else BANK
    cast = cast_of([distribution_table({**base, **model}) for model in bank], ground, count, shared)
    if shared:
        return cast
    others = (1.0 - options.steady) / (len(bank) - 1.0)
    return cast._replace(weight=np.repeat([options.steady, *[others] * (len(bank) - 1)], count) / count)


def start(cast: Cast, target: float) -> State:
    return posterior(cast.weight.copy(), 0.0, min(max(0.5, cast.floor), cast.ceiling), -1.0)


def posterior(weight: Numbers, told: float, place: float, only: float) -> State:
    """A state with what its weights are worth."""
    squares = 0.0
    for j in range(len(weight)):
        squares += weight[j] * weight[j]
    return State(weight, told, place, only, 1.0 / squares)


def mean_chance(weight: Numbers, p: Numbers) -> float:
    """Mean win probability over all particles."""
    chance = 0.0
    for j in range(len(p)):
        chance += weight[j] * p[j]
    return chance


def ask(cast: Cast, state: State, situation: Situation) -> float:
    last = situation.target if situation.last < 0.0 else situation.last
    stand = stand_of(cast, float(situation.attempt), float(situation.place), last)
    place = best_place(cast, state.weight, stand, situation.target, state.place)
    place = min(max(place, cast.floor), cast.ceiling)  # the mean square has one valley
    # Far out in the prior's tail the bank is thin: before both outcomes were seen, none is answered the wrong way.
    if state.only == 1.0:
        return max(place, state.place)
    return min(place, state.place) if state.only == 0.0 else place


def tell(cast: Cast, state: State, seen: Observation) -> State:
    if not seen.weight > 0.0:
        return state
    last = seen.target if seen.last < 0.0 else seen.last
    p = particle_chances(cast, stand_of(cast, state.told, seen.place, last), state.weight, 0.0, seen.difficulty)
    if at_bound(seen, cast) and pushes_out(mean_chance(state.weight, p), seen, cast):
        weight = state.weight.copy()
    else:
        weight = reweight(state.weight, p, seen.won, seen.weight)
    only = seen.won if state.only in (-1.0, seen.won) else 0.5
    return posterior(weight, state.told + 1.0, seen.difficulty, only)


def reach(options: Options, game: AnyGame) -> tuple[float, float]:
    return reach_of_margins(CHANCE, CHANCE) if game.win_probability is not None else (0.0, 1.0)


CONTROLLER: Final = ControllerKind(
    name="model_average",
    mode="adaptive",
    summary="A bank of eight player models, weighted by how well they predicted; uses nothing of the scenario.",
    formula="W_j <- W_j p_j(d)^won (1 - p_j(d))^(1 - won); d = argmin of sum_j W_j (p_j(d) - target)^2",
    source="Bayesian model averaging (Hoeting et al. 1999) on Sobol particles of the engine's own player models",
    use="Where it is unknown how players change, and 150 microseconds per attempt do not matter. kalman is a thousand "
    "times cheaper and as good for players that do not change. The bank does not recognise other kinds of change.",
    options=Options,
    option_list=(
        Option("particles", 16.0, 1024.0, "imagined players of each model, rounded down to a power of two"),
        Option("skill0", 0.0, 1.0, "expected skill of players, as a difficulty"),
        Option("sd0", 0.0, 1.0, "spread of their skills: standard deviation, in units of difficulty"),
        Option("slope", 1.0, 50.0, "slope of the median player's win probability, in logits per unit of difficulty"),
        Option(
            "steady",
            0.0,
            1.0,
            "share of the prior for players that do not change; the other models share the rest equally",
        ),
    ),
    rule=Rule(start, ask, tell, beliefs=("effective",), prepare=prepare),
    scopes=("player", "cohort", "everyone"),
    belief_units={"effective": "1"},
    reach=reach,
)
