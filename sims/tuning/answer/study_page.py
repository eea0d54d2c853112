"""report.html of a study: the answer, then before and after, what each knob does, and how the study went.

The page follows from the counts and from what the study began with. It shows no time, so the same study gives the same
bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from engine.inference.intervals import CONFIDENCE
from sims.html.charts import ChartPoint, line_chart
from sims.html.legend import key
from sims.html.markup import Markup, Part, joined, tag
from sims.html.page import NOTHING, charts, document, figure, folded, header, section, table
from sims.html.row_charts import Mark, Track, interval_rows
from sims.run_folder.files import write_file
from sims.run_folder.folder import REPORT, Start
from sims.tuning.answer.answer import CANNOT_TELL, MET, MISSED, Answer, MeasuredSetting, stage_error, target_verdict
from sims.tuning.answer.sentences import (
    band_text,
    end_of,
    rate_text,
    sentences,
    shift_text,
    state_text,
    step_text,
    value_text,
)
from sims.tuning.final_race import Rate
from sims.tuning.journal import NAME as JOURNAL
from sims.tuning.progress import miss_of
from sims.tuning.search.counts import Counts, Segment
from sims.tuning.search.scoreboard import Scoreboard
from sims.tuning.study import BASELINE, FINAL_RACE, MEASUREMENT, REHEARSAL, SEARCH
from sims.tuning.study_files import COUNTS, shown_values, tuned_name
from sims.wording import badge_of, caution_of, listed

_COLOURS: Final = ("dial", "rate", "belief", "loss")  # of the defaults and the first options
_MOST_TRACKS: Final = 24  # segments in the chart of rates
_MOST_CHARTS: Final = 12  # of effects, one for each segment
_MOST_KNOBS: Final = 20  # in one of them
_LOOKS: Final = 40  # points of the chart of progress
_STATES: Final = {MET: "good", MISSED: "off", CANNOT_TELL: "open"}
_STAGES: Final = {
    SEARCH: "the search",
    REHEARSAL: "how much skill decides",
    FINAL_RACE: "the play-off of its best settings",
    MEASUREMENT: "the measurement of the options",
}


def write_study_report(folder: Path, answer: Answer, start: Start) -> str:
    """Write the report of a study into its folder; return its name. start: what the study began with."""
    write_file(folder / REPORT, study_page(answer, start).encode())
    return REPORT


def study_page(answer: Answer, start: Start) -> str:
    """The whole document."""
    title = answer.problem.scenario.title or f"Tuning {answer.problem.scenario.form.game.name}"
    return document(
        title,
        _header(answer, start, title),
        _verdict(answer),
        _rates(answer),
        _knobs(answer),
        _effects(answer),
        _stages(answer),
        _progress(answer),
        _attempts(answer),
        _method(answer),
        _origin(answer, start),
    )


def _header(answer: Answer, start: Start, title: str) -> Markup:
    scenario = answer.problem.scenario
    attempts = sum(answer.record.spent.values())
    subtitle = (
        f"{answer.problem.search_space.size} knobs of {scenario.form.game.name}, tuned with {attempts:,} attempts of "
        f"synthetic players (method {start.study['method']}, seed {scenario.seed})"
    )
    return header(title, badge_of(scenario.calibration), subtitle)


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
        tag("p", files),
        tag("p", caution_of(answer.problem.scenario.calibration), class_="caution"),
        class_="verdict",
    )


def _columns(answer: Answer) -> list[tuple[str, MeasuredSetting]]:
    return [(answer.problem.home, answer.baseline), *((option.letter, option) for option in answer.options)]


def _rates(answer: Answer) -> Markup:
    """Win rates before and after, as a chart and as a table."""
    columns = _columns(answer)
    rows: list[Sequence[Part]] = []
    for k, segment in enumerate(answer.problem.segments):
        rows.append((segment.name, band_text(segment), *(_rate_cell(one.rates[k], segment) for _, one in columns)))
    rows.append(("largest error (points)", NOTHING, *(_points(one.error) for _, one in columns)))
    rows.append(("gap between groups (points)", NOTHING, *(_points(one.spread) for _, one in columns)))
    rows.append(("size of change", NOTHING, *(f"{100.0 * one.change_size:.1f} %" for _, one in columns)))
    headings = ("group", "target", *(name for name, _ in columns))
    note = (
        "All margins hold at once, with 95 % confidence. Error: distance of a win rate from the middle of its target, "
        "in percentage points. Gap: from the group furthest below its target to the group furthest above. Size of "
        f"change: how far the knobs are from {answer.problem.home}, as a mean share of their ranges."
    )
    return section("Before and after", _rates_chart(answer), table(headings, rows), note=note)


def _rates_chart(answer: Answer) -> Markup:
    columns = _columns(answer)[: len(_COLOURS)]
    segments = answer.problem.segments[:_MOST_TRACKS]
    tracks = []
    for k, segment in enumerate(segments):
        marks = [
            Mark(name, one.rates[k].rate, one.rates[k].low, one.rates[k].high, colour)
            for (name, one), colour in zip(columns, _COLOURS, strict=False)
            if one.rates[k].attempts
        ]
        tracks.append(Track(segment.name, marks, (segment.low, segment.high)))
    ends = [end for track in tracks for mark in track.marks for end in (mark.low, mark.high)]
    ends += [end for segment in segments for end in (segment.low, segment.high)]
    air = 0.05 * (max(ends) - min(ends)) + 0.01
    span = max(min(ends) - air, 0.0), min(max(ends) + air, 1.0)
    legend = tag(
        "p",
        key("wanted", "target"),
        *(key(colour, name) for (name, _), colour in zip(columns, _COLOURS, strict=False)),
        class_="legend",
    )
    picture = joined(interval_rows(tracks, span, percent=True), legend)
    more = len(answer.problem.segments) - len(segments)
    label = "Win rates and targets" + (f" of the first {len(segments)} groups" if more else "")
    return tag("div", figure(label, picture, "the numbers of the table below"), class_="charts wider")


def _knobs(answer: Answer) -> Markup:
    """The values of all knobs; those that an option changes are marked."""
    problem, columns = answer.problem, _columns(answer)
    values = [shown_values(problem, one.point.point) for _, one in columns]
    changed = [{change.knob.name for change in one.changes} for _, one in columns]
    rows: list[Sequence[Part]] = []
    for j in problem.space.free:
        knob = problem.space[j]
        texts = [value_text(knob, shown[knob.name]) for shown in values]
        cells = [
            tag("span", text, class_="state open") if knob.name in names else text
            for text, names in zip(texts, changed, strict=True)
        ]
        rows.append((knob.name, NOTHING if knob.unit == "1" else knob.unit, *cells))
    reals = problem.values(problem.start)
    held = [
        f"{knob.name} {value_text(knob, knob.shown(real))}"
        for knob, real in zip(problem.space, reals, strict=True)
        if knob.name in problem.space.held
    ]
    parts = [tag("p", f"Held, so not tuned: {listed(held)}.")] if held else []
    headings = ("knob", "unit", *(name for name, _ in columns))
    return section("Knobs", table(headings, rows), *parts, note="Values that an option changes are marked.")


def _effects(answer: Answer) -> Markup:
    if not answer.effects:
        return Markup("")
    names = [segment.name for segment in answer.problem.segments]
    drawn = answer.effects[:_MOST_KNOBS]
    most = 100.0 * max(shift.most for effect in drawn for shift in effect.shifts[:_MOST_CHARTS])
    figures = []
    for k, name in enumerate(names[:_MOST_CHARTS]):
        tracks = []
        for effect in drawn:
            before, after = (value_text(effect.knob, value) for value in (effect.before, effect.after))
            shift = effect.shifts[k]
            mark = Mark(effect.knob.name, 100.0 * shift.value, 100.0 * shift.low, 100.0 * shift.high, "rate")
            tracks.append(Track(f"{effect.knob.name}: {before} → {after}", [mark]))
        figures.append(figure(name, interval_rows(tracks, (-most, most)), "the numbers in the folded table below"))
    rows = [
        (effect.knob.name, step_text(effect), *(shift_text(shift) for shift in effect.shifts))
        for effect in answer.effects
    ]
    note = (
        f"The effect of one knob alone on the win rate around {answer.options[0].letter}, in percentage points. A "
        "number changes by a tenth of its range, a whole number by as much but at least one, a choice to each other "
        "value. The effects are estimated from all attempts of the search, with a 95 % margin for each."
    )
    numbers = folded("The same as numbers", table(("knob", "step", *names), rows))
    return section("What each knob does", charts(*figures), numbers, note=note)


def _stages(answer: Answer) -> Markup:
    """The result of each group of knobs; nothing where the search had no stages."""
    stages, problem = answer.record.stages, answer.problem
    if not stages:
        return Markup("")
    points = [(answer.problem.home, answer.baseline.error, answer.baseline.point)]
    for stage in stages:
        error = stage_error(stage, problem.segments)
        points.append((f"after tuning {listed(stage.knobs)}", error, end_of(stage, problem)))
    rows: list[Sequence[Part]] = [
        (name, _points(error), *map(_rate_cell, point.rates, problem.segments)) for name, error, point in points
    ]
    headings = ("stage", "largest error (points)", *(segment.name for segment in problem.segments))
    note = (
        "Groups of knobs in the order of their influence. Each stage was measured during the search, on a few players "
        "of its own. These few players do not choose the options: the options were measured again on new players."
    )
    return section("Result of each stage", table(headings, rows), note=note)


def _progress(answer: Answer) -> Markup:
    """The best point of the search over its attempts, by the search's own counts."""
    points = _best_points(answer)
    if not points:
        return Markup("")
    first, last = points[0].y, points[-1].y
    if len({point.y for point in points}) == 1:
        flat = f"The largest error of the best setting stayed at {first:.1f} percentage points, so there is no chart."
        return section("Progress of the search", tag("p", flat))
    top = max(point.high for point in points)
    picture = line_chart(points, "rate", ("attempts of the search", "largest error (points)"), (0.0, max(top, 1.0)))
    note = (
        "The largest error of the best setting so far, in percentage points with its margin. The attempts that chose "
        "this setting also measure it here, so the error looks smaller than it is. The numbers above come from players "
        "that the search never used."
    )
    meaning = f"from {first:.1f} points at first to {last:.1f} at last"
    return section("Progress of the search", charts(figure("Best so far", picture, meaning)), note=note)


def _best_points(answer: Answer) -> list[ChartPoint]:
    """Attempts of the search and the largest error, in percentage points, of the best point by then."""
    entries = [entry for entry in answer.record.history if entry.stage not in (FINAL_RACE, MEASUREMENT)]
    searched = sum(entry.stage == SEARCH for entry in entries)
    segments = answer.problem.segments
    board = Scoreboard(answer.problem.search_space, segments, answer.problem.start)
    counts = Counts()
    confidence = CONFIDENCE ** (1.0 / len(segments))
    points: list[ChartPoint] = []
    attempts = seen = 0
    for stage, tell in entries:
        board.add([tell])
        counts.add(tell)
        if stage != SEARCH:
            continue
        attempts += sum(tell.attempts)
        seen += 1
        if seen == searched or seen * _LOOKS // searched > (seen - 1) * _LOOKS // searched:
            played, won = counts.of(board.best(1)[0])
            if all(played):
                misses = [miss_of(w, n, one, confidence) for w, n, one in zip(won, played, segments, strict=True)]
                error, low, high = (100.0 * max(parts) for parts in zip(*misses, strict=True))
                points.append(ChartPoint(float(attempts), error, low, high))
    return points


def _attempts(answer: Answer) -> Markup:
    """Attempts by what they were used for."""
    spent, limits = answer.record.spent, answer.record.limits
    names = _STAGES | {BASELINE: answer.problem.home}
    rows = [(names[stage], f"{attempts:,}") for stage, attempts in spent.items()]
    rows.append(("in all", f"{sum(spent.values()):,}"))
    rows.append(("limit", f"{limits.attempts:,}"))
    if limits.seconds is not None:
        rows.append(("time limit", f"{limits.seconds:g} s"))
    note = joined(
        f"{answer.problem.home_first} and the options are measured by players who play as in a run, whose attempts are "
        "planned; elsewhere each attempt is by another player. All counts are in ",
        tag("code", COUNTS), ", and for programs in ", tag("code", JOURNAL), ".",
    )  # fmt: skip
    return section("Attempts used", table(("for", "attempts"), rows, "pairs"), note=note)


def _origin(answer: Answer, start: Start) -> Markup:
    """What a study with the same numbers needs."""
    scenario = answer.problem.scenario
    rows: list[Sequence[Part]] = [
        ("fingerprint of the scenario", tag("code", start.scenario_digest)),
        *((f"fingerprint of the {name}'s code", tag("code", digest)) for name, digest in sorted(start.code.items())),
        ("seed", str(scenario.seed)),
        ("game", scenario.form.game.name),
        *((name.replace("_", " "), _asked_text(value)) for name, value in start.study.items()),
        ("Flowdial", start.flowdial_version),
        *((name, number) for name, number in sorted(start.versions.items())),
    ]
    note = "The same scenario, seed, options and versions give the same bytes, with any number of workers."
    if answer.record.limits.seconds is not None:
        note = "The study had a time limit: how much it plays depends on the machine, so another machine may differ."
    return section(
        "How to repeat this study", folded("Versions and settings", table(("what", "value"), rows, "pairs")), note=note
    )


def _asked_text(value: Any) -> str:
    if isinstance(value, dict):  # a place among tiers
        return f"one of {value['of']}" + (f", next to {value['beside']}" if value["beside"] else "")
    if isinstance(value, list | tuple):  # earlier counts
        return f"{len(value):,} counts" if value else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _method(answer: Answer) -> Markup:
    """What the numbers are, and what they are not."""
    play_off = (
        "In the play-off all of them play the same players, the better half stays, and each round has new players."
        if answer.record.spent[FINAL_RACE]
        else "All of them could be measured, so no play-off was needed."
    )
    texts = (
        f"{answer.problem.home_first} are measured first. The search then plays many settings with few attempts each, "
        f"and names its best ones. {play_off} The options that are left are measured on fresh players. Only these "
        "numbers are reported, since a setting always looks better on the attempts that chose it.",
        'A group is "on target" only when the whole margin of its win rate lies inside the target, and "above" or '
        '"below target" only when all of it lies outside. Margins are Wilson\'s, with the spread between blocks of '
        "players where there are enough blocks. All margins of all options hold at once (Sidak 1967).",
        "What a knob does, and which targets are out of reach, is the judgement of a model of all counts: one binomial "
        "regression for each group. It is a good guide around the settings that were played, but not a measurement.",
        "The players are synthetic. Nothing here measures fun.",
    )
    return section("How the numbers were made", *(tag("p", text) for text in texts))


def _rate_cell(rate: Rate, segment: Segment) -> Part:
    """A measured rate, and its state as a coloured word."""
    if not rate.attempts:
        return "not measured"
    colour = _STATES[target_verdict(rate, segment)]
    return tag("span", rate_text(rate), " ", tag("span", state_text(rate, segment), class_=f"state {colour}"))


def _points(error: float) -> str:
    """A distance between win rates in percentage points; a dash where it is not known."""
    return NOTHING if math.isnan(error) else f"{100.0 * error:.1f}"
