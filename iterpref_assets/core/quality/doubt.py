"""Problems whose tests may be wrong: independent samples agree with each other against them."""

from __future__ import annotations

import polars as pl

from iterpref_assets.core.sandbox.verdicts import Verdict

AGREEING = 3
"""So many different programs that give one and the same wrong answer are hardly chance."""

DOUBTFUL: dict[str, pl.DataType] = {
    "problem_id": pl.String(),
    "samples": pl.Int32(),
    "agreeing": pl.Int32(),
    "evidence": pl.String(),
}


def doubtful_problems(versions: pl.DataFrame) -> pl.DataFrame:
    """Problems that no sample solves and of which most give the same wrong answer.

    Only first versions count (round 0): later ones have been told what the tests expect. Equal
    programs count once. Feedback names the call, the expected value and the one that came, so equal
    feedback is an equal answer.

    Args:
        versions: columns of tables.VERSIONS; `code` may be missing, then each sample counts.

    Returns:
        Columns of DOUBTFUL, in order of `problem_id`: how many different programs were sampled, how
        many of them agree, and the feedback that they share.
    """
    program = "code" if "code" in versions.columns else "sample"
    first = versions.filter(pl.col("round") == 0).unique(["problem_id", program], keep="first")
    samples = first.group_by("problem_id").agg(
        samples=pl.len().cast(pl.Int32()), solved=(pl.col("verdict") == Verdict.PASSED.value).any()
    )
    return (
        first.filter(pl.col("verdict") == Verdict.WRONG_ANSWER.value)
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
    )
