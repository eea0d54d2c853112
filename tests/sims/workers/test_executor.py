"""Where tasks are worked on, as far as it needs no cluster: names of places, and what travels to one."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from engine.errors import EnvironmentFault, ScenarioError
from engine.world import chunks
from sims.catalog import use_game_file
from sims.runs.chunks import job_of, pack_chunk, play_chunk, read_chunk, store_chunk
from sims.workers.code_parcel import code_parcel
from sims.workers.execution_place import executor_of
from sims.workers.signals import Stopped, Stopping
from tests.kit.places import ROOT
from tests.kit.ray_nodes import digests
from tests.kit.small import setup


@pytest.mark.parametrize("place", ["", "Ray", "ray:", "ray://", "ray://host", "ray://host:port", "dask://host:1"])
def test_other_places_are_refused(place):
    with pytest.raises(ScenarioError, match=r'on must be "ray" or "ray://HOST:PORT", got'), executor_of(2, place):
        pass


def test_without_the_extra_its_name_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(EnvironmentFault, match=r"needs the package ray; install flowdial\[ray\]"),
        executor_of(2, "ray"),
    ):
        pass


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_chunk_that_was_sent_leaves_the_same_files(tmp_path, form):
    about = setup(players=20, attempts=50)
    jobs = [job_of(tmp_path / name, about, 0, form) for name in ("here", "there")]
    for job in jobs:
        (job.folder / "chunks").mkdir(parents=True)
    first = chunks(about)[0]
    packed = pack_chunk(jobs[1], first)
    assert list((tmp_path / "there").rglob("*.*")) == []
    assert store_chunk(jobs[1], packed).parts == play_chunk(jobs[0], first).parts
    assert digests(tmp_path / "there") == digests(tmp_path / "here")
    assert read_chunk(jobs[1], first.number) is not None


def test_a_part_that_was_damaged_on_its_way_is_not_kept(tmp_path):
    about = setup(players=20, attempts=50)
    job = job_of(tmp_path, about, 0, "csv")
    job.part(0, job.sheets[0]).parent.mkdir()
    packed = pack_chunk(job, chunks(about)[0])
    packed.files["attempts"] = packed.files["attempts"][:-1]
    with pytest.raises(EnvironmentFault, match="chunk 0 was damaged on its way here; resume the run"):
        store_chunk(job, packed)
    assert not job.record(0).exists()


def test_a_parcel_is_enough_to_play_with(tmp_path):
    parcel = tmp_path / "parcel"
    parcel.mkdir()
    code_parcel(parcel)
    program = "import sims; from sims.catalog import Catalog; print(sims.__file__, len(Catalog().names('games')))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=parcel, env={"PYTHONPATH": ""}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(parcel / "sims" / "__init__.py"), "5"]
    assert not list(parcel.rglob("__pycache__/executor.*"))


def test_the_game_of_a_file_is_in_the_parcel(tmp_path):
    game = ROOT / "docs" / "examples" / "coin_river.py"
    use_game_file(game)
    try:
        code_parcel(tmp_path)
    finally:
        use_game_file(None)
    assert (tmp_path / "game_file" / "coin_river.py").read_bytes() == game.read_bytes()


def interrupted_by_a_library():
    with Stopping():
        try:
            signal.raise_signal(signal.SIGTERM)
        except Stopped:
            raise KeyboardInterrupt from None


def test_a_library_that_replaces_the_stop_does_not_hide_it():
    with pytest.raises(Stopped) as caught:
        interrupted_by_a_library()
    assert caught.value.exit_code == 143
