"""The two ways to keep a program apart, as the fork server uses them.

`Namespaces`: in bubblewrap, where the server holds CAP_SYS_ADMIN in a user namespace. Each program
is the first process of its own PID namespace, so its death is the death of all it started.

`Container`: in a container that is isolated already. There is no second PID namespace; what the
program started is found by descent, since orphans fall to the server, and is not reaped before
all of it is dead, so that a chain of short-lived forks runs into the limit on processes.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, Protocol

from . import kernel, landlock
from .usage import Processes

_INODES = 10_000


class Isolation(Protocol):
    """What keeps programs apart.

    `directory` is where programs run; `processes` are those of the running program; `stdin` is
    where a script's input is copied for `/dev/stdin` to lead to, "" where `/proc` leads there.
    """

    directory: str
    stdin: str
    processes: Processes

    def seal(self) -> None:
        """Once all is loaded and before the first program: close what only loading needed."""
        ...

    def fork(self) -> int:
        """Fork the program's first process."""
        ...

    def allowance(self, processes: int) -> int:
        """The kernel's limit on processes that leaves the program `processes`."""
        ...

    def confine(self) -> None:
        """In the child: give up what the server has and a program must not."""
        ...

    def reap(self, child: int) -> tuple[int, float]:
        """Once the child is dead or dying: its wait status, and CPU seconds of all it started."""
        ...

    def clean(self) -> None:
        """Give the next program empty directories, whatever the last one left there."""
        ...


class Namespaces:
    """Programs in PID namespaces of their own, with file systems in memory that are replaced."""

    directory = "/box"

    def __init__(self, settings: dict[str, Any]) -> None:
        self.uid: int = settings["uid"]
        self.size: int = settings["tmpfs_bytes"]
        self.processes = Processes(os.open("/proc", os.O_RDONLY | os.O_DIRECTORY), {1, os.getpid()})
        self.own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY)
        self.directories: list[str] = settings["directories"]
        self.devices: list[str] = settings["devices"]
        self.stdin: str = settings["stdin"]
        for path in self.directories:
            kernel.mount_tmpfs(path, self.size, _INODES)

    def seal(self) -> None:
        """Take away `/proc`, devices' times, and what loading left in the directories."""
        kernel.unmount("/proc")
        for path in self.devices:
            kernel.forbid_changes(path)
        self.clean()

    def fork(self) -> int:
        """Fork the first process of a new PID namespace."""
        kernel.unshare(kernel.CLONE_NEWPID)
        child = os.fork()
        if child != 0:
            kernel.setns(self.own_namespace, kernel.CLONE_NEWPID)
        return child

    def allowance(self, processes: int) -> int:
        """One more where the server itself counts, having the same uid."""
        return processes + (self.uid == os.getuid())

    def confine(self) -> None:
        """Take the program's uid and give up every capability."""
        kernel.drop_privileges(self.uid)

    def reap(self, child: int) -> tuple[int, float]:
        """The kernel ends the whole namespace before its first process counts as dead."""
        _, status, used = os.wait4(child, 0)
        return status, used.ru_utime + used.ru_stime

    def clean(self) -> None:
        """Replace each file system: one that holds no file may still hold attributes and modes."""
        for path in self.directories:
            kernel.unmount(path)
            kernel.mount_tmpfs(path, self.size, _INODES)


class Container:
    """Programs beside the server, held by Landlock and the seccomp filter."""

    stdin = ""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.directory: str = settings["directory"]
        self.readable: list[str] = settings["readable"]
        self.processes = Processes(os.open("/proc", os.O_RDONLY | os.O_DIRECTORY), None)
        kernel.adopt_orphans()

    def seal(self) -> None:
        """Take away what loading left in the directory."""
        self.clean()

    def fork(self) -> int:
        """Fork plainly."""
        return os.fork()

    def allowance(self, processes: int) -> int:
        """Beside what this user runs already, threads included, which the kernel counts too."""
        return processes + self.processes.tasks_of_user(os.getuid())

    def confine(self) -> None:
        """Give up every file but the program's own and the libraries."""
        kernel.forbid_new_privileges()
        landlock.restrict(self.readable, [self.directory, "/dev/null"])

    def reap(self, child: int) -> tuple[int, float]:
        """Kill until nothing lives, then reap everything."""
        while living := self.processes.living():
            for pid in living:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        status, cpu = 0, 0.0
        while True:
            try:
                pid, ended, used = os.wait4(-1, 0)
            except ChildProcessError:
                return status, cpu
            cpu += used.ru_utime + used.ru_stime
            if pid == child:
                status = ended

    def clean(self) -> None:
        """Empty the directory without following links, however deep its tree."""
        empty_directory(Path(self.directory))


def empty_directory(top: Path) -> None:
    """Remove everything in `top`, lifting nested folders up so that no path grows long."""
    number = 0
    while entries := list(os.scandir(top)):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)  # noqa: PTH108 - entries are paths already
                continue
            os.chmod(entry.path, 0o700)  # noqa: PTH101
            for inner in list(os.scandir(entry.path)):
                if inner.is_dir(follow_symlinks=False):
                    os.chmod(inner.path, 0o700)  # noqa: PTH101
                    number += 1
                    while os.path.lexists(lifted := top / f".lifted-{number}"):
                        number += 1
                    os.rename(inner.path, lifted)  # noqa: PTH104
                else:
                    os.unlink(inner.path)  # noqa: PTH108
            os.rmdir(entry.path)  # noqa: PTH106
