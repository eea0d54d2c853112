"""What is known of a run before it begins: can its game be compiled, its controller created, its rows written."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path

from engine.errors import FlowdialError, PluginFault, ScenarioError
from engine.external.external_game import AnyGame, ExternalGame
from engine.game import Game
from engine.kernel import check_address_space
from engine.places.passable import TRIES, impassable_levels
from engine.record import Format
from engine.scenario import Scenario, setup_of
from engine.scenario_file.scenario_faults import printable
from engine.setup import Setup
from sims.catalog import DEFAULT_CONTROLLER, Catalog
from sims.runs.chunks import Job, job_of


def prepare_job(scenario: Scenario, setup: Setup | None = None, file_format: Format = "csv") -> Job:
    """The job of a scenario, still without a folder. setup: the scenario's, where there is one already.

    Raises ScenarioError, naming the file, when the controller refuses the scenario or cannot be created, or when a name
    of a plug-in cannot stand in a table; EnvironmentFault when the address space is too small; PluginFault when the
    game's state is nothing that can be compiled.
    """
    check_address_space()
    setup = setup or setup_of(scenario, Catalog())
    check_rules(setup.game)
    for level in impassable_levels(setup):
        raise ScenarioError(
            f"{printable(scenario.name)}: levels.files: each level must be one that a perfect player can win at the "
            f"dial's floor, but level {level} was lost in {TRIES} tries; make it easier."
        )
    try:
        with redirect_stdout(sys.stderr):  # what a plug-in prints is a message, not a result
            return job_of(Path(), setup, scenario.after_attempts, file_format, scenario.further_targets)
    except ScenarioError as fault:
        raise ScenarioError(*(f"{printable(scenario.name)}: {line}" for line in fault.lines)) from fault
    except (FlowdialError, ModuleNotFoundError, MemoryError):
        raise
    except (Exception, SystemExit) as fault:  # a plug-in may raise anything
        reason = f"{type(fault).__name__}: {' '.join(str(fault).split())[:200]}"
        raise ScenarioError(
            printable(f"{scenario.name}: controller.name: cannot create controller {setup.kind.name!r}: {reason}")
        ) from fault


def check_rules(game: AnyGame) -> None:
    """Look at the first state of a plug-in's game, which is all that can be known of it within milliseconds.

    Raises PluginFault, in the words of `check_game`, when the state is nothing that can be compiled.
    """
    if isinstance(game, ExternalGame) or Catalog().has_own(game.name, DEFAULT_CONTROLLER):
        return
    from engine.contract.game_rules import first_state_is_playable

    try:
        with redirect_stdout(sys.stderr):
            found = next(first_state_is_playable(game), None)
    except (Exception, SystemExit):  # noqa: BLE001 - what rules raise is told by the row of the attempt in which they do
        return
    if found is not None:
        raise PluginFault(contract_sentence(game, found))


def contract_sentence(game: Game, finding: str) -> str:
    """A broken promise of a game, as a message of a command."""
    return printable(f"the game {game.name!r} cannot be played: {finding}; check_game tells more.")
