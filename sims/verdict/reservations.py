"""What a group that is on target owes to something else than its controller, and what its win rate leaves out.

A win rate can lie in its band while the difficulty stands at an end of the dial, swings from attempt to attempt, or is
that of the few who stayed until they were judged. None of these is praised.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sims.verdict.goal import Row
from sims.wording import share_text

_MOSTLY: Final = 0.5  # share of judged attempts at an end from which the controller had little room left
_WORTH_SAYING: Final = 0.01  # share of attempts at one end that is mentioned beside the other
MANY_NEVER_JUDGED: Final = 0.1  # share of players from which those who were never judged have a sentence
SWINGING: Final = 0.15  # standard deviation of the dial for one player: two settings 0.3 apart, by turns


def is_at_an_end(row: Row) -> bool:
    """Whether most judged attempts of a group were played at the ends of the dial."""
    return row.easy_end_share + row.hard_end_share > _MOSTLY


def reservation(row: Row, steered: bool) -> str:
    """What speaks against praise of a group on target; empty where nothing does. steered: by outcomes, not by plan."""
    if steered and is_at_an_end(row):
        share = share_text(row.easy_end_share + row.hard_end_share)
        return f"its difficulty was at its easiest or hardest in {share} of attempts"
    if steered and row.difficulty_swing >= SWINGING:
        return "its difficulty swings"
    if row.never_judged_share >= MANY_NEVER_JUDGED:
        return f"{share_text(row.never_judged_share)} of its players were never judged"
    return ""


def ends_words(row: Row, steered: bool, subject: str = "") -> str:
    """Sentences on how often the dial was at an end, and what that means; empty when that is rare."""
    shares = [(row.easy_end_share, "easiest"), (row.hard_end_share, "hardest")]
    shares = [(share, end) for share, end in shares if share >= _WORTH_SAYING]
    if not shares:
        return ""
    whole = " of attempts"
    parts = []
    for share, end in shares:
        parts.append(f"at its {end} in {'every attempt' if share == 1.0 else f'{share_text(share)}{whole}'}")
        whole = ""
    text = f"{subject or f'The difficulty of {row.cohort}'} was {', '.join(parts)}"
    if not steered:
        return f"{text}, because this controller does not react to outcomes."
    return f"{text}. So the controller had little room left." if is_at_an_end(row) else f"{text}."


def about_swing(row: Row, steered: bool) -> Iterator[str]:
    """A sentence on a controller that does not settle."""
    if steered and row.difficulty_swing >= SWINGING:
        yield (
            f"The difficulty of {row.cohort} swings: its standard deviation is {row.difficulty_swing:.2f} in the last "
            "third of a player's attempts. So a player meets settings far from the one that suits them."
        )


def about_never_judged(row: Row) -> Iterator[str]:
    """Sentences on players who did not get past the warm-up, where they are many: they quit, or their time was up."""
    if row.never_judged is None or not row.never_judged_share >= MANY_NEVER_JUDGED:
        return
    yield (
        f"{row.never_judged:,} of {row.never_judged + row.players:,} players of {row.cohort} "
        f"({share_text(row.never_judged_share)}) did not get past the warm-up and were never judged; they won "
        f"{100.0 * row.never_judged_win_rate:.1f} % of their attempts."
    )
    judged = f"; by judged attempts it is {100.0 * row.win_rate:.1f} %" if row.attempts else ""
    yield (
        f"The win rate of {row.cohort} by player, each counted once and warm-up included, is "
        f"{100.0 * row.win_rate_by_player:.1f} %{judged}."
    )
