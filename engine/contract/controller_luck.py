"""Stage of the controller contract: players under one controller have nothing in common but the controller.

Twins get the same outcomes at the same attempts, whatever they are asked to play. A controller without luck of its own
asks all of them the same. One that draws must ask them as different things as it asks one player in runs of different
seeds. Otherwise their luck is shared: they are one experiment instead of many, and no interval over players holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

import numpy as np

from engine.contract.controller_conduct import SEED, brief_for, make_controller
from engine.controller import Brief, ControllerKind, Outcome, Scope, Setting, Situation, Who
from engine.randomness import CHANCE, key_of, uniform

TWINS: Final = 8
ATTEMPTS: Final = 60
WINDOW: Final = 6  # attempts over which agreement is averaged
MOST_AGREEMENT: Final = 0.5  # by which twins may agree more often than runs of different seeds
UNITS: Final = {"player": "players", "cohort": "player groups"}


def twins_have_luck_of_their_own(kind: ControllerKind) -> Iterator[str]:
    """Players, or cohorts, with the same outcomes do not draw the same numbers."""
    for scope in kind.scopes:
        if scope == "everyone":
            continue
        brief = _brief_of_cohorts(scope)
        by_seed = [_asked(kind, brief._replace(seed=seed), 0) for seed in (SEED, SEED + 1)]
        if by_seed[0] == by_seed[1]:
            continue  # it does not draw
        by_seed += [_asked(kind, brief._replace(seed=SEED + more), 0) for more in range(2, TWINS)]
        by_unit = _asked_of_twins(kind, brief)
        for first in range(0, ATTEMPTS, WINDOW):
            last = first + WINDOW
            excess = _agreement(by_unit, first, last) - _agreement(by_seed, first, last)
            if excess > MOST_AGREEMENT:
                yield (
                    f"{UNITS[scope]} with the same outcomes must not draw the same numbers, but in attempts {first} "
                    f"to {last - 1} they are asked the same; put the unit into the address of each draw (Rule.unit)"
                )
                return


def _brief_of_cohorts(scope: Scope) -> Brief:
    """The usual brief, with a cohort for each twin."""
    brief = brief_for(scope)
    return brief._replace(
        targets=np.repeat(brief.targets[:1], TWINS, axis=0),
        traits=np.repeat(brief.traits[:1], TWINS, axis=0),
        cohorts=tuple(f"group_{i}" for i in range(TWINS)),
    )


def _twin(scope: Scope, number: int, attempt: int) -> Who:
    last = 1.0 if attempt == 0 else float(_won(attempt - 1))
    cohort = 0 if scope == "player" else number
    return Who(number, cohort, Situation(0.55, attempt, 0, attempt % 20, last))


def _won(attempt: int) -> bool:
    return uniform(key_of(SEED, 0, CHANCE, 0, attempt), 0) < 0.55


def _asked(kind: ControllerKind, brief: Brief, number: int) -> list[Setting]:
    """What one twin is asked, alone with a controller."""
    controller = make_controller(kind, brief)
    found = []
    for attempt in range(ATTEMPTS):
        who = _twin(brief.scope, number, attempt)
        asked = controller.ask(who)
        won = _won(attempt)
        controller.tell(Outcome(who, asked, won, 1.0 if won else 0.5, 0.8 if won else 0.4, 30.0 * attempt))
        found.append(asked._replace(ticket=-1))
    return found


def _asked_of_twins(kind: ControllerKind, brief: Brief) -> list[list[Setting]]:
    """What each twin is asked by one controller, which they meet in turn."""
    controller = make_controller(kind, brief)
    found: list[list[Setting]] = [[] for _ in range(TWINS)]
    for attempt in range(ATTEMPTS):
        for number in range(TWINS):
            who = _twin(brief.scope, number, attempt)
            asked = controller.ask(who)
            won = _won(attempt)
            controller.tell(Outcome(who, asked, won, 1.0 if won else 0.5, 0.8 if won else 0.4, 30.0 * attempt))
            found[number].append(asked._replace(ticket=-1))
    return found


def _agreement(asked: Sequence[Sequence[Setting]], first: int, last: int) -> float:
    """Share of pairs that are asked the same at an attempt, mean over the attempts from first on, before last."""
    pairs = list(combinations(asked, 2))
    same = sum(one[attempt] == other[attempt] for one, other in pairs for attempt in range(first, last))
    return same / (len(pairs) * (last - first))
