"""The scenario of a trial: the baseline with some keys changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from engine.errors import ScenarioError
from engine.scenario import Scenario, parse
from engine.scenario_file.toml import format_toml
from sims.catalog import Catalog
from sims.sweeping.space import CONTROLLER, OPTION, Settings, SweepSpace, SweptValue, space_of
from sims.sweeping.space_file import over_of, placed
from sims.sweeping.trial_records import PlayerBlock

_KNOB: Final = "game.params."
_PIECEWISE: Final = "controller.piecewise."
_MOST_CHECKED: Final = 60  # values of a key that are checked before anything is played


def trial_scenario(baseline: Scenario, settings: Settings, block: PlayerBlock | None = None) -> Scenario:
    """The baseline with these settings. block: for its players and attempts, None for those of the baseline.

    Raises ScenarioError where that is no scenario.
    """
    if not settings:
        return _on_block(baseline, block)
    pairs = [*_freeing(baseline, settings), *((_key_of(key, value), format_toml(value)) for key, value in settings)]
    text = baseline.resolved_toml().encode()
    return _on_block(parse(text, baseline.name, Catalog(), pairs, allow_long=True), block)


def _key_of(key: str, value: SweptValue) -> str:
    """Where a value stands in a scenario: an option that changes has a table of its own."""
    return key.replace(OPTION, _PIECEWISE, 1) if isinstance(value, tuple) else key


def check_swept(baseline: Scenario) -> None:
    """Raise ScenarioError, with file and lines, where the table [sweep] of a scenario cannot be swept."""
    if baseline.swept:
        try:
            checked_space(over_of(baseline.swept), baseline)
        except ScenarioError as fault:
            raise placed(fault, baseline.swept) from None


def checked_space(over: Mapping[str, str | Sequence[Any]], baseline: Scenario) -> SweepSpace:
    """The space that a user has asked for, see sims.sweeping.space. Raises ScenarioError with all errors at once."""
    try:
        space = space_of(over, baseline)
    except ScenarioError as fault:
        lines = list(fault.lines)
        names = {key: text for key, text in over.items() if key == CONTROLLER}
        for key, text in over.items():  # those that can be read may be wrong in another way
            try:
                check_space(baseline, space_of({**names, key: text}, baseline))
            except ScenarioError as other:
                lines += [line for line in other.lines if line not in lines]
        raise ScenarioError(*lines) from None
    check_space(baseline, space)
    return space


def check_space(baseline: Scenario, space: SweepSpace) -> None:
    """Raise ScenarioError with one line for each value that no trial could have.

    Of a range both ends are tried. Settings that only do not go together are found when they are played.
    """
    faults: dict[str, None] = {}
    for controller in space.options:
        own = {CONTROLLER: controller} if CONTROLLER in space.names else {}
        for one in space.keys:
            values = one.spaced(2)
            step = -(-len(values) // _MOST_CHECKED)
            for value in (*values[::step], values[-1]):
                try:
                    trial_scenario(baseline, space.settings({one.key: value, **own}))
                except ScenarioError as fault:
                    faults.update(dict.fromkeys(line.replace("--set ", "--over ") for line in fault.lines))
    if faults:
        raise ScenarioError(*faults)


def _freeing(baseline: Scenario, settings: Settings) -> list[tuple[str, str]]:
    """What has to go before the settings fit: the options of another controller, and the dial's hold on a knob."""
    keys = dict(settings)
    pairs = []
    if keys.get(CONTROLLER, baseline.controller) != baseline.controller:
        pairs.append(("controller.options", "{}"))
    held = {key.removeprefix(_KNOB) for key in keys if key.startswith(_KNOB)}
    form = baseline.form
    moving = [name for name in form.dial.knobs or () if name not in held]
    if len(moving) < len(form.dial.knobs or ()):
        pairs.append(("dial.knobs", format_toml(moving)))
        for key, table in (("dial.path", form.dial.path), ("game.bounds", form.game.bounds)):
            left = {name: list(ends) for name, ends in table.items() if name not in held}
            pairs.append((key, format_toml(left)))
    return pairs


def _on_block(scenario: Scenario, block: PlayerBlock | None) -> Scenario:
    form = scenario.form
    if block is None or (block.players == form.players.count and not block.last):
        return scenario
    update: dict[str, Any] = {"players": form.players.model_copy(update={"count": block.players})}
    if block.last:
        update["horizon"] = form.horizon.model_copy(update={"attempts_per_player": block.last})
        update["target"] = form.target.model_copy(update={"after_attempts": block.first})
    return replace(scenario, form=form.model_copy(update=update))
