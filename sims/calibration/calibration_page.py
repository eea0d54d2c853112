"""The page of a calibration: the answer in words, then pictures of what was fitted and how well it predicts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sims.calibration.calibration_findings import Findings
from sims.calibration.check_pictures import behaviour_section, error_sections
from sims.calibration.fit import predict
from sims.calibration.sentences import all_sentences, mapping_words
from sims.html.charts import ChartPoint, Line, line_chart, lines_chart
from sims.html.markup import Markup, tag
from sims.html.page import charts, document, figure, header, section

_MOST_ATTEMPTS = 200  # of the curve of those who are still there
_LEAST_PLAYERS = 10  # behind each point: fewer are not shown


def calibration_page(findings: Findings) -> str:
    """The whole document."""
    plays = findings.table
    title = f"Players fitted to {plays.source}"
    headline, *others = all_sentences(findings)
    badge = ("fitted to your plays", "The players were fitted to the file that is named here.")
    answer = tag(
        "section",
        tag("p", headline, class_="headline"),
        *(tag("p", sentence) for sentence in others),
        class_="verdict",
    )
    days = "" if plays.dates is None else f", {plays.dates[0]} to {plays.dates[1]}"
    return document(
        title,
        header(title, badge, f"{plays.source}{days}; {mapping_words(plays)}"),
        answer,
        *error_sections(findings.checks),
        _levels(findings),
        behaviour_section(findings.checks.behaviour),
        _attempts(findings),
        _methods() if findings.histories is not None else None,
    )


def _levels(findings: Findings) -> Markup:
    sizes, fitted, histories = findings.sizes, findings.fit, findings.histories
    levels = len(sizes.levels)
    lines = [Line("seen in the file", _along(sizes.won / sizes.tried))]
    if histories is not None:
        expected = np.bincount(histories.level, _predicted(findings), levels) / sizes.tried
        lines.append(Line("fitted players", _along(expected)))
    numbered = sizes.levels == tuple(str(i + 1) for i in range(levels))
    note = None if numbered else f"Level 1 is {sizes.levels[0]}, level {levels} is {sizes.levels[-1]}."
    if findings.played is not None:
        rates = lines_chart(lines, ("place", "win rate"))
        drawn = figure("Win rates", rates, f"{levels} places of the dial, seen and by the rules")
        return section("Places of the dial", charts(drawn), note=(note or "").replace("Level", "Place") or None)
    rates = lines_chart(lines, ("level", "win rate"))
    points = [ChartPoint(float(i + 1), float(fitted.difficulty[i]), *fitted.interval(i)) for i in range(levels)]
    low, high = min(point.low for point in points), max(point.high for point in points)
    difficulty = line_chart(points, "line0", ("level", "difficulty (logits)"), (low, high))
    return section(
        "Levels",
        charts(
            figure("Difficulty, with 95 % intervals", difficulty, f"{levels} levels"),
            figure("Win rates", rates, f"{levels} levels, seen and fitted"),
        ),
        note=note,
    )


def _predicted(findings: Findings) -> npt.NDArray[np.float64]:
    assert findings.histories is not None
    win_map = None if findings.played is None else findings.played.win_map
    return predict(findings.fit, findings.histories, win_map=win_map)


def _along(values: npt.NDArray[np.float64]) -> list[tuple[float, float]]:
    """Points of a line over 1, 2, 3 ..."""
    return [(float(i + 1), float(value)) for i, value in enumerate(values)]


def _attempts(findings: Findings) -> Markup | None:
    """Who is still there, and what they win, by attempts made."""
    histories, fitted = findings.histories, findings.fit
    if histories is None or not fitted.effects:
        return None
    sizes = np.diff(histories.starts)
    number = np.arange(histories.rows) - np.repeat(histories.starts[:-1], sizes)
    there = np.bincount(number)
    last = min(int(np.searchsorted(-there, -_LEAST_PLAYERS, side="right")), _MOST_ATTEMPTS)
    if last < 2:
        return None
    won = np.bincount(number, histories.won)[:last] / there[:last]
    expected = np.bincount(number, _predicted(findings))[:last] / there[:last]
    seen = [Line("seen in the file", _along(won)), Line("fitted players", _along(expected))]
    rates = lines_chart(seen, ("attempt", "win rate"))
    return section(
        "Attempt by attempt",
        charts(
            figure("Win rate of those who are there", rates, f"{last} attempts, seen and fitted"),
        ),
        note=f"Up to the last attempt that {_LEAST_PLAYERS} players made.",
    )


def _methods() -> Markup:
    return section(
        "For analysts",
        tag(
            "p",
            "One likelihood of wins and quits, in which skill and the tendency to quit are correlated normal traits of "
            "each player, integrated on a grid; Newton steps with the exact curvature (Louis 1982), whose inverse "
            "gives the intervals. Level difficulties have a normal prior around a smooth curve over the levels. "
            "Unseen players are predicted attempt by attempt, from the fit without their part of the players and from "
            "what they did before. No id of a player is in this folder, and nothing of fewer than ten players.",
        ),
    )
