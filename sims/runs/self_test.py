"""Sanity checks: Flowdial tests itself on a scenario before its report is written.

Each of the five checks can fail, and each becomes a line of the report:

- null change: the same players again do exactly the same, and other players differ by no more than chance explains;
- known change: a difficulty that is a tenth higher lowers the win rate;
- skill order: a unit more of skill never wins less, beyond noise, and two units more win more;
- saturation: no win rate lies where no change could move it;
- clipping: most settings stood between floor and ceiling, where the controller has room to both sides.

The first three play a few thousand attempts in the batch kernel, where the run itself was: each cohort at its mean
difficulty, with half of its practice. They use the seed of the scenario and addresses of their own, so a scenario has
one result. The last two read the tallies of the run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.batch import Crowd, batch_rows
from engine.errors import FlowdialError, PluginFault
from engine.game import WON
from engine.inference.difference import Difference, paired_difference
from engine.inference.intervals import SUMS, mean_dial, rate_interval
from engine.parameters import along
from engine.players import COHORT_STRIDE, MIX, TRAIT_NAMES
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from engine.tally import Tally, scheme_of
from sims.catalog import Catalog
from sims.terminal import OnMessage, no_message
from sims.verdict.self_test_record import NOT_TESTED, PASSED, WARNING, Check
from sims.wording import listed, share_of, share_text
from sims.workers.pool import Loss, Pool

Numbers = npt.NDArray[np.float64]

PLAYERS: Final = 1000  # of all cohorts together, in their shares
ATTEMPTS: Final = 2  # of each of them at each setting
STEP: Final = 0.1  # of the dial: the known change
_SURE: Final = 0.999  # confidence: a check of chance alone should warn in one scenario of a thousand, not of twenty
_NEVER, _ALWAYS = 0.02, 0.98  # win rates beyond which a change can no longer be seen
_MOSTLY: Final = 0.5  # share of settings at an end from which floor and ceiling decide more than the controller
_FEWEST: Final = 2  # players of a cohort
_OTHERS: Final = COHORT_STRIDE // 2  # place of the first other player: in the same replica, so with the same luck of
# a whole cohort, which is no chance between players
_PATIENCE_S: Final = 120.0  # for a third-party game to play its attempts


class _Arm(NamedTuple):
    """What was played under one condition, all cohorts one after the other."""

    sums: Numbers  # shape (players, 2): wins and attempts of each player
    hashes: npt.NDArray[np.int64]  # shape (players, ATTEMPTS): state hashes


class Bench:
    """Players of a scenario in its own shares, each cohort where its run had it on average, with half its practice."""

    def __init__(self, setup: Setup, tally: Tally, players: int) -> None:
        self.setup = setup
        self.places = [_place(setup, tally, cohort) for cohort in range(len(setup.cohorts))]
        whole = max(sum(setup.counts), 1)
        self._sizes = [max(_FEWEST, players * number // whole) for number in setup.counts]
        self._practice = [_practice(tally, cohort) for cohort in range(len(setup.cohorts))]
        self.owner = np.repeat(np.arange(len(self._sizes)), self._sizes)  # cohort of each player

    def values(self, place: float) -> Numbers:
        """Params at a place on the dial, shape (1, knobs)."""
        space, path = self.setup.space, self.setup.path
        return np.array([space.real([along(path, j, place) for j in range(len(space))])])

    def play(self, places: Sequence[float], *, skill: float = 0.0, first: int = 0) -> _Arm:
        """Each cohort at its place. skill: what its players have more than they have; first: place of the first one."""
        sums, hashes = [], []
        for cohort, place in enumerate(places):
            size, practice = self._sizes[cohort], self._practice[cohort]
            crowd = Crowd(self._traits(cohort, skill), size, ATTEMPTS, cohort, first, before=practice)
            rows = batch_rows(self.setup.game, self.values(place), crowd, self.setup.seed)[0]
            wins = np.count_nonzero(rows["outcome"] == WON, axis=1)
            sums.append(np.stack([wins, np.full(len(wins), ATTEMPTS)], axis=1).astype(np.float64))
            hashes.append(rows["state_hash"])
        return _Arm(np.concatenate(sums), np.concatenate(hashes))

    def _traits(self, cohort: int, skill: float) -> Numbers:
        """A cohort's table with so much more skill, and without attempts that are lost on purpose.

        The jump of skill is the place for it: it adds to whatever spread the cohort has.
        """
        table: Numbers = self.setup.traits[cohort].copy()
        for name, value in (("jump", skill), ("jump_attempt", 0.0), ("thrown", 0.0)):
            table[TRAIT_NAMES.index(name), :MIX] = (0.0, value, 0.0, value, value, 0.0)
        return table


def self_test(setup: Setup, tally: Tally, players: int = PLAYERS) -> list[Check]:
    """Make all checks on a scenario. tally: of its run; players: of all cohorts together, about."""
    bench = Bench(setup, tally, players)
    base, again = (bench.play(bench.places) for _ in range(2))
    others = bench.play(bench.places, first=_OTHERS)
    weaker, stronger = (bench.play(bench.places, skill=skill) for skill in (-1.0, 1.0))
    return [
        _null_change(base, again, others),
        _known_change(bench, base),
        _skill_order(weaker, base, stronger),
        _saturation(setup, tally),
        _clipping(setup, tally),
    ]


def _place(setup: Setup, tally: Tally, cohort: int) -> float:
    """Where on the dial a cohort was judged, on average; the middle where it never was."""
    found = mean_dial(tally.judged[cohort, 0])
    return 0.5 * (setup.floor + setup.ceiling) if math.isnan(found) else found


def _practice(tally: Tally, cohort: int) -> int:
    """Half of the attempts that a player of a cohort makes on average."""
    players = tally.players(cohort)
    return tally.total(cohort, "attempts") // players // 2 if players else 0


def _null_change(base: _Arm, again: _Arm, others: _Arm) -> Check:
    name = "null change"
    if not np.array_equal(base.hashes, again.hashes):
        differing = int(np.count_nonzero(np.any(base.hashes != again.hashes, axis=1)))
        return Check(
            name,
            WARNING,
            f"Null change: {differing:,} of {len(base.sums):,} players acted differently when they met the same "
            "setting and the same luck again, so no difference between two runs can be trusted.",
        )
    absent = np.zeros_like(base.sums)
    difference = paired_difference(
        np.concatenate([base.sums, absent]), np.concatenate([absent, others.sums]), confidence=_SURE
    )
    text = (
        f"Null change: {len(base.sums):,} players acted exactly the same when they met the same setting again. As many "
        f"other players win {_points(difference)}"
    )
    if difference.low <= 0.0 <= difference.high:
        return Check(name, PASSED, f"{text}, so no change is flagged where there is none.")
    return Check(name, WARNING, f"{text}, so a change is flagged where there is none.")


def _known_change(bench: Bench, base: _Arm) -> Check:
    name = "known change"
    # Where the dial has no room above, the step goes down, and the run's own place is the harder one.
    up = [place + STEP <= 1.0 for place in bench.places]
    moved = [place + STEP if above else place - STEP for place, above in zip(bench.places, up, strict=True)]
    if all(np.array_equal(bench.values(one), bench.values(two)) for one, two in zip(bench.places, moved, strict=True)):
        return Check(
            name,
            NOT_TESTED,
            f"Known change: a difficulty {STEP:g} higher changes no parameter where this run was played.",
        )
    changed = bench.play(moved)
    above = np.array(up)[bench.owner][:, None]
    easier, harder = np.where(above, base.sums, changed.sums), np.where(above, changed.sums, base.sums)
    difference = paired_difference(easier, harder, confidence=_SURE)
    text = f"Known change: at a difficulty {STEP:g} higher the same players win {_points(difference)}"
    if difference.high < 0.0:
        return Check(name, PASSED, f"{text}, so the change is detected.")
    if difference.low > 0.0:
        return Check(name, WARNING, f"{text}, so the hard end of the difficulty is not the harder one here.")
    return Check(name, WARNING, f"{text}, so changes of this size are not detected here.")


def _skill_order(weaker: _Arm, base: _Arm, stronger: _Arm) -> Check:
    name = "skill order"
    steps = [
        paired_difference(*pair, confidence=_SURE) for pair in ((weaker.sums, base.sums), (base.sums, stronger.sums))
    ]
    both = paired_difference(weaker.sums, stronger.sums, confidence=_SURE)
    rates = [float(arm.sums[:, 0].sum() / arm.sums[:, 1].sum()) for arm in (weaker, base, stronger)]
    text = (
        "Skill order: players win {:.0f} % with one unit less of skill, {:.0f} % as they are and {:.0f} % with one more"
    ).format(*(100.0 * rate for rate in rates))
    if any(step.high < 0.0 for step in steps):
        return Check(name, WARNING, f"{text}. More skill wins less, so the game or its players are broken.")
    if both.low > 0.0:
        return Check(name, PASSED, f"{text}, so more skill wins more.")
    return Check(name, WARNING, f"{text}, so skill makes no visible difference here.")


def _saturation(setup: Setup, tally: Tally) -> Check:
    name = "saturation"
    rates = {
        cohort: rate_interval(tally.judged[number, 0], tally.scheme.cluster).rate
        for number, cohort in enumerate(setup.cohorts)
    }
    known = {cohort: rate for cohort, rate in rates.items() if not math.isnan(rate)}
    if not known:
        return Check(name, NOT_TESTED, "Saturation: no player was judged.")
    stuck = [f"{cohort} ({100 * rate:.1f} %)" for cohort, rate in known.items() if not _NEVER < rate < _ALWAYS]
    if stuck:
        return Check(
            name,
            WARNING,
            f"Saturation: {listed(stuck)} win nearly all or none of the attempts, so a change would hardly show.",
        )
    low, high = min(known.values()), max(known.values())
    where = f"is {100 * low:.0f} %" if low == high else f"lies between {100 * low:.0f} and {100 * high:.0f} %"
    return Check(name, PASSED, f"Saturation: the win rate of each group {where}, with room to move up and down.")


def _clipping(setup: Setup, tally: Tally) -> Check:
    """Judged by where the dial stood: a controller that keeps to floor and ceiling by itself is never clipped."""
    name = "clipping"
    at_end, judged = {}, {}
    for number, cohort in enumerate(setup.cohorts):
        judged[cohort] = int(tally.judged[number, 0, SUMS.index("attempts")])
        at_end[cohort] = tally.total(number, "easy_end") + tally.total(number, "hard_end")
    shares = {cohort: share_of(at_end[cohort], judged[cohort]) for cohort in setup.cohorts if judged[cohort]}
    if not shares:
        return Check(name, NOT_TESTED, "Clipping: no attempt was judged.")
    whole = sum(at_end.values()) / sum(judged.values())
    if setup.kind.mode == "deterministic":
        text = f"Clipping: the plan sets the difficulty to floor or ceiling in {share_text(whole)} of judged attempts"
        return Check(name, PASSED, f"{text}, and no controller is held there.")
    worst = max(shares, key=lambda cohort: shares[cohort])
    text = f"Clipping: the difficulty stood at floor or ceiling in {share_text(whole)} of judged attempts"
    text += "" if whole == 0.0 or len(shares) == 1 else f" (highest: {worst}, {share_text(shares[worst])})"
    if shares[worst] > _MOSTLY:
        return Check(name, WARNING, f"{text}, so floor and ceiling decide more than the controller.")
    return Check(name, PASSED, f"{text}.")


def _points(difference: Difference) -> str:
    """A difference of win rates in points, with its margin."""
    value, low, high = (100.0 * number for number in (difference.value, difference.low, difference.high))
    word = "more" if value >= 0.0 else "less"
    if word == "less":
        value, low, high = -value, -high, -low
    return f"{value:.1f} points {word} often ({100 * _SURE:g} % margin {low:.1f} to {high:.1f})"


def run_checks(
    scenario: Scenario, tally: Tally, *, apart: bool, on_message: OnMessage = no_message
) -> list[dict[str, str]]:
    """The checks of a run, for its manifest. apart: in a process of its own, where a third-party plug-in takes part.

    An error of a game becomes a line here: the rows are worth more than the checks.
    """
    chosen: dict[str, Any] = {"noun": "sanity check", "deadline_s": _PATIENCE_S, "apart": apart, "explain": give_up}
    chosen["on_message"] = on_message
    try:
        with Pool(1, _setup, scenario, self_test, **chosen) as pool:
            checks = next(iter(pool.run([(1, tally)])))[1]
    except FlowdialError as fault:
        checks = [Check("all", NOT_TESTED, f"Not tested: {str(fault).rstrip('.')}.")]
    return [check._asdict() for check in checks]


def warm(setup: Setup) -> None:
    """Play a few attempts, so that the kernel is compiled."""
    bench = Bench(setup, Tally.empty(scheme_of(setup, 0)), players=0)
    bench.play(bench.places)


def _setup(scenario: Scenario) -> Setup:
    return setup_of(scenario, Catalog())


def give_up(tally: Tally, loss: Loss) -> None:
    """Do not try again what ended its worker: after a run that went well, a longer wait is not worth it.

    A worker that a signal had stopped says nothing about the game.
    """
    if loss.stopped:
        return
    raise PluginFault(f"the game {loss.fate} in a sanity check")
