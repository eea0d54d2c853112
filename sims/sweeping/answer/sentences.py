"""What a sweep says in words: the winner beside the baseline, each group, the curve, and how sure all that is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from sims.sweeping.answer.sweep_answer import MeasuredTrial, SweepAnswer
from sims.sweeping.objective import Objective
from sims.sweeping.space import Settings, SweptValue
from sims.sweeping.trial_records import Measure
from sims.wording import listed

_MANY_KEYS: Final = 4  # in a grid
_STATES: Final = {
    "in band": "on target",
    "above": "above target",
    "below": "below target",
    "off": "off target",
    "cannot tell": "too close to call",
}


def sweep_sentences(answer: SweepAnswer) -> tuple[str, ...]:
    """The answer in words; the first sentence says which settings are best and whether they are better."""
    return (
        _headline(answer),
        *_about_groups(answer),
        *_about_front(answer),
        *_about_optimism(answer),
        *_about_curve(answer),
        *_about_influence(answer),
        *_about_stages(answer),
        *_about_course(answer),
    )


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """The last word of each key, where that names it alone; else the whole key."""
    last = [key.rpartition(".")[2] for key in keys]
    return {key: word if last.count(word) == 1 else key for key, word in zip(keys, last, strict=True)}


def settings_text(settings: Settings, names: dict[str, str]) -> str:
    """Settings as "speed 6.5, q 0.01"."""
    return ", ".join(f"{names[key]} {swept_text(value)}" for key, value in settings) or "your settings"


def swept_text(value: SweptValue | None) -> str:
    """A value as people read it; a dash where there is none."""
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return ", ".join(f"{swept_text(one)}{f' from outcome {at}' if at else ''}" for at, one in value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{value:.0f}"
    return f"{value:.4g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def state_words(state: str) -> str:
    """A state as people read it."""
    return _STATES[state]


def loss_text(answer: SweepAnswer, loss: Measure, *, margin: bool = True, objective: int = 0) -> str:
    """A loss with its margin, in the unit that people read. objective: place of it."""
    chosen = answer.objectives[objective]
    value, low, high = (_number(chosen, number) for number in loss)
    return f"{value}{_unit(chosen)} (margin {low} to {high})" if margin else f"{value}{_unit(chosen)}"


def _unit(objective: Objective) -> str:
    return " points" if objective.squared else " %" if objective.share else ""


def _scaled(objective: Objective) -> tuple[float, int]:
    """Factor and digits by which people read the numbers of an objective."""
    return (100.0, 1) if objective.squared or objective.share else (1.0, 2)


def _number(objective: Objective, number: float) -> str:
    if math.isnan(number):
        return "-"
    scale, digits = _scaled(objective)
    return f"{scale * number:.{digits}f}"


def gain_text(answer: SweepAnswer, gain: Measure, objective: int = 0) -> str:
    """A difference from the baseline with its margin and signs. objective: place of it."""
    scale, digits = _scaled(answer.objectives[objective])
    if math.isnan(gain.value):
        return "-"
    value, low, high = (f"{scale * number:+.{digits}f}" for number in gain)
    return f"{value} ({low} to {high})"


def _headline(answer: SweepAnswer) -> str:
    names = short_names(answer.space.names)
    what = settings_text(answer.winner.settings, names)
    own = loss_text(answer, answer.shown(answer.fresh_winner.loss), margin=False)
    usual = loss_text(answer, answer.shown(answer.fresh_baseline.loss), margin=False)
    gain = answer.shown_gain(answer.fresh_winner, answer.fresh_baseline)
    scale, digits = _scaled(answer.objective)
    by, low, high = (f"{abs(scale * number):.{digits}f}" for number in gain)
    where = f"the {answer.objective.words} is {own} instead of {usual} with your settings"
    match answer.claim:
        case "better":
            return f"Better than your settings: {what}. On fresh players {where}: {by} less (margin {high} to {low})."
        case "worse":
            return (
                f"Nothing better than your settings was found. The best trial, {what}, is worse on fresh players: "
                f"{where}, {by} more (margin {low} to {high})."
            )
        case "same":
            return f"No setting makes a difference: with {what} every fresh player did the same as with your settings."
    return (
        f"Nothing was found that is surely better than your settings. The best trial is {what}: on fresh players "
        f"{where}; the difference is {gain_text(answer, gain)}."
    )


def _about_groups(answer: SweepAnswer) -> Iterator[str]:
    """Each cohort with the winner and with the baseline."""
    before, after = answer.rates(answer.fresh_baseline), answer.rates(answer.fresh_winner)
    for place, label in enumerate(answer.scenario.labels):
        yield (
            f"{label[:1].upper()}{label[1:]} win {_rate(after[place])} instead of {_rate(before[place])} (target "
            f"{targets_text(answer, place)}): {state_words(answer.fresh_winner.states[place])}, with your "
            f"settings {state_words(answer.fresh_baseline.states[place])}."
        )


def _about_front(answer: SweepAnswer) -> Iterator[str]:
    """With several objectives: every trial of the front in all of them, on fresh players."""
    if len(answer.objectives) < 2:
        return
    names = short_names(answer.space.names)
    yield (
        f"No trial beats these in all of {listed([one.name for one in answer.objectives])}; each number is from fresh "
        "players, with its difference from your settings."
    )
    for trial in answer.front:
        parts = [f"{one.name} {cell}" for one, cell in zip(answer.objectives, front_cells(answer, trial), strict=True)]
        yield f"Trial {trial.number}, {settings_text(trial.settings, names)}: {'; '.join(parts)}."


def front_cells(answer: SweepAnswer, trial: MeasuredTrial) -> Iterator[str]:
    """A trial on fresh players in every objective, each with its difference from the baseline."""
    for place, (loss, _) in enumerate(trial.results):
        value = loss_text(answer, answer.shown(loss, place), margin=False, objective=place)
        gain = gain_text(answer, answer.shown_gain(trial, answer.fresh_baseline, place), place)
        yield f"{value}, {gain}" if trial.number else value


def targets_text(answer: SweepAnswer, cohort: int) -> str:
    """The target of a cohort with the best settings, and with your settings where that is another one."""
    best, own = (
        f"{100.0 * low:.0f} to {100.0 * high:.0f} %"
        for low, high in (answer.best.band(cohort), answer.scenario.band(cohort))
    )
    return best if best == own else f"{best} instead of {own}"


def _rate(rate: Measure) -> str:
    value, low, high = (f"{100.0 * number:.1f}" for number in rate)
    return f"{value} % (margin {low} to {high})"


def _about_optimism(answer: SweepAnswer) -> Iterator[str]:
    scale, digits = _scaled(answer.objective)
    if answer.claim != "same":
        better = "better" if answer.optimism >= 0.0 else "worse"
        size = f"{abs(scale * answer.optimism):.{digits}f}{_unit(answer.objective)}"
        yield (
            f"Optimism: the search made the best trial look {size} "
            f"{better} than fresh players do; only the numbers of fresh players count."
        )


def _about_curve(answer: SweepAnswer) -> Iterator[str]:
    if len(answer.curve) < 2 or answer.curve_key is None:
        return
    name = short_names(answer.space.names)[answer.curve_key]
    (first, begin), (last, end) = answer.curve[0], answer.curve[-1]
    for place, label in enumerate(answer.scenario.labels):
        rates = [100.0 * answer.rates(trial)[place].value for trial in (begin, end)]
        met = [swept_text(value) for value, trial in answer.curve if trial.states[place] == "in band"]
        on = f"on target at {listed(met)}" if met else "surely on target nowhere"
        yield (
            f"From {name} {first:g} to {last:g} the win rate of {label} goes from {rates[0]:.1f} to {rates[1]:.1f} %; "
            f"{on}."
        )


def _about_influence(answer: SweepAnswer) -> Iterator[str]:
    names = short_names(answer.space.names)
    known = {key: share for key, share in answer.influence.items() if not math.isnan(share)}
    ordered = sorted(known, key=lambda key: -known[key])
    if ordered:
        shares = [f"{names[key]} {100.0 * known[key]:.0f} %" for key in ordered]
        yield f"Share of the differences between trials that one key explains alone: {listed(shares)}."


def _about_stages(answer: SweepAnswer) -> Iterator[str]:
    names = short_names(answer.space.names)
    for number, stage in enumerate(answer.outcome.stages, start=1):
        yield (
            f"Stage {number} set {names[stage.key]} to {swept_text(stage.value)}, the best of "
            f"{stage.trials - 1} trials that change one key."
        )
    if answer.plan.method == "staged" and not answer.outcome.stages:
        yield "No stage found a key whose change is surely better."


def _about_course(answer: SweepAnswer) -> Iterator[str]:
    plan, trials = answer.plan, len(answer.trials) - 1
    words = f"Method {plan.method}: {plan.why}. {trials:,} trials were played beside your settings"
    if plan.brackets:
        rungs = [f"{rung.trials} with {rung.players:,} players" for rung in plan.brackets[0]]
        words += f"; the first bracket has {listed(rungs)}"
    yield f"{words}."
    if plan.method == "grid" and len(answer.space.keys) >= _MANY_KEYS:
        yield (
            f"A grid over {len(answer.space.keys)} keys spends most trials on keys that hardly matter; random or "
            "hyperband gets further with as many."
        )
    if not answer.outcome.in_time:
        yield "The time was up before the search had ended."
    failed = answer.failures
    if failed:
        which = "One trial" if len(failed) == 1 else f"{len(failed):,} trials"
        verb = "does" if len(failed) == 1 else "do"
        yield f"{which} failed and {verb} not count, the first because {failed[0].failure}."
    if answer.sweeps_targets:
        yield "Targets are swept: each trial is judged by its own, so a smaller loss may come from an easier target."
    if answer.scenario.shares_luck and answer.scenario.form.run.replicas == 1:
        yield "Players share luck and there is one repeat, so margins are too narrow; set run.replicas."


def trial_line(trial: MeasuredTrial, names: dict[str, str]) -> str:
    """A trial by its settings."""
    return settings_text(trial.settings, names)
