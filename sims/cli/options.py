"""A command of `flowdial`, and what several of them share. Like all that help needs, it imports click alone."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sims.terminal import say

if TYPE_CHECKING:
    from engine.scenario import Scenario
    from sims.tracking.track import Trackable

_LARGEST_SEED: Final = 2**63 - 1  # engine.randomness.LARGEST_SEED, which help must not import


class NumberRange(click.FloatRange):
    """A number, finite unless `high` is inf, or a whole number. Any other is refused in one sentence."""

    def __init__(
        self,
        low: float,
        high: float | None = None,
        *,
        whole: bool = False,
        low_open: bool = False,
        high_open: bool = False,
        range_shown: bool = True,
    ) -> None:
        """Set the bounds.

        high: None for any finite number; low_open, high_open: whether the bound itself is excluded; range_shown: print
        the bounds in help. The error sentence always names them.
        """
        super().__init__(low, high, low_open, high_open)
        self.name = "integer" if whole else "number"
        self._low, self._high, self._whole, self._range_shown = low, high, whole, range_shown

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number that was typed."""
        try:
            number = int(value) if self._whole else float(value)
        except ValueError:
            number = math.nan
        above = number > self._low if self.min_open else number >= self._low
        high_open, high = (True, math.inf) if self._high is None else (self.max_open, self._high)
        if not (above and (number < high if high_open else number <= high)):
            self.fail(f"must be {self._range()}, got {value!r}.", param, ctx)
        return number

    def _describe_range(self) -> str:
        """The bounds in brackets behind the help of an option; an upper one beyond all use is left out."""
        if not self._range_shown:
            return ""
        return f"x>={self._low}" if self._high == _LARGEST_SEED else super()._describe_range()

    def _range(self) -> str:
        """What is allowed, in words."""
        if self._high is not None and not (self.min_open or self.max_open):
            bounds = f"from {self._low:,} to {self._high:,}"
        else:
            bounds = f"{'above' if self.min_open else 'of at least'} {self._low:,}"
            if self._high not in (None, math.inf):
                bounds += f" and {'below' if self.max_open else 'at most'} {self._high:,}"
        return f"a {'whole ' if self._whole else ''}number {bounds}"


class UserPath(click.Path):
    """A path as a person types it: a ~ that the shell has left, as in --out=~/runs, is the home folder."""

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path that was typed. ./~ is a folder of that name."""
        text = os.fspath(value)
        if isinstance(text, str) and text.startswith("~"):
            text = os.path.expanduser(text)
            if text.startswith("~"):
                self.fail(f"must be a path, but {text.split('/')[0]} has no home folder; write ./{text}.", param, ctx)
        return super().convert(text, param, ctx)


SEED_RANGE: Final = NumberRange(0, _LARGEST_SEED, whole=True)
seed_option = click.option("--seed", type=SEED_RANGE, metavar="N", help="Override the scenario's seed.")
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a scenario value (repeatable).",
)
workers_option = click.option(
    "--workers",
    type=NumberRange(1, 1024, whole=True, range_shown=False),
    metavar="N",
    help="Worker processes (default: one per core).",
)


def _check_place(context: click.Context, parameter: click.Parameter, on: str | None) -> str | None:
    if on is not None:
        from sims.workers.execution_place import check_place

        check_place(on)
    return on


on_option = click.option(
    "--on",
    callback=_check_place,
    metavar="PLACE",
    help="Play on a Ray cluster: ray for one of this machine, or ray://HOST:PORT.",
)


def _check_trackers(context: click.Context, parameter: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    if words:
        from sims.tracking.tracker import tracker_of

        for word in words:
            tracker_of(word)
    return words


track_option = click.option(
    "--track",
    "trackers",
    multiple=True,
    callback=_check_trackers,
    metavar="NAME",
    help="Record the result in mlflow, tensorboard or wandb, or NAME=WHERE (repeatable).",
)


def _use_game(context: click.Context, parameter: click.Parameter, path: Path | None) -> str | None:
    from sims.catalog import use_game_file

    return use_game_file(path)


_game_settings: Final[dict[str, Any]] = {
    "type": UserPath(dir_okay=False),
    "metavar": "FILE",
    "is_eager": True,
    "callback": _use_game,
    "help": "Python file with a game that is not installed.",
}
game_option = click.option("--game", expose_value=False, **_game_settings)
game_name_option = click.option("--game", "in_file", **_game_settings)  # in_file: the name of the game, None without


def one_game(name: str | None, in_file: str | None) -> str:
    """The game that is meant, by its name or by its file. Raises click.UsageError for none, or for two."""
    if in_file is None and name is None:
        raise click.MissingParameter(param_type="argument", param_hint="'GAME'")
    if in_file is not None and name not in (None, in_file):
        raise click.UsageError(f"--game gives the game {in_file!r}, but the command says {name!r}; give one.")
    return in_file or str(name)


scenario_argument = click.argument("scenario")
allow_long_option = click.option("--allow-long", is_flag=True, help="Allow more than 200,000,000 attempts.")
quiet_option = click.option("--quiet", is_flag=True, help="Suppress the progress bar and the table.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
folder_argument = click.argument("folder", metavar="RUN", type=UserPath(exists=True, file_okay=False))


def calculate_alone() -> None:
    """Let linear algebra use one thread; to be called before anything imports numpy.

    More of them gain nothing on small matrices, wait for each other where cores are busy, and may end in other bits.
    """
    for library in ("OPENBLAS", "MKL", "OMP"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def record(
    result: Trackable, trackers: Sequence[str], *, folder: Path | None = None, seconds: float | None = None
) -> None:
    """Record a result that was printed in the trackers of --track. folder, seconds: of a comparison."""
    if trackers:
        from sims.tracking.track import track

        track(result, trackers, folder=folder, seconds=seconds, on_message=say)


def pairs_of(settings: Sequence[str], seed: int | None = None) -> list[tuple[str, str]]:
    """What --set and --seed were given, as key and value.

    Args:
        settings: the words after each --set.
        seed: that of --seed; None without one.

    Raises:
        click.UsageError: for a setting without an equals sign, and for a key that is given twice.
    """
    pairs: list[tuple[str, str]] = []
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise click.BadParameter(f"must be key=value, got {setting!r}.", param_hint="'--set'")
        pairs.append((key.strip(), value.strip()))
    for place, (key, _) in enumerate(pairs):
        for earlier, value in pairs[:place]:
            if _drops(earlier, value, key):
                raise click.UsageError(f"--set gives {key} twice; give it once.")
    if seed is None:
        return pairs
    if "seed" in dict(pairs):
        raise click.UsageError("--seed and --set seed give the seed twice; give it once.")
    return [*pairs, ("seed", str(seed))]


def _drops(earlier: str, text: str, key: str) -> bool:
    """Whether a setting would drop something of an earlier one. earlier, text: its key and its value as TOML."""
    if earlier == key or earlier.startswith(f"{key}."):  # the same value, or a table over one of its values
        return True
    if not key.startswith(f"{earlier}."):
        return False
    from engine.scenario_file.toml import parse_value

    try:
        value = parse_value(text)
    except ValueError:  # which is refused later, with its reason
        return False
    for part in key.removeprefix(f"{earlier}.").split("."):
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def once(context: click.Context, parameter: click.Parameter, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values of a repeatable option. Raises click.BadParameter for one that is given twice."""
    for place, value in enumerate(values):
        if value in values[:place]:
            name = value[0] if isinstance(value, tuple) else value
            raise click.BadParameter(f"{name} is given twice; give it once.", context, parameter)
    return values


@dataclass
class CommandState:
    """What all commands share."""

    debug: bool = False


def set_debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    """Remember --debug, wherever it stands in the line."""
    if value:
        context.find_root().obj.debug = True


class Command(click.Command):
    """A command that takes --debug wherever people put it, and refuses an option that is given twice."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        debug = click.Option(["--debug"], is_flag=True, hidden=True, expose_value=False, callback=set_debug)
        self.params.append(debug)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words of the line. Raises click.UsageError where click would take the last of two values."""
        if not ctx.resilient_parsing:
            _, _, given = self.make_parser(ctx).parse_args(list(args))
            for option in given:
                single = isinstance(option, click.Option) and not option.multiple and not option.is_flag
                if single and given.count(option) > 1:
                    raise click.UsageError(f"{option.opts[0]} is given twice; give it once.", ctx)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run it. Raises EnvironmentFault where no library of ours would have room, or that of a tracker is missing."""
        from engine.kernel import check_address_space

        check_address_space()
        if trackers := ctx.params.get("trackers"):  # told before anything is played
            from sims.tracking.tracker import check_installed, tracker_of

            check_installed(map(tracker_of, trackers))
        return super().invoke(ctx)


class Commands(click.Group):
    """The group of all commands."""

    command_class = Command


def scenario_from_options(scenario: str, settings: Sequence[str], seed: int | None, allow_long: bool) -> Scenario:
    """Read and validate a scenario with the overrides of the command line. Raises ScenarioError."""
    from engine.scenario import load
    from sims.catalog import Catalog

    catalog = Catalog()
    return load(catalog.scenario(scenario), catalog, pairs_of(settings, seed), allow_long=allow_long)
