"""How many training problems debugging and sampling solve, by the programs that each may write."""

from __future__ import annotations

import polars as pl

from iterpref_assets.core.debugging.figures import DEBUGGING, SAMPLING, pass_rate_by_round
from iterpref_assets.core.experiment.results import ROUNDS
from iterpref_assets.core.sandbox.verdicts import Verdict

_PASSED = pl.col("verdict") == Verdict.PASSED.value


def solved_by_calls(versions: pl.DataFrame, sampled: pl.DataFrame, max_rounds: int) -> pl.DataFrame:
    """ROUNDS of one debugging run and of samples of the same problems (Figure 6, Table 5).

    Args:
        versions: tables.VERSIONS of the debugging run.
        sampled: tables.VERSIONS whose round 0 holds the samples. Counted up to as many as every
            problem has.
        max_rounds: of the debugging run.
    """
    rates = pass_rate_by_round(versions, max_rounds) if versions.height else []
    rows = [(DEBUGGING, round_ + 1, solved) for round_, solved in enumerate(rates)]
    rows += [(SAMPLING, calls + 1, solved) for calls, solved in enumerate(_by_samples(sampled))]
    return pl.DataFrame(rows, schema=ROUNDS, orient="row")


def _by_samples(versions: pl.DataFrame) -> list[float]:
    """The share of problems with a passing one among their first samples, for 1 sample and on."""
    by_problem = (
        versions.filter(pl.col("round") == 0)
        .sort("problem_id", "sample")
        .group_by("problem_id")
        .agg(samples=pl.len(), first=_PASSED.arg_max(), solved=_PASSED.any())
    )
    fewest = int(by_problem["samples"].min() or 0)  # pyright: ignore[reportArgumentType]
    solved = by_problem.filter("solved")["first"]
    return [int((solved < calls).sum()) / by_problem.height for calls in range(1, fewest + 1)]
