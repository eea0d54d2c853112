"""Which gain suits a controller on a scenario? One race over exponentially growing gains, on the same players.

Too small a gain follows too slowly, too large a one swings: the error has one valley. A controller that has several
gains keeps the ratios between them. Recommended is the smallest gain that is surely within 5 % of the best, since it
moves the dial least; where players are too few to be sure of any, the best. And because a best one picked by looking
flatters itself, the recommended one is measured once more, on players whom nobody has seen.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from engine.controller import ControllerKind
from engine.errors import ScenarioError
from engine.randomness import LARGEST_SEED
from engine.scenario import Scenario, setup_of
from sims.arena.race import Course, entrant_of, race, refuse_absent
from sims.arena.score import Interval, behind_best, card_of, is_alike, ratio_of
from sims.catalog import Catalog

OCTAVES: Final = 5.0  # to either side of the defaults
STEPS: Final = 8  # to either side
NEAR: Final = 1.05  # times the smallest error: what a smaller gain may cost
_FRESH: Final = 1_000_000_007  # how far the seed of the second measurement is from the first


class Trial(NamedTuple):
    """One set of gains."""

    gains: tuple[float, ...]
    rmse: Interval
    behind: Interval  # rmse over that of the best gains, on the same players; all of these hold at once


class Finding(NamedTuple):
    """What came of it."""

    controller: str
    options: tuple[str, ...]  # the gains' names
    trials: tuple[Trial, ...]  # from small to large
    recommended: tuple[float, ...]  # the smallest surely within NEAR of the best
    low: float  # first gains from low to high cannot be told from the best
    high: float
    fresh: Interval  # RMSE of what is recommended, on fresh players
    fresh_seed: int
    to_default: Interval  # the same over that of the default gains


def find_gain(
    scenario: Scenario,
    kind: ControllerKind,
    *,
    workers: int,
    shown: Callable[[int, int], None] = lambda done, all_: None,
    told: Callable[[str], None] = lambda sentence: None,
) -> Finding:
    """Race one controller with growing gains.

    Raises ScenarioError for a controller without a gain, one group of players, and chances that are not known;
    PluginFault when the controller raises with one of them.
    """
    names = gains_to_find(scenario, kind)
    ways = gains_of(kind, names)
    entrants = [entrant_of(kind, dict(zip(names, gains, strict=True))) for gains in ways]
    course = Course(scenario.name, scenario)
    found = race([course], entrants, workers=workers, shown=shown, told=told)
    refuse_absent(found)
    scores = [found.scores[course.name, entrant.label] for entrant in entrants]
    cards = [card_of(one) for one in scores]
    if all(math.isnan(card.rmse.value) for card in cards):
        raise ScenarioError(
            f"{scenario.name}: there is no judged attempt of {kind.name} whose chance is known; let it play on the "
            "dial, and long enough"
        )
    best, behind = behind_best(scores)
    trials = tuple(Trial(*one) for one in zip(ways, (card.rmse for card in cards), behind, strict=True))
    first, last = around(best, [is_alike(trial.behind) for trial in trials])
    near = recommended(best, behind)

    seed = (scenario.seed + _FRESH) % (LARGEST_SEED + 1)
    fresh = dataclasses.replace(scenario, form=scenario.form.model_copy(update={"seed": seed}))
    chosen, default = entrants[near], entrant_of(kind, {})
    again = race([Course(course.name, fresh)], list(dict.fromkeys([chosen, default])), workers=workers, told=told)
    refuse_absent(again)
    measured = again.scores[course.name, chosen.label]
    return Finding(
        kind.name,
        names,
        trials,
        ways[near],
        ways[first][0],
        ways[last][0],
        card_of(measured).rmse,
        seed,
        ratio_of(measured, again.scores[course.name, default.label]),
    )


def gains_to_find(scenario: Scenario, kind: ControllerKind) -> tuple[str, ...]:
    """Names of a controller's gains. Raises ScenarioError where it has none, or where there is one group only."""
    usual = kind.options()._asdict()
    names = tuple(name for name in kind.gains if usual[name] > 0.0)
    if not names:
        raise ScenarioError(f"only a controller with a gain has one to be found, {kind.name} has none; choose another")
    setup = setup_of(scenario, Catalog())
    each = {"player": setup.players, "cohort": sum(count > 0 for count in setup.counts), "everyone": 1}
    if each[setup.scope] * setup.replicas < 2:
        raise ScenarioError(
            f"{scenario.name}: one group only, which tells nothing of chance; give [run] replicas a larger number"
        )
    return names


def recommended(best: int, behind: Sequence[Interval]) -> int:
    """The place of the smallest gain that is surely within NEAR of the best; the best itself if there is no other."""
    return next((i for i, one in enumerate(behind) if one.high <= NEAR), best)


def gains_of(kind: ControllerKind, names: tuple[str, ...]) -> list[tuple[float, ...]]:
    """Gains to be tried, from small to large; the defaults are among them, and none is out of its range."""
    usual = kind.options()._asdict()
    highs = {option.name: option.high for option in kind.option_list}
    ways = []
    for step in range(-STEPS, STEPS + 1):
        factor = 2.0 ** (OCTAVES * step / STEPS)
        gains = tuple(float(f"{usual[name] * factor:.3g}") if step else usual[name] for name in names)
        if all(gain <= highs[name] for name, gain in zip(names, gains, strict=True)):
            ways.append(gains)
    return ways


def around(best: int, as_good: list[bool]) -> tuple[int, int]:
    """First and last of the places next to the best, without a gap, that are as good."""
    first = last = best
    while first > 0 and as_good[first - 1]:
        first -= 1
    while last + 1 < len(as_good) and as_good[last + 1]:
        last += 1
    return first, last


def said(finding: Finding) -> str:
    """The finding in words: what is recommended, how sure that is, and what it did on fresh players."""
    best = min(finding.trials, key=lambda trial: trial.rmse.value)
    chosen = ", ".join(f"{name} = {gain:g}" for name, gain in zip(finding.options, finding.recommended, strict=True))
    name = finding.options[0]
    if finding.low < finding.high:
        sure = f"{name} from {finding.low:g} to {finding.high:g} cannot be told from the best, {best.gains[0]:g}"
    else:
        sure = "no other gain that was tried is as good"
    why = ""
    if finding.recommended != best.gains:
        why = f"; {finding.recommended[0]:g} is the smallest that is surely within {NEAR - 1.0:.0%} of it"
    edge = ""
    if finding.high == finding.trials[-1].gains[0]:
        edge = " The good gains reach the upper end of what was tried: a larger one may do as well."
    elif finding.low == finding.trials[0].gains[0]:
        edge = " The good gains reach the lower end of what was tried: standing still does as well here."
    to_default = finding.to_default
    if math.isnan(to_default.low):
        told = "which cannot be held against the default here"
    elif to_default.low == to_default.high == 1.0:
        told = "and it is the default"
    elif to_default.low <= 1.0 <= to_default.high:
        told = "which cannot be told from the default"
    else:
        told = f"{to_default.value:.2f} ({to_default.low:.2f}-{to_default.high:.2f}) times the default's"
    return (
        f"Recommended for {finding.controller}: {chosen}. How sure: {sure}{why}.{edge}\n"
        f"On fresh players (seed {finding.fresh_seed}) its RMSE is {finding.fresh.value:.4f} "
        f"({finding.fresh.low:.4f}-{finding.fresh.high:.4f}), {told}."
    )
