"""report.html, made from a small synthetic run folder."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from engine.errors import RunFolderError
from engine.game import LOST, OUTCOMES, TIMED_OUT, WON
from engine.players import ATTEMPT_LIMIT, COHORT_STRIDE, FINISHED, LEAVINGS, PLAYER, QUIT
from engine.record import row_type
from engine.tally import Scheme, Tally, attempt_edges, day_bins, tally_of
from sims.reports import beliefs
from sims.reports.report import write_report
from sims.reports.row_batches import BatchArrays
from sims.reports.rows import gather
from sims.run_folder.files import content_of
from sims.run_folder.folder import read_manifest
from sims.wording import share_text
from tests.kit.golden import check_golden
from tests.kit.pages import without_own_script
from tests.kit.places import ROOT

CAUSES = ("hit spike", "fell into gap", "hit beam")
HAZARDS = ("gaps", "gaps_spikes", "gaps_spikes_beams")
NASTY = '<script>alert("1")</script> & <b>bold</b> \'"> =cmd() ${x} $\\frac{1}{2}$'
LEVEL_LENGTH = 8  # attempts on each level of a campaign, won or not
_UP = {"held": None, "scale": "linear", "harder": "high"}
KNOBS: list[dict[str, Any]] = [
    {**_UP, "name": "speed", "unit": "m/s", "low": 5.0, "high": 11.0, "default": 7.0},
    {**_UP, "name": "gap_m", "unit": "m", "low": 1.0, "high": 4.0, "default": 2.0, "scale": "log"},
    {**_UP, "name": "warning", "unit": "s", "low": 0.2, "high": 1.5, "default": 1.0, "harder": "low"},
    {**_UP, "name": "hazards", "unit": "1", "low": 0.0, "high": 2.0, "default": "gaps", "scale": "choice"},
    {**_UP, "name": "length", "unit": "m", "low": 20, "high": 80, "default": 40, "held": 60, "scale": "integer"},
]
SCENARIO = """title = "Three cohorts"  # changed

[game.params]
length = 60  # changed

[game.bounds]
speed = [5.0, 11.0]  # changed
gap_m = [1.0, 4.0]

[controller.options]
step = 0.05
window = 12  # changed

[[cohort]]
name = "newcomers"

[cohort.traits]
skill = 0.35  # changed
"""


def played(players: int, attempts: int, cohorts: int, levels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Players with a weighted up-down rule each: rows and players as an engine's chunk would hold them."""
    dice = np.random.default_rng(seed)
    cohort = np.arange(players) * cohorts // players
    skill = dice.normal(0.35 + 0.2 * cohort, 0.12)
    target = np.array([0.8, 0.75, 0.7, 0.7])[cohort % 4]
    made = np.minimum(dice.geometric(1.5 / attempts, players) + 5, attempts)
    dial = np.full(players, 0.5)
    rows = np.zeros((players, attempts), row_type(len(KNOBS), 1))
    clock = dice.random(players) * 2 * 86400
    for i in range(attempts):
        asked, dial = dial, np.clip(dial, 0.0, 1.0)
        now = rows[:, i]
        won = dice.random(players) < 1 / (1 + np.exp(-7 * (skill + 0.2 - dial)))
        stopped = dice.random(players) < 0.004
        now["attempt"], now["difficulty"], now["clipped"] = i, dial, asked != dial
        now["outcome"] = np.where(stopped, TIMED_OUT, np.where(won, WON, LOST))
        now["progress"] = np.where(won, 1.0, dice.random(players))
        now["cause"] = np.where(now["outcome"] == LOST, dice.integers(0, 3, players) % (2 + cohort % 2), -1)
        now["start_s"], now["target"], now["level"] = clock, target, min(i // LEVEL_LENGTH + 1, levels)
        now["beliefs"][:, 0] = skill + dice.normal(0.0, 0.1, players)
        now["streak"] = 0 if i == 0 else np.where(rows[:, i - 1]["outcome"] == WON, 0, rows[:, i - 1]["streak"] + 1)
        for j, knob in enumerate(KNOBS):
            now["params"][:, j] = knob["low"] + (knob["high"] - knob["low"]) * dial
        now["params"][:, 3] = np.floor(np.minimum(dial, 0.999) * 3)
        now["params"][:, 4] = 60
        dial = dial + np.where(now["outcome"] == WON, 0.05 * (1 - target), -0.05 * target)
        clock = clock + dice.exponential(40.0, players) + (dice.random(players) < 0.05) * 0.8 * 86400
    number = cohort * COHORT_STRIDE + np.arange(players)
    rows["player"], rows["cohort"] = number[:, None], cohort[:, None]
    people = np.zeros(players, PLAYER)
    people["player"], people["cohort"], people["attempts"] = number, cohort, made
    people["left"] = np.where(made < attempts, QUIT, ATTEMPT_LIMIT)
    people["skill"] = skill
    people["last"] = rows["outcome"][np.arange(players), made - 1] == WON
    if levels:
        people["level"] = np.minimum(made // LEVEL_LENGTH, levels) + 1
        people["left"] = np.where(people["level"] > levels, FINISHED, people["left"])
    return rows[np.arange(attempts) < made[:, None]], people


def make_run(
    folder: Path,
    *,
    players: int = 240,
    attempts: int = 60,
    cohorts: tuple[str, ...] = ("newcomers", "regulars", "experts"),
    levels: int = 0,
    file_format: str = "csv",
    causes: tuple[str, ...] = CAUSES,
    seed: int = 1,
    **manifest: object,
) -> Path:
    """A run folder as `flowdial run` leaves it, as far as a report reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, people = played(players, attempts, len(cohorts), levels, seed)
    width_s, bins = day_bins(14 * 86400)
    scheme = Scheme(len(cohorts), levels, 10, "player", 0.0, 1.0, attempt_edges(attempts), bins, width_s)
    names = np.array(cohorts)
    table = {name: rows[name] for name in ("replica", "player", "attempt", "difficulty", "progress", "streak", "level")}
    table |= {"cohort": names[rows["cohort"]], "outcome": np.array(OUTCOMES)[rows["outcome"]]}
    cause = np.where(rows["cause"] < 0, len(causes), rows["cause"])
    table["cause"] = pa.array([*causes, None]).take(pa.array(cause))
    for j, knob in enumerate(KNOBS):
        values = rows["params"][:, j]
        table[f"param_{knob['name']}"] = np.array(HAZARDS)[values.astype(int)] if knob["name"] == "hazards" else values
    table["belief_skill"] = rows["beliefs"][:, 0]
    attempts_table = pa.table(table)
    if file_format == "csv":
        arrow_csv.write_csv(attempts_table, folder / "attempts.csv")
    else:
        parquet.write_table(attempts_table, folder / "attempts.parquet", row_group_size=5000)
    wins = np.bincount(np.searchsorted(people["player"], rows["player"]), rows["outcome"] == WON, len(people))
    with open(folder / "players.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["replica", "cohort", "player", "trait_skill", "attempts", "wins", "level", "left"])
        for person, won in zip(people, wins, strict=True):
            who = [0, names[person["cohort"]], person["player"], float(person["skill"])]
            writer.writerow([*who, person["attempts"], int(won), person["level"], LEAVINGS[person["left"]]])
    targets = [0.80, 0.75, 0.70, 0.70]
    found = {
        "format_version": 1,
        "flowdial_version": "0.1.0",
        "title": "Three cohorts run for two weeks",
        "scenario_digest": "s0123456789abcdef",
        "code_digest": "fedcba9876543210",
        "seed": 20260,
        "game": "gap_runner",
        "game_version": 1,
        "controller": "weighted_up_down",
        "options": {"step": 0.05, "start": 0.5, "window": 12},
        "scope": "player",
        "cohorts": list(cohorts),
        "targets": {name: [targets[j % 4] - 0.03, targets[j % 4] + 0.03] for j, name in enumerate(cohorts)},
        "after_attempts": 10,
        "replicas": 1,
        "levels": levels,
        "knobs": [{**knob, "choices": list(HAZARDS) if knob["name"] == "hazards" else None} for knob in KNOBS],
        "rows": len(rows),
        "format": file_format,
        "tallies": tally_of(rows, people, scheme).to_json(),
        "versions": {"python": "3.11.2", "numpy": "2.4.6"},
        "durations_s": {"playing": 12.345},
        "finished": "2031-02-03T04:05:06Z",
        **manifest,
    }
    (folder / "scenario.toml").write_text(SCENARIO)
    for name in ("sessions.csv", "summary.csv", "datapackage.json"):  # which no part of the page reads
        (folder / name).touch()
    found["files"] = {path.name: content_of(path)._asdict() for path in folder.iterdir()}
    (folder / "manifest.json").write_text(json.dumps(found))
    return folder


@pytest.fixture(autouse=True)
def tables_made_by_hand(monkeypatch):
    """They have only what a report reads, and tests change them: no checksums, and no comparison with each other."""
    monkeypatch.setattr("sims.reports.report.sound_manifest", read_manifest)
    monkeypatch.setattr("sims.reports.report.refuse_disagreement", lambda folder, manifest: None)


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, and the text that is shown.

    lines: a line for each heading, paragraph and row of a table, and for each picture what it says to those who do not
    see it.
    """

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open, self.words, self.lines = [], [], [], [], []
        self.feed(without_own_script(text))
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if tag in ("h1", "h2"):
            self.lines += ["", "# "]
        elif tag in ("p", "li", "tr", "summary", "br"):
            self.lines.append("")
        elif tag in ("th", "td") and self.lines[-1]:
            self.lines[-1] += " | "
        elif tag == "span" and self.lines and self.lines[-1]:
            self.lines[-1] += " "
        elif dict(attrs).get("role") == "img":
            self.lines.append(f"[{dict(attrs)['aria-label']}]")

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "title"} & set(self.open):
            self.words.append(data)
            if not {"svg", "figcaption"} & set(self.open) and self.lines:
                self.lines[-1] += " ".join(data.split()) and data.replace("\n", "")

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page_of(folder):
    return write_report(folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("run"))


CHECKS = [
    {
        "name": "known answer",
        "state": "passed",
        "sentence": "A game with a known answer is won as it should be.",
    },
    {"name": "null change", "state": "warning", "sentence": "Two halves of the players differ."},
    {"name": "saturation", "state": "not tested", "sentence": "Too few players."},
]

# Name of a golden text -> the run that the page is of.
SITUATIONS: dict[str, dict[str, Any]] = {
    "three_groups": {"players": 60},
    "campaign": {"players": 60, "cohorts": ("newcomers", "experts"), "levels": 3, "self_test": CHECKS},
    "few_players": {"players": 4, "cohorts": ("experts",)},
    "one_player": {"players": 1, "attempts": 400, "cohorts": ("alone",), "seed": 2},
    "a_person": {"players": 1, "cohorts": ("you",), "source": "human", "title": "You at the window"},
}


SETTINGS = ("Parameters", "Controller", "Rows worth watching", "How to reproduce it")  # the same in every situation


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_a_person_reads(request, tmp_path, name):
    text = "\n".join(Page(page_of(make_run(tmp_path, **SITUATIONS[name]))).lines)
    if name != "three_groups":
        text = "\n\n# ".join(part for part in text.split("\n\n# ") if part.partition("\n")[0] not in SETTINGS)
    check_golden(request, f"report/{name}", text)


def test_without_a_scenario_file_nothing_is_claimed_of_defaults(request, tmp_path):
    folder = make_run(tmp_path, players=10)
    (folder / "scenario.toml").unlink()
    lines = Page(page_of(folder)).lines
    start, end = lines.index("# Parameters"), lines.index("# Rows worth watching")
    check_golden(request, "report/no_scenario", "\n".join(lines[start:end]))


def test_numbers_of_the_page_are_those_of_the_rows(run_folder):
    text = Page(page_of(run_folder)).text
    rows = rows_of(run_folder / "attempts.csv")
    people = rows_of(run_folder / "players.csv")
    made = {person["player"]: int(person["attempts"]) for person in people}
    late = [row for row in rows if int(row["attempt"]) >= 2 * made[row["player"]] // 3]
    speeds = {
        name: np.mean([float(row["param_speed"]) for row in late if row["cohort"] == name])
        for name in ("newcomers", "regulars", "experts")
    }
    assert "range difficulty " + " ".join(f"{speed:.3g}" for speed in speeds.values()) in text
    lost = [row["cause"] or "time limit" for row in rows if row["cohort"] == "regulars" and row["outcome"] != "won"]
    assert f"{lost.count('hit spike') / len(lost) * 100:.0f} %" in text


def test_the_spread_over_players_is_that_of_the_rows(run_folder):
    rows, people = rows_of(run_folder / "attempts.csv"), rows_of(run_folder / "players.csv")
    experts = [person for person in people if person["cohort"] == "experts"]
    longest = {}
    for person in experts:
        outcomes = [row["outcome"] == "won" for row in rows if row["player"] == person["player"]]
        losses = "".join("w" if won else "l" for won in outcomes).split("w")
        longest[person["player"]] = max(map(len, losses))
    own = [int(person["wins"]) / int(person["attempts"]) for person in experts if int(person["attempts"]) >= 20]
    runs = sorted(longest.values())
    expected = (
        f"experts {len(experts)} {np.median([int(person['attempts']) for person in experts]):.0f} "
        f"{len(own)} {100 * np.median(own):.0f} % {100 * np.quantile(own, 0.05):.0f} % {np.median(runs):.0f} "
        f"{np.quantile(runs, 0.95):.0f} "
        f"{runs[-1]} {share_text(sum(run >= 5 for run in runs) / len(runs))}"
    )
    assert expected in Page(page_of(run_folder)).text


def test_the_ends_of_a_distribution_are_not_told_of_a_few(tmp_path):
    """Of ten players nobody is the worst twentieth."""
    folder = make_run(tmp_path, players=10, cohorts=("experts",))
    people = rows_of(folder / "players.csv")
    own = [int(person["wins"]) / int(person["attempts"]) for person in people if int(person["attempts"]) >= 20]
    assert own
    assert f" {len(own)} {100 * np.median(own):.0f} % - " in Page(page_of(folder)).text


@pytest.mark.parametrize(
    "heading",
    [
        "Win rate against target",
        "Win rate over simulated time",
        "Difficulty, and what the controller thinks of the player",
    ],
)
def test_charts_that_are_compared_share_their_axis(tmp_path, heading):
    found = page_of(make_run(tmp_path, players=60)).split(f"<h2>{heading}</h2>")[1].split("</section>")[0]
    scales, lasts = [], set()
    for figure in found.split("<figure")[1:]:
        points = re.findall(r'<circle cx="([^"]*)"[^>]*><title>[a-z ]* ([0-9.]+):', figure)
        at, last = max((float(at), float(x)) for at, x in points)
        scales.append(last / at)
        lasts.add(last)
    assert len(lasts) > 1, "some lines must end before others, or nothing is tested"
    assert max(scales) < 1.005 * min(scales)


def test_a_losing_run_counts_to_the_last_attempt_and_who_never_played_has_none(tmp_path):
    folder = make_run(tmp_path, players=60, attempts=4, cohorts=("all",))
    with open(folder / "players.csv", "a") as file:
        file.write("0,all,77,0.5,0,0,0,horizon\n")
    rows = rows_of(folder / "attempts.csv")
    manifest = json.loads((folder / "manifest.json").read_text())
    found = gather(folder, manifest, Tally.from_json(manifest["tallies"]).scheme)
    lost: dict[str, str] = {}
    for row in rows:
        lost[row["player"]] = lost.get(row["player"], "") + ("w" if row["outcome"] == "won" else "l")
    expected = {int(player): max(map(len, outcomes.split("w"))) for player, outcomes in lost.items()}
    assert any(outcomes.endswith("ll") for outcomes in lost.values())
    assert dict(zip(found.people.key.tolist(), found.people.losing_run.tolist())) == {**expected, 77: 0}
    assert found.people.losing_runs(0).tolist() == sorted(expected.values())


def test_where_players_lose_is_counted_in_cells_of_progress(run_folder):
    rows = rows_of(run_folder / "attempts.csv")
    lost = [row for row in rows if row["cohort"] == "newcomers" and row["outcome"] == "lost"]
    share = sum(0.48 <= float(row["progress"]) < 0.52 for row in lost) / len(lost)
    assert f"48 to 52 % of the way: {share * 100:.1f} % of losses" in page_of(run_folder)


def test_beliefs_are_the_quartiles_of_the_rows(run_folder):
    manifest = json.loads((run_folder / "manifest.json").read_text())
    found = gather(run_folder, manifest, Tally.from_json(manifest["tallies"]).scheme)
    rows = rows_of(run_folder / "attempts.csv")
    values = [float(row["belief_skill"]) for row in rows if row["cohort"] == "regulars" and int(row["attempt"]) < 5]
    assert found.beliefs.quartiles(1, 0) == pytest.approx(np.quantile(values, (0.25, 0.5, 0.75)))
    assert "estimate: skill" in page_of(run_folder)


def test_columns_are_read_with_their_gaps_and_from_the_middle_of_a_batch():
    columns = {
        "cohort": pa.array(["a", "b", "a", "b"]).dictionary_encode(),
        "skill": pa.array([0.5, None, 1.5, None]),
        "level": pa.array([1, 2, 3, 4]),
        "cause": pa.array(["x", None, None, "y"]).dictionary_encode(),
    }
    batch = BatchArrays(pa.record_batch(columns).slice(1, 3), ["a", "b"])
    assert batch.cohort.tolist() == [1, 0, 1]
    assert batch.numbers("level").tolist() == [2, 3, 4]
    assert np.array_equal(batch.numbers("skill"), [np.nan, 1.5, np.nan], equal_nan=True)
    words, codes = batch.words("cause")
    assert [words[code] for code in codes] == ["", "", "y"]


def test_a_sample_of_beliefs_is_bounded_and_said_to_be_one(run_folder, monkeypatch):
    rows = json.loads((run_folder / "manifest.json").read_text())["rows"]
    monkeypatch.setattr(beliefs, "_MOST", rows // 4)
    text = Page(page_of(run_folder)).text
    assert "before each attempt, of one player in" in text


def test_the_rows_worth_watching_are_the_extremes_and_have_exact_commands(run_folder):
    text = Page(page_of(run_folder)).text
    rows = rows_of(run_folder / "attempts.csv")

    def best(score, outcomes):
        return max(range(len(rows)), key=lambda j: (rows[j]["outcome"] in outcomes, score(rows[j]), -j))

    hardest = best(lambda row: float(row["difficulty"]), ("won",))
    closest = best(lambda row: float(row["progress"]), ("lost",))
    longest = best(lambda row: int(row["streak"]), ("lost", "timed_out"))
    for what, row in (
        ("the closest loss", closest),
        ("the hardest level that was won", hardest),
        ("the end of the longest losing streak", longest),
    ):
        assert f"{what} flowdial replay attempts.csv --row {row} {row} {rows[row]['player']}" in text


def test_a_row_in_which_nothing_was_played_is_not_worth_watching(tmp_path):
    folder = make_run(tmp_path, players=60)
    rows = rows_of(folder / "attempts.csv")
    longest = max(range(len(rows)), key=lambda j: (int(rows[j]["streak"]), -j))
    with open(folder / "attempts.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([{**row, "outcome": "failed"} if j == longest else row for j, row in enumerate(rows)])
    assert f"--row {longest} " not in Page(page_of(folder)).text


def test_who_is_left_is_counted_from_the_players(run_folder):
    people = rows_of(run_folder / "players.csv")
    reached = [person for person in people if int(person["attempts"]) >= 20]
    left = [person for person in reached if person["left"] == "quit" and int(person["attempts"]) < 50]
    mix = " ".join(
        share_text(sum(person["cohort"] == name for person in reached) / len(reached))
        for name in ("newcomers", "regulars", "experts")
    )
    skill = np.mean([float(person["trait_skill"]) for person in reached])
    share = share_text(len(reached) / len(people))
    expected = f"attempt 20 {len(reached)} {share} {len(left)} {skill:.2f} {mix}"
    text = Page(page_of(run_folder)).text
    assert expected in text
    assert "finished the campaign" not in text, "an endless stream has no end"


def test_a_campaign_has_a_funnel(tmp_path):
    folder = make_run(tmp_path, levels=5)
    people = rows_of(folder / "players.csv")
    reached = [person for person in people if int(person["level"]) >= 3]
    passed = [person for person in reached if int(person["level"]) >= 4]
    quits = [person for person in reached if person["level"] == "3" and person["left"] == "quit"]
    skill = np.mean([float(person["trait_skill"]) for person in reached])
    share = share_text(len(reached) / len(people))
    text = Page(page_of(folder)).text
    assert f"level 3 {len(reached)} {share} {len(quits)} {len(passed)} {skill:.2f}" in text
    for words in ("The campaign: players who are left", "finished the campaign", "passed by", "quit on it"):
        assert words in text


def test_csv_and_parquet_give_the_same_page_and_again_the_same(tmp_path):
    pages = {}
    for file_format in ("csv", "parquet"):
        folder = make_run(tmp_path / file_format, file_format=file_format, players=600)
        pages[file_format] = page_of(folder)
        assert page_of(folder) == pages[file_format]
    assert pages["csv"] == pages["parquet"].replace("attempts.parquet", "attempts.csv")


def test_a_fresh_process_with_another_hash_seed_and_settings_gives_the_same_bytes(run_folder):
    """And it needs neither kernels nor a library of tables."""
    expected = write_report(run_folder).read_bytes()
    line = (
        "import sys; from pathlib import Path; from sims.reports.report import write_report; "
        f"write_report(Path({str(run_folder)!r}), fresh=True); "
        "sys.exit(len({'numba', 'pandas', 'pygame'} & sys.modules.keys()))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "tr_TR.UTF-8"}
    subprocess.run([sys.executable, "-c", line], check=True, env=environment, cwd=ROOT)
    assert (run_folder / "report.html").read_bytes() == expected


def test_nothing_of_the_clock(run_folder, tmp_path):
    later = make_run(tmp_path, durations_s={"playing": 99.0}, finished="2044-01-01T00:00:00Z")
    assert page_of(later) == page_of(run_folder)


def test_one_file_nothing_loaded_no_script_but_its_own(run_folder):
    text = page_of(run_folder)
    page = Page(text)
    assert len(text) < 1_000_000
    text = without_own_script(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form", "a"} & set(page.tags)
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("href", "xlink:href", "src"):
            assert value.startswith("#")
    assert re.search(r"https?:|//[a-z]|@import|url\((?!#)", text) is None
    policy = text.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src &#x27;none&#x27;")
    assert policy.count("script-src") == 1
    assert "unsafe" not in policy.replace("style-src &#x27;unsafe-inline&#x27;", "")


def test_colours_come_from_the_style_sheet(run_folder):
    text = page_of(run_folder)
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) >= 3 * 5 + 4  # rates, days, dials, beliefs, own rates; where, why, how far, how they ended
    for picture in pictures:
        assert not re.search(r"#[0-9a-f]{6}\b", picture)
        assert "font-family" not in picture
    names = set(re.findall(r"var\((--[a-z0-9-]+)\)", text))
    assert names <= set(re.findall(r"(--[a-z0-9-]+):", text))


def test_nasty_text_stays_text(tmp_path):
    folder = make_run(
        tmp_path,
        cohorts=("a", "b"),
        causes=(NASTY, "$x^2$", "<b>"),
        title=NASTY,
        game="<img src=x onerror=alert(1)>",
        options={"<script>": 1.0},
        versions={"<i>": "<u>"},
        knobs=[{**knob, "unit": "<b>m</b>", "choices": list(HAZARDS)} for knob in KNOBS],
    )
    label = f"name = 'a'\nlabel = {json.dumps(NASTY)}  # changed\n"
    (folder / "scenario.toml").write_text(f"[game.params]\nlength = '<u>@x</u>'  # changed\n[[cohort]]\n{label}")
    text = page_of(folder)
    page = Page(text)
    assert not {"script", "img", "b", "i", "u"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert page.text.count(NASTY) >= 5  # title, headings and tables


def test_campaigns_have_charts_and_a_table_of_levels(tmp_path):
    folder = make_run(tmp_path, levels=5)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["targets"]["experts"] = [[0.6 + 0.02 * level, 0.7 + 0.02 * level] for level in range(5)]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    page = page_of(folder)
    text = Page(page).text
    assert "Level by level" in text
    assert "experts, level 5" in text
    levels = page[page.index("Level by level") : page.index("Win rate against target")]
    experts = levels.index("<figcaption>experts</figcaption>")
    bands = re.findall(r'<rect x="[^"]*" y="([^"]*)"[^>]*class="wanted"', levels[experts:])
    assert len(bands) == 5
    assert len(set(bands)) == 5, "each level has a band of its own"
    assert "<title>level 5: " in levels


def test_many_cohorts_stay_small(tmp_path):
    cohorts = tuple(f"cohort_{j}" for j in range(64))
    text = page_of(make_run(tmp_path, cohorts=cohorts, players=640, levels=40))
    assert len(text) < 1_000_000
    assert "The first 400 of 2,560 rows" in text
    assert "Charts below are of the first 12 of 64 groups." in text


@pytest.mark.parametrize("won", [0, 1])
def test_a_run_in_which_everybody_always_won_or_never(tmp_path, won):
    folder = make_run(tmp_path, players=150)
    people = rows_of(folder / "players.csv")
    with open(folder / "players.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(people[0]))
        writer.writeheader()
        writer.writerows([{**person, "wins": won * int(person["attempts"])} for person in people])
    assert f" {100 * won} % {100 * won} % " in Page(page_of(folder)).text


def test_a_run_in_which_nobody_played(request, tmp_path):
    folder = make_run(tmp_path, players=30)
    found = json.loads((folder / "manifest.json").read_text())
    for name in ("judged", "by_attempt", "by_day", "totals", "left"):
        found["tallies"][name] = np.zeros_like(found["tallies"][name]).tolist()
    (folder / "manifest.json").write_text(json.dumps(found))
    for name in ("attempts.csv", "players.csv"):
        header = (folder / name).read_text().partition("\n")[0]
        (folder / name).write_text(header + "\n")
    check_golden(request, "report/nobody_played", "\n".join(Page(page_of(folder)).lines[:12]))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "attempts.csv").unlink(), "tables"),
        (lambda folder: (folder / "attempts.csv").write_text("a,b\n1,2\n"), "attempts.csv lacks the column"),
        (lambda folder: (folder / "players.csv").write_text("nothing"), "players.csv lacks the column"),
        (lambda folder: (folder / "manifest.json").write_text('{"format_version": 1}'), "manifest"),
        (lambda folder: (folder / "manifest.json").unlink(), "manifest"),
        (lambda folder: cut_in_half(folder / "attempts.csv"), "attempts"),
        (lambda folder: cut_in_half(folder / "players.csv"), "tables"),
    ],
)
def test_a_damaged_folder_is_refused_in_one_sentence(tmp_path, damage, words):
    folder = make_run(tmp_path, players=60)
    damage(folder)
    with pytest.raises(RunFolderError, match=words):
        write_report(folder)
    assert not (folder / "report.html").exists()


def cut_in_half(path):
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 2]))


@pytest.mark.slow
def test_a_million_rows_give_a_page_of_the_same_size(tmp_path):
    pages = {}
    for file_format in ("csv", "parquet"):
        folder = make_run(tmp_path / file_format, players=5000, attempts=400, file_format=file_format)
        assert json.loads((folder / "manifest.json").read_text())["rows"] > 1_000_000
        pages[file_format] = page_of(folder)
    assert len(pages["csv"]) < 300_000
    assert pages["csv"] == pages["parquet"].replace("attempts.parquet", "attempts.csv")
