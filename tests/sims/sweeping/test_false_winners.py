"""Whole sweeps of an option that changes nothing but luck: how often the best trial is called better."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from sims.sweeping.sweep import sweep
from tests.kit import salted, small

SWEEPS = 200


@pytest.fixture
def installed(tmp_path, monkeypatch) -> Path:
    place = tmp_path / "site"
    info = place / "salted-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(Path(salted.__file__), place / "salted.py")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: salted\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flowdial.controllers]\nsalted = salted:CONTROLLER_KIND\n")
    monkeypatch.syspath_prepend(place)
    monkeypatch.delitem(sys.modules, "salted", raising=False)
    # Own plug-ins play in this process; 200 processes more would show nothing.
    monkeypatch.setattr("sims.catalog.Catalog.has_own", lambda *names: True)
    return Path(tmp_path)


def claims_of(folder: Path, first: int, sweeps: int, objective: str) -> list[str]:
    scenario = small.scenario(controller="salted", players=60, attempts=30)
    return [
        sweep(
            scenario,
            {"controller.options.salt": [8 * seed + salt for salt in range(1, 9)]},
            objective=objective,
            out=folder / str(seed),
            workers=1,
        ).claim
        for seed in range(first, first + sweeps)
    ]


@pytest.mark.thorough
def test_an_option_that_does_nothing_is_still_no_winner_in_a_few_sweeps(installed):
    """Of 8 sweeps 0.2 are expected; 3 have a chance of 1 in 1,000."""
    found = claims_of(installed, 0, 8, "true_chance")
    assert found.count("better") < 3
    assert "same" not in found, "the option must change the luck"


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["true_chance", "win_rates"])
def test_an_option_that_does_nothing_is_called_better_in_at_most_a_twentieth_of_sweeps(installed, objective):
    found = claims_of(installed, 0, SWEEPS, objective)
    assert found.count("better") <= 0.05 * SWEEPS, {claim: found.count(claim) for claim in set(found)}
