"""Layouts of numbered levels are a source of chance of their own: levels.seed, and draws of each replica."""

from __future__ import annotations

import numpy as np
import pytest

from engine.attempt import RUNS_OWN, opening_of
from engine.batch import Crowd, batch_wins
from engine.inference.intervals import rate_interval
from engine.scenario import Scenario, parse, setup_of
from engine.tally import Tally, scheme_of, tally_of
from engine.world import chunks, simulate
from games.tile_match import GAME as TILE_MATCH
from sims.catalog import Catalog
from sims.runs.execution import run
from sims.runs.verification import verify
from tests.kit import worlds

TEXT = """
format = 1
seed = 1
game.name = "boss_duel"
dial = { floor = 0.0, ceiling = 1.0 }
levels = { kind = "campaign", count = 5 }
target = { win_rate = 0.75, tolerance = 0.03 }
controller = { name = "constant", options = { difficulty = 0.5 } }
players.count = 400
horizon = { days = 60, attempts_per_player = 60 }
run.replicas = 3
[[cohort]]
name = "a"
share = 1.0
traits = { skill = 0.0, learning = 0.0, fatigue = 0.0, quit_frailty = -40 }
"""


def scenario(**settings: str) -> Scenario:
    pairs = [(key.replace("__", "."), value) for key, value in settings.items()]
    return parse(TEXT.encode(), "layouts.toml", Catalog(), pairs)


def tally(chosen: Scenario) -> Tally:
    setup = setup_of(chosen, Catalog())
    found = Tally.empty(scheme := scheme_of(setup, 0))
    for chunk in chunks(setup):
        played = simulate(setup, chunk)
        found += tally_of(played.rows, played.players, scheme)
    return found


def test_a_numbered_level_follows_from_its_own_seed_alone():
    opening, values = opening_of(TILE_MATCH), np.array(TILE_MATCH.space.defaults())

    def board(*address):
        return opening(values, *address).level.board.tolist()

    level = board(99, 0, 1, 2, 4)
    assert board(1, 7, 3, 5, 4, 99) == level
    assert board(1, 7, 3, 5, 4) != level
    assert board(1, 7, 3, 5, 0, 99) == board(1, 7, 3, 5, 0), "an endless stream has no such seed"


def test_without_a_seed_of_their_own_levels_are_those_of_the_run():
    setup = setup_of(scenario(), Catalog())
    assert [setup.layout_seed(replica) for replica in range(3)] == [RUNS_OWN] * 3
    assert setup_of(scenario(levels__seed="1"), Catalog()).layout_seed(0) == RUNS_OWN
    assert scenario(levels__layouts="shared").digest == scenario().digest
    assert scheme_of(setup, 0).cluster == "player"


def test_each_replica_may_draw_layouts_of_its_own():
    setup = setup_of(scenario(levels__layouts="per_replica"), Catalog())
    seeds = [setup.layout_seed(replica) for replica in range(1000)]
    assert len(set(seeds)) == 1000
    assert 0 <= min(seeds) < max(seeds) < 2**48, "a spreadsheet keeps them"
    other = setup_of(scenario(levels__layouts="per_replica", levels__seed="2"), Catalog())
    assert other.layout_seed(0) not in seeds
    assert scheme_of(setup, 0).cluster == "replica", "players of a replica share their luck"
    assert all(chunk.size == 400 for chunk in chunks(setup))


@pytest.mark.parametrize("changes", [{"level_seed": 5}, {"layouts": "per_replica"}])
def test_sessions_and_single_attempts_meet_the_same_layouts(changes):
    setup = worlds.setup_of(TILE_MATCH, levels=3, replicas=2, counts=(4,), **changes)
    one, other = (worlds.played(setup, one_by_one=single).rows for single in (False, True))
    assert one.tobytes() == other.tobytes()
    assert set(one["layout_seed"]) == {setup.layout_seed(0), setup.layout_seed(1)}


def test_the_batch_meets_the_layouts_of_the_world():
    setup = worlds.setup_of(TILE_MATCH, levels=1, level_seed=5)
    values = np.array([setup.space.defaults()])

    def won(seed, layout_seed):
        return batch_wins(TILE_MATCH, values, Crowd(setup.traits[0], 50, level=1, layout_seed=layout_seed), seed)[0]

    assert won(5, RUNS_OWN) == won(5, 5)
    assert len({int(won(1, layout_seed)) for layout_seed in range(8)}) > 1


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_rows_with_layouts_of_their_own_are_played_again(tmp_path, file_format):
    chosen = scenario(levels__layouts="per_replica", players__count="6")
    done = run(chosen, out=tmp_path / "run", workers=1, format=file_format)
    assert verify(done).equal
    rows = done.attempts(["replica", "layout_seed"])
    assert rows.groupby("replica")["layout_seed"].nunique().tolist() == [1, 1, 1]
    assert rows["layout_seed"].nunique() == 3
    assert done.row(len(rows) - 1).equal
    assert done.goal.layouts == done.manifest["layouts"] == "per_replica"
    assert "each of the 3 repeats draws" in done.verdict.text


@pytest.mark.thorough
def test_the_seed_of_a_run_moves_no_layout_once_levels_have_their_own():
    """Five seeds: with levels.seed all rates are of one truth, within 4 standard errors; without, they are not."""
    own, runs_own = (
        [rate_interval(tally(scenario(seed=str(seed), **more)).judged[0, 0], "player") for seed in range(1, 6)]
        for more in ({"levels__seed": "7"}, {})
    )
    spreads = []
    for found in (own, runs_own):
        rates, errors = np.array([one.rate for one in found]), np.array([one.error for one in found])
        spreads.append(float(np.max(np.abs(rates - rates.mean()) / errors)))
    assert spreads[0] < 4.0 < spreads[1]


@pytest.mark.thorough
def test_replicas_over_layouts_have_margins_that_hold_layouts():
    shared = rate_interval(tally(scenario(run__replicas="12")).judged[0, 0], "player")
    each = rate_interval(tally(scenario(run__replicas="12", levels__layouts="per_replica")).judged[0, 0], "replica")
    assert each.clusters == 12
    assert each.error > 2.0 * shared.error
