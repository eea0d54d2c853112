"""The pages of races: what stands in them, that nothing falls out of a chart, and that words stay words."""

from __future__ import annotations

import dataclasses
import math
import re
from itertools import pairwise

import pytest

from sims.arena.gain_page import gain_page
from sims.arena.gains import GainTrial, GainTrials
from sims.arena.score import UNKNOWN, Card, Interval
from sims.arena.score_card import ScoreLine
from sims.arena.score_page import MODES, score_page
from sims.arena.standings import ArenaScores
from sims.arena.standings_page import standings_page

NASTY = "<b>&\"'=cmd()@x</b>"
VERDICT = "kalman has the lowest error. Errors divided by that of kalman: ramp 2.00 (1.90 to 2.10) (95 %)."


def line(controller, rmse, *, cohort="", course="small", mode="adaptive", ratio=1.5, half=0.01):
    card = Card(9, Interval(rmse, rmse - half, rmse + half), *[0.1] * 10)
    return ScoreLine(
        course, controller, mode, cohort, card, Interval(ratio, ratio - 0.1, ratio + 0.1), microseconds=77.7
    )


def limit(rmse, **words):
    return line("bayes_limit", rmse, mode="reference", ratio=1.0, **words)


LINES = [
    limit(0.05), line("kalman q=0.01", 0.1), line("ramp", 0.2, mode="deterministic"),
    limit(0.06, cohort="weak"), line("kalman q=0.01", 0.05, cohort="weak"),
    line("ramp", 0.4, cohort="weak", mode="deterministic"),
]  # fmt: skip


def figures(page):
    return dict(re.findall(r"<figcaption>([^<]*)</figcaption>(.*?)</figure>", page, flags=re.DOTALL))


def rows(picture):
    """Name, number at the value and colour of each mark, from top to bottom."""
    return re.findall(r'<g style="color:var\(--(\w+)\)"><title>([^<]*)</title>', picture)


def test_scores_have_a_panel_for_each_cohort_with_the_best_on_top_and_the_limit_dashed():
    page = score_page("Small", "9 players", LINES, VERDICT, ["x limit is not known."])
    panels = figures(page)
    assert list(panels) == ["all players", "weak"]
    assert rows(panels["all players"]) == [
        ("line4", "bayes_limit: 0.0500 (0.0400 to 0.0600)"),
        ("line0", "kalman q=0.01: 0.1000 (0.0900 to 0.1100)"),
        ("line1", "ramp: 0.2000 (0.1900 to 0.2100)"),
    ]
    assert [words.split(":")[0] for _, words in rows(panels["weak"])] == ["bayes_limit", "kalman q=0.01", "ramp"]
    assert [panel.count('class="limit"') for panel in panels.values()] == [1, 1]
    assert '<p class="headline">kalman has the lowest error.</p><p>Errors divided by that of kalman: ramp 2.00' in page
    assert '<p class="caution">x limit is not known.</p>' in page


def test_every_mark_lies_within_its_panel():
    """A cohort that is served far worse than all together must not fall out of the picture."""
    panels = figures(score_page("Small", "9 players", LINES, VERDICT, []))
    assert panels
    for panel in panels.values():
        ticks = re.findall(r'class="grid"></path><text x="([0-9.]+)" y="[0-9.]+" class="middle">([0-9.]+)<', panel)
        (x0, v0), *_, (x1, v1) = ((float(x), float(value)) for x, value in ticks)
        for name, value, high in re.findall(r"<title>(\w+)[^:<]*: ([0-9.]+) \([0-9.]+ to ([0-9.]+)\)", panel):
            end = float(re.search(rf"<title>{name}.*?H([0-9.]+)", panel)[1])  # type: ignore[index]
            assert end == pytest.approx(x0 + (float(high) - v0) / (v1 - v0) * (x1 - x0), abs=0.2), value


def test_scores_leave_out_what_differs_from_run_to_run_and_what_is_not_known():
    unknown = line("cma_es", math.nan, mode="self_adaptive")
    page = score_page("Small", "9 players", [*LINES[:3], unknown], VERDICT, [])
    assert "77.7" not in page
    assert "microseconds" not in page
    assert len(rows(figures(page)["all players"])) == 3
    assert page.count('<th scope="row" class="short">cma_es</th>') == 1, "it has a card all the same"


def test_scores_without_any_known_chance_are_a_page_too():
    page = score_page("Small", "9 players", [line("cma_es", math.nan)], "No comparison is possible.", [])
    assert figures(page) == {}
    assert "No comparison is possible." in page


def test_modes_differ_in_colour_and_in_shape():
    assert len({colour for colour, _ in MODES.values()}) == len({shape for _, shape in MODES.values()}) == 4


def raced():
    """Two worlds of the ten, a game, and a world in which the limit could not play."""
    lines = [
        limit(0.05, course="learning"), line("kalman", 0.1, course="learning", ratio=2.0),
        limit(0.05, course="stationary"), line("kalman", 0.06, course="stationary", ratio=1.125),
        limit(0.05, course="boss_duel"), line("kalman", 0.2, course="boss_duel", ratio=4.0),
        line("kalman", 0.3, course="gap_runner")._replace(ratio=UNKNOWN),
    ]  # fmt: skip
    gains = {"kalman": Interval(0.1, 0.08, 0.12), "bayes_limit": Interval(0.2, 0.18, 0.22)}
    worlds = ("learning", "stationary", "boss_duel", "gap_runner")
    return ArenaScores(9, worlds, tuple(lines), gains, {("gap_runner", "bayes_limit"): "it knows no dial"})


def test_the_arena_is_a_map_with_numbers_mean_and_worst_first():
    page = standings_page("9 players a world", raced())
    assert re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', page)[:5] == [
        "mean", "worst", "stationary", "learning", "boss_duel",
    ]  # fmt: skip
    (row,) = re.findall(r'<tr><th scope="row">kalman</th>(.*?)</tr>', page)
    assert re.findall(r'class="([^"]*)">([^<]*)<', row) == [
        ("heat3", "1.50"), ("heat5", "2.00"), ("apart heat1", "1.12"), ("heat5", "2.00"), ("apart heat6", "4.00"),
    ]  # fmt: skip
    assert 'title="kalman on learning: 2.00 (1.90-2.10)"' in row


def test_the_arena_tells_what_else_came_of_it():
    page = standings_page("9 players a world", raced())
    assert '<td data-label="gap_runner" class="short">0.3000</td>' in page
    assert rows(page) == [
        ("line0", "kalman: +0.100 (+0.080 to +0.120)"),
        ("line4", "bayes_limit: +0.200 (+0.180 to +0.220)"),
    ]
    assert "<li>gap_runner: it knows no dial (bayes_limit).</li>" in page


def tried(errors, low, high, chosen):
    trials = tuple(
        GainTrial((gain, 2.0 * gain), Interval(rmse, rmse - 0.01, rmse + 0.01), Interval(1.0, 1.0, 1.0))
        for gain, rmse in errors.items()
    )
    fresh = Interval(0.1, 0.09, 0.11)
    return GainTrials("pid", ("ki", "kp"), trials, (chosen, 2.0 * chosen), low, high, fresh, 5, Interval(0.8, 0.7, 0.9))


def test_gains_show_the_valley_what_is_as_good_and_what_is_recommended():
    page = gain_page("Small", "9 players", tried({0.01: 0.3, 0.02: 0.2, 0.04: 0.1, 0.08: 0.2}, 0.02, 0.08, 0.02))
    dots = [float(x) for x in re.findall(r'<circle cx="([0-9.]+)"', page)]
    steps = [b - a for a, b in pairwise(dots)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.11), "equal factors are equal distances"
    (band,) = re.findall(r'<rect x="([0-9.]+)" y="0" width="([0-9.]+)"[^>]*class="wanted"', page)
    assert float(band[0]) == dots[1]
    assert float(band[0]) + float(band[1]) == pytest.approx(dots[3], abs=0.11)
    assert f'd="M{dots[1]:g} 0V130" class="limit"' in page
    assert '<p class="headline">Recommended for pid: ki = 0.02, kp = 0.04.</p><p>The best ' in page
    assert page.count("recommended</span>") == 1


def test_a_gain_without_an_interval_or_a_known_error_has_no_false_one():
    found = tried({0.01: 0.3, 0.02: 0.2}, 0.02, 0.02, 0.02)
    unknown = GainTrial((0.04, 0.08), UNKNOWN, UNKNOWN)
    alone = found.trials[0]._replace(rmse=Interval(0.3, math.nan, math.nan))
    page = gain_page("Small", "9 players", dataclasses.replace(found, trials=(alone, found.trials[1], unknown)))
    assert "nan" not in page
    assert page.count("<circle") == 2


def test_words_of_scenarios_and_plugins_stay_words():
    lines = [line(NASTY, 0.1, cohort=cohort, course=NASTY) for cohort in ("", NASTY)]
    arena = ArenaScores(9, (NASTY,), tuple(lines), {NASTY: Interval(0.1, 0.1, 0.1)}, {(NASTY, NASTY): NASTY})
    usual = tried({0.01: 0.3, 0.02: 0.2}, 0.01, 0.02, 0.01)
    named = dataclasses.replace(usual, controller=NASTY, options=(NASTY, NASTY))
    pages = [
        score_page(NASTY, NASTY, lines, NASTY, [NASTY]),
        standings_page(NASTY, arena),
        gain_page(NASTY, NASTY, named),
    ]
    for page in pages:
        assert "<b>" not in page
        assert page.count("&lt;b&gt;") > 2
