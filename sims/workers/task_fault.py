"""What goes wrong with a task of a pool, as one line and its traceback."""

from __future__ import annotations

import traceback
from typing import NamedTuple, NoReturn

from engine.errors import EnvironmentFault, FlowdialError
from engine.faults import message_of
from sims.run_folder.files import file_fault


class TaskFault(FlowdialError):
    """A task raised an exception. `details` is the traceback, for --debug."""

    exit_code = 3

    def __init__(self, sentence: str, details: str = "") -> None:
        super().__init__(sentence)
        self.details = details
        if details:
            self.add_note(details)


class WorkerFault(EnvironmentFault):
    """A task ended its worker, hung, or found too little memory, as often as it was tried; or no worker can start."""


class Failure(NamedTuple):
    """What a worker sends instead of a result: an error of ours as it is, any other as a sentence."""

    sentence: str
    details: str
    known: FlowdialError | None

    def raise_it(self, what: str) -> NoReturn:
        """Raise the error of ours, or a TaskFault that says what has failed."""
        if self.known is not None:
            raise self.known
        raise TaskFault(f"{what}: {self.sentence}", self.details)


def failure_of(fault: BaseException) -> Failure:
    """An exception as one line and its traceback. A file error becomes an EnvironmentFault."""
    details = "".join(traceback.format_exception(fault))
    if isinstance(fault, OSError) and fault.errno is not None:
        return Failure("", details, file_fault(fault))
    known = fault if isinstance(fault, FlowdialError) else None
    return Failure(f"{type(fault).__name__}: {message_of(fault)}", details, known)
