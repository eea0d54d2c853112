"""Counts of an earlier study, as a new one can use them: they are ordinary data, whatever the new targets are.

The game must be the same and unchanged, and every segment must have the same players. Settings outside the new bounds,
or with another value of a knob that is now held, are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.errors import RunFolderError, ScenarioError
from engine.scenario import setup_of
from sims.catalog import Catalog, scenario_in
from sims.run_folder.folder import SCENARIO, changed_files, read_manifest
from sims.run_folder.provenance import code_digests
from sims.tuning.journal import NAME as JOURNAL
from sims.tuning.journal import read_journal
from sims.tuning.problem import Problem, problem_of
from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.search_space import Point
from sims.tuning.study import REHEARSAL

_ALMOST: Final = 1e-9  # of a knob's range: rounding on the way to the search space and back


def earlier_tells(folder: Path, problem: Problem) -> list[Tell]:
    """The counts of an earlier study as points of the new problem; blocks are those of the earlier study.

    Raises RunFolderError where the folder is not a complete study, ScenarioError where its counts do not apply.
    """
    manifest = read_manifest(folder, "study")
    changed = changed_files(folder, manifest)
    if changed:
        raise RunFolderError(
            f"{folder / changed[0]} was changed after the study, so its counts cannot be used; name another study."
        )
    before = problem_of(scenario_in(folder / SCENARIO), manifest["study"]["level"])
    forms = [problem.scenario.form for problem in (before, problem)]
    if (forms[0].horizon, forms[0].players.flow) != (forms[1].horizon, forms[1].players.flow):
        raise _refusal(folder, "how long players stay has changed (horizon or players.flow)")
    _check_game(folder, manifest["code"]["game"], before, problem)
    places = [_place(folder, segment, before, problem) for segment in problem.segments]
    tells = []
    for stage, tell in read_journal(folder / JOURNAL):
        point = _translate(tell.point, before, problem)
        if point is not None and stage != REHEARSAL:  # its players are classes of skill
            attempts, wins = ([counts[k] for k in places] for counts in (tell.attempts, tell.wins))
            tells.append(Tell(point, tuple(attempts), tuple(wins), tell.block))
    if not tells:
        raise _refusal(folder, "none of its settings lies within the new bounds and held values")
    return tells


def _refusal(folder: Path, reason: str) -> ScenarioError:
    return ScenarioError(f"warm start from {folder}: {reason}; start without it")


def _check_game(folder: Path, rules: str, before: Problem, now: Problem) -> None:
    names = [problem.scenario.form.game.name for problem in (before, now)]
    if names[0] != names[1]:
        raise _refusal(folder, f"its game is {names[0]}, but the new game is {names[1]}")
    if rules != code_digests(setup_of(now.scenario, Catalog()))["game"]:
        raise _refusal(folder, f"the rules of {names[0]} have changed since")


def _place(folder: Path, segment: Segment, before: Problem, now: Problem) -> int:
    """The position of a new segment's players among the segments of the earlier study."""
    then, here = before.scenario, now.scenario
    name = here.cohorts[segment.cohort]
    for k, one in enumerate(before.segments):
        if (then.cohorts[one.cohort], one.level) == (name, segment.level):
            same_traits = then.form.cohort[one.cohort].traits == here.form.cohort[segment.cohort].traits
            if same_traits and then.after_attempts == here.after_attempts:
                return k
            raise _refusal(folder, f"the players of {segment.name} have changed (traits or after_attempts)")
    raise _refusal(folder, f"it has no counts of {segment.name}")


def _translate(point: Point, before: Problem, now: Problem) -> Point | None:
    """The same values of all knobs as a point of the new problem; None where it has no such point."""
    values = before.values(point)
    for knob, value in zip(now.space, values, strict=True):
        room = _ALMOST * (knob.high - knob.low)
        low = high = now.space.held.get(knob.name)
        if low is None or high is None:
            low, high = knob.low, knob.high
        if not low - room <= value <= high + room:
            return None
    return now.point(values)
