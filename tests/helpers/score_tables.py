"""Tables of scores, by what a test says of each answer."""

from collections.abc import Iterable

import polars as pl

from iterpref_assets.core import tables


def score_table(rows: Iterable[tuple]) -> pl.DataFrame:
    """tables.SCORES of rows that hold its first columns; the others are empty."""
    width = len(tables.SCORES)
    filled = [(*row, *[""] * (width - len(row))) for row in rows]
    return pl.DataFrame(filled, schema=tables.SCORES, orient="row")
