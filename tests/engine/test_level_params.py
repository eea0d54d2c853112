"""[levels] params: every numbered level has values of its own, in real units, for every game."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import ScenarioError
from engine.parameters import WIDTH, ParameterSpace, value_at
from engine.response.level_curves import level_curves
from engine.scenario import parse, setup_of
from engine.world import chunks, simulate
from games.gap_runner import GAME as GAP_RUNNER
from sims.catalog import Catalog
from sims.tuning.search.counts import Segment
from sims.tuning.simulator import Piece, play_pieces, prepare_worker
from sims.tuning.whole_runs import held_at, run_setup

CATALOG = Catalog()
TEXT = """
format = 1
[game]
name = "gap_runner"
[dial]
knobs = ["speed"]
floor = 0.0
ceiling = 1.0
[levels]
kind = "campaign"
count = 3
params = { spacing_m = [11.2, 10.2, 9.3], hearts = [3, 2, 1] }
[target]
win_rate = 0.7
[controller]
name = "constant"
options = { difficulty = 0.3 }
[players]
count = 20
[horizon]
days = 30
attempts_per_player = 15
"""


def read(text=TEXT):
    return parse(text.encode(), "test.toml", CATALOG)


def rows_of(scenario):
    setup = setup_of(scenario, CATALOG)
    return np.concatenate([simulate(setup, chunk).rows for chunk in chunks(setup)]), setup


def test_rows_have_the_values_of_their_level():
    rows, setup = rows_of(read())
    names = setup.space.names
    assert set(rows["level"].tolist()) == {1, 2, 3}
    for level, spacing, hearts in ((1, 11.2, 3.0), (2, 10.2, 2.0), (3, 9.3, 1.0)):
        own = rows["params"][rows["level"] == level]
        assert set(own[:, names.index("spacing_m")]) == {spacing}
        assert set(own[:, names.index("hearts")]) == {hearts}
        assert len(set(own[:, names.index("speed")])) == 1  # the dial's
    assert len(set(rows["params"][:, names.index("speed")])) == 1


def test_the_resolved_form_reads_back_and_the_values_are_part_of_the_digest():
    scenario = read()
    again = read(scenario.resolved_toml())
    assert again.form == scenario.form
    assert again.digest == scenario.digest != read(TEXT.replace("9.3]", "9.5]")).digest
    assert "params" not in read(TEXT.replace("params = {", "# {")).resolved_toml().partition("[levels]")[2]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("9.3]", "9.3, 9.3]", "levels.params.spacing_m: must have one value for each of the 3 levels, got 4"),
        ("spacing_m = [", "spacing = [", "levels.params.spacing: is unknown: gap_runner has the knobs"),
        ("9.3]", "900.0]", "levels.params.spacing_m: spacing_m must lie in"),
        ('"speed"]', '"speed", "hearts"]', "dial.knobs[2]: hearts is fixed in [levels] params, so it does not move"),
        ("[dial]", "[game.params]\nhearts = 1\n[dial]", "levels.params.hearts: is given for each level here and once"),
    ],
)
def test_wrong_values_are_named(old, new, sentence):
    with pytest.raises(ScenarioError) as fault:
        read(TEXT.replace(old, new, 1))
    assert sentence in str(fault.value)


def test_a_space_without_values_of_levels_is_as_it_was():
    table = GAP_RUNNER.space.table()
    assert table.shape == (len(GAP_RUNNER.space), 6)
    own = ParameterSpace(*GAP_RUNNER.space, held={"hearts": 2}, levels={"hearts": [1, 3]}).table()
    path = np.zeros((2, len(own)))
    j = GAP_RUNNER.space.names.index("hearts")
    assert [value_at(own, path, j, 0.5, level) for level in range(4)] == [2.0, 1.0, 3.0, 2.0]


LADDER = """
format = 1
[game]
name = "ladder"
params = { guess = 0.0 }
[dial]
knobs = ["help"]
floor = 0.0
ceiling = 1.0
[levels]
kind = "campaign"
count = 3
params = { level_difficulty = [-1.0, 0.0, 1.0] }
[target]
levels = [0.8, 0.7, 0.6]
[players]
count = 20
[[cohort]]
name = "players"
share = 1.0
traits = { learning = 0.0, fatigue = 0.0 }
[horizon]
days = 30
attempts_per_player = 15
"""


def test_curves_of_levels_know_their_values():
    """Help runs over six skill units along the dial: one unit of it makes the second level as easy as the first."""
    curves = level_curves(setup_of(read(LADDER), CATALOG))
    easy, medium, hard = (float(np.interp(0.5, curves.places, curves.chances[0, level])) for level in range(3))
    assert easy > medium > hard
    for level, chance in ((1, easy), (2, medium)):
        helped = float(np.interp(0.5 - 1.0 / 6.0, curves.places, curves.chances[0, level]))
        assert helped == pytest.approx(chance, abs=1e-4)


def test_a_study_plays_a_level_with_its_values():
    scenario = read()
    segments = tuple(Segment(f"level {level}", 0, level, 0.6, 0.8) for level in (1, 3))
    setup = run_setup(scenario)
    values = tuple(setup.space.defaults())
    median = np.array([[0.0, 1.0, 0.3, 0.05, 0.05, 0.05, 0.03, 1.0]])  # engine.game.Faculties
    worker = prepare_worker((scenario, segments, (median, median)))
    counts, _ = play_pieces(worker, tuple(Piece(0, (place,), values, 0, 0, 200, 200, 1.0) for place in range(2)))
    assert counts[0].wins > counts[1].wins  # three hearts and wide gaps against one heart and narrow ones
    held = held_at(setup, values)
    assert np.array_equal(held.space.table()[:, WIDTH:], setup.space.table()[:, WIDTH:], equal_nan=True)
