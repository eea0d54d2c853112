"""The bundled scenario with a spike: what docs/spike.md says of it, in small."""

from __future__ import annotations

from pathlib import Path

from engine.scenario import parse
from sims import compare, load_scenario, run
from sims.catalog import Catalog
from sims.comparison.changed_keys import changed_keys, pair_cohorts

SMALL = {"players.count": 150}


def narrower():
    """The scenario with the way out of the docs: one number changed."""
    text = Path(Catalog().scenario("spike")).read_text(encoding="utf-8")
    changed = text.replace("width_m = 4.7", "width_m = 4.2")
    assert changed != text
    return parse(changed.encode(), "narrower.toml", Catalog(), {"players.count": "150"})


def test_the_obstacle_of_the_spike_costs_most(tmp_path):
    costs = run(load_scenario("spike", **SMALL), out=tmp_path / "spike", workers=1).knock_out()
    first, second, third = costs[:3]
    assert {(one.level, one.place) for one in (first, second)} == {(7, 5)}
    assert min(first.difference.low, second.difference.low) > third.difference.value


def test_a_change_of_one_obstacle_is_told_as_one_key():
    before, after = load_scenario("spike", **SMALL), narrower()
    (key,) = changed_keys(before, after, pair_cohorts(before, after))
    assert str(key) == "levels.made.7.obstacle.5.width_m: 4.7 -> 4.2"


def test_with_a_narrower_gap_fewer_attempts_end_there():
    places = compare(load_scenario("spike", **SMALL), narrower(), workers=1).others[0].places
    assert (places[0].level, places[0].place, places[0].change < -0.2) == (7, 5, True)
