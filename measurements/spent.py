"""Time by the clock and CPU time of a process with all it started.

Imports nothing of the project, so that the peers' scripts measure themselves with it too.
"""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _CHILDREN_SYSTEM = 1, 11, 14
"""Fields of `/proc/PID/stat` behind the name; from `_USER` on, user and system time of the process
and of its ended children."""


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock, and of CPU time (user and system) of the whole tree of processes."""

    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s by the clock and {self.cpu_seconds:.1f} s of CPU time"

    def __sub__(self, earlier: Spent) -> Spent:
        """What was spent since `earlier`."""
        return Spent(self.seconds - earlier.seconds, self.cpu_seconds - earlier.cpu_seconds)


def spent() -> Spent:
    """What this process and all it started have used so far: subtract an earlier one."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(each.ru_utime + each.ru_stime for each in used)
    return Spent(time.monotonic(), cpu + _of_living(os.getpid()))


def _of_living(top: int) -> float:
    """CPU seconds of the descendants of `top` that live, with their own ended children's."""
    stats: dict[int, list[str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stats[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
    below, ticks = {top}, 0
    while found := {pid for pid, stat in stats.items() if int(stat[_PARENT]) in below} - below:
        below |= found
        ticks += sum(sum(map(int, stats[pid][_USER : _CHILDREN_SYSTEM + 1])) for pid in found)
    return ticks / _TICKS
