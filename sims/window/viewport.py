"""A viewport: an attempt of a synthetic player, tick by tick at some speed, with smooth movement between turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.game import Game, Shape
from sims.playback.stepper import AttemptStepper
from sims.window.palette import blend

RESULT_S: Final = 0.7  # how long the end of an attempt is shown, at normal speed
GLIDE_S: Final = 0.3  # a turn's change is shown as a movement of this length
_ABSTRACT_TICK_S: Final = 1.0  # a closed-form game has no time of its own
_MOST_OWED: Final = 64.0  # ticks; a slow machine drops those beyond


def tick_seconds(game: Game) -> float:
    """Seconds of a tick or turn on the screen at normal speed."""
    return _ABSTRACT_TICK_S if game.pace == "abstract" else game.tick_seconds


class Viewport:
    """Shows attempts. Time passes only in `play` and `ticks`; reading the picture changes nothing."""

    def __init__(self, game: Game) -> None:
        self.stepper: AttemptStepper | None = None
        self.version = 0  # changes with the picture
        self._tick_s = tick_seconds(game)
        self._glide_s = 0.0 if game.pace == "real_time" else min(GLIDE_S, 0.5 * self._tick_s)
        self._owed = 0.0  # ticks that are due
        self._since_s = 0.0  # since the last tick
        self._ended_s = 0.0  # since the end
        self._before: Sequence[Shape] = ()
        self._now: Sequence[Shape] = ()

    @property
    def ended(self) -> bool:
        """Whether its attempt has ended."""
        return self.stepper is not None and self.stepper.ended

    @property
    def free(self) -> bool:
        """Whether it can take the next attempt."""
        return self.stepper is None or (self.ended and self._ended_s >= RESULT_S)

    def show(self, stepper: AttemptStepper) -> None:
        """Begin an attempt."""
        self.stepper = stepper
        self._owed = self._since_s = self._ended_s = 0.0
        self._before = self._now = stepper.shapes()
        self.version += 1

    def play(self, seconds: float) -> None:
        """Advance by so many seconds of the game's time."""
        if self.stepper is None:
            return
        if self.ended:
            self._ended_s += seconds
        else:
            self._owed = min(self._owed + seconds / self._tick_s, _MOST_OWED)
        self.ticks(int(self._owed))
        if self._since_s < self._glide_s:
            self._since_s += seconds
            self.version += 1

    def ticks(self, count: int) -> None:
        """Play so many ticks, or to the end."""
        stepper, made = self.stepper, 0
        if stepper is None:
            return
        while made < count and not stepper.ended:
            stepper.step()
            made += 1
        if not made:
            return
        if stepper.ended:
            stepper.result()  # computed here, not while painting
        self._owed = max(self._owed - made, 0.0)
        self._before, self._now = self._now, stepper.shapes()
        self._since_s = 0.0
        self.version += 1

    def shapes(self) -> Sequence[Shape]:
        """The picture of the moment."""
        if self._since_s < self._glide_s:
            return blend(self._before, self._now, self._since_s / self._glide_s)
        return self._now
