"""A record for Weights & Biases: by default offline, in a folder of the current one; `wandb sync` sends it later."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal, cast

from sims.tracking.tracked_result import TrackedResult

_PROJECT: Final = "flowdial"
_NOT_IN_NAMES: Final = str.maketrans(dict.fromkeys("/\\#?%:", "-"))


def write_wandb(record: TrackedResult, where: str) -> None:
    """Write a record. where: a folder; empty for wandb/ in the current one. WANDB_MODE may say "online"."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb

    parent = Path(where or ".").absolute()
    parent.mkdir(parents=True, exist_ok=True)
    mode = cast(Literal["online", "offline", "disabled"], os.environ.get("WANDB_MODE", "offline"))
    settings = wandb.Settings(
        silent=True, console="off", save_code=False, disable_git=True, x_disable_meta=True, x_disable_stats=True
    )
    config = {"seed": record.seed, **record.settings}
    run = wandb.init(
        project=_PROJECT, name=record.name, job_type=record.kind, notes="\n".join(record.notes), config=config,
        dir=parent, mode=mode, settings=settings,
    )  # fmt: skip
    # A step of its own for each curve: their steps differ in kind, and all steps of wandb only grow.
    for name, points in record.curves.items():
        step = f"step/{name}"
        run.define_metric(step, hidden=True)
        run.define_metric(name, step_metric=step)
        for point in points:
            run.log({name: point.value, step: point.step})
    run.summary.update({**record.scores, **({} if record.seconds is None else {"seconds": record.seconds})})
    if record.folder is not None:
        artifact = wandb.Artifact(record.folder.name.translate(_NOT_IN_NAMES), type=record.kind)
        artifact.add_dir(str(record.folder), policy="immutable", skip_cache=True)
        run.log_artifact(artifact)
    run.finish()
    wandb.teardown()
