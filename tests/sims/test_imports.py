"""The architecture as a test: who may import what, and what starting up may cost.

The tables below are the rules; the code under them reads every file of the four packages, and asks fresh interpreters.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import pytest

from tests.kit.places import ROOT

# --- The rules -------------------------------------------------------------------------------------------------------

# A package never imports these, not even inside a function or for the type checker.
FORBIDDEN = {
    "engine": {"games", "controllers", "sims", "pygame"},
    "games": {"controllers", "sims", "pygame", "simpy"},
    "controllers": {"games", "sims", "pygame", "simpy"},
    "sims": set[str](),
}
PACKAGES = tuple(FORBIDDEN)
RESULT_PATH = ("engine", "games", "controllers")

# A library has its few files, so that it can be replaced and so that it is loaded only where it is needed.
WINDOW = {
    "sims/window/canvas.py",
    "sims/window/screen.py",
    "sims/window/recorder.py",
    "sims/window/playing/play.py",
    "sims/window/watching/watch.py",
    "sims/window/replay.py",
}
ONLY_IN = [
    ("numba", PACKAGES, {"engine/kernel.py"}),
    ("llvmlite", PACKAGES, set[str]()),
    ("simpy", PACKAGES, {"engine/world.py", "engine/session.py", "engine/external/courier.py"}),
    ("pyarrow", RESULT_PATH, {"engine/record.py", "engine/user_files/regular_file.py"}),  # the latter opens Parquet
    ("pygame", PACKAGES, WINDOW),
    ("cmaes", RESULT_PATH, {"controllers/common/margin_search.py"}),
    ("pandas", RESULT_PATH, set[str]()),
    ("matplotlib", PACKAGES, set[str]()),
    ("pytest", PACKAGES, {"sims/balance_tests/plugin.py", "sims/balance_tests/balance_test.py"}),
    ("optuna", PACKAGES, {"sims/tuning/search/optuna_search.py", "sims/tracking/optuna_storage.py"}),
    ("gymnasium", PACKAGES, {"sims/gym_env/game_env.py"}),
    ("ray", PACKAGES, {"sims/workers/ray_cluster.py", "sims/workers/ray_pool.py", "sims/workers/ray_task.py"}),
]

# Each of these may be imported by one file only, whichever it is, and there only inside a function: they are extras.
ONE_FILE_LAZILY = ("mcp", "mlflow", "tensorboardX", "wandb", "xlsxwriter")

# Dotted names that no file may use; a name forbids everything below it too.
BANNED = {
    "random",
    "numpy.random",
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "builtins.hash",  # of text, it differs from one process to the next
}
# What differs between two runs of the same thing: not on the path from a scenario to its rows.
CLOCK = {
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "time.ctime",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "os.urandom",
    "secrets",
    "uuid.uuid1",
    "uuid.uuid4",
}
# Random state of one's own is no global state: it belongs to whoever made it, from an addressed seed.
OWN_STATE = {f"numpy.random.{name}" for name in ("Generator", "SeedSequence", "PCG64", "Philox", "RandomState")}

# A command of these words, in a fresh interpreter, loads none of these.
HEAVY = {"numba", "llvmlite", "pandas", "pygame", "optuna", "ray", "mlflow", "tensorboardX", "wandb"}
COMMANDS = [
    (("--help",), HEAVY | {"numpy", "pyarrow", "scipy", "pydantic", "rich", "simpy", "cmaes"}),
    (("check", "quickstart"), HEAVY),
]

# --- Reading the files -----------------------------------------------------------------------------------------------


class Use(NamedTuple):
    """One dotted name that a file imports or uses."""

    name: str  # "numpy.random.seed"
    line: int
    imported: bool  # by an import statement or import_module("..."), not by an attribute
    lazy: bool  # inside a function, or seen by the type checker alone


def uses(text: str, module: str = "engine.example") -> list[Use]:
    """List every dotted name that the program text imports or reaches through an import, with aliases resolved.

    A call of the builtin hash, except in a __hash__ method, is listed as builtins.hash; allow_pickle=True as pickle.
    """
    tree = ast.parse(text)
    aliases: dict[str, str] = {}
    found = [*_imports(tree, module, aliases, lazy=False)]
    parts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}  # the np of np.random.seed
    for node, inside_hash in _walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in parts:
            name = _dotted(node)
            head, _, rest = name.partition(".")
            if head in aliases:
                found.append(Use(f"{aliases[head]}.{rest}".rstrip("."), node.lineno, imported=False, lazy=True))
        elif isinstance(node, ast.Call):
            called = _dotted(node.func)
            if called == "hash" and not inside_hash:
                found.append(Use("builtins.hash", node.lineno, imported=False, lazy=True))
            if called.endswith(("import_module", "__import__")) and node.args:
                target = node.args[0]
                if isinstance(target, ast.Constant) and isinstance(target.value, str):
                    found.append(Use(target.value, node.lineno, imported=True, lazy=True))
            if called.endswith("default_rng") and not node.args and not node.keywords:
                found.append(Use("numpy.random", node.lineno, imported=False, lazy=True))
            for word in node.keywords:
                if word.arg == "allow_pickle" and not (isinstance(word.value, ast.Constant) and not word.value.value):
                    found.append(Use("pickle", node.lineno, imported=False, lazy=True))
    return found


def _imports(node: ast.AST, module: str, aliases: dict[str, str], lazy: bool) -> Iterator[Use]:
    for child in ast.iter_child_nodes(node):
        inner = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        inner = inner or (isinstance(child, ast.If) and _dotted(child.test).endswith("TYPE_CHECKING"))
        if isinstance(child, ast.Import):
            for alias in child.names:
                aliases[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                yield Use(alias.name, child.lineno, imported=True, lazy=lazy)
        elif isinstance(child, ast.ImportFrom):
            above = module.split(".")[: -child.level] if child.level else []
            base = ".".join([*above, *([child.module] if child.module else [])])
            for alias in child.names:
                aliases[alias.asname or alias.name] = f"{base}.{alias.name}"
                yield Use(f"{base}.{alias.name}", child.lineno, imported=True, lazy=lazy)
        yield from _imports(child, module, aliases, inner)


def _walk(node: ast.AST, inside_hash: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        inner = inside_hash or (isinstance(child, ast.FunctionDef) and child.name == "__hash__")
        yield child, inner
        yield from _walk(child, inner)


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""


def below(name: str, limits: set[str]) -> bool:
    return any(name == limit or name.startswith(limit + ".") for limit in limits)


def banned(package: str, use: Use) -> bool:
    """Tell whether a file of the package may not use this name."""
    if below(use.name, OWN_STATE) or use.name == "numpy.random.default_rng":
        return False
    if use.name == "numpy.random" and not use.imported:
        return True
    return below(use.name, BANNED | (CLOCK if package in RESULT_PATH else set()))


FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "__pycache__" not in path.parts
)


@cache
def read(file: str) -> list[Use]:
    module = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return uses((ROOT / file).read_text(encoding="utf-8"), module)


def package_of(file: str) -> str:
    return file.partition("/")[0]


def offences(files: list[str], wrong: Callable[[str, Use], bool]) -> list[str]:
    """Every use in these files that is wrong for its package: file, line and name."""
    return [f"{file}:{use.line}: {use.name}" for file in files for use in read(file) if wrong(package_of(file), use)]


# --- Every file keeps the rules --------------------------------------------------------------------------------------


def test_files_of_every_package_are_read():
    assert {package_of(file) for file in FILES} == set(PACKAGES)


def test_a_package_imports_only_what_is_below_it():
    assert offences(FILES, lambda package, use: use.imported and below(use.name, FORBIDDEN[package])) == []


@pytest.mark.parametrize(("library", "packages", "files"), ONLY_IN, ids=[row[0] for row in ONLY_IN])
def test_a_library_stays_in_its_files(library, packages, files):
    outside = [file for file in FILES if package_of(file) in packages and file not in files]
    assert offences(outside, lambda package, use: use.imported and below(use.name, {library})) == []


@pytest.mark.parametrize("library", ONE_FILE_LAZILY)
def test_an_extra_has_one_file_and_is_imported_lazily(library):
    users = [file for file in FILES if any(use.imported and below(use.name, {library}) for use in read(file))]
    assert len(users) <= 1, users
    assert offences(users, lambda package, use: use.imported and not use.lazy and below(use.name, {library})) == []


def test_no_global_randomness_no_clock_no_hash_no_pickle():
    assert offences(FILES, banned) == []


# --- The reader itself sees what it must ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "import random",
        "from random import choice",
        "import random as dice",
        "def f():\n    import random",
        "import numpy as np\nnp.random.seed(1)",
        "import numpy as np\nx = np.random.rand()",
        "import numpy\nnumpy.random.shuffle(x)",
        "from numpy import random",
        "from numpy.random import rand",
        "import numpy as np\nr = np.random.default_rng()",
        "import time\ntime.time()",
        "import time as clock\nclock.time_ns()",
        "from time import time",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.now()",
        "from datetime import datetime as moment\nmoment.utcnow()",
        "x = hash('text')",
        "import pickle",
        "from pickle import dumps",
        "from importlib import import_module\nimport_module('pickle')",
        "__import__('random')",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
    ],
)
def test_the_reader_finds(text):
    assert any(banned("engine", use) for use in uses(text))


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.monotonic()",
        "import datetime\ndatetime.timedelta(days=1)",
        "import numpy as np\nr = np.random.default_rng(7)",
        "import numpy as np\ndef f(r: np.random.Generator): ...",
        "from numpy.random import Generator",
        "class A:\n    def __hash__(self):\n        return hash(self.name)",
        "import numpy as np\nnp.load(path, allow_pickle=False)",
        "random = 3\nprint(random)",
        "from engine import randomness",
    ],
)
def test_the_reader_lets_pass(text):
    assert [use for use in uses(text) if banned("engine", use)] == []


def test_the_reader_resolves_relative_imports_and_lazy_ones():
    found = uses(
        "from . import kernel\nfrom ..games import logistic\ndef f():\n    import sims.window.playing.play",
        "engine.world",
    )
    assert [(use.name, use.lazy) for use in found if use.imported] == [
        ("engine.kernel", False),
        ("games.logistic", False),
        ("sims.window.playing.play", True),
    ]


# --- Fresh interpreters ----------------------------------------------------------------------------------------------


def loaded_by(*arguments: str) -> set[str]:
    """Return the top-level names of all modules that a fresh interpreter imports; fail if it does not end well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    lines = done.stderr.splitlines()
    assert done.returncode == 0, [line for line in lines if not line.startswith("import time:")]
    rows = [line.rsplit("|", 1)[1].strip() for line in lines if line.startswith("import time:") and "|" in line]
    return {row.partition(".")[0] for row in rows}


@pytest.mark.parametrize(("words", "never"), COMMANDS, ids=[" ".join(words) for words, _ in COMMANDS])
def test_a_light_command_loads_nothing_heavy(words, never):
    assert sorted(loaded_by("-m", "sims", *words) & never) == []


@pytest.mark.parametrize("package", RESULT_PATH)
def test_importing_all_modules_of_a_package_loads_nothing_above_it(package):
    modules = [file.removesuffix(".py").replace("/", ".") for file in FILES if file.startswith(package + "/")]
    names = [module.removesuffix(".__init__") for module in modules]
    assert sorted(loaded_by("-c", "import " + ", ".join(names)) & FORBIDDEN[package]) == []
