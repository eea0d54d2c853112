"""The commands that write something for use elsewhere: export and export-controller."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

from sims.cli.options import Command, UserPath, game_option, scenario_from_options, seed_option, set_option
from sims.terminal import show

if TYPE_CHECKING:
    from sims.runs.export import ExportFormat
    from sims.shipping.controller_folder import LanguageName
    from sims.shipping.knob_files import KnobForm

_LANGUAGES: Final = ("js", "lua", "c", "csharp", "gdscript")  # those of LanguageName
_FORMATS: Final = ("csv", "parquet", "xlsx", "telemetry")  # those of ExportFormat
_KNOB_FORMS: Final = ("knobs.json", "knobs.csv", "unity", "godot", "remote-config")  # those of KnobForm


class _Form(click.ParamType["ExportFormat | KnobForm | Path"]):
    """A format as it is typed, or the name of a database."""

    name = "format"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> ExportFormat | KnobForm | Path:
        if value in (*_FORMATS, *_KNOB_FORMS):
            return cast("ExportFormat | KnobForm", value)
        path = UserPath().convert(value, parameter, context)
        if isinstance(path, Path) and path.suffix == ".db":
            return path
        wrong = f"must be {', '.join((*_FORMATS, *_KNOB_FORMS))}, or a file that ends in .db, got {str(value)!r}."
        raise click.BadParameter(wrong, context, parameter)


@click.command(cls=Command)
@click.argument("folder", metavar="RUN|STUDY", type=UserPath(exists=True, file_okay=False))
@click.option(
    "--to",
    "form",
    type=_Form(),
    metavar="FORMAT",
    required=True,
    help="csv, parquet, xlsx, telemetry, knobs.json, knobs.csv, unity, godot, remote-config or FILE.db; see above.",
)
@click.option(
    "--out",
    type=UserPath(),
    metavar="DIR|FILE",
    help="New folder or file (default: beside the run).",
)
def export(folder: Path, form: ExportFormat | KnobForm | Path, out: Path | None) -> None:
    """Export tables, telemetry, trials or parameters.

    csv and parquet write a run folder, the same as `flowdial run --format`. xlsx writes a workbook with one sheet per
    table and one sheet that explains the columns. telemetry writes one CSV file with what a game could have logged, as
    `flowdial calibrate` reads it. FILE.db holds the trials of a study or a sweep in the way of Optuna: look at them
    with `optuna-dashboard sqlite:///FILE.db`.

    knobs.json and knobs.csv hold the parameters of the game by player group, as a run played them or as a study found
    them: ranges, what changed, and the dial at 21 difficulties. unity (for JsonUtility), godot (a ConfigFile) and
    remote-config (Unity Remote Config) hold the same for an engine. The folder itself does not change.
    """
    if isinstance(form, Path):
        if out is not None:
            raise click.UsageError("--to FILE.db names the file already; leave --out out.")
        from sims.tracking.optuna_storage import export_trials

        show(export_trials(folder, form))
        return
    if form in _KNOB_FORMS:
        from sims.shipping.knob_files import export_knobs

        show(export_knobs(folder, form, out))
        return
    from sims.runs.export import export as write_export

    show(write_export(folder, cast("ExportFormat", form), out))


@click.command("export-controller", cls=Command)
@click.argument("scenario")
@click.option(
    "--to",
    "language",
    type=click.Choice(_LANGUAGES),
    required=True,
    help="Language of the game.",
)
@click.option("--out", type=UserPath(), metavar="DIR", required=True, help="New folder.")
@seed_option
@set_option
@game_option
def export_controller(
    scenario: str, language: LanguageName, out: Path, seed: int | None, settings: tuple[str, ...]
) -> None:
    """Export a controller in a game's own language.

    The folder has one file without dependencies: the rule, the dial in the game's units, and guard rails with an off
    switch. README.md shows how to use it. vectors.json holds sequences of observations and the exact numbers that must
    come out. They are those of the simulation, bit for bit.
    """
    chosen = scenario_from_options(scenario, settings, seed, allow_long=True)
    from sims.shipping.controller_folder import export_controller as write_controller

    show(write_controller(chosen, language, out))
