"""Controllers compared on one scenario: the score cards, the verdict, and what is said of them."""

from __future__ import annotations

import csv
import json
import math
import re

import numpy as np
import pytest

from engine.errors import RunFolderError
from engine.response import chance_map
from engine.response.response_map import response_map
from engine.scenario import parse, setup_of
from sims.arena import true_chances
from sims.arena.baselines import PLACES, baselines_for
from sims.arena.courses import Course, CourseScores, Entrant, score_courses
from sims.arena.race import Race, own_entrant, race
from sims.arena.score import SCORE, UNKNOWN, Card, Interval, card_of
from sims.arena.score_card import COLUMNS, HEADINGS, MEANINGS, ScoreLine, score_row
from sims.arena.sentences import chance_notes, notes_on, scope_notes, verdict_on
from sims.catalog import DEFAULT_CONTROLLER, Catalog
from sims.cli.app import main
from tests.kit.golden import check_golden
from tests.kit.two_groups import two_groups

pytestmark = pytest.mark.thorough

CATALOG = Catalog()
STATIC = Entrant("best_static")


@pytest.fixture
def words(capsys, tmp_path, monkeypatch):
    """Run a command in an empty folder with the small scenario; its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(two_groups().resolved_toml())

    def run(*arguments: str) -> tuple[int, str, str]:
        return (main([*arguments, "--workers", "1"]), *capsys.readouterr())

    return run


def together(result):
    """The score cards of all players, by controller."""
    return {line.controller: line for line in result.scores if not line.cohort}


def test_a_comparison_has_the_limit_the_baseline_and_every_cohort():
    result = race(two_groups(players=60), ["weighted_up_down", "kalman"], workers=1)
    cards = together(result)
    assert list(cards) == ["bayes_limit", "best_static", "weighted_up_down", "kalman"]
    assert cards["bayes_limit"].ratio.value == 1.0
    assert cards["best_static"].regret.value == 0.0
    assert cards["kalman"].regret.high < 0.0
    assert cards["weighted_up_down"].ratio.low > 1.0
    own = [line for line in result.scores if line.controller == "kalman"]
    assert [line.cohort for line in own] == ["", "weak", "strong"]
    squares = [line.card.rmse.value**2 for line in own]
    assert squares[0] == pytest.approx((squares[1] + squares[2]) / 2.0)
    assert result.notes == ("The verdict leaves out what uses knowledge that no game has: bayes_limit.",)
    assert result.ranking == ("kalman", "weighted_up_down", "best_static")
    assert result.verdict.startswith("kalman and weighted_up_down have the lowest errors, too close to call.")
    assert repr(result) == "Race(Small: kalman, weighted_up_down, best_static)"
    assert result._repr_html_().count("<tr>") == 1 + 4


# --- Verdicts and notes -----


def scored(*squares):
    """Scores of one controller, whose units had these mean squared errors."""
    scores = np.zeros(len(squares), SCORE)
    scores["unit"] = scores["track"] = np.arange(len(squares))
    scores["attempts"] = scores["judged"] = 10
    scores["square"] = 10.0 * np.array(squares)
    return scores


def verdict_of(units, absent=()):
    """The verdict on controllers with these mean squared errors by unit."""
    scores = {("a", name): scored(*squares) for name, squares in units.items()}
    found = CourseScores(scores, {}, {("a", name): "it raised an error" for name in absent})
    return verdict_on(found, "a", [Entrant(name) for name in units], STATIC)


LOW, HIGH, WIDE = [1.0] * 40, [1.9, 2.1] * 20, [0.1, 2.5] * 20
SECOND = [1.1, 1.2] * 20
VERDICTS = {
    "one is best": {"kalman": LOW, "elo": SECOND, "best_static": HIGH},
    "two are best": {"kalman": LOW, "elo": [0.9, 1.11] * 20, "best_static": HIGH},
    "three are best": {"kalman": LOW, "elo": [0.9, 1.11] * 20, "pid": [1.11, 0.9] * 20, "best_static": HIGH},
    "the baseline is best": {"best_static": LOW, "kalman": HIGH},
    "the baseline may be best": {"best_static": WIDE, "elo": SECOND, "kalman": LOW},
    "the second is better than the baseline": {
        "best_static": WIDE, "elo": [0.9 * square for square in WIDE], "kalman": LOW
    },
    "one group": {"kalman": LOW[:1], "best_static": HIGH[:1]},
    "one is known": {"kalman": LOW, "best_static": [math.nan]},
    "one is left": {"kalman": LOW},
}  # fmt: skip


def test_each_verdict_is_said(request):
    """The baseline is as likely good as bad; a second may be better than it although the best is not surely so."""
    text = "\n".join(
        f"{name}\n  {verdict_of(units, absent=['elo'] if name == 'one is left' else ())}"
        for name, units in VERDICTS.items()
    )
    check_golden(request, "arena/verdicts", text)


def line(controller, rmse, *, cohort="", mode="adaptive", ratio=(1.5, 1.4, 1.6), regret=(-0.02, -0.03, -0.01)):
    card = Card(9, Interval(rmse, rmse - 0.01, rmse + 0.01), 0.2, 0.15, 8.0, 0.1, 0.55, 0.0123, 0.05, 0.2, 0.01, 0.06)
    return ScoreLine("small", controller, mode, cohort, card, Interval(*ratio), Interval(*regret), microseconds=77.7)


UNSCORED = Card(9, UNKNOWN, *[math.nan] * 10)._replace(jitter=0.0123, streaks=0.01, win_error=0.05)
BLANK = ScoreLine("small", "cma_es", "self_adaptive", "", UNSCORED)


def test_each_note_is_said(request):
    absent = {("small", "bayes_limit"): "bayes_limit does not support scope everyone", ("small", "elo"): "it raised"}
    good, rough, off_the_dial = (line(name, 0.1) for name in ("kalman", "elo", "cma_es"))
    seen = [
        good._replace(card=good.card._replace(off=0.012)),
        rough._replace(card=rough.card._replace(off=0.041)),
        off_the_dial._replace(card=off_the_dial.card._replace(off=math.nan)),
        BLANK._replace(controller="posm"),
    ]
    text = [
        *notes_on(CourseScores({}, {}, absent), "small", Entrant("constant", (("difficulty", 0.6),)), seen),
        *chance_notes([line("best_static", 0.1, ratio=(0.97, 0.8, 1.2))]),
        *scope_notes(two_groups(), [Entrant("cma_es"), Entrant("kalman")], CATALOG),
    ]
    check_golden(request, "arena/notes", "\n".join(text))


@pytest.mark.parametrize(
    ("ratio", "is_noted"),
    [
        ((0.97, 0.8, 1.2), True),
        ((0.97, math.nan, math.nan), True),
        ((0.9, 0.8, 0.95), False),
        ((0.998, 0.9, 1.1), False),
    ],
)
def test_an_error_below_the_limit_is_explained_where_one_is_seen(ratio, is_noted):
    lines = [line("best_static", 0.1, ratio=ratio)]
    assert bool(chance_notes(lines)) is is_noted
    assert bool(notes_on(CourseScores({}, {}, {}), "small", STATIC, lines)) is is_noted


def test_the_whole_text(request):
    lines = (
        line("bayes_limit", 0.05, mode="reference", ratio=(1.0, 1.0, 1.0)), line("kalman q=0.01", 0.1), BLANK,
        line("bayes_limit", 0.06, cohort="weak", ratio=(1.0, 1.0, 1.0)), line("kalman q=0.01", 0.09, cohort="weak"),
        BLANK._replace(cohort="weak"),
    )  # fmt: skip
    verdict = verdict_of(VERDICTS["one is best"])
    result = Race(two_groups(), lines, ("kalman q=0.01",), verdict, ("A note.",), False)
    check_golden(request, "arena/race", result.text)


def test_equals_are_never_called_different():
    """Two of the same rule that differ by less than can be told, and a baseline that is as good: none is best."""
    close = [("weighted_up_down", {"step": step}) for step in (0.03, 0.0300001)]
    assert "too close to call" in race(two_groups(players=40), close, workers=1).verdict
    alike = two_groups(players=40, skill="1.0", strong='{ kind = "normal", mean = 1.0, sd = 0.01 }')
    fixed = [("constant", {"difficulty": place}) for place in (0.61, 0.62)]
    verdict = race(alike, fixed, workers=1).verdict
    assert verdict.startswith("No controller has a significantly lower error than best_static"), verdict


def test_references_that_were_asked_for_are_in_the_table_and_said_to_be_left_out_of_the_verdict():
    result = race(two_groups(players=20), ["oracle", "kalman"], workers=1)
    assert together(result)["oracle"].card.rmse.value < 1e-6
    assert "oracle" not in result.verdict
    assert result.notes[0] == "The verdict leaves out what uses knowledge that no game has: bayes_limit and oracle."


def test_one_group_is_no_evidence():
    names = ["kalman", "weighted_up_down"]
    assert race(two_groups(scope="everyone"), names, workers=1).verdict.startswith("No comparison is possible")
    more = race(two_groups(scope="everyone", replicas=8), names, workers=1)
    assert not more.verdict.startswith("No comparison is possible")
    assert more.notes == (
        "x limit is unknown: bayes_limit does not support scope everyone.",
        "best_static plays with scope player, because it does not support the scenario's scope, everyone.",
    )


def test_off_the_dial_of_a_game_without_a_closed_form_no_single_attempt_is_told(monkeypatch):
    def small(*setup, **settings):
        return response_map(*setup, attempts=40, skills=[-3.0, 0.0, 3.0], dial=[0.0, 0.25, 0.5, 0.75, 1.0])

    monkeypatch.setattr(true_chances, "response_map", small)
    monkeypatch.setattr(true_chances, "PLAYS", 5_000)
    monkeypatch.setattr(chance_map, "TRAIT_ATTEMPTS", 2_000)
    result = race(two_groups(game="gap_runner", attempts=25), ["cma_es", "kalman"], workers=1)
    cards = together(result)
    card = cards["cma_es"].card
    assert card.rmse.value > 0.0, "attempts are played again"
    assert math.isnan(card.in_band)
    assert math.isnan(card.off)
    assert card.win_error > 0.0
    assert cards["kalman"].card.rmse.value > 0.0
    assert sum("cma_es" in note for note in result.notes) == 2, "its scope, and what is unknown"
    assert "cma_es" in result.ranking
    row = dict(zip((column.name for column in COLUMNS), score_row(cards["cma_es"]), strict=True))
    assert row["rmse"] == card.rmse.value
    assert row["in_band"] is None
    assert row["map_error"] is None
    assert row["win_error"] is not None


def test_where_best_static_cannot_play_the_baseline_is_the_best_of_some_constants():
    text = two_groups(scope="everyone", replicas=4).resolved_toml()
    found = parse(text.replace("deploy_every_s = 0.0", "deploy_every_s = 60.0").encode(), "small.toml", CATALOG)
    entrants = baselines_for(setup_of(found, CATALOG), CATALOG)
    assert len({entrant.label for entrant in entrants}) == PLACES
    result = race(found, ["kalman"], workers=1)
    (fixed,) = (card for name, card in together(result).items() if name.startswith("constant"))
    assert fixed.regret.value == 0.0
    assert any(f"the best of {PLACES} fixed difficulties in hindsight" in note for note in result.notes)
    every = score_courses([Course("small", found)], entrants, workers=1).scores.values()
    assert fixed.card.rmse.value == min(card_of(scores).rmse.value for scores in every)


# --- The command -----


def test_without_a_controller_the_scenarios_own_and_the_default_play(words):
    code, out, err = words("compare", "small.toml", "--set", "players.count=8", "--json")
    assert code == 0
    assert all("attempts are played, which takes" in line for line in err.splitlines()), "only slow machines are told"
    content = json.loads(out)
    names = list(dict.fromkeys(row["controller"] for row in content["scores"]))
    assert names == ["bayes_limit", "best_static", own_entrant(two_groups(), CATALOG).label, DEFAULT_CONTROLLER]
    assert names[2] == "weighted_up_down step=0.08"
    assert set(content["scores"][0]) == {column.name for column in COLUMNS} | {"microseconds"}
    assert set(content) == {"scores", "notes", "verdict"}


def test_every_column_of_the_card_is_explained():
    assert ("controller", *MEANINGS) == HEADINGS
    assert all(len(meaning) < 80 for meaning in MEANINGS.values())


def test_compare_prints_the_text_and_writes_scores_and_a_page(words, tmp_path):
    code, out, err = words("compare", "small.toml", "--controller", "kalman,q=0.01", "--out", "found", "--seed", "5")
    assert code == 0
    assert all("attempts are played, which takes" in line for line in err.splitlines()), "only slow machines are told"
    lines = out.splitlines()
    assert lines[0].startswith("Small: 12 players, seed 5, ")
    assert lines[2].split()[0] == "controller"
    assert lines[2].endswith("win error")
    assert re.search(r"^kalman q=0\.01 +0\.\d{4}", out, re.MULTILINE)
    assert out.endswith("\n\nscores and page  found\n")
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
def test_wrong_words_are_one_line_and_leave_no_folder(words, tmp_path, arguments, word):
    code, out, err = words("compare", "small.toml", *arguments, "--out", "found")
    assert (code, out) == (2, "")
    assert word in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "found").exists()
