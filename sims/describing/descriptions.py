"""What `flowdial list` and `flowdial describe` say: text for people, made from the records of the plug-ins."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any, Final

from engine.controller import ControllerKind
from engine.errors import ScenarioError
from engine.external.external_game import AnyGame, ExternalGame
from engine.parameters import Knob, straight_path
from engine.scenario_file.scenario_faults import suggestion
from sims.catalog import DEFAULT_CONTROLLER
from sims.terminal import Forecast, aligned, duration, show
from sims.verdict.numbers import band_words
from sims.workers.cores import cores

if TYPE_CHECKING:
    from rich.text import Text

    from engine.response.response_map import ResponseMap
    from engine.scenario import Scenario
    from sims.catalog import Catalog, Entry

# From dark blue to yellow, in the 256 colours of terminals: brighter is won more, for any kind of colour vision.
_HEAT: Final = (17, 18, 24, 60, 66, 102, 108, 144, 186, 228)
# Eiben, Hinterding and Michalewicz 1999; the last is ours.
FAMILIES: Final = {
    "deterministic": "a fixed schedule, whatever players do",
    "adaptive": "outcomes move the difficulty, by a rule that stays the same",
    "self_adaptive": "outcomes move the difficulty, and the rule's own step sizes or gains too",
    "reference": "yardsticks for comparisons: they know what no game can know",
}
_WORLDS: Final = "arena/"
_SCORED: Final = "how well an attempt was played, 0 to 1: a column of rows, read by controllers with graded > 0"
_UNSCORED: Final = "none; controllers with graded > 0 read the progress instead"
_LONG_S: Final = 2.0  # after so long a message says how long it will take
_PAUSE_S: Final = 10.0
_SCOPES: Final = {"player": "one per player", "cohort": "one per group", "everyone": "one for all players"}


def listing(catalog: Catalog, groups: Sequence[str], as_json: bool, *, everything: bool = True) -> str:
    """The plug-ins and scenarios of these groups, as aligned text or as JSON.

    everything: with the worlds of the arena, which are scenarios, too.
    """
    listed: dict[str, list[Entry]] = {group: getattr(catalog, group)() for group in groups}
    hidden = 0
    if not everything and "scenarios" in listed:
        shown = [entry for entry in listed["scenarios"] if not entry.name.startswith(_WORLDS)]
        hidden = len(listed["scenarios"]) - len(shown)
        listed["scenarios"] = shown
    if as_json:
        return json.dumps({group: [asdict(entry) for entry in entries] for group, entries in listed.items()}, indent=2)
    blocks = []
    for group, entries in listed.items():
        if not entries:
            blocks.append(f"{group}\n  none")
            continue
        texts = aligned([(entry.name, entry.origin, entry.summary) for entry in entries]).split("\n")
        if group == "controllers":
            texts = _by_family(entries, texts)
        if group == "scenarios":
            texts.append(" flowdial new NAME writes one of your own")
            if hidden:
                texts.append(f" --all lists {hidden} more: the worlds in which controllers are compared")
        blocks.append("\n".join([group, *texts]))
    return "\n\n".join(blocks)


def _by_family(entries: Sequence[Entry], texts: Sequence[str]) -> list[str]:
    """The texts of controllers under their families, then what the default is."""
    lines = []
    for mode, meaning in FAMILIES.items():
        own = [text for entry, text in zip(entries, texts, strict=True) if entry.mode == mode]
        lines += [f" {mode.replace('_', '-')}: {meaning}", *own] if own else []
    return [*lines, f" {DEFAULT_CONTROLLER} is the default where a scenario names none"]


def description(catalog: Catalog, name: str) -> str:
    """Describe everything that has this name. Raises ScenarioError if nothing has it."""
    from engine.scenario import load
    from engine.scenario_file.personas import PERSONA_NAMES, PERSONAS
    from sims.describing.persona_description import persona_description

    blocks = []
    if name in catalog.names("games"):
        blocks.append(_game(catalog.game(name)))
    if name in catalog.names("controllers"):
        blocks.append(_controller(catalog.controller(name)))
    blocks += [persona_description(persona) for persona in PERSONAS if persona.name == name]
    scenarios = [entry.name for entry in catalog.scenarios()]
    if name in scenarios or (not blocks and name.endswith(".toml")):
        blocks.append(_scenario(load(catalog.scenario(name), catalog, allow_long=True), catalog))
    if not blocks:
        names = [*catalog.names("games"), *catalog.names("controllers"), *PERSONA_NAMES, *scenarios]
        meant = suggestion(name, names) or ";"
        raise ScenarioError(f"nothing is called {name[:64]!r}{meant} flowdial list shows all names")
    return "\n\n".join(blocks)


def dial_description(game: AnyGame, as_json: bool, say: Callable[[str], None]) -> str:
    """Win rates of three skills along the straight dial; say: takes a sentence when it takes long."""
    found = _played(game, (-1.5, 0.0, 1.5), 4000, say)
    if as_json:
        return _map_json(game, found)
    rows = [("difficulty", *(f"{place:.1f}" for place in found.dial))]
    rows += [
        (f"skill {skill:g}", *(f"{share:.2f}" for share in shares))
        for skill, shares in zip(found.skills, found.raw, strict=True)
    ]
    return (
        f"{game.name}: win rate by difficulty, all knobs from easiest to hardest together; {found.attempts:,} "
        f"players per cell, seed {found.seed}\n{aligned(rows)}"
    )


def show_map(game: AnyGame, as_json: bool, say: Callable[[str], None], stream: IO[str]) -> None:
    """Print a game's response map on the straight dial as a heat map: in colour on a terminal (NO_COLOR is respected).

    say: takes a sentence when it takes long.
    """
    from engine.response.response_map import ATTEMPTS, SKILLS

    found = _played(game, SKILLS, ATTEMPTS, say)
    if as_json:
        show(_map_json(game, found))
        return
    from rich.console import Console

    text = map_text(game, found)
    if stream.isatty():
        Console(file=stream, highlight=False).print(text, soft_wrap=True)
    else:
        show(text.plain, stream=stream)


def map_text(game: AnyGame, found: ResponseMap) -> Text:
    """A map as a grid of numbers from 0 to 100, skill down and difficulty across, each cell on its number's colour."""
    from rich.text import Text

    behind = "players through the closed form" if found.exact else "attempts"
    text = Text(
        f"{game.name}: win rate in per cent by skill and difficulty, all knobs from easiest to hardest together;\n"
        f"{found.attempts:,} {behind} per cell, 95 % margins at most +-{100.0 * found.half_width:.1f}, made monotone, "
        f"seed {found.seed}\n\n         difficulty\n  skill "
    )
    text.append("".join(f" {place:4.1f}" for place in found.dial))
    for skill, rates in zip(found.skills, found.rate, strict=True):
        text.append(f"\n  {skill:5.1f} ")
        for rate in rates:
            dark = rate < 0.5
            colour = _HEAT[min(int(rate * len(_HEAT)), len(_HEAT) - 1)]
            text.append(f" {100.0 * rate:4.0f}", f"{'bright_white' if dark else 'black'} on color({colour})")
    hidden = int(found.disorder.sum())
    if hidden:
        text.append(
            f"\n\nIn {hidden} of {found.rate.size} cells the map hides what chance does not explain: a harder setting "
            "is won more often, or more skill wins less. See share_won in --json."
        )
    return text


def _played(game: AnyGame, skills: Sequence[float], attempts: int, say: Callable[[str], None]) -> ResponseMap:
    """The map at the tenths of the straight dial, for players with the default traits."""
    from engine.players import distribution_table
    from engine.response.response_map import response_map

    path, tenths = straight_path(game.space), [k / 10 for k in range(11)]
    return response_map(
        game,
        game.space,
        path,
        distribution_table({}),
        skills=skills,
        dial=tenths,
        attempts=attempts,
        threads=cores(),
        progress=_patience(game, say),
    )


def _patience(game: AnyGame, say: Callable[[str], None]) -> Callable[[int, int], None]:
    """Report how far a map is, first after two seconds and then now and then."""
    due = time.monotonic() + _LONG_S
    forecast = Forecast()

    def progress(done: int, skills: int) -> None:
        nonlocal due
        now = time.monotonic()
        left = forecast.left_s(done, skills)
        if left is not None and due <= now and left >= _LONG_S:
            due = now + _PAUSE_S
            say(f"playing {game.name}: {done} of {skills} skills done, {duration(left)} left.")

    return progress


def _map_json(game: AnyGame, found: ResponseMap) -> str:
    return json.dumps(
        {
            "game": game.name,
            "version": game.version,
            "seed": found.seed,
            "attempts": found.attempts,
            "closed_form": found.exact,
            "skills": found.skills.tolist(),
            "dial": found.dial.tolist(),
            "share_won": found.raw.tolist(),
            "rate": found.rate.tolist(),
            "low": found.low.tolist(),
            "high": found.high.tolist(),
        },
        indent=2,
    )


def _game(game: AnyGame) -> str:
    if isinstance(game, ExternalGame):
        return _external(game)
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
            f"score: {_SCORED if game.score is not None else _UNSCORED}",
            f"keys\n{keys or '  none'}",
        ]
    )


def _external(game: ExternalGame) -> str:
    head = ("knob", "range", "default", "unit", "harder", "scale", "meaning")
    same = "the same dice give the same attempt" if game.deterministic else "the same dice may give another attempt"
    return "\n".join(
        [
            f"game {game.name}, version {game.version}, external: it plays in a process of its own",
            "",
            game.summary,
            "",
            f"knobs\n{aligned([head, *(_knob(knob) for knob in game.space)])}",
            f"ways to lose: {', '.join(game.causes)}",
            f"score: {_SCORED if game.has_score else _UNSCORED}",
            f"luck: {same}",
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
        *(["default: where a scenario names no controller"] if kind.name == DEFAULT_CONTROLLER else []),
        f"scopes: {', '.join(kind.scopes)} (the first is the default)",
        *(f"needs {name}: {rule}" for name, rule in kind.needs.items()),
        f"options\n{aligned([head, *rows])}" if rows else "options: none",
    ]
    return "\n".join(lines)


def _scenario(scenario: Scenario, catalog: Catalog) -> str:
    form = scenario.form
    game = catalog.game(form.game.name)
    options = ", ".join(f"{name} {value:g}" for name, value in form.controller.options.items())
    knobs = [(name, "fixed at", value) for name, value in form.game.params.items()] + [
        (name, "moves within", _moves(game.space[game.space.names.index(name)], form.game.bounds))
        for name in form.dial.knobs or ()
    ]
    cohorts: list[tuple[str, ...]] = [("group", "players", "target", "skill", "learning")]
    for i, cohort in enumerate(form.cohort):
        wanted = scenario.wanted(i) or (math.nan, math.nan)
        traits = [_spread(cohort.traits[name]) for name in ("skill", "learning")]
        target = band_words(scenario.band(i), *wanted)
        cohorts.append((scenario.labels[i], str(scenario.counts[i]), target, *traits))
    levels = f"campaign of {scenario.levels} levels" if scenario.levels else "endless levels"
    repeats = f"{form.run.replicas:,} repeat{'' if form.run.replicas == 1 else 's'}"
    warmup = f", the first {scenario.after_attempts} attempts are warm-up" if scenario.after_attempts else ""
    return "\n".join(
        [
            f"scenario {scenario.title or scenario.name}",
            *([form.notes] if form.notes else []),
            f"game {game.name}, {levels}; difficulty from {form.dial.floor:g} to {form.dial.ceiling:g}",
            aligned(knobs),
            f"controller {form.controller.name}, {_SCOPES[scenario.scope]}" + (f"; {options}" if options else ""),
            f"players{warmup}",
            aligned(cohorts),
            f"{form.horizon.days:g} days, {form.horizon.attempts_per_player:,} attempts per player, {repeats}: at most "
            f"{scenario.work:,} attempts",
            f"seed {scenario.seed}, fingerprint {scenario.digest[:16]}",
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
