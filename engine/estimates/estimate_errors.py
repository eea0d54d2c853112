"""How sure fitted players and levels are: their estimates' covariance, as a factor to draw from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.players import FLOW_FIELDS

Numbers = npt.NDArray[np.float64]

# What may have an error, beside the fields of Flow: how it acts, and on which trait or knob.
TRAIT_MEANS: Final = {
    "skill_mean": "skill",
    "learning": "learning",
    "fatigue": "fatigue",
    "quit_frailty": "quit_frailty",
}
TRAIT_SPREADS: Final = {"skill_sd": "skill", "quit_sd": "quit_frailty", "session_sd": "session_frailty"}
TRAIT_CHANCES: Final = {"lapse": "lapse"}  # multiplied
KNOB_CHANCES: Final = {"guess": "guess"}
CORRELATION: Final = "correlation"  # of skill and quit_frailty
NAMES: Final = (
    *TRAIT_MEANS, *TRAIT_SPREADS, *TRAIT_CHANCES, *KNOB_CHANCES, CORRELATION,
    *(name for name in FLOW_FIELDS if name.startswith(("quit_", "end_"))),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class EstimateErrors:
    """A factor of the covariance: an error is the sum of loadings times independent standard normal numbers.

    Attributes:
        numbers: name of NAMES -> loadings, shape (factors,). Spreads and chances are logarithms, a correlation is an
            inverse hyperbolic tangent, all else is as it stands in a scenario.
        levels: of each level's value of `knob`, shape (levels, factors + 1): the last is of a number of its own.
        knob: which differs from level to level; empty where none was fitted.
    """

    numbers: Mapping[str, tuple[float, ...]]
    levels: Numbers
    knob: str
