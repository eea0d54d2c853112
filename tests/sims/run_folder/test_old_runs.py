"""Run folders of every released format still open: one small one of each is kept in tests/old_runs.

They are never made anew. A format gets its folder with the release that brings it:

    flowdial run tests/old_runs/scenario.toml --out tests/old_runs/format_<number>

Its report is left out: it can always be written again, as is tested here.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.errors import RunFolderError
from sims.playback.row_choice import choose_row
from sims.reports.report import write_report
from sims.run_folder.folder import FORMAT_VERSION, MANIFEST, changed_files, read_manifest
from sims.runs.verification import verify
from tests.kit.places import OLD_RUNS

HERE = OLD_RUNS
FORMATS = sorted(int(path.name.removeprefix("format_")) for path in HERE.glob("format_*"))


@pytest.fixture(params=FORMATS)
def old(request, tmp_path) -> Path:
    """A copy of a run of long ago."""
    return Path(shutil.copytree(HERE / f"format_{request.param}", tmp_path / "run"))


def test_every_format_has_its_folder():
    assert list(range(1, FORMAT_VERSION + 1)) == FORMATS


def test_it_is_as_it_was_written(old):
    manifest = read_manifest(old)
    assert changed_files(old, manifest) == []
    assert f"format_{manifest['format_version']}" in {path.name for path in HERE.iterdir()}


def test_its_rows_play_again(old):
    result = verify(old)
    assert result.equal
    count = read_manifest(old)["rows"]
    assert f"{count:,} of {count:,} replayed rows are equal" in result.sentences[-1]


def test_it_can_be_reported_again(old):
    assert write_report(old).read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_row_can_be_chosen_and_replayed(old):
    row = choose_row(old, pick="longest win")
    recording = row.recording()
    recording.reach(row.game.max_ticks)
    assert recording.stepper.result().state_hash == row.cells["state_hash"]


def test_a_run_of_tomorrow_is_refused_in_one_sentence(old):
    path = old / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": FORMAT_VERSION + 1}))
    for use in (read_manifest, verify, write_report):
        with pytest.raises(RunFolderError, match=f"has format {FORMAT_VERSION + 1}, but this Flowdial reads"):
            use(old)
