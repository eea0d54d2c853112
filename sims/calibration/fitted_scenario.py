"""A scenario that plays the fitted players on the levels of the file, and is labelled with its error."""

from __future__ import annotations

import math
from pathlib import PurePath
from typing import Any, Final

import numpy as np

from engine.scenario import Scenario, parse
from engine.scenario_file.calibration_label import fingerprints
from engine.scenario_file.toml import format_toml, key_text
from sims.calibration.calibration_findings import Findings
from sims.calibration.error_factor import error_factor
from sims.calibration.game.game_tables import game_tables
from sims.calibration.histories import FATIGUE, LEARNING
from sims.catalog import Catalog

GAME: Final = "ladder"
AS_PLAYED: Final = 0.5  # of the dial: no help, as the game was when the file was made
TOLERANCE: Final = 0.05
OWN_TARGET: Final = 0.75  # where the file's own rates are not those of players who retry until they pass
_PLAYERS: Final = (500, 2_500)  # fewest and most of each repeat
_REPEATS: Final = 12  # each draws what was fitted from its covariance
_ATTEMPTS: Final = (50, 5_000)
_ENDS: Final = (0.01, 0.99)  # of a wanted win rate


def fitted_scenario(findings: Findings) -> Scenario:
    """The scenario, checked and complete, with its [calibration].

    Args:
        findings: what was found.
    """
    tables = _tables(findings)
    catalog = Catalog()
    name = f"{PurePath(findings.table.source).stem or 'plays'}.toml"
    plain = parse(_text(tables).encode(), name, catalog)
    tables["calibration"] = _calibration(findings) | {"fitted": fingerprints(plain.form)}
    return parse(_text(tables).encode(), name, catalog)


def _tables(findings: Findings) -> dict[str, Any]:
    table = findings.table
    cohort, flow = _players(findings)
    players: dict[str, Any] = {"count": min(max((findings.sizes.players or 0) // 2, _PLAYERS[0]), _PLAYERS[1])}
    if flow:
        players["flow"] = flow
    return {
        "format": 1,
        "title": f"Players fitted to {table.source}"[:120],
        "notes": "Written by flowdial calibrate. calibration.json beside it has the estimates and their intervals.",
        **(_ladder_tables(findings) if findings.played is None else game_tables(findings.played)),
        "target": _target(findings),
        "players": players,
        "cohort": [cohort],
        **({"run": {"replicas": _REPEATS}} if findings.histories is not None else {}),
        "horizon": {"days": 365.0, "attempts_per_player": _most_attempts(findings)},
    }


def _ladder_tables(findings: Findings) -> dict[str, Any]:
    """The levels of the file, as the abstract game has them."""
    fitted = findings.fit
    return {
        "game": {"name": GAME, "params": {"guess": _short(fitted.plain_curve.guess)}},
        "dial": {"knobs": ["help"], "floor": 0.0, "ceiling": 1.0},
        "levels": {
            "kind": "campaign",
            "count": fitted.levels,
            "params": {"level_difficulty": [_short(float(one)) for one in fitted.difficulty]},
        },
        "controller": {"name": "constant", "options": {"difficulty": AS_PLAYED}},
    }


def _target(findings: Findings) -> dict[str, Any]:
    """The file's own rates where they are those of a campaign, so that the first run shows the fit; else ours."""
    if not findings.table.is_campaign:
        return {"win_rate": OWN_TARGET, "tolerance": TOLERANCE}
    rates = (findings.sizes.won / findings.sizes.tried).tolist()
    return {"levels": [_short(min(max(rate, _ENDS[0]), _ENDS[1])) for rate in rates], "tolerance": TOLERANCE}


def _most_attempts(findings: Findings) -> int:
    """Twice what the busiest hundredth of the players made."""
    if findings.histories is None:
        return max(_ATTEMPTS[0], 10 * findings.fit.levels)
    most = int(np.quantile(np.diff(findings.histories.starts), 0.99))
    return min(max(2 * most, _ATTEMPTS[0]), _ATTEMPTS[1])


def _players(findings: Findings) -> tuple[dict[str, Any], dict[str, Any]]:
    """The cohort, and what differs from the defaults of [players.flow]."""
    fitted, ends = findings.fit, findings.session_ends
    traits: dict[str, Any] = {
        "skill": _normal(0.0 if findings.played is None else fitted.mean_skill, fitted.skill_sd),
        "learning": _short(fitted.effect(LEARNING)),
        "fatigue": _short(fitted.effect(FATIGUE)),
    }
    if findings.played is None:
        traits |= {"slope": 1.0, "lapse": _short(fitted.plain_curve.lapse)}
    flow: dict[str, Any] = {}
    cohort: dict[str, Any] = {"name": "players", "label": "Players of the file", "share": 1.0, "traits": traits}
    if fitted.joint:
        frailty, streak, won, log_sd, bent = fitted.point[-5:].tolist()
        traits["quit_frailty"] = _normal(frailty, math.exp(log_sd))
        flow |= {
            "quit_streak": _short(streak), "quit_won": _short(won), "quit_frustration": 0.0, "quit_boredom": 0.0,
        }  # fmt: skip
        cohort["correlation"] = {"skill": {"quit_frailty": _short(math.tanh(bent))}}
    if ends is not None:
        traits["session_frailty"] = _normal(0.0, ends.frailty_sd)
        flow |= {"end_base": _short(ends.base), "end_place": _short(ends.place), "end_won": _short(ends.won)}
    times = findings.session_times
    flow |= {name: _short(value) for name, (value, _, _) in times.estimates.items()}
    return cohort, flow


def _calibration(findings: Findings) -> dict[str, Any]:
    table, tried = findings.table, findings.checks.unseen_players
    found: dict[str, Any] = {
        "source": table.source,
        "attempts": findings.sizes.attempts,
        "levels": len(findings.sizes.levels),
        "difficulty": [AS_PLAYED, AS_PLAYED],
    }
    if findings.played is not None:
        settings = findings.played.settings
        found["game"] = findings.played.game.name
        found["difficulty"] = [0.0, 1.0] if settings.listed else [_short(end) for end in settings.span]
    if findings.sizes.players is not None:
        found["players"] = findings.sizes.players
    if tried is not None:
        found["error"] = _short(tried.model.error)
        if not math.isnan(tried.model.low):
            found |= {"error_low": _short(tried.model.low), "error_high": _short(min(tried.model.high, 1.0))}
        found |= {
            "error_of_level_means": _short(tried.trivial.error),
            "error_of_one_rate": _short(tried.one_rate.error),
        }
    if findings.histories is not None:
        found["errors"] = error_factor(findings.fit, findings.session_ends, game=findings.played is not None)
    if table.dates is not None:
        found |= {"first_day": table.dates[0], "last_day": table.dates[1]}
    return found


def _normal(mean: float, sd: float) -> dict[str, Any]:
    return {"kind": "normal", "mean": _short(mean), "sd": _short(sd)}


def _short(number: float) -> float:
    return round(number, 4) + 0.0


def _text(tables: dict[str, Any]) -> str:
    """The tables as TOML."""
    lines = [f"{key} = {format_toml(value)}" for key, value in tables.items() if not isinstance(value, dict | list)]
    for key, value in tables.items():
        if isinstance(value, dict):
            lines += [f"[{key}]", *(f"{key_text(name)} = {format_toml(inner)}" for name, inner in value.items())]
        elif isinstance(value, list):
            for each in value:
                lines += [f"[[{key}]]", *(f"{name} = {format_toml(inner)}" for name, inner in each.items())]
    return "\n".join(lines) + "\n"
