"""Telling a program that waits for ever from one that computes, however slowly."""

from __future__ import annotations

import select

_PROGRESS_SECONDS = 0.01
"""So much CPU time is progress. The busiest machine grants it to whoever can run many times in a
minute."""


class Quiet:
    """For how long a program's processes have done nothing, though what they report is read.

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

    def after(self, seconds: float, cpu: float) -> float:
        """Seconds of quiet, now that the processes have been watched for `seconds` more.

        Seconds are those of watching: time in which the machine, this process with it, stood still
        is no quiet. `cpu` also falls, where a process ends whose time nobody inherits.
        """
        if self.behind() or abs(cpu - self._cpu) >= _PROGRESS_SECONDS:
            self._seconds, self._cpu = 0.0, cpu
        else:
            self._seconds += seconds
        return self._seconds
