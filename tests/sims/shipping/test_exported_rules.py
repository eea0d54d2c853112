"""Exported rules answer with the numbers of the compiled rule, bit for bit, in every language that can be run here."""

from __future__ import annotations

from functools import cache

import pytest

from tests.kit.exported import PLAYERS, RULES, Case, cases, differing

QUICK = ("weighted_up_down", "kalman")
HEAVY = ("grid_imm", "kalman_bank", "quest")  # tables: a few sequences show as much
QUICK_LANGUAGES = ("node", "c", "lua54")
TIERS = {"node": pytest.mark.thorough}  # of the other languages the quick tier has two rules


@cache
def few_cases(name: str) -> list[Case]:
    return cases(name, sequences=3 if name in HEAVY else 6, attempts=30, at_ends=0 if name in HEAVY else 1)


def check(language: str, found: list[Case], folder) -> int:
    player = PLAYERS[language]
    if player.missing is not None:
        pytest.skip(player.missing)
    compared = 0
    for case in found:
        got = player.play(case, folder)
        assert differing(got, case.expected) == 0
        compared += len(got)
    return compared


@pytest.mark.parametrize("language", QUICK_LANGUAGES)
@pytest.mark.parametrize("name", QUICK)
def test_a_rule_gives_the_same_numbers_in_another_language(name, language, tmp_path):
    assert check(language, few_cases(name), tmp_path) > 300


@pytest.mark.parametrize("language", [pytest.param(one, marks=TIERS.get(one, pytest.mark.slow)) for one in PLAYERS])
@pytest.mark.parametrize("name", RULES)
def test_every_rule_gives_the_same_numbers_in_every_language(name, language, tmp_path):
    if name in QUICK and language in QUICK_LANGUAGES:
        pytest.skip("the quick tier has it")
    assert check(language, few_cases(name), tmp_path) > 100


@pytest.mark.slow
@pytest.mark.parametrize("language", ["node", "quickjs", "lua54", "c", "mono"])
@pytest.mark.parametrize("name", RULES)
def test_forty_sequences_of_sixty_attempts_at_both_ends_of_every_option(name, language, tmp_path):
    check(language, cases(name, sequences=40, attempts=60, at_ends=40), tmp_path)


def test_a_changed_number_is_seen(tmp_path):
    player = PLAYERS["node"]
    if player.missing is not None:
        pytest.skip(player.missing)
    (case,) = few_cases("weighted_up_down")
    wrong = case.sequences[0]["constants"]
    sequences = [{**case.sequences[0], "constants": [wrong[0] * (1.0 + 2.0**-52), *wrong[1:]]}]
    assert differing(player.play(Case(case.shipped, sequences), tmp_path), Case(case.shipped, sequences).expected) > 3
