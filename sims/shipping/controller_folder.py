"""A folder with a scenario's controller in a game's own language: the file, how to use it, and what must come out."""

from __future__ import annotations

import json
import os
import tempfile
import textwrap
from pathlib import Path
from typing import Final, Literal

from engine.errors import ScenarioError
from engine.scenario import Scenario, setup_of
from sims.catalog import Catalog, version
from sims.run_folder.files import file_fault, sync_folder, write_file
from sims.run_folder.new_folder import check_new
from sims.shipping.languages.language import LANGUAGES, Language
from sims.shipping.shipped_rule import ShippedRule, shipped_rule
from sims.shipping.vectors import MOST_CONSTANTS, vectors_of

LanguageName = Literal["js", "lua", "c", "csharp", "gdscript"]
README: Final = "README.md"
VECTORS: Final = "vectors.json"


def export_controller(scenario: Scenario, language: LanguageName, out: Path) -> Path:
    """Write the controller of a scenario in a game's language, with its numbers, guard rails and test vectors.

    Args:
        scenario: whose controller, options, targets and dial are written.
        language: js, lua, c, csharp or gdscript.
        out: the new folder. It is complete or absent.

    Returns:
        The folder.

    Raises:
        ScenarioError: this controller cannot be exported; the sentence says why.
        RunFolderError: the folder exists.
        EnvironmentFault: the disk failed.

    Example:
        >>> from sims import export_controller, load_scenario
        >>> export_controller(load_scenario("quickstart"), "js", Path("shipped"))  # doctest: +SKIP
    """
    if language not in LANGUAGES:
        raise ScenarioError(f"a controller is exported to {', '.join(LANGUAGES)}, got {language!r}.")
    check_new(out)
    setup = setup_of(scenario, Catalog())
    shipped = shipped_rule(setup, Path(scenario.name).stem, version())
    words = LANGUAGES[language]
    files = {
        words.file: words.write(shipped),
        README: readme(shipped, words),
        VECTORS: _json(vectors_of(setup, shipped)),
    }
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.", suffix=".tmp") as place:
            made = Path(place, out.name)
            made.mkdir()
            for name, text in files.items():
                write_file(made / name, text.encode())
            os.rename(made, out)
        sync_folder(out.parent)
    except OSError as fault:
        raise file_fault(fault) from fault
    return out


def _json(vectors: dict[str, object]) -> str:
    """The vectors, a step in a line."""
    lines = []
    for sequence in vectors["sequences"]:  # type: ignore[attr-defined]
        own = [
            f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}"
            for key, value in sequence.items()
            if key != "steps"
        ]
        steps = ",\n".join(f"    {json.dumps(step)}" for step in sequence["steps"])
        lines.append("  {" + ",\n   ".join(own) + ',\n   "steps": [\n' + steps + "\n  ]}")
    head = [
        f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}"
        for key, value in vectors.items()
        if key != "sequences"
    ]
    return "{" + ",\n ".join(head) + ',\n "sequences": [\n' + ",\n".join(lines) + "\n]}\n"


def readme(shipped: ShippedRule, words: Language) -> str:
    """The README: what it is, how to use it, how to switch it off, what must come out."""
    group, knob = shipped.groups[0].name, shipped.dial[0].knob.name
    use = words.use
    for place, text in (("GROUP_MACRO", _macro(group)), ("KNOB_MACRO", _macro(knob)), ("GROUP", group), ("KNOB", knob)):
        use = use.replace(f"@{place}@", text)
    who = {"player": "each player", "cohort": "each player group", "everyone": "all players together"}[shipped.scope]
    ends = "each option at both ends" if len(shipped.constants) <= MOST_CONSTANTS else "the options as they are"
    points = [
        "`attempt` and `place` count the attempts so far, of the player and of the session. `last` is 1 after a win, 0 "
        "after a loss, 1 before the first attempt, and -1 where the outcome is not known yet.",
        "Outcomes may arrive late: keep the answer of *ask* and hand it to *tell* with the outcome.",
        "Difficulty goes from 0 (easiest) to 1 (hardest). The parameters at a difficulty are exact at 21 points. "
        "Between them they lie on a straight line; whole numbers and choices take the nearest point.",
        *([f"Not in the table, since levels have values of their own: {', '.join(shipped.level_knobs)}."]
          if shipped.level_knobs else []),
        f"Guard rails: {words.rails}. Floor and ceiling bound every difficulty. The largest step is from one attempt "
        f"to the next. *off* plays the resting difficulty {shipped.resting:g} for everyone.",
        f"`vectors.json` has sequences of observations and the exact numbers that must come out: outcomes in time, "
        f"late and many at once, with {ends}. `tell` counts the answers from 0. `constants` and `first`, where a "
        "sequence has them, replace those of the file. `numbers` is the state at the end.",
        words.tested,
    ]  # fmt: skip
    listed = "\n".join(textwrap.fill(f"- {point}", 118, subsequent_indent="  ") for point in points)
    about = (
        f"`{words.file}` is the controller of the scenario {shipped.scenario} for {shipped.game}. It needs nothing "
        f"else. Fingerprint {shipped.digest}, made by Flowdial {shipped.version}. Keep one `player` for {who}."
    )
    return f"# {shipped.controller} in {words.title}\n\n{textwrap.fill(about, 118)}\n\n{use}\n\n{listed}\n"


def _macro(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name).upper()
