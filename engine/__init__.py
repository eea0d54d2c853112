"""What authors of games and controllers need, in one import.

    from engine import Faculties, Game, Knob, LOST, ParameterSpace, RUNNING, Shape, WON, check_game
    from engine import ControllerKind, Observation, Option, Rule, Situation, check_controller

Nothing is loaded before a name is used. docs/game_authors_guide.md and docs/controller_authors_guide.md use them all.
"""

from __future__ import annotations

TYPE_CHECKING = False  # what type checkers take for true; typing itself takes most of the time of an import
if TYPE_CHECKING:
    from typing import Any

    from engine.contract.checks import check_controller as check_controller
    from engine.contract.checks import check_game as check_game
    from engine.controller import Bounds as Bounds
    from engine.controller import Brief as Brief
    from engine.controller import Controller as Controller
    from engine.controller import ControllerKind as ControllerKind
    from engine.controller import Observation as Observation
    from engine.controller import Option as Option
    from engine.controller import Outcome as Outcome
    from engine.controller import Rule as Rule
    from engine.controller import Setting as Setting
    from engine.controller import Situation as Situation
    from engine.controller import Who as Who
    from engine.errors import EnvironmentFault as EnvironmentFault
    from engine.errors import FlowdialError as FlowdialError
    from engine.errors import PluginFault as PluginFault
    from engine.errors import RunFolderError as RunFolderError
    from engine.errors import ScenarioError as ScenarioError
    from engine.game import LOST as LOST
    from engine.game import OUTCOMES as OUTCOMES
    from engine.game import RUNNING as RUNNING
    from engine.game import TIMED_OUT as TIMED_OUT
    from engine.game import WON as WON
    from engine.game import Faculties as Faculties
    from engine.game import Game as Game
    from engine.game import Shape as Shape
    from engine.parameters import Knob as Knob
    from engine.parameters import ParameterSpace as ParameterSpace
    from engine.randomness import Key as Key
    from engine.randomness import standard_exponential as standard_exponential
    from engine.randomness import standard_normal as standard_normal
    from engine.randomness import uniform as uniform
    from engine.randomness import uniforms as uniforms
    from engine.randomness import words as words
    from engine.rule import PerPlayer as PerPlayer

# Public name -> the module that defines it; tests/sims/test_surface.py holds both lists together.
_HOMES = {
    "Bounds": "engine.controller",
    "Brief": "engine.controller",
    "Controller": "engine.controller",
    "ControllerKind": "engine.controller",
    "EnvironmentFault": "engine.errors",
    "Faculties": "engine.game",
    "FlowdialError": "engine.errors",
    "Game": "engine.game",
    "Key": "engine.randomness",
    "Knob": "engine.parameters",
    "LOST": "engine.game",
    "OUTCOMES": "engine.game",
    "Observation": "engine.controller",
    "Option": "engine.controller",
    "Outcome": "engine.controller",
    "ParameterSpace": "engine.parameters",
    "PerPlayer": "engine.rule",
    "PluginFault": "engine.errors",
    "RUNNING": "engine.game",
    "Rule": "engine.controller",
    "RunFolderError": "engine.errors",
    "ScenarioError": "engine.errors",
    "Setting": "engine.controller",
    "Shape": "engine.game",
    "Situation": "engine.controller",
    "TIMED_OUT": "engine.game",
    "WON": "engine.game",
    "Who": "engine.controller",
    "check_controller": "engine.contract.checks",
    "check_game": "engine.contract.checks",
    "standard_exponential": "engine.randomness",
    "standard_normal": "engine.randomness",
    "uniform": "engine.randomness",
    "uniforms": "engine.randomness",
    "words": "engine.randomness",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    from engine.public_names import lazy_name

    return lazy_name(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
