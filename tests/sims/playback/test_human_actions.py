"""What a person did is read back exactly, or it is said that it is not there."""

from __future__ import annotations

import json

import pytest

from engine.attempt import Address
from engine.errors import RunFolderError
from sims.playback.human_actions import HUMAN_ACTIONS, format_line, read_human_actions
from sims.playback.stepper import HumanAction

ADDRESS = Address(seed=7, replica=0, player=640_000_000, attempt=3, level=0)
DEEDS = [HumanAction(0, 0.0), HumanAction(0, 0.0), HumanAction(1, 0.0), HumanAction(0, 0.0)]
ACTIONS = 2


def test_what_was_done_comes_back(tmp_path):
    other = ADDRESS._replace(attempt=4)
    thought = [HumanAction(1, 0.25), HumanAction(1, 1.5)]
    (tmp_path / HUMAN_ACTIONS).write_text(format_line(ADDRESS, DEEDS) + format_line(other, thought))
    assert read_human_actions(tmp_path, ADDRESS, ACTIONS) == DEEDS
    assert read_human_actions(tmp_path, other, ACTIONS) == thought


def test_a_line_that_a_crash_cut_short_hides_no_other(tmp_path):
    line = format_line(ADDRESS, DEEDS)
    (tmp_path / HUMAN_ACTIONS).write_text(line[: len(line) // 2] + "\n" + line)
    assert read_human_actions(tmp_path, ADDRESS, ACTIONS) == DEEDS


@pytest.mark.parametrize(
    "change",
    [
        {"actions": [[0, 2], [2, 1]]},  # the game has two
        {"actions": [[-1, 1]]},
        {"actions": [["jump", 1]]},
        {"actions": [0, 1]},
        {"actions": None},
        {"thinking_s": [1.0]},  # of four
        {"thinking_s": ["a", "b", "c", "d"]},
    ],
)
def test_actions_that_cannot_have_been_done_are_not_played(tmp_path, change):
    found = {**json.loads(format_line(ADDRESS, DEEDS)), **change}
    (tmp_path / HUMAN_ACTIONS).write_text(json.dumps(found) + "\n")
    with pytest.raises(RunFolderError, match=r"player 640000000, attempt 3, but .*human_actions\.jsonl does not hold"):
        read_human_actions(tmp_path, ADDRESS, ACTIONS)


def test_a_file_that_is_missing_or_none_is_told(tmp_path):
    with pytest.raises(RunFolderError, match="does not hold what they did; without it the row cannot be played again"):
        read_human_actions(tmp_path, ADDRESS, ACTIONS)
    (tmp_path / HUMAN_ACTIONS).mkdir()
    with pytest.raises(RunFolderError, match=r"human_actions\.jsonl must be a regular file, got a folder"):
        read_human_actions(tmp_path, ADDRESS, ACTIONS)
