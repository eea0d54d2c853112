"""The same scenario, played by the exported rule in node instead of the compiled one: the same difficulties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.response.level_shifts import level_shifts
from engine.scenario import setup_of
from engine.world import chunks, simulate
from sims.catalog import Catalog, load_scenario
from sims.shipping.shipped_rule import shipped_rule
from tests.kit.exported import PLAYERS, NodeController, setup_for
from tests.kit.small import TEXT

LATE = TEXT + "\n[telemetry]\ndelay_s = 90\n"


def small(controller: str, players: int, text: str = TEXT):
    setup = setup_for(controller, text)
    return replace(setup, counts=(players // 2, players - players // 2), attempts_per_player=100)


def played_alike(setup, folder) -> int:
    """Attempts of all chunks; their difficulties and outcomes are the same with the exported rule."""
    if PLAYERS["node"].missing is not None:
        pytest.skip(PLAYERS["node"].missing)
    shipped = shipped_rule(setup, "small", "0")
    attempts = 0
    for chunk in chunks(setup):
        node = NodeController(shipped, folder)
        other = replace(setup, kind=replace(setup.kind, rule=None, make=lambda options, brief, node=node: node))
        ours, theirs = simulate(setup, chunk).rows, simulate(other, chunk).rows
        node.close()
        assert len(ours) == len(theirs)
        for name in ("player", "attempt", "level", "difficulty", "outcome", "state_hash"):
            assert np.array_equal(ours[name], theirs[name]), name
        attempts += len(ours)
    return attempts


def test_the_exported_rule_plays_the_same_run(tmp_path):
    assert played_alike(small("kalman", 24), tmp_path) > 1_000


@pytest.mark.thorough
@pytest.mark.parametrize("controller", ["kalman_bank", "evolution_strategy"])
def test_ten_thousand_attempts_are_the_same(controller, tmp_path):
    assert played_alike(small(controller, 300), tmp_path) >= 10_000


@pytest.mark.thorough
def test_late_outcomes_change_nothing(tmp_path):
    assert played_alike(small("kalman", 24, LATE), tmp_path) > 1_000


@pytest.mark.thorough
def test_a_campaign_is_the_same_on_levels_with_targets_of_their_own(tmp_path):
    scenario = load_scenario("campaign", **{"players.count": 60, "controller.name": "kalman", "controller.options": {}})
    setup = setup_of(scenario, Catalog())
    targets = setup.targets.copy()
    targets[:, 1::2] -= 0.15
    setup = replace(setup, targets=targets, floor=0.1, ceiling=0.7)
    assert level_shifts(setup).any(), "the dial is moved for levels"
    assert played_alike(setup, tmp_path) > 500
