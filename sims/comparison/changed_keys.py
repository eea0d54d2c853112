"""What a designer changed: which cohorts of two scenarios are the same people, and which keys differ.

A cohort keeps its people when it is renamed, when it moves in the file, or when other cohorts come and go. Cohorts are
paired by name, then by traits, then by place in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine.scenario import Scenario
from engine.scenario_file.toml import format_toml

# Keys that do not change what is played, or follow from others. dial.knobs: all that [game.params] does not fix.
_NOT_PLAYED: Final = ("title", "notes", "seed", "cohort", "dial.knobs", "record")
_PRESENT: Final = "present"  # stands for a whole cohort; no TOML text
_DIGITS: Final = 16  # of a digest, that are shown
_WHERE_IT_MOVES: Final = ("game.bounds.", "dial.path.")  # a knob is listed there unless [game.params] fixes it


class CohortPair(NamedTuple):
    """A cohort that both scenarios have, by its place in each file."""

    before: int
    after: int


class ChangedKey(NamedTuple):
    """A key that differs. Values are TOML text; None where a scenario does not have the key."""

    key: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return self.text("->")

    def text(self, arrow: str) -> str:
        """The key and both values, with this arrow between them; of a cohort, whether it came or went."""
        if _PRESENT in (self.before, self.after):
            return f"{self.key}: {'removed' if self.after is None else 'added'}"
        return f"{self.key}: {_value_text(self.before)} {arrow} {_value_text(self.after)}"


def _value_text(value: str | None) -> str:
    return "not set" if value is None else value


def pair_cohorts(before: Scenario, after: Scenario) -> list[CohortPair]:
    """Pair the cohorts that are the same people, in the order of `before`: by name, else traits, else place."""
    own, other = before.form.cohort, after.form.cohort
    partners: dict[int, int] = {}

    def match(alike: Callable[[int, int], bool]) -> None:
        for one in range(len(own)):
            free = [two for two in range(len(other)) if two not in partners.values() and alike(one, two)]
            if one not in partners and free:
                partners[one] = min(free, key=lambda two: (own[one].target != other[two].target, abs(two - one)))

    match(lambda one, two: own[one].name == other[two].name)
    match(lambda one, two: own[one].traits == other[two].traits)
    match(lambda one, two: one == two)
    return [CohortPair(one, partners[one]) for one in sorted(partners)]


def changed_keys(before: Scenario, after: Scenario, pairs: Sequence[CohortPair]) -> list[ChangedKey]:
    """List the keys that decide what is played and differ. Cohorts have their names in `before`."""
    old, new = (dict(_flat(scenario.form.model_dump(exclude_none=True))) for scenario in (before, after))
    keys = [key for key in _differing(old, new) if not _follows(key, old, new)]
    for place, name in enumerate(before.cohorts):
        partner = [pair.after for pair in pairs if pair.before == place]
        keys += (
            _of_cohort(name, before, place, after, partner[0])
            if partner
            else [ChangedKey(f"cohort.{name}", _PRESENT, None)]
        )
    taken = {pair.after for pair in pairs}
    return keys + [
        ChangedKey(f"cohort.{name}", None, _PRESENT) for j, name in enumerate(after.cohorts) if j not in taken
    ]


def changed_code(before: Mapping[str, str], after: Mapping[str, str]) -> list[ChangedKey]:
    """List the parts of the code (game, controller, engine) that differ between finished runs.

    Args:
        before: digests of the parts by name, as a manifest has them.
        after: the same of the other run.
    """
    parts = [part for part in before if before[part] != after.get(part, before[part])]
    return [ChangedKey(f"code.{part}", before[part][:_DIGITS], after[part][:_DIGITS]) for part in parts]


def _of_cohort(name: str, before: Scenario, own: int, after: Scenario, other: int) -> list[ChangedKey]:
    old, new = (
        dict(_flat_cohort(scenario.form.cohort[place].model_dump(exclude_none=True), f"cohort.{name}"))
        for scenario, place in ((before, own), (after, other))
    )
    return _differing(old, new)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        key = f"{prefix}.{name}" if prefix else name
        if key in _NOT_PLAYED:
            continue
        if isinstance(value, dict):
            yield from _flat(value, key)
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):  # levels made by hand
            yield from _flat({str(number): one for number, one in enumerate(value, 1)}, key)
        else:
            yield key, format_toml(value)


def _flat_cohort(tree: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    """A trait or a target is one value, whatever its form."""
    for name, value in tree.items():
        if name == "traits":
            yield from ((f"{key}.traits.{trait}", format_toml(spread)) for trait, spread in value.items())
        elif name != "label":
            yield f"{key}.{name}", format_toml(value)


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> list[ChangedKey]:
    keys = dict.fromkeys((*old, *new))
    return [ChangedKey(key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]


def _follows(key: ChangedKey, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """Whether a key came or went only because one of the scenarios fixes its knob."""
    if not key.key.startswith(_WHERE_IT_MOVES) or (key.before is not None and key.after is not None):
        return False
    knob = f"game.params.{key.key.rpartition('.')[2]}"
    return (knob in old) != (knob in new)
