"""Problems whose tests may be wrong: independent samples agree with each other against them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.sandbox.verdicts import Verdict
from iterpref_assets.core.tables import Schema

AGREEING = 3
"""So many different programs that give one and the same wrong answer are hardly chance."""

DOUBTFUL: Schema = {
    "problem_id": pl.String(),
    "samples": pl.Int32(),
    "agreeing": pl.Int32(),
    "evidence": pl.String(),
}


def doubtful_problems(versions: Sequence[Path]) -> pl.DataFrame:
    """Problems that no sample solves and of which most give the same wrong answer.

    Only first versions count (round 0): later ones have been told what the tests expect. Equal
    programs count once, by their hash. Feedback names the call, the expected value and the one that
    came, so equal feedback is an equal answer.

    Args:
        versions: Parquet files with the columns of tables.VERSIONS, whole problems in each.

    Returns:
        Columns of DOUBTFUL, in order of `problem_id`: how many different programs were sampled, how
        many of them agree, and the feedback that they share.

    Raises:
        InputError: where a file is missing or has other columns.
    """
    for file in versions:
        tables.check_table(file, tables.VERSIONS)
    first = (
        pl.scan_parquet(list(versions))
        .filter(pl.col("round") == 0)
        .select("problem_id", "verdict", "feedback", program=pl.col("code").hash())
        .unique(["problem_id", "program"])
    )
    wrong, passed = Verdict.WRONG_ANSWER.value, Verdict.PASSED.value
    samples = first.group_by("problem_id").agg(
        samples=pl.len().cast(pl.Int32()), solved=(pl.col("verdict") == passed).any()
    )
    return (
        first.filter(pl.col("verdict") == wrong)
        .group_by("problem_id", evidence="feedback")
        .agg(agreeing=pl.len().cast(pl.Int32()))
        .join(samples, on="problem_id")
        .filter(
            ~pl.col("solved"),
            pl.col("agreeing") >= AGREEING,
            2 * pl.col("agreeing") > pl.col("samples"),
        )
        .select(list(DOUBTFUL))
        .sort("problem_id")
        .collect()
    )
