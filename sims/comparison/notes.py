"""Notes on a comparison: which seed was used, which players are compared, what failed and what is not known."""

from __future__ import annotations

from engine.scenario import Scenario
from sims.comparison.cells import players_text
from sims.comparison.differences import ComparedScenario, Differences
from sims.comparison.metrics import LEAST_WORST, OWN_RATE, WORST, WORST_RATE
from sims.comparison.sentences import names_of
from sims.wording import listed


def notes(differences: Differences, other: ComparedScenario) -> list[str]:
    """Write the notes on one of the scenarios that are compared with the first."""
    first, scenario = differences.before, other.scenario
    names = names_of(differences)
    one, two = names[0], names[other.number]
    sentences = []
    changed = _changed_apart([key.key for key in other.keys])
    if changed > 1:
        sentences.append(
            f"{changed} keys differ, so this shows what they do together. Change one at a time to tell them apart."
        )
    for name, own, played in ((one, first.seed, differences.seed), (two, scenario.seed, other.seed)):
        if own != played:
            sentences.append(
                f"{name} has its own seed, {own}. For the same luck, all scenarios were played with {played}."
            )
    if other.strangers:
        why = "the seeds differ" if other.seed != differences.seed else "they stand at other places in the file"
        sentences.append(
            f"Not paired: {listed(other.strangers)}, since {why}, so their players are different ones. Margins are "
            "wider than with the same players and the same luck."
        )
    sentences += _about_cohorts(other, first, one, two)
    sentences += _about_warm_up(differences, scenario, one)
    for metric, side in other.removed.items():
        sentences.append(
            f"Only {one if side == 'before' else two} has {metric.label}. The other causes are shares of the losses "
            "without these."
        )
    if scenario.form.run.replicas != first.form.run.replicas and not other.strangers:
        least = min(scenario.form.run.replicas, first.form.run.replicas)
        sentences.append(f"The number of repeats differs. Compared: the first {least:,}.")
    if other.shared:
        sentences.append(
            "Players share a controller and there is only one repeat, so one player's results affect the others'. "
            "Margins may be too narrow, and too many changes significant. Play several repeats "
            "(--set run.replicas=8)."
        )
    for name, number in zip((one, two), other.failed, strict=True):
        if number:
            sentences.append(
                f"In {name} {number:,} attempts failed because the game's or controller's code broke. "
                "They do not count."
            )
    unknown = [change for change in differences.changes_of(other) if not change.known]
    for metric in dict.fromkeys(change.metric for change in unknown):
        players = listed([players_text(change) for change in unknown if change.metric == metric])
        sentences.append(f"Unknown for {players}: {metric.label}, because {_why(metric is WORST_RATE)}.")
    return sentences


def _about_warm_up(differences: Differences, scenario: Scenario, one: str) -> list[str]:
    """Which attempts the changes leave out, where that is not what each scenario leaves out."""
    first = differences.before
    warm_up = first.after_attempts
    if first.levels or any(other.scenario.levels for other in differences.others):
        if not (warm_up or scenario.after_attempts):
            return []
        text = "All attempts count in all changes, since a campaign has no warm-up."
    elif scenario.after_attempts == warm_up:
        return []
    elif warm_up:
        text = f"In all changes, the first {warm_up:,} attempts of each player are warm-up, as in {one}."
    else:
        text = f"All attempts count in all changes, as in {one}."
    return [f"{text} Against its target, each scenario has its own warm-up."]


def _why(tail: bool) -> str:
    if not tail:
        return "there is nothing to count, or only one repeat or player"
    return f"it needs {round(LEAST_WORST / WORST)} players with at least {OWN_RATE} judged attempts"


def _changed_apart(keys: list[str]) -> int:
    """How many keys differ for a reason of their own: another controller has other options."""
    others = [key for key in keys if not (key.startswith("controller.options.") and "controller.name" in keys)]
    return len(others)


def _about_cohorts(other: ComparedScenario, first: Scenario, one: str, two: str) -> list[str]:
    scenario = other.scenario
    sentences = []
    for pair in other.pairs:
        was, is_ = first.cohorts[pair.before], scenario.cohorts[pair.after]
        counts = first.counts[pair.before], scenario.counts[pair.after]
        if was != is_:
            same = first.form.cohort[pair.before].traits == scenario.form.cohort[pair.after].traits
            why = "same skills and habits" if same else "same place in the file"
            sentences.append(f"{was} is compared with {is_} of {two} ({why}).")
        if counts[0] != counts[1] and was not in other.strangers:
            sentences.append(
                f"{was}: {counts[0]:,} players in {one}, {counts[1]:,} in {two}. Compared: the {min(counts):,} "
                "players in both."
            )
    gone = [name for j, name in enumerate(first.cohorts) if j not in {pair.before for pair in other.pairs}]
    new = [name for j, name in enumerate(scenario.cohorts) if j not in {pair.after for pair in other.pairs}]
    for names, where in ((gone, one), (new, two)):
        if names:
            sentences.append(
                f"Only {where} has the player group{'' if len(names) == 1 else 's'} {listed(names)}. Not compared."
            )
    return sentences
