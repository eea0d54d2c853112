"""Plug-ins that raise, hang, end their process or propose no setting: a labelled row each, and the run goes on."""

from __future__ import annotations

import csv
import errno
import html
import json
import math
import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from engine.controller import ControllerKind, Rule, Setting
from engine.errors import EnvironmentFault, PluginFault, RunFolderError, ScenarioError
from engine.faults import (
    BAD_PROPOSAL,
    FAULTS,
    KILLED,
    NO_FAULT,
    RAISED,
    TIMEOUT,
    Fault,
    message_of,
    raised_by,
    too_many,
)
from engine.game import FAILED
from engine.scenario import parse
from engine.tally import scheme_of, tally_of
from engine.world import chunks, simulate
from sims.arena.courses import Course, Entrant, score_courses
from sims.arena.race import race
from sims.catalog import Catalog
from sims.cli.app import main
from sims.playback.row_choice import choose_row
from sims.run_folder.faults_table import NAME, read_faults, write_faults
from sims.run_folder.folder import read_manifest
from sims.runs import execution as runs
from sims.runs.run import read_run
from sims.runs.verification import verify
from sims.terminal import say
from sims.workers.pool import Loss
from sims.workers.quarantine import Quarantine, check_fault_share
from sims.workers.task_fault import TaskFault
from tests.kit import shaky
from tests.kit.worlds import FAITHFUL, kind_of, of_player, played, setup_of

pytestmark = pytest.mark.thorough

# --- In the engine ---------------------------------------------------------------------------------------------------


class Options(NamedTuple):
    unused: float = 0.0


class State(NamedTuple):
    wins: float


def start(options, target):
    return State(0.0)


def ask(options, state, situation):
    if situation.attempt % 11 == 3:
        raise ValueError("no idea")
    if situation.attempt % 13 == 0:
        return math.nan
    return 0.3 + 0.01 * state.wins if situation.attempt % 5 else 2.0


def tell(options, state, seen):
    if seen.place == 6.0:
        raise ZeroDivisionError("divided by nothing")
    return State(state.wins + seen.won)


def rule_kind(rule=None):
    """A plug-in around a rule that raises when it is asked, when it is told, and proposes what is no number."""
    return ControllerKind(
        name="fake",
        mode="adaptive",
        summary="For tests.",
        formula="-",
        source="-",
        use="-",
        options=Options,
        option_list=(),
        rule=rule or Rule(start, ask, tell),
    )


SETUP = setup_of(kind=rule_kind(), counts=(30,), attempts_per_player=40)


def expected(row):
    """The fault that the rule above makes of an attempt."""
    attempt = int(row["attempt"])
    if attempt % 11 == 3 or row["place"] == 6:
        return RAISED
    return BAD_PROPOSAL if attempt % 13 == 0 else NO_FAULT


@pytest.fixture(scope="module")
def faulty():
    return played(SETUP)


def test_each_fault_is_a_row_with_its_label_and_the_player_goes_on(faulty):
    assert [int(row["fault"]) for row in faulty.rows] == [expected(row) for row in faulty.rows]
    for number in faulty.players["player"]:
        rows = of_player(faulty.rows, number)
        assert rows["attempt"].tolist() == list(range(len(rows)))
    assert set(faulty.rows["fault"]) == {NO_FAULT, RAISED, BAD_PROPOSAL}
    raised = faulty.rows[faulty.rows["fault"] == RAISED]
    assert [fault[1:3] for fault in faulty.faults] == [(row["player"], row["attempt"]) for row in raised]
    assert {fault[3:] for fault in faulty.faults} == {
        (RAISED, "ValueError", "no idea"),
        (RAISED, "ZeroDivisionError", "divided by nothing"),
    }


def test_nothing_is_played_in_a_failed_attempt_and_nobody_learns_from_it(faulty):
    failures = 0
    for number in faulty.players["player"]:
        rows = of_player(faulty.rows, number)
        for before, row, after in zip(rows, rows[1:], rows[2:], strict=False):
            if row["fault"] != RAISED:
                continue
            failures += 1
            assert row["outcome"] == FAILED
            assert all(row[name] == 0 for name in ("progress", "ticks", "duration_s", "state_hash"))
            assert row["cause"] == -1
            assert np.isnan(row["beliefs"]).all()
            assert (row["difficulty"], row["params"].tolist()) == (before["difficulty"], before["params"].tolist())
            assert (row["streak"], row["mood"]) == (after["streak"], after["mood"])
            if not np.isnan(after["beliefs"][0]):
                told = rows[: after["attempt"]]
                assert after["beliefs"][0] == np.sum(told["outcome"] == 1), "all others were told"
    assert failures > 50


def test_no_number_is_replaced_by_the_difficulty_before(faulty):
    rows = faulty.rows
    bad = np.flatnonzero(rows["fault"] == BAD_PROPOSAL)
    first = bad[rows["attempt"][bad] == 0]
    assert set(rows["difficulty"][first]) == {0.5}, "the middle, as long as there is none before"
    later = bad[rows["attempt"][bad] > 0]
    assert len(later) > 20
    assert (rows["difficulty"][later] == rows["difficulty"][later - 1]).all()
    assert (rows["state_hash"][bad] != 0).all(), "it is played"
    assert not rows["clipped"][bad].any()
    beyond = (rows["attempt"] % 5 == 0) & (rows["fault"] == NO_FAULT)
    assert rows["clipped"][beyond].all()
    assert set(rows["difficulty"][beyond]) == {1.0}


def test_one_event_per_session_and_one_per_attempt_give_the_same_rows_and_faults(faulty):
    other = played(SETUP, one_by_one=True)
    assert faulty.faults == other.faults
    for table, twin in zip(faulty.tables, other.tables, strict=True):
        assert table.tobytes() == twin.tobytes()


@pytest.mark.parametrize("one_by_one", [False, True])
def test_known_faults_are_not_played_and_move_nobody_else(one_by_one):
    setup = setup_of(counts=(6,), attempts_per_player=30, cohorts=(FAITHFUL,))
    chunk = chunks(setup)[0]
    known = (Fault(0, 2, 5, TIMEOUT), Fault(0, 2, 6, KILLED), Fault(0, 4, 0, KILLED), Fault(0, 5, 29, TIMEOUT))
    found = simulate(setup, chunk._replace(faults=known), one_by_one=one_by_one)
    assert found.faults == known
    labelled = found.rows[found.rows["fault"] != NO_FAULT]
    assert [(row["player"], row["attempt"], row["fault"]) for row in labelled] == [fault[1:4] for fault in known]
    calm = simulate(setup, chunk)
    assert [*zip(found.rows["player"], found.rows["attempt"])] == [*zip(calm.rows["player"], calm.rows["attempt"])]
    for player in (0, 1, 3):
        assert of_player(found.rows, player).tobytes() == of_player(calm.rows, player).tobytes()


class Proposer:
    """Asks for 0.25 and then for something else."""

    beliefs = ()

    def __init__(self, proposal):
        self._proposal = proposal
        self._asked = 0
        self.told = []

    def ask(self, who):
        self._asked += 1
        return self._proposal if self._asked % 2 == 0 else Setting(0.25)

    def tell(self, outcome):
        self.told.append(outcome.setting)

    def describe(self, who):
        return {}


def anything(*fields: Any) -> Setting:
    """A setting of whatever a plug-in puts there."""
    return Setting(*fields)


@pytest.mark.parametrize(
    "proposal",
    [
        None,
        0.4,
        (0.4, None, -1),
        anything(math.nan),
        anything("0.4"),
        anything(None),
        anything(np.array([0.1, 0.2])),
        anything(0.4, (0.1, math.nan)),
        anything(0.4, (0.1, 0.2, 0.3)),
        anything(0.4, ()),
        anything(0.4, "xy"),
        anything(0.4, 0.3),
        anything(0.4, (0.1, None)),
    ],
    ids=repr,
)
def test_what_is_no_setting_is_a_bad_proposal(proposal):
    proposer = Proposer(proposal)
    found = played(setup_of(kind=kind_of(lambda: proposer), counts=(1,), cohorts=(FAITHFUL,), attempts_per_player=6))
    assert found.rows["fault"].tolist() == [NO_FAULT, BAD_PROPOSAL] * 3
    assert found.rows["difficulty"].tolist() == [0.25] * 6
    assert proposer.told == [Setting(0.25)] * 6, "a controller hears what was played"


@pytest.mark.parametrize(
    ("proposal", "difficulty", "clipped"),
    [
        (anything(math.inf), 1.0, 1),
        (anything(-3), 0.0, 1),
        (anything(np.float32(0.5)), 0.5, 0),
        (anything(1), 1.0, 0),
        (anything(0.25, (1.5, 0.5)), 0.25, 1),
        (anything(0.25, np.array([0.5, 0.5])), 0.25, 0),
    ],
    ids=repr,
)
def test_numbers_of_other_types_are_taken_and_those_beyond_the_bounds_are_clipped(proposal, difficulty, clipped):
    proposer = Proposer(proposal)
    found = played(setup_of(kind=kind_of(lambda: proposer), counts=(1,), cohorts=(FAITHFUL,), attempts_per_player=2))
    assert found.rows["fault"].tolist() == [NO_FAULT] * 2
    assert found.rows["difficulty"].tolist() == [0.25, difficulty]
    assert found.rows["clipped"].tolist() == [0, clipped]


class Deaf(Proposer):
    """Raises when it is told of the fourth attempt, and leaves the interpreter at the sixth."""

    def tell(self, outcome):
        if outcome.who.situation.attempt == 3:
            raise RuntimeError("not listening")
        if outcome.who.situation.attempt == 5:
            raise SystemExit(0)
        super().tell(outcome)


@pytest.mark.parametrize("delay_s", [0.0, 60.0])
def test_who_cannot_be_told_has_failed(delay_s):
    setup = setup_of(
        kind=kind_of(lambda: Deaf(Setting(0.5)), "everyone" if delay_s else "player"),
        counts=(1,),
        cohorts=(FAITHFUL,),
        attempts_per_player=30,
        delay_s=delay_s,
    )
    found = played(setup)
    assert [fault.type for fault in found.faults] == ["RuntimeError", "SystemExit"]
    if not delay_s:
        assert [fault.attempt for fault in found.faults] == [3, 5]
    assert np.count_nonzero(found.rows["outcome"] == FAILED) == 2
    assert len(found.rows) == 30


def test_too_little_memory_is_nobodys_fault():
    class Greedy(Proposer):
        def ask(self, who):
            raise MemoryError

    with pytest.raises(MemoryError):
        played(setup_of(kind=kind_of(lambda: Greedy(None)), counts=(1,)))


def test_the_row_of_an_attempt_that_was_taken_back_shows_the_setting_before():
    deaf = Deaf(Setting(0.4, (0.1, 0.9)))
    found = played(setup_of(kind=kind_of(lambda: deaf), counts=(1,), cohorts=(FAITHFUL,), attempts_per_player=5))
    params = found.rows["params"].tolist()
    assert found.rows["fault"].tolist() == [NO_FAULT] * 3 + [RAISED, NO_FAULT]
    assert params[3] == params[2] != params[1]


class Rude(Exception):
    def __str__(self):
        raise RuntimeError


def test_a_message_is_one_short_printable_line():
    assert message_of(ValueError("two\nlines \x1b[31m" + "x" * 600)) == ("two lines \\x1b[31m" + "x" * 600)[:500]
    assert message_of(Rude()) == ""


def test_failed_attempts_are_counted_apart():
    setup = setup_of(kind=rule_kind(), counts=(30,), attempts_per_player=40)
    found = played(setup)
    scheme = scheme_of(setup, 0)
    tally = tally_of(found.rows, found.players, scheme)
    whole = found.rows[found.rows["outcome"] != FAILED]
    calm = tally_of(whole, found.players, scheme)
    assert tally.total(0, "failed") == len(found.faults) > 0
    assert tally.total(0, "bad_proposals") == np.count_nonzero(found.rows["fault"] == BAD_PROPOSAL) > 0
    assert tally.total(0, "attempts") == len(whole)
    assert (tally.judged == calm.judged).all()
    assert (tally.by_day == calm.by_day).all()
    nothing = tally_of(found.rows[found.rows["outcome"] == FAILED], found.players, scheme)
    assert nothing.total(0, "attempts") == 0


# --- What is too much, and who is to blame ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failures", "attempts", "stops"), [(20, 0, False), (21, 50, True), (40, 200, False), (41, 200, True)]
)
def test_more_than_a_fifth_is_too_many(failures, attempts, stops):
    assert too_many(failures, attempts) == stops
    faults = [Fault(0, 7, j, RAISED, "ValueError", "no idea") for j in range(failures)]
    if stops:
        with pytest.raises(PluginFault, match=f"attempt {failures - 1} of player 7 .raised: ValueError: no idea.; "):
            check_fault_share(faults, attempts)
    else:
        check_fault_share(faults, attempts)


def loss(player=3, attempt=9, kind=KILLED, sure=True):
    return Loss(player, attempt, 50, kind, "was killed by SIGKILL", sure)


def test_an_attempt_is_to_blame_when_it_ends_its_worker_twice_in_a_row():
    chunk = chunks(setup_of())[0]
    explain = Quarantine()
    assert explain(chunk, loss()) is None
    assert explain(chunk, loss(attempt=10)) is None, "another attempt: somebody kills from outside"
    assert explain(chunk._replace(number=1), loss(attempt=10)) is None, "another chunk"
    known = explain(chunk, loss(attempt=10))
    assert known is not None
    assert known.faults == (Fault(0, 3, 10, KILLED, "", "its worker was killed by SIGKILL"),)
    assert explain(known, loss(attempt=12, kind=TIMEOUT)) is None
    more = explain(known, loss(attempt=12, kind=TIMEOUT))
    assert more is not None
    assert [fault[2:4] for fault in more.faults] == [(10, KILLED), (12, TIMEOUT)]


def test_nobody_is_to_blame_outside_attempts_or_while_others_use_the_memory():
    chunk = chunks(setup_of())[0]
    explain = Quarantine()
    assert [explain(chunk, loss(player=-1)) for _ in range(3)] == [None] * 3
    assert [explain(chunk, loss(sure=False)) for _ in range(2)] == [None] * 2
    assert explain(chunk, loss(sure=True)) is not None


def test_a_signal_that_stopped_the_worker_blames_no_attempt():
    chunk = chunks(setup_of())[0]
    explain = Quarantine()
    stopped = loss(kind=TIMEOUT)._replace(stopped=True)
    assert [explain(chunk, stopped) for _ in range(3)] == [None] * 3


def test_a_table_of_faults_is_read_as_it_was_written(tmp_path):
    faults = [Fault(0, 1, 2, RAISED, "ValueError", '=HYPERLINK("x"), he said'), Fault(1, 0, 0, TIMEOUT, "", "'tis")]
    assert read_faults(tmp_path) == []
    write_faults(tmp_path, faults)
    assert read_faults(tmp_path) == faults
    cells = list(csv.reader((tmp_path / NAME).read_text(encoding="utf-8").splitlines()))
    assert cells[1] == ["0", "1", "2", "raised", "ValueError", '\'=HYPERLINK("x"), he said']


class Evil(Exception):
    pass


FORMULAS = [f"{mark}cmd|' /C calc'!A0" for mark in "=+-@\uff1d\uff0b\uff0d\uff20\ufe66"]
FORMULAS += [
    "\t=1",
    "\r=1",
    "\n@x",
    " =1",
    "\u00a0=1",
    "\x00=1",
    "'=1",
    "a;=1",
    "a ;; =1",
    "a\t=1",
    "a;\uff20x",
    "=1;'=2",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_fault_can_be_taken_for_a_formula(tmp_path, text):
    """Neither its message nor its class; nor where a spreadsheet divides at semicolons, as some countries' do."""
    Evil.__name__ = text.replace("\x00", "")  # which Python refuses
    fault = raised_by(Evil(text), 0, 1, 2)
    write_faults(tmp_path, [fault])
    assert read_faults(tmp_path) == [fault]
    _, line = (tmp_path / NAME).read_text(encoding="utf-8").splitlines()
    divided = [*next(csv.reader([line])), *line.split(";"), *line.split("\t")]
    assert [cell for cell in divided if not re.match(r"[\w']|$", cell.lstrip())] == []


# --- A whole run of a stranger's controller --------------------------------------------------------------------------

PLAYERS = 3  # of a small run
SCENARIO = """
format = 1
seed = 5
[game]
name = "logistic"
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.6
[controller]
name = "shaky"
[controller.options]
raises = {raises}
hangs = {hangs}
kills = {kills}
nans = {nans}
[players]
count = {players}
[[cohort]]
name = "all"
share = 1.0
[cohort.traits]
quit_frailty = -40.0
[horizon]
days = 3650
attempts_per_player = 100
"""


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """A plug-in of somebody else: tests/kit/shaky.py as an installed distribution."""
    place = tmp_path / "site"
    info = place / "shaky-1.0.dist-info"
    info.mkdir(parents=True)
    (place / "shaky.py").write_bytes(Path(shaky.__file__).read_bytes())
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shaky\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flowdial.controllers]\nshaky = shaky:CONTROLLER\n")
    monkeypatch.syspath_prepend(place)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sims.runs.chunk_pool.STALL_S", 2.0)
    return tmp_path


def scenario(players, **shares):
    chances = {"raises": 0.0, "hangs": 0.0, "kills": 0.0, "nans": 0.0, **shares}
    return parse(SCENARIO.format(players=players, **chances).encode(), "shaky.toml", Catalog())


KEY = ("replica", "player", "attempt")  # of attempts and of faults


def labels(folder):
    """(player, attempt) -> fault, of the rows of a run."""
    with open(folder / "attempts.csv", encoding="utf-8", newline="") as file:
        return {(int(row["player"]), int(row["attempt"])): row["fault"] for row in csv.DictReader(file)}


def planned(players, **shares):
    """What the rows must say: every attempt once, with the fault that the controller commits in it."""
    options = shaky.Options(**shares)
    keys = ((player, attempt) for player in range(players) for attempt in range(100))
    return {key: FAULTS[shaky.misdeed(options, *key)] for key in keys}


def data_of(folder):
    """The bytes of all files in which nothing of the clock stands."""
    names = ("attempts.csv", "players.csv", "sessions.csv", "summary.csv", NAME, "datapackage.json")
    return {name: (folder / name).read_bytes() for name in names}


def checked_run(players, shares):
    """Run with two workers; every row must be there with its label. Returns the folder."""
    out = Path("run")  # relative, and the plug-in changes the directory
    wanted = planned(players, **shares)
    assert runs.run(scenario(players, **shares), out=out, workers=2).faults
    assert labels(out) == wanted
    counts = Counter(word for word in wanted.values() if word)
    assert set(counts) == {
        FAULTS[number] for number, share in zip((RAISED, TIMEOUT, KILLED, BAD_PROPOSAL), shares.values()) if share
    }
    assert read_manifest(out)["faults"] == counts
    told = {(fault.player, fault.attempt): FAULTS[fault.kind] for fault in read_faults(out)}
    assert told == {key: word for key, word in wanted.items() if word not in ("", "bad_proposal")}
    return out.absolute()


def test_a_run_labels_every_fault_and_is_the_same_with_one_worker_and_when_resumed(stranger, capsys, monkeypatch):
    shares = {"raises": 0.03, "hangs": 0.003, "kills": 0.003, "nans": 0.03}
    out = checked_run(PLAYERS, shares)
    result = verify(out)
    assert result.equal
    counts = read_manifest(out)["faults"]
    failed = sum(counts.values()) - counts["bad_proposal"]
    assert (result.failed, result.replayed - result.faulty) == (failed, 100 * PLAYERS - failed)
    player, attempt = next(key for key, word in labels(out).items() if word == "timeout")
    with pytest.raises(ScenarioError, match=r"cannot be shown: nothing was played in it, .*\(timeout\)"):
        choose_row(out, player=player, attempt=attempt)
    joined = read_run(out).attempts(list(KEY + ("fault",))).merge(read_run(out).failures(), on=list(KEY), how="left")
    assert len(joined) == 100 * PLAYERS
    assert (joined["kind"].notna() == joined["fault"].isin(["raised", "timeout", "killed"])).all()
    both = joined[joined["kind"].notna()]
    assert (both["kind"].astype(str) == both["fault"].astype(str)).all()
    plain = [pd.read_csv(out / name, keep_default_na=False) for name in ("attempts.csv", NAME)]
    assert [table[list(KEY)].dtypes.tolist() for table in plain] == [[np.dtype(np.int64)] * 3] * 2
    assert len(plain[0].merge(plain[1], on=list(KEY), validate="one_to_one")) == failed
    described = {one["name"]: one["schema"] for one in json.loads((out / "datapackage.json").read_text())["resources"]}
    assert described["faults"]["foreignKeys"] == [
        {"fields": list(KEY), "reference": {"resource": "attempts", "fields": list(KEY)}}
    ]
    page = html.unescape((out / "report.html").read_text(encoding="utf-8"))
    assert f"{failed:,} of {100 * PLAYERS:,} attempts failed because the game's or controller's code broke" in page

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "attempts.csv")

    again = stranger / "again"
    with monkeypatch.context() as patch:
        patch.setattr(runs, "write_results", full)
        with pytest.raises(EnvironmentFault):
            runs.run(scenario(PLAYERS, **shares), out=again, workers=1)
    monkeypatch.setattr(
        "sims.runs.chunk_pool.play_chunk", None
    )  # all chunks are there, with what is known of their faults
    assert runs.resume(again, workers=1).faults
    assert data_of(again) == data_of(out)

    # A cell that was changed is found by playing the run again, with what is known of its faults.
    path = again / "attempts.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    cells = lines[8].split(b",")
    cells[lines[0].split(b",").index(b"streak")] = b"77"
    path.write_bytes(b"".join([*lines[:8], b",".join(cells), *lines[9:]]))
    assert [(cell.row, cell.column, cell.found) for cell in verify(again).differences] == [(7, "streak", "77")]


def test_a_plugin_that_mostly_fails_stops_the_run_which_nobody_is_told_to_resume(stranger, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "shaky", raising=False)  # that of an earlier test lies elsewhere
    with pytest.raises(
        PluginFault, match=r"at most a fifth of the attempts may fail.*; correct the plug-in and start a new run"
    ):
        runs.run(scenario(6, raises=0.5), out=stranger / "run", workers=1, on_message=say)
    partial = stranger / "run.partial"
    told = f"flowdial: {partial} keeps what is finished but cannot be resumed with a corrected plug-in; remove it.\n"
    assert capsys.readouterr().err.endswith(told)
    with pytest.raises(PluginFault, match="at most a fifth"):  # the same plug-in fails again
        runs.resume(partial, workers=1)
    module = stranger / "site" / "shaky.py"
    module.write_text(module.read_text().replace("case 1:", "case -1:"))
    with pytest.raises(RunFolderError, match=r"cannot resume .*: the code of the controller was "):
        runs.resume(partial, workers=1)
    told = r"run\.partial holds an unfinished run that cannot be resumed: the code of the controller was "
    with pytest.raises(RunFolderError, match=told + r"\w+ and is \w+; remove it\.$"):
        runs.run(scenario(6, raises=0.5), out=stranger / "run", workers=1)
    told = r"; run `flowdial resume .*run\.partial` if its code has not changed since, or remove it\.$"
    with pytest.raises(RunFolderError, match=told):  # whether that run could go on is not asked
        runs.run(scenario(5, raises=0.5), out=stranger / "run", workers=1)


RULES = """
from typing import NamedTuple

from engine.controller import ControllerKind, Option, Rule


class Options(NamedTuple):
    step: float = 0.1


class State(NamedTuple):
    difficulty: float


def start(options, target):
    return State(0.5)


def ask(options, state, situation):
    return state.difficult


def tell(options, state, seen):
    return state


texts = dict.fromkeys(("summary", "formula", "source", "use"), "-")
listed = (Option("step", 0.0, 1.0, "-"),)
rule = Rule(start, ask, tell)
CONTROLLER = ControllerKind(name="shaky", mode="adaptive", options=Options, option_list=listed, rule=rule, **texts)
"""


def test_nobody_is_told_to_resume_what_a_plugin_ended_that_does_not_compile(stranger, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "shaky", raising=False)
    (stranger / "site" / "shaky.py").write_text(RULES)
    text = re.sub(r"\[controller\.options\](\n\w+ = .*)+", "", SCENARIO).format(players=2)
    partial = stranger / "run.partial"
    crash = partial / "crash.log"
    told = f"flowdial: {partial} keeps what is finished but cannot be resumed with a corrected plug-in; remove it.\n"
    with pytest.raises(TaskFault, match="TypingError"):
        runs.run(parse(text.encode(), "x.toml", Catalog()), out=stranger / "run", workers=1, on_message=say)
    assert capsys.readouterr().err.endswith(f"flowdial: the traceback is in {crash}\n{told}")
    assert "difficult" in crash.read_text(encoding="utf-8")

    def fail(*arguments, **choices):
        raise TaskFault("TypingError again")

    monkeypatch.setattr(runs, "play_chunks", fail)  # to compile takes seconds
    with pytest.raises(TaskFault, match="again"):
        runs.resume(partial, workers=1, on_message=say)
    assert capsys.readouterr().err == told


def test_who_raises_in_a_race_is_absent_with_the_reason_and_the_others_are_scored(stranger):
    """Attempts that failed have no chance that could be judged: scored, they would look like steady play."""
    small = parse(SCENARIO.format(players=12, raises=0, hangs=0, kills=0, nans=0).encode(), "small.toml", Catalog())
    faulty, sound = Entrant("shaky", (("raises", 0.01),)), Entrant("constant")
    found = score_courses([Course("small", small)], [faulty, sound], workers=2)
    assert list(found.scores) == [("small", "constant")]
    reason = "its controller or the game raised ArithmeticError: "
    assert found.absent["small", faulty.label].startswith(reason)
    result = race(small, [("shaky", {"raises": 0.01}), "constant"], workers=2)
    assert result.faulty
    assert "shaky" not in {line.controller for line in result.scores}
    assert any(note.startswith(f"{faulty.label} is left out: {reason}") for note in result.notes)


def test_a_comparison_without_its_controller_says_so_and_exits_3(stranger, capsys):
    text = SCENARIO.format(players=12, raises=0, hangs=0, kills=0, nans=0)
    (stranger / "small.toml").write_text(text, encoding="utf-8")
    command = ["compare", str(stranger / "small.toml"), "--workers", "2", "--quiet"]
    assert main([*command, "--controller", "shaky,raises=0.01"]) == PluginFault.exit_code == 3
    out = capsys.readouterr().out
    assert "shaky raises=0.01 is left out: its controller or the game raised ArithmeticError: " in out
    assert out.endswith("No comparison is possible: too many controllers are left out.\n")
    assert main([*command, "--controller", "constant", "--json"]) == 0


@pytest.mark.slow
def test_ten_thousand_rows_are_labelled_exactly(stranger):
    checked_run(100, {"raises": 0.01, "hangs": 0.001, "kills": 0.001, "nans": 0.01})
