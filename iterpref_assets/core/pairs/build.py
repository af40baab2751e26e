"""Programs with verdicts -> candidate preference pairs (METHOD.md, 1.4 to 1.6)."""

from __future__ import annotations

from typing import Any

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.config import Filter, Negatives, PairConfig
from iterpref_assets.core.pairs.difference import LineDifference, line_difference
from iterpref_assets.core.pairs.filters import first_filter, too_long
from iterpref_assets.core.pairs.nearest import nearest_candidates
from iterpref_assets.core.pairs.sampled import CANDIDATES, debugging_pair_id, sampled_candidates
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.sandbox.verdicts import NOT_FAILING, Verdict


def build_pairs(versions: pl.DataFrame, problems: pl.DataFrame, config: PairConfig) -> pl.DataFrame:
    """One candidate pair for every solved trajectory with an earlier failing version.

    With negatives PASS_RATE, those of `sampled_candidates` instead, with NEAREST those of
    `nearest_candidates`. Which program is rejected depends on ids, the seed and the problem's own
    programs alone, so a table built in parts that split no problem equals one built at once.

    Args:
        versions: columns of tables.VERSIONS; whole problems, in any order.
        problems: at least `problem_id`, `prompt` and `entry_point` of tables.PROBLEMS.
        config: how the negative is chosen, what differs and what drops a pair.

    Returns:
        Columns of tables.PAIRS, in order of (problem_id, sample of y+).

    Raises:
        polars.exceptions.ColumnNotFoundError: where an input lacks a column.
        InputError: where a pair's problem is not in `problems`.
    """
    if config.negatives is Negatives.PASS_RATE:
        candidates = sampled_candidates(versions, config.seed)
    elif config.negatives is Negatives.NEAREST:
        candidates = nearest_candidates(versions, config)
    else:
        candidates = _debugging_candidates(versions, config)
    wanted = pl.col("problem_id").is_in(candidates["problem_id"].implode())
    prompts = problems.filter(wanted).select("problem_id", "prompt", "entry_point")
    candidates = candidates.join(prompts, on="problem_id", how="left", maintain_order="left")
    unknown = candidates.filter(pl.col("prompt").is_null())
    if not unknown.is_empty():
        raise InputError(
            f"no problem {unknown['problem_id'][0]!r} in the problem table",
            field="problem_id",
            remedy="Give the problem table that the trajectories were made from",
        )
    rows = [
        row | compare(row["chosen"], row["rejected"], config, row.pop("entry_point"))
        for row in candidates.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=tables.PAIRS)


def _debugging_candidates(versions: pl.DataFrame, config: PairConfig) -> pl.DataFrame:
    """For each solved trajectory its last version and one of the earlier failing ones."""
    failing = ~pl.col("verdict").is_in(NOT_FAILING)
    solved = (
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
    )
    rows = [_debugging_candidate(row, config) for row in solved.iter_rows(named=True)]
    return pl.DataFrame(rows, schema=CANDIDATES)


def _debugging_candidate(row: dict[str, Any], config: PairConfig) -> dict[str, Any]:
    pick = _pick(row["trajectory_id"], len(row["failing"]), config)
    rounds = row["failing_rounds"][pick], row["chosen_round"]
    return {
        "pair_id": debugging_pair_id(row["trajectory_id"], *rounds),
        "trajectory_id": row["trajectory_id"],
        "problem_id": row["problem_id"],
        "chosen": row["chosen"],
        "rejected": row["failing"][pick],
        "chosen_round": rounds[1],
        "rejected_round": rounds[0],
    }


def _pick(trajectory_id: str, count: int, config: PairConfig) -> int:
    if config.negatives is Negatives.FIRST:
        return 0
    if config.negatives is Negatives.LAST:
        return count - 1
    return derive_seed("negative", config.seed, trajectory_id) % count


def compare(
    chosen: str, rejected: str, config: PairConfig, entry_point: str | None = None
) -> dict[str, Any]:
    """The columns of tables.PAIRS that follow from the two programs.

    `entry_point` is the function that the tests ask for, where they ask for one.
    """
    # The fence strips blank lines at both ends, so line numbers are counted without them.
    chosen, rejected = chosen.strip("\n"), rejected.strip("\n")
    if too_long(chosen, rejected, config):
        difference, dropped_by = LineDifference([], []), Filter.TOO_MANY_TOKENS
    else:
        difference = line_difference(chosen, rejected, config.difference)
        dropped_by = first_filter(chosen, rejected, difference, config, entry_point)
    return {
        "chosen": chosen,
        "rejected": rejected,
        "chosen_diff_lines": difference.chosen,
        "rejected_diff_lines": difference.rejected,
        "dropped_by": dropped_by,
    }
