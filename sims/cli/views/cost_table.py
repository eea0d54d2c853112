"""What the terminal shows of the cost of places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sims.terminal import aligned, json_text, show

if TYPE_CHECKING:
    from engine.places.knock_out import PlaceCost
    from sims.runs.run import Run


def print_costs(run: Run, costs: Sequence[PlaceCost], *, as_json: bool) -> None:
    """Print costs as a table of the most costly, or all of them as JSON."""
    from sims.reports.place_costs import MOST_SHOWN, NOTE, cost_cells, cost_headings

    noun, cohorts = str(run.manifest.get("place_noun", "place")), tuple(run.goal.cohorts)
    if as_json:
        content = {"place_noun": noun, "costs": [cost.to_json(cohorts) for cost in costs]}
        show(json_text(content), end="")
        return
    levels = run.tally.scheme.levels > 0
    rows = [cost_cells(cost, cohorts, noun, levels=levels) for cost in costs[:MOST_SHOWN]]
    show(aligned([cost_headings(noun, levels=levels), *rows]))
    if len(costs) > MOST_SHOWN:
        show(f"  and {len(costs) - MOST_SHOWN:,} more: --json and the report list them")
    show(f"\n{NOTE}")
