"""What follows from the change itself stands apart, and is not tested."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sims.comparison.changed_keys import ChangedKey
from sims.comparison.comparison import compare
from sims.comparison.differences import EVERYBODY
from sims.comparison.metrics import metrics_for
from sims.comparison.tautologies import follows, removed_causes, without_causes
from tests.sims.comparison.test_finished_runs import HARD, scenario

METRICS = metrics_for(("gap", "spike", "beam"), 0)
PLACES = {metric.name: place for place, metric in enumerate(METRICS)}
LOST = [PLACES[f"lost_{cause}"] for cause in ("gap", "spike", "beam")]
RULES = [ChangedKey("game.params.hazards", '"all"', '"gaps"')]


def sums(*losses) -> np.ndarray:
    """Of one player for each triple: losses by cause, of all losses."""
    found = np.zeros((1, len(losses), len(METRICS) - 1, 2))
    for player, own in enumerate(losses):
        found[0, player, LOST, 0] = own
        found[0, player, LOST, 1] = sum(own)
    return found


def of(found, metric, cohort=EVERYBODY):
    changes = [change for change in found.changes if change.metric.name == metric]
    return next((change for change in changes if change.cohort == cohort), changes[0])


def test_a_cause_is_removed_where_the_game_has_changed_and_it_is_gone():
    before, after = [sums((5, 3, 2), (4, 4, 0))], [sums((5, 0, 2), (4, 0, 1))]
    assert removed_causes(RULES, METRICS, before, after) == {LOST[1]: "before"}
    assert removed_causes(RULES, METRICS, after, before) == {LOST[1]: "after"}
    by_controller = [ChangedKey("controller.options.difficulty", "0.5", "0.1")]
    assert removed_causes(by_controller, METRICS, before, after) == {}
    assert removed_causes(RULES, METRICS, before, [sums((0, 0, 0))]) == {}  # nobody lost
    assert follows(METRICS[LOST[1]], LOST[1], RULES, {LOST[1]: "before"}) == "only the scenario before has this cause"
    assert follows(METRICS[LOST[0]], LOST[0], RULES, {LOST[1]: "before"}) == ""


def test_other_causes_are_shares_of_what_is_left():
    shares = without_causes(sums((5, 3, 2)), LOST, [LOST[1]])[0, 0, LOST]
    assert shares.tolist() == [[5.0, 7.0], [3.0, 10.0], [2.0, 7.0]]
    whole = sums((5, 3, 2))
    assert without_causes(whole, LOST, []) is whole


def test_a_hazard_that_is_taken_out_is_no_news():
    one, two = (
        scenario(
            f"{name}.toml", game="gap_runner", players=100, options=f'{HARD}\n[game.params]\nhazards = "{hazards}"'
        )
        for name, hazards in (("all", "gaps_spikes_beams"), ("gaps", "gaps"))
    )
    found = compare(one, two, workers=1)
    gone = [change for change in found.changes if change.follows.startswith("only the scenario before")]
    assert {change.metric.name for change in gone} == {"lost_hit_a_spike", "lost_hit_a_beam"}
    assert all(math.isnan(change.p_adjusted) and not change.flagged for change in gone)
    gap = of(found, "lost_fell_into_a_gap")
    assert gap.difference.before == pytest.approx(1.0, abs=0.2)  # of the losses that both can have
    assert not gap.flagged
    text = found.text
    assert "Follow from what was changed itself" in text
    assert text.index("Each player group against its target") < text.index("Follow from what was changed itself")
    assert 'Only all.toml has losses "hit a spike"' in text


def test_a_shorter_campaign_is_compared_by_the_levels_that_both_have():
    one, two = (
        scenario(f"{count}.toml", levels=f'kind = "campaign"\ncount = {count}', after=0, attempts=60)
        for count in (20, 4)
    )
    found = compare(one, two, workers=1)
    assert of(found, "levels_passed").difference.before <= 4.0
    for name in ("attempts", "sessions", "play_time_s"):
        change = of(found, name)
        assert change.follows == "levels.count limits it"
        assert not change.matters
    assert not of(found, "win_rate").follows


def test_more_attempts_by_a_longer_horizon_are_no_news():
    found = compare(scenario(), scenario("long.toml", attempts=60), workers=1)
    assert of(found, "attempts").follows == "horizon.attempts_per_player limits it"
    assert of(found, "attempts").difference.value > 0.0
    assert found.changes[-1].follows
    assert not any(change.metric.name == "attempts" for change in found.mattering)
