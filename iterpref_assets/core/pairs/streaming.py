"""Pair tables of any length, a bounded number of rows in memory at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

import polars as pl
import pyarrow.parquet as pq

from iterpref_assets.core import tables
from iterpref_assets.core.answer_frame import answer_frame
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import Negatives, PairConfig
from iterpref_assets.core.pairs.reaching import without_unreached
from iterpref_assets.core.pairs.sampled import require_samples
from iterpref_assets.core.pairs.statistics import UnreachedFocus, unreached_focus
from iterpref_assets.core.pairs.tokenization import tokenize_pairs
from iterpref_assets.core.reached import ProgramJudging
from iterpref_assets.core.tables import Schema

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

ROWS = 32_768
"""Rows read at once; memory grows with this, not with the table."""

_log = logging.getLogger("iterpref")

OnRows = Callable[[int], None]
"""Told how many more input rows are done."""


def build_pair_file(
    versions: Path,
    problems: Path,
    config: PairConfig,
    out: Path,
    *,
    judge: ProgramJudging,
    on_rows: OnRows | None = None,
) -> None:
    """`build_pairs` from file to file, of programs without what their tests do not reach.

    The rows are in the same order.

    Args:
        versions: Parquet with the columns of tables.VERSIONS, in order of (problem_id, sample).
        problems: Parquet with the columns of tables.PROBLEMS; its prompts and tests are held in
            memory.
        config: how pairs are made.
        out: where the Parquet with the columns of tables.PAIRS goes.
        judge: gives programs that were cut their verdict (`without_unreached`).
        on_rows: told of finished version rows.

    Raises:
        InputError: where a file is missing, has other columns or is out of order, or `config` asks
            for pairs of samples and no problem has two.
    """
    tables.check_table(versions, tables.VERSIONS)
    tables.check_table(problems, tables.PROBLEMS)
    if config.negatives is Negatives.PASS_RATE:
        require_samples(versions)
    asked = pl.read_parquet(problems, columns=["problem_id", "prompt", "entry_point", "tests"])
    tests = dict(asked.select("problem_id", "tests").iter_rows())
    with TableWriter(out, tables.PAIRS) as writer:
        for batch in problem_batches(versions):
            writer.write(build_pairs(without_unreached(batch, tests, judge), asked, config))
            if on_rows:
                on_rows(batch.height)


def tokenize_pair_files(
    pairs: Sequence[Path],
    tokenizer: PreTrainedTokenizerFast,
    config: PairConfig,
    *,
    pairs_out: Path,
    tokens_out: Path,
    on_rows: OnRows | None = None,
) -> None:
    """`tokenize_pairs` from files to one file each of pairs and ids, in the order of the files.

    Args:
        pairs: Parquet files with the columns of tables.PAIRS.
        tokenizer: a fast tokenizer with an end-of-turn token.
        config: `max_tokens` is read.
        pairs_out: where every pair goes, filter (iii) applied (tables.PAIRS).
        tokens_out: where the ids and masks of kept pairs go (tables.TOKENIZED_PAIRS).
        on_rows: told of finished pair rows.

    Raises:
        InputError: where a file is missing or has other columns, or the tokenizer will not do.
    """
    if not answer_frame(tokenizer).follows_prompt:
        _log.warning(
            "the chat template opens reasoning in the prompt, and y+ and y- hold none: they are "
            "trained as answers without it"
        )
    with ExitStack() as stack:
        all_pairs = stack.enter_context(TableWriter(pairs_out, tables.PAIRS))
        tokens = stack.enter_context(TableWriter(tokens_out, tables.TOKENIZED_PAIRS))
        for file in pairs:
            for batch in table_batches(file, tables.PAIRS):
                tokenized = tokenize_pairs(batch, tokenizer, config)
                all_pairs.write(tokenized.pairs)
                tokens.write(tokenized.table)
                if on_rows:
                    on_rows(batch.height)


def row_count(table: Path) -> int:
    """The rows of a Parquet file, from its footer."""
    return pq.read_metadata(table).num_rows


def unreached_focus_of_file(pairs: Path, tests: pl.DataFrame) -> UnreachedFocus:
    """`unreached_focus` of a file with the columns of tables.PAIRS."""
    parts = [unreached_focus(batch, tests) for batch in table_batches(pairs, tables.PAIRS)]
    return UnreachedFocus(sum(each.lines for each in parts), sum(each.unreached for each in parts))


def problem_batches(versions: Path) -> Iterator[pl.DataFrame]:
    """The rows of a version table in batches that split no problem.

    Raises:
        InputError: where rows are not in order of (problem_id, sample).
    """
    carried = pl.DataFrame(schema=tables.VERSIONS)
    for batch in table_batches(versions, tables.VERSIONS):
        rows = pl.concat([carried, batch])
        _check_order(rows, versions)
        unfinished = pl.col("problem_id") == rows["problem_id"][-1]
        carried = rows.filter(unfinished)
        yield rows.filter(~unfinished)
    if not carried.is_empty():
        yield carried


def _check_order(rows: pl.DataFrame, file: Path) -> None:
    problem, sample = pl.col("problem_id"), pl.col("sample")
    before = (problem < problem.shift(1)) | (
        (problem == problem.shift(1)) & (sample < sample.shift(1))
    )
    if not rows.filter(before).is_empty():
        raise InputError(
            "rows are not in order of problem_id and sample",
            file=file,
            remedy="Sort the table by these columns",
        )


def table_batches(file: Path, schema: Schema) -> Iterator[pl.DataFrame]:
    """The rows of a table, up to ROWS of them at a time.

    Raises:
        InputError: where the file is missing or has other columns.
    """
    tables.check_table(file, schema)
    with pq.ParquetFile(file, pre_buffer=False) as parquet:
        for batch in parquet.iter_batches(batch_size=ROWS):
            yield pl.DataFrame(batch, schema=schema)


class TableWriter:
    """Writes a table batch by batch; used as a context manager."""

    def __init__(self, file: Path, schema: Schema) -> None:
        self._schema = schema
        empty = pl.DataFrame(schema=schema).to_arrow(compat_level=pl.CompatLevel.oldest())
        self._writer = pq.ParquetWriter(file, empty.schema, compression="zstd")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows, checked against the schema."""
        rows = tables.validate(frame, self._schema)
        self._writer.write_table(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))
