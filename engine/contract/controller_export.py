"""Last stage of the controller contract: a rule can be said in the languages of games."""

from __future__ import annotations

from collections.abc import Iterator

from engine.contract.controller_rule import usual_options
from engine.controller import ControllerKind
from engine.translation.sources import Untranslatable
from engine.translation.translated_rule import translate_rule


def has_a_translation(kind: ControllerKind) -> Iterator[str]:
    """A rule uses only what `flowdial export-controller` can say in other languages."""
    if kind.rule is None:
        return
    constants = usual_options(kind, kind.rule)
    try:
        translate_rule(kind.rule, constants, kind.rule.start(constants, 0.5))
    except Untranslatable as fault:
        yield f"a rule must have a translation for export-controller, but {fault}"
