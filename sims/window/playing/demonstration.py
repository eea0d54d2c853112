"""A synthetic player at the keys of `play`, for recordings of the whole window.

No rows are kept: a row whose source is `human` was always played by a person.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

from engine.errors import ScenarioError
from engine.game import Faculties
from sims.catalog import Catalog
from sims.playback.stepper import AttemptStepper, HumanAction
from sims.terminal import show
from sims.window.playing.play import scenario_for_play
from sims.window.playing.play_picture import paint_play
from sims.window.playing.play_scene import DEMONSTRATOR, PlayScene
from sims.window.recording_folder import begin_recording
from sims.window.screen import show_scene

_START_S: Final = 2.0  # seconds that the start screen is shown
_CARD_S: Final = 2.5
_TURN_S: Final = 0.7  # before each turn, so that viewers can follow


class Demonstration(PlayScene):
    """The scene of `play` with a good but imperfect synthetic player at the keys."""

    demonstrated = True

    def __init__(
        self, *arguments: Any, attempts: int | None = None, faculties: Faculties = DEMONSTRATOR, **choices: Any
    ) -> None:
        """attempts: end after so many, None for never; faculties: of the player. The others are those of PlayScene."""
        super().__init__(*arguments, **choices)
        self._faculties = faculties
        self._attempts = attempts
        self._double: AttemptStepper | None = None  # the same attempt, played by the synthetic player

    def advance(self, seconds: float) -> None:
        if self.refusal:
            raise ScenarioError(self.refusal)
        if self.stage == "start" and self.since_s >= _START_S:
            self._open_soon()
        elif self.stage == "opening" and self._opening is not None:
            self._opening.result()  # a recorded frame stands for its time, however long it took
        elif self.stage == "playing" and self.game.pace != "real_time" and self.since_s >= _TURN_S:
            self._wanted = 0  # a placeholder: `_do` takes the synthetic player's action
        elif self.stage == "card" and self.since_s >= _CARD_S:
            self.done = self._attempts is not None and len(self.outcomes) >= self._attempts
            if not self.done:
                self._begin()
        super().advance(seconds)

    def _begin(self) -> None:
        super()._begin()
        assert self.current is not None  # set when the previous attempt ended
        stepper = self.current.stepper
        self._double = AttemptStepper(stepper.game, stepper.values, self._faculties, stepper.address)

    def _do(self, human_action: HumanAction) -> None:
        assert self._double is not None  # made when the attempt began
        self._double.step()
        super()._do(human_action._replace(action=self._double.action))


def demonstrate(
    game: str,
    record: Path,
    *,
    controller: str | None = None,
    target: float | None = None,
    scenario: str | None = None,
    seed: int | None = None,
    frames: int | None = None,
    size: tuple[int, int] | None = None,
    fps: int | None = None,
) -> int:
    """Record a synthetic player at the keys, without a screen: one attempt, or so many frames.

    record: .png, .webp, .gif or .mp4. size, fps: as in `sims.window.screen.show_scene`. The others are those of
    `sims.window.playing.play.play`. Raises ScenarioError when the controller cannot play the scenario.
    """
    catalog = Catalog()
    chosen = scenario_for_play(catalog, game, controller, scenario, seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = begin_recording(Path(scratch) / "sitting", game, chosen)
        attempts = 1 if frames is None else None
        scene = Demonstration(chosen, catalog, folder, controller=controller, target=target, attempts=attempts)
        try:
            title = f"Flowdial play: {game}"
            show_scene(scene, paint_play, title, record=record, frames=frames, size=size, fps=fps)
        finally:
            scene.close()
    show(f"picture {record}")
    return 0
