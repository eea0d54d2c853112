"""What a race leaves behind: a table of score cards, and pictures."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sims.arena.gain_finder import Finding
from sims.arena.race import LIMIT
from sims.arena.score_card import COLUMNS, Line, row_of
from sims.arena.worlds import WORLDS, Standing
from sims.run_folder.files import sync_folder, write_file

SCORES: Final = "scores.csv"
CARDS: Final = "scores.svg"
ARENA: Final = "arena.svg"
GAINS: Final = "gains.svg"
_INK: Final = "#1b1f24"
_QUIET: Final = "#6b747d"
_FAINT: Final = "#d5dae0"
# Of the set of Okabe and Ito, which is safe for colour-blind people; the marks differ too.
_MODES: Final = {
    "deterministic": ("#e69f00", "s"),
    "adaptive": ("#0072b2", "o"),
    "self_adaptive": ("#009e73", "D"),
    "reference": ("#1b1f24", "|"),
}
_FAR: Final = 2.5  # ratio at which a cell is as dark as it gets
_MOST_PANELS: Final = 6


def write_scores(folder: Path, lines: Sequence[Line]) -> Path:
    """Write the score cards as CSV, one line for each controller on each course, and for each of its cohorts."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in COLUMNS])
    writer.writerows([["" if value is None else value for value in row_of(line)] for line in lines])
    path = folder / SCORES
    write_file(path, text.getvalue().encode())
    sync_folder(folder)
    return path


def draw_scores(folder: Path, lines: Sequence[Line]) -> Path:
    """Draw each controller's RMSE with its interval: all players in the first panel, then a panel for each cohort."""
    known = [line for line in lines if not math.isnan(line.card.rmse.value)]
    panels = list(dict.fromkeys(line.cohort for line in known))[:_MOST_PANELS]
    names = [line.controller for line in sorted(known, key=lambda one: -one.card.rmse.value) if not line.cohort]
    figure = _figure(max(2.4 + 2.4 * len(panels), 6.4), 1.4 + 0.3 * max(len(names), 3))
    grid = figure.subplots(1, max(len(panels), 1), sharey=True, sharex=True, squeeze=False)[0]
    ends = [end for line in known for end in (line.card.rmse.value, line.card.rmse.high) if not math.isnan(end)]
    farthest = max(ends, default=0.0)
    for axes, panel in zip(grid, panels):
        for line in known:
            if line.cohort == panel:
                _mark(axes, names.index(line.controller), line)
        _limit_line(axes, [line for line in known if line.cohort == panel])
        axes.set_title(panel or "all players", loc="left", fontsize=9.0, color=_INK)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_xlim(0.0, 1.06 * farthest if farthest > 0.0 else 1.0)  # of all panels, which share it
        axes.locator_params(axis="x", nbins=4)
        axes.grid(visible=True, axis="x", color=_FAINT, linewidth=0.6)
        _bare(axes)
    limit = "; dashed: the Bayes limit" if any(line.controller == LIMIT for line in known) else ""
    figure.supxlabel(f"RMSE of the true win probability, with its 95 % interval{limit}", fontsize=9.0, color=_INK)
    _mode_legend(figure, [mode for mode in _MODES if any(line.mode == mode for line in known)])
    figure.get_layout_engine().set(wspace=0.08)
    return _saved(figure, folder / CARDS)


def _mark(axes: Any, place: int, line: Line) -> None:
    colour, mark = _MODES[line.mode]
    rmse = line.card.rmse
    if not math.isnan(rmse.low):
        axes.plot([rmse.low, rmse.high], [place, place], color=colour, linewidth=2.2, solid_capstyle="butt", zorder=2)
    axes.plot([rmse.value], [place], marker=mark, color=colour, markersize=6.5, linestyle="none", zorder=3)


def _mode_legend(figure: Any, modes: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=_MODES[mode][0], marker=_MODES[mode][1], linestyle="none", label=mode.replace("_", "-"))
        for mode in modes
    ]
    figure.legend(handles=marks, loc="outside upper right", ncols=len(marks), frameon=False, fontsize=8.0)


def _limit_line(axes: Any, lines: Sequence[Line]) -> None:
    for line in lines:
        if line.controller == LIMIT:
            axes.axvline(line.card.rmse.value, color=_QUIET, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)


def draw_arena(folder: Path, standings: Sequence[Standing]) -> Path:
    """Draw all ratios as a map: controllers down, worlds across, darker is further from the limit."""
    played = [world for world in standings[0].ratios if any(one.ratios[world] > 0.0 for one in standings)]
    columns = [world for world in WORLDS if world in played] + [world for world in played if world not in WORLDS]
    heads = [*columns, "mean", "worst"]
    ten = sum(column in WORLDS for column in columns)  # the others stand apart: mean and worst leave them out
    figure = _figure(max(2.8 + 0.62 * len(heads), 6.8), 1.8 + 0.28 * len(standings))
    axes = figure.add_subplot()
    cells = [[*(one.ratios[world] for world in columns), one.mean, one.worst] for one in standings]
    shown = [[min(cell, _FAR) if cell > 0.0 else math.nan for cell in row] for row in cells]
    image = axes.imshow(shown, cmap="cividis_r", vmin=1.0, vmax=_FAR, aspect="auto")
    for y, row in enumerate(cells):
        for x, cell in enumerate(row):
            text = "-" if math.isnan(cell) else f"{cell:.2f}"
            axes.text(x, y, text, ha="center", va="center", fontsize=7.5, color="white" if cell > 1.75 else _INK)
    axes.set_xticks(range(len(heads)), heads, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(standings)), [one.controller for one in standings])
    for x in range(1, len(heads)):
        axes.axvline(x - 0.5, color="white", linewidth=5.0 if x in (ten, len(columns)) else 0.8)
    for y in range(1, len(standings)):
        axes.axhline(y - 0.5, color="white", linewidth=0.8)
    bar = figure.colorbar(image, ax=axes, shrink=0.6, pad=0.02, ticks=[1.0, 1.5, 2.0, _FAR])
    bar.ax.set_yticklabels(["1: the limit", "1.5", "2", f"{_FAR:g} and more"])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    title = "RMSE of the true win probability, as a multiple of the Bayes limit's"
    figure.suptitle(title, x=0.01, ha="left", fontsize=11.0, color=_INK)
    _bare(axes)
    return _saved(figure, folder / ARENA)


def draw_gains(folder: Path, finding: Finding) -> Path:
    """Draw the error against the gain, with intervals; shaded gains cannot be told from the best."""
    figure = _figure(6.4, 3.8)
    axes = figure.add_subplot()
    colour, _ = _MODES["adaptive"]
    gains = [trial.gains[0] for trial in finding.trials]
    best = min(finding.trials, key=lambda trial: trial.rmse.value)
    axes.axvspan(finding.low, finding.high, color=_FAINT, alpha=0.6, linewidth=0, label="as good as the best")
    axes.fill_between(
        gains,
        [trial.rmse.low for trial in finding.trials],
        [trial.rmse.high for trial in finding.trials],
        color=colour,
        alpha=0.25,
        linewidth=0,
        label="95 % interval",
    )
    axes.plot(gains, [trial.rmse.value for trial in finding.trials], color=colour, marker="o", markersize=3.5)
    axes.axvline(
        finding.recommended[0], color=_INK, linewidth=1.2, linestyle=(0, (4, 3)),
        label=f"recommended: {finding.recommended[0]:g}",
    )  # fmt: skip
    axes.set_xscale("log")
    ticks = [digit * 10.0**power for power in range(-6, 2) for digit in (1.0, 2.0, 5.0)]
    shown = [tick for tick in ticks if gains[0] * 0.8 <= tick <= gains[-1] * 1.25]
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.set_xticks([], minor=True)
    axes.set_ylim(0.0, max(trial.rmse.high for trial in finding.trials if trial.rmse.high == trial.rmse.high) * 1.05)
    rest = f", with {' and '.join(finding.options[1:])} in proportion" if len(finding.options) > 1 else ""
    axes.set_xlabel(f"{finding.options[0]} of {finding.controller}{rest}", color=_INK)
    axes.set_ylabel("RMSE of the true win probability", color=_INK)
    axes.set_title(
        f"Error against gain: best {best.rmse.value:.4f} at {best.gains[0]:g}", loc="left", fontsize=10.0, color=_INK
    )
    axes.grid(visible=True, axis="y", color=_FAINT, linewidth=0.6)
    axes.legend(frameon=False, fontsize=8.0, loc="lower right")
    _bare(axes)
    return _saved(figure, folder / GAINS)


def _bare(axes: Any) -> None:
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, colors=_INK)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _saved(figure: Any, path: Path) -> Path:
    """Write a figure as SVG, the same bytes for the same numbers."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    sink = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": path.name, "svg.fonttype": "none", "font.size": 9.0}):
        FigureCanvasSVG(figure)
        figure.savefig(sink, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})
    write_file(path, sink.getvalue().encode())
    return path
