"""The rules of advice, as a table: each looks at the facts and makes one statement, with its source.

MODES decides which of Eiben's three modes suits, by the first rule that applies. REASONS adds what else supports it.
WARNINGS says what is wrong with the scenario and its controller. A rule that does not apply gives None.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from engine.inference.intervals import normal_half_width
from sims.advice.gain_effect import Gains, dial_gains
from sims.advice.scenario_facts import CohortFacts, ScenarioFacts
from sims.catalog import DEFAULT_CONTROLLER
from sims.wording import listed, share_text

ALIKE: Final = 0.03  # difference of win probabilities that is smaller than any controller's error
MOST_UNHEARD: Final = 0.5  # share of attempts without a known outcome; above it no controller can adapt
LEAST_ATTEMPTS: Final = 10.0  # of a player, for a difficulty for each player
LEAST_SHARED: Final = 200.0  # outcomes of a cohort, for a difficulty for each cohort
SEARCH: Final = 1920.0  # attempts of each cohort for a search: 16 settings, 12 attempts each, 10 generations
MOST_BEYOND: Final = 0.05  # share of players off target at every difficulty that needs no mention
DRIFT: Final = 0.05  # of the dial, between a cohort's first and last attempts

SHARED_Q: Final = 0.001  # kalman's q where SHARING players share a dial; variance per step is inverse to their number
SHARING: Final = 20.0

FIXED_STEP: Final = "changes the difficulty by a fixed step after each outcome, however well it knows the player"

ARENA: Final = "measured: docs/controllers.md"
EIBEN: Final = "Eiben, Hinterding and Michalewicz 1999"
MAP: Final = "the game's response map: flowdial describe GAME --map"
GAINS: Final = "linearised constant gain, Kushner and Yin 2003; docs/controllers.md"


class Statement(NamedTuple):
    """What a rule says, in a few sentences, where that is known from, and the figures behind it for programs."""

    text: str
    source: str
    figures: dict[str, float] | None = None


class Choice(NamedTuple):
    """A controller that a rule recommends, with the options that differ from its defaults."""

    mode: str
    controller: str
    scope: str
    options: dict[str, float]
    reason: Statement


AdviceRule = Callable[[ScenarioFacts], Statement | None]


def _too_late(facts: ScenarioFacts) -> Choice | None:
    unheard = facts.unheard if facts.scope == "player" else facts.all_unheard
    if unheard <= MOST_UNHEARD:
        return None
    share = share_text(unheard)
    if facts.all_unheard <= MOST_UNHEARD and _outcomes(facts) >= LEAST_SHARED:
        return _adaptive(
            facts,
            "cohort",
            f"In {share} of attempts no outcome of the player is known yet. Outcomes of other players are, so one "
            "difficulty for each player group can adapt.",
        )
    text = f"In {share} of attempts no outcome is known yet, so there is nothing to adapt to. A fixed plan is better."
    return _schedule(facts, text)


def _too_little(facts: ScenarioFacts) -> Choice | None:
    if facts.attempts >= LEAST_ATTEMPTS:
        return None
    few = (
        f"In a short trial half of the players made {facts.attempts:g} attempts or fewer. Setting the difficulty for "
        "each player needs about 20."
    )
    if _outcomes(facts) >= LEAST_SHARED:
        text = f"{few} Setting it for each player group lets late starters benefit from the others."
        return _adaptive(facts, "cohort", text)
    return _schedule(facts, f"{few} Even a whole player group gives too few outcomes to adapt to.")


def _outcomes(facts: ScenarioFacts) -> float:
    """Outcomes of the smallest cohort in one replica."""
    return facts.attempts * min(cohort.players for cohort in facts.cohorts) / facts.replicas


def _known_schedule(facts: ScenarioFacts) -> Choice | None:
    places = [cohort.place for cohort in facts.cohorts]
    steepest = max(cohort.slope for cohort in facts.cohorts)
    if (max(places) - min(places) + max(cohort.spread for cohort in facts.cohorts)) * steepest > ALIKE:
        return None
    return _schedule(
        facts,
        f"At one difficulty, win rates of players differ by less than {_points(ALIKE)}. That is less than the error of "
        "any controller, so a fixed plan suits all players.",
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
            f"All players share one setting, and no difficulty suits {_names(facts)}. Changing the {facts.knobs} "
            "parameters one by one might. A search that adapts its own steps tries that while players play.",
            "Hansen 2016 (CMA-ES)",
        ),
    )


def _feedback(facts: ScenarioFacts) -> Choice:
    scope = "cohort" if facts.deployed else "player"
    if facts.deployed and facts.scope != "player":
        scope = facts.scope
    spread = max(cohort.spread * cohort.slope for cohort in facts.cohorts)
    known = "in time" if not facts.late else f"{facts.late:g} attempts late"
    return _adaptive(
        facts,
        scope,
        f"{_apart(spread)}. The median player of a short trial made {facts.attempts:g} attempts, and outcomes are "
        f"known {known}. A controller that reacts to wins and losses beats any fixed plan here.",
    )


def _adaptive(facts: ScenarioFacts, scope: str, why: str) -> Choice:
    """The default controller. On a shared dial without a common clock: `kalman`, with less drift the more players."""
    if scope == "player" or facts.synchronised:
        return Choice("adaptive", DEFAULT_CONTROLLER, scope, {}, Statement(why, ARENA))
    counts = [cohort.players / facts.replicas for cohort in facts.cohorts]
    sharing = max(sum(counts) if scope == "everyone" else min(counts), 1.0)
    q = _short(min(SHARED_Q * math.sqrt(SHARING / sharing), 0.005))
    text = (
        f"{why} Attempts are not synchronised, so {DEFAULT_CONTROLLER} would take steps of the shared difficulty for "
        f"a player's practice. kalman does not count practice. Its q suits {sharing:.0f} players per difficulty."
    )
    return Choice("adaptive", "kalman", scope, {"q": q}, Statement(text, ARENA))


def _schedule(facts: ScenarioFacts, why: str) -> Choice:
    """A constant that suits the players, or a ramp if the difficulty that suits them drifts."""
    weights = [cohort.players for cohort in facts.cohorts]

    def mean(numbers: list[float]) -> float:
        return sum(w * x for w, x in zip(weights, numbers, strict=True)) / sum(weights)

    first = mean([cohort.first_place for cohort in facts.cohorts])
    last = mean([cohort.last_place for cohort in facts.cohorts])
    scope = facts.scope if facts.deployed else "player"
    if abs(last - first) > DRIFT and scope == "player":
        options = {"start": _short(first), "end": _short(last), "length": max(facts.attempts, 2.0)}
        return Choice("deterministic", "ramp", "player", options, Statement(why, EIBEN))
    place = _short(facts.best_for_all if facts.unserved else mean([cohort.place for cohort in facts.cohorts]))
    return Choice("deterministic", "constant", scope, {"difficulty": place}, Statement(why, EIBEN))


MODES: Final[tuple[Callable[[ScenarioFacts], Choice | None], ...]] = (
    _too_late,
    _too_little,
    _known_schedule,
    _one_dial_for_many,
    _feedback,
)


def _delay(facts: ScenarioFacts) -> Statement | None:
    if not facts.late:
        return None
    return Statement(
        f"Outcomes arrive {facts.late:g} attempts late. A filter relates each outcome to the difficulty it was played "
        "at and stays near the limit. Controllers with a fixed step keep reacting to old outcomes.",
        ARENA,
    )


def _cohort_size(facts: ScenarioFacts) -> Statement | None:
    if facts.together < 2.0:
        return None
    return Statement(
        f"About {facts.together:.0f} outcomes reach the shared difficulty during one attempt. Their mean is less "
        "noisy, so steps should be smaller, not larger (kalman: q / 5 for twenty players).",
        ARENA,
    )


def _changes(facts: ScenarioFacts) -> Statement | None:
    drifting = [name for name in facts.effects if name in ("practice", "jumps")]
    if not drifting:
        return None
    return Statement(
        f"Skill changes while players play ({' and '.join(drifting)}). A controller that forgets nothing cannot "
        "follow, e.g. one whose steps shrink to 0 or that assumes constant skill.",
        ARENA,
    )


def _moods(facts: ScenarioFacts) -> Statement | None:
    moving = [name for name in facts.effects if name in ("tiredness", "tilt")]
    if not moving:
        return None
    return Statement(
        f"Players have {' and '.join(moving)}. Only a controller that tracks that can correct it: kalman_bank does, "
        "and kalman with tilt_sd = 0.3 and tire_sd = 0.1.",
        ARENA,
    )


def _first_attempts(facts: ScenarioFacts) -> Statement | None:
    if facts.scope != "player" or facts.attempts >= 60.0:
        return None
    return Statement(
        f"The median player of a short trial made {facts.attempts:g} attempts. The first 20 or so depend on the "
        "starting difficulty, so a good start is worth more than a better rule.",
        ARENA,
    )


FOR_LISTENERS: Final[tuple[AdviceRule, ...]] = (_delay, _cohort_size, _changes, _moods)  # not for a fixed plan
REASONS: Final[tuple[AdviceRule, ...]] = (*FOR_LISTENERS, _first_attempts)


def _reference(facts: ScenarioFacts) -> Statement | None:
    if facts.kind.mode != "reference":
        return None
    return Statement(
        f"{facts.kind.name} is a reference: it uses knowledge that no game has. Compare other controllers with it.",
        "flowdial list controllers",
    )


def _group_out_of_reach(cohort: CohortFacts) -> str:
    """How far the dial is from the target of a whole group; empty where it reaches it."""
    wanted = share_text(cohort.target)
    if cohort.hardest > cohort.target:
        return f"{cohort.name}: {share_text(cohort.hardest)} won even at the hardest (target {wanted})"
    if cohort.easiest < cohort.target:
        return f"{cohort.name}: {share_text(cohort.easiest)} won even at the easiest (target {wanted})"
    if cohort.beyond > MOST_BEYOND:
        return f"{cohort.name}: {share_text(cohort.beyond)} of the players are never on target ({wanted})"
    return ""


def _out_of_reach(facts: ScenarioFacts) -> Statement | None:
    parts = []
    for cohort in facts.cohorts:
        whole = "" if cohort.unreachable else _group_out_of_reach(cohort)  # a mean over levels is no target
        if whole:
            parts.append(whole)
        for level, target, nearest in cohort.unreachable:
            limit = "at least" if nearest > target else "at most"
            parts.append(
                f"{cohort.name}: {limit} {share_text(nearest)} won on level {level} (target {share_text(target)})"
            )
    if not parts:
        return None
    return Statement(
        f"Targets out of reach between difficulty {facts.floor:g} and {facts.ceiling:g}: {'; '.join(parts)}. Widen the "
        "range from floor to ceiling or the bounds of the knobs, or change the targets.",
        MAP,
    )


def _nothing_to_steer(facts: ScenarioFacts) -> Statement | None:
    flat = [one for one in facts.cohorts if one.easiest - one.hardest < 2.0 * one.tolerance]
    if not flat:
        return None
    ranges = ", ".join(f"{one.name} {share_text(one.hardest)} to {share_text(one.easiest)}" for one in flat)
    return Statement(f"Difficulty has hardly any effect. Win rates from ceiling to floor: {ranges}.", MAP)


def _one_for_all(facts: ScenarioFacts) -> Statement | None:
    if facts.scope != "everyone" or not facts.unserved:
        return None
    rates = [f"{name} win {share_text(won)} instead of {share_text(target)}" for name, won, target in facts.unserved]
    return Statement(
        f"One difficulty cannot suit everyone. At the best one, {facts.best_for_all:.2f}, {listed(rates)}. Set it for "
        'each player group (scope = "cohort") or for each player (scope = "player").',
        MAP,
    )


def _shared_without_need(facts: ScenarioFacts) -> Statement | None:
    spread = max(cohort.spread * cohort.slope for cohort in facts.cohorts)
    if facts.scope == "player" or facts.deployed or spread <= 0.1 or facts.attempts < LEAST_ATTEMPTS:
        return None
    return Statement(
        f"{_apart(spread)} of the group. A shared difficulty cannot correct that, and nothing here requires one. "
        'Use scope = "player".',
        MAP,
    )


def gains_for(facts: ScenarioFacts, cohort: CohortFacts) -> Gains:
    """The first and the last gain of the scenario's controller with these players; NaN if it has none."""
    gains = dial_gains(
        facts.kind,
        facts.options,
        target=cohort.target,
        slope=cohort.slope,
        weight=1.0 if facts.scope == "player" else facts.together,
        attempts=int(facts.attempts),
    )
    return gains or Gains(math.nan, math.nan)


def most_gain(late: float) -> float:
    """Largest gain times slope that settles when outcomes arrive this many attempts late.

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
        f"{facts.kind.name} overreacts: its first steps are so large that it "
        f"{'never settles' if gain * slope > most else 'overshoots'}. "
        f"{f'Outcomes arrive {facts.late:g} attempts late. ' if facts.late else ''}Reduce its gain (flowdial compare "
        f"SCENARIO --find-gain {facts.kind.name}), or let it warm up.",
        GAINS,
        {"gain": gain, "slope": slope, "overshoots_above": most / 2.0, "never_settles_above": most},
    )


def left_over(gain: float, cohort: CohortFacts, together: float) -> float:
    """RMSE of the win probability under a constant gain: sqrt(g b T (1 - T) / (m (2 - g b)))."""
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
        f"{facts.kind.name} never settles: it overreacts to single outcomes. Its error for {worst.name} is about "
        f"{_points(error)}. The target allows {_points(worst.tolerance)} to either side.",
        GAINS,
        {"gain": gain, "root_mean_square_error": error},
    )


def _gain_with_delay(facts: ScenarioFacts) -> Statement | None:
    if not facts.kind.gains or facts.late < 2.0:
        return None
    return Statement(
        f"{facts.kind.name} {FIXED_STEP}. Outcomes arrive {facts.late:g} attempts late, so it keeps reacting to errors "
        "that it has already corrected. Use a filter, or halve the gain for each attempt of delay (rule of thumb).",
        ARENA,
    )


def _few_judged(facts: ScenarioFacts) -> Statement | None:
    quantile = normal_half_width()
    parts = []
    for cohort in facts.cohorts:
        needed = cohort.target * (1.0 - cohort.target) * (quantile / cohort.tolerance) ** 2
        if cohort.judged < needed:
            parts.append(f"{cohort.name} about {cohort.judged:.0f} of at least {needed:.0f}")
    if not parts:
        return None
    return Statement(
        f"Too few judged attempts to tell whether a win rate is on target: {', '.join(parts)}. Add players or "
        "attempts, use fewer warm-up attempts, or accept a wider target.",
        "binomial interval at the target; more if players differ",
    )


def _steady_mismatch(facts: ScenarioFacts) -> Statement | None:
    """A fixed plan where feedback would be better."""
    if facts.kind.mode != "deterministic" or any(rule(facts) for rule in MODES[:3]):
        return None
    return Statement(
        f"{facts.kind.name} ignores outcomes. That is right for a baseline, but it does not use what is known about "
        "each player.",
        EIBEN,
    )


WARNINGS: Final[tuple[AdviceRule, ...]] = (
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
    "flowdial compare always adds a baseline. A scenario without a target, or without a floor below its ceiling, is "
    "rejected before anything is played."
)


def _names(facts: ScenarioFacts) -> str:
    names = [name for name, _, _ in facts.unserved] or [one.name for one in facts.cohorts if one.beyond > MOST_BEYOND]
    return listed(names) + (" together" if len(names) > 1 else "")


def _short(number: float) -> float:
    return float(f"{number:.3g}")


def _apart(spread: float) -> str:
    """How much the players of one difficulty differ. spread: the standard deviation of their win rates."""
    return f"At one difficulty, a typical player's win rate is about {100.0 * spread:.0f} points away from the average"


def _points(difference: float) -> str:
    """A difference of win rates in words."""
    return f"{100.0 * difference:.0f} percentage points"
