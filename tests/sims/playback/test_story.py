"""Why attempts were lost: the sentence against reaction, slip, lapse and foresight, worked out here once more."""

from __future__ import annotations

import re

import pytest

from engine.attempt import AT_REST, act, luck_of, opening_of
from engine.game import RUNNING
from engine.randomness import unit, words
from games import boss_duel, gap_runner
from sims.playback.row_choice import attempts_file, choose_row, read_row, rows_of_pick
from sims.playback.story import MOMENT_KINDS, story_of
from sims.run_folder.row_file import open_table
from tests.kit.window import small_run

LOSSES = 30
TICK_S = gap_runner.TICK_S
NUMBER = r"(\d+\.\d+) s"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


def losses(folder, game):
    table = open_table(attempts_file(small_run(folder, game, players=20, attempts=30)))
    found = [read_row(table, number) for number in rows_of_pick(table, "first loss")[:LOSSES]]
    assert len(found) == LOSSES
    return found


def error_of(row, key, block):
    """slip, lapse or neither, by the row's shares."""
    drawn = unit(words(key, block)[2])
    lapse, slip = row.cells["lapse"], row.cells["slip"]
    return "lapse" if drawn < lapse else "slip" if drawn < lapse + slip else ""


def last_jump(row):
    """What the runner last wanted at the obstacle that took the last heart: (left, delay in ticks, aimed, error)."""
    game, faculties = gap_runner.GAME, row.faculties
    opened = opening_of(game)(row.values, *row.address)
    params, level, state = opened.params, opened.level, opened.state
    motor, tick, wants = AT_REST, 0, {}
    while game.status(params, level, state) == RUNNING:
        wanted = gap_runner.expert(params, level, state, faculties)
        left_s = gap_runner.until_due(params, state)
        sees = state.at - state.x <= params.sight_m * min(row.cells["foresight"], 1.0)
        due_s = 0.0 if wanted == gap_runner.RUN else max(left_s, 0.0)
        now = act(motor, wanted, due_s, 3, faculties, opened.motor, tick, TICK_S)
        if now.changes > motor.changes and wanted != gap_runner.RUN:
            assert sees, "nobody wants what they cannot see"
            usual_s = row.cells["reaction_s"] + row.cells["reaction_tail_s"]
            error = error_of(row, opened.motor, motor.changes)
            held = not error and motor.action == wanted
            wants[state.ahead] = (due_s, now.due - tick, due_s > usual_s - TICK_S, "held" if held else error, tick)
        motor = now
        ahead = state.ahead
        state = game.step(params, level, state, motor.action, luck_of(game, opened.chance, tick), tick)
        tick += 1
    return wants.get(ahead), tick - 1


def test_thirty_falls_of_gap_runner_are_told_as_they_were(folder):
    told = set()
    for row in losses(folder, "gap_runner"):
        why = story_of(row.recording().stepper).why
        wanted, hit = last_jump(row)
        if wanted is None:
            assert why.startswith("saw it too late"), why
            assert f"foresight {row.cells['foresight']:.2f}" in why
            continue
        left_s, ticks, aimed, error, tick = wanted
        late_s = ticks * TICK_S - left_s
        told.add(error or ("aimed" if aimed else "reaction"))
        if error == "lapse":
            assert why.endswith(f"a lapse, as in {100 * row.cells['lapse']:.0f} % of intents"), why
        elif error == "slip":
            assert why.endswith(f"a slip, as in {100 * row.cells['slip']:.0f} % of intents"), why
        elif error == "held":
            assert "key was still down" in why
        elif aimed:
            assert "aimed" in why or "as it was meant" in why, why
            if found := re.search(rf"came {NUMBER} too (late|early)", why):
                signed = float(found[1]) * (1 if found[2] == "late" else -1)
                assert signed == pytest.approx(late_s, abs=0.5 * TICK_S + 0.0051), why
        else:
            late, reaction, left = (float(number) for number in re.findall(NUMBER, why))
            assert left == pytest.approx(left_s, abs=0.0051)
            assert reaction == pytest.approx(ticks * TICK_S, abs=0.5 * TICK_S + 0.0051), why
            assert late == pytest.approx(abs(reaction - left), abs=0.0101)
            assert why.startswith("was hit before") == (tick + ticks > hit)
    assert len(told) >= 3, "the losses are of several kinds"


def turns_of(row):
    """Per turn: (best, wanted, error, latency at which the wind-up is recognised)."""
    game, stepper = boss_duel.GAME, row.recording().stepper
    opened = opening_of(game)(row.values, *row.address)
    params, level, state = opened.params, opened.level, opened.state
    usual_s = row.cells["reaction_s"] + row.cells["reaction_tail_s"]
    found, tick = [], 0
    while game.status(params, level, state) == RUNNING:
        enough_s = params.telegraph_s * row.cells["foresight"] / boss_duel.effort(state.disguise)
        heals = state.potions > 0 and state.health + params.heal <= boss_duel.HEALTH
        danger = state.health <= boss_duel.BLOWS[boss_duel.HEAVY] * params.damage * level.might
        knows = boss_duel.HEAL if heals and (state.windup == boss_duel.REST or (danger and state.windup == 0)) else None
        best = int(boss_duel.ANSWERS[state.windup]) if knows is None else knows
        blind = boss_duel.HEAL if heals and danger else boss_duel.ATTACK
        wanted = best if usual_s <= enough_s else blind
        found.append((best, wanted, error_of(row, opened.motor, tick), enough_s))
        stepper.step()
        state, tick = stepper.state, tick + 1
    return found


def test_thirty_defeats_of_boss_duel_are_told_as_they_were(folder):
    told = set()
    for row in losses(folder, "boss_duel"):
        why, turns = story_of(row.recording().stepper).why, turns_of(row)
        best, wanted, error, enough_s = turns[-1]
        usual_s = row.cells["reaction_s"] + row.cells["reaction_tail_s"]
        counts = {
            "not seen": sum(not one[2] and one[0] != one[1] for one in turns),
            "slip": sum(one[2] == "slip" for one in turns),
            "lapse": sum(one[2] == "lapse" for one in turns),
        }
        for word, number in counts.items():
            assert (f"{number} {word}" in why) == (number > 0), why
        assert f"in {len(turns)} turns" in why
        told.add(error or ("seen" if wanted == best else "not seen"))
        if error == "lapse":
            assert f"a lapse, as in {100 * row.cells['lapse']:.0f} % of turns" in why
        elif error == "slip":
            assert f"in place of {boss_duel.ACTIONS[wanted]}: a slip" in why
        elif wanted != best:
            reaction, left = (float(number) for number in re.findall(NUMBER, why))
            assert reaction == pytest.approx(usual_s, abs=0.00051)
            assert left == pytest.approx(enough_s, abs=0.00051), why
            assert f"did not see that {boss_duel.ACTIONS[best]} was best" in why
        else:
            assert f"{boss_duel.ACTIONS[best]} at the end was the best" in why
    assert len(told) >= 3


@pytest.mark.parametrize("game", ["gap_runner", "boss_duel", "tile_match"])
def test_the_events_are_in_order_and_the_attempt_ends_as_its_row(folder, game):
    path = small_run(folder, game, players=20, attempts=30)
    for words_of_pick in ("first loss", "first win", "hardest win"):
        row = choose_row(path, pick=words_of_pick)
        stepper = row.recording().stepper
        story = story_of(stepper)
        assert stepper.result().state_hash == row.cells["state_hash"], "telling changes nothing"
        ticks = [moment.tick for moment in story.moments]
        assert ticks == sorted(ticks)
        assert ticks[0] >= 0
        assert ticks[-1] < row.cells["ticks"]
        assert {moment.kind for moment in story.moments} <= set(MOMENT_KINDS)
        assert bool(story.why) == (row.cells["outcome"] == "lost")
        if game == "gap_runner" and row.cells["outcome"] == "lost":
            hearts = int(row.values[[knob.name for knob in row.game.space].index("hearts")])
            assert sum(moment.kind == "hit" for moment in story.moments) == hearts
