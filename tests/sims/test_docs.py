"""The pages for people: what they link to is there, what they tell to type can be typed, what they show is so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from engine.scenario import parse, setup_of
from sims.catalog import Catalog
from sims.cli.app import cli
from tests.kit.places import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]
GUIDES = ("designers", "players", "analysts", "game_authors", "controller_authors")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def typed(name: str) -> Iterator[str]:
    """Every line of a page that one may type and that begins with `flowdial`, and every such piece of code in prose."""
    text = text_of(name)
    for line in re.findall(r"^(?:    )?(flowdial [^\n]*)$", text, re.MULTILINE):
        yield re.split(r"  #| > ", line)[0]
    yield from re.findall(r"`(flowdial [^`]+)`", text)


COMMANDS = [(name, line) for name in NAMES for line in dict.fromkeys(typed(name))]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_links_to_is_there(name):
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(name)):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        if anchor:
            heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads], link


@pytest.fixture
def any_path(monkeypatch):
    """Commands take paths that are not there; games in files are those of the examples."""
    monkeypatch.chdir(ROOT / "docs" / "examples")
    for command in cli.commands.values():
        for parameter in command.params:
            if isinstance(parameter.type, click.Path):
                monkeypatch.setattr(parameter.type, "exists", False)


@pytest.mark.parametrize(("name", "line"), COMMANDS, ids=[f"{name}: {line}" for name, line in COMMANDS])
def test_what_a_page_tells_to_type_is_a_command(any_path, name, line):
    """Options and values that it does not take are refused here; N and X stand for a number, a|b for either."""
    _, command, *words = shlex.split(line)
    if command.startswith("-"):
        return
    known = cli.commands[command]
    words = ["1" if re.fullmatch(r"N|X", word) else word.split("|")[0] for word in words]
    try:
        known.make_context(command, words)
    except click.MissingParameter:
        assert not words, f"{line} lacks an argument"  # the bare name of a command, in prose
    except click.exceptions.Exit:
        assert "--help" in words


def test_the_readme_has_every_command_in_its_table():
    rows = [line for line in text_of("README.md").splitlines() if line.startswith("| `flowdial ")]
    named = {name for row in rows for name in re.findall(r"`flowdial ([a-z-]+)", row.split("|")[1])}
    assert named == set(cli.commands)


@pytest.mark.parametrize("name", GUIDES)
def test_each_kind_of_reader_has_a_page_that_the_readme_names(name):
    assert f"](docs/{name}_guide.md)" in text_of("README.md")


def test_the_example_in_the_scenario_page_is_a_scenario():
    text = (DOCS / "scenarios.md").read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    catalog = Catalog()
    setup = setup_of(parse(example.encode(), "scenarios.md", catalog), catalog)
    assert setup.cohorts == ("newcomers",)
    assert setup.space.held["hearts"] == 2.0
