"""What must hold between two tables of a scenario, or between a table and the game or the controller.

Every check adds what is wrong to the faults and goes on; it is silent where a table it needs could not be read.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from engine.controller import ControllerKind, Option, Scope
from engine.errors import ScenarioError
from engine.external.external_game import AnyGame
from engine.parameters import Knob
from engine.players import COHORT_STRIDE, DEFAULT_TRAITS, TRAIT_LIST, TRAIT_NAMES, Trait, correlation_factor
from engine.scenario_file.dial_path import fault_of_dial
from engine.scenario_file.further_targets import check_further_targets
from engine.scenario_file.level_files import check_made
from engine.scenario_file.likely_slips import slip_of_shares
from engine.scenario_file.personas import PERSONA_NAMES
from engine.scenario_file.positions import KeyPath
from engine.scenario_file.progression import check_progression, with_progression
from engine.scenario_file.scenario_faults import Faults, one_of, printable, quote_value, suggestion
from engine.scenario_file.sections import (
    HIGHEST_WIN_RATE,
    LOWEST_WIN_RATE,
    Campaign,
    CohortSection,
    CohortTarget,
    ControllerSection,
    DialSection,
    Endless,
    GameSection,
    LognormalSpread,
    LoguniformSpread,
    NormalSpread,
    UniformSpread,
)
from engine.scenario_file.validation import Parts
from engine.scheduling.scheduled_rule import why_no_gain_schedule, why_unscheduled

LARGEST_WORK: Final = 5_000_000_000  # attempts of a run
LONG_WORK: Final = 200_000_000  # attempts that are not begun by accident
USUAL_SPEED: Final = 100_000  # attempts a second and core, for estimates; games differ widely

_AIMS: Final = ("win_rate", "band", "levels")


class PluginCatalog(Protocol):
    """Source of games and controllers. Each method raises ScenarioError with a sentence for an unknown name."""

    @property
    def default_controller(self) -> str:
        """The controller of scenarios that name none."""

    def game(self, name: str) -> AnyGame:
        """The game of this name."""

    def controller(self, name: str) -> ControllerKind:
        """The controller of this name."""


def check_consistency(
    parts: Parts, catalog: PluginCatalog, allow_long: bool, faults: Faults
) -> tuple[AnyGame | None, ControllerKind | None]:
    """Check all that can be checked. Returns the game and the controller, where they exist."""
    game = kind = None
    if parts.game is not None:
        game = _found(catalog.game, parts.game.name, "game", faults)
    if parts.controller is not None and not faults.touch("controller", "name"):
        name = catalog.default_controller if parts.controller.name is None else parts.controller.name
        kind = _found(catalog.controller, name, "controller", faults)
    if game is not None and parts.game is not None:
        _check_knobs(parts.game, game, faults)
        check_progression(parts.levels, parts.game, game, faults)
        section = parts.game
        if not faults.touch("game"):
            parts = replace(parts, levels=with_progression(parts.levels, section, game))
        _check_level_params(parts, game, faults)
        check_made(parts.levels, game, faults)
        if parts.dial is not None:
            _check_dial(parts.dial, section, fixed_names(section, parts.levels), game, kind, faults)
    if kind is not None and parts.controller is not None:
        _check_controller(parts.controller, kind, faults)
        _check_telemetry(parts, kind, faults)
        if game is not None and kind.reach is not None:
            _check_reach(parts, kind, game, faults)
    if parts.dial is not None and parts.dial.floor >= parts.dial.ceiling:
        came = f"{parts.dial.floor:g} and {parts.dial.ceiling:g}"
        faults.add(("dial", "floor"), f"must be below the ceiling, got {came}")
    if game is not None and parts.game is not None and parts.dial is not None:
        _check_direction(parts.dial, parts, game, faults)
    _check_targets(parts, faults)
    check_further_targets(parts, faults)
    _check_players(parts, faults)
    _check_calendar(parts, faults)
    for place, cohort in parts.cohorts.items():
        if cohort.persona:
            _known(cohort.persona, PERSONA_NAMES, ("cohort", place, "persona"), "the personas are", faults)
        _check_traits(("cohort", place, "traits"), cohort, faults)
        _check_correlation(("cohort", place, "correlation"), cohort, faults)
    _check_work(parts, allow_long, faults)
    return game, kind


def _found(find: Any, name: str, table: str, faults: Faults) -> Any:
    try:
        return find(name)
    except ScenarioError as fault:
        faults.add((table, "name"), printable(str(fault)))
        return None


def _known(name: str, names: Collection[str], address: KeyPath, those: str, faults: Faults) -> bool:
    if name in names:
        return True
    if not faults.full:  # a suggestion takes time
        faults.add(address, f"is unknown: {those} {', '.join(names)}{suggestion(name, names)}")
    return False


def _check_knobs(section: GameSection, game: AnyGame, faults: Faults) -> None:
    knobs: dict[str, Knob] = {knob.name: knob for knob in game.space}
    for name, (low, high) in section.bounds.items():
        address = ("game", "bounds", name)
        if not _known(name, knobs, address, f"{game.name} has the knobs", faults):
            continue
        try:
            knobs[name] = knobs[name].narrowed(low, high)
        except ValueError as fault:
            faults.add(address, str(fault))
    for name, value in section.params.items():
        address = ("game", "params", name)
        if not _known(name, knobs, address, f"{game.name} has the knobs", faults):
            continue
        try:
            knobs[name].real(value if isinstance(value, int | float) else value[:64])
        except ValueError as fault:
            faults.add(address, f"{fault}{suggestion(value, knobs[name].choices)}")


def fixed_names(section: GameSection, levels: Endless | Campaign | None) -> frozenset[str]:
    """Knobs that the dial does not move: those with one value, and those with a value for each level."""
    own = levels.params if isinstance(levels, Campaign) and levels.params else {}
    return frozenset(section.params) | frozenset(own)


def _check_level_params(parts: Parts, game: AnyGame, faults: Faults) -> None:
    """Every value of a level is one that its knob has, and there is one for each level."""
    if not isinstance(parts.levels, Campaign) or parts.game is None:
        return
    knobs: dict[str, Knob] = {knob.name: knob for knob in game.space}
    for name, values in (parts.levels.params or {}).items():
        address: KeyPath = ("levels", "params", name)
        if not _known(name, knobs, address, f"{game.name} has the knobs", faults):
            continue
        if len(values) != parts.levels.count:
            rule = f"must have one value for each of the {parts.levels.count} levels"
            faults.add(address, f"{rule}, got {len(values)}")
        if parts.game.params.get(name, knobs[name].default) != knobs[name].default:
            rule = "is given for each level here and once in [game.params]; remove one of the two"
            faults.add(address, rule)
        for value in values:
            try:
                knobs[name].real(value if isinstance(value, int | float) else value[:64])
            except ValueError as fault:
                faults.add(address, f"{fault}{suggestion(value, knobs[name].choices)}")
                break


def _check_dial(
    section: DialSection,
    own: GameSection,
    fixed: Collection[str],
    game: AnyGame,
    kind: ControllerKind | None,
    faults: Faults,
) -> None:
    names = game.space.names
    moving = [name for name in names if name not in fixed] if section.knobs is None else section.knobs
    seen = set[str]()
    address: KeyPath
    for place, name in enumerate(section.knobs or []):
        address = ("dial", "knobs", place)
        if not _known(name, names, address, f"{game.name} has the knobs", faults):
            continue
        if name in fixed:
            where = "[game.params]" if name in own.params else "[levels] params"
            faults.add(
                address,
                f"{name} is fixed in {where}, so it does not move; remove it from one of the two",
            )
        elif name in seen:
            faults.add(address, f"a knob must be listed once, but {name} is listed twice")
        seen.add(name)
    if not moving:
        # A tuned setting is played as it is; an adaptive controller would have nothing to change.
        if kind is None or kind.mode != "deterministic" or not set(fixed) >= set(names):
            rule = "a dial must move at least one knob, but all are fixed"
            remedy = 'remove one from [game.params], or fix all of them there with [controller] name = "constant"'
            faults.add(("dial", "knobs"), f"{rule}; {remedy}")
        return
    lengths = {len(points) for points in section.path.values() if len(points) > 2}
    for name, points in section.path.items():
        address = ("dial", "path", name)
        if _known(name, names, address, f"{game.name} has the knobs", faults) and name not in moving:
            faults.add(address, f"{name} does not move, so it has no path; remove it, or let the dial move it")
        elif len(points) > 2 and len(lengths) > 1:
            counts = " and ".join(map(str, sorted(lengths)))
            faults.add(address, f"paths of more than two positions must be equally long, got {counts} positions")


def moving_knobs(
    section: DialSection, own: GameSection, levels: Endless | Campaign | None, game: AnyGame
) -> dict[str, Knob]:
    """The knobs that a dial moves, with the scenario's bounds. All of them must be those of the game."""
    fixed = fixed_names(own, levels)
    names = [name for name in game.space.names if name not in fixed] if section.knobs is None else section.knobs
    knobs = {knob.name: knob for knob in game.space}
    return {name: knobs[name].narrowed(*own.bounds[name]) if name in own.bounds else knobs[name] for name in names}


def _check_direction(section: DialSection, parts: Parts, game: AnyGame, faults: Faults) -> None:
    if faults.touch("dial") or faults.touch("game") or parts.game is None:
        return
    knobs = moving_knobs(section, parts.game, parts.levels, game)
    found = fault_of_dial(section.floor, section.ceiling, knobs, section.path) if knobs else None
    if found is not None:
        faults.add(*found)


def _check_controller(section: ControllerSection, kind: ControllerKind, faults: Faults) -> None:
    options = {option.name: option for option in kind.option_list}
    for name, value in section.options.items():
        address = ("controller", "options", name)
        if not options:
            faults.add(address, f"{kind.name} has no options, got {quote_value(value)}; remove it")
        elif _known(name, options, address, f"{kind.name} has the options", faults):
            option = options[name]
            if not option.low <= value <= option.high:
                rule = f"must be a number from {option.low:g} to {option.high:g} ({option.meaning})"
                faults.add(address, f"{rule}, got {quote_value(value)}")
    _check_schedules(section, kind, options, faults)
    if section.scope is not None and section.scope not in kind.scopes:
        faults.add(
            ("controller", "scope"), f"must be {one_of(kind.scopes)} for {kind.name}, got {quote_value(section.scope)}"
        )


def _check_schedules(
    section: ControllerSection, kind: ControllerKind, options: Mapping[str, Option], faults: Faults
) -> None:
    """The gain's shape and options that change are those of a rule that can follow them."""
    reason = why_no_gain_schedule(kind) if section.gain is not None else None
    if reason is not None:
        faults.add(("controller", "gain"), f"needs a controller with a gain that can follow a shape, but {reason}")
    reason = why_unscheduled(kind) if section.piecewise else None
    if reason is not None:
        faults.add(("controller", "piecewise"), f"needs a controller whose options may change, but {reason}")
        return
    for name, steps in (section.piecewise or {}).items():
        address = ("controller", "piecewise", name)
        if not _known(name, options, address, f"{kind.name} has the options", faults):
            continue
        option = options[name]
        places = [at for at, _ in steps]
        if places[0] != 0 or any(not at.is_integer() for at in places) or places != sorted(set(places)):
            rule = "must have pairs [outcome, value] whose outcomes are whole numbers that rise from 0"
            faults.add(address, f"{rule}, got {quote_value(steps)}")
        wrong = next((value for _, value in steps if not option.low <= value <= option.high), None)
        if wrong is not None:
            rule = f"must have values from {option.low:g} to {option.high:g} ({option.meaning})"
            faults.add(address, f"{rule}, got {wrong:g}")


def scope_of(section: ControllerSection, kind: ControllerKind) -> Scope:
    """Which players share the controller: as the scenario says, or the kind's first scope."""
    return section.scope or kind.scopes[0]


def _check_telemetry(parts: Parts, kind: ControllerKind, faults: Faults) -> None:
    if parts.telemetry is None or parts.controller is None or faults.touch("controller", "scope"):
        return
    if parts.telemetry.deploy_every_s > 0.0 and scope_of(parts.controller, kind) == "player":
        faults.add(
            ("telemetry", "deploy_every_s"),
            f"must be 0 for a controller of scope player, got {parts.telemetry.deploy_every_s:g}; "
            "only settings that players share are deployed on a timetable",
        )


def aims(target: CohortTarget | None) -> list[str]:
    """The ways in which a target is given; a valid target has one, or none where it inherits."""
    return [name for name in _AIMS if target is not None and getattr(target, name) is not None]


def _check_calendar(parts: Parts, faults: Faults) -> None:
    calendar = parts.players.calendar if parts.players is not None else None
    for name, weights in (("hours", calendar.hours), ("weekdays", calendar.weekdays)) if calendar is not None else ():
        if weights is not None and not any(weights):
            faults.add(("players", "calendar", name), "must have a weight above 0, got only 0; nobody would ever play")


def _check_targets(parts: Parts, faults: Faults) -> None:
    _check_target(("target",), parts.target, parts, faults)
    for place, cohort in parts.cohorts.items():
        address = ("cohort", place, "target")
        _check_target(address, cohort.target, parts, faults)
        if cohort.target is not None and cohort.target.tolerance is not None and not aims(cohort.target):
            if parts.target is not None and parts.target.band is not None:
                faults.add(address, "a tolerance belongs to a win rate, but [target] has a band; give win_rate here")
    aimless = [
        cohort
        for place, cohort in parts.cohorts.items()
        if not aims(cohort.target) and not faults.touch("cohort", place, "target")
    ]
    if aimless and not aims(parts.target) and not faults.touch("target"):
        faults.add(
            ("target",),
            "a controller needs a target: give [target] win_rate, band or levels; "
            f"cohort {aimless[0].name!r} has no target of its own",
        )
    if parts.target is not None and parts.horizon is not None:
        last = parts.horizon.attempts_per_player
        if parts.target.after_attempts > 0 and isinstance(parts.levels, Campaign):
            faults.add(
                ("target", "after_attempts"),
                f"must be 0 in a campaign, got {parts.target.after_attempts}: a level ends with its first win, so "
                "after a warm-up only players who kept losing would be judged",
            )
        elif parts.target.after_attempts >= last:
            rule = f"must be below horizon.attempts_per_player = {last}, or nothing is judged"
            faults.add(("target", "after_attempts"), f"{rule}, got {parts.target.after_attempts}")


def _check_target(address: KeyPath, target: CohortTarget | None, parts: Parts, faults: Faults) -> None:
    if target is None:
        return
    given = aims(target)
    if len(given) > 1:
        faults.add(address, f"must have one of win_rate, band and levels, got {' and '.join(given)}")
    elif target.band is not None:
        low, high = target.band
        if low >= high:
            faults.add((*address, "band"), f"must be [low, high] with low below high, got {quote_value(target.band)}")
        elif not LOWEST_WIN_RATE <= (low + high) / 2 <= HIGHEST_WIN_RATE:
            rule = f"must have its middle, the controller's aim, from {LOWEST_WIN_RATE:g} to {HIGHEST_WIN_RATE:g}"
            faults.add((*address, "band"), f"{rule}, got {quote_value(target.band)}")
        if target.tolerance is not None:
            faults.add((*address, "tolerance"), "a band has its own width and no tolerance; remove one of the two")
    elif target.levels is not None and parts.levels is not None:
        if not isinstance(parts.levels, Campaign):
            faults.add((*address, "levels"), 'needs [levels] kind = "campaign"; an endless stream has one win_rate')
        elif len(target.levels) != parts.levels.count:
            rule = f"must have one win rate for each of the {parts.levels.count} levels"
            faults.add((*address, "levels"), f"{rule}, got {len(target.levels)}")


def _check_reach(parts: Parts, kind: ControllerKind, game: AnyGame, faults: Faults) -> None:
    """Every wanted win rate is one that the controller's model of a player has at some difficulty."""
    section = parts.controller
    if section is None or kind.reach is None or faults.touch("controller"):
        return
    low, high = kind.reach(kind.options(**section.options), game)
    targets: list[tuple[KeyPath, CohortTarget | None]] = [(("target",), parts.target)]
    targets += [(("cohort", place, "target"), cohort.target) for place, cohort in parts.cohorts.items()]
    for address, target in targets:
        if faults.touch(*address) or len(aims(target)) != 1 or target is None:
            continue
        (aim,) = aims(target)
        given = getattr(target, aim)
        wanted = [given] if target.win_rate is not None else [sum(given) / 2] if target.band is not None else given
        beyond = next((rate for rate in wanted if not low <= rate <= high), None)
        if beyond is not None:
            option = "lapse" if beyond > high else "guess"
            remedy = f"lower its option {option}, or take" if option in kind.options._fields else "take"
            rule = f"must be from {low:.4g} to {high:.4g} for {kind.name}, whose model of a player wins no other share"
            faults.add(
                (*address, aim), f"{rule}, got {beyond:g}; {remedy} a controller without a model, such as robbins_monro"
            )


def counts_of(count: int, shares: Sequence[float]) -> tuple[int, ...]:
    """Players per cohort by largest remainder, at least one each; count must not be below the number of shares."""
    exact = [count * share for share in shares]
    counts = [math.floor(number) for number in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: (counts[i] - exact[i], i))
    for i in by_remainder[: count - sum(counts)]:
        counts[i] += 1
    for i, number in enumerate(counts):
        if number == 0:
            counts[counts.index(max(counts))] -= 1
            counts[i] = 1
    return tuple(counts)


def _check_players(parts: Parts, faults: Faults) -> None:
    seen: dict[str, str] = {}
    for place, cohort in parts.cohorts.items():
        folded = unicodedata.normalize("NFKC", cohort.name).casefold()
        if folded in seen:
            came = f"got {cohort.name!r} after {seen[folded]!r}"
            faults.add(("cohort", place, "name"), f"names of cohorts must differ in more than capital letters, {came}")
        seen[folded] = cohort.name
    players = parts.players
    flow_read = players is not None and not faults.touch("players", "flow")
    if players is not None and flow_read and players.flow.same_day_share + players.flow.daily_share > 1.0:
        came = f"{players.flow.same_day_share + players.flow.daily_share:g}"
        rule = "same_day_share and daily_share must sum to at most 1"
        faults.add(("players", "flow", "daily_share"), f"{rule}, got {came}")
    if not parts.all_cohorts:
        return
    shares = [cohort.share for cohort in parts.cohorts.values()]
    total = math.fsum(shares)
    if abs(total - 1.0) > 1e-9:
        rule = f"the shares of all cohorts must sum to 1, got {total:.10g} from {len(shares)} cohorts"
        faults.add(("cohort",), rule + slip_of_shares(shares))
    elif players is not None and players.count < len(shares):
        rule = f"must be at least {len(shares)}, one player for each cohort"
        faults.add(("players", "count"), f"{rule}, got {players.count}")
    elif players is not None and max(counts_of(players.count, shares)) > COHORT_STRIDE:
        rule = f"must give no cohort more than {COHORT_STRIDE} players"
        faults.add(("players", "count"), f"{rule}, got {players.count}; use more replicas or smaller shares")


def _check_traits(address: KeyPath, cohort: CohortSection, faults: Faults) -> None:
    traits: Mapping[str, Trait] = {trait.name: trait for trait in TRAIT_LIST}
    for name, spread in cohort.traits.items():
        here = (*address, name)
        if not _known(name, traits, here, "the traits are", faults):
            continue
        trait = traits[name]
        if isinstance(spread, int | float):
            _check_trait(here, spread, trait, faults)
            continue
        match spread:
            case NormalSpread():
                _check_trait((*here, "mean"), spread.mean, trait, faults)
            case LognormalSpread():
                _check_trait((*here, "median"), spread.median, trait, faults)
        for end, value in (("low", spread.low), ("high", spread.high)):
            if value is not None:
                _check_trait((*here, end), value, trait, faults)
        low = trait.low if spread.low is None else spread.low
        high = trait.high if spread.high is None else spread.high
        if low >= high and not faults.touch(*here):
            noun = "uniform" if isinstance(spread, UniformSpread | LoguniformSpread) else "range"
            faults.add((*here, "low"), f"low must be below high in a {noun}, got {low:g} and {high:g}")


def _check_correlation(address: KeyPath, cohort: CohortSection, faults: Faults) -> None:
    """Correlated traits are normal or log-normal ones, and all correlations of a cohort are possible together."""
    seen: set[frozenset[str]] = set()
    for name, others in (cohort.correlation or {}).items():
        for other in others:
            here = (*address, name, other)
            if not all(_known(one, TRAIT_NAMES, here, "the traits are", faults) for one in (name, other)):
                return
            if name == other or frozenset((name, other)) in seen:
                rule = "must be of two traits, each pair once"
                faults.add(here, f"{rule}, got {name} and {other}")
                return
            seen.add(frozenset((name, other)))
            for one in (name, other):
                spread = cohort.traits.get(one)
                kind = DEFAULT_TRAITS[one].kind if spread is None and one in DEFAULT_TRAITS else "fixed"
                if not isinstance(spread, NormalSpread | LognormalSpread) and kind not in ("normal", "lognormal"):
                    faults.add(here, f"needs normal or log-normal traits, but {one} is neither")
                    return
    if cohort.correlation and correlation_factor(cohort.correlation) is None:
        faults.add(address, "must be possible together, but these correlations contradict each other; make one weaker")


def _check_trait(address: KeyPath, value: float, trait: Trait, faults: Faults) -> None:
    if not trait.low <= value <= trait.high:
        unit = "" if trait.unit == "1" else f" {trait.unit}"
        rule = f"must be a number from {trait.low:g} to {trait.high:g}{unit} ({trait.meaning})"
        faults.add(address, f"{rule}, got {quote_value(value)}")


def _check_work(parts: Parts, allow_long: bool, faults: Faults) -> None:
    if parts.players is None or parts.horizon is None or parts.run is None:
        return
    work = parts.players.count * parts.horizon.attempts_per_player * parts.run.replicas
    sentence = f"count x attempts_per_player x replicas must be at most {LONG_WORK:.0e} attempts, got {work:.2e}"
    minutes = work / USUAL_SPEED / 60
    if work > LARGEST_WORK:
        faults.add(
            ("players", "count"), f"{sentence.replace(f'{LONG_WORK:.0e}', f'{LARGEST_WORK:.0e}')}; make one smaller"
        )
    elif work > LONG_WORK and not allow_long:
        estimate = f"roughly {minutes:.0f} minutes of one core at {USUAL_SPEED} attempts a second"
        faults.add(("players", "count"), f"{sentence}, {estimate}; make one smaller, or add --allow-long")
