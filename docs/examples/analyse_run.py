"""The three charts that come first when a run is analysed. They need matplotlib, which Flowdial does not bring along.

    pip install matplotlib
    python docs/examples/analyse_run.py runs/quickstart-001 charts.png

Each `# %%` begins a cell, for editors that run a script cell by cell; there, set RUN and PICTURE by hand.
"""

# %% Which run

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import t as students_t

RUN = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/quickstart-001")
PICTURE = Path(sys.argv[2] if len(sys.argv) > 2 else "charts.png")

# %% Load a table with the types that the run tells of its columns

TYPES = {"integer": "int64", "number": "float64", "boolean": "bool", "string": "category"}
WITH_GAPS = {**TYPES, "integer": "Int64", "boolean": "boolean"}  # these two of pandas know a missing value


def load(run: Path, table: str) -> pd.DataFrame:
    """A table of a run, bit for bit what was written, from CSV or from Parquet.

    Two defaults of pandas could change values: its own reader rounds some numbers in their last bit in older versions,
    which pyarrow does not, and it takes words such as NA or null for missing.
    """
    package = json.loads((run / "datapackage.json").read_text(encoding="utf-8"))
    resource = next(one for one in package["resources"] if one["name"] == table)
    path = run / resource["path"]
    types = {
        field["name"]: (TYPES if field.get("constraints", {}).get("required") else WITH_GAPS)[field["type"]]
        for field in resource["schema"]["fields"]
    }
    if path.suffix == ".parquet":
        return pd.read_parquet(path).astype({name: kind for name, kind in types.items() if kind != "category"})
    return pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""], engine="pyarrow")


manifest = json.loads((RUN / "manifest.json").read_text(encoding="utf-8"))
attempts = load(RUN, "attempts")
attempts = attempts[attempts["outcome"] != "failed"]  # nothing was played in those
cohorts = manifest["cohorts"]
bands = {name: np.atleast_2d(manifest["targets"][name]) for name in cohorts}  # one band, or one for each level
judged_from = manifest["after_attempts"]  # earlier attempts are those in which the controller got to know the player
figure, charts = plt.subplots(3, len(cohorts), figsize=(4.2 * len(cohorts), 10.0), squeeze=False, layout="constrained")

# %% 1. Win rate over attempts, against the target

# Attempts of one player are not independent of each other, nor are players who share a dial: what is independent is
# the player, or the replica. The interval is that of a ratio of sums over such clusters (Cochran 1977, section 6).
cluster = ["replica", "player"] if manifest["scope"] == "player" else ["replica"]
longest = int(attempts["attempt"].max()) + 1 if len(attempts) else 1
edges = (np.unique(np.geomspace(1, longest + 1, 13).astype(int)) - 1).tolist()


def win_rate(rows: pd.DataFrame) -> tuple[float, float]:
    """Share of attempts won, and half its 95 % interval; NaN where there is nothing to tell it from."""
    sums = rows.groupby(cluster)["won"].agg(["sum", "count"])
    made = sums["count"].sum()
    rate = sums["sum"].sum() / made if made else np.nan
    if len(sums) < 10:
        return rate, np.nan
    errors = sums["sum"] - rate * sums["count"]
    error = np.sqrt((errors**2).sum() * len(sums) / (len(sums) - 1)) / made
    return rate, students_t.ppf(0.975, len(sums) - 1) * error


for chart, cohort in zip(charts[0], cohorts):
    mine = attempts[attempts["cohort"] == cohort]
    for low, high in bands[cohort][:1] if len(bands[cohort]) == 1 else []:
        chart.axhspan(low, high, color="tab:green", alpha=0.2, label="target")
    bins = pd.cut(mine["attempt"], edges, right=False)
    found = [(interval.mid + 1.0, *win_rate(rows)) for interval, rows in mine.groupby(bins, observed=True)]
    middle, rate, half = np.array(found).reshape(-1, 3).T
    chart.errorbar(middle, rate, yerr=half, marker="o", markersize=3, capsize=2, label="won, with 95 % interval")
    chart.set(title=cohort, xlabel="attempt of a player, from 1", ylabel="win rate", ylim=(0, 1), xscale="log")
    chart.axvline(judged_from + 1, color="grey", linestyle=":", label="judged from here")
charts[0][0].legend(fontsize=8)

# %% 2. Not the mean player, but all of them

judged = attempts[attempts["attempt"] >= judged_from]
players = judged.groupby(["cohort", "replica", "player"], observed=True)["won"].agg(["mean", "count"]).reset_index()
players = players[players["count"] >= 20]  # fewer attempts say little about one player
lowest = max(players["mean"].min() - 0.1, 0.0) if len(players) else 0.0
for chart, cohort in zip(charts[1], cohorts):
    rates = players.loc[players["cohort"] == cohort, "mean"]
    chart.hist(rates, bins=np.linspace(0, 1, 51), color="tab:blue")
    for low, high in bands[cohort][:1] if len(bands[cohort]) == 1 else []:
        chart.axvspan(low, high, color="tab:green", alpha=0.2, zorder=0)
    if len(rates):
        chart.axvline(rates.quantile(0.05), color="tab:red", label="5 % of players win less")
        chart.legend(fontsize=8, loc="upper left")
    chart.set(xlabel="win rate of a player, of 20 or more attempts", ylabel="players", xlim=(lowest, 1))

# %% 3. Where and why they fail

missed = attempts[~attempts["won"]]
causes = missed["cause"].cat.add_categories("(timed out)").fillna("(timed out)")
tenths = (missed["progress"] * 10).astype(int).clip(upper=9) / 10
for chart, cohort in zip(charts[2], cohorts):
    mine = missed["cohort"] == cohort
    table = pd.crosstab(tenths[mine], causes[mine]).reindex(np.arange(10) / 10, fill_value=0)
    bottom = np.zeros(10)
    for cause in table.columns:
        chart.bar(table.index, table[cause], width=0.09, align="edge", bottom=bottom, label=cause)
        bottom += table[cause].to_numpy()
    if len(table.columns):
        chart.legend(fontsize=8)
    chart.set(xlabel="progress when it ended", ylabel="attempts not won", xlim=(0, 1))

# %% Keep the picture

players = manifest["calibration"]["words"].partition(":")[0]  # "uncalibrated", or what they were fitted to
figure.suptitle(f"{manifest['title'] or manifest['name']} (synthetic players, {players})", parse_math=False)
figure.savefig(PICTURE, dpi=120)
