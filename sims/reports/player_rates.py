"""Players, not averages: how often each of them wins, and how long they keep losing."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sims.html.charts import histogram
from sims.html.legend import key
from sims.html.markup import Markup, joined
from sims.html.page import charts, figure, section, table
from sims.reports.facts import Facts
from sims.reports.row_batches import Integers, Numbers
from sims.wording import share_text

_REGULAR: Final = 20  # attempts that a player's own win rate needs to be looked at
_CELL: Final = 0.025  # of the histogram of own win rates
_RUN: Final = 5  # losses in a row that are mentioned
_LEAST_TAIL: Final = 20  # players of whom 5 % are one


def players_part(facts: Facts) -> Markup:
    """Charts of own win rates, and a table of the middle, the worst and the streaks."""
    people = facts.rows.people
    pictures = []
    rates = {j: people.own_rates(j, _least(facts)) for j in facts.charted}
    least = min((float(own[0]) for own in rates.values() if len(own)), default=0.0)
    first = min(math.floor(least * 10.0) / 10.0, 0.9)  # of the x axis, the same for all
    for j, own in rates.items():
        if len(own) > 1:
            row = facts.verdict.rows[j]
            counts, edges = np.histogram(own, bins=round((1.0 - first) / _CELL), range=(first, 1.0))
            picture = histogram(
                [int(number) / len(own) for number in counts],
                [float(edge) for edge in edges],
                "rate",
                ("win rate of one player", "players"),
                (row.target_low, row.target_high),
            )
            low, high = (100 * float(np.quantile(own, share)) for share in (0.25, 0.75))
            meaning = f"{len(own):,} players, half of them between {low:.0f} and {high:.0f} %"
            pictures.append(figure(facts.labels[j], picture, meaning))
    note = joined(
        key("rate", "share of players"),
        key("wanted", "target"),
        f" An average hides players who keep losing. Shown are players with {_least(facts)} attempts or more; all of "
        "their attempts count, warm-up included. Chance alone moves the win rate of 20 attempts by about 10 points. "
        f"The worst 5 % are shown for {_LEAST_TAIL} players or more.",
    )
    body = [charts(*pictures)] if pictures else []
    return section("Players, not averages", *body, _spread_table(facts), note=note)


def _least(facts: Facts) -> int:
    """Attempts that a player's own win rate needs; in a short campaign, all players who finish it must have them."""
    return min(_REGULAR, facts.levels or _REGULAR)


def _spread_table(facts: Facts) -> Markup:
    people = facts.rows.people
    rows = []
    for j, label in enumerate(facts.labels):
        own, runs = people.own_rates(j, _least(facts)), people.losing_runs(j)
        attempts = people.attempts[people.cohort == j]
        rows.append(
            (
                label,
                f"{len(attempts):,}",
                _quantile(attempts, 0.5),
                f"{len(own):,}",
                _quantile(100.0 * own, 0.5, " %"),
                _tail(100.0 * own, 0.05, " %"),
                _quantile(runs, 0.5),
                _tail(runs, 0.95),
                f"{int(runs[-1]):,}" if len(runs) else "-",
                share_text(float((runs >= _RUN).mean())) if len(runs) else "-",
            )
        )
    headings = (
        "group",
        "players",
        "median attempts",
        f"with {_least(facts)} attempts or more",
        "median of these wins",
        "worst 5 % of these win at most",
        "longest losing streak, median",
        "of the worst 5 %, at least",
        "longest of all",
        f"ever lost {_RUN} in a row",
    )
    return table(headings, rows)


def _tail(values: Integers | Numbers, share: float, unit: str = "") -> str:
    """A quantile near an end, where one player or more lies beyond it."""
    return _quantile(values, share, unit) if len(values) >= _LEAST_TAIL else "-"


def _quantile(values: Integers | Numbers, share: float, unit: str = "") -> str:
    return f"{float(np.quantile(values, share)):.0f}{unit}" if len(values) else "-"
