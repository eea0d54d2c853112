"""What holds for every right scenario, every knob, every number in a row and every damaged record."""

from __future__ import annotations

import copy
import csv
import io
import json
import math
import struct
import tempfile
import tomllib
import typing
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from engine import record
from engine.errors import RunFolderError, ScenarioError
from engine.parameters import Knob, ParameterSpace, Scale, to_real, to_unit
from engine.players import TRAIT_LIST
from engine.record import MISSING_WORDS, Column, Sheet, plain, schema_of
from engine.scenario import json_schema, parse, setup_of
from sims.catalog import Catalog
from sims.run_folder.files import read_sealed, write_sealed
from sims.run_folder.row_file import value_of
from tests.kit.json_schema import against
from tests.kit.mutants import toml_text

pytestmark = pytest.mark.thorough

CATALOG = Catalog()
SCHEMA = json_schema()
FIXED = settings(derandomize=True, deadline=None, max_examples=40)


# --- Scenarios --------------------------------------------------------------------------------------------------------

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True).filter(
    lambda name: name.casefold()[:3] not in ("con", "prn", "aux", "nul", "com", "lpt")
)
TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=30)


def _between(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(max(low, -1e12), min(high, 1e12), allow_subnormal=False)


def _pair(low: float, high: float) -> st.SearchStrategy[list[float]]:
    return st.lists(_between(low, high), min_size=2, max_size=2).map(sorted).filter(lambda ends: ends[0] < ends[1])


@st.composite
def spreads(draw: st.DrawFn, low: float, high: float) -> Any:
    """One trait of a cohort: a number, or a distribution within the trait's own range."""
    kind = draw(st.sampled_from(["number", "normal", "lognormal", "uniform"]))
    if kind == "number" or (kind == "lognormal" and high < 1e-3):
        return draw(_between(low, high))
    if kind == "uniform":
        ends = draw(_pair(low, high))
        return {"kind": kind, "low": ends[0], "high": ends[1]}
    cut = dict(zip(("low", "high"), draw(_pair(low, high)), strict=True)) if draw(st.booleans()) else {}
    if kind == "normal":
        return {"kind": kind, "mean": draw(_between(low, high)), "sd": draw(st.floats(0, 1000)), **cut}
    return {"kind": kind, "median": draw(_between(max(low, 1e-3), high)), "log_sd": draw(st.floats(0, 10)), **cut}


@st.composite
def targets(draw: st.DrawFn, levels: int, reach: tuple[float, float]) -> dict[str, Any]:
    """A target whose win rates the controller's model has."""
    low, high = max(reach[0], 0.01), min(reach[1], 0.99)
    rates = st.floats(low, high)
    aim = draw(st.sampled_from(["win_rate", "band", *["levels"] * bool(levels)]))
    if aim == "band":
        return {"band": draw(_pair(low, high))}
    wanted: Any = draw(rates) if aim == "win_rate" else draw(st.lists(rates, min_size=levels, max_size=levels))
    return {aim: wanted, **draw(st.fixed_dictionaries({}, optional={"tolerance": st.floats(0.001, 0.5)}))}


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    """A right scenario as a tree, with anything that may be left out left out now and then."""
    game = CATALOG.game(draw(st.sampled_from(CATALOG.names("games"))))
    kind = CATALOG.controller(draw(st.sampled_from(CATALOG.names("controllers"))))
    held = draw(st.sets(st.sampled_from(game.space.names), max_size=len(game.space) - 1))
    params, bounds, path = {}, {}, {}
    points = draw(st.integers(3, 33))
    for knob in game.space:
        if knob.name in held:
            share = draw(st.floats(0, 1))
            real = knob.low + share * (knob.high - knob.low)
            params[knob.name] = knob.shown(float(round(real)) if knob.levels else min(max(real, knob.low), knob.high))
            continue
        if draw(st.booleans()):
            count = draw(st.sampled_from([2, points]))
            given = sorted(draw(st.lists(st.floats(0, 1), min_size=count, max_size=count)))
            path[knob.name] = [(at + i / (count - 1)) / 2 for i, at in enumerate(given)]  # it rises everywhere
        if knob.scale != "choice" and draw(st.booleans()):
            ends = draw(_pair(knob.low, knob.high))
            bounds[knob.name] = [knob.low, knob.high] if knob.levels else ends
    smooth = any(not knob.levels and knob.name not in held for knob in game.space)
    if not smooth:  # a part of the dial may hold no step of a knob that has few
        path = {}
    levels = draw(st.integers(0, 5))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold))
    weights = [draw(st.integers(1, 50)) for _ in names]
    options = {
        option.name: draw(_between(option.low, option.high)) for option in kind.option_list if draw(st.booleans())
    }
    reach = (0.0, 1.0) if kind.reach is None else kind.reach(kind.options(**options), game)
    cohorts = []
    for name, weight in zip(names, weights, strict=True):
        traits = {trait.name: draw(spreads(trait.low, trait.high)) for trait in TRAIT_LIST if draw(st.booleans())}
        more = draw(st.fixed_dictionaries({}, optional={"label": TEXTS, "target": targets(levels, reach)}))
        cohorts.append({"name": name, "share": weight / sum(weights), "traits": traits, **more})
    arrival = draw(
        st.fixed_dictionaries({"kind": st.just("launch"), "within_days": st.floats(0, 100)})
        | st.fixed_dictionaries({"kind": st.just("rate"), "per_day": st.floats(1e-6, 1e6)})
    )
    return {
        "format": 1,
        "title": draw(TEXTS),
        "seed": draw(st.integers(0, 2**63 - 1)),
        "game": {"name": game.name, "params": params, "bounds": bounds},
        "dial": {
            "floor": draw(st.floats(0, 0.4)) if smooth else 0.0,
            "ceiling": draw(st.floats(0.5, 1)) if smooth else 1.0,
            "path": path,
        },
        "levels": {"kind": "campaign", "count": levels} if levels else {"kind": "endless"},
        "target": draw(targets(levels, reach)),
        "controller": {"name": kind.name, "scope": draw(st.sampled_from(kind.scopes)), "options": options},
        "telemetry": {"delay_s": draw(st.floats(0, 1e6))},
        "players": {"count": draw(st.integers(4, 1000)), "arrival": arrival},
        "cohort": cohorts,
        "horizon": {"days": draw(st.floats(0.001, 10_000)), "attempts_per_player": draw(st.integers(1, 1000))},
        "run": {"replicas": draw(st.integers(1, 100))},
    }


def _turned(value: Any) -> Any:
    """The same tree with all its tables in another order."""
    if isinstance(value, dict):
        return {key: _turned(value[key]) for key in reversed(value)}
    return value


@given(trees())
@FIXED
def test_every_right_scenario_is_read_resolved_and_read_again(tree):
    scenario = parse(toml_text(tree).encode(), "right.toml", CATALOG, allow_long=True)
    assert against(SCHEMA, tree) == []
    resolved = scenario.resolved_toml()
    again = parse(resolved.encode(), "right.toml", CATALOG, allow_long=True)
    assert (again.digest, again.form, again.resolved_toml()) == (scenario.digest, scenario.form, resolved)
    setup = setup_of(scenario, CATALOG)
    assert sum(setup.counts) == setup.players == tree["players"]["count"]
    assert scenario.work == tree["players"]["count"] * setup.attempts_per_player * setup.replicas
    read = tomllib.loads(resolved)
    for name in ("seed", "title", "levels", "horizon", "run", "telemetry"):
        for key, value in tree[name].items() if isinstance(tree[name], dict) else ():
            assert read[name][key] == value, (name, key)
    for cohort, given_cohort in zip(read["cohort"], tree["cohort"], strict=True):
        for trait, spread in given_cohort["traits"].items():
            found = cohort["traits"][trait]
            assert found == spread or {key: found[key] for key in spread} == spread, trait


@given(trees())
@FIXED
def test_neither_the_order_of_tables_nor_words_for_people_change_what_is_played(tree):
    digest = parse(toml_text(tree).encode(), "right.toml", CATALOG, allow_long=True).digest
    other = {**_turned(tree), "cohort": [_turned(cohort) for cohort in tree["cohort"]], "title": "Another"}
    for cohort in other["cohort"]:
        cohort["label"] = "Another"
    assert parse(toml_text(other).encode(), "turned.toml", CATALOG, allow_long=True).digest == digest
    other["seed"] = (tree["seed"] + 1) % 2**63
    assert parse(toml_text(other).encode(), "turned.toml", CATALOG, allow_long=True).digest != digest


@given(trees(), st.data())
@FIXED
def test_an_override_is_the_file_with_that_value(tree, data):
    cohort = data.draw(st.sampled_from(tree["cohort"]))
    changes: dict[str, tuple[tuple[Any, ...], Any]] = {
        "seed": (("seed",), data.draw(st.integers(0, 2**63 - 1))),
        "dial.floor": (("dial", "floor"), data.draw(st.floats(0, 0.4))),
        "players.count": (("players", "count"), data.draw(st.integers(4, 1000))),
        f"cohort.{cohort['name']}.traits.skill": (
            ("cohort", tree["cohort"].index(cohort), "traits", "skill"),
            data.draw(spreads(-10.0, 10.0)),
        ),
    }
    key = data.draw(st.sampled_from(sorted(changes)))
    address, value = changes[key]
    changed = copy.deepcopy(tree)
    here: Any = changed
    for part in address[:-1]:
        here = here[part]
    here[address[-1]] = value
    text = toml_text({"x": value}).removeprefix("x = ").strip() if not isinstance(value, dict) else _inline(value)
    by_file = parse(toml_text(changed).encode(), "file.toml", CATALOG, allow_long=True)
    by_set = parse(toml_text(tree).encode(), "set.toml", CATALOG, [(key, text)], allow_long=True)
    assert (by_set.digest, by_set.form) == (by_file.digest, by_file.form)


def _inline(table: dict[str, Any]) -> str:
    return f"{{ {', '.join(f'{key} = {json.dumps(value)}' for key, value in table.items())} }}"


# --- Parameter spaces -------------------------------------------------------------------------------------------------


@st.composite
def knobs(draw: st.DrawFn) -> Knob:
    scale: Scale = draw(st.sampled_from(typing.get_args(Scale)))
    harder: Literal["high", "low"] = draw(st.sampled_from(["high", "low"]))
    if scale == "choice":
        names = tuple(f"c{i}" for i in range(draw(st.integers(2, 9))))
        return Knob("knob", default=names[0], scale="choice", choices=names, harder=harder)
    if scale == "integer":
        low = draw(st.integers(-(10**6), 10**6))
        return Knob("knob", low, low + draw(st.integers(1, 10**6)), low, scale="integer", harder=harder)
    ends = draw(_pair(*((1e-9, 1e9) if scale == "log" else (-1e12, 1e12))))
    return Knob("knob", ends[0], ends[1], ends[0], scale=scale, harder=harder)


@given(knobs(), st.lists(st.floats(0, 1), min_size=2, max_size=12))
@example(Knob("knob", -1.0, 0.05982806943041409, -1.0), [0.0, 0.0])  # high - low is rounded
@FIXED
def test_every_knob_is_monotone_bounded_and_exact_where_it_has_cells(knob, places):
    table = ParameterSpace(knob).table()
    values = [to_real(table, 0, u) for u in sorted([0.0, *places, 1.0])]
    assert all(knob.low <= value <= knob.high for value in values)
    falls = knob.harder == "low" and knob.scale != "choice"  # a choice lists its options from easiest to hardest
    assert values == sorted(values, reverse=falls)
    assert {values[0], values[-1]} == {knob.low, knob.high} or knob.scale == "log"
    assert math.isclose(min(values), knob.low, rel_tol=1e-14)
    assert math.isclose(max(values), knob.high, rel_tol=1e-14)
    for value in values:
        u = to_unit(table, 0, value)
        assert 0.0 <= u <= 1.0
        back = to_real(table, 0, u)
        if knob.levels:
            assert value.is_integer()
            assert back == value
            assert knob.real(knob.shown(value)) == value
        else:
            # A position has 53 bits, so a value comes back to within the width of its place: span x 2^-52 (and a
            # rounding of the value itself); on a log scale the same of its logarithm.
            width = math.log(knob.high / knob.low) * abs(value) if knob.scale == "log" else knob.high - knob.low
            largest = max(abs(knob.low), abs(knob.high)) if knob.scale == "linear" else abs(value)
            assert abs(back - value) <= 8 * 2.0**-52 * (width + largest)


@given(knobs(), st.floats(0, 1), st.floats(0, 1))
@FIXED
def test_a_narrowed_knob_stays_within_the_old_one_and_a_held_one_stands_still(knob, a, b):
    assume(knob.scale != "choice")
    ends = sorted(knob.low + share * (knob.high - knob.low) for share in (a, b))
    if knob.levels:
        ends = [float(round(end)) for end in ends]
    assume(knob.low <= ends[0] < ends[1] <= knob.high)
    narrow = knob.narrowed(*ends)
    assert ends[0] <= narrow.real(narrow.default) <= ends[1]
    table = ParameterSpace(narrow).table()
    assert all(ends[0] <= to_real(table, 0, u) <= ends[1] for u in (0.0, a, b, 1.0))
    held = ParameterSpace(knob, held={"knob": knob.shown(ends[0])})
    assert [held.real([u]) for u in (0.0, a, 1.0)] == [[ends[0]]] * 3
    assert (held.free, held.defaults()) == ((), [ends[0]])


# --- Rows -------------------------------------------------------------------------------------------------------------

NUMBER = Column("number", "number", "1", "any number", optional=True)
WHOLE = Column("whole", "integer", "1", "any whole number")
FLAG = Column("flag", "boolean", "", "yes or no")
WORD = Column("word", "name", "", "a word", optional=True)
COLUMNS = (NUMBER, WHOLE, FLAG, WORD)
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2**64 - 1).map(
    lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]
).filter(math.isfinite)
ROWS = st.tuples(
    st.none() | FLOATS,
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.none() | TEXTS.filter(lambda text: plain(text) and text not in MISSING_WORDS),
)


def bits(value: float | None) -> bytes | None:
    return None if value is None else struct.pack("<d", value)


@given(st.lists(ROWS, min_size=1, max_size=20))
@FIXED
def test_every_row_comes_back_bit_for_bit_from_every_format(rows):
    arrays = [pa.array([row[j] for row in rows], kind) for j, kind in enumerate([pa.float64(), pa.int64(), pa.bool_()])]
    arrays.append(pa.array([row[3] for row in rows], pa.string()).dictionary_encode())
    batch = pa.record_batch(arrays, schema=schema_of(COLUMNS))
    text, whole, stream = io.BytesIO(), io.BytesIO(), io.BytesIO()
    text.write(record.csv_header(COLUMNS))
    record.write_csv(text, [batch])
    record.write_parquet(whole, COLUMNS, [batch])
    record.write_stream(stream, COLUMNS, [batch])
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("rows.csv", text), ("rows.parquet", whole), ("rows.arrow", stream)):
            path = Path(folder) / name
            path.write_bytes(content.getvalue())
            read = record.read_stream(path) if name == "rows.arrow" else record.read_batches(path, COLUMNS)
            found = pa.Table.from_batches(read).to_pylist()
            assert [bits(row["number"]) for row in found] == [bits(row[0]) for row in rows], name
            assert [(row["whole"], row["flag"], row["word"]) for row in found] == [row[1:] for row in rows], name
    cells = list(csv.reader(io.StringIO(text.getvalue().decode())))[1:]  # as any other program reads it
    assert [len(line) for line in cells] == [4] * len(rows)
    for line, row in zip(cells, rows, strict=True):
        assert bits(value_of(NUMBER, line[0])) == bits(row[0])
        assert value_of(WHOLE, line[1]) == row[1]
        assert value_of(FLAG, line[2]) is row[2]
        assert value_of(WORD, line[3]) == row[3]


@given(FLOATS, st.integers(1, 9))
@FIXED
def test_of_all_ways_to_write_a_number_only_the_shortest_is_accepted(number, digit):
    text = repr(number)
    assert bits(value_of(NUMBER, text)) == bits(number)
    mantissa, mark, exponent = text.partition("e")
    longer = f"{mantissa}{'' if '.' in mantissa else '.'}{'0' * 20}{digit}{mark}{exponent}"
    assume(float(longer) == number)  # not so where numbers are dense: near 0
    with pytest.raises(ValueError, match="the shortest number with these bits"):
        value_of(NUMBER, longer)


FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", " ", "'", '"', ",", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\u202e")


@given(st.sampled_from(FORMULAS), st.text(max_size=8))
@FIXED
def test_no_word_that_begins_like_a_formula_gets_into_a_row(mark, rest):
    with pytest.raises(ScenarioError, match="begin with a letter or a digit"):
        Sheet("attempts", (WORD,), (), {"word": (mark + rest,)})


@given(st.text(min_size=1, max_size=8))
@FIXED
def test_a_word_in_a_row_is_one_cell_for_everybody(word):
    if plain(word):
        assert word[0].isalnum()
        assert list(csv.reader(io.StringIO(f"{word},1\n", newline=""))) == [[word, "1"]]
        assert f"{word}\n".splitlines() == [word]


# --- Records ----------------------------------------------------------------------------------------------------------

CONTENTS = st.dictionaries(
    st.text(max_size=8),
    st.recursive(st.integers() | st.booleans() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)),
    max_size=6,
)


@given(CONTENTS)
@FIXED
def test_a_sealed_record_comes_back(content):
    with tempfile.TemporaryDirectory() as folder:
        write_sealed(Path(folder) / "record.json", content)
        assert read_sealed(Path(folder) / "record.json") == content


@given(CONTENTS, st.data())
@FIXED
def test_no_damage_to_a_sealed_record_goes_unnoticed(content, data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.json"
        write_sealed(path, content)
        whole = path.read_bytes()
        place = data.draw(st.integers(0, len(whole) - 1))
        damage = data.draw(st.sampled_from(["flip", "cut", "insert", "delete", "double"]))
        byte = data.draw(st.integers(0, 255))
        damaged = {
            "flip": whole[:place] + bytes([byte]) + whole[place + 1 :],
            "cut": whole[:place],
            "insert": whole[:place] + bytes([byte]) + whole[place:],
            "delete": whole[:place] + whole[place + 1 :],
            "double": whole + whole[place:],
        }[damage]
        assume(damaged != whole)
        path.write_bytes(damaged)
        with pytest.raises(RunFolderError, match="its checksum differs"):
            read_sealed(path)


def test_every_byte_of_a_record_counts():
    """Each byte in turn, each bit of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.json"
        write_sealed(path, {"number": 3, "rows": {"attempts": 12}})
        whole = np.frombuffer(path.read_bytes(), np.uint8)
        for place in range(len(whole)):
            for bit in range(8):
                damaged = whole.copy()
                damaged[place] ^= 1 << bit
                path.write_bytes(damaged.tobytes())
                with pytest.raises(RunFolderError):
                    read_sealed(path)
