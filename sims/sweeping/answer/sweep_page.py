"""report.html of a sweep: the answer, the winner beside the baseline, curves or a heat map, and every trial.

The page follows from the journal and the request alone, so the same sweep gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from sims.comparison.metrics import WIN_RATE, Metric, cause_places
from sims.html.charts import PARTS, ChartPoint, line_chart
from sims.html.legend import key
from sims.html.markup import Markup, Part, joined, tag
from sims.html.page import charts, document, figure, folded, header, section, table
from sims.html.row_charts import Mark, Track, interval_rows, stacked_bars
from sims.html.shaded_table import SHADES, ShadedRow, shaded_table
from sims.run_folder.folder import Start
from sims.sweeping.answer.many_keys import parallel_part, parts_part
from sims.sweeping.answer.sentences import (
    front_cells,
    loss_text,
    settings_text,
    short_names,
    state_words,
    sweep_sentences,
    swept_text,
    targets_text,
)
from sims.sweeping.answer.sweep_answer import MeasuredTrial, SweepAnswer
from sims.sweeping.answer.sweep_text import shown_trials, trial_headings, trial_rows
from sims.sweeping.trial_records import Measure
from sims.wording import badge_of, caution_of

_STATES: Final = {"in band": "good", "above": "off", "below": "off", "off": "off", "cannot tell": "open"}
_CURVES: Final = ("quit_share", "attempts", "duration_s", "longest_losses", "difficulty")  # besides the win rates
_MOST_CELLS: Final = 21  # of a heat map, in a row
_ROOM: Final = 0.03  # of win rate, above and below what a chart shows
_MOST_BARS: Final = 12  # rows of causes
_MOST_TRIALS: Final = 30  # rows of the table


def sweep_page(answer: SweepAnswer, start: Start) -> str:
    """The whole document. start: what the sweep began with."""
    title = answer.scenario.title or f"Sweep of {answer.scenario.form.game.name}"
    attempts = sum(record.attempts for record in (*answer.outcome.search, *answer.outcome.fresh))
    subtitle = (
        f"{len(answer.trials) - 1:,} trials over {', '.join(answer.space.names)}, with {attempts:,} attempts of "
        f"synthetic players (method {answer.plan.method}, seed {answer.scenario.seed})"
    )
    return document(
        title,
        header(title, badge_of(answer.scenario.calibration), subtitle),
        _verdict(answer),
        _fresh(answer),
        _front(answer),
        _curves(answer),
        _heat_maps(answer),
        parallel_part(answer),
        _influence(answer),
        _rungs(answer),
        parts_part(answer),
        _trials(answer),
        _method(answer),
        _origin(answer, start),
    )


def _verdict(answer: SweepAnswer) -> Markup:
    headline, *others = sweep_sentences(answer)
    return tag(
        "section",
        tag("p", headline, class_="headline"),
        *(tag("p", sentence) for sentence in others),
        tag("p", "The scenario with the best settings is ", tag("code", "best.toml"), "."),
        tag("p", caution_of(answer.scenario.calibration), class_="caution"),
        class_="verdict",
    )


def _fresh(answer: SweepAnswer) -> Markup:
    """The winner and the baseline on fresh players."""
    pair = (answer.fresh_baseline, answer.fresh_winner)
    tracks, body = [], []
    for place, label in enumerate(answer.scenario.labels):
        rates = [answer.rates(trial)[place] for trial in pair]
        marks = [
            Mark(name, *rate, colour)
            for name, rate, colour in zip(("your settings", "best"), rates, ("dial", "rate"), strict=True)
        ]
        band = answer.best.band(place)
        tracks.append(Track(label, marks, band))
        cells = [_rate_cell(rate, trial.states[place]) for rate, trial in zip(rates, pair, strict=True)]
        body.append((label, targets_text(answer, place), *cells))
    losses = [loss_text(answer, answer.shown(trial.loss)) for trial in pair]
    body.append(("loss", "0", *losses))
    ends = [end for track in tracks for mark in track.marks for end in (mark.low, mark.high)]
    ends += [end for track in tracks for end in track.band or ()]
    known = [end for end in ends if not math.isnan(end)]
    span = max(min(known) - 0.02, 0.0), min(max(known) + 0.02, 1.0)
    legend = tag("p", key("wanted", "target"), key("dial", "your settings"), key("rate", "best"), class_="legend")
    picture = joined(interval_rows(tracks, span, percent=True), legend)
    note = (
        f"{answer.fresh_winner.players:,} players in each repeat whom the search never met, the same for both. Loss: "
        f"the {answer.objective.words}."
    )
    headline = ("group", "target", "your settings", "best")
    drawn = tag(
        "div", figure("Win rates and targets", picture, "the numbers of the table below"), class_="charts wider"
    )
    return section("Best settings on fresh players", drawn, table(headline, body), note=note)


def _front(answer: SweepAnswer) -> Markup:
    """With several objectives: the trials that no other beats in all of them."""
    if len(answer.objectives) < 2:
        return Markup("")
    names = short_names(answer.space.names)
    trials = (answer.fresh_baseline, *answer.front)
    body = [(settings_text(one.settings, names), *front_cells(answer, one)) for one in trials]
    note = "Fresh players, the same for all. After the comma: the difference from your settings, below 0 is better."
    meanings = "; ".join(f"{one.name}: {one.words}" for one in answer.objectives)
    return section(
        "What can be had together",
        table(("settings", *(one.name for one in answer.objectives)), body),
        note=f"{note} {meanings}.",
    )


def _curves(answer: SweepAnswer) -> Markup:
    """What every value of the only key does to each group."""
    if len(answer.curve) < 2 or answer.curve_key is None:
        return Markup("")
    name = short_names(answer.space.names)[answer.curve_key]
    places = {one.name: place for place, one in enumerate(answer.metrics)}
    groups = range(len(answer.scenario.labels))
    won = {group: _points(answer, places[WIN_RATE.name], group) for group in groups}
    span = _span([point for points in won.values() for point in points], [answer.scenario.band(j) for j in groups])
    rates = [
        figure(
            label,
            _line(answer, won[j], "rate", (name, WIN_RATE.label), span, answer.scenario.band(j)),
            "the numbers of the table",
        )
        for j, label in enumerate(answer.scenario.labels)
    ]
    others = [
        figure(
            answer.metrics[places[one]].label,
            _curve(answer, name, answer.metrics[places[one]]),
            "the numbers of trials.csv",
        )
        for one in _CURVES
        if one in places
    ]
    loss = [ChartPoint(x, *answer.shown(trial.loss)) for x, trial in answer.curve if not math.isnan(trial.loss.error)]
    if loss:
        top = max(point.high for point in loss)
        drawn = _line(answer, loss, "dial", (name, "loss"), (0.0, top or 1.0))
        others.insert(0, figure("loss", drawn, "the numbers of the table"))
    note = (
        "All values were played by the same players with the same luck. The shaded band is the 95 % margin of a value "
        "by itself; green is the target."
    )
    return joined(
        section(f"Win rate over {name}", charts(*rates), note=note),
        section(f"What else {name} does", charts(*others), _causes(answer, name), note="All players together."),
    )


def _points(answer: SweepAnswer, place: int, group: int) -> list[ChartPoint]:
    """What is known of one metric and group along the curve."""
    points = []
    for x, trial in answer.curve:
        value, low, high = trial.measures[group][place]
        if not math.isnan(value):
            points.append(ChartPoint(x, value, value if math.isnan(low) else low, value if math.isnan(high) else high))
    return points


def _span(points: Sequence[ChartPoint], bands: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The y axis of win rates, the same for all groups: so much that margins and targets are in it."""
    known = [end for point in points for end in (point.low, point.high)] + [end for band in bands for end in band]
    return max(min(known) - _ROOM, 0.0), min(max(known) + _ROOM, 1.0)


def _curve(answer: SweepAnswer, name: str, metric: Metric) -> Markup:
    """One metric of all players together."""
    points = _points(answer, answer.metrics.index(metric), len(answer.scenario.labels))
    if not points:
        return tag("p", "not known")
    top = 1.0 if metric.kind == "dial" else max(point.high for point in points)
    if metric.kind not in ("number", "dial"):
        top = min(max(top * 1.1, 0.02), 1.0)
    return _line(answer, points, "rate", (name, metric.label), (0.0, top or 1.0))


def _line(
    answer: SweepAnswer,
    points: Sequence[ChartPoint],
    colour: str,
    labels: tuple[str, str],
    span: tuple[float, float],
    band: tuple[float, float] | None = None,
) -> Markup:
    if not points:
        return tag("p", "not known")
    log = answer.space.keys[0].log
    return line_chart(points, colour, labels, span, band, begin=points[0].x, log_x=log)


def _causes(answer: SweepAnswer, name: str) -> Markup:
    """How attempts are lost, by value."""
    places = cause_places(answer.metrics)[:PARTS]
    if not places:
        return Markup("")
    step = -(-len(answer.curve) // _MOST_BARS)
    bars = []
    for x, trial in answer.curve[::step]:
        shares = [trial.measures[-1][place].value for place in places]
        if not any(map(math.isnan, shares)):
            bars.append((f"{name} {x:g}", shares))
    words = [answer.metrics[place].label.removeprefix("losses ").strip('"') for place in places]
    return charts(figure("Why attempts are lost", stacked_bars(bars, words), "trials.csv has the numbers"))


def _heat_maps(answer: SweepAnswer) -> Markup:
    """The loss and the win rates over two keys with few values each."""
    if len(answer.space.keys) != 2 or answer.plan.lives is not None:
        return Markup("")
    first, second = answer.space.keys
    across = list(dict.fromkeys(trial.value(second.key) for trial in answer.played))
    down = list(dict.fromkeys(trial.value(first.key) for trial in answer.played))
    full = {(trial.value(first.key), trial.value(second.key)): trial for trial in answer.played}
    if len(across) > _MOST_CELLS or len(down) > _MOST_CELLS or 2 * len(full) < len(across) * len(down):
        return Markup("")
    names = short_names(answer.space.names)
    scale = 100.0 if answer.objective.squared or answer.objective.share else 1.0

    def drawn(of: Callable[[MeasuredTrial], Measure], factor: float) -> Markup:
        values = [factor * of(trial).value for trial in full.values()]
        low, high = min(values), max(values)
        step = (high - low) / SHADES or 1.0
        edges = [float(f"{low + step * (j + 1):.3g}") for j in range(SHADES - 1)]
        body = []
        for y in down:
            cells, titles = [], []
            for x in across:
                trial = full.get((y, x))
                measure = of(trial) if trial is not None else Measure(math.nan, math.nan, math.nan)
                cells.append(factor * measure.value)
                told = f"{factor * measure.low:.2f} to {factor * measure.high:.2f}" if trial is not None else ""
                titles.append(told)
            body.append(ShadedRow(f"{names[first.key]} {swept_text(y)}", cells, titles))
        return shaded_table([f"{names[second.key]} {swept_text(x)}" for x in across], body, edges, apart=())

    parts: list[Part] = [tag("h3", "loss"), drawn(lambda trial: answer.shown(trial.loss), scale)]
    for place, label in enumerate(answer.scenario.labels):
        parts += [tag("h3", f"win rate of {label}, %"), drawn(partial(_win_rate, answer, place), 100.0)]
    note = f"Loss: the {answer.objective.words}, the smaller the better. A cell shows its 95 % margin on hover."
    return section(f"{names[first.key]} by {names[second.key]}", *parts, note=note)


def _win_rate(answer: SweepAnswer, cohort: int, trial: MeasuredTrial) -> Measure:
    return answer.rates(trial)[cohort]


def _influence(answer: SweepAnswer) -> Markup:
    known = {key_: share for key_, share in answer.influence.items() if not math.isnan(share)}
    if not known:
        return Markup("")
    body = [(name, f"{100.0 * share:.0f} %") for name, share in sorted(known.items(), key=lambda item: -item[1])]
    note = (
        "Share of the differences between trials that a key explains alone: the main effects of a functional analysis "
        "of variance (omega squared over its values, or over four parts of a range). What is left is luck, and keys "
        "that act together."
    )
    return section("Which key matters", table(("key", "share"), body, "pairs"), note=note)


def _rungs(answer: SweepAnswer) -> Markup:
    """The brackets of hyperband, and which trials went on."""
    if not answer.plan.brackets:
        return Markup("")
    names = short_names(answer.space.names)
    body = []
    for number, bracket in enumerate(answer.plan.brackets, start=1):
        for step, rung in enumerate(bracket, start=1):
            body.append((f"bracket {number}, rung {step}", f"{rung.trials:,}", f"{rung.players:,}"))
    blocks: dict[int, list[int]] = {}
    for record in answer.outcome.search:
        blocks.setdefault(record.ask.trial, []).append(record.ask.block.number)
    longest = sorted((trial for trial in blocks if trial), key=lambda trial: (-len(blocks[trial]), trial))[:_MOST_BARS]
    settings = {trial.number: trial.settings for trial in answer.trials}
    kept = [(str(trial), settings_text(settings[trial], names), str(len(blocks[trial]))) for trial in longest]
    note = (
        "A rung has players of its own, the same for all its trials and your settings. A third goes on, by the upper "
        "end of the difference from your settings."
    )
    return section(
        "Rungs",
        table(("rung", "trials", "players"), body),
        table(("trial that went on", "settings", "rungs"), kept),
        note=note,
    )


def _trials(answer: SweepAnswer) -> Markup:
    shown = shown_trials(answer, _MOST_TRIALS)
    parts: list[Part] = [table(trial_headings(answer), trial_rows(answer, shown))]
    if answer.failures:
        names = short_names(answer.space.names)
        failed = [(str(one.number), settings_text(one.settings, names), one.failure) for one in answer.failures]
        parts.append(folded("Trials that failed", table(("trial", "settings", "why"), failed)))
    note = (
        "Numbers of the search: the best of many looks better than it is. Difference: from your settings, for the same "
        "players with the same luck; below 0 is better. All trials are in trials.csv."
    )
    if answer.plan.lives is not None:
        note += " A loss is that of the parts that a trial played, or of whole lives: compare differences, not losses."
    return section("Trials", *parts, note=note)


def _method(answer: SweepAnswer) -> Markup:
    texts = (
        "Your settings are a trial of every block of players and are never dropped. All trials of a block meet the "
        "same players with the same luck, so differences have far less luck in them than the numbers themselves.",
        "The best trial has the lowest upper end of its difference from your settings. It is measured once more beside "
        "them on players that the search never met. Only that decides whether it is called better.",
        "The players are synthetic. Nothing here measures fun.",
    )
    return section("How the numbers were made", *(tag("p", text) for text in texts))


def _origin(answer: SweepAnswer, start: Start) -> Markup:
    """What a sweep with the same numbers needs."""
    body: list[Sequence[Part]] = [
        ("fingerprint of the scenario", tag("code", start.scenario_digest)),
        *((f"fingerprint of the {name}'s code", tag("code", digest)) for name, digest in sorted(start.code.items())),
        *_asked(start),
        ("Flowdial", start.flowdial_version),
        *((name, number) for name, number in sorted(start.versions.items())),
    ]
    note = "The same scenario, request and versions give the same bytes, with any number of workers."
    if answer.request.seconds is not None:
        note = "The sweep had a time limit: how much it plays depends on the machine, so another machine may differ."
    return section(
        "How to repeat this sweep", folded("Versions and settings", table(("what", "value"), body, "pairs")), note=note
    )


def _asked(start: Start) -> Iterator[tuple[str, str]]:
    for name, value in start.sweep.items():
        if name == "over":
            yield from (
                (f"over {one}", text if isinstance(text, str) else ", ".join(map(str, text)))
                for one, text in value.items()
            )
        else:
            yield name, "none" if value is None else str(value)


def _rate_cell(rate: Measure, state: str) -> Part:
    words = f"{100.0 * rate.value:.1f} % ({100.0 * rate.low:.1f} to {100.0 * rate.high:.1f})"
    return tag("span", words, " ", tag("span", state_words(state), class_=f"state {_STATES[state]}"))
