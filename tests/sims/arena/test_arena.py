"""The arena: its worlds, the standings, and what losing on purpose gains."""

from __future__ import annotations

import csv
import math
import re

import pytest

from sims.arena.arena import PLAYERS, Arena, run_arena
from sims.arena.score import UNKNOWN, Card, Interval
from sims.arena.score_card import ScoreLine
from sims.arena.standings import ArenaScores
from sims.arena.worlds import ALL, THROWN, WORLDS, world_of
from sims.catalog import Catalog
from sims.cli.app import cli, main
from tests.kit.golden import check_golden

pytestmark = pytest.mark.thorough

CATALOG = Catalog()


def line(world, controller, ratio, *, mode="adaptive", rmse=0.1):
    card = Card(9, Interval(rmse, rmse, rmse), *[0.1] * 10)
    return ScoreLine(world, controller, mode, "", card, Interval(ratio, ratio, ratio), microseconds=4.0)


@pytest.mark.parametrize("world", ALL)
def test_every_world_can_be_made(world):
    scenario = world_of(world, 40, 7, CATALOG)
    assert scenario.seed == 7
    assert scenario.form.players.count * scenario.form.run.replicas == 40
    assert scenario.after_attempts == 20
    assert scenario.win_rates(0) == [0.55]


def test_sandbaggers_throw_what_their_twins_are_not_scored_on():
    thrown = world_of("sandbagging", 40, None, CATALOG).form.cohort[0].traits["thrown"]
    assert thrown == THROWN


def test_a_wrong_world_is_refused(capsys):
    assert main(["arena", "--world", "stationery"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "did you mean 'stationary'?" in err


def test_the_command_prints_ratios_and_what_a_sandbagger_gains(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = main(
        [
            "arena", "--world", "stationary", "--world", "sandbagging", "--controller", "weighted_up_down",
            "--players", "40", "--out", "arena", "--workers", "1",
        ]
    )  # fmt: skip
    out, err = capsys.readouterr()
    assert code == 0
    usual = (
        "flowdial: at most 72,000 attempts are to be played: about 2 s at 30,000 a second, which is usual for a core."
    )
    assert err == "" or re.fullmatch(
        rf"({usual}\n)?(flowdial: at most 72,000 attempts are played, which takes about \d+ s\.\n)?", err
    )
    lines = [text.split() for text in out.splitlines()]
    assert ["controller", "stationary", "sandbagging", "mean", "worst", "us"] in lines
    ratio = float(next(text for text in lines if text and text[0] == "weighted_up_down")[1])
    assert 1.5 < ratio < 2.5, "1.96 in the note"
    rows = list(csv.DictReader((tmp_path / "arena" / "scores.csv").read_text().splitlines()))
    assert [row["controller"] for row in rows] == ["bayes_limit", "best_static", "weighted_up_down"] * 2
    page = (tmp_path / "arena" / "arena.html").read_text()
    assert f">{ratio:.2f}</td>" in page
    assert '<th scope="col" class="apart">sandbagging</th>' in page


def test_the_command_knows_how_many_players_a_world_has():
    (option,) = (one for one in cli.commands["arena"].params if one.name == "players")
    assert option.default == PLAYERS


def test_losing_on_purpose_gains_nothing_from_a_fixed_difficulty_and_something_from_a_rule():
    arena = run_arena(["constant", "weighted_up_down"], ["sandbagging"], players=40, workers=1)
    assert tuple(arena.advantages["constant"]) == (0.0, 0.0, 0.0)
    assert arena.advantages["weighted_up_down"].low > 0.0


def test_standings_are_geometric_means_over_the_ten_worlds():
    lines = [
        line("stationary", "good", 1.0), line("learning", "good", 2.25), line("sandbagging", "good", 9.0),
        line("stationary", "bad", 2.0), line("learning", "bad", 2.0), line("sandbagging", "bad", 1.0),
        line("stationary", "away", 1.0), line("sandbagging", "away", 1.0),
    ]  # fmt: skip
    worlds = ("stationary", "learning", "sandbagging")
    standings = ArenaScores(40, worlds, tuple(lines), {}, {}).standings
    assert [one.controller for one in standings] == ["good", "bad", "away"]
    assert standings[0].mean == pytest.approx(1.5)
    assert standings[0].worst == 2.25
    assert math.isnan(standings[2].mean), "a controller that leaves a world out has no mean"


def test_the_whole_text(request):
    """A world of the ten, one that the limit cannot play, and sandbaggers."""
    lines = (
        line("stationary", "bayes_limit", 1.0, mode="reference"), line("stationary", "kalman", 0.99),
        line("boss_duel", "kalman", 1.0, rmse=0.3)._replace(ratio=UNKNOWN),
        line("sandbagging", "bayes_limit", 1.0, mode="reference"), line("sandbagging", "kalman", 1.25),
    )  # fmt: skip
    advantages = {"kalman": Interval(0.1, 0.08, 0.12), "bayes_limit": Interval(0.2, 0.18, 0.22)}
    absent = {("boss_duel", "bayes_limit"): "bayes_limit does not support scope cohort"}
    arena = Arena(40, ("stationary", "boss_duel", "sandbagging"), lines, advantages, absent)
    check_golden(request, "arena/arena", arena.text)
    assert repr(arena) == "Arena(3 worlds: kalman, bayes_limit)"
    assert arena._repr_html_().count("<tr>") == 1 + 2


def test_the_ten_worlds_are_those_of_the_note():
    assert len(WORLDS) == 10
    assert {entry.name for entry in CATALOG.scenarios() if entry.name.startswith("arena/")} == {
        f"arena/{world}" for world in ALL
    }
