"""The search of the unit cube, driven by exact losses: as good as its library, and at home with all kinds of knobs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cmaes import CMA

from controllers.common.knob_box import KnobBox
from controllers.common.margin_search import MarginSearch
from engine.parameters import Knob, ParameterSpace, straight_path
from tests.kit import bbob

REACHED = 1e-8
EVALUATIONS = 1500  # per dimension
INSTANCES = range(1, 16)
# Median evaluations of pycma 4.5.0 on three instances each (COCO's), by function and dimension.
REFERENCE = {
    (1, 5): 712,
    (2, 5): 1688,
    (8, 5): 1456,
    (10, 5): 1512,
    (1, 10): 1490,
    (2, 10): 4360,
    (8, 10): 5540,
    (10, 10): 4120,
}
LARGEST_RATIO = 1.3


def floats(dimension):
    """A cube of floats, fine enough for the last digit of the target."""
    space = ParameterSpace(*(Knob(f"x{i}", -bbob.HALF_WIDTH, bbob.HALF_WIDTH) for i in range(dimension)))
    return KnobBox(space, straight_path(space), 0.0, 1.0, digits=12)


def usual_population(dimension):
    return 4 + math.floor(3.0 * math.log(dimension))  # Hansen 2016, equation 48


def search_of(cube, seed, spread=0.2, population=None):
    """From the middle, the same width in all directions: 0.2 of the domain is what pycma is given on BBOB."""
    start = 0.5 * (cube.low + cube.high)
    population = population or usual_population(len(start))
    return MarginSearch(cube, start, population=population, spread=spread, off_dial=1.0, seed=seed)


def evaluations(loss, search, limit, reached):
    """Evaluations until a loss is at most `reached`; infinity when they are more than `limit`."""
    used = 0
    while used < limit:
        generation = search.ask()
        losses = [loss(candidate.place) for candidate in generation]
        for i, found in enumerate(losses, 1):
            if found <= reached:
                return used + i
        used += len(losses)
        search.tell(generation, losses)
    return math.inf


def tier_of(number, dimension):
    """The sphere and the ellipsoid in five dimensions are quick."""
    return pytest.mark.slow if dimension == 10 else pytest.mark.thorough if number > 2 else ()


@pytest.mark.parametrize(
    ("number", "dimension"),
    [pytest.param(*case, marks=tier_of(*case)) for case in REFERENCE],
)
def test_bbob_needs_at_most_1_3_times_the_evaluations_of_the_reference(number, dimension):
    cube = floats(dimension)
    used = [
        evaluations(
            bbob.problem(number, dimension, instance).value,
            search_of(cube, seed=instance),
            EVALUATIONS * dimension,
            REACHED,
        )
        for instance in INSTANCES
    ]
    assert math.inf not in used
    assert np.median(used) <= LARGEST_RATIO * REFERENCE[number, dimension]


def test_of_floats_alone_it_is_the_library_s_cma_es():
    dimension, cube, value = 5, floats(5), bbob.problem(8, 5, 1).value
    search = search_of(cube, seed=3)
    bare = CMA(
        np.full(dimension, 0.5),
        0.2,
        bounds=np.array([[0.0, 1.0]] * dimension),
        seed=3,
        population_size=usual_population(dimension),
    )
    for _ in range(30):
        generation = search.ask()
        samples = [bare.ask() for _ in generation]
        assert np.array([c.place for c in generation]) == pytest.approx(np.array(samples), abs=1e-8)
        search.tell(generation, [value(c.place) for c in generation])
        bare.tell([(x, value(x)) for x in samples])
    assert search.mean == pytest.approx(bare.mean, abs=1e-8)


@pytest.mark.parametrize("number", [1, 2, 8, 10])
def test_the_functions_are_as_defined(number):
    value, optimum = bbob.problem(number, 5, 1)
    assert value(optimum) == pytest.approx(0.0, abs=1e-20)
    assert not np.allclose(optimum, bbob.problem(number, 5, 2).optimum, atol=0.01)
    step = 0.01 / (2.0 * bbob.HALF_WIDTH)
    sizes = np.array([value(optimum + step * axis) for axis in np.eye(5)]) / 0.01**2
    if number == 1:
        assert sizes == pytest.approx(np.ones(5))
    elif number == 2:  # the irregularities change a size by at most a factor of exp(0.098), its square by twice that
        assert np.log(sizes) == pytest.approx(np.log(1e6) * np.arange(5) / 4.0, abs=0.2)
    elif number == 8:  # at the corner of the valley each term is (0 - 1)^2
        assert value(optimum - 1.0 / (2.0 * bbob.HALF_WIDTH)) == pytest.approx(4.0)
    else:  # a rotation: no axis is the flat one, and the sizes sum to the trace
        assert sizes.min() > 100.0
        assert np.log(sizes.sum()) == pytest.approx(np.log(np.sum(1e6 ** (np.arange(5) / 4.0))), abs=0.2)


# --- Floats, whole numbers and choices together

MIXED = ParameterSpace(
    Knob("speed", 0.0, 10.0, 5.0),
    Knob("window_s", 0.01, 100.0, 1.0, scale="log", harder="low"),
    Knob("tilt", -1.0, 1.0),
    Knob("share", 0.0, 2.0),
    Knob("enemies", 1.0, 10.0, 3, scale="integer"),
    Knob("hearts", 0.0, 20.0, 3, scale="integer", harder="low"),
    Knob("phases", 1.0, 2.0, 1, scale="integer"),
    Knob("weather", scale="choice", choices=("clear", "rain", "fog", "night"), default="clear"),
    Knob("boss", scale="choice", choices=("ogre", "witch", "dragon"), default="ogre"),
)
CONDITIONING = np.array([1.0, 10.0, 100.0, 1000.0])
CELLS = np.array([10.0, 21.0, 2.0, 4.0, 3.0])


def planted(instance):
    """Values somewhere in the space, as rules see them."""
    draw = np.random.Generator(np.random.Philox([78, instance]))
    return MIXED.real(draw.uniform(0.0, 1.0, len(MIXED)).tolist())


def loss_around(values, cell_weight):
    """An ellipsoid over the floats, plus a small price for each cell of distance, judged by what would be played."""
    optimum = np.array(MIXED.setting(values))

    def loss(setting):
        off = np.array(MIXED.setting(MIXED.real(setting.units))) - optimum
        return float(CONDITIONING @ off[:4] ** 2) + cell_weight * float(np.sum(np.abs(np.round(off[4:] * CELLS))))

    return loss


# The smaller the price of a cell, the longer the floats alone steer, while the width of the others shrinks with theirs.
@pytest.mark.parametrize("cell_weight", [0.1, pytest.param(0.01, marks=pytest.mark.thorough)])
def test_floats_whole_numbers_and_choices_are_found_together(cell_weight):
    cube = KnobBox(MIXED, straight_path(MIXED), 0.0, 1.0)
    for instance in range(1, 7):
        values = planted(instance)
        loss = loss_around(values, cell_weight)
        search = search_of(cube, seed=instance, spread=0.25, population=16)
        used = evaluations(lambda place, loss=loss: loss(cube.setting(place, -1)), search, 6000, 1e-6)
        assert used < math.inf, f"instance {instance} was not found"


def test_candidates_are_played_in_the_middle_of_a_cell_and_learnt_from_where_they_were_drawn():
    cube = KnobBox(MIXED, straight_path(MIXED), 0.1, 0.9)
    search = search_of(cube, seed=1, spread=0.5)
    cells = cube.step > 0
    drawn = []
    for _ in range(20):
        generation = search.ask()
        for candidate in generation:
            assert (cube.playable(candidate.place) == candidate.place).all()
            assert candidate.sample[~cells] == pytest.approx(candidate.place[~cells], abs=1e-6)
            drawn.append(candidate.sample[cells] - candidate.place[cells])
        search.tell(generation, [float(np.sum(candidate.place)) for candidate in generation])
    assert np.abs(drawn).max() > 0.01


@pytest.mark.parametrize("worst", [math.inf, math.nan])
def test_only_ranks_count_and_what_is_no_number_ranks_last(worst):
    cube = floats(3)
    searches = [search_of(cube, seed=5) for _ in range(2)]
    for _ in range(10):
        generations = [search.ask() for search in searches]
        losses = [float(np.sum((c.place - 0.3) ** 2)) for c in generations[0]]
        searches[0].tell(generations[0], losses)
        scaled = [worst if loss == max(losses) else math.exp(loss) - 7.0 for loss in losses]
        searches[1].tell(generations[1], scaled)
        assert (searches[0].mean == searches[1].mean).all()
