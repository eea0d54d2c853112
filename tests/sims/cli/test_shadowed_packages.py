"""A foreign package with one of our names is named in one sentence, before it can do harm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sims.cli.shadowed_packages import PACKAGES, check_packages, find_fault
from tests.kit.places import ROOT

CALL = "from sims.cli.shadowed_packages import check_packages; check_packages(); print('ours')"


def run(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter that sees `path` first, then our packages, and no current folder."""
    head = f"import sys; sys.path[:0] = {[str(folder) for folder in path]!r}\n"
    return subprocess.run([sys.executable, "-I", "-c", head + code], capture_output=True, text=True, check=False)


def shadow(folder: Path, name: str) -> Path:
    """Put a package with a foreign __init__.py into folder; importing it fails loudly."""
    (folder / name).mkdir(parents=True)
    file = folder / name / "__init__.py"
    file.write_text("raise RuntimeError('a foreign package was imported')\n", encoding="utf-8")
    return file


def test_our_own_packages_pass():
    assert find_fault() is None
    check_packages()


def test_our_own_packages_pass_in_a_fresh_interpreter():
    done = run(CALL, ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ours\n", "")


@pytest.mark.parametrize("name", ["engine", "games", "controllers"])
def test_a_foreign_package_is_named_and_not_imported(tmp_path, name):
    file = shadow(tmp_path, name)
    done = run(CALL, tmp_path, ROOT)
    assert done.returncode == 5
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"'{name}'" in done.stderr
    assert str(file) in done.stderr
    assert str(ROOT) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_foreign_package_that_is_already_imported_is_named(tmp_path):
    (tmp_path / "games").mkdir()
    (tmp_path / "games" / "__init__.py").touch()
    done = run("import games\n" + CALL, tmp_path, ROOT)
    assert done.returncode == 5
    assert str(tmp_path / "games" / "__init__.py") in done.stderr


def test_a_folder_without_init_does_not_shadow_ours(tmp_path):
    (tmp_path / "engine").mkdir()
    assert run(CALL, tmp_path, ROOT).returncode == 0


@pytest.mark.parametrize("missing", ["engine", "games", "controllers"])
def test_a_missing_package_is_named(tmp_path, missing):
    for name in PACKAGES:
        if name != missing:
            (tmp_path / name).mkdir()
            (tmp_path / name / "__init__.py").touch()
    guard = Path("sims", "cli", "shadowed_packages.py")
    (tmp_path / "sims" / "cli").mkdir()
    (tmp_path / guard.parent / "__init__.py").touch()
    (tmp_path / guard).write_bytes((ROOT / guard).read_bytes())
    code = f"sys.path[:] = [folder for folder in sys.path if folder != {str(ROOT)!r}]\n" + CALL
    done = run(code, tmp_path)
    assert done.returncode == 5
    assert f"'{missing}'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_command_line_asks_the_guard_first(tmp_path):
    file = shadow(tmp_path, "engine")
    done = run("sys.argv[1:] = ['--help']; from sims.cli.app import main; main()", tmp_path, ROOT)
    assert done.returncode == 5
    assert done.stderr.count("\n") == 1
    assert str(file) in done.stderr


def test_the_guard_imports_nothing_but_the_standard_library():
    code = "before = set(sys.modules); import sims.cli.shadowed_packages; print(*sorted(set(sys.modules) - before))"
    loaded = run(code, ROOT).stdout.split()
    assert {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names} == {
        "sims",
        "sims.cli",
        "sims.cli.shadowed_packages",
    }
