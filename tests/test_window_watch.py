"""What is watched is what is run: the same rows, whatever is paused, skipped, enlarged or switched off the screen."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from engine.errors import ScenarioError
from sims import runs
from sims.catalog import Catalog
from sims.screen import Event
from sims.trend import Trend
from sims.watch import SPEEDS, Watch, watch
from sims.watch_picture import menu_boxes, place_box
from tests.small import TEXT, scenario
from tests.window import frames, installed, keyed, press, rows_of, until


def scene_of(game="gap_runner", controller="kalman", players=12, attempts=8, **choices):
    return Watch(scenario(installed(game), controller, players=players, attempts=attempts), Catalog(), **choices)


@pytest.mark.parametrize(
    ("game", "controller"),
    [("gap_runner", "kalman"), ("logistic", "weighted_up_down"), ("logistic", "cma_es"), ("boss_duel", "constant")],
)
def test_a_wall_that_ran_to_its_end_leaves_the_rows_of_a_run(tmp_path, game, controller):
    found = scenario(installed(game), controller, players=12, attempts=8)
    runs.run(found, out=tmp_path / "run", workers=1, quiet=True, json=True)
    scene = Watch(found, Catalog(), speed=math.inf)
    until(scene, lambda: scene.over)
    scene.wall.save(tmp_path / "watched.csv")
    assert (tmp_path / "watched.csv").read_bytes() == (tmp_path / "run" / "attempts.csv").read_bytes()


def test_whatever_is_looked_at_the_rows_are_those_of_a_run(tmp_path):
    found = scenario("gap_runner", "kalman", players=30, attempts=8)
    runs.run(found, out=tmp_path / "run", workers=1, quiet=True, json=True)
    scene = Watch(found, Catalog(), speed=16.0)
    frames(scene, 200)
    press(scene, "space", "right", "right", "space", "tab", "3", "up")
    frames(scene, 100)
    press(scene, "tab", "escape", "up", "up")
    frames(scene, 20)
    scene.wall.save(tmp_path / "watched.csv")
    watched, run = (keyed(rows_of(path)) for path in (tmp_path / "watched.csv", tmp_path / "run" / "attempts.csv"))
    assert 40 < len(watched) <= len(run)
    assert all(run[key] == row for key, row in watched.items())


def test_what_is_shown_ends_as_its_row_says():
    scene = scene_of(speed=8.0)
    seen = 0
    for _ in range(1500):
        scene.advance(1 / 60)
        for place in scene.places:
            if place.ended and place.seen is not None:
                assert place.seen.film.outcome == place.seen.outcome
                seen += 1
    assert seen > 50


def test_charts_count_an_attempt_once_and_only_when_it_has_ended():
    scene = scene_of(speed=8.0)
    frames(scene, 900)
    shown = sum(place.seen is not None and not place.ended for place in scene.places)
    assert scene.trend.attempts == scene.wall.played - shown
    press(scene, *["up"] * len(SPEEDS))
    until(scene, lambda: scene.over)
    assert scene.trend.attempts == scene.wall.played
    assert sum(trend.attempts for trend in scene.trends[:-1]) == scene.trends[-1].attempts


def test_pause_and_single_step():
    scene = scene_of()
    frames(scene, 100)
    press(scene, "space")
    before = [place.film.tick for place in scene.places]
    frames(scene, 50)
    assert [place.film.tick for place in scene.places] == before
    press(scene, "right")
    assert [place.film.tick for place in scene.places] == [tick + 1 for tick in before]


def test_a_click_enlarges_a_place_and_a_second_one_gives_the_wall_back():
    scene = scene_of()
    box = place_box(4)
    click = Event("click", "left", box.x + 20, box.y + 20)
    scene.handle(click)
    assert scene.large == 4
    scene.handle(click)
    assert scene.large is None
    press(scene, "9", "escape")
    assert not scene.done
    press(scene, "escape")
    assert scene.done


@pytest.mark.parametrize("controller", ["kalman", "cma_es"])
def test_a_cohort_is_picked(controller):
    scene = scene_of(controller=controller, players=40, cohort=1, speed=math.inf)
    frames(scene, 3)
    assert {place.seen.cohort for place in scene.places if place.seen is not None} == {1}
    press(scene, "tab")
    assert scene.wall.cohort is None
    press(scene, "tab")
    assert scene.wall.cohort == 0


def test_a_switched_controller_stands_in_the_rows_and_in_the_chart(tmp_path):
    scene = scene_of(players=12, attempts=30, speed=32.0)
    frames(scene, 120)
    press(scene, "c")
    wanted = [kind.name for kind in scene.menu.kinds].index("weighted_up_down")
    box = menu_boxes(len(scene.menu.kinds))[wanted]
    scene.handle(Event("click", "left", box.x + 5, box.y + 5))
    assert scene.menu is None
    assert scene.wall.switched
    assert [mark.words for mark in scene.shown_marks] == ["weighted_up_down"]
    frames(scene, 400)
    scene.wall.save(tmp_path / "rows.csv")
    rows = rows_of(tmp_path / "rows.csv")
    names = [row["controller"] for row in rows]
    assert set(names) == {"kalman", "weighted_up_down"}
    for before, after in pairwise(rows):
        if before["player"] == after["player"] and before["controller"] == "weighted_up_down":
            assert after["controller"] == "weighted_up_down"
    for row in rows:
        assert (row["belief_skill"] == "") == (row["controller"] != "kalman")
        assert (row["belief_difficulty"] == "") == (row["controller"] != "weighted_up_down")


def test_the_menu_offers_only_controllers_of_this_scope_and_escape_keeps_the_one_there_is():
    scene = scene_of(controller="cma_es")
    press(scene, "c")
    assert all(scene.setup.scope in kind.scopes for kind in scene.menu.kinds)
    press(scene, "down", "up", "escape")
    assert scene.menu is None
    assert not scene.wall.switched
    assert not scene.done


def test_a_trend_keeps_its_memory_flat_and_its_numbers_right():
    trend = Trend()
    for n in range(20_000):
        trend.add(0, n % 9, n % 4 != 0, 0.25, 1.0)
    assert len(trend.rates) <= 240
    last = trend.rates[-1]
    assert last.y == pytest.approx(0.75, abs=0.01)
    assert last.low < last.y < last.high
    assert trend.dials[-1].y == 0.25
    assert trend.rates == sorted(trend.rates)


def test_the_command_saves_rows_and_says_where(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    path = tmp_path / "small.toml"
    path.write_text(TEXT.format(game="gap_runner", controller="kalman", players=12, attempts=5))
    assert watch(str(path), frames=120, out=tmp_path / "out", speed=32.0, cohort="new") == 0
    assert f"rows    {tmp_path / 'out' / 'attempts.csv'}" in capsys.readouterr().out
    assert len(rows_of(tmp_path / "out" / "attempts.csv")) > 8
    assert watch(str(tmp_path / "out"), frames=2, record=tmp_path / "a.png") == 0, "a folder is watched again"
    with pytest.raises(ScenarioError, match="did you mean 'new'"):
        watch(str(path), cohort="neww")


def test_ctrl_c_saves_what_was_watched(tmp_path, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    path = tmp_path / "small.toml"
    path.write_text(TEXT.format(game="gap_runner", controller="kalman", players=12, attempts=5))
    calls = []

    def interrupted(scene, canvas):
        calls.append(1)
        if len(calls) == 50:
            raise KeyboardInterrupt

    monkeypatch.setattr("sims.watch.paint_watch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        watch(str(path), out=tmp_path / "out", speed=32.0)
    assert len(rows_of(tmp_path / "out" / "attempts.csv")) >= 9
