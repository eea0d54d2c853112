"""Find the best gain of a controller on a scenario, by trying exponentially growing gains on the same players.

The best of several looks better than it is, because it was chosen by its luck. So the recommended gain is measured once
more, on players that were not used before.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, Final

from engine.errors import ScenarioError
from engine.randomness import LARGEST_SEED
from engine.scenario import Scenario
from sims.arena.courses import Course, Entrant, entrant_of, refuse_absent, refuse_unplayable, score_courses
from sims.arena.gain_page import gain_page
from sims.arena.gains import GainTrial, GainTrials, around, gain_names, gains_to_try, recommended
from sims.arena.race import played_by, scenario_title
from sims.arena.score import Interval, behind_best, card_of, is_alike, ratio_of
from sims.arena.score_files import GAIN_PAGE, write_page
from sims.catalog import Catalog, scenario_of
from sims.html.notebook import notebook_table
from sims.terminal import OnMessage, OnProgress, aligned, no_message, no_progress
from sims.workers.execution_place import executor_of
from sims.workers.executor import Executor

_FRESH: Final = 1_000_000_007  # the seed of the second measurement minus that of the first


@dataclasses.dataclass(frozen=True, repr=False)
class GainSearch(GainTrials):
    """Which gain suits a controller on a scenario, and how sure that is. scenario: what was played."""

    scenario: Scenario

    @property
    def table(self) -> list[tuple[str, ...]]:
        """Headings, then one row for each trial."""
        rows: list[tuple[str, ...]] = [(*self.options, "error", "95 % margin", "x best", "")]
        for trial in self.trials:
            mark = "recommended" if trial.gains == self.recommended else ""
            margin = f"{trial.rmse.low:.4f}-{trial.rmse.high:.4f}"
            gains = (f"{gain:g}" for gain in trial.gains)
            rows.append((*gains, f"{trial.rmse.value:.4f}", margin, f"{trial.behind.value:.2f}", mark))
        return rows

    @property
    def text(self) -> str:
        """The whole result as the command line prints it."""
        head = f"{scenario_title(self.scenario)}: {played_by(self.scenario)}"
        return "\n\n".join([head, aligned(self.table, indent=""), "\n".join(self.sentences)])

    def to_json(self) -> dict[str, Any]:
        """Everything in plain lists, dictionaries and numbers."""
        content = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del content["scenario"]
        trials = [
            {"gains": list(trial.gains), "rmse": trial.rmse._asdict(), "behind": trial.behind._asdict()}
            for trial in self.trials
        ]
        fresh, to_default = self.fresh._asdict(), self.to_default._asdict()
        said = "\n".join(self.sentences)
        return {**content, "trials": trials, "fresh": fresh, "to_default": to_default, "said": said}

    def write(self, folder: Path) -> None:
        """Write gains.html into a folder. Raises OSError on I/O errors."""
        page = gain_page(scenario_title(self.scenario), played_by(self.scenario), self, self.scenario.calibration)
        write_page(folder / GAIN_PAGE, page)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={gain:g}" for name, gain in zip(self.options, self.recommended, strict=True))
        return f"GainSearch({self.controller} on {scenario_title(self.scenario)}: {values})"

    def _repr_html_(self) -> str:
        headings, *rows = self.table
        return notebook_table(headings, rows, self.sentences)


def find_gain(
    scenario: Scenario | str | Path,
    controller: str,
    *,
    workers: int | None = None,
    on: str | None = None,
    on_progress: OnProgress = no_progress,
    on_message: OnMessage = no_message,
) -> GainSearch:
    """Find the best gain of a controller on a scenario.

    Args:
        scenario: a scenario, the path of its file, or the name of a bundled one.
        controller: name of a controller with a gain.
        workers: number of processes, from 1; None for one per core.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        on_progress: takes attempts played, and the largest possible number of attempts in all.
        on_message: takes sentences while win probabilities are measured by playing.

    Raises:
        ScenarioError: if the controller has no gain, all players form one group, or no win probability is known.
        PluginFault: if the controller or the game raised an error.

    Example:
        >>> from sims import find_gain, load_scenario
        >>> scenario = load_scenario("arena/stationary", **{"players.count": 40, "horizon.attempts_per_player": 60})
        >>> find_gain(scenario, "weighted_up_down", workers=1).options
        ('step',)
    """
    resolved, catalog = scenario_of(scenario), Catalog()
    kind = catalog.controller(controller)
    refuse_unplayable(resolved, [Entrant(kind.name)], catalog)
    names = gain_names(resolved, kind)
    choices = gains_to_try(kind, names)
    entrants = [entrant_of(kind, dict(zip(names, gains, strict=True))) for gains in choices]
    course = Course(resolved.name, resolved)
    with executor_of(workers, on) as executor:
        tried = score_courses([course], entrants, workers=executor, on_progress=on_progress, on_message=on_message)
        refuse_absent(tried)
        scores = [tried.scores[course.name, entrant.label] for entrant in entrants]
        errors = [card_of(own).rmse for own in scores]
        if all(math.isnan(error.value) for error in errors):
            raise ScenarioError(
                f"{resolved.name}: no judged attempt of {kind.name} has a known win probability; let it play on the "
                "dial, and longer"
            )
        best, behind = behind_best(scores)
        first, last = around(best, [is_alike(ratio) for ratio in behind])
        chosen = recommended(best, behind)
        fresh, seed, to_default = _measure_again(resolved, entrants[chosen], entrant_of(kind, {}), executor)
    return GainSearch(
        controller=kind.name,
        options=names,
        trials=tuple(GainTrial(*one) for one in zip(choices, errors, behind, strict=True)),
        recommended=choices[chosen],
        low=choices[first][0],
        high=choices[last][0],
        fresh=fresh,
        fresh_seed=seed,
        to_default=to_default,
        scenario=resolved,
    )


def _measure_again(
    scenario: Scenario, chosen: Entrant, default: Entrant, executor: Executor
) -> tuple[Interval, int, Interval]:
    """On other players: the error of the chosen gains, the seed, and the ratio to the error of the default gains."""
    seed = (scenario.seed + _FRESH) % (LARGEST_SEED + 1)
    other = dataclasses.replace(scenario, form=scenario.form.model_copy(update={"seed": seed}))
    entrants = list(dict.fromkeys([chosen, default]))
    again = score_courses([Course(scenario.name, other)], entrants, workers=executor)
    refuse_absent(again)
    own, usual = (again.scores[scenario.name, entrant.label] for entrant in (chosen, default))
    return card_of(own).rmse, seed, ratio_of(own, usual)
