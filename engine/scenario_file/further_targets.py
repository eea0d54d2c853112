"""Targets beyond the win rate, as a scenario file gives them: [[target.also]]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.further.further_target import KEYS_OF, USUAL_RUN, FurtherTarget
from engine.scenario_file.scenario_faults import Faults, quote_value, suggestion
from engine.scenario_file.sections import Campaign, FurtherSection

if TYPE_CHECKING:
    from engine.scenario_file.positions import KeyPath
    from engine.scenario_file.validation import Parts

_SHARES = ("win_rate", "quit", "losing_run")
_MORE = ("first", "day", "level", "statistic", "length", "unit")  # keys that belong to some targets only


def check_further_targets(parts: Parts, faults: Faults) -> None:
    """Add what is wrong with any of them to the faults."""
    for place, section in enumerate(parts.target.also or [] if parts.target is not None else []):
        address: KeyPath = ("target", "also", place)
        if faults.touch(*address):
            continue
        _check_keys(address, section, faults)
        _check_band(address, section, faults)
        _check_places(address, section, parts, faults)


def _check_keys(address: KeyPath, section: FurtherSection, faults: Faults) -> None:
    known = KEYS_OF[section.what]
    for key in _MORE:
        if getattr(section, key) is not None and key not in known:
            faults.add((*address, key), f"has no use with {section.what}, which takes {', '.join(known)}; remove it")
    given = [key for key in ("first", "day", "level") if getattr(section, key) is not None]
    if section.what == "quit" and len(given) > 1:
        faults.add(address, f"quit takes one of first, day and level, got {' and '.join(given)}; remove the others")
    if section.what == "attempts_to_pass" and section.level is None:
        faults.add(address, "attempts_to_pass needs a level, got none; add level = 1 or another one of the campaign")


def _check_band(address: KeyPath, section: FurtherSection, faults: Faults) -> None:
    low, high = section.band
    if low >= high:
        faults.add((*address, "band"), f"must be [low, high] with low below high, got {quote_value(section.band)}")
    elif section.what in _SHARES and high > 1.0:
        rule = f"must be a range of shares from 0 to 1 for {section.what}"
        faults.add((*address, "band"), f"{rule}, got {quote_value(section.band)}; write 0.2 for 20 %")


def _check_places(address: KeyPath, section: FurtherSection, parts: Parts, faults: Faults) -> None:
    names = [cohort.name for cohort in parts.cohorts.values()]
    if section.cohort is not None and parts.all_cohorts and section.cohort not in names:
        hint = suggestion(section.cohort, names)
        faults.add((*address, "cohort"), f"must be one of {', '.join(names)}, got {quote_value(section.cohort)}{hint}")
    if section.level is not None and "level" in KEYS_OF[section.what] and parts.levels is not None:
        if not isinstance(parts.levels, Campaign):
            faults.add((*address, "level"), 'needs [levels] kind = "campaign"; an endless stream has no levels')
        elif section.level > parts.levels.count:
            faults.add(
                (*address, "level"),
                f"must be one of the {parts.levels.count} levels of the campaign, got {section.level}",
            )
    if section.first is not None and parts.horizon is not None and "first" in KEYS_OF[section.what]:
        most = parts.horizon.attempts_per_player
        if section.first > most:
            faults.add(
                (*address, "first"), f"must be at most horizon.attempts_per_player = {most}, got {section.first}"
            )
    if section.day is not None and parts.horizon is not None and section.day > parts.horizon.days:
        rule = f"must be at most horizon.days = {parts.horizon.days:g}"
        faults.add((*address, "day"), f"{rule}, got {section.day:g}")


def further_targets_of(sections: Sequence[FurtherSection], cohorts: Sequence[str]) -> tuple[FurtherTarget, ...]:
    """The targets of checked sections, one for each cohort that it concerns."""
    return tuple(
        FurtherTarget(
            section.what,
            number,
            section.band[0],
            section.band[1],
            first=section.first or 0,
            day=section.day or 0.0,
            level=section.level or 0,
            statistic=section.statistic or "mean",
            length=section.length or USUAL_RUN,
            unit=section.unit or "attempts",
        )
        for section in sections
        for number, name in enumerate(cohorts)
        if section.cohort in (None, name)
    )
