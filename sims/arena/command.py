"""Races from the command line: who raced, what came of it, in words, tables and files."""

from __future__ import annotations

import json as json_text
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.errors import PluginFault, ScenarioError
from engine.scenario import Scenario, setup_of
from sims.arena.baselines import PLACES, baselines_for, best_of
from sims.arena.files import GAIN_PAGE, SCORE_PAGE, STANDINGS_PAGE, write_page, write_scores
from sims.arena.gain_finder import Trial, find_gain, gains_to_find, said
from sims.arena.gain_page import gain_page
from sims.arena.race import LIMIT, STATIC, Course, Entrant, Race, entrant_of, race, refusal, refuse_absent, setup_for
from sims.arena.score import behind_best, card_of, is_alike, ratio_of
from sims.arena.score_card import LEGEND, WHY_LAST, Line, cohort_table, interval, json_of, line_of, table
from sims.arena.score_page import score_page
from sims.arena.standings_page import standings_page
from sims.arena.true_chances import OFF_THE_DIAL
from sims.arena.worlds import ALL, Arena, Standing, absences, arena, everybody, limited_worlds, standings
from sims.catalog import DEFAULT_CONTROLLER, Catalog
from sims.run_folder.new_folder import new_folder
from sims.terminal import aligned, meter, teller
from sims.wording import listed
from sims.workers.cores import cores

_SAME: Final = "the same players and the same luck for all"
_BELOW_LIMIT: Final = "A multiple of the limit below 1 is chance: a ratio of few players."

Wish = tuple[str, Mapping[str, float]]  # name of a controller, and its options


class Comparison(NamedTuple):
    """What came of a race on one scenario."""

    lines: list[Line]  # of all together, then of each cohort where there are several
    notes: list[str]  # what is not known, and why
    verdict: str
    faulty: bool  # whether somebody is left out whose controller, or the game, raised


def compare(
    scenario: Scenario,
    wishes: Sequence[Wish],
    *,
    workers: int | None = None,
    out: Path | None = None,
    quiet: bool = False,
    json: bool = False,
) -> int:
    """Race controllers on a scenario, print score cards; the exit code.

    Without wishes: the scenario's own against the default. Raises ScenarioError for one that cannot play it.
    """
    catalog = Catalog()
    entrants = [entrant_of(catalog.controller(name), options) for name, options in wishes]
    entrants = entrants or [own_entrant(scenario, catalog), Entrant(DEFAULT_CONTROLLER)]
    check(scenario, entrants, catalog)
    folder = new_folder(out) if out is not None else None
    found = compared(
        scenario,
        list(dict.fromkeys(entrants)),
        catalog,
        workers=workers or cores(),
        shown=meter(quiet),
        told=teller(quiet),
    )
    if folder is not None:
        write_scores(folder, found.lines)
        page = score_page(_title(scenario), _played_by(scenario), found.lines, found.verdict, found.notes)
        write_page(folder / SCORE_PAGE, page)
    if json:
        _print_json({"scores": [json_of(line) for line in found.lines], "notes": found.notes, "verdict": found.verdict})
        return PluginFault.exit_code if found.faulty else 0
    together = [line for line in found.lines if not line.cohort]
    _say(f"{_title(scenario)}: {_played_by(scenario)}\n")
    _say(aligned(table(together), indent=""))
    if len(together) < len(found.lines):
        _say("\nRMSE by cohort, and its multiple of the limit\n" + aligned(cohort_table(found.lines), indent=""))
    _say("")
    for note in found.notes:
        _say(note)
    _say(f"{LEGEND}\n{WHY_LAST}\n\n{found.verdict}")
    if folder is not None:
        _say(f"\nscores and page  {folder}")
    return PluginFault.exit_code if found.faulty else 0


def check(scenario: Scenario, entrants: Sequence[Entrant], catalog: Catalog) -> None:
    """Raise ScenarioError for controllers that cannot play a scenario."""
    base = setup_of(scenario, catalog)
    reasons = [(entrant, refusal(base, setup_for(base, entrant, catalog))) for entrant in entrants]
    faults = [f"{scenario.name}: {entrant.label} cannot play: {reason}" for entrant, reason in reasons if reason]
    if faults:
        raise ScenarioError(*faults)


def compared(
    scenario: Scenario,
    entrants: Sequence[Entrant],
    catalog: Catalog,
    *,
    workers: int,
    shown: Callable[[int, int], None] = lambda done, all_: None,
    told: Callable[[str], None] = lambda sentence: None,
) -> Comparison:
    """Race these, the limit and a baseline. Raises PluginFault when not even a fixed difficulty can be played."""
    course = Course(Path(scenario.name).stem, scenario)
    baselines = baselines_for(setup_of(scenario, catalog), catalog)
    starters = list(dict.fromkeys([Entrant(LIMIT), *baselines, *entrants]))
    found = race([course], starters, workers=workers, shown=shown, told=told)
    played = [one for one in baselines if (course.name, one.label) in found.scores]
    if not played:
        refuse_absent(found)
    baseline = best_of(found, course.name, played)
    kept = [one for one in starters if one in entrants or one == baseline or one not in baselines]
    kept = [one for one in kept if (course.name, one.label) in found.scores]
    limit, static = (found.scores.get((course.name, one.label)) for one in (Entrant(LIMIT), baseline))
    cohorts: list[tuple[int, str] | None] = [None]
    if len(scenario.cohorts) > 1:
        cohorts += [(number, name) for number, name in enumerate(scenario.cohorts)]
    lines = [
        line_of(
            course.name, one.label, catalog.controller(one.controller).mode, found.scores[course.name, one.label],
            limit, static, cohort=cohort, microseconds=found.microseconds[course.name, one.label],
        )
        for cohort in cohorts
        for one in kept
    ]  # fmt: skip
    runners = [one for one in kept if one == baseline or catalog.controller(one.controller).mode != "reference"]
    return Comparison(
        lines,
        [*_notes(found, course.name, baseline, lines), *_scope_notes(scenario, kept, catalog)],
        _verdict(found, course.name, runners, baseline),
        bool(found.faulty),
    )


def _notes(found: Race, course: str, baseline: Entrant, lines: Sequence[Line]) -> list[str]:
    notes = []
    if (course, LIMIT) in found.absent:
        notes.append(f"x limit is not known: {found.absent[course, LIMIT]}.")
    for (_, name), why in found.absent.items():
        if name != LIMIT:
            notes.append(f"{name} is left out: {why}.")
    if baseline.controller != STATIC:
        notes.append(f"The baseline is {baseline.label}, the best of {PLACES} fixed difficulties in hindsight.")
    if _is_below_limit(lines):
        notes.append(_BELOW_LIMIT)
    unknown = [line.controller for line in lines if not line.cohort and math.isnan(line.card.rmse_all)]
    if unknown:
        notes.append(f"The chances of {', '.join(unknown)} are not known: {OFF_THE_DIAL}; only wins count there.")
    return notes


def _is_below_limit(lines: Sequence[Line]) -> bool:
    """Whether a multiple of the limit is shown that nobody can reach, as its interval says too."""
    return any(round(line.ratio.value, 2) < 1.0 and not line.ratio.high < 1.0 for line in lines)


def _scope_notes(scenario: Scenario, kept: Sequence[Entrant], catalog: Catalog) -> list[str]:
    kinds = {one.controller: catalog.controller(one.controller) for one in kept}
    return [
        f"{name} plays with scope {kind.scopes[0]}, for it does not know the scenario's, {scenario.scope}."
        for name, kind in kinds.items()
        if scenario.scope not in kind.scopes
    ]


def _verdict(found: Race, course: str, runners: Sequence[Entrant], baseline: Entrant) -> str:
    """Who won, and by how much the others are behind: one sentence, in which no difference lies inside the noise."""
    scores = {one.label: found.scores[course, one.label] for one in runners}
    rmse = {name: card_of(one).rmse.value for name, one in scores.items()}
    names = sorted((name for name, value in rmse.items() if not math.isnan(value)), key=lambda name: rmse[name])
    if len(names) < 2 and any(name != LIMIT for _, name in found.absent):
        return "Nothing can be compared: too many are left out."
    if len(names) < 2:
        return "Nothing can be compared: there are not two whose chances are known."
    best, *others = names
    ratios = dict(zip(names, behind_best([scores[name] for name in names])[1], strict=True))
    if any(math.isnan(ratio.low) for ratio in ratios.values()):
        return (
            "Nothing can be told apart: all players share one dial, so there is one group only; give [run] replicas "
            "a larger number."
        )
    alike = [name for name in others if is_alike(ratios[name])]
    shown = {name: f"{name} (the baseline)" if name == baseline.label else name for name in names}
    behind = [
        f"{shown[name]} is {interval(ratios[name])} times as far off as {best}" for name in others if name not in alike
    ]
    if baseline.label in (best, *alike) and not _beaten(scores, names, baseline.label):
        head = f"Nobody is nearer to the target than {baseline.label}, the baseline, beyond noise"
        rest = [name for name in (best, *alike) if name != baseline.label]
        head += f": {listed(rest)} cannot be told from it" if rest else ""
    elif len(alike) > 1:  # which of them can be told apart from each other is not looked at
        head = f"{shown[best]} keeps players nearest to their target, but "
        head += f"{listed([shown[name] for name in alike])} cannot be told from it"
    elif alike:
        head = f"{shown[best]} and {shown[alike[0]]} keep players nearest to their target and cannot be told apart"
    else:
        head = f"{shown[best]} keeps players nearest to their target"
    return f"{'; '.join([head, *behind])} (95 % intervals that hold all at once)."


def _beaten(scores: Mapping[str, Any], names: Sequence[str], baseline: str) -> bool:
    """Whether anybody is nearer than the baseline beyond noise: a second may be, for whom pairing leaves less of it,
    where the best is not."""
    pairs = len(names) * (len(names) - 1) // 2
    return not all(is_alike(ratio_of(scores[baseline], scores[name], pairs)) for name in names if name != baseline)


def own_entrant(scenario: Scenario, catalog: Catalog) -> Entrant:
    """The scenario's own controller, with the options that it sets."""
    return entrant_of(catalog.controller(scenario.controller), scenario.form.controller.options)


def compare_gains(
    scenario: Scenario,
    controller: str,
    *,
    workers: int | None = None,
    out: Path | None = None,
    quiet: bool = False,
    json: bool = False,
) -> int:
    """Find a controller's gain on a scenario and say how sure that is; the exit code."""
    catalog = Catalog()
    check(scenario, [Entrant(catalog.controller(controller).name)], catalog)
    gains_to_find(scenario, catalog.controller(controller))  # before there is a folder
    folder = new_folder(out) if out is not None else None
    finding = find_gain(
        scenario, catalog.controller(controller), workers=workers or cores(), shown=meter(quiet), told=teller(quiet)
    )
    if folder is not None:
        write_page(folder / GAIN_PAGE, gain_page(_title(scenario), _played_by(scenario), finding))
    if json:
        found = {
            **finding._asdict(),
            "trials": [_json_of(trial) for trial in finding.trials],
            "fresh": finding.fresh._asdict(),
            "to_default": finding.to_default._asdict(),
            "said": said(finding),
        }
        _print_json(found)
        return 0
    rows: list[tuple[str, ...]] = [(*finding.options, "RMSE", "95 %", "x best", "")]
    for trial in finding.trials:
        mark = "recommended" if trial.gains == finding.recommended else ""
        span = f"{trial.rmse.low:.4f}-{trial.rmse.high:.4f}"
        rows.append(
            (*(f"{gain:g}" for gain in trial.gains), f"{trial.rmse.value:.4f}", span, f"{trial.behind.value:.2f}", mark)
        )
    _say(f"{_title(scenario)}: {_played_by(scenario)}")
    _say(aligned(rows, indent="") + "\n\n" + said(finding))
    if folder is not None:
        _say(f"\npage  {folder}")
    return 0


def race_arena(
    worlds: Sequence[str],
    wishes: Sequence[Wish],
    *,
    players: int,
    seed: int | None = None,
    workers: int | None = None,
    out: Path | None = None,
    quiet: bool = False,
    json: bool = False,
) -> int:
    """Race over the arena's worlds, print what came of it; the exit code."""
    catalog = Catalog()
    wanted = list(dict.fromkeys(worlds)) or list(ALL)
    entrants = [entrant_of(catalog.controller(name), options) for name, options in wishes] or everybody(catalog)
    runners = list(dict.fromkeys([Entrant(LIMIT), Entrant(STATIC), *entrants]))
    folder = new_folder(out) if out is not None else None
    found = arena(
        wanted, runners, players=players, seed=seed, workers=workers or cores(), shown=meter(quiet), told=teller(quiet)
    )
    ranked = standings(found)
    if folder is not None:
        write_scores(folder, found.lines)
        subtitle = f"{players:,} players a world, {_SAME}"
        write_page(folder / STANDINGS_PAGE, standings_page(subtitle, found, ranked))
    if json:
        _print_json(
            {
                "scores": [json_of(line) for line in found.lines],
                "standings": [one._asdict() for one in ranked],
                "sandbagging": {name: gain._asdict() for name, gain in found.gains.items()},
                "absent": [{"course": key[0], "controller": key[1], "why": why} for key, why in found.absent.items()],
            }
        )
        return PluginFault.exit_code if found.faulty else 0
    _print_arena(found, ranked, wanted, players)
    if folder is not None:
        _say(f"\nscores and page  {folder}")
    return PluginFault.exit_code if found.faulty else 0


def _print_arena(found: Arena, ranked: Sequence[Standing], worlds: Sequence[str], players: int) -> None:
    limited = limited_worlds(ranked)
    if limited:
        _say(
            f"RMSE of the true win probability as a multiple of {LIMIT}'s; {players:,} players a world, the same for "
            "all;\nmean: geometric, and worst: over those of the ten worlds; us: microseconds of one core per attempt"
        )
        rows: list[tuple[str, ...]] = [("controller", *limited, "mean", "worst", "us")]
        for one in ranked:
            cells = [_cell(number) for number in (*(one.ratios[world] for world in limited), one.mean, one.worst)]
            rows.append((one.controller, *cells, f"{one.microseconds:.1f}"))
        _say(aligned(rows, indent=""))
        if _is_below_limit(found.lines):
            _say(_BELOW_LIMIT)
    rest = [world for world in worlds if world not in limited]
    if rest:
        _say(f"\nRMSE where {LIMIT} cannot play")
        rmse = {(line.course, line.controller): line.card.rmse.value for line in found.lines}
        _say(
            aligned(
                [
                    ("controller", *rest),
                    *(
                        (one.controller, *(_cell(rmse.get((world, one.controller), math.nan), 4) for world in rest))
                        for one in ranked
                    ),
                ],
                indent="",
            )
        )
    if found.gains:
        gains = sorted(found.gains.items(), key=lambda item: item[1].value)
        rows = [("controller", "gain", "95 %")]
        rows += [(name, f"{gain.value:+.3f}", f"{gain.low:+.3f} to {gain.high:+.3f}") for name, gain in gains]
        _say("\nWhat throwing three attempts of twenty gains in the others, as win probability")
        _say(aligned(rows, indent=""))
    reasons = absences(found)
    if reasons:
        _say("")
    for reason in reasons:
        _say(f"- in {reason}")


def _cell(number: float, digits: int = 2) -> str:
    return "-" if math.isnan(number) else f"{number:.{digits}f}"


def _title(scenario: Scenario) -> str:
    return scenario.title or scenario.name


def _played_by(scenario: Scenario) -> str:
    players = scenario.form.players.count * scenario.form.run.replicas
    return f"{players:,} players, seed {scenario.seed}; {_SAME}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _print_json(content: Mapping[str, Any]) -> None:
    sys.stdout.write(json_text.dumps(_without_nan(content), indent=1, allow_nan=False) + "\n")


def _without_nan(content: Any) -> Any:
    """The same with None for what is not known, as JSON wants it."""
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and math.isnan(content) else content


def _json_of(trial: Trial) -> dict[str, Any]:
    return {"gains": list(trial.gains), "rmse": trial.rmse._asdict(), "behind": trial.behind._asdict()}
