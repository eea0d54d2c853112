"""The rules of advice, as a table: each looks at the facts and says one thing, why, and where it is known from.

MODES decides which of Eiben's three modes suits, by the first rule that speaks; REASONS adds what else speaks for it;
WARNINGS tells what is wrong with the scenario and the controller it has. A rule that has nothing to say gives None.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from engine.inference.intervals import normal_quantile
from sims.advice.facts import CohortFacts, ScenarioFacts
from sims.advice.gain_effect import Gains, dial_gains
from sims.catalog import DEFAULT_CONTROLLER
from sims.wording import listed

ALIKE: Final = 0.03  # win probability by which players differ at one difficulty: less than any controller's error
MOST_UNHEARD: Final = 0.5  # share of attempts without any outcome heard, above which nobody can steer
LEAST_ATTEMPTS: Final = 10.0  # of a player, for a controller of their own
LEAST_SHARED: Final = 200.0  # outcomes of a cohort, for a controller of its own
SEARCH: Final = 1920.0  # attempts of each cohort for a search: 16 settings, 12 attempts each, 10 generations
MOST_BEYOND: Final = 0.05  # share of players that a dial may fail to serve in silence
DRIFT: Final = 0.05  # of the dial, between a cohort's first and last attempts

SHARED_Q: Final = (
    0.001  # kalman's q where SHARING players share a dial; variance per step falls as one over their number
)
SHARING: Final = 20.0

ARENA: Final = "measured in the arena, docs/controllers.md"
MAP: Final = "the game's response map: flowdial describe GAME --map"
GAINS: Final = "linearised constant gain, Kushner and Yin 2003; docs/controllers.md"


class Statement(NamedTuple):
    """What a rule says."""

    text: str  # one sentence
    source: str


class Choice(NamedTuple):
    """What a rule recommends."""

    mode: str
    controller: str
    scope: str
    options: dict[str, float]
    reason: Statement


Rule = Callable[[ScenarioFacts], Statement | None]

# --- Which mode, by the first that speaks ----------------------------------------------------------------------------


def _too_late(facts: ScenarioFacts) -> Choice | None:
    deaf = facts.unheard if facts.scope == "player" else facts.all_unheard
    if deaf <= MOST_UNHEARD:
        return None
    why = f"In {deaf:.0%} of attempts no outcome has been heard yet"
    if facts.all_unheard <= MOST_UNHEARD and _outcomes(facts) >= LEAST_SHARED:
        text = f"{why} of the player, but there are those of others: a dial for each cohort can listen."
        return _adaptive(facts, "cohort", text)
    return _schedule(facts, f"{why}, so there is nothing to adapt to: what is known beforehand has to do.")


def _too_little(facts: ScenarioFacts) -> Choice | None:
    if facts.attempts >= LEAST_ATTEMPTS:
        return None
    few = (
        f"In a short trial half of the players made {facts.attempts:g} attempts or fewer, and a controller of their "
        "own needs about 20"
    )
    if _outcomes(facts) >= LEAST_SHARED:
        text = f"{few}; a dial for each cohort learns from all its players, so that the late ones meet what it found."
        return _adaptive(facts, "cohort", text)
    return _schedule(facts, f"{few}; even all players of a cohort together are too few outcomes to steer by.")


def _outcomes(facts: ScenarioFacts) -> float:
    """Attempts of the smallest cohort in one replica."""
    return facts.attempts * min(cohort.players for cohort in facts.cohorts) / facts.replicas


def _known_schedule(facts: ScenarioFacts) -> Choice | None:
    places = [cohort.place for cohort in facts.cohorts]
    steepest = max(cohort.slope for cohort in facts.cohorts)
    if (max(places) - min(places) + max(cohort.spread for cohort in facts.cohorts)) * steepest > ALIKE:
        return None
    return _schedule(
        facts,
        f"At one difficulty players differ by less than {ALIKE:g} in win probability, less than the error of any "
        "controller that must find it out: a schedule known beforehand serves them all.",
    )


def _one_dial_for_many(facts: ScenarioFacts) -> Choice | None:
    shared = facts.scope == "everyone" or (facts.deployed and len(facts.cohorts) == 1)
    unserved = facts.unserved or [one for one in facts.cohorts if one.beyond > MOST_BEYOND]
    if not shared or not unserved or facts.knobs < 2:
        return None
    if _outcomes(facts) < SEARCH:
        return None
    return Choice(
        "self_adaptive",
        "cma_es",
        facts.scope,
        {},
        Statement(
            f"All share one setting, and no place on the dial serves {_names(facts)}; the {facts.knobs} knobs moved "
            "apart from each other may, and a search that adapts its own steps looks for that while they play.",
            "Hansen 2016 (CMA-ES)",
        ),
    )


def _feedback(facts: ScenarioFacts) -> Choice:
    scope = "cohort" if facts.deployed else "player"
    if facts.deployed and facts.scope != "player":
        scope = facts.scope
    spread = max(cohort.spread * cohort.slope for cohort in facts.cohorts)
    heard = "outcomes are heard in time" if not facts.late else f"outcomes are heard {facts.late:g} attempts late"
    return _adaptive(
        facts,
        scope,
        f"Players differ (by {spread:.2f} in win probability at one difficulty, standard deviation), the median player "
        f"of a short trial made {facts.attempts:g} attempts, and {heard}: feedback beats every schedule.",
    )


def _adaptive(facts: ScenarioFacts, scope: str, why: str) -> Choice:
    """The default; on a shared dial without a common clock `kalman`, with less wandering the more players share it."""
    if scope == "player" or facts.synchronised:
        return Choice("adaptive", DEFAULT_CONTROLLER, scope, {}, Statement(why, ARENA))
    counts = [cohort.players / facts.replicas for cohort in facts.cohorts]
    sharing = max(sum(counts) if scope == "everyone" else min(counts), 1.0)
    q = _short(min(SHARED_Q * math.sqrt(SHARING / sharing), 0.005))
    text = (
        f"{why} Players do not play in lockstep, so the practice clock of {DEFAULT_CONTROLLER} would be the dial's own "
        f"and nobody's practice: kalman has none; {sharing:.0f} players who share a dial step it so many times as "
        f"often, hence its q of {q:g}."
    )
    return Choice("adaptive", "kalman", scope, {"q": q}, Statement(text, ARENA))


def _schedule(facts: ScenarioFacts, why: str) -> Choice:
    """A constant where the players stand, or a ramp where they drift."""
    weights = [cohort.players for cohort in facts.cohorts]

    def mean(numbers: list[float]) -> float:
        return sum(w * x for w, x in zip(weights, numbers, strict=True)) / sum(weights)

    first = mean([cohort.first_place for cohort in facts.cohorts])
    last = mean([cohort.last_place for cohort in facts.cohorts])
    scope = facts.scope if facts.deployed else "player"
    if abs(last - first) > DRIFT and scope == "player":
        options = {"start": _short(first), "end": _short(last), "length": max(facts.attempts, 2.0)}
        return Choice(
            "deterministic", "ramp", "player", options, Statement(why, "Eiben, Hinterding and Michalewicz 1999")
        )
    place = _short(facts.best_for_all if facts.unserved else mean([cohort.place for cohort in facts.cohorts]))
    source = "Eiben, Hinterding and Michalewicz 1999"
    return Choice("deterministic", "constant", scope, {"difficulty": place}, Statement(why, source))


MODES: Final[tuple[Callable[[ScenarioFacts], Choice | None], ...]] = (
    _too_late,
    _too_little,
    _known_schedule,
    _one_dial_for_many,
    _feedback,
)

# --- What else speaks for it -----------------------------------------------------------------------------------------


def _delay(facts: ScenarioFacts) -> Statement | None:
    if not facts.late:
        return None
    return Statement(
        f"Outcomes come {facts.late:g} attempts late: a filter answers to each at the difficulty it was played at and "
        "stays near the limit; rules with a gain keep stepping on stale outcomes.",
        ARENA,
    )


def _cohort_size(facts: ScenarioFacts) -> Statement | None:
    if facts.together < 2.0:
        return None
    return Statement(
        f"About {facts.together:.0f} outcomes reach the shared dial in the time of one attempt: their mean has as much "
        "less noise, so steps and drift want to be smaller (kalman: q / 5 for twenty players), not larger.",
        ARENA,
    )


def _changes(facts: ScenarioFacts) -> Statement | None:
    drifting = [name for name in facts.effects if name in ("practice", "jumps")]
    if not drifting:
        return None
    return Statement(
        f"Skill changes while somebody plays ({' and '.join(drifting)}): a rule that forgets nothing, as with a "
        "gain that falls to 0 or a belief without drift, cannot follow.",
        ARENA,
    )


def _moods(facts: ScenarioFacts) -> Statement | None:
    moving = [name for name in facts.effects if name in ("tiredness", "tilt")]
    if not moving:
        return None
    return Statement(
        f"There is {' and '.join(moving)}: a controller needs a state for it (kalman_bank has them and lets evidence "
        "switch them on; kalman: tilt_sd = 0.3, tire_sd = 0.1), else nothing removes that error.",
        ARENA,
    )


def _first_attempts(facts: ScenarioFacts) -> Statement | None:
    if facts.scope != "player" or facts.attempts >= 60.0:
        return None
    return Statement(
        f"The median player of a short trial made {facts.attempts:g} attempts, and the first 20 or so belong to what "
        "is believed beforehand: a dial that begins where newcomers stand is worth more than a cleverer rule.",
        ARENA,
    )


FOR_LISTENERS: Final[tuple[Rule, ...]] = (_delay, _cohort_size, _changes, _moods)  # not for a schedule
REASONS: Final[tuple[Rule, ...]] = (*FOR_LISTENERS, _first_attempts)

# --- What is wrong ---------------------------------------------------------------------------------------------------


def _reference(facts: ScenarioFacts) -> Statement | None:
    if facts.kind.mode != "reference":
        return None
    return Statement(
        f"{facts.kind.name} is a reference: it knows what no game can know, and is there to measure others against.",
        "flowdial list controllers",
    )


def _out_of_reach(facts: ScenarioFacts) -> Statement | None:
    parts = []
    for cohort in facts.cohorts:
        if cohort.hardest > cohort.target:
            parts.append(f"{cohort.name} win {cohort.hardest:.2f} even at the hardest, {cohort.target:.2f} is wanted")
        elif cohort.easiest < cohort.target:
            parts.append(f"{cohort.name} win {cohort.easiest:.2f} even at the easiest, {cohort.target:.2f} is wanted")
        elif cohort.beyond > MOST_BEYOND:
            parts.append(f"{cohort.beyond:.0%} of {cohort.name} cannot be brought to {cohort.target:.2f} by any place")
    if not parts:
        return None
    return Statement(
        f"Out of the dial's reach between {facts.floor:g} and {facts.ceiling:g}: {'; '.join(parts)}. Widen floor, "
        "ceiling or the knobs' bounds, or ask for what can be had.",
        MAP,
    )


def _nothing_to_steer(facts: ScenarioFacts) -> Statement | None:
    flat = [one for one in facts.cohorts if one.easiest - one.hardest < 2.0 * one.tolerance]
    if not flat:
        return None
    told = ", ".join(f"{one.name} {one.hardest:.2f} to {one.easiest:.2f}" for one in flat)
    return Statement(f"There is hardly anything to steer: floor to ceiling moves win rates only so far: {told}.", MAP)


def _one_for_all(facts: ScenarioFacts) -> Statement | None:
    if facts.scope != "everyone" or not facts.unserved:
        return None
    told = ", ".join(f"{name} win {won:.2f} instead of {target:.2f}" for name, won, target in facts.unserved)
    return Statement(
        f"One setting for all cannot serve these cohorts: at the best one, {facts.best_for_all:.2f}, {told}. Give each "
        'cohort its own dial (scope = "cohort"), or each player (scope = "player").',
        MAP,
    )


def _shared_without_need(facts: ScenarioFacts) -> Statement | None:
    spread = max(cohort.spread * cohort.slope for cohort in facts.cohorts)
    if facts.scope == "player" or facts.deployed or spread <= 0.1 or facts.attempts < LEAST_ATTEMPTS:
        return None
    return Statement(
        f"Players of one cohort differ by {spread:.2f} in win probability at one difficulty (standard deviation), "
        f'which a dial that they share cannot mend, and nothing here asks for one: scope = "player" can.',
        MAP,
    )


def gains_for(facts: ScenarioFacts, cohort: CohortFacts) -> Gains:
    """The first and the last gain of the scenario's controller with these players; NaN where there is none."""
    found = dial_gains(
        facts.kind,
        facts.options,
        target=cohort.target,
        slope=cohort.slope,
        weight=1.0 if facts.scope == "player" else facts.together,
        attempts=int(facts.attempts),
    )
    return found or Gains(math.nan, math.nan)


def most_gain(late: float) -> float:
    """Largest gain times slope that does not swing for ever when outcomes come so many attempts late.

    e_t+1 = e_t - k e_t-D is stable for k < 2 sin(pi / (4 D + 2)) (Levin and May 1976).
    """
    return 2.0 * math.sin(math.pi / (4.0 * late + 2.0))


def _large_gain(facts: ScenarioFacts) -> Statement | None:
    steepest = max(facts.cohorts, key=lambda cohort: cohort.slope)
    gain, slope = gains_for(facts, steepest).first, steepest.slope
    most = most_gain(facts.late)
    if not gain * slope > most / 2.0:  # nor where it is not known
        return None
    return Statement(
        f"{facts.kind.name} begins with a large gain and no warm-up: gain x slope = {gain:.3g} x {slope:.2g} = "
        f"{gain * slope:.2g}, where {most / 2.0:.2g} already overshoots and {most:.2g} swings for ever"
        f"{f' with outcomes {facts.late:g} attempts late' if facts.late else ''}. Make it smaller (flowdial compare "
        "SCENARIO --find-gain), or let it warm up.",
        GAINS,
    )


def left_over(gain: float, cohort: CohortFacts, together: float) -> float:
    """RMSE of the win probability that a constant gain leaves: sqrt(g b T (1 - T) / (m (2 - g b)))."""
    pull = gain * cohort.slope
    if pull >= 2.0:
        return 1.0
    return math.sqrt(pull * cohort.target * (1.0 - cohort.target) / (together * (2.0 - pull)))


def _noisy_gain(facts: ScenarioFacts) -> Statement | None:
    gains = {cohort: gains_for(facts, cohort).last for cohort in facts.cohorts}
    known = {cohort: left_over(gain, cohort, facts.together) for cohort, gain in gains.items() if not math.isnan(gain)}
    worst = max(known, key=lambda cohort: known[cohort] / cohort.tolerance, default=None)
    if worst is None or known[worst] <= 2.0 * worst.tolerance:
        return None
    gain, error = gains[worst], known[worst]
    return Statement(
        f"{facts.kind.name} never comes to rest: its gain of {gain:.3g} leaves the win probability of {worst.name} off "
        f"by {error:.2f} (root mean square), and the band is {worst.tolerance:.2f} to either side.",
        GAINS,
    )


def _gain_with_delay(facts: ScenarioFacts) -> Statement | None:
    if not facts.kind.gains or facts.late < 2.0:
        return None
    return Statement(
        f"{facts.kind.name} steps by a gain, and outcomes come {facts.late:g} attempts late: it goes on stepping on "
        "what it has answered already. Take a filter, or halve the gain for each attempt of delay (a rule of thumb).",
        ARENA,
    )


def _few_judged(facts: ScenarioFacts) -> Statement | None:
    quantile = normal_quantile()
    parts = []
    for cohort in facts.cohorts:
        needed = cohort.target * (1.0 - cohort.target) * (quantile / cohort.tolerance) ** 2
        if cohort.judged < needed:
            parts.append(f"{cohort.name} about {cohort.judged:.0f} of at least {needed:.0f}")
    if not parts:
        return None
    return Statement(
        f"Too few judged attempts to tell whether a win rate is in its band: {', '.join(parts)}. Take more players or "
        "attempts, judge earlier, or accept a wider band.",
        "binomial interval at the target; players who differ need more",
    )


def _steady_mismatch(facts: ScenarioFacts) -> Statement | None:
    """A schedule where feedback would do."""
    if facts.kind.mode != "deterministic" or any(rule(facts) for rule in MODES[:3]):
        return None
    return Statement(
        f"{facts.kind.name} does not listen: whatever players do, it goes its way. As a baseline that is right, as a "
        "controller it leaves out what is known of each player.",
        "Eiben, Hinterding and Michalewicz 1999",
    )


WARNINGS: Final[tuple[Rule, ...]] = (
    _reference,
    _out_of_reach,
    _nothing_to_steer,
    _one_for_all,
    _shared_without_need,
    _large_gain,
    _noisy_gain,
    _gain_with_delay,
    _few_judged,
    _steady_mismatch,
)
REFUSED: Final = (
    "A scenario without a target, without a floor or a ceiling, or with a floor that is not below its ceiling is "
    "refused before anything is played; flowdial compare always adds a baseline."
)


def _names(facts: ScenarioFacts) -> str:
    names = [name for name, _, _ in facts.unserved] or [one.name for one in facts.cohorts if one.beyond > MOST_BEYOND]
    return listed(names) + (" together" if len(names) > 1 else "")


def _short(number: float) -> float:
    return float(f"{number:.3g}")
