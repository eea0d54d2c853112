"""A scenario: a TOML file that says game, players, levels, target, controller and horizon, checked and resolved.

`load` reads one and tells everything that is wrong with it at once; `Scenario` holds it with every default filled in;
`setup_of` turns it into what the world plays. Nothing here writes a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.attempt import RUNS_OWN
from engine.controller import ControllerKind, Scope
from engine.estimates.estimate_errors import NAMES, EstimateErrors
from engine.external.external_game import AnyGame
from engine.further.further_target import FurtherTarget
from engine.parameters import ParameterSpace
from engine.players import DAY_S, Distribution, DistributionKind, Flow, distribution_table
from engine.presence.week import ALWAYS_ALIKE, Week, week_of
from engine.scenario_file import toml
from engine.scenario_file.calibration_label import CalibrationLabel, calibration_label
from engine.scenario_file.consistency import PluginCatalog, aims, check_consistency, counts_of
from engine.scenario_file.further_targets import further_targets_of
from engine.scenario_file.level_files import level_numbers, with_files
from engine.scenario_file.overrides import apply_overrides
from engine.scenario_file.positions import KeyPath, line_number
from engine.scenario_file.progression import with_progression
from engine.scenario_file.resolution import form_digest, resolve_form, text_of
from engine.scenario_file.scenario_faults import Faults, printable
from engine.scenario_file.sections import (
    DEFAULT_TOLERANCE,
    FORMAT,
    CalendarSection,
    Campaign,
    CohortSection,
    CohortTarget,
    ControllerSection,
    Form,
    LaunchWave,
    LognormalSpread,
    LoguniformSpread,
    NormalSpread,
    Spread,
    SteadyStream,
)
from engine.scenario_file.validation import validate_document
from engine.scheduling.option_schedule import GainSchedule, OptionSchedule
from engine.scheduling.scheduled_rule import scheduled_kind
from engine.setup import Setup

Overrides = Mapping[str, str] | Iterable[tuple[str, str]]


class SweptEntry(NamedTuple):
    """A key of a table [sweep] as it was written; the sweep checks it."""

    key: str  # dotted
    values: Any
    place: str  # file and line, for messages


@dataclass(frozen=True)
class Scenario:
    """A checked scenario with every default filled in. Plain data: it can be sent to another process."""

    name: str  # the file it came from, for messages
    form: Form  # resolved: nothing optional is left out, except a target that a cohort inherits
    changed: frozenset[str]  # dotted keys whose value differs from the default
    assumed_tolerance: tuple[str, ...] = ()  # cohorts with a wanted win rate whose tolerance nobody wrote
    swept: tuple[SweptEntry, ...] = ()  # the table [sweep], which no run needs: the resolved form is without it

    @property
    def title(self) -> str:
        return self.form.title

    @property
    def seed(self) -> int:
        return self.form.seed

    @property
    def cohorts(self) -> tuple[str, ...]:
        """Names of the cohorts; a cohort's place here is its number."""
        return tuple(cohort.name for cohort in self.form.cohort)

    @property
    def labels(self) -> tuple[str, ...]:
        """What people read for the cohorts: the label, or the name where there is none."""
        return tuple(cohort.label or cohort.name for cohort in self.form.cohort)

    @property
    def counts(self) -> tuple[int, ...]:
        """Players per cohort in each replica."""
        return counts_of(self.form.players.count, [cohort.share for cohort in self.form.cohort])

    @property
    def work(self) -> int:
        """Most attempts that the run can have: players x attempts_per_player x replicas."""
        return self.form.players.count * self.form.horizon.attempts_per_player * self.form.run.replicas

    @property
    def levels(self) -> int:
        """Number of levels of the campaign; 0 for an endless stream."""
        return self.form.levels.count if isinstance(self.form.levels, Campaign) else 0

    @property
    def controller(self) -> str:
        """Name of the controller."""
        assert self.form.controller.name is not None  # resolved
        return self.form.controller.name

    @property
    def scope(self) -> Scope:
        """Whose outcomes the controller learns from."""
        assert self.form.controller.scope is not None  # resolved
        return self.form.controller.scope

    @property
    def draws_estimates(self) -> bool:
        """As `Setup.draws_estimates`: each replica draws what was fitted, from the covariance of the estimates."""
        fitted = self.form.calibration
        return fitted is not None and fitted.errors is not None and self.form.run.replicas > 1

    @property
    def shares_luck(self) -> bool:
        """As `Setup.shares_luck`: players of one replica share a controller, or layouts that are its own."""
        levels = self.form.levels
        own_layouts = isinstance(levels, Campaign) and levels.layouts == "per_replica"
        return self.scope != "player" or own_layouts or self.draws_estimates

    @property
    def after_attempts(self) -> int:
        """A player is judged from this attempt on, counted from 0."""
        return self.form.target.after_attempts

    @property
    def calibration(self) -> CalibrationLabel:
        """Whether the players were fitted to real plays, and are still as they were fitted."""
        return calibration_label(self.form)

    @property
    def digest(self) -> str:
        """SHA-256, 64 hex digits, of everything that decides what is played; title, notes and labels do not."""
        return form_digest(self.form)

    def target(self, cohort: int) -> CohortTarget:
        """What is wanted of a cohort, by number: its own target, completed by [target]."""
        own, common = self.form.cohort[cohort].target, self.form.target
        source = own if own is not None and aims(own) else common
        tolerance = None
        if source.band is None:
            given = [
                target.tolerance for target in (own, common) if target is not None and target.tolerance is not None
            ]
            tolerance = given[0] if given else DEFAULT_TOLERANCE
        return CohortTarget(win_rate=source.win_rate, band=source.band, levels=source.levels, tolerance=tolerance)

    def win_rates(self, cohort: int) -> list[float]:
        """The wanted win rate of a cohort at every level; one number in an endless stream."""
        target = self.target(cohort)
        if target.levels is not None:
            return list(target.levels)
        if target.band is not None:
            return [(target.band[0] + target.band[1]) / 2] * max(self.levels, 1)
        assert target.win_rate is not None  # checked: every cohort has an aim
        return [target.win_rate] * max(self.levels, 1)

    def band(self, cohort: int, level: int | None = None) -> tuple[float, float]:
        """Lowest and highest win rate that are in band for a cohort, within [0, 1].

        level: of a campaign, from 1; None for all levels together, that is around the mean of their win rates.
        """
        target = self.target(cohort)
        if target.band is not None:
            return target.band[0], target.band[1]
        rates = self.win_rates(cohort)
        middle = sum(rates) / len(rates) if level is None else rates[level - 1]
        width = target.tolerance or DEFAULT_TOLERANCE
        return round(max(middle - width, 0.0), 12), round(min(middle + width, 1.0), 12)

    def wanted(self, cohort: int, level: int | None = None) -> tuple[float, float] | None:
        """Win rate and tolerance that were asked for; None for a band, and for all levels together where they differ.

        level: of a campaign, from 1; None for all levels together.
        """
        target = self.target(cohort)
        rates = self.win_rates(cohort)
        chosen = set(rates) if level is None else {rates[level - 1]}
        if target.band is not None or len(chosen) > 1:
            return None
        return chosen.pop(), target.tolerance or DEFAULT_TOLERANCE

    @property
    def further_targets(self) -> tuple[FurtherTarget, ...]:
        """Targets beyond the win rate, one for each cohort that it concerns."""
        return further_targets_of(self.form.target.also or [], self.cohorts)

    def resolved_toml(self) -> str:
        """The scenario as a complete file: every default written out, what differs from it marked "# changed"."""
        return text_of(self.form, self.changed)


def load(path: Path, catalog: PluginCatalog, overrides: Overrides = (), *, allow_long: bool = False) -> Scenario:
    """Read, check and resolve a scenario file.

    overrides: dotted key -> value as TOML text, as in `--set target.win_rate=0.7`; a cohort is named by its name.
    allow_long: accept a number of attempts above the safety limit. Raises ScenarioError with one line for everything
    that is wrong.
    """
    return parse(toml.read(path), str(path), catalog, overrides, allow_long=allow_long, folder=path.parent)


def parse(
    data: bytes,
    name: str,
    catalog: PluginCatalog,
    overrides: Overrides = (),
    *,
    allow_long: bool = False,
    folder: Path | None = None,
) -> Scenario:
    """As `load`, from the bytes of a file that messages call `name`. folder: of level files; None for no folder."""
    document = toml.parse_toml(data, name)
    settings = list(overrides.items() if isinstance(overrides, Mapping) else overrides)
    look = _looked_at(document, name, catalog, settings, allow_long, folder)
    doubtful = look.faults.doubtful
    look.faults.check(alone=_looked_at(document, name, catalog, [], allow_long, folder).faults if doubtful else None)
    assert look.game is not None  # otherwise there was a fault
    assert look.kind is not None
    written = Form.model_validate(look.tree)
    swept = tuple(swept_entries(written.sweep or {}, document.lines, name))
    levels = with_progression(written.levels, written.game, look.game)
    played = written.model_copy(update={"sweep": None, "levels": levels})
    form, changed = resolve_form(played, look.game, look.kind, catalog.default_controller)
    return Scenario(name, form, changed, _without_tolerance(written), swept)


def swept_entries(
    table: Mapping[str, Any], lines: Mapping[KeyPath, int], file: str, address: KeyPath = ("sweep",)
) -> Iterator[SweptEntry]:
    """The keys of a table [sweep], in the order of the file. A dotted key and a table within the table are the same.

    lines: where each key of the file stands. address: of the table.
    """
    for name, value in table.items():
        here = (*address, name)
        if isinstance(value, Mapping):
            yield from swept_entries(value, lines, file, here)
        else:
            yield SweptEntry(".".join(map(str, here[1:])), value, f"{printable(file)}:{line_number(lines, here)}")


def _without_tolerance(form: Form) -> tuple[str, ...]:
    """Cohorts whose band follows from a tolerance that stands nowhere in the file."""
    found = []
    for cohort in form.cohort:
        own, common = cohort.target, form.target
        source = own if own is not None and aims(own) else common
        if source.band is None and common.tolerance is None and (own is None or own.tolerance is None):
            found.append(cohort.name)
    return tuple(found)


class _Look(NamedTuple):
    """A file with some keys put over it: its tree, its game and controller where they exist, and what is wrong."""

    tree: dict[str, Any]
    game: AnyGame | None
    kind: ControllerKind | None
    faults: Faults


def _looked_at(
    document: toml.Document,
    name: str,
    catalog: PluginCatalog,
    settings: list[tuple[str, str]],
    allow_long: bool,
    folder: Path | None,
) -> _Look:
    faults = Faults(name, document.lines)
    tree = apply_overrides(document.tree, settings, faults)
    faults.name_cohorts(tree)
    tree = with_files(tree, folder, faults)
    parts = validate_document(tree, faults)
    return _Look(tree, *check_consistency(parts, catalog, allow_long, faults), faults)


def setup_of(scenario: Scenario, catalog: PluginCatalog) -> Setup:
    """What the world plays: numbers in arrays, the game and the controller themselves."""
    form = scenario.form
    game = catalog.game(form.game.name)
    kind = catalog.controller(scenario.controller)
    bounds = form.game.bounds
    space = ParameterSpace(
        *(knob.narrowed(*bounds[knob.name]) if knob.name in bounds else knob for knob in game.space),
        held=form.game.params,
        levels=form.levels.params if isinstance(form.levels, Campaign) else None,
        made=[level_numbers(game, content) for content in _made(form)],
    )
    arrival = form.players.arrival
    schedule = _schedule(form.controller)
    return Setup(
        game=game,
        space=space,
        path=_path(scenario, space),
        floor=form.dial.floor,
        ceiling=form.dial.ceiling,
        kind=scheduled_kind(kind) if schedule else kind,
        options=kind.options(**form.controller.options),
        scope=scenario.scope,
        cohorts=scenario.cohorts,
        counts=scenario.counts,
        traits=_traits(form.cohort),
        targets=np.array([scenario.win_rates(i) for i in range(len(form.cohort))]),
        levels=scenario.levels,
        flow=Flow(**form.players.flow.model_dump()),
        week=_week(form.players.calendar),
        gaps_s=tuple(
            DAY_S / (arrival.per_day * cohort.share) if isinstance(arrival, SteadyStream) else 0.0
            for cohort in form.cohort
        ),
        window_s=DAY_S * arrival.within_days if isinstance(arrival, LaunchWave) else 0.0,
        delay_s=form.telemetry.delay_s,
        deploy_every_s=form.telemetry.deploy_every_s,
        horizon_s=form.horizon.days * DAY_S,
        attempts_per_player=form.horizon.attempts_per_player,
        replicas=form.run.replicas,
        seed=form.seed,
        layouts=form.levels.layouts if isinstance(form.levels, Campaign) else "shared",
        level_seed=_level_seed(form),
        digest=f"s{scenario.digest[:16]}",
        win_chance=form.record is not None and form.record.win_chance,
        errors=_errors(form),
        schedule=schedule,
    )


def _schedule(section: ControllerSection) -> OptionSchedule:
    """How the controller's options change with outcomes."""
    stairs = (
        (name, tuple((int(at), value) for at, value in steps)) for name, steps in (section.piecewise or {}).items()
    )
    gain = None if section.gain is None else GainSchedule(**section.gain.model_dump())
    return OptionSchedule(tuple(stairs), gain)


def _week(section: CalendarSection | None) -> Week:
    return ALWAYS_ALIKE if section is None else week_of(section.hours or [], section.weekdays or [])


def _made(form: Form) -> Sequence[Mapping[str, Any]]:
    """The levels that were made by hand; none where levels are drawn."""
    return form.levels.made or () if isinstance(form.levels, Campaign) else ()


def _level_seed(form: Form) -> int:
    """The seed of the numbered levels; RUNS_OWN where it is that of the run, or there are none."""
    if not isinstance(form.levels, Campaign) or form.levels.seed in (None, form.seed):
        return RUNS_OWN
    assert form.levels.seed is not None
    return form.levels.seed


def _errors(form: Form) -> EstimateErrors | None:
    """How sure the fitted players and levels are; levels differ by the first knob that each has a value of."""
    if form.calibration is None or form.calibration.errors is None:
        return None
    errors, levels = form.calibration.errors, form.levels
    knobs = list(levels.params or {}) if isinstance(levels, Campaign) else []
    width = max(map(len, errors.levels), default=1)
    rows = np.array([[*row[:-1], *[0.0] * (width - len(row)), row[-1]] for row in errors.levels]).reshape(-1, width)
    numbers = {name: tuple(loadings) for name, loadings in errors.numbers.items() if name in NAMES}
    return EstimateErrors(numbers, rows, knobs[0] if knobs and len(rows) else "")


def _path(scenario: Scenario, space: ParameterSpace) -> npt.NDArray[np.float64]:
    """The dial, shape (points, knobs); a path of two positions is straight, so it can have more points."""
    given = scenario.form.dial.path
    points = max((len(positions) for positions in given.values()), default=2)
    path = np.empty((points, len(space)))
    for j, name in enumerate(space.names):
        positions = given.get(name, [0.0, 1.0])
        if len(positions) == points:
            path[:, j] = positions
        else:
            path[:, j] = [positions[0] + (positions[1] - positions[0]) * i / (points - 1) for i in range(points)]
    return path


def _traits(cohorts: Sequence[CohortSection]) -> npt.NDArray[np.float64]:
    """The tables of all cohorts; with room for correlations where one cohort has any."""
    some = any(cohort.correlation for cohort in cohorts)
    return np.array(
        [
            distribution_table(
                {name: _distribution(spread) for name, spread in cohort.traits.items()},
                (cohort.correlation or {"skill": {}}) if some else None,
            )
            for cohort in cohorts
        ]
    )


def _distribution(spread: Spread) -> Distribution:
    if isinstance(spread, int | float):
        return Distribution("fixed", float(spread))
    low = -1e300 if spread.low is None else spread.low
    high = 1e300 if spread.high is None else spread.high
    if isinstance(spread, NormalSpread):
        return Distribution("normal", spread.mean, spread.sd, low, high, spread.common_sd)
    if isinstance(spread, LognormalSpread):
        return Distribution("lognormal", spread.median, spread.log_sd, low, high, spread.common_log_sd)
    kind: DistributionKind = "loguniform" if isinstance(spread, LoguniformSpread) else "uniform"
    return Distribution(kind, spread.low, spread.high, low, high)


def json_schema() -> dict[str, Any]:
    """The JSON schema of scenario files, for editors. TOML has no null: an optional key is one that may be missing."""
    schema = _without_null(Form.model_json_schema())
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"Flowdial scenario, format {FORMAT}"}
    return {**schema, **head}


def _without_null(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_null(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _without_null(value) for key, value in node.items() if value is not None}
    options = [option for option in kept.get("anyOf", []) if option != {"type": "null"}]
    if len(options) == 1:
        del kept["anyOf"]
        return {**options[0], **kept}
    return kept
