"""`flowdial mcp`: the toolbox for assistants, over the Model Context Protocol on standard input and output.

https://modelcontextprotocol.io; the package mcp is its official SDK.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.errors import EnvironmentFault, FlowdialError
from sims.catalog import version
from sims.mcp_server.toolbox import ToolAnswer, Toolbox

if TYPE_CHECKING:
    from mcp.server import MCPServer
    from mcp_types import CallToolResult

_INSTRUCTIONS: Final = (
    "Flowdial simulates players to balance a game's difficulty. A scenario is a TOML file in the folder of this "
    "server, or the name of a bundled one. Settings are dotted keys of a scenario and their values, such as "
    '{"players.count": 500}. Win rates of players that are not fitted to real plays are uncalibrated: trust '
    "differences more than percentages. Check a scenario before you run it."
)


def make_server(toolbox: Toolbox) -> MCPServer[Any]:
    """The server with all tools.

    Args:
        toolbox: what the tools do.

    Raises:
        EnvironmentFault: the extra mcp is not installed.
    """
    try:
        import anyio.to_thread
        from mcp.server import MCPServer
        from mcp_types import CallToolResult, ResourceLink, TextContent, ToolAnnotations
    except ModuleNotFoundError as fault:
        raise EnvironmentFault("flowdial mcp needs the package mcp; install flowdial[mcp].") from fault

    server: MCPServer[Any] = MCPServer(
        name="flowdial", version=version(), instructions=_INSTRUCTIONS, log_level="WARNING"
    )
    one_at_a_time = anyio.CapacityLimiter(1)  # each call uses all cores
    read_only, writes = ToolAnnotations(read_only_hint=True), ToolAnnotations(destructive_hint=False)

    async def answer(tool: Callable[[], ToolAnswer]) -> CallToolResult:
        try:
            content, pages = await anyio.to_thread.run_sync(tool, limiter=one_at_a_time)
        except FlowdialError as fault:
            return CallToolResult(content=[TextContent(type="text", text=str(fault))], is_error=True)
        text = TextContent(type="text", text=json.dumps(content))
        links = [
            ResourceLink(type="resource_link", name=page.name, uri=page.as_uri(), mime_type="text/html")
            for page in pages
        ]
        return CallToolResult(content=[text, *links], structured_content=content)

    # The SDK evaluates annotations, and knows its own result by its class.
    async def check(scenario: str, settings: dict[str, Any] | None = None) -> Any:
        """Validate a scenario without playing it: its size, its groups, and notes on usual mistakes."""
        return await answer(partial(toolbox.check, scenario, settings))

    async def run(scenario: str, settings: dict[str, Any] | None = None) -> Any:
        """Play a scenario: the verdict for each player group with margins, the gate, and a link to the report."""
        return await answer(partial(toolbox.run, scenario, settings))

    async def compare(
        before: str,
        after: str,
        settings_before: dict[str, Any] | None = None,
        settings_after: dict[str, Any] | None = None,
    ) -> Any:
        """Play two scenarios with the same players and the same luck, and tell what changed, with margins."""
        return await answer(partial(toolbox.compare, before, after, settings_before, settings_after))

    async def plan(scenario: str, effect: float, settings: dict[str, Any] | None = None) -> Any:
        """Estimate how many players it takes to notice a change of the win rate; effect 0.02 is two points."""
        return await answer(partial(toolbox.plan, scenario, effect, settings))

    async def tune(scenario: str, budget: int, settings: dict[str, Any] | None = None) -> Any:
        """Tune the knobs of a game until every player group is on target, with at most budget attempts."""
        return await answer(partial(toolbox.tune, scenario, budget, settings))

    async def describe(name: str) -> Any:
        """Describe a game with its knobs, a controller with its options, a persona or a bundled scenario."""
        return await answer(partial(toolbox.describe, name))

    async def list_(kind: str | None = None) -> Any:
        """List what is installed; kind is scenarios, games, controllers or personas."""
        return await answer(partial(toolbox.installed, kind))

    async def rows_worth_watching(run: str) -> Any:
        """List the attempts of a run that say most, each with the command that replays it."""
        return await answer(partial(toolbox.rows_worth_watching, run))

    readers: tuple[Callable[..., Any], ...] = (check, plan, describe, rows_worth_watching)
    for tool in readers:
        server.add_tool(tool, annotations=read_only)
    writers: tuple[Callable[..., Any], ...] = (run, compare, tune)
    for tool in writers:
        server.add_tool(tool, annotations=writes)
    server.add_tool(list_, name="list", annotations=read_only)
    return server


def serve_tools(folder: Path, *, workers: int | None, most_attempts: int) -> None:
    """Answer on standard input and output until the input ends; arguments as for `Toolbox`.

    Raises:
        EnvironmentFault: the extra mcp is not installed, or the folder is none.
    """
    if not folder.is_dir():
        raise EnvironmentFault(f"the folder of the server must exist, but {folder} is no folder; make it first.")
    make_server(Toolbox(folder, workers=workers, most_attempts=most_attempts)).run("stdio")
