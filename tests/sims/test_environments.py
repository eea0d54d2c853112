"""Forty environments and five commands: each command works or is refused in one line, and one cause has one story."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sims.runs.execution import run
from tests.kit.places import ROOT
from tests.kit.small import TEXT, scenario

pytestmark = [pytest.mark.thorough, pytest.mark.skipif(sys.platform != "linux", reason="needs limits of Linux")]

GONE = "the current folder does not exist any more"
SMALL = "address space"
NUMBA = "numba"


@dataclass(frozen=True)
class Environment:
    """Where a command runs."""

    name: str
    variables: Mapping[str, str | None] = field(default_factory=dict)  # None: not set
    limits: Mapping[int, int] = field(default_factory=dict)
    cwd: str = "here"  # or gone, readonly
    user: int | None = None  # to become, where that is possible
    refused: str = ""  # what the one line says, where no command can work


NOWHERE = {"HOME": None, "XDG_CACHE_HOME": None, "FLOWDIAL_CACHE_DIR": None}
ENVIRONMENTS = (
    Environment("as it is"),
    Environment("no variables", dict.fromkeys(("HOME", "TERM", "LANG", "LC_ALL", "USER", "LOGNAME", "SHELL"))),
    Environment("no home", NOWHERE),
    Environment("an empty home", {**NOWHERE, "HOME": ""}),
    Environment("a relative home", {**NOWHERE, "HOME": "home"}),
    Environment("a home that is not there", {**NOWHERE, "HOME": "/nonexistent/home"}),
    Environment("a home that is a file", {**NOWHERE, "HOME": "/etc/hostname"}),
    Environment("an empty cache folder", {**NOWHERE, "XDG_CACHE_HOME": ""}),
    Environment("a relative cache folder", {**NOWHERE, "XDG_CACHE_HOME": "cache"}),
    Environment("a cache folder that is a device", {**NOWHERE, "FLOWDIAL_CACHE_DIR": "/dev/null"}),
    Environment("no temporary folder", {"TMPDIR": "/nonexistent/tmp"}),
    Environment("an unknown user", user=65_533),
    Environment("an unknown user without a home", NOWHERE, user=65_533),
    Environment("a dumb terminal", {"TERM": "dumb"}),
    Environment("an unknown terminal", {"TERM": "no-such-terminal"}),
    Environment("a terminal without a name", {"TERM": ""}),
    Environment("no colour", {"NO_COLOR": "1"}),
    Environment("forced colour", {"FORCE_COLOR": "1"}),
    Environment("20 columns", {"COLUMNS": "20"}),
    Environment("1 column", {"COLUMNS": "1"}),
    Environment("0 columns", {"COLUMNS": "0"}),
    Environment("columns that are no number", {"COLUMNS": "wide"}),
    Environment("the C locale", {"LC_ALL": "C"}),
    Environment("the POSIX locale", {"LC_ALL": "POSIX", "LANG": None}),
    Environment("a locale that is not there", {"LC_ALL": "xx_XX.UTF-8"}),
    Environment("a German locale", {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"}),
    Environment("Latin-1 streams", {"PYTHONIOENCODING": "latin-1"}),
    Environment("ASCII streams", {"PYTHONIOENCODING": "ascii"}),
    Environment("no UTF-8 mode", {"PYTHONUTF8": "0", "LC_ALL": "C"}),
    Environment("an odd time zone", {"TZ": "Asia/Kathmandu"}),
    Environment("a time zone that is not there", {"TZ": "No/Where"}),
    Environment("optimised", {"PYTHONOPTIMIZE": "2"}),
    Environment("no bytecode", {"PYTHONDONTWRITEBYTECODE": "1"}),
    Environment("a random hash seed", {"PYTHONHASHSEED": "77"}),
    Environment("warnings", {"PYTHONWARNINGS": "default"}),
    Environment("a deleted current folder", cwd="gone", refused=GONE),
    Environment("a current folder that cannot be written", cwd="readonly", user=65_533),
    Environment("few open files", limits={resource.RLIMIT_NOFILE: 64}),
    Environment("a small stack", limits={resource.RLIMIT_STACK: 1 << 20}),
    Environment("a small address space", limits={resource.RLIMIT_AS: 450 << 20}, refused=SMALL),
    Environment("no threads for the compiler", {"NUMBA_NUM_THREADS": "0"}, refused=NUMBA),
    Environment("features that are none", {"NUMBA_CPU_FEATURES": "avx"}, refused="NUMBA_CPU_FEATURES"),
)
SAMPLE = {  # one or two of each kind in the thorough tier; the others are slow
    *("no variables", "no home", "a relative cache folder", "a cache folder that is a device", "optimised"),
    *("an unknown user without a home", "a terminal without a name", "20 columns", "the C locale", "ASCII streams"),
    *("a locale that is not there", "a deleted current folder", "a current folder that cannot be written"),
    *("few open files", "a small address space", "no threads for the compiler"),
}
SAMPLED = [pytest.param(one, marks=[] if one.name in SAMPLE else [pytest.mark.slow]) for one in ENVIRONMENTS]
NEEDS_NO_COMPILER = ("report",)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A scenario, a run and a folder for kernels that everybody may read."""
    place: Path = tmp_path_factory.mktemp("place")
    text = TEXT.format(game="logistic", controller="weighted_up_down", players=20, attempts=40)
    (place / "small.toml").write_text(text, encoding="utf-8")
    run(scenario(players=20, attempts=40), out=place / "run", workers=1)
    return place


COMMANDS = ("run", "verify", "report", "tune", "compare")
# All commands in one process, which starts more quickly than five; a line on stderr ends the words of each.
DRIVER = """
import sys
from sims.cli.app import main
for words in {commands!r}:
    code = main(words)
    sys.stdout.flush()
    sys.stderr.write(f"\\nended {{words[0]}} {{code}}\\n")
    sys.stderr.flush()
"""


def commands(place: Path, out: Path) -> list[list[str]]:
    toml, quiet = str(place / "small.toml"), ["--workers", "1", "--quiet", "--out"]
    return [
        ["run", toml, *quiet, str(out / "run")],
        ["verify", str(place / "run"), "--rows", "5"],
        ["report", str(out / "copy")],
        ["tune", toml, "--budget", "9000", "--method", "random", *quiet, str(out / "study")],
        ["compare", toml, toml, *quiet, str(out / "compared")],
    ]


def python_for(user: int | None) -> tuple[str, str]:
    """A Python that a user can start, and its PYTHONPATH.

    That of the tests may lie in a folder that is closed to others. Then the system's of the same version will do, with
    the same packages.
    """
    here = Path(os.path.realpath(sys.executable))
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if user is None or all(folder.stat().st_mode & 0o001 for folder in (here, *here.parents)):
        return sys.executable, str(ROOT)
    return f"/usr/bin/{version}", os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])


def test_there_are_forty():
    assert len({one.name for one in ENVIRONMENTS}) == len(ENVIRONMENTS) >= 40


def start(one: Environment, place: Path, out: Path, folder: Path) -> subprocess.CompletedProcess[bytes]:
    python, path = python_for(one.user)
    variables: dict[str, str] = {**os.environ, "PYTHONPATH": path}
    for name, value in one.variables.items():
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = value

    def prepare() -> None:
        for kind, limit in one.limits.items():
            resource.setrlimit(kind, (limit, limit))
        if one.cwd == "gone":
            os.mkdir("gone")
            os.chdir("gone")
            os.rmdir("../gone")

    choices: dict[str, Any] = {"user": one.user, "group": one.user, "extra_groups": []} if one.user is not None else {}
    try:
        return subprocess.run(
            [python, "-P", "-c", DRIVER.format(commands=commands(place, out))],
            cwd=folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False,
            preexec_fn=prepare, **choices,
        )  # fmt: skip
    except (PermissionError, FileNotFoundError):
        pytest.skip("another user cannot run this Python")


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder that another user can reach; the folders of pytest are closed to others."""
    with tempfile.TemporaryDirectory(prefix="flowdial-room-") as name:
        yield Path(name).resolve()


@pytest.mark.parametrize("one", SAMPLED, ids=lambda one: one.name)
def test_each_command_works_or_says_why_not_in_one_line(place, room, one):
    if one.user is not None and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    here, out = room / "here", room / "out"
    for folder in (here, out):
        folder.mkdir()
    shutil.copytree(place / "run", out / "copy")
    if one.user is not None:
        place = Path(shutil.copytree(place, room / "place"))
        for path in (room, *room.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)
        here.chmod(0o555 if one.cwd == "readonly" else 0o777)
    done = start(one, place, out, here)
    err = done.stderr.decode(errors="replace")
    assert "Traceback" not in err, err
    said = [""]
    codes: dict[str, tuple[int, list[str]]] = {}
    for line in err.splitlines():
        if line.startswith("ended "):
            _, ended, number = line.split()
            codes[ended] = (int(number), said[-1].strip().splitlines()[-1:])
            said.append("")
        else:
            said[-1] += f"{line}\n"
    assert tuple(codes) == COMMANDS, err
    for command, (code, last) in codes.items():
        if one.refused and not (command in NEEDS_NO_COMPILER and one.refused not in (GONE, SMALL)):
            assert (code, [one.refused in line for line in last]) == (5, [True]), (command, err)
        else:
            assert code == 0, (command, err)
    if one.cwd != "gone":
        assert list(here.iterdir()) == []  # nothing is written but what --out says
