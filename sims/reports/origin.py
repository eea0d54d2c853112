"""How to see it again: rows worth watching, how to reproduce the run, and how the numbers were made."""

from __future__ import annotations

from typing import Final

from sims.html.markup import Markup, joined, tag
from sims.html.page import folded, section, table
from sims.reports.facts import Facts
from sims.wording import listed

_HERE: Final = "Run the commands in the folder of this report. "


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
    headings = ("what", "command to watch it", "row", "player", "attempt", "repeat")
    prove = joined(
        "Every row can be replayed and must end in the same state: ", tag("code", f"flowdial verify {file}"), "."
    )
    note = f"{_HERE}Rows, players, attempts and repeats are counted from 0, as in the table itself."
    return section("Rows worth watching", *([table(headings, rows)] if rows else []), tag("p", prove), note=note)


def origin_part(facts: Facts, changes: Markup) -> Markup:
    """Seed, versions and fingerprints: what a run with the same numbers needs. changes: what the scenario sets."""
    manifest = facts.manifest
    rows = [
        ("seed", str(manifest["seed"])),
        ("repeats", str(manifest["replicas"])),
        ("game", f"{manifest['game']}, version {manifest['game_version']} of its rules"),
        ("Flowdial", str(manifest["flowdial_version"])),
    ]
    digests = [("scenario", "scenario_digest"), ("code", "code_digest")]
    prints = [
        *(
            (f"fingerprint of the {what}", tag("code", str(manifest[name])))
            for what, name in digests
            if manifest.get(name)
        ),
        *((str(name), str(version)) for name, version in sorted(manifest["versions"].items())),
    ]
    technical = folded("Fingerprints and versions", table(("what", "value"), prints, "pairs"))
    again = tag("code", "flowdial run scenario.toml")
    note = joined(f"{_HERE}The same scenario, seed and versions give the same rows: ", again, ".")
    if facts.of_a_person:
        note = joined(f"{_HERE}To see synthetic players with the same controller and target: ", again, ".")
    return section("How to reproduce it", table(("what", "value"), rows, "pairs"), changes, technical, note=note)


def methods_part(facts: Facts) -> Markup:
    """What the numbers are, and what they are not."""
    cluster = facts.tally.scheme.cluster
    shared = cluster != "player"
    unit = "repeats, because players who share a controller are not independent" if shared else "players"
    if cluster == "estimate":
        unit = (
            "repeats, each with players and levels drawn from what the plays leave open, and where one more would lie"
        )
    noun = "repeat" if shared else "player"
    methods = [(label, row.interval) for label, row in zip(facts.labels, facts.verdict.rows, strict=True)]
    alike = [label for label, method in methods if method == "Wilson"]
    alone = [label for label, method in methods if method == "Wilson over attempts"]
    parts = [
        "A win rate is the number of wins divided by that of attempts. Its margin is a 95 % interval: in 95 of 100 "
        "such runs the true rate lies within. It is clustered: attempts of one player are correlated, so only the "
        f"differences between {unit} say how sure a rate is. (Ratio estimator over clusters on the logit scale, "
        "corrected for skewness; its degrees of freedom are those of clusters of equal weight.)",
        "A group is on target only when its whole margin lies within the target, and below or above target only when "
        "all of it lies outside. Margins of levels and of points on a chart are not corrected for their number.",
        "The player is a person. An attempt that they gave up counts as stopped by the time limit and as not won; the "
        "controller learnt nothing from it. Time is time played, without breaks and pauses."
        if facts.of_a_person
        else "The players are synthetic. Their reaction times, slips and habits follow documented assumptions. Nothing "
        "here says whether the game is fun.",
    ]
    if alike:
        parts.insert(1, f"For {listed(alike)} {noun}s do not differ, so Wilson's interval counts each as one attempt.")
    if alone:
        parts.insert(
            1,
            f"For {listed(alone)} there is one {noun} only. Wilson's interval treats its attempts as if they came from "
            f"many {noun}s. It is too narrow, so the verdict is not known.",
        )
    return section("How the numbers were made", *(tag("p", part) for part in parts))
