"""How good a calibration is, as pictures: errors beside trivial predictions, and what players do beside their twins."""

from __future__ import annotations

from collections.abc import Iterator

from sims.calibration.check_sentences import curve_words, rate_words
from sims.calibration.checks.curves import Behaviour, Curve
from sims.calibration.checks.fit_checks import Checks
from sims.calibration.checks.rivals import Rivals
from sims.html.charts import ChartPoint, band_chart
from sims.html.forest_plot import Estimate, forest_plot, shape_key
from sims.html.markup import Markup, joined, tag
from sims.html.page import charts, figure, section, table

_TRIVIAL = "line1"
_LABELS = {
    "stay": ("attempt", "players who have not quit"),
    "pass_by": ("try", "levels passed by then"),
    "lose_in_a_row": ("losses in a row", "players who had so many"),
}


def error_sections(checks: Checks) -> Iterator[Markup]:
    """A section for each of unseen players, unseen levels and the last fifth of time."""
    luck = "The dashed line is the luck of so few players: nothing can be counted on to get below it."
    for tried, heading, trivial, what in (
        (checks.unseen_players, "Unseen players", "level means", "for players whom the fit had not seen"),
        (checks.unseen_levels, "Unseen levels", "neighbours", "on levels that the fit had not seen, by their features"),
        (checks.last_fifth, "The last fifth of time", "level means", "in the last fifth of time, by what came before"),
    ):
        if tried is not None:
            note = f"Distance of a level's predicted win rate from the true one, {what}. Further left is better. {luck}"
            yield section(heading, *_errors(tried, trivial), note=note)


def _errors(tried: Rivals, trivial: str) -> tuple[Markup, Markup]:
    ways = (("fitted players", tried.model), (trivial, tried.trivial), ("one rate", tried.one_rate))
    shown = [
        Estimate(
            name, score.error, score.low, score.high, "line0" if i == 0 else _TRIVIAL, "circle" if i == 0 else "square"
        )
        for i, (name, score) in enumerate(ways)
    ]
    most = max(score.high if score.high == score.high else score.error for _, score in ways)
    drawn = forest_plot(shown, (0.0, 1.05 * most), ".3f", line=tried.luck)
    meaning = f"fitted players {rate_words(tried.model.error)}, {trivial} {rate_words(tried.trivial.error)}"
    rows = [
        (name, rate_words(score.error), f"{score.log_loss:.4f}", rate_words(score.calibration_error))
        for name, score in ways
    ]
    scores = table(("prediction", "level rates off by", "log-loss of an attempt", "calibration error"), rows)
    return charts(figure("Error of level rates", drawn, meaning)), scores


def behaviour_section(behaviour: Behaviour | None) -> Markup | None:
    """The curves of the file over the bands of its twins."""
    if behaviour is None or not behaviour.curves:
        return None
    keys = tag(
        "p",
        shape_key("line0", "circle", "players of the file"),
        shape_key(_TRIVIAL, "square", "their twins, and where 95 % of sets of them lie"),
        class_="legend",
    )
    note = (
        f"Twins are simulated players with the fitted numbers who meet the same levels: {behaviour.draws} sets of "
        f"{behaviour.players:,}, each with numbers drawn from what the file leaves open. Whoever leaves the file "
        "without quitting is not counted from then on. Every point has ten players behind it."
    )
    return section(
        "What players do", joined(charts(*(_picture(curve, behaviour) for curve in behaviour.curves)), keys), note=note
    )


def _picture(curve: Curve, behaviour: Behaviour) -> Markup:
    points = [
        ChartPoint(float(i + 1), float(curve.twins[i]), float(curve.low[i]), float(curve.high[i]))
        for i in range(len(curve.seen))
    ]
    seen = [(float(i + 1), float(value)) for i, value in enumerate(curve.seen)]
    far = curve.farthest
    meaning = (
        f"farthest apart: {100 * curve.seen[far]:.0f} % of {curve_words(curve, behaviour)}, of twins "
        f"{100 * curve.twins[far]:.0f} %"
    )
    return figure(_LABELS[curve.name][1].capitalize(), band_chart(points, seen, _LABELS[curve.name]), meaning)
