"""Landlock: giving up every file but those named, for a process and all it starts, for good.

Version 3 (Linux 6.2) is the least: before it, any file that the user may write can be truncated.
Where the kernel's version reaches that far (6, Linux 6.12), signals and abstract sockets are
confined to the program's own processes too. See landlock(7).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence

CONFINES_TRUNCATION = 3
"""The first version that confines `truncate`."""

SCOPES_SIGNALS = 6
"""The first version that confines signals."""

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_WRITE_FILE, _TRUNCATE = 1 << 1, 1 << 14
_ALL = {3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""Every right over files that a version knows, by the version that brought the last of them."""
_FILE_ACCESS = _EXECUTE | _READ_FILE | _WRITE_FILE | _TRUNCATE | 1 << 15
_SCOPES = 3

_libc = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = [
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    ]


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """The kernel's version of Landlock, 0 where it has none or keeps it switched off."""
    return max(0, _libc.syscall(_CREATE, None, 0, _VERSION_FLAG))


def restrict(readable: Sequence[str], writable: Sequence[str]) -> None:
    """Leave this process nothing but reading beneath `readable` and all beneath `writable`.

    Paths that do not exist are passed over. The kernel's version must confine truncation.
    """
    known = version()
    handled = _ALL[max(each for each in _ALL if each <= known)]
    scoped = _SCOPES if known >= SCOPES_SIGNALS else 0
    attributes = _Ruleset(handled, 0, scoped)
    size = 24 if scoped else 8
    ruleset = _check(_libc.syscall(_CREATE, ctypes.byref(attributes), size, 0))
    for path in readable:
        _allow(ruleset, path, (_EXECUTE | _READ_FILE | _READ_DIR) & handled)
    for path in writable:
        _allow(ruleset, path, handled)
    _check(_libc.syscall(_RESTRICT, ruleset, 0))
    os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not os.path.isdir(path):  # noqa: PTH112 - this module is loaded before every program
        access &= _FILE_ACCESS
    rule = _PathRule(access, parent)
    _check(_libc.syscall(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0))
    os.close(parent)


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
