"""Stages 4 and 5 of the controller contract: a controller with many players, in a small world made for the purpose."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from engine.arithmetic import logistic
from engine.contract.ladder import CLIMBERS, LADDER, SPACE
from engine.controller import Brief, Controller, ControllerKind, Outcome, Scope, Setting, Situation, Who
from engine.parameters import straight_path
from engine.randomness import CHANCE, RETURN, key_of, uniform
from engine.rule import PerPlayer

SEED: Final = 40
PLAYERS: Final = 4  # in each of two cohorts
FOLLOWED: Final = 3000  # attempts of each cohort until a controller must have found its players

Wins = Callable[[Who, Setting, float], bool]  # player, setting and uniform number -> won


class Exchange(NamedTuple):
    """One ask, its outcome, and what the controller described before it."""

    asked: Setting
    outcome: Outcome
    described: dict[str, float]


def brief_for(scope: Scope, targets: tuple[float, float] = (0.55, 0.55)) -> Brief:
    """Two cohorts, five knobs of all kinds, one of them fixed."""
    goals = np.array([[target] for target in targets])
    traits = np.array([CLIMBERS, CLIMBERS])
    return Brief(SPACE, straight_path(SPACE), 0.05, 0.95, goals, scope, ("weak", "strong"), SEED, 0, LADDER, traits)


def make_controller(kind: ControllerKind, brief: Brief) -> Controller:
    """The controller with its default options."""
    options = kind.options()
    if kind.rule is not None:
        return PerPlayer(kind.rule, options, brief)
    assert kind.make is not None
    return kind.make(options, brief)


def hardness(setting: Setting) -> float:
    """How hard a setting is in this world, in [0, 1]: the mean position of the knobs that are not fixed."""
    if setting.units is None:
        return setting.difficulty
    return math.fsum(setting.units[j] for j in SPACE.free) / len(SPACE.free)


def by_skill(weak: float, strong: float) -> Wins:
    """A world in which cohorts have these skills, as difficulties: win probability 2 % to 98 %, slope 8."""

    def wins(who: Who, setting: Setting, luck: float) -> bool:
        skill = (weak, strong)[who.cohort]
        return luck < 0.02 + 0.96 * logistic(8.0 * (skill - hardness(setting)))

    return wins


def play_exchanges(controller: Controller, brief: Brief, wins: Wins, rounds: int, delay: int = 0) -> Iterator[Exchange]:
    """Let all players play so many rounds; outcomes arrive up to `delay` attempts late and then out of order."""
    waiting: list[Outcome] = []
    luck, order = key_of(SEED, 0, CHANCE, 0, 0), key_of(SEED, 0, RETURN, 0, 0)
    turn = 0
    last: dict[int, float] = {}
    for attempt in range(rounds):
        for place in range(2 * PLAYERS):
            cohort = place % 2
            number = cohort * 1000 + place
            known = last.get(number, 1.0) if delay == 0 else (-1.0 if attempt else 1.0)
            target = float(brief.targets[cohort, 0])
            who = Who(number, cohort, Situation(target, attempt, 0, attempt % 20, known))
            described = dict(controller.describe(who))
            asked = controller.ask(who)
            played = _as_played(asked, brief)
            won = wins(who, played, uniform(luck, turn))
            last[number] = 1.0 if won else 0.0
            waiting.append(Outcome(who, played, won, 1.0 if won else 0.5, 0.8 if won else 0.4, 30.0 * turn))
            yield Exchange(asked, waiting[-1], described)
            while len(waiting) > delay:
                controller.tell(waiting.pop(int(uniform(order, turn) * len(waiting))))
            turn += 1


def _as_played(asked: Any, brief: Brief) -> Any:
    """What the engine plays for a setting: within floor and ceiling. What is no setting is left for others to find."""
    if not isinstance(asked, Setting):
        return asked
    return asked._replace(difficulty=min(max(asked.difficulty, brief.floor), brief.ceiling))


def _scopes(kind: ControllerKind) -> Iterator[tuple[Scope, Brief]]:
    for scope in kind.scopes:
        yield scope, brief_for(scope)


def settings_are_valid(kind: ControllerKind) -> Iterator[str]:
    """Every setting has a difficulty in [0, 1] and, where it has positions, one in [0, 1] per knob."""
    for scope, brief in _scopes(kind):
        for wins, words in ((_always, "wins only"), (_never, "losses only"), (by_skill(0.3, 0.7), "mixed outcomes")):
            for exchange in play_exchanges(make_controller(kind, brief), brief, wins, 60):
                fault = _setting_fault(exchange.asked)
                if fault:
                    yield f"{fault}, with scope {scope} and {words}"
                    return


def _always(who: Who, setting: Setting, luck: float) -> bool:
    return True


def _never(who: Who, setting: Setting, luck: float) -> bool:
    return False


def _setting_fault(setting: Any) -> str:
    if not isinstance(setting, Setting):
        return f"ask must return an engine.controller.Setting, got {type(setting).__name__}"
    if not 0.0 <= setting.difficulty <= 1.0:
        return f"difficulty must lie in [0, 1], got {setting.difficulty!r}"
    if setting.units is not None:
        if len(setting.units) != len(SPACE):
            return f"units must have one position per knob of the space, {len(SPACE)}, got {len(setting.units)}"
        if not all(0.0 <= u <= 1.0 for u in setting.units):
            return f"units must lie in [0, 1], got {setting.units!r}"
    return ""


def late_outcomes_are_taken(kind: ControllerKind) -> Iterator[str]:
    """Outcomes that arrive late, out of order, twice or without a question do no harm."""
    for scope, brief in _scopes(kind):
        controller = make_controller(kind, brief)
        for i, exchange in enumerate(play_exchanges(controller, brief, by_skill(0.3, 0.7), 150, delay=50)):
            fault = _setting_fault(exchange.asked)
            if fault:
                yield f"{fault}, with scope {scope} and outcomes up to 50 attempts late"
                return
            if i % 50 == 0:
                foreign = Setting(exchange.asked.difficulty, exchange.asked.units, 10**9)
                controller.tell(exchange.outcome._replace(setting=foreign))


def beliefs_are_described(kind: ControllerKind) -> Iterator[str]:
    """Describe returns a float for every name of beliefs, and no other."""
    for scope, brief in _scopes(kind):
        controller = make_controller(kind, brief)
        names: tuple[Any, ...] = tuple(controller.beliefs)
        if not all(isinstance(name, str) and name.isidentifier() for name in names) or len(set(names)) != len(names):
            yield f"beliefs must be distinct identifiers, got {names!r}"
            return
        strange = [name for name in kind.belief_units if name not in names]
        if strange:
            yield f"belief_units must name beliefs ({', '.join(names)}), got {strange[0]!r}"
            return
        for exchange in play_exchanges(controller, brief, by_skill(0.3, 0.7), 60):
            if set(exchange.described) != set(names):
                yield f"describe must return {names}, got {tuple(exchange.described)}, with scope {scope}"
                return
            values: dict[str, Any] = dict(exchange.described)
            for name, value in values.items():
                if not isinstance(value, float | int) or math.isinf(value):
                    yield f"describe must return finite numbers, or NaN for none yet, got {value!r} for {name}"
                    return


def _asked(kind: ControllerKind, brief: Brief, wins: Wins, rounds: int) -> list[Setting]:
    return [exchange.asked for exchange in play_exchanges(make_controller(kind, brief), brief, wins, rounds)]


def instances_are_independent(kind: ControllerKind) -> Iterator[str]:
    """Two controllers made from one kind share nothing."""
    for scope, brief in _scopes(kind):
        expected = _asked(kind, brief, by_skill(0.3, 0.7), 40)
        mine, other = make_controller(kind, brief), make_controller(kind, brief)
        foreign = play_exchanges(other, brief, _always, 1000)
        for i, exchange in enumerate(play_exchanges(mine, brief, by_skill(0.3, 0.7), 40)):
            next(foreign)
            if exchange.asked != expected[i]:
                yield f"two instances share state, with scope {scope}: outcomes of one change what the other asks"
                return


def repeats_itself(kind: ControllerKind) -> Iterator[str]:
    """The same seed and the same outcomes give the same settings."""
    for scope, brief in _scopes(kind):
        if _asked(kind, brief, by_skill(0.3, 0.7), 60) != _asked(kind, brief, by_skill(0.3, 0.7), 60):
            yield f"the same outcomes gave different settings, with scope {scope}; draw by address, from brief.seed"
            return


def open_loop_if_deterministic(kind: ControllerKind) -> Iterator[str]:
    """A deterministic controller asks the same whatever the outcomes."""
    if kind.mode != "deterministic":
        return
    for scope, brief in _scopes(kind):
        if _asked(kind, brief, _always, 60) != _asked(kind, brief, _never, 60):
            yield f"a deterministic controller must not react to outcomes, but it does with scope {scope}"
            return


def follows_players(kind: ControllerKind) -> Iterator[str]:
    """A controller that adapts ends harder for strong players than for weak ones; a reference need not use outcomes."""
    if kind.mode in ("deterministic", "reference"):
        return
    for scope, brief in _scopes(kind):
        ends = []
        for skill in (0.25, 0.75):
            rounds = FOLLOWED // PLAYERS if scope != "player" else 300
            asked = _asked(kind, brief, by_skill(skill, skill), rounds)
            tail = asked[-len(asked) // 5 :]
            ends.append(math.fsum(hardness(setting) for setting in tail) / len(tail))
        if ends[1] < ends[0] + 0.1:
            yield (
                f"strong players must end at a higher difficulty than weak ones, but skill 0.25 ended at {ends[0]:.3f} "
                f"and skill 0.75 at {ends[1]:.3f}, with scope {scope}"
            )
            return


def extreme_targets_end_at_bounds(kind: ControllerKind) -> Iterator[str]:
    """A target that no player can reach drives an adapting controller to the end of the dial."""
    if kind.mode == "deterministic":
        return
    for scope in kind.scopes:
        for target, wanted in ((0.995, 0.0), (0.005, 1.0)):
            brief = brief_for(scope, (target, target))
            rounds = FOLLOWED // PLAYERS if scope != "player" else 600
            asked = _asked(kind, brief, by_skill(0.5, 0.5), rounds)
            tail = asked[-len(asked) // 5 :]
            mean = math.fsum(hardness(setting) for setting in tail) / len(tail)
            if not abs(mean - wanted) <= 0.2:
                yield f"target {target} must end near difficulty {wanted:g}, but ended at {mean:.3f} with scope {scope}"
                return
