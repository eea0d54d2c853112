"""Help on a terminal of 80 columns: no summary is cut, and no option's text fills more than two lines."""

from __future__ import annotations

import click
import pytest

from sims.cli.app import cli

_WIDTH = 78  # of the text on a terminal of 80 columns: click leaves a margin of two
_ONE_LINE = ("--seed", "--set", "--workers")  # options of many commands


def root_context() -> click.Context:
    return cli.make_context("flowdial", [], resilient_parsing=True, terminal_width=_WIDTH)


def context_of(name: str) -> click.Context:
    return cli.commands[name].make_context(name, [], root_context(), resilient_parsing=True)


def option_texts(name: str) -> dict[str, list[str]]:
    """The lines of each option's text, without its name, as click prints them."""
    context = context_of(name)
    formatter = context.make_formatter()
    click.Command.format_options(context.command, context, formatter)  # a group adds its commands
    texts: dict[str, list[str]] = {}
    options = [parameter for parameter in context.command.get_params(context) if isinstance(parameter, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context))]
    option = ""
    for line in formatter.getvalue().splitlines():
        begun = next((names for names, _ in records if line.startswith(f"  {names}")), None)
        if begun is not None:
            option, line = begun, line.removeprefix(f"  {begun}")
            texts[option] = []
        if option and line.strip():
            texts[option].append(line.strip())
    assert set(texts) == {names for names, _ in records}
    return texts


def test_the_root_help_cuts_no_summary():
    shown = cli.get_help(root_context()).split("\nCommands:\n")[1].split("\n\n")[0]
    assert len(shown.splitlines()) == len(cli.commands), "one line for each command"
    for name, command in cli.commands.items():
        summary = (command.help or "").strip().partition("\n")[0].removesuffix(".")
        assert f"  {name} " in shown
        assert summary in shown, name
    assert "..." not in shown


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_an_option_is_explained_in_two_lines(name):
    long = {option: text for option, text in option_texts(name).items() if len(text) > 2}
    assert not long


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_an_option_of_many_commands_is_explained_in_one_line(name):
    texts = {option: text for option, text in option_texts(name).items() if option.startswith(_ONE_LINE)}
    assert all(len(text) == 1 for text in texts.values()), texts
