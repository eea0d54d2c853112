"""A run as the telemetry that a studio would have of it: one row for each attempt, as `flowdial calibrate` reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sims.run_folder.files import new_file
from sims.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

EPOCH: Final = "2024-01-01T00:00:00Z"  # when a run begins, since simulated time has no date
_WANTED: Final = (
    "replica",
    "cohort",
    "player",
    "attempt",
    "session",
    "level",
    "start_s",
    "duration_s",
    "outcome",
    "won",
)


def write_telemetry(path: Path, run: Run) -> None:
    """Write the attempts of a run with what a game could have logged: no skill, no belief.

    Args:
        path: the CSV file.
        run: the run; attempts that a plug-in failed are left out.
    """
    frame = telemetry_of(run)
    with new_file(path) as sink:
        sink.write(frame.to_csv(index=False, lineterminator="\n").encode())


def telemetry_of(run: Run) -> pd.DataFrame:
    """The same as a DataFrame: player, cohort, level, attempt, session, time, duration_s, won and quit.

    Where a controller moved knobs, also these and those that stayed as they were, as param_speed. What differs from
    level to level alone is how levels are made, which no game logs.
    """
    import pandas as pd

    knobs = [name for name in run.attempts().columns if name.startswith("param_")]
    rows = run.attempts([*_WANTED, *knobs])
    rows = rows[rows["outcome"].astype(str) != "failed"]
    key = ["replica", "player"]
    left = run.players([*key, "left"])
    left = left[left["left"].astype(str) == "quit"][key].assign(quit=True)
    last = rows.groupby(key)["attempt"].transform("max") == rows["attempt"]
    quits = rows[key].merge(left, on=key, how="left")["quit"].notna().to_numpy() & last.to_numpy()
    times = pd.Timestamp(EPOCH) + pd.to_timedelta(rows["start_s"], unit="s")
    within = rows.groupby("level")[knobs].nunique().max() > 1
    fixed = rows[knobs].nunique() == 1
    logged = [name for name in knobs if within[name] or fixed[name]] if within.any() else []
    return pd.DataFrame(
        {
            "player": "r" + rows["replica"].astype(str) + "p" + rows["player"].astype(str),
            "cohort": rows["cohort"],
            "level": rows["level"],
            "attempt": rows["attempt"],
            "session": rows["session"],
            "time": times.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "duration_s": rows["duration_s"],
            "won": rows["won"].astype(int),
            "quit": quits.astype(int),
            **{name: rows[name] for name in logged},
        }
    )
