"""Files are made under a name that nobody can foresee, never through a link; no other way to write is in the code."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

import engine
import sims
from engine.errors import RunFolderError
from sims.run_folder.files import appended_file, new_file, write_file
from sims.run_folder.lock import FolderLock

ROOT = Path(sims.__file__).parents[1]
# Every call that opens for writing, by file, with what makes it safe.
WRITERS = {
    "engine/response/kept_tables.py": "mkstemp in the cache folder, which is the user's alone",
    "engine/user_files/cache_folder.py": "mkdtemp",
    "sims/cli/app.py": "the null device",
    "sims/connect/registry.py": "mkstemp in the configuration folder, then renamed",
    "sims/run_folder/files.py": "the functions of this test",
    "sims/run_folder/lock.py": "the lock, never through a link",
    "sims/runs/telemetry.py": "to_csv without a path gives a text",
    "sims/workers/code_parcel.py": "in a folder of mkdtemp",
    "sims/workers/ray_cluster.py": "mkdtemp",
    "sims/window/playing/human_session.py": "exclusive, in a folder that was just made",
}
METHODS = {
    *("write_text", "write_bytes", "mkstemp", "mkdtemp", "copyfile", "copy2", "copytree", "symlink_to", "hardlink_to"),
    *("to_csv", "to_parquet", "to_excel", "to_pickle", "tofile", "savez", "NamedTemporaryFile"),
}


def writes(call: ast.Call) -> bool:
    """Whether a call opens a file for writing, as far as its text says."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in METHODS:
        return True
    modes = [*call.args[:2], *(one.value for one in call.keywords if one.arg == "mode")]
    texts = {mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)}
    return name in ("open", "fdopen") and any(set(text) & set("wxa+") and set(text) <= set("rwxabt+") for text in texts)


def test_every_way_to_open_for_writing_is_known():
    found = set()
    for package in (engine, sims):
        for path in sorted((ROOT / package.__name__).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            if any(isinstance(node, ast.Call) and writes(node) for node in ast.walk(tree)):
                found.add(path.relative_to(ROOT).as_posix())
    assert found == set(WRITERS)


def call_of(text: str) -> ast.Call:
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    return call


def test_the_finder_sees_each_way():
    for text in ("open(p, 'w')", "open(p, mode='ab')", "p.open('xb')", "p.write_text(t)", "os.fdopen(h, 'wb')"):
        assert writes(call_of(text)), text
    for text in ("open(p)", "open(p, 'rb')", "p.read_text()", "webbrowser.open('page')"):
        assert not writes(call_of(text)), text


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_links_that_wait_for_a_temporary_file_change_nothing(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("mine", encoding="utf-8")
    folder = tmp_path / "run"
    folder.mkdir()
    for number in (1, os.getpid(), 32768):
        (folder / f".report.html.{number}.tmp").symlink_to("../notes.txt")
    write_file(folder / "report.html", b"page")
    assert (folder / "report.html").read_bytes() == b"page"
    assert notes.read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_link_under_the_final_name_is_replaced_and_one_to_append_to_is_refused(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("mine", encoding="utf-8")
    for name in ("report.html", "journal"):
        (tmp_path / name).symlink_to(notes)
    write_file(tmp_path / "report.html", b"page")
    assert not (tmp_path / "report.html").is_symlink()
    with pytest.raises(OSError, match="journal"):
        appended_file(tmp_path / "journal")
    assert notes.read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_lock_that_is_a_link_is_refused_and_its_file_kept(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("mine", encoding="utf-8")
    folder = tmp_path / "run.partial"
    folder.mkdir()
    (folder / "lock").symlink_to(notes)
    with pytest.raises(RunFolderError, match="must be a file of its own, got a link"):
        FolderLock(folder)
    assert notes.read_text(encoding="utf-8") == "mine"


def test_a_file_that_cannot_be_made_is_named_as_the_user_knows_it(tmp_path):
    with pytest.raises(FileNotFoundError) as refused, new_file(tmp_path / "missing" / "a.csv"):
        pass
    assert refused.value.filename == str(tmp_path / "missing" / "a.csv")
