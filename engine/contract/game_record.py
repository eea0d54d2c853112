"""Stage 1 of the game contract: the record, and what its functions are made of.

A plug-in's fields may hold anything, whatever their declared types say: hence Any.
"""

from __future__ import annotations

import dis
import inspect
import math
import types
from collections.abc import Iterator
from typing import Any, Final

from engine.game import Game
from engine.parameters import ParameterSpace
from engine.record import MISSING_WORDS, NOT_MISSING, PLAIN_WORDS, plain

ARGUMENTS: Final = {
    "build": ("params", "key"),
    "start": ("params", "level", "key"),
    "expert": ("params", "level", "state", "faculties"),
    "step": ("params", "level", "state", "action", "key", "tick"),
    "status": ("params", "level", "state"),
    "progress": ("params", "level", "state"),
    "cause": ("params", "level", "state"),
    "draw": ("params", "level", "state"),
}
OPTIONAL: Final = {  # of games that have one
    "score": ("params", "level", "state"),
    "place": ("params", "level", "state"),
    "without": ("level", "place"),
    "read_level": ("content",),
    "arrange": ("params", "key", "numbers"),
    "foreseen": ("params", "level", "state", "faculties", "action"),
}
REPEATABLE_MATH: Final = frozenset(
    {"sqrt", "floor", "ceil", "fabs", "frexp", "ldexp", "copysign", "trunc", "isnan", "isinf", "isfinite"}
)
UNREPEATABLE_MODULES: Final = ("random", "numpy.random", "secrets", "time", "datetime", "os", "uuid")
UNREPEATABLE_NUMPY: Final = frozenset(
    (
        *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan"),
        *("arctan2", "sinh", "cosh", "tanh", "power", "hypot", "cbrt", "sum", "mean", "std", "var", "prod", "dot"),
    )
)


def names_and_numbers(game: Any) -> Iterator[str]:
    """Names are text, numbers are in range, and lists are neither empty nor repeat themselves."""
    if not (isinstance(game.name, str) and game.name.isidentifier() and game.name == game.name.lower()):
        yield f"name must be a lower-case identifier, got {game.name!r}"
    if not isinstance(game.dealt, bool):
        yield f"dealt must be True or False, got {game.dealt!r}"
    if not isinstance(game.version, int) or isinstance(game.version, bool) or game.version < 1:
        yield f"version must be a whole number from 1, got {game.version!r}"
    if not isinstance(game.summary, str) or not game.summary.strip() or "\n" in game.summary:
        yield f"summary must be one sentence on one line, got {game.summary!r}"
    if game.pace not in ("real_time", "turns", "abstract"):
        yield f"pace must be real_time, turns or abstract, got {game.pace!r}"
    seconds = game.tick_seconds
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not (math.isfinite(seconds) and seconds > 0)
    ):
        yield f"tick_seconds must be a number above 0, got {seconds!r}"
    if not isinstance(game.max_ticks, int) or isinstance(game.max_ticks, bool) or game.max_ticks < 1:
        yield f"max_ticks must be a whole number from 1, got {game.max_ticks!r}"
    if game.place is not None and not (isinstance(game.place_noun, str) and plain(game.place_noun)):
        yield f"place_noun must say what a place is called, such as obstacle or turn, got {game.place_noun!r}"
    if (game.read_level is None) != (game.arrange is None):
        yield "read_level and arrange belong together: give both, or none of them"
    if game.without is not None and game.place is None:
        yield "without leaves out a place, but the game names none; give it place and place_noun, or leave it out"
    for field in ("causes", "actions"):
        names = getattr(game, field)
        if not isinstance(names, tuple) or not names or not all(isinstance(name, str) and name for name in names):
            yield f"{field} must be a tuple of one or more names, got {names!r}"
        elif len(set(names)) != len(names):
            yield f"{field} must be different names, got {names!r}"
    for cause in game.causes if isinstance(game.causes, tuple) else ():
        if isinstance(cause, str) and cause and not plain(cause):
            yield f"causes are words of rows: {PLAIN_WORDS}, got {cause!r}"
        elif isinstance(cause, str) and cause in MISSING_WORDS:
            yield f"{NOT_MISSING}, got {cause!r}"


def params_follow_space(game: Any) -> Iterator[str]:
    """The params tuple has the space's names, in the same order."""
    if not isinstance(game.space, ParameterSpace):
        yield f"space must be an engine.parameters.ParameterSpace, got {type(game.space).__name__}"
        return
    fields = getattr(game.params, "_fields", None)
    if not isinstance(game.params, type) or fields is None:
        yield f"params must be a NamedTuple class, got {game.params!r}"
    elif tuple(fields) != game.space.names:
        yield f"the fields of params must be the knobs of the space in order, {game.space.names}, got {tuple(fields)}"
    elif getattr(game.params, "_field_defaults", None):
        yield f"params must have no default values, since the space has them, got those of {game.params.__name__}"


def progression_names_knobs(game: Any) -> Iterator[str]:
    """What rises from level to level are knobs with a direction."""
    knobs = {knob.name: knob for knob in game.space}
    for name in game.progression:
        if name not in knobs:
            yield f"progression must name knobs, {', '.join(knobs)}, got {name!r}"
        elif knobs[name].scale == "choice":
            yield f"progression must name knobs that rise step by step, but {name} is a choice; leave it out"


def arguments_of(game: Any) -> dict[str, tuple[str, ...]]:
    """The game's functions and what they take."""
    return ARGUMENTS | {name: taken for name, taken in OPTIONAL.items() if getattr(game, name) is not None}


def functions_take_arguments(game: Game) -> Iterator[str]:
    """Rules are plain functions that take the documented arguments."""
    for name, arguments in arguments_of(game).items():
        function = getattr(game, name)
        if not isinstance(function, types.FunctionType):
            yield f"{name} must be a plain function, got {type(function).__name__}; nothing else compiles"
        elif len(inspect.signature(function).parameters) != len(arguments):
            yield f"{name} must take ({', '.join(arguments)}), got {inspect.signature(function)}"


def keys_mean_actions(game: Any) -> Iterator[str]:
    """Every key stands for one of the actions."""
    for key, action in game.keys.items():
        if not isinstance(key, str) or not isinstance(action, int) or not 0 <= action < len(game.actions):
            yield f"keys map a key's name to an action from 0 to {len(game.actions) - 1}, got {key!r}: {action!r}"


def functions_are_repeatable(game: Game) -> Iterator[str]:
    """Rules use no global randomness, no clock, and no function whose last bits differ between machines."""
    for name in arguments_of(game):
        seen: set[int] = set()
        for finding in _unrepeatable(getattr(game, name), seen, strict=name not in ("draw", "read_level")):
            yield f"{name} {finding}"


def _unrepeatable(function: types.FunctionType, seen: set[int], *, strict: bool) -> Iterator[str]:
    """What a function and its helpers outside the engine use that would not repeat."""
    module = getattr(function, "__module__", "") or ""
    if id(function) in seen or module.startswith("engine."):
        return
    seen.add(id(function))
    loaded: Any = None  # the object that the instruction before put on the stack, where it is a module
    for instruction in dis.get_instructions(function):
        operation, argument = instruction.opname, instruction.argval
        if operation == "IMPORT_NAME" and argument in UNREPEATABLE_MODULES:
            yield f"imports {argument}; draw from engine.randomness by address"
        elif operation == "BINARY_OP" and instruction.argrepr.startswith("**") and strict:
            yield "uses **, which is the C library's pow; write the product, or engine.arithmetic.exp"
        elif operation in ("LOAD_GLOBAL", "LOAD_NAME"):
            loaded = function.__globals__.get(argument)
            yield from _unrepeatable_value(argument, loaded)
        elif operation in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(loaded, types.ModuleType):
            yield from _unrepeatable_member(loaded, argument, strict=strict)
            loaded = getattr(loaded, argument, None)
        elif operation not in ("PUSH_NULL", "PRECALL", "CACHE"):
            loaded = None
    for used in _helpers(function):
        yield from _unrepeatable(used, seen, strict=strict)


def _unrepeatable_value(name: str, value: Any) -> Iterator[str]:
    module = (
        value.__name__ if isinstance(value, types.ModuleType) else type(getattr(value, "__self__", None)).__module__
    )
    if module in UNREPEATABLE_MODULES or module.startswith("numpy.random"):
        yield f"uses {name}, which differs from run to run; draw from engine.randomness by address"


def _unrepeatable_member(module: types.ModuleType, member: str, *, strict: bool) -> Iterator[str]:
    if module.__name__ == "numpy" and member == "random":
        yield "uses numpy.random, whose state is global; draw from engine.randomness by address"
    elif (
        strict
        and module.__name__ == "math"
        and callable(getattr(module, member, None))
        and member not in REPEATABLE_MATH
    ):
        yield f"uses math.{member}, whose last bits differ between machines; see engine.arithmetic"
    elif strict and module.__name__ == "numpy" and member in UNREPEATABLE_NUMPY:
        yield f"uses numpy.{member}, whose last bits differ when compiled; see engine.arithmetic, or write a loop"


def _helpers(function: types.FunctionType) -> Iterator[types.FunctionType]:
    for name in function.__code__.co_names:
        if isinstance(function.__globals__.get(name), types.FunctionType):
            yield function.__globals__[name]
    for cell in function.__closure__ or ():
        if isinstance(cell.cell_contents, types.FunctionType):
            yield cell.cell_contents
