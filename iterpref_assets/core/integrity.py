"""Whether a published artifact still holds what its manifest says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from iterpref_assets.core.digests import file_sha256
from iterpref_assets.core.records import Record


class FileEntry(Record):
    """One file of an artifact."""

    sha256: str
    bytes: int


def file_entry(path: Path) -> FileEntry:
    """What a manifest says of a file."""
    return FileEntry(sha256=file_sha256(path), bytes=path.stat().st_size)


def first_damage(folder: Path, files: Mapping[str, FileEntry]) -> str | None:
    """The first file of `folder` that is not as `files` says, and how it differs; None if all are.

    Sizes are compared before any content is read: most damage shows there, at no cost.
    """
    for name, entry in files.items():
        path = folder / name
        if not path.is_file():
            return f"{path} is missing"
        if (size := path.stat().st_size) != entry.bytes:
            return f"{path} has {size} bytes, not {entry.bytes}"
    for name, entry in files.items():
        if file_entry(folder / name).sha256 != entry.sha256:
            return f"{folder / name} has another content than its manifest says"
    return None
