"""Whoever opens a file stands still until he is let go on: a moment that a test can wait for."""

import fcntl
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(file: Path) -> Iterator[Callable[[], bool]]:
    """Until the block ends, whoever opens the file stands still (for 45 s by the kernel's default).

    Gives a function that says whether someone does.
    """
    ignored = signal.signal(signal.SIGIO, signal.SIG_IGN)  # how the kernel would tell of it
    with file.open("rb+") as stream:
        fcntl.fcntl(stream, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield lambda: fcntl.fcntl(stream, fcntl.F_GETLEASE) != fcntl.F_WRLCK
        fcntl.fcntl(stream, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    signal.signal(signal.SIGIO, ignored)
