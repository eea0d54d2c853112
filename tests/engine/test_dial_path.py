"""A dial gets harder from floor to ceiling, or is refused."""

from __future__ import annotations

import pytest

from engine.parameters import Knob
from engine.scenario_file.dial_path import fault_of_dial, still_parts

KNOBS = {
    "speed": Knob("speed", 4.0, 9.0, 5.0),
    "sight": Knob("sight", 6.0, 20.0, 10.0, harder="low"),
    "lives": Knob("lives", 1, 4, 2, harder="low", scale="integer"),
    "hazards": Knob("hazards", choices=("none", "gaps", "spikes"), default="gaps", scale="choice"),
}


def fault(floor=0.0, ceiling=1.0, **paths):
    return fault_of_dial(floor, ceiling, {name: KNOBS[name] for name in paths}, {k: v for k, v in paths.items() if v})


@pytest.mark.parametrize("name", KNOBS)
@pytest.mark.parametrize("path", [[1.0, 0.0], [0.9, 0.1], [1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.5]])
def test_a_dial_that_gets_easier_somewhere_is_refused(name, path):
    where, words = fault(**{name: path})
    assert where == ("dial", "path", name)
    assert f"{name} gets easier" in words


@pytest.mark.parametrize("name", KNOBS)
@pytest.mark.parametrize("path", [[0.5, 0.5], [0.0, 0.0, 0.0], [1.0, 1.0]])
def test_a_dial_that_does_nothing_is_refused(name, path):
    where, words = fault(**{name: path})
    assert (where, "none changes" in words) == (("dial", "path", name), True)


@pytest.mark.parametrize("name", KNOBS)
@pytest.mark.parametrize("path", [None, [0.0, 1.0], [0.2, 0.9], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [0.1, 0.5, 0.5, 0.9]])
def test_a_dial_that_gets_harder_is_right(name, path):
    assert fault(**{name: path}) is None


def test_both_at_once_is_for_the_run_to_say():
    """Whether more speed or a longer sight counts more, only playing tells."""
    assert fault(speed=[0.0, 1.0], sight=[1.0, 0.0]) is None
    where, _ = fault(speed=[0.0, 0.5, 0.5], sight=[1.0, 1.0, 0.0])
    assert where == ("dial", "path", "sight")


def test_only_the_way_from_floor_to_ceiling_counts():
    assert fault(0.0, 0.5, speed=[0.0, 1.0, 0.0]) is None
    assert fault(0.5, 1.0, speed=[0.0, 1.0, 0.0]) is not None
    assert fault(0.0, 0.5, speed=[0.0, 0.0, 1.0]) is not None
    assert fault(0.3, 0.45, lives=None) == (("dial", "ceiling"), fault(0.3, 0.45, lives=None)[1])
    assert fault(0.3, 0.45, lives=None, speed=None) is None


def test_parts_without_effect():
    knobs = {"speed": KNOBS["speed"]}
    (part,) = still_parts(0.0, 1.0, knobs, {"speed": [0.0, 0.5, 0.5, 1.0]})
    assert part == pytest.approx((1 / 3, 2 / 3))
    assert still_parts(0.0, 1.0, knobs, {"speed": [0.0, 0.2, 1.0]}) == []
    assert still_parts(0.0, 1.0, KNOBS, {"speed": [0.0, 0.5, 0.5, 1.0]}) == []
