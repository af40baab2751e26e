"""A log of finished work that survives kill -9: one record a line, appended whole."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from pydantic import ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Record

RecordT = TypeVar("RecordT", bound=Record)


class Journal(Generic[RecordT]):
    """The records of earlier runs, and a file to which this run appends.

    A line cut short by a kill is dropped on opening. Each record reaches the kernel before
    `append` returns, so it outlives the process; leaving the block brings it to the disk.

    Raises:
        InputError: naming the line, where the file holds one that is not such a record.
    """

    def __init__(self, path: Path, kind: type[RecordT]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.records = _recover(path, kind)
        self._stream = path.open("ab", buffering=0)

    def append(self, record: RecordT) -> None:
        """Keep `record`."""
        self._stream.write(record.model_dump_json().encode() + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.fsync(self._stream.fileno())
        self._stream.close()


def _recover(path: Path, kind: type[RecordT]) -> list[RecordT]:
    if not path.exists():
        return []
    with path.open("r+b") as stream:
        content = stream.read()
        whole = content.rfind(b"\n") + 1
        stream.truncate(whole)
    lines = content[:whole].split(b"\n")[:-1]
    return [_parse(line, kind, path, number) for number, line in enumerate(lines, start=1)]


def _parse(line: bytes, kind: type[RecordT], path: Path, number: int) -> RecordT:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            first["msg"],
            file=path,
            line=number,
            field=".".join(str(part) for part in first["loc"]) or None,
            remedy="The log was edited or damaged; delete the file to start over",
        ) from None
