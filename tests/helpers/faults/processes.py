"""What the kernel is asked for: who lives, who adopts orphans, a small disk of one's own."""

import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_REC, _MS_PRIVATE, _MS_REMOUNT = 0x4000, 1 << 18, 32
POLL_SECONDS = 0.01


def adopt_orphans() -> None:
    """Make this process the parent of each descendant whose own parent dies."""
    _checked(_LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def see_own_mounts() -> None:
    """Let no other process see what this one mounts; it all goes with its last descendant."""
    user, group = os.getuid(), os.getgid()
    if user:
        _checked(_LIBC.unshare(_CLONE_NEWUSER | _CLONE_NEWNS))
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    else:
        _checked(_LIBC.unshare(_CLONE_NEWNS))
    _checked(_LIBC.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None))


def mount_memory(folder: Path, size: int, *, again: bool = False) -> None:
    """A disk in memory of so many bytes at `folder`; `again` resizes one that is there."""
    flags = _MS_REMOUNT if again else 0
    option = f"size={size}".encode()
    _checked(_LIBC.mount(b"tmpfs", str(folder).encode(), b"tmpfs", flags, option))


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def forked(work: Callable[[], None], log: Path) -> int:
    """The id of a child that does `work`, logs what it says and ends: 0 done, 1 raised."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - the child must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def ended(pid: int, seconds: float) -> int | None:
    """The exit status of a child (negative: the signal) that ends within the time, else None."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(POLL_SECONDS)
    return None


def children(pid: int | str) -> Iterator[int]:
    """The processes that a process is the parent of."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        for task in tasks:
            yield from map(int, (task / "children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        return


def descendants(pid: int) -> Iterator[int]:
    """Its children, and theirs."""
    for child in children(pid):
        yield child
        yield from descendants(child)


def command_of(pid: int) -> str:
    """The command line of a process; empty where it is gone or dead."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def worker_of(run: int, seconds: float) -> int | None:
    """The worker that a run starts within the time; None where it ends, or starts none."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and is_alive(run):
        for process in descendants(run):
            command = command_of(process)
            # What starts it and limits its time comes before it, and is named by the same command.
            if "iterpref_assets.workers" in command and not command.startswith(
                ("timeout ", "env ")
            ):
                return process
        time.sleep(POLL_SECONDS)
    return None


def is_alive(pid: int) -> bool:
    """Whether a child still runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid: int) -> bool:
    """Kill a process at once; whether it was alive to be killed."""
    alive = is_alive(pid)
    if alive:
        os.kill(pid, signal.SIGKILL)
    return alive


def orphans_after(seconds: float) -> list[str]:
    """The commands of this process's descendants that still run after the time."""
    deadline = time.monotonic() + seconds
    while True:
        left = [pid for pid in children("self") if is_alive(pid)]
        if not left or time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    said = [f"{pid} {command_of(pid)}" for pid in left]
    for pid in left:
        kill(pid)
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return said
