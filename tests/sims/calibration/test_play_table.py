"""What is read of a file: columns, spellings, forms, bad rows, and what is refused."""

from __future__ import annotations

import gzip
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.errors import ScenarioError
from sims.calibration.fit import fit
from sims.calibration.histories import histories_of
from sims.calibration.play_files.columns import map_columns, parse_columns
from sims.calibration.play_files.play_file import read_play_file
from sims.calibration.play_files.play_table import read_play_table
from tests.kit.plays import Truth, planted

P = planted(120, Truth(levels=5, seed=3), most=30)
FRAME = pd.DataFrame({"player": P.player, "level": P.level + 1, "won": P.won, "order": P.order, "session": P.session})


def read(tmp_path, data, columns=None, **flags):
    path = tmp_path / "plays.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_play_table(read_play_file(path), columns or {}, **flags)


def csv(frame=FRAME, **options):
    return frame.to_csv(index=False, **options)


def same(one, other):
    a, b = histories_of(one.plays), histories_of(other.plays)
    assert a.levels == b.levels
    for name in ("starts", "level", "won", "features", "risk", "quits", "reasons", "fold"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes(), name


@pytest.mark.parametrize(
    "data",
    [
        csv(sep=";"),
        csv(sep="\t"),
        csv(sep="|"),
        "\ufeff" + csv(),
        csv(lineterminator="\r\n"),
        gzip.compress(csv().encode()),
        csv().encode("utf-16"),
        csv(FRAME.assign(won=FRAME.won.map({1: "Yes", 0: "no"}))),
        csv(FRAME.assign(won=FRAME.won.map({1: "TRUE", 0: "False"}))),
        csv(FRAME.assign(won=FRAME.won.map({1: " won ", 0: "lost"}))),
        csv(FRAME.assign(won=FRAME.won.astype(float))),
        csv(FRAME.assign(level=FRAME.level.astype(float), player=["id " + str(x) for x in FRAME.player])),
        csv(FRAME.rename(columns={"player": "User ID", "level": "stage", "won": "success", "order": "attempt"})),
        csv(FRAME.sample(frac=1.0, random_state=2)),
        csv(pd.concat([FRAME, FRAME.iloc[:40]])),
        csv() + "\n\n",
    ],
    ids=[
        "semicolons", "tabs", "bars", "byte-order mark", "CR LF", "gzip", "UTF-16", "yes and no", "TRUE and False",
        "won and lost", "1.0 and 0.0", "other ids", "other names", "other order", "rows twice", "empty lines",
    ],
)  # fmt: skip
def test_other_spellings_of_a_file_mean_the_same(tmp_path, data):
    same(read(tmp_path, data), read(tmp_path, csv()))


def test_parquet_means_the_same(tmp_path):
    buffer = io.BytesIO()
    FRAME.assign(won=FRAME.won.astype(bool)).to_parquet(buffer)
    same(read(tmp_path, buffer.getvalue()), read(tmp_path, csv()))


@pytest.mark.parametrize("form", ["ISO", "unix", "ms"])
def test_times_give_order_sessions_and_who_quit(tmp_path, form):
    start = pd.Timestamp("2024-03-01T00:00:00Z")
    seconds = FRAME.order * 60 + FRAME.session * 86_400 + 1
    times: dict[str, Any] = {
        "ISO": [(start + pd.Timedelta(seconds=s)).isoformat() for s in seconds],
        "unix": (start.timestamp() + seconds).astype(int),
        "ms": ((start.timestamp() + seconds) * 1000).astype("int64"),
    }
    found = read(tmp_path, csv(FRAME.drop(columns=["order", "session"]).assign(time=times[form])))
    plain = read(tmp_path, csv())
    assert found.dates is not None
    assert found.dates[0] == "2024-03-01"
    a, b = histories_of(found.plays), histories_of(plain.plays)
    assert sorted(np.diff(a.starts)) == sorted(np.diff(b.starts))
    assert np.sort(a.features, axis=0) == pytest.approx(np.sort(b.features, axis=0))


def test_the_last_week_is_open(tmp_path):
    """Two players of three stopped: one within the last seven days, who has not quit."""
    day = 86_400
    lines = ["player,level,won,time"]
    for player in range(60):
        final = {0: 10, 1: 28, 2: 30}[player % 3]
        lines += [f"{player},{d % 4},{(d + player) % 2},{1_700_000_000 + d * day}" for d in range(final + 1)]
    table = read(tmp_path, "\n".join(lines))
    histories = histories_of(table.plays)
    last = histories.starts[1:] - 1
    sizes = np.diff(histories.starts)
    assert set(histories.quits[last][sizes == 11]) == {1}
    assert set(histories.quits[last][sizes > 11]) == {0}
    assert set(histories.risk[last][sizes > 11]) == {0}
    assert histories.quits.sum() == 20


def test_counts_become_attempts_without_an_order(tmp_path):
    counts = FRAME.groupby(["player", "level"], as_index=False).agg(attempts=("won", "size"), successes=("won", "sum"))
    table = read(tmp_path, csv(counts))
    assert table.form == "counts"
    assert len(table.plays.won) == len(FRAME)
    assert table.plays.won.sum() == FRAME.won.sum()
    assert table.plays.order is None
    assert histories_of(table.plays).effects == ()


BAD = "player,level,won\n" + "".join(f"{i % 60},{i % 4},{i % 2}\n" for i in range(400))


def test_all_bad_rows_are_named_at_once_with_their_lines(tmp_path):
    lines = BAD.splitlines()
    lines[3] = "7,2,perhaps"
    lines[10] = ",1,1"
    lines[20] = "7,1"
    with pytest.raises(ScenarioError) as fault:
        read(tmp_path, "\n".join(lines))
    assert fault.value.lines == (
        "plays.csv: row 4: won must be won or lost (1/0, true/false, yes/no, won/lost), got 'perhaps'",
        "plays.csv: row 11: player must say something, got ''",
        "plays.csv: row 21: has 2 cells where the header has 3",
        "plays.csv: 3 of 400 rows cannot be read; correct them, or add --skip-bad to leave them out.",
    )
    assert len(read(tmp_path, "\n".join(lines), skip_bad=True).plays.won) == 397
    with pytest.raises(ScenarioError, match="--skip-bad leaves out at most 1 %"):
        read(tmp_path, "\n".join(lines + ["1,1,x"] * 5), skip_bad=True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must hold a header and rows, but it is empty"),
        ("player,level,won\n", "must hold rows, but it has a header only"),
        ("player,level,won\n" + "1,1,1\n" * 400, "at least 50 players and 300 attempts on levels that 10 players met"),
        ("level,attempts,successes\n1,9,5\n", "needs a level with 10 attempts, but plays.csv has none"),
        ("player,stage,points\n1,1,7\n", "a column must say whether the attempt was won"),
        ("level,won\n1,1\n2,0\n", "a column must say who played"),
        ("player,player,level,won\n1,1,1,1\n", "'player' is there twice"),
        ("uid,userid,level,won\n1,1,1,1\n", "'uid' and 'userid' both may; add --columns player=uid"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(tmp_path, text, sentence):
    with pytest.raises(ScenarioError) as fault:
        read(tmp_path, text)
    assert sentence in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_wrong_byte_is_named_with_its_line(tmp_path):
    with pytest.raises(ScenarioError, match="must be saved as UTF-8, but row 3 has the byte 0xe9"):
        read(tmp_path, b"player,level,won\n1,1,1\ncaf\xe9,1,1\n")


def test_an_exact_name_comes_before_usual_ones_and_content_finds_wins():
    found = map_columns(["user", "player", "level", "won", "success"], {}, lambda role, name: False)
    assert (found["player"], found["won"]) == ("player", "won")
    assert map_columns(["user", "stage", "flag"], {}, lambda role, name: name == "flag")["won"] == "flag"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("player", "must be like player=uid,level=stage, got 'player'"),
        ("player=a,player=b", "gives player twice"),
    ],
)
def test_columns_that_are_written_wrongly(text, sentence):
    with pytest.raises(ScenarioError, match=sentence):
        parse_columns(text)


def test_columns_that_do_not_exist_are_named_with_the_nearest():
    with pytest.raises(ScenarioError, match="did you mean"):
        map_columns(["uid", "stage", "won"], {"level": "stge"}, lambda role, name: False)
    with pytest.raises(ScenarioError, match="knows the parts"):
        map_columns(["uid", "stage", "won"], {"levl": "stage"}, lambda role, name: False)


def test_a_level_of_few_players_and_a_bot_are_left_out_and_said(tmp_path):
    rare = pd.DataFrame({"player": [0, 1, 2], "level": 99, "won": 1, "order": 900, "session": 90})
    bot = pd.DataFrame({"player": 9_999, "level": 1, "won": 1, "order": range(5_001), "session": 0})
    table = read(tmp_path, csv(pd.concat([FRAME, rare, bot])))
    assert table.left_out == {
        "players with more than 5,000 attempts, likely bots": 1,
        "levels that fewer than 10 players met": 1,
    }
    same(table, read(tmp_path, csv()))


def test_numbers_that_vary_on_a_level_are_effects_on_winning(tmp_path):
    dice = np.random.default_rng(12)
    wind = dice.normal(20.0, 5.0, len(FRAME))
    won = (dice.random(len(FRAME)) < 1.0 / (1.0 + np.exp(-0.8 * (wind - 20.0) / 5.0))).astype(int)
    frame = FRAME.assign(won=won, param_wind=wind, param_size=FRAME.level * 3.0, param_same=7)
    histories = histories_of(read(tmp_path, csv(frame)).plays)
    assert histories.effects == ("learning", "fatigue", "param_wind")  # size says no more than the level does
    found = fit(histories)
    low, high = found.interval(found.levels + 2)
    assert abs(found.effect("param_wind") - 0.8) < 4.0 * (high - low) / 3.92


def test_levels_are_in_their_natural_order(tmp_path):
    names = {1: "level 2", 2: "level 10", 3: "level 1", 4: "bonus 1", 5: "level 3"}
    table = read(tmp_path, csv(FRAME.assign(level=FRAME.level.map(names))))
    assert table.plays.levels == ("bonus 1", "level 1", "level 2", "level 3", "level 10")


def test_attempts_of_one_order_that_differ_elsewhere_are_not_the_same_attempt(tmp_path):
    rows = "".join(f"{i % 60},{i % 4},0,{i % 4},{i}\n" for i in range(400))
    rows += "".join(f"{i},1,1,1,{400 + i}\n" for i in range(60))
    table = read(tmp_path, "player,level,won,order,x\n" + rows)
    assert table.left_out == {}
    assert len(table.plays.won) == 460
    again = read(tmp_path, "player,level,won,order,x\n" + rows + rows)
    assert again.left_out == {"rows that are there twice": 460}
    same(table, again)


def test_a_column_that_does_not_hold_what_it_is_called_is_left_out_and_said(tmp_path):
    table = read(tmp_path, csv(FRAME.assign(time=FRAME.order * 1000.0 + 17)))
    assert "time" not in table.mapped
    assert table.mapped.unread == {"time": "time"}
    same(table, read(tmp_path, csv()))


def test_a_column_called_id_is_that_of_players_if_its_cells_repeat(tmp_path):
    same(read(tmp_path, csv(FRAME.rename(columns={"player": "ID"}))), read(tmp_path, csv()))
    with pytest.raises(ScenarioError, match="must say who played"):
        read(tmp_path, csv(FRAME.drop(columns="player").assign(id=range(len(FRAME)))))


def test_two_columns_of_wins_are_an_error_that_prints_what_to_type(tmp_path):
    frame = FRAME.rename(columns={"won": "first_ok"}).assign(at_last=1 - FRAME.won)
    with pytest.raises(ScenarioError, match="'first_ok' and 'at_last' both may; add --columns won=first_ok"):
        read(tmp_path, csv(frame))


def test_a_setting_that_is_no_number_is_a_bad_row_and_a_column_of_words_is_left_out_and_said(tmp_path):
    frame = FRAME.assign(param_size=FRAME.level * 2.0, param_mood="fine")
    assert read(tmp_path, csv(frame)).left_out == {"column that should hold numbers (param_mood)": 1}
    frame["param_size"] = frame["param_size"].astype(object)
    frame.loc[5, "param_size"] = "big"
    with pytest.raises(ScenarioError, match="row 7: param_size must be a number, got 'big'"):
        read(tmp_path, csv(frame))


def test_means_of_settings_are_features_of_levels(tmp_path):
    table = read(tmp_path, csv(FRAME.assign(param_size=FRAME.level * 3.0, param_same=7)))
    assert table.features == ("param_size",)
    assert table.level_features[:, 0] == pytest.approx((np.arange(5) - 2.0) / 2.0**0.5)
