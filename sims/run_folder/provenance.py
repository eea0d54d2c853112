"""Where results come from: versions of the libraries, digests of the code, the commit of a checkout."""

from __future__ import annotations

import ast
import hashlib
import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from engine.attempt import attempt_of
from engine.external.external_game import ExternalGame
from engine.kernel import kernel_digest
from engine.setup import Setup

_ROOT: Final = Path(__file__).resolve().parents[2]
_LIBRARIES: Final = ("numpy", "numba", "simpy", "pyarrow", "cmaes", "scipy")  # those that results depend on


def versions(*more: str) -> dict[str, str]:
    """Versions of Python and of the libraries that the bytes of a result depend on. more: those of a method's own."""
    found = {"python": platform.python_version()}
    for name in (*_LIBRARIES, *more):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def code_digests(setup: Setup) -> dict[str, str]:
    """Digests of what turns a scenario into rows: the game's rules, the controller, the engine's files.

    Comments, docstrings and layout have no part in them: an edit of those does not keep a run from being resumed.
    """
    kind, game = setup.kind, setup.game
    if kind.rule is not None:
        anti_windup = [] if kind.rule.anti_windup is None else [kind.rule.anti_windup]
        controller = kernel_digest(kind.rule.start, kind.rule.ask, kind.rule.tell, *anti_windup)
        if kind.rule.prepare is not None:  # it runs once, and may use what no digest of functions could follow
            controller = _digest_of_text(controller, _digest_of_files(_files_around(kind.rule.prepare.__module__)))
    else:
        controller = _digest_of_files(_files_around(kind.make.__module__))
    controller = _digest_of_text(
        controller, kind.options(), kind.option_list, kind.scopes, kind.rule and (kind.rule.beliefs, kind.rule.unit)
    )
    if isinstance(game, ExternalGame):
        record = _digest_of_text(game.facts)
    else:
        rules = (game.name, game.version, game.pace, game.tick_seconds, game.max_ticks, game.actions, game.causes)
        record = _digest_of_text(kernel_digest(attempt_of(game)), rules, game.space.knobs)
    engine = sorted((_ROOT / "engine").rglob("*.py"))
    return {"game": record, "controller": controller, "engine": _digest_of_files(engine)}


def search_digest(room: str, *others: str) -> str:
    """Digest of what decides the course of a study or a sweep, beyond what decides a run's.

    room, others: folders of sims. The files of an `answer` folder only say what came of it: an edit of those does not
    keep it from being resumed.
    """
    files = [
        file
        for one in (room, *others)
        for file in sorted((_ROOT / "sims" / one).rglob("*.py"))
        if "answer" not in file.relative_to(_ROOT).parts
    ]
    return _digest_of_files(files)


def code_digest(setup: Setup) -> str:
    """One digest of all code and libraries that a result depends on."""
    text = repr((sorted(code_digests(setup).items()), sorted(versions().items())))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _files_around(module: str) -> list[Path]:
    """The module's file; for a module of a package all files of it, since helpers stand beside."""
    top = sys.modules[module.partition(".")[0]]
    folders = [Path(folder) for folder in getattr(top, "__path__", ())]
    return sorted(file for folder in folders for file in folder.rglob("*.py")) or [Path(str(top.__file__))]


def _digest_of_text(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _digest_of_files(paths: list[Path]) -> str:
    return _digest_of_text(*((path.name, _digest_of_code(path.read_bytes())) for path in paths))


@cache
def _digest_of_code(source: bytes) -> str:
    """Digest of what a module does: its syntax tree without places in the file and without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match node:
            case (
                ast.Module(body=[ast.Expr(ast.Constant(str())), *rest])
                | ast.ClassDef(body=[ast.Expr(ast.Constant(str())), *rest])
                | ast.FunctionDef(body=[ast.Expr(ast.Constant(str())), *rest])
            ):
                node.body = rest
    return _digest_of_text(ast.dump(tree))


def git_commit() -> str | None:
    """The commit of the checkout that this code runs from, with -dirty after local changes; None outside of one."""
    if not (_ROOT / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--match="],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
