"""Results of the grid that another machine recorded: which of them still stand, and joining them.

What a machine made for hours outlasts it in the tables of `iterpref experiment export`. A result
stands where all that it depends on is what it would be made of here (`CELLS.made_of`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from iterpref_assets.core.experiment.arms import Cell
from iterpref_assets.core.experiment.results import CELLS, FILES, Results, read_results

PROGRAMS = "programs"
"""The folder of debugged programs beside the tables: a file for each shard, like `programs_of`."""

VALIDATION = "experiment_validation"
TABLES: Mapping[str, str] = {
    "experiment_scores": "scores",
    "experiment_sampled": "sampled",
    "experiment_benchmarks": "benchmarks",
}
"""The field of Results that holds the rows of an asset's cells; validation is a column of cells."""


def programs_of(shard: str) -> str:
    """The file of a shard's debugged programs in PROGRAMS (tables.VERSIONS without feedback)."""
    return f"{shard}.parquet"


Stands = Callable[[str, str], bool]
"""Whether what is recorded of an asset and a cell's key stands."""


@dataclass(frozen=True)
class RecordedGrid:
    """The tables that another machine left; None where there are none."""

    results: Results | None

    @classmethod
    def read(cls, folder: Path | None) -> RecordedGrid:
        """What `folder` holds.

        Raises:
            InputError: where it holds some of the tables and not all, or one is malformed.
        """
        if folder is None or not any((folder / name).exists() for name in FILES):
            return cls(None)
        return cls(read_results(folder))

    @cached_property
    def _cells(self) -> dict[str, dict[str, Any]]:
        return {} if self.results is None else _by_key(self.results.cells)

    @property
    def keys(self) -> list[str]:
        """The cells that something is recorded of."""
        return list(self._cells)

    def made_of(self, asset: str, key: str) -> str | None:
        """The digest of what an asset's cell was made of; None where it is not recorded."""
        row = self._cells.get(key)
        return None if row is None else json.loads(row["made_of"]).get(asset)

    def validation(self, key: str) -> float:
        """The pass rate of a cell that is recorded on the validation problems."""
        return self._cells[key]["validation"]

    def joined(self, fresh: Results, stands: Stands) -> Results:
        """`fresh`, and what is recorded beside it and stands; `fresh` counts where both have it."""
        if self.results is None:
            return fresh
        cells = _by_key(fresh.cells)
        for key, row in self._cells.items():
            made_of = json.loads(row["made_of"])
            kept = {asset: digest for asset, digest in made_of.items() if stands(asset, key)}
            if kept:
                cells[key] = _joined_row(cells.get(key), row, kept)
        tables = {
            name: _joined_rows(
                getattr(fresh, name),
                getattr(self.results, name),
                [key for key in self._cells if self.made_of(asset, key) and stands(asset, key)],
            )
            for asset, name in TABLES.items()
        }
        curves = _joined_rows(fresh.curves, self.results.curves, cells)
        kinds = _other_pairs(fresh.kinds, self.results.kinds)
        rounds = self.results.rounds if fresh.rounds.is_empty() else fresh.rounds
        table = pl.DataFrame(list(cells.values()), schema=CELLS)
        return replace(fresh, cells=table, curves=curves, kinds=kinds, rounds=rounds, **tables)


def _by_key(cells: pl.DataFrame) -> dict[str, dict[str, Any]]:
    return {_key(row): row for row in cells.iter_rows(named=True)}


def _key(row: Mapping[str, Any]) -> str:
    return Cell(arm=row["arm"], rate=row["rate"], seed=row["seed"]).key


def _joined_row(
    fresh: dict[str, Any] | None, recorded: Mapping[str, Any], kept: Mapping[str, str]
) -> dict[str, Any]:
    """A cell's row: the fresh one where there is one, with what else is recorded of it."""
    made_of = dict(kept) if fresh is None else {**kept, **json.loads(fresh["made_of"])}
    row = dict(recorded if fresh is None else fresh)
    validated = row["validation"] if fresh and row["validation"] is not None else None
    if validated is None and VALIDATION in kept:
        validated = recorded["validation"]
    return {**row, "validation": validated, "made_of": json.dumps(made_of, sort_keys=True)}


def _joined_rows(fresh: pl.DataFrame, recorded: pl.DataFrame, keys: Iterable[str]) -> pl.DataFrame:
    """`fresh`, and the recorded rows of those of `keys` that it has none of."""
    there = set(_keys_of(fresh))
    wanted = [key for key in keys if key not in there]
    names = pl.Series(_keys_of(recorded), dtype=pl.String())
    return pl.concat([fresh, recorded.filter(names.is_in(wanted))])


def _other_pairs(fresh: pl.DataFrame, recorded: pl.DataFrame) -> pl.DataFrame:
    """`fresh`, and the recorded kinds of tokens of other sets of pairs."""
    return pl.concat([fresh, recorded.join(fresh, on="pairs", how="anti")])


def _keys_of(rows: pl.DataFrame) -> Iterator[str]:
    return map(_key, rows.select("arm", "rate", "seed").iter_rows(named=True))
