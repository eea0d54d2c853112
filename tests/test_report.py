"""report.html, made from a small synthetic run folder."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import time
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
from engine.players import ATTEMPT_LIMIT, COHORT_STRIDE, LEAVINGS, PLAYER, QUIT
from engine.record import row_type
from engine.statistics import Scheme, attempt_edges, day_bins, tally_of
from sims.report import report

CAUSES = ("hit spike", "fell into gap", "hit beam")
HAZARDS = ("gaps", "gaps_spikes", "gaps_spikes_beams")
NASTY = '<script>alert("1")</script> & <b>bold</b> \'"> =cmd() ${x} $\\frac{1}{2}$'
KNOBS: list[dict[str, Any]] = [
    {"name": "speed", "unit": "m/s", "low": 5.0, "high": 11.0, "held": None, "scale": "linear", "harder": "high"},
    {"name": "gap", "unit": "m", "low": 1.0, "high": 4.0, "held": None, "scale": "log", "harder": "high"},
    {"name": "warning", "unit": "s", "low": 0.2, "high": 1.5, "held": None, "scale": "linear", "harder": "low"},
    {"name": "hazards", "unit": "1", "low": 0.0, "high": 2.0, "held": None, "scale": "choice", "harder": "high"},
    {"name": "length", "unit": "m", "low": 20, "high": 80, "held": 60, "scale": "integer", "harder": "high"},
]


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
        now["start_s"], now["target"], now["level"] = clock, target, min(i // 8 + 1, levels)
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
    attempts_table = pa.table(table)
    if file_format == "csv":
        arrow_csv.write_csv(attempts_table, folder / "attempts.csv")
    else:
        parquet.write_table(attempts_table, folder / "attempts.parquet", row_group_size=5000)
    wins = np.bincount(np.searchsorted(people["player"], rows["player"]), rows["outcome"] == WON, len(people))
    with open(folder / "players.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["replica", "cohort", "player", "arrival_s", "attempts", "wins", "left"])
        for person, won in zip(people, wins, strict=True):
            left = LEAVINGS[person["left"]]
            writer.writerow([0, names[person["cohort"]], person["player"], 0.5, person["attempts"], int(won), left])
    targets = [0.80, 0.75, 0.70, 0.70]
    found = {
        "format_version": 1,
        "flowdial_version": "0.1.0",
        "title": "Three cohorts run for two weeks",
        "scenario_digest": "s0123456789abcdef",
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
        "files": {},
        "tallies": tally_of(rows, people, scheme).to_json(),
        "versions": {"python": "3.11.2", "numpy": "2.4.6"},
        "durations_s": {"playing": 12.345},
        "finished": "2031-02-03T04:05:06Z",
        **manifest,
    }
    (folder / "manifest.json").write_text(json.dumps(found))
    return folder


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, and the text that is shown."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open, self.words = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "path", "use", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "title"} & set(self.open):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page_of(folder):
    return report(folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("run"))


def test_the_verdict_comes_first_in_words(run_folder):
    text = Page(page_of(run_folder)).text
    places = [
        text.index(words)
        for words in (
            "uncalibrated",
            "Three cohorts run for two weeks",
            "cohorts",
            "Win rate against target",
            "Difficulty",
            "What ends attempts",
            "Players, and those who quit",
            "Settings that were played",
            "Controller",
            "Rows worth a look",
            "Where it comes from",
            "How the numbers were made",
        )
    ]
    assert places == sorted(places)
    assert "hyperparameter value start 0.5 step 0.05 window 12" in text
    assert "s0123456789abcdef" in text
    assert "flowdial verify RUN" in text


def test_numbers_of_the_page_are_those_of_the_rows(run_folder):
    text = Page(page_of(run_folder)).text
    rows = list(csv.DictReader((run_folder / "attempts.csv").read_text().splitlines()))
    people = list(csv.DictReader((run_folder / "players.csv").read_text().splitlines()))
    experts = [person for person in people if person["cohort"] == "experts"]
    quits = sum(person["left"] == "quit" for person in experts)
    median = float(np.median([int(person["attempts"]) for person in experts]))
    assert f"experts {len(experts)} {quits / len(experts) * 100:.0f} % 0 % {median:.0f}" in text
    made = {person["player"]: int(person["attempts"]) for person in people}
    late = [row for row in rows if int(row["attempt"]) >= 2 * made[row["player"]] // 3]
    speeds = {
        name: np.mean([float(row["param_speed"]) for row in late if row["cohort"] == name])
        for name in ("newcomers", "regulars", "experts")
    }
    assert "speed m/s 5 11 the dial " + " ".join(f"{speed:.3g}" for speed in speeds.values()) in text
    assert "warning s 1.5 0.2 the dial" in text  # the low end is the harder one
    assert "length m 20 80 held at 60 - - -" in text
    lost = [row["cause"] or "time limit" for row in rows if row["cohort"] == "regulars" and row["outcome"] != "won"]
    assert f"{lost.count('hit spike') / len(lost) * 100:.0f} %" in text
    hardest = max(range(len(rows)), key=lambda j: (rows[j]["outcome"] == "won", float(rows[j]["difficulty"]), -j))
    assert f"attempts.csv --row {hardest}" in text


def test_csv_and_parquet_give_the_same_page_and_again_the_same(tmp_path):
    pages = {}
    for file_format in ("csv", "parquet"):
        folder = make_run(tmp_path / file_format, file_format=file_format, players=600)
        pages[file_format] = page_of(folder)
        assert page_of(folder) == pages[file_format]
    assert pages["csv"] == pages["parquet"].replace("attempts.parquet", "attempts.csv")


def test_a_fresh_process_with_another_hash_seed_and_settings_gives_the_same_bytes(run_folder, tmp_path):
    expected = report(run_folder).read_bytes()
    (tmp_path / "matplotlibrc").write_text("axes.facecolor: pink\nfont.size: 30\nsvg.fonttype: path\n")
    line = f"from pathlib import Path; from sims.report import report; report(Path({str(run_folder)!r}))"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "MATPLOTLIBRC": str(tmp_path)}
    subprocess.run([sys.executable, "-c", line], check=True, env=environment, cwd=Path(__file__).resolve().parents[1])
    assert (run_folder / "report.html").read_bytes() == expected


def test_nothing_of_the_clock(run_folder, tmp_path):
    later = make_run(tmp_path, durations_s={"playing": 99.0}, finished="2044-01-01T00:00:00Z")
    assert page_of(later) == page_of(run_folder)


def test_one_file_nothing_loaded_no_script(run_folder):
    text = page_of(run_folder)
    page = Page(text)
    assert len(text) < 1_000_000
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form", "a"} & set(page.tags)
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("href", "xlink:href", "src"):
            assert value.startswith("#")
    assert re.search(r"https?:|//[a-z]|@import|url\((?!#)", text) is None
    policy = text.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src &#x27;none&#x27;")
    assert "script" not in policy


def test_ids_are_unique_and_every_reference_has_one(run_folder):
    text = page_of(run_folder)
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', text)) <= {(name, "") for name in ids} | {
        ("", name) for name in ids
    }


def test_colours_come_from_the_style_sheet(run_folder):
    text = page_of(run_folder)
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) == 3 * 3 + 1
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
    (folder / "scenario.toml").write_text(f"[[cohort]]\nname = 'a'\nlabel = {json.dumps(NASTY)}\n")
    text = page_of(folder)
    page = Page(text)
    assert not {"script", "img", "b", "i", "u"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert page.text.count(NASTY) >= 5  # title, headings and tables


def test_campaigns_have_a_table_of_levels(tmp_path):
    text = Page(page_of(make_run(tmp_path, levels=5))).text
    assert "Level by level" in text
    assert "experts, level 5" in text


def test_many_cohorts_stay_small(tmp_path):
    cohorts = tuple(f"cohort_{j}" for j in range(64))
    text = page_of(make_run(tmp_path, cohorts=cohorts, players=640, levels=40))
    assert len(text) < 1_000_000
    assert "The first 400 of 2,560 rows" in text


def test_the_page_says_how_far_an_interval_of_one_player_can_be_trusted(tmp_path):
    text = Page(page_of(make_run(tmp_path, players=1, attempts=400, cohorts=("alone",), seed=2))).text
    assert "For alone there is one player only, so Wilson's interval takes attempts as independent" in text
    assert "cannot tell" in text


def test_a_run_in_which_nobody_played(tmp_path):
    folder = make_run(tmp_path, players=30)
    found = json.loads((folder / "manifest.json").read_text())
    for name in ("judged", "by_attempt", "by_day", "totals", "left"):
        found["tallies"][name] = np.zeros_like(found["tallies"][name]).tolist()
    (folder / "manifest.json").write_text(json.dumps(found))
    for name in ("attempts.csv", "players.csv"):
        header = (folder / name).read_text().partition("\n")[0]
        (folder / name).write_text(header + "\n")
    assert "nobody played long enough" in Page(page_of(folder)).text


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "attempts.csv").unlink(), "tables"),
        (lambda folder: (folder / "attempts.csv").write_text("a,b\n1,2\n"), "tables"),
        (lambda folder: (folder / "players.csv").write_text("nothing"), "tables"),
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
        report(folder)
    assert not (folder / "report.html").exists()


def cut_in_half(path):
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 2]))


@pytest.mark.slow
@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_million_rows_in_five_seconds(tmp_path, file_format):
    folder = make_run(tmp_path, players=5000, attempts=400, file_format=file_format)
    assert json.loads((folder / "manifest.json").read_text())["rows"] > 1_000_000
    start = time.perf_counter()
    report(folder)
    assert time.perf_counter() - start < 5.0
