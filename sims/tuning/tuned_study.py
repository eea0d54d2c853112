"""A complete study, opened: its options, its answer in words, and the scenarios to run next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.parameters import Value
from sims.html.notebook import notebook_table
from sims.run_folder.begun_search import answer_in, unreadable
from sims.run_folder.folder import REPORT
from sims.tuning.study_files import ANSWER, COUNTS

if TYPE_CHECKING:
    from engine.scenario import Scenario


class GroupRate(NamedTuple):
    """The measured win rate of one player group, with the margin that holds for all groups of all options at once."""

    win_rate: float | None  # None where nothing was measured
    low: float | None  # the margin
    high: float | None
    target_low: float
    target_high: float
    attempts: int
    verdict: str  # "met", "missed" or "cannot tell"

    @property
    def text(self) -> str:
        """Rate, margin and verdict in words."""
        if self.win_rate is None or self.low is None or self.high is None:
            return "not measured"
        side = "above target" if self.win_rate > self.target_high else "below target"
        state = {"met": "on target", "missed": side}.get(self.verdict, "too close to call")
        return f"{100.0 * self.win_rate:.1f} % (margin {100.0 * self.low:.1f} to {100.0 * self.high:.1f} %), {state}"


@dataclass(frozen=True)
class TunedOption:
    """One setting of the game, measured on fresh players.

    Attributes:
        name: "A", "B" ...; "defaults" for the designer's defaults.
        file: the scenario with this setting; None for the defaults.
        params: the values of the free knobs, in the game's units.
        changed: names of the knobs that differ from the defaults.
        rates: win rates by player group; in a campaign, by group and level.
        met: whether every group is on target at 95 % confidence.
    """

    name: str
    file: Path | None
    params: Mapping[str, Value]
    changed: tuple[str, ...]
    rates: Mapping[str, GroupRate]
    met: bool

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario with this setting, ready to run.

        Raises:
            ScenarioError: the option has no file, since it is the designer's defaults, or the file is wrong.
        """
        from engine.errors import ScenarioError
        from sims.catalog import scenario_in

        if self.file is None:
            raise ScenarioError("the defaults of a study have no tuned scenario; run the scenario that was tuned")
        return scenario_in(self.file)


@dataclass(frozen=True, repr=False)
class TunedStudy:
    """A study folder that is complete. `tune`, `resume_study` and `read_study` return one.

    Attributes:
        folder: where its files are.
        answer: what answer.json says.
    """

    folder: Path
    answer: Mapping[str, Any] = field(compare=False)

    @property
    def met(self) -> bool:
        """Whether the first option puts every player group on target at 95 % confidence."""
        return bool(self.answer["met"])

    @property
    def text(self) -> str:
        """The answer as the terminal shows it: sentences, a table, the files."""
        return str(self.answer["text"])

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer in words; the first sentence says whether the targets are met."""
        return tuple(self.answer["sentences"])

    @property
    def attempts(self) -> int:
        """Attempts that the study has used."""
        return sum(self.answer["attempts"].values())

    @cached_property
    def baseline(self) -> TunedOption:
        """The designer's defaults, measured in the same way as the options."""
        return self._option(self.answer["baseline"], "defaults", None)

    @cached_property
    def options(self) -> tuple[TunedOption, ...]:
        """Settings to choose from, best first: one or more."""
        return tuple(self._option(one, one["name"], self.folder / one["file"]) for one in self.answer["options"])

    @property
    def counts_file(self) -> Path:
        """The table of counts, one row for each setting that was played and each player group."""
        return self.folder / COUNTS

    @property
    def report_file(self) -> Path:
        """The page for people."""
        return self.folder / REPORT

    def to_json(self) -> dict[str, Any]:
        """The whole answer and the paths as values of JSON."""
        paths = {"folder": str(self.folder), "report": str(self.report_file)}
        return paths | {name: value for name, value in self.answer.items() if name != "text"}

    def __repr__(self) -> str:
        number = len(self.options)
        return f"TunedStudy({str(self.folder)!r}: {number} option{'s' * (number > 1)}. {self.sentences[0]})"

    def _repr_html_(self) -> str:
        settings = (self.baseline, *self.options)
        rows = [
            *([knob, *(str(one.params[knob]) for one in settings)] for knob in self.baseline.params),
            *([group, *(one.rates[group].text for one in settings)] for group in self.baseline.rates),
        ]
        return notebook_table(("", *(one.name for one in settings)), rows, self.sentences)

    def _option(self, content: Mapping[str, Any], name: str, file: Path | None) -> TunedOption:
        rates = {}
        for group, one in content["segments"].items():
            (low, high), (target_low, target_high) = one["interval"] or (None, None), self.answer["targets"][group]
            rates[group] = GroupRate(one["rate"], low, high, target_low, target_high, one["attempts"], one["verdict"])
        changed = tuple(one["knob"] for one in content["changed"])
        return TunedOption(name, file, content["params"], changed, rates, content["meets_all"])


def read_study(folder: Path | str) -> TunedStudy:
    """Open a complete study.

    Args:
        folder: as `flowdial tune` leaves it.

    Returns:
        The study.

    Raises:
        RunFolderError: the folder is missing, is not that of a complete study, or is damaged.

    Example:
        >>> from sims import read_study
        >>> study = read_study("studies/mine-001")  # doctest: +SKIP
        >>> study.options[0].params  # doctest: +SKIP
    """
    path = Path(folder)
    try:
        study = TunedStudy(path, answer_in(path, "study", ANSWER))
        _ = (repr(study), study.text, study.baseline, study.options, study.sentences, study.attempts)  # all can be read
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as fault:
        raise unreadable(path / ANSWER, "study", fault) from None
    return study
