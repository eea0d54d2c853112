"""What a game's rules say: the chance of winning by skill, measured at the settings of the file.

Players differ in more than skill. What the file cannot tell of that keeps its default spread: three kinds of player by
`speed`, with the weights and places of Gauss and Hermite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.arithmetic import logit
from engine.game import Game
from engine.players import DEFAULT_TRAITS, Distribution, distribution_table
from engine.response.monotone import monotone
from engine.response.response_map import SEED, SKILLS, dial_places, response_map
from sims.calibration.game.play_settings import PlaySettings
from sims.calibration.likelihood.win_map import WinMap, win_map_of

Numbers = npt.NDArray[np.float64]

ATTEMPTS: Final = 8_000  # of each cell; half of it for the kinds with a sixth of the players
_KINDS: Final = ((-math.sqrt(3.0), 1.0 / 6.0), (0.0, 2.0 / 3.0), (math.sqrt(3.0), 1.0 / 6.0))


def game_map(
    game: Game,
    settings: PlaySettings,
    *,
    attempts: int | None = None,
    threads: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> WinMap:
    """Measure the rules, or read from the cache what was measured before.

    Args:
        game: that was played.
        settings: of the file.
        attempts: of each skill and setting; None for ATTEMPTS.
        threads: of the measuring; they change no number.
        on_progress: takes the skills done, and how many there are.
    """
    if settings.listed:
        dial = np.linspace(0.0, 1.0, len(settings.path))
    else:
        dial = dial_places(settings.space, settings.path)  # all of it, so that the next file finds it in the cache
    spread = DEFAULT_TRAITS["speed"].b
    kinds = _KINDS if game.pace == "real_time" and game.win_probability is None else ((0.0, 1.0),)
    logits = []
    for number, (place, share) in enumerate(kinds):
        count = max((attempts or ATTEMPTS) // (1 if share > 0.5 else 2), 1)
        traits = distribution_table({"speed": Distribution("fixed", math.exp(spread * place))})

        def told(done: int, total: int, number: int = number) -> None:
            if on_progress is not None:
                on_progress(number * total + done, len(kinds) * total)

        found = response_map(
            game, settings.space, settings.path, traits, skills=SKILLS, dial=dial, attempts=count,
            seed=SEED + number, threads=threads, progress=told,
        )  # fmt: skip
        logits.append(_by_setting(found.raw, count, found.exact) if settings.listed else found.logits)
    return win_map_of(dial, np.array(SKILLS), logits, np.array([share for _, share in kinds]))


def _by_setting(raw: Numbers, attempts: int, exact: bool) -> Numbers:
    """Logits that never fall with skill, for settings in no order."""
    rates = np.column_stack([monotone(raw[:, [k]])[:, 0] for k in range(raw.shape[1])])
    if not exact:
        rates = (rates * attempts + 0.5) / (attempts + 1.0)
    rates = np.clip(rates, 1e-12, 1.0 - 1e-12)
    return np.array([logit(float(rate)) for rate in rates.ravel()]).reshape(rates.shape)
