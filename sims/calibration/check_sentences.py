"""How good a calibration is, in words: unseen players, levels and times, and what players do beside their twins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sims.calibration.checks.curves import Behaviour, Curve
from sims.calibration.checks.fit_checks import Checks
from sims.calibration.checks.rivals import Rivals
from sims.wording import listed

_MEANINGS: Final = {
    "stay": "who stays",
    "pass_by": "tries to pass a level",
    "lose_in_a_row": "rows of losses",
}


def check_sentences(checks: Checks, features: tuple[str, ...]) -> Iterator[str]:
    """Every sentence after the headline that says how good the fit is.

    Args:
        checks: of the fit.
        features: of levels, that the file has.
    """
    if checks.unseen_players is not None:
        yield from _about_players(checks.unseen_players)
    if checks.unseen_levels is not None:
        names = listed(features)
        yield f"Levels we had not seen, by their {names}: {_off(checks.unseen_levels, 'their neighbours')}."
    if checks.last_fifth is not None:
        yield f"The last fifth of time, by what came before: {_off(checks.last_fifth, 'level means')}."
    if (stay := checks.survival) is not None:
        yield (
            f"Share of unseen players who stay, attempt by attempt: off by {rate_words(stay.model)} on average (share "
            f"of the other players {rate_words(stay.other_players)}, one rate of quitting {rate_words(stay.one_rate)})."
        )
    if checks.behaviour is not None and checks.behaviour.curves:
        yield from _about_behaviour(checks.behaviour)


def rate_words(rate: float) -> str:
    """An error of a win rate, with three digits."""
    return f"{rate:.3f}".removeprefix("0")


def curve_words(curve: Curve, behaviour: Behaviour) -> str:
    """What a curve is of, up to one of its points."""
    point = curve.farthest + 1
    return {
        "stay": f"players stay after {_counted(point, 'attempt')}",
        "pass_by": f"levels are passed within {_counted(point, 'try', 'tries')}",
        "lose_in_a_row": (
            f"players lose {_counted(point, 'time')} in a row within their first {behaviour.looked_at} attempts"
        ),
    }[curve.name]


def _about_players(tried: Rivals) -> Iterator[str]:
    yield (
        f"Luck alone would make {rate_words(tried.luck)} of that, since so few unseen players met each level "
        f"({tried.rates:,} rates compared, {_counted(tried.folds, 'part')} of the players left out in turn)."
    )
    if tried.model.error > tried.trivial.error:
        surely = tried.model.low > tried.trivial.error
        yield (
            f"The mean of each level is {'surely' if surely else 'about as good, or'} better for that. The fit still "
            "says how players differ, learn and quit, which level means do not."
        )
    model, trivial, one = tried.model, tried.trivial, tried.one_rate
    yield (
        f"Log-loss of an attempt: {model.log_loss:.4f} (level means {trivial.log_loss:.4f}, one rate "
        f"{one.log_loss:.4f}); calibration error {rate_words(model.calibration_error)} (level means "
        f"{rate_words(trivial.calibration_error)}, one rate {rate_words(one.calibration_error)})."
    )


def _off(tried: Rivals, trivial: str) -> str:
    return (
        f"off by {rate_words(tried.model.error)} on average ({trivial} {rate_words(tried.trivial.error)}, one rate "
        f"{rate_words(tried.one_rate.error)}); log-loss {tried.model.log_loss:.4f} ({tried.trivial.log_loss:.4f}, "
        f"{tried.one_rate.log_loss:.4f}), calibration error {rate_words(tried.model.calibration_error)} "
        f"({rate_words(tried.trivial.calibration_error)}, {rate_words(tried.one_rate.calibration_error)})"
    )


def _about_behaviour(behaviour: Behaviour) -> Iterator[str]:
    sets = f"{behaviour.draws} sets of simulated twins of {behaviour.players:,} players"
    off = [curve for curve in behaviour.curves if curve.differs]
    if not off:
        alike = listed([_MEANINGS[curve.name] for curve in behaviour.curves])
        yield f"Beside {sets}, these are alike as far as can be told: {alike}."
    for curve in off:
        k = curve.farthest
        yield (
            f"Beside {sets}: {100 * curve.seen[k]:.0f} % of {curve_words(curve, behaviour)}, of the twins "
            f"{100 * curve.twins[k]:.0f} % ({100 * curve.low[k]:.0f} to {100 * curve.high[k]:.0f} %)."
        )


def _counted(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
