"""Which table holds the ids and masks that go with a pair table."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError

TOKENS_FILE = "tokens.parquet"
"""Its name beside the pair table of an asset."""


def tokens_beside(pairs: Path) -> Path:
    """Where `iterpref pairs` puts the ids and masks of the pairs in `pairs`."""
    return pairs.with_suffix(f".tokens{pairs.suffix}")


def tokens_of(pairs: Path) -> Path:
    """The table of ids and masks (tables.TOKENIZED_PAIRS) of a pair table, or that table itself.

    Raises:
        InputError: where there is none, or it is of other columns.
    """
    if pairs.is_dir():
        raise InputError(
            "is a folder", file=pairs, field="pairs", remedy="Give the pair table within it"
        )
    beside = (tokens_beside(pairs), pairs.with_name(TOKENS_FILE))
    found = next((file for file in beside if file.is_file()), pairs)
    if found == pairs and _has_pairs_alone(pairs):
        raise InputError(
            "holds pairs without token ids and masks, which are of one tokenizer",
            file=pairs,
            remedy="Give a table that `iterpref pairs` wrote with its .tokens table beside it, or "
            "that of the asset: iterpref run --until preference_pairs",
        )
    tables.check_table(found, tables.TOKENIZED_PAIRS)
    return found


def _has_pairs_alone(file: Path) -> bool:
    if not file.is_file() or file.suffix != ".parquet":
        return False
    columns = pl.read_parquet_schema(file)
    return "chosen" in columns and "chosen_ids" not in columns
