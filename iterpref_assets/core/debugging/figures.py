"""What a debugging run came to, in numbers."""

from __future__ import annotations

import polars as pl

from iterpref_assets.core.sandbox.verdicts import Verdict


def pass_rate_by_round(versions: pl.DataFrame, max_rounds: int) -> list[float]:
    """The share of trajectories solved by round r, for r = 0 to `max_rounds` (Figure 6).

    `versions` is tables.VERSIONS with at least one row; every trajectory in it counts.
    """
    trajectories = versions["trajectory_id"].n_unique()
    passed = versions.filter(pl.col("verdict") == Verdict.PASSED.value)["round"]
    return [int((passed <= round_).sum()) / trajectories for round_ in range(max_rounds + 1)]
