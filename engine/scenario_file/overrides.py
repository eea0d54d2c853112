"""Overrides: single keys of a scenario put over those of the file, as in `--set target.win_rate=0.7`."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from engine.scenario_file.positions import LARGEST_DOTS, KeyPath
from engine.scenario_file.scenario_faults import Faults, quote_value, shorten_key, suggestion
from engine.scenario_file.toml import parse_value

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_MOST_NAMED: Final = 8


def apply_overrides(tree: Mapping[str, Any], settings: Iterable[tuple[str, str]], faults: Faults) -> dict[str, Any]:
    """The tree with the settings applied, later ones over earlier ones.

    settings: dotted key and value as TOML text. `cohort.NAME.share` reaches the cohort of that name. What cannot be
    applied is added to the faults, and so is the place of each setting, so that later faults name it. The tree that
    was given stays as it is.
    """
    wanted = list(settings)
    result: dict[str, Any] = copy.deepcopy(dict(tree)) if wanted else dict(tree)
    for key, text in wanted:
        try:
            value = parse_value(text)
            address = _put(result, key, value)
        except ValueError as fault:
            faults.add_override(key, str(fault))
        else:
            faults.overridden.pop(address, None)
            faults.overridden[address] = key
    return result


def _put(tree: dict[str, Any], key: str, value: Any) -> KeyPath:
    """Set the key; raises ValueError with a sentence when there is no such place."""
    parts = key.split(".")
    if len(parts) > LARGEST_DOTS or not all(_KEY.fullmatch(part) for part in parts):
        raise ValueError(f"a key must be words joined by dots, such as target.win_rate, got {quote_value(key)}")
    here: Any = tree
    address: KeyPath = ()
    for part in parts[:-1]:
        if isinstance(here, list):
            place = _named(here, part)
            here, address = here[place], (*address, place)
            continue
        here = here.setdefault(part, {})
        address = (*address, part)
        if not isinstance(here, dict) and not (isinstance(here, list) and address == ("cohort",)):
            raise ValueError(f"a table is needed to set a key in it, but {'.'.join(parts[: len(address)])} is a value")
    if isinstance(here, list):
        raise ValueError(f"a cohort has keys, such as cohort.{parts[-1]}.share; name one of them")
    here[parts[-1]] = value
    return (*address, parts[-1])


def _named(cohorts: list[Any], name: str) -> int:
    names = [table.get("name") if isinstance(table, dict) else None for table in cohorts]
    if name in names:
        return names.index(name)
    texts = [text for text in names if isinstance(text, str)]
    those = ", ".join(map(shorten_key, texts[:_MOST_NAMED]))
    raise ValueError(f"there is no cohort {name!r}; there are {those or 'none'}{suggestion(name, texts)}")
