"""Our games as environments: Gymnasium's own checker, the same seed twice, and the rules that a run compiles."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from engine.errors import EnvironmentFault, ScenarioError

gymnasium = pytest.importorskip("gymnasium", reason="needs the extra rl")

from engine.attempt import Address  # noqa: E402
from engine.game import PERFECT  # noqa: E402
from sims.catalog import Catalog  # noqa: E402
from sims.gym_env.game_env import GameEnv  # noqa: E402
from sims.playback.stepper import AttemptStepper  # noqa: E402

pytestmark = pytest.mark.extras
GAMES = ("gap_runner", "tile_match", "boss_duel")


@pytest.mark.parametrize("name", GAMES)
def test_gymnasiums_own_checker_finds_nothing(name, recwarn):
    from gymnasium.utils.env_checker import check_env

    check_env(GameEnv(name), skip_render_check=True)
    known = ("infinity", "`spec`", "spec is None", "not registered")  # no bounds are known, and we register nothing
    assert [said for warning in recwarn if not any(one in (said := str(warning.message)) for one in known)] == []


@pytest.mark.parametrize("name", GAMES)
def test_the_same_seed_and_actions_give_the_same_episode(name):
    episodes = []
    for _ in range(2):
        env = GameEnv(name, difficulty=0.3)
        seen, _ = env.reset(seed=5)
        taken = np.random.default_rng(1)
        rewards, ended = [], False
        while not ended:
            seen, reward, terminated, truncated, info = env.step(taken.integers(env.action_space.n))
            rewards.append(reward)
            ended = terminated or truncated
        assert sum(rewards) == pytest.approx(info["progress"] + (info["outcome"] == "won"), abs=1e-9)
        episodes.append((seen.tolist(), rewards, info))
    assert episodes[0] == episodes[1]


@pytest.mark.parametrize("name", GAMES)
def test_an_expert_who_plays_through_the_environment_ends_as_in_a_run(name):
    game = Catalog().game_with_rules(name)
    env = GameEnv(name, difficulty=0.2)
    values = np.array(game.space.real([0.2] * len(game.space)))
    for seed in range(3):
        env.reset(seed=seed)
        own = int(np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed))).integers(2**63))
        stepper = AttemptStepper(game, values, PERFECT, Address(own, 0, 0, 0, 0))
        while not stepper.ended:
            stepper.step()
            _, _, terminated, truncated, info = env.step(np.int64(stepper.action))
            assert (terminated or truncated) == stepper.ended
        assert info["progress"] == stepper.progress


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"difficulty": 2.0}, "from 0 to 1"),
        ({"params": {"sped": 5.0}}, "did you mean 'speed'"),
        ({"params": {"speed": 50.0}}, "must lie in"),
        ({"params": {"hazards": "gap"}}, "is one of"),
    ],
)
def test_wrong_settings_are_sentences(words, said):
    with pytest.raises(ScenarioError, match=said):
        GameEnv("gap_runner", **words)


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    monkeypatch.delitem(sys.modules, "sims.gym_env.game_env")
    with pytest.raises(EnvironmentFault, match=r"install flowdial\[rl\]"):
        __import__("sims.gym_env.game_env")
