"""What the running program's processes use together, read from `/proc` by the server."""

from __future__ import annotations

import os
import time

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_CPUCLOCK_SCHED = 2


class Processes:
    """The processes of this PID namespace, but for its first and this one.

    `proc` is a directory descriptor of the namespace's `/proc`, which may be mounted nowhere.
    """

    def __init__(self, proc: int) -> None:
        self.proc = proc
        self.own = {1, os.getpid()}

    def used(self) -> tuple[float, int]:
        """CPU seconds so far, ended children included, and resident bytes, shared pages too."""
        cpu, memory = 0.0, 0
        for name in os.listdir(self.proc):  # noqa: PTH208 - a descriptor has no Path
            if name.isdigit() and int(name) not in self.own:
                try:
                    seconds, resident = self._process(int(name))
                except (ProcessLookupError, FileNotFoundError, OSError):
                    continue
                cpu += seconds
                memory += resident
        return cpu, memory

    def expendable(self, pid: int) -> None:
        """Have the kernel end this process first when the machine runs out of memory."""
        descriptor = os.open(f"{pid}/oom_score_adj", os.O_WRONLY, dir_fd=self.proc)
        try:
            os.write(descriptor, b"1000")
        finally:
            os.close(descriptor)

    def address_space(self, pid: int) -> int:
        """Bytes of address space that a process has mapped."""
        return int(self._read(f"{pid}/statm").split()[0]) * _PAGE

    def _process(self, pid: int) -> tuple[float, int]:
        fields = self._read(f"{pid}/stat").rpartition(b")")[2].split()
        children_cpu = (int(fields[13]) + int(fields[14])) / _TICKS
        clock = (~pid << 3) | _CPUCLOCK_SCHED
        return time.clock_gettime(clock) + children_cpu, int(fields[21]) * _PAGE

    def _read(self, name: str) -> bytes:
        descriptor = os.open(name, os.O_RDONLY, dir_fd=self.proc)
        try:
            return os.read(descriptor, 4096)
        finally:
            os.close(descriptor)
