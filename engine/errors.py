"""The faults that Flowdial reports, each with the exit code its command ends with.

A message is one sentence: the rule, the value, what to do. The command line prints it and nothing else. A traceback
is for faults of ours, which are not of these classes.
"""

from __future__ import annotations

from typing import ClassVar


class FlowdialError(Exception):
    """Something that the reader of the message can correct."""

    exit_code: ClassVar[int] = 1


class ScenarioError(FlowdialError):
    """A scenario, an option or an argument asks for what is not allowed. It may be wrong in several ways: lines."""

    exit_code: ClassVar[int] = 2

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.lines = lines

    def __str__(self) -> str:
        return "\n".join(self.lines)


class PluginFault(FlowdialError):
    """A game or a controller broke its contract while it was played."""

    exit_code: ClassVar[int] = 3


class RunFolderError(FlowdialError):
    """A run folder is damaged, in use, or does not match what it claims to be."""

    exit_code: ClassVar[int] = 4


class EnvironmentFault(FlowdialError):
    """The machine or the installation failed: disk, permission, a missing extra, a foreign package."""

    exit_code: ClassVar[int] = 5
