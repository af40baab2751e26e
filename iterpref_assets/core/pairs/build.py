"""Trajectories -> candidate preference pairs (METHOD.md, 1.4 to 1.6)."""

from __future__ import annotations

from typing import Any

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.config import Negatives, PairConfig
from iterpref_assets.core.pairs.difference import line_difference
from iterpref_assets.core.pairs.filters import first_filter
from iterpref_assets.core.sandbox.verdicts import Verdict
from iterpref_assets.core.seeding import derive_seed

# A version that was refused was never run, so it is known neither to pass nor to fail.
_NOT_FAILING = [Verdict.PASSED, Verdict.REFUSED]


def build_pairs(versions: pl.DataFrame, problems: pl.DataFrame, config: PairConfig) -> pl.DataFrame:
    """One candidate pair for every solved trajectory with an earlier failing version.

    Which version is rejected depends on the trajectory's id and the seed alone, so a table built
    in parts equals one built at once.

    Args:
        versions: columns of tables.VERSIONS; whole trajectories, in any order.
        problems: at least `problem_id` and `prompt` of tables.PROBLEMS.
        config: how the negative is chosen, what differs and what drops a pair.

    Returns:
        Columns of tables.PAIRS, in order of (problem_id, sample).

    Raises:
        polars.exceptions.ColumnNotFoundError: where an input lacks a column.
        InputError: where a solved trajectory's problem is not in `problems`.
    """
    candidates = _candidates(versions)
    wanted = pl.col("problem_id").is_in(candidates["problem_id"].implode())
    prompts = problems.filter(wanted).select("problem_id", "prompt")
    candidates = candidates.join(prompts, on="problem_id", how="left", maintain_order="left")
    unknown = candidates.filter(pl.col("prompt").is_null())
    if not unknown.is_empty():
        raise InputError(
            f"no problem {unknown['problem_id'][0]!r} in the problem table",
            field="problem_id",
            remedy="Give the problem table that the trajectories were made from",
        )
    return pl.DataFrame(
        [_pair(row, config) for row in candidates.iter_rows(named=True)], schema=tables.PAIRS
    )


def _candidates(versions: pl.DataFrame) -> pl.DataFrame:
    """Solved trajectories with their final program and the earlier failing ones."""
    failing = ~pl.col("verdict").is_in(_NOT_FAILING)
    return (
        versions.sort("problem_id", "sample", "trajectory_id", "round")
        .group_by("problem_id", "sample", "trajectory_id", maintain_order=True)
        .agg(
            solved=pl.col("verdict").last() == Verdict.PASSED,
            chosen=pl.col("code").last(),
            chosen_round=pl.col("round").last(),
            failing=pl.col("code").filter(failing),
            failing_rounds=pl.col("round").filter(failing),
        )
        .filter(pl.col("solved"), pl.col("failing").list.len() > 0)
        .drop("solved", "sample")
    )


def _pick(trajectory_id: str, count: int, config: PairConfig) -> int:
    match config.negatives:
        case Negatives.FIRST:
            return 0
        case Negatives.LAST:
            return count - 1
        case Negatives.RANDOM:
            return derive_seed("negative", config.seed, trajectory_id) % count


def _pair(row: dict[str, Any], config: PairConfig) -> dict[str, Any]:
    pick = _pick(row["trajectory_id"], len(row["failing"]), config)
    rejected_round = row["failing_rounds"][pick]
    return {
        "pair_id": f"{row['trajectory_id']}:{rejected_round}-{row['chosen_round']}",
        "trajectory_id": row["trajectory_id"],
        "problem_id": row["problem_id"],
        "prompt": row["prompt"],
        "chosen_round": row["chosen_round"],
        "rejected_round": rejected_round,
        **compare(row["chosen"], row["failing"][pick], config),
    }


def compare(chosen: str, rejected: str, config: PairConfig) -> dict[str, Any]:
    """The columns of tables.PAIRS that follow from the two programs alone."""
    # The fence strips blank lines at both ends, so line numbers are counted without them.
    chosen, rejected = chosen.strip("\n"), rejected.strip("\n")
    difference = line_difference(chosen, rejected, config.difference)
    return {
        "chosen": chosen,
        "rejected": rejected,
        "chosen_diff_lines": difference.chosen,
        "rejected_diff_lines": difference.rejected,
        "dropped_by": first_filter(chosen, rejected, difference, config),
    }
