"""Ctrl-C and SIGTERM end a run within five seconds with all that is finished kept; the second one ends it at once."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from sims.run_folder.folder import PARTIAL, START
from sims.workers.signals import Postponing, Stopped, Stopping
from tests.kit.places import ROOT
from tests.kit.small import TEXT

pytestmark = [pytest.mark.thorough, pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")]

# Keeps busy after the first signal; argument: whether signals are held.
STUBBORN = """
import sys, time
from sims.workers.signals import Stopped, Stopping
with Stopping() as stopping:
    if sys.argv[1] == "held":
        stopping.hold()
    try:
        print("ready", flush=True)
        time.sleep(2)
        print("passed", flush=True)
        time.sleep(60)
    except Stopped:
        print("first", flush=True)
        time.sleep(60)
"""


def started(*words: object) -> subprocess.Popen[str]:
    """In a session of its own, since Ctrl-C goes to a terminal's whole process group."""
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(("workers", "delay_s"), [(1, 0.2), (2, 0.0), (2, 0.1), (2, 0.2), (2, 0.4)])
def test_ctrl_c_for_the_whole_group_is_one_line_and_workers_say_nothing(tmp_path, workers, delay_s):
    """At moments at which workers start, import and play."""
    file = tmp_path / "small.toml"
    file.write_text(TEXT.format(game="logistic", controller="weighted_up_down", players=20_000, attempts=2000))
    partial = tmp_path / f"run{PARTIAL}"
    process = started("-m", "sims", "run", file, "--out", tmp_path / "run", "--workers", workers, "--quiet")
    until = time.monotonic() + 60
    while not (partial / START).exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    time.sleep(delay_s)
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 5
    assert process.returncode == 130
    assert err == f"flowdial: stopped; what is finished is kept. To resume: flowdial resume {partial}\n"


@pytest.mark.parametrize(("first", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("kind", ["free", "held"])
def test_the_second_signal_ends_at_once(first, code, kind):
    process = started("-c", STUBBORN, kind)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(first)
    assert process.stdout.readline() == ("first\n" if kind == "free" else "passed\n")
    process.send_signal(first)
    process.communicate(timeout=5)
    assert process.returncode == code


def test_handlers_come_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Stopping() as stopping:
        stopping.hold()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    with pytest.raises(Stopped) as caught, Stopping():
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.exit_code == 143
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_signal_between_a_folder_and_its_handler_waits_for_the_handler():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Stopped), Postponing(), _with_a_signal_before(), Stopping():
        pytest.fail("the signal that came before was forgotten")
    assert signal.getsignal(signal.SIGINT) is before


@contextlib.contextmanager
def _with_a_signal_before() -> Iterator[None]:
    signal.raise_signal(signal.SIGINT)
    yield


def test_a_signal_that_no_handler_took_over_is_raised_at_the_end():
    with pytest.raises(KeyboardInterrupt), Postponing():
        signal.raise_signal(signal.SIGINT)


def test_a_signal_that_a_callback_from_c_ignores_is_raised_again(capfd):
    """As while kernels are compiled: there Python prints what is raised, and goes on."""
    hook = sys.unraisablehook
    with pytest.raises(Stopped) as stopped, Stopping():
        _stop_in_a_callback(signal.SIGTERM, lambda: time.sleep(10))
    assert stopped.value.exit_code == 143
    assert sys.unraisablehook is hook
    assert capfd.readouterr().err == ""


def test_what_a_signal_tore_is_told_as_the_signal():
    def fail() -> None:
        raise RuntimeError("no compiled object yet")

    with pytest.raises(Stopped), Stopping():
        _stop_in_a_callback(signal.SIGINT, fail)
    time.sleep(0.1)  # no second signal comes


def _stop_in_a_callback(number: int, then: Callable[[], None]) -> None:
    ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(number))()
    then()
