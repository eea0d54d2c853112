"""Players who play as in a run: from their first attempt to their last, with sessions, practice and quitting.

A study reports what a run judges, so its measurements are small runs. The players of a block are those of one cohort in
a replica of their own, all at one setting. Their traits are points of a scrambled Sobol sequence (Owen, Journal of
Complexity 14, 1998): a block is then more like the whole cohort than players drawn by chance, also in who is both weak
and persistent, and the mean over blocks stays that of a run. Players who would arrive over time arrive as a part of all
players of the run would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from engine.game import FAILED, WON
from engine.parameters import ParameterSpace
from engine.players import HORIZON, KINDS, MIX, PLAYING, TRAIT_NAMES, draw_trait, trait_of
from engine.presence.week import later
from engine.randomness import standard_normal
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from engine.world import Chunk, Played, World, belief_columns, controller_of, in_one_call
from sims.catalog import Catalog
from sims.tuning.search.search_space import Numbers

FIRST_REPLICA: Final = 1 << 27  # runs have at most 100,000 replicas
_FIXED: Final = float(KINDS.index("fixed"))
_DECISIVE: Final = tuple(  # for how often and how long players win: they get the most even dimensions
    TRAIT_NAMES.index(name) for name in ("skill", "quit_frailty", "session_frailty", "learning", "return_scale")
)
_SPREAD: Final = 0x6C617469  # of the dice that spread a block's players
_STEADY: Final = "constant"  # the controller of a tuned scenario: it changes nothing


class JudgedCounts(NamedTuple):
    """What a run judges of some players, by level; one entry in an endless stream."""

    attempts: npt.NDArray[np.int64]
    wins: npt.NDArray[np.int64]


def run_setup(scenario: Scenario) -> Setup:
    """The scenario as a tuned one is run: a controller that changes nothing, and cohorts that share no draw."""
    setup = setup_of(scenario, Catalog())
    steady = Catalog().controller(_STEADY)
    return replace(
        setup,
        kind=steady,
        options=steady.options(),
        scope="player",
        delay_s=0.0,
        deploy_every_s=0.0,
        floor=0.0,
        ceiling=1.0,
        traits=np.array([unshared_traits(table) for table in setup.traits]),
    )


def held_at(setup: Setup, values: Sequence[float]) -> Setup:
    """The same with every knob held. values: of all knobs, as rules see them."""
    knobs = setup.space.knobs
    held = {knob.name: knob.shown(value) for knob, value in zip(knobs, values, strict=True)}
    levels = {
        name: [setup.space[setup.space.names.index(name)].shown(value) for value in own]
        for name, own in setup.space.levels.items()
    }
    return replace(setup, space=ParameterSpace(*knobs, held=held, levels=levels, made=setup.space.made))


def replica_of(setup: Setup, block: int) -> int:
    """The replica that has a block's players; it and the next ones belong to the levels of a campaign."""
    return FIRST_REPLICA + block * max(setup.levels, 1)


def play_block(setup: Setup, cohort: int, players: int, replica: int) -> Played:
    """Some players of a cohort play to their end. setup: by `run_setup`, with every knob held."""
    world = World(setup, Chunk(0, replica, cohort, 0, players), len(belief_columns(setup)))
    _spread(world, cohort)
    if in_one_call(setup):
        world.start_sessions()
    else:
        world.start_attempts(controller_of(setup, replica))
    world.run()
    return world.finish()


def judged_counts(setup: Setup, rows: npt.NDArray[np.void], after_attempts: int) -> JudgedCounts:
    """Attempts and wins that count: those after the warm-up that did not fail, shape (levels,) each."""
    judged = rows[(rows["attempt"] >= after_attempts) & (rows["outcome"] != FAILED)]
    levels = max(setup.levels, 1)
    places = np.maximum(judged["level"] - 1, 0)
    won = places[judged["outcome"] == WON]
    return JudgedCounts(np.bincount(places, minlength=levels), np.bincount(won, minlength=levels))


def unshared_traits(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A cohort's table of traits where each player comes from a replica of their own, shape (traits, 6).

    A draw that the cohort shares in a replica then becomes one more independent draw. Two normal draws together are one
    with a spread of sqrt(b^2 + common^2), see engine.players.draw_trait.
    """
    unshared = table.copy()
    shared = np.isin(table[:, 0], (KINDS.index("normal"), KINDS.index("lognormal"))) & (table[:, 5] != 0.0)
    unshared[:, 2] = np.where(shared, np.sqrt(table[:, 2] ** 2 + table[:, 5] ** 2), table[:, 2])
    unshared[:, 5] = 0.0
    return unshared


def strata(dice: np.random.Generator, count: int) -> Numbers:
    """One number from each of `count` equal parts of [0, 1), in random order, shape (count,)."""
    places: Numbers = (dice.permutation(count) + dice.random(count)) / count
    return places


def _trait(table: Numbers, words: Sequence[int], j: int) -> float:
    """Trait j from a player's words, one for each trait, correlated with others as the table says."""
    if table.shape[1] == MIX or table[j, MIX + j] == 1.0:
        return draw_trait(table[j], words[j], 0)
    normal = sum(float(table[j, MIX + k]) * standard_normal(words[k]) for k in range(j + 1) if table[j, MIX + k] != 0.0)
    return trait_of(table[j], words[j], normal, 0)


def _spread(world: World, cohort: int) -> None:
    """Spread the players of a world evenly over their cohort, and over time where they arrive in a stream."""
    setup, players = world.setup, world.players
    table = setup.traits[cohort]
    varied = [j for j in _DECISIVE if table[j, 0] != _FIXED]
    varied += [j for j in range(len(table)) if table[j, 0] != _FIXED and j not in varied]
    dice = np.random.Generator(np.random.Philox(key=[setup.seed, world.replica], counter=[0, 0, cohort, _SPREAD]))
    sobol = qmc.Sobol(len(varied) + 1, rng=int(dice.integers(1 << 62)))
    places = sobol.random(1 << (len(players) - 1).bit_length())[: len(players)]
    words = np.zeros((len(players), len(table)), np.int64)
    words[:, varied] = np.minimum(places[:, : len(varied)] * 2.0**32, 2.0**32 - 1.0).astype(np.int64)
    for i, row in enumerate(words.tolist()):
        for j in varied:
            players[TRAIT_NAMES[j]][i] = _trait(table, row, j)
    if setup.gaps_s[cohort] > 0.0:
        earlier = np.floor(places[:, -1] * setup.counts[cohort])
        when = setup.gaps_s[cohort] * dice.standard_gamma(earlier + 1.0)
        world.arrivals[:] = [later(0.0, float(one), setup.week) for one in when]
        players["clock_s"] = world.arrivals
        players["left"] = np.where(world.arrivals >= setup.horizon_s, HORIZON, PLAYING)
