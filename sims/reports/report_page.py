"""The page of a report: the verdict in words first, then numbers, charts, and how to reproduce the run."""

from __future__ import annotations

from sims.html.markup import Markup
from sims.html.page import document, header
from sims.reports.dials import dials_part
from sims.reports.facts import Facts
from sims.reports.losses import losses_part
from sims.reports.origin import examples_part, methods_part, origin_part
from sims.reports.place_costs import costs_part
from sims.reports.places import places_part
from sims.reports.player_rates import players_part
from sims.reports.rates import levels_part, rates_part
from sims.reports.settings import changes_part, controller_part, settings_part
from sims.reports.survivors import survivors_part
from sims.reports.verdict_part import ONE_PERSON, self_test_part, verdict_part
from sims.verdict.self_test_record import WARNING, read_checks
from sims.wording import badge_of


def report_page(facts: Facts) -> str:
    """The whole document."""
    doubtful = any(check.state == WARNING for check in read_checks(facts.manifest))
    first = (self_test_part(facts), verdict_part(facts)) if doubtful else (verdict_part(facts), self_test_part(facts))
    return document(
        facts.title,
        _header(facts),
        *first,  # what the numbers can be trusted for comes before them where a check failed
        levels_part(facts),
        rates_part(facts),
        dials_part(facts),
        losses_part(facts),
        costs_part(facts),
        places_part(facts),
        players_part(facts),
        survivors_part(facts),
        settings_part(facts),
        controller_part(facts),
        examples_part(facts),
        origin_part(facts, changes_part(facts)),
        methods_part(facts),
    )


def _header(facts: Facts) -> Markup:
    manifest = facts.manifest
    players = len(facts.rows.people.key)
    people = f"{players:,} synthetic player{'' if players == 1 else 's'}"
    badge = badge_of(facts.verdict.label, "not fitted to your game yet")
    if facts.of_a_person:
        people = "a person at the window"
        badge = ("one person", ONE_PERSON)
    subtitle = (
        f"{manifest['game']} with {manifest['controller']}, {facts.rows.rows:,} attempts, {people}, "
        f"seed {manifest['seed']}"
    )
    return header(facts.title, badge, subtitle)
