"""How the numbers of a verdict are written: in per cent, with as many decimals as the target needs."""

from __future__ import annotations

import math
from typing import Final

from sims.verdict.goal import Band, Row
from sims.wording import share_text

_MOST_DECIMALS: Final = 4  # of a band in per cent; one that needs more is a mean over levels, or no thought of people


def decimals_of(*shares: float) -> int:
    """Decimals of per cent that all these shares need: 0 for 0.67 and 0.73, 1 for 0.985; NaN does not count."""
    known = [100.0 * share for share in shares if not math.isnan(share)]
    for decimals in range(_MOST_DECIMALS + 1):
        if all(abs(round(number, decimals) - number) < 1e-9 for number in known):
            return decimals
    return 1


def band_words(band: Band, wanted: float, tolerance: float, *, short: bool = False) -> str:
    """A band in per cent, with the wanted win rate and its tolerance where they are no NaN: 67 to 73 % (70 \u00b1 3).

    short: for a table.
    """
    decimals = decimals_of(*band, wanted, tolerance)
    low, high, middle, width = (f"{100.0 * number:.{decimals}f}" for number in (*band, wanted, tolerance))
    words = low if band[0] == band[1] else f"{low}-{high}" if short else f"{low} to {high}"
    given = "" if math.isnan(wanted) else f" ({middle}\u00b1{width})" if short else f" ({middle} \u00b1 {width})"
    return f"{words} %{given}"


def target_words(row: Row, *, short: bool = False) -> str:
    """The target of a row, as `band_words` has it."""
    return band_words((row.target_low, row.target_high), row.wanted, row.tolerance, short=short)


def margin_of(row: Row) -> tuple[str, str, str]:
    """Win rate, low and high end of its 95 % interval in per cent: one decimal, or as many as the target has."""
    decimals = max(1, decimals_of(row.target_low, row.target_high, row.wanted, row.tolerance))
    rate, low, high = (f"{100.0 * share:.{decimals}f}" for share in (row.win_rate, row.win_rate_low, row.win_rate_high))
    return rate, low, high


def rate_with_margin(row: Row) -> str:
    """A win rate and its 95 % interval: 81.0 % (margin 80.7 to 81.3 %)."""
    rate, low, high = margin_of(row)
    return f"{rate} % (margin {low} to {high} %)"


def won_with_margin(row: Row, name: str) -> str:
    """A group and its win rate without a verb that its name would have to agree with."""
    rate, low, high = margin_of(row)
    return f"{name}: {rate} % of attempts won (margin {low} to {high} %)"


def difficulty_words(row: Row, *, short: bool = False) -> str:
    """A mean difficulty with its 95 % interval: 0.31 (margin 0.30 to 0.32).

    short: for a table.
    """
    middle, low, high = (f"{place:.2f}" for place in (row.difficulty, row.difficulty_low, row.difficulty_high))
    known = not math.isnan(row.difficulty_low)
    return _beside(middle, (low, high) if known else None, "", short)


def quit_words(share: float, low: float, high: float, *, short: bool = False) -> str:
    """A share of players who quit with its 95 % interval: 23 % (margin 20 to 26 %).

    low, high: its ends; NaN where they are not known. short: for a table.
    """
    known = not math.isnan(share) and not math.isnan(low)
    ends = (f"{100.0 * low:.0f}", f"{100.0 * high:.0f}") if known else None
    return _beside(share_text(share), ends, " %", short)


def _beside(middle: str, ends: tuple[str, str] | None, unit: str, short: bool) -> str:
    """A number and its margin; without one that is not known, or is narrower than rounding."""
    if ends is None or {f"{end}{unit}" for end in ends} == {middle}:
        return middle
    return f"{middle} ({'-'.join(ends)})" if short else f"{middle} (margin {' to '.join(ends)}{unit})"


def rounded_up(number: float) -> int:
    """A number of players, to two digits: more would claim to know better."""
    digits = int(10 ** max(0, math.floor(math.log10(max(number, 1.0))) - 1))
    return math.ceil(number / digits) * digits
