"""An append-only log of finished work that a kill at any moment leaves readable.

One JSON object a line, in one file, written in the order in which the work was finished. A line is
handed to the kernel in one write before `append` returns, so `kill -9` loses nothing that counted
as finished; once a second, and on leaving, the file is also brought to the disk, so a power cut
costs at most the last second, and always a suffix: no record survives that followed a lost one.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import hold, replacing
from iterpref_assets.core.json_lines import parse_json
from iterpref_assets.core.tables import Schema, validate

SECONDS_BETWEEN_SYNCS = 1.0
KIND = "kind"

_START_OVER = "Delete the file to start over, or give another work folder"


def storable(text: str) -> str:
    """`text` with `?` for each half of a surrogate pair, which no table or file can hold."""
    return text.encode(errors="replace").decode()


class Journal:
    """The log in one file; one process at a time holds it.

    `settings` is what the logged work depends on; it is the first line. A torn last line is dropped
    on opening.

    Raises:
        InputError: where another process holds the file, it was started with other settings, or a
            line in it is damaged.
    """

    def __init__(self, path: Path, settings: Mapping[str, JsonValue]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = hold(path)
        self._stream = path.open("a+b", buffering=0)
        self._synced = time.monotonic()
        self._drop_torn_line()
        self._check_settings(json.loads(json.dumps(dict(settings))))

    def append(self, kind: str, row: Mapping[str, JsonValue]) -> None:
        """Keep `row`, a record of this `kind`."""
        self._write({KIND: kind, **row})
        if time.monotonic() - self._synced >= SECONDS_BETWEEN_SYNCS:
            self._sync()

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every record's kind and row, oldest first; none of them is kept in memory.

        Raises:
            InputError: naming the line that is no record.
        """
        for kind, row, _ in self._lines():
            yield kind, row

    def drop(self, is_dropped: Callable[[str, Mapping[str, Any]], bool]) -> None:
        """Take the records out of the file for which `is_dropped(kind, row)`: all, or none."""
        with replacing(self.path) as partial, partial.open("wb") as kept:
            with self.path.open("rb") as lines:
                kept.write(next(lines))
            kept.writelines(line for kind, row, line in self._lines() if not is_dropped(kind, row))
        self._stream.close()
        self._stream = self.path.open("a+b", buffering=0)

    def _lines(self) -> Iterator[tuple[str, dict[str, Any], bytes]]:
        with self.path.open("rb") as lines:
            next(lines)
            for number, line in enumerate(lines, start=2):
                row = self._parse(line, number)
                yield str(row.pop(KIND)), row, line

    def table(self, kind: str, schema: Schema, order: list[str]) -> pl.DataFrame:
        """All records of one kind as a table, sorted by the columns of `order`."""
        columns = {KIND: pl.String(), **schema}
        rows = pl.scan_ndjson(self.path, schema=columns).filter(pl.col(KIND) == kind)
        return validate(rows.select(list(schema)).sort(order).collect(), schema)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sync()
        self._stream.close()
        self._lock.close()

    def _write(self, value: Mapping[str, JsonValue]) -> None:
        line = json.dumps(value).encode() + b"\n"
        written = os.write(self._stream.fileno(), line)
        if written < len(line):  # the disk is full: leave no torn line behind
            self._stream.truncate(os.fstat(self._stream.fileno()).st_size - written)
            raise OSError(f"could not write {len(line)} bytes to {self.path}")

    def _sync(self) -> None:
        os.fsync(self._stream.fileno())
        self._synced = time.monotonic()

    def _drop_torn_line(self) -> None:
        size = whole = os.fstat(self._stream.fileno()).st_size
        step = 1 << 16
        tail = b""
        while whole > 0 and b"\n" not in tail:
            whole = max(0, whole - step)
            tail = os.pread(self._stream.fileno(), step, whole)
        self._stream.truncate(min(size, whole + tail.rfind(b"\n") + 1))

    def _check_settings(self, settings: dict[str, JsonValue]) -> None:
        with self.path.open("rb") as lines:
            first = lines.readline()
        if not first:
            self._write(settings)
        elif (found := self._parse(first, 1)) != settings:
            different = sorted(
                name for name in {*found, *settings} if found.get(name) != settings.get(name)
            )
            raise InputError(
                "this work was started with other settings",
                file=self.path,
                field=different[0],
                remedy=_START_OVER,
            )

    def _parse(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            return parse_json(line)
        except ValueError:
            raise InputError(
                "not a record", file=self.path, line=number, remedy=_START_OVER
            ) from None
