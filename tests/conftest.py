"""Options of the test suite."""

from __future__ import annotations

import os
import signal
import tempfile

import pytest

# Games that the person at this machine has registered are no part of the suite.
os.environ["FLOWDIAL_CONFIG_DIR"] = tempfile.mkdtemp(prefix="flowdial-tests-")

# A shell lets background jobs ignore Ctrl-C, and children inherit it: what a signal does could not be tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate-playthroughs",
        action="store_true",
        help="write tests/playthroughs anew from the rules as they are; read the difference before committing it",
    )
    parser.addoption(
        "--regenerate-goldens",
        action="store_true",
        help="write tests/goldens again from what the product says now; read the difference before committing it",
    )
