"""The system calls that `os` of Python 3.11 does not wrap, and what they protect."""

from __future__ import annotations

import ctypes
import os
import resource
from typing import Any

CLONE_NEWPID = 0x20000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_BIND = 1, 2, 4, 8, 32, 4096
_MNT_DETACH = 2
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_SECUREBITS = 38, 22, 24, 28
_PR_SET_CHILD_SUBREAPER = 36
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_SECCOMP_MODE_FILTER = 2
_SECUREBITS_ALL_LOCKED = 0x2B
"""No capabilities for root, none kept over a change of uid, and no way back."""
_CAPABILITY_VERSION_3 = 0x20080522
_HELD_CAPABILITIES = (5, 6, 7, 8, 21)
"""KILL, SETGID, SETUID, SETPCAP, SYS_ADMIN: all that bubblewrap leaves to the server."""

_libc = ctypes.CDLL(None, use_errno=True)


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def unshare(flags: int) -> None:
    """Give this process (for CLONE_NEWPID: its next children) namespaces of their own."""
    _check(_libc.unshare(flags))


def setns(descriptor: int, kind: int) -> None:
    """Join the namespace that `descriptor` refers to."""
    _check(_libc.setns(descriptor, kind))


def mount_tmpfs(path: str, size: int, inodes: int) -> None:
    """Mount an empty file system of at most `size` bytes that anyone may write to."""
    options = f"size={size},nr_inodes={inodes},mode=0777".encode()
    _check(_libc.mount(b"tmpfs", path.encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV, options))


def forbid_changes(path: str) -> None:
    """Make the mount of a device at `path` read-only.

    The device can be written to as before, but its times, which are the host's, cannot be set.
    Flags that the mount has are kept, since a user namespace may not drop them.
    """
    kept = os.statvfs(path).f_flag & (_MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    flags = _MS_REMOUNT | _MS_BIND | _MS_RDONLY | kept
    _check(_libc.mount(None, path.encode(), None, flags, None))


def unmount(path: str) -> None:
    """Take the mount at `path` out of the tree, even while something holds it."""
    _check(_libc.umount2(path.encode(), _MNT_DETACH))


def set_limits(limits: dict[str, int]) -> None:
    """Set soft and hard limits by the names of `resource` without `RLIMIT_`."""
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def drop_privileges(uid: int) -> None:
    """Become `uid` and give up every capability for good, across `execve` too."""
    for capability in _HELD_CAPABILITIES:
        _check(_libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0))
    _check(_libc.prctl(_PR_SET_SECUREBITS, _SECUREBITS_ALL_LOCKED, 0, 0, 0))
    if uid != os.getuid():
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    _check(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)()))
    forbid_new_privileges()


def forbid_new_privileges() -> None:
    """Rule out that this process, or anything it starts, ever gains privileges."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parents die."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def load_filter(instructions: Any) -> None:
    """Put this process, and all it starts, under a seccomp filter.

    `instructions` is a ctypes buffer holding the BPF program.
    """
    program = _Filter(len(instructions) // 8, ctypes.addressof(instructions))
    _check(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0))


def filter_buffer(program: bytes) -> Any:
    """`program` in memory that `load_filter` takes."""
    return (ctypes.c_char * len(program)).from_buffer_copy(program)
