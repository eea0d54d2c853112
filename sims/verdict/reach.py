"""Which levels of a campaign the dial cannot bring to their target, and how near it comes.

Told by what was played, so it holds for these players and layouts: a level is won too rarely although the difficulty
was at its easiest there, or too often at its hardest. `flowdial advise` says the same before anything is played.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sims.verdict.goal import Row
from sims.verdict.numbers import rate_with_margin, target_words
from sims.wording import count

# Of the way from floor to ceiling: a mean difficulty nearer to an end was there in nearly all attempts. A controller's
# first steps on a level move the mean further than a single attempt may stand off an end (engine.tally.NEAR_END).
_AT_AN_END: Final = 0.05
_MOST_NAMED: Final = 3


def about_reach(levels: Sequence[Row], floor: float, ceiling: float) -> Iterator[str]:
    """Sentences on the levels that are out of reach; none where the dial had room. floor, ceiling: ends of the dial."""
    near = _AT_AN_END * (ceiling - floor)
    found = []
    for level in levels:
        if level.state == "below" and level.difficulty <= floor + near:
            found.append((level, "easiest"))
        elif level.state == "above" and level.difficulty >= ceiling - near:
            found.append((level, "hardest"))
    for level, end in found[:_MOST_NAMED]:
        yield (
            f"Level {level.level} for {level.cohort} is out of the dial's reach: at its {end} the win rate is "
            f"{rate_with_margin(level)}, and the target is {target_words(level)}."
        )
    more = len(found) - _MOST_NAMED
    if more > 0:
        yield f"{count(more).capitalize()} more {'level is' if more == 1 else 'levels are'} out of reach."
    if found:
        yield "Widen the range from floor to ceiling or the bounds of the knobs, or change these targets."
