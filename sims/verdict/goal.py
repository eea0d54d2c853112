"""What a run is for: cohorts, the targets of their win rates, and the rows that judge them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from engine.errors import RunFolderError
from engine.record import Column
from engine.scenario_file.calibration_label import NOT_FITTED, CalibrationLabel
from engine.setup import Layouts
from sims.wording import share_of

TargetState = Literal["in band", "below", "above", "off", "cannot tell"]

# What a person reads for the values of the column `state`.
STATE_WORDS: Final[dict[TargetState, str]] = {
    "in band": "on target",
    "below": "below target",
    "above": "above target",
    "off": "off target",
    "cannot tell": "too close to call",
}
NOT_KNOWN: Final = "not known"  # said instead where nobody was judged, or one player or repeat only

Band = tuple[float, float]  # lowest and highest wanted win rate, 0 <= low <= high <= 1
Wanted = tuple[float, float]  # wanted win rate and its tolerance, in (0, 1)

# In front of each row of summary.csv: which run it is of, so that summaries of many runs can be put together.
ORIGIN_COLUMNS: Final = (
    Column("scenario", "name", "", "first 16 hex digits, after an s, of the resolved scenario's digest", constant=True),
    Column("title", "name", "", "title of the scenario", constant=True, optional=True),
    Column("seed", "integer", "1", "seed of the run", constant=True, low=0),
    Column("game", "name", "", "name of the game", constant=True),
    Column("controller", "name", "", "controller that chose the settings", constant=True),
)

SUMMARY_COLUMNS: Final = (
    Column("cohort", "name", "", "name of the cohort"),
    Column("level", "integer", "1", "level of a campaign, from 1; 0 for all levels together"),
    Column("players", "integer", "1", "players with at least one judged attempt"),
    Column("attempts", "integer", "1", "judged attempts"),
    Column("wins", "integer", "1", "judged attempts that were won"),
    Column(
        "win_rate",
        "number",
        "1",
        "share of judged attempts that were won; `calibration` of the manifest says by whom",
        optional=True,
    ),
    Column("win_rate_low", "number", "1", "low end of its 95 % interval", optional=True),
    Column("win_rate_high", "number", "1", "high end of its 95 % interval", optional=True),
    Column(
        "interval",
        "name",
        "",
        "how it was computed: by player, by replica, by estimate (where one more replica would lie, with players that "
        "the plays allow), Wilson (clusters count as one attempt each, since they do not differ or made no more) or "
        "Wilson over attempts (one cluster: too narrow for a verdict); none without attempts",
    ),
    Column("target_low", "number", "1", "lowest wanted win rate"),
    Column("target_high", "number", "1", "highest wanted win rate"),
    Column(
        "state",
        "name",
        "",
        "in band, below, above or cannot tell; of all levels of a campaign together: in band where each of them is, "
        "below or above where some are, off where some are below and some above",
    ),
    Column("more_players", "integer", "1", "further players that would probably give a clear answer", optional=True),
    Column("difficulty", "number", "1", "mean difficulty over judged attempts", optional=True),
    Column("difficulty_low", "number", "1", "low end of its 95 % interval", optional=True),
    Column("difficulty_high", "number", "1", "high end of its 95 % interval", optional=True),
    Column(
        "difficulty_late",
        "number",
        "1",
        "the same over the last third of each player's attempts; empty for a level",
        optional=True,
    ),
    Column(
        "easy_end_share",
        "number",
        "1",
        "share of judged attempts at the easiest difficulty, within 2 % of the way to the other end; empty for a level",
        optional=True,
    ),
    Column(
        "hard_end_share",
        "number",
        "1",
        "share of judged attempts at the hardest difficulty, within 2 % of the way to the other end; empty for a level",
        optional=True,
    ),
    Column("quit_share", "number", "1", "share of all players that quit for good; empty for a level", optional=True),
    Column("quit_share_low", "number", "1", "low end of its 95 % interval; empty for a level", optional=True),
    Column("quit_share_high", "number", "1", "high end of its 95 % interval; empty for a level", optional=True),
    Column(
        "wanted",
        "number",
        "1",
        "wanted win rate; empty where a band was given, and for all levels together where levels differ",
        optional=True,
    ),
    Column("tolerance", "number", "1", "the band is wanted +- tolerance; empty where wanted is", optional=True),
    Column(
        "never_judged",
        "integer",
        "1",
        "players who played, but made no attempt past the warm-up; empty for a level",
        optional=True,
    ),
    Column("never_judged_win_rate", "number", "1", "share of their attempts that they won", optional=True),
    Column(
        "win_rate_by_player",
        "number",
        "1",
        "mean over all players who played of the share of their own attempts that each won, warm-up included; empty "
        "for a level",
        optional=True,
    ),
    Column(
        "warm_up_win_rate",
        "number",
        "1",
        "share of all attempts in the warm-up that were won; empty for a level",
        optional=True,
    ),
    Column(
        "difficulty_swing",
        "number",
        "1",
        "standard deviation of the dial around its mean for one player on one level, over the last third of each "
        "player's attempts; empty for a level",
        optional=True,
    ),
)


@dataclass(frozen=True)
class Goal:
    """What a run was for, as far as its verdict needs it.

    Attributes:
        cohorts: names of the player groups.
        bands: for each cohort the wanted win rates, lowest and highest; one pair, or one for each level.
        shared: whether players share a controller.
        replicas: number of repeats.
        steered: whether the controller reacts to outcomes; a deterministic one is at an end of the dial by plan.
        wanted: win rate and tolerance behind each of the bands; None for a band that was given as one. Empty where
            nothing is known of them.
        layouts: whether the numbered levels of a campaign are drawn once, in each repeat, or were made by hand.
        label: whether the players were fitted to real plays.
    """

    cohorts: tuple[str, ...]
    bands: tuple[tuple[Band, ...], ...]
    shared: bool
    replicas: int
    steered: bool = True
    wanted: tuple[tuple[Wanted | None, ...], ...] = ()
    layouts: Layouts | Literal["made"] = "shared"
    label: CalibrationLabel = NOT_FITTED

    def __post_init__(self) -> None:
        if len(self.bands) != len(self.cohorts) or not all(self.bands):
            raise ValueError(f"a goal needs a band for each of {len(self.cohorts)} cohorts, got {self.bands}")
        if self.wanted and [len(one) for one in self.wanted] != [len(one) for one in self.bands]:
            raise ValueError(f"a goal needs a wanted win rate, or None, for each band, got {self.wanted}")

    @property
    def is_alone(self) -> bool:
        """Whether all players share a controller's luck in one repeat, which tells nothing of others."""
        return self.shared and self.replicas < 2


def _layouts(word: object) -> Layouts | Literal["made"]:
    """What a manifest says of the numbered levels; older ones say nothing, and have drawn them once."""
    return "made" if word == "made" else "per_replica" if word == "per_replica" else "shared"


def goal_of(manifest: Mapping[str, Any]) -> Goal:
    """Read a run's goal from its manifest. Raises RunFolderError when it is not there."""
    try:
        cohorts = tuple(str(name) for name in manifest["cohorts"])
        bands = tuple(_bands(manifest["targets"][name]) for name in cohorts)
        return Goal(
            cohorts,
            bands,
            shared=manifest["scope"] != "player",
            replicas=int(manifest["replicas"]),
            steered=manifest.get("mode") != "deterministic",
            wanted=_wanted(manifest.get("wanted"), cohorts),
            layouts=_layouts(manifest.get("layouts")),
            label=label_of(manifest),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise RunFolderError(f"the manifest must name cohorts, targets, scope and replicas, got {fault!r}") from None


def label_of(manifest: Mapping[str, Any]) -> CalibrationLabel:
    """The label of a run's players; a manifest of an earlier version has none."""
    found = manifest.get("calibration")
    return NOT_FITTED if found is None else CalibrationLabel(found["state"], str(found["words"]))


def _bands(found: Sequence[Any]) -> tuple[Band, ...]:
    """One band as [low, high], or a list of them, one for each level."""
    pairs = found if isinstance(found[0], list | tuple) else [found]
    return tuple((float(low), float(high)) for low, high in pairs)


def _wanted(found: Mapping[str, Any] | None, cohorts: Sequence[str]) -> tuple[tuple[Wanted | None, ...], ...]:
    """For each cohort a list of [win rate, tolerance] or null; nothing in a manifest of an earlier version."""
    if found is None:
        return ()
    return tuple(
        tuple(None if pair is None else (float(pair[0]), float(pair[1])) for pair in found[name]) for name in cohorts
    )


@dataclass(frozen=True)
class Row:
    """One line of the verdict: a cohort, or one level of a campaign for a cohort. NaN where nothing was played.

    Fields are SUMMARY_COLUMNS: same names, same order.
    """

    cohort: str
    level: int  # 0 for all levels together
    players: int  # with at least one judged attempt
    attempts: int  # judged
    wins: int
    win_rate: float
    win_rate_low: float
    win_rate_high: float
    interval: str  # how it was computed
    target_low: float
    target_high: float
    state: TargetState
    more_players: int | None  # None where the state is clear, or no number of players would make it so
    difficulty: float
    difficulty_low: float
    difficulty_high: float
    difficulty_late: float
    easy_end_share: float  # of judged attempts
    hard_end_share: float
    quit_share: float  # of all players
    quit_share_low: float
    quit_share_high: float
    wanted: float = math.nan  # where the target is a win rate with a tolerance
    tolerance: float = math.nan
    never_judged: int | None = None  # players who played and made no judged attempt; None of a level
    never_judged_win_rate: float = math.nan
    win_rate_by_player: float = math.nan  # of all who played, each counted once, warm-up included
    warm_up_win_rate: float = math.nan
    difficulty_swing: float = math.nan  # standard deviation within a player and level, last third of attempts

    @property
    def is_known(self) -> bool:
        """Whether players, or repeats of a shared controller, were judged that can speak for others: two or more."""
        return self.interval not in ("none", "Wilson over attempts")

    @property
    def state_words(self) -> str:
        """What a person reads for the state."""
        return STATE_WORDS[self.state] if self.is_known else NOT_KNOWN

    @property
    def never_judged_share(self) -> float:
        """Share of the players who played that was never judged; NaN of a level, and where nobody played."""
        if self.never_judged is None:
            return math.nan
        return share_of(self.never_judged, self.never_judged + self.players)
