"""What a valid scenario will not answer, or answers by a default that nobody chose: the notes of `flowdial check`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from engine.inference.sequential import LEAST, LEAST_REPLICAS
from engine.players import KINDS, MIX, TRAIT_NAMES, Flow
from engine.scenario import Scenario
from engine.scenario_file.dial_path import still_parts
from engine.scenario_file.sections import DEFAULT_TOLERANCE
from engine.setup import Setup
from sims.verdict.numbers import band_words
from sims.wording import count, listed

_FEW_ATTEMPTS: Final = 20  # judged attempts of a player: below, most of them are a controller's first steps
_RUN_OF_LOSSES: Final = 3
_CLEARLY: Final = 2.0  # times as likely to quit after a run of losses as after as many wins
_NOBODY_QUITS: Final = -15.0  # quit frailty below which not one in a million attempts ends in quitting
_HALF_LIFE: Final = 5.0  # attempts: of the mood, see engine.players
_WIDTH: Final = 1.96  # half width of a 95 % interval in standard errors


def notes_of(scenario: Scenario, setup: Setup) -> tuple[str, ...]:
    """Sentences, the most important first; none where nothing is doubtful.

    Args:
        scenario: checked and resolved.
        setup: the same in numbers.
    """
    return (
        *_about_twins(scenario, setup),
        *_about_tolerance(scenario),
        *_about_judged(scenario, setup),
        *_about_repeats(setup),
        *_about_dial(scenario, setup),
        *_about_quitting(setup),
    )


def _about_twins(scenario: Scenario, setup: Setup) -> Iterator[str]:
    """Groups that differ in nothing but their targets."""
    left = list(range(len(setup.cohorts)))
    while left:
        first, *others = left
        alike = [first, *(j for j in others if np.array_equal(setup.traits[j], setup.traits[first], equal_nan=True))]
        left = [j for j in others if j not in alike]
        targets = {j: [scenario.band(j, level) for level in _levels(setup)] for j in alike}
        if len(alike) > 1 and any(targets[j] != targets[first] for j in alike):
            yield (
                f"{listed([setup.cohorts[j] for j in alike])} have the same traits and different targets, so "
                "nothing but the controller makes them differ. Give each group traits of its own ([cohort.traits])."
            )


def _levels(setup: Setup) -> list[int | None]:
    return [*range(1, setup.levels + 1)] or [None]


def _about_tolerance(scenario: Scenario) -> Iterator[str]:
    """Bands whose width nobody chose."""
    names = scenario.assumed_tolerance
    if not names:
        return
    width = f"{100.0 * DEFAULT_TOLERANCE:g} points"
    number = scenario.cohorts.index(names[0])
    wanted = scenario.wanted(number, 1 if scenario.levels else None)
    example = (
        "" if wanted is None else f": {band_words(scenario.band(number, 1 if scenario.levels else None), *wanted)}"
    )
    whose = "" if len(names) == len(scenario.cohorts) else f" for {listed(list(names))}"
    yield (
        f"No tolerance is given{whose}, so up to {width} from the wanted win rate count as on target{example}. Write "
        "target.tolerance, for it decides the verdict."
    )


def _about_judged(scenario: Scenario, setup: Setup) -> Iterator[str]:
    """Verdicts that must stay open, however the run goes."""
    limit, warm_up = setup.attempts_per_player, scenario.after_attempts
    judged = limit - warm_up
    if setup.levels:
        needed = max(sum(1.0 / rate for rate in row) for row in setup.targets)
        if limit < setup.levels:
            yield (
                f"A player makes at most {limit:,} attempts and the campaign has {setup.levels:,} levels, so the last "
                f"{setup.levels - limit:,} are never judged. Raise horizon.attempts_per_player."
            )
        elif limit < needed:
            yield (
                f"At the wanted win rates {setup.levels:,} levels take {needed:.0f} attempts on average, and a player "
                f"makes at most {limit:,}, so the last levels are judged by few. Raise horizon.attempts_per_player."
            )
    elif judged < _FEW_ATTEMPTS:
        yield (
            f"At most {judged:,} attempts of a player are judged: horizon.attempts_per_player = {limit:,}, "
            f"target.after_attempts = {warm_up:,}. Raise the first, or lower the second."
        )
    for number, name in enumerate(setup.cohorts):
        players = setup.counts[number] * setup.replicas
        low, high = scenario.band(number, 1 if setup.levels else None)
        rate = float(setup.targets[number, 0])
        margin = _WIDTH * math.sqrt(rate * (1.0 - rate) / (players * (1 if setup.levels else judged)))
        if margin > (high - low) / 2.0:
            noun = "win rate of a level" if setup.levels else "win rate"
            yield (
                f"{players:,} players of {name} are too few: the margin of their {noun} would be about "
                f"+-{100.0 * margin:.1f} points, wider than the target. Raise players.count."
            )
        elif players < LEAST and setup.scope == "player":
            yield f"{players:,} players of {name} are few: below {LEAST} a margin is approximate. Raise players.count."


def _about_repeats(setup: Setup) -> Iterator[str]:
    if setup.scope != "player" and setup.replicas < LEAST_REPLICAS:
        repeats = "one repeat says" if setup.replicas == 1 else f"{count(setup.replicas)} repeats say"
        yield (
            f"Players share a controller, so repeats are what the verdict counts, and {repeats} little. Set "
            f"run.replicas to {LEAST_REPLICAS} or more."
        )
    if setup.own_layouts and setup.replicas == 1:
        yield 'levels.layouts = "per_replica" changes nothing with one repeat. Set run.replicas.'


def _about_dial(scenario: Scenario, setup: Setup) -> Iterator[str]:
    """Parts of the dial in which it does nothing."""
    knobs = {name: setup.space[setup.space.names.index(name)] for name in scenario.form.dial.knobs or ()}
    still = still_parts(setup.floor, setup.ceiling, knobs, scenario.form.dial.path) if knobs else []
    if still:
        parts = listed([f"from {begin:g} to {end:g}" for begin, end in still])
        yield f"The difficulty changes no parameter {parts} (dial.path), so no controller can do anything there."


def _about_quitting(setup: Setup) -> Iterator[str]:
    """How much quitting depends on losing, which decides whether quitting says anything of balance."""
    if max(_most(table[TRAIT_NAMES.index("quit_frailty")]) for table in setup.traits) < _NOBODY_QUITS:
        return
    times = quits_after_losses(setup.flow)
    keys = "players.flow.quit_won, quit_streak and quit_frustration"
    if abs(times - 1.0) < 1e-9:
        yield f"Quitting does not depend on losing: it says nothing of balance ({keys})."
    elif times < _CLEARLY:
        yield (
            f"Quitting hardly depends on losing: after {count(_RUN_OF_LOSSES)} losses in a row players quit "
            f"{times:.1f} times as readily as after {count(_RUN_OF_LOSSES)} wins, so quitting says little of balance "
            f"({keys})."
        )


def _most(row: Sequence[float]) -> float:
    """What a trait exceeds for one player in 30,000 at most. row: see engine.players.distribution_table."""
    kind, first, second, _, high, common = row[:MIX]
    if KINDS[int(kind)] == "fixed":
        return float(first)
    if KINDS[int(kind)] == "normal":
        return float(min(first + 4.0 * math.hypot(second, common), high))
    return float(high if KINDS[int(kind)] == "lognormal" else second)


def quits_after_losses(flow: Flow) -> float:
    """Odds of quitting after three losses in a row over those after three wins, of a player who was content."""
    kept = 0.5 ** (_RUN_OF_LOSSES / _HALF_LIFE)
    lost, won = flow.content * kept, 1.0 - (1.0 - flow.content) * kept
    after_losses = flow.quit_streak * math.log(1 + _RUN_OF_LOSSES) + flow.quit_frustration * (lost - flow.content)
    after_wins = flow.quit_won + flow.quit_boredom * (won - flow.content)
    return math.exp(after_losses - after_wins)
