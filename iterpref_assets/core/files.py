"""Files that appear whole or not at all and outlast a power cut, and reading packed ones."""

from __future__ import annotations

import codecs
import fcntl
import gzip
import lzma
import os
import shutil
import uuid
import zlib
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from iterpref_assets.core.errors import InputError

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_bytes(file: Path, remedy: str) -> bytes:
    """The content of a text file as UTF-8 without a byte-order mark.

    Unpacked where its name ends in .gz, .xz or .zst; UTF-16 is known by its byte-order mark.

    Raises:
        InputError: with `remedy`, where there is no such file, it is no whole packed one, or it is
            no UTF-16; where Git LFS left a pointer in its place.
    """
    try:
        content = _as_utf_8(_unpacked(file))
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        problem = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise InputError(problem, file=file, remedy=remedy) from error
    if content.startswith(_LFS_POINTER):
        raise InputError(
            "a pointer of Git LFS stands in place of the file",
            file=file,
            remedy="Fetch the file itself: git lfs pull",
        )
    return content


def _unpacked(file: Path) -> bytes:
    content = file.read_bytes()
    if file.suffix == ".gz":
        return gzip.decompress(content)
    if file.suffix == ".xz":
        return lzma.decompress(content)
    if file.suffix == ".zst":
        import pyarrow as pa

        with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
            return stream.read()
    return content


def _as_utf_8(content: bytes) -> bytes:
    if content.startswith(_UTF_16):
        return content.decode("utf-16").encode()
    return content.removeprefix(codecs.BOM_UTF8)


def cache_folder() -> Path:
    """Where what can be computed again is kept, by the XDG convention."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "iterpref"


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """A file beside `path` to fill; it takes the place of `path` when the block ends.

    Its name is drawn anew, so that any number of threads, processes and containers may write
    `path` at once: the last one's content stays. An exception leaves `path` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        yield partial
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    """Write a whole text file, in UTF-8, in the place of what `path` was."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def publish_folder(folder: Path, target: Path) -> None:
    """Give a filled folder the name `target`, of the same disk, once the disk holds all of it.

    Raises:
        OSError: where `target` is a folder that holds something.
    """
    sync_tree(folder)
    folder.rename(target)
    sync(target.parent)


def replace_files(folder: Path, target: Path, names: Iterable[str]) -> None:
    """Put files of `folder` in the place of those of `target`, of the same disk, one by one."""
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).replace(target / name)
    sync_tree(target)


def hold(path: Path) -> BinaryIO:
    """Hold `path` for this process until the returned stream is closed.

    The lock is that of a file beside it, which nothing else opens: this kind of lock ends with the
    process and is not inherited by its children, which may outlive it; but it also ends when the
    process closes any handle of the locked file.

    Raises:
        InputError: where another process holds it.
    """
    lock = _lock_of(path)
    while True:
        stream = lock.open("wb")
        try:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.close()
            raise InputError(
                "another process is working on this", file=path, remedy="Wait for it, or end it"
            ) from None
        if _leads_to(lock, stream.fileno()):
            return stream
        stream.close()  # whoever held it removed it since it was opened


@contextmanager
def held(path: Path) -> Generator[None]:
    """Hold `path` within the block, and leave no lock behind; raises as `hold`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with hold(path):
        try:
            yield
        finally:
            _lock_of(path).unlink(missing_ok=True)


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


@contextmanager
def locked(home: Path) -> Generator[None]:
    """Be the only one who adds to `home`, or sweeps it, within the block."""
    lock = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def made_and_shared(folder: Path) -> int:
    """Make a folder that `remove_unshared` leaves alone until the returned descriptor is closed."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # removed since it was made
        fcntl.flock(lock, fcntl.LOCK_SH)
        if _leads_to(folder, lock):
            return lock
        os.close(lock)  # whoever removed it had it locked


def _leads_to(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def remove_unshared(folder: Path) -> None:
    """Remove a folder that there may be, unless a living process holds a lock on it."""
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(lock)


def sync(path: Path) -> None:
    """Return once the disk holds a file's content, or a folder's list of what is in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Return once the disk holds all below `folder`, though not its own name in its parent."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)
