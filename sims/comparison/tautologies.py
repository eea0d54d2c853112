"""Changes that follow from what was changed itself, and so say nothing of what that did.

Losses by a cause are gone where the cause was taken out of the game. Players make more attempts where they are allowed
more. The difficulty is another one where the controller sets another one for all players alike. Such changes stand
apart: they are no news, and they are not tested.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sims.comparison.changed_keys import ChangedKey
from sims.comparison.metrics import Metric, Sums, cause_places

SET_ALIKE: Final = "the controller sets it for all players alike"

# What a key limits: how long a player plays, and with that every count of what a player does.
_LIMITS: Final = ("horizon.days", "horizon.attempts_per_player", "levels.kind", "levels.count")
_LIMITED: Final = frozenset({"attempts", "quit_share", "sessions", "play_time_s", "longest_losses", "levels_passed"})
_RULES: Final = ("game.", "dial.", "code.game")  # keys that decide what can happen in an attempt


def removed_causes(
    keys: Iterable[ChangedKey], metrics: Sequence[Metric], before: Iterable[Sums], after: Iterable[Sums]
) -> dict[int, str]:
    """Causes of loss that only one of two scenarios has, since another game is played.

    A cause without a single loss may also be one that nobody meets any more. So it counts as removed only where a key
    of the game or of its dial differs, and where its scenario has losses.

    Args:
        keys: the keys that differ.
        metrics: what is compared.
        before: sums of all players of the first scenario, by cohort, shape (replicas, players, metrics, 2).
        after: the same of the other one.

    Returns:
        Place of the cause among the metrics -> "before" or "after", whichever has it.
    """
    places = cause_places(metrics)
    if not places or not any(key.key.startswith(_RULES) for key in keys):
        return {}
    losses = [
        [sum(float(sums[:, :, place, 0].sum()) for sums in side) for place in places]
        for side in map(list, (before, after))
    ]
    if not all(map(sum, losses)):
        return {}
    found = {}
    for place, was, is_ in zip(places, *losses, strict=True):
        if (was > 0.0) != (is_ > 0.0):
            found[place] = "before" if was > 0.0 else "after"
    return found


def without_causes(sums: Sums, places: Sequence[int], removed: Iterable[int]) -> Sums:
    """The sums with the shares of causes taken of the losses that no removed cause brought about.

    Otherwise the shares of all other causes would change because one is gone, whatever they do themselves.

    Args:
        sums: shape (replicas, players, metrics, 2).
        places: of the shares of causes among the metrics.
        removed: those of the causes that only one scenario has.
    """
    gone = list(removed)
    if not gone:
        return sums
    kept = [place for place in places if place not in gone]
    found = sums.copy()
    found[:, :, kept, 1] -= sums[:, :, gone, 0].sum(axis=2, keepdims=True)
    return found


def follows(metric: Metric, place: int, keys: Iterable[ChangedKey], removed: dict[int, str]) -> str:
    """Why a change of a metric follows from what was changed itself; empty where it does not.

    Args:
        metric: what is compared.
        place: of it among the metrics.
        keys: the keys that differ.
        removed: as `removed_causes` gives them.
    """
    if place in removed:
        return f"only the scenario {removed[place]} has this cause"
    limits = [key.key for key in keys if key.key in _LIMITS] if metric.name in _LIMITED else []
    return f"{limits[0]} limits it" if limits else ""
