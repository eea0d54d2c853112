"""Which planted flaws do the checks name, and which sound games do they blame? `python -m benchmarks.flaws`.

Prints the ledger as docs/flaws.md has it. Exit code 1 where recall or precision of all tools together is below 0.9.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from benchmarks.flaws.ledger import TOOLS, Finding, finding_of, score_of, table_of
from benchmarks.flaws.planted_games import GAMES
from benchmarks.flaws.planted_scenarios import SCENARIOS
from benchmarks.flaws.tools import SAID_BY

LEAST: Final = 0.9  # recall, and precision
ENTRIES: Final = (*GAMES, *SCENARIOS)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tool", choices=TOOLS, action="append", help="only this tool; may be given more than once")
    chosen = parser.parse_args(arguments).tool or TOOLS
    findings: list[Finding] = []
    for entry in ENTRIES:
        if entry.tool in chosen:
            print(f"{entry.tool}: {entry.name}", file=sys.stderr)
            findings.append(finding_of(entry, SAID_BY[entry.tool](entry.subject())))
    print(table_of(findings))
    score = score_of(findings)
    return 0 if min(score.recall, score.precision) >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
