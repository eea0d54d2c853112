"""The response map: right against a closed form, monotone, kept by content, and printed for people."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from scipy.optimize import isotonic_regression
from scipy.stats import norm

from engine.kernel import compiled
from engine.parameters import Knob, ParameterSpace, along, straight_path
from engine.players import Distribution, distribution_table
from engine.response import kept_tables
from engine.response import response_map as module
from engine.response.monotone import TOLERANCE, fit_monotone, monotone
from engine.response.response_map import ATTEMPTS, SKILLS, dial_places, logit_at, response_map
from engine.user_files.cache_folder import cache_folder
from games.boss_duel import GAME as BOSS_DUEL
from games.gap_runner import GAME as GAP_RUNNER
from games.logistic import GAME as LOGISTIC
from sims.cli.app import main
from sims.describing.descriptions import _patience, map_text, show_map

SAMPLED = dataclasses.replace(LOGISTIC, win_probability=None)  # the same rules, and nobody knows the answer
TRAITS = distribution_table({})
SEED = 4027
ERRORS = 4.0
SMALL: dict[str, Any] = {"skills": (-1.0, 0.0, 1.0), "dial": (0.0, 0.3, 0.6, 1.0), "attempts": 50, "seed": SEED}


@pytest.fixture(autouse=True)
def own_maps(tmp_path, monkeypatch):
    """Maps in a folder of the test, kernels where they always are."""
    monkeypatch.setattr(kept_tables, "cache_folder", lambda: tmp_path)
    return tmp_path


def mapped(game=SAMPLED, traits=TRAITS, path=None, **choices):
    path = straight_path(game.space) if path is None else path
    return response_map(game, game.space, path, traits, **{**SMALL, **choices})


def chance(game, skill, difficulty, slope=1.0):
    """The closed form of logistic on the straight dial, written down a second time."""
    hardness, guess = -4.0 + 8.0 * difficulty, 0.5 * (1.0 - difficulty)
    lapse = 1.0 / (1.0 + np.exp(3.9 + 0.5 * skill))
    return guess + (1.0 - guess - lapse) / (1.0 + np.exp(-slope * (skill - hardness)))


def falls_along_and_rises_down(table):
    return (np.diff(table, axis=1) <= 0.0).all() and (np.diff(table, axis=0) >= 0.0).all()


def planted():
    """A monotone truth and independent noise about it."""
    truth = chance(None, np.linspace(-5.0, 5.0, 21)[:, None], np.linspace(0.0, 1.0, 21)[None, :])
    return truth, np.random.default_rng(SEED).binomial(300, truth) / 300


# --- The fit ---------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_the_fit_is_monotone_and_nearer_to_a_monotone_truth():
    truth, noisy = planted()
    fit = monotone(noisy)
    assert not falls_along_and_rises_down(noisy)
    assert falls_along_and_rises_down(fit)
    error = np.sqrt(truth * (1.0 - truth) / 300)

    def standardised(table):
        return np.sqrt((((table - truth) / error) ** 2).mean())

    # 441 squares of noise have mean 1 and standard deviation sqrt(2 / 441), a little more for skewed cells.
    assert standardised(noisy) == pytest.approx(1.0, abs=ERRORS * 1.5 * math.sqrt(2 / noisy.size))
    assert standardised(fit) < 0.8
    # No cell moves by more than noise can: 4.3 errors of one of 441 normal cells are one in a hundred.
    assert (np.abs(fit - noisy) <= 4.3 * error + 1.0 / 300).all()


def test_the_fit_is_the_least_squares_one():
    """The optimum of a projection onto a cone: the rest is orthogonal to it, and rises with no monotone direction."""
    noisy = np.random.default_rng(SEED).random((9, 13))
    fit = monotone(noisy)
    rest = noisy - fit
    room = TOLERANCE * math.sqrt(noisy.size) * math.sqrt(noisy.size)
    assert abs((rest * fit).sum()) <= room
    # The extreme directions of the cone are steps: cells from some place on, for skills up to one that grows.
    generator = np.random.default_rng(SEED + 1)
    for _ in range(2000):
        edge = np.sort(generator.integers(0, 14, 9))
        step = (np.arange(13)[None, :] < edge[:, None]).astype(float)
        assert falls_along_and_rises_down(step)
        assert (rest * step).sum() <= room


@pytest.mark.parametrize("shape", [(1, 60), (60, 1)])
def test_in_one_direction_it_is_what_the_library_gives(shape):
    noisy = np.random.default_rng(SEED).random(60)
    expected = isotonic_regression(noisy, increasing=shape[1] == 1).x
    np.testing.assert_allclose(monotone(noisy.reshape(shape)).ravel(), expected, atol=10.0 * TOLERANCE)


def test_a_monotone_table_stays_as_it_is_to_the_bit():
    truth, noisy = planted()
    for table in (truth, monotone(noisy), np.zeros((3, 4)), np.full((2, 2), 0.1)):
        assert monotone(table).tobytes() == table.tobytes()


def test_plain_python_gives_the_bits_of_the_kernel():
    noisy = np.random.default_rng(SEED).random((5, 6))
    plain, fast = noisy.copy(), noisy.copy()
    assert fit_monotone(plain, TOLERANCE, 1000)
    assert compiled(fit_monotone)(fast, TOLERANCE, 1000)
    assert plain.tobytes() == fast.tobytes()


def test_the_fit_says_when_it_did_not_settle_and_what_it_cannot_take():
    assert not fit_monotone(np.random.default_rng(SEED).random((5, 6)), TOLERANCE, 1)
    for wrong in (np.zeros(3), np.full((2, 2), np.nan)):
        with pytest.raises(ValueError, match="must be finite, with two dimensions"):
            monotone(wrong)


# --- The numbers -----------------------------------------------------------------------------------------------------


def test_sampled_shares_agree_with_the_closed_form_in_every_cell():
    sampled = mapped(skills=SKILLS, dial=None, attempts=ATTEMPTS)
    exact = mapped(LOGISTIC, skills=SKILLS, dial=None, attempts=ATTEMPTS)
    assert (sampled.exact, exact.exact) == (False, True)
    assert sampled.rate.shape == exact.rate.shape == (21, 21)
    error = np.sqrt(exact.rate * (1.0 - exact.rate) / ATTEMPTS)
    # Half a win for cells where less than one loss or win is to be expected, which are not normal.
    assert (np.abs(sampled.raw - exact.rate) <= ERRORS * error + 0.5 / ATTEMPTS).all()
    assert (np.abs(sampled.rate - exact.rate) <= ERRORS * error + 0.5 / ATTEMPTS).all()
    assert not sampled.disorder.any()


def test_the_closed_form_is_exact_where_players_do_not_differ():
    found = mapped(LOGISTIC, skills=SKILLS)
    expected = chance(LOGISTIC, found.skills[:, None], found.dial[None, :])
    np.testing.assert_allclose(found.rate, expected, atol=1e-12)
    np.testing.assert_allclose(found.logits, np.log(expected / (1.0 - expected)), atol=1e-8)
    assert found.half_width < 1e-12


def test_a_closed_form_is_averaged_over_players_who_differ():
    spread = distribution_table({"slope": Distribution("uniform", 0.5, 3.0)})
    found = mapped(LOGISTIC, spread, attempts=4000)
    slopes = np.linspace(0.5, 3.0, 2001)[:, None, None]
    each = chance(LOGISTIC, found.skills[:, None], found.dial[None, :], slopes)
    error = each.std(axis=0) / math.sqrt(4000)
    assert (np.abs(found.rate - each.mean(axis=0)) <= ERRORS * error + 1e-6).all()
    half = norm.ppf(0.975) * error
    np.testing.assert_allclose((found.high - found.low)[1:-1] / 2.0, half[1:-1], rtol=0.1)


def test_the_intervals_hold_the_truth_as_often_as_they_say():
    held = []
    for k in range(100):  # cells share their luck, so maps are counted, not cells
        found = mapped(skills=(0.0, 1.0), dial=(0.4, 0.6), attempts=200, seed=SEED + k)
        held.append(found.low[0, 0] <= chance(LOGISTIC, 0.0, 0.4) <= found.high[0, 0])
    assert np.mean(held) >= 0.95 - ERRORS * math.sqrt(0.95 * 0.05 / 100)
    assert found.half_width == pytest.approx(1.96 * math.sqrt(0.25 / 200), rel=0.05)


@pytest.mark.thorough
@pytest.mark.parametrize("game", [LOGISTIC, SAMPLED, GAP_RUNNER, BOSS_DUEL], ids=["exact", "sampled", "gap", "duel"])
def test_every_table_of_a_map_keeps_the_order(game):
    found = mapped(game, skills=(-2.0, -0.5, 0.0, 0.1, 3.0), dial=None, attempts=100)
    for table in (found.rate, found.low, found.high, found.logits):
        assert table.shape == (5, len(found.dial))
        assert falls_along_and_rises_down(table)
        assert np.isfinite(table).all()
    assert (found.low >= 0.0).all()
    assert (found.low <= found.rate).all()
    assert (found.rate <= found.high).all()
    assert (found.high <= 1.0).all()


def test_condition_is_none_of_a_maps_business_and_motor_overrides_are():
    restless = {
        name: Distribution("fixed", value)
        for name, value in {
            "learning": 3.0, "fatigue": 2.0, "practice_gain": 2.0, "tiring": 3.0, "jump": 4.0, "jump_attempt": 0.0,
            "tilt": 2.0, "lowest_skill": 0.5, "highest_skill": 0.6, "bend_a": 3.0, "bend_b": 0.5, "thrown": 5.0,
            "skill": 2.0,
        }.items()
    }  # fmt: skip
    calm = mapped()
    np.testing.assert_array_equal(mapped(traits=distribution_table(restless)).raw, calm.raw)
    absent = mapped(traits=distribution_table({"lapse": Distribution("fixed", 0.5)}))
    assert (absent.raw[-1] < calm.raw[-1]).any()


def test_a_spread_that_a_cohort_shares_is_spread_over_the_players():
    """One draw for all would be one cohort's map: here the closed form's spread about its mean would be 0."""
    shared = {"slope": Distribution("lognormal", 1.0, 0.3, common=0.4)}
    alike = {"slope": Distribution("lognormal", 1.0, 0.5)}  # 0.3^2 + 0.4^2 = 0.5^2
    found, expected = (mapped(LOGISTIC, distribution_table(traits)) for traits in (shared, alike))
    np.testing.assert_array_equal(found.raw, expected.raw)
    assert found.half_width > 0.0


def test_threads_change_no_number(monkeypatch):
    for game in (LOGISTIC, SAMPLED):
        one = mapped(game)
        monkeypatch.setattr(module, "read_tables", lambda key, names, shape: None)
        assert mapped(game, threads=3).raw.tobytes() == one.raw.tobytes()


def test_what_breaks_the_order_beyond_chance_is_marked():
    hard_first = np.array([[0.0, 0.0], [1.0, 1.0]])[::-1]  # a dial that is turned the wrong way
    turned = mapped(path=hard_first, attempts=500)
    assert turned.disorder.any()
    assert falls_along_and_rises_down(turned.rate)
    assert "the map hides" in map_text(SAMPLED, turned).plain
    exactly = mapped(LOGISTIC, path=hard_first)
    assert exactly.disorder.any()
    assert "the map hides" not in map_text(SAMPLED, mapped()).plain


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"skills": (1.0,)}, "the skills of a response map must be two or more ascending"),
        ({"skills": (0.0, math.nan)}, "the skills of a response map"),
        ({"dial": (0.5, 0.2)}, "the dial of a response map must be"),
        ({"dial": (0.0, 1.2)}, r"in \[0, 1\], got \[0.0, 1.2\]"),
        ({"attempts": 0}, "one or more attempts for each cell, got 0"),
        ({"traits": np.zeros((2, 3, 6))}, "one cohort's traits"),
    ],
)
def test_a_map_that_cannot_be_is_refused(choices, message):
    with pytest.raises(ValueError, match=message):
        mapped(**choices)


# --- Between the cells -----------------------------------------------------------------------------------------------


def test_between_cells_the_error_keeps_its_bound():
    """Bilinear interpolation of f errs by at most (h^2 max|f_ss| + k^2 max|f_dd|) / 8; a chance by a quarter of it."""
    found = mapped(LOGISTIC, skills=SKILLS, dial=None)
    h, k = 0.5, 0.05

    def logits(skill, difficulty):
        p = chance(LOGISTIC, skill, difficulty)
        return np.log(p / (1.0 - p))

    s, d = np.linspace(-4.9, 4.9, 500)[:, None], np.linspace(0.01, 0.94, 500)[None, :]
    step = 1e-3
    by_skill = logits(s + step, d) - 2.0 * logits(s, d) + logits(s - step, d)
    by_place = logits(s, d + step) - 2.0 * logits(s, d) + logits(s, d - step)
    bound = (h * h * np.abs(by_skill).max() + k * k * np.abs(by_place).max()) / step**2 / 8.0 / 4.0
    middles = found.skills[:-1, None] + h / 2.0, found.dial[None, :-2] + k / 2.0
    error = np.abs(found.probability(*middles) - chance(LOGISTIC, *middles))
    assert 0.0 < error.max() <= bound * 1.01
    assert error.max() <= 0.02


def test_at_the_cells_it_is_the_map_and_beyond_the_ends_it_goes_on():
    found = mapped()
    at = found.probability(found.skills[:, None], found.dial[None, :])
    np.testing.assert_allclose(at, (found.rate * 50 + 0.5) / 51, atol=1e-12)  # Jeffreys
    assert found.probability(-9.0, -1.0) == found.probability(-1.0, 0.0)
    assert found.probability([9.0], 2.0).tolist() == found.probability([1.0], 1.0).tolist()
    with pytest.raises(ValueError, match="finite"):
        found.probability(math.nan, 0.5)


def test_between_cells_the_order_holds_and_plain_and_compiled_agree():
    found = mapped(skills=SKILLS, dial=None, attempts=200)
    skills, dial = np.linspace(-6.0, 6.0, 150), np.linspace(0.0, 1.0, 150)
    table = found.probability(skills[:, None], dial[None, :])
    assert (np.diff(table, axis=0) >= -1e-15).all()
    assert (np.diff(table, axis=1) <= 1e-15).all()
    flat = found.logits.ravel()
    for i in (0, 40, 75, 149):
        plain = logit_at(flat, found.skills, found.dial, float(skills[i]), float(dial[i]))
        assert found.probability(skills[i], dial[i]) == pytest.approx(1.0 / (1.0 + math.exp(-plain)), abs=1e-15)


def test_the_dial_has_both_sides_of_each_jump_of_a_coarse_knob():
    space = ParameterSpace(
        Knob("hearts", 1, 3, 2, scale="integer", harder="low"),
        Knob("kind", choices=("a", "b"), default="a", scale="choice"),
        Knob("many", 0, 40, 1, scale="integer"),
        Knob("speed", 0.0, 1.0, 0.5),
    )
    path = straight_path(space)
    found = dial_places(space, path, points=5)
    sides = [float(place) for place in found if place not in (0.0, 0.25, 0.75, 1.0)]
    assert len(sides) == 6
    for (left, right), place in zip(zip(sides[::2], sides[1::2]), (1 / 3, 0.5, 2 / 3), strict=True):
        assert left == pytest.approx(place, abs=1e-15)
        assert right == np.nextafter(left, 2.0)
        before, after = ([space.real([along(path, j, u) for j in range(4)])[:2]] for u in (left, right))
        assert before != after
    held = ParameterSpace(*space.knobs, held={"hearts": 2.0, "kind": "b"})
    assert dial_places(held, path, points=5).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    zigzag = np.array([[0.0] * 4, [1.0] * 4, [0.0] * 4])  # a dial that goes there and back
    assert len(dial_places(space, zigzag, points=3)) == 3 + 2 * 6


def test_a_jump_is_not_smoothed():
    """gap_runner loses a heart at a third of the dial: a map of even places would err by half of it behind there."""
    near = np.array([0.328, 0.338])
    found = mapped(GAP_RUNNER, dial=None, attempts=1000)
    truth = np.array([mapped(GAP_RUNNER, dial=(u, 1.0), attempts=2000, seed=SEED + 1).raw[1, 0] for u in near])
    assert truth[0] - truth[1] > 0.1
    error = np.sqrt(truth * (1.0 - truth) * (1 / 1000 + 1 / 2000))
    # The chance falls by less than 0.01 from the jump to these places.
    assert (np.abs(found.probability(0.0, near) - truth) <= ERRORS * error + 0.01).all()


# --- The cache -------------------------------------------------------------------------------------------------------


def counted(monkeypatch):
    """A list that grows with each map that is played."""
    played: list[object] = []
    real = module._played

    def counting(*given):
        played.append(given)
        return real(*given)

    monkeypatch.setattr(module, "_played", counting)
    return played


def test_a_map_is_played_once_and_read_again_to_the_bit(own_maps, monkeypatch):
    played = counted(monkeypatch)
    first, second = mapped(), mapped()
    assert len(played) == 1
    assert len(list(own_maps.iterdir())) == 1
    for field in dataclasses.fields(first):
        a, b = getattr(first, field.name), getattr(second, field.name)
        assert np.array_equal(a, b)
    assert not second.rate.flags.writeable


@pytest.mark.parametrize(
    "other",
    [
        {"seed": SEED + 1},
        {"attempts": 51},
        {"skills": (-1.0, 0.0, 1.1)},
        {"dial": (0.0, 0.3, 0.6, 0.9)},
        {"traits": distribution_table({"lapse": Distribution("fixed", 0.1)})},
        {"path": np.array([[0.0, 0.0], [1.0, 0.5]])},
        {"space": ParameterSpace(*LOGISTIC.space.knobs, held={"guess": 0.1})},
        {"game": dataclasses.replace(SAMPLED, max_ticks=2)},
        {"game": dataclasses.replace(SAMPLED, start=lambda params, level, key: LOGISTIC.start(params, level, key))},
    ],
    ids=["seed", "attempts", "skills", "dial", "traits", "path", "space", "ticks", "rules"],
)
def test_a_map_of_anything_else_is_another_map(other):
    def key(game=SAMPLED, space=LOGISTIC.space, path=None, traits=TRAITS, **choices):
        path = straight_path(space) if path is None else path
        grid = {**SMALL, **choices}
        numbers = (np.array(grid["skills"]), np.array(grid["dial"]), grid["attempts"], grid["seed"])
        return module._key(game, space, path, module._calm_crowd(traits), *numbers)

    assert key() == key()
    assert key(**other) != key()


@pytest.mark.parametrize("damage", ["empty", "half", "flipped", "foreign", "wrong shape", "not a number"])
def test_a_damaged_file_is_made_anew(own_maps, monkeypatch, damage):
    found = mapped()
    (file,) = own_maps.iterdir()
    whole = file.read_bytes()
    tables = {name: getattr(found, name) for name in ("raw", "rate", "low", "high")}
    if damage == "wrong shape":
        np.savez(file, **{name: table[:2] for name, table in tables.items()})
    elif damage == "not a number":
        np.savez(file, **{**tables, "rate": np.full_like(found.rate, np.nan)})
    else:
        at = whole.index(found.rate.tobytes())
        flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        file.write_bytes(
            {"empty": b"", "half": whole[: len(whole) // 2], "flipped": flipped, "foreign": b"x" * 99}[damage]
        )
    played = counted(monkeypatch)
    again = mapped()
    assert len(played) == 1
    assert again.rate.tobytes() == found.rate.tobytes()
    mapped()
    assert len(played) == 1


def test_a_map_needs_no_place_to_be_kept(monkeypatch, own_maps):
    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert mapped().rate.shape == (3, 4)
    assert list(own_maps.iterdir()) == []


def test_a_known_map_is_read_without_a_compiler(own_maps):
    """In a fresh interpreter, which finds the map by content and never asks for a kernel."""
    text = (
        "import sys; from pathlib import Path; from engine.response import response_map as response\n"
        "from engine.response import kept_tables\n"
        "from engine.parameters import straight_path; from engine.players import distribution_table\n"
        "from games.logistic import GAME\n"
        f"kept_tables.cache_folder = lambda: Path({str(own_maps)!r})\n"
        "found = response.response_map(GAME, GAME.space, straight_path(GAME.space), distribution_table({}),\n"
        f"    skills={SMALL['skills']}, dial={SMALL['dial']}, attempts=50, seed={SEED})\n"
        "print(found.logits.tolist(), 'numba' in sys.modules)"
    )
    expected = mapped(LOGISTIC).logits.tolist()
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{expected} False"


def test_maps_are_kept_where_kernels_are_and_pruned_like_them(monkeypatch, tmp_path):
    monkeypatch.setenv("FLOWDIAL_CACHE_DIR", str(tmp_path / "chosen"))
    monkeypatch.setattr(kept_tables, "cache_folder", cache_folder)
    pruned = []
    monkeypatch.setattr(kept_tables, "prune", lambda *given: pruned.append(given))
    mapped()
    (file,) = (tmp_path / "chosen").glob("*.npz")
    assert pruned == [(file.parent, "map-*.npz")]
    assert file.match("map-*.npz")


# --- For people ------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


def grid(text):
    """Numbers of a printed map: skill -> cells."""
    lines = [line.split() for line in text.splitlines()[5:] if line.strip()]
    return {float(line[0]): [int(cell) for cell in line[1:]] for line in lines}


def test_describe_prints_a_plain_heat_map(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as some build servers have it; a pipe is no terminal all the same
    assert main(["describe", "logistic", "--map"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    lines = out.splitlines()
    assert "win rate in per cent" in lines[0]
    assert "2,000 players through the closed form" in lines[1]
    assert "at most +-0.0" in lines[1]
    assert lines[3].strip() == "difficulty"
    assert lines[4].split() == ["skill", *(f"{k / 10:.1f}" for k in range(11))]
    found = grid(out)
    assert sorted(found) == list(SKILLS)
    for skill, cells in found.items():
        expected = 100.0 * chance(LOGISTIC, skill, np.linspace(0.0, 1.0, 11))
        np.testing.assert_allclose(cells, expected, atol=0.5 + 1e-9)
    assert max(map(len, lines[3:])) <= 80
    assert all(line == line.rstrip() for line in lines)


def test_describe_gives_the_numbers(capsys):
    assert main(["describe", "logistic", "--map", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["game"], found["attempts"], found["closed_form"]) == ("logistic", ATTEMPTS, True)
    assert np.shape(found["rate"]) == np.shape(found["low"]) == (len(found["skills"]), len(found["dial"])) == (21, 11)
    assert main(["describe", "logistic", "--dial", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["skills"] == [-1.5, 0.0, 1.5]


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["logistic", "--json"], "add --dial or --map"),
        (["logistic", "--dial", "--map"], "choose one"),
        (["kalman", "--map"], "kalman"),
    ],
)
def test_describe_refuses_what_makes_no_table(capsys, words, rule):
    assert main(["describe", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert rule in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("no_colour", [False, True])
def test_a_terminal_gets_colour_unless_it_wants_none(monkeypatch, no_colour):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    stream, plain = Terminal(), io.StringIO()
    for place in (stream, plain):
        show_map(LOGISTIC, False, pytest.fail, place)
    assert ("\x1b[" in stream.getvalue()) is not no_colour
    if no_colour:
        assert stream.getvalue() == plain.getvalue()


def test_who_waits_is_told_how_long(monkeypatch):
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    said: list[str] = []
    progress = _patience(GAP_RUNNER, said.append)
    for done, now in enumerate((10.0, 11.0, 12.0, 30.0, 31.0), 1):  # noqa: B007 - the first skill holds a compilation
        progress(done, 5)
    assert said == [
        "playing gap_runner: 2 of 5 skills done, about 3 s left.",
        "playing gap_runner: 4 of 5 skills done, about 7 s left.",
    ]
    now = 0.0
    short = _patience(GAP_RUNNER, pytest.fail)  # nearly done: nobody need be told
    for done, now in enumerate((10.0, 10.1, 10.2), 1):  # noqa: B007 - read by the clock
        short(done, 3)


def test_correlated_traits_make_the_map_of_traits_that_are_not():
    """A map has one skill in each cell, so nothing goes with it there."""
    plain, mixed = (distribution_table({}, how) for how in (None, {"skill": {"quit_frailty": -0.5}}))
    one, two = (
        response_map(LOGISTIC, LOGISTIC.space, straight_path(LOGISTIC.space), table, attempts=50)
        for table in (plain, mixed)
    )
    assert one.rate.tolist() == two.rate.tolist()
