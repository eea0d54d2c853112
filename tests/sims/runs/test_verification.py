"""Verification passes what is true and finds what is not, down to one digit."""

from __future__ import annotations

import dataclasses
import json
import random
import re
import shutil
import struct
from pathlib import Path

import pytest

from engine.errors import RunFolderError, ScenarioError
from engine.record import ATTEMPT_COLUMNS
from engine.scenario import parse
from sims.catalog import Catalog
from sims.cli.app import main
from sims.playback.stepper import HumanAction
from sims.run_folder.row_file import lines_of, open_table, value_of
from sims.runs import verification
from sims.runs.execution import run
from sims.runs.verification import sample_rows, verify
from sims.window.playing.human_session import HumanSession, human_setup
from tests.kit.small import TEXT, scenario, setup

COLUMNS = [c.name for c in ATTEMPT_COLUMNS] + ["param_difficulty", "param_guess", "belief_difficulty"]
# What a row alone does not prove: a file without its manifest can be wrong there.
NOT_REPLAYED = {"scenario", "cohort", "session", "place", "start_s", "controller", "target", "difficulty", "clipped"}
NOT_REPLAYED |= {"streak", "mood", "belief_difficulty"}


def differs(target: Path, **choices) -> str:
    """What is said of a target in which something is wrong."""
    result = verify(target, **choices)
    assert not result.equal
    return "\n".join(result.sentences)


def passes(target: Path, **choices) -> str:
    """What is said of a target in which nothing is wrong."""
    result = verify(target, **choices)
    assert result.equal
    return "\n".join(result.sentences)


@pytest.fixture(scope="module", params=["csv", "parquet"])
def whole(request, tmp_path_factory) -> Path:
    out: Path = tmp_path_factory.mktemp(request.param) / "run"
    assert run(scenario(players=12, attempts=60), out=out, workers=1, format=request.param).faults == {}
    return out


@pytest.fixture(scope="module")
def csv_run(tmp_path_factory) -> Path:
    out: Path = tmp_path_factory.mktemp("plain") / "run"
    assert run(scenario(players=12, attempts=60), out=out, workers=1).faults == {}
    return out


@pytest.fixture
def copy(csv_run, tmp_path) -> Path:
    return Path(shutil.copytree(csv_run, tmp_path / "run"))


def changed_digit(text: str) -> str:
    """The same text with one digit, or one letter, changed."""
    if re.search(r"\d", text):
        places = [match.start() for match in re.finditer(r"\d", text)]
        place = places[-1]
        return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
    swapped = {"true": "false", "false": "true", "won": "lost", "lost": "won", "new": "old", "old": "new", "": "failed"}
    return swapped.get(text, f"{text}x")


def with_changed_cell(path: Path, row: int, column: str) -> None:
    lines = path.read_text().split("\n")
    place = lines[0].split(",").index(column)
    cells = lines[row + 1].split(",")
    cells[place] = changed_digit(cells[place])
    lines[row + 1] = ",".join(cells)
    path.write_text("\n".join(lines))


@pytest.mark.parametrize("rows", [None, 100, 10**9])
def test_true_rows_pass(whole, rows):
    said = [passes(whole, rows=rows), passes(next(whole.glob("attempts.*")), rows=rows)]
    manifest = json.loads((whole / "manifest.json").read_text())
    count, files = 100 if rows == 100 else manifest["rows"], len(manifest["files"])
    equal = f"{count:,} of {count:,} replayed rows are equal"
    assert [line.split(": ")[1] for line in said] == [
        f"{equal}, and {files} of {files} checksums",
        f"{equal}, and 1 of 1 checksums",
    ]


def test_a_lonely_file_passes_without_a_checksum(whole, tmp_path):
    path = next(whole.glob("attempts.*"))
    assert passes(Path(shutil.copy(path, tmp_path / path.name))).endswith(" replayed rows are equal")


@pytest.mark.parametrize("column", COLUMNS)
def test_one_changed_digit_in_any_column_is_found(copy, column, capsys):
    with_changed_cell(copy / "attempts.csv", 17, column)
    assert main(["verify", str(copy), "--rows", "20", "--json"]) == 4
    found = json.loads(capsys.readouterr().out)
    assert not found["equal"]
    assert found["notes"][0] == "attempts.csv has changed since the run"
    assert found["checksums_equal"] == found["checksums_compared"] - 1 > 1
    assert ("attempts", 17, column) in [(d["table"], d["row"], d["column"]) for d in found["differences"]]
    assert {d["row"] for d in found["differences"]} == {17}


@pytest.mark.parametrize("column", [name for name in COLUMNS if name not in NOT_REPLAYED])
def test_one_changed_digit_in_a_lonely_file_is_found_by_replay(copy, tmp_path, column):
    path = Path(shutil.copy(copy / "attempts.csv", tmp_path / "attempts.csv"))
    with_changed_cell(path, 300, column)
    assert "attempts, row 300: " in differs(path)


def test_a_changed_value_in_parquet_is_found(tmp_path):
    from pyarrow import parquet

    out = tmp_path / "run"
    assert run(scenario(players=12, attempts=60), out=out, workers=1, format="parquet").faults == {}
    path = out / "attempts.parquet"
    table = parquet.read_table(path)
    place = table.schema.get_field_index("mood")
    moods = table["mood"].to_pylist()
    moods[5] = struct.unpack("<d", struct.pack("<q", struct.unpack("<q", struct.pack("<d", moods[5]))[0] ^ 1))[0]
    parquet.write_table(table.set_column(place, table.schema.field(place), [moods]), path)
    said = differs(out, rows=10)
    assert "attempts, row 5: mood" in said
    assert said.count("attempts, row") == 1


def test_a_flipped_bit_in_parquet_is_found(tmp_path):
    out = tmp_path / "run"
    assert run(scenario(players=12, attempts=60), out=out, workers=1, format="parquet").faults == {}
    path = out / "attempts.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)
    assert differs(out, rows=10)
    lonely = Path(shutil.copy(path, tmp_path / path.name))
    with pytest.raises(RunFolderError, match="cannot be read"):
        verify(lonely)


@pytest.mark.parametrize("name", ["players.csv", "sessions.csv"])
def test_a_changed_player_or_session_is_found(copy, name):
    with_changed_cell(copy / name, 3, "wins")
    said = differs(copy, rows=10)
    assert f"{name} has changed since the run" in said
    assert f"{name.split('.')[0]}, row 3: wins: the file has" in said


def test_of_very_many_changed_cells_only_the_first_are_told(copy):
    path = copy / "attempts.csv"
    lines = path.read_text().split("\n")
    wide = {lines[0].split(",").index(name) for name in ("start_s", "streak", "mood")}
    for number, line in enumerate(lines[1:-1], start=1):
        lines[number] = ",".join(f"{cell}1" if j in wide else cell for j, cell in enumerate(line.split(",")))
    path.write_text("\n".join(lines))
    said = differs(copy, rows=10)
    assert "more than 1,000 cells differ" in said
    assert "more cells\n" in said
    assert len(said.splitlines()) < 30


def test_a_scenario_that_cannot_be_read_is_said(copy):
    with_changed_cell(copy / "attempts.csv", 3, "start_s")
    (copy / "scenario.toml").write_text("format = 9\n")
    assert "is unknown, because scenario.toml cannot be read: " in differs(copy, rows=10)


def test_other_files_are_covered_by_their_checksums(copy):
    (copy / "summary.csv").write_text("cohort\n")
    (copy / "datapackage.json").unlink()
    said = differs(copy, rows=10)
    assert "summary.csv has changed since the run\ndatapackage.json has changed since the run\n" in said


def test_missing_added_and_torn_rows_are_found(copy):
    path = copy / "attempts.csv"
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:-2], ""]))
    assert f"attempts, row {len(lines) - 3}: row: the file has 'no row'" in differs(copy, rows=10)
    path.write_text("\n".join([*lines[:-1], lines[3], ""]))
    assert f"attempts, row {len(lines) - 2}: row: the file has 'a row', expected 'no row'" in differs(copy, rows=10)
    path.write_text("\n".join(lines)[:-8])
    assert f"attempts, row {len(lines) - 3}: state_hash" in differs(copy)
    path.write_text("\n".join([*lines[:9], "what is this", *lines[10:]]))
    assert "attempts, row 8: row: the file has '1 cells'" in differs(copy)


def test_code_that_changed_since_is_said(copy, monkeypatch):
    with_changed_cell(copy / "attempts.csv", 3, "start_s")
    monkeypatch.setattr(verification, "code_digests", lambda setup: {})
    assert "is unknown, because the code has changed since the run" in differs(copy, rows=10)


def test_a_changed_scenario_is_said(copy):
    path = copy / "scenario.toml"
    path.write_text(path.read_text().replace("seed = 11", "seed = 12"))
    with_changed_cell(copy / "attempts.csv", 3, "start_s")
    assert "scenario.toml is not the one that was run" in differs(copy, rows=10)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not a table of attempts"),
        ("a,b\n1,2\n", "is not a table of attempts"),
        ("<html>\n<p>report, of a game</p>\n", "is not a table of attempts"),
        ("game,seed\n", "has no rows, so there is nothing to replay"),
        ("game,seed\nlogistic,1\n", "lacks the column source"),
    ],
)
def test_a_file_that_holds_no_attempts_is_refused(tmp_path, text, sentence):
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(RunFolderError, match=sentence):
        verify(tmp_path / "rows.csv")


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_run_that_nobody_came_to_is_whole(tmp_path, file_format):
    text = TEXT.format(game="logistic", controller="weighted_up_down", players=3, attempts=9)
    late = text.replace("count = 3\n", 'count = 3\n[players.arrival]\nkind = "rate"\nper_day = 0.001\n')
    found = parse(late.encode(), "late.toml", Catalog())
    assert run(found, out=tmp_path / "run", workers=1, format=file_format).faults == {}
    path = tmp_path / "run" / f"attempts.{file_format}"
    for target in (tmp_path / "run", path):
        assert "0 of 0 replayed rows are equal, and " in passes(target)
    with pytest.raises(RunFolderError, match="is not a table of attempts"):
        verify(tmp_path / "run" / "report.html")
    if file_format == "csv":
        path.write_text(path.read_text() + "1\n")
        assert differs(tmp_path / "run")


@pytest.fixture
def session(tmp_path):
    """What the window leaves of a person who played three attempts."""
    found = setup(game="gap_runner")
    folder = tmp_path / "sitting"
    folder.mkdir()
    session = HumanSession(human_setup(found, found.kind, 0.6), folder)
    for number in range(3):
        attempt = session.next()
        human_actions = []
        while not attempt.stepper.ended:
            human_actions.append(HumanAction((attempt.stepper.tick // 9 + number) % 3))
            attempt.stepper.do(human_actions[-1])
        session.finish(attempt, human_actions)
    session.close()
    return folder


def test_what_a_person_played_is_played_again_from_their_actions(session):
    for target in (session, session / "attempts.csv"):
        assert passes(target).endswith("3 of 3 replayed rows are equal")


@pytest.mark.parametrize("column", ["ticks", "state_hash", "outcome", "progress", "cause", "seed", "game_version"])
def test_a_changed_digit_of_a_human_row_is_found(session, column):
    with_changed_cell(session / "attempts.csv", 1, column)
    assert differs(session)


def test_a_choice_that_the_game_does_not_have_is_found(session):
    with_changed_cell(session / "attempts.csv", 1, "param_hazards")
    assert "param_hazards: the file has" in differs(session)


def test_a_skill_that_a_human_row_claims_is_found(session):
    path = session / "attempts.csv"
    lines = path.read_text().split("\n")
    cells = lines[1].split(",")
    cells[lines[0].split(",").index("skill")] = "0.5"
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]))
    assert "attempts, row 0: skill: the file has '0.5', expected ''" in differs(session)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_rows_of_another_version_of_the_rules_are_told_apart_from_damaged_ones(form, tmp_path, monkeypatch):
    out = tmp_path / "run"
    assert run(scenario(players=3, attempts=20), out=out, workers=1, format=form).faults == {}
    newer = dataclasses.replace(Catalog().game("logistic"), version=2)
    monkeypatch.setattr(Catalog, "game", lambda self, name: newer)
    with pytest.raises(RunFolderError, match=r"was played by version 1 of logistic, but this Flowdial has version 2"):
        verify(out)


def test_human_rows_without_their_actions_are_counted_apart(session):
    path = session / "human_actions.jsonl"
    path.write_text(path.read_text().split("\n", 1)[0] + "\n")
    said = differs(session)
    assert said.startswith("2 human rows were skipped (first: row 1)")
    assert said.endswith("1 of 1 replayed rows are equal")


def test_a_simulated_player_cannot_do_without_a_skill(copy, tmp_path):
    lines = (copy / "attempts.csv").read_text().split("\n")
    cells = lines[4].split(",")
    cells[lines[0].split(",").index("skill")] = ""
    (tmp_path / "rows.csv").write_text("\n".join([*lines[:4], ",".join(cells), *lines[5:]]))
    assert "attempts, row 3: skill: the file has '', expected 'a value'" in differs(tmp_path / "rows.csv")


def test_targets_that_cannot_be_verified(tmp_path, copy):
    with pytest.raises(RunFolderError, match="no run folder and no file"):
        verify(tmp_path / "nothing")
    with pytest.raises(RunFolderError, match=r"has no manifest\.json"):
        verify(tmp_path)
    path = copy / "manifest.json"
    text = path.read_text()
    path.write_text(text[:99])
    with pytest.raises(RunFolderError, match=r"manifest\.json is damaged"):
        verify(copy)
    path.write_text(text.replace('"format_version": 1', '"format_version": 2'))
    with pytest.raises(RunFolderError, match="has format 2, but this Flowdial reads formats up to 1; update"):
        verify(copy)
    lines = (copy / "attempts.csv").read_text()
    (tmp_path / "rows.csv").write_text(lines.replace(",logistic,", ",logistics,"))
    with pytest.raises(ScenarioError, match="logistics"):
        verify(tmp_path / "rows.csv")


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_rubbish_in_a_file_of_attempts_is_found_or_refused_and_never_a_crash(file_format, tmp_path):
    """Bytes flipped, cut, doubled and put in; blindly, but the same ones every time."""
    assert run(scenario(players=4, attempts=12), out=tmp_path / "run", workers=1, format=file_format).faults == {}
    path = tmp_path / f"attempts.{file_format}"
    data = (tmp_path / "run" / path.name).read_bytes()
    dice = random.Random(f"rubbish in {file_format}")
    refused = 0
    for number in range(120):
        damaged = bytearray(data)
        place = dice.randrange(len(data)) if number % 2 else dice.randrange(max(0, len(data) - 3000), len(data))
        match number % 5:
            case 0:
                damaged[place] ^= 1 << dice.randrange(8)
            case 1:
                del damaged[place:]
            case 2:
                damaged[place:place] = damaged[place : place + 300]
            case 3:
                del damaged[place : place + dice.choice([1, 40])]
            case 4:
                damaged[place:place] = dice.choice(
                    [b"\0", b"\n", b",", b'"', b"\xff", b"nan", b"9" * 500, b"1e999", b"-"]
                )
        path.write_bytes(damaged)
        try:
            refused += not verify(path, rows=5, seed=number).equal
        except (RunFolderError, ScenarioError):
            refused += 1
    assert refused > 20


def test_a_sample_has_no_row_twice_and_follows_its_seed():
    drawn = sample_rows(1000, 400, 3)
    assert drawn == sorted(set(drawn))
    assert len(drawn) == 400
    assert drawn == sample_rows(1000, 400, 3) != sample_rows(1000, 400, 4)
    assert sample_rows(5, None, 0) == sample_rows(5, 9, 0) == [0, 1, 2, 3, 4]


def test_rows_are_found_by_number(whole):
    table = open_table(next(whole.glob("attempts.*")))
    every = list(lines_of(table.path, table.columns))
    assert len(every) == table.rows
    assert list(lines_of(table.path, table.columns, [0, 7, table.rows - 1])) == [every[0], every[7], every[-1]]


def test_cells_are_read_strictly():
    column = {c.name: c for c in ATTEMPT_COLUMNS}
    assert value_of(column["cause"], "") is None
    assert value_of(column["won"], "true") is True
    for name, text in [
        ("won", "maybe"),
        ("won", ""),
        ("ticks", "1.5"),
        ("ticks", "-1"),
        ("seed", str(2**63)),
        ("slip", "nan"),
        ("slip", "1.5"),
        ("mood", "x"),
        ("mood", "0 5"),
        ("mood", "0_5"),
        ("seed", "1_0"),
        ("seed", "007"),
        ("seed", "\uff11"),
    ]:
        with pytest.raises(ValueError, match=r"."):
            value_of(column[name], text)


def test_a_digit_that_does_not_change_the_bits_is_still_seen():
    skill = next(column for column in ATTEMPT_COLUMNS if column.name == "skill")
    assert value_of(skill, "0.00001") == 1e-5
    assert value_of(skill, "1.6393574076896772e+10") == 16393574076.896772
    assert float("9007199254740993.1") == float("9007199254740994")
    with pytest.raises(ValueError, match="the shortest number with these bits"):
        value_of(skill, "9007199254740993.1")
