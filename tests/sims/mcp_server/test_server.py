"""The server driven by the client of the protocol's own SDK."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from sims.cli.app import main
from tests.kit.places import ROOT
from tests.kit.small import TEXT

TOOLS = {"check", "run", "compare", "plan", "tune", "describe", "list", "rows_worth_watching"}
CALLS: list[tuple[str, dict[str, Any], str]] = [  # a tool, its arguments, and a key of what it gives
    ("list", {"kind": "scenarios"}, "installed"),
    ("describe", {"name": "logistic"}, "text"),
    ("check", {"scenario": "small.toml"}, "valid"),
    ("run", {"scenario": "small.toml", "settings": {"seed": 4}}, "gate"),
    ("rows_worth_watching", {"run": "runs/small-001"}, "rows"),
    ("compare", {"before": "small.toml", "after": "small.toml", "settings_after": {"target.win_rate": 0.8}}, "folder"),
    ("plan", {"scenario": "small.toml", "effect": 0.1}, "said"),
    ("tune", {"scenario": "runner.toml", "budget": 30_000}, "folder"),
]


@pytest.mark.extras
def test_every_tool_and_every_error_over_the_protocol(tmp_path: Path):
    (tmp_path / "small.toml").write_text(TEXT.format(game="logistic", controller="oracle", players=40, attempts=40))
    runner = TEXT.format(game="gap_runner", controller="constant", players=40, attempts=200)
    (tmp_path / "runner.toml").write_text(runner)
    asyncio.run(_drive(tmp_path))


async def _drive(folder: Path) -> None:
    from mcp import Client, StdioServerParameters

    words = ["-m", "sims", "mcp", "--folder", str(folder), "--workers", "2"]
    server = StdioServerParameters(command=sys.executable, args=words, env={"PYTHONPATH": str(ROOT)}, cwd=str(folder))
    async with Client(server) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        assert {name for name, _, _ in CALLS} == TOOLS
        for name, arguments, key in CALLS:
            given = await client.call_tool(name, arguments)
            assert not given.is_error, (name, given.content)
            assert given.structured_content is not None
            assert given.structured_content[key], name
            links = [block.uri for block in given.content if block.type == "resource_link"]
            assert len(links) == (name in ("run", "compare", "tune", "rows_worth_watching"))
            assert all(Path(str(link).removeprefix("file://")).is_file() for link in links)
            wrong = dict.fromkeys(arguments, "no such thing")
            refused = await client.call_tool(name, wrong)
            assert refused.is_error, name
            assert "Traceback" not in str(refused.content)


def test_without_the_extra_a_sentence_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    assert main(["mcp", "--folder", str(tmp_path)]) == 5
    assert "install flowdial[mcp]" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_refused(tmp_path, capsys):
    assert main(["mcp", "--folder", str(tmp_path / "none")]) == 5
    assert "must exist" in capsys.readouterr().err
