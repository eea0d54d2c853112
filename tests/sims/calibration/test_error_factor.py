"""Repeats draw fitted numbers from the covariance of the estimates, and margins hold what the fit leaves open."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from engine.estimates.drawn_setup import drawn_setup
from engine.inference.intervals import rate_interval, sums_of
from engine.players import MIX, TRAIT_NAMES
from engine.scenario import setup_of
from sims.calibration.calibration import calibrate
from sims.catalog import Catalog, load_scenario
from sims.cli.app import main
from sims.runs.execution import run
from tests.kit.plays import Truth, planted

DRAWS = 400


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    home = tmp_path_factory.mktemp("errors")
    p = planted(400, Truth(seed=12, levels=6), most=40)
    columns = {"player": p.player, "level": p.level + 1, "attempt": p.order, "won": p.won, "quit": p.quit}
    pd.DataFrame(columns).to_csv(home / "plays.csv", index=False)
    return calibrate(home / "plays.csv", out=home / "out", threads=1)


def drawn_numbers(setup, replica):
    """The numbers of one repeat in the order of a fit, levels first."""
    world = drawn_setup(setup, replica)
    table = world.traits[0]
    skill, frailty = TRAIT_NAMES.index("skill"), TRAIT_NAMES.index("quit_frailty")
    return [
        *world.space.levels["level_difficulty"],
        math.log(table[skill, 2]), table[frailty, 1], world.flow.quit_streak, world.flow.quit_won,
        math.log(table[frailty, 2]), math.atanh(table[frailty, MIX]),
    ]  # fmt: skip


def test_what_repeats_draw_has_the_covariance_of_the_estimates(calibrated):
    setup = dataclasses.replace(setup_of(calibrated.scenario, Catalog()), replicas=DRAWS)
    found = np.array([drawn_numbers(setup, replica) for replica in range(DRAWS)])
    fitted = calibrated.findings.fit
    names = ("log_skill_sd", "quit_frailty", "quit_streak", "quit_won", "log_quit_sd", "atanh_rho")
    places = [*range(fitted.levels), *(fitted.levels + fitted.names.index(name) for name in names)]
    wanted = fitted.covariance[np.ix_(places, places)]
    sd = np.sqrt(np.diag(wanted))
    assert np.abs(found.mean(axis=0) - fitted.point[places]).max() < (4.0 * sd / math.sqrt(DRAWS)).max() + 1e-3
    assert np.diag(np.cov(found.T)) / sd**2 == pytest.approx(1.0, abs=4.0 * math.sqrt(2.0 / DRAWS))
    seen, true = np.corrcoef(found.T), wanted / np.outer(sd, sd)
    assert np.abs(seen - true).max() < 4.5 / math.sqrt(DRAWS)  # of 66 pairs; one common number is all that levels share


def test_one_repeat_plays_the_estimates_themselves(calibrated):
    setup = dataclasses.replace(setup_of(calibrated.scenario, Catalog()), replicas=1)
    assert drawn_setup(setup, 0) is setup
    assert not setup.shares_luck


def test_a_run_says_that_margins_hold_the_error_of_the_calibration(calibrated, tmp_path):
    scenario = load_scenario(calibrated.scenario_file, **{"run.replicas": 4, "players.count": 60})
    found = run(scenario, out=tmp_path / "run", workers=1).verdict
    assert found.rows[0].interval == "by estimate"
    assert any(sentence.startswith("Margins hold the error of the calibration") for sentence in found.sentences)


def test_a_margin_by_estimate_does_not_get_narrow_with_repeats():
    draw = np.random.default_rng(7)
    widths = []
    for repeats in (20, 320):
        tried = np.full(repeats, 10_000)
        wins = np.rint(tried * (0.7 + 0.03 * draw.standard_normal(repeats))).astype(np.int64)
        found = rate_interval(sums_of(wins, tried), "estimate")
        widths.append((found.high - found.low) / 2.0)
    assert widths[1] == pytest.approx(1.96 * 0.03, rel=0.2)
    assert widths[0] == pytest.approx(widths[1], rel=0.5)


def test_precision_is_refused_where_players_do_not_make_margins_narrow(calibrated, tmp_path, capsys):
    command = ["run", str(calibrated.scenario_file), "--precision", "0.02", "--out", str(tmp_path / "run")]
    assert main(command) == 2
    assert "these hold the error of a calibration; add --set run.replicas=1" in capsys.readouterr().err
