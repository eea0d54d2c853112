"""Which knobs a study may tune: all that the scenario does not hold and nobody has locked."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import ScenarioError
from engine.players import MIX, TRAIT_NAMES, distribution_table
from engine.scenario import load
from sims.catalog import Catalog
from sims.tuning.conditions import _with_slope
from sims.tuning.problem import free_knobs, problem_of
from sims.tuning.search.search_space import values_of
from tests.kit import small
from tests.kit.tuning import freed, scenario_file


def test_a_lock_and_a_held_value_may_leave_nothing_free(tmp_path):
    with pytest.raises(ScenarioError, match=r"all 2 are held in \[game\.params\] or locked"):
        freed(tmp_path, ("game.params.difficulty", "1.0"), locks=("guess",))


def test_a_lock_needs_a_default_within_the_bounds(tmp_path):
    with pytest.raises(ScenarioError, match=r"cannot lock difficulty at its default 0\.0: .* allows 1 to 2"):
        freed(tmp_path, ("game.bounds.difficulty", "[1.0, 2.0]"), locks=("difficulty",))


def test_a_study_knows_its_locks_and_keeps_to_them(tmp_path):
    free = freed(tmp_path, ("game.name", '"boss_duel"'), locks=("style", "potions"))
    problem = problem_of(free, locked=["style", "potions"])
    assert problem.locked == ("style", "potions")
    assert not {"style", "potions"} & set(problem.search_space.names)
    point = (0.1,) * problem.search_space.size
    values = dict(zip(problem.space.names, values_of(problem.space, point), strict=True))
    assert (values["style"], values["potions"]) == (problem.space.held["style"], 2.0)


def test_a_lock_holds_a_knob_at_its_default(tmp_path):
    assert freed(tmp_path, locks=("guess",)).form.game.params == {"guess": 0.02}


def test_what_the_dial_does_not_move_is_tuned_unless_it_is_held(tmp_path):
    narrow = [("dial.knobs", '["difficulty"]'), ("dial.path", "{ difficulty = [0.2, 0.9] }")]
    assert problem_of(freed(tmp_path, *narrow)).search_space.names == ("difficulty", "guess")
    assert freed(tmp_path, *narrow, ("game.params.guess", "0.1")).form.game.params == {"guess": 0.1}


def test_of_a_scenario_that_was_read_the_knobs_of_its_dial_are_tuned(tmp_path):
    every = free_knobs(small.scenario())
    assert problem_of(every).search_space.names == ("difficulty", "guess")
    assert free_knobs(every) == every
    narrow = load(scenario_file(tmp_path), Catalog(), [("dial.knobs", '["difficulty"]')])
    assert free_knobs(narrow).form.game.params == {"guess": 0.02}


def test_the_slope_of_players_changes_and_what_goes_together_does_not():
    traits = np.array([distribution_table({}, {"skill": {"quit_frailty": -0.5}})])
    changed = _with_slope(traits, 2.0)
    row = TRAIT_NAMES.index("slope")
    assert changed[0, row, :2].tolist() == [0.0, 2.0]
    assert (changed[..., MIX:] == traits[..., MIX:]).all()
