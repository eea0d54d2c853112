"""A run as long as its intervals need is an ordinary run of a scenario with so many players."""

from __future__ import annotations

import errno
import hashlib
import json
import re
from pathlib import Path

import pytest

from engine.errors import EnvironmentFault, RunFolderError, ScenarioError
from engine.inference.intervals import sums_of
from engine.inference.sequential import Size
from engine.scenario import load, parse
from engine.tally import Tally
from sims.catalog import Catalog
from sims.cli.app import main
from sims.planning import precision
from sims.planning.pilot import elsewhere, growing, resized, sums_for
from sims.planning.precision import run_to_precision
from sims.run_folder.folder import MANIFEST, SCENARIO, read_manifest
from sims.runs import execution as runs
from sims.runs.run import Run
from tests.kit.golden import check_golden
from tests.kit.small import TEXT, scenario

pytestmark = pytest.mark.thorough

FILES = ("attempts.csv", "players.csv", "sessions.csv", "summary.csv", "datapackage.json", SCENARIO, "report.html")


def small(**choices):
    return scenario(**{"controller": "constant", "players": 10, "attempts": 30, **choices})


def hashes(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


def words(result: Run) -> str:
    """What is said of a run's precision."""
    assert result.precision is not None
    assert result.faults == {}
    return "\n".join(result.precision.sentences)


def half_widths(folder: Path) -> list[float]:
    found = [line.split(",") for line in (folder / "summary.csv").read_text().splitlines()]
    head, *rows = found
    ends = [[float(row[head.index(f"win_rate{end}")]) for end in ("", "_low", "_high")] for row in rows]
    return [max(rate - low, high - rate) for rate, low, high in ends]


def test_it_is_as_narrow_as_wanted_and_an_ordinary_run(request, tmp_path):
    text = words(run_to_precision(small(), 0.03, out=tmp_path / "run", workers=1))
    widths = half_widths(tmp_path / "run")
    assert max(widths) <= 0.03
    assert max(widths) > 0.02  # and not much longer than needed
    players = load(tmp_path / "run" / SCENARIO, Catalog()).form.players.count
    assert f"{players:,} players" in text
    check_golden(request, "precision/reached", text)
    again = load(tmp_path / "run" / SCENARIO, Catalog())
    assert runs.run(again, out=tmp_path / "again", workers=1).faults == {}
    assert hashes(tmp_path / "run") == hashes(tmp_path / "again")
    assert main(["verify", str(tmp_path / "run"), "--rows", "50"]) == 0


def test_players_of_a_longer_run_are_those_of_a_shorter_one_and_more():
    """The pilot's scheme rests on it: rates of the first players do not depend on how many come after."""
    few, many = (sums_for(resized(small(), size), workers=1) for size in (10, 400))
    for name in ("new", "old"):
        assert (few[name] == many[name][:5]).all()
        assert len(many[name]) == 200
    assert resized(resized(small(), 400), 10).digest == small().digest


def test_the_pilot_is_of_other_players():
    one = small(players=40)
    assert elsewhere(one).seed != one.seed
    found, other = (sums_for(each, workers=1)["new"] for each in (one, elsewhere(one)))
    assert (found != other).any(axis=1).mean() > 0.5


def test_a_pilot_counts_as_a_run_does(tmp_path):
    """Of judged attempts, by player; by replica where a controller is shared."""
    text = TEXT.format(game="logistic", controller="constant", players=8, attempts=10).replace(
        "win_rate = 0.6", "win_rate = 0.6\nafter_attempts = 3"
    )
    shared = text.replace('"constant"', '"elo"\nscope = "cohort"') + "[run]\nreplicas = 4\n"
    for source, cluster in ((text, "player"), (shared, "replica")):
        one = parse(source.encode(), "small.toml", Catalog())
        folder = tmp_path / cluster
        runs.run(one, out=folder, workers=1)
        tally = Tally.from_json(read_manifest(folder)["tallies"])
        for cohort, sums in enumerate(sums_for(one, workers=1).values()):
            assert sums_of(sums[:, 0], sums[:, 1])[2:7] == tuple(tally.judged[cohort, 0, 2:7])
            assert (sums[:, 1] > 0).sum() == tally.judged[cohort, 0, 0]


def test_when_it_is_stopped_it_is_resumed_as_an_ordinary_run(tmp_path, monkeypatch):
    def full(*given):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(runs, "write_results", full)
        with pytest.raises(EnvironmentFault):
            run_to_precision(small(), 0.05, out=tmp_path / "run", workers=1)
    assert runs.resume(tmp_path / "run.partial", workers=1).faults == {}
    assert run_to_precision(small(), 0.05, out=tmp_path / "whole", workers=1).faults == {}
    assert hashes(tmp_path / "run") == hashes(tmp_path / "whole")


def test_a_budget_that_ends_first_is_said(request, tmp_path):
    text = words(run_to_precision(small(), 0.01, budget=20_000, out=tmp_path / "run", workers=1))
    check_golden(request, "precision/budget_ended", text)
    found = re.search(r"About ([\d,]+) players would be enough \(--budget (\d+)\)", text)
    manifest = read_manifest(tmp_path / "run")
    played = sum(Tally.from_json(manifest["tallies"]).players(cohort) for cohort in (0, 1))
    assert 0.7 * 20_000 < 30 * played <= 20_000
    assert found is not None
    assert int(found[2]) > 30 * int(found[1].replace(",", "")) > 20_000


def test_where_the_least_that_is_trusted_makes_it_narrower_than_wanted_it_says_why(request, tmp_path):
    text = words(run_to_precision(small(), 0.2, out=tmp_path / "run", workers=1))
    check_golden(request, "precision/the_least_that_is_trusted", text)
    assert max(half_widths(tmp_path / "run")) < 0.5 * 0.2


def test_a_budget_that_it_names_is_enough(tmp_path):
    text = words(run_to_precision(small(), 0.02, budget=20_000, out=tmp_path / "short", workers=1))
    found = re.search(r"--budget (\d+)", text)
    assert found is not None
    run_to_precision(small(), 0.02, budget=int(found[1]), out=tmp_path / "long", workers=1)
    assert max(half_widths(tmp_path / "long")) <= 0.02


def test_a_run_that_turns_out_too_wide_is_played_again_and_leaves_one_folder(request, tmp_path, monkeypatch):
    def too_small(look, wanted, **given):
        look(50)
        return Size(50, 50, 60)

    monkeypatch.setattr(precision, "find_size", too_small)
    result = run_to_precision(small(), 0.04, out=tmp_path / "run", workers=1)
    assert result.to_json()["precision"]["played_again"] == 1
    check_golden(request, "precision/played_again", words(result))
    assert max(half_widths(tmp_path / "run")) <= 0.04
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (tmp_path / "run" / MANIFEST).is_file()


def test_numbers_for_programs(tmp_path, capsys):
    (tmp_path / "small.toml").write_text(
        TEXT.format(game="logistic", controller="constant", players=10, attempts=30), encoding="utf-8"
    )
    words = ["run", str(tmp_path / "small.toml"), "--precision", "0.04", "--out", str(tmp_path / "run")]
    assert main([*words, "--workers", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["precision"]
    assert found["reached"] is True
    assert found["growing"] == "players"
    assert set(found["half_widths"]) == {"new", "old"}
    assert all(width <= 0.04 for width in found["half_widths"].values())
    assert found["error_rate"] == 0.05


def test_a_shared_controller_gets_more_replicas(request, tmp_path):
    text = TEXT.format(game="logistic", controller="elo", players=8, attempts=10)
    shared = parse(text.replace('"elo"', '"elo"\nscope = "cohort"').encode(), "shared.toml", Catalog())
    assert growing(shared) == "replicas"
    text = words(run_to_precision(shared, 0.06, out=tmp_path / "run", workers=1))
    played = load(tmp_path / "run" / SCENARIO, Catalog())
    assert played.form.players.count == 8
    assert played.form.run.replicas >= 10
    assert max(half_widths(tmp_path / "run")) <= 0.06
    check_golden(request, "precision/replicas", text)


def test_a_steady_stream_gets_more_replicas():
    """Its late players have less time: more of them would be another scenario."""
    text = TEXT.format(game="logistic", controller="constant", players=8, attempts=10)
    steady = text.replace("[[cohort]]", '[players.arrival]\nkind = "rate"\nper_day = 2\n\n[[cohort]]', 1)
    assert growing(parse(steady.encode(), "steady.toml", Catalog())) == "replicas"


@pytest.mark.parametrize("all_quit", [True, False])
def test_a_cohort_of_which_nobody_is_judged_does_not_play_for_ever(request, tmp_path, all_quit):
    """Who quits after the first attempt is never judged."""
    text = TEXT.format(game="logistic", controller="constant", players=10, attempts=30)
    late = text.replace("win_rate = 0.6", "win_rate = 0.6\nafter_attempts = 5")
    late = late.replace('name = "new"\nshare = 0.5', 'name = "new"\nshare = 0.5\ntraits = { quit_frailty = 20 }')
    if all_quit:
        late = late.replace("[cohort.traits]", "[cohort.traits]\nquit_frailty = 20")
    found = parse(late.encode(), "late.toml", Catalog())
    assert sums_for(found, workers=1)["new"].sum() == 0
    text = words(run_to_precision(found, 0.04, out=tmp_path / "run", workers=1))
    check_golden(request, f"precision/{'nobody_judged' if all_quit else 'one_group_judged'}", text)


def test_what_cannot_be_is_refused_before_anything_is_played(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "sums_for", lambda *given, **more: pytest.fail("a pilot was played"))
    (tmp_path / "there").mkdir()
    with pytest.raises(RunFolderError, match="already exists"):
        run_to_precision(small(), 0.03, out=tmp_path / "there")
    with pytest.raises(ScenarioError, match="--budget must be at least 1500 attempts"):
        run_to_precision(small(), 0.03, budget=1000)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--budget", "1000"), "give both"),
        (("--precision", "0"), "must be a number above 0 and at most 0.5, got '0'"),
        (("--precision", "nan"), "got 'nan'"),
        (("--precision", "0.7"), "at most 0.5, got '0.7'"),
    ],
)
def test_wrong_usage_is_one_line(words, sentence, capsys):
    assert main(["run", "quickstart", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert sentence in err
