"""Sources: the text of a rule's functions, and what the names in it stand for."""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from engine.attempt import made_text


class Untranslatable(Exception):
    """Something of a rule that cannot be said in another language: one sentence."""


def syntax_of(function: Callable[..., Any]) -> ast.FunctionDef:
    """The syntax tree of a function. Raises Untranslatable where its text is not at hand."""
    text = made_text(function)
    if text is None:
        try:
            text = textwrap.dedent(inspect.getsource(function))
            tree = ast.parse(text)
        except (OSError, TypeError, SyntaxError):
            raise Untranslatable(f"the text of {_called(function)} is not at hand") from None
    else:
        tree = ast.parse(text)
    found = tree.body[0]
    if not isinstance(found, ast.FunctionDef):
        raise Untranslatable(f"{_called(function)} is no plain function with a name")
    return found


def meaning_of(function: Callable[..., Any], name: str) -> Any:
    """What a name that a function does not assign stands for. Raises Untranslatable where it stands for nothing."""
    code = function.__code__
    if name in code.co_freevars:
        cells = function.__closure__ or ()
        return cells[code.co_freevars.index(name)].cell_contents
    space = function.__globals__
    if name in space:
        return space[name]
    if hasattr(builtins, name):
        return getattr(builtins, name)
    raise Untranslatable(f"{_called(function)} uses {name}, which is not defined")


def plain_function(function: Any) -> Any:
    """The plain function behind a compiled one."""
    return getattr(function, "py_func", function)


def _called(function: Any) -> str:
    return str(getattr(function, "__qualname__", function)).rpartition(".")[2]
