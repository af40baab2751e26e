"""Choosing an arm's learning rate on the validation problems."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from iterpref_assets.core.errors import InputError


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
