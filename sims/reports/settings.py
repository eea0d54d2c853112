"""Parameters of the game, advanced settings of the controller, and what the scenario changed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sims.html.markup import Markup, Part, joined, tag
from sims.html.page import folded, section, table
from sims.reports.facts import Facts
from sims.wording import listed, share_text

_HELD: Final = "game.params"
_BOUNDS: Final = "game.bounds"
_OPTIONS: Final = "controller.options"
_SCOPES: Final = {
    "player": "each player has one of their own",
    "cohort": "the players of each group share one",
    "everyone": "all players share one",
}


def settings_part(facts: Facts) -> Markup:
    """All parameters: their ends, what moves them, and what was played."""
    names = facts.labels[: len(facts.charted)]
    changed = _changed(facts, _HELD) | _changed(facts, _BOUNDS)
    rows: list[Sequence[Part]] = []
    for knob in facts.manifest["knobs"]:
        if knob["held"] is not None:
            played = (f"fixed at {_number(knob['held'])}", *("-" for _ in names))
        else:
            played = ("difficulty", *(_played(facts, knob, j) for j in range(len(names))))
        mark = {_HELD: "value", _BOUNDS: "range"}
        own = [word for place, word in mark.items() if knob["name"] in _changed(facts, place)]
        rows.append((_with_unit(knob), *_ends(knob), _default(knob), ", ".join(own) or "-", *played))
    if not rows:
        return Markup("")
    headings = ("parameter", "easiest", "hardest", "default", "changed", "moved by", *names)
    note = (
        "For each group: the mean over the last third of each player's attempts, or the two most frequent choices. "
        "The default is the game's own, or the nearest value within the range."
    )
    return section("Parameters", tag("p", _counts(facts, len(changed))), table(headings, rows), note=note)


def _counts(facts: Facts, changed: int) -> str:
    """How many parameters there are, how many a controller may tune, and how many differ from the default."""
    knobs = facts.manifest["knobs"]
    tunable = sum(knob["held"] is None for knob in knobs)
    noun = "parameter" if len(knobs) == 1 else "parameters"
    moves = "moves" if tunable == 1 else "move"
    text = f"{facts.manifest['game']} has {len(knobs)} {noun}: {tunable} {moves} with the difficulty"
    text += f", and {len(knobs) - tunable} {'is' if len(knobs) - tunable == 1 else 'are'} fixed"
    if facts.changes is None:
        return f"{text}. Which of them differ from the default is not known."
    return f"{text}. {changed or 'None'} of them {'differs' if changed == 1 else 'differ'} from the default."


def _changed(facts: Facts, place: str) -> set[str]:
    """Keys of a table of the scenario that differ from the default."""
    return {change.key for change in facts.changes or () if change.table == place}


def _ends(knob: Mapping[str, Any]) -> tuple[str, str]:
    """A knob's easiest and hardest value. Choices are listed from easiest to hardest."""
    if knob["scale"] == "choice":
        return str(knob["choices"][0]), str(knob["choices"][-1])
    low, high = _number(knob["low"]), _number(knob["high"])
    return (low, high) if knob["harder"] == "high" else (high, low)


def _default(knob: Mapping[str, Any]) -> str:
    return _number(knob.get("default"))


def _with_unit(knob: Mapping[str, Any]) -> Part:
    """A knob's name and its unit, unless the name ends with it."""
    name, unit = str(knob["name"]), knob["unit"]
    if unit in ("", "1", None) or name.endswith(f"_{unit}"):
        return name
    return joined(name, " ", tag("small", str(unit)))


def _played(facts: Facts, knob: Mapping[str, Any], cohort: int) -> str:
    choices = facts.rows.late_choices.get(knob["name"])
    if choices is None:
        return _number(facts.rows.late_mean(knob, cohort))
    counter = choices[cohort]
    ranked = sorted(counter, key=lambda word: (-counter[word], word))[:2]
    return ", ".join(f"{word} {share_text(counter[word] / counter.total())}" for word in ranked) or "-"


def _number(value: Any) -> str:
    """A value in a few digits; words stay words, and what is missing is a dash."""
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.3g}" if abs(value) < 1e3 else f"{value:,.0f}"


def controller_part(facts: Facts) -> Markup:
    """The controller and its advanced settings."""
    manifest = facts.manifest
    options, changed = manifest["options"], _changed(facts, _OPTIONS)
    rows = [(name, _number(options[name]), "yes" if name in changed else "-") for name in sorted(options)]
    note = f"{manifest['controller']}: {_SCOPES.get(manifest['scope'], manifest['scope'])}. "
    note += "Advanced settings are the controller's own, not the game's."
    known = facts.changes is not None
    headings = ("advanced setting", "value", *(("changed",) if known else ()))
    cells = table(headings, [row[: len(headings)] for row in rows], "pairs")
    counted = tag("p", _option_counts(facts, len(changed)))
    return section("Controller", counted, folded("Advanced settings", cells) if rows else None, note=note)


def _option_counts(facts: Facts, changed: int) -> str:
    """How many numbers the controller has that somebody sets, and how many that it learns by itself."""
    manifest = facts.manifest
    options, schedule = len(manifest["options"]), manifest.get("option_schedule", {})
    text = "It has no advanced settings."
    if options:
        text = f"It has {options} advanced setting{'' if options == 1 else 's'} (hyperparameters)"
        if facts.changes is not None:
            text += f"; {changed or 'none'} of them {'differs' if changed == 1 else 'differ'} from the default"
        text += "."
    moving = [*(["the gain"] if schedule.get("gain") else []), *schedule.get("piecewise", {})]
    if moving:
        text += f" {listed(moving)[:1].upper()}{listed(moving)[1:]} {'changes' if len(moving) == 1 else 'change'} "
        text += "with the number of outcomes, as scenario.toml says."
    state = manifest.get("state_numbers")
    if state:
        whose = {"player": "each player", "cohort": "each group"}.get(manifest["scope"], "all players together")
        text += f" Its state is {state} number{'' if state == 1 else 's'} that it keeps of {whose}; nobody sets them."
    return text


def changes_part(facts: Facts) -> Markup:
    """All settings of the scenario that differ from the default, folded."""
    if not facts.changes:
        return Markup("")
    rows = [
        (tag("code", ".".join(part for part in (change.table, change.key) if part)), tag("code", change.value))
        for change in facts.changes
    ]
    text = "setting of the scenario differs" if len(rows) == 1 else "settings of the scenario differ"
    return folded(f"{len(rows)} {text} from the default", table(("setting", "value"), rows, "pairs"))
