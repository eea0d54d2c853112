"""What goes wrong with a task of a pool, as one line and its traceback."""

from __future__ import annotations

import traceback
from typing import NamedTuple, NoReturn

from engine.errors import EnvironmentFault, FlowdialError
from engine.faults import message_of
from sims.catalog import plugin_modules
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
    in_plugin: bool = True  # whether code of a plug-in was at work

    def raise_it(self, what: str, *, starting: bool = False) -> NoReturn:
        """Raise the error of ours, or a TaskFault that says what has failed.

        starting: whether the worker was not ready for a task; then no plug-in is to blame whose code was not at work.
        """
        if self.known is not None:
            raise self.known
        if starting and not self.in_plugin:
            fault = WorkerFault(f"{what}: {self.sentence}; the machine or the installation is at fault.")
            fault.add_note(self.details)
            raise fault
        raise TaskFault(f"{what}: {self.sentence}", self.details)


def failure_of(fault: BaseException) -> Failure:
    """An exception as one line and its traceback. A file error becomes an EnvironmentFault."""
    details = "".join(traceback.format_exception(fault))
    if isinstance(fault, OSError) and fault.errno is not None:
        return Failure("", details, file_fault(fault))
    in_plugin = _is_of_plugin(fault)
    known = fault if isinstance(fault, FlowdialError) else None
    if isinstance(fault, ModuleNotFoundError) and not in_plugin:
        known = EnvironmentFault(
            f"the package {fault.name!r} is missing; install it, or install Flowdial again with what it needs."
        )
    return Failure(f"{type(fault).__name__}: {message_of(fault)}", details, known, in_plugin)


def _is_of_plugin(fault: BaseException) -> bool:
    """Whether code of a plug-in of others was at work when an exception, or one that led to it, was raised."""
    modules = plugin_modules()
    seen: list[BaseException] = []
    chain: BaseException | None = fault
    while chain is not None and chain not in seen:
        seen.append(chain)
        for frame, _ in traceback.walk_tb(chain.__traceback__):
            if str(frame.f_globals.get("__name__", "")).partition(".")[0] in modules:
                return True
        chain = chain.__cause__ or chain.__context__
    return False
