"""What a run is for: cohorts, the targets of their win rates, and the rows that judge them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from engine.errors import RunFolderError
from engine.record import Column

TargetState = Literal["in band", "below", "above", "cannot tell"]

# What a person reads for the values of the column `state`.
STATE_WORDS: Final[dict[TargetState, str]] = {
    "in band": "on target",
    "below": "below target",
    "above": "above target",
    "cannot tell": "too close to call",
}

Band = tuple[float, float]  # lowest and highest wanted win rate, 0 <= low <= high <= 1

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
    Column("win_rate", "number", "1", "share of judged attempts that were won; uncalibrated", optional=True),
    Column("win_rate_low", "number", "1", "low end of its 95 % interval", optional=True),
    Column("win_rate_high", "number", "1", "high end of its 95 % interval", optional=True),
    Column(
        "interval",
        "name",
        "",
        "how it was computed: by player, by replica, Wilson (clusters do not differ, each counts as one attempt) or "
        "Wilson over attempts (one cluster: too narrow for a verdict); none without attempts",
    ),
    Column("target_low", "number", "1", "lowest wanted win rate"),
    Column("target_high", "number", "1", "highest wanted win rate"),
    Column("state", "name", "", "in band, below, above or cannot tell"),
    Column("more_players", "integer", "1", "further players that would probably give a clear answer", optional=True),
    Column("difficulty", "number", "1", "mean difficulty over judged attempts", optional=True),
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
        "share of judged attempts at the easiest difficulty; empty for a level",
        optional=True,
    ),
    Column(
        "hard_end_share",
        "number",
        "1",
        "share of judged attempts at the hardest difficulty; empty for a level",
        optional=True,
    ),
    Column("quit_share", "number", "1", "share of all players that quit for good; empty for a level", optional=True),
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
    """

    cohorts: tuple[str, ...]
    bands: tuple[tuple[Band, ...], ...]
    shared: bool
    replicas: int
    steered: bool = True

    def __post_init__(self) -> None:
        if len(self.bands) != len(self.cohorts) or not all(self.bands):
            raise ValueError(f"a goal needs a band for each of {len(self.cohorts)} cohorts, got {self.bands}")


def goal_of(manifest: Mapping[str, Any]) -> Goal:
    """Read a run's goal from its manifest. Raises RunFolderError when it is not there."""
    try:
        cohorts = tuple(str(name) for name in manifest["cohorts"])
        bands = tuple(_bands(manifest["targets"][name]) for name in cohorts)
        steered = manifest.get("mode") != "deterministic"
        return Goal(cohorts, bands, manifest["scope"] != "player", int(manifest["replicas"]), steered)
    except (KeyError, TypeError, ValueError) as fault:
        raise RunFolderError(f"the manifest must name cohorts, targets, scope and replicas, got {fault!r}") from None


def _bands(found: Sequence[Any]) -> tuple[Band, ...]:
    """One band as [low, high], or a list of them, one for each level."""
    pairs = found if isinstance(found[0], list | tuple) else [found]
    return tuple((float(low), float(high)) for low, high in pairs)


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
    difficulty_late: float
    easy_end_share: float  # of judged attempts
    hard_end_share: float
    quit_share: float  # of all players
