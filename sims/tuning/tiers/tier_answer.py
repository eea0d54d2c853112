"""What came of all tiers, in words and as a table.

The order between tiers is read off the values, so it is a check of what the search was told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from engine.parameters import Knob, ParameterSpace, Value
from engine.scenario import Scenario, setup_of
from sims.catalog import Catalog
from sims.terminal import aligned
from sims.tuning.answer.sentences import value_text
from sims.tuning.tiers.tier_order import Tier, harder_knobs
from sims.tuning.tuned_study import TunedOption, TunedStudy
from sims.wording import caution_of, count, listed


@dataclass(frozen=True)
class TierAnswer:
    """The studies of all tiers, easiest first."""

    scenario: Scenario  # with a dial that moves all knobs to tune
    tiers: Sequence[Tier]
    studies: Sequence[TunedStudy]

    @cached_property
    def _space(self) -> ParameterSpace:
        return setup_of(self.scenario, Catalog()).space

    @property
    def options(self) -> list[TunedOption]:
        """The setting of each tier."""
        return [study.options[0] for study in self.studies]

    @cached_property
    def params(self) -> list[dict[str, Value]]:
        """The values of all knobs that a tier may change, by tier."""
        free = [self._space[j].name for j in self._space.free]
        return [
            {name: option.scenario.form.game.params[name] for name in free if name in option.scenario.form.game.params}
            for option in self.options
        ]

    @property
    def moves(self) -> list[dict[str, float]]:
        """From each tier to the next one: the knobs that differ, and how far they go towards their hard end."""
        pairs = zip(self.params, self.params[1:], strict=False)
        return [harder_knobs(self._space, easier, harder) for easier, harder in pairs]

    @property
    def ordered(self) -> bool:
        """Whether no knob is harder in an easier tier."""
        return all(step > 0.0 for moves in self.moves for step in moves.values())

    @property
    def met(self) -> bool:
        """Whether every tier meets the targets of its group, all at once at 95 % confidence."""
        return all(study.met for study in self.studies)

    @property
    def text(self) -> str:
        """Sentences, the table, and how much to trust them."""
        headings, *rows = self.table
        parts = ("\n".join(self.sentences), aligned([headings, *rows], indent=""))
        return "\n\n".join((*parts, caution_of(self.scenario.calibration)))

    @property
    def sentences(self) -> list[str]:
        """The answer first, then each tier, and what changes from one to the next."""
        return [self._headline(), *self._about_tiers(), *self._about_order(), *self._about_steps()]

    def _headline(self) -> str:
        names = [tier.name for tier, study in zip(self.tiers, self.studies, strict=True) if study.met]
        if len(names) == len(self.tiers):
            every = "Both" if len(names) == 2 else f"All {count(len(names))}"
            return f"{every} tiers meet the targets of their players."
        others = [tier.name for tier in self.tiers if tier.name not in names]
        if not names:
            return "No tier is known to meet the targets of its players."
        verb = "is" if len(others) == 1 else "are"
        return (
            f"{count(len(names)).capitalize()} of {count(len(self.tiers))} tiers "
            f"{'meets' if len(names) == 1 else 'meet'} the targets of {'its' if len(names) == 1 else 'their'} players: "
            f"{listed(names)}. "
            f"{listed(others)} {verb} not known to."
        )

    def _about_tiers(self) -> Iterator[str]:
        for tier, study, option in zip(self.tiers, self.studies, self.options, strict=True):
            rates = "; ".join(f"{group} {rate.text}" for group, rate in option.rates.items())
            yield f"{tier.name}: {rates}."
            if not study.met:
                yield f"More on {tier.name} is in its own report: {study.sentences[0]}"

    def _about_order(self) -> Iterator[str]:
        if self.ordered:
            yield "No knob is harder in an easier tier."
        else:  # a game whose knobs are not as they say: nothing else can end here
            wrong = sorted({name for moves in self.moves for name, step in moves.items() if step < 0.0})
            yield f"The order between tiers does not hold: {listed(wrong)}."

    def _about_steps(self) -> Iterator[str]:
        for place, moves in enumerate(self.moves):
            before, after = self.tiers[place].name, self.tiers[place + 1].name
            if not moves:
                yield f"{before} and {after} have the same setting."
                continue
            pairs = zip(self.params[place].items(), self.params[place + 1].values(), strict=True)
            changes = [
                f"{name} {self._shown(name, old)} to {self._shown(name, new)}"
                for (name, old), new in pairs
                if name in moves
            ]
            knobs = f"{count(len(moves))} of {count(len(self._space.free))} knobs"
            verb = "changes" if len(moves) == 1 else "change"
            yield f"From {before} to {after} {knobs} {verb}: {listed(changes)}."

    @property
    def table(self) -> list[list[str]]:
        """Headings, then a row for each knob and each group."""
        rows = [["", *(tier.name for tier in self.tiers)]]
        rows += [[name, *(self._shown(name, own[name]) for own in self.params)] for name in self.params[0]]
        rows.append(["players", *(self.scenario.labels[tier.cohort] for tier in self.tiers)])
        rows.append(["target", *(_each(option, "target") for option in self.options)])
        rows.append(["win rate", *(_each(option, "rate") for option in self.options)])
        return rows

    def _shown(self, name: str, value: Value) -> str:
        knob: Knob = self._space[self._space.names.index(name)]
        return value_text(knob, float(value) if knob.scale in ("linear", "log") else value)

    def to_json(self, files: Mapping[str, str]) -> dict[str, object]:
        """The answer as values of JSON. files: the scenario of each tier."""
        return {
            "met": self.met,
            "ordered": self.ordered,
            "tiers": [
                {
                    "name": tier.name,
                    "cohort": self.scenario.cohorts[tier.cohort],
                    "met": study.met,
                    "file": files[tier.name],
                    "study": tier.name,
                    "attempts": study.attempts,
                    "params": params,
                    "segments": {group: rate._asdict() for group, rate in option.rates.items()},
                }
                for tier, study, option, params in zip(self.tiers, self.studies, self.options, self.params, strict=True)
            ],
            "steps": self.moves,
            "sentences": self.sentences,
            "text": self.text,
        }


def _each(option: TunedOption, what: str) -> str:
    """Targets or win rates of all groups of a setting."""
    if what == "target":
        found = [f"{100.0 * rate.target_low:.6g} to {100.0 * rate.target_high:.6g} %" for rate in option.rates.values()]
    else:
        found = [rate.text for rate in option.rates.values()]
    return "; ".join(dict.fromkeys(found))
