"""Telling a program that waits for ever from one that computes, however slowly."""

from __future__ import annotations

import select

from .usage import Use

_MADE_UP_FOR = 20
"""Seconds of waiting to a second of CPU time: a program that sleeps longer between what it computes
waits for the time to pass."""


class Quiet:
    """For how long a program's processes have but waited, though what they report is read.

    What wakes up now and then still waits; what a busy machine keeps from running does not.

    Args:
        reports: the pipes that the program reports to. One that is full says that whoever reads it
            is behind, so that the program may be waiting for that.
    """

    def __init__(self, reports: list[int]) -> None:
        self._seconds = self._cpu = 0.0
        self._pipes = len(reports)
        self._poller = select.poll()
        for descriptor in reports:
            self._poller.register(descriptor, select.POLLOUT)

    def behind(self) -> bool:
        """Whether a pipe is full, and the program perhaps waits for its reader."""
        return len(self._poller.poll(0)) < self._pipes

    def after(self, seconds: float, use: Use) -> float:
        """Seconds of quiet, now that the processes have been watched for `seconds` more.

        Seconds are those of watching: time in which the machine, this process with it, stood still
        is no quiet, and neither is time in which the program would run were the machine less busy.
        CPU time takes its multiple from the quiet. It also falls, where a process ends whose time
        nobody inherits.
        """
        spent = max(0.0, use.cpu - self._cpu)
        self._cpu = use.cpu
        if self.behind():
            self._seconds = 0.0
        else:
            quiet = self._seconds + (seconds if use.waits else 0.0)
            self._seconds = max(0.0, quiet - _MADE_UP_FOR * spent)
        return self._seconds
