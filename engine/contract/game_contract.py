"""The contract that every game keeps, as checks that every author can run.

    >>> from engine.contract.checks import check_game
    >>> from games.logistic import GAME
    >>> check_game(GAME)
    []

Each check is a function whose first docstring line is the promise.
"""

from __future__ import annotations

from typing import Any, Final

from engine.contract import game_causes, game_floors, game_knobs, game_record, game_rules, game_stairs, game_wins
from engine.contract.findings import findings_of
from engine.game import Game

STAGES: Final = (
    (
        game_record.names_and_numbers,
        game_record.params_follow_space,
        game_record.progression_names_knobs,
        game_record.functions_take_arguments,
        game_record.keys_mean_actions,
    ),
    (game_record.functions_are_repeatable,),
    (game_rules.starts_running, game_rules.nothing_is_left_out, game_rules.states_hold_numbers),
    (
        game_rules.actions_exist,
        game_rules.rules_are_pure,
        game_rules.progress_is_graded,
        game_rules.places_follow,
        game_rules.pictures_are_shapes,
    ),
    (game_wins.compiles,),
    (game_wins.compiled_equals_plain, game_wins.results_make_sense, game_causes.places_can_be_left_out),
    (
        game_wins.easy_end_is_beatable,
        game_wins.skill_orders_wins,
        game_wins.harder_is_harder,
        game_wins.score_follows_wins,
        game_stairs.acts_between_ticks,
    ),
    (
        game_floors.senseless_play_wins_less,
        game_floors.skill_wins_everywhere,
        game_knobs.knobs_work,
        game_knobs.no_stretch_is_easier,
        game_causes.causes_occur,
    ),
)


def check_game(game: Any) -> list[str]:
    """Broken promises of a game, one sentence each; empty when it keeps all of them.

    Never raises for a bad game. Takes seconds, most of them for compiling the game the first time. The checks run in
    stages; the first stage with a fault is the last that runs.
    """
    if not isinstance(game, Game):
        return [f"a game is an engine.game.Game, got {type(game).__name__}"]
    return findings_of(STAGES, game)
