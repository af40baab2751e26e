"""What pairs are called, and pairs of independent samples: the baseline of debugging pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.sandbox.verdicts import NOT_FAILING, Verdict
from iterpref_assets.core.tables import Schema

CANDIDATES: Schema = {
    "pair_id": pl.String(),
    "trajectory_id": pl.String(),
    "problem_id": pl.String(),
    "chosen": pl.String(),
    "rejected": pl.String(),
    "chosen_round": pl.Int32(),
    "rejected_round": pl.Int32(),
}
"""The columns of tables.PAIRS that are known before two programs are compared."""


def sampled_candidates(versions: pl.DataFrame, seed: int) -> pl.DataFrame:
    """A passing sample of a problem beside a failing one, each program in one pair at most.

    Only first versions count (round 0). Equal programs of a problem count once, so a problem gives
    as many pairs as it has different passing or failing samples, whichever are fewer; which of them
    meet is drawn from their ids and `seed`.

    Args:
        versions: columns of tables.VERSIONS; whole problems, in any order.
        seed: of the draw.

    Returns:
        Columns of CANDIDATES, in order of (problem_id, sample of y+).
    """
    sample = pl.struct("trajectory_id", "sample", "code")
    problems = (
        versions.filter(pl.col("round") == 0)
        .sort("problem_id", "sample")
        .unique(["problem_id", "code"], keep="first", maintain_order=True)
        .group_by("problem_id", maintain_order=True)
        .agg(
            passing=sample.filter(pl.col("verdict") == Verdict.PASSED),
            failing=sample.filter(~pl.col("verdict").is_in(NOT_FAILING)),
        )
        .filter(pl.col("passing").list.len() > 0, pl.col("failing").list.len() > 0)
    )
    rows = [
        row
        for problem_id, passing, failing in problems.iter_rows()
        for row in _matches(problem_id, _drawn(passing, seed), _drawn(failing, seed))
    ]
    return pl.DataFrame(rows, schema=CANDIDATES)


def require_samples(versions: Path) -> None:
    """Refuse a version table in which every problem has one sample.

    Raises:
        InputError: where no problem has two.
    """
    samples = pl.scan_parquet(versions).filter(pl.col("round") == 0).group_by("problem_id").len()
    if (samples.select(pl.col("len").max()).collect().item() or 0) < 2:  # noqa: PLR2004
        raise InputError(
            "pairs of independent samples need two samples of a problem, and there is one of each",
            file=versions,
            field="negatives",
            remedy="Set sampling.samples_per_problem to 2 or more, give recorded trajectories of "
            "several models, or use other negatives",
        )


def _matches(
    problem_id: str, passing: list[dict[str, Any]], failing: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    pairs = zip(passing, failing, strict=False)
    for chosen, rejected in sorted(pairs, key=lambda pair: pair[0]["sample"]):
        yield {
            "pair_id": sampled_pair_id(chosen["trajectory_id"], rejected["sample"], chosen_round=0),
            "trajectory_id": chosen["trajectory_id"],
            "problem_id": problem_id,
            "chosen": chosen["code"],
            "rejected": rejected["code"],
            "chosen_round": 0,
            "rejected_round": 0,
        }


def _drawn(samples: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    return sorted(samples, key=lambda row: derive_seed("sampled pair", seed, row["trajectory_id"]))


REJECTED_SAMPLE = r":\d+~(\d+)$"
"""Finds the rejected sample in the name of a pair of two samples, and in no other."""


def debugging_pair_id(trajectory_id: str, rejected_round: int, chosen_round: int) -> str:
    """Two versions of one trajectory."""
    return f"{trajectory_id}:{rejected_round}-{chosen_round}"


def sampled_pair_id(trajectory_id: str, rejected_sample: int, *, chosen_round: int) -> str:
    """Versions of two samples: the one of `trajectory_id` that passes, and one of another sample.

    The round of y- is a column of the pair table.
    """
    return f"{trajectory_id}:{chosen_round}~{rejected_sample}"


def rejected_sample(pair_id: str, trajectory_id: str) -> int | None:
    """The sample that y- is of; None where y- is a version of the pair's own trajectory."""
    found = re.fullmatch(REJECTED_SAMPLE, pair_id.removeprefix(trajectory_id))
    return int(found[1]) if found else None
