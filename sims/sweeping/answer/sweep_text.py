"""A sweep as the terminal shows it: words, then a table of trials, best first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sims.sweeping.answer.sentences import gain_text, loss_text, short_names, sweep_sentences, swept_text
from sims.sweeping.answer.sweep_answer import MeasuredTrial, SweepAnswer
from sims.sweeping.search.explorer import ranked_trials
from sims.terminal import aligned

_MOST_ROWS: Final = 12  # trials in the terminal
_MOST_POINTS: Final = 21  # of a curve


def sweep_text(answer: SweepAnswer) -> str:
    """Sentences, then the trials: along the curve where there is one, else the best ones."""
    first, *others = sweep_sentences(answer)
    shown = shown_trials(answer, _MOST_POINTS if answer.curve else _MOST_ROWS)
    more = len(answer.played) - len(shown) + 1
    blocks = [
        first,
        "\n".join(f"- {one}" for one in others),
        aligned([trial_headings(answer), *trial_rows(answer, shown)]),
    ]
    if more > 0:
        blocks.append(f"  ... and {more:,} more trials in trials.csv")
    return "\n\n".join(blocks)


def shown_trials(answer: SweepAnswer, most: int) -> list[MeasuredTrial]:
    """The baseline, then the trials along the curve, or the best ones first."""
    if answer.curve:
        return [answer.baseline, *(trial for _, trial in answer.curve[:most])]
    by_number = {trial.number: trial for trial in answer.played}
    records = [record for record in answer.outcome.search if record.ask.trial in by_number]
    order = [answer.winner.number, *(one for one in ranked_trials(records) if one != answer.winner.number)]
    return [answer.baseline, *(by_number[number] for number in order[:most])]


def trial_headings(answer: SweepAnswer) -> tuple[str, ...]:
    """Of a table of trials."""
    names = short_names(answer.space.names)
    groups = [f"{label} win" for label in answer.scenario.labels]
    return ("trial", *names.values(), *groups, "quit", "loss", "difference (margin)")


def trial_rows(answer: SweepAnswer, trials: list[MeasuredTrial]) -> Iterator[tuple[str, ...]]:
    """One row for each trial."""
    for trial in trials:
        own = dict(trial.settings) if trial.number else answer.own_values
        name = "yours" if not trial.number else "best" if trial.number == answer.winner.number else str(trial.number)
        win = [f"{100.0 * rate.value:.1f} %" for rate in answer.rates(trial)[:-1]]
        quits = f"{100.0 * answer.rates(trial, 'quit_share')[-1].value:.1f} %"
        loss = loss_text(answer, answer.shown(trial.loss), margin=False)
        gain = gain_text(answer, answer.shown_gain(trial, answer.baseline)) if trial.number else "-"
        yield (name, *(swept_text(own.get(key)) for key in answer.space.names), *win, quits, loss, gain)
