"""Compiled kernels out of plain functions, with a cache that notices every edit.

Rules, players and controllers are written as plain Python functions. `compiled` takes the function to be called and
follows every plain function that it and its helpers use, by global name or by closure. It compiles the tree with numba.
Plain text stays callable as it is, which makes it the slow twin of the kernel.

The cache is keyed by the content of the tree: byte code, constants, and the values of the globals that the
functions read. An edit of a comment recompiles nothing; an edit of a number in any file the tree reads does.
Cache files lie in the user's own cache folder (engine.user_files.cache_folder) and are never read from a run folder.
"""

from __future__ import annotations

import dis
import enum
import hashlib
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from engine.errors import EnvironmentFault
from engine.user_files.cache_folder import cache_folder, is_own_file, prune

__all__ = ["bound", "compiled", "kernel_digest"]

# No fastmath: it changes bits. numpy errors: a division by zero need not be checked for. Helpers are inlined by
# force: numba's calling convention otherwise costs more than a tick of a game (2.2x measured).
_OUTER: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
# Nothing but a kernel calls a helper, so it gets no entry for Python or C: each would hold all of its code once more.
_INNER: dict[str, Any] = {**_OUTER, "forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

_LEAST_ADDRESSES: Final = 1 << 30  # bytes: a run of a few players takes about so much, most of it code of libraries


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel of a plain function and all plain functions it uses.

    With numba's NUMBA_DISABLE_JIT=1 the plain function itself comes back. A function is compiled once per
    process and kept between processes in `cache_folder()`.
    """
    numba = _loaded_numba()
    jit_disabled: bool = numba.config.DISABLE_JIT
    return function if jit_disabled else _dispatcher(function)


def bound(kernel: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """The kernel for arguments of exactly these types, without the look at their types that each call would cost.

    Called with other types it may crash the process: only for a loop that always passes the same arrays.
    """
    if not hasattr(kernel, "py_func"):  # plain Python
        return kernel
    key = (kernel, tuple(_type_of(value) for value in arguments))
    if key not in _BOUND:
        from numba import typeof

        _BOUND[key] = kernel.compile(tuple(typeof(value) for value in arguments))  # type: ignore[attr-defined, no-untyped-call]
    return _BOUND[key]


_BOUND: dict[Any, Callable[..., Any]] = {}


def _type_of(value: Any) -> Any:
    """What decides the machine type of an argument; quicker than numba's own account."""
    if not hasattr(value, "flags"):
        return type(value)
    return value.dtype, value.ndim, value.flags.c_contiguous, value.flags.writeable


def check_address_space() -> None:
    """Refuse an address space that is too small: where it ends, LLVM ends the process or never returns.

    Raises EnvironmentFault.
    """
    if os.name == "nt":
        return
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < _LEAST_ADDRESSES:
        raise EnvironmentFault(
            f"a process must have {_LEAST_ADDRESSES >> 20:,} MB of address space, got {limit >> 20:,} MB; raise the "
            "limit (ulimit -v)."
        )


@cache
def _loaded_numba() -> Any:
    """The compiler. It reads variables named NUMBA_... as it is loaded, and some values stop it."""
    check_address_space()
    variables = sorted(name for name in os.environ if name.startswith("NUMBA_"))
    features = [one.strip() for one in os.environ.get("NUMBA_CPU_FEATURES", "").split(",")]
    if not all(one.startswith(("+", "-")) for one in features if one):  # LLVM would end the process
        raise EnvironmentFault("each of NUMBA_CPU_FEATURES must begin with + or -; correct it, or unset it.")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Environment variable 'NUMBA_")  # it would go on with a default
            import numba
        if variables:  # some of them are read only when something is compiled, and no plug-in is to blame for them
            numba.njit(_nothing)()  # type: ignore[call-arg]
    except Exception as fault:
        remedy = f"correct {', '.join(variables)}" if variables else "install Flowdial again with what it needs"
        reason = " ".join(str(fault).partition("The parse failed")[0].split())[:300].rstrip(".")
        raise EnvironmentFault(f"the compiler numba does not work here: {reason}; {remedy}.") from fault
    return numba


def _nothing() -> int:
    return 0


@cache
def _dispatcher(function: Callable[..., Any]) -> Any:
    from numba import njit

    try:
        linked = _linked(function, _inner)
    except RecursionError as fault:
        name = getattr(function, "__name__", repr(function))
        raise TypeError(f"{name} uses functions that call each other, which cannot be compiled") from fault
    dispatcher: Any = njit(**_OUTER)(linked)
    _attach_cache(dispatcher, function)
    return dispatcher


@cache
def _inner(function: types.FunctionType) -> Any:
    """A helper inside a tree: part of each kernel that uses it, so it needs no cache of its own."""
    from numba import njit

    return njit(**_INNER)(_linked(function, _inner))


def _linked(function: Callable[..., Any], link: Callable[[types.FunctionType], Any]) -> types.FunctionType:
    """A copy of the function whose plain helpers are replaced by their compiled forms."""
    if not isinstance(function, types.FunctionType):
        raise TypeError(f"only plain functions can be compiled, got {function!r}")
    replaced = {name: link(value) for name, value in _global_uses(function) if isinstance(value, types.FunctionType)}
    cells = function.__closure__
    if cells is not None:
        cells = tuple(
            types.CellType(link(cell.cell_contents)) if isinstance(cell.cell_contents, types.FunctionType) else cell
            for cell in cells
        )
    copy = types.FunctionType(
        function.__code__, {**function.__globals__, **replaced}, function.__name__, function.__defaults__, cells
    )
    copy.__qualname__ = function.__qualname__
    copy.__module__ = function.__module__
    return copy


def _global_uses(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What the code loads as a global, with the attributes it reads of modules: numba freezes those too.

    A name in co_names may be an attribute (options.start), so the instructions are read.
    """
    for first, *attributes in dict.fromkeys(_loads(function.__code__)):
        if first not in function.__globals__:
            continue
        name, value = first, function.__globals__[first]
        for attribute in attributes:
            if not isinstance(value, types.ModuleType) or not hasattr(value, attribute):
                break
            name, value = f"{name}.{attribute}", getattr(value, attribute)
        yield name, value


def _loads(code: types.CodeType) -> Iterator[tuple[str, ...]]:
    """Global names that are loaded, each with the chain of attributes that follows."""
    chain: list[str] = []
    for instruction in dis.get_instructions(code):
        if chain and instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            chain.append(instruction.argval)
            continue
        if chain:
            yield tuple(chain)
        chain = [instruction.argval] if instruction.opname == "LOAD_GLOBAL" else []
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):  # comprehensions and inner functions
            yield from _loads(constant)


def kernel_digest(*functions: Callable[..., Any]) -> str:
    """32 hex digits that change when the meaning of any of the functions, or of a helper of theirs, changes."""
    state = hashlib.sha256()
    seen: dict[int, int] = {}
    for function in functions:
        _feed(state, function, seen)
    return state.hexdigest()[:32]


def _feed(state: Any, value: Any, seen: dict[int, int]) -> None:
    if isinstance(value, types.FunctionType):
        if _is_library(value.__module__):
            state.update(f"library:{value.__module__}.{value.__qualname__}".encode())
            return
        if id(value) in seen:
            state.update(b"again:%d" % seen[id(value)])
            return
        seen[id(value)] = len(seen)
        state.update(b"function:" + value.__name__.encode())
        _feed(state, value.__code__, seen)
        _feed(state, value.__defaults__, seen)
        _feed(state, tuple((value.__kwdefaults__ or {}).items()), seen)
        for name, used in _global_uses(value):
            state.update(name.encode())
            _feed(state, used, seen)
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            state.update(name.encode())
            _feed(state, cell.cell_contents, seen)
    elif isinstance(value, types.CodeType):
        state.update(value.co_code)
        _feed(state, value.co_consts, seen)
        _feed(state, value.co_names, seen)
    elif isinstance(value, tuple | list):
        if hasattr(value, "_fields"):
            _feed(state, type(value), seen)
        state.update(b"(%d" % len(value))
        for item in value:
            _feed(state, item, seen)
    elif isinstance(value, type):
        state.update(f"type:{value.__module__}.{value.__qualname__}".encode())
        _feed(state, getattr(value, "_fields", ()), seen)
        _feed(state, tuple(getattr(value, "_field_defaults", {}).items()), seen)
        if issubclass(value, enum.Enum):
            state.update(repr(list(value)).encode())
    elif isinstance(value, types.ModuleType):
        state.update(b"module:" + value.__name__.encode())
    elif hasattr(value, "tobytes") and hasattr(value, "dtype"):
        state.update(str(value.dtype).encode() + repr(value.shape).encode() + value.tobytes())
    elif callable(value):  # its repr would hold an address
        state.update(f"{type(value).__name__}:{getattr(value, '__name__', '')}".encode())
    else:
        state.update(repr(value).encode())


def _is_library(module: str | None) -> bool:
    """Whether a function belongs to Python or numpy: their versions are part of the cache's key, not their code."""
    top = (module or "").partition(".")[0]
    return top == "numpy" or top in sys.stdlib_module_names


def _attach_cache(dispatcher: Any, function: Callable[..., Any]) -> None:
    """Give a dispatcher numba's own cache files under a key made of content instead of file name and time."""
    import numba
    import numpy
    from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile

    digest = kernel_digest(function)
    if numba.config.BOUNDSCHECK:  # type: ignore[attr-defined]
        digest += "-checked"  # another kernel: an unchecked one from the cache would hide what the check looks for
    folder = cache_folder()

    class ContentImpl(CompileResultCacheImpl):
        def __init__(self) -> None:  # the base looks for a source file; content needs none
            self._locator = types.SimpleNamespace(ensure_cache_path=lambda: None, get_cache_path=lambda: str(folder))

    class OwnFiles(IndexDataCacheFile):
        """Files of a cache; a link or a file of another user counts as missing."""

        def _load_index(self) -> Any:
            return super()._load_index() if is_own_file(Path(self._index_path)) else {}  # type: ignore[no-untyped-call]

        def _load_data(self, name: str) -> Any:
            if not is_own_file(Path(self._data_path(name))):  # type: ignore[no-untyped-call]
                raise PermissionError(f"{name} is not a file of this user")
            return super()._load_data(name)  # type: ignore[no-untyped-call]

    class ContentCache(FunctionCache):
        def __init__(self) -> None:
            self._name = repr(function)
            self._impl = ContentImpl()
            self._cache_path = str(folder)
            self._cache_file = OwnFiles(  # type: ignore[no-untyped-call]
                cache_path=self._cache_path,
                filename_base=f"{function.__name__}-{digest}",
                source_stamp=f"{digest} {numba.__version__} {numpy.__version__} {_OUTER} {_INNER}",
            )
            self.enable()  # type: ignore[no-untyped-call]

        def _index_key(self, sig: Any, codegen: Any) -> Any:
            return sig, codegen.magic_tuple(), digest

        def load_overload(self, sig: Any, target_context: Any) -> Any:
            try:
                return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
            except Exception:  # noqa: BLE001 - reading a damaged or foreign file may raise anything; it is made again
                for file in folder.glob(f"{function.__name__}-{digest}*.nb?"):
                    file.unlink(missing_ok=True)
                return None

        def _save_overload(self, sig: Any, data: Any) -> None:
            try:
                super()._save_overload(sig, data)  # type: ignore[no-untyped-call]
                prune(folder, "*.nb?")
            except OSError:  # a full disk costs a compilation next time, not the run
                self.disable()  # type: ignore[no-untyped-call]

    dispatcher._cache = ContentCache()
