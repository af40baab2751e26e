"""The ids and masks of a pair table are found where commands and assets leave them."""

from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.token_files import tokens_of

PAIRS, TOKENS = tables.PAIRS, tables.TOKENIZED_PAIRS


def write(file: Path, schema: tables.Schema) -> Path:
    pl.DataFrame(schema=schema).write_parquet(file)
    return file


@pytest.mark.parametrize("name", ["mine.tokens.parquet", "tokens.parquet"])
def test_a_table_beside_the_pairs_is_theirs(tmp_path: Path, name: str) -> None:
    tokens = write(tmp_path / name, TOKENS)
    assert tokens_of(write(tmp_path / "mine.parquet", PAIRS)) == tokens


def test_a_table_of_tokens_is_its_own(tmp_path: Path) -> None:
    tokens = write(tmp_path / "mine.parquet", TOKENS)
    assert tokens_of(tokens) == tokens


def test_pairs_alone_are_refused_with_where_tokens_come_from(tmp_path: Path) -> None:
    pairs = write(tmp_path / "pairs.parquet", PAIRS)
    with pytest.raises(InputError, match="run --until preference_pairs"):
        tokens_of(pairs)


def test_another_table_is_refused_by_its_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such column"):
        tokens_of(write(tmp_path / "versions.parquet", tables.VERSIONS))


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.parquet: no such table"):
        tokens_of(tmp_path / "absent.parquet")
