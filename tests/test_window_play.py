"""A person at the keys: their attempts are rows, on disk at once, and replay; their skill is estimated."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.attempt import attempt_of
from engine.errors import RunFolderError, ScenarioError
from engine.game import LOST, PERFECT, TIMED_OUT, WON, Faculties
from engine.kernel import compiled
from engine.scenario import parse, setup_of
from sims.catalog import Catalog
from sims.human import COHORT, setup_for
from sims.human_actions import FILE
from sims.play import Play, play
from sims.play_picture import VIEW
from sims.replay import Replay
from sims.row_choice import chosen_row
from sims.screen import FRAME_S, Event
from sims.skill_estimate import GRID, curve, estimate, population
from tests.small import TEXT, scenario
from tests.window import frames, installed, press, rows_of, until


def scene_of(tmp_path, game="gap_runner", controller="kalman", **choices):
    folder = tmp_path / "sitting"
    folder.mkdir()
    scene = Play(scenario(installed(game), controller), Catalog(), folder, **choices)
    scene.advance(0.0)
    assert scene._warm is not None
    scene._warm.result()
    return scene


@pytest.fixture
def scene(tmp_path):
    scene = scene_of(tmp_path)
    yield scene
    scene.close()


def start(scene):
    press(scene, "return")
    until(scene, lambda: scene.stage == "playing")


def finish(scene):
    """Let an attempt end by itself, and go on."""
    done = len(scene.outcomes)
    until(scene, lambda: len(scene.outcomes) > done)
    until(scene, lambda: scene.stage == "card")


def test_controller_and_target_are_chosen_on_the_start_screen(scene):
    first = scene.kind.name
    press(scene, "down")
    assert scene.kind.name != first
    press(scene, "up", "left", "left", "right")
    assert scene.kind.name == first
    assert scene.target == pytest.approx(0.55)
    start(scene)
    assert scene.task.who.situation.target == pytest.approx(0.55)


def test_each_attempt_is_on_disk_before_the_next_begins(scene, tmp_path):
    start(scene)
    path = tmp_path / "sitting" / "attempts.csv"
    for done in (1, 2):
        finish(scene)
        rows = rows_of(path)
        assert len(rows) == done
        assert len((tmp_path / "sitting" / FILE).read_text().splitlines()) == done
        assert rows[-1]["source"] == "human"
        assert rows[-1]["cohort"] == COHORT
        assert rows[-1]["skill"] == ""
        assert rows[-1]["outcome"] == "lost"
        assert rows[-1]["cause"] in scene.game.causes
        assert rows[-1]["streak"] == str(done - 1)
        frames(scene, 30)
        press(scene, "space")
        assert scene.stage == "playing"
    assert rows[1]["start_s"] == rows[0]["duration_s"]
    assert float(rows[1]["difficulty"]) < float(rows[0]["difficulty"]), "the controller answers a loss"


def test_a_persons_attempts_replay_to_their_hash(scene, tmp_path):
    start(scene)
    keys = [("down", 20), ("space", 1), ("up", 12), ("down", 2)]
    for n in range(3):
        while scene.stage == "playing":
            key, held = keys[(scene.task.film.tick // 40 + n) % 4]
            scene.handle(Event("press", key))
            frames(scene, held)
            scene.handle(Event("release", key))
            frames(scene, 9)
        until(scene, lambda: scene.stage == "card")
        frames(scene, 30)
        press(scene, "return")
    used = set()
    for number in range(3):
        row = chosen_row(tmp_path / "sitting", row=number)
        for speed in (1.0, 5.0, 32.0):
            replayed = Replay(row, speed=speed)
            while not replayed.at_end:
                replayed.advance(FRAME_S)
            assert replayed.verdict is not None
            assert replayed.verdict.equal
        assert row.deeds is not None
        used |= {deed.action for deed in row.deeds}
    assert used == {0, 1, 2}


def test_a_tap_between_two_ticks_is_not_lost(scene):
    start(scene)
    scene.handle(Event("press", "space"))
    scene.handle(Event("release", "space"))
    frames(scene, 2)
    assert [deed.action for deed in scene._deeds] == [1, 0]


def test_pause_stops_the_game_and_nothing_is_pressed_after_it(scene):
    start(scene)
    scene.handle(Event("press", "down"))
    frames(scene, 5)
    press(scene, "p")
    frames(scene, 100)
    assert scene.task.film.tick == 5
    press(scene, "p")
    frames(scene, 1)
    assert scene._deeds[-1].action == 0


def test_giving_up_is_a_row_that_replays(scene, tmp_path):
    start(scene)
    frames(scene, 40)
    press(scene, "r")
    assert scene.outcomes == [TIMED_OUT]
    row = chosen_row(tmp_path / "sitting", row=0)
    assert row.cells["outcome"] == "timed_out"
    assert row.cells["ticks"] == 40
    assert Replay(row).finish().equal


def test_the_same_seed_gives_the_person_the_same_levels(tmp_path):
    levels = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        scene = scene_of(tmp_path / name)
        start(scene)
        levels.append((scene.task.film.level, tuple(scene.task.film.values)))
        scene.close()
    assert levels[0] == levels[1]


def test_turns_wait_for_the_person(tmp_path):
    scene = scene_of(tmp_path, "boss_duel")
    start(scene)
    frames(scene, 300)
    assert scene.task.film.tick == 0
    press(scene, "s")
    assert scene.task.film.tick == 1
    assert scene._deeds[0].thinking_s == pytest.approx(300 * FRAME_S, abs=0.02)
    while scene.stage == "playing":
        frames(scene, 25)
        press(scene, "a")
    row = chosen_row(tmp_path / "sitting", row=0)
    assert Replay(row).finish().equal
    scene.close()


def middle_of(scene, name):
    shape = next(shape for shape in scene.now if shape.kind == "rect" and shape.text == name)
    x = VIEW.x + (shape.x + shape.width / 2) * VIEW.width
    return x, VIEW.y + (1 - shape.y - shape.height / 2) * VIEW.height


def test_two_clicks_swap_two_tiles(tmp_path):
    scene = scene_of(tmp_path, "tile_match")
    start(scene)
    while scene.stage == "playing":
        frames(scene, 30)
        film = scene.task.film
        wanted = scene.game.expert(film.params, film.level, film.state, PERFECT)
        for name in scene.game.actions[wanted].split("-"):
            scene.handle(Event("click", "left", *middle_of(scene, name)))
        assert scene._deeds[-1].action == wanted
    assert scene.outcomes[0] in (WON, LOST)
    assert Replay(chosen_row(tmp_path / "sitting", row=0)).finish().equal
    scene.close()


def test_the_cursor_takes_a_tile_and_swaps_it_with_its_neighbour(tmp_path):
    game = Catalog().game(installed("tile_match"))
    scene = scene_of(tmp_path, "tile_match")
    start(scene)
    frames(scene, 30)
    press(scene, "right")
    first = scene.cells.cursor
    press(scene, "return", "up")
    assert len(scene._deeds) == 1
    assert game.actions[scene._deeds[0].action] == f"{first}-{first[0]}{int(first[1]) + 1}"
    scene.close()


def test_the_estimate_finds_the_skill_of_a_synthetic_player():
    game = Catalog().game("logistic")
    setup = setup_for(setup_of(scenario("logistic"), Catalog()), Catalog().controller("kalman"), 0.7)
    skills = population(setup)
    kernel = compiled(attempt_of(game))
    faculties = Faculties(0.8, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    values = [np.array([difficulty, 0.02]) for difficulty in np.linspace(-1, 2, 60)]
    won = [kernel(v, faculties, 4, 0, 1, n, 0).outcome == WON for n, v in enumerate(values)]
    found = estimate([curve(game, v, 4) for v in values], won, skills)
    assert found.low < 0.8 < found.high
    assert found.high - found.low < 2.5
    assert found.percentile == pytest.approx(float(np.mean(skills < found.skill)), abs=0.06)
    assert found.twin == pytest.approx(np.mean(won), abs=0.1)


def test_more_skill_never_has_a_smaller_chance():
    game = Catalog().game("gap_runner")
    chances = curve(game, np.array(game.space.defaults()), 1)
    assert chances.shape == GRID.shape
    assert np.all(np.diff(chances) >= 0)


def test_the_estimate_comes_after_ten_attempts(tmp_path):
    scene = scene_of(tmp_path, "gap_runner")
    start(scene)
    for _ in range(10):
        assert scene.estimate is None
        finish(scene)
        frames(scene, 30)
        press(scene, "return")
    for future in scene._curves:
        future.result()
    frames(scene, 2)
    assert scene.estimate.attempts == 10
    assert scene.estimate.skill < 0, "nobody pressed a key"
    assert 0 <= scene.estimate.percentile < 0.5
    scene.close()


def test_a_sitting_that_ends_on_the_start_screen_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    assert play("gap_runner", out=tmp_path / "out", frames=3, seed=5) == 0
    assert "played  0 attempts" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    with pytest.raises(RunFolderError, match="is there already"):
        play("gap_runner", out=tmp_path / "out")
    with pytest.raises(ScenarioError, match="nothing that a person could do"):
        play("logistic", out=tmp_path / "other")
    with pytest.raises(ScenarioError, match="did you mean 'kalman'"):
        play("gap_runner", out=tmp_path / "other", controller="kalmann")
    with pytest.raises(ScenarioError, match="between 0 and 1, got 75"):
        play("gap_runner", out=tmp_path / "other", target=75.0)
    assert not (tmp_path / "other").exists()


def test_a_human_row_without_its_actions_is_told(scene, tmp_path):
    start(scene)
    finish(scene)
    path = tmp_path / "sitting" / FILE
    line = json.loads(path.read_text())
    path.write_text("{broken\n" + json.dumps({**line, "attempt": 9}) + "\n")
    with pytest.raises(RunFolderError, match="does not hold what they did"):
        chosen_row(tmp_path / "sitting", row=0)


def test_a_campaign_goes_up_with_wins(tmp_path):
    text = TEXT.format(game="gap_runner", controller="kalman", players=4, attempts=9).replace(
        "[target]", '[levels]\nkind = "campaign"\ncount = 2\n\n[target]'
    )
    found = parse(text.encode(), "campaign.toml", Catalog())
    (tmp_path / "sitting").mkdir()
    scene = Play(found, Catalog(), tmp_path / "sitting")
    scene.advance(0.0)
    assert scene._warm is not None
    scene._warm.result()
    start(scene)
    assert scene.task is not None
    assert scene.task.film.address.level == scene.task.who.situation.level == 1
    press(scene, "p", "p")
    frames(scene, 2)
    scene.task.film._status = WON
    scene._finish()
    assert scene.task.film.address.level == 2, "a win leads to the next level"
    scene.close()
