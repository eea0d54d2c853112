"""How far is each persona from the median player? `python -m benchmarks.personas` prints the table of docs/personas.md.

Each persona plays three places of the dial in two games in its first attempt: 10,000 players each, the same luck for
all. The last column is the share that leaves for good within 30 attempts of boss_duel at a fixed difficulty of 0.5.
"""

from __future__ import annotations

import sys
from typing import Final

import numpy as np

from engine.batch import Crowd, batch_wins
from engine.parameters import along, to_real
from engine.players import LEAVINGS
from engine.scenario import parse, setup_of
from engine.scenario_file.personas import PERSONA_NAMES
from engine.setup import Setup
from engine.world import chunks, simulate
from sims.catalog import Catalog
from sims.workers.cores import cores

PLACES: Final = (0.25, 0.5, 0.75)
GAMES: Final = ("gap_runner", "boss_duel")
PLAYERS: Final = 10_000
STAYERS: Final = 2_000  # players behind the share who quit
_TEXT: Final = """
format = 1
seed = 20270301
[game]
name = "{game}"
[dial]
floor = 0.0
ceiling = 1.0
[levels]
kind = "endless"
[target]
win_rate = 0.7
[controller]
name = "constant"
options = {{ difficulty = 0.5 }}
[players]
count = {players}
[[cohort]]
name = "a"
{persona}
share = 1.0
[horizon]
days = 365
attempts_per_player = 30
"""


def setup_for(game: str, persona: str, players: int = 10) -> Setup:
    """A scenario whose players are of one persona; an empty name is the median player's population."""
    line = f'persona = "{persona}"' if persona else ""
    text = _TEXT.format(game=game, persona=line, players=players)
    return setup_of(parse(text.encode(), "persona.toml", Catalog()), Catalog())


def win_rates(setup: Setup) -> list[float]:
    """Win rates at PLACES."""
    table = setup.space.table()
    values = np.array([[to_real(table, j, along(setup.path, j, place)) for j in range(len(table))] for place in PLACES])
    return [
        float(won) / PLAYERS
        for won in batch_wins(setup.game, values, Crowd(setup.traits[0], PLAYERS), setup.seed, threads=cores())
    ]


def quit_share(setup: Setup) -> float:
    """Share of players who quit for good."""
    left = np.concatenate([simulate(setup, chunk).players["left"] for chunk in chunks(setup)])
    return float((left == LEAVINGS.index("quit")).mean())


def main() -> int:
    """Print the table."""
    headings = [f"{game} at {place:g}" for game in GAMES for place in PLACES]
    print(f"| persona | {' | '.join(headings)} | quit within 30 attempts |")
    print("|---" * (2 + len(headings)) + "|")
    for persona in ("", *PERSONA_NAMES):
        rates = [f"{rate:.2f}" for game in GAMES for rate in win_rates(setup_for(game, persona))]
        quits = 100.0 * quit_share(setup_for("boss_duel", persona, STAYERS))
        name = persona or "(all players by default)"
        print(f"| {name} | {' | '.join(rates)} | {quits:.0f} % |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
