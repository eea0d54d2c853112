"""Targets beyond the win rate in scenarios: each is met in one, missed in one, and too close to call in one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.errors import RunFolderError, ScenarioError
from engine.scenario import parse
from engine.tally import Tally
from sims.catalog import Catalog
from sims.cli.app import main
from sims.runs.run import Run, read_run

HEAD = """
format = 1
seed = 5
game = { name = "ladder", params = { guess = 0.0 } }
dial = { knobs = ["help"], floor = 0.0, ceiling = 1.0 }
controller = { name = "constant", options = { difficulty = 0.5 } }
players = { count = 500 }
horizon = { days = 30.0, attempts_per_player = 60 }
levels = { kind = "campaign", count = 4, params = { level_difficulty = [-1.5, 0.8, -0.2, 1.5] } }
[[cohort]]
name = "players"
share = 1.0
traits = { skill = 0.0, slope = 1.0, learning = 0.0, fatigue = 0.0, lapse = 0.0 }
[target]
band = [0.0, 1.0]
"""
# What is measured is the same in all three scenarios; the bands were fixed beside it.
ALSO = (
    ('what = "quit"\nfirst = 20', [0.0, 0.2], [0.0, 0.05], [0.0, 0.11]),
    ('what = "quit"\nday = 1', [0.0, 0.15], [0.0, 0.03], [0.0, 0.07]),
    ('what = "quit"\nlevel = 2', [0.0, 0.1], [0.1, 1.0], [0.0, 0.03]),
    ('what = "attempts_to_pass"\nlevel = 2', [2.0, 4.0], [1.0, 2.0], [3.0, 6.0]),
    ('what = "attempts_to_pass"\nlevel = 4\nstatistic = "p90"', [1, 20], [1, 4], [1, 11]),
    ('what = "losing_run"\nlength = 3', [0.5, 0.9], [0.0, 0.3], [0.0, 0.69]),
    ('what = "session_length"', [2.0, 6.0], [6.0, 9.0], [3.8, 6.0]),
    ('what = "session_length"\nunit = "minutes"', [1.0, 4.0], [5.0, 9.0], [2.25, 6.0]),
    ('what = "win_rate"\nfirst = 3', [0.4, 0.7], [0.7, 0.9], [0.53, 0.9]),
)
STATES = {"met": "in band", "missed": "off", "close": "cannot tell"}


def text_of(place: int) -> str:
    """The scenario with the first, second or third band of each target."""
    also = "".join(f"[[target.also]]\n{one[0]}\nband = {one[place]}\n" for one in ALSO)
    return HEAD + also


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("further")
    found = {}
    for place, name in enumerate(STATES, 1):
        path = folder / f"{name}.toml"
        path.write_text(text_of(place), encoding="utf-8")
        code = main(["run", str(path), "--out", str(folder / name), "--quiet", "--gate"])
        assert code == {"met": 0, "missed": 1, "close": 2}[name]
        found[name] = read_run(folder / name)
    return found


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("place", range(len(ALSO)))
def test_each_target_is_met_missed_and_too_close_to_call(runs, name, place):
    row = runs[name].verdict.further[place]
    states = {"in band": "in band", "below": "off", "above": "off", "cannot tell": "cannot tell"}
    assert states[row.state] == STATES[name], row
    assert row.is_known
    assert row.low <= row.value <= row.high


def test_the_verdict_the_gate_and_json_know_them(runs):
    assert runs["met"].verdict.met
    assert not runs["missed"].verdict.met
    assert runs["missed"].verdict.settled
    assert not runs["close"].verdict.settled
    assert "All 9 further targets are met." in runs["met"].verdict.sentences
    assert "Of 9 further targets, 0 are met." in runs["missed"].verdict.sentences
    gates = {name: run.gate() for name, run in runs.items()}
    assert [gates[name].state for name in STATES] == ["met", "missed", "cannot tell"]
    assert len(gates["missed"].missed_further) == len(ALSO)
    assert "players, share who quit by attempt 20: " in gates["missed"].sentences[0]
    assert len(gates["close"].to_json()["unsure"]) == len(ALSO)
    content = json.loads(json.dumps(runs["met"].to_json(), allow_nan=False))
    assert [one["what"] for one in content["further"]][:4] == ["quit", "quit", "quit", "attempts_to_pass"]
    assert content["further"][3]["value"] == runs["met"].verdict.further[3].value


def test_the_report_and_the_terminal_show_them(runs, capsys):
    page = runs["missed"].report_file.read_text(encoding="utf-8")
    for row in runs["missed"].verdict.further:
        assert row.measured in page
        assert row.name in page


def test_tallies_with_them_read_back_and_without_them_stay_as_they_were(runs):
    tally = runs["met"].tally
    assert Tally.from_json(json.loads(json.dumps(tally.to_json()))).to_json() == tally.to_json()
    twice = tally + tally
    assert [one.value for one in twice.further_intervals()] == [one.value for one in tally.further_intervals()]
    for key, value in (("cohort", 1), ("what", "fun"), ("first", -1), ("low", "x"), ("unit", "days"), ("day", [])):
        content = tally.to_json()
        content["scheme"]["further"][0][key] = value
        with pytest.raises(RunFolderError, match="the tallies must be those that a run wrote"):
            Tally.from_json(content)
    content = tally.to_json()
    content["further"] = content["further"][:-1]
    with pytest.raises(RunFolderError, match="the tallies need further of shape"):
        Tally.from_json(content)


# --- Checking ---------------------------------------------------------------------------------------------------------


def faults(also: str, head: str = HEAD) -> str:
    with pytest.raises(ScenarioError) as fault:
        parse(f"{head}{also}".encode(), "further.toml", Catalog())
    return str(fault.value)


def test_all_mistakes_are_told_at_once():
    said = faults(
        '[[target.also]]\nwhat = "quit"\nfirst = 20\nday = 1\nband = [0.0, 0.2]\n'
        '[[target.also]]\nwhat = "quit"\nunit = "minutes"\nband = [0.2, 0.1]\n'
        '[[target.also]]\nwhat = "losing_run"\nband = [0, 20]\n'
        '[[target.also]]\nwhat = "attempts_to_pass"\nband = [1, 3]\n'
        '[[target.also]]\nwhat = "attempts_to_pass"\nlevel = 9\nband = [1, 3]\n'
        '[[target.also]]\nwhat = "win_rate"\nfirst = 61\nband = [0, 1]\n'
        '[[target.also]]\nwhat = "quit"\nday = 31\nband = [0, 1]\n'
        '[[target.also]]\nwhat = "quit"\ncohort = "player"\nband = [0, 1]\n'
    )
    for words in (
        "quit takes one of first, day and level, got first and day",
        "has no use with quit, which takes first, day, level; remove it",
        "must be [low, high] with low below high",
        "must be a range of shares from 0 to 1 for losing_run",
        "attempts_to_pass needs a level, got none",
        "must be one of the 4 levels of the campaign, got 9",
        "must be at most horizon.attempts_per_player = 60, got 61",
        "must be at most horizon.days = 30, got 31",
        "must be one of players, got 'player'",
    ):
        assert words in said, words


def test_an_endless_stream_has_no_levels():
    head = "\n".join(line for line in HEAD.splitlines() if not line.startswith("levels ="))
    said = faults('\n[[target.also]]\nwhat = "quit"\nlevel = 1\nband = [0, 1]\n', head)
    assert 'needs [levels] kind = "campaign"' in said


def test_a_target_of_one_group_concerns_no_other():
    head = HEAD.replace('name = "players"\nshare = 1.0', 'name = "new"\nshare = 0.5').replace(
        "[target]", '[[cohort]]\nname = "old"\nshare = 0.5\n[target]'
    )
    also = (
        '[[target.also]]\nwhat = "quit"\ncohort = "old"\nband = [0, 0.5]\n'
        '[[target.also]]\nwhat = "quit"\nband = [0, 1]\n'
    )
    scenario = parse(f"{head}{also}".encode(), "two.toml", Catalog())
    assert [(one.cohort, one.high) for one in scenario.further_targets] == [(1, 0.5), (0, 1.0), (1, 1.0)]
    again = parse(scenario.resolved_toml().encode(), "two.toml", Catalog())
    assert again.further_targets == scenario.further_targets
    assert again.digest == scenario.digest


def test_without_them_nothing_changes():
    scenario: Any = parse(HEAD.encode(), "plain.toml", Catalog())
    assert scenario.further_targets == ()
    assert "also" not in scenario.resolved_toml()
