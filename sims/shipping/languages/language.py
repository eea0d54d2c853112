"""The languages that a rule can be exported to: file, use, and who has run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from sims.shipping.languages.c import c_file
from sims.shipping.languages.csharp import csharp_file
from sims.shipping.languages.gdscript import gdscript_file
from sims.shipping.languages.javascript import javascript_file
from sims.shipping.languages.lua import lua_file
from sims.shipping.shipped_rule import ShippedRule


class Language(NamedTuple):
    """One language. `use` has the places @GROUP@ and @KNOB@."""

    title: str
    file: str  # name of the one file
    write: Callable[[ShippedRule], str]
    use: str  # an example, indented by four
    rails: str  # where the guard rails are
    tested: str  # in what our tests run it


LANGUAGES: Final[Mapping[str, Language]] = {
    "js": Language(
        "JavaScript",
        "difficulty.js",
        javascript_file,
        """\
    const difficulty = require("./difficulty.js"); // in a browser: a script tag, then the global `difficulty`
    const player = difficulty.newPlayer("@GROUP@", 7); // plain data: save it as JSON
    const play = difficulty.ask(player, { attempt: 0, place: 0, last: 1 });
    const values = difficulty.knobs(play.difficulty); // such as values.@KNOB@
    difficulty.tell(player, play, { won: 1, progress: 1 });""",
        "difficulty.guard: floor, ceiling, largestStep, off, resting",
        "Our tests run it in node and QuickJS.",
    ),
    "lua": Language(
        "Lua",
        "difficulty.lua",
        lua_file,
        """\
    local difficulty = require("difficulty")
    local player = difficulty.new_player("@GROUP@", 7) -- plain data: save it
    local play = difficulty.ask(player, { attempt = 0, place = 0, last = 1 })
    local values = difficulty.knobs(play.difficulty) -- such as values.@KNOB@
    difficulty.tell(player, play, { won = 1, progress = 1 })""",
        "difficulty.guard: floor, ceiling, largest_step, off, resting",
        "Our tests run it in Lua 5.1, 5.4 and LuaJIT.",
    ),
    "c": Language(
        "C",
        "difficulty.h",
        c_file,
        """\
    #define DIFFICULTY_IMPLEMENTATION /* in one file only; compile with -ffp-contract=off */
    #include "difficulty.h"
    fd_player player; fd_situation now = {0, 0, 0, 1.0, 0, 0}; fd_outcome won = {1.0, 1.0, 1.0, 1.0};
    fd_new_player(&player, FD_GROUP_@GROUP_MACRO@, 7);
    fd_play play = fd_ask(&player, &now); double value = fd_knob(FD_KNOB_@KNOB_MACRO@, play.difficulty);
    fd_tell(&player, &play, &won);""",
        "fd_guard: floor, ceiling, largest_step, off, resting",
        "Our tests compile it with gcc and run it on x86-64.",
    ),
    "csharp": Language(
        "C#",
        "Difficulty.cs",
        csharp_file,
        """\
    var player = Difficulty.NewPlayer("@GROUP@", 7); // group, played, difficulty and numbers are plain: save them
    var play = Difficulty.Ask(player, new Situation { Attempt = 0, Place = 0, Last = 1 });
    double value = Difficulty.Knob("@KNOB@", play.Difficulty);
    Difficulty.Tell(player, play, new Outcome { Won = 1, Progress = 1, Score = 1, Weight = 1 });""",
        "Difficulty.Floor, Ceiling, LargestStep, Off, Resting",
        "Our tests run it in mono where that is installed. Play vectors.json in your engine first.",
    ),
    "gdscript": Language(
        "GDScript 4",
        "difficulty.gd",
        gdscript_file,
        """\
    var difficulty = preload("res://difficulty.gd").new()
    var player = difficulty.new_player("@GROUP@", 7) # a Dictionary: save it
    var play = difficulty.ask(player, {"attempt": 0, "place": 0, "last": 1.0})
    var values = difficulty.knobs(play["difficulty"]) # such as values["@KNOB@"]
    difficulty.tell(player, play, {"won": 1.0, "progress": 1.0})""",
        "difficulty.floor_, ceiling, largest_step, off, resting",
        "Not run by us. Play vectors.json in your engine first.",
    ),
}
