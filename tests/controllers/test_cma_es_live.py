"""CMA-ES in the world it is made for: two cohorts play gap_runner for two weeks while it moves three knobs."""

import dataclasses

import numpy as np
import pytest

from controllers.self_adaptive.cma_es import CONTROLLER, CmaEs
from engine.game import WON
from engine.parameters import ParameterSpace, straight_path
from engine.players import DAY_S, Distribution, Flow, distribution_table
from engine.setup import Setup
from engine.world import World, chunks
from games.gap_runner import GAME

pytestmark = pytest.mark.thorough

KNOBS = ("gap_share", "obstacles", "hearts")
SKILLS = (Distribution("normal", -0.7, 0.7), Distribution("normal", 1.0, 0.5))
TARGETS = np.array([[0.65], [0.75]])
STILL = {"learning": Distribution("fixed", 0.0), "fatigue": Distribution("fixed", 0.0)}


class Held:
    """The setting that was found, for everybody."""

    beliefs = ()

    def __init__(self, setting):
        self._setting = setting

    def ask(self, who):
        return self._setting

    def tell(self, outcome):
        pass

    def describe(self, who):
        return {}


def setup(seed):
    held = {knob.name: knob.default for knob in GAME.space if knob.name not in KNOBS}
    space = ParameterSpace(*GAME.space.knobs, held=held)
    return Setup(
        game=GAME,
        space=space,
        path=straight_path(space),
        floor=0.0,
        ceiling=1.0,
        kind=CONTROLLER,
        options=CONTROLLER.options(),
        scope="cohort",
        cohorts=("new", "old"),
        counts=(400, 400),
        traits=np.array([distribution_table({**STILL, "skill": skill}) for skill in SKILLS]),
        targets=TARGETS,
        levels=0,
        flow=Flow(),
        gaps_s=(0.0, 0.0),
        window_s=5 * DAY_S,
        delay_s=0.0,
        deploy_every_s=0.0,
        horizon_s=14 * DAY_S,
        attempts_per_player=60,
        replicas=1,
        seed=seed,
        digest="s0000000000000000",
    )


def played(setup, chunk, controller):
    world = World(setup, chunk, len(controller.beliefs))
    world.start_attempts(controller)
    world.env.run()
    return world.finish().rows


@pytest.mark.parametrize("seed", [601, 602])
def test_both_cohorts_end_at_their_targets_on_fresh_seeds(seed):
    live = setup(seed)
    fresh = dataclasses.replace(live, seed=seed + 5000)
    for chunk in chunks(live):
        controller = CmaEs(live.options, live.brief(0))
        played(live, chunk, controller)
        rows = played(fresh, chunk, Held(controller.best(chunk.cohort)))
        assert abs((rows["outcome"] == WON).mean() - TARGETS[chunk.cohort, 0]) <= 0.05
