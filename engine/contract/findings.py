"""Running checks so that a bad plug-in never stops the suite, and its author reads what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Subject = TypeVar("Subject")
ContractCheck = Callable[[Subject], Iterator[str]]


def findings_of(stages: Sequence[Sequence[ContractCheck[Subject]]], subject: Subject) -> list[str]:
    """What the checks find in the first stage that finds anything; later stages would repeat it in other words."""
    for stage in stages:
        findings = _findings(stage, subject)
        if findings:
            return findings
    return []


def _findings(stage: Sequence[ContractCheck[Subject]], subject: Subject) -> list[str]:
    """What the checks of one stage find, up to the first that cannot be carried out: the next would meet the same."""
    found: list[str] = []
    for check in stage:
        try:
            found.extend(check(subject))
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - a plug-in may raise anything; it is reported
            promise = (check.__doc__ or check.__name__).splitlines()[0].rstrip(".")
            reason = f"{_where(fault)}: {first_line(fault)}"
            return [*found, f"could not check that {promise[0].lower()}{promise[1:]}: {reason}"]
    return found


def _where(fault: BaseException) -> str:
    """Name of the fault and of the function that raised it."""
    name = type(fault).__name__
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return name if trace is None else f"{name} in {trace.tb_frame.f_code.co_name}()"


def first_line(fault: BaseException) -> str:
    """The first line of a message that says anything."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return lines[0] if lines else "no message"
