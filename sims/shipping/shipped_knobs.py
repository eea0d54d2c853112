"""What was found, as numbers of the game: parameters by player group and level, their ranges, and the dial."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.errors import RunFolderError
from engine.parameters import Knob, Value
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from sims.catalog import Catalog, scenario_in, version
from sims.run_folder.folder import SCENARIO
from sims.runs.run import Run, read_run
from sims.shipping.shipped_rule import DialKnob, dial_table
from sims.tuning.study_files import ANSWER
from sims.tuning.tuned_study import read_study

_PARAM: Final = "param_"


class GroupKnobs(NamedTuple):
    """The parameters of one player group, on one level of a campaign."""

    group: str
    level: int  # from 1; 0 in an endless stream
    target: float  # wanted win rate
    difficulty: float | None  # place on the dial; None where the parameters were tuned one by one
    values: Mapping[str, Value]  # as the rules saw them
    lowest: Mapping[str, Value]  # that was played
    highest: Mapping[str, Value]
    attempts: int  # that this rests on; 0 where it is not known


class ChangedKnob(NamedTuple):
    """A parameter that is no longer what the game's author chose."""

    group: str
    level: int
    knob: str
    before: Value
    after: Value


class ShippedKnobs(NamedTuple):
    """All of it, from a run or a study."""

    source: str  # run or study
    scenario: str
    digest: str
    version: str
    game: str
    knobs: tuple[Knob, ...]
    groups: tuple[GroupKnobs, ...]
    changed: tuple[ChangedKnob, ...]
    dial: tuple[DialKnob, ...]


def shipped_knobs(folder: Path) -> ShippedKnobs:
    """The parameters that a run played or a study found.

    Of a run, each group has the parameters of its middle attempt: half of its judged attempts were easier. Of a study,
    all groups have those of its best option.

    Args:
        folder: of a complete run or study.

    Raises:
        RunFolderError: it is neither, or damaged.
        ScenarioError: its game or controller is not installed.
    """
    if (folder / ANSWER).is_file():
        return _of_study(folder)
    return _of_run(read_run(folder))


def _of_study(folder: Path) -> ShippedKnobs:
    study = read_study(folder)
    if not study.options:
        raise RunFolderError(f"{folder} found no setting to export; give the study a larger budget.")
    scenario = scenario_in(folder / SCENARIO)
    setup = setup_of(scenario, Catalog())
    best = setup_of(study.options[0].scenario, Catalog())
    values = {
        knob.name: knob.shown(best.space.held.get(knob.name, knob.real(knob.default))) for knob in best.space.knobs
    }
    groups = [
        GroupKnobs(name, level, target, None, values, values, values, 0)
        for name, targets in zip(setup.cohorts, setup.targets.tolist(), strict=True)
        for level, target in enumerate(targets, 1 if setup.levels else 0)
    ]
    return _all("study", scenario, setup, groups, study.baseline.params)


def _of_run(run: Run) -> ShippedKnobs:
    scenario = scenario_in(run.folder / SCENARIO)
    setup = setup_of(scenario, Catalog())
    names = [knob.name for knob in setup.space.knobs]
    columns = ["cohort", "level", "attempt", "outcome", "difficulty", *(f"{_PARAM}{name}" for name in names)]
    rows = run.attempts(columns)
    rows = rows[(rows["attempt"] >= scenario.after_attempts) & (rows["outcome"].astype(str) != "failed")]
    groups = []
    for name, targets in zip(setup.cohorts, setup.targets.tolist(), strict=True):
        own = rows[rows["cohort"].astype(str) == name]
        for level, target in enumerate(targets, 1 if setup.levels else 0):
            part = own[own["level"] == level]
            if len(part):
                groups.append(_group(setup, name, level, target, part))
    if not groups:
        raise RunFolderError(f"{run.folder} has no judged attempts, so there is nothing to export; play more attempts.")
    before = {knob.name: knob.shown(knob.real(knob.default)) for knob in setup.game.space.knobs}
    return _all("run", scenario, setup, groups, before)


def _group(setup: Setup, name: str, level: int, target: float, rows: Any) -> GroupKnobs:
    """The middle attempt of a group on a level, and the range of what it played."""
    ordered = rows.sort_values("difficulty", kind="stable")
    middle = ordered.iloc[(len(ordered) - 1) // 2]
    values, lowest, highest = {}, {}, {}
    for knob in setup.space.knobs:
        column = f"{_PARAM}{knob.name}"
        values[knob.name] = _value(knob, middle[column])
        played = sorted((_value(knob, one) for one in rows[column].unique()), key=knob.real)
        lowest[knob.name], highest[knob.name] = played[0], played[-1]
    return GroupKnobs(name, level, target, float(middle["difficulty"]), values, lowest, highest, len(rows))


def _value(knob: Knob, read: Any) -> Value:
    return str(read) if knob.scale == "choice" else int(read) if knob.scale == "integer" else float(read)


def _all(
    source: str, scenario: Scenario, setup: Setup, groups: list[GroupKnobs], before: Mapping[str, Value]
) -> ShippedKnobs:
    changed = [
        ChangedKnob(one.group, one.level, name, before[name], value)
        for one in groups
        for name, value in one.values.items()
        if name in before and before[name] != value
    ]
    return ShippedKnobs(
        source,
        scenario.form.title or Path(scenario.name).stem,
        setup.digest,
        version(),
        setup.game.name,
        setup.space.knobs,
        tuple(groups),
        tuple(changed),
        dial_table(setup.space, setup.path),
    )
