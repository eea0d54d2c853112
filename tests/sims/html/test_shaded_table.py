"""Heat maps: tables whose cells are shaded by their numbers."""

from __future__ import annotations

import math
import re

import pytest

from sims.html.shaded_table import ShadedRow, shaded_table

EDGES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)


def test_cells_have_the_shades_of_their_numbers():
    row = ShadedRow("one", [0.5, 1.0, 5.999, 6.0, math.nan], ["half", "", "", "", ""])
    picture = shaded_table(list("abcde"), [row], EDGES, apart={1, 4})
    assert re.findall(r"<td([^>]*)>([^<]*)</td>", picture)[1:] == [
        (' title="half" class="heat0"', "0.50"),
        (' class="apart heat1"', "1.00"),
        (' class="heat5"', "6.00"),
        (' class="heat6"', "6.00"),
        (' class="apart"', "-"),
    ]
    assert re.findall(r'<th scope="col"( class="apart")?>(\w)</th>', picture) == [
        ("", "a"), (' class="apart"', "b"), ("", "c"), ("", "d"), (' class="apart"', "e"),
    ]  # fmt: skip
    assert '<th scope="row">one</th>' in picture


def test_the_legend_names_every_shade():
    picture = shaded_table(["a"], [], EDGES, apart=())
    assert re.findall(r'class="key (heat\d)"></span>([^<]*)<', picture) == [
        ("heat0", "below 1"), ("heat1", "1 to 2"), ("heat2", "2 to 3"), ("heat3", "3 to 4"), ("heat4", "4 to 5"),
        ("heat5", "5 to 6"), ("heat6", "6 and more"),
    ]  # fmt: skip


def test_there_are_as_many_edges_as_shades_have():
    with pytest.raises(ValueError, match="needs 6 edges, got 2"):
        shaded_table(["a"], [], (1.0, 2.0), apart=())
