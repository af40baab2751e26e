"""Pairs kept out of training, and when what is measured on them ends a run."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.training.config import HeldoutConfig
from iterpref_assets.core.training.curves import Point

MEASURED = "eval_"
"""What the names of figures on held-out pairs begin with, as in transformers."""
LOSS = f"{MEASURED}loss"

_SEEDS = 1 << 31


def split_pairs(
    tokenized: pl.DataFrame, config: HeldoutConfig | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`tokenized` (tables.TOKENIZED_PAIRS) without and with what is kept out of training.

    All pairs of a problem are on one side. Which one depends on its name alone, so that runs with
    other seeds, recipes or further pairs are measured on the same problems.

    Raises:
        InputError: where one of the sides would be empty.
    """
    if config is None:
        return tokenized, tokenized.clear()
    problems = [problem_of(pair_id) for pair_id in tokenized["pair_id"]]
    bound = config.share * _SEEDS
    is_out = pl.Series(
        [derive_seed("heldout pairs", problem) < bound for problem in problems], dtype=pl.Boolean
    )
    if is_out.all() or not is_out.any():
        raise InputError(
            f"{int(is_out.sum())} of {len(is_out)} pairs are kept out of training",
            field="heldout.share",
            remedy=f"Of {len(set(problems))} problems, {config.share:g} leaves one side empty: "
            "choose another share, or leave heldout unset",
        )
    return tokenized.filter(~is_out), tokenized.filter(is_out)


def problem_of(pair_id: str) -> str:
    """The problem that a pair solves: what its name says before the trajectory."""
    return pair_id.partition("#")[0]


def best_step(points: Sequence[Point]) -> int:
    """The step of the lowest loss on held-out pairs, the first of equal ones."""
    return int(min((each for each in points if LOSS in each), key=lambda each: each[LOSS])["step"])


def stopped_at(points: Sequence[Point], patience: int | None) -> int | None:
    """The step at which `patience` measurements in a row had brought no lower loss; None if none.

    Told by the points of the curves alone, so that a resumed run stops where it would have.
    """
    lowest, waited = float("inf"), 0
    for point in points:
        if patience is None or LOSS not in point:
            continue
        waited = 0 if point[LOSS] < lowest else waited + 1
        lowest = min(lowest, point[LOSS])
        if waited >= patience:
            return int(point["step"])
    return None
