"""Tiers of difficulty: ordered knob by knob, measured afresh, and resumed in the same bytes."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import RunFolderError, ScenarioError
from engine.parameters import Knob, ParameterSpace, Value
from engine.scenario import parse
from sims.catalog import Catalog
from sims.cli.app import main
from sims.run_folder.folder import MANIFEST, PARTIAL, read_manifest
from sims.tuning.answer.best_so_far import BestSoFar
from sims.tuning.problem import load_free
from sims.tuning.simulator import Simulator
from sims.tuning.tiers.tier_order import Neighbour, harder_knobs, order_of_work, tier_scenario, tiers_of
from sims.tuning.tiers.tune_tiers import is_tiers, resume_tiers, tune_tiers
from sims.tuning.tiers.tuned_tiers import TunedTiers, read_tiers
from sims.workers.signals import Stopped

NAMES = ("easy", "normal", "hard")
LOCKS = ("damage", "crit_chance", "heal", "turns", "style")
CHEAP: dict[str, Any] = {"tiers": NAMES, "budget": 18_000, "method": "random", "lock": LOCKS, "workers": 1}
TEXT = """
format = 1
seed = 3
game = { name = "boss_duel" }
dial = { floor = 0.0, ceiling = 1.0 }
target = { win_rate = 0.7, tolerance = 0.1 }
players = { count = 90 }
horizon = { days = 1, attempts_per_player = 20 }
[[cohort]]
name = "newcomers"
share = 0.4
target = { win_rate = 0.8 }
traits = { skill = { kind = "normal", mean = -0.7, sd = 0.7 } }
[[cohort]]
name = "regulars"
share = 0.4
traits = { skill = { kind = "normal", mean = 0.3, sd = 0.6 } }
[[cohort]]
name = "experts"
share = 0.2
target = { win_rate = 0.65 }
traits = { skill = { kind = "normal", mean = 1.4, sd = 0.5 } }
"""
SPACE = ParameterSpace(
    Knob("speed", 5.0, 10.0, 7.0),
    Knob("sight", 1.0, 4.0, 2.0, harder="low", scale="log"),
    Knob("hearts", 1, 5, 3, harder="low", scale="integer"),
    Knob("kind", default="a", scale="choice", choices=("a", "b")),
)


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("tiers") / "duel.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tuned(file, tmp_path_factory) -> TunedTiers:
    return tune_tiers(file, **CHEAP, out=tmp_path_factory.mktemp("whole") / "tiers")


def bytes_of(folder: Path) -> dict[str, str]:
    """Digests of all files but those that hold times."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != MANIFEST:
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


# --- Order ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tiers", "order"),
    [
        (2, [(0, None), (1, 0)]),
        (3, [(1, None), (0, 1), (2, 1)]),
        (5, [(2, None), (1, 2), (0, 1), (3, 2), (4, 3)]),
    ],
)
def test_the_middle_tier_comes_first_and_each_other_one_beside_one_that_is_known(tiers, order):
    assert order_of_work(tiers) == order


@pytest.mark.parametrize("side", ["easier", "harder"])
def test_a_tier_has_only_the_part_of_each_knob_that_lies_on_its_side(file, side):
    free = load_free(file)
    values: dict[str, Value] = {
        "boss_health": 130.0, "telegraph_s": 0.7, "potions": 2, "turns": 16, "style": "fierce",
    }  # fmt: skip
    own = tier_scenario(free, tiers_of(free, NAMES)[0], Neighbour("normal", side, values)).form.game
    assert own.bounds["boss_health"] == ([100.0, 130.0] if side == "easier" else [130.0, 160.0])
    assert own.bounds["telegraph_s"] == ([0.7, 1.6] if side == "easier" else [0.4, 0.7])
    assert own.bounds["potions"] == ([2.0, 3.0] if side == "easier" else [1.0, 2.0])
    assert own.params["style"] == "fierce"
    if side == "harder":  # fewer turns are harder, and there are none fewer
        assert own.params["turns"] == 16
    else:
        assert own.bounds["turns"] == [16.0, 26.0]


def test_no_room_on_one_side_is_an_error_that_names_the_tier(file):
    free = load_free(file)
    values = {"boss_health": 100.0, "potions": 3}
    with pytest.raises(ScenarioError, match="no knob can get easier for easy than it is for normal; widen"):
        tier_scenario(free, tiers_of(free, NAMES)[0], Neighbour("normal", "easier", values))


def test_moves_are_counted_towards_the_hard_end():
    easier: dict[str, Value] = {"speed": 5.0, "sight": 2.0, "hearts": 3, "kind": "a"}
    harder: dict[str, Value] = {"speed": 6.0, "sight": 1.0, "hearts": 4, "kind": "b"}
    found = harder_knobs(SPACE, easier, harder)
    assert found == pytest.approx({"speed": 0.2, "sight": 1.0 / 3.0, "hearts": -0.25, "kind": 1.0})
    assert harder_knobs(SPACE, easier, easier) == {}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("easy", "hard"), "one tier for each player group, easiest first, got 2 tiers for newcomers, regulars, exp"),
        (("easy", "easy", "hard"), "tiers need different names"),
        (("../up", "normal", "hard"), "tiers need different names"),
    ],
)
def test_tiers_must_fit_the_player_groups(file, names, said):
    with pytest.raises(ScenarioError, match=said):
        tiers_of(load_free(file), names)


def test_one_group_has_no_tiers():
    text = TEXT[: TEXT.index("[[cohort]]")] + '[[cohort]]\nname = "all"\nshare = 1.0\n'
    with pytest.raises(ScenarioError, match="two or more player groups, got 1"):
        tiers_of(parse(text.encode(), "one.toml", Catalog()))


# --- The result -------------------------------------------------------------------------------------------------------


def test_tiers_are_ordered_and_each_is_measured_on_its_own_players(tuned, file):
    assert list(tuned) == list(NAMES)
    assert tuned.met == all(rate.verdict == "met" for one in tuned.values() for rate in one.rates.values())
    assert tuned.attempts <= CHEAP["budget"]
    space = Catalog().game("boss_duel").space
    settings = [option.scenario.form.game.params for option in tuned.values()]
    steps = [harder_knobs(space, *pair) for pair in itertools.pairwise(settings)]
    assert tuned.ordered
    assert all(steps)
    assert all(step > 0.0 for moves in steps for step in moves.values())
    for tier, group in zip(NAMES, ("newcomers", "regulars", "experts"), strict=True):
        assert tuned[tier].scenario.cohorts == (group,)
        assert set(tuned[tier].rates) == {group}
        assert (tuned.folder / f"tuned_{tier}.toml").read_text() == tuned[tier].scenario.resolved_toml()


def test_the_margins_of_all_tiers_hold_at_once(tuned):
    study = tuned.study("normal")
    manifest = read_manifest(study.folder, "study")
    assert manifest["study"]["tier"]["of"] == 3
    assert read_manifest(tuned.study("easy").folder, "study")["study"]["tier"]["beside"] == "normal"
    assert "The values of normal" in tuned.study("easy").text
    assert "defaults" not in tuned.study("easy").text


def test_the_answer_reads_back_and_is_json(tuned):
    again = read_tiers(tuned.folder)
    assert (again.to_json(), again.text, repr(again)) == (tuned.to_json(), tuned.text, repr(tuned))
    content = json.loads(json.dumps(tuned.to_json(), allow_nan=False))
    assert [tier["name"] for tier in content["tiers"]] == list(NAMES)
    assert content["ordered"] is True
    assert "No knob is harder in an easier tier." in tuned.sentences
    page = tuned.report_file.read_text()
    assert all(f"{tier}/report.html" in page for tier in NAMES)
    assert tuned._repr_html_().count("<tr>") > 3


def test_a_damaged_answer_is_refused(tuned, tmp_path):
    with pytest.raises(RunFolderError, match="is a study, but a tier-study is needed"):
        read_tiers(tuned.study("easy").folder)
    with pytest.raises(RunFolderError):
        read_tiers(tmp_path)


# --- Stopped and resumed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batches", [1, pytest.param(20, marks=pytest.mark.thorough)])
def test_what_was_stopped_is_resumed_in_the_same_bytes(tuned, file, tmp_path, monkeypatch, batches):
    real = Simulator.tells
    done: list[Any] = []
    best: list[BestSoFar] = []
    said: list[str] = []

    def tells(self, asks):
        if len(done) == batches:
            raise Stopped(2)
        done.append(asks)
        yield from real(self, asks)

    monkeypatch.setattr(Simulator, "tells", tells)
    out = tmp_path / "tiers"
    with pytest.raises(Stopped):
        tune_tiers(file, **CHEAP, out=out, on_stop=best.append, on_message=said.append)
    monkeypatch.setattr(Simulator, "tells", real)
    partial = out.with_name(out.name + PARTIAL)
    assert is_tiers(out)
    assert said == [f"stopped; what is finished is kept. To resume: flowdial resume {partial}"]
    assert len(best) == 1
    assert (partial / "normal").exists() == (batches > 1)
    again = resume_tiers(partial, workers=1)
    assert again.answer == tuned.answer
    assert bytes_of(out) == bytes_of(tuned.folder)


# --- The command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--budget", "1000", "--options", "2"),
            "--per and --tiers end with one setting for each tier, so --options has no use",
        ),
        (("--levels",), "--levels moves the dial and searches no knobs, so --per has no use"),
    ],
)
def test_options_without_a_use_are_refused(file, capsys, options, said):
    assert main(["tune", str(file), "--per", "cohort", *options]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.thorough
def test_the_command_prints_json_of_all_tiers(file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    locks = [word for knob in LOCKS for word in ("--lock", knob)]
    command = ["tune", str(file), "--budget", "18000", "--method", "random", "--per", "cohort", *locks]
    assert main([*command, "--json", "--quiet", "--workers", "1"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [tier["name"] for tier in content["tiers"]] == ["newcomers", "regulars", "experts"]
    assert content["folder"] == "studies/duel-tiers-001"
