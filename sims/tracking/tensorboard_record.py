"""A record for TensorBoard: an event file. It cannot hold the files of a folder, so it names their place."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sims.tracking.tracked_result import TrackedResult

_USUAL: Final = "tensorboard"
_NOT_IN_NAMES: Final = str.maketrans(dict.fromkeys("/\\", "-"))


def write_tensorboard(record: TrackedResult, where: str) -> None:
    """Write a record. where: a folder, in which the record gets one of its own; empty for tensorboard/."""
    from tensorboardX import SummaryWriter

    folder = Path(where or _USUAL) / record.name.translate(_NOT_IN_NAMES)
    scores = {**record.scores, **({} if record.seconds is None else {"seconds": record.seconds})}
    settings = {"seed": record.seed, **record.settings}
    writer = SummaryWriter(str(folder))
    try:
        for name, points in record.curves.items():
            for point in points:
                writer.add_scalar(name, point.value, point.step)
        for name, value in scores.items():
            writer.add_scalar(name, value, 0)
        rows = "\n".join(f"| {name} | {value} |" for name, value in settings.items())
        writer.add_text("settings", f"| key | value |\n|---|---|\n{rows}")
        writer.add_text("notes", "\n\n".join(record.notes))
        writer.add_text("folder", str(record.folder or ""))
        writer.add_hparams(settings, scores, name="settings", global_step=0)
    finally:
        writer.close()
