"""Scenarios with one flaw each, and sound ones that look odd: the sound scenario of base.toml with other values."""

from __future__ import annotations

from typing import Final

from benchmarks.flaws.ledger import Entry

SAME_SKILL: Final = '{ kind = "normal", mean = 0.0, sd = 0.6 }'
CAMPAIGN: Final = {
    "levels": '{ kind = "campaign", count = 4, seed = 7 }',
    "target.after_attempts": "0",
    "target.tolerance": "0.05",
}
LEAVERS: Final = {"cohort.newcomers.traits.quit_frailty": "-4.0", "cohort.regulars.traits.quit_frailty": "-4.0"}


def entry(tool: str, name: str, about: str, keys: dict[str, str], says: str = "", also: str = "") -> Entry:
    """An entry whose subject is a scenario."""
    return Entry(name, about, tool, lambda: keys, says, also)


def patch(name: str, about: str, before: dict[str, str], after: dict[str, str], says: str = "") -> Entry:
    """An entry whose subject is a change. Where it does something, whatever is significant follows from it."""
    return Entry(name, about, "compare", lambda: (before, after), says, r"^\w*: " if says else "no effect")


FIXED: Final = {"controller": '{ name = "constant", options = { difficulty = 0.4 } }'}
# What follows where a group is off target: true sentences, but not the flaw.
OFF: Final = (
    r"% of attempts won|^Their difficulty|difficulty of \w+ was|^It was at|on target|off target|outside the range"
    r"|reservation|clear answer|too close"
)
ONE_GROUP: Final = {"cohort.newcomers.traits.skill": SAME_SKILL, "cohort.regulars.traits.skill": SAME_SKILL}

SCENARIOS: Final = (
    # --- check
    entry("check", "dial turned round", "the hard end of the dial is the easy one",
          {"dial.path": "{ difficulty = [1.0, 0.0] }"}, r"dial"),
    entry("check", "dial without effect", "the path stands still over a third of the dial",
          {"dial.path": "{ difficulty = [0.0, 0.5, 0.5, 1.0] }"}, r"changes no parameter from 0\.333"),
    entry("check", "groups that are one", "two groups of the same traits want different rates",
          {**ONE_GROUP, "cohort.regulars.target": "{ win_rate = 0.6 }"}, r"same traits and different targets"),
    entry("check", "levels that nobody reaches", "fewer attempts than levels",
          {**CAMPAIGN, "levels.count": "200", "target.tolerance": "0.2"}, r"200 levels"),
    entry("check", "too few players", "a margin wider than the target",
          {"players.count": "30", "horizon.attempts_per_player": "50"}, r"too few", r"are few"),
    entry("check", "quitting without losing", "quitting is made to depend on nothing",
          {"players.flow": "{ quit_won = 0.0, quit_streak = 0.0, quit_frustration = 0.0 }"},
          r"does not depend on losing"),
    entry("check", "warm-up that leaves nothing", "only the last few attempts are judged",
          {"target.after_attempts": "112"}, r"At most 8 attempts|less than a tenth"),
    entry("check", "schedule that nobody ends", "a ramp of 500 attempts for players who make 120",
          {"controller": '{ name = "ramp", options = { start = 0.2, end = 0.5, length = 500 } }'},
          r"nobody sees its end"),
    # --- advise
    entry("advise", "target out of reach", "the ceiling is too easy for the regulars",
          {"dial.ceiling": "0.3"}, r"^Targets out of reach.*regulars", r"hardly any effect.*regulars"),
    entry("advise", "step too large", "the controller overreacts to single outcomes",
          {"controller": '{ name = "weighted_up_down", options = { step = 0.9 } }'}, r"overreacts|never settles"),
    entry("advise", "one difficulty for unlike groups", "all players share a dial",
          {"controller.scope": '"everyone"', "run.replicas": "8", "players.count": "100"},
          r"One difficulty cannot suit everyone|A shared difficulty cannot"),
    entry("advise", "feedback that is late", "outcomes arrive after several attempts",
          {"telemetry.delay_s": "300", "controller": '{ name = "weighted_up_down", options = { step = 0.1 } }'},
          r"attempts late", r"never settles"),
    entry("advise", "dial without grip", "floor and ceiling leave next to nothing",
          {"dial.floor": "0.4", "dial.ceiling": "0.41"}, r"hardly any effect", r"out of reach"),
    entry("advise", "reference as a controller", "the controller knows what no game knows",
          {"controller": '{ name = "oracle" }'}, r"is a reference"),
    # --- verdict
    entry("verdict", "controller that winds up", "its state runs on beyond floor and ceiling",
          {"controller": '{ name = "winds_up", options = { step = 0.1, start = 0.4 } }', "dial.ceiling": "0.36",
           "cohort.regulars.traits.jump": "-1.5", "cohort.regulars.traits.jump_attempt": "60"},
          r"outside the range", OFF),
    entry("verdict", "controller turned round", "it gets easier after a win",
          {"controller": '{ name = "turned_round", options = { step = 0.1, start = 0.4 } }'},
          r"had little room left", OFF),
    entry("verdict", "controller deaf to its target", "it steers for a half",
          {"controller": '{ name = "deaf_to_target", options = { step = 0.04, start = 0.4 } }'},
          r"below the target", OFF),
    entry("verdict", "clipped dial", "floor and ceiling decide more than the controller",
          {"dial.ceiling": "0.3"}, r"had little room left", OFF),
    entry("verdict", "a group that leaves", "newcomers quit before they are judged",
          {"cohort.newcomers.traits.quit_frailty": "-2.5"}, r"newcomers.*never judged",
          OFF + "|newcomers by player|wider than the target|Small sample"),
    entry("verdict", "controller that swings", "steps so large that players never meet their difficulty",
          {"controller": '{ name = "weighted_up_down", options = { step = 0.6, start = 0.4 } }'}, r"swings", OFF),
    entry("verdict", "one repeat of a shared dial", "players share a controller, and there is one repeat",
          {"controller.scope": '"cohort"'}, r"one repeat", OFF + "|not known|one repeat"),
    entry("verdict", "right on average only", "levels by hand that are too easy and too hard",
          {**CAMPAIGN, **FIXED, "levels.params": "{ guess = [0.4, 0.4, 0.0, 0.0] }", "game.params": "{}"},
          r"Furthest off", r"levels|win rates|clear answer|no sensible number"),
    # --- self-test
    entry("self-test", "skill turned round", "who sees further recognises less",
          {"game": '{ name = "turned_skill" }', "dial.path": "{}", **FIXED}, r"More skill wins less"),
    entry("self-test", "knob turned round", "the strongest knob has its ends exchanged",
          {"game": '{ name = "turned_knob" }', "dial.path": "{}", "dial.knobs": '["window_s"]', **FIXED},
          r"hard end of the difficulty is not the harder one"),
    entry("self-test", "luck alone", "the deal decides, not the answers",
          {"game": '{ name = "coin" }', "dial.path": "{}",
           "controller": '{ name = "constant", options = { difficulty = 0.5 } }'},
          r"skill makes no visible difference"),
    entry("self-test", "nothing can be seen", "nearly every attempt is won",
          {**FIXED, "controller.options.difficulty": "0.0", "game.params.guess": "0.5",
           "cohort.newcomers.traits.lapse": "0.0", "cohort.regulars.traits.lapse": "0.0"}, r"^Saturation",
          r"^Known change"),
    entry("self-test", "clipped dial", "floor and ceiling decide more than the controller",
          {"dial.ceiling": "0.3"}, r"^Clipping"),
    # --- compare
    patch("side effect of a patch", "a ceiling for newcomers' sake takes the regulars off target",
          {}, {"dial.ceiling": "0.45"}, r"^regulars: worse"),
    patch("patch without effect", "a path of three points in place of two, on one line", {},
          {"dial.path": "{ difficulty = [0.0, 0.5, 1.0] }"}, r"no effect"),
    patch("patch that drives players away", "losses that hurt more", LEAVERS,
          {**LEAVERS, "players.flow": "{ quit_streak = 1.5 }"}, r"quit_share \+"),
    patch("change that a controller hides", "luck wins more, and the difficulty makes up for it", {},
          {"game.params.guess": "0.2"}, r"difficulty \+"),
    # --- sound, though they look odd
    *(entry(tool, "the sound scenario", "nothing is wrong", {})
      for tool in ("check", "advise", "verdict", "self-test")),
    *(entry(tool, "high targets", "seventeen of twenty attempts are to be won",
            {"target.win_rate": "0.85"}) for tool in ("check", "advise", "verdict", "self-test")),
    *(entry(tool, "narrow dial", "floor and ceiling leave half of the dial, and that suffices",
            {"dial.floor": "0.15", "dial.ceiling": "0.75"})
      for tool in ("check", "advise", "verdict")),
    *(entry(tool, "a plan for players who are alike", "one fixed difficulty, without feedback",
            {"controller": '{ name = "constant", options = { difficulty = 0.395 } }',
             "cohort.newcomers.traits": "{ skill = 0.0, learning = 0.0, quit_frailty = -9.0 }",
             "cohort.regulars.traits": "{ skill = 0.05, learning = 0.0, quit_frailty = -9.0 }"})
      for tool in ("check", "advise", "verdict", "self-test")),
    *(entry(tool, "players who lose on purpose", "sandbagging that the controller can take",
            {"cohort.regulars.traits.thrown": "1"}) for tool in ("check", "verdict")),
    patch("other words", "title and notes differ, and nothing that plays", {}, {"title": '"Another title"'}),
    patch("another pause", "players pause longer, which no outcome depends on", {}, {"players.flow.pause_s": "6.2"}),
    patch("change too small to matter", "the path bends by a thousandth", {},
          {"dial.path": "{ difficulty = [0.0, 0.501, 1.0] }"}),
    patch("players added", "more players of the same kind", {}, {"players.count": "660"}),
)  # fmt: skip
