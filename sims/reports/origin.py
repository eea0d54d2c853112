"""How to see it again: rows worth a look, where the run comes from, and how the numbers were made."""

from __future__ import annotations

from typing import Final

from sims.html.markup import Markup, joined, tag
from sims.html.page import section, table
from sims.reports.facts import Facts

_HERE: Final = "Type the commands in the folder of this report. "


def examples_part(facts: Facts) -> Markup:
    """Three rows, each with the command that replays it."""
    file = f"attempts.{facts.manifest['format']}"
    rows = [
        (
            example.why,
            tag("code", f"flowdial replay {file} --row {example.row}"),
            str(example.row),
            str(example.player),
            str(example.attempt),
            str(example.replica),
        )
        for _, example in facts.rows.examples.values()
    ]
    headings = ("what", "to watch it", "row", "player", "attempt", "replica")
    prove = joined(
        "Every row can be played again and must end in the same state: ", tag("code", f"flowdial verify {file}"), "."
    )
    note = f"{_HERE}Rows, players, attempts and replicas are counted from 0, as in the table itself."
    return section("Rows worth watching", *([table(headings, rows)] if rows else []), tag("p", prove), note=note)


def origin_part(facts: Facts, changes: Markup) -> Markup:
    """Seed, versions and digests: what a run with the same numbers needs. changes: what the scenario sets."""
    manifest = facts.manifest
    digests = [("scenario digest", "scenario_digest"), ("code digest", "code_digest")]
    rows = [
        *((what, tag("code", str(manifest[name]))) for what, name in digests if manifest.get(name)),
        ("seed", str(manifest["seed"])),
        ("replicas", str(manifest["replicas"])),
        ("game", f"{manifest['game']}, version {manifest['game_version']} of its rules"),
        ("Flowdial", str(manifest["flowdial_version"])),
        *((str(name), str(version)) for name, version in sorted(manifest["versions"].items())),
    ]
    again = tag("code", "flowdial run scenario.toml")
    note = joined(f"{_HERE}The same scenario, seed and versions give the same rows: ", again, ".")
    if facts.of_a_person:
        note = joined(f"{_HERE}What synthetic players do with the same controller and target: ", again, ".")
    return section("Where it comes from", table(("what", "value"), rows, "pairs"), changes, note=note)


def methods_part(facts: Facts) -> Markup:
    """What the numbers are, and what they are not."""
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
        if facts.of_a_person
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
    return section("How the numbers were made", *(tag("p", part) for part in parts))
