"""A game whose levels have layouts, whose traits act, and of which only this file knows the win probability."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.attempt import layout_key
from engine.game import Faculties
from engine.parameters import ParameterSpace
from engine.randomness import Key, words
from games.logistic import FAIL, SOLVE, Level, Params, State, win_probability
from games.logistic import GAME as LOGISTIC

UNLIKE: Final = 3.0  # skill units from the easiest layout to the hardest
CELLS: Final = 1000


def build(params: Params, key: Key) -> Level:
    return Level((words(key, 0)[0] * CELLS) >> 32)


def chance(params: Params, level: Level, faculties: Faculties) -> float:
    harder = UNLIKE * (level.size / CELLS - 0.5)
    return win_probability(Params(params.difficulty + harder, params.guess), faculties)


def expert(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    return SOLVE if state.luck < chance(params, level, faculties) else FAIL


LAID_OUT: Final = replace(LOGISTIC, build=build, expert=expert, win_probability=None)
SPACE: Final = ParameterSpace(LOGISTIC.space[0], LOGISTIC.space[1], held={"guess": 0.02})


def true_chances(rows: npt.NDArray[np.void], seed: int) -> npt.NDArray[np.float64]:
    """The win probability of each row, shape (rows,); on fresh layouts the mean over all of them."""

    def one(row: Any) -> float:
        params = Params(*map(float, row["params"]))
        able = Faculties(*(float(row[name]) for name in Faculties._fields))
        if row["level"]:
            return chance(params, build(params, layout_key(seed, 0, 0, 0, int(row["level"]))), able)
        return float(np.mean([chance(params, Level(size), able) for size in range(25, CELLS, 50)]))

    return np.array([one(row) for row in rows])
