"""Scores of courses: the same players for all, the same bytes for any number of workers, and true chances."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from engine.errors import PluginFault, ScenarioError
from engine.response.chance_map import chance_map
from engine.response.response_map import response_map
from engine.scenario import parse, setup_of
from engine.world import chunks, simulate
from sims.arena.courses import Course, CourseScores, Entrant, entrant_of, refuse_absent, score_courses, setup_with
from sims.arena.race import race
from sims.arena.true_chances import Judge
from sims.catalog import Catalog
from tests.kit.two_groups import two_groups

pytestmark = pytest.mark.thorough

CATALOG = Catalog()
UP_DOWN, KALMAN = Entrant("weighted_up_down"), Entrant("kalman")


def test_one_two_and_seven_workers_give_the_same_bytes(tmp_path):
    found = two_groups(scope="cohort", replicas=4)
    assert len(chunks(setup_of(found, CATALOG))) == 8, "there must be work to divide"
    for workers in (1, 2, 7):
        folder = tmp_path / str(workers)
        folder.mkdir()
        race(found, ["kalman", "weighted_up_down"], workers=workers).write(folder)
    for name in ("scores.csv", "scores.html"):
        one, two, seven = ((tmp_path / workers / name).read_bytes() for workers in ("1", "2", "7"))
        assert one == two == seven


def test_all_meet_the_same_players_whatever_else_races():
    course = Course("small", two_groups())
    alone = score_courses([course], [KALMAN], workers=1)
    among = score_courses([course], [UP_DOWN, KALMAN, Entrant("cma_es")], workers=1)
    assert (alone.scores["small", "kalman"] == among.scores["small", "kalman"]).all()
    tracks = [scores["track"].tolist() for scores in among.scores.values()]
    assert tracks[0] == tracks[1] == tracks[2], "by the scenario's scope, whatever their own is"


def test_scores_are_of_the_true_chances_of_the_rows():
    """By hand: the closed form of the rows that the world itself leaves."""
    found = two_groups(scope="cohort")
    base = setup_of(found, CATALOG)
    setup = setup_with(base, KALMAN, CATALOG)
    scores = score_courses([Course("small", found)], [KALMAN], workers=1).scores["small", "kalman"]
    assert len(scores) == 2
    for cohort, chunk in enumerate(chunks(base)):
        rows = simulate(setup, chunk).rows
        guess = rows["params"][:, 1]
        reach = rows["slope"] * (rows["skill"] - rows["params"][:, 0])
        p = guess + (1.0 - guess - rows["lapse"]) / (1.0 + np.exp(-reach))
        wanted = (0.6, 0.4)[cohort]
        judged = rows["attempt"] >= 10
        times = np.unique(rows["start_s"][judged])
        square = sum((p[judged & (rows["start_s"] == time)].mean() - wanted) ** 2 for time in times)
        assert scores[cohort]["judged"] == len(times) > 30, "after the first session they play at times of their own"
        assert scores[cohort]["square"] == pytest.approx(square)


def test_who_steers_players_alone_is_scored_with_those_who_share():
    """Such a controller could be cut into smaller pieces; then each piece would count as a cohort of its own."""
    found = two_groups(scope="cohort", players=60, attempts=2000)
    assert len(chunks(setup_with(setup_of(found, CATALOG), Entrant("ramp"), CATALOG))) > 2
    scores = score_courses([Course("small", found)], [Entrant("ramp"), UP_DOWN], workers=1).scores
    assert scores["small", "ramp"]["track"].tolist() == scores["small", "weighted_up_down"]["track"].tolist() == [0, 1]


def test_best_static_is_the_best_for_the_scenarios_own_horizon():
    short, long = (setup_of(two_groups(attempts=attempts), CATALOG) for attempts in (12, 400))
    fixed = [setup_with(base, Entrant("best_static"), CATALOG).options for base in (short, long)]
    assert [tuple(one) for one in fixed] == [(12.0, 20.0), (400.0, 20.0)]
    given = entrant_of(CATALOG.controller("best_static"), {"attempts": 77.0, "session": 7.0})
    assert tuple(setup_with(short, given, CATALOG).options) == (77.0, 7.0)
    endless = two_groups().resolved_toml().replace("session_attempts = 20.0", "session_attempts = 0.0")
    base = setup_of(parse(endless.encode(), "small.toml", CATALOG), CATALOG)
    assert base.flow.session_attempts == 0.0
    assert tuple(setup_with(base, Entrant("best_static"), CATALOG).options) == (40.0, 40.0), "one session"


def test_thrown_attempts_do_not_count():
    thrown = two_groups(traits="thrown = 3.0")
    scores = score_courses([Course("small", thrown)], [UP_DOWN], workers=1).scores["small", "weighted_up_down"]
    weak, strong = (scores[scores["cohort"] == cohort] for cohort in (0, 1))
    assert set(strong["attempts"].tolist()) == {40}
    assert set(weak["attempts"].tolist()) == {34}, "two sessions of twenty, three thrown in each"
    unscored = score_courses([Course("small", thrown, 3)], [UP_DOWN], workers=1).scores["small", "weighted_up_down"]
    assert set(unscored["attempts"].tolist()) == {34}, "twins who throw nothing are scored on the same attempts"


def test_who_cannot_play_is_absent_with_the_reason():
    shared = dataclasses.replace(two_groups(scope="cohort"))
    shared = parse(
        shared.resolved_toml().replace("deploy_every_s = 0.0", "deploy_every_s = 60.0").encode(), "small.toml", CATALOG
    )
    found = score_courses([Course("small", shared)], [Entrant("oracle"), KALMAN], workers=1)
    assert "sets the difficulty for each player" in found.absent["small", "oracle"]
    assert list(found.scores) == [("small", "kalman")]
    everyone = score_courses(
        [Course("small", two_groups(scope="everyone"))], [Entrant("bayes_limit"), KALMAN], workers=1
    )
    assert everyone.absent["small", "bayes_limit"] == "bayes_limit does not support scope everyone"


def test_whoever_needs_all_of_a_race_is_told_who_raised():
    with pytest.raises(PluginFault, match=r"^small: elo is left out: its controller or the game raised KeyError\.$"):
        refuse_absent(CourseScores({}, {}, {("small", "elo"): "its controller or the game raised KeyError"}))
    refuse_absent(CourseScores({}, {}, {}))


def test_costs_are_measured_per_attempt():
    found = score_courses([Course("small", two_groups(players=60, attempts=200))], [UP_DOWN], workers=1)
    assert 0.0 < found.microseconds["small", "weighted_up_down"] < 1e6


@pytest.mark.parametrize(
    ("given", "word"),
    [({"speed": 1.0}, "no option 'speed'"), ({"step": 2.0}, "from 0 to 1"), ({"step": math.nan}, "got nan")],
)
def test_wrong_options_are_refused(given, word):
    with pytest.raises(ScenarioError, match=word):
        entrant_of(CATALOG.controller("weighted_up_down"), given)


def test_options_at_their_defaults_are_no_options():
    kind = CATALOG.controller("weighted_up_down")
    assert entrant_of(kind, kind.options()._asdict()) == Entrant("weighted_up_down")
    assert entrant_of(kind, {"step": 0.02}).label == "weighted_up_down step=0.02"


def test_a_map_foretells_attempts_on_the_dial_and_no_others():
    found = two_groups(game="gap_runner", attempts=12, traits="bend_a = 1.7, speed = 1.0")
    base = setup_of(found, CATALOG)
    few = [
        response_map(
            base.game, base.space, base.path, traits, attempts=20, skills=[-3.0, 0.0, 3.0], dial=[0.0, 0.5, 1.0]
        )
        for traits in base.traits
    ]
    maps = [
        chance_map(base.game, base.space, base.path, traits, known=known, attempts=200)
        for traits, known in zip(base.traits, few, strict=True)
    ]
    judge = Judge(tuple(maps), 10.0)
    setup = setup_with(base, UP_DOWN, CATALOG)
    for number, chunk in enumerate(chunks(base)):
        played = simulate(setup, chunk)
        foretold = judge.chances(setup, played, played.rows).foretold
        places = played.rows["difficulty"]
        if number == 0:
            places = 1.0 - (1.0 - places**1.7) ** 1.0  # where a bent dial acts
        owners = played.players[np.searchsorted(played.players["player"], played.rows["player"])]
        expected = maps[number].chances(owners, 0, played.rows["skill"], places)
        assert foretold == pytest.approx(expected, abs=1e-9)
        moved = played.rows.copy()
        moved["params"][:, 0] += 0.01
        assert np.isnan(judge.chances(setup, played, moved).foretold).all()
