"""What a pair table amounts to: counts by filter, and how much of y- is in focus."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from iterpref_assets.core.pairs.config import Filter


@dataclass(frozen=True)
class FilterCounts:
    """Pairs kept, and for every filter the pairs it dropped (zeros included), in filter order."""

    kept: int
    dropped: dict[str, int]


def count_by_filter(pairs: pl.DataFrame) -> FilterCounts:
    """The counts of a table with the columns of tables.PAIRS."""
    counts = dict(pairs["dropped_by"].value_counts().iter_rows())
    return FilterCounts(
        kept=counts.get(None, 0), dropped={name.value: counts.get(name, 0) for name in Filter}
    )


def focal_share(table: pl.LazyFrame) -> float:
    """The share of y- tokens that lie on D- lines, over all pairs of tables.TOKENIZED_PAIRS.

    Raises:
        ValueError: where there is no token: no pairs is not a share of zero.
    """
    mask = pl.col("rejected_mask").list
    sums = table.select(marked=mask.sum().sum(), tokens=mask.len().sum()).collect()
    marked, tokens = sums.row(0)
    if not tokens:
        raise ValueError("no rejected token to take a share of")
    return marked / tokens
