"""The plug-in for pytest: the fixture `flowdial`, the marker `balance` and their options. pytest loads it by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from sims.balance_tests.balance_test import BalanceTest

_FIXTURE: Final = "flowdial"
_MARKER: Final = "balance"
_REPORT: Final = "flowdial_report"  # in the user properties of a test, which also reach the JUnit file


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of balance tests."""
    group = parser.getgroup("flowdial", "balance tests by Flowdial")
    group.addoption(
        "--balance-out",
        metavar="DIR",
        help="Keep the run folders and reports of balance tests in DIR; without it pytest removes them after a while.",
    )
    group.addoption("--skip-balance", action="store_true", help="Skip all tests that use the fixture flowdial.")
    group.addoption(
        "--balance-workers",
        type=int,
        default=1,
        metavar="N",
        help="Worker processes of each balance test (default: 1, since pytest-xdist has its own).",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        'balance(scenario, unsure="fail", **settings): what the fixture flowdial plays; unsure="skip" skips where the '
        "run cannot tell. Each test that uses the fixture has it.",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark all tests that use the fixture, and skip them where that was asked for."""
    for item in items:
        if _FIXTURE in getattr(item, "fixturenames", ()):
            if item.get_closest_marker(_MARKER) is None:
                item.add_marker(_MARKER)
            if config.getoption("--skip-balance"):
                item.add_marker(pytest.mark.skip(reason="--skip-balance"))


@pytest.fixture
def flowdial(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BalanceTest]:
    """Play a scenario and fail unless every player group is on target: `flowdial.check("scenarios/launch.toml")`."""
    from sims.balance_tests.balance_test import BalanceTest, Request

    kept = request.config.getoption("--balance-out")
    place = tmp_path if kept is None else Path(os.path.expanduser(kept))
    marker = request.node.get_closest_marker(_MARKER)
    words = marker.args if marker is not None else ()
    settings = dict(marker.kwargs) if marker is not None else {}
    unsure = settings.pop("unsure", "fail")
    if len(words) > 1 or unsure not in ("fail", "skip"):
        pytest.fail(
            'the marker balance takes one scenario, settings, and unsure = "fail" or "skip"; change it.', pytrace=False
        )
    asked = Request(words[0] if words else None, settings, unsure == "skip")
    test = BalanceTest(place, request.node.nodeid, asked, workers=request.config.getoption("--balance-workers"))
    yield test
    request.node.user_properties.extend((_REPORT, str(path)) for path in test.reports)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the reports are that were kept."""
    if terminalreporter.config.getoption("--balance-out") is None:
        return
    paths = sorted(
        {
            value
            for reports in terminalreporter.stats.values()
            for report in reports
            for name, value in getattr(report, "user_properties", ())
            if name == _REPORT
        }
    )
    if paths:
        terminalreporter.section("balance reports")
        for path in paths:
            terminalreporter.write_line(path)
