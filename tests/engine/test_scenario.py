"""A right scenario: read, resolved, printed, read again, and turned into what the world plays."""

from __future__ import annotations

import json
import math
import pickle
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ScenarioError
from engine.players import DAY_S, TRAIT_NAMES
from engine.scenario import json_schema, load, parse, setup_of
from engine.scenario_file.consistency import counts_of
from engine.scenario_file.positions import line_number, positions
from engine.scenario_file.toml import LARGEST_FILE, format_toml
from sims.catalog import DEFAULT_CONTROLLER, Catalog
from tests.kit.places import SCENARIOS

BASE = (SCENARIOS / "base.toml").read_text(encoding="utf-8")
CATALOG = Catalog()
BUNDLED = [entry.name for entry in CATALOG.scenarios()]

SMALL = """
format = 1
[game]
name = "logistic"
[dial]
floor = 0
ceiling = 1
[target]
win_rate = 0.55
[players]
count = 10
[horizon]
days = 1
attempts_per_player = 20
"""


def read(text, *overrides, **flags):
    return parse(text.encode(), "test.toml", CATALOG, overrides, **flags)


# --- What is accepted -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_scenario_is_right(name):
    scenario = load(CATALOG.scenario(name), CATALOG)
    assert scenario.title
    assert setup_of(scenario, CATALOG).players == scenario.form.players.count


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + BASE,
        BASE.replace("\n", "\r\n"),
        BASE.rstrip("\n"),
        BASE + "#" * (LARGEST_FILE - len(BASE)),
        BASE.replace("[target]", "[ 'target' ]").replace("seed", '"se\\u0065d"'),
    ],
    ids=["byte-order mark", "CRLF", "no last line break", "as large as allowed", "quoted keys"],
)
def test_other_spellings_mean_the_same(text):
    assert read(text).digest == read(BASE).digest


def test_a_title_is_composed_and_kept():
    title = read(BASE.replace('"Base"', '"Cafe\u0301 \U0001f3ae \\"quoted\\" \\\\"')).title
    assert title == 'Caf\u00e9 \U0001f3ae "quoted" \\'


def test_integers_stand_for_numbers_and_zero_has_no_sign():
    assert read(SMALL).form.dial.floor == 0.0
    assert math.copysign(1, read(SMALL.replace("floor = 0", "floor = -0.0")).form.dial.floor) == 1.0


def test_a_small_scenario_gets_every_default():
    scenario = read(SMALL)
    assert scenario.cohorts == ("players",)
    assert scenario.scope == "player"
    assert scenario.band(0) == (0.5, 0.6)
    assert scenario.controller == DEFAULT_CONTROLLER
    assert scenario.form.controller.options == CATALOG.controller(DEFAULT_CONTROLLER).options()._asdict()
    assert scenario.form.dial.knobs == ["difficulty", "guess"]
    assert scenario.form.game.bounds == {"difficulty": [-4.0, 4.0], "guess": [0.0, 0.5]}
    assert scenario.changed == frozenset()
    assert (scenario.seed, scenario.levels, scenario.after_attempts, scenario.work) == (1, 0, 0, 200)


# --- Resolved ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [BASE, SMALL, *(CATALOG.scenario(name).read_text(encoding="utf-8") for name in BUNDLED)]
)
def test_the_resolved_file_reads_back_the_same(text):
    scenario = read(text)
    again = read(scenario.resolved_toml())
    assert again.digest == scenario.digest
    assert again.resolved_toml() == scenario.resolved_toml()
    assert again.form == scenario.form


def test_the_resolved_file_marks_what_was_changed():
    lines = read(BASE).resolved_toml().splitlines()
    marked = [line.split(" = ")[0] for line in lines if line.endswith("  # changed")]
    top = [
        "title",
        "notes",
        "seed",
        "hearts",
        "speed",
        "knobs",
        "speed",
        "kind",
        "name",
        "scope",
        "step",
    ]
    rest = ["delay_s", "deploy_every_s", "kind", "pause_s", "label", "skill", "learning", "skill", "speed", "replicas"]
    assert marked == top + rest


def test_a_scenario_that_names_no_controller_is_that_which_names_the_default():
    named = read(SMALL + f'[controller]\nname = "{DEFAULT_CONTROLLER}"\n')
    assert f'[controller]\nname = "{DEFAULT_CONTROLLER}"\nscope' in read(SMALL).resolved_toml()
    assert (named.digest, named.changed) == (read(SMALL).digest, frozenset())
    assert read(SMALL + "[controller]\nscope = 'cohort'\n").scope == "cohort"
    assert read(SMALL, ("controller.name", "kalman")).changed == {"controller.name"}


def test_nothing_is_marked_that_is_as_the_author_made_it():
    assert "# changed" not in read(SMALL).resolved_toml().partition("\n")[2]


def test_knobs_that_do_not_move_are_held_at_their_default():
    held = read(BASE).form.game.params
    assert held == {"gap_share": 0.8, "sight_m": 6.4, "hearts": 2, "hazards": "gaps_spikes"}


def test_the_digest_does_not_depend_on_the_order_of_tables():
    tables = BASE.split("\n[")
    head, rest = tables[0], ["[" + table for table in tables[1:]]
    cohorts = [table for table in rest if table.startswith(("[[cohort]]", "[cohort"))]
    others = [table for table in rest if table not in cohorts]
    assert read("\n".join([head, *cohorts, *reversed(others)])).digest == read(BASE).digest


@pytest.mark.parametrize(
    "change",
    [
        ('title = "Base"', 'title = "Another"'),
        ('notes = "why"', ""),
        ('label = "Newcomers"', 'label = "Beginners"'),
        ("tolerance = 0.05", ""),  # the default
        ("[0.0, 0.5, 1.0]", "[0, 5e-1, 1]"),
        ('knobs = ["speed", "spacing_m", "obstacles"]', 'knobs = ["obstacles", "speed", "spacing_m"]'),
        ("[5.0, 9.0]", "[5, 9]"),
    ],
)
def test_the_digest_stays_when_the_same_is_played(change):
    assert change[0] in BASE
    assert read(BASE.replace(*change)).digest == read(BASE).digest


@pytest.mark.parametrize(
    "change",
    [
        ("seed = 7", "seed = 8"),
        ('"new"', '"newer"'),
        ("tolerance = 0.05", "tolerance = 0.06"),
        ("pause_s = 5", "pause_s = 6"),
    ],
)
def test_the_digest_changes_when_something_else_is_played_or_judged(change):
    assert read(BASE.replace(*change)).digest != read(BASE).digest


def test_a_scenario_can_be_sent_to_another_process():
    scenario = read(BASE)
    assert pickle.loads(pickle.dumps(scenario)) == scenario


# --- Targets ----------------------------------------------------------------------------------------------------------


def test_a_cohort_takes_over_what_it_does_not_say():
    scenario = read(BASE)
    assert scenario.win_rates(0) == [0.85, 0.85, 0.85]
    assert scenario.win_rates(1) == [0.9, 0.8, 0.7]
    assert scenario.band(0) == (0.8, 0.9)
    assert scenario.band(1) == (0.75, 0.85)
    assert scenario.band(1, level=1) == (0.85, 0.95)
    assert read(BASE.replace("{ win_rate = 0.85 }", "{ tolerance = 0.2 }")).band(0) == (0.6, 1.0)


def test_a_band_has_its_middle_as_target():
    scenario = read(BASE.replace("{ win_rate = 0.85 }", "{ band = [0.6, 0.7] }"))
    assert scenario.band(0, level=2) == (0.6, 0.7)
    assert scenario.win_rates(0) == pytest.approx([0.65] * 3)


def test_each_cohort_may_bring_its_own_target():
    text = SMALL.replace("[target]\nwin_rate = 0.55", "[[cohort]]\nname = 'a'\nshare = 1\ntarget.win_rate = 0.7")
    assert read(text).band(0) == (0.65, 0.75)


# --- Counts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "shares", "counts"),
    [
        (360, [0.5, 0.35, 0.15], (180, 126, 54)),
        (10, [1 / 3, 1 / 3, 1 / 3], (4, 3, 3)),
        (12, [0.5, 0.35, 0.15], (6, 4, 2)),
        (5, [0.98, 0.01, 0.01], (3, 1, 1)),
        (3, [0.5, 0.3, 0.2], (1, 1, 1)),
        (1, [1.0], (1,)),
    ],
)
def test_counts_by_largest_remainder(count, shares, counts):
    assert counts_of(count, shares) == counts


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=64), st.integers(0, 10**6))
def test_counts_add_up_and_nobody_is_left_out(weights, more):
    count = len(weights) + more
    counts = counts_of(count, [weight / sum(weights) for weight in weights])
    assert sum(counts) == count
    assert min(counts) >= 1


# --- Setup ------------------------------------------------------------------------------------------------------------


def test_the_setup_is_what_the_scenario_says():
    scenario = read(BASE)
    setup = setup_of(scenario, CATALOG)
    assert setup.game.name == "gap_runner"
    assert setup.kind.name == "weighted_up_down"
    assert setup.options == setup.kind.options(step=0.1)
    assert (setup.scope, setup.floor, setup.ceiling) == ("cohort", 0.1, 0.9)
    assert (setup.cohorts, setup.counts) == (("new", "old"), (60, 40))
    assert setup.targets.tolist() == [[0.85] * 3, [0.9, 0.8, 0.7]]
    assert setup.levels == 3
    assert (setup.gaps_s, setup.window_s) == ((DAY_S / 24, DAY_S / 16), 0.0)
    assert (setup.delay_s, setup.deploy_every_s, setup.horizon_s) == (60.0, 3600.0, 14 * DAY_S)
    assert (setup.attempts_per_player, setup.replicas, setup.seed) == (200, 2, 7)
    assert setup.flow.pause_s == 5.0
    assert setup.digest == f"s{scenario.digest[:16]}"


def test_the_space_has_the_bounds_and_the_held_values():
    space = setup_of(read(BASE), CATALOG).space
    assert (space.knobs[0].low, space.knobs[0].high) == (5.0, 9.0)
    assert space.held == {"gap_share": 0.8, "sight_m": 6.4, "hearts": 2.0, "hazards": 1.0}
    assert [space.names[j] for j in space.free] == ["speed", "spacing_m", "obstacles"]


def test_a_straight_path_is_stretched_to_the_longest():
    path = setup_of(read(BASE.replace("[0.0, 0.5, 1.0]", "[0.0, 0.2, 1.0]\nobstacles = [0.5, 1]")), CATALOG).path
    assert path[:, 0].tolist() == [0.0, 0.2, 1.0]
    assert path[:, 2].tolist() == [0.0, 0.5, 1.0]
    assert path[:, 4].tolist() == [0.5, 0.75, 1.0]


def test_traits_reach_the_kernels_as_numbers():
    traits = setup_of(read(BASE), CATALOG).traits
    assert traits.shape == (2, len(TRAIT_NAMES), 6)
    assert traits[0, TRAIT_NAMES.index("skill")].tolist() == [1.0, -0.7, 0.7, -3.0, 3.0, 0.0]
    assert traits[0, TRAIT_NAMES.index("learning")].tolist() == [0.0, 0.1, 0.0, 0.0, 5.0, 0.0]
    assert traits[1, TRAIT_NAMES.index("skill")].tolist() == [3.0, -1.0, 2.0, -1.0, 2.0, 0.0]
    assert traits[1, TRAIT_NAMES.index("speed")].tolist() == [2.0, 1.0, 0.2, 0.1, 10.0, 0.0]
    assert np.isnan(traits[0, TRAIT_NAMES.index("slip"), 1])


def test_a_launch_wave_has_a_window():
    setup = setup_of(read(SMALL, ("players.arrival", '{ kind = "launch", within_days = 2 }')), CATALOG)
    assert (setup.gaps_s, setup.window_s) == ((0.0,), 2 * DAY_S)


# --- Overrides --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "text", "found"),
    [
        ("seed", "8", lambda scenario: scenario.seed == 8),
        ("controller.name", "kalman", lambda scenario: scenario.form.controller.name == "kalman"),
        ("controller.name", '"kalman"', lambda scenario: scenario.form.controller.name == "kalman"),
        ("run.replicas", "3", lambda scenario: scenario.form.run.replicas == 3),
        ("target.win_rate", " 0.6 ", lambda scenario: scenario.win_rates(0) == [0.6]),
        ("dial.knobs", '["difficulty"]', lambda scenario: scenario.form.game.params == {"guess": 0.02}),
        ("game.params.guess", "0.1", lambda scenario: scenario.form.dial.knobs == ["difficulty"]),
        ("target", "{ band = [0.5, 0.6] }", lambda scenario: scenario.band(0) == (0.5, 0.6)),
        ("players.flow.pause_s", "1", lambda scenario: scenario.form.players.flow.pause_s == 1.0),
    ],
)
def test_a_setting_goes_over_the_file(key, text, found):
    assert found(read(SMALL, (key, text)))


def test_a_setting_reaches_a_cohort_by_name_and_the_last_one_wins():
    scenario = read(
        BASE,
        ("cohort.new.share", "0.9"),
        ("cohort.new.share", "0.5"),
        ("cohort.old.share", "0.5"),
        ("cohort.old.traits.skill.low", "-2"),
        ("cohort.new.target.win_rate", "0.6"),
    )
    assert scenario.counts == (50, 50)
    assert scenario.form.cohort[1].traits["skill"].low == -2.0
    assert scenario.win_rates(0) == [0.6] * 3


def test_a_setting_is_the_same_as_the_file_with_it():
    assert read(BASE, ("seed", "8")).digest == read(BASE.replace("seed = 7", "seed = 8")).digest
    assert parse(BASE.encode(), "b", CATALOG, {"seed": "8"}).digest == read(BASE, ("seed", "8")).digest


# --- Text and schema --------------------------------------------------------------------------------------------------


def leaves(value, address=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*address, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for place, inner in enumerate(value):
            yield from leaves(inner, (*address, place))
    else:
        yield address


@pytest.mark.parametrize("text", [BASE, SMALL])
def test_every_key_has_a_line_that_names_it(text):
    lines = positions(text)
    rows = text.splitlines()
    for address in leaves(tomllib.loads(text)):
        assert str(address[-1]) in rows[line_number(lines, address) - 1]


@settings(max_examples=300)
@given(st.text(st.sampled_from("a1.=[]{}\"'#, \n\r\\_-\u202e"), max_size=60))
def test_finding_positions_never_fails_on_what_is_not_toml(text):
    try:
        keys = list(leaves(tomllib.loads(text)))
    except tomllib.TOMLDecodeError:
        keys = []
    lines = positions(text)
    assert all(line_number(lines, key) <= text.count("\n") + 1 for key in keys)
    assert all(key[:1] in lines for key in keys if key)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, BASE.count("\n")), st.text(max_size=12)), min_size=1, max_size=3))
def test_a_damaged_file_is_refused_or_accepted_but_never_a_crash(damage):
    rows = BASE.splitlines()
    for place, text in damage:
        rows[place % len(rows)] += text
    data = "\n".join(rows).encode("utf-8", "surrogatepass")
    lines: tuple[str, ...] = ()
    try:
        parse(data, "damaged.toml", CATALOG)
    except ScenarioError as fault:
        lines = fault.lines
    assert all(line.isprintable() and line.startswith("damaged.toml:") for line in lines)


@given(
    st.recursive(
        st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
)
def test_what_is_written_reads_back(value):
    text = format_toml(value)
    assert "\n" not in text
    assert tomllib.loads(f"x = {text}")["x"] == value


def test_the_schema_is_json_and_knows_the_tables():
    schema = json.loads(json.dumps(json_schema()))
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert set(schema["required"]) == {"format", "game", "dial", "players", "horizon"}
    assert schema["additionalProperties"] is False
    assert set(tomllib.loads(BASE)) <= set(schema["properties"])
    assert "null" not in json.dumps(schema)
    assert schema["$defs"]["HorizonSection"]["properties"]["days"]["exclusiveMinimum"] == 0
