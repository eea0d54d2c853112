"""All that says how good a fit is: players, levels and a time that it has not seen, and what its players do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sims.calibration.checks.curves import Behaviour, behaviour_of
from sims.calibration.checks.last_fifth import try_last_fifth
from sims.calibration.checks.rivals import Rivals
from sims.calibration.checks.survival import Survival
from sims.calibration.checks.unseen_levels import try_unseen_levels
from sims.calibration.checks.unseen_players import try_unseen_players
from sims.calibration.fit import Fit
from sims.calibration.histories import Histories, Numbers
from sims.calibration.likelihood.win_map import WinMap
from sims.calibration.session_ends import SessionEnds


@dataclass(frozen=True)
class Checks:
    """How good a fit is; None where the file cannot tell."""

    unseen_players: Rivals | None = None
    unseen_levels: Rivals | None = None
    last_fifth: Rivals | None = None
    survival: Survival | None = None
    behaviour: Behaviour | None = None


def check_fit(
    whole: Fit,
    histories: Histories,
    ends: SessionEnds | None,
    level_features: Numbers,
    *,
    campaign: bool,
    threads: int = 1,
    win_map: WinMap | None = None,
    on_fold: Callable[[int, int], None] = lambda done, total: None,
) -> Checks:
    """Try a fit.

    Args:
        whole: the fit of all players.
        histories: the players.
        ends: how sessions end; None where the file does not tell.
        level_features: centred and scaled, shape (levels, features).
        campaign: whether players retry a level until they pass.
        threads: they change no number.
        win_map: of the game that was played, as the whole was fitted; then twins are not played, as they know no game.
        on_fold: takes the parts of the players that were left out, and all parts.
    """
    players, survival = try_unseen_players(
        whole, histories, ends, campaign=campaign, threads=threads, win_map=win_map, on_fold=on_fold
    )
    if win_map is not None:
        return Checks(players, last_fifth=try_last_fifth(whole, histories, threads=threads, win_map=win_map))
    return Checks(
        players,
        try_unseen_levels(whole, histories, level_features, threads=threads),
        try_last_fifth(whole, histories, threads=threads),
        survival,
        behaviour_of(histories, whole, ends, campaign=campaign, threads=threads),
    )
