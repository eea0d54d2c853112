"""The answer of a study in words, and as a table for the terminal.

A target is called met only when the whole interval of the win rate lies inside its band. What a model says is called
the model's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from engine.parameters import Knob, Value
from sims.terminal import aligned
from sims.tuning.answer.answer import (
    CANNOT_TELL,
    MET,
    Answer,
    KnobChange,
    MeasuredSetting,
    differ,
    further_attempts,
    stage_error,
    target_verdict,
)
from sims.tuning.answer.feasibility import ReachableRate
from sims.tuning.answer.sensitivity import Effect, Shift
from sims.tuning.final_race import Rate, estimate_rates
from sims.tuning.problem import Problem
from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.staged_search import StageResult
from sims.tuning.study import BASELINE, CountedPoint
from sims.tuning.study_files import shown_values, tuned_name
from sims.verdict.numbers import rounded_up
from sims.wording import caution_of, count, listed

_MOST_NAMED: Final = 4  # knobs or segments in one sentence
_MOST_EFFECTS: Final = 3  # knobs whose effect has a sentence
_ROUNDED: Final = 0.002  # share of a knob's range that rounding may hide
_ESTIMATED: Final = "Estimated from all attempts of the search"


def answer_text(answer: Answer) -> str:
    """The whole answer for a terminal: sentences, the table, the files, and that win rates are uncalibrated."""
    files = "; ".join(f"{option.letter} is {tuned_name(i)}" for i, option in enumerate(answer.options))
    notes = [f"{files}.", caution_of(answer.problem.scenario.calibration)]
    return "\n\n".join(["\n".join(sentences(answer)), answer_table(answer), "\n".join(notes)])


def sentences(answer: Answer) -> list[str]:
    """The answer first, then the options, what the targets cannot have, and what each knob does."""
    return [
        _headline(answer),
        *_about_the_miss(answer),
        *_about_baseline(answer),
        *(_about_option(answer, option) for option in answer.options),
        *_about_doubt(answer),
        *_about_dropped(answer),
        *_about_constant(answer),
        *_about_reach(answer),
        *_about_the_end(answer),
        *_about_stages(answer),
        *_about_effects(answer),
    ]


def _headline(answer: Answer) -> str:
    options, targets = answer.options, _targets(answer.problem.segments)
    good = [option.letter for option in options if option.meets_all]
    first = options[0]
    if answer.nothing_to_change:
        return f"{answer.problem.home_first} already meet {targets}. Nothing needs to change."
    if good and len(good) == len(options):
        return f"{listed(good)} {'meet' if len(good) > 1 else 'meets'} {targets}."
    if good:
        verb = "meet" if len(good) > 1 else "meets"
        return (
            f"{count(len(good)).capitalize()} of the {count(len(options))} settings {verb} {targets}: {listed(good)}."
        )
    if not first.measured:
        return "The study reached its limit before it could measure a setting on fresh players."
    if not first.misses:
        return f"Too close to call: {first.letter} may meet {targets}, but these attempts are too few to confirm it."
    if answer.baseline.error <= first.error:
        best = f" {first.letter} is the best other setting." if first.changes else ""
        return (
            f"None of the measured settings meets {targets}. "
            f"Nothing measured is better than {answer.problem.home}: keep them.{best}"
        )
    return f"None of the measured settings meets {targets}. The nearest one is {first.letter}."


def _about_the_miss(answer: Answer) -> Iterator[str]:
    """How far the first option is off, where it misses a target."""
    first = answer.options[0]
    if first.misses and not answer.nothing_to_change:
        miss = _miss_text(first, _worst(first, answer.problem.segments), answer.problem)
        yield f"The largest miss of {first.letter}: {miss}."


def _about_baseline(answer: Answer) -> Iterator[str]:
    baseline, segments = answer.baseline, answer.problem.segments
    if answer.nothing_to_change:
        return
    if baseline.misses:
        number, targets = len(baseline.misses), _targets(segments)
        if number < len(segments):
            targets = f"{count(number)} of the {count(len(segments))} targets"
        worst = _miss_text(baseline, _worst(baseline, segments), answer.problem)
        miss = "The largest miss" if number > 1 else "The miss"
        yield f"{answer.problem.home_first} miss {targets}. {miss}: {worst}."
    elif baseline.measured:
        names = listed(_first_few([segments[k].name for k in baseline.undecided]))
        verb = "is" if len(baseline.undecided) == 1 and len(segments) == 1 else "are"
        yield f"With {answer.problem.home} {names} {verb} too close to call after {baseline.judged:,} attempts in all."
    else:
        yield f"{answer.problem.home_first} could not be measured within the limit."


def _about_option(answer: Answer, option: MeasuredSetting) -> str:
    knobs, segments = answer.problem.search_space.size, answer.problem.segments
    if not option.changes:
        text = f"{option.letter} changes nothing: the search came back to {answer.problem.home}."
    else:
        changes = listed(_first_few([knob_change_text(change) for change in option.changes]))
        whole = {1: "the one", 2: "both"}.get(knobs, f"all {count(knobs)}")
        some = f"{count(len(option.changes))} of the {count(knobs)}" if len(option.changes) < knobs else whole
        text = f"{option.letter} changes {some} knob{'s' * (knobs > 1)}: {changes}."
        if answer.nothing_to_change and option is answer.options[0] and option.meets_all:
            text = f"If you want another setting that also fits: {text}"
    text += _against_first(answer, option)
    if not option.measured:
        return f"{text} It was not measured."
    order = sorted(range(len(segments)), key=lambda k: _URGENCY[option.verdicts[k]])
    rates = "; ".join(_first_few([_rate_and_state(option.rates[k], segments[k]) for k in order]))
    return f"{text} Win rates of fresh players as a run judges them, {option.judged:,} attempts: {rates}."


_URGENCY: Final = {"missed": 0, "cannot tell": 1, "met": 2}  # order in which segments are named


def _against_first(answer: Answer, option: MeasuredSetting) -> str:
    """How an option differs from the first one, where that is beyond noise."""
    first = answer.options[0]
    pairs = list(zip(option.rates, first.rates, strict=True))
    differing = [k for k, pair in enumerate(pairs) if differ(*pair)]
    if option is first or not differing:
        return ""
    k = max(differing, key=lambda j: abs(pairs[j][0].rate - pairs[j][1].rate))
    rate, other = (one.rate for one in pairs[k])
    manner = "easier" if rate > other else "harder"
    name = answer.problem.segments[k].name
    return f" It is {manner} for {name} than {first.letter}: {_percent(rate)} % against {_percent(other)} %."


def _about_doubt(answer: Answer) -> Iterator[str]:
    """What it would take to decide on the first option."""
    first, segments = answer.options[0], answer.problem.segments
    if answer.nothing_to_change or not first.measured or first.misses or not first.undecided:
        return
    needed = {k: further_attempts(first.rates[k], segments[k]) for k in first.undecided}
    known = [number for number in needed.values() if number is not None]
    hopeless = [segments[k].name for k, number in needed.items() if number is None]
    if hopeless:
        yield (
            f"With {first.letter}, {listed(_first_few(hopeless))} are so near an edge of their target that even a "
            "million further attempts would probably not decide. A new search with --warm-start of this study may "
            "find another setting; or set a larger tolerance."
        )
    elif known:
        further = round(sum(known) * _played_for_each(answer))
        yield (
            f"About {rounded_up(further):,} further attempts with {first.letter} would probably give a clear "
            "answer. Tune again with a larger budget, and with --warm-start to keep the counts of this study."
        )


def _played_for_each(answer: Answer) -> float:
    """Attempts that are played for each one that is judged, as for the defaults: the others are warm-up."""
    judged = answer.baseline.judged
    return max(answer.record.spent[BASELINE] / judged, 1.0) if judged else 1.0


def _about_dropped(answer: Answer) -> Iterator[str]:
    for number, reason in (
        (answer.dropped, "another one is at least as good in everything and better in something"),
        (answer.far, f"{'it is' if answer.far == 1 else 'they are'} far from the targets"),
    ):
        if number:
            what = "One more setting was" if number == 1 else f"{count(number).capitalize()} more were"
            yield f"{what} measured but left out: {reason}."


def _about_constant(answer: Answer) -> Iterator[str]:
    for segment, won in answer.constant:
        k = answer.problem.segments.index(segment)
        attempts = sum(entry.tell.attempts[k] for entry in answer.record.history)
        yield (
            f"At every setting that was played, {segment.name} won {'all' if won else 'none'} of {attempts:,} "
            "attempts, so no effect of a knob on them can be seen. Check their target, or the bounds of the knobs."
        )


def _about_reach(answer: Answer) -> Iterator[str]:
    """What can be said of the targets that the first option misses."""
    if answer.nothing_to_change:
        return
    constant = [segment for segment, _ in answer.constant]
    alone = [reach for reach in answer.feasibility.alone if reach.segment not in constant]
    unknown = [reach.segment.name for reach in alone if reach.verdict == CANNOT_TELL]
    within = [reach.segment.name for reach in alone if reach.verdict == "within reach"]
    for reach in alone:
        if reach.verdict == "out of reach":
            yield f"{_ESTIMATED}: {_bound(answer.problem, reach)}."
    if unknown:
        names = listed(_first_few(unknown))
        yield f"These attempts are too few to say whether {names} can reach their target at all."
    if not within:
        return
    names = f"target of {within[0]}" if len(within) == 1 else f"targets of {listed(_first_few(within))}"
    each = "" if len(within) == 1 else " each"
    if len(answer.problem.segments) == 1:
        yield f"{_ESTIMATED}: the {names} can be met. Search with a larger budget."
    elif answer.feasibility.conflict:
        targets = _targets(answer.problem.segments)
        yield f"{_ESTIMATED}: the {names} can{each} be met alone, but no setting meets {targets} at once."
    else:
        yield (
            f"{_ESTIMATED}: the {names} can{each} be met alone. "
            "These attempts are too few to say whether all targets can be met at once."
        )


def _bound(problem: Problem, reach: ReachableRate) -> str:
    """How near a segment can come to its target."""
    held = [name for name in problem.space.names if name in problem.space.held]
    knobs = f"with the free knobs (held: {listed(_first_few(held))})" if held else "even with every knob free"
    name, way = reach.segment.name, "below" if reach.above else "above"
    if reach.known:
        limit = f"{_percent(reach.rate)} % (margin {_percent(reach.low)} to {_percent(reach.high)} %)"
        return f"{name} cannot get {way} {limit} {knobs}. Their target is {band_text(reach.segment)}"
    limit = f"between {_percent(reach.low)} and {_percent(reach.high)} %"
    return (
        f"{name} cannot reach their target of {band_text(reach.segment)} {knobs}. They cannot get {way} a win rate "
        f"that lies {limit}; these attempts are too few to say it more exactly"
    )


def _about_the_end(answer: Answer) -> Iterator[str]:
    """Why the search stopped early, and what the measurement says of that."""
    record = answer.record
    good = answer.options[0].meets_all or answer.baseline.meets_all
    refuted = " The measurement above shows that it can." if good else ""
    went_on = "the search went on with the attempts that were left"
    if record.certain == "unreachable" and record.went_on:
        yield f"An early estimate said that a target could not be reached. Still {went_on}.{refuted}"
    elif record.certain == "unreachable":
        yield f"The search stopped early: its estimate said a target could not be reached.{refuted}"
    elif record.went_on:
        yield f"A first measurement did not confirm that the targets are met, so {went_on}."
    elif record.certain == "met" and good:
        yield "The search stopped early: its estimate said that the targets are met, and the measurement confirms it."
    elif record.certain == "met":
        yield "The search stopped early, but the measurement does not confirm its estimate."


def _about_stages(answer: Answer) -> Iterator[str]:
    stages = [stage for stage in answer.record.stages if all(stage.attempts)]
    if not stages or not answer.baseline.measured:
        return
    errors = [f"{_percent(answer.baseline.error)} with {answer.problem.home}"]
    for stage in stages:
        error = _percent(stage_error(stage, answer.problem.segments))
        errors.append(f"{error} after tuning {listed(stage.knobs)}")
    yield f"Largest error of each stage, in percentage points: {'; '.join(errors)}."
    players = sorted({sum(stage.attempts) for stage in stages})
    each = " to ".join(f"{number:,}" for number in dict.fromkeys((players[0], players[-1])))
    yield (
        f"The search measured these errors on only {each} players each, so they do not choose the options. "
        f"{_stage_of(stages, answer.options[0])}."
    )


def _stage_of(stages: Sequence[StageResult], first: MeasuredSetting) -> str:
    """Which stage ended with the first option, and why it is not the last one."""
    ended = [stage for stage in stages if stage.point == first.point.point]
    if not ended:
        return f"{first.letter} is not the result of any one stage"
    origin = f"{first.letter} is the result of tuning {listed(ended[0].knobs)}"
    return origin if stages[-1] in ended else f"{origin}; it did best on new players"


def _about_effects(answer: Answer) -> Iterator[str]:
    """The most influential knobs, and those without a visible effect."""
    names = [segment.name for segment in answer.problem.segments]
    visible = [effect for effect in answer.effects if effect.visible]
    by_knob = {effect.knob.name: effect for effect in reversed(visible)}  # the strongest effect of each knob
    strongest = sorted(by_knob.values(), key=visible.index)
    for place, effect in enumerate(strongest[:_MOST_EFFECTS]):
        opening = f"Most influential, {_ESTIMATED[0].lower()}{_ESTIMATED[1:]}" if place == 0 else "Next"
        segment, shift = names[effect.strongest], effect.shifts[effect.strongest]
        yield f"{opening}: {effect.knob.name}. {_step_clause(effect)} {_shift_clause(shift, segment)}."
    others = list(dict.fromkeys(one.knob.name for one in answer.effects if one.knob.name not in by_knob))
    small = [name for name in others if all(one.small for one in answer.effects if one.knob.name == name)]
    unknown = [name for name in others if name not in small]
    letter, changed = answer.options[0].letter, {change.knob.name for change in answer.options[0].changes}
    idle, moved = ([name for name in small if (name in changed) == moves] for moves in (False, True))
    for some in (idle, moved):
        if some:
            most = max(shift.most for one in answer.effects if one.knob.name in some for shift in one.shifts)
            yield (
                f"{listed(some)} {'have' if len(some) > 1 else 'has'} no visible effect around {letter}: at most "
                f"{_percent(most)} percentage points either way."
            )
    if moved:
        yield (
            f"These attempts are too few to say whether {letter} would do as well with {_own_value(answer)} of "
            f"{listed(moved)}, so {letter} keeps {'these changes' if len(moved) > 1 else 'this change'}."
        )
    if unknown:
        yield f"These attempts are too few to show what {listed(unknown)} {'do' if len(unknown) > 1 else 'does'}."


# --- Phrases ----------------------------------------------------------------------------------------------------------


def rate_text(rate: Rate) -> str:
    """A measured rate with its margin, such as "65.0 % (margin 64.0 to 66.0 %)"."""
    if not rate.attempts:
        return "not measured"
    return f"{_percent(rate.rate)} % (margin {_percent(rate.low)} to {_percent(rate.high)} %)"


def state_text(rate: Rate, segment: Segment) -> str:
    """A verdict in words: on target, above or below target, or too close to call."""
    judged = target_verdict(rate, segment)
    if judged == CANNOT_TELL:
        return "too close to call"
    return "on target" if judged == MET else "above target" if rate.rate > segment.high else "below target"


def shift_text(shift: Shift) -> str:
    """The effect of a step on a win rate with its margin, such as "-5.0 points (margin -5.5 to -4.5)"."""
    value, low, high = (f"{100.0 * end:+.1f}" for end in (shift.value, shift.low, shift.high))
    return f"{value} points (margin {low} to {high})"


def step_text(effect: Effect) -> str:
    """From where to where a knob goes."""
    knob = effect.knob
    before, after = (value_text(knob, value) for value in (effect.before, effect.after))
    if knob.scale == "choice":
        return f"{after} instead of {before}"
    way = f"from {before} to {after}{_unit(knob)}"
    if knob.scale == "integer":
        cells = int(effect.after) - int(effect.before)
        return f"{count(abs(cells))} {'more' if cells > 0 else 'fewer'} ({way})"
    return way


def _step_clause(effect: Effect) -> str:
    """The step of a knob as the subject of a sentence about that knob."""
    knob = effect.knob
    before, after = (value_text(knob, value) for value in (effect.before, effect.after))
    if knob.scale == "choice":
        return f"Choosing {after} instead of {before}"
    manner = "Raising" if float(effect.after) > float(effect.before) else "Lowering"
    return f"{manner} it from {before} to {after}{_unit(knob)}"


def _shift_clause(shift: Shift, segment: str) -> str:
    """What a visible effect does to the win rate of a segment, without a sign."""
    manner = "raises" if shift.value > 0.0 else "lowers"
    low, value, high = (f"{100.0 * end:.1f}" for end in sorted(map(abs, (shift.value, shift.low, shift.high))))
    return f"{manner} the win rate of {segment} by {value} points (margin {low} to {high})"


def knob_change_text(change: KnobChange) -> str:
    """What an option does to a knob."""
    knob = change.knob
    before, after = (value_text(knob, value) for value in (change.before, change.after))
    if before == after:
        return f"{knob.name} slightly (still about {after}{_unit(knob)})"
    return f"{knob.name} from {before} to {after}{_unit(knob)}"


def band_text(segment: Segment) -> str:
    """The target of a segment, such as "70 to 80 %"."""
    low, high = (f"{100.0 * end:.6g}" for end in (segment.low, segment.high))
    return f"exactly {low} %" if low == high else f"{low} to {high} %"


def value_text(knob: Knob, value: Value) -> str:
    """A knob's value with the digits that matter: rounding hides a thousandth of the knob's range at most.

    On a log scale steps grow with the value, and the range counts as value x log(high / low).
    """
    if not isinstance(value, float):
        return str(value)
    span = value * math.log(knob.high / knob.low) if knob.scale == "log" else knob.high - knob.low
    digits = max(math.ceil(-math.log10(_ROUNDED * span)), 0)
    text = f"{round(value, digits) + 0.0:.{digits}f}"  # no -0.00
    return text.rstrip("0").rstrip(".") if digits else text


def _own_value(answer: Answer) -> str:
    """What the study starts from, of one knob."""
    return f"the value in {answer.problem.beside}" if answer.problem.beside else "the default"


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f}"


def _unit(knob: Knob) -> str:
    return "" if knob.unit == "1" else f" {knob.unit}"


def _targets(segments: Sequence[Segment]) -> str:
    return {1: "the target", 2: "both targets"}.get(len(segments), f"all {count(len(segments))} targets")


def _first_few(names: Sequence[str]) -> list[str]:
    """The first few, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return list(names) if more <= 1 else [*names[:_MOST_NAMED], f"{count(more)} more"]


def _miss(rate: Rate, segment: Segment) -> float:
    """How far a rate is outside its band."""
    return max(segment.low - rate.rate, rate.rate - segment.high)


def _worst(setting: MeasuredSetting, segments: Sequence[Segment]) -> int:
    return max(setting.misses, key=lambda k: _miss(setting.rates[k], segments[k]))


def _miss_text(setting: MeasuredSetting, k: int, problem: Problem) -> str:
    """A missed segment in words."""
    rate, segment = setting.rates[k], problem.segments[k]
    side = "above" if rate.rate > segment.high else "below"
    miss = f"{_percent(_miss(rate, segment))} percentage points {side} the target of {band_text(segment)}"
    return f"{segment.name} with {rate_text(rate)}, {miss}"


def _rate_and_state(rate: Rate, segment: Segment) -> str:
    state = state_text(rate, segment)
    target = "" if target_verdict(rate, segment) == MET else f" ({band_text(segment)})"
    return f"{segment.name} {rate_text(rate)}, {state}{target}"


# --- The table --------------------------------------------------------------------------------------------------------


def answer_table(answer: Answer) -> str:
    """Knobs and win rates of the defaults, of each option, and of the end of each stage."""
    columns = {answer.problem.beside or "defaults": answer.baseline.point}
    columns |= {option.letter: option.point for option in answer.options}
    for stage in answer.record.stages:
        columns[f"after tuning {', '.join(stage.knobs)}"] = end_of(stage, answer.problem)
    return points_table(answer.problem, columns)


def points_table(problem: Problem, columns: Mapping[str, CountedPoint]) -> str:
    """Knobs and win rates in %, a column for each point."""
    rows: list[list[str]] = [["", "target", *columns]]
    values = [shown_values(problem, point.point) for point in columns.values()]
    for name in problem.search_space.names:
        knob = problem.space[problem.space.names.index(name)]
        rows.append([name, "", *(value_text(knob, shown[name]) for shown in values)])
    for k, segment in enumerate(problem.segments):
        cells = [_cell(point.rates[k], segment) for point in columns.values()]
        rows.append([segment.name, band_text(segment), *cells])
    return aligned(rows, indent="")


def end_of(stage: StageResult, problem: Problem) -> CountedPoint:
    """The result of a stage with its win rates."""
    tell = Tell(stage.point, stage.attempts, stage.wins, 0)
    return CountedPoint(stage.point, stage.attempts, stage.wins, tuple(estimate_rates([tell], problem.segments)))


def _cell(rate: Rate, segment: Segment) -> str:
    if not rate.attempts:
        return "-"
    margin = f"{_percent(rate.low)} to {_percent(rate.high)} %"
    return f"{_percent(rate.rate)} % ({margin}) {state_text(rate, segment)}"
