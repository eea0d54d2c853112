"""A dead worker costs one task, a hung one is killed, nothing outlives its parent."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import EnvironmentFault, ScenarioError
from sims.pool import AHEAD, Pool, TaskFault, WorkerFault, failure_of
from sims.signals import Stopped

ROOT = Path(__file__).resolve().parents[1]


# --- What workers are asked to do; functions of a module, since they are spawned ----------------------------------


def prepare(argument):
    if argument == "raise":
        raise RuntimeError("no luck today")
    if argument == "exit":
        raise SystemExit(0)
    if argument == "talk":
        print("a plug-in greets")  # noqa: T201 - what is tested
    return argument


def square(shared, item):
    return item * item


def whose(shared, item):
    time.sleep(0.05)
    return os.getpid()


def misbehave(shared, item):
    """Do what the item says, the bad things once per mark file."""
    kind, mark = item
    if kind == "fine":
        return "done"
    if kind == "raise":
        raise ValueError(f"bad\nluck \x1b[31m{mark}")
    if kind == "exit":
        raise SystemExit(3)
    if kind == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "rows.csv")
    if kind == "ours":
        raise ScenarioError("the rule, what came, what to do")
    if mark is not None:
        if os.path.exists(mark):
            return "done later"
        Path(mark).touch()
    if kind == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    while True:
        time.sleep(0.05)


def print_and_return(shared, item):
    print("a plug-in talks")  # noqa: T201 - what is tested
    return item


def appending(folder, item):
    """Leave a trace every 50 ms, for ever."""
    while True:
        with open(f"{folder}/{os.getpid()}", "a") as file:
            file.write(".")
        time.sleep(0.05)


# --- Tests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_every_task_gives_its_result(workers):
    with Pool(workers, prepare, None, square) as pool:
        assert dict(pool.run(enumerate(range(20)))) == {i: i * i for i in range(20)}


def test_no_tasks_start_no_workers():
    with Pool(2, prepare, None, square) as pool:
        assert list(pool.run([])) == []


def test_work_is_done_in_other_processes_and_here_with_one_worker():
    with Pool(2, prepare, None, whose) as pool:
        pids = {pid for _, pid in pool.run(enumerate(range(8)))}
    assert len(pids) == 2
    assert os.getpid() not in pids
    with Pool(1, prepare, None, whose) as pool:
        assert {pid for _, pid in pool.run([(0, None)])} == {os.getpid()}


def test_a_pool_needs_a_worker():
    with pytest.raises(ValueError, match="one worker or more, got 0"):
        Pool(0, prepare, None, square)


def test_tasks_are_taken_only_when_there_is_room():
    taken = 0

    def tasks():
        nonlocal taken
        for i in range(40):
            taken += 1
            yield i, i

    with Pool(2, prepare, None, square) as pool:
        for done, _ in enumerate(pool.run(tasks()), start=1):
            assert taken <= done + 2 * AHEAD


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_comes_back_as_one_line_with_its_traceback(workers):
    with Pool(workers, prepare, None, misbehave) as pool, pytest.raises(TaskFault) as caught:
        list(pool.run([(7, ("raise", "mark"))]))
    assert str(caught.value) == "task 7 failed: ValueError: bad luck \\x1b[31mmark"
    assert "in misbehave" in caught.value.details
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_ours_comes_back_as_it_is(workers):
    with Pool(workers, prepare, None, misbehave) as pool, pytest.raises(ScenarioError, match="what to do"):
        list(pool.run([(0, ("ours", None))]))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_the_environments_fault(workers):
    with Pool(workers, prepare, None, misbehave) as pool, pytest.raises(EnvironmentFault) as caught:
        list(pool.run([(0, ("full", None))]))
    assert str(caught.value) == "rows.csv: No space left on device; make room and try again."


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_cannot_start_says_why(workers):
    with Pool(workers, prepare, "raise", square) as pool, pytest.raises(TaskFault, match="cannot start: RuntimeError"):
        list(pool.run(enumerate(range(4))))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_plugin_that_exits_is_a_fault_not_the_end(workers):
    with Pool(workers, prepare, None, misbehave) as pool, pytest.raises(TaskFault, match="SystemExit: 3"):
        list(pool.run([(0, ("exit", None))]))
    with Pool(workers, prepare, "exit", square) as pool, pytest.raises(TaskFault, match="cannot start: SystemExit: 0"):
        list(pool.run([(0, 1)]))


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), Stopped(15)])
def test_a_wish_to_end_goes_through(fault):
    def wish(shared, item):
        raise fault

    with Pool(1, prepare, None, wish) as pool, pytest.raises(type(fault)):
        list(pool.run([(0, None)]))


def test_a_dead_worker_costs_one_task_which_is_tried_again(tmp_path):
    tasks = [(i, ("die" if i in (2, 5) else "fine", str(tmp_path / str(i)))) for i in range(10)]
    with Pool(2, prepare, None, misbehave) as pool:
        results = dict(pool.run(tasks))
    assert results == {i: "done later" if i in (2, 5) else "done" for i in range(10)}


def test_a_hung_worker_is_killed_at_its_deadline(tmp_path):
    tasks = [(i, ("hang" if i == 1 else "fine", str(tmp_path / str(i)))) for i in range(4)]
    with Pool(2, prepare, None, misbehave, deadline_s=0.5) as pool:
        results = dict(pool.run(tasks))
    assert results == {i: "done later" if i == 1 else "done" for i in range(4)}


def test_a_task_that_ends_two_workers_ends_the_run():
    with Pool(2, prepare, None, misbehave) as pool, pytest.raises(WorkerFault) as caught:
        list(pool.run([(0, ("die", None)), (1, ("fine", None))]))
    assert str(caught.value) == ("task 0 failed 2 times: its worker was killed by SIGKILL, then was killed by SIGKILL.")
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_plugin_prints_goes_to_stderr(workers, capfd):
    with Pool(workers, prepare, "talk", print_and_return) as pool:
        for _, result in pool.run([(0, 5)]):
            print(result)  # noqa: T201 - between tasks stdout is the caller's
    out, err = capfd.readouterr()
    assert out == "5\n"
    assert "a plug-in greets" in err
    assert "a plug-in talks" in err


def test_a_file_error_without_a_name_keeps_its_reason():
    known = failure_of(OSError(errno.EIO, "Input/output error")).known
    assert str(known) == "Input/output error."


PARENT = """
import sys
from sims.pool import Pool
from tests.test_pool import appending, prepare

if __name__ == "__main__":
    with Pool(2, prepare, sys.argv[1], appending) as pool:
        list(pool.run(enumerate(range(8))))
"""


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_die_with_their_parent(tmp_path, number):
    script, traces = tmp_path / "parent.py", tmp_path / "traces"
    script.write_text(PARENT)
    traces.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, script, traces], env=environment)
    until = time.monotonic() + 60
    while len(list(traces.iterdir())) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    parent.send_signal(number)
    parent.wait(10)
    time.sleep(0.5)
    sizes = [path.stat().st_size for path in sorted(traces.iterdir())]
    time.sleep(0.5)
    assert len(sizes) == 2
    assert sizes == [path.stat().st_size for path in sorted(traces.iterdir())]
