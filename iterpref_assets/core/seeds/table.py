"""A local JSONL or Parquet file as a seed source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import Field, JsonValue

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.json_lines import parse_json
from iterpref_assets.core.seeds.columns import ColumnMapping, read_rows
from iterpref_assets.core.seeds.pooled import PooledSeeds
from iterpref_assets.core.seeds.reading import CHECK_SETTINGS, SeedReading, file_digest

PARQUET = ".parquet"


class TableSeeds(PooledSeeds):
    """The rows of one file."""

    kind: Literal["table"] = Field("table", description="Which kind of seeds")
    path: Path = Field(description="The file: .parquet, or JSON lines (.jsonl, gzipped or not)")
    label: str = Field(
        pattern=r"^[a-z0-9_-]+$", description="What its shards and problems are named after"
    )
    columns: ColumnMapping = Field(description="Which column holds what")

    @property
    def name(self) -> str:
        """What its shards and problems are named after."""
        return self.label

    def source_identity(self) -> dict[str, JsonValue]:
        """The file's content and how it is read."""
        return {"sha256": file_digest(self.path), "columns": self.columns.model_dump(mode="json")}

    def read(self) -> SeedReading:
        """Every row of the file."""
        parquet = self.path.suffix == PARQUET
        rows = _parquet_rows(self.path) if parquet else _json_rows(self.path)
        return read_mapped(rows, self.columns, self.name, str(self.path))


def read_mapped(
    rows: Iterable[Mapping[str, Any]], columns: ColumnMapping, source: str, place: str
) -> SeedReading:
    """`read_rows`, where every row has every mapped column.

    Raises:
        InputError: naming the column that is missing, or as `read_rows`.
    """
    reading = read_rows(_checked(rows, columns, place), columns, source, place)
    if not reading.problems and not reading.unusable:
        raise InputError("no rows", file=place, remedy="Give at least one row")
    return reading


def _checked(
    rows: Iterable[Mapping[str, Any]], columns: ColumnMapping, place: str
) -> Iterator[Mapping[str, Any]]:
    wanted = columns.names()
    for number, row in enumerate(rows, start=1):
        for name in wanted:
            if name not in row:
                raise InputError(
                    f"no such column; there are {', '.join(sorted(row))}",
                    file=place,
                    line=number,
                    field=name,
                    remedy="Correct seeds.columns",
                )
        yield row


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise InputError(f"no Parquet file ({error})", file=path, remedy="Correct it") from None
    return frame.iter_rows(named=True)


def _json_rows(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(read_bytes(path, CHECK_SETTINGS).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise InputError(
                "not a JSON object", file=path, line=number, remedy="Give one object a line"
            )
        yield row
