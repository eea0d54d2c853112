"""The tables of a scenario file as models: every key with its type, range, default and meaning.

These say all that can be said without knowing the game and the controller; what depends on them, or on two tables at
once, is in engine.scenario_file.consistency. The JSON schema of the format is printed from here.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, GetCoreSchemaHandler, Tag, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from engine.controller import Scope
from engine.further.further_target import MEASURED, USUAL_RUN, LengthUnit, Measured, Statistic
from engine.players import COHORT_STRIDE, LARGEST_COHORT, Flow
from engine.presence.week import DAYS, HOURS
from engine.randomness import LARGEST_SEED
from engine.scenario_file.personas import persona_traits
from engine.scenario_file.scenario_faults import quote_value
from engine.scheduling.option_schedule import GainSchedule, GainShape
from engine.setup import Layouts

FORMAT: Final = 1
DEFAULT_TOLERANCE: Final = 0.05
MOST_LEVELS: Final = 10_000  # of a campaign
MOST_FILES: Final = 200  # levels made by hand
MOST_FURTHER: Final = 100  # targets beyond the win rate
LARGEST: Final = 1e300  # of a number whose range only the game or the controller knows
LOWEST_WIN_RATE: Final = 1e-6  # of a target: its odds are finite, and far beyond what can be distinguished
HIGHEST_WIN_RATE: Final = 1.0 - LOWEST_WIN_RATE
_LONGEST_TIME_S: Final = 1e9

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_DEVICES: Final = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])")  # files cannot be called so on Windows
_TURNING: Final = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # change reading direction


def _refused(rule: str, value: object) -> PydanticCustomError:
    """The error whose sentence is printed as it is; text in braces would be taken for a template."""
    return PydanticCustomError("rule", "{sentence}", {"sentence": f"must be {rule}, got {quote_value(value)}"})


@dataclass(frozen=True)
class Number:
    """A finite number in [low, high]; above leaves the low end out. An integer will do, a boolean will not."""

    low: float
    high: float
    whole: bool = False
    above: bool = False
    unit: str = ""

    @property
    def rule(self) -> str:
        noun = "a whole number" if self.whole else "a finite number" if self.high >= LARGEST else "a number"
        unit = f" {self.unit}" if self.unit else ""
        low, high = (str(end) if self.whole else f"{end:g}" for end in (self.low, self.high))
        if self.above:
            return f"{noun} above {low} and at most {high}{unit}"
        return f"{noun} from {low} to {high}{unit}"

    def _checked(self, value: Any) -> float:
        fits = isinstance(value, int if self.whole else int | float) and not isinstance(value, bool)
        if not fits or not self.low <= value <= self.high:  # the comparison fails for nan too
            raise _refused(self.rule, value)
        if self.above and value == self.low:
            raise _refused(self.rule, value)
        return value if self.whole else float(value) + 0.0  # -0.0 becomes 0.0

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        ends: dict[str, Any] = {"gt" if self.above else "ge": self.low, "le": self.high}
        inner = core_schema.int_schema(**ends) if self.whole else core_schema.float_schema(**ends)
        return core_schema.no_info_before_validator_function(self._checked, inner)


@dataclass(frozen=True)
class FreeText:
    """Text for people: composed (NFC), without control marks and marks that change the direction of reading."""

    longest: int
    lines: bool = False

    @property
    def rule(self) -> str:
        return f"a text in quotes of at most {self.longest} characters"

    def _checked(self, value: Any) -> str:
        if not isinstance(value, str):
            raise _refused(self.rule, value)
        if len(value) > self.longest:  # before composing, whose time grows with the square of a run of accents
            raise _refused(self.rule, f"{value[:20]}... of {len(value)}")
        text = unicodedata.normalize("NFC", value)
        if len(text) > self.longest:  # a few characters are longer when composed
            raise _refused(self.rule, f"{text[:20]}... of {len(text)}")
        for mark in text:
            allowed = self.lines and mark in "\n\t"
            if not allowed and (mark in _TURNING or unicodedata.category(mark) in ("Cc", "Cs", "Zl", "Zp")):
                raise _refused("a text without control characters and marks of reading direction", value)
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = core_schema.str_schema(max_length=self.longest)
        return core_schema.no_info_before_validator_function(self._checked, inner)


@dataclass(frozen=True)
class Identifier:
    """A name that is safe as a file name, in a table and on a page."""

    @property
    def rule(self) -> str:
        return "a name of 1 to 64 letters, digits, _ and -, that begins with a letter or digit"

    def _checked(self, value: Any) -> str:
        if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
            raise _refused(self.rule, value)
        if _DEVICES.fullmatch(value):
            raise _refused("a name that Windows does not use for a device", value)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = core_schema.str_schema(pattern=f"^{_IDENTIFIER.pattern}$")
        return core_schema.no_info_before_validator_function(self._checked, inner)


@dataclass(frozen=True)
class KnobValue:
    """A fixed value of a knob: a finite number or the name of a choice; the game knows the range."""

    @property
    def rule(self) -> str:
        return f"a finite number from {-LARGEST:g} to {LARGEST:g}, or the name of a choice"

    def _checked(self, value: Any) -> float | str:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST
        if not fits and not isinstance(value, str):
            raise _refused(self.rule, value)
        return value + 0 if isinstance(value, int | float) else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = core_schema.union_schema([core_schema.float_schema(), core_schema.str_schema()])
        return core_schema.no_info_plain_validator_function(self._checked, json_schema_input_schema=inner)


FieldRule = Number | FreeText | Identifier | KnobValue

Amount = Annotated[float, Number(0, 1e6)]
Weight = Annotated[float, Number(0, 1e6)]
Share = Annotated[float, Number(0, 1)]
WinRate = Annotated[float, Number(LOWEST_WIN_RATE, HIGHEST_WIN_RATE)]
Finite = Annotated[float, Number(-LARGEST, LARGEST)]
Seconds = Annotated[float, Number(0, _LONGEST_TIME_S, unit="s")]
Wait = Annotated[float, Number(0, _LONGEST_TIME_S, above=True, unit="s")]
Logit = Annotated[float, Number(-40, 40)]
LogSpread = Annotated[float, Number(0, 5)]
Correlation = Annotated[float, Number(-1, 1)]

OptionStep = Annotated[list[Finite], Field(min_length=2, max_length=2)]  # outcome from which on, value

_FLOW: Final = Flow()
_GAIN: Final = GainSchedule("cosine")


class Section(BaseModel):
    """A table of the file: unknown keys are refused, and nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class GameSection(Section):
    """[game]: what is played."""

    name: str = Field(description="name of a game, see flowdial list games")
    params: dict[str, Annotated[float | str, KnobValue()]] = Field(
        default={}, description="knobs fixed at a value, in the game's own units"
    )
    bounds: dict[str, Annotated[list[Finite], Field(min_length=2, max_length=2)]] = Field(
        default={}, description="a narrower range [low, high] of a knob, in the game's own units"
    )


class DialSection(Section):
    """[dial]: bounds of the difficulty, which a controller needs, and how it moves the knobs."""

    knobs: Annotated[list[str], Field(max_length=1000)] | None = Field(
        default=None, description="knobs that the difficulty moves; default: all that are not fixed"
    )
    floor: Share = Field(description="lowest difficulty that the controller may set; a controller needs bounds")
    ceiling: Share = Field(description="highest difficulty that the controller may set; a controller needs bounds")
    path: dict[str, Annotated[list[Share], Field(min_length=2, max_length=33)]] = Field(
        default={}, description="positions of a knob, 0 easiest to 1 hardest, at equal steps of difficulty"
    )


class Endless(Section):
    """Every attempt is a fresh level."""

    kind: Literal["endless"] = "endless"


class Campaign(Section):
    """Numbered levels, each tried again until it is passed."""

    kind: Literal["campaign"]
    count: Annotated[int, Number(1, MOST_LEVELS, whole=True)] = Field(description="number of levels")
    seed: Annotated[int, Number(0, LARGEST_SEED, whole=True)] | None = Field(
        default=None, description="from which their layouts are drawn; the run's seed when left out"
    )
    layouts: Layouts = Field(
        default="shared", description="shared: all replicas meet the same layouts; per_replica: each draws its own"
    )
    params: dict[str, Annotated[list[Annotated[float | str, KnobValue()]], Field(max_length=MOST_LEVELS)]] | None = (
        Field(default=None, description="values of knobs, one for each level, in the game's own units")
    )

    files: Annotated[list[str], Field(min_length=1, max_length=MOST_FILES)] | None = Field(
        default=None, description="files of levels made by hand, one for each level, in the folder of this file"
    )
    made: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_FILES)] | None = Field(
        default=None, description="levels made by hand, one table for each; a complete scenario has them for files"
    )

    progression: Share | None = Field(
        default=None,
        description="how far the knobs that the game names rise, from their easiest on level 1 to this share of their "
        "range on the last one; 0 or left out: not at all",
    )


class CohortTarget(Section):
    """The wanted win rate: one of win_rate, band and levels."""

    win_rate: WinRate | None = Field(default=None, description="wanted share of attempts won")
    band: Annotated[list[Share], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="wanted range [low, high] of the win rate; the controller aims at its middle"
    )
    levels: Annotated[list[WinRate], Field(max_length=MOST_LEVELS)] | None = Field(
        default=None, description="wanted win rate of each level of a campaign"
    )
    tolerance: Annotated[float, Number(0, 0.5, above=True)] | None = Field(
        default=None, description=f"the target is win_rate +- tolerance; default: {DEFAULT_TOLERANCE}"
    )


class FurtherSection(Section):
    """[[target.also]]: a target beyond the win rate. It is judged, and no controller aims at it."""

    what: Measured = Field(description=f"what is measured: {', '.join(MEASURED)}")
    band: Annotated[list[Amount], Field(min_length=2, max_length=2)] = Field(
        description="wanted range [low, high]: a share from 0 to 1, or a number of attempts or minutes"
    )
    cohort: str | None = Field(default=None, description="whose; default: each cohort's own")
    first: Annotated[int, Number(1, COHORT_STRIDE, whole=True)] | None = Field(
        default=None, description="only a player's first so many attempts; of quit: by that attempt"
    )
    day: Annotated[float, Number(0, 36_500, above=True)] | None = Field(
        default=None, description="quit: within so many days after a player's first attempt"
    )
    level: Annotated[int, Number(1, MOST_LEVELS, whole=True)] | None = Field(
        default=None, description="level of a campaign"
    )
    statistic: Statistic | None = Field(default=None, description="attempts_to_pass: mean (the default) or p90")
    length: Annotated[int, Number(2, COHORT_STRIDE, whole=True)] | None = Field(
        default=None, description=f"losing_run: losses in a row; default: {USUAL_RUN}"
    )
    unit: LengthUnit | None = Field(
        default=None, description="session_length: counted in attempts (the default) or minutes"
    )


class TargetSection(CohortTarget):
    """[target]: the wanted win rate of every cohort without its own target."""

    also: Annotated[list[FurtherSection], Field(max_length=MOST_FURTHER)] | None = Field(
        default=None, description="targets beyond the win rate"
    )

    after_attempts: Annotated[int, Number(0, COHORT_STRIDE, whole=True)] = Field(
        default=0,
        description="warm-up attempts of each player, which are not judged: time for the controller to settle",
    )


class GainSection(Section):
    """[controller.gain]: how the gain of a rule changes with outcomes, as shares of what its options say."""

    shape: GainShape = Field(
        description="warm_up rises, cosine falls, one_cycle rises and falls, plateau falls when errors stop shrinking"
    )
    length: Annotated[int, Number(2, COHORT_STRIDE, whole=True)] | None = Field(
        default=None, description="outcomes until the shape ends; default: horizon.attempts_per_player"
    )
    first: Share = Field(default=_GAIN.first, description="share of the gain at the start of warm_up and one_cycle")
    last: Share = Field(default=_GAIN.last, description="share at the end of cosine and one_cycle; least of plateau")
    rise: Annotated[float, Number(0, 0.49)] = Field(
        default=_GAIN.rise, description="share of the length until the full gain, in warm_up and one_cycle"
    )
    patience: Annotated[float, Number(1, COHORT_STRIDE)] = Field(
        default=_GAIN.patience, description="plateau: outcomes in a window whose mean error is looked at"
    )
    factor: Share = Field(default=_GAIN.factor, description="plateau: share of the gain that a cut leaves")
    threshold: Share = Field(
        default=_GAIN.threshold, description="plateau: by so much a window's mean error must beat the best so far"
    )
    cooldown: Annotated[float, Number(0, COHORT_STRIDE)] = Field(
        default=_GAIN.cooldown, description="plateau: outcomes after a cut that are not looked at"
    )


class ControllerSection(Section):
    """[controller]: what sets the difficulty."""

    name: str | None = Field(
        default=None,
        description="name of a controller, see flowdial list controllers; without it the default controller",
    )
    scope: Scope | None = Field(
        default=None,
        description="shared by: each player alone, a cohort, or everyone; default: the controller's first scope",
    )
    options: dict[str, Finite] = Field(default={}, description="the controller's options, see flowdial describe")
    gain: GainSection | None = Field(default=None, description="how its gain changes with outcomes")
    piecewise: dict[str, Annotated[list[OptionStep], Field(min_length=1, max_length=1000)]] | None = Field(
        default=None, description="options that change: pairs [outcome from which on, value], the first at outcome 0"
    )


class TelemetrySection(Section):
    """[telemetry]: delay of outcomes, and time between new settings."""

    delay_s: Seconds = Field(default=0.0, description="seconds until an outcome reaches the controller")
    deploy_every_s: Seconds = Field(default=0.0, description="seconds between new settings of a shared controller")


class LaunchWave(Section):
    """All players arrive within so many days, at uniform times."""

    kind: Literal["launch"] = "launch"
    within_days: Annotated[float, Number(0, 10_000, unit="days")] = Field(
        default=1.0, description="length of the launch wave"
    )


class SteadyStream(Section):
    """New players arrive at random, all the time."""

    kind: Literal["rate"]
    per_day: Annotated[float, Number(1e-6, 1e9, unit="per day")] = Field(
        description="new players a day, all cohorts together"
    )


class FlowSection(Section):
    """[players.flow]: effect of outcomes on staying, and times between plays; assumptions, to be fitted."""

    end_base: Logit = Field(default=_FLOW.end_base, description="end of a session: logit at its first attempt")
    end_place: Logit = Field(default=_FLOW.end_place, description="end of a session: logit per log(1 + attempts in it)")
    end_won: Logit = Field(default=_FLOW.end_won, description="end of a session: logit after a win")
    quit_streak: Logit = Field(
        default=_FLOW.quit_streak, description="quitting for good: logit per log(1 + losses in a row)"
    )
    quit_won: Logit = Field(default=_FLOW.quit_won, description="quitting for good: logit after a win")
    content: Share = Field(default=_FLOW.content, description="share of wins that satisfies players")
    quit_boredom: Logit = Field(
        default=_FLOW.quit_boredom, description="quitting for good: logit per share of wins above content"
    )
    quit_frustration: Logit = Field(
        default=_FLOW.quit_frustration,
        description="quitting for good: logit per share of wins below content; a negative number makes losers quit",
    )
    pause_s: Seconds = Field(default=_FLOW.pause_s, description="median break between two attempts of a session, s")
    pause_log_sd: LogSpread = Field(default=_FLOW.pause_log_sd, description="spread of the break's logarithm")
    same_day_share: Share = Field(default=_FLOW.same_day_share, description="share of next sessions on the same day")
    same_day_s: Wait = Field(default=_FLOW.same_day_s, description="median time until then, s")
    daily_share: Share = Field(
        default=_FLOW.daily_share, description="share of next sessions around the same hour of the next day"
    )
    daily_sd_s: Seconds = Field(default=_FLOW.daily_sd_s, description="spread of that hour, s")
    later_s: Wait = Field(default=_FLOW.later_s, description="median time until all other next sessions, s")
    return_log_sd: LogSpread = Field(
        default=_FLOW.return_log_sd, description="spread of the logarithm of the times between sessions"
    )
    session_attempts: Annotated[float, Number(0, COHORT_STRIDE)] = Field(
        default=_FLOW.session_attempts, description="maximum attempts of a session, as by lives or energy; 0: no limit"
    )


class CalendarSection(Section):
    """[players.calendar]: when people play. A simulation begins on a Monday at midnight."""

    hours: Annotated[list[Weight], Field(min_length=HOURS, max_length=HOURS)] | None = Field(
        default=None, description="weights of the 24 hours of a day, from midnight; all alike when left out"
    )
    weekdays: Annotated[list[Weight], Field(min_length=DAYS, max_length=DAYS)] | None = Field(
        default=None, description="weights of the 7 days of a week, Monday first; all alike when left out"
    )


class PlayersSection(Section):
    """[players]: number of players, their arrival, and what makes them stay."""

    count: Annotated[int, Number(1, LARGEST_COHORT * COHORT_STRIDE, whole=True)] = Field(
        description="players of all cohorts together, in each replica"
    )
    arrival: Annotated[LaunchWave | SteadyStream, Field(discriminator="kind")] = Field(
        default=LaunchWave(), description="when players first appear"
    )
    flow: FlowSection = Field(default=FlowSection(), description="staying and leaving")
    calendar: CalendarSection | None = Field(
        default=None, description="hours and days at which players arrive and come back; all alike when left out"
    )


class NormalSpread(Section):
    """Normal over the players of a cohort; draws are clipped to [low, high]."""

    kind: Literal["normal"]
    mean: Finite
    sd: Annotated[float, Number(0, 1000)]
    common_sd: Annotated[float, Number(0, 1000)] = Field(
        default=0.0,
        description="standard deviation of one more draw, shared by all players of the cohort in one replica",
    )
    low: Finite | None = None
    high: Finite | None = None


class LognormalSpread(Section):
    """Log-normal over the players of a cohort; draws are clipped to [low, high]."""

    kind: Literal["lognormal"]
    median: Annotated[float, Number(0, 1e9, above=True)]
    log_sd: Annotated[float, Number(0, 10)]
    common_log_sd: Annotated[float, Number(0, 10)] = Field(
        default=0.0, description="log_sd of one more draw, shared by all players of the cohort in one replica"
    )
    low: Finite | None = None
    high: Finite | None = None


class UniformSpread(Section):
    """Uniform in [low, high] over the players of a cohort."""

    kind: Literal["uniform"]
    low: Finite
    high: Finite


class LoguniformSpread(Section):
    """Uniform in the logarithm, in [low, high], over the players of a cohort."""

    kind: Literal["loguniform"]
    low: Annotated[float, Number(1e-9, 1e9)]
    high: Annotated[float, Number(1e-9, 1e9)]


def _spread_kind(value: Any) -> str | None:
    """Which form a trait has: a table by its kind, everything else the same number for every player."""
    if isinstance(value, dict):
        kind = value.get("kind")
        return kind if isinstance(kind, str) else None
    return getattr(value, "kind", "number")


Spread = Annotated[
    Annotated[Finite, Tag("number")]
    | Annotated[NormalSpread, Tag("normal")]
    | Annotated[LognormalSpread, Tag("lognormal")]
    | Annotated[UniformSpread, Tag("uniform")]
    | Annotated[LoguniformSpread, Tag("loguniform")],
    Discriminator(_spread_kind),
]


class CohortSection(Section):
    """[[cohort]]: a named share of the players."""

    name: Annotated[str, Identifier()] = Field(description="name of the cohort, in rows and reports")
    label: Annotated[str, FreeText(120)] = Field(default="", description="text that people read instead of the name")
    share: Annotated[float, Number(1e-6, 1)] = Field(description="share of the players; all shares sum to 1")
    target: CohortTarget | None = Field(
        default=None, description="overrides [target]; keys that are left out keep its values"
    )
    persona: Annotated[str, FreeText(64)] | None = Field(
        default=None,
        description="kind of player whose traits it has, see flowdial list personas; its own traits come on top",
    )
    traits: dict[str, Spread] = Field(default={}, description="traits of its players at birth")
    correlation: dict[str, dict[str, Correlation]] | None = Field(
        default=None,
        description="correlation of a normal or log-normal trait with others, as in skill = { quit_frailty = -0.4 }",
    )

    @model_validator(mode="before")
    @classmethod
    def _with_persona(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("traits", {}), dict):
            return given
        common = persona_traits(str(given.get("persona", "")))
        return {**given, "traits": {**common, **given.get("traits", {})}} if common else given


class HorizonSection(Section):
    """[horizon]: when a run ends."""

    days: Annotated[float, Number(0, 10_000, above=True, unit="days")] = Field(
        description="simulated days; no attempt starts later"
    )
    attempts_per_player: Annotated[int, Number(1, COHORT_STRIDE, whole=True)] = Field(
        description="maximum attempts of one player"
    )


class RunSection(Section):
    """[run]: how often everything is repeated."""

    replicas: Annotated[int, Number(1, 100_000, whole=True)] = Field(
        default=1, description="repeats: independent copies of the simulation, each with its own players and luck"
    )


class RecordSection(Section):
    """[record]: columns of the rows that are written on request only; they change nothing of what is played."""

    win_chance: bool = Field(
        default=False, description="write the true chance of winning each attempt, where the game has a closed form"
    )


_Loadings = Annotated[list[Finite], Field(min_length=1, max_length=65)]


class ErrorsSection(Section):
    """[calibration.errors]: a factor of the covariance of the estimates; each of several repeats draws from it."""

    numbers: dict[str, _Loadings] = Field(
        description="name of a fitted number -> loadings on independent standard normal numbers"
    )
    levels: Annotated[list[_Loadings], Field(max_length=MOST_LEVELS)] = Field(
        default=[], description="the same of the difficulty of each level; the last is of a number of its own"
    )


class CalibrationSection(Section):
    """[calibration]: what the players were fitted to; flowdial calibrate writes it, and it is part of the digest."""

    source: Annotated[str, FreeText(200)] = Field(description="name of the file of plays")
    players: Annotated[int, Number(1, 10**9, whole=True)] | None = Field(
        default=None, description="players in it, where it says who played"
    )
    attempts: Annotated[int, Number(1, 10**12, whole=True)] = Field(description="attempts in it")
    levels: Annotated[int, Number(1, MOST_LEVELS, whole=True)] = Field(description="levels in it")
    error: Share | None = Field(default=None, description="mean error of the win rates of unseen players")
    error_low: Share | None = Field(default=None, description="low end of its 95 % interval")
    error_high: Share | None = Field(default=None, description="high end of its 95 % interval")
    error_of_level_means: Share | None = Field(default=None, description="the error of the mean of each level")
    error_of_one_rate: Share | None = Field(default=None, description="the error of one rate for all levels")
    first_day: Annotated[str, FreeText(10)] | None = Field(default=None, description="first day of the plays")
    last_day: Annotated[str, FreeText(10)] | None = Field(default=None, description="last day of the plays")
    difficulty: Annotated[list[Share], Field(min_length=2, max_length=2)] = Field(
        description="lowest and highest difficulty at which the file has plays"
    )
    game: str | None = Field(default=None, description="game whose rules the players were fitted to")
    errors: ErrorsSection | None = Field(default=None, description="how sure the fitted numbers are")
    fitted: dict[str, Annotated[str, FreeText(64)]] = Field(
        description="fingerprint of each part that was fitted: a part with another one was changed afterwards"
    )


class Form(Section):
    """A scenario: game, players, levels, target, controller, horizon."""

    format: Annotated[int, Number(FORMAT, FORMAT, whole=True)] = Field(description="version of this file format")
    title: Annotated[str, FreeText(120)] = Field(
        default="", description="title that people read instead of the file name"
    )
    notes: Annotated[str, FreeText(10_000, lines=True)] = Field(default="", description="purpose, author and origin")
    seed: Annotated[int, Number(0, LARGEST_SEED, whole=True)] = Field(
        default=1, description="part of the address of every draw: same seed, same players and same luck"
    )
    game: GameSection
    dial: DialSection
    levels: Annotated[Endless | Campaign, Field(discriminator="kind")] = Endless()
    target: TargetSection = TargetSection()
    controller: ControllerSection = ControllerSection()
    telemetry: TelemetrySection = TelemetrySection()
    players: PlayersSection
    cohort: Annotated[list[CohortSection], Field(min_length=1, max_length=LARGEST_COHORT)] = [
        CohortSection(name="players", share=1.0)
    ]
    horizon: HorizonSection
    run: RunSection = RunSection()
    calibration: CalibrationSection | None = None
    sweep: dict[str, Any] | None = Field(
        default=None,
        description="what flowdial sweep varies: keys of this file, each with its values; a run ignores it",
    )
    record: RecordSection | None = None  # absent from the resolved form, too, so that it has one spelling
