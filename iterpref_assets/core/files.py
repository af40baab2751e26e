"""Files that appear whole or not at all and outlast a power cut, and reading packed ones."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from iterpref_assets.core.errors import InputError


def read_bytes(file: Path, remedy: str) -> bytes:
    """The content of a file, unpacked where its name ends in .gz.

    Raises:
        InputError: with `remedy`, where there is no such file, or it is no whole gzip.
    """
    try:
        content = file.read_bytes()
        return gzip.decompress(content) if file.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        problem = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise InputError(problem, file=file, remedy=remedy) from error


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """A file beside `path` to fill; it takes the place of `path` when the block ends.

    An exception leaves `path` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


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
