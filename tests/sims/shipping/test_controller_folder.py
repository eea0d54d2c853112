"""The folder of an exported controller: what is in it, what its guard rails do, and what is refused."""

from __future__ import annotations

import json
import math
import subprocess
from dataclasses import replace

import pytest

from engine.errors import RunFolderError, ScenarioError
from engine.scenario import setup_of
from sims.catalog import Catalog, load_scenario
from sims.cli.app import main
from sims.shipping.controller_folder import export_controller
from sims.shipping.languages.language import LANGUAGES
from sims.shipping.shipped_rule import shipped_rule
from sims.shipping.vectors import vectors_of
from tests.kit.exported import PLAYERS, Case, cases, differing, setup_for
from tests.kit.small import TEXT

SIMPLE = {"controller.name": "weighted_up_down", "controller.options": {}}


@pytest.fixture(scope="module")
def scenario():
    return load_scenario("quickstart", **SIMPLE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_folder_holds_the_file_a_readme_and_vectors(scenario, language, tmp_path):
    folder = export_controller(scenario, language, tmp_path / "shipped")
    file = LANGUAGES[language].file
    assert sorted(path.name for path in folder.iterdir()) == sorted([file, "README.md", "vectors.json"])
    text = (folder / file).read_text(encoding="utf-8")
    assert "@" not in text.replace("@param", ""), "all places of the template are filled"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "@" not in readme
    assert 15 <= len(readme.splitlines()) <= 30
    vectors = json.loads((folder / "vectors.json").read_text(encoding="utf-8"))
    said = {one["about"] for one in vectors["sequences"]}
    assert {"outcomes come in time", "outcomes come late and out of order", "outcomes come many at once"} <= said
    assert sum(one.startswith("step = ") for one in said) == 2, "both ends of an option"


def test_the_vectors_are_those_of_the_file(tmp_path):
    if PLAYERS["node"].missing is not None:
        pytest.skip(PLAYERS["node"].missing)
    setup = setup_for("weighted_up_down")
    shipped = shipped_rule(setup, "small", "0")
    case = Case(shipped, vectors_of(setup, shipped)["sequences"])
    assert differing(PLAYERS["node"].play(case, tmp_path), case.expected) == 0


@pytest.mark.parametrize("language", ["node", "c", "lua54", "mono"])
def test_what_a_schedule_of_options_does_is_exported_too(language, tmp_path):
    player = PLAYERS[language]
    if player.missing is not None:
        pytest.skip(player.missing)
    gain = '[controller.gain]\nshape = "cosine"\nlength = 20'
    text = TEXT.replace('name = "{controller}"', 'name = "{controller}"\n' + gain)
    setup = setup_for("weighted_up_down", text)
    assert setup.schedule
    shipped = shipped_rule(setup, "small", "0")
    assert math.inf in shipped.constants
    case = Case(shipped, vectors_of(setup, shipped)["sequences"])
    assert differing(player.play(case, tmp_path), case.expected) == 0
    usual = cases("weighted_up_down", 3, 30, 0)[0]
    assert case.expected[:30] != usual.expected[:30]


GUARDED = """
const d = require("./difficulty.js"), found = [];
const player = d.newPlayer("new", 1), now = { attempt: 0, place: 0, last: 1 };
found.push(d.ask(player, now).difficulty);
for (let i = 0; i < 40; i++) d.tell(player, d.ask(player, now), { won: 1 });
found.push(d.ask(player, now).difficulty);
d.guard.ceiling = 0.8; found.push(d.ask(player, now).difficulty);
d.guard.floor = 0.85; d.guard.ceiling = 0.9; found.push(d.ask(player, now).difficulty);
d.guard.floor = 0; d.guard.largestStep = 0.05;
d.guard.off = true; found.push(d.ask(player, now).difficulty);
d.guard.largestStep = 1; found.push(d.ask(player, now).difficulty);
found.push(d.tell(player, d.ask(player, now), { won: 1.5 }), d.tell(player, d.ask(player, now), { won: NaN }));
found.push(d.tell(player, d.ask(player, now), { won: 1, weight: 0 }), d.knobs(0.35).speed);
console.log(JSON.stringify(found));
"""


def test_guard_rails_hold(tmp_path):
    if PLAYERS["node"].missing is not None:
        pytest.skip(PLAYERS["node"].missing)
    shipped = shipped_rule(setup_for("weighted_up_down"), "small", "0")
    (tmp_path / "difficulty.js").write_text(LANGUAGES["js"].write(shipped), encoding="utf-8")
    (tmp_path / "guarded.js").write_text(GUARDED, encoding="utf-8")
    done = subprocess.run(["node", "guarded.js"], cwd=tmp_path, capture_output=True, text=True, check=True)
    first, risen, held, raised, near, resting, *refused, _ = json.loads(done.stdout)
    assert (first, held, resting) == (0.5, 0.8, 0.5)
    assert risen > 0.9
    assert 0.85 <= raised <= 0.9
    assert near == raised - 0.05, "switched off, the difficulty comes back by the largest step"
    assert refused == [False, False, False]


def test_the_table_of_the_dial_is_exact_at_its_points(tmp_path):
    if PLAYERS["node"].missing is not None:
        pytest.skip(PLAYERS["node"].missing)
    shipped = shipped_rule(setup_of(load_scenario("quickstart", **SIMPLE), Catalog()), "quick", "0")
    (tmp_path / "difficulty.js").write_text(LANGUAGES["js"].write(shipped), encoding="utf-8")
    code = (
        "const d = require('./difficulty.js'); "
        "console.log(JSON.stringify([...Array(21).keys()].map((i) => d.knobs(i / 20))))"
    )
    done = subprocess.run(["node", "-e", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    for i, values in enumerate(json.loads(done.stdout)):
        for one in shipped.dial:
            got, wanted = values[one.knob.name], one.values[i]
            # i / 20 * 20 may miss i by a rounding.
            assert got == wanted or got == pytest.approx(wanted, rel=1e-14, abs=0.0)


def test_what_is_no_rule_is_refused_with_exit_code_2(tmp_path, capsys):
    words = ["export-controller", "quickstart", "--to", "js", "--out", str(tmp_path / "no")]
    other = ["--set", "controller.options={}", "--set"]
    assert main([*words, *other, "controller.name=cma_es", "--set", "controller.scope=cohort"]) == 2
    assert "only rules on numbers can be exported, but cma_es is an object of its own" in capsys.readouterr().err
    assert main([*words, *other, "controller.name=bayes_limit"]) == 2
    assert "bayes_limit is an object of its own" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


@pytest.mark.thorough
def test_a_rule_with_too_many_numbers_is_refused(tmp_path):
    scenario = load_scenario("quickstart", **{"controller.name": "model_average", "controller.options": {}})
    with pytest.raises(ScenarioError, match=r"works on tables of \d+,\d+ numbers here, and a file for a game may hold"):
        export_controller(scenario, "js", tmp_path / "no")


def test_a_folder_is_never_written_over(scenario, tmp_path):
    with pytest.raises(RunFolderError, match="already exists"):
        export_controller(scenario, "js", tmp_path)
    with pytest.raises(ScenarioError, match="exported to js, lua, c, csharp, gdscript, got 'basic'"):
        export_controller(scenario, "basic", tmp_path / "x")  # type: ignore[arg-type]


def test_levels_learnt_by_a_shared_rule_are_refused():
    setup = setup_of(load_scenario("campaign", **SIMPLE), Catalog())
    targets = setup.targets.copy()
    targets[:, 1:] -= 0.1
    shared = replace(setup, scope="cohort", targets=targets)
    with pytest.raises(ScenarioError, match="learns where each level stands while it is shared by a cohort"):
        shipped_rule(shared, "campaign", "0")
