"""A fork server's folder on the host, which nobody needs once its owner is gone."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

from iterpref_assets.core.errors import SandboxUnavailableError
from iterpref_assets.core.files import locked
from iterpref_assets.core.sandbox.inside.isolation import empty_directory


class ServerFolder:
    """An empty folder that is locked as long as this process lives.

    A process that is killed cannot remove its own: the next one that needs a folder does, or
    `remove_abandoned`.
    """

    def __init__(self) -> None:
        home = _home()
        with locked(home):  # a folder that nobody has locked yet is no abandoned one
            _sweep(home)
            self.path = Path(tempfile.mkdtemp(dir=home))
            lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
        self._removal = weakref.finalize(self, _remove, self.path, lock)

    def remove(self) -> None:
        """Remove it with what it holds; again does nothing."""
        self._removal()


def remove_abandoned() -> None:
    """Remove the folders of processes that were killed, where this user has any."""
    home = _place()
    if _is_own(home):
        with locked(home):
            _sweep(home)


def _place() -> Path:
    return Path(tempfile.gettempdir()) / f"iterpref-sandboxes-{os.getuid()}"


def _is_own(home: Path) -> bool:
    """Whether there is such a folder, and this user made it."""
    try:
        found = home.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _home() -> Path:
    """This user's folder of such folders.

    Raises:
        SandboxUnavailableError: where someone else has made it.
    """
    home = _place()
    home.mkdir(mode=0o700, exist_ok=True)
    if not _is_own(home):
        raise SandboxUnavailableError(
            f"{home} belongs to somebody else",
            remedy="Remove it, or set TMPDIR to a folder of your own",
        )
    return home


def _sweep(home: Path) -> None:
    for folder in home.iterdir():
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # its owner removed it meanwhile
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            _remove(folder, lock)


def _remove(folder: Path, lock: int) -> None:
    # A program may have nested folders deeper than `rmtree` can recurse.
    with suppress(OSError):
        empty_directory(folder)
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
