"""The contract that every controller keeps, as checks that every author can run.

    >>> from engine.contract.checks import check_controller
    >>> from controllers.adaptive.weighted_up_down import CONTROLLER
    >>> check_controller(CONTROLLER)
    []

Each check is a function whose first docstring line is the promise.
"""

from __future__ import annotations

from typing import Any, Final

from engine.contract import (
    controller_bounds,
    controller_conduct,
    controller_export,
    controller_luck,
    controller_record,
    controller_rule,
)
from engine.contract.findings import findings_of
from engine.controller import ControllerKind

STAGES: Final = (
    (
        controller_record.names_and_words,
        controller_record.options_are_declared,
        controller_record.gains_are_options,
        controller_record.one_way_to_make_it,
    ),
    (
        controller_rule.state_is_numbers,
        controller_rule.rule_is_pure,
    ),
    (controller_rule.compiled_equals_plain,),
    (
        controller_rule.proposals_stay_on_the_dial,
        controller_rule.state_survives_json,
        controller_rule.wins_never_make_it_easier,
        controller_rule.units_are_handed_on,
        controller_rule.nothing_is_moved_on_the_whole_dial,
    ),
    (
        controller_conduct.settings_are_valid,
        controller_conduct.late_outcomes_are_taken,
        controller_conduct.beliefs_are_described,
        controller_conduct.instances_are_independent,
        controller_conduct.repeats_itself,
        controller_conduct.open_loop_if_deterministic,
    ),
    (
        controller_conduct.follows_players,
        controller_conduct.extreme_targets_end_at_bounds,
        controller_bounds.comes_back_from_a_bound,
        controller_luck.twins_have_luck_of_their_own,
    ),
    (controller_export.has_a_translation,),
)


def check_controller(kind: Any) -> list[str]:
    """Broken promises of a controller, one sentence each; empty when it keeps all of them.

    Never raises for a bad controller. Takes seconds. The checks run in stages; the first stage with a fault is the
    last that runs.
    """
    if not isinstance(kind, ControllerKind):
        return [f"a controller is an engine.controller.ControllerKind, got {type(kind).__name__}"]
    return findings_of(STAGES, kind)
