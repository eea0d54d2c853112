"""report.html of a study: what was found in words, then before and after, what moves what, and how it was found.

It follows from the counts and from what the study began with; nothing of it is from the clock, so the same study gives
the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sims.html.legend import key
from sims.html.markup import Markup, Part, joined, tag
from sims.html.page import NOTHING, charts, document, figure, folded, header, section, table
from sims.html.row_charts import Mark, Track, interval_rows
from sims.run_folder.files import write_file
from sims.run_folder.folder import REPORT, Start
from sims.tuning.answer.answer import Answer, TunedOption
from sims.tuning.answer.phrases import band_text, shift_text, step_text
from sims.tuning.answer.report_course import (
    budget_part,
    error_text,
    method_part,
    origin_part,
    progress_part,
    rate_cell,
    stages_part,
)
from sims.tuning.answer.sentences import sentences
from sims.tuning.answer.table import value_text
from sims.tuning.search.search_space import values_of
from sims.tuning.study_files import practice_note, shown_values, tuned_name
from sims.wording import UNCALIBRATED, listed

_COLOURS: Final = ("dial", "rate", "belief", "loss")  # of the defaults and the first options
_MOST_TRACKS: Final = 24  # segments in the chart of rates
_MOST_CHARTS: Final = 12  # of sensitivity, a segment each
_MOST_KNOBS: Final = 20  # in one of them


def write_report(folder: Path, answer: Answer, start: Start) -> str:
    """Write the report of a study into its folder; its name. start: what the study began with."""
    write_file(folder / REPORT, page(answer, start).encode())
    return REPORT


def page(answer: Answer, start: Start) -> str:
    """The whole document."""
    title = answer.problem.scenario.title or f"Tuning {answer.problem.scenario.form.game.name}"
    return document(
        title,
        _header(answer, start, title),
        _verdict(answer),
        _rates(answer),
        _knobs(answer),
        _sensitivity(answer),
        stages_part(answer),
        progress_part(answer),
        budget_part(answer),
        origin_part(answer, start),
        method_part(answer),
    )


def _header(answer: Answer, start: Start, title: str) -> Markup:
    scenario = answer.problem.scenario
    attempts = sum(answer.record.spent.values())
    subtitle = (
        f"{scenario.form.game.name}, {answer.problem.search_space.size} knobs, tuned by {start.study['method']} with "
        f"{attempts:,} attempts of synthetic players, seed {scenario.seed}"
    )
    return header(title, ("uncalibrated", UNCALIBRATED), subtitle)


def _verdict(answer: Answer) -> Markup:
    headline, *others = sentences(answer)
    files = joined(
        *(
            joined(" " if i else "", f"{option.letter} is ", tag("code", tuned_name(i)), ".")
            for i, option in enumerate(answer.options)
        )
    )
    return tag(
        "section",
        tag("p", headline, class_="headline"),
        *(tag("p", sentence) for sentence in others),
        tag("p", files, f" {practice_note(answer.problem)}".rstrip()),
        tag("p", UNCALIBRATED, class_="caution"),
        class_="verdict",
    )


# --- Before and after ------------------------------------------------------------------------------------------------


def _columns(answer: Answer) -> list[tuple[str, TunedOption]]:
    return [("your defaults", answer.baseline), *((option.letter, option) for option in answer.options)]


def _rates(answer: Answer) -> Markup:
    """Win rates before and after, as a chart and as a table."""
    columns = _columns(answer)
    rows: list[Sequence[Part]] = []
    for k, segment in enumerate(answer.problem.segments):
        cells = [rate_cell(option.rates[k], segment) for _, option in columns]
        rows.append((segment.name, band_text(segment), *cells))
    rows.append(("largest error", NOTHING, *(error_text(option.error) for _, option in columns)))
    rows.append(("spread between them", NOTHING, *(error_text(option.spread) for _, option in columns)))
    rows.append(("size of change", NOTHING, *(f"{100.0 * option.change_size:.1f} %" for _, option in columns)))
    headings = ("players", "wanted", *(name for name, _ in columns))
    note = (
        "The intervals of all options hold for all their targets at once, with 95 %. Error: distance of the measured "
        "win rate from the middle of its band. Spread: from the segment that wins too rarely by most to the one that "
        "wins too often by most. Size of change: how far the knobs are from yours, as a mean share of their ranges."
    )
    return section("Before and after", _rates_chart(answer), table(headings, rows), note=note)


def _rates_chart(answer: Answer) -> Markup:
    columns = _columns(answer)[: len(_COLOURS)]
    segments = answer.problem.segments[:_MOST_TRACKS]
    tracks = []
    for k, segment in enumerate(segments):
        marks = [
            Mark(name, option.rates[k].rate, option.rates[k].low, option.rates[k].high, colour)
            for (name, option), colour in zip(columns, _COLOURS, strict=False)
            if option.rates[k].attempts
        ]
        tracks.append(Track(segment.name, marks, (segment.low, segment.high)))
    ends = [end for track in tracks for mark in track.marks for end in (mark.low, mark.high)]
    ends += [end for segment in segments for end in (segment.low, segment.high)]
    air = 0.05 * (max(ends) - min(ends)) + 0.01
    span = max(min(ends) - air, 0.0), min(max(ends) + air, 1.0)
    legend = tag(
        "p",
        key("wanted", "wanted"),
        *(key(colour, name) for (name, _), colour in zip(columns, _COLOURS, strict=False)),
        class_="legend",
    )
    picture = joined(interval_rows(tracks, span, percent=True), legend)
    more = len(answer.problem.segments) - len(segments)
    label = "Win rates and bands" + (f" of the first {len(segments)}" if more else "")
    return tag("div", figure(label, picture, "the numbers of the table below"), class_="charts wider")


def _knobs(answer: Answer) -> Markup:
    """The values of all knobs, those marked that an option changes."""
    problem, columns = answer.problem, _columns(answer)
    values = [shown_values(problem, option.candidate.point) for _, option in columns]
    changed = [{change.knob.name for change in option.changes} for _, option in columns]
    rows: list[Sequence[Part]] = []
    for j in problem.space.free:
        knob = problem.space[j]
        cells = [
            tag("span", value_text(knob, found[knob.name]), class_="state open")
            if knob.name in turned
            else value_text(knob, found[knob.name])
            for found, turned in zip(values, changed, strict=True)
        ]
        rows.append((knob.name, NOTHING if knob.unit == "1" else knob.unit, *cells))
    reals = values_of(problem.space, problem.start)
    held = [
        f"{knob.name} {value_text(knob, knob.shown(real))}"
        for knob, real in zip(problem.space, reals, strict=True)
        if knob.name in problem.space.held
    ]
    parts = [tag("p", f"Held, and not turned: {listed(held)}.")] if held else []
    note = "What an option changes is marked."
    return section(
        "The knobs", table(("knob", "unit", *(name for name, _ in columns)), rows), *parts, note=note
    )  # fmt: skip


# --- What moves what -------------------------------------------------------------------------------------------------


def _sensitivity(answer: Answer) -> Markup:
    if not answer.effects:
        return Markup("")
    names = [segment.name for segment in answer.problem.segments]
    shown = answer.effects[:_MOST_KNOBS]
    most = max(shift.most for effect in shown for shift in effect.shifts[:_MOST_CHARTS])
    figures = []
    for k, name in enumerate(names[:_MOST_CHARTS]):
        tracks = [
            Track(
                f"{effect.knob.name}: {value_text(effect.knob, effect.before)} → "
                f"{value_text(effect.knob, effect.after)}",
                [Mark(effect.knob.name, *effect.shifts[k], "rate")],
            )
            for effect in shown
        ]
        figures.append(figure(name, interval_rows(tracks, (-most, most)), "the numbers that are folded up below"))
    rows = [
        (effect.knob.name, step_text(effect), *(shift_text(shift) for shift in effect.shifts))
        for effect in answer.effects
    ]
    note = (
        f"What one knob alone does to the win rate around {answer.options[0].letter}: a number goes a tenth of its "
        "range, a whole number from its value as far but one at least, a choice to each other option. By "
        "one model of all counts of the study: its intervals are 95 % each, and hold less often where win rates ripple "
        "between nearby settings."
    )
    return section(
        "What moves whom",
        charts(*figures),
        folded("The same as numbers", table(("knob", "step", *names), rows)),
        note=note,
    )
