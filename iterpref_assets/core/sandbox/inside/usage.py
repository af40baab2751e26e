"""What the running program's processes use and do together, read from `/proc` by the server."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_CPUCLOCK_SCHED = 2
_STATE, _PARENT, _CHILDREN_USER, _CHILDREN_SYSTEM, _THREADS = 0, 1, 13, 14, 17
_WANTS_THE_MACHINE = b"RD"
"""The states of a thread that runs, waits for a CPU, or waits for a disk."""
_RESIDENT = (b"RssAnon:", b"RssShmem:")
_Stat = list[bytes]


class Use(NamedTuple):
    """What a program's processes use together.

    `cpu` is seconds of CPU time so far, ended children's too. `memory` is resident bytes, beyond
    what each process was forked with and without the pages of files. `waits` says that no thread
    runs or would, were the machine less busy: what the program waits for is time, or itself.
    """

    cpu: float
    memory: int
    waits: bool


class Processes:
    """The processes of the running program.

    `proc` is a directory descriptor of `/proc`, which may be mounted nowhere. With `others`, the
    program's processes are all but those; without, they are the descendants of this process.
    """

    def __init__(self, proc: int, others: set[int] | None) -> None:
        self.proc = proc
        self.others = others
        self.inherited = 0

    def begin_here(self) -> None:
        """Take what this process holds for what its forks begin with, and are not charged for."""
        self.inherited = self._resident("self")

    def used(self) -> Use:
        """What the program's processes use and do at this moment."""
        cpu, memory, members = 0.0, 0, self._members()
        for pid, stat in members.items():
            children = int(stat[_CHILDREN_USER]) + int(stat[_CHILDREN_SYSTEM])
            try:
                own = time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)
            except OSError:
                own = 0.0
            cpu += own + children / _TICKS
            with suppress(OSError):  # it has ended
                memory += max(0, self._resident(str(pid)) - self.inherited)
        waits = not any(self._wants_the_machine(pid, stat) for pid, stat in members.items())
        return Use(cpu, memory, waits)

    def living(self) -> list[int]:
        """The program's processes that are not dead and waiting to be reaped."""
        return [pid for pid, stat in self._members().items() if stat[_STATE] not in b"ZX"]

    def tasks_of_user(self, uid: int) -> int:
        """How many threads a user's processes have."""
        count = 0
        for pid, stat in self._all().items():
            try:
                owner = os.stat(str(pid), dir_fd=self.proc).st_uid
            except OSError:
                continue
            count += int(stat[_THREADS]) if owner == uid else 0
        return count

    def volunteer(self) -> None:
        """Have the kernel end the calling process first when memory runs out."""
        descriptor = os.open("self/oom_score_adj", os.O_WRONLY, dir_fd=self.proc)
        try:
            os.write(descriptor, b"1000")
        finally:
            os.close(descriptor)

    def address_space(self, pid: int) -> int:
        """Bytes of address space that a process has mapped."""
        return int(self._read(f"{pid}/statm").split()[0]) * _PAGE

    def _resident(self, pid: str) -> int:
        """Resident bytes of a process without the pages of files, which the kernel can drop."""
        lines = self._read(f"{pid}/status").splitlines()
        counts = [line.split()[1] for line in lines if line.startswith(_RESIDENT)]
        return 1024 * sum(map(int, counts))

    def _members(self) -> dict[int, _Stat]:
        everything = self._all()
        if self.others is not None:
            return {pid: stat for pid, stat in everything.items() if pid not in self.others}
        members = {os.getpid()}
        found: dict[int, _Stat] = {}
        # A process may have a lower number than its parent, so walk until nothing is new.
        while new := {
            pid: stat
            for pid, stat in everything.items()
            if pid not in members and int(stat[_PARENT]) in members
        }:
            found.update(new)
            members.update(new)
        return found

    def _wants_the_machine(self, pid: int, stat: _Stat) -> bool:
        """Whether a thread of this process runs or waits for the machine; `stat` is the first's."""
        threads = [stat]
        if int(stat[_THREADS]) > 1:
            with suppress(OSError):  # it has ended
                threads += self._stats(f"{pid}/task").values()
        return any(each[_STATE] in _WANTS_THE_MACHINE for each in threads)

    def _all(self) -> dict[int, _Stat]:
        """The fields of `stat` after the name, of every process."""
        return self._stats(".")

    def _stats(self, place: str) -> dict[int, _Stat]:
        """The fields of `stat` after the name, of each process or thread in a folder of `/proc`."""
        folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.proc)
        try:
            names = os.listdir(folder)  # noqa: PTH208 - a descriptor has no Path
        finally:
            os.close(folder)
        found: dict[int, _Stat] = {}
        for name in filter(str.isdigit, names):
            with suppress(OSError):  # it has ended
                content = self._read(f"{place}/{name}/stat")
                found[int(name)] = content.rpartition(b")")[2].split()
        return found

    def _read(self, name: str) -> bytes:
        descriptor = os.open(name, os.O_RDONLY, dir_fd=self.proc)
        try:
            return os.read(descriptor, 4096)
        finally:
            os.close(descriptor)
