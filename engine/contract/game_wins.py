"""Stages 3 and 4 of the game contract: compiled attempts, and what they say about skill and difficulty."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np

from engine.attempt import Result, attempt_of
from engine.contract.findings import first_line
from engine.contract.game_rules import DIALS, SEED, faculties_at, is_over, moments, values_at
from engine.game import LOST, MOST_PLACES, OUTCOMES, PERFECT, TIMED_OUT, WON, Game
from engine.kernel import compiled

LAYOUTS: Final = 200
ROUNDS: Final = 800  # attempts behind a win rate that is measured well
SCORED: Final = 100  # attempts at each difficulty and skill whose scores are compared
SKILLS: Final = (-2.0, -1.0, 0.0, 1.0, 2.0)
MIDDLING: Final = (-1.0, 0.0, 1.0)  # skills over which a knob's effect is averaged
MEAN_ROUNDS: Final = ROUNDS * len(MIDDLING)
ERRORS: Final = 4.0  # standard errors that count as noise


def compiles(game: Game) -> Iterator[str]:
    """Every rule compiles."""
    try:
        compiled(attempt_of(game))(values_at(game, 0.5), faculties_at(0.0), SEED, 0, 0, 0, 0)
    except Exception as fault:  # noqa: BLE001 - numba raises many kinds; the reader needs the function's name
        for name, reason in _rules_that_do_not_compile(game):
            yield f"{name} does not compile: {reason}"
            return
        yield f"the attempt does not compile: {first_line(fault)}; a rule must return the same types on every path"


def _rules_that_do_not_compile(game: Game) -> Iterator[tuple[str, str]]:
    moment = next(moments(game, 0.5, 0.0, 0))
    for name, arguments in _calls(game, moment).items():
        try:
            compiled(getattr(game, name))(*arguments)
        except Exception as fault:  # noqa: BLE001 - as above
            lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
            useful = [line for line in lines if not line.startswith(("Failed in", "During:", "File ", "-"))]
            yield name, useful[0] if useful else first_line(fault)


def _calls(game: Game, moment: Any) -> dict[str, tuple[Any, ...]]:
    """The arguments of every rule at a moment of an attempt."""
    params, level, state, faculties, action, key, tick = moment
    rated = {} if game.score is None else {"score": (params, level, state)}
    placed = {} if game.place is None else {"place": (params, level, state)}
    seen = {} if game.foreseen is None else {"foreseen": (params, level, state, faculties, action)}
    return {
        "build": (params, key),
        "start": (params, level, key),
        "expert": (params, level, state, faculties),
        "step": (params, level, state, action, key, tick),
        "status": (params, level, state),
        "progress": (params, level, state),
        "cause": (params, level, state),
        **rated,
        **placed,
        **seen,
    }


def compiled_equals_plain(game: Game) -> Iterator[str]:
    """A compiled attempt and one in plain Python end in the same bits."""
    plain = attempt_of(game)
    kernel = compiled(plain)
    for i, difficulty in enumerate(DIALS):
        for j, skill in enumerate((-2.0, 0.0, 2.0)):
            call = (values_at(game, difficulty), faculties_at(skill), SEED, 0, i, j, 0)
            fast, slow = Result(*kernel(*call)), plain(*call)
            if [float(x).hex() for x in fast] != [float(x).hex() for x in slow]:
                rule = _rule_that_differs(game, difficulty, skill, j)
                yield (
                    f"compiled and plain attempts differ at difficulty {difficulty}, skill {skill:g}: {fast}, {slow}; "
                    f"the first rule to differ is {rule}; look for integers that overflow or mix with floats"
                )
                return


def _rule_that_differs(game: Game, difficulty: float, skill: float, number: int) -> str:
    for moment in moments(game, difficulty, skill, number):
        if is_over(game, moment):
            break
        for name, arguments in _calls(game, moment).items():
            function = getattr(game, name)
            if _bits(compiled(function)(*arguments)) != _bits(function(*arguments)):
                return f"{name} at tick {moment.tick}"
    return "none alone"


def _bits(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tobytes()
    return [_bits(item) for item in value] if isinstance(value, tuple) else float(value).hex()


def results_make_sense(game: Game) -> Iterator[str]:
    """Attempts end by the rules within max_ticks, won with full progress or lost with a cause."""
    kernel = compiled(attempt_of(game))
    timed_out = played = 0
    for difficulty in DIALS:
        for skill in SKILLS:
            for number in range(20):
                result = Result(*kernel(values_at(game, difficulty), faculties_at(skill), SEED, 0, 1, number, 0))
                played += 1
                timed_out += result.outcome == TIMED_OUT
                fault = _result_fault(game, result)
                if fault:
                    yield f"{fault}; attempt {number} at difficulty {difficulty}, skill {skill:g} gave {result}"
                    return
    if timed_out > played // 2:
        yield f"{timed_out} of {played} attempts timed out: raise max_ticks, or let the rules end lost attempts"


def _result_fault(game: Game, result: Result) -> str:
    if result.outcome not in (WON, LOST, TIMED_OUT):
        return f"an attempt must end as one of {', '.join(OUTCOMES[1:])}"
    if not 1 <= result.ticks <= game.max_ticks:
        return f"an attempt takes 1 to {game.max_ticks} ticks"
    if not 0.0 <= result.progress <= 1.0 or (result.outcome == WON and result.progress < 0.999):
        return "progress must lie in [0, 1] and be 1 when won"
    if not 0.0 <= result.score <= 1.0:
        return "score must lie in [0, 1]"
    if game.place is not None and not 1 <= result.place <= MOST_PLACES:
        return f"place must be a whole number from 1 to {MOST_PLACES:,}"
    if (result.outcome == LOST) != (0 <= result.cause < len(game.causes)):
        return f"a lost attempt needs a cause from 0 to {len(game.causes) - 1}"
    return ""


# --- Stage 4: win rates


def win_rate(game: Game, values: Any, skill: float, rounds: int) -> float:
    """Share of attempts won at fixed params by players of one skill; the same luck for every params and skill."""
    kernel = compiled(attempt_of(game))
    faculties = faculties_at(skill)
    won = sum(int(kernel(values, faculties, SEED, 1, 0, number, 0)[0]) == WON for number in range(rounds))
    return won / rounds


def easy_end_is_beatable(game: Game) -> Iterator[str]:
    """A perfect player wins every layout at the easiest setting."""
    kernel = compiled(attempt_of(game))
    for number in range(LAYOUTS):
        result = Result(*kernel(values_at(game, 0.0), PERFECT, SEED, 2, 0, number, 0))
        if result.outcome != WON:
            yield (
                f"a perfect player must win all {LAYOUTS} layouts at the easiest setting, "
                f"but layout {number} was {OUTCOMES[result.outcome]}: {result}"
            )
            return


def skill_orders_wins(game: Game) -> Iterator[str]:
    """More skill never wins less, and somewhere on the dial it wins more."""
    matters = False
    for difficulty in DIALS:
        values = values_at(game, difficulty)
        rates = [win_rate(game, values, skill, ROUNDS // 2) for skill in SKILLS]
        for i in range(len(SKILLS) - 1):
            if _below(rates[i + 1], rates[i], ROUNDS // 2):
                yield (
                    f"more skill must not win less, but at difficulty {difficulty} skill {SKILLS[i]:g} wins "
                    f"{rates[i]:.3f} and skill {SKILLS[i + 1]:g} {rates[i + 1]:.3f}; see the expert's use of foresight"
                )
                return
        matters = matters or _below(rates[0], rates[-1], ROUNDS // 2)
    if not matters:
        yield f"skill must matter, but skills {SKILLS[0]:g} and {SKILLS[-1]:g} win equally often at all difficulties"


def harder_is_harder(game: Game) -> Iterator[str]:
    """The hard end of the dial wins less than the easy end, and the hard end of no single knob wins more."""
    easy, hard = _ends(game, values_at(game, 0.0), values_at(game, 1.0))
    if not _below(hard, easy, MEAN_ROUNDS):
        yield f"difficulty must matter, but the win rate is {easy:.3f} at the easy end and {hard:.3f} at the hard end"
    for j, knob in enumerate(game.space.knobs):
        if knob.name in game.space.held:
            continue
        ends = [np.array(game.space.defaults()) for _ in range(2)]
        for u, values in enumerate(ends):
            values[j] = game.space.real([float(u)] * len(game.space))[j]
        easy, hard = _ends(game, *ends)
        if _below(easy, hard, MEAN_ROUNDS):
            yield (
                f"{knob.name}: its hard end must not win more, but with the other knobs at their defaults the easy end "
                f"wins {easy:.3f} and the hard end {hard:.3f}; reverse `harder` or the rule"
            )


class Shortfall(NamedTuple):
    """By how much won attempts score less than lost ones at equal difficulty and skill."""

    mean: float
    error: float  # standard error of the mean; both 0 where nothing can be compared


def score_follows_wins(game: Game) -> Iterator[str]:
    """A score distinguishes attempts, and does not rate won attempts below lost ones."""
    if game.score is None:
        return
    cells = scores(game, SEED)
    seen = {score for won, lost in cells for score in won + lost}
    less = shortfall(cells)
    if len(seen) == 1:
        yield f"a score must distinguish attempts, but all of them scored {seen.pop():g}; rate them, or give no score"
    elif less.mean > ERRORS * less.error:
        yield (
            "a score must not be lower in wins than in losses, but at equal difficulty and skill won attempts scored "
            f"{less.mean:.3f} less than lost ones (standard error {less.error:.3f}); reverse it"
        )


def scores(game: Game, seed: int) -> list[tuple[list[float], list[float]]]:
    """Scores of won attempts and of lost ones, for every difficulty and skill; all attempts are independent."""
    kernel = compiled(attempt_of(game))
    cells = []
    for player, (difficulty, skill) in enumerate(product(DIALS, SKILLS)):
        call = values_at(game, difficulty), faculties_at(skill), seed, 3, player
        results = [Result(*kernel(*call, number, 0)) for number in range(SCORED)]
        won, lost = ([one.score for one in results if one.outcome == end] for end in (WON, LOST))
        cells.append((won, lost))
    return cells


def shortfall(cells: list[tuple[list[float], list[float]]]) -> Shortfall:
    """The mean over cells, weighted by the information in their won and lost attempts."""
    worth = less = variance = 0.0
    for won, lost in cells:
        if len(won) > 1 and len(lost) > 1:
            weight = len(won) * len(lost) / (len(won) + len(lost))
            worth += weight
            less += weight * float(np.mean(lost) - np.mean(won))
            variance += weight**2 * float(np.var(won, ddof=1) / len(won) + np.var(lost, ddof=1) / len(lost))
    return Shortfall(less / worth, math.sqrt(variance) / worth) if worth else Shortfall(0.0, 0.0)


def _ends(game: Game, easy: Any, hard: Any) -> tuple[float, float]:
    """Mean win rates at two settings, measured roughly first and well only where the order looks wrong."""
    rates = _mean_rate(game, easy, ROUNDS // 4), _mean_rate(game, hard, ROUNDS // 4)
    if _below(rates[1], rates[0], MEAN_ROUNDS // 4):
        return rates
    return _mean_rate(game, easy, ROUNDS), _mean_rate(game, hard, ROUNDS)


def _mean_rate(game: Game, values: Any, rounds: int) -> float:
    return math.fsum(win_rate(game, values, skill, rounds) for skill in MIDDLING) / len(MIDDLING)


def _below(a: float, b: float, rounds: int) -> bool:
    """Whether win rate a lies below b by more than ERRORS standard errors of the difference."""
    variance = (a * (1.0 - a) + b * (1.0 - b)) / rounds
    return b - a > ERRORS * math.sqrt(max(variance, 1.0 / rounds**2))
