"""What a sweep varies: keys of a scenario, each with a list of values, a grid or a range.

    5:9:9          nine values from 5 to 9
    5:9            any value from 5 to 9
    log:0.001:0.1  any value, as many between 0.001 and 0.01 as between 0.01 and 0.1; log:0.001:0.1:5 for five of them
    kalman,elo     these values

An option of a controller varies only in trials whose controller has it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine.errors import ScenarioError
from engine.scenario import Scenario
from engine.scenario_file.scenario_faults import printable
from engine.scenario_file.toml import parse_value
from engine.scheduling.option_schedule import Stairs
from sims.catalog import Catalog

SweptValue = float | int | str | bool | Stairs
Settings = tuple[tuple[str, SweptValue], ...]  # key and value, in the order of the space; only keys that apply
SPELLINGS: Final = "low:high:steps, low:high, log:low:high or a list such as a,b,c"

CONTROLLER: Final = "controller.name"
OPTION: Final = "controller.options."
_KNOB: Final = "game.params."
_LOG: Final = "log"
_SIZES: Final = ("players.count", "run.replicas")
_NOT_PLAYED: Final = ("title", "notes", "format", "record", "levels", "run")
_MOST_STEPS: Final = 10_000
_DIGITS: Final = 6  # significant ones of a drawn number


class SweptKey(NamedTuple):
    """A key of a scenario, and what it may be: `values`, or any number from `low` to `high` where there are none."""

    key: str
    values: tuple[SweptValue, ...]
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    @property
    def is_number(self) -> bool:
        """Whether all values are numbers, so that they have an order and places on an axis."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)

    def at(self, unit: float) -> SweptValue:
        """The value at a place from 0 to 1 (excluded); equal lengths are equally likely."""
        if self.values:
            return self.values[min(int(unit * len(self.values)), len(self.values) - 1)]
        if self.whole:
            return int(min(math.floor(self.low + unit * (self.high - self.low + 1.0)), self.high))
        if self.log:
            value = math.exp(math.log(self.low) + unit * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + unit * (self.high - self.low)
        return min(max(_rounded(value), self.low), self.high)

    def spaced(self, steps: int) -> tuple[SweptValue, ...]:
        """The values, or so many of a range, both ends included."""
        if self.values:
            return self.values
        return tuple(dict.fromkeys(_spaced(self.low, self.high, steps, log=self.log, whole=self.whole)))


class SweepSpace(NamedTuple):
    """All keys of a sweep, and which options each controller has that it may meet.

    options: by controller. own_controller: that of the scenario.
    """

    keys: tuple[SweptKey, ...]
    options: Mapping[str, tuple[str, ...]]
    own_controller: str

    @property
    def names(self) -> tuple[str, ...]:
        """The keys."""
        return tuple(one.key for one in self.keys)

    @property
    def is_finite(self) -> bool:
        """Whether every key has a list of values."""
        return all(one.values for one in self.keys)

    @property
    def size(self) -> int:
        """How many different settings there are; only of a finite space."""
        return sum(
            math.prod(len(one.values) for one in self.keys if one.key != CONTROLLER and self.applies(one.key, name))
            for name in self.options
        )

    @property
    def size_text(self) -> str:
        """How the number of settings comes about, as "6 x 6: 36"."""
        product = " x ".join(str(len(one.values)) for one in self.keys)
        return f"{product}: {self.size:,}" if len(self.keys) > 1 else f"{self.size:,}"

    def settings(self, values: Mapping[str, SweptValue]) -> Settings:
        """Those of the values that apply with the controller that they name, or else with the scenario's."""
        controller = str(values.get(CONTROLLER, self.own_controller))
        found = (one.key for one in self.keys if one.key in values)
        return tuple((key, values[key]) for key in found if self.applies(key, controller))

    def grid(self, steps: int = 0) -> Iterator[Settings]:
        """All settings, the last key varying fastest. steps: how many values a range has here."""
        columns = [one.spaced(steps) for one in self.keys]
        found = (self.settings(dict(zip(self.names, row, strict=True))) for row in itertools.product(*columns))
        yield from dict.fromkeys(found)

    def at(self, units: Sequence[float]) -> Settings:
        """The settings at a place in the unit cube."""
        return self.settings({one.key: one.at(unit) for one, unit in zip(self.keys, units, strict=True)})

    def applies(self, key: str, controller: str) -> bool:
        """Whether a key means anything with a controller."""
        return not key.startswith(OPTION) or key.removeprefix(OPTION) in self.options[controller]


def space_of(over: Mapping[str, str | Sequence[Any]], scenario: Scenario) -> SweepSpace:
    """The space that a user has asked for.

    over: key -> how it is swept, see above, or a list of values. Raises ScenarioError with one line for each error.
    """
    faults: list[str] = []
    catalog = Catalog()
    keys: list[SweptKey] = []
    for key, text in over.items():
        try:
            keys.append(_swept(key, text, scenario, catalog))
        except ValueError as fault:
            faults.append(printable(f"--over {key}: {fault}"))
    controllers = [str(value) for one in keys if one.key == CONTROLLER for value in one.values]
    options: dict[str, tuple[str, ...]] = {}
    for name in controllers or [scenario.controller]:
        try:
            options[name] = tuple(option.name for option in catalog.controller(name).option_list)
        except ScenarioError as fault:
            faults.extend(f"--over {CONTROLLER}: {line}" for line in fault.lines)
    known = {option for own in options.values() for option in own}
    for one in keys:
        option = one.key.removeprefix(OPTION)
        if one.key.startswith(OPTION) and option not in known and len(options) == max(len(controllers), 1):
            there = ", ".join(sorted(known)) or "none"
            faults.append(printable(f"--over {one.key}: {' and '.join(options)} has no option {option!r}; has {there}"))
    if not over:
        faults.append("a sweep needs a key to vary, got none; give one, such as --over target.win_rate=0.6:0.8:5")
    if faults:
        raise ScenarioError(*faults)
    return SweepSpace(tuple(keys), options, scenario.controller)


def value_in(scenario: Scenario, key: str) -> Any:
    """What a resolved scenario has at a key; None where it has nothing there, as of a knob that its dial moves."""
    here: Any = scenario.form.model_dump(exclude_none=True)
    for part in key.split("."):
        if isinstance(here, list):
            here = {table.get("name"): table for table in here}
        if not isinstance(here, dict) or part not in here:
            return None
        here = here[part]
    return here


def _swept(key: str, text: str | Sequence[Any], scenario: Scenario, catalog: Catalog) -> SweptKey:
    """Raises ValueError with a sentence."""
    if key == "seed":
        raise ValueError("all trials have the same luck, so the seed cannot be swept; leave it out")
    if key in _SIZES:
        raise ValueError("this is how much is played, which no trial can choose; set it with --set")
    if key == "game.name" or (key.partition(".")[0] in _NOT_PLAYED and key != "levels.seed"):
        raise ValueError("this key cannot be swept; sweep what is played: game, dial, target, controller, players ...")
    option = key.removeprefix(OPTION)
    if key.startswith(OPTION) and option in (scenario.form.controller.piecewise or {}):
        raise ValueError(f"[controller.piecewise] changes {option} already; remove it there")
    whole = _is_whole(key, scenario, catalog)
    if not isinstance(text, str):
        return _listed(key, tuple(text), whole)
    if ":" not in text:
        return _listed(key, tuple(_typed(item.strip()) for item in text.split(",")), whole)
    parts = [part.strip() for part in text.split(":")]
    log = parts[0] == _LOG
    numbers = [_number(part) for part in parts[log:]]
    if not 2 <= len(numbers) <= 3:
        raise ValueError(f"must be {SPELLINGS}, got {text!r}")
    low, high = numbers[:2]
    if not low < high:
        raise ValueError(f"the low end must be below the high end, got {text!r}")
    if log and low <= 0.0:
        raise ValueError(f"a log range must begin above 0, got {text!r}")
    if whole and not (low.is_integer() and high.is_integer()):
        raise ValueError(f"must be whole numbers, got {text!r}")
    if whole and log and len(numbers) == 2:
        raise ValueError(f"a log range of whole numbers needs steps, got {text!r}; write {text}:5")
    if len(numbers) == 2:
        return SweptKey(key, (), low, high, log, whole)
    if not (numbers[2].is_integer() and 2 <= numbers[2] <= _MOST_STEPS):
        raise ValueError(f"steps must be a whole number from 2 to {_MOST_STEPS:,}, got {parts[-1]}")
    steps = int(numbers[2])
    values = tuple(dict.fromkeys(_spaced(low, high, steps, log=log, whole=whole)))
    if len(values) < steps:
        raise ValueError(f"there are no {steps} different whole numbers there, got {text!r}; take fewer steps")
    return SweptKey(key, values, low, high, log, whole)


def _listed(key: str, values: tuple[Any, ...], whole: bool) -> SweptKey:
    if len(values) < 2:
        raise ValueError(f"must be {SPELLINGS}, with two values or more, got {len(values)}")
    if len(set(map(repr, values))) < len(values):
        raise ValueError(f"every value must be there once, got {', '.join(map(str, values))}")
    if not all(isinstance(value, str | int | float | bool) for value in values):
        raise ValueError("values must be numbers, words, true or false")
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == len(values):
        return SweptKey(key, tuple(sorted(values)), min(numbers), max(numbers), False, whole)
    return SweptKey(key, values)


def _is_whole(key: str, scenario: Scenario, catalog: Catalog) -> bool:
    """Whether a key takes whole numbers only."""
    if key.startswith(_KNOB):
        space = catalog.game(scenario.form.game.name).space
        name = key.removeprefix(_KNOB)
        return name in space.names and space[space.names.index(name)].scale == "integer"
    value = value_in(scenario, key)
    return isinstance(value, int) and not isinstance(value, bool)


def _typed(text: str) -> SweptValue:
    """A value as it is typed: as in TOML, and words without quotes."""
    try:
        value = parse_value(text)
    except ValueError:
        return text
    if isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"values must be numbers, words, true or false, got {text!r}")


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"must be {SPELLINGS}; {text!r} is no number")
    return value


def _spaced(low: float, high: float, steps: int, *, log: bool, whole: bool) -> Iterator[SweptValue]:
    for step in range(steps):
        share = step / (steps - 1)
        value = low * (high / low) ** share if log else low + share * (high - low)
        yield round(value) if whole else _rounded(value)


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
