"""Pairs of a passing program and the failing one of its problem that is most like it (ours).

A model that writes a program anew instead of repairing it leaves little that y+ and y- of one
trajectory share, so D- is nearly all of y-. Among all versions of a problem there is often a
failing one that differs in few lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.difference import line_difference, split_lines
from iterpref_assets.core.pairs.filters import too_long
from iterpref_assets.core.pairs.sampled import CANDIDATES, debugging_pair_id, sampled_pair_id
from iterpref_assets.core.sandbox.verdicts import NOT_FAILING, Verdict


def nearest_candidates(versions: pl.DataFrame, config: PairConfig) -> pl.DataFrame:
    """Each different passing program beside the failing one of its problem that is nearest to it.

    Versions of every round and sample count, equal programs once. Nearest is the one with the
    fewest characters on the lines of D+ and D-, of those that leave D- a line; the earliest
    (sample, round) of equally near ones.

    Args:
        versions: columns of tables.VERSIONS; whole problems, in any order.
        config: `difference` finds the lines, `max_tokens` bounds what is compared.

    Returns:
        Columns of CANDIDATES, in order of (problem_id, sample of y+).
    """
    version = pl.struct("trajectory_id", "sample", "round", "code")
    problems = (
        versions.sort("problem_id", "sample", "round")
        .unique(["problem_id", "code"], keep="first", maintain_order=True)
        .group_by("problem_id", maintain_order=True)
        .agg(
            passing=version.filter(pl.col("verdict") == Verdict.PASSED),
            failing=version.filter(~pl.col("verdict").is_in(NOT_FAILING)),
        )
    )
    rows = [
        row
        for problem_id, passing, failing in problems.iter_rows()
        for row in _matches(problem_id, passing, failing, config)
    ]
    return pl.DataFrame(rows, schema=CANDIDATES)


def _matches(
    problem_id: str,
    passing: list[dict[str, Any]],
    failing: list[dict[str, Any]],
    config: PairConfig,
) -> Iterator[dict[str, Any]]:
    for chosen in passing:
        distances = [_distance(chosen["code"], other["code"], config) for other in failing]
        known = [(value, place) for place, value in enumerate(distances) if value is not None]
        if known:
            rejected = failing[min(known)[1]]
            yield {
                "pair_id": _name(chosen, rejected),
                "trajectory_id": chosen["trajectory_id"],
                "problem_id": problem_id,
                "chosen": chosen["code"],
                "rejected": rejected["code"],
                "chosen_round": chosen["round"],
                "rejected_round": rejected["round"],
            }


def _distance(chosen: str, rejected: str, config: PairConfig) -> int | None:
    """The characters on lines that are not shared; None where the pair could not be used."""
    chosen, rejected = chosen.strip("\n"), rejected.strip("\n")
    if too_long(chosen, rejected, config):
        return None
    difference = line_difference(chosen, rejected, config.difference)
    if not difference.rejected:
        return None
    before, after = split_lines(rejected), split_lines(chosen)
    gone = sum(len(before[line]) for line in difference.rejected)
    return gone + sum(len(after[line]) for line in difference.chosen)


def _name(chosen: dict[str, Any], rejected: dict[str, Any]) -> str:
    trajectory, round_ = chosen["trajectory_id"], chosen["round"]
    if rejected["trajectory_id"] == trajectory:
        return debugging_pair_id(trajectory, rejected["round"], round_)
    return sampled_pair_id(trajectory, rejected["sample"], chosen_round=round_)
