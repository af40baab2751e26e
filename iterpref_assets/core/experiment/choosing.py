"""Choosing an arm's learning rate on the validation problems, and these from the held-out ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Problem


def part_heldout(
    problems: Sequence[Problem], validation: int
) -> tuple[list[Problem], list[Problem]]:
    """The problems that rates are chosen on, and those that are reported, each in their order.

    Of each source the first ones are for validation, as many as its share of all problems: sources
    differ in difficulty, and the best rate on one need not be that of another.

    Args:
        problems: held out.
        validation: how many of them rates are chosen on.
    """
    by_source: dict[str, list[Problem]] = {}
    for problem in problems:
        by_source.setdefault(problem.source, []).append(problem)
    shares = {name: validation * len(mine) / len(problems) for name, mine in by_source.items()}
    taken = {name: int(share) for name, share in shares.items()}
    # What rounding down leaves goes to the largest remainders, of equal ones to the first source.
    by_remainder = sorted(shares, key=lambda name: taken[name] - shares[name])
    for name in by_remainder[: validation - sum(taken.values())]:
        taken[name] += 1
    chosen = {each.problem_id for name, mine in by_source.items() for each in mine[: taken[name]]}
    return (
        [each for each in problems if each.problem_id in chosen],
        [each for each in problems if each.problem_id not in chosen],
    )


def best_rate(validation: Mapping[float, float]) -> float:
    """The rate with the highest pass rate on the validation problems; the lowest where some tie.

    Args:
        validation: pass rate by learning rate, of models of one arm that differ in it alone.

    Raises:
        ValueError: where there is none.
    """
    if not validation:
        raise ValueError("no rate was tried")
    return max(sorted(validation), key=validation.__getitem__)


def solved_share(scores: pl.DataFrame) -> float:
    """The share of the samples of `scores` (tables.SCORES) that passed: greedy pass@1.

    Raises:
        InputError: where there is none: no problem is not a share of zero.
    """
    if scores.is_empty():
        raise InputError("no scores", remedy="Score at least one problem")
    return float(scores["base_passed"].sum()) / scores.height
