"""Tiers of difficulty such as Easy, Normal and Hard: one player group each, ordered knob by knob.

Each tier is tuned like any scenario, for its own group. The middle tier comes first and has all the room that the
scenario allows. The tiers beside it may use only that part of every knob which is no harder, or no easier, than the
tier before, and they start from its setting. So the order holds by construction, and a knob moves only where that
helps. A choice stays as it is in the middle tier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from engine.errors import ScenarioError
from engine.parameters import Knob, ParameterSpace, Value
from engine.scenario import Scenario, parse, setup_of
from engine.scenario_file import toml
from engine.scenario_file.resolution import text_of
from engine.scenario_file.scenario_faults import printable
from sims.catalog import Catalog
from sims.run_folder.names import plain_name

TierSide = Literal["easier", "harder"]
_LEAST: Final = 2  # tiers
_NARROWEST: Final = 1e-3  # of a knob's range: with less room it is held
_LONGEST_TITLE: Final = 120


class Tier(NamedTuple):
    """One tier of difficulty."""

    name: str
    cohort: int  # the player group whose target it meets


class Neighbour(NamedTuple):
    """A tier that was tuned before, and on which side of it the next one lies."""

    name: str
    side: TierSide
    values: Mapping[str, Value]  # of the knobs that any tier may change


def tiers_of(scenario: Scenario, names: Sequence[str] = ()) -> tuple[Tier, ...]:
    """The tiers of a scenario, easiest first: its player groups in their order.

    names: of the tiers, for each group one; none to call them like the groups. Raises ScenarioError where they do not
    fit, or where there is only one group.
    """
    file, cohorts = printable(scenario.name), scenario.cohorts
    if len(cohorts) < _LEAST:
        raise ScenarioError(f"{file}: tiers need two or more player groups, got {len(cohorts)}; add a [[cohort]] each")
    chosen = tuple(names) or cohorts
    if len(chosen) != len(cohorts):
        raise ScenarioError(
            f"{file}: there must be one tier for each player group, easiest first, got {len(chosen)} tiers for "
            f"{', '.join(cohorts)}; name {len(cohorts)}"
        )
    for name in chosen:
        if not name or plain_name(name) != name or chosen.count(name) > 1:
            raise ScenarioError(
                f"tiers need different names of letters, digits, - and _, got {', '.join(map(repr, chosen))}; "
                "name them like easy,normal,hard"
            )
    return tuple(Tier(name, cohort) for cohort, name in enumerate(chosen))


def order_of_work(tiers: int) -> list[tuple[int, int | None]]:
    """In which order tiers are tuned, each with the one beside it that is tuned before; None for the first."""
    middle = (tiers - 1) // 2
    easier: list[tuple[int, int | None]] = [(i, i + 1) for i in range(middle - 1, -1, -1)]
    return [(middle, None), *easier, *((i, i - 1) for i in range(middle + 1, tiers))]


def tier_scenario(scenario: Scenario, tier: Tier, beside: Neighbour | None = None) -> Scenario:
    """The scenario with the players of a tier alone, and with the room that the tier beside it leaves.

    scenario: with a dial that moves all knobs to tune. Raises ScenarioError where no knob has room.
    """
    own = scenario.form.cohort[tier.cohort]
    title = f"{scenario.title or scenario.form.game.name}: {tier.name}"[:_LONGEST_TITLE]
    alone = scenario.form.model_copy(
        update={"cohort": [own.model_copy(update={"share": 1.0})], "title": title, "calibration": None}
    )
    pairs = [] if beside is None else _room(scenario, tier, beside)
    return parse(text_of(alone, frozenset()).encode(), scenario.name, Catalog(), pairs, allow_long=True)


def _room(scenario: Scenario, tier: Tier, beside: Neighbour) -> list[tuple[str, str]]:
    """The overrides that leave each knob the part on the right side of a neighbour's value."""
    free, pairs = [], []
    space = setup_of(scenario, Catalog()).space
    for knob in space:
        if knob.name not in beside.values:
            continue
        ends = None if knob.scale == "choice" else _part(knob, beside)
        if ends is None:
            pairs.append((f"game.params.{knob.name}", toml.format_toml(beside.values[knob.name])))
            continue
        free.append(knob.name)
        pairs.append((f"game.bounds.{knob.name}", toml.format_toml(list(ends))))
    if not free:
        raise ScenarioError(
            f"{printable(scenario.name)}: no knob can get {beside.side} for {tier.name} than it is for {beside.name}; "
            "widen [game.bounds], or give targets that lie nearer to each other"
        )
    bounds = [pair for pair in pairs if pair[0].startswith("game.bounds.")]
    params = [pair for pair in pairs if pair not in bounds]
    return [
        *params,
        ("game.bounds", "{}"),
        *bounds,
        ("dial.knobs", toml.format_toml(free)),
        ("dial.path", "{}"),
    ]


def _part(knob: Knob, beside: Neighbour) -> tuple[float, float] | None:
    """Lowest and highest value on the right side of a neighbour; None where there is no room."""
    value = knob.real(beside.values[knob.name])
    below = (beside.side == "easier") == (knob.harder == "high")
    low, high = (knob.low, value) if below else (value, knob.high)
    return None if high - low < _NARROWEST * (knob.high - knob.low) else (low, high)


def harder_knobs(space: ParameterSpace, easier: Mapping[str, Value], harder: Mapping[str, Value]) -> dict[str, float]:
    """Each knob that differs between two settings, and how far it moves towards its hard end, from -1 to 1."""
    moves = {}
    for knob in space:
        if knob.name in easier and easier[knob.name] != harder[knob.name]:
            step = (knob.real(harder[knob.name]) - knob.real(easier[knob.name])) / (knob.high - knob.low)
            moves[knob.name] = step if knob.harder == "high" or knob.scale == "choice" else -step
    return moves
