"""The part of the page on samples: pass rates that are finer than greedy, diversity, and claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from iterpref_assets.core.evaluation.passk import mean_pass_at_k
from iterpref_assets.core.experiment.benchmarks import TaskSet, claims_table, scored_set
from iterpref_assets.core.experiment.comparing import number_of_tests
from iterpref_assets.core.experiment.outcomes import compared_cells, compared_head
from iterpref_assets.core.experiment.results import Results
from iterpref_assets.core.experiment.wording import percent
from iterpref_assets.core.reporting.markdown import table


def sampled_set(
    results: Results, arms: Sequence[str], wanted: Sequence[tuple[str, str]]
) -> TaskSet:
    """The held-out problems by what was sampled; without arms where nothing was.

    Args:
        results: what was exported.
        arms: in the order of the page.
        wanted: comparisons of (arm, baseline).
    """
    return scored_set("sampled pass@1", "", results.of_samples(), arms, wanted)


def samples_text(greedy: TaskSet, sampled: TaskSet) -> list[str]:
    """Each arm's sampled pass@1, how different its samples are, and what becomes of the claims.

    Nothing where none was drawn.

    Args:
        greedy: the held-out problems.
        sampled: what `sampled_set` makes of them.
    """
    if not sampled.rates:
        return []
    head = [
        *("arm", *compared_head("sampled pass@1 (%)")),
        *("pass@k (%)", "different programs a problem"),
    ]
    note = (
        "Intervals and tests as above, corrected by Holm for all comparisons on these samples, "
        f"{number_of_tests(sampled.compared)} in number. Programs that differ "
        "in comments and layout alone count as one.\n"
    )
    about_claims = (
        "Outcomes by the rule above, and the difference in points. p is corrected within a "
        "column. The columns are no independent tests of a claim: models and problems are the "
        "same.\n"
    )
    claims = claims_table([replace(greedy, title="greedy pass@1"), sampled])
    return [
        "### Samples\n",
        f"{table(head, [_row(sampled, arm) for arm in sampled.rates])}\n{note}",
        "### Claims on samples\n",
        f"{claims}\n{about_claims}",
    ]


def _row(sampled: TaskSet, arm: str) -> list[str]:
    mine = sampled.results.reported(arm)
    most = int(mine["samples"].max())  # pyright: ignore[reportArgumentType]
    passed = (pl.col("passed") * pl.col("samples")).round().cast(pl.Int64)
    counts = mine.select("samples", passed)
    return [
        arm,
        *compared_cells(sampled.results, arm, sampled.rates[arm], sampled.compared),
        f"{percent(mean_pass_at_k(counts.iter_rows(), most))} (k = {most})",
        f"{mine['distinct'].mean():.2f} of {most}",
    ]
