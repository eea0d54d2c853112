"""Advice: which controller suits a scenario, why, what to beware of, and the lines to put into the file."""

from __future__ import annotations

import dataclasses
import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from engine.scenario import Scenario
from engine.scenario_file.toml import format_toml
from sims.advice.rules import FOR_LISTENERS, MODES, REASONS, REFUSED, WARNINGS, Choice, Statement
from sims.advice.scenario_facts import ScenarioFacts, facts_of
from sims.advice.shortcomings import SHARED_BY, shortcoming_of
from sims.arena.courses import entrant_of
from sims.catalog import Catalog, scenario_of
from sims.html.notebook import notebook_table
from sims.terminal import OnMessage, no_message
from sims.workers.cores import cores

_WIDTH: Final = 100  # of the text, characters


@dataclasses.dataclass(frozen=True, repr=False)
class Advice:
    """Which controller suits a scenario, and why.

    Attributes:
        scenario: the words that name the scenario on the command line, its --set options included.
        facts: what the advice rests on.
        choice: the recommended controller.
        reasons: why; the first one decided.
        shortcoming: what the scenario's own controller lacks; None if it is the recommended one.
        warnings: what is wrong with the scenario and its controller.
    """

    scenario: tuple[str, ...]
    facts: ScenarioFacts
    choice: Choice
    reasons: tuple[Statement, ...]
    shortcoming: Statement | None
    warnings: tuple[Statement, ...]

    @property
    def lines(self) -> str:
        """The [controller] table for the scenario's file."""
        choice = self.choice
        lines = ["[controller]", f"name = {format_toml(choice.controller)}", f"scope = {format_toml(choice.scope)}"]
        if choice.options:
            lines.append(f"options = {format_toml(choice.options)}")
        return "\n".join(lines)

    @property
    def command(self) -> str:
        """The command that compares the recommended controller with the scenario's own, ready for a shell."""
        choice, facts = self.choice, self.facts
        words = ["flowdial", "compare", *self.scenario]
        if choice.scope != facts.scope and choice.scope in facts.kind.scopes:
            words += ["--set", f"controller.scope={choice.scope}"]
        recommended = entrant_of(Catalog().controller(choice.controller), choice.options)
        for entrant in dict.fromkeys([recommended, entrant_of(facts.kind, facts.options)]):
            options = [f"{name}={value!r}" for name, value in entrant.options]
            words += ["--controller", ",".join([entrant.controller, *options])]
        return shlex.join(words)

    @property
    def text(self) -> str:
        """The whole advice as the command line prints it."""
        choice = self.choice
        mode = choice.mode.replace("_", "-")
        blocks = [
            self.facts.name,
            f"Recommended: {choice.controller} ({mode}), one difficulty for {SHARED_BY[choice.scope]}",
            "Why\n" + "\n".join(_item(f"{n}. ", reason) for n, reason in enumerate(self.reasons, 1)),
        ]
        if self.shortcoming is not None:
            blocks.append("Current controller\n" + _item("- ", self.shortcoming))
        if self.warnings:
            blocks.append("Warnings\n" + "\n".join(_item("! ", warning) for warning in self.warnings))
        blocks.append(f"Put into the scenario file\n{textwrap.indent(self.lines, '  ')}")
        blocks.append(f"Measure it\n  {self.command}")
        blocks.append(textwrap.fill(REFUSED, _WIDTH))
        stated = [*self.reasons, *([] if self.shortcoming is None else [self.shortcoming]), *self.warnings]
        blocks.append(_filled(f"Sources: {'; '.join(dict.fromkeys(one.source for one in stated))}."))
        return "\n\n".join(blocks)

    def to_json(self) -> dict[str, Any]:
        """Recommendation, reasons and facts in plain lists, dictionaries and numbers."""
        choice, lack = self.choice, self.shortcoming
        return {
            "scenario": self.facts.name,
            "mode": choice.mode,
            "controller": choice.controller,
            "scope": choice.scope,
            "options": choice.options,
            "reasons": [reason._asdict() for reason in self.reasons],
            "lack": None if lack is None else lack._asdict(),
            "warnings": [warning._asdict() for warning in self.warnings],
            "lines": self.lines,
            "command": self.command,
            "cohorts": [cohort._asdict() for cohort in self.facts.cohorts],
        }

    def __repr__(self) -> str:
        return f"Advice({self.choice.controller} for {self.facts.name}, {len(self.warnings)} warnings)"

    def _repr_html_(self) -> str:
        instead = [] if self.shortcoming is None else [("current controller", self.shortcoming)]
        statements = [
            *(("why", reason) for reason in self.reasons),
            *instead,
            *(("warning", warning) for warning in self.warnings),
        ]
        rows = [(kind, statement.text, statement.source) for kind, statement in statements]
        choice = self.choice
        return notebook_table((choice.controller, "", "source"), rows, [self.command])


def advise(
    scenario: Scenario | str | Path,
    *,
    named: Sequence[str] = (),
    workers: int | None = None,
    on_message: OnMessage = no_message,
) -> Advice:
    """Recommend a controller for a scenario and review the current one.

    Args:
        scenario: a scenario, the path of its file, or the name of a bundled one.
        named: the words that name it on the command line, its --set options included; its path if empty.
        workers: number of threads, from 1; None for one per core.
        on_message: takes sentences about what takes long.

    Raises:
        ScenarioError: if there is no such scenario, or it is wrong.

    Example:
        >>> from sims import advise
        >>> advise("arena/stationary").choice.controller
        'kalman_bank'
    """
    resolved = scenario_of(scenario)
    facts = facts_of(resolved, Catalog(), threads=workers or cores(), on_message=on_message)
    return advice_on(facts, named or (resolved.name,))


def advice_on(facts: ScenarioFacts, named: Sequence[str] = ()) -> Advice:
    """Apply the rules to the facts. named: as of `advise`."""
    choice = next(choice for rule in MODES if (choice := rule(facts)) is not None)
    rules = [rule for rule in REASONS if choice.mode != "deterministic" or rule not in FOR_LISTENERS]
    reasons = (choice.reason, *(statement for rule in rules if (statement := rule(facts)) is not None))
    warnings = tuple(statement for rule in WARNINGS if (statement := rule(facts)) is not None)
    return Advice(tuple(named), facts, choice, reasons, shortcoming_of(facts, choice), warnings)


def _item(mark: str, statement: Statement) -> str:
    return _filled(statement.text, f"  {mark}")


def _filled(text: str, mark: str = "") -> str:
    """A paragraph behind a mark, its other lines as far in as the mark is wide."""
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=mark,
        subsequent_indent=" " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )
