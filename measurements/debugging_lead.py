"""How far debugging leads independent samples at equal calls, with an interval over problems.

    python measurements/debugging_lead.py ARTIFACT [ARTIFACT ...] [--calls 6]

`ARTIFACT` is the folder of a `debug_trajectories` artifact, of one shard. Each problem has one
value: the share of its trajectories that pass within so many calls, less 1 or 0 for whether any of
its first so many samples passes. Its samples are the first rounds of its trajectories, so `--calls`
is at most `sampling.samples_per_problem`. Problems are resampled.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl
from sandbox_samples import machine

from iterpref_assets.core import tables
from iterpref_assets.core.debugging.figures import calls_to_solve
from iterpref_assets.core.evaluation.bootstrap import Bootstrap, Interval, bootstrap_mean


def shares(versions: pl.DataFrame, completions: pl.DataFrame, calls: int) -> pl.DataFrame:
    """Of each problem the share solved by debugging and by sampling within `calls` calls."""
    debugged, sampled = calls_to_solve(versions, completions)
    solved = (pl.col("solved") <= calls).fill_null(value=False)
    return (
        debugged.group_by("problem_id")
        .agg(debugging=solved.mean())
        .join(sampled.select("problem_id", sampling=solved.cast(pl.Float64)), on="problem_id")
        .sort("problem_id")
    )


def main() -> None:
    """Print both rates and the difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifacts", type=Path, nargs="+")
    parser.add_argument("--calls", type=int, default=6)
    arguments = parser.parse_args()
    print(machine())
    problems = pl.concat(
        shares(
            tables.read_table(folder / "versions.parquet", tables.VERSIONS),
            tables.read_table(folder / "completions.parquet", tables.COMPLETIONS),
            arguments.calls,
        )
        for folder in arguments.artifacts
    )
    print(f"{problems.height} problems, at most {arguments.calls} calls each")
    for name in ("debugging", "sampling"):
        interval = bootstrap_mean(problems[name].to_list(), Bootstrap())
        solved = problems[name].sum()
        print(f"{name}: {solved:.1f} solved, {_percent(interval)}")
    differences = (problems["debugging"] - problems["sampling"]).to_list()
    print(f"debugging less sampling: {_percent(bootstrap_mean(differences, Bootstrap()))}")


def _percent(rate: Interval) -> str:
    return f"{100 * rate.estimate:.1f}% [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


if __name__ == "__main__":
    main()
