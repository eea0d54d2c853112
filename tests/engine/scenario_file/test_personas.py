"""Personas: a cohort takes the traits of a kind of player, and its own come on top."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import ScenarioError
from engine.players import DEFAULT_TRAITS, TRAIT_NAMES
from engine.scenario import parse, setup_of
from engine.scenario_file.personas import PERSONA_NAMES, PERSONAS
from sims.catalog import Catalog

TEXT = """
format = 1
seed = 1
[game]
name = "logistic"
[dial]
floor = 0.0
ceiling = 1.0
[levels]
kind = "endless"
[target]
win_rate = 0.7
tolerance = 0.05
[players]
count = 10
[[cohort]]
name = "a"
share = 1.0
{}
[horizon]
days = 1
attempts_per_player = 5
"""


def scenario_with(lines):
    return parse(TEXT.format(lines).encode(), "personas.toml", Catalog())


def traits_of(lines):
    return setup_of(scenario_with(lines), Catalog()).traits[0]


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.name)
def test_a_cohort_has_the_traits_of_its_persona_and_no_others(persona):
    usual, found = traits_of(""), traits_of(f'persona = "{persona.name}"')
    changed = {TRAIT_NAMES[j] for j in np.flatnonzero((usual != found).any(axis=1) & ~np.isnan(found).any(axis=1))}
    assert changed == set(persona.traits)
    assert all(name in DEFAULT_TRAITS or isinstance(value, float) for name, value in persona.traits.items())
    assert persona.source


def test_own_traits_come_on_top():
    found = traits_of('persona = "child"\n[cohort.traits]\nlapse = 0.0')
    only = traits_of('persona = "child"')
    at = TRAIT_NAMES.index("lapse")
    assert found[at, 1] == 0.0
    assert np.array_equal(np.delete(found, at, 0), np.delete(only, at, 0), equal_nan=True)


def test_what_is_resolved_says_all_traits_and_reads_back_to_the_same():
    first = scenario_with('persona = "rage-quitter"\n[cohort.traits]\nskill = 0.4')
    assert "tilt = 0.3" in first.resolved_toml()
    again = parse(first.resolved_toml().encode(), "resolved.toml", Catalog())
    assert again.digest == first.digest


def test_without_a_persona_nothing_of_it_is_in_the_text():
    assert "persona" not in scenario_with("").resolved_toml()


def test_an_unknown_persona_has_the_nearest_name():
    with pytest.raises(ScenarioError, match=r"cohort\.a\.persona: is unknown: .* did you mean 'rage-quitter'"):
        scenario_with('persona = "ragequitter"')


def test_all_personas_are_listed_and_described():
    from sims.describing.descriptions import description

    catalog = Catalog()
    assert [entry.name for entry in catalog.personas()] == list(PERSONA_NAMES)
    assert "this persona" in description(catalog, "one-handed")
    assert "from skill" in description(catalog, "one-handed")
