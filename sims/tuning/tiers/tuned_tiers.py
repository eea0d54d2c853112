"""Complete tiers, opened: the setting of each, the answer in words, and the scenarios to run next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sims.html.notebook import notebook_table
from sims.run_folder.begun_search import answer_in, unreadable
from sims.run_folder.folder import REPORT
from sims.tuning.tiers.tier_files import TIERS_JSON
from sims.tuning.tuned_study import TunedOption, TunedStudy, read_study


@dataclass(frozen=True, repr=False)
class TunedTiers(Mapping[str, TunedOption]):
    """A folder of tiers that is complete: tier -> its setting, easiest first.

    Attributes:
        folder: where its files and the studies of the tiers are.
        answer: what tiers.json says.
    """

    folder: Path
    answer: Mapping[str, Any] = field(compare=False)

    @property
    def met(self) -> bool:
        """Whether every tier meets the targets of its group, all at once at 95 % confidence."""
        return bool(self.answer["met"])

    @property
    def ordered(self) -> bool:
        """Whether no knob is harder in an easier tier."""
        return bool(self.answer["ordered"])

    @property
    def text(self) -> str:
        """The answer as the terminal shows it: sentences and a table."""
        return str(self.answer["text"])

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer in words; the first sentence says whether all tiers meet their targets."""
        return tuple(self.answer["sentences"])

    @property
    def attempts(self) -> int:
        """Attempts that all tiers have used together."""
        return sum(tier["attempts"] for tier in self.answer["tiers"])

    @property
    def report_file(self) -> Path:
        """The page for people."""
        return self.folder / REPORT

    def study(self, tier: str) -> TunedStudy:
        """The study of one tier.

        Args:
            tier: its name.

        Returns:
            The study, whose first option is the tier's setting.

        Raises:
            KeyError: there is no such tier.
            RunFolderError: its folder is missing or damaged.
        """
        names = {one["name"]: one["study"] for one in self.answer["tiers"]}
        return read_study(self.folder / names[tier])

    def to_json(self) -> dict[str, Any]:
        """The whole answer and the paths as values of JSON."""
        paths = {"folder": str(self.folder), "report": str(self.report_file)}
        return paths | {name: value for name, value in self.answer.items() if name != "text"}

    def __getitem__(self, tier: str) -> TunedOption:
        return self.study(tier).options[0]

    def __iter__(self) -> Iterator[str]:
        return iter([one["name"] for one in self.answer["tiers"]])

    def __len__(self) -> int:
        return len(self.answer["tiers"])

    def __repr__(self) -> str:
        return f"TunedTiers({str(self.folder)!r}: {', '.join(self)}. {self.sentences[0]})"

    def _repr_html_(self) -> str:
        tiers = self.answer["tiers"]
        rows = [[knob, *(str(tier["params"][knob]) for tier in tiers)] for knob in tiers[0]["params"]]
        return notebook_table(("", *(tier["name"] for tier in tiers)), rows, self.sentences)


def read_tiers(folder: Path | str) -> TunedTiers:
    """Open a complete folder of tiers.

    Args:
        folder: as `flowdial tune --per cohort` leaves it.

    Returns:
        The tiers.

    Raises:
        RunFolderError: the folder is missing, is not one of tiers, or is damaged.

    Example:
        >>> from sims import read_tiers
        >>> tiers = read_tiers("studies/mine-tiers-001")  # doctest: +SKIP
    """
    path = Path(folder)
    try:
        tiers = TunedTiers(path, answer_in(path, "tier-study", TIERS_JSON))
        _ = (repr(tiers), tiers.text, tiers.met, tiers.ordered, tiers.attempts, list(tiers))  # all can be read
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as fault:
        raise unreadable(path / TIERS_JSON, "tier-study", fault) from None
    return tiers
