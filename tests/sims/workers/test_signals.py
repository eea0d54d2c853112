"""Ctrl-C and SIGTERM end a run within five seconds with all that is finished kept; the second one ends it at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from sims.run_folder.folder import PARTIAL, START
from sims.workers.signals import Stopped, Stopping
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
    file.write_text(TEXT.format(game="logistic", controller="weighted_up_down", players=320, attempts=2000))
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
    if partial.exists():
        assert err == f"flowdial: stopped; what is finished is kept. To resume: flowdial resume {partial}\n"
    else:
        assert err == "flowdial: interrupted.\n"
        assert delay_s == 0.0


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
