"""A campaign whose dial stands still on each level, at a place of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from engine.errors import ScenarioError
from engine.parameters import Value, along, to_real
from engine.scenario import Scenario, parse, setup_of
from engine.scenario_file.toml import format_toml
from sims.catalog import Catalog

_STEADY: Final = "constant"  # the controller that changes nothing
_DIGITS: Final = 4  # significant ones of a value


class LevelDials:
    """The knobs of a scenario's dial, and what they are on each level when the dial stands at a place there."""

    def __init__(self, scenario: Scenario) -> None:
        """Raises ScenarioError where the scenario has no numbered levels, or no dial that moves."""
        if not scenario.levels:
            raise ScenarioError(
                f"{scenario.name}: levels.kind must be campaign for help per level, got an endless stream; change it."
            )
        self.scenario = scenario
        self.names: tuple[str, ...] = tuple(scenario.form.dial.knobs or ())
        if not self.names:
            raise ScenarioError(
                f"{scenario.name}: dial.knobs must have a knob to be moved on each level, but all are fixed; list one."
            )
        setup = setup_of(scenario, Catalog())
        self._space, self._path = setup.space, setup.path
        self.floor, self.ceiling = setup.floor, setup.ceiling

    @property
    def steady(self) -> bool:
        """Whether the dial of the scenario stands still already."""
        return self.scenario.controller == _STEADY

    @property
    def start(self) -> float:
        """Where it stands, or else the middle."""
        given = self.scenario.form.controller.options.get("difficulty") if self.steady else None
        return float(0.5 * (self.floor + self.ceiling) if given is None else given)

    def values(self, places: Sequence[float]) -> Mapping[str, list[Value]]:
        """Knob -> its value on each level, in the game's units. places: of the dial, one for each level."""
        table, found = self._space.table(), {}
        for name in self.names:
            j = self._space.names.index(name)
            knob = self._space[j]
            reals = [to_real(table, j, along(self._path, j, place)) for place in places]
            if not knob.levels:
                reals = [min(max(float(f"{real:.{_DIGITS}g}"), knob.low), knob.high) for real in reals]
            found[name] = [knob.shown(real) for real in reals]
        return found

    def scenario_at(self, places: Sequence[float]) -> Scenario:
        """The scenario with each level held at its place, and a controller that changes nothing."""
        pairs = [
            *((f"levels.params.{name}", format_toml(own)) for name, own in self.values(places).items()),
            ("dial.knobs", "[]"),
            ("dial.path", "{}"),
            ("controller.name", f'"{_STEADY}"'),
            ("controller.scope", '"player"'),
            ("controller.options", "{}"),
            ("telemetry.deploy_every_s", "0.0"),
        ]
        text = self.scenario.resolved_toml().encode()
        return parse(text, self.scenario.name, Catalog(), pairs, allow_long=True)
