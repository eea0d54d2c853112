"""CMA-ES: several knobs at once, for a cohort or for everyone, learnt from live play.

An evolution strategy proposes a generation of candidate settings, and each is played in so many attempts. The search
distribution then moves towards the candidates with win rates nearest to their targets. In live play an evaluation is a
handful of coin tosses, so three things are added:

* **Loss.** For every target t (of a cohort, or of levels of a campaign): the squared error (p - t)^2 of the candidate's
  win rate p = wins / n, less its sampling variance p (1 - p) / (n - 1). Without that subtraction, noisy candidates
  would look bad for their noise. Before that, p is shrunk towards a local response fitted to all recent candidates, as
  if that were `trust` further attempts (trust = 0: the plain loss).
* **Which of the many solutions.** Infinitely many settings of several knobs have the same win rate. `pull` times the
  mean squared distance from the dial is added to the loss: of all solutions, the one on (or nearest to) the designer's
  own dial is sought. It costs nothing in win rate where the dial itself can reach the target.
* **Settling.** The distribution's mean is only as good as the noise allows. The centre that is played meanwhile and
  afterwards is the point nearest to that mean at which the local response gives the target. After `generations`
  generations it alone is played and measured, and follows slow change; when its win rate moves away from the target
  by more than chance explains, a new search begins around it.

Whole-number knobs and choices (whose options are ordered from easiest to hardest) are cells of the unit cube: the
strategy is CMA-ES with margin, which never lets the chance of a neighbouring cell die out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from controllers.common.knob_box import KnobBox
from controllers.common.local_response import LocalResponse, PlaceCounts, Vector, fit_response
from controllers.common.margin_search import MarginSearch, Proposal
from engine.arithmetic import logit
from engine.controller import Brief, ControllerKind, Option, Outcome, Setting, Who
from engine.randomness import CONTROLLER as EXPLORATION
from engine.randomness import key_of, words

NAN: Final = float("nan")
OLDEST_WEIGHT: Final = 0.02  # rows that count for less are forgotten
LARGEST_MOVE: Final = 0.2  # of a knob when settling, in positions
SURPRISE: Final = 0.05  # win rate: how much farther from the target than after the search, beyond 3 standard errors
BELIEFS: Final = ("win_rate", "loss", "sigma", "generation")


class Options(NamedTuple):
    population: float = 16.0
    attempts: float = 12.0
    generations: float = 10.0
    start: float = 0.5
    spread: float = 0.25
    off_dial: float = 0.5
    pull: float = 0.1
    trust: float = 160.0
    memory: float = 0.85
    worst: float = 0.0


class WantedRate(NamedTuple):
    """One wanted win rate of one cohort."""

    cohort: int
    target: float


@dataclass
class SettingTrial:
    """A setting under test and what was seen of it."""

    ticket: int
    place: Vector  # shape (knobs searched,): whole numbers and choices in the middle of their cell
    setting: Setting
    asked: int = 0
    told: int = 0
    counts: dict[WantedRate, list[int]] = field(default_factory=dict)  # attempts, wins

    def record(self) -> list[Any]:
        """The counts as JSON: asked, told, then cohort, target, attempts, wins for each aim."""
        return [self.asked, self.told, *([aim.cohort, aim.target, *seen] for aim, seen in self.counts.items())]

    def restore(self, record: Sequence[Any]) -> None:
        """Take the counts of a record."""
        self.asked, self.told = record[0], record[1]
        self.counts = {WantedRate(cohort, target): [n, wins] for cohort, target, n, wins in record[2:]}


class SettingSearch:
    """The search for one setting: of one cohort, or of everyone."""

    def __init__(self, options: Options, brief: Brief, unit: int, units: int) -> None:
        self._options, self._brief, self._unit, self._units = options, brief, unit, units
        self._cube = KnobBox(brief.space, brief.path, brief.floor, brief.ceiling)
        self._quota = round(options.attempts) * (len(brief.cohorts) if brief.scope == "everyone" else 1)
        self._block = self._quota * round(options.population)
        self._serial = 0
        self._searches = 0
        self._history: list[tuple[int, SettingTrial]] = []  # generation, trial
        self._fits: dict[WantedRate, LocalResponse] = {}
        self._beliefs: dict[WantedRate, dict[str, float]] = {}
        self._after_search: dict[WantedRate, float] = {}  # error of the win rate when the last search ended
        self._closed: list[list[list[Any]]] = []  # records of all finished generations
        self.generation = 0
        self.loss = NAN
        self.trials: list[SettingTrial] = []
        self._candidates: list[Proposal] = []  # what the trials try
        self._turn = 0
        self.centre = self._trial(self._cube.on_dial(options.start))
        self._begin_search()

    def _trial(self, place: Vector) -> SettingTrial:
        ticket = self._serial * self._units + self._unit
        self._serial += 1
        playable = self._cube.playable(place)
        return SettingTrial(ticket, playable, self._cube.setting(playable, ticket))

    # --- Playing

    def next_trial(self) -> SettingTrial:
        """Whose turn it is: candidates one after the other until each has its attempts, else the centre."""
        for _ in range(len(self.trials)):
            trial = self.trials[self._turn]
            self._turn = (self._turn + 1) % len(self.trials)
            if max(trial.asked, trial.told) < self._quota:
                return trial
        if self.trials and self.centre.asked >= 4 * self._block:
            self._ask_again()
        return self.centre

    def _ask_again(self) -> None:
        """Outcomes that have not arrived after so long are lost: let others play those candidates."""
        self.centre.asked = 0
        for trial in self.trials:
            trial.asked = trial.told

    def take(self, ticket: int, aim: WantedRate, won: bool) -> None:
        """Credit an outcome to its candidate; one that arrives after its generation was closed changes nothing."""
        for trial in (self.centre, *self.trials):
            if trial.ticket == ticket:
                seen = trial.counts.setdefault(aim, [0, 0])
                seen[0] += 1
                seen[1] += won
                trial.told += 1
                self._close_if_complete()
                return

    def _close_if_complete(self) -> None:
        if not self.trials:
            complete = self.centre.told >= self._block
        else:
            # Some outcomes never come. After so long a wait, half of them must do.
            enough = self._quota // 2 if self.centre.asked >= self._block else self._quota
            complete = all(trial.told >= enough for trial in self.trials)
        if complete:
            self._close()

    def record(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {
            "closed": self._closed,
            "open": [trial.record() for trial in (self.centre, *self.trials)],
            "turn": self._turn,
        }

    def restore(self, record: Mapping[str, Any]) -> None:
        """Go through the recorded generations again, from a fresh search."""
        for generation in record["closed"]:
            self._restore_counts(generation)
            self._close()
        self._restore_counts(record["open"])
        self._turn = record["turn"]

    def _restore_counts(self, generation: Sequence[Sequence[Any]]) -> None:
        for trial, seen in zip((self.centre, *self.trials), generation, strict=True):
            trial.restore(seen)

    # --- Learning

    def _close(self) -> None:
        """Learn from the finished generation and open the next."""
        self._beliefs.clear()
        self._closed.append([trial.record() for trial in (self.centre, *self.trials)])
        self._history += [(self.generation, trial) for trial in (self.centre, *self.trials) if trial.counts]
        self._refit()
        if self.trials:
            self._evolve()
        self.generation += 1
        searching = self.generation < self._search_end
        if self.trials:
            place = self._settled(self._optimiser.mean)
            if not searching:
                self._after_search = {aim: abs(fit.rate_at(place) - aim.target) for aim, fit in self._fits.items()}
        elif self._surprised():
            # What was seen before the change would speak against what is so now.
            self._history = [(g, trial) for g, trial in self._history if trial is self.centre]
            self._refit()
            self.centre = self._trial(self._settled(self.centre.place))
            self._begin_search()
            return
        else:
            place = self._settled(self.centre.place)
        self.centre = self._trial(place)
        self.trials = []
        if searching:
            self._open_generation()

    def _refit(self) -> None:
        memory = self._options.memory
        self._history = [(g, trial) for g, trial in self._history if memory ** (self.generation - g) >= OLDEST_WEIGHT]
        rows: dict[WantedRate, list[PlaceCounts]] = {}
        for g, trial in self._history:
            for aim, (n, wins) in trial.counts.items():
                rows.setdefault(aim, []).append(PlaceCounts(trial.place, n, wins, memory ** (self.generation - g)))
        self._fits = {aim: fit_response(rows[aim], self.centre.place) for aim in sorted(rows)}

    def _weights(self) -> dict[WantedRate, float]:
        """Weight of each aim: its share of its cohort's attempts."""
        attempts: dict[WantedRate, int] = {}
        for _, trial in self._history:
            for aim, (n, _) in trial.counts.items():
                attempts[aim] = attempts.get(aim, 0) + n
        totals: dict[int, int] = {}
        for aim, n in attempts.items():
            totals[aim.cohort] = totals.get(aim.cohort, 0) + n
        return {aim: attempts[aim] / totals[aim.cohort] for aim in self._fits}

    def _loss_of(self, trial: SettingTrial) -> float:
        """Squared errors of win rates, debiased, summed over cohorts (or the largest), plus the pull of the dial."""
        trust = self._options.trust
        by_cohort: dict[int, float] = {}
        for aim, weight in self._weights().items():
            n, wins = trial.counts.get(aim, (0, 0))
            expected = self._fits[aim].rate_at(trial.place)
            rate = (wins + trust * expected) / (n + trust) if n + trust > 0 else expected
            seen = wins / n if n else expected
            own_variance = seen * (1.0 - seen) / (n - 1) * (n / (n + trust)) ** 2 if n > 1 else 0.0
            error = (rate - aim.target) ** 2 - own_variance
            by_cohort[aim.cohort] = by_cohort.get(aim.cohort, 0.0) + weight * error
        total = max(by_cohort.values()) if self._options.worst >= 0.5 else math.fsum(by_cohort.values())
        return total + self._options.pull * self._cube.nearest(trial.place)[1]

    def _evolve(self) -> None:
        losses = [self._loss_of(trial) for trial in self.trials]
        self.loss = min(losses)
        self._optimiser.tell(self._candidates, losses)

    def _settled(self, place: Vector) -> Vector:
        """The place nearest to this one at which the fitted responses give their targets.

        Continuous knobs move by the shortest step that does it in logits; a whole-number knob moves to a neighbouring
        cell only where that is not enough.
        """
        if not self._fits:
            return self._cube.playable(place)
        here = self._cube.playable(self._slid(self._cube.playable(place)))
        if self._miss(here) <= SURPRISE**2:
            return here
        steps = [np.zeros(len(place))]
        for j in np.flatnonzero(self._cube.step > 0):
            for sign in (-1.0, 1.0):
                step = np.zeros(len(place))
                step[j] = sign * self._cube.step[j]
                steps.append(step)
        places = [self._cube.playable(self._slid(self._cube.playable(place + step))) for step in steps]
        return min(places, key=self._miss)

    def _slid(self, place: Vector) -> Vector:
        """The place moved along its continuous knobs towards the targets, at most LARGEST_MOVE each."""
        moving = self._cube.step == 0
        low = np.maximum(self._cube.low, place - LARGEST_MOVE)
        high = np.minimum(self._cube.high, place + LARGEST_MOVE)
        weights = self._weights()
        for _ in range(4):  # a knob that meets its bound leaves the rest of the way to the others
            free = moving & (place > low - 1e-12) & (place < high + 1e-12)
            if not free.any():
                break
            # A positive slope (harder wins more) is noise, or a knob turned the wrong way: neither is a way to go.
            slopes = np.array(
                [np.minimum(fit.slopes, 0.0) * free * math.sqrt(weights[aim]) for aim, fit in self._fits.items()]
            )
            misses = np.array(
                [
                    (logit(min(max(aim.target, 0.01), 0.99)) - fit.logit_at(place)) * math.sqrt(weights[aim])
                    for aim, fit in self._fits.items()
                ]
            )
            step = slopes.T @ np.linalg.solve(slopes @ slopes.T + 0.05 * np.eye(len(misses)), misses)
            wished = place + step
            place = np.minimum(np.maximum(wished, low), high)
            moving = moving & (place == wished)
        return place

    def _miss(self, place: Vector) -> float:
        """Mean squared error of the win rates that the fitted responses expect at a place."""
        weights = self._weights()
        errors = [weights[aim] * (fit.rate_at(place) - aim.target) ** 2 for aim, fit in self._fits.items()]
        return math.fsum(errors) / math.fsum(weights.values())

    def _surprised(self) -> bool:
        """Whether the last block at the centre missed a target by more than after the search and chance explain."""
        for aim, (n, wins) in self.centre.counts.items():
            rate = wins / n
            error = 3.0 * math.sqrt(max(rate * (1.0 - rate), 0.05) / n)
            if abs(rate - aim.target) > self._after_search.get(aim, 0.0) + SURPRISE + error:
                return True
        return False

    # --- The search distribution

    def _begin_search(self) -> None:
        options = self._options
        self._optimiser = MarginSearch(
            self._cube,
            self._cube.held(self.centre.place),
            population=round(options.population),
            spread=options.spread,
            off_dial=options.off_dial,
            seed=words(key_of(self._brief.seed, self._brief.replica, EXPLORATION, self._unit, self._searches), 0)[0],
        )
        self._searches += 1
        self._search_end = self.generation + round(options.generations)
        self._open_generation()

    def _open_generation(self) -> None:
        self._candidates = self._optimiser.ask()
        self.trials = [self._trial(candidate.place) for candidate in self._candidates]
        self._turn = 0

    def beliefs(self, aim: WantedRate) -> dict[str, float]:
        """Numbers for `describe`; they change with the generation only."""
        known = self._beliefs.get(aim)
        if known is None:
            fit = self._fits.get(aim)
            places = np.array([trial.place for trial in self.trials or [self.centre]])
            known = self._beliefs[aim] = {
                "win_rate": fit.rate_at(self.centre.place) if fit else NAN,
                "loss": self.loss,
                "sigma": math.sqrt(float(np.mean((places - places.mean(axis=0)) ** 2))),
                "generation": float(self.generation),
            }
        return known


class CmaEs:
    """The controller: one search for each cohort, or one for everyone."""

    def __init__(self, options: Options, brief: Brief) -> None:
        self._shared = brief.scope == "everyone"
        self._recipe = (options, brief)
        self.searches = self._fresh()

    def _fresh(self) -> list[SettingSearch]:
        options, brief = self._recipe
        units = 1 if self._shared else len(brief.cohorts)
        return [SettingSearch(options, brief, unit, units) for unit in range(units)]

    def _search(self, cohort: int) -> SettingSearch:
        return self.searches[0 if self._shared else cohort]

    @property
    def beliefs(self) -> Sequence[str]:
        return BELIEFS

    def ask(self, who: Who) -> Setting:
        trial = self._search(who.cohort).next_trial()
        trial.asked += 1
        return trial.setting

    def tell(self, outcome: Outcome) -> None:
        who = outcome.who
        self._search(who.cohort).take(outcome.setting.ticket, WantedRate(who.cohort, who.situation.target), outcome.won)

    def describe(self, who: Who) -> Mapping[str, float]:
        return self._search(who.cohort).beliefs(WantedRate(who.cohort, who.situation.target))

    def best(self, cohort: int) -> Setting:
        """The setting to deploy for a cohort when the run is over: the settled centre of its search."""
        return self._search(cohort).centre.setting._replace(ticket=-1)

    def memory(self) -> dict[str, Any]:
        """Everything it knows, as JSON: for each search its closed generations and the open one.

        A generation lists its trials (the centre first), each as asked, told and [cohort, target, attempts, wins]
        per aim.
        """
        return {"searches": [search.record() for search in self.searches]}

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Take up what `memory` gave, in place of what it knows, and go on exactly as the other would have."""
        self.searches = self._fresh()
        for search, part in zip(self.searches, memory["searches"], strict=True):
            search.restore(part)


CONTROLLER: Final = ControllerKind(
    name="cma_es",
    mode="self_adaptive",
    summary="Evolution strategy: finds a setting of several knobs during play, for a player group or for everyone.",
    formula="m, sigma, C <- CMA-ES with margin on sum over targets of (p - t)^2 - p (1 - p) / (n - 1), "
    "plus pull times the squared distance from the dial",
    source="Hansen 2016, The CMA evolution strategy: a tutorial; Hamano et al. 2022, CMA-ES with margin",
    use="For settings that many players share, after a few thousand attempts. Meanwhile players play its trials. It "
    "handles floats, whole numbers and choices (from easiest to hardest) together. Not for single players, and not "
    "faster than a filter where one difficulty is enough.",
    options=Options,
    option_list=(
        Option("population", 4.0, 64.0, "candidate settings in a generation (rounded)"),
        Option("attempts", 2.0, 1000.0, "attempts for each candidate; times the number of cohorts for scope everyone"),
        Option(
            "generations",
            1.0,
            1000.0,
            "generations of a search; afterwards its result is played and follows slow change",
        ),
        Option("start", 0.0, 1.0, "difficulty where the search begins"),
        Option("spread", 0.01, 1.0, "standard deviation of the first generation along the dial, in positions"),
        Option("off_dial", 0.05, 1.0, "standard deviation across the dial, as a share of that along it"),
        Option("pull", 0.0, 10.0, "weight of the mean squared distance from the dial in the loss"),
        Option(
            "trust", 0.0, 100000.0, "weight of the fitted response in a candidate's win rate, in attempts; 0: plain"
        ),
        Option("memory", 0.0, 0.99, "weight of an outcome in the fitted response, per generation of age"),
        Option("worst", 0.0, 1.0, "scope everyone: 0 sums the cohorts' errors, 1 takes the largest"),
    ),
    make=CmaEs,
    scopes=("cohort", "everyone"),
    belief_units={"win_rate": "1", "loss": "1", "sigma": "dial", "generation": "1"},
    needs={"knobs": "at least one knob that is not fixed, with two or more values between floor and ceiling"},
)
