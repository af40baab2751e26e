"""Pairs that share something with a benchmark's item: imported ones come without their seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.decontamination.index import Compared, ContaminationIndex
from iterpref_assets.core.decontamination.items import BenchmarkItem
from iterpref_assets.core.pairs.config import Filter
from iterpref_assets.core.pairs.streaming import TableWriter, table_batches


def drop_overlapping(
    pairs: Path,
    items: Iterable[BenchmarkItem],
    out: Path,
    *,
    on_rows: Callable[[int], None] | None = None,
) -> None:
    """Drop the kept pairs whose problem's id, prompt or chosen program is a benchmark item's too.

    Args:
        pairs: Parquet with the columns of tables.PAIRS.
        items: those of every benchmark to keep clear of.
        out: where every pair goes (tables.PAIRS).
        on_rows: told of finished pair rows.

    Raises:
        InputError: where `pairs` is missing or has other columns.
    """
    index = ContaminationIndex(items)
    with TableWriter(out, tables.PAIRS) as writer:
        for batch in table_batches(pairs, tables.PAIRS):
            writer.write(_drop(batch, index))
            if on_rows:
                on_rows(batch.height)


def _drop(pairs: pl.DataFrame, index: ContaminationIndex) -> pl.DataFrame:
    rows = pairs.select("problem_id", "prompt", "chosen", "dropped_by").iter_rows()
    reasons = [
        reason or _reason(Compared(problem_id, prompt, chosen), index)
        for problem_id, prompt, chosen, reason in rows
    ]
    return pairs.with_columns(dropped_by=pl.Series(reasons, dtype=pl.String()))


def _reason(pair: Compared, index: ContaminationIndex) -> str | None:
    return Filter.BENCHMARK_OVERLAP.value if index.overlaps(pair) else None
