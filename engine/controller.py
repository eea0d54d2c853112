"""Controllers: ask for the next setting, tell the outcome.

A *rule* controls one player: pure functions on a named tuple of numbers, which compile into the session kernel. A
*controller* is any object with `ask`, `tell` and `describe`; engine.rule makes one out of a rule. Outcomes come
back late and out of order, each with the setting it was PLAYED at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, Protocol

from engine.attempt import RUNS_OWN
from engine.external.external_game import AnyGame
from engine.parameters import ParameterSpace
from engine.scheduling.option_schedule import NO_SCHEDULE, OptionSchedule

# Eiben, Hinterding and Michalewicz 1999; a reference knows what no game tells, and is no controller for one.
Mode = Literal["deterministic", "adaptive", "self_adaptive", "reference"]
Scope = Literal["player", "cohort", "everyone"]
SCOPES: Final = ("player", "cohort", "everyone")


class Situation(NamedTuple):
    """What a rule may know before an attempt."""

    target: float  # wanted win rate in (0, 1)
    attempt: int  # attempts of this player so far
    level: int  # level of a campaign, from 1; 0 in an endless stream
    place: int  # attempts of this player so far in this session
    last: float  # this player's previous outcome: 1 won, 0 not; 1 before the first; -1 not known yet
    session: int = 0  # this player's sessions before this one
    day: int = 0  # of the run, from 0


class Observation(NamedTuple):
    """What a rule learns of an attempt, or of several attempts at one difficulty."""

    difficulty: float  # as PLAYED, in [0, 1]
    won: float  # 0 or 1; the share won when weight > 1
    progress: float  # [0, 1]
    score: float  # [0, 1]; the progress in a game that has no score
    target: float
    place: float  # attempts of the session before it; the mean when weight > 1, as for `last`
    last: float  # the outcome before, as in Situation
    weight: float  # number of attempts


class Bounds(NamedTuple):
    """Between what a rule's dial can move, and which win rates it is to serve there."""

    floor: float  # lowest difficulty that is played, in [0, 1]
    ceiling: float  # highest
    least_target: float  # lowest wanted win rate of those who share the state, over all levels
    most_target: float  # highest


class Option(NamedTuple):
    """A hyperparameter of a controller; its default stands in the options tuple."""

    name: str
    low: float
    high: float
    meaning: str


@dataclass(frozen=True, eq=False)
class Rule:
    """Control of one player, as pure functions that compile.

    State fields are floats, or 1-D float arrays of fixed length. `beliefs` names the scalar fields that become
    columns and are shown; None: all of them. `ask` may return any finite number; the engine clips it to the
    scenario's floor and ceiling.

    A rule that needs tables (a grid, particles, a schedule) has `prepare`: it turns the options into a named tuple
    of floats and 1-D float arrays, once, which then stands in the place of the options. The tables are shared by all
    players and must not be written to.

    A state that runs on beyond floor or ceiling, while the dial stands there, needs as long to come back (windup).
    `anti_windup` moves a state to where the dial can answer. The engine calls it after `start` and after every `tell`.
    With floor 0 and ceiling 1 it changes nothing that `tell` keeps on the dial by itself. A rule that is prepared has
    floor and ceiling in its brief and may do without.

    A rule that draws names the field of its state that holds its unit: the number of the player, or of the cohort,
    or 0 where everyone shares the state. `start` leaves 0.0 there, the engine writes the number, `tell` hands it on.
    Each draw has the unit in its address, since players with one luck are one experiment.
    """

    start: Callable[..., Any]  # (options, target) -> state
    ask: Callable[..., float]  # (options, state, situation) -> difficulty
    tell: Callable[..., Any]  # (options, state, observation) -> state
    beliefs: tuple[str, ...] | None = None
    prepare: Callable[[Any, Brief], Any] | None = None  # (options, brief) -> what the functions get as options
    anti_windup: Callable[..., Any] | None = None  # (options, state, bounds) -> state
    unit: str | None = None  # a scalar field of the state


class Who(NamedTuple):
    """Whose attempt it is."""

    player: int
    cohort: int
    situation: Situation


class Setting(NamedTuple):
    """What a controller asks for. units = None: the dial's path at `difficulty`."""

    difficulty: float  # [0, 1]
    units: tuple[float, ...] | None = None  # one position in [0, 1] per knob of the space; held knobs are ignored
    ticket: int = -1  # comes back with the outcome


class Outcome(NamedTuple):
    """The outcome of a setting."""

    who: Who
    setting: Setting  # as PLAYED: clipped to floor and ceiling
    won: bool
    progress: float
    score: float  # the progress in a game that has none
    played_s: float  # simulated time of the end of the attempt


class Controller(Protocol):
    """Decides the setting of the next attempt and learns from outcomes."""

    @property
    def beliefs(self) -> Sequence[str]:
        """Names of the numbers that `describe` gives: they become columns."""

    def ask(self, who: Who) -> Setting:
        """The setting for the attempt that is about to begin."""

    def tell(self, outcome: Outcome) -> None:
        """Take an outcome into account; results come late and out of order."""

    def describe(self, who: Who) -> Mapping[str, float]:
        """Beliefs about this player, cohort or everyone; NaN where there is none yet."""


class Brief(NamedTuple):
    """What a controller receives when it is made."""

    space: ParameterSpace
    path: Any  # the dial, float64 array of shape (points, knobs)
    floor: float  # lowest and highest position in the cube that it may ask for
    ceiling: float
    targets: Any  # float64 array, shape (cohorts, levels); one level in an endless stream
    scope: Scope
    cohorts: tuple[str, ...]
    seed: int
    replica: int
    game: AnyGame  # and the players' traits, shape (cohorts, traits, 6): for controllers that imagine players
    traits: Any
    layout_seed: int = RUNS_OWN  # from which the numbered levels are drawn
    levels: int = 0  # of a campaign; 0 in an endless stream
    schedule: OptionSchedule = NO_SCHEDULE  # how the options change with outcomes, see engine.scheduling

    @property
    def seed_of_levels(self) -> int:
        """The seed from which the numbered levels are drawn."""
        return self.seed if self.layout_seed == RUNS_OWN else self.layout_seed


@dataclass(frozen=True, eq=False)
class ControllerKind:
    """One plug-in: everything that `list`, `describe` and the engine need. `check_controller` tests the promises."""

    name: str
    mode: Mode
    summary: str  # one honest sentence
    formula: str
    source: str
    use: str  # when to use it, and when not
    options: type[Any]  # NamedTuple of floats with defaults
    option_list: tuple[Option, ...]  # one per field of options, in order
    rule: Rule | None = None
    make: Callable[[Any, Brief], Controller] | None = None  # (options, brief), where there is no rule
    scopes: tuple[Scope, ...] = ("player",)  # the first is the default
    # Options that together scale every step, the main one first: with all at 0 the dial stands still.
    gains: tuple[str, ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict)  # further limits in words, for `describe`
    # Units of beliefs, as in the data package; that of `difficulty` is known. dial: a length on the dial, which goes
    # from 0 (easiest) to 1 (hardest); a belief may lie beyond these ends.
    belief_units: Mapping[str, str] = field(default_factory=dict)
    # (options, game) -> lowest and highest win rate that its model of a player has at any difficulty; None: all.
    reach: Callable[[Any, AnyGame], tuple[float, float]] | None = None

    @property
    def gain(self) -> str | None:
        """The option that a search for the gain varies; None where there is none."""
        return self.gains[0] if self.gains else None
