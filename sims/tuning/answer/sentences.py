"""The answer of a study in the words of a colleague.

A target is called met only when the whole interval of the win rate lies inside its band. What a model says is said to
be the model's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sims.tuning.answer.answer import MET, MISSED, Answer, TunedOption, apart, further_attempts
from sims.tuning.answer.model_sentences import about_effects, about_limits
from sims.tuning.answer.phrases import band_text, change_text, named, rate_text, targets_text
from sims.tuning.answer.table import outcome_table, verdict
from sims.tuning.final_race import Rate
from sims.tuning.search.counts import Segment
from sims.tuning.search.staged_search import StageResult
from sims.tuning.study_files import practice_note, tuned_name
from sims.verdict.verdict import rounded_up
from sims.wording import UNCALIBRATED, count, listed


def answer_text(answer: Answer) -> str:
    """Words first, then the table, and last what the numbers are not."""
    named_files = "; ".join(f"{option.letter} is {tuned_name(i)}" for i, option in enumerate(answer.options))
    files = f"{named_files}. {practice_note(answer.problem)}".rstrip()
    said = "\n".join(sentences(answer))
    return f"{said}\n\n{outcome_table(answer.record)}\n\n{files}\n{UNCALIBRATED}"


def sentences(answer: Answer) -> list[str]:
    """The answer first, then the options, what stands in the way, and what moves what."""
    return [
        _headline(answer),
        *_about_baseline(answer),
        *(_about_option(answer, option) for option in answer.options),
        *_about_doubt(answer),
        *_about_dropped(answer),
        *_about_constant(answer),
        *about_limits(answer),
        *_about_the_end(answer),
        *_about_stages(answer),
        *about_effects(answer),
    ]


def _headline(answer: Answer) -> str:
    options, targets = answer.options, targets_text(answer.problem.segments)
    good = [option.letter for option in options if option.meets_all]
    first = options[0]
    if answer.nothing_to_change:
        return f"Your defaults already meet {targets}; nothing needs to change."
    if good and len(good) == len(options):
        settings = {1: "This setting meets", 2: "Both settings meet"}
        return f"{settings.get(len(good), f'All {count(len(good))} settings meet')} {targets}."
    if good:
        verb = "meet" if len(good) > 1 else "meets"
        number = count(len(good)).capitalize()
        return f"{number} of the {count(len(options))} settings {verb} {targets}: {listed(good)}."
    if not first.measured:
        return (
            "It cannot be told whether a setting meets "
            f"{targets}: the limit was reached before it could be measured on fresh players."
        )
    if not first.misses:
        return f"It cannot be told yet whether a setting meets {targets}; nearest to it is {first.letter}."
    worst = max(first.misses, key=lambda k: _miss(first.rates[k], answer.problem.segments[k]))
    if answer.baseline.error <= first.error:
        return (
            f"No setting was found that meets {targets}, nor one whose largest error is below that of your defaults. "
            f"{first.letter}, the best of those that were measured, is furthest off for {_off(answer, first, worst)}."
        )
    return (
        f"No setting was found that meets {targets}. The best compromise is {first.letter}: "
        f"it is furthest off for {_off(answer, first, worst)}."
    )


def _about_baseline(answer: Answer) -> Iterator[str]:
    baseline, segments = answer.baseline, answer.problem.segments
    if answer.nothing_to_change:
        return
    if baseline.misses:
        worst = max(baseline.misses, key=lambda k: _miss(baseline.rates[k], segments[k]))
        missed = targets_text(answer.problem.segments)
        if len(segments) > 1:
            number = len(baseline.misses)
            missed = missed if number == len(segments) else f"{count(number)} of the {count(len(segments))} targets"
            missed += ", most of all that" if number > 1 else ", that"
        yield f"Your defaults miss {missed} of {_off(answer, baseline, worst)}."
    elif baseline.measured:
        names = listed(named([segments[k].name for k in baseline.undecided]))
        yield f"Your defaults miss no target for sure: for {names} {baseline.players:,} attempts in all cannot tell."
    else:
        yield "Your defaults could not be measured within the limit."


def _about_option(answer: Answer, option: TunedOption) -> str:
    knobs = answer.problem.search_space.size
    if not option.changes:
        said = f"{option.letter} changes nothing: it is your defaults, measured anew"
    else:
        changes = listed(named([change_text(change) for change in option.changes]))
        some = f"{count(len(option.changes))} of the {count(knobs)}"
        whole = "both" if knobs == 2 else f"all {count(knobs)}"
        said = f"{option.letter} changes {some if len(option.changes) < knobs else whole} knobs: {changes}"
    said += _against_first(answer, option)
    if not option.measured:
        return f"{said}. It was not measured."
    rates = listed(
        named([_rate_and_verdict(option.rates[k], answer.problem.segments[k]) for k in _worst_first(option)])
    )
    return f"{said}. Measured on {option.players:,} fresh players: {rates}."


def _against_first(answer: Answer, option: TunedOption) -> str:
    """How an option differs from the first one, where that is beyond noise."""
    first = answer.options[0]
    if option is first:
        return ""
    differing = [k for k in range(len(option.rates)) if apart(option.rates[k], first.rates[k])]
    if not differing:
        return ""
    k = max(differing, key=lambda j: abs(option.rates[j].rate - first.rates[j].rate))
    rate, other = option.rates[k].rate, first.rates[k].rate
    manner = "gentler" if rate > other else "harder"
    return f"; it is {manner} on {answer.problem.segments[k].name} than {first.letter}, {rate:.3f} against {other:.3f}"


def _about_doubt(answer: Answer) -> Iterator[str]:
    """What it would take to decide on the first option."""
    first, segments = answer.options[0], answer.problem.segments
    if answer.nothing_to_change or not first.measured or first.misses or not first.undecided:
        return
    needed = {k: further_attempts(first.rates[k], segments[k]) for k in first.undecided}
    known = [number for number in needed.values() if number is not None]
    hopeless = [segments[k].name for k, number in needed.items() if number is None]
    if hopeless:
        names = listed(named(hopeless))
        yield (
            f"So near an edge of the band is {first.letter} for {names} that even a million further attempts would "
            "probably not decide. A new search from here, --warm-start with this study, can find another setting; or "
            "give a wider tolerance."
        )
    elif known:
        yield (
            f"About {rounded_up(sum(known)):,} further attempts at {first.letter} would probably decide: tune again "
            "with a larger budget, and --warm-start so that what was counted is not lost."
        )


def _about_dropped(answer: Answer) -> Iterator[str]:
    if answer.dropped:
        what = "One more setting was" if answer.dropped == 1 else f"{count(answer.dropped).capitalize()} more were"
        yield f"{what} measured and left out: another is no worse in anything, and better in something."


def _about_constant(answer: Answer) -> Iterator[str]:
    for segment, won in answer.constant:
        attempts = sum(entry.tell.attempts[answer.problem.segments.index(segment)] for entry in answer.record.history)
        yield (
            f"Whatever was played, {segment.name} won {'every one' if won else 'none'} of {attempts:,} attempts: "
            "nothing shows which knob would move them, so look at their target, or at the bounds of the knobs."
        )


def _about_the_end(answer: Answer) -> Iterator[str]:
    if answer.record.certain == "met":
        yield "The search ended before its budget did: its model was sure enough that the targets are met."
    elif answer.record.certain == "unreachable":
        yield "The search ended before its budget did: its model was sure enough that a target is out of reach."


def _about_stages(answer: Answer) -> Iterator[str]:
    stages = [stage for stage in answer.record.stages if all(stage.attempts)]
    if not stages or not answer.baseline.measured:
        return
    errors = [f"with your defaults {answer.baseline.error:.3f}"]
    errors += [
        f"after turning {listed(stage.knobs)} {stage_error(stage, answer.problem.segments):.3f}" for stage in stages
    ]
    yield f"Stage by stage, the largest measured error: {'; '.join(errors)}."
    players = sorted({sum(stage.attempts) for stage in stages})
    each = " to ".join(f"{number:,}" for number in dict.fromkeys((players[0], players[-1])))
    yield (
        f"What stages bought was measured while searching, on only {each} players each, and chooses no option: "
        f"{_place_among(stages, answer.options[0])}."
    )


def _place_among(stages: Sequence[StageResult], first: TunedOption) -> str:
    """Which stage ended with the first option, and why it is not the last one."""
    ended = [stage for stage in stages if stage.point == first.candidate.point]
    if not ended:
        return f"{first.letter} is not a setting with which one of them ended"
    came_from = f"{first.letter} is what turning {listed(ended[0].knobs)} ended with"
    return came_from if stages[-1] in ended else f"{came_from}, which came out ahead on new players"


def stage_error(stage: StageResult, segments: Sequence[Segment]) -> float:
    """The largest distance of a stage's measured rates from their targets. Every segment was played."""
    rates = (wins / attempts for wins, attempts in zip(stage.wins, stage.attempts, strict=True))
    return max(abs(rate - segment.target) for rate, segment in zip(rates, segments, strict=True))


def _miss(rate: Rate, segment: Segment) -> float:
    """How far a rate is outside its band."""
    return max(segment.low - rate.rate, rate.rate - segment.high)


def _off(answer: Answer, option: TunedOption, k: int) -> str:
    """A missed segment in words."""
    rate, segment = option.rates[k], answer.problem.segments[k]
    side = "above" if rate.rate > segment.high else "below"
    return f"{segment.name}, {rate_text(rate)}, {_miss(rate, segment):.3f} {side} their band of {band_text(segment)}"


def _rate_and_verdict(rate: Rate, segment: Segment) -> str:
    found = verdict(rate, segment)
    wanted = "" if found == MET else f", wanted {band_text(segment)}"
    return f"{segment.name} {rate_text(rate)} ({found}{wanted})"


def _worst_first(option: TunedOption) -> list[int]:
    """Segments by what most deserves to be said."""
    order = {MISSED: 0, MET: 2}
    return sorted(range(len(option.verdicts)), key=lambda k: order.get(option.verdicts[k], 1))
