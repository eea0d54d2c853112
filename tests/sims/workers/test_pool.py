"""A dead worker costs one task, a hung one is killed, nothing outlives its parent."""

from __future__ import annotations

import errno
import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from engine.errors import EnvironmentFault, ScenarioError
from sims.catalog import load_scenario
from sims.workers.awake_clock import AwakeWatch
from sims.workers.pool import AHEAD, Pool
from sims.workers.signals import Stopped
from sims.workers.start_fault import start_fault
from sims.workers.task_fault import TaskFault, WorkerFault, failure_of
from tests.kit import small
from tests.kit.places import ROOT

pytestmark = pytest.mark.thorough

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
    if kind == "memory" and (mark is None or not os.path.exists(mark)):
        if mark is not None:
            Path(mark).touch()
        raise MemoryError
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


def leave(argument):
    os._exit(9)


def print_and_return(shared, item):
    print("a plug-in talks")  # noqa: T201 - what is tested
    return item


def crowd(shared, item):
    """Small tasks leave a mark while they run; a large one dies when it sees any."""
    folder, kind = Path(item[0]), item[1]
    if kind == "large":
        for _ in range(20):
            if any(folder.iterdir()):
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.02)
        return kind
    (folder / str(os.getpid())).touch()
    time.sleep(0.3)
    (folder / str(os.getpid())).unlink()
    return kind


def signed(folder):
    """Leave this process's number."""
    Path(folder, str(os.getpid())).touch()
    return folder


def signers(folder):
    return {int(path.name) for path in Path(folder).iterdir() if path.name.isdecimal()}


def dying(folder, item):
    """Tell this process's number; but when it is asked to for the first time, die as soon as so many have signed."""
    mark = Path(folder, f"tried-{item}")
    if item and not mark.exists():
        until = time.monotonic() + 30
        while len(signers(folder)) < item and time.monotonic() < until:
            time.sleep(0.02)
        mark.write_text(" ".join(map(str, signers(folder))))
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def once(folder, item):
    """Work for a second; say whether it was the first try."""
    marks = Path(folder, "begun"), Path(folder, "again")
    first = not marks[0].exists()
    marks[0 if first else 1].touch()
    for _ in range(20):
        time.sleep(0.05)
    return "twice" if marks[1].exists() else "once"


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
    with (
        Pool(workers, prepare, "raise", square) as pool,
        pytest.raises(WorkerFault, match="cannot start: RuntimeError"),
    ):
        list(pool.run(enumerate(range(4))))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_plugin_that_exits_is_a_fault_not_the_end(workers):
    with Pool(workers, prepare, None, misbehave) as pool, pytest.raises(TaskFault, match="SystemExit: 3"):
        list(pool.run([(0, ("exit", None))]))
    with (
        Pool(workers, prepare, "exit", square) as pool,
        pytest.raises(WorkerFault, match="cannot start: SystemExit: 0"),
    ):
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


def test_a_task_that_ends_three_workers_ends_the_run():
    done: list[int] = []
    tasks = [(0, ("die", None)), *((i, ("fine", None)) for i in range(1, 6))]
    with Pool(2, prepare, None, misbehave) as pool, pytest.raises(WorkerFault) as caught:
        done.extend(number for number, _ in pool.run(tasks))
    assert sorted(done) == [1, 2, 3, 4, 5], "the last try comes after all others"
    killed = "was killed by SIGKILL"
    assert str(caught.value) == (
        f"task 0 failed 3 times, the last time alone: its worker {killed}, then {killed}, then {killed}; "
        "where memory is short, use fewer workers."
    )
    assert caught.value.exit_code == 5


def test_a_task_that_needs_all_the_memory_is_tried_alone(tmp_path):
    """It is killed as long as another task runs beside it, as by a system out of memory."""
    tasks = [(0, (str(tmp_path), "large")), *((i, (str(tmp_path), "small")) for i in range(1, 9))]
    with Pool(2, prepare, None, crowd) as pool:
        assert dict(pool.run(tasks)) == {0: "large", **dict.fromkeys(range(1, 9), "small")}


def test_too_little_memory_ends_the_worker_not_the_run(tmp_path):
    tasks = [(i, ("memory" if i == 2 else "fine", str(tmp_path / str(i)))) for i in range(5)]
    with Pool(2, prepare, None, misbehave) as pool:
        assert dict(pool.run(tasks)) == {i: "done later" if i == 2 else "done" for i in range(5)}
    with Pool(2, prepare, None, misbehave) as pool, pytest.raises(WorkerFault, match="found too little memory, then"):
        list(pool.run([(0, ("memory", None))]))
    with Pool(1, prepare, None, misbehave) as pool, pytest.raises(WorkerFault, match="not enough memory; use"):
        list(pool.run([(0, ("memory", None))]))


def test_a_pool_apart_has_a_worker_in_reserve_from_its_first_loss_on(tmp_path):
    """It takes over from the next one that is lost, and ends with the pool."""
    with Pool(1, signed, str(tmp_path), dying, apart=True) as pool:
        answers = pool.run(enumerate([0, 0, 1, 3, 0]))
        found = [next(answers)[1]]
        assert len(multiprocessing.active_children()) == 1, "nothing was lost yet: the second task is at work"
        found += [pid for _, pid in answers]
        assert len(multiprocessing.active_children()) == 2
    assert len(set(found[1:4])) == 3
    assert found[0] == found[1]
    assert found[3] == found[4]
    assert str(found[3]) in (tmp_path / "tried-3").read_text().split(), "it was there before the second loss"
    assert multiprocessing.active_children() == []


def test_a_reserve_that_is_gone_is_not_used(tmp_path):
    with Pool(1, signed, str(tmp_path), dying, apart=True) as pool:
        answers = pool.run(enumerate([1, 0, 2]))
        working = next(answers)[1]
        (reserve,) = {child.pid for child in multiprocessing.active_children()} - {working}
        assert reserve is not None
        os.kill(reserve, signal.SIGKILL)
        assert reserve not in {pid for _, pid in answers}


def test_a_pool_that_is_not_apart_has_no_reserve(tmp_path):
    with Pool(2, prepare, None, misbehave) as pool:
        assert len(list(pool.run([(i, ("die", str(tmp_path / str(i)))) for i in range(3)]))) == 3
        assert len(multiprocessing.active_children()) <= 2


def test_a_worker_that_cannot_be_started_is_the_environments_fault(monkeypatch):
    def start(self):
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr("multiprocessing.process.BaseProcess.start", start)
    with Pool(2, prepare, None, square) as pool, pytest.raises(WorkerFault) as caught:
        list(pool.run([(0, 1)]))
    assert str(caught.value) == "a worker cannot start: Resource temporarily unavailable; use fewer workers."


@pytest.mark.parametrize(("apart", "remedy"), [(False, "correct this or use one worker"), (True, "correct this")])
def test_workers_that_end_before_they_are_ready_name_the_cause(monkeypatch, tmp_path, apart, remedy):
    """What they would load breaks in other processes alone; nothing is said of memory."""
    (tmp_path / "prepared_here.py").write_text("def prepare(argument):\n    return argument\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("prepared_here")
    (tmp_path / "prepared_here.py").write_text("import no_such_module\n")
    with Pool(2, module.prepare, None, square, apart=apart) as pool, pytest.raises(WorkerFault) as caught:
        list(pool.run([(0, 1)]))
    assert str(caught.value) == (
        "a worker cannot start: its process ended by itself with exit code 1: "
        f"ModuleNotFoundError: No module named 'no_such_module'; {remedy}."
    )
    assert caught.value.exit_code == 5


def test_workers_that_end_before_they_are_ready_for_an_unknown_cause_point_to_their_message():
    with Pool(2, leave, None, square) as pool, pytest.raises(WorkerFault) as caught:
        list(pool.run([(0, 1)]))
    assert str(caught.value) == (
        "a worker cannot start: its process ended by itself with exit code 9, see its message on stderr; "
        "correct this or use one worker."
    )


def test_an_interpreter_that_is_not_there_is_the_cause(monkeypatch):
    monkeypatch.setattr("multiprocessing.spawn._python_exe", "/no/such/python")
    said = str(start_fault("ended with exit code 255", (), apart=True))
    assert said.startswith("a worker cannot start: its process ended with exit code 255: ")
    assert "/no/such/python" in said


def test_other_processes_of_the_caller_keep_its_script(tmp_path):
    """Ours are started at the same time by another thread; what multiprocessing says to theirs stays as it was."""
    script = tmp_path / "both.py"
    script.write_text(BOTH)
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2 of 2 theirs, 2 of 2 ours\n"


def test_a_machine_that_sleeps_uses_up_no_deadline(monkeypatch):
    """An hour passes at every look at the clock; each counts as a quarter of the deadline, so that no task is hung."""
    now = 0.0

    def jump():
        nonlocal now
        now += 3600.0
        return now

    watch = AwakeWatch(2.5)
    monkeypatch.setattr("sims.workers.awake_clock.time.monotonic", jump)
    before = watch.look()
    assert watch.look() - before == 2.5
    monkeypatch.setattr("sims.workers.awake_clock.time.monotonic", lambda: now + 1.0)
    assert watch.look() - before == pytest.approx(3.5)
    monkeypatch.setattr("sims.workers.awake_clock.time.monotonic", lambda: 0.0)
    assert watch.look() - before == pytest.approx(3.5), "a clock that goes back is no deadline either"


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_a_run_that_was_suspended_goes_on(tmp_path):
    """All processes are stopped for longer than the deadline, as by Ctrl-Z or the lid of a laptop."""
    script = tmp_path / "parent.py"
    script.write_text(SUSPENDED)
    parent = subprocess.Popen(
        [sys.executable, script, tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(parent.pid, signal.SIGSTOP)
    time.sleep(4.0)
    os.killpg(parent.pid, signal.SIGCONT)
    out, _ = parent.communicate(timeout=60)
    assert out == "once\n"


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


SUSPENDED = """
import sys
import threading
from sims.workers.pool import Pool
from tests.sims.workers.test_pool import once, prepare

if __name__ == "__main__":
    with Pool(2, prepare, sys.argv[1], once, deadline_s=3.0) as pool:
        for _, word in pool.run([(0, None)]):
            print(word)
"""
BOTH = """
import multiprocessing
import threading
from sims.workers.pool import Pool
from tests.sims.workers.test_pool import prepare, square

def of_the_script(pipe):
    pipe.send("theirs")

def start_theirs(found):
    context = multiprocessing.get_context("spawn")
    for _ in range(2):
        here, there = context.Pipe()
        process = context.Process(target=of_the_script, args=(there,))
        process.start()
        there.close()
        found.append(here.recv())
        process.join()

if __name__ == "__main__":
    found = []
    thread = threading.Thread(target=start_theirs, args=(found,))
    thread.start()
    ours = 0
    for _ in range(2):
        with Pool(1, prepare, None, square, apart=True) as pool:
            ours += list(pool.run([(0, 3)])) == [(0, 9)]
    thread.join()
    print(f"{len(found)} of 2 theirs, {ours} of 2 ours")
"""
PARENT = """
import sys
import threading
from sims.workers.pool import Pool
from tests.sims.workers.test_pool import appending, prepare

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


def stop_once(folder, item):
    """Stop this process by a signal in the first task that comes to it, outside of any attempt."""
    mark = Path(folder) / "stopped"
    if item == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGSTOP)
    return item


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a stopped process")
def test_a_worker_that_a_signal_has_stopped_is_told_and_its_task_tried_again(tmp_path):
    said: list[str] = []
    with Pool(2, prepare, str(tmp_path), stop_once, still_s=0.5, noun="chunk", on_message=said.append) as pool:
        assert sorted(number for number, _ in pool.run(enumerate(range(8)))) == list(range(8))
    assert said == ["a worker was stopped by a signal for 0.5 s; its chunk is played again."]


def stop_first_worker() -> None:
    """Stop the first worker of this process that there is, as SIGSTOP does."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for process in multiprocessing.active_children():
            if process.pid is not None:
                os.kill(process.pid, signal.SIGSTOP)
                return
        time.sleep(0.02)


def tuned(said, folder):
    from sims.tuning.tune import tune

    tune(
        small.scenario(game="logistic"),
        budget=20_000,
        method="random",
        out=folder / "study",
        workers=2,
        on_message=said,
    )


def raced(said, folder):
    from sims.arena.arena import run_arena

    run_arena(["constant"], ["stationary"], players=40, workers=2, on_message=said)


def compared(said, folder):
    from sims.comparison.comparison import compare

    compare(small.scenario(attempts=50), small.scenario(attempts=60), workers=2, on_message=said)


def swept(said, folder):
    from sims.sweeping.sweep import sweep

    found = small.scenario(attempts=50)
    sweep(found, {"target.win_rate": "0.5,0.6"}, out=folder / "sweep", workers=2, on_message=said)


def planned(said, folder):
    from sims.planning.plan import plan

    found = small.scenario(attempts=50)
    plan(found, effect=0.05, workers=2, on_message=said)


def planned_for_two(said, folder):
    from sims.planning.plan import _pair
    from sims.workers.executor import Executor

    _pair(small.scenario(attempts=50), small.scenario(attempts=60), 0.05, 0.9, 1.0, 1.0, Executor(2), said)


def tuned_by_level(said, folder):
    from sims.tuning.levels.played_levels import play_levels

    play_levels(load_scenario("campaign", **{"players.count": 600}), workers=2, on_message=said)


STUDIES = {
    "tune": tuned, "arena": raced, "compare": compared, "sweep": swept,
    "plan": planned, "plan for two": planned_for_two, "tune --levels": tuned_by_level,
}  # fmt: skip


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a stopped process")
@pytest.mark.parametrize("command", STUDIES)
def test_each_study_tells_of_a_stopped_worker_and_goes_on(tmp_path, monkeypatch, command):
    said: list[str] = []
    monkeypatch.setattr("sims.workers.executor.Pool", partial(Pool, still_s=1.0))
    stopper = threading.Thread(target=stop_first_worker, daemon=True)
    stopper.start()
    STUDIES[command](said.append, tmp_path)
    stopper.join(1)
    assert sum("a worker was stopped by a signal for 1 s; its" in sentence for sentence in said) == 1
