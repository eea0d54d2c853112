"""The catalog: games, controllers and scenarios that are installed, by name.

Plug-ins are entry points in the groups `flowdial.games` and `flowdial.controllers` of any installed distribution, and
ours are found in the same way. In a checkout our own list comes from pyproject.toml beside the packages. So a clean
clone works without an install, and a stale install does no harm. Plug-ins are imported on first use, and a plug-in that
cannot be used is a warning, not an error.

A process reads the installed plug-ins once, and again after an install. So a catalog costs nothing to make, and need
not be passed around.

Games that the user registered with `flowdial connect` are found by name as well; they play in a process of their own.
One more game may come from a file that the user names on the command line (`use_game_file`). A scenario, which may be
a stranger's, cannot name one.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from importlib import import_module, metadata
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Literal

from engine.errors import EnvironmentFault, RunFolderError, ScenarioError
from engine.scenario_file.scenario_faults import printable, suggestion
from engine.user_files.regular_file import read_regular

if TYPE_CHECKING:
    from engine.controller import ControllerKind
    from engine.external.external_game import AnyGame, ExternalGame
    from engine.game import Game
    from engine.scenario import Scenario

Group = Literal["games", "controllers"]
SearchPath = tuple[tuple[str, int], ...]  # where packages are installed, and when each folder last changed

DISTRIBUTION: Final = "flowdial"
DEFAULT_CONTROLLER: Final = "kalman_bank"  # of scenarios that name none, chosen by the arena (docs/controllers.md)
BUILT_IN: Final = "built-in"
REGISTERED: Final = "flowdial connect"  # where a game of the user's own comes from
_CONNECTED: Final = "connect"  # instead of a module, for such a game
_HOME: Final = Path(__file__).resolve().parents[1]
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_CLASSES: Final = {"games": ("engine.game", "Game"), "controllers": ("engine.controller", "ControllerKind")}
_FEW: Final = 12  # names that an error lists
_NOUNS: Final = {"games": "game", "controllers": "controller"}


@dataclass(frozen=True)
class Plugin:
    """An entry point: where an object of ours or of a third party is."""

    group: Group
    name: str
    target: str  # "module:attribute"
    origin: str  # BUILT_IN, or distribution and version

    @property
    def noun(self) -> str:
        return _NOUNS[self.group]

    def load(self) -> Any:
        """Import it. Raises ScenarioError with a sentence if that fails or gives something else than is promised."""
        module, _, attribute = self.target.partition(":")
        if module == _CONNECTED:
            return self._connected()
        try:
            with redirect_stdout(sys.stderr):  # what a plug-in prints is a message, not a result
                found = _module_of_file() if module == _FILE_MODULE else import_module(module)
                for part in attribute.split("."):
                    found = getattr(found, part)
        except (Exception, SystemExit) as fault:  # a third-party module may raise anything
            reason = " ".join(str(fault).split())[:200]
            raise self._unusable(f"importing {self.target} raised {type(fault).__name__}: {reason}") from fault
        home, wanted = _CLASSES[self.group]
        if not isinstance(found, getattr(import_module(home), wanted)):
            raise self._unusable(f"{self.target} must be a {wanted}, got {type(found).__name__}")
        if found.name != self.name:
            raise self._unusable(f"its name must be that of its entry point, got {str(found.name)!r}")
        return found

    def _connected(self) -> ExternalGame:
        from sims.connect.registry import connected_game

        try:
            return connected_game(self.name)
        except EnvironmentFault as fault:
            raise self._unusable(str(fault)) from fault

    def _unusable(self, reason: str) -> ScenarioError:
        return ScenarioError(printable(f"the {self.noun} {self.name!r} ({self.origin}) cannot be used: {reason}"))


@dataclass(frozen=True)
class Entry:
    """One line of `flowdial list`."""

    name: str
    origin: str
    summary: str
    mode: str = ""  # of a controller


class Catalog:
    """Finds plug-ins and scenarios. `warnings` grows with everything that was found and cannot be used."""

    default_controller: Final = DEFAULT_CONTROLLER

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._loaded: dict[tuple[Group, str], Any] = {}

    def game(self, name: str) -> AnyGame:
        """The game of this name. Raises ScenarioError with the names there are, or the reason it cannot be used."""
        found: AnyGame = self._object("games", name)
        return found

    def game_with_rules(self, name: str, purpose: str = "this") -> Game:
        """The game of this name whose rules are here. Raises ScenarioError for one that plays elsewhere, and as `game`.

        purpose: what needs its rules.
        """
        from engine.external.external_game import rules_of

        return rules_of(self.game(name), purpose)

    def controller(self, name: str) -> ControllerKind:
        """The controller of this name. Raises ScenarioError with the names there are, or why it cannot be used."""
        found: ControllerKind = self._object("controllers", name)
        return found

    def games(self) -> list[Entry]:
        """All games that can be used, ours first, then by name."""
        return self._entries("games")

    def controllers(self) -> list[Entry]:
        """All controllers that can be used, ours first, then by name."""
        return self._entries("controllers")

    def names(self, group: Group) -> list[str]:
        """Names of all plug-ins of a group, usable or not; imports none."""
        return [*self._own[group], *self._foreign[group]]

    def origin_of_game(self, name: str) -> str:
        """Where a game comes from: BUILT_IN, REGISTERED, a file, or a distribution and its version."""
        return (self._own["games"].get(name) or self._foreign["games"][name]).origin

    def has_own(self, game: str, controller: str) -> bool:
        """Whether both come with Flowdial."""
        return game in self._own["games"] and controller in self._own["controllers"]

    def scenarios(self) -> list[Entry]:
        """All bundled scenarios, by name, with their titles."""
        titles = {
            name: tomllib.loads(path.read_text(encoding="utf-8")).get("title", "") for name, path in _bundled().items()
        }
        return [Entry(name, BUILT_IN, title) for name, title in sorted(titles.items())]

    def personas(self) -> list[Entry]:
        """All kinds of players that a cohort can name, in the order of their page."""
        from engine.scenario_file.personas import PERSONAS

        return [Entry(persona.name, BUILT_IN, persona.summary) for persona in PERSONAS]

    def scenario(self, name_or_path: str) -> Path:
        """The file of a scenario: a path, or the name of a bundled one. Raises ScenarioError if it is neither."""
        bundled = _bundled()
        path = Path(name_or_path)
        if name_or_path in bundled:
            return bundled[name_or_path]
        if path.exists():
            return path
        here = _toml_files(path.parent)
        likely = f"{name_or_path.removesuffix(path.suffix)}.toml"
        word, names = (likely, here) if likely in here else (name_or_path, [*here, *bundled])
        if path.suffix == ".toml" or len(path.parts) > 1:
            raise ScenarioError(printable(f"{name_or_path}: there is no such file{suggestion(word, here)}"))
        known = f"give the path of a TOML file, or a name of flowdial list scenarios{suggestion(word, names)}"
        raise ScenarioError(printable(f"there is no scenario {name_or_path!r}; {known}"))

    def _object(self, group: Group, name: str) -> Any:
        if (group, name) not in self._loaded:
            plugin = self._own[group].get(name) or self._foreign[group].get(name)
            if plugin is None:
                names = self.names(group)
                known = f"there are {', '.join(names)}" if len(names) <= _FEW else f"see flowdial list {group}"
                file = "; a game in a file needs --game FILE" if group == "games" else ""
                raise ScenarioError(
                    printable(f"there is no {_NOUNS[group]} {name[:64]!r}; {known}{file}{suggestion(name, names)}")
                )
            self._loaded[group, name] = plugin.load()
        return self._loaded[group, name]

    def _entries(self, group: Group) -> list[Entry]:
        rows = []
        for plugin in [*self._own[group].values(), *self._foreign[group].values()]:
            try:
                found = self._object(group, plugin.name)
            except ScenarioError as fault:
                self.warnings.append(str(fault))
            else:
                rows.append(Entry(plugin.name, plugin.origin, found.summary, getattr(found, "mode", "")))
        return rows

    @cached_property
    def _own(self) -> dict[Group, dict[str, Plugin]]:
        path = _search_path()
        return {group: {plugin.name: plugin for plugin in _own_plugins(group, _HOME, path)} for group in _groups()}

    @cached_property
    def _foreign(self) -> dict[Group, dict[str, Plugin]]:
        found: dict[Group, dict[str, Plugin]] = {"games": {}, "controllers": {}}
        if _game_file is not None:
            found["games"][_game_file.name] = _game_file
        for name in self._registered():
            if name in self._own["games"] or name in found["games"]:
                self.warnings.append(f"the game {name!r} of {REGISTERED} is left out: its name is taken")
            else:
                found["games"][name] = Plugin("games", name, f"{_CONNECTED}:{name}", REGISTERED)
        for plugin in _foreign_plugins(_search_path()):
            taken = self._own[plugin.group].get(plugin.name) or found[plugin.group].get(plugin.name)
            if not _NAME.fullmatch(plugin.name):
                rule = "a name must be 1 to 64 letters, digits, _ and -"
                self.warnings.append(
                    printable(f"{rule}, so the {plugin.noun} {plugin.name!r} ({plugin.origin}) is left out")
                )
            elif taken is not None:
                self.warnings.append(
                    f"the {plugin.noun} {plugin.name!r} of {plugin.origin} is left out: "
                    f"its name is taken ({taken.origin})"
                )
            else:
                found[plugin.group][plugin.name] = plugin
        return found

    def _registered(self) -> list[str]:
        from sims.connect.registered_names import registered_names

        try:
            return registered_names()
        except EnvironmentFault as fault:
            self.warnings.append(str(fault))
            return []


_FILE_MODULE: Final = "flowdial_game_file"  # the name under which a game's file is imported
_game_file: Plugin | None = None  # the game of the file that this process was told to use
_game_path: Path | None = None


def use_game_file(path: Path | None) -> str | None:
    """Let this process, and the workers that it starts, know the game of one file.

    Args:
        path: of a Python file that defines GAME; None for no file.

    Returns:
        The name of the game; None without a file.

    Raises:
        ScenarioError: if there is no such file or no game in it, or if an installed game has its name.
    """
    global _game_file, _game_path
    _game_file = _game_path = None
    sys.modules.pop(_FILE_MODULE, None)
    if path is None:
        return None
    if path.suffix != ".py" or not path.is_file():
        raise ScenarioError(printable(f"--game must name a Python file that ends in .py, got {path}"))
    _game_path = path.absolute()  # a plug-in may change the current folder
    origin = printable(str(path))
    plugin = Plugin("games", "", f"{_FILE_MODULE}:GAME", origin)
    try:
        with redirect_stdout(sys.stderr):
            name = str(_module_of_file().GAME.name)
    except (Exception, SystemExit) as fault:
        reason = f"{type(fault).__name__}: {' '.join(str(fault).split())[:200]}"
        raise ScenarioError(printable(f"{path} must define GAME, an engine.game.Game, but: {reason}")) from fault
    if not _NAME.fullmatch(name) or name in Catalog().names("games"):
        raise ScenarioError(
            printable(f"{path}: GAME.name must be 1 to 64 letters, digits, _ and - that no game has, got {name!r}")
        )
    _game_file = replace(plugin, name=name)
    _game_file.load()
    return name


def game_file() -> Path | None:
    """The file given to `use_game_file`."""
    return _game_path


def _module_of_file() -> ModuleType:
    """The module of the game's file, which is imported once."""
    if _FILE_MODULE not in sys.modules:
        assert _game_path is not None
        spec = spec_from_file_location(_FILE_MODULE, _game_path)
        assert spec is not None  # it ends in .py
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[_FILE_MODULE] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[_FILE_MODULE]
            raise
    return sys.modules[_FILE_MODULE]


def foreign_plugins() -> tuple[Plugin, ...]:
    """The entry points of all other installed distributions, usable or not."""
    return _foreign_plugins(_search_path())


def plugin_modules() -> frozenset[str]:
    """The top modules of all plug-ins of others: whose code is to blame when it is on the stack."""
    targets = (plugin.target for plugin in foreign_plugins())
    return frozenset([_FILE_MODULE, *(target.partition(":")[0].partition(".")[0] for target in targets)])


def load_scenario(name_or_path: str | Path, **overrides: Any) -> Scenario:
    """Read, validate and resolve a scenario.

    Args:
        name_or_path: the path of a TOML file, or the name of a bundled scenario.
        overrides: dotted keys of the scenario and their values, as in `seed=7` or `**{"target.win_rate": 0.7}`. One
            more word is known: `allow_long=True` allows runs above the safety limit.

    Returns:
        The scenario with all defaults.

    Raises:
        ScenarioError: it does not exist, or is wrong; the message has one line for each error.

    Example:
        >>> from sims import load_scenario
        >>> load_scenario("quickstart", **{"players.count": 200}).form.players.count
        200
    """
    from engine.scenario import load
    from engine.scenario_file.toml import format_toml

    catalog = Catalog()
    allow_long = bool(overrides.pop("allow_long", False))
    pairs = [(key, format_toml(value)) for key, value in overrides.items()]
    return load(catalog.scenario(str(name_or_path)), catalog, pairs, allow_long=allow_long)


def scenario_in(path: Path) -> Scenario:
    """The scenario in a file of a run's, study's or sweep's folder, which anybody may have made.

    Raises:
        RunFolderError: if it is missing, a link, or no regular file.
        ScenarioError: if it is wrong.
        OSError: if it cannot be read.
    """
    from engine.scenario import parse
    from engine.scenario_file.toml import LARGEST_FILE

    try:
        data = read_regular(path, LARGEST_FILE)
    except FileNotFoundError:
        raise RunFolderError(f"{path} is missing, so the folder cannot be used; name another one.") from None
    return parse(data, str(path), Catalog(), allow_long=True)


def scenario_of(scenario: Scenario | str | Path) -> Scenario:
    """The scenario itself, or the one that a path or a bundled name stands for. Raises ScenarioError if it is wrong."""
    return load_scenario(scenario) if isinstance(scenario, str | Path) else scenario


def version() -> str:
    """The version of Flowdial: that of the checkout, or of the installed distribution."""
    project = _checkout(_HOME)
    return str(project["version"]) if project else metadata.version(DISTRIBUTION)


def _groups() -> tuple[Group, ...]:
    return ("games", "controllers")


def _search_path() -> SearchPath:
    return tuple((folder, os.stat(folder).st_mtime_ns) for folder in sys.path if os.path.isdir(folder))


@cache
def _checkout(home: Path) -> Mapping[str, Any] | None:
    """The [project] table of pyproject.toml beside the packages; None where they are installed."""
    path = home / "pyproject.toml"
    if not path.is_file():
        return None
    project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
    return project if project.get("name") == DISTRIBUTION else None


@lru_cache(maxsize=4)
def _own_plugins(group: Group, home: Path, path: SearchPath) -> tuple[Plugin, ...]:
    """Ours; home: of the packages; path: what the result depends on where that is no checkout."""
    project = _checkout(home)
    if project:
        rows = project["entry-points"][f"{DISTRIBUTION}.{group}"].items()
    else:
        points = metadata.distribution(DISTRIBUTION).entry_points.select(group=f"{DISTRIBUTION}.{group}")
        rows = sorted((point.name, point.value) for point in points)
    return tuple(Plugin(group, name, target, BUILT_IN) for name, target in rows)


@lru_cache(maxsize=2)
def _foreign_plugins(path: SearchPath) -> tuple[Plugin, ...]:
    """Those of all other distributions, in an order that does not depend on where they are installed.

    path: what the result depends on.
    """
    rows: list[tuple[str, str, str, Group]] = []
    for group in _groups():
        for point in metadata.entry_points(group=f"{DISTRIBUTION}.{group}"):
            name = point.dist.name if point.dist else ""
            if re.sub(r"[-_.]+", "-", name).lower() != DISTRIBUTION:
                origin = f"{name} {point.dist.version}" if point.dist else "unknown"
                rows.append((point.name, origin, point.value, group))
    return tuple(Plugin(group, name, target, printable(origin)) for name, origin, target, group in sorted(set(rows)))


def _toml_files(folder: Path) -> list[str]:
    """Paths of scenarios in a folder, as one types them."""
    try:
        return sorted(str(path) for path in folder.iterdir() if path.suffix == ".toml")
    except OSError:
        return []


@cache
def _bundled() -> dict[str, Path]:
    """Name and file of every scenario that comes with Flowdial."""
    home = Path(__file__).parent / "scenarios"
    return {path.relative_to(home).with_suffix("").as_posix(): path for path in sorted(home.rglob("*.toml"))}
