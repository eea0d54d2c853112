"""What a verdict says, and that it says no more than it knows."""

from __future__ import annotations

import dataclasses
import io
import json
import math

import numpy as np
import pytest

from engine.errors import RunFolderError
from engine.inference.intervals import DIAL_UNIT, RateInterval
from engine.inference.sequential import LEAST, LEAST_REPLICAS
from engine.players import ATTEMPT_LIMIT, QUIT
from engine.scenario import parse, setup_of
from engine.tally import TOTALS, Scheme, Tally, scheme_of, tally_of
from engine.world import chunks, play
from sims.catalog import Catalog
from sims.cli.verdict_table import print_verdict
from sims.runs.tables import goal_for
from sims.verdict.goal import SUMMARY_COLUMNS, Goal, goal_of
from sims.verdict.sentences import _remedy
from sims.verdict.verdict import HEADINGS, further_players, state_of, summary_rows, verdict
from sims.wording import UNCALIBRATED, percent

BAND = (0.67, 0.73)


def a_tally(*rates, players=400, attempts=100, spread=6, dial=0.31, levels=0, cluster="player", quits=0, **totals):
    """Cohorts whose players win `rates` of their attempts on average, give or take `spread` wins a player."""
    scheme = Scheme(len(rates), levels, 20, cluster, 0.0, 1.0, (0, 5), 1, 86_400)
    tally = Tally.empty(scheme)
    for cohort, rate in enumerate(rates):
        wins = np.rint(rate * attempts + spread * np.resize([-1, 1], players)).astype(np.int64)
        a = np.full(players, attempts)
        made = int(a.sum())
        cell = (players, players, made, wins.sum(), (wins * wins).sum(), (wins * a).sum(), (a * a).sum())
        tally.judged[cohort] = (*cell, round(dial * DIAL_UNIT) * made)
        given = {"attempts": made, "late_attempts": made // 3, "late_dial": round(dial * DIAL_UNIT) * (made // 3)}
        for name, number in {**given, **totals}.items():
            tally.totals[cohort, TOTALS.index(name)] = number
        tally.left[cohort, QUIT], tally.left[cohort, ATTEMPT_LIMIT] = quits, players - quits
    return tally


def a_goal(*names, band=BAND, shared=False, replicas=1):
    return Goal(names, ((band,),) * len(names), shared, replicas)


def test_the_words_of_a_colleague():
    tally = a_tally(0.70, 0.70, 0.66, easy_end=4800)
    found = verdict(a_goal("newcomers", "regulars", "experts"), tally)
    assert found.sentences == (
        "Two of the three cohorts are where you wanted them.",
        "Experts win 0.660 (0.654 to 0.666), below their band of 0.67 to 0.73: the dial stood at 0.31 on average, and "
        "it was held at its easiest end in 12 % of attempts.",
        "The dial of newcomers was held at its easiest end in 12 % of attempts.",
        "The dial of regulars was held at its easiest end in 12 % of attempts.",
        UNCALIBRATED,
    )
    assert [row.state for row in found.rows] == ["in band", "in band", "below"]
    assert not found.met
    assert found.settled


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ([0.70], "The cohort a is where you wanted it."),
        ([0.60], "The cohort a is not where you wanted it."),
        ([0.67], "It cannot be told yet whether the cohort a is where you wanted it."),
        ([0.70, 0.70], "Both cohorts are where you wanted them."),
        ([0.70, 0.70, 0.70], "All three cohorts are where you wanted them."),
        ([0.60, 0.60, 0.80], "None of the three cohorts is where you wanted it."),
        ([0.60, 0.80], "Neither of the two cohorts is where you wanted it."),
        ([0.60, 0.70, 0.80], "One of the three cohorts is where you wanted it."),
        (
            [0.67, 0.70, 0.70],
            "Two of the three cohorts are where you wanted them; for the other it cannot be told yet.",
        ),
        (
            [0.70, 0.67, 0.67],
            "One of the three cohorts is where you wanted it; for the other two it cannot be told yet.",
        ),
        ([0.60, 0.67, 0.70], "One of the three cohorts is where you wanted it; for one it cannot be told yet."),
        ([0.60, 0.67, 0.67], "None of the three cohorts is surely where you wanted it; for two it cannot be told yet."),
        ([0.60, 0.67], "Neither of the two cohorts is surely where you wanted it; for one it cannot be told yet."),
        ([0.67, 0.67], "It cannot be told yet whether the two cohorts are where you wanted them."),
        ([0.70] * 12, "All 12 cohorts are where you wanted them."),
    ],
)
def test_headlines(rates, words):
    found = verdict(a_goal(*"abcdefghijkl"[: len(rates)]), a_tally(*rates))
    assert found.sentences[0] == words


def test_an_edge_within_the_interval_cannot_be_told_and_says_what_would_help():
    found = verdict(a_goal("a"), a_tally(0.68, players=40))
    row = found.rows[0]
    assert row.state == "cannot tell"
    assert row.win_rate_low < 0.67 < row.win_rate
    assert row.more_players == 270
    assert "about 270 more players of that cohort would probably settle it" in found.text


def test_that_many_more_players_do_settle_it():
    tally = a_tally(0.68, players=40 + 270)
    assert verdict(a_goal("a"), tally).rows[0].state == "in band"


def test_on_the_edge_no_number_of_players_helps():
    found = verdict(a_goal("a", band=(0.60, 0.70)), a_tally(0.70))
    assert found.rows[0].more_players is None
    assert "even a million players would not settle it" in found.text


def test_a_band_without_width_is_explained():
    found = verdict(a_goal("a", band=(0.70, 0.70)), a_tally(0.70))
    assert "give it a tolerance" in found.text


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [
        (0.67, 0.73, "in band"),
        (0.68, 0.70, "in band"),
        (0.66, 0.70, "cannot tell"),
        (0.70, 0.74, "cannot tell"),
        (0.60, 0.80, "cannot tell"),
        (0.60, 0.67, "cannot tell"),
        (0.60, 0.66, "below"),
        (0.74, 0.80, "above"),
    ],
)
def test_states_need_the_whole_interval(low, high, state):
    assert state_of(RateInterval((low + high) / 2, low, high, 0.01, 50, 500, "by player"), BAND) == state


def test_further_players_shrink_with_distance_and_have_an_end():
    def needed(rate):
        return further_players(RateInterval(rate, rate - 0.05, rate + 0.05, 0.025, 100, 1000, "by player"), BAND, 100)

    assert needed(0.70) < needed(0.69) < needed(0.68) < needed(0.675)
    assert needed(0.67) is None
    assert needed(0.67001) is None


@pytest.mark.parametrize("band", [(0.67, 0.73), (0.699, 0.701), (0.0, 0.72), (0.68, 1.0), (0.9, 1.0)])
@pytest.mark.parametrize("sides", [(0.05, 0.05), (0.3, 0.01), (0.01, 0.3), (0.002, 0.06)])
@pytest.mark.parametrize("rate", [0.6, 0.66, 0.69, 0.7, 0.719, 0.95, 1.0])
def test_so_many_more_players_bring_an_interval_that_lies_on_one_side_of_each_edge(band, sides, rate):
    down, up = sides[0], min(sides[1], 1.0 - rate)
    found = RateInterval(rate, rate - down, rate + up, 0.025, 100, 1000, "by player")
    more = further_players(found, band, 100)
    if state_of(found, band) != "cannot tell" or more is None:
        return
    assert more > 100  # less could not take a long side to the near edge
    shrink = math.sqrt(100 / (100 + more))
    then = RateInterval(rate, rate - down * shrink, rate + up * shrink, 0.025, 100 + more, 1000, "by player")
    assert state_of(then, band) != "cannot tell"


def test_a_band_that_ends_at_1_has_no_edge_there():
    tally = a_tally(1.0, players=5, spread=0)
    row = verdict(a_goal("a", band=(0.7, 1.0)), tally).rows[0]
    assert (row.state, row.interval) == ("cannot tell", "Wilson")
    assert row.more_players is not None


def test_one_more_player_is_one_player():
    row = verdict(a_goal("a"), a_tally(0.68, players=40)).rows[0]
    assert _remedy(dataclasses.replace(row, more_players=1), "player").startswith("about 1 more player of that")
    assert "about 1 player of that cohort in all" in _remedy(dataclasses.replace(row, more_players=1), "replica")


@pytest.mark.parametrize(
    ("cluster", "clusters", "few"),
    [("player", 1, False), ("player", 2, True), ("player", LEAST - 1, True), ("player", LEAST, False),
     ("replica", LEAST_REPLICAS - 1, True), ("replica", LEAST_REPLICAS, False)],
)  # fmt: skip
def test_an_interval_of_few_is_called_rough(cluster, clusters, few):
    goal = a_goal("a", "b", shared=cluster == "replica", replicas=clusters)
    tally = a_tally(0.70, 0.70, players=clusters, spread=0, cluster=cluster)
    start = f"Few {cluster}s: the intervals of a ({clusters} {cluster}s) and b ({clusters} {cluster}s) are rough"
    assert (start in verdict(goal, tally).text) is few
    tally.judged[1] *= 100
    start = f"Few {cluster}s: the interval of a ({clusters} {cluster}s) is rough"
    assert (start in verdict(goal, tally).text) is few


@pytest.mark.parametrize("rate", [0.2, 0.70, 1.0])
@pytest.mark.parametrize("cluster", ["player", "replica"])
def test_of_one_cluster_nothing_can_be_told(rate, cluster):
    found = verdict(a_goal("a"), a_tally(rate, players=1, attempts=100_000, spread=0, cluster=cluster))
    row = found.rows[0]
    assert (row.state, row.interval, row.more_players) == ("cannot tell", "Wilson over attempts", None)
    assert (
        f"all judged attempts are of one {cluster}: the interval (Wilson's) takes attempts as independent" in found.text
    )
    assert f"play with several {cluster}s" in found.text


def test_nobody_played_long_enough():
    tally = Tally.empty(Scheme(1, 0, 20, "player", 0.0, 1.0, (0, 5), 1, 86_400))
    found = verdict(a_goal("a"), tally)
    assert "nobody played long enough" in found.text
    assert found.rows[0].state == "cannot tell"
    assert found.to_json()["rows"][0]["win_rate"] is None
    assert summary_rows(found)[0][5] is None


def test_quitting_time_limit_and_saturation_are_told():
    tally = a_tally(0.60, 0.70, quits=40, timed_out=2000, easy_end=24_000, hard_end=800)
    text = verdict(a_goal("a", "b"), tally).text
    assert "10 % of all players quit for good" in text
    assert "5 % of attempts were stopped by the time limit" in text
    assert "at its easiest end in 60 % of attempts and at its hardest end in 2 % of attempts (little was left" in text


def test_an_end_by_plan_is_told_without_a_warning():
    goal = dataclasses.replace(a_goal("a", "b"), steered=False)
    text = verdict(goal, a_tally(0.60, 0.70, easy_end=40_000)).text
    assert "it was at its easiest end in 100 % of attempts, by plan." in text
    assert "The dial of b was at its easiest end in 100 % of attempts, by plan." in text
    assert "little was left" not in text


def test_an_end_is_told_where_the_state_cannot_be():
    text = verdict(a_goal("a"), a_tally(0.67, easy_end=40_000)).text
    assert "The dial of a was held at its easiest end in 100 % of attempts (little was left to control)." in text


STUCK = b"""
format = 1
title = "Nobody can do it"
seed = 3
[game]
name = "logistic"
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.9
tolerance = 0.03
after_attempts = 20
[controller]
name = "kalman"
[players]
count = 20
[[cohort]]
name = "weak"
share = 1.0
[cohort.traits]
skill = -4.0
[horizon]
days = 14
attempts_per_player = 60
"""


@pytest.mark.parametrize(
    ("controller", "mode", "words"),
    [
        (b'"kalman"', "adaptive", "held at its easiest end in {} of attempts (little was left to control)"),
        (
            b'"constant"\noptions = { difficulty = 0.0 }',
            "deterministic",
            "was at its easiest end in {} of attempts, by plan",
        ),
    ],
)
def test_a_controller_that_stays_at_an_end_by_itself_is_told(controller, mode, words):
    scenario = parse(STUCK.replace(b'"kalman"', controller), "stuck.toml", Catalog())
    setup = setup_of(scenario, Catalog())
    assert setup.kind.mode == mode
    tally = Tally.empty(scheme := scheme_of(setup, scenario.after_attempts))
    at_end: list[bool] = []
    for chunk in chunks(setup):
        played = play(setup, chunk)
        assert not np.any(played.rows["clipped"])
        at_end += (played.rows["difficulty"][played.rows["attempt"] >= 20] == 0.0).tolist()
        tally += tally_of(played.rows, played.players, scheme)
    found = verdict(goal_for(scenario, setup), tally)
    share = sum(at_end) / len(at_end)
    assert found.rows[0].easy_end_share == share > 0.9
    assert words.format(percent(share)) in found.text


def test_what_the_controller_could_not_have_is_told():
    one = verdict(a_goal("a"), a_tally(0.70, clipped=4800)).text
    assert "In 12 % of attempts the controller asked for more than floor and ceiling allow." in one
    tally = a_tally(0.70, 0.70, clipped=0)
    tally.totals[1, TOTALS.index("clipped")] = 600
    two = verdict(a_goal("a", "b"), tally).text
    assert (
        "In under 1 % of attempts the controller asked for more than floor and ceiling allow, most of all for b in 2 %."
        in two
    )
    assert "asked for more" not in verdict(a_goal("a"), a_tally(0.70, clipped=300)).text


def test_a_dial_that_still_moves_is_told():
    tally = a_tally(0.60, late_dial=round(0.4 * DIAL_UNIT) * 13_333)
    assert "0.31 on average and at 0.40 in the last third" in verdict(a_goal("a"), tally).text


def test_a_shared_controller_with_one_replica_has_a_caveat_and_with_two_has_none():
    one = verdict(a_goal("a", shared=True), a_tally(0.70))
    assert "may be too narrow: run several replicas" in one.text
    several = verdict(
        a_goal("a", shared=True, replicas=8), a_tally(0.70, players=8, attempts=5000, spread=50, cluster="replica")
    )
    assert "too narrow" not in several.text
    assert several.rows[0].interval == "by replica"


def test_every_verdict_says_uncalibrated_and_none_says_fun():
    for rate in (0.5, 0.67, 0.7, 0.9):
        text = verdict(a_goal("a"), a_tally(rate)).text
        assert "uncalibrated" in text
        assert "fun" not in text.lower()


def test_levels_are_judged_one_by_one_and_together():
    tally = a_tally(0.70, levels=3)
    tally.judged[0, 2, 3] -= 8000  # wins of level 2
    goal = Goal(("a",), (((0.67, 0.73), (0.67, 0.73), (0.77, 0.83)),), False, 1)
    found = verdict(goal, tally)
    assert [row.level for row in found.level_rows] == [1, 2, 3]
    assert [row.state for row in found.level_rows] == ["in band", "below", "below"]
    assert found.rows[0].target_low == pytest.approx((0.67 + 0.67 + 0.77) / 3)
    assert (
        "Of 3 win rates, one for each cohort and level, 1 is surely in band and 2 surely out of it; furthest off are a "
        "on level 2 with 0.50, below their band." in found.text
    )
    assert not found.met
    assert math.isnan(found.level_rows[0].quit_share)


def test_summary_rows_fit_their_columns():
    found = verdict(a_goal("a", "b"), a_tally(0.70, 0.66, levels=2))
    rows = summary_rows(found)
    assert len(rows) == 2 + 4
    kinds = {"name": str, "integer": int, "number": float}
    for row in rows:
        for column, value in zip(SUMMARY_COLUMNS, row, strict=True):
            assert column.optional if value is None else type(value) is kinds[column.kind], column.name


def test_json_holds_what_the_table_holds():
    found = verdict(a_goal("a", "b"), a_tally(0.70, 0.66))
    text = json.dumps(found.to_json(), allow_nan=False)
    back = json.loads(text)
    assert list(back["rows"][0]) == [column.name for column in SUMMARY_COLUMNS]
    assert [tuple(row.values()) for row in back["rows"]] == summary_rows(found)
    assert back["verdict"] == found.text
    assert [row["state"] for row in back["rows"]] == ["in band", "below"]
    assert back["met"] is False
    assert back["calibrated"] is False


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("no_colour", [False, True])
def test_the_table_fits_80_columns_and_respects_no_color(monkeypatch, no_colour):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    print_verdict(verdict(a_goal("newcomers", "experts"), a_tally(0.70, 0.67)), stream)
    text = stream.getvalue()
    assert ("\x1b[32m" in text) is not no_colour
    plain = [line for line in text.splitlines() if "\x1b" not in line]
    assert max(map(len, plain)) <= 80
    if no_colour:
        table = text.splitlines()[:3]
        assert all(heading in table[0] for heading in HEADINGS)
        assert "0.700" in table[1]
        assert "cannot tell" in table[2]


def test_plain_text_where_there_is_no_terminal():
    stream = io.StringIO()
    print_verdict(verdict(a_goal("newcomers", "a"), a_tally(0.70, 0.67)), stream)
    lines = stream.getvalue().splitlines()
    assert "\x1b" not in stream.getvalue()
    assert lines[0].split() == ["cohort", "attempts", "win", "rate", "target", "verdict", "dial", "quit"]
    assert lines[1] == "newcomers    40,000  0.700 (0.694-0.706)  0.67-0.73  in band      0.31   0 %"
    assert lines[3:6] == [
        "",
        "Judged: the attempts of each player after the first 20.",
        "One of the two cohorts is where you wanted it; for the other it cannot be told yet.",
    ]


def test_markup_of_the_terminal_is_text(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    print_verdict(verdict(a_goal("[red]x"), a_tally(0.70)), stream)
    assert "[red]x" in stream.getvalue()


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.004, "under 1 %"), (0.12, "12 %"), (0.994, "over 99 %"), (1, "100 %"), (math.nan, "-")],
)
def test_percent(share, text):
    assert percent(share) == text


def test_a_goal_from_a_manifest():
    found = goal_of(
        {
            "cohorts": ["a", "b"],
            "targets": {"a": [0.7, 0.8], "b": [[0.6, 0.7], [0.5, 0.6]]},
            "scope": "cohort",
            "replicas": 2,
        }
    )
    assert found == Goal(("a", "b"), (((0.7, 0.8),), ((0.6, 0.7), (0.5, 0.6))), True, 2)
    manifest = {"cohorts": ["a"], "targets": {"a": [0.7, 0.8]}, "scope": "player", "replicas": 1}
    assert [goal_of({**manifest, "mode": mode}).steered for mode in ("deterministic", "adaptive")] == [False, True]
    with pytest.raises(RunFolderError, match="targets"):
        goal_of({"cohorts": ["a"], "targets": {}, "scope": "player", "replicas": 1})
