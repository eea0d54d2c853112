"""Population-based training (Jaderberg et al., arXiv:1711.09846, 2017): a schedule of options instead of one value.

A population of option settings plays the first stretch of all players' attempts. After each stretch the worst quarter
gives up: each of them takes over a member of the best quarter, options and state (exploit), and changes the options a
little, or draws new ones (explore). What a member has played so far is its schedule. A controller's state follows from
the schedule and the players' luck alone, so taking it over means to play that schedule from the first attempt.

Each stretch has players of its own and is compared with the baseline on the same attempts of the same players. At the
end the best schedules play whole lives on fresh players, since a stretch says nothing of what it does to the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.scheduling.option_schedule import Stairs
from sims.sweeping.search.explorer import BATCH, gains_of, ranked_trials
from sims.sweeping.space import Settings, SweepSpace, SweptKey, SweptValue
from sims.sweeping.trial_records import PlayerBlock, TrialAsk, TrialRecord, of_whole_lives

STRETCHES: Final = 6
LEAST_MEMBERS: Final = 8
MOST_MEMBERS: Final = 40
FINALISTS: Final = 4
_REPLACED: Final = 4  # one of so many gives up after a stretch
_DRAWN_ANEW: Final = 0.25  # chance of an option to be drawn instead of changed a little, as in the paper
_STEP: Final = 0.1  # change of an option, as a share of its range


class LifePart(NamedTuple):
    """Attempts of a player: from `first` up to, not including, `last`."""

    first: int
    last: int


def life_parts(attempts: int, unjudged: int) -> tuple[LifePart, ...]:
    """The attempts of a player cut into equal judged parts, the first with the unjudged ones before it."""
    ends = [unjudged + (attempts - unjudged) * step // STRETCHES for step in range(1, STRETCHES + 1)]
    return tuple(LifePart(first, last) for first, last in zip([0, *ends[:-1]], ends, strict=True) if last > first)


def lives_played(parts: Sequence[LifePart], members: int) -> float:
    """What a search costs, as a number of whole trials, the baseline's included."""
    return (members + 1) * sum(part.last for part in parts) / parts[-1].last + FINALISTS + 1


class Member(NamedTuple):
    """A member of the population. units: its options now, as places from 0 to 1; schedule: of each key, so far."""

    units: tuple[float, ...]
    schedule: tuple[Stairs, ...]


class Population:
    """Plays stretches one after the other."""

    def __init__(self, space: SweepSpace, own: Sequence[float], players: int, members: int, judged: Lives, seed: int):
        """own: the scenario's options as places from 0 to 1, for the first member; seed: 0 or more."""
        self._space, self._players, self._parts = space, players, judged.parts
        self._unjudged = judged.unjudged
        self._dice = np.random.Generator(np.random.Philox(seed))
        first = [tuple(own), *(tuple(self._dice.random(len(space.keys)).tolist()) for _ in range(members - 1))]
        self._members = [self._extended(Member(units, ((),) * len(space.keys)), 0) for units in first]
        self._numbers: dict[Settings, int] = {}
        self._waiting: list[TrialAsk] = []
        self._records: list[TrialRecord] = []  # of this stretch
        self._all: list[TrialRecord] = []
        self._stretch = -1

    def ask(self) -> list[TrialAsk]:
        """The next trials of a stretch, or of the whole lives at the end."""
        if not self._waiting:
            self._next_stretch()
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        return batch

    def tell(self, records: Sequence[TrialRecord]) -> None:
        """Remember what came of them."""
        self._records += records
        self._all += records

    def finalists(self) -> list[int]:
        """Trials that played whole lives, by these alone; before that, all."""
        return ranked_trials(of_whole_lives(self._all)) or ranked_trials(self._all)

    def _next_stretch(self) -> None:
        if self._stretch >= 0:
            self._exploit()
        self._stretch += 1
        self._records = []
        if self._stretch < len(self._parts):
            part = self._parts[self._stretch]
            block = PlayerBlock(self._stretch, self._players, max(part.first, self._unjudged), part.last)
            self._waiting = self._asks([self._settings(one) for one in self._members], block)
        elif self._stretch == len(self._parts):
            block = PlayerBlock(self._stretch, self._players)
            best = [self._settings(one) for one in self._members[:FINALISTS]]
            self._waiting = self._asks(best, block)

    def _asks(self, settings: Sequence[Settings], block: PlayerBlock) -> list[TrialAsk]:
        different = list(dict.fromkeys(settings))
        for one in different:
            self._numbers.setdefault(one, len(self._numbers) + 1)
        return [TrialAsk(self._numbers[one], one, block) for one in different]

    def _exploit(self) -> None:
        """Order the members, best first; the last quarter takes over the first and explores from there."""
        place = {trial: at for at, trial in enumerate(ranked_trials(self._records))}
        lasting = gains_of(self._all)  # over all stretches that a schedule has played: breaks ties of a stretch
        numbers = [self._numbers[self._settings(one)] for one in self._members]
        order = sorted(
            range(len(self._members)),
            key=lambda at: (
                place.get(numbers[at], len(place)),
                lasting[numbers[at]].value if numbers[at] in lasting else 0.0,
                at,
            ),
        )
        ranked = [self._members[at] for at in order]
        part = self._stretch + 1
        if part >= len(self._parts):
            self._members = list(dict.fromkeys(ranked))
            return
        replaced = max(len(ranked) // _REPLACED, 1)
        kept = [self._extended(one, part) for one in ranked[:-replaced]]
        parents = [ranked[int(self._dice.integers(replaced))] for _ in range(replaced)]
        self._members = kept + [self._extended(self._explored(one), part) for one in parents]

    def _explored(self, parent: Member) -> Member:
        """A member with the same past and other options from now on."""
        units = []
        for unit in parent.units:
            drawn, step = float(self._dice.random()), _STEP if self._dice.random() < 0.5 else -_STEP
            fresh = float(self._dice.random())
            units.append(fresh if drawn < _DRAWN_ANEW else min(max(unit + step, 0.0), 1.0 - 1e-9))
        return parent._replace(units=tuple(units))

    def _extended(self, member: Member, part: int) -> Member:
        """The member with its options in force from the first attempt of a stretch on, where they are new."""
        first = self._parts[part].first
        found = []
        for one, unit, stairs in zip(self._space.keys, member.units, member.schedule, strict=True):
            value = float(one.at(unit))  # type: ignore[arg-type]  # pbt takes keys with numbers only
            found.append(stairs if stairs and stairs[-1][1] == value else (*stairs, (first, value)))
        return member._replace(schedule=tuple(found))

    def _settings(self, member: Member) -> Settings:
        pairs = zip(self._space.keys, member.schedule, strict=True)
        return tuple((one.key, stairs if len(stairs) > 1 else stairs[0][1]) for one, stairs in pairs)


class Lives(NamedTuple):
    """How the attempts of a player are cut, and how many of them are not judged."""

    parts: tuple[LifePart, ...]
    unjudged: int


def nearest_unit(one: SweptKey, value: SweptValue | None) -> float:
    """Where a value is from 0 to 1: of all places, the nearest that a grid of a thousand has; 0.5 where it is none."""
    if not isinstance(value, int | float):
        return 0.5
    units = [(step + 0.5) / 1000.0 for step in range(1000)]
    return min(units, key=lambda unit: abs(float(one.at(unit)) - float(value)))  # type: ignore[arg-type]
