"""A row comes back as exactly the attempt that it was, at any speed, and a row that was changed does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.attempt import Address, attempt_of
from engine.errors import EnvironmentFault, RunFolderError, ScenarioError
from engine.game import PERFECT, Faculties
from engine.kernel import compiled
from sims.catalog import Catalog
from sims.playback.outcome_cells import outcome_cells
from sims.playback.row_choice import attempts_file, choose_row, read_row, rows_of_pick
from sims.playback.stepper import AttemptStepper, Recording
from sims.run_folder.row_file import open_table
from sims.runs.verification import verify
from sims.window.palette import GREEN, VERMILLION
from sims.window.replay import TRACK, VIEW, ReplayScene, replay
from sims.window.screen import FRAME_S, Event, Window
from tests.kit.letters import NotedCanvas
from tests.kit.window import GAMES, Screen, frames, installed, press, rows_of, small_run

PEOPLE = (
    PERFECT,
    Faculties(-0.4, 1.0, 0.34, 0.05, 0.12, 0.08, 0.04, 0.7),
    Faculties(1.0, 1.0, 0.25, 0.03, 0.1, 0.0, 0.0, 1.4),
)


# Plain Python plays a board of tile_match for seconds.
TIERED = [pytest.param(name, marks=pytest.mark.thorough if name == "tile_match" else ()) for name in GAMES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("window")


@pytest.mark.parametrize("name", ["logistic", *TIERED])
def test_a_film_is_the_kernels_twin(name):
    game = Catalog().game_with_rules(installed(name))
    rng = np.random.default_rng(7)
    values: Any
    kernel = compiled(attempt_of(game))
    for attempt in range(12):
        values = np.array(game.space.real(rng.random(len(game.space)).tolist()))
        address = Address(99, 1, 3, attempt, attempt % 3)
        stepper = AttemptStepper(game, values, PEOPLE[attempt % 3], address)
        while not stepper.ended:
            stepper.step()
        assert stepper.result() == kernel(values, PEOPLE[attempt % 3], *address)


@pytest.mark.parametrize("name", ["logistic", *GAMES])
def test_looking_changes_nothing(name):
    game = Catalog().game_with_rules(installed(name))
    values = np.array(game.space.defaults())
    seen, unseen = (AttemptStepper(game, values, PEOPLE[1], Address(5, 0, 2, 1, 0)) for _ in range(2))
    while not unseen.ended:
        seen.step()
        unseen.step()
        assert seen.shapes() == seen.shapes()
    assert seen.result() == unseen.result()


def at_three_speeds(path, number):
    row = choose_row(path, row=number)
    for speed in (1.0, 7.3, 64.0):
        scene = ReplayScene(row, speed=speed)
        while not scene.at_end:
            scene.advance(FRAME_S)
        assert scene.check is not None
        assert scene.check.equal, (number, speed, scene.check)
        assert scene.check.result.state_hash == row.cells["state_hash"]


@pytest.mark.parametrize("game", TIERED)
def test_rows_replay_to_their_hash_at_three_speeds(folder, game):
    path = small_run(folder, game)
    for number in np.random.default_rng(3).choice(open_table(path / "attempts.csv").rows, 5, replace=False):
        at_three_speeds(path, int(number))


@pytest.mark.slow
@pytest.mark.parametrize("game", GAMES)
def test_a_hundred_random_rows_replay_to_their_hash_at_three_speeds(folder, game):
    path = small_run(folder, game, players=20, attempts=40, format="parquet")
    for number in np.random.default_rng(1).choice(open_table(path / "attempts.parquet").rows, 100, replace=False):
        at_three_speeds(path, int(number))


def test_going_back_and_forth_ends_on_the_same_state(folder):
    scene = ReplayScene(choose_row(small_run(folder, "gap_runner"), row=2))
    scene.handle(Event("click", "left", TRACK.x + TRACK.width * 0.9, TRACK.y + 4))
    scene.handle(Event("move", "", TRACK.x + TRACK.width * 0.2, TRACK.y + 4))
    scene.handle(Event("drop"))
    place = scene.place
    assert not scene.playing
    assert 0 < place < 0.3 * int(scene.row.cells["ticks"])
    press(scene, "right", "right", "left")
    assert scene.place == place + 1
    press(scene, "up", "up", "down", "space")
    assert scene.speed == 2.0
    frames(scene, 30)
    assert scene.place == pytest.approx(place + 1 + 60)
    press(scene, "end")
    assert scene.finish().equal
    press(scene, "space")
    assert scene.place == 0.0
    press(scene, "escape")
    assert scene.done


def test_parquet_and_csv_give_the_same_attempt(folder):
    csv, parquet = (choose_row(small_run(folder, "gap_runner", format=f), row=4) for f in ("csv", "parquet"))
    assert csv.address == parquet.address
    assert ReplayScene(parquet).finish() == ReplayScene(csv).finish()


@pytest.mark.parametrize("column", ["score", "end_place"])
def test_a_row_from_before_a_column_is_equal_without_it(folder, tmp_path, column):
    """boss_duel's rules are as they were before."""
    header, *lines = (small_run(folder, "boss_duel") / "attempts.csv").read_text().splitlines()
    place = header.split(",").index(column)
    older = [",".join(cell for n, cell in enumerate(line.split(",")) if n != place) for line in (header, *lines)]
    path = tmp_path / "older.csv"
    path.write_text("\n".join([*older, ""]))
    assert ReplayScene(choose_row(path, row=4)).finish().equal
    result = verify(path)
    assert result.equal
    assert f"{len(lines):,} of {len(lines):,} replayed rows are equal" in result.sentences[-1]


def test_a_changed_row_differs_and_says_so(folder, tmp_path, capsys):
    text = (small_run(folder, "gap_runner") / "attempts.csv").read_text()
    header, first, *rest = text.splitlines()
    place = header.split(",").index("param_speed")
    cells = first.split(",")
    cells[place] = "5.5"
    changed = tmp_path / "changed.csv"
    changed.write_text("\n".join([header, ",".join(cells), *rest, ""]))
    assert replay(changed, row=0, record=tmp_path / "a.png", frames=2) == RunFolderError.exit_code
    assert "row 0: state differs: duration_s, score, ticks, state_hash (hash" in capsys.readouterr().out
    assert replay(changed, row=1, record=tmp_path / "b.png", frames=2) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"picture {tmp_path / 'b.png'}\n")
    assert "row 1: state equal" in told


CHANGED: dict[str, Callable[[str], str]] = {
    "duration_s": lambda text: repr(float(text) + 1.0),
    "outcome": lambda text: "timed_out",
    "won": lambda text: "true" if text == "false" else "false",
    "progress": lambda text: repr(0.5 * float(text)),
    "score": lambda text: repr(0.5 * float(text)),
    "cause": lambda text: "hit a beam" if text != "hit a beam" else "hit a spike",
    "end_place": lambda text: str(int(text) + 1),
    "ticks": lambda text: str(int(text) + 1),
    "state_hash": lambda text: str(int(text) + 1),
}


@pytest.mark.parametrize("column", CHANGED)
def test_no_outcome_column_can_change_unseen_by_replay_or_verify(folder, tmp_path, capsys, column):
    number = choose_row(small_run(folder, "gap_runner"), pick="first loss").number
    header, *lines = (small_run(folder, "gap_runner") / "attempts.csv").read_text().splitlines()
    cells = lines[number].split(",")
    place = header.split(",").index(column)
    cells[place] = CHANGED[column](cells[place])
    lines[number] = ",".join(cells)
    path = tmp_path / "changed.csv"
    path.write_text("\n".join([header, *lines, ""]))
    row = choose_row(path, row=number)
    assert set(CHANGED) == set(outcome_cells(row.game, ReplayScene(row).finish().result))
    assert ReplayScene(row).finish().differences == (column,)
    assert f"row {number}: {column}: the file has" in verify(path).sentences[0]


def colours_at_the_end(scene):
    """Shares of the view that are green and vermillion."""
    scene.finish()
    with Window("test", hidden=True) as window:
        pixels = Screen(window).paint(scene)
    x, y = round(VIEW.x), round(VIEW.y)
    view = pixels[y : y + round(VIEW.height), x : x + round(VIEW.width)]
    return [float((view == colour).all(axis=2).mean()) for colour in (GREEN, VERMILLION)]


@pytest.mark.parametrize("game", GAMES)
def test_the_last_picture_of_a_loss_cannot_be_taken_for_a_win(folder, game):
    path = small_run(folder, game)
    lost, won = (choose_row(path, pick=f"first {ending}") for ending in ("loss", "win"))
    green, red = colours_at_the_end(ReplayScene(lost))
    assert green == 0.0
    assert 0.002 < red < 0.1
    assert colours_at_the_end(ReplayScene(won))[0] > 0.002
    for row in (lost, won):
        changed = row._replace(cells={**row.cells, "state_hash": 1})
        green, red = colours_at_the_end(ReplayScene(changed))
        assert green == 0.0
        assert red > 0.25, "nothing is louder than a state that differs"


@pytest.mark.parametrize(
    ("words", "column", "largest", "wanted"),
    [
        ("closest loss", "progress", True, {"outcome": "lost"}),
        ("the closest loss", "progress", True, {"outcome": "lost"}),
        ("longest win", "duration_s", True, {"outcome": "won"}),
        ("hardest win of old", "difficulty", True, {"outcome": "won", "cohort": "old"}),
        ("first attempt of player 1", "start_s", False, {"player": "1"}),
    ],
)
def test_words_pick_the_row_that_they_mean(folder, words, column, largest, wanted):
    path = small_run(folder, "gap_runner")
    fits = [r for r in rows_of(path / "attempts.csv") if all(r[name] == value for name, value in wanted.items())]
    expected = (max if largest else min)(fits, key=lambda row: float(row[column]))
    found = choose_row(path, pick=words).cells
    assert (str(found["player"]), str(found["attempt"])) == (expected["player"], expected["attempt"])


def test_the_first_loss_at_a_level_is_found(folder, tmp_path):
    text = (small_run(folder, "gap_runner") / "attempts.csv").read_text()
    header, *lines = text.splitlines()
    level, outcome = (header.split(",").index(name) for name in ("level", "outcome"))
    cells = [line.split(",") for line in lines]
    lost = [row for row in cells if row[outcome] == "lost"]
    for row in lost[3:5]:
        row[level] = "7"
    path = tmp_path / "campaign.csv"
    path.write_text("\n".join([header, *(",".join(row) for row in cells), ""]))
    assert choose_row(path, pick="the first loss at level 7").number in (cells.index(lost[3]), cells.index(lost[4]))


def test_a_row_is_found_by_player_and_attempt(folder):
    path = small_run(folder, "gap_runner")
    found = choose_row(path, player=1, attempt=3)
    assert (found.address.player, found.address.attempt) == (1, 3)


def test_an_attempt_that_several_replicas_have_is_asked_for_by_its_replica(folder, tmp_path):
    header, *lines = (small_run(folder, "gap_runner") / "attempts.csv").read_text().splitlines()
    place = header.split(",").index("replica")
    again = []
    for line in lines:
        cells = line.split(",")
        cells[place] = "1"
        again.append(",".join(cells))
    path = tmp_path / "two.csv"
    path.write_text("\n".join([header, *lines, *again, ""]))
    with pytest.raises(ScenarioError, match=r"has 2 rows of attempt 3 of player 1, .* choose one with --replica N"):
        choose_row(path, player=1, attempt=3)
    found = [choose_row(path, player=1, attempt=3, replica=replica) for replica in (0, 1)]
    assert [row.address.replica for row in found] == [0, 1]
    assert found[1].number - found[0].number == len(lines)
    assert [row.several_replicas for row in found] == [True, True]
    assert not choose_row(small_run(folder, "gap_runner"), row=0).several_replicas
    with pytest.raises(ScenarioError, match="no attempt 3 of player 1 in replica 2"):
        choose_row(path, player=1, attempt=3, replica=2)
    with pytest.raises(ScenarioError, match="a replica belongs to"):
        choose_row(path, replica=1)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"pick": "closest los"}, "did you mean 'loss'"),
        ({"pick": "nearest loss"}, "--pick knows first, last"),
        ({"pick": "loss"}, "--pick takes words like"),
        ({"pick": "first loss at level 7"}, "has no first loss at level 7"),
        ({"row": 10**9}, "has rows 0 to"),
        ({"player": 1}, "belong together"),
        ({"row": 1, "pick": "last win"}, "choose a row in one way"),
        ({"player": 10**9, "attempt": 0}, "has no attempt 0 of player"),
    ],
)
def test_a_wish_that_cannot_be_met_is_one_sentence(folder, choice, message):
    with pytest.raises(ScenarioError) as fault:
        choose_row(small_run(folder, "gap_runner"), **choice)
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_target_without_rows_is_told(tmp_path):
    with pytest.raises(RunFolderError, match="no file of attempts"):
        choose_row(tmp_path)


@pytest.mark.parametrize("name", ["last.png", "all.gif", "all.webp"])
def test_a_replay_is_recorded_without_any_screen(folder, tmp_path, name, monkeypatch):
    from PIL import Image

    monkeypatch.delenv("DISPLAY", raising=False)
    path = tmp_path / name
    assert replay(small_run(folder, "gap_runner"), row=1, record=path, frames=40, speed=4.0) == 0
    with Image.open(path) as image:
        assert image.size == ((1280, 720) if name.endswith("png") else (960, 540))
        assert getattr(image, "n_frames", 1) == (1 if name.endswith("png") else 10)


def test_a_recording_of_another_kind_is_refused(folder, tmp_path):
    with pytest.raises(ScenarioError, match=r"ends in .png, .webp, .gif or .mp4, got a.avi"):
        replay(small_run(folder, "gap_runner"), record=tmp_path / "a.avi", frames=1)
    with pytest.raises(EnvironmentFault, match="no frame was shown; record at least one frame"):
        replay(small_run(folder, "gap_runner"), record=tmp_path / "a.png", frames=0)


def test_a_reel_stops_with_a_persons_last_deed():
    game = Catalog().game_with_rules("gap_runner")
    stepper = AttemptStepper(game, np.array(game.space.defaults()), PERFECT, Address(1, 0, 0, 0, 0))
    recording = Recording(stepper, [])
    recording.reach(5)
    assert recording.whole
    assert len(recording.states) == 1


def test_n_steps_through_the_rows_of_a_pick_and_shift_n_goes_back(folder):
    path = small_run(folder, "gap_runner")
    table = open_table(attempts_file(path))
    numbers = rows_of_pick(table, "closest loss")
    assert numbers[0] == choose_row(path, pick="closest loss").number
    reached = [read_row(table, number).cells["progress"] for number in numbers]
    assert reached == sorted(reached, reverse=True)
    scene = ReplayScene(read_row(table, numbers[0]), others=numbers, open_row=lambda number: read_row(table, number))
    scene.finish()
    seen = [scene.row.number]
    for shift in (False, False, True, True, True):
        before = scene.row
        scene.handle(Event("press", "n", shift=shift))
        seen.append(scene.row.number)
        if scene.row is not before:
            assert scene.check is None, "from its start"
            assert scene.playing
        assert scene.finish().equal
    assert seen == [numbers[at] for at in (0, 1, 2, 1, 0, 0)]


@pytest.mark.parametrize("game", GAMES)
def test_a_loss_says_why_and_a_win_does_not(folder, game):
    path = small_run(folder, game)
    for words, said in (("closest loss", True), ("first win", False)):
        scene = ReplayScene(choose_row(path, pick=words))
        scene.finish()
        assert scene.story is not None
        assert bool(scene.story.why) == said
        with Window("test", hidden=True) as window:
            canvas = NotedCanvas(window.canvas.surface)
            scene.paint(canvas)
            told = [word.said for word in canvas.words]
        assert any(scene.story.why[1:20] in word for word in told) or not said
