"""Counts of an earlier study, as a new one can use them: they are ordinary data, whatever the targets are now.

What was counted must be the same thing: the same game, unchanged, and for every segment the same players. Settings that
lie outside the bounds of now, or have another value where a knob is held now, are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.errors import RunFolderError, ScenarioError
from engine.scenario import load, setup_of
from sims.catalog import Catalog
from sims.run_folder.folder import SCENARIO, changed_files, read_manifest
from sims.run_folder.provenance import code_digests
from sims.tuning.journal import NAME as JOURNAL
from sims.tuning.journal import read_journal
from sims.tuning.problem import Problem, problem_of
from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.knob_box import Point, point_of, values_of

_ALMOST: Final = 1e-9  # of a knob's range: what going to the cube and back may take


def earlier_tells(folder: Path, problem: Problem) -> list[Tell]:
    """What an earlier study was told, in terms of the problem of now; its blocks are those of the earlier study.

    Raises RunFolderError where the folder is no whole study, ScenarioError where its counts say nothing of this one.
    """
    manifest = read_manifest(folder, "study")
    changed = changed_files(folder, manifest)
    if changed:
        raise RunFolderError(f"{folder / changed[0]} is not as the study wrote it, so its counts cannot be used.")
    before = problem_of(load(folder / SCENARIO, Catalog(), allow_long=True), manifest["study"]["level"])
    _check_game(folder, manifest["code"]["game"], before, problem)
    places = [_place(folder, segment, before, problem) for segment in problem.segments]
    found = []
    for told in read_journal(folder / JOURNAL):
        point = _translated(told.tell.point, before, problem)
        if point is not None:
            attempts, wins = ([counts[k] for k in places] for counts in (told.tell.attempts, told.tell.wins))
            found.append(Tell(point, tuple(attempts), tuple(wins), told.tell.block))
    if not found:
        raise ScenarioError(
            f"--warm-start {folder}: none of its settings lies within the bounds and held values of now; leave it out"
        )
    return found


def _check_game(folder: Path, rules: str, before: Problem, now: Problem) -> None:
    names = [problem.scenario.form.game.name for problem in (before, now)]
    if names[0] != names[1]:
        raise ScenarioError(f"--warm-start {folder}: its game is {names[0]}, but now it is {names[1]}; leave it out")
    if rules != code_digests(setup_of(now.scenario, Catalog()))["game"]:
        raise ScenarioError(f"--warm-start {folder}: the rules of {names[0]} have changed since; leave it out")


def _place(folder: Path, segment: Segment, before: Problem, now: Problem) -> int:
    """Where the players of a segment of now were among the segments of before."""
    then, here = before.scenario, now.scenario
    name = here.cohorts[segment.cohort]
    for k, one in enumerate(before.segments):
        if (then.cohorts[one.cohort], one.level) == (name, segment.level):
            same_traits = then.form.cohort[one.cohort].traits == here.form.cohort[segment.cohort].traits
            if same_traits and then.after_attempts == here.after_attempts:
                return k
            raise ScenarioError(
                f"--warm-start {folder}: the players of {segment.name} are others now (traits or after_attempts); "
                "leave it out"
            )
    raise ScenarioError(f"--warm-start {folder}: it has no counts of {segment.name}; leave it out")


def _translated(point: Point, before: Problem, now: Problem) -> Point | None:
    """The same values of all knobs as a point of now; None where there is none."""
    values = values_of(before.space, point)
    for knob, value in zip(now.space, values, strict=True):
        room = _ALMOST * (knob.high - knob.low)
        low = high = now.space.held.get(knob.name)
        if low is None or high is None:
            low, high = knob.low, knob.high
        if not low - room <= value <= high + room:
            return None
    return point_of(now.space, values)
