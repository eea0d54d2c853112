"""What a verdict says, and that it says no more than it knows."""

from __future__ import annotations

import dataclasses
import io
import json
import math

import numpy as np
import pytest

from engine.errors import RunFolderError
from engine.inference.intervals import DIAL_UNIT, FEW, FEW_REPLICAS, RateInterval, cluster_sums, sums_of
from engine.players import ATTEMPT_LIMIT, QUIT
from engine.scenario import parse, setup_of
from engine.tally import NEAR_END, SWING_UNIT, TOTALS, Scheme, Tally, scheme_of, tally_of
from engine.world import chunks, simulate
from sims.catalog import Catalog
from sims.cli.views.verdict_table import print_verdict
from sims.runs.tables import goal_for
from sims.verdict.goal import SUMMARY_COLUMNS, Goal, goal_of
from sims.verdict.numbers import decimals_of
from sims.verdict.verdict import HEADINGS, cells, further_players, state_of, summary_rows, verdict
from sims.wording import share_text
from tests.kit.golden import check_golden

BAND = (0.67, 0.73)


def a_tally(*rates, players=400, attempts=100, spread=6, dial=0.31, levels=0, cluster="player", quits=0, **totals):
    """Cohorts whose players win `rates` of their attempts on average, give or take `spread` wins a player."""
    scheme = Scheme(len(rates), levels, 20, cluster, 0.0, 1.0, (0, 5), 1, 86_400)
    tally = Tally.empty(scheme)
    for cohort, rate in enumerate(rates):
        wins = np.rint(rate * attempts + spread * np.resize([-1, 1], players)).astype(np.int64)
        a = np.full(players, attempts)
        made = int(a.sum())
        ones = np.ones_like(a)
        tally.judged[cohort] = [column.sum() for column in cluster_sums(ones, wins, a, round(dial * DIAL_UNIT) * a, 1)]
        tally.quitting[cohort] = sums_of(np.repeat([1, 0], [quits, players - quits]), ones)
        given = {"attempts": made, "late_attempts": made // 3, "late_dial": round(dial * DIAL_UNIT) * (made // 3)}
        for name, number in {**given, **totals}.items():
            tally.totals[cohort, TOTALS.index(name)] = number
        tally.left[cohort, QUIT], tally.left[cohort, ATTEMPT_LIMIT] = quits, players - quits
    return tally


def a_goal(*names, band=BAND, shared=False, replicas=1):
    return Goal(names, ((band,),) * len(names), shared, replicas)


def campaign():
    """Three levels, the second of which is won too rarely, the third wanted to be easier."""
    tally = a_tally(0.70, levels=3)
    tally.judged[0, 2, 3] -= 8000  # wins of level 2
    return Goal(("experts",), (((0.67, 0.73), (0.67, 0.73), (0.77, 0.83)),), False, 1), tally


def nobody():
    return a_goal("experts"), Tally.empty(Scheme(1, 0, 20, "player", 0.0, 1.0, (0, 5), 1, 86_400))


def by_plan():
    return dataclasses.replace(a_goal("newcomers", "experts"), steered=False), a_tally(0.60, 0.70, easy_end=40_000)


def few(cluster, least):
    goal = a_goal("newcomers", "experts", shared=cluster == "replica", replicas=least - 1)
    tally = a_tally(0.70, 0.70, players=least - 1, spread=1, cluster=cluster)
    tally.judged[1] *= 100
    return goal, tally


def unjudged(rate):
    """Most players leave in the warm-up: 600 of 1,000, who won half of their 5,000 attempts."""
    return a_tally(
        rate, warm_up_attempts=13_000, warm_up_wins=8_450, playing_players=1000, player_rates=583 * DIAL_UNIT,
        unjudged_players=600, unjudged_attempts=5000, unjudged_wins=2500,
    )  # fmt: skip


def wanted_of(win_rate, tolerance, *names):
    band = (round(win_rate - tolerance, 12), round(min(win_rate + tolerance, 1.0), 12))
    return dataclasses.replace(a_goal(*names, band=band), wanted=(((win_rate, tolerance),),) * len(names))


def levels_of(levels, *names, **choices):
    return dataclasses.replace(a_goal(*names), bands=((BAND,) * levels,) * len(names), **choices)


def two_campaigns():
    """Three levels for two groups: one is right everywhere, the other nowhere near and never on level 3."""
    tally = a_tally(0.70, 0.70, levels=3)
    tally.judged[1, 1, 3] -= 8000
    tally.judged[1, 2, 3] += 8000
    tally.judged[1, 3] = 0
    return levels_of(3, "newcomers", "experts"), tally


def right_on_average():
    """Each level is far off, their mean is right."""
    tally = a_tally(0.70, levels=2)
    tally.judged[0, 1, 3] -= 8000
    tally.judged[0, 2, 3] += 8000
    return levels_of(2, "experts"), tally


def swinging(rate):
    freedom = 10_000
    return a_tally(rate, late_squares=round((0.3 * SWING_UNIT) ** 2) * freedom, late_freedom=freedom)


def clipped_for_one():
    tally = a_tally(0.70, 0.70, clipped=0)
    tally.totals[1, TOTALS.index("clipped")] = 600
    return a_goal("newcomers", "experts"), tally


THREE = a_goal("newcomers", "regulars", "experts")

# Name of a golden text -> what it is said of: goal and tally.
SITUATIONS = {
    "all_on_target": lambda: (THREE, a_tally(0.70, 0.70, 0.70)),
    "one_below": lambda: (THREE, a_tally(0.70, 0.70, 0.66, easy_end=4800)),
    "one_above": lambda: (THREE, a_tally(0.70, 0.70, 0.80, hard_end=4800)),
    "one_too_close": lambda: (THREE, a_tally(0.70, 0.70, 0.67)),
    "more_players": lambda: (a_goal("experts"), a_tally(0.68, players=40)),
    "on_the_edge": lambda: (a_goal("experts", band=(0.60, 0.70)), a_tally(0.70)),
    "no_width": lambda: (a_goal("experts", band=(0.70, 0.70)), a_tally(0.70)),
    "nobody_judged": nobody,
    "one_player": lambda: (a_goal("experts"), a_tally(0.2, players=1, attempts=100_000, spread=0)),
    "one_replica": lambda: (
        a_goal("experts", shared=True),
        a_tally(0.70, players=1, attempts=100_000, spread=0, cluster="replica"),
    ),
    "several_replicas": lambda: (
        a_goal("experts", shared=True, replicas=8),
        a_tally(0.68, players=8, attempts=5000, spread=150, cluster="replica"),
    ),
    "few_players": lambda: few("player", FEW),
    "few_replicas": lambda: few("replica", FEW_REPLICAS),
    "quit_and_timed_out": lambda: (
        a_goal("newcomers", "experts"),
        a_tally(0.60, 0.70, quits=40, timed_out=2000, easy_end=24_000, hard_end=800),
    ),
    "end_of_the_dial_by_plan": by_plan,
    "end_of_the_dial_too_close": lambda: (a_goal("experts"), a_tally(0.67, easy_end=40_000)),
    "clipped": lambda: (a_goal("experts"), a_tally(0.70, clipped=4800)),
    "clipped_for_one": clipped_for_one,
    "still_moving": lambda: (a_goal("experts"), a_tally(0.60, late_dial=round(0.4 * DIAL_UNIT) * 13_333)),
    "campaign": campaign,
    "campaign_of_two_groups": two_campaigns,
    "campaign_right_on_average": right_on_average,
    "campaign_of_one_player": lambda: (
        levels_of(2, "experts"),
        a_tally(0.70, levels=2, players=1, attempts=100_000, spread=0),
    ),
    "campaign_on_target": lambda: (levels_of(2, "newcomers", "experts"), a_tally(0.70, 0.70, levels=2)),
    "campaign_with_layouts_of_each_repeat": lambda: (
        levels_of(2, "experts", replicas=12, layouts="per_replica"),
        a_tally(0.70, levels=2, cluster="replica"),
    ),
    "wanted_rate_and_tolerance": lambda: (wanted_of(0.80, 0.05, "newcomers", "experts"), a_tally(0.84, 0.70)),
    "narrow_band": lambda: (wanted_of(0.99, 0.005, "experts"), a_tally(0.989, spread=1)),
    "never_judged": lambda: (a_goal("experts"), unjudged(0.70)),
    "never_judged_off_target": lambda: (a_goal("experts"), unjudged(0.60)),
    "on_target_at_an_end": lambda: (a_goal("experts"), a_tally(0.70, easy_end=30_000)),
    "on_target_but_swinging": lambda: (a_goal("experts"), swinging(0.70)),
    "margin_wider_than_the_target": lambda: (a_goal("experts"), a_tally(0.672, players=12, spread=12)),
    "warm_up_of_two_groups": lambda: (
        a_goal("newcomers", "experts"),
        a_tally(0.70, 0.70, warm_up_attempts=8000, warm_up_wins=6240),
    ),
    "faults": lambda: (a_goal("experts"), a_tally(0.70, failed=12, bad_proposals=30_000)),
}


def printed(found):
    stream = io.StringIO()
    print_verdict(found, stream)
    return stream.getvalue()


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_a_person_reads(request, name):
    goal, tally = SITUATIONS[name]()
    check_golden(request, f"verdict/{name}", printed(verdict(goal, tally)))


def test_headlines(request):
    """One group, two, three and many; on target (0.70), below (0.60), above (0.80), too close to call (0.67)."""
    many = [[0.70], [0.60], [0.67], [0.70, 0.70], [0.60, 0.80], [0.60, 0.67], [0.67, 0.67], [0.70] * 3]
    many += [[0.60, 0.60, 0.80], [0.60, 0.70, 0.80], [0.67, 0.70, 0.70], [0.70, 0.67, 0.67], [0.60, 0.67, 0.70]]
    many += [[0.60, 0.67, 0.67], [0.70] * 12]
    lines = []
    for rates in many:
        found = verdict(a_goal(*"abcdefghijkl"[: len(rates)]), a_tally(*rates))
        lines.append(f"{' '.join(f'{rate:.2f}' for rate in rates)}\n    {found.sentences[0]}")
    for rates in ([0.70, 0.67], [0.67, 0.70, 0.67], [0.67, 0.60, 0.70]):  # and nobody was judged of the last one
        tally = a_tally(*rates)
        tally.judged[-1] = 0
        found = verdict(a_goal(*"abc"[: len(rates)]), tally)
        known = " ".join(f"{rate:.2f}" for rate in rates[:-1])
        lines.append(f"{known} nobody\n    {found.sentences[0]}")
    tally = a_tally(0.70, 0.70)
    tally.judged[:] = 0
    lines.append(f"nobody nobody\n    {verdict(a_goal('a', 'b'), tally).sentences[0]}")
    check_golden(request, "verdict/headlines", "\n".join(lines))


def test_states_of_a_verdict():
    found = verdict(THREE, a_tally(0.70, 0.70, 0.66))
    assert [row.state for row in found.rows] == ["in band", "in band", "below"]
    assert not found.met
    assert found.settled
    assert verdict(THREE, a_tally(0.70, 0.70, 0.70)).met
    assert not verdict(THREE, a_tally(0.70, 0.70, 0.67)).settled


def test_an_edge_within_the_interval_is_settled_by_as_many_players_as_it_says():
    row = verdict(a_goal("a"), a_tally(0.68, players=40)).rows[0]
    assert row.state == "cannot tell"
    assert row.win_rate_low < 0.67 < row.win_rate
    assert row.more_players == 280
    assert verdict(a_goal("a"), a_tally(0.68, players=40 + 280)).rows[0].state == "in band"
    assert verdict(a_goal("a", band=(0.60, 0.70)), a_tally(0.70)).rows[0].more_players is None


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

    assert needed(0.70) < needed(0.69) < needed(0.688) < needed(0.685)
    assert needed(0.67) is None
    assert needed(0.675) is None, "practically at the edge"


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


def test_what_is_rare_is_not_mentioned():
    plain = verdict(a_goal("a"), a_tally(0.70)).sentences
    rare = {"clipped": 300, "timed_out": 300, "easy_end": 3000}
    assert verdict(a_goal("a"), a_tally(0.70, **rare)).sentences == plain


@pytest.mark.parametrize(("cluster", "least"), [("player", FEW), ("replica", FEW_REPLICAS)])
def test_a_small_sample_ends_where_the_least_is_reached(cluster, least):
    mentioned = [len(verdict(*few(cluster, clusters)).sentences) for clusters in (least, least + 1)]
    assert mentioned[0] == mentioned[1] + 1


@pytest.mark.parametrize("rate", [0.2, 0.70, 1.0])
@pytest.mark.parametrize("cluster", ["player", "replica"])
def test_of_one_cluster_nothing_can_be_told(rate, cluster):
    found = verdict(a_goal("a"), a_tally(rate, players=1, attempts=100_000, spread=0, cluster=cluster))
    row = found.rows[0]
    assert (row.state, row.interval, row.more_players) == ("cannot tell", "Wilson over attempts", None)
    assert row.state_words == "not known"
    assert f"not enough {'repeats' if cluster == 'replica' else 'players'} to judge" in found.sentences[0]


def test_a_rate_of_nobody_is_missing():
    found = verdict(*nobody())
    assert (found.rows[0].state, found.rows[0].state_words) == ("cannot tell", "not known")
    assert found.to_json()["rows"][0]["win_rate"] is None
    assert summary_rows(found)[0][5] is None


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
    ("controller", "mode"),
    [(b'"kalman"', "adaptive"), (b'"constant"\noptions = { difficulty = 0.0 }', "deterministic")],
)
def test_a_controller_that_stays_at_an_end_by_itself_is_told(controller, mode):
    scenario = parse(STUCK.replace(b'"kalman"', controller), "stuck.toml", Catalog())
    setup = setup_of(scenario, Catalog())
    assert setup.kind.mode == mode
    tally = Tally.empty(scheme := scheme_of(setup, scenario.after_attempts))
    at_end: list[bool] = []
    for chunk in chunks(setup):
        played = simulate(setup, chunk)
        assert not np.any(played.rows["clipped"])
        at_end += (played.rows["difficulty"][played.rows["attempt"] >= 20] <= NEAR_END).tolist()
        tally += tally_of(played.rows, played.players, scheme)
    found = verdict(goal_for(scenario, setup), tally)
    share = sum(at_end) / len(at_end)
    assert found.rows[0].easy_end_share == share > 0.9
    assert f"easiest in {'every attempt' if share == 1.0 else f'{share_text(share)} of attempts'}" in found.text
    assert ("does not react to outcomes" in found.text) is (mode == "deterministic")


def test_every_verdict_says_uncalibrated_and_none_says_fun():
    for rate in (0.5, 0.67, 0.7, 0.9):
        text = verdict(a_goal("a"), a_tally(rate)).text
        assert "uncalibrated" in text
        assert "fun" not in text.lower()


def test_levels_are_judged_one_by_one_and_together():
    found = verdict(*campaign())
    assert [row.level for row in found.level_rows] == [1, 2, 3]
    assert [row.state for row in found.level_rows] == ["in band", "below", "below"]
    assert found.rows[0].state == "below"
    assert found.rows[0].target_low == pytest.approx((0.67 + 0.67 + 0.77) / 3)
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


def test_difficulty_and_quitting_have_margins_wherever_they_are_written():
    tally = a_tally(0.60, 0.75, quits=40)
    wins, made = np.tile([55, 65], 200), np.full(400, 100)
    dial = np.rint(np.tile([0.2, 0.4], 200) * DIAL_UNIT).astype(np.int64) * made
    columns = cluster_sums(np.ones_like(made), wins, made, dial, 1)
    tally.judged[0] = [column.sum() for column in columns]
    found = verdict(a_goal("a", "b"), tally)
    row = found.rows[0]
    assert (row.difficulty_low, row.difficulty_high) == pytest.approx((0.29, 0.31), abs=0.0005)
    assert (row.quit_share_low, row.quit_share_high) == pytest.approx((0.0745, 0.1332), abs=0.0005)
    assert cells(row)[5:] == ("0.30 (0.29-0.31)", "10 % (7-13)")
    assert "Their difficulty was 0.30 (margin 0.29 to 0.31) on average." in found.text
    assert "10 % (margin 8 to 12 %) of players quit for good, most often a: 10 % (margin 7 to 13 %)." in found.text


def test_a_margin_narrower_than_rounding_is_not_written():
    row = verdict(a_goal("a"), a_tally(0.70)).rows[0]
    assert row.difficulty_low == row.difficulty_high == pytest.approx(0.31, abs=1e-6)
    assert cells(row)[5] == "0.31"


def test_shares_of_groups_who_share_a_controller_are_not_taken_together():
    found = verdict(a_goal("a", "b", shared=True, replicas=400), a_tally(0.70, 0.70, quits=40, cluster="replica"))
    assert "10 % of players quit for good, most often a: 10 % (margin 7 to 13 %)." in found.text


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
    print_verdict(verdict(wanted_of(0.70, 0.03, "newcomers", "experts"), a_tally(0.70, 0.67)), stream)
    text = stream.getvalue()
    assert ("\x1b[32m" in text) is not no_colour
    plain = [line for line in text.splitlines() if "\x1b" not in line]
    assert max(map(len, plain)) <= 80
    if no_colour:
        heads, *lines = text.splitlines()[:5]
        assert all(heading in heads for heading in HEADINGS)
        assert "70.0 % (69.4-70.6)" in lines[0]
        assert lines[0].rstrip().endswith("0 %")
        assert lines[1].strip() == "0-1"  # the margin of the share who quit, below it
        assert "too close" in lines[2]


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
    assert share_text(share) == text


def test_what_outcomes_do_not_steer_may_swing_and_stay_at_an_end():
    for tally in (swinging(0.70), a_tally(0.70, hard_end=30_000)):
        assert ", but" in verdict(a_goal("a"), tally).sentences[0]
        by_plan = dataclasses.replace(a_goal("a"), steered=False)
        assert ", but" not in verdict(by_plan, tally).sentences[0]


@pytest.mark.parametrize(("never", "told"), [(0, False), (44, False), (45, True), (400, True)])
def test_players_who_were_never_judged_are_told_from_a_tenth_on(never, told):
    tally = a_tally(0.70, unjudged_players=never, unjudged_attempts=900, unjudged_wins=90)
    found = verdict(a_goal("a"), tally)
    assert found.rows[0].never_judged == never
    assert ("never judged" in found.text) is told
    assert ("they won 10.0 % of their attempts" in found.text) is told


@pytest.mark.parametrize("levels", [0, 3])
def test_one_repeat_of_a_shared_controller_asks_for_repeats_and_not_for_players(levels):
    goal, tally = levels_of(max(levels, 1), "experts", shared=True), a_tally(0.68, players=40, levels=levels)
    found = verdict(goal, tally)
    assert {row.state for row in found.rows} == {"cannot tell"}
    assert "Run several repeats" in found.text
    assert "players of that group" not in found.text
    assert {row.more_players for row in (*found.rows, *found.level_rows)} == {None}
    assert "players of that group" in verdict(dataclasses.replace(goal, replicas=2), tally).text


def test_a_campaign_is_met_when_all_its_levels_are():
    found = verdict(*right_on_average())
    assert (found.met, found.rows[0].state) == (False, "off")
    assert found.rows[0].win_rate == pytest.approx(0.70)
    assert [row.state for row in verdict(*two_campaigns()).rows] == ["in band", "off"]
    assert verdict(*SITUATIONS["campaign_on_target"]()).met


def at_an_end(rate, dial, level_targets=(0.70, 0.70), floor=0.2, ceiling=0.6):
    """Two levels of one group, both at one place of the dial."""
    tally = a_tally(rate, levels=len(level_targets), dial=dial)
    tally = dataclasses.replace(tally, scheme=dataclasses.replace(tally.scheme, floor=floor, ceiling=ceiling))
    bands = tuple((round(wanted - 0.03, 12), round(wanted + 0.03, 12)) for wanted in level_targets)
    return verdict(dataclasses.replace(a_goal("experts"), bands=(bands,)), tally)


@pytest.mark.parametrize(
    ("rate", "dial", "targets", "end"),
    [
        (0.60, 0.21, (0.70, 0.60), "easiest"),
        (0.80, 0.59, (0.70, 0.80), "hardest"),
        (0.60, 0.59, (0.70, 0.60), None),  # below target at the hardest: an easier difficulty may help
        (0.80, 0.21, (0.70, 0.80), None),
        (0.60, 0.24, (0.70, 0.60), None),  # the dial had room
        (0.695, 0.20, (0.72, 0.70), None),  # too close to call
    ],
)
def test_a_level_that_the_dial_cannot_bring_to_its_target_is_named_with_the_nearest_rate(rate, dial, targets, end):
    said = at_an_end(rate, dial, targets).text
    assert ("out of the dial's reach" in said) is (end is not None)
    if end:
        assert f"Level 1 for experts is out of the dial's reach: at its {end} the win rate is {100 * rate:.1f}" in said
        assert "Level 2 for experts" not in said
        assert "or change these targets" in said


def test_many_levels_out_of_reach_are_counted():
    said = at_an_end(0.60, 0.20, (0.70,) * 5).text
    assert said.count("is out of the dial's reach") == 3
    assert "Two more levels are out of reach." in said


@pytest.mark.parametrize(
    ("shares", "decimals"),
    [((0.67, 0.73), 0), ((0.985, 0.995), 1), ((0.9985, 0.9995), 2), ((1 / 3, 2 / 3), 1), ((0.7, math.nan), 0)],
)
def test_decimals_follow_the_band(shares, decimals):
    assert decimals_of(*shares) == decimals


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
    assert goal_of({**manifest, "wanted": {"a": [[0.75, 0.05]]}}).wanted == (((0.75, 0.05),),)
    assert goal_of({**manifest, "wanted": {"a": [None]}, "layouts": "per_replica"}).layouts == "per_replica"
    with pytest.raises(RunFolderError, match="wanted"):
        goal_of({**manifest, "wanted": {"a": [None, None]}})
    with pytest.raises(RunFolderError, match="targets"):
        goal_of({"cohorts": ["a"], "targets": {}, "scope": "player", "replicas": 1})
