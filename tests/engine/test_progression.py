"""[levels] progression: levels get harder with their number at one difficulty, in every game that says how."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.batch import Crowd, batch_wins
from engine.contract.game_record import progression_names_knobs
from engine.errors import ScenarioError
from engine.players import distribution_table
from engine.scenario import parse, setup_of
from engine.world import chunks, simulate
from games.gap_runner import GAME as GAP_RUNNER
from sims.catalog import Catalog
from sims.tuning.search.counts import Segment
from sims.tuning.simulator import Piece, play_pieces, prepare_worker
from sims.tuning.whole_runs import run_setup

CATALOG = Catalog()
ERRORS = 4.0  # standard errors
TEXT = """
format = 1
seed = 16
[game]
name = "{game}"
{params}
[dial]
floor = 0.0
ceiling = 1.0
[levels]
kind = "campaign"
count = {count}
seed = 7
progression = {progression}
[target]
win_rate = 0.7
[controller]
name = "constant"
options = {{ difficulty = 0.45 }}
[players]
count = 30
[horizon]
days = 30
attempts_per_player = 12
"""


def read(game="gap_runner", progression=1.0, count=8, params=""):
    text = TEXT.format(game=game, progression=progression, count=count, params=params)
    return parse(text.encode(), "test.toml", CATALOG)


def test_the_knob_rises_from_its_easiest_value_to_the_share_of_its_range():
    assert read().form.levels.params == {"obstacles": [8, 10, 12, 14, 16, 18, 20, 22]}
    assert read(progression=0.5, count=3).form.levels.params == {"obstacles": [8, 11, 15]}
    assert read(params="[game.bounds]\nobstacles = [10, 14]", count=3).form.levels.params == {"obstacles": [10, 12, 14]}
    assert read("boss_duel", 0.5, 2).form.levels.params == {"boss_health": [100.0, pytest.approx(160.0**0.5 * 10.0)]}
    assert read(count=1).form.levels.params == {"obstacles": [8]}


def test_zero_is_off_and_changes_no_byte():
    without = TEXT.replace("progression = {progression}\n", "")
    plain = parse(without.format(game="gap_runner", count=8, params="").encode(), "test.toml", CATALOG)
    assert read(progression=0.0).digest == plain.digest
    assert read(progression=0.0).resolved_toml() == plain.resolved_toml()
    assert "progression" not in plain.resolved_toml()


def test_a_resolved_scenario_reads_back():
    scenario = read()
    again = parse(scenario.resolved_toml().encode(), "again.toml", CATALOG)
    assert again.form == scenario.form
    assert again.digest == scenario.digest


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"progression": 1.5}, "levels.progression: must be a number from 0 to 1, got 1.5"),
        ({"game": "logistic"}, "levels.progression: must be 0 for logistic, which names no knobs"),
        ({"params": "[game.params]\nobstacles = 12"}, "levels.progression: moves obstacles, but the scenario gives"),
        ({"params": "[game.bounds]\nobstacles = [1, 2]"}, "game.bounds.obstacles"),
    ],
)
def test_what_would_move_nothing_is_refused(changes, sentence):
    with pytest.raises(ScenarioError, match=sentence.replace("[", r"\[")):
        read(**changes)


def test_a_game_names_knobs_with_a_direction():
    assert list(progression_names_knobs(GAP_RUNNER)) == []
    (unknown,) = progression_names_knobs(replace(GAP_RUNNER, progression=("gaps",)))
    assert "progression must name knobs" in unknown
    (choice,) = progression_names_knobs(replace(GAP_RUNNER, progression=("hazards",)))
    assert "hazards is a choice" in choice


@pytest.mark.parametrize("name", ["gap_runner", "boss_duel", pytest.param("tile_match", marks=pytest.mark.thorough)])
def test_levels_get_harder_with_their_number_at_one_difficulty(name):
    """The first, the middle and the last of nine levels, on fresh layouts: what the number does, and not the deal."""
    game, players = CATALOG.game(name), 1500 if name != "tile_match" else 800
    setup = setup_of(read(name, 1.0, 9), CATALOG)
    values = np.tile(np.array(setup.space.real([0.45] * len(setup.space))), (3, 1))
    for knob, own in setup.space.levels.items():
        values[:, setup.space.names.index(knob)] = [own[0], own[4], own[8]]
    rates = batch_wins(game, values, Crowd(distribution_table({}), players), setup.seed) / players
    errors = np.sqrt(2.0 * rates * (1.0 - rates) / players + 1.0 / players**2)
    assert rates[0] - rates[1] > ERRORS * errors[1]
    assert rates[1] - rates[2] > ERRORS * errors[1]


def test_rows_and_studies_have_the_values_of_their_level():
    scenario = read(count=4)
    setup = setup_of(scenario, CATALOG)
    own, place = [8.0, 13.0, 18.0, 22.0], setup.space.names.index("obstacles")
    assert list(setup.space.levels["obstacles"]) == own
    rows = np.concatenate([simulate(setup, chunk).rows for chunk in chunks(setup)])
    for level in set(rows["level"].tolist()):
        assert set(rows["params"][rows["level"] == level][:, place]) == {own[level - 1]}
    segments = tuple(Segment(f"level {level}", 0, level, 0.6, 0.8) for level in (1, 4))
    median = np.array([[0.0, 1.0, 0.3, 0.05, 0.05, 0.05, 0.03, 1.0]])  # engine.game.Faculties
    worker = prepare_worker((scenario, segments, (median, median)))
    values = tuple(run_setup(scenario).space.defaults())
    counts, _ = play_pieces(worker, tuple(Piece(0, (place,), values, 0, 0, 200, 200, 1.0) for place in range(2)))
    assert counts[0].wins > counts[1].wins  # eight obstacles against twenty-two
