"""Races: the same players for all, the same bytes for any number of workers, true chances, and what is said of them."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import re

import numpy as np
import pytest

from engine.errors import PluginFault, RunFolderError, ScenarioError
from engine.response.response_map import response_map
from engine.scenario import parse, setup_of
from engine.world import chunks, play
from sims.arena import true_chances
from sims.arena.baselines import PLACES, baselines_for
from sims.arena.command import _notes, _print_arena, _verdict, compared, own_entrant
from sims.arena.files import write_scores
from sims.arena.race import Course, Entrant, Race, entrant_of, race, refuse_absent, setup_for
from sims.arena.score import SCORE, Card, Interval, card_of
from sims.arena.score_card import COLUMNS, HEADINGS, LEGEND, WHY_LAST, Line, line_of, row_of
from sims.arena.score_page import score_page
from sims.arena.true_chances import Judge, judge_of
from sims.arena.worlds import ALL, THROWN, WORLDS, Arena, arena, standings, world_of
from sims.catalog import DEFAULT_CONTROLLER, Catalog
from sims.cli.app import main

pytestmark = pytest.mark.thorough

CATALOG = Catalog()
UP_DOWN, KALMAN = Entrant("weighted_up_down"), Entrant("kalman")
SPREAD = '{ kind = "normal", mean = 0.0, sd = 1.5 }'
TEXT = """
format = 1
title = "Small"
seed = 31
[game]
name = "{game}"
[game.bounds]
{bounds}
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.6
after_attempts = 10
[controller]
name = "weighted_up_down"
scope = "{scope}"
options = {{ step = 0.08 }}
[players]
count = {players}
[players.arrival]
kind = "launch"
within_days = 0.0
[players.flow]
pause_log_sd = 0.0
session_attempts = 20
[[cohort]]
name = "weak"
share = 0.5
traits = {{ skill = {skill}, session_frailty = -40.0, quit_frailty = -40.0{traits} }}
[[cohort]]
name = "strong"
share = 0.5
target = {{ win_rate = 0.4 }}
traits = {{ skill = {strong}, session_frailty = -40.0, quit_frailty = -40.0 }}
[horizon]
days = 900
attempts_per_player = {attempts}
[run]
replicas = {replicas}
"""


def scenario(
    game="logistic",
    scope="player",
    players=12,
    attempts=40,
    replicas=1,
    traits="",
    skill=SPREAD,
    strong=SPREAD,
    bounds="",
    name="small.toml",
):
    text = TEXT.format(
        game=game, scope=scope, players=players, attempts=attempts, replicas=replicas,
        traits=f", {traits}" if traits else "", skill=skill, strong=strong, bounds=bounds,
    )  # fmt: skip
    return parse(text.encode(), name, CATALOG)


@pytest.fixture
def words(capsys, tmp_path, monkeypatch):
    """Run a command in an empty folder with the small scenario; its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(scenario().resolved_toml())

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--workers", "1"] if arguments[0] != "advise" else arguments)
        return (code, *capsys.readouterr())

    return run


# --- A race -----


def test_one_two_and_seven_workers_give_the_same_bytes(tmp_path):
    found = scenario(scope="cohort", replicas=4)
    assert len(chunks(setup_of(found, CATALOG))) == 8, "there must be work to divide"
    for workers in (1, 2, 7):
        folder = tmp_path / str(workers)
        folder.mkdir()
        scores = race([Course("small", found)], [KALMAN, UP_DOWN], workers=workers).scores
        lines = [line_of(*key, "adaptive", own, scores["small", "kalman"], None) for key, own in scores.items()]
        write_scores(folder, lines)
        (folder / "scores.html").write_text(score_page("Small", "12 players", lines, "kalman is nearer.", []))
    for name in ("scores.csv", "scores.html"):
        one, two, seven = ((tmp_path / workers / name).read_bytes() for workers in ("1", "2", "7"))
        assert one == two == seven


def test_all_meet_the_same_players_whatever_else_races():
    course = Course("small", scenario())
    alone = race([course], [KALMAN], workers=1)
    among = race([course], [UP_DOWN, KALMAN, Entrant("cma_es")], workers=1)
    assert (alone.scores["small", "kalman"] == among.scores["small", "kalman"]).all()
    tracks = [scores["track"].tolist() for scores in among.scores.values()]
    assert tracks[0] == tracks[1] == tracks[2], "by the scenario's scope, whatever their own is"


def test_scores_are_of_the_true_chances_of_the_rows():
    """By hand: the closed form of the rows that the world itself leaves."""
    found = scenario(scope="cohort")
    base = setup_of(found, CATALOG)
    setup = setup_for(base, KALMAN, CATALOG)
    scores = race([Course("small", found)], [KALMAN], workers=1).scores["small", "kalman"]
    assert len(scores) == 2
    for cohort, chunk in enumerate(chunks(base)):
        rows = play(setup, chunk).rows
        guess = rows["params"][:, 1]
        reach = rows["slope"] * (rows["skill"] - rows["params"][:, 0])
        p = guess + (1.0 - guess - rows["lapse"]) / (1.0 + np.exp(-reach))
        wanted = (0.6, 0.4)[cohort]
        judged = rows["attempt"] >= 10
        times = np.unique(rows["start_s"][judged])
        square = sum((p[judged & (rows["start_s"] == time)].mean() - wanted) ** 2 for time in times)
        assert scores[cohort]["judged"] == len(times) > 30, "after the first session they play at times of their own"
        assert scores[cohort]["square"] == pytest.approx(square)


def test_who_steers_players_alone_is_scored_with_those_who_share():
    """Such a controller could be cut into smaller pieces; then each piece would count as a cohort of its own."""
    found = scenario(scope="cohort", players=60, attempts=2000)
    assert len(chunks(setup_for(setup_of(found, CATALOG), Entrant("ramp"), CATALOG))) > 2
    scores = race([Course("small", found)], [Entrant("ramp"), UP_DOWN], workers=1).scores
    assert scores["small", "ramp"]["track"].tolist() == scores["small", "weighted_up_down"]["track"].tolist() == [0, 1]


def test_best_static_is_the_best_for_the_scenarios_own_horizon():
    short, long = (setup_of(scenario(attempts=attempts), CATALOG) for attempts in (12, 400))
    fixed = [setup_for(base, Entrant("best_static"), CATALOG).options for base in (short, long)]
    assert [tuple(one) for one in fixed] == [(12.0, 20.0), (400.0, 20.0)]
    given = entrant_of(CATALOG.controller("best_static"), {"attempts": 77.0, "session": 7.0})
    assert tuple(setup_for(short, given, CATALOG).options) == (77.0, 7.0)
    endless = scenario().resolved_toml().replace("session_attempts = 20.0", "session_attempts = 0.0")
    base = setup_of(parse(endless.encode(), "small.toml", CATALOG), CATALOG)
    assert base.flow.session_attempts == 0.0
    assert tuple(setup_for(base, Entrant("best_static"), CATALOG).options) == (40.0, 40.0), "one session"


def test_thrown_attempts_do_not_count():
    thrown = scenario(traits="thrown = 3.0")
    scores = race([Course("small", thrown)], [UP_DOWN], workers=1).scores["small", "weighted_up_down"]
    weak, strong = (scores[scores["cohort"] == cohort] for cohort in (0, 1))
    assert set(strong["attempts"].tolist()) == {40}
    assert set(weak["attempts"].tolist()) == {34}, "two sessions of twenty, three thrown in each"
    unscored = race([Course("small", thrown, 3)], [UP_DOWN], workers=1).scores["small", "weighted_up_down"]
    assert set(unscored["attempts"].tolist()) == {34}, "twins who throw nothing are scored on the same attempts"


def test_who_cannot_play_is_absent_with_the_reason():
    shared = dataclasses.replace(scenario(scope="cohort"))
    shared = parse(
        shared.resolved_toml().replace("deploy_every_s = 0.0", "deploy_every_s = 60.0").encode(), "small.toml", CATALOG
    )
    found = race([Course("small", shared)], [Entrant("oracle"), KALMAN], workers=1)
    assert "decides for each player alone" in found.absent["small", "oracle"]
    assert list(found.scores) == [("small", "kalman")]
    everyone = race([Course("small", scenario(scope="everyone"))], [Entrant("bayes_limit"), KALMAN], workers=1)
    assert "would be no limit" in everyone.absent["small", "bayes_limit"]


def test_whoever_needs_all_of_a_race_is_told_who_raised():
    with pytest.raises(PluginFault, match=r"^small: elo is left out: its controller or the game raised KeyError\.$"):
        refuse_absent(Race({}, {}, {("small", "elo"): "its controller or the game raised KeyError"}))
    refuse_absent(Race({}, {}, {}))


def test_costs_are_measured_per_attempt():
    found = race([Course("small", scenario(players=60, attempts=200))], [UP_DOWN], workers=1)
    assert 0.0 < found.microseconds["small", "weighted_up_down"] < 1e6


@pytest.mark.parametrize(
    ("given", "word"),
    [({"speed": 1.0}, "no option 'speed'"), ({"step": 2.0}, "from 0 to 1"), ({"step": math.nan}, "got nan")],
)
def test_wrong_options_are_refused(given, word):
    with pytest.raises(ScenarioError, match=word):
        entrant_of(CATALOG.controller("weighted_up_down"), given)


def test_options_at_their_defaults_are_no_options():
    kind = CATALOG.controller("weighted_up_down")
    assert entrant_of(kind, kind.options()._asdict()) == Entrant("weighted_up_down")
    assert entrant_of(kind, {"step": 0.02}).label == "weighted_up_down step=0.02"


# --- The judge -----


def test_a_map_tells_the_chances_of_attempts_on_the_dial_and_of_no_others():
    found = scenario(game="gap_runner", attempts=12, traits="bend_a = 1.7")
    base = setup_of(found, CATALOG)
    few = [
        response_map(
            base.game, base.space, base.path, traits, attempts=20, skills=[-3.0, 0.0, 3.0], dial=[0.0, 0.5, 1.0]
        )
        for traits in base.traits
    ]
    known = Judge(tuple(few))
    setup = setup_for(base, UP_DOWN, CATALOG)
    for number, chunk in enumerate(chunks(base)):
        played = play(setup, chunk)
        chances = known.chances(setup, played, played.rows)
        places = played.rows["difficulty"]
        if number == 0:
            places = 1.0 - (1.0 - places**1.7) ** 1.0  # where a bent dial acts
        assert chances == pytest.approx(few[number].probability(played.rows["skill"], places), abs=1e-9)
        moved = played.rows.copy()
        moved["params"][:, 0] += 0.01
        assert np.isnan(known.chances(setup, played, moved)).all()


def test_a_closed_form_needs_no_map():
    assert judge_of(setup_of(scenario(), CATALOG), threads=1).maps == ()


# --- What compare says -----


def test_a_comparison_has_the_limit_the_baseline_and_every_cohort():
    found = compared(scenario(players=60), [UP_DOWN, KALMAN], CATALOG, workers=1)
    together = {line.controller: line for line in found.lines if not line.cohort}
    assert list(together) == ["bayes_limit", "best_static", "weighted_up_down", "kalman"]
    assert together["bayes_limit"].ratio.value == 1.0
    assert together["best_static"].regret.value == 0.0
    assert together["kalman"].regret.high < 0.0
    assert together["weighted_up_down"].ratio.low > 1.0
    cohorts = [line.cohort for line in found.lines if line.controller == "kalman"]
    assert cohorts == ["", "weak", "strong"]
    squares = [line.card.rmse.value**2 for line in found.lines if line.controller == "kalman"]
    assert squares[0] == pytest.approx((squares[1] + squares[2]) / 2.0)
    assert found.notes == []
    assert found.verdict.count(".") == len(re.findall(r"\d\.\d", found.verdict)) + 1, "one sentence"
    assert "best_static (the baseline) is " in found.verdict


def scored(*squares):
    """Scores of one controller, whose units had these mean squared errors."""
    scores = np.zeros(len(squares), SCORE)
    scores["unit"] = scores["track"] = np.arange(len(squares))
    scores["attempts"] = scores["judged"] = 10
    scores["square"] = 10.0 * np.array(squares)
    return scores


def said_of(baseline, second):
    """The verdict on a best one whose units are all alike, the baseline and a second."""
    units = {"best_static": baseline, "weighted_up_down": second, "kalman": [1.0] * 40}
    found = Race({("a", name): scored(*squares) for name, squares in units.items()}, {}, {})
    return _verdict(found, "a", [Entrant(name) for name in units], Entrant("best_static"))


def test_a_ratio_names_whom_it_is_to():
    """The baseline is as likely good as bad; who is surely behind the best is still nearer than it."""
    assert said_of([0.1, 2.5] * 20, [1.1, 1.2] * 20) == (
        "Nobody is nearer to the target than best_static, the baseline, beyond noise: kalman cannot be told from it; "
        "weighted_up_down is 1.07 (1.06-1.08) times as far off as kalman (95 % intervals that hold all at once)."
    )


def test_it_is_not_said_that_nobody_is_nearer_where_a_second_surely_is():
    """It shares the baseline's luck, so it can be told from that, though the best cannot."""
    baseline = np.array([0.1, 2.5] * 20)
    said = said_of(baseline, 0.9 * baseline)
    assert said.startswith(
        "kalman keeps players nearest to their target, but weighted_up_down and best_static (the baseline) cannot be "
        "told from it ("
    ), said


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        ((0.97, 0.8, 1.2), True),
        ((0.97, math.nan, math.nan), True),
        ((0.9, 0.8, 0.95), False),
        ((0.998, 0.9, 1.1), False),
    ],
)
def test_a_multiple_below_the_limit_is_explained_where_one_is_seen(ratio, said, capsys):
    limit = scored(1.0, 2.0)
    lines = [line_of("a", "best_static", "reference", limit, limit, limit)._replace(ratio=Interval(*ratio))]
    notes = _notes(Race({}, {}, {}), "a", Entrant("best_static"), lines)
    note = "A multiple of the limit below 1 is chance: a ratio of few players."
    assert (note in notes) is said
    raced = Arena(tuple(lines), {}, {})
    _print_arena(raced, standings(raced), ["a"], 40)
    assert (note in capsys.readouterr().out) is said


def test_equals_are_never_called_different():
    """Two of the same rule that differ by less than can be told, and a baseline that is as good: nobody wins."""
    close = [entrant_of(CATALOG.controller("weighted_up_down"), {"step": step}) for step in (0.03, 0.0300001)]
    said = compared(scenario(players=40), close, CATALOG, workers=1).verdict
    assert "cannot be told apart" in said or "cannot be told from it" in said
    alike = scenario(players=40, skill="1.0", strong='{ kind = "normal", mean = 1.0, sd = 0.01 }')
    fixed = [entrant_of(CATALOG.controller("constant"), {"difficulty": place}) for place in (0.61, 0.62)]
    verdict = compared(alike, fixed, CATALOG, workers=1).verdict
    assert verdict.startswith("Nobody is nearer to the target than best_static, the baseline"), verdict


def test_one_group_is_no_evidence():
    found = compared(scenario(scope="everyone"), [KALMAN, UP_DOWN], CATALOG, workers=1)
    assert found.verdict.startswith("Nothing can be told apart")
    more = compared(scenario(scope="everyone", replicas=8), [KALMAN, UP_DOWN], CATALOG, workers=1)
    assert not more.verdict.startswith("Nothing can be told apart")
    assert any(note.startswith("x limit is not known: bayes_limit knows no dial") for note in more.notes)


def test_off_the_dial_of_a_game_without_a_closed_form_only_wins_count(monkeypatch):
    def small(*setup, **settings):
        return response_map(*setup, attempts=40, skills=[-3.0, 0.0, 3.0], dial=[0.0, 0.25, 0.5, 0.75, 1.0])

    monkeypatch.setattr(true_chances, "response_map", small)
    found = compared(scenario(game="gap_runner", attempts=25), [Entrant("cma_es"), KALMAN], CATALOG, workers=1)
    lines = {line.controller: line for line in found.lines if not line.cohort}
    card = lines["cma_es"].card
    assert math.isnan(card.rmse.value)
    assert math.isnan(card.in_band)
    assert card.win_error > 0.0
    assert lines["kalman"].card.rmse.value > 0.0
    assert "cma_es plays with scope cohort, for it does not know the scenario's, player." in found.notes
    assert any(note.startswith("The chances of cma_es are not known: it plays off the dial") for note in found.notes)
    assert "cma_es" not in found.verdict
    row = dict(zip((column.name for column in COLUMNS), row_of(lines["cma_es"]), strict=True))
    assert row["rmse"] is None
    assert row["win_error"] is not None


def test_where_best_static_cannot_play_the_baseline_is_the_best_of_some_constants():
    text = scenario(scope="everyone", replicas=4).resolved_toml()
    found = parse(text.replace("deploy_every_s = 0.0", "deploy_every_s = 60.0").encode(), "small.toml", CATALOG)
    entrants = baselines_for(setup_of(found, CATALOG), CATALOG)
    assert len({entrant.label for entrant in entrants}) == PLACES
    seen = compared(found, [KALMAN], CATALOG, workers=1)
    (fixed,) = (line for line in seen.lines if line.controller.startswith("constant") and not line.cohort)
    assert fixed.regret.value == 0.0
    assert any(f"the best of {PLACES} fixed difficulties in hindsight" in note for note in seen.notes)
    every = race([Course("small", found)], entrants, workers=1).scores.values()
    assert fixed.card.rmse.value == min(card_of(scores).rmse.value for scores in every)


def test_compare_without_a_controller_races_the_scenarios_own_against_the_default(words):
    code, out, err = words("compare", "small.toml", "--set", "players.count=8", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    names = list(dict.fromkeys(row["controller"] for row in found["scores"]))
    assert names == ["bayes_limit", "best_static", own_entrant(scenario(), CATALOG).label, DEFAULT_CONTROLLER]
    assert names[2] == "weighted_up_down step=0.08"
    assert set(found["scores"][0]) == {column.name for column in COLUMNS} | {"microseconds"}
    assert found["verdict"].endswith("hold all at once).")


def test_every_column_of_the_card_is_explained_in_three_lines():
    said = f"{LEGEND}\n{WHY_LAST}"
    named = [*(f"{heading}: " for heading in HEADINGS[3:-1]), "RMSE is ", "x limit is ", "win rate's error stands last"]
    assert [name for name in named if name not in said] == []
    assert [len(line) <= 100 for line in LEGEND.splitlines()] == [True] * 3


def test_compare_prints_the_card_and_the_win_rate_last(words, tmp_path):
    code, out, err = words("compare", "small.toml", "--controller", "kalman,q=0.01", "--out", "found", "--seed", "5")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "Small: 12 players, seed 5; the same players and the same luck for all"
    assert lines[2].split()[:2] == ["controller", "RMSE"]
    assert lines[2].endswith("win error")
    assert "kalman q=0.01" in out
    assert f"{LEGEND}\n{WHY_LAST}\n\n" in out
    rows = list(csv.DictReader((tmp_path / "found" / "scores.csv").read_text().splitlines()))
    assert list(rows[0]) == [column.name for column in COLUMNS]
    assert list(rows[0])[-1] == "win_error"
    assert {row["course"] for row in rows} == {"small"}
    page = (tmp_path / "found" / "scores.html").read_text()
    assert "<h1>Controllers on Small</h1>" in page
    assert "<figcaption>weak</figcaption>" in page
    assert words("compare", "small.toml", "--out", "found")[0] == RunFolderError.exit_code


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--controller", "kalmann"], "did you mean 'kalman'?"),
        (["--controller", "kalman,q"], "must be NAME or NAME,option=number"),
        (["--controller", "kalman,p=1"], "no option 'p'"),
        (["--find-gain", "constant"], "constant has none"),
        (["--find-gain", "pid", "--controller", "kalman"], "leave --controller out"),
        (["--set", "players"], "must be key=value"),
    ],
)
def test_wrong_words_are_one_line(words, arguments, word):
    code, out, err = words("compare", "small.toml", *arguments)
    assert (code, out) == (2, "")
    assert word in err
    assert len(err.splitlines()) == 1


# --- The arena -----


@pytest.mark.parametrize("world", ALL)
def test_every_world_can_be_made(world):
    found = world_of(world, 40, 7, CATALOG)
    assert found.seed == 7
    assert found.form.players.count * found.form.run.replicas == 40
    assert found.after_attempts == 20
    assert found.win_rates(0) == [0.55]


def test_sandbaggers_throw_what_their_twins_are_not_scored_on():
    thrown = world_of("sandbagging", 40, None, CATALOG).form.cohort[0].traits["thrown"]
    assert thrown == THROWN


def test_a_wrong_world_is_refused(words):
    code, out, err = words("arena", "--world", "stationery")
    assert (code, out) == (2, "")
    assert "did you mean 'stationary'?" in err


def test_the_arena_prints_ratios_and_what_a_sandbagger_gains(words, tmp_path):
    code, out, err = words(
        "arena", "--world", "stationary", "--world", "sandbagging", "--controller", "weighted_up_down",
        "--players", "40", "--out", "arena",
    )  # fmt: skip
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["controller", "stationary", "sandbagging", "mean", "worst", "us"] in lines
    ratio = float(next(line for line in lines if line and line[0] == "weighted_up_down")[1])
    assert 1.5 < ratio < 2.5, "1.96 in the note"
    assert "What throwing three attempts of twenty gains" in out
    rows = list(csv.DictReader((tmp_path / "arena" / "scores.csv").read_text().splitlines()))
    assert [row["controller"] for row in rows] == ["bayes_limit", "best_static", "weighted_up_down"] * 2
    page = (tmp_path / "arena" / "arena.html").read_text()
    assert f">{ratio:.2f}</td>" in page
    assert '<th scope="col" class="apart">sandbagging</th>' in page


def test_throwing_attempts_gains_nothing_from_a_fixed_difficulty_and_something_from_a_rule():
    found = arena(["sandbagging"], [Entrant("constant"), UP_DOWN], players=40, seed=None, workers=1)
    assert tuple(found.gains["constant"]) == (0.0, 0.0, 0.0)
    assert found.gains["weighted_up_down"].low > 0.0


def _line(course, controller, ratio):
    nothing = Interval(0.1, 0.1, 0.1)
    return Line(course, controller, "adaptive", "", Card(9, nothing, *[0.1] * 10), Interval(ratio, ratio, ratio))


def test_standings_are_geometric_means_over_the_ten_worlds():
    lines = [
        _line("stationary", "good", 1.0), _line("learning", "good", 2.25), _line("sandbagging", "good", 9.0),
        _line("stationary", "bad", 2.0), _line("learning", "bad", 2.0), _line("sandbagging", "bad", 1.0),
        _line("stationary", "away", 1.0), _line("sandbagging", "away", 1.0),
    ]  # fmt: skip
    found = standings(Arena(tuple(lines), {}, {}))
    assert [one.controller for one in found] == ["good", "bad", "away"]
    assert found[0].mean == pytest.approx(1.5)
    assert found[0].worst == 2.25
    assert math.isnan(found[2].mean), "who leaves a world out has no mean"


def test_the_ten_worlds_are_those_of_the_note():
    assert len(WORLDS) == 10
    assert {entry.name for entry in CATALOG.scenarios() if entry.name.startswith("arena/")} == {
        f"arena/{world}" for world in ALL
    }
