"""Folders that are filled before they are published, swept up after processes that were killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = ".staging-"


@contextmanager
def staging_folder(home: Path) -> Generator[Path]:
    """A new folder in `home`, gone when the block ends unless it was renamed.

    Folders that killed processes left are removed first. A living one holds a lock on its folder,
    which ends with the process, in whatever container it runs.
    """
    home.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    name = uuid.uuid4().hex
    new, folder = home / f".new-{name}", home / f"{_PREFIX}{name}"
    new.mkdir()
    lock = os.open(new, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new.rename(folder)  # only now can others see it, and it is locked
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(home: Path) -> None:
    for folder in home.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)
