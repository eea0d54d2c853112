"""What a verdict says of quitting, and that it compares each player group with itself."""

from __future__ import annotations

import numpy as np
import pytest

from engine.inference.intervals import sums_of
from engine.players import ATTEMPT_LIMIT, QUIT
from engine.tally import Scheme, Tally
from sims.verdict.goal import Goal
from sims.verdict.quitting import about_quitting

KEEPS, DRIVES, OPEN = "the easiest difficulty keeps", "winning drives players away", "too close to say"


def said_of(*groups, players=2000):
    """groups: of each the losses and wins of a player, and after how many of 1,000 losses and wins one quits."""
    tally = Tally.empty(Scheme(len(groups), 0, 20, "player", 0.0, 1.0, (0, 5), 1, 86_400))
    ones = np.ones(players, np.int64)
    for cohort, (losses, wins, after_loss, after_win) in enumerate(groups):
        quits = 0
        for cell, (number, share) in enumerate([(losses, after_loss), (wins, after_win)]):
            gone = np.arange(players) < players * number * share // 1000
            tally.quits_after[cohort, cell] = sums_of(gone.astype(np.int64), number * ones)
            quits += int(gone.sum())
        tally.quitting[cohort] = sums_of((np.arange(players) < quits).astype(np.int64), ones)
        tally.left[cohort, QUIT], tally.left[cohort, ATTEMPT_LIMIT] = quits, players - quits
    names = tuple("abc"[: len(groups)])
    return " ".join(about_quitting(Goal(names, (((0.67, 0.73),),) * len(groups), False, 1), tally))


@pytest.mark.parametrize(
    ("group", "words"), [((10, 30, 20, 5), KEEPS), ((10, 30, 5, 20), DRIVES), ((10, 30, 10, 10), OPEN)]
)
def test_one_group_quits_after_losses_or_after_wins(group, words):
    assert words in said_of(group)


def test_a_group_that_quits_early_and_wins_often_does_not_make_winning_drive_players_away():
    """In both groups a win and a loss are alike, but who quits more wins more."""
    said = said_of((20, 5, 4, 4), (1, 9, 60, 60))
    lost, won = (20 * 4 + 1 * 60) / 21, (5 * 4 + 9 * 60) / 14  # of 1,000 in both groups together
    assert won > 5 * lost
    assert f"after {lost / 10:.2g} %" in said
    assert OPEN in said
    assert DRIVES not in said


def test_what_each_group_shows_is_said_although_all_together_show_the_opposite():
    assert KEEPS in said_of((20, 5, 12, 2), (1, 9, 90, 50))


def test_nobody_quits():
    assert said_of((10, 30, 0, 0)) == ""
