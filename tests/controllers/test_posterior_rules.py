"""grid_imm, thompson and posm against their formulas, written a second time in the plainest way, and against theory."""

from __future__ import annotations

import math

import numpy as np
import pytest

from controllers.adaptive import grid_imm, posm, thompson
from controllers.common import draws
from controllers.common.skill_grid import POINTS, SKILL_STEP, SKILLS, skills
from engine.arithmetic import logistic
from engine.contract.controller_conduct import brief_for
from engine.controller import Observation, Situation
from engine.kernel import compiled
from engine.randomness import CHANCE, CONTROLLER, key_of, uniform

pytestmark = pytest.mark.thorough

BRIEF = brief_for("player")
TARGET = 0.55
DIAL = np.arange(POINTS) / (POINTS - 1)


def observed(difficulty, won, weight=1.0, target=TARGET, last=1.0):
    return Observation(difficulty, won, won, won, target, 0.0, last, weight)


def before(target=TARGET, attempt=0, last=1.0):
    return Situation(target, attempt, 0, 0, last)


def luck_of(attempt, player=0, seed=41):
    return uniform(key_of(seed, 0, CHANCE, player, attempt), 0)


# --- grid_imm

SLOPES = np.array([5.0, 8.0, 13.0])
ASK, TELL = compiled(grid_imm.ask), compiled(grid_imm.tell)


def plan_of(**options):
    return grid_imm.prepare(grid_imm.Options(**options), BRIEF)


class Plain:
    """The posterior of the note in matrices: modes x slopes x tilts x skills."""

    def __init__(self, tilts=(0.0,), slow=0.005, fast=0.015, hazard=0.01):
        self.tilts = np.array(tilts)
        of_skill = np.exp(-0.5 * ((skills() - 0.5) / 0.15) ** 2)
        self.of_skill = of_skill / of_skill.sum()
        of_slope = np.exp(-0.5 * (np.log(SLOPES / 8.0) / 0.4) ** 2)
        cells = np.einsum("k,i->ki", of_slope, self.of_skill)[None, :, None, :]
        self.w = np.broadcast_to(cells, (4, 3, len(tilts), SKILLS)).copy()
        self.w /= self.w.sum()
        self.moves = [self.move(q) for q in (0.0, slow, fast, 0.0)]
        self.hazards = (0.0, 0.0, 0.0, hazard)

    @staticmethod
    def move(q):
        k = 0.5 * (q / SKILL_STEP) ** 2
        kernel = np.eye(SKILLS) * (1.0 - 2.0 * k) + k * (np.eye(SKILLS, k=1) + np.eye(SKILLS, k=-1))
        kernel[0, 0] += k
        kernel[-1, -1] += k
        return kernel

    def p(self, d, sign):
        a, tilt = SLOPES[:, None, None], self.tilts[None, :, None]
        return 0.02 + 0.96 / (1.0 + np.exp(-a * (skills() - d) - sign * tilt))

    def tell(self, d, won, weight=1.0, share=1.0):
        p = share * self.p(d, 1.0) + (1.0 - share) * self.p(d, -1.0)
        self.w = self.w * np.exp(weight * (won * np.log(p) + (1.0 - won) * np.log(1.0 - p)))
        self.w /= self.w.sum()
        for mode in range(4):
            moved = self.w[mode] @ self.moves[mode]
            h = self.hazards[mode]
            self.w[mode] = (1.0 - h) * moved + h * moved.sum(axis=-1, keepdims=True) * self.of_skill

    def place(self, target, share=1.0):
        cells = self.w.sum(axis=0)
        bad = np.array(
            [
                sum(
                    part * (cells * (self.p(d, sign) - target) ** 2).sum()
                    for part, sign in ((share, 1.0), (1.0 - share, -1.0))
                )
                for d in DIAL
            ]
        )
        i = int(np.argmin(bad))
        if not 0 < i < POINTS - 1:
            return DIAL[i]
        step = 0.5 * (bad[i - 1] - bad[i + 1]) / (bad[i - 1] - 2.0 * bad[i] + bad[i + 1])
        return DIAL[i] + step / (POINTS - 1)


@pytest.mark.parametrize("tilt", [0.0, 0.3], ids=["plain", "tilted"])
def test_the_modes_agree_with_their_matrix_form_and_the_dial_with_a_search_over_all_points(tilt):
    plan = plan_of(tilt=tilt)
    plain = Plain((0.0, 0.3, 0.6) if tilt else (0.0,))
    state = grid_imm.start(plan, TARGET)
    for trial in range(80):
        np.testing.assert_allclose(state.weight, plain.w.ravel(), rtol=1e-8, atol=1e-25)
        target = (0.3, 0.55, 0.8)[trial % 3]
        last = (1.0, 0.0, -1.0, 0.4)[trial % 4]
        share = target if last < 0.0 else last
        place = ASK(plan, state, before(target, trial, last))
        assert place == pytest.approx(plain.place(target, share), abs=0.0025 + 1e-6)
        weight = 20.0 if trial % 10 == 9 else 1.0
        won = 0.45 if weight > 1.0 else float(luck_of(trial) < logistic(8.0 * (0.6 - place)))
        played = place if trial % 5 else 0.4321  # a late one, from a setting nobody asked for
        state = TELL(plan, state, observed(played, won, weight, target, last))
        plain.tell(played, won, weight, share)
    cells = plain.w.sum(axis=(0, 1, 2))
    assert state.skill == pytest.approx((cells * skills()).sum(), rel=1e-7)
    assert state.moving == pytest.approx(1.0 - plain.w[0].sum(), rel=1e-7)


def skill_after_a_jump(**options):
    """The believed skill, mean over players, 30 attempts after a skill of 0.35 became 0.75."""
    plan = plan_of(**options)
    ends = []
    for player in range(30):
        state = grid_imm.start(plan, TARGET)
        for trial in range(110):
            place = ASK(plan, state, before())
            won = luck_of(trial, player) < 0.02 + 0.96 * logistic(8.0 * ((0.75 if trial >= 80 else 0.35) - place))
            state = TELL(plan, state, observed(place, float(won)))
        ends.append(state.skill)
    return sum(ends) / len(ends), state.moving


def test_modes_that_move_find_a_jump_and_take_the_weight():
    moving, weight = skill_after_a_jump()
    still, _ = skill_after_a_jump(slow=0.0, fast=0.0, hazard=0.0)
    assert weight > 0.75 + 0.1
    assert moving > still + 0.1


# --- thompson

ARMS = thompson.prepare(thompson.Options(), BRIEF._replace(floor=0.0, ceiling=1.0))


def test_arms_lie_within_floor_and_ceiling():
    np.testing.assert_allclose(ARMS.arms, np.linspace(0.05, 0.95, 9))
    held = thompson.prepare(thompson.Options(), BRIEF._replace(floor=0.2, ceiling=0.6))
    np.testing.assert_allclose(held.arms, 0.2 + 0.4 * np.linspace(0.05, 0.95, 9))


def test_counts_go_to_the_arm_that_was_played_and_fade():
    plan = ARMS._replace(memory=0.5)
    state = thompson.start(plan, TARGET)
    state = thompson.tell(plan, state, observed(float(ARMS.arms[2]), 1.0))
    state = thompson.tell(plan, state, observed(0.3, 0.25, 4.0))  # clipped: arm 2 is the nearest
    state = thompson.tell(plan, state, observed(1.0, 0.0))
    assert list(state.a) == [1.0, 1.0, 1.0 + 0.5 * (0.5 + 1.0), 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert list(state.b) == [1.0, 1.0, 1.0 + 0.5 * 3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (3.0, 7.0), (60.0, 40.0)])
def test_draws_have_the_moments_of_the_beta_distribution(a, b):
    draw = compiled(thompson.gamma)
    n = 4000
    drawn = np.empty(n)
    for i in range(n):
        key = key_of(42, 0, CHANCE, i, 0)
        wins, losses = draw(key, 0, a), draw(key, thompson.TRIES, b)
        drawn[i] = wins / (wins + losses)
    mean = a / (a + b)
    variance = mean * (1.0 - mean) / (a + b + 1.0)
    assert drawn.mean() == pytest.approx(mean, abs=4.0 * math.sqrt(variance / n))
    # The variance of a sample variance is at most 2 / n of its square here: no Beta with a, b >= 1 has heavy tails.
    assert drawn.var() == pytest.approx(variance, abs=4.0 * variance * math.sqrt(2.0 / n))


def test_the_arm_that_is_known_to_win_at_the_target_is_played():
    state = thompson.start(ARMS, TARGET)
    for arm, place in enumerate(ARMS.arms):
        state = thompson.tell(ARMS, state, observed(float(place), 0.9 - 0.1 * arm, 1e6))
    assert state.best in (float(ARMS.arms[3]), float(ARMS.arms[4]))
    for target, arms in ((0.7, {2}), (0.5, {4}), (0.999, {0}), (0.001, {8})):
        played = {thompson.ask(ARMS, state, before(target, attempt)) for attempt in range(10)}
        assert played == {float(ARMS.arms[arm]) for arm in arms}


def test_luck_is_addressed_by_seed_replica_unit_attempt_and_outcomes():
    state = thompson.start(ARMS, TARGET)

    def places(plan=ARMS, state=state):
        return [thompson.ask(plan, state, before(attempt=attempt)) for attempt in range(30)]

    assert places() == places()
    assert len(set(places())) > 4
    other = thompson.prepare(thompson.Options(), BRIEF._replace(floor=0.0, ceiling=1.0, replica=1))
    assert places(other) != places()
    assert places(ARMS._replace(seed_low=ARMS.seed_low + 1.0)) != places()
    assert places(state=state._replace(told=1.0)) != places()
    assert places(state=state._replace(unit=1.0)) != places()


def test_no_two_draws_share_an_address():
    plan = draws.stream_of(BRIEF._replace(seed=2**40 + 5, replica=3))
    keys = {draws.draw_key(plan, float(unit), float(count)) for unit in (0, 1, 2**31) for count in (0, 1, 2**31)}
    assert len(keys) == 9
    assert keys == {key_of(2**40 + 5, 3, CONTROLLER, unit, count) for _, _, count, unit, _ in keys}
    assert 2 * thompson.ARMS * thompson.TRIES <= thompson.ATTEMPT_BLOCKS
    assert thompson.ATTEMPT_BLOCKS * thompson.ATTEMPTS <= 2**32


# --- posm


def test_weights_and_choice_are_those_of_the_paper():
    options = posm.Options()
    state = posm.start(options, TARGET)
    w = np.ones(41) / 41
    x = np.arange(41) / 40
    played = set()
    for trial in range(120):
        best = max(range(41), key=lambda i: (round(min(w[: i + 1].sum(), w[i:].sum()), 12), -i))
        place = posm.ask(options, state, before())
        assert place == best / 40
        place = place if trial % 6 else 0.77  # late, from another controller
        won = float(luck_of(trial) < logistic(8.0 * (0.6 - place)))
        state = posm.tell(options, state, observed(place, won))
        if won:
            w = np.where(x <= place + 1e-12, w * 0.9 ** (2.0 * 0.45), w)
        else:
            w = np.where(x >= place - 1e-12, w * 0.9 ** (2.0 * 0.55), w)
        w = np.maximum(w / w.sum(), 1e-6)
        np.testing.assert_allclose(state.weight, w, rtol=1e-9)
        played.add(place)
    assert len(played) > 5


def test_several_outcomes_count_as_one_unless_they_shall_count_as_more():
    for scaling, count in ((0.0, 1.0), (0.5, 4.0), (1.0, 16.0)):
        options = posm.Options(scaling=scaling)
        state = posm.tell(options, posm.start(options, TARGET), observed(0.5, 0.25, 16.0))
        ratio = state.weight[0] / state.weight[40]
        assert ratio == pytest.approx(0.9 ** (count * (0.25 * 0.9 - 0.75 * 1.1)))


def test_it_balances_where_the_target_is_won():
    """The multiplicative steps cancel on average where p = target: 2 (1 - T) p = 2 T (1 - p)."""
    options, tell = posm.Options(beta=0.97), compiled(posm.tell)
    for target in (0.35, 0.55, 0.75):
        means = []
        for player in range(16):
            state = posm.start(options, target)
            total = 0.0
            for trial in range(400):
                p = logistic(6.0 * (0.5 - state.difficulty))
                total += p if trial >= 100 else 0.0
                won = float(luck_of(trial, player) < p)
                state = tell(options, state, observed(state.difficulty, won, 1.0, target))
            means.append(total / 300)
        error = np.std(means, ddof=1) / math.sqrt(16)
        assert abs(np.mean(means) - target) < 4.0 * error + 0.02  # two hundredths: half a setting, where p falls 1.5
