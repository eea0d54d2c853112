"""What a game's straight dial promises, checked on win rates of many players."""

from __future__ import annotations

import itertools
import math

from engine.game import Game
from engine.parameters import straight_path
from engine.players import distribution_table
from engine.response.response_map import response_map
from tests.kit.places import ROOT

DOCS = ROOT / "docs" / "games.md"
SKILLS = (-3.0, -1.5, 0.0, 1.5, 3.0)
LARGEST_JUMP = 0.35
ERRORS = 4.0  # standard errors that noise is granted
DOCS_PLAYERS = 4000  # behind each cell of the tables in the docs


def check_dial(game: Game, players: int, seed: int) -> None:
    """The median player goes from 95 % to 10 % without a jump, skill never hurts, and the docs tell the same."""
    tenths = [k / 10 for k in range(11)]
    path, traits = straight_path(game.space), distribution_table({})
    # Raw shares: the fitted rates would keep the order whatever the game does.
    shares = response_map(
        game, game.space, path, traits, skills=SKILLS, dial=tenths, attempts=players, seed=seed
    ).raw.tolist()
    median = shares[SKILLS.index(0.0)]
    assert median[0] >= 0.95
    assert median[-1] <= 0.10
    assert max(a - b for a, b in itertools.pairwise(median)) <= LARGEST_JUMP
    for weak, strong in itertools.pairwise(shares):
        for less, more in zip(weak, strong, strict=True):
            assert more >= less - ERRORS * _error(less, players, more, players)
    told = told_rates(game.name)
    assert sorted(told) == [-1.5, 0.0, 1.5]
    for skill, rates in told.items():
        for difficulty, found, rate in zip(tenths, shares[SKILLS.index(skill)], rates, strict=True):
            allowed = 0.005 + ERRORS * _error(found, players, rate, DOCS_PLAYERS)  # the docs round to two digits
            assert abs(found - rate) <= allowed, (skill, difficulty, found, rate)


def told_rates(name: str) -> dict[float, list[float]]:
    """Skill to win rates along the dial, as the docs have them for a game."""
    section = DOCS.read_text(encoding="utf-8").split(f"\n## {name}")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| skill ")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {float(row[0].removeprefix("skill ")): [float(cell) for cell in row[1:]] for row in cells}


def _error(a: float, of_a: int, b: float, of_b: int) -> float:
    """Standard error of the difference of two rates; a rate of 0 or 1 counts as one attempt away from it."""
    a, b = min(max(a, 1 / of_a), 1 - 1 / of_a), min(max(b, 1 / of_b), 1 - 1 / of_b)
    return math.sqrt(a * (1 - a) / of_a + b * (1 - b) / of_b)
