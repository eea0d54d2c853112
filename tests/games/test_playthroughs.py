"""Recorded attempts still come out the same, and every game has recordings.

After a deliberate change of rules: `pytest tests/games/test_playthroughs.py --regenerate-playthroughs`, raise the
game's version, and read the difference.
"""

from __future__ import annotations

import numpy as np
import pytest

from engine.attempt import Result, attempt_of
from engine.contract.game_rules import step_through
from engine.game import LOST
from engine.kernel import compiled
from sims.catalog import Catalog
from tests.kit import playthrough
from tests.kit.playthrough import FOLDER

CATALOG = Catalog()
GAMES = [entry.name for entry in CATALOG.games() if entry.origin == "built-in"]
FEWEST = 3


def recordings(game):
    return sorted(FOLDER.glob(f"{game}-*.txt"))


@pytest.mark.parametrize("name", GAMES)
def test_the_recordings_of_a_game_come_out_the_same(name, request):
    game = CATALOG.game_with_rules(name)
    if request.config.getoption("--regenerate-playthroughs"):
        regenerate(name)
    for path in recordings(name):
        text = path.read_text(encoding="utf-8")
        assert playthrough.text_of(game, playthrough.script_of(text, game)) == text, path.name


def regenerate(name):
    """Play all recordings of a game again, after finding attempts to record where there are none."""
    game = CATALOG.game_with_rules(name)
    FOLDER.mkdir(exist_ok=True)
    scripts = {
        path.stem.removeprefix(f"{name}-"): playthrough.script_of(path.read_text(encoding="utf-8"), game)
        for path in recordings(name)
    }
    for story, script in (scripts or playthrough.found_scripts(game)).items():
        text = playthrough.text_of(game, script)
        (FOLDER / f"{name}-{story}.txt").write_text(text, encoding="utf-8", newline="\n")


@pytest.mark.parametrize("name", GAMES)
def test_every_game_has_recordings_of_a_win_and_of_every_cause_of_a_loss(name):
    texts = [path.read_text(encoding="utf-8") for path in recordings(name)]
    assert len(texts) >= FEWEST, f"record {name}: pytest tests/games/test_playthroughs.py --regenerate-playthroughs"
    assert any("\noutcome won\n" in text for text in texts)
    for cause in CATALOG.game_with_rules(name).causes:
        assert any(f"\ncause {cause}\n" in text for text in texts), cause


@pytest.mark.parametrize("name", GAMES)
def test_stepping_through_an_attempt_gives_what_the_kernel_gives(name):
    game = CATALOG.game_with_rules(name)
    for path in recordings(name):
        script = playthrough.script_of(path.read_text(encoding="utf-8"), game)
        kernel = compiled(attempt_of(game))
        result = Result(*kernel(np.array(script.values), script.faculties, *script.address))
        last = list(step_through(game, np.array(script.values), script.faculties, script.address))[-1]
        assert result == playthrough.result_of(game, script)
        assert result.ticks == last.tick
        assert game.status(last.params, last.level, last.state) in (result.outcome, 0)
        if result.outcome == LOST:
            assert game.cause(last.params, last.level, last.state) == result.cause


def test_no_recording_belongs_to_a_game_that_is_gone():
    assert [path.name for path in FOLDER.glob("*.txt") if path.name.partition("-")[0] not in GAMES] == []
