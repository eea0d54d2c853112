"""Pictures of a sweep over many keys: all trials at once, and the parts of population-based training."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sims.html.legend import key
from sims.html.markup import Markup, joined, tag
from sims.html.page import figure, section, table
from sims.html.parallel import Path, UprightAxis, parallel_coordinates
from sims.sweeping.answer.sentences import gain_text, loss_text, settings_text, short_names, swept_text
from sims.sweeping.answer.sweep_answer import MeasuredTrial, SweepAnswer
from sims.sweeping.search.explorer import ranked_trials
from sims.sweeping.space import SweptKey, SweptValue

_LEAST_TRIALS = 5
_BEST = 4  # one of so many is drawn in colour


def parallel_part(answer: SweepAnswer) -> Markup:
    """Every trial as a line across all keys and the loss; nothing with one key or few trials."""
    trials = [trial for trial in answer.played if not math.isnan(trial.loss.value)]
    if len(answer.space.keys) < 2 or len(trials) < _LEAST_TRIALS or answer.plan.lives is not None:
        return Markup("")
    names = short_names(answer.space.names)
    keys = answer.space.keys
    values = {one.key: _ordered(one, trials) for one in keys}
    losses = [answer.shown(trial.loss).value for trial in trials]
    low, high = min(losses), max(losses)
    axes = [UprightAxis(names[one.key], *map(swept_text, _ends(values[one.key]))) for one in keys]
    ends = (loss_text(answer, answer.shown(trial.loss), margin=False) for trial in _extremes(trials, losses))
    axes.append(UprightAxis("loss", *ends))
    order = sorted(trials, key=lambda trial: -trial.gain.value)  # the best ones on top
    paths = []
    for place, trial in enumerate(order):
        across = [_place(one, values[one.key], trial.value(one.key)) for one in keys]
        loss = answer.shown(trial.loss).value
        across.append((loss - low) / (high - low) if high > low else 0.5)
        best, winner = place >= len(order) * (1.0 - 1.0 / _BEST), trial.number == answer.winner.number
        title = f"trial {trial.number}: {settings_text(trial.settings, names)}"
        paths.append(Path(across, title, "rate" if winner else "dial" if best else "quiet", not (best or winner)))
    paths.sort(key=lambda path: path.colour == "rate")
    legend = tag("p", key("rate", "best"), key("dial", "the best quarter"), "thin: the others", class_="legend")
    drawn = joined(parallel_coordinates(axes, paths), legend)
    note = (
        "A line is a trial: where it crosses an axis is the value of that key, and at the right its loss, the smaller "
        "the better. Lines that lie together on an axis and end low say which values help."
    )
    picture = tag("div", figure("All trials at once", drawn, "trials.csv has the numbers"), class_="charts wider")
    return section("All keys together", picture, note=note)


def parts_part(answer: SweepAnswer) -> Markup:
    """The parts of a life in population-based training, who was ahead in each, and the schedule that won."""
    if answer.plan.lives is None:
        return Markup("")
    names = short_names(answer.space.names)
    blocks = dict.fromkeys(record.ask.block for record in answer.outcome.search)
    body = []
    for block in blocks:
        own = [record for record in answer.outcome.search if record.ask.block == block and record.ask.trial]
        (best, *_) = ranked_trials(own) or [0]
        found = next((record for record in own if record.ask.trial == best), None)
        what = "-" if found is None else settings_text(found.ask.settings, names)
        where = f"attempts {block.first:,} to {block.last:,}" if block.last else "whole lives"
        body.append((where, f"{len(own):,}", f"{best}", what))
    steps = [
        (names[one], f"from outcome {at:,}", swept_text(value))
        for one, stairs in answer.winner.settings
        for at, value in (stairs if isinstance(stairs, tuple) else ((0, stairs),))
    ]
    baseline = answer.fresh_baseline
    gain = gain_text(answer, answer.shown_gain(answer.fresh_winner, baseline))
    note = (
        "After each part the worst quarter takes over the past and the options of one of the best quarter, and changes "
        "the options. Whole lives on other players decide at the end."
    )
    return section(
        "Parts of a life, and who was ahead",
        table(("part", "members", "best trial", "its options"), body),
        tag("p", f"The schedule that won, {gain} on fresh players:"),
        table(("option", "when", "value"), steps),
        note=note,
    )


def _ordered(one: SweptKey, trials: Sequence[MeasuredTrial]) -> list[SweptValue]:
    """The values of a key that were played, in the order of its axis."""
    if one.values:
        return list(one.values)
    found = {value for trial in trials if isinstance(value := trial.value(one.key), int | float)}
    return sorted(found or {one.low, one.high})


def _ends(values: Sequence[SweptValue]) -> tuple[SweptValue, SweptValue]:
    return values[0], values[-1]


def _extremes(trials: Sequence[MeasuredTrial], losses: Sequence[float]) -> tuple[MeasuredTrial, MeasuredTrial]:
    """The trials of the smallest and of the largest loss."""
    return trials[losses.index(min(losses))], trials[losses.index(max(losses))]


def _place(one: SweptKey, values: Sequence[SweptValue], value: SweptValue | None) -> float | None:
    """Where a value stands on its axis; None where the trial leaves the key."""
    if value is None:
        return None
    low, high = _ends(values)
    if one.is_number and isinstance(value, int | float) and isinstance(low, int | float):
        assert isinstance(high, int | float)
        ends = (low, value, high)
        a, x, b = (math.log(end) for end in ends) if one.log else ends
        return (x - a) / (b - a) if b > a else 0.5
    return values.index(value) / max(len(values) - 1, 1)
