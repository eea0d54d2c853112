"""What a designer changed: which cohorts of two scenarios are the same people, and which keys differ.

A cohort keeps its people when it is renamed, moved in the file, or when others come and go. It is known by its name,
else by its traits, else by its place in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine.scenario import Scenario
from engine.scenario_file.toml import written

_NOT_PLAYED: Final = ("title", "notes", "seed", "cohort", "dial.knobs")  # knobs: all that [game.params] does not hold
_WHERE_IT_MOVES: Final = ("game.bounds.", "dial.path.")  # a knob is there when [game.params] does not hold it


class Pair(NamedTuple):
    """A cohort that both scenarios have, by its place in each file."""

    before: int
    after: int


class Key(NamedTuple):
    """A key that differs. Values as TOML; None where there is none."""

    key: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.key}: {shown(self.before)} -> {shown(self.after)}"


def shown(value: str | None) -> str:
    """A value for people."""
    return "nothing" if value is None else value


def paired(before: Scenario, after: Scenario) -> list[Pair]:
    """Cohorts that are the same people in both, in the order of `before`: by name, else traits, else place."""
    own, other = before.form.cohort, after.form.cohort
    found: dict[int, int] = {}

    def match(alike: Callable[[int, int], bool]) -> None:
        for one in range(len(own)):
            free = [two for two in range(len(other)) if two not in found.values() and alike(one, two)]
            if one not in found and free:
                found[one] = min(free, key=lambda two: (own[one].target != other[two].target, abs(two - one)))

    match(lambda one, two: own[one].name == other[two].name)
    match(lambda one, two: own[one].traits == other[two].traits)
    match(lambda one, two: one == two)
    return [Pair(one, found[one]) for one in sorted(found)]


def changed_keys(before: Scenario, after: Scenario, pairs: Sequence[Pair]) -> list[Key]:
    """Keys of the resolved scenarios that decide what is played and differ; cohorts go by their names in `before`."""
    was, is_ = (dict(_flat(scenario.form.model_dump(exclude_none=True))) for scenario in (before, after))
    keys = [key for key in _differing(was, is_) if not _follows(key, was, is_)]
    for place, name in enumerate(before.cohorts):
        other = [pair.after for pair in pairs if pair.before == place]
        keys += _of_cohort(name, before, place, after, other[0]) if other else [Key(f"cohort.{name}", "there", None)]
    met = {pair.after for pair in pairs}
    return keys + [Key(f"cohort.{name}", None, "new") for j, name in enumerate(after.cohorts) if j not in met]


def _of_cohort(name: str, before: Scenario, own: int, after: Scenario, other: int) -> list[Key]:
    was, is_ = (
        dict(_flat_cohort(scenario.form.cohort[place].model_dump(exclude_none=True), f"cohort.{name}"))
        for scenario, place in ((before, own), (after, other))
    )
    return _differing(was, is_)


def _flat(tree: Mapping[str, Any], key: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        here = f"{key}.{name}" if key else name
        if here in _NOT_PLAYED:
            continue
        if isinstance(value, dict):
            yield from _flat(value, here)
        else:
            yield here, written(value)


def _flat_cohort(tree: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    """A trait or a target is one value, whatever its form."""
    for name, value in tree.items():
        if name == "traits":
            yield from ((f"{key}.traits.{trait}", written(spread)) for trait, spread in value.items())
        elif name != "label":
            yield f"{key}.{name}", written(value)


def _differing(was: Mapping[str, str], is_: Mapping[str, str]) -> list[Key]:
    keys = dict.fromkeys((*was, *is_))
    return [Key(key, was.get(key), is_.get(key)) for key in keys if was.get(key) != is_.get(key)]


def _follows(key: Key, was: Mapping[str, str], is_: Mapping[str, str]) -> bool:
    """Whether a key came or went only because its knob is held on one side."""
    if not key.key.startswith(_WHERE_IT_MOVES) or (key.before is not None and key.after is not None):
        return False
    held = f"game.params.{key.key.rpartition('.')[2]}"
    return (held in was) != (held in is_)
