"""What `flowdial list` and `flowdial describe` say: text for people, made from the records of the plug-ins."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from engine.controller import ControllerKind
from engine.errors import ScenarioError
from engine.game import Game
from engine.parameters import Knob
from engine.scenario_file.faults import suggestion

if TYPE_CHECKING:
    from engine.scenario import Scenario
    from sims.catalog import Catalog, Entry


def listing(catalog: Catalog, groups: Sequence[str], as_json: bool) -> str:
    """The plug-ins and scenarios of these groups, as aligned text or as JSON."""
    found: dict[str, list[Entry]] = {group: getattr(catalog, group)() for group in groups}
    if as_json:
        return json.dumps({group: [asdict(entry) for entry in entries] for group, entries in found.items()}, indent=2)
    blocks = []
    for group, entries in found.items():
        rows = [(entry.name, entry.origin, entry.summary) for entry in entries]
        blocks.append(f"{group}\n{aligned(rows)}" if rows else f"{group}\n  none")
    return "\n\n".join(blocks)


def description(catalog: Catalog, name: str) -> str:
    """Everything that has this name, explained. Raises ScenarioError if nothing has it."""
    from engine.scenario import load

    blocks = []
    if name in catalog.names("games"):
        blocks.append(_game(catalog.game(name)))
    if name in catalog.names("controllers"):
        blocks.append(_controller(catalog.controller(name)))
    scenarios = [entry.name for entry in catalog.scenarios()]
    if name in scenarios or (not blocks and name.endswith(".toml")):
        blocks.append(_scenario(load(catalog.scenario(name), catalog, allow_long=True), catalog))
    if not blocks:
        names = [*catalog.names("games"), *catalog.names("controllers"), *scenarios]
        raise ScenarioError(f"nothing is called {name[:64]!r}; there are {', '.join(names)}{suggestion(name, names)}")
    return "\n\n".join(blocks)


def dial_description(game: Game) -> str:
    """Win rates of three skills along the straight dial, from so many synthetic players without practice."""
    from engine.response import dial_table

    skills, players, seed = (-1.5, 0.0, 1.5), 4000, 20260
    table = dial_table(game, skills, players, seed, threads=2)
    rows = [("difficulty", *(f"{row.difficulty:.1f}" for row in table))]
    rows += [(f"skill {skill:g}", *(f"{row.rates[k]:.2f}" for row in table)) for k, skill in enumerate(skills)]
    return (
        f"{game.name}: share won along the dial, all knobs from easiest to hardest together; {players:,} players a "
        f"cell, seed {seed}\n{aligned(rows)}"
    )


def aligned(rows: Sequence[Sequence[object]], indent: str = "  ") -> str:
    """Rows as columns of text, two spaces apart."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in texts) for i in range(len(texts[0]))] if texts else []
    return "\n".join(
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts
    )


def _game(game: Game) -> str:
    manual = (sys.modules[game.build.__module__].__doc__ or game.summary).strip()
    head = ("knob", "range", "default", "unit", "harder", "scale", "meaning")
    keys = "\n".join(f"  {key}: {game.actions[action]}" for key, action in game.keys.items())
    seconds = game.tick_seconds * game.max_ticks
    return "\n".join(
        [
            f"game {game.name}, version {game.version}, pace {game.pace.replace('_', ' ')}",
            "",
            manual,
            "",
            f"knobs\n{aligned([head, *(_knob(knob) for knob in game.space)])}",
            f"ways to lose: {', '.join(game.causes)}; an attempt is stopped after {seconds:g} s",
            f"keys\n{keys or '  none'}",
        ]
    )


def _knob(knob: Knob) -> tuple[object, ...]:
    if knob.scale == "choice":
        return knob.name, " < ".join(knob.choices), knob.default, knob.unit, "last", knob.scale, knob.meaning
    limits = f"{knob.low:g} to {knob.high:g}"
    return knob.name, limits, f"{knob.default:g}", knob.unit, knob.harder, knob.scale, knob.meaning


def _controller(kind: ControllerKind) -> str:
    defaults: dict[str, Any] = kind.options()._asdict()
    head = ("option", "range", "default", "meaning")
    rows = [
        (option.name, f"{option.low:g} to {option.high:g}", f"{defaults[option.name]:g}", option.meaning)
        for option in kind.option_list
    ]
    lines = [
        f"controller {kind.name}, {kind.mode.replace('_', '-')}",
        "",
        kind.summary,
        "",
        f"formula: {kind.formula}",
        f"source: {kind.source}",
        f"when to use: {kind.use}",
        f"scopes: {', '.join(kind.scopes)} (the first is the default)",
        *(f"needs {name}: {rule}" for name, rule in kind.needs.items()),
        f"options\n{aligned([head, *rows])}" if rows else "options: none",
    ]
    return "\n".join(lines)


def _scenario(scenario: Scenario, catalog: Catalog) -> str:
    form = scenario.form
    game = catalog.game(form.game.name)
    options = ", ".join(f"{name} {value:g}" for name, value in form.controller.options.items())
    knobs = [(name, "held at", value) for name, value in form.game.params.items()] + [
        (name, "moves in", _moves(game.space[game.space.names.index(name)], form.game.bounds))
        for name in form.dial.knobs or ()
    ]
    cohorts: list[tuple[str, ...]] = [("cohort", "players", "wins wanted", "skill", "learning")]
    for i, cohort in enumerate(form.cohort):
        low, high = scenario.band(i)
        traits = [_spread(cohort.traits[name]) for name in ("skill", "learning")]
        cohorts.append((scenario.labels[i], str(scenario.counts[i]), f"{low:.3g} to {high:.3g}", *traits))
    levels = f"campaign of {scenario.levels} levels" if scenario.levels else "endless levels"
    judged = f", judged from attempt {scenario.after_attempts}" if scenario.after_attempts else ""
    return "\n".join(
        [
            f"scenario {scenario.title or scenario.name}",
            *([form.notes] if form.notes else []),
            f"game {game.name}, {levels}; difficulty from {form.dial.floor:g} to {form.dial.ceiling:g}",
            aligned(knobs),
            f"controller {form.controller.name}, scope {scenario.scope}" + (f"; {options}" if options else ""),
            f"players{judged}",
            aligned(cohorts),
            f"horizon {form.horizon.days:g} days, {form.horizon.attempts_per_player} attempts a player, "
            f"replicas {form.run.replicas}: at most {scenario.work} attempts",
            f"seed {scenario.seed}, digest {scenario.digest[:16]}",
        ]
    )


def _moves(knob: Knob, bounds: dict[str, list[float]]) -> str:
    if knob.scale == "choice":
        return " < ".join(knob.choices)
    low, high = bounds[knob.name]
    unit = "" if knob.unit == "1" else f" {knob.unit}"
    return f"{low:g} to {high:g}{unit}, harder {knob.harder}"


def _spread(spread: Any) -> str:
    if isinstance(spread, float):
        return f"{spread:g}"
    match spread.kind:
        case "normal":
            return f"normal {spread.mean:g} sd {spread.sd:g}"
        case "lognormal":
            return f"log-normal {spread.median:g} log-sd {spread.log_sd:g}"
    return f"uniform {spread.low:g} to {spread.high:g}"
