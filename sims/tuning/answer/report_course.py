"""How a study went, for its report: what each stage bought, the search as it saw itself, cost, origin and method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from engine.inference.intervals import CONFIDENCE
from sims.html.charts import Point, line_chart
from sims.html.markup import Markup, Part, joined, tag
from sims.html.page import NOTHING, charts, figure, section, table
from sims.run_folder.folder import Start
from sims.tuning.answer.answer import MET, MISSED, Answer
from sims.tuning.answer.phrases import rate_text
from sims.tuning.answer.sentences import stage_error
from sims.tuning.answer.table import end_of, verdict
from sims.tuning.final_race import Rate
from sims.tuning.journal import NAME as JOURNAL
from sims.tuning.progress import miss_of
from sims.tuning.search.counts import Counts, Segment
from sims.tuning.search.scoreboard import Scoreboard
from sims.tuning.study import BASELINE, FINAL_RACE, MEASUREMENT, SEARCH, CountedPoint
from sims.tuning.study_files import COUNTS
from sims.wording import listed

_STATES: Final = {MET: "good", MISSED: "off"}
_LOOKS: Final = 40  # points of the chart of progress
_DONE: Final = {
    BASELINE: "your defaults",
    SEARCH: "the search",
    FINAL_RACE: "the race of its best settings",
    MEASUREMENT: "the measurement of the options",
}


def stages_part(answer: Answer) -> Markup:
    """What each group of knobs bought; nothing where the search had no stages."""
    stages, problem = answer.record.stages, answer.problem
    if not stages:
        return Markup("")
    rows: list[Sequence[Part]] = [
        ("your defaults", error_text(answer.baseline.error), *_cells(answer, answer.baseline.candidate))
    ]
    for stage in stages:
        error = f"{stage_error(stage, problem.segments):.3f}" if all(stage.attempts) else NOTHING
        rows.append((f"after turning {listed(stage.knobs)}", error, *_cells(answer, end_of(stage, problem))))
    headings = ("stage", "largest error", *(segment.name for segment in problem.segments))
    note = (
        "Groups of knobs in the order of their influence; each was measured while searching, on some players whom its "
        "search had not met. Those few players choose no option: new players did, and the options were measured anew."
    )
    return section("What each stage bought", table(headings, rows), note=note)


def _cells(answer: Answer, candidate: CountedPoint) -> list[Part]:
    return [rate_cell(rate, segment) for rate, segment in zip(candidate.rates, answer.problem.segments, strict=True)]


def progress_part(answer: Answer) -> Markup:
    """The best point of the search over the attempts that it had, by its own counts."""
    told = [one for one in answer.record.history if one.stage not in (FINAL_RACE, MEASUREMENT)]
    searched = sum(one.stage == SEARCH for one in told)
    if not searched:
        return Markup("")
    problem = answer.problem
    board = Scoreboard(problem.search_space, problem.segments, problem.start)
    counts = Counts()
    confidence = CONFIDENCE ** (1.0 / len(problem.segments))
    points: list[Point] = []
    attempts = seen = 0
    for one in told:
        board.add([one.tell])
        counts.add(one.tell)
        if one.stage != SEARCH:
            continue
        attempts += sum(one.tell.attempts)
        seen += 1
        if seen == searched or seen * _LOOKS // searched > (seen - 1) * _LOOKS // searched:
            played, won = counts.of(board.best(1)[0])
            if all(played):
                ends = [
                    miss_of(w, n, segment, confidence)
                    for w, n, segment in zip(won, played, problem.segments, strict=True)
                ]
                error, low, high = (max(parts) for parts in zip(*ends, strict=True))
                points.append(Point(float(attempts), error, low, high))
    if not points:
        return Markup("")
    if len({point.y for point in points}) == 1:
        flat = (
            f"By its own counts, the best point of the search was {points[0].y:.3f} off from first to last: no chart."
        )
        return section("How the search went", tag("p", flat))
    top = max(point.high for point in points)
    picture = line_chart(points, "rate", ("attempts of the search", "largest error"), (0.0, max(top, 0.01)))
    meaning = f"from {points[0].y:.3f} at first to {points[-1].y:.3f} at last"
    note = (
        "What the search saw: the point that was surely good by its own counts, how far its worst segment was off, and "
        "between which bounds that lay. It flatters, since counts that chose a point also judge it here; the numbers "
        "above are of players who had no part in the search."
    )
    return section("How the search went", charts(figure("Best so far", picture, meaning)), note=note)


def budget_part(answer: Answer) -> Markup:
    """Attempts by what they were spent on."""
    spent, limits = answer.record.spent, answer.record.limits
    rows = [(_DONE.get(stage, stage), f"{attempts:,}") for stage, attempts in spent.items()]
    rows.append(("together", f"{sum(spent.values()):,}"))
    rows.append(("limit", f"{limits.attempts:,}"))
    if limits.seconds is not None:
        rows.append(("limit of time", f"{limits.seconds:g} s"))
    note = joined(
        "Attempts, one of each player. All counts are in ", tag("code", COUNTS), ", and for a program in ",
        tag("code", JOURNAL), ".",
    )  # fmt: skip
    return section("What it cost", table(("for", "attempts"), rows, "pairs"), note=note)


def origin_part(answer: Answer, start: Start) -> Markup:
    """What a study with the same numbers needs."""
    scenario = answer.problem.scenario
    rows: list[Sequence[Part]] = [
        ("scenario digest", tag("code", start.scenario_digest)),
        *((f"code of the {name}", tag("code", digest)) for name, digest in sorted(start.code.items())),
        ("seed", str(scenario.seed)),
        ("game", scenario.form.game.name),
        *((name.replace("_", " "), _asked(value)) for name, value in start.study.items()),
        ("Flowdial", start.flowdial_version),
        *((name, number) for name, number in sorted(start.versions.items())),
    ]
    note = "The same scenario, seed, options and versions give the same bytes, whatever the number of workers."
    if answer.record.limits.seconds is not None:
        note = "A limit of seconds was set: how much was played depends on the machine, so another one may differ."
    return section("Where it comes from", table(("what", "value"), rows, "pairs"), note=note)


def _asked(value: Any) -> str:
    if isinstance(value, list | tuple):  # earlier counts
        return f"{len(value):,} counts" if value else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def method_part(answer: Answer) -> Markup:
    """What the numbers are, and what they are not."""
    race = (
        "These race: all play the same players, the better half stays, and every round has new players."
        if answer.record.spent[FINAL_RACE]
        else "There were no more of these than could be measured, so none had to be chosen by a race."
    )
    texts = (
        "Your defaults are measured first. The search then plays many settings with few attempts each, and names its "
        f"best. {race} The options that are left are measured on players whom nothing before has met; only those "
        "numbers are reported, since what was optimised always looks better than it is.",
        'A target is "met" only when the whole interval of the win rate lies inside its band, "missed" only when all '
        "of it lies outside. Intervals are Wilson's, with the spread between blocks of players where "
        "there are enough of these; those of all options hold for all their targets at once (Sidak 1967).",
        "What a knob does, and what cannot be reached, is the judgement of a model of all counts: one binomial "
        "regression for each segment. It is a good guide around the settings that were played, and no measurement.",
        "The players are synthetic. Nothing here says whether the game is fun.",
    )
    return section("How the numbers were made", *(tag("p", text) for text in texts))


def rate_cell(rate: Rate, segment: Segment) -> Part:
    """A measured rate, and what may be said of its target as a coloured word."""
    if not rate.attempts:
        return "not measured"
    found = verdict(rate, segment)
    return tag("span", rate_text(rate), " ", tag("span", found, class_=f"state {_STATES.get(found, 'open')}"))


def error_text(value: float) -> str:
    """A distance between win rates; a dash where it is not known."""
    return f"{value:.3f}" if value == value else NOTHING
