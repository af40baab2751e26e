"""A checkpoint's greedy scores beside those of its base model on the same tasks, with an interval.

    python measurements/paired_scores.py SCORES BASELINE

Both are folders of artifacts of one asset: `humaneval_scores`, `mbpp_scores` or `heldout_scores`.
The interval is of the difference, over tasks; p is McNemar's exact test's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl
from sandbox_samples import machine

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.bootstrap import Bootstrap
from iterpref_assets.core.experiment.statistics import (
    bootstrap_paired,
    paired_differences,
    sign_flip,
)


def passes(folder: Path) -> pl.DataFrame:
    """`task`, `base` and, where the benchmark has more tests, `plus`: all of them; a row a task.

    Raises:
        InputError: where the folder holds no greedy scores.
    """
    files = [folder / name for name in ("scores.parquet", "greedy.parquet")]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        raise InputError(
            "no greedy scores", file=folder, remedy="Give the folder of a scores asset's artifact"
        )
    base, plus = pl.col("base_passed"), pl.col("plus_passed")
    table = pl.read_parquet(found).sort("task_id")
    return table.select(
        "task_id", base=base, **({} if table["plus_passed"].has_nulls() else {"plus": base & plus})
    )


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scores", type=Path)
    parser.add_argument("baseline", type=Path)
    arguments = parser.parse_args()
    print(machine())
    ours, theirs = passes(arguments.scores), passes(arguments.baseline)
    if ours["task_id"].to_list() != theirs["task_id"].to_list():
        raise SystemExit("the two were not scored on the same tasks")
    for name in ours.columns[1:]:
        print(f"{name}: {compared(ours[name].to_numpy(), theirs[name].to_numpy())}")


def compared(ours: np.ndarray, theirs: np.ndarray) -> str:
    """Both rates, and their difference."""
    scores, baseline = ours[None].astype(float), theirs[None].astype(float)
    differences = paired_differences(scores, baseline)
    found = bootstrap_paired(differences, Bootstrap())
    won, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    return (
        f"{100 * ours.mean():.1f}% beside {100 * theirs.mean():.1f}% of {len(ours)}: "
        f"{100 * found.estimate:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}], "
        f"{won} won and {lost} lost, p {sign_flip(differences):.3g}"
    )


if __name__ == "__main__":
    main()
