"""What is wrong with a registered game, each in a sentence: what a designer should know before a run.

Some thousand attempts are played at settings along the dial, by players who differ in skill alone. All settings and
skills meet the same dice, so differences are paired. Noise is what lies within four standard errors.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.attempt import Address
from engine.contract.game_rules import faculties_at
from engine.errors import EnvironmentFault
from engine.external.external_game import AttemptUnplayed, ExternalGame, Meeting, Reply, played_elsewhere
from engine.game import LOST, TIMED_OUT, WON
from sims.connect.connected_player import START_S, ConnectedPlayer, shake_hands
from sims.connect.registry import Registration, game_of

FindingState = Literal["fine", "wrong", "unknown"]
Numbers = npt.NDArray[np.float64]

ROUNDS: Final = 200  # attempts of one cell
SKILLS: Final = (-1.5, 0.0, 1.5)
PLACES: Final = (0.2, 0.5, 0.8)  # of all knobs together, from their easy ends to their hard ends
SURE: Final = 4.0  # standard errors
SEED: Final = 20261
_OFTEN_S: Final = 0.2  # share of the limit that an attempt takes at most, where all is well


class Finding(NamedTuple):
    """What a check has found."""

    check: str
    state: FindingState
    sentence: str


class _Cells:
    """Attempts of one game, played once for each setting and skill."""

    def __init__(self, game: ExternalGame) -> None:
        self._game = game
        self._known: dict[tuple[tuple[float, ...], float], list[Reply]] = {}

    def play(self, values: Sequence[float], skill: float) -> list[Reply]:
        key = (tuple(values), skill)
        if key not in self._known:
            able, array = faculties_at(skill), np.array(values, dtype=np.float64)
            meetings = (Meeting(array, able, Address(SEED, 0, i, 0, 0)) for i in range(ROUNDS))
            self._known[key] = [reply for _, reply in played_elsewhere(self._game, meetings)]
        return self._known[key]

    @property
    def all(self) -> list[Reply]:
        return [reply for replies in self._known.values() for reply in replies]


def check_connected(registration: Registration, on_message: Callable[[str], None]) -> list[Finding]:
    """Start a registered game, play it, and tell what was found. on_message: takes a sentence about a long wait."""
    began = time.monotonic()
    try:
        child, said = shake_hands(registration.launch, START_S)
    except EnvironmentFault as fault:
        return [Finding("handshake", "wrong", f"Handshake: {fault}")]
    child.end(politely=True)
    took_s = time.monotonic() - began
    if said.text != registration.handshake:
        sentence = "Handshake: the game says something else of itself than when it was registered; register it again."
        return [Finding("handshake", "wrong", sentence)]
    word = f"Handshake: {said.name}, version {said.version}, answered after {took_s:.1f} s."
    findings = [Finding("handshake", "fine", word)]
    game = game_of(registration)
    player = game.player
    assert isinstance(player, ConnectedPlayer)
    try:
        findings += _played(game, player, registration, on_message)
    except AttemptUnplayed as fault:
        lines = f" Its last lines: {player.last_lines}" if player.last_lines else ""
        findings.append(
            Finding("attempts", "wrong", f"Attempts: one failed twice, with {fault.why.type}: {fault}.{lines}")
        )
    finally:
        player.close(politely=True)
    return findings


def _played(
    game: ExternalGame, player: ConnectedPlayer, registration: Registration, on_message: Callable[[str], None]
) -> Iterator[Finding]:
    cells, middle = _Cells(game), [_values(game, place) for place in PLACES]
    one_s = _timed(game, middle[1], 5)
    if player.starts > 1:  # each would cost a start, and the checks would take for ever
        yield _restarts(player, player.starts - 1, 6)
        return
    total = ROUNDS * (len(SKILLS) * len(PLACES) + 2 * len(game.space) + 2)
    if one_s * total > 5.0:
        on_message(f"playing {total:,} attempts of {game.name}, about {one_s * total:.0f} s.")
    yield _same_dice(game, player, cells, middle)
    yield _skill_order(cells, middle)
    yield from _knobs(game, cells)
    yield _ends(game, cells)
    yield _causes(game, cells)
    yield _speed(game, middle[1])
    yield _limits(cells, one_s, registration.limit_s)
    yield _restarts(player, player.starts - 2, len(cells.all))  # the second half is another process


def _values(game: ExternalGame, place: float) -> list[float]:
    return game.space.real([place] * len(game.space))


def _timed(game: ExternalGame, values: Sequence[float], count: int) -> float:
    """Seconds for one attempt that travels alone. One before pays for the start."""
    meetings = [Meeting(np.array(values), faculties_at(0.0), Address(SEED, 0, i, 0, 0)) for i in range(count)]
    list(played_elsewhere(game, meetings[:1]))
    began = time.monotonic()
    for meeting in meetings:
        list(played_elsewhere(game, [meeting]))
    return (time.monotonic() - began) / count


def _same_dice(
    game: ExternalGame, player: ConnectedPlayer, cells: _Cells, middle: Sequence[Sequence[float]]
) -> Finding:
    first = [reply for values in middle for reply in cells.play(values, 0.0)]
    player.close(politely=True)  # another process, and another order
    again = [reply for values in reversed(middle) for reply in _Cells(game).play(values, 0.0)[::-1]][::-1]
    differing = sum(one != two for one, two in zip(first, again, strict=True))
    count = f"{len(first):,} attempts"
    if not differing:
        return Finding("same dice", "fine", f"Same dice: {count} ended the same in a second process.")
    if game.deterministic:
        sentence = (
            f"Same dice: {differing:,} of {count} ended otherwise with the same seed in a second process; take all "
            "luck from seed and level_seed, or say that the game is not deterministic."
        )
        return Finding("same dice", "wrong", sentence)
    sentence = f"Same dice: {differing:,} of {count} ended otherwise, as the game says, so verify replays no row."
    return Finding("same dice", "unknown", sentence)


def _wins(replies: Sequence[Reply]) -> Numbers:
    return np.array([reply.outcome == WON for reply in replies], dtype=np.float64)


def _reached(replies: Sequence[Reply]) -> Numbers:
    return np.array([reply.progress for reply in replies])


def _beyond(differences: Numbers) -> int:
    """1 or -1 for a mean that is above or below 0 beyond noise, else 0."""
    error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    mean = float(differences.mean())
    return int(math.copysign(1.0, mean)) if abs(mean) > SURE * error and mean else 0


def _skill_order(cells: _Cells, middle: Sequence[Sequence[float]]) -> Finding:
    by_skill = [[reply for values in middle for reply in cells.play(values, skill)] for skill in SKILLS]
    rates = ", ".join(f"{100 * _wins(replies).mean():.0f} %" for replies in by_skill)
    text = f"Skill order: players of skill {', '.join(f'{skill:g}' for skill in SKILLS)} win {rates}"
    weak, strong = by_skill[0], by_skill[-1]
    found = _beyond(_wins(strong) - _wins(weak)) or _beyond(_reached(strong) - _reached(weak))
    if found > 0:
        return Finding("skill order", "fine", f"{text}.")
    if found < 0:
        return Finding("skill order", "wrong", f"{text}: more skill wins less; look at how the bot reads player.")
    return Finding("skill order", "wrong", f"{text}: skill makes no difference; let the bot read player.")


def _knobs(game: ExternalGame, cells: _Cells) -> Iterator[Finding]:
    idle, turned, fine = [], [], []
    for j, knob in enumerate(game.space.knobs):
        ends = []
        for place in (0.0, 1.0):
            values = game.space.defaults()
            values[j] = _values(game, place)[j]
            ends.append(cells.play(values, 0.0))
        easy, hard = ends
        if easy == hard:
            idle.append(knob.name)
        elif _beyond(_wins(hard) - _wins(easy)) > 0:
            turned.append(knob.name)
        else:
            fine.append(knob.name)
    for name in idle:
        yield Finding("knobs", "wrong", f"Knobs: {name} changes nothing from end to end; let the game read it.")
    for name in turned:
        yield Finding("knobs", "wrong", f'Knobs: the hard end of {name} wins more; turn its "harder" round.')
    if fine:
        yield Finding("knobs", "fine", f"Knobs: {', '.join(fine)} change how attempts end.")


def _ends(game: ExternalGame, cells: _Cells) -> Finding:
    easy, hard = (float(_wins(cells.play(_values(game, place), 0.0)).mean()) for place in (0.0, 1.0))
    text = (
        f"Dial: with all knobs together, skill 0 wins {100 * easy:.0f} % at the easy end and {100 * hard:.0f} % at the"
    )
    if easy - hard > 0.2:
        return Finding("dial", "fine", f"{text} hard end.")
    return Finding("dial", "wrong", f"{text} hard end, too little for a controller to act on; widen the ranges.")


def _causes(game: ExternalGame, cells: _Cells) -> Finding:
    seen = {reply.cause for reply in cells.all if reply.outcome == LOST}
    missing = [cause for k, cause in enumerate(game.causes) if k not in seen]
    if not missing:
        return Finding("ways to lose", "fine", f"Ways to lose: {', '.join(game.causes)} all occur.")
    return Finding("ways to lose", "unknown", f"Ways to lose: {', '.join(missing)} did not occur here.")


def _speed(game: ExternalGame, values: Sequence[float]) -> Finding:
    array, able = np.array(values), faculties_at(0.0)
    count = 0
    began = time.monotonic()
    while time.monotonic() - began < 1.0:
        meetings = [Meeting(array, able, Address(SEED, 0, count + i, 1, 0)) for i in range(game.player.most)]
        count += len(list(played_elsewhere(game, meetings)))
    rate = count / (time.monotonic() - began)
    return Finding("speed", "fine", f"Speed: {rate:,.0f} attempts a second with one worker, before rows are written.")


def _limits(cells: _Cells, one_s: float, limit_s: float) -> Finding:
    replies = cells.all
    stopped = sum(reply.outcome == TIMED_OUT for reply in replies)
    text = f"Time: an attempt takes {1000 * one_s:.1f} ms of the {limit_s:g} s allowed, and {stopped:,} of "
    text += f"{len(replies):,} were stopped by the game's own time limit"
    if one_s > _OFTEN_S * limit_s:
        return Finding("time", "wrong", f"{text}; register it with a longer --limit.")
    return Finding("time", "fine", f"{text}.")


def _restarts(player: ConnectedPlayer, more: int, attempts: int) -> Finding:
    if more <= 0:
        return Finding("restarts", "fine", "Restarts: none was needed.")
    lines = f" Its last lines: {player.last_lines}" if player.last_lines else ""
    text = f"Restarts: {more} were needed for {attempts:,} attempts, the last since {player.last_fault}.{lines}"
    return Finding("restarts", "wrong", text)
