"""What files, programs and JSON values are recognised by: one function for each."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def file_sha256(file: Path) -> str:
    """The SHA-256 of a file's bytes, in hex, read piece by piece.

    Raises:
        OSError: where it cannot be read.
    """
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def program_sha256(program: str) -> str:
    """The SHA-256 of a program, in hex; lone surrogates, which UTF-8 has no bytes for, count."""
    return hashlib.sha256(program.encode("utf-8", "surrogatepass")).hexdigest()


def digest_json(value: Any) -> str:
    """The SHA-256 of a JSON value, in hex, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Checksums:
    """The SHA-256 and the MD5, in hex, of bytes that may come piece by piece.

    Benchmarks are told apart by the first; their own harnesses report the second.
    """

    def __init__(self, content: bytes = b"") -> None:
        self._sha256 = hashlib.sha256(content)
        self._md5 = hashlib.md5(content, usedforsecurity=False)

    def update(self, content: bytes) -> None:
        """Add what comes next."""
        self._sha256.update(content)
        self._md5.update(content)

    @property
    def sha256(self) -> str:
        """Of all that was given so far."""
        return self._sha256.hexdigest()

    @property
    def md5(self) -> str:
        """Of all that was given so far."""
        return self._md5.hexdigest()
