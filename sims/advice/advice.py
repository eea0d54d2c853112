"""Advice: which controller suits a scenario, why, what to beware of, and the lines to put into the file."""

from __future__ import annotations

import json as json_text
import shlex
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from engine.scenario import Scenario
from engine.scenario_file.toml import written
from sims.advice.facts import Facts, facts_of
from sims.advice.rules import FOR_LISTENERS, MODES, REASONS, REFUSED, WARNINGS, Choice, Said
from sims.advice.shortcomings import lack
from sims.arena.race import entrant_of
from sims.catalog import Catalog
from sims.terminal import teller
from sims.workers.cores import cores

_WIDTH: Final = 100


class Advice(NamedTuple):
    """What is recommended, why, what the scenario's own controller lacks beside it, and what to beware of."""

    choice: Choice
    reasons: tuple[Said, ...]  # the first decided
    lack: Said | None  # None where the scenario has it already
    warnings: tuple[Said, ...]


def advise(scenario: Scenario, called: Sequence[str], *, json: bool = False) -> int:
    """Print advice on a scenario, called so on the command line, settings included; the exit code."""
    facts = facts_of(scenario, Catalog(), threads=cores(), told=teller(quiet=json))
    found = advice_on(facts)
    if json:
        sys.stdout.write(json_text.dumps(_json_of(found, facts, command_for(found, facts, called)), indent=1) + "\n")
        return 0
    sys.stdout.write(_text(found, facts, command_for(found, facts, called)))
    return 0


def advice_on(facts: Facts) -> Advice:
    """Hold the facts against the rules."""
    choice = next(choice for rule in MODES if (choice := rule(facts)) is not None)
    rules = [rule for rule in REASONS if choice.mode != "deterministic" or rule not in FOR_LISTENERS]
    reasons = (choice.reason, *(said for rule in rules if (said := rule(facts)) is not None))
    warnings = tuple(said for rule in WARNINGS if (said := rule(facts)) is not None)
    return Advice(choice, reasons, lack(facts, choice), warnings)


def lines_for(choice: Choice) -> str:
    """The [controller] table of a scenario."""
    lines = ["[controller]", f"name = {written(choice.controller)}", f"scope = {written(choice.scope)}"]
    if choice.options:
        lines.append(f"options = {written(choice.options)}")
    return "\n".join(lines)


def _text(found: Advice, facts: Facts, command: str) -> str:
    choice = found.choice
    blocks = [
        f"{facts.name}\n\nRecommended: {choice.controller}, {choice.mode.replace('_', '-')}, scope {choice.scope}",
        "Why\n" + "\n".join(_item(f"{n}. ", said) for n, said in enumerate(found.reasons, 1)),
    ]
    if found.lack is not None:
        blocks.append("Instead of\n" + _item("- ", found.lack))
    if found.warnings:
        blocks.append("Beware\n" + "\n".join(_item("! ", said) for said in found.warnings))
    blocks.append(f"Lines for the scenario\n{textwrap.indent(lines_for(choice), '  ')}")
    blocks.append(f"Measure it\n  {command}")
    blocks.append(textwrap.fill(REFUSED, _WIDTH))
    return "\n\n".join(blocks) + "\n"


def command_for(found: Advice, facts: Facts, called: Sequence[str]) -> str:
    """How to race what is recommended against what the scenario has, ready for a shell."""
    choice = found.choice
    words = ["flowdial", "compare", *called]
    if choice.scope != facts.scope and choice.scope in facts.kind.scopes:
        words += ["--set", f"controller.scope={choice.scope}"]
    new = entrant_of(Catalog().controller(choice.controller), choice.options)
    for entrant in dict.fromkeys([new, entrant_of(facts.kind, facts.options)]):
        words += [
            "--controller",
            ",".join([entrant.controller, *(f"{name}={value!r}" for name, value in entrant.options)]),
        ]
    return shlex.join(words)


def _item(mark: str, said: Said) -> str:
    return textwrap.fill(
        f"{said.text} [{said.source}]",
        _WIDTH,
        initial_indent=f"  {mark}",
        subsequent_indent=" " * (2 + len(mark)),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _json_of(found: Advice, facts: Facts, command: str) -> dict[str, Any]:
    choice = found.choice
    return {
        "scenario": facts.name,
        "mode": choice.mode,
        "controller": choice.controller,
        "scope": choice.scope,
        "options": choice.options,
        "reasons": [said._asdict() for said in found.reasons],
        "lack": None if found.lack is None else found.lack._asdict(),
        "warnings": [said._asdict() for said in found.warnings],
        "lines": lines_for(choice),
        "command": command,
        "cohorts": [cohort._asdict() for cohort in facts.cohorts],
    }
