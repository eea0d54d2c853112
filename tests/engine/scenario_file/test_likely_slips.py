"""What a hand writes that is new to TOML is refused with the spelling that was meant."""

from __future__ import annotations

import pytest

from engine.errors import ScenarioError
from engine.scenario import load
from sims.catalog import Catalog
from tests.kit.small import TEXT as TEMPLATE

TEXT = TEMPLATE.format(game="logistic", controller="kalman", players=200, attempts=50)


def refused(tmp_path, text, newline=None):
    """The sentences that refuse a scenario."""
    path = tmp_path / "mine.toml"
    with path.open("w", encoding="utf-8", newline=newline) as file:
        file.write(text)
    with pytest.raises(ScenarioError) as fault:
        load(path, Catalog())
    return str(fault.value)


def with_line(key, line):
    """The small scenario with this line in the place of a key's first line."""
    lines = TEXT.splitlines()
    place = next(i for i, old in enumerate(lines) if old.startswith(f"{key} "))
    return "\n".join([*lines[:place], line, *lines[place + 1 :]]) + "\n"


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("win_rate = 80%", "write win_rate = 0.8"),
        ("win_rate = 72.5 %", "write win_rate = 0.725"),
        ("win_rate = 0,70", "write win_rate = 0.70"),
        ("win_rate = .75", "write win_rate = 0.75"),
        ("win_rate = 00.75", "write win_rate = 0.75"),
        ("win_rate: 0.75", "write win_rate = 0.75"),
        ("win_rate = 0.75;", "write win_rate = 0.75"),
        ('win_rate = "80%"', "write 0.8, without quotes"),
        ('win_rate = "0.8"', "write 0.8, without quotes"),
        ("win_rate = 80", "80 % is written 0.8"),
        ("win_rate = 62.5", "62.5 % is written 0.625"),
    ],
)
def test_a_rate_in_another_spelling(tmp_path, line, meant):
    assert meant in refused(tmp_path, with_line("win_rate", line))


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("count = 1,000", "write count = 1000"),
        ("count = 12,500,000", "write count = 12500000"),
        ("count = 0200", "write count = 200"),
        ('count = "200"', "write 200, without quotes"),
        ("count = 200.0", "write 200"),
        ('count = "200 players"', "write 200, without quotes"),
    ],
)
def test_a_number_in_another_spelling(tmp_path, line, meant):
    assert meant in refused(tmp_path, with_line("count", line))


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("name = logistic", 'write name = "logistic"'),
        ("name = “logistic”", 'write straight quotes: name = "logistic"'),
    ],
)
def test_a_text_in_another_spelling(tmp_path, line, meant):
    assert meant in refused(tmp_path, with_line("name", line))


def test_a_cohort_with_single_brackets(tmp_path):
    alone = TEXT[: TEXT.index('[[cohort]]\nname = "old"')].replace("share = 0.5", "share = 1.0")
    for text in (alone.replace("[[cohort]]", "[cohort]"), TEXT.replace("[[cohort]]", "[cohort]", 1)):
        assert "write [[cohort]]" in refused(tmp_path, text)
    assert "write [[cohort]]" in refused(tmp_path, TEXT.replace("[[cohort]]", "[cohort]"))


def test_a_table_written_as_a_key(tmp_path):
    assert "write a line [players]" in refused(tmp_path, "players = 200\n" + TEXT.replace("[players]", "[players_]"))
    text = TEXT.replace("[target]", "target = 0.8\n[target]", 1)
    assert "target is a table of its own, so write a line [target]" in refused(tmp_path, text)


def test_a_trait_beside_the_name_of_a_cohort(tmp_path):
    text = TEXT.replace("share = 0.5", 'share = 0.5\nskill = "low"', 1)
    assert text != TEXT
    assert "skill is a trait, so write it below a line [cohort.traits]" in refused(tmp_path, text)


def test_a_skill_in_words(tmp_path):
    text = TEXT + '[[cohort]]\nname = "weak"\nshare = 0.5\n[cohort.traits]\nskill = "low"\n'
    assert "write a number: -1 for weak players, 0 for the median player" in refused(tmp_path, text)


def test_shares_that_were_rounded(tmp_path):
    text = TEXT.replace("share = 0.5", "share = 0.333") + '[[cohort]]\nname = "c"\nshare = 0.333\n'
    assert "write 0.334 for the last one" in refused(tmp_path, text)


@pytest.mark.parametrize("bounds", ["[0, 1]", '["calm", "fierce"]'])
def test_bounds_on_a_choice(tmp_path, bounds):
    text = TEXT.replace('name = "logistic"', f'name = "boss_duel"\nbounds = {{ style = {bounds} }}', 1)
    assert "fix it below [game.params] instead" in refused(tmp_path, text)


def test_lines_that_end_with_cr_alone(tmp_path):
    assert "must end with LF or CR LF" in refused(tmp_path, TEXT.strip() + "\n", newline="\r")


def test_what_is_not_clear_gets_no_advice(tmp_path):
    for line in ("win_rate = 0.7 0.8", "win_rate = [0.7", "win_rate = 0.7.5"):
        assert "; write" not in refused(tmp_path, with_line("win_rate", line))
    assert "; write" not in refused(tmp_path, with_line("count", 'count = "1.5"'))
