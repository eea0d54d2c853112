"""The page of a report: verdict in words first, then numbers, pictures, and how to do it again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from engine.statistics import Integers, Tally, mean_dial, rate_interval
from sims.charts import PARTS, Point, line_chart, stacked_bars
from sims.markup import Markup, Part, joined, tag
from sims.report_rows import Gathered
from sims.report_style import STYLE
from sims.verdict import Goal, Row, Verdict, cells
from sims.verdict_words import UNCALIBRATED, percent

_LEAST_CLUSTERS: Final = 5  # a bin with fewer players or attempts is left out of the charts: its interval fills them
_LEAST_ATTEMPTS: Final = 30
_MOST_CHARTS: Final = 12  # cohorts with charts of their own: the page stays under a megabyte
_SHORT: Final = 20  # characters of a cell that stays on one line
_MOST_LEVELS: Final = 400  # rows of the table of levels
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_ONE_PERSON: Final = "These are the attempts of one person at the window. They say nothing of other people."
_STATES: Final = {"in band": "good", "below": "off", "above": "off", "cannot tell": "open"}


@dataclass(frozen=True, eq=False)
class Facts:
    """Everything that the page is made of."""

    title: str
    labels: tuple[str, ...]  # what people read instead of the cohorts' names
    manifest: Mapping[str, Any]
    goal: Goal
    tally: Tally
    verdict: Verdict
    rows: Gathered


def page(facts: Facts) -> str:
    """The whole document."""
    manifest = facts.manifest
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{facts.title} - Flowdial"),
        tag("style", Markup(STYLE)),
    )
    people = f"{len(facts.rows.people.key):,} synthetic players"
    badge = tag("span", "uncalibrated", class_="badge", title=UNCALIBRATED)
    if _of_a_person(facts):
        people = "a person at the window"
        badge = tag("span", "one person", class_="badge", title=_ONE_PERSON)
    subtitle = (
        f"{manifest['game']} with {manifest['controller']}, {facts.rows.rows:,} attempts, "
        f"{people}, seed {manifest['seed']}"
    )
    header = tag(
        "header",
        tag("p", badge, class_="badges"),
        tag("h1", facts.title),
        tag("p", subtitle, class_="subtitle"),
    )
    sections = (
        _verdict(facts),
        _levels(facts),
        _win_rates(facts),
        _difficulties(facts),
        _losses(facts),
        _players(facts),
        _settings(facts),
        _controller(facts),
        _examples(facts),
        _origin(facts),
        _methods(facts),
    )
    body = tag("body", tag("main", header, *sections))
    return f'<!doctype html>\n<html lang="en">\n{head}\n{body}\n</html>\n'


def _section(heading: str, *parts: Part, note: Part = None) -> Markup:
    lead = tag("p", note, class_="note") if note is not None else None
    return joined("\n", tag("section", tag("h2", heading), lead, *parts))


def _table(headings: Sequence[str], rows: Iterable[Sequence[Part]], kind: str | None = None) -> Markup:
    """A table that becomes a list of cards on a narrow screen. The first column names the row."""
    head = tag("tr", *(tag("th", text, scope="col") for text in headings))
    body = []
    for first, *others in rows:
        named = zip(headings[1:], others, strict=True)
        tds = (tag("td", cell, data_label=text, class_=_width(cell)) for text, cell in named)
        body.append(tag("tr", tag("th", first, scope="row"), *tds))
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body), class_=kind), class_="wide")


def _width(cell: Part) -> str | None:
    return "short" if isinstance(cell, str) and not isinstance(cell, Markup) and len(cell) <= _SHORT else None


def _state(row: Row) -> Markup:
    return tag("span", row.state, class_=f"state {_STATES[row.state]}")


# --- The answer ------------------------------------------------------------------------------------------------------


def _of_a_person(facts: Facts) -> bool:
    """Whether somebody played this at the window."""
    return facts.manifest.get("source") == "human"


def _verdict(facts: Facts) -> Markup:
    headline, *others, caution = facts.verdict.sentences
    headings = (
        "cohort",
        "judged attempts",
        "win rate (95 %)",
        "target",
        "verdict",
        "mean dial",
        "quit",
        "players judged",
    )
    rows = []
    for label, row in zip(facts.labels, facts.verdict.rows, strict=True):
        _, attempts, rate, target, _, dial, quits = cells(row)
        rows.append((label, attempts, rate, target, _state(row), dial, quits, f"{row.players:,}"))
    after = facts.verdict.after_attempts
    judged = f"Judged are attempts after each player's first {after:,}. " if after else "All attempts are judged. "
    return tag(
        "section",
        tag("p", headline, class_="headline"),
        *(tag("p", sentence) for sentence in others),
        tag("p", _ONE_PERSON if _of_a_person(facts) else caution, class_="caution"),
        _table(headings, rows),
        tag("p", judged, "The dial runs from 0, easiest, to 1, hardest.", class_="note"),
        class_="verdict",
    )


def _levels(facts: Facts) -> Markup:
    found = facts.verdict.level_rows
    if not found:
        return Markup("")
    labels = dict(zip(facts.goal.cohorts, facts.labels, strict=True))
    rows = []
    for row in found[:_MOST_LEVELS]:
        _, attempts, rate, target, _, dial, _ = cells(row)
        rows.append(
            (f"{labels[row.cohort]}, level {row.level}", attempts, rate, target, _state(row), dial, f"{row.players:,}")
        )
    headings = ("level", "judged attempts", "win rate (95 %)", "target", "verdict", "mean dial", "players judged")
    note = (
        f"The first {_MOST_LEVELS:,} of {len(found):,} rows; all are in summary.csv."
        if len(found) > _MOST_LEVELS
        else None
    )
    return _section("Level by level", _table(headings, rows), note=note)


# --- Pictures --------------------------------------------------------------------------------------------------------


def _figure(label: str, picture: Markup, meaning: str) -> Markup:
    return tag("figure", tag("figcaption", label), tag("div", picture, role="img", aria_label=f"{label}: {meaning}"))


def _shown(bins: Integers) -> list[int]:
    """Bins with enough in them to say something; all that were played when none has."""
    enough = [j for j, sums in enumerate(bins) if sums[1] >= _LEAST_CLUSTERS and sums[2] >= _LEAST_ATTEMPTS]
    return enough or [j for j, sums in enumerate(bins) if sums[2]]


def _middles(edges: Sequence[float]) -> list[float]:
    return [(low + high) / 2 for low, high in pairwise(edges)]


def _attempt_middles(facts: Facts) -> list[float]:
    """Middle of each bin, where a player's first attempt is number 1."""
    return [middle + 0.5 for middle in _middles(facts.tally.scheme.attempt_edges)]


def _day_middles(facts: Facts) -> list[float]:
    scheme = facts.tally.scheme
    return _middles([j * scheme.day_width_s / 86_400 for j in range(scheme.day_bins + 1)])


def _rates(facts: Facts, cohort: int, bins: Integers, middles: Sequence[float]) -> list[Point]:
    points = []
    for j in _shown(bins[cohort]):
        found = rate_interval(bins[cohort, j], facts.tally.scheme.cluster)
        points.append(Point(middles[j], found.rate, found.low, found.high))
    return points


def _span(points: Iterable[Point], bands: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """A range in tenths that holds lines and bands, and the bulk of the intervals."""
    values = [value for point in points for value in (point.y - 0.03, point.y + 0.03)]
    values += [value for low, high in bands for value in (low - 0.03, high + 0.03)]
    low, high = max(0.0, min(values)), min(1.0, max(values))
    return math.floor(low * 10) / 10, math.ceil(high * 10) / 10


def _charted(facts: Facts) -> range:
    return range(min(len(facts.labels), _MOST_CHARTS))


def _rate_figures(facts: Facts, name: str, bins: Integers, middles: Sequence[float], label: str) -> list[Markup]:
    lines = {j: _rates(facts, j, bins, middles) for j in _charted(facts)}
    bands = {j: (facts.verdict.rows[j].target_low, facts.verdict.rows[j].target_high) for j in lines}
    span = _span((point for line in lines.values() for point in line), bands.values())
    figures = []
    for j, line in lines.items():
        if line:
            picture = line_chart(f"{name}{j}", line, "rate", (label, "win rate"), span, bands[j])
            low, high = bands[j]
            meaning = (
                f"win rate from {line[0].y:.2f} at first to {line[-1].y:.2f} at last, wanted {low:.2f} to {high:.2f}"
            )
            figures.append(_figure(facts.labels[j], picture, meaning))
    return figures


def _win_rates(facts: Facts) -> Markup:
    key = joined(
        tag("span", class_="key rate"),
        "win rate with its 95 % interval, ",
        tag("span", class_="key wanted"),
        "wanted band. ",
    )
    least = f"Points with fewer than {_LEAST_CLUSTERS} players or {_LEAST_ATTEMPTS} attempts are left out."
    attempts = _rate_figures(facts, "rate", facts.tally.by_attempt, _attempt_middles(facts), "attempt of a player")
    days = _rate_figures(facts, "days", facts.tally.by_day, _day_middles(facts), "simulated day")
    if not attempts:
        return Markup("")
    return joined(
        _section("Win rate against target", tag("div", *attempts, class_="charts"), note=joined(key, least)),
        _section("Win rate over simulated time", tag("div", *days, class_="charts"), note=key),
    )


def _difficulties(facts: Facts) -> Markup:
    figures = []
    middles = _attempt_middles(facts)
    for j in _charted(facts):
        line = []
        for place in _shown(facts.tally.by_attempt[j]):
            low, _, high = facts.rows.quartiles(j, place)
            mean = mean_dial(facts.tally.by_attempt[j, place])
            line.append(Point(middles[place], mean, min(low, mean), max(high, mean)))
        if line:
            picture = line_chart(f"dial{j}", line, "dial", ("attempt of a player", "difficulty"), (0.0, 1.0))
            meaning = f"mean difficulty from {line[0].y:.2f} at first to {line[-1].y:.2f} at last"
            figures.append(_figure(facts.labels[j], picture, meaning))
    if not figures:
        return Markup("")
    key = joined(
        tag("span", class_="key dial"), "mean position of the dial; half of the attempts lie in the shaded quartiles."
    )
    return _section("Difficulty", tag("div", *figures, class_="charts"), note=key)


def _losses(facts: Facts) -> Markup:
    total = sum(facts.rows.causes[1:], start=facts.rows.causes[0])
    if not total:
        return Markup("")
    ranked = sorted(total, key=lambda word: (-total[word], word))
    words = ranked if len(ranked) <= PARTS else [*ranked[: PARTS - 1], "all others"]
    rows = []
    for label, counter in zip(facts.labels, facts.rows.causes, strict=True):
        lost = counter.total()
        if lost:
            shares = [counter[word] / lost for word in words]
            if len(ranked) > PARTS:
                shares[-1] = sum(counter[word] for word in ranked[PARTS - 1 :]) / lost
            rows.append((label, shares))
    picture = stacked_bars("causes", rows[:_MOST_CHARTS], words)
    table = _table(("cohort", *words), [(label, *(percent(share) for share in shares)) for label, shares in rows])
    meaning = "shares of the causes, as in the table below"
    note = (
        "A win rate says how hard; what ends attempts says what kind of hard. Shares of the attempts that were not won."
    )
    return _section("What ends attempts", tag("div", _figure("", picture, meaning), class_="bars"), table, note=note)


# --- Details ---------------------------------------------------------------------------------------------------------


def _players(facts: Facts) -> Markup:
    rows = []
    for j, label in enumerate(facts.labels):
        people = facts.rows.people
        own = people.own_rates(j)
        worst, middle = (f"{float(np.quantile(own, q)):.2f}" if len(own) else "-" for q in (0.05, 0.5))
        attempts = people.attempts[people.cohort == j]
        number = len(attempts)
        left = people.left[j]
        rows.append(
            (
                label,
                f"{number:,}",
                percent(left["quit"] / number) if number else "-",
                percent(left["finished"] / number) if number else "-",
                f"{float(np.median(attempts)):.0f}" if number else "-",
                middle,
                worst,
            )
        )
    headings = (
        "cohort",
        "players",
        "quit",
        "finished",
        "median attempts",
        "median player wins",
        "worst 5 % win at most",
    )
    note = "The last two columns are over players with 20 attempts or more: an average hides those who keep losing."
    return _section("Players, and those who quit", _table(headings, rows), note=note)


def _settings(facts: Facts) -> Markup:
    rows: list[Sequence[Part]] = []
    names = facts.labels[:_MOST_CHARTS]
    for knob in facts.manifest["knobs"]:
        if knob["held"] is not None:
            played = (f"held at {_number(knob['held'])}", *("-" for _ in names))
        else:
            played = ("the dial", *(_played(facts, knob, j) for j in range(len(names))))
        rows.append((_unit_of(knob), *_ends(knob), *played))
    if not rows:
        return Markup("")
    headings = ("parameter", "easiest", "hardest", "moved by", *names)
    note = (
        "Parameters are what the game has. For each cohort: the mean over the last third of each player's attempts, "
        "or the two most frequent choices."
    )
    return _section("Settings that were played", _table(headings, rows), note=note)


def _ends(knob: Mapping[str, Any]) -> tuple[str, str]:
    """A knob's easiest and hardest value. Choices are listed from easiest to hardest."""
    if knob["scale"] == "choice":
        return str(knob["choices"][0]), str(knob["choices"][-1])
    low, high = _number(knob["low"]), _number(knob["high"])
    return (low, high) if knob["harder"] == "high" else (high, low)


def _unit_of(knob: Mapping[str, Any]) -> Part:
    if knob["unit"] in ("", "1", None):
        return str(knob["name"])
    return joined(str(knob["name"]), " ", tag("small", str(knob["unit"])))


def _played(facts: Facts, knob: Mapping[str, Any], cohort: int) -> str:
    choices = facts.rows.late_choices.get(knob["name"])
    if choices is None:
        return _number(facts.rows.late_mean(knob, cohort))
    counter = choices[cohort]
    ranked = sorted(counter, key=lambda word: (-counter[word], word))[:2]
    return ", ".join(f"{word} {percent(counter[word] / counter.total())}" for word in ranked) or "-"


def _number(value: Any) -> str:
    """A value in a few digits; words stay words."""
    if isinstance(value, bool | str) or value is None:
        return str(value)
    if isinstance(value, float) and math.isnan(value):
        return "-"
    return f"{value:.3g}" if abs(value) < 1e3 else f"{value:,.0f}"


def _controller(facts: Facts) -> Markup:
    manifest = facts.manifest
    options = manifest["options"]
    rows = [(name, _number(options[name])) for name in sorted(options)]
    scope = {"player": "each player has one of their own", "cohort": "each cohort has one", "everyone": "all share one"}
    note = f"{manifest['controller']}: {scope.get(manifest['scope'], manifest['scope'])}. "
    note += "Hyperparameters are the controller's own options, not the game's."
    table = _table(("hyperparameter", "value"), rows, "pairs") if rows else tag("p", "It has no options.")
    return _section("Controller", table, note=note)


def _examples(facts: Facts) -> Markup:
    found = [example for _, example in facts.rows.examples.values()]
    rows = [
        (example.why, example.row, example.player, example.attempt, example.replica, _replay(facts, example.row))
        for example in found
    ]
    headings = ("what", "row", "player", "attempt", "replica", "to watch it again")
    parts = [_table(headings, rows)] if rows else []
    return _section(
        "Rows worth a look",
        *parts,
        tag(
            "p",
            "Every row can be played again and must end in the same state: ",
            tag("code", "flowdial verify RUN"),
            ".",
        ),
        note="Rows are counted from 0, as pandas does; RUN is this folder.",
    )


def _replay(facts: Facts, row: int) -> Markup:
    return tag("code", f"flowdial replay RUN/attempts.{facts.manifest['format']} --row {row}")


def _origin(facts: Facts) -> Markup:
    manifest = facts.manifest
    rows = [
        ("scenario digest", tag("code", str(manifest["scenario_digest"]))),
        ("seed", str(manifest["seed"])),
        ("replicas", str(manifest["replicas"])),
        ("game", f"{manifest['game']}, version {manifest['game_version']} of its rules"),
        ("Flowdial", str(manifest["flowdial_version"])),
        *((str(name), str(version)) for name, version in sorted(manifest["versions"].items())),
    ]
    again = tag("code", "flowdial run RUN/scenario.toml")
    note = joined("The same scenario, seed and versions give the same rows: ", again, ".")
    if _of_a_person(facts):
        note = joined("What synthetic players do with the same controller and target: ", again, ".")
    return _section("Where it comes from", _table(("what", "value"), rows, "pairs"), note=note)


def _methods(facts: Facts) -> Markup:
    cluster = facts.tally.scheme.cluster
    shared = cluster == "replica"
    unit = "replicas, since players who share a controller are not independent" if shared else "players"
    methods = [(label, row.interval) for label, row in zip(facts.labels, facts.verdict.rows, strict=True)]
    alike = [label for label, method in methods if method == "Wilson"]
    alone = [label for label, method in methods if method == "Wilson over attempts"]
    parts = [
        "Win rates are wins divided by attempts. Intervals are 95 % and clustered: attempts of one player depend on "
        f"each other, all the more under a controller, so only the differences between {unit}, say how sure a rate is. "
        "(Ratio estimator over clusters, Student's t with clusters - 1 degrees.)",
        'A cohort is "in band" only when its whole interval lies inside the band, and "below" or "above" only when all '
        "of it lies outside. Intervals of levels and of places on a chart are not corrected for their number.",
        "The player is a person. What they gave up counts as stopped by the time limit, and as not won; the controller "
        "learnt nothing from it. Time is time played: breaks and pauses are left out."
        if _of_a_person(facts)
        else "The players are synthetic. Their reaction times, slips and habits follow documented assumptions; nothing "
        "here says whether the game is fun.",
    ]
    if alike:
        parts.insert(
            1, f"For {', '.join(alike)} {cluster}s do not differ, so Wilson's interval counts each as one attempt."
        )
    if alone:
        parts.insert(
            1,
            f"For {', '.join(alone)} there is one {cluster} only, so Wilson's interval takes "
            "attempts as independent, which they are not: it is too narrow, and the verdict is left open.",
        )
    return _section("How the numbers were made", *(tag("p", part) for part in parts))
