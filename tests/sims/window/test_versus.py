"""Two walls side by side: the same players at the same places, and the difference that `compare` gives."""

from __future__ import annotations

import math

import pytest

from engine.errors import ScenarioError
from engine.world import chunks, simulate
from sims.catalog import Catalog
from sims.comparison.comparison import compare
from sims.comparison.differences import measure_differences
from sims.comparison.metrics import metric_sums
from sims.comparison.sides import SideSetups, SideSums, sides_of
from sims.window.canvas import SMALLEST_LETTERS
from sims.window.screen import Event, Window
from sims.window.watching.paired_worlds import rival_of
from sims.window.watching.versus import watch_against
from sims.window.watching.versus_layout import PLACES, place_box
from sims.window.watching.versus_picture import paint_versus
from sims.window.watching.versus_scene import VersusScene
from tests.kit.letters import NotedCanvas
from tests.kit.small import TEXT, scenario
from tests.kit.window import frames, press, until


def scene_of(rival="constant", *, game="logistic", controller="kalman", speed=math.inf):
    before = scenario(game, controller, players=60, attempts=30)
    return VersusScene(before, rival_of(before, rival, Catalog()), Catalog(), speed=speed)


def numbers(change):
    """A change as text, so that what is not known equals itself."""
    told = (change.cohort, change.metric.name, change.players, change.attempts, change.difference, change.p_adjusted)
    return repr(told)


def sums_of_ended(scene):
    """Both sides' sums by player, of those who ended on both: from a run of each scenario."""
    before, after = (one.scenario for one in scene.scenes)
    sides = sides_of(before, [after], before.seed)
    setups = SideSetups(sides)
    ended = [{(piece.replica, int(piece.players["player"][0])) for piece in one.world.finished} for one in scene.scenes]
    both = ended[0] & ended[1]
    results = []
    for number, one in enumerate(scene.scenes):
        setup, sums = setups.setups[number], setups.no_sums(number)
        for chunk in chunks(setup):
            played = simulate(setup, chunk)
            found = metric_sums(played, setups.after, len(setup.game.causes), setups.levels)
            for player, row in zip(played.players["player"], found, strict=True):
                if (chunk.replica, int(player)) in both:
                    sums[int(player) // 10_000_000][chunk.replica, int(player) % 10_000_000] = row
        results.append(SideSums(sums, one.live_verdict.judge_now(), one.world.played))
    return len(both), measure_differences(sides, results)


def test_the_difference_is_that_of_compare_on_the_same_attempts():
    scene = scene_of()
    scene.play_ahead(18)
    for _ in range(3):
        frames(scene, 3)
        scene.paired.look(now=True)
        players, expected = sums_of_ended(scene)
        assert players == scene.paired.players > 0
        found = scene.paired.differences
        assert [numbers(change) for change in found.changes] == [numbers(change) for change in expected.changes]
        assert found.confidence == expected.confidence


@pytest.mark.parametrize(
    ("controller", "rival"),
    [("kalman", "constant"), ("cma_es", "evolution_strategy")],
)
@pytest.mark.thorough
def test_at_its_end_the_difference_is_that_of_compare(controller, rival):
    scene = scene_of(rival, controller=controller)
    until(scene, lambda: scene.over)
    scene.paired.look(now=True)
    before, after = (one.scenario for one in scene.scenes)
    expected = compare(before, after, workers=1)
    found = scene.paired.differences
    assert [numbers(change) for change in found.changes] == [numbers(change) for change in expected.changes]
    assert scene.paired.changes[0].cohort == ""
    assert {change.cohort for change in scene.paired.changes[1:]} == {"new", "old"}


def test_the_same_players_stand_at_the_same_places():
    scene = scene_of(speed=8.0)
    shown = [[dict[int, None]() for _ in range(PLACES)] for _ in scene.scenes]  # players in order, by side and place
    for _ in range(600):
        frames(scene, 1)
        for one, places in zip(scene.scenes, shown, strict=True):
            for viewport, players in zip(one.viewports, places, strict=True):
                if viewport.attempt is not None:
                    players[viewport.attempt.player] = None
    for left, right in zip(*shown, strict=True):
        shorter = min(len(left), len(right))
        assert list(left)[:shorter] == list(right)[:shorter]
        assert abs(len(left) - len(right)) <= 1, "nobody goes on before their twin has come to the end"
    assert sum(map(len, shown[0])) > PLACES, "places go on to their next players"


def test_words_of_two_walls_are_whole_and_large_enough():
    scene = scene_of(game="boss_duel", speed=8.0)
    scene.play_ahead(18)
    frames(scene, 30)
    for size in ((1280, 720), (960, 1080), (1920, 1080)):
        with Window("test", hidden=True, size=size) as window:
            canvas = NotedCanvas(window.canvas.surface)
            paint_versus(scene, canvas)
            assert canvas.faults == [], size
            assert canvas.smallest >= SMALLEST_LETTERS


@pytest.mark.thorough
def test_a_click_shows_a_loss_and_the_walls_wait():
    scene = scene_of(game="gap_runner", speed=8.0)
    until(scene, lambda: scene.scenes[1].viewports[0].last_loss is not None)
    box = place_box(1, 0)
    scene.handle(Event("click", "left", box.x + 5, box.y + 5))
    assert scene.replaying is scene.scenes[1]
    played = [one.world.played for one in scene.scenes]
    frames(scene, 20)
    assert played == [one.world.played for one in scene.scenes]
    press(scene, "escape")
    assert scene.replaying is None
    assert not scene.done


def test_a_rival_is_another_controller_or_a_scenario_with_the_same_groups(tmp_path):
    before = scenario("logistic", "kalman")
    after = rival_of(before, "constant", Catalog())
    assert after.form.controller.name == "constant"
    assert after.seed == before.seed
    path = tmp_path / "other.toml"
    text = TEXT.format(game="logistic", controller="kalman", players=30, attempts=20)
    path.write_text(text.replace("seed = 11", "seed = 12"))
    assert rival_of(before, str(path), Catalog()).seed == 11
    fewer = rival_of(before, str(path), Catalog(), [("players.count", "6"), ("seed", "3")])
    assert (fewer.form.players.count, fewer.seed) == (6, 11)
    path.write_text(text.replace('name = "old"', 'name = "others"'))
    with pytest.raises(ScenarioError, match="--against needs the same player groups in the same order, new, old, got"):
        rival_of(before, str(path), Catalog())


@pytest.mark.thorough
def test_both_sides_leave_a_run_folder_each(tmp_path, capsys):
    path = tmp_path / "small.toml"
    path.write_text(TEXT.format(game="logistic", controller="kalman", players=60, attempts=30))
    out, picture = tmp_path / "out", tmp_path / "walls.png"
    assert watch_against(str(path), "constant", record=picture, frames=30, out=out) == 0
    assert picture.stat().st_size > 10_000
    for side in ("left", "right"):
        assert (out / side / "manifest.json").exists()
        assert (out / side / "report.html").exists()
    assert "win rate, right − left: " in capsys.readouterr().out
