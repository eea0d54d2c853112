"""The same bytes on a Ray cluster of two nodes as here; a killed process or node costs its chunks alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from engine.errors import EnvironmentFault
from sims.arena.arena import run_arena
from sims.catalog import load_scenario
from sims.comparison.comparison import compare
from sims.runs.execution import run
from sims.sweeping.sweep import sweep
from sims.tuning.tune import tune
from sims.workers.execution_place import executor_of
from sims.workers.task_fault import TaskFault
from tests.kit.places import ROOT
from tests.kit.ray_nodes import digests, two_nodes

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.extras, pytest.mark.filterwarnings("default")]  # Ray's own warnings are not ours to mend


@pytest.fixture(scope="module")
def nodes():
    with two_nodes() as found:
        yield found


def many_chunks():
    return load_scenario("arena/stationary", **{"players.count": 2000, "horizon.attempts_per_player": 120})


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The digests of a run that was played in two processes of this machine."""
    return digests(run(many_chunks(), out=tmp_path_factory.mktemp("here") / "run", workers=2).folder)


def nothing(argument):
    return argument


def answer(shared, item):
    """Do what the item says."""
    if item == "raise":
        raise ValueError("no luck today")
    if isinstance(item, str) and not os.path.exists(item):
        Path(item).touch()
        os.kill(os.getppid(), signal.SIGKILL)  # the process of the cluster, and with it this one
        time.sleep(60)
    time.sleep(0.002)
    return item, os.getpid()


def test_a_run_has_the_same_bytes(nodes, here, tmp_path):
    done = []
    played = run(many_chunks(), out=tmp_path / "run", on="ray", on_progress=lambda progress: done.append(progress.done))
    assert digests(played.folder) == here
    assert played.manifest["workers"] == 2
    assert done == sorted(done)
    assert done[-1] == 2000
    assert len(done) == 8
    assert not ray.is_initialized()


def test_a_node_that_is_killed_costs_its_chunks_alone(nodes, here, tmp_path, capfd):
    messages: list[str] = []
    seen = 0

    def kill(progress):
        nonlocal seen
        seen += 1
        if seen == 2:
            nodes.kill_second()

    played = run(many_chunks(), out=tmp_path / "run", on="ray", on_progress=kill, on_message=messages.append)
    nodes.start_second()
    assert seen == 8
    assert digests(played.folder) == here
    assert messages == []
    assert capfd.readouterr().out == ""


def test_a_study_and_a_sweep_have_the_same_bytes(nodes, tmp_path):
    small = load_scenario("arena/stationary", **{"players.count": 200, "horizon.attempts_per_player": 40})
    for name, chosen in (("here", {"workers": 2}), ("there", {"on": "ray"})):
        over = {"controller.options.q": [0.001, 0.01, 0.1]}
        sweep(small, over, out=tmp_path / f"sweep-{name}", **chosen)
        tune("quickstart", budget=45_000, out=tmp_path / f"study-{name}", **chosen)
    for kind in ("sweep", "study"):
        assert digests(tmp_path / f"{kind}-there") == digests(tmp_path / f"{kind}-here")


def test_comparisons_are_the_same(nodes):
    small = {"players.count": 60, "horizon.attempts_per_player": 40}
    pair = [load_scenario("arena/stationary", **small, **{"target.win_rate": rate}) for rate in (0.5, 0.8)]
    assert compare(*pair, on="ray").to_json() == compare(*pair, workers=1).to_json()
    here, there = (
        run_arena(["kalman"], ["stationary"], players=40, **chosen) for chosen in ({"workers": 1}, {"on": "ray"})
    )
    assert [line.card for line in there.scores] == [line.card for line in here.scores]


def test_short_items_travel_together_and_a_killed_process_is_replaced(nodes, tmp_path):
    from sims.workers.ray_pool import RayPool  # it imports ray

    with executor_of(None, "ray") as executor, executor.pool(nothing, "shared", answer, noun="item") as pool:
        items = [*range(300), str(tmp_path / "mark"), *range(300)]
        found = dict(pool.run(enumerate(items)))
    assert [found[number][0] for number in range(len(items))] == items
    assert 2 <= len({process for _, process in found.values()}) <= 4
    assert isinstance(pool, RayPool)
    assert pool._items / pool._groups > 3.0


def test_an_error_of_an_item_is_told_as_here(nodes):
    with (
        executor_of(None, "ray") as executor,
        executor.pool(nothing, "shared", answer, noun="item") as pool,
        pytest.raises(TaskFault, match="item 1 failed: ValueError: no luck today"),
    ):
        list(pool.run([(0, 0), (1, "raise")]))


def test_a_plug_in_reaches_the_nodes(nodes, tmp_path):
    place = tmp_path / "stranger"
    info = place / "cooling_steps-1.0.dist-info"
    info.mkdir(parents=True)
    (place / "cooling_steps.py").write_bytes((ROOT / "docs" / "examples" / "cooling_steps.py").read_bytes())
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cooling-steps\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flowdial.controllers]\ncooling_steps = cooling_steps:CONTROLLER\n")
    words = ["run", "arena/stationary", "--set", "players.count=100", "--set", 'controller.name="cooling_steps"']
    for name, more in (("here", ["--workers", "2"]), ("there", ["--on", "ray"])):
        flowdial([*words, "--set", "controller.options={}", "--out", name, *more], tmp_path, place)
    assert digests(tmp_path / "there") == digests(tmp_path / "here")


def flowdial(words, folder, *paths, code=0):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [ROOT, *paths]))}
    done = subprocess.run(
        [sys.executable, "-m", "sims", *words], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


def test_a_cluster_of_this_machine_ends_on_ctrl_c_and_the_run_is_resumed(here, tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    place = Path(tempfile.mkdtemp(prefix="f", dir="/tmp"))  # short, as names of sockets must be
    monkeypatch.setenv("TMPDIR", str(place))
    words = ["--set", "players.count=2000", "--set", "horizon.attempts_per_player=120", "--out", "run", "--quiet"]
    began = subprocess.Popen(
        [sys.executable, "-m", "sims", "run", "arena/stationary", *words, "--on", "ray", "--workers", "2"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    chunks = tmp_path / "run.partial" / "chunks"
    while not list(chunks.glob("*.json")) and began.poll() is None:
        time.sleep(0.05)
    began.send_signal(signal.SIGINT)
    _, said = began.communicate(timeout=120)
    assert began.returncode == 130, said
    assert "To resume: flowdial resume run.partial" in said
    assert "Traceback" not in said
    assert list(place.iterdir()) == []
    place.rmdir()
    monkeypatch.delenv("TMPDIR")
    flowdial(["resume", "run.partial", "--quiet", "--on", "ray", "--workers", "2"], tmp_path)
    assert digests(tmp_path / "run") == here


def test_nobody_at_the_address_is_one_line(tmp_path):
    done = flowdial(["run", "quickstart", "--on", "ray://127.0.0.1:1"], tmp_path, code=5)
    assert done.stderr.startswith("flowdial: nothing answers at ray://127.0.0.1:1: ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_other_versions_on_a_node_are_refused(nodes, monkeypatch):
    from sims.workers import ray_pool

    monkeypatch.setattr(ray_pool, "versions", lambda: {"numba": "0.1"})
    with (
        executor_of(None, "ray") as executor,
        executor.pool(nothing, "shared", answer, noun="item") as pool,
        pytest.raises(EnvironmentFault, match=r"need the same versions, but .* has numba .* and this one 0\.1"),
    ):
        list(pool.run([(0, 0)]))
