"""Translation: the functions of a rule, out of Python's syntax tree into engine.translation.syntax.

Types are not read from annotations: they follow from what a function is called with, as they do for the compiler. A
function that is called with other types is translated once more. What cannot be said in another language raises
Untranslatable with one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from engine.translation.function_body import FunctionBody, Retyped
from engine.translation.sources import Untranslatable, plain_function, syntax_of
from engine.translation.syntax import (
    VOID,
    Function,
    Program,
    RecordType,
    ValueType,
)

_MOST_ROUNDS: Final = 20  # in which the types of one function settle


class Translator:
    """What has been translated so far."""

    def __init__(self) -> None:
        self.program = Program()
        self._functions: dict[tuple[Any, tuple[ValueType, ...]], tuple[str, ValueType]] = {}
        self._open: list[Any] = []
        self._names: set[str] = set()
        self._records: dict[tuple[Any, tuple[ValueType, ...]], RecordType] = {}
        self.own_records: dict[Any, RecordType] = {}  # those whose types are settled from the start, by their class

    def function(self, function: Callable[..., Any], arguments: Sequence[ValueType]) -> tuple[str, ValueType]:
        """The name and the result of a function, translated for arguments of these types.

        Raises Untranslatable.
        """
        function = plain_function(function)
        key = (function, tuple(arguments))
        if key not in self._functions:
            if function in self._open:
                raise Untranslatable(f"{function.__name__} calls itself")
            self._open.append(function)
            self._functions[key] = self._translated(function, tuple(arguments))
            self._open.pop()
        return self._functions[key]

    def _translated(self, function: Any, arguments: tuple[ValueType, ...]) -> tuple[str, ValueType]:
        tree = syntax_of(function)
        types: dict[str, ValueType] = {}
        for _ in range(_MOST_ROUNDS):
            body = FunctionBody(self, function, tree, arguments, types)
            try:
                statements = body.translate()
            except Retyped:
                continue
            break
        else:
            raise Untranslatable(f"the types in {function.__name__} do not settle")
        parameters = tuple(zip(body.parameters, arguments, strict=True))
        own = tuple((name, kind) for name, kind in types.items() if name not in body.parameters and name[0] != "<")
        name = self._unique(function.__name__)
        result = types.get("<result>", VOID)
        about = (tree.body and _docstring_of(tree)) or ""
        self.program.functions.append(Function(name, about, parameters, result, own, tuple(statements)))
        return name, result

    def record(self, kind: Any, types: Sequence[ValueType]) -> RecordType:
        """The record of a named tuple's class, or of a plain tuple (kind is `tuple`), with fields of these types."""
        key = (kind, tuple(types))
        if key not in self._records:
            names = [f"part{i}" for i in range(len(types))] if kind is tuple else list(kind._fields)
            name = self._unique("Parts" if kind is tuple else kind.__name__)
            found = RecordType(name, tuple(zip(names, types, strict=True)))
            self._records[key] = found
            self.program.records.append(found)
        return self._records[key]

    def settle(self, kind: Any, types: Sequence[ValueType]) -> RecordType:
        """As `record`, for a named tuple that has no other types."""
        found = self.own_records[kind] = self.record(kind, types)
        return found

    def _unique(self, name: str) -> str:
        found, count = name, 1
        while found.lower() in self._names:
            count += 1
            found = f"{name}{count}"
        self._names.add(found.lower())
        return found


def _docstring_of(tree: Any) -> str:
    first = tree.body[0]
    value = getattr(getattr(first, "value", None), "value", None)
    return value.strip().split("\n")[0] if isinstance(value, str) else ""
