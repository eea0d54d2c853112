"""What fewer attempts buy in a sweep: `python -m benchmarks.sweep_methods`.

Random search gets a budget; hyperband gets a third of it, tpe a half, and random search itself a third. Each method's
winner is measured on the same fresh players, whom no search has met. The table has the loss of each winner divided by
that of random search with the whole budget: median and quartiles over problems and seeds, and the share of at most 1.
The problems were fixed beforehand: two controllers in five worlds of the arena, three options each. In the worlds
whose players change for good, population-based training plays with the whole budget against random search, whose winner
has fixed options.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final, NamedTuple

import numpy as np

from engine.scenario import setup_of
from sims.catalog import Catalog, load_scenario
from sims.sweeping.objective import TRUE_CHANCE
from sims.sweeping.space import Settings, space_of
from sims.sweeping.sweep_plan import plan_sweep
from sims.sweeping.sweep_request import SweepRequest
from sims.sweeping.trial_player import TrialPlayer
from sims.sweeping.trial_records import PlayerBlock, TrialAsk

WORLDS: Final = ("stationary", "learning", "fatigue", "jump", "combined")
OVER: Final = {
    "kalman": {"q": "log:0.0001:0.1", "sd0": "0.02:0.5", "reopen": "0:10"},
    "robbins_monro": {"c": "log:0.05:5", "n0": "0:20", "floor": "log:0.001:0.3"},
}
PLAYERS: Final = 540
ATTEMPTS: Final = 100
TRIALS: Final = 60  # that random search pays for
SHARES: Final[tuple[tuple[str, float], ...]] = (
    ("random", 1.0),
    ("random", 1 / 3),
    ("hyperband", 1 / 3),
    ("tpe", 1 / 2),
)
CHANGING: Final = ("jump", "combined")
PBT: Final = ("pbt", 1.0)
TEST_BLOCK: Final = 100_000  # far beyond those of any search
TEST_PLAYERS: Final = 3000


class Problem(NamedTuple):
    """A controller in a world."""

    controller: str
    world: str


PROBLEMS: Final = tuple(Problem(controller, world) for controller in OVER for world in WORLDS)


def methods_for(problem: Problem) -> list[tuple[str, float]]:
    """Methods and shares of the budget that are compared on a problem."""
    found = [one for one in SHARES if one[0] != "tpe" or find_spec("optuna") is not None]
    return [*found, PBT] if problem.world in CHANGING else found


def losses(problem: Problem, seed: int, methods: Sequence[tuple[str, float]] = SHARES) -> list[float]:
    """The loss of each method's winner on the players of the test, whose mean square is known almost without luck."""
    scenario = load_scenario(
        f"arena/{problem.world}",
        **{
            "seed": seed,
            "players.count": PLAYERS,
            "horizon.attempts_per_player": ATTEMPTS,
            "controller.name": problem.controller,
        },
    )
    over = {f"controller.options.{option}": values for option, values in OVER[problem.controller].items()}
    setup, space = setup_of(scenario, Catalog()), space_of(over, scenario)
    found = []
    with TrialPlayer(scenario, TRUE_CHANCE, workers=1) as player:
        for method, share in methods:
            budget = int(share * (TRIALS + 1) * scenario.work / 0.8)  # a fifth is kept for fresh players
            plan = plan_sweep(SweepRequest(over, budget, method=method), space, scenario, setup)
            explorer = plan.begin(space, seed)
            settings: dict[int, Settings] = {}
            while asks := explorer.ask():
                settings |= {ask.trial: ask.settings for ask in asks}
                explorer.tell(list(player.play(asks)))
            best = settings[explorer.finalists()[0]]
            (record,) = player.play([TrialAsk(1, best, PlayerBlock(TEST_BLOCK, TEST_PLAYERS))])
            found.append(max(record.loss.value, 0.0) ** 0.5)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--problems", type=int, default=len(PROBLEMS))
    chosen = parser.parse_args()
    ratios: dict[tuple[str, float], list[float]] = {}
    for seed in range(1, chosen.seeds + 1):  # so that what is finished early covers all problems
        for problem in PROBLEMS[: chosen.problems]:
            methods = methods_for(problem)
            found = losses(problem, seed, methods)
            for method, loss in zip(methods, found, strict=True):
                ratios.setdefault(method, []).append(loss / found[0])
            print(json.dumps({**problem._asdict(), "seed": seed, "losses": found}), flush=True)
    for (name, share), own in ratios.items():
        low, middle, high = np.quantile(own, [0.25, 0.5, 0.75])
        reached = np.mean(np.array(own) <= 1.0)
        print(f"{name:10} {share:5.2f}  {middle:.3f} [{low:.3f}, {high:.3f}]  {reached:.0%} at most 1, of {len(own)}")


if __name__ == "__main__":
    main()
