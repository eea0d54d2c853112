"""Hours of the day and days of the week: when people play.

A profile is a relative weight for each hour of a week. Time is measured on a second clock, which runs as fast as the
weight says, and on average as fast as the wall's. What happens at random on that clock happens in proportion to the
weights on the wall: a Poisson stream stays one, at a rate that follows the profile (time change of Poisson processes).
A simulation begins on a Monday at midnight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

HOURS: Final = 24
DAYS: Final = 7
HOUR_S: Final = 3600.0
WEEK_S: Final = 604_800.0

Week = tuple[float, ...]  # kernels take the same numbers as an array

ALWAYS_ALIKE: Final[Week] = ()  # the profile of a week whose hours are all alike


def week_of(hours: Sequence[float], weekdays: Sequence[float]) -> Week:
    """The profile of a week: seconds of the second clock from Monday's midnight to the beginning of each hour.

    Args:
        hours: weights of the 24 hours of a day, from 0; all alike where empty. Not all of them are 0.
        weekdays: weights of the 7 days of a week, Monday first; all alike where empty. Not all of them are 0.

    Returns:
        169 numbers that rise from 0 to the seconds of a week; none where nothing is given.
    """
    if not hours and not weekdays:
        return ALWAYS_ALIKE
    weights = np.outer(weekdays or [1.0] * DAYS, hours or [1.0] * HOURS).ravel()
    profile = np.concatenate(([0.0], np.cumsum(weights)))
    return tuple((profile * (WEEK_S / profile[-1])).tolist())


def second_clock(time_s: float, week: Any) -> float:
    """What the second clock shows at a time. week: of `week_of`, with 169 numbers."""
    weeks = math.floor(time_s / WEEK_S)
    rest = time_s - weeks * WEEK_S
    hour = min(int(rest / HOUR_S), len(week) - 2)
    pace = (float(week[hour + 1]) - float(week[hour])) / HOUR_S
    return weeks * WEEK_S + float(week[hour]) + (rest - hour * HOUR_S) * pace


def wall_clock(shown_s: float, week: Any) -> float:
    """The time at which the second clock shows a number; the end of hours in which it stands still."""
    weeks = math.floor(shown_s / WEEK_S)
    rest = shown_s - weeks * WEEK_S
    low, high = 0, len(week) - 1  # rest lies in [week[low], week[high])
    while high - low > 1:
        middle = (low + high) // 2
        if float(week[middle]) <= rest:
            low = middle
        else:
            high = middle
    pace = (float(week[low + 1]) - float(week[low])) / HOUR_S
    within = (rest - float(week[low])) / pace if pace > 0.0 else 0.0
    return weeks * WEEK_S + low * HOUR_S + within


def later(time_s: float, away_s: float, week: Any) -> float:
    """The time that lies so many seconds of the second clock after another; of the wall's where all hours are alike."""
    if len(week) == 0:
        return time_s + away_s
    return wall_clock(second_clock(time_s, week) + away_s, week)


def share_of_wave(share: float, window_s: float, week: Any) -> float:
    """The time by which a share of a launch wave of so many seconds has arrived."""
    return window_s * share if len(week) == 0 else wall_clock(second_clock(window_s, week) * share, week)
