"""How a worker learns that whoever started it is gone, in another process or another container.

The starter holds a lock on a file that both can see; the kernel drops the lock however the starter
ends, SIGKILL included, and the worker, which waits for it, ends too. A worker that lived on would
publish what no run records, and hold the GPU of a pool slot that is free again.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

ABANDONED_EXIT_CODE = 3


@contextmanager
def held(path: Path) -> Generator[None]:
    """Hold the lifeline at `path` within the block, and remove it afterwards."""
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def end_with(path: Path) -> None:
    """End this process, and with it what it started, once nobody holds the lifeline at `path`."""
    stream = path.open()

    def wait() -> None:
        fcntl.flock(stream, fcntl.LOCK_SH)
        os._exit(ABANDONED_EXIT_CODE)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def is_held(path: Path) -> bool:
    """Whether whoever started the worker of this lifeline still lives."""
    with path.open() as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
