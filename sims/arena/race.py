"""Compare controllers on one scenario: all play the same players with the same luck."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from engine.scenario import Scenario, setup_of
from sims.arena.baselines import baselines_for, best_of
from sims.arena.courses import (
    LIMIT,
    Course,
    Entrant,
    entrant_of,
    refuse_absent,
    refuse_schedule,
    refuse_unplayable,
    score_courses,
)
from sims.arena.score_card import ScoreLine, cohort_table, legend_text, score_json, score_line, score_table
from sims.arena.score_files import SCORE_PAGE, write_page, write_scores
from sims.arena.score_page import score_page
from sims.arena.sentences import SAME, notes_on, ranked, reference_notes, scope_notes, verdict_on
from sims.catalog import DEFAULT_CONTROLLER, Catalog, scenario_of
from sims.html.notebook import notebook_table
from sims.terminal import OnMessage, OnProgress, aligned, no_message, no_progress
from sims.workers.execution_place import executor_of

# A controller by its name, or by its name and the options that differ from its defaults.
ControllerChoice = str | tuple[str, Mapping[str, float]]

_WIDTH: Final = 100  # of the text, characters
_CELLS: Final = 5  # of a score card, that a notebook shows


@dataclasses.dataclass(frozen=True, repr=False)
class Race:
    """Controllers compared on one scenario.

    Attributes:
        scenario: what was played.
        scores: one line for each controller, all players first, then each cohort if there are several.
        ranking: names of the controllers and the baseline with a known error, the lowest error first.
        verdict: which controller has the lowest error, and how far the others are behind.
        notes: what is unknown, and why.
        faulty: whether a controller is left out because it or the game raised an error.
    """

    scenario: Scenario
    scores: tuple[ScoreLine, ...]
    ranking: tuple[str, ...]
    verdict: str
    notes: tuple[str, ...]
    faulty: bool

    @property
    def title(self) -> str:
        """Title of the scenario, or its file."""
        return scenario_title(self.scenario)

    @property
    def text(self) -> str:
        """The whole comparison as the command line prints it: score cards, notes and the verdict."""
        together = [line for line in self.scores if not line.cohort]
        blocks = [f"{self.title}: {played_by(self.scenario)}", aligned(score_table(together), indent="")]
        if len(together) < len(self.scores):
            table = aligned(cohort_table(self.scores), indent="")
            blocks.append(f"Error by player group, and how many times the limit's it is\n{table}")
        legend = textwrap.fill(legend_text(), _WIDTH, break_on_hyphens=False)
        return "\n\n".join([*blocks, "\n".join([*self.notes, legend]), self.verdict])

    def to_json(self) -> dict[str, Any]:
        """Scores, notes and verdict in plain lists, dictionaries and numbers; None for unknown values."""
        return {
            "scores": [score_json(line) for line in self.scores],
            "notes": list(self.notes),
            "verdict": self.verdict,
        }

    def write(self, folder: Path) -> None:
        """Write scores.csv and scores.html into a folder. Raises OSError on I/O errors."""
        write_scores(folder, self.scores)
        label = self.scenario.calibration
        page = score_page(self.title, played_by(self.scenario), self.scores, self.verdict, self.notes, label)
        write_page(folder / SCORE_PAGE, page)

    def __repr__(self) -> str:
        return f"Race({self.title}: {', '.join(self.ranking)})"

    def _repr_html_(self) -> str:
        headings, *rows = score_table([line for line in self.scores if not line.cohort])
        return notebook_table(headings[:_CELLS], [row[:_CELLS] for row in rows], [self.verdict, *self.notes])


def race(
    scenario: Scenario | str | Path,
    controllers: Iterable[ControllerChoice] = (),
    *,
    workers: int | None = None,
    on: str | None = None,
    on_progress: OnProgress = no_progress,
    on_message: OnMessage = no_message,
) -> Race:
    """Compare controllers on a scenario. The limit and a baseline always play too.

    Args:
        scenario: a scenario, the path of its file, or the name of a bundled one.
        controllers: names, or pairs of a name and options, as ("kalman", {"q": 0.01}). If empty: the scenario's own
            controller and the default.
        workers: number of processes, from 1; None for one per core.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        on_progress: takes attempts played, and the largest possible number of attempts in all.
        on_message: takes sentences while win probabilities are measured by playing.

    Raises:
        ScenarioError: if there is no such scenario or controller, or a controller cannot play the scenario.
        PluginFault: if not even the baseline can be played.

    Example:
        >>> from sims import load_scenario, race
        >>> scenario = load_scenario("arena/stationary", **{"players.count": 40})
        >>> race(scenario, ["kalman", "weighted_up_down"], workers=1).ranking[0]
        'kalman'
    """
    resolved = scenario_of(scenario)
    catalog = Catalog()
    entrants = entrants_of(controllers, catalog) or [own_entrant(resolved, catalog), Entrant(DEFAULT_CONTROLLER)]
    refuse_unplayable(resolved, entrants, catalog)
    course = Course(Path(resolved.name).stem, resolved)
    baselines = baselines_for(setup_of(resolved, catalog), catalog)
    starters = list(dict.fromkeys([Entrant(LIMIT), *baselines, *entrants]))
    with executor_of(workers, on) as executor:
        scores = score_courses([course], starters, workers=executor, on_progress=on_progress, on_message=on_message)
    played = {entrant for entrant in starters if (course.name, entrant.label) in scores.scores}
    if not any(entrant in played for entrant in baselines):
        refuse_absent(scores)
    baseline = best_of(scores, course.name, [entrant for entrant in baselines if entrant in played])
    kept = [one for one in starters if one in played and (one in entrants or one == baseline or one not in baselines)]
    by_name = {entrant.label: scores.scores[course.name, entrant.label] for entrant in kept}
    modes = {entrant: catalog.controller(entrant.controller).mode for entrant in kept}
    lines = tuple(
        score_line(
            course.name, entrant.label, modes[entrant], by_name[entrant.label], by_name.get(LIMIT),
            by_name[baseline.label], cohort=cohort, microseconds=scores.microseconds[course.name, entrant.label],
        )
        for cohort in _cohorts(resolved)
        for entrant in kept
    )  # fmt: skip
    runners = [entrant for entrant in kept if entrant == baseline or modes[entrant] != "reference"]
    return Race(
        scenario=resolved,
        scores=lines,
        ranking=tuple(ranked({entrant.label: by_name[entrant.label] for entrant in runners})),
        verdict=verdict_on(scores, course.name, runners, baseline),
        notes=(
            *reference_notes([entrant.label for entrant in kept if entrant not in runners]),
            *notes_on(scores, course.name, baseline, lines),
            *scope_notes(resolved, kept, catalog),
        ),
        faulty=bool(scores.faulty),
    )


def _cohorts(scenario: Scenario) -> list[tuple[int, str] | None]:
    """All players together, then each cohort if there are several."""
    return [None, *(enumerate(scenario.cohorts) if len(scenario.cohorts) > 1 else ())]


def entrants_of(controllers: Iterable[ControllerChoice], catalog: Catalog) -> list[Entrant]:
    """The chosen controllers, each once. Raises ScenarioError for an unknown name or option."""
    pairs = [(chosen, {}) if isinstance(chosen, str) else chosen for chosen in controllers]
    return list(dict.fromkeys(entrant_of(catalog.controller(name), options) for name, options in pairs))


def own_entrant(scenario: Scenario, catalog: Catalog) -> Entrant:
    """The scenario's own controller, with the options that it sets. Raises ScenarioError where these change."""
    refuse_schedule(scenario)
    return entrant_of(catalog.controller(scenario.controller), scenario.form.controller.options)


def scenario_title(scenario: Scenario) -> str:
    """Title of a scenario, or its file."""
    return scenario.title or scenario.name


def played_by(scenario: Scenario) -> str:
    """How many players play a scenario, with which seed."""
    players = scenario.form.players.count * scenario.form.run.replicas
    return f"{players:,} players, seed {scenario.seed}, {SAME}"
