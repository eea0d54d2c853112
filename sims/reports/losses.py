"""Where and why players fail: how far they were when they lost, and what ended their attempts."""

from __future__ import annotations

from sims.html.charts import PARTS
from sims.html.legend import key
from sims.html.markup import Markup, joined, tag
from sims.html.page import figure, folded, section, table
from sims.html.row_charts import stacked_bars, strips
from sims.reports.facts import Facts
from sims.reports.rows import PROGRESS_CELLS
from sims.wording import share_text


def losses_part(facts: Facts) -> Markup:
    """Two pictures side by side, and the causes as a table."""
    total = sum(facts.rows.causes[1:], start=facts.rows.causes[0])
    if not total:
        return Markup("")
    ranked = sorted(total, key=lambda word: (-total[word], word))
    words = ranked if len(ranked) <= PARTS else [*ranked[: PARTS - 1], "all others"]
    rows = []
    for label, counter in zip(facts.labels, facts.rows.causes, strict=True):
        lost = counter.total()
        if lost:
            shares = [counter[word] / lost for word in words]
            if len(ranked) > PARTS:
                shares[-1] = sum(counter[word] for word in ranked[PARTS - 1 :]) / lost
            rows.append((label, shares))
    causes = stacked_bars(rows[: len(facts.charted)], words)
    pictures = [figure("Why: what ended it", causes, "shares of the causes, as in the folded table below")]
    where = _where(facts)
    if where is not None:
        pictures.insert(0, where)
    cells = table(("group", *words), [(label, *(share_text(share) for share in shares)) for label, shares in rows])
    note = (
        "The win rate says how hard the game is. Where attempts end, and what ends them, says why. Shares are of the "
        "attempts that were not won."
    )
    return section(
        "Where and why players fail",
        tag("div", *pictures, class_="charts wider"),
        folded("The causes as numbers", cells),
        note=note,
    )


def _where(facts: Facts) -> Markup | None:
    rows, middles = [], []
    for j in facts.charted:
        counts = facts.rows.progress[j]
        lost = int(counts.sum())
        if lost:
            rows.append((facts.labels[j], [int(number) / lost for number in counts]))
            middle = int(counts.cumsum().searchsorted(lost / 2)) / PROGRESS_CELLS
            middles.append(f"{facts.labels[j]} half by {middle * 100:.0f} %")
    if not rows:
        return None
    most = max(share for _, shares in rows for share in shares)
    legend = tag(
        "p",
        key("loss", f"full colour: {share_text(most)} of a group's losses in one of {PROGRESS_CELLS} cells"),
        " 0: the start; 100 %: as good as won",
        class_="legend",
    )
    meaning = "; ".join(middles)
    return figure("Where: progress at a loss", joined(strips(rows, "loss", "losses"), legend), meaning)
