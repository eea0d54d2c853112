"""What a run cannot do is told before there is a folder, and by `check` in the same words."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from controllers.self_adaptive.cma_es import CONTROLLER as CMA_ES
from engine.errors import ScenarioError
from sims import catalog as catalog_module
from sims.catalog import Catalog
from sims.cli.app import main
from sims.run_folder.folder import SCENARIO
from sims.runs.execution import resume, run
from sims.runs.preflight import prepare_job
from sims.workers.signals import Stopped
from tests.kit.fake_game import GAME
from tests.kit.places import ROOT
from tests.kit.small import TEXT, scenario

# With a low ceiling the only free knob, a choice, has one value left.


def out_of_reach() -> str:
    text = TEXT.format(game="logistic", controller="kalman", players=4, attempts=20)
    return text.replace("win_rate = 0.6", "win_rate = 0.99")


@pytest.fixture
def controller(monkeypatch):
    """Puts another maker into cma_es."""

    def put(make) -> None:
        real = catalog_module.Plugin.load

        def load(plugin):
            return dataclasses.replace(CMA_ES, make=make) if plugin.name == "cma_es" else real(plugin)

        monkeypatch.setattr(catalog_module.Plugin, "load", load)

    return put


class Believing:
    """Just enough of a controller for its columns."""

    def __init__(self, *names):
        self.beliefs = names


def failing(fault):
    def make(options, brief):
        raise fault

    return make


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_scenario_that_the_controller_refuses_leaves_no_folder(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(out_of_reach())
    assert main([command, "mine.toml"]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert "target.win_rate: must be from 0.02096 to 0.979 for kalman" in err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda options, brief: Believing("a,b"), "got 'belief_a,b'; rename it."),
        (lambda options, brief: Believing("level", "level"), "got 'belief_level'; rename it."),
        (failing(LookupError("two\nlines")), "cannot create controller 'cma_es': LookupError: two lines"),
        (failing(SystemExit(0)), "cannot create controller 'cma_es': SystemExit: 0"),
        (lambda options, brief: None, "cannot create controller 'cma_es': AttributeError: "),
    ],
)
def test_a_controller_that_cannot_be_made_leaves_no_folder(tmp_path, controller, make, told):
    controller(make)
    with pytest.raises(ScenarioError) as caught:
        run(scenario(controller="cma_es"), out=tmp_path / "run", workers=1)
    assert told in str(caught.value)
    assert str(caught.value).startswith("small.toml: ")
    assert list(tmp_path.iterdir()) == []


def test_a_word_that_cannot_stand_in_a_table_leaves_no_folder(tmp_path, monkeypatch):
    badly = dataclasses.replace(GAME, name="logistic", causes=("fell, badly", "never began"))
    monkeypatch.setattr(Catalog, "game", lambda self, name: badly)
    with pytest.raises(ScenarioError, match=r"small\.toml: cause: a word in a row .* got 'fell, badly'"):
        run(scenario(controller="constant"), out=tmp_path / "run", workers=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", [Stopped(15), KeyboardInterrupt()])
def test_a_wish_to_end_is_not_the_controllers_fault(controller, fault):
    controller(failing(fault))
    with pytest.raises(type(fault)):
        prepare_job(scenario(controller="cma_es"))


def test_what_a_maker_prints_is_a_message(controller, capsys):
    def make(options, brief):
        print("a maker talks")  # noqa: T201 - what is tested
        return Believing("level")

    controller(make)
    prepare_job(scenario(controller="cma_es"))
    out, err = capsys.readouterr()
    assert out == ""
    assert "a maker talks" in err


def test_an_old_folder_whose_controller_cannot_be_made_is_left_as_it_is(tmp_path, controller, monkeypatch):
    from sims.runs import execution as runs

    def stop(job, chunk):
        raise Stopped(15)

    with monkeypatch.context() as patch:
        patch.setattr("sims.runs.chunk_pool.play_chunk", stop)
        with pytest.raises(Stopped):
            run(scenario(controller="cma_es", players=4, attempts=40), out=tmp_path / "run", workers=1)
    monkeypatch.setattr(runs, "prepare_job", failing_preparation)
    for _ in range(2):  # the lock is given back
        with pytest.raises(ScenarioError, match="cannot create controller"):
            resume(tmp_path / "run", workers=1)
    assert (tmp_path / "run.partial" / SCENARIO).is_file()


def failing_preparation(*arguments):
    raise ScenarioError("cannot create controller")


def test_an_empty_name_is_refused_in_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "quickstart", "--out", ""]) == 2
    assert "--out must name a new folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_check_needs_no_heavy_package(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.format(game="gap_runner", controller="cma_es", players=4, attempts=20))
    heavy = {"numba", "pandas", "pygame", "pyarrow"}
    code = f"import sys; from sims.cli.app import main; code = main(['check', {str(path)!r}]); "
    code += f"print(code, sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []", done.stdout + done.stderr
