"""Scores of one model summed up, and compared with another's on the same tasks."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.bootstrap import (
    Interval,
    bootstrap_difference,
    bootstrap_mean,
)
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.passk import mean_pass_at_k, pass_at_k
from iterpref_assets.core.records import Record
from iterpref_assets.core.sandbox.verdicts import Verdict
from iterpref_assets.core.tables import SCORES, validate

BASE, PLUS = "base_passed", "plus_passed"


class PassRate(Record):
    """pass@1 with its interval, and pass@k for each k that the samples allow; shares of 1."""

    pass_at_1: float
    low: float
    high: float
    n: int
    samples: int
    pass_at_k: dict[int, float]

    @property
    def interval(self) -> Interval:
        """pass@1 between its ends."""
        return Interval(estimate=self.pass_at_1, low=self.low, high=self.high)

    @property
    def by_name(self) -> dict[str, float]:
        """pass@k, named as in "pass@1"."""
        return {f"pass@{k}": value for k, value in self.pass_at_k.items()}


class ErrorCount(Record):
    """How many samples failed in one way."""

    error_type: str
    count: int


class ScoreSummary(PassRate):
    """One model on one benchmark.

    `n` counts tasks and `samples` those of the task that has fewest; `plus` holds the stricter
    figures of a benchmark with plus tests, where a sample passes only if it passes both;
    `error_types` counts failing samples, most frequent first.
    """

    plus: PassRate | None
    error_types: tuple[ErrorCount, ...]


def summarize(scores: pl.DataFrame, config: EvaluationConfig) -> ScoreSummary:
    """The summary of `scores` (tables.SCORES).

    Raises:
        InputError: where there is no score: no tasks is not a score of zero.
    """
    _check(scores)
    base = _rate(_counts(scores, BASE), config)
    has_plus = scores[PLUS].null_count() < scores.height
    return ScoreSummary(
        **base.model_dump(),
        plus=_rate(_counts(scores, PLUS), config) if has_plus else None,
        error_types=tuple(
            ErrorCount(error_type=name, count=count)
            for name, count in _error_counts(scores).iter_rows()
        ),
    )


def group_rates(
    scores: pl.DataFrame, groups: Mapping[str, str], config: EvaluationConfig
) -> dict[str, PassRate]:
    """The rate on the base tests within each group of tasks, by the group's name in order.

    Args:
        scores: tables.SCORES.
        groups: the group of each task that is in one, by task_id.
        config: how intervals are drawn, and which pass@k.
    """
    return {
        name: _rate(_counts(mine, BASE), config)
        for name in sorted(set(groups.values()))
        if (mine := in_group(scores, groups, name)).height
    }


def in_group(scores: pl.DataFrame, groups: Mapping[str, str], group: str) -> pl.DataFrame:
    """The scores of one group's tasks."""
    return scores.filter(
        pl.col("task_id").is_in([task for task, name in groups.items() if name == group])
    )


def difference(
    scores: pl.DataFrame,
    reference: pl.DataFrame,
    config: EvaluationConfig,
    column: str = BASE,
) -> Interval:
    """pass@1 of `scores` minus that of `reference`, with its paired bootstrap interval.

    Raises:
        InputError: where the two do not hold the same tasks.
    """
    values, baseline = (_per_task(frame, column) for frame in (scores, reference))
    if values.keys() != baseline.keys():
        other = min(values.keys() ^ baseline.keys())
        raise InputError(
            f"only one of the two models was scored on {other}",
            field="task_id",
            remedy="Compare models on the same tasks",
        )
    tasks = sorted(values)
    return bootstrap_difference(
        [values[task] for task in tasks], [baseline[task] for task in tasks], config.bootstrap
    )


def error_table(variants: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Failing samples by error type, one column per variant (the form of the paper's Table 18).

    A failure without an exception counts under its verdict. Rows are ordered by the first
    variant's count, then by name.
    """
    long = [
        _error_counts(scores).select("error_type", pl.lit(name).alias("variant"), "count")
        for name, scores in variants.items()
    ]
    names = list(variants)
    table = pl.concat(long).pivot("variant", index="error_type", values="count")
    missing = [pl.lit(0, pl.UInt32).alias(name) for name in names if name not in table.columns]
    return (
        table.with_columns(missing)
        .select("error_type", pl.col(names).fill_null(0).cast(pl.Int64))
        .sort([names[0], "error_type"], descending=[True, False])
    )


def _check(scores: pl.DataFrame) -> None:
    validate(scores, SCORES)
    if scores.is_empty():
        raise InputError("no scores", remedy="Score at least one task")


def _counts(scores: pl.DataFrame, column: str) -> list[tuple[int, int]]:
    """(samples, passed) per task, in the order of tasks."""
    passed = pl.col(BASE) if column == BASE else pl.col(BASE) & pl.col(PLUS)
    return (
        scores.group_by("task_id", maintain_order=True)
        .agg(pl.len(), passed.sum().alias("passed"))
        .select("len", "passed")
        .rows()
    )


def _per_task(scores: pl.DataFrame, column: str) -> dict[str, float]:
    _check(scores)
    tasks = scores["task_id"].unique(maintain_order=True)
    counts = _counts(scores, column)
    return {task: passed / samples for task, (samples, passed) in zip(tasks, counts, strict=True)}


def _rate(counts: list[tuple[int, int]], config: EvaluationConfig) -> PassRate:
    fewest = min(samples for samples, _ in counts)
    interval = bootstrap_mean([pass_at_k(n, c, 1) for n, c in counts], config.bootstrap)
    return PassRate(
        pass_at_1=interval.estimate,
        low=interval.low,
        high=interval.high,
        n=len(counts),
        samples=fewest,
        pass_at_k={k: mean_pass_at_k(counts, k) for k in config.ks if k <= fewest},
    )


def _error_counts(scores: pl.DataFrame) -> pl.DataFrame:
    """Columns error_type and count, most frequent first."""
    named = pl.when(pl.col("error_type") == "").then("verdict").otherwise("error_type")
    return (
        scores.filter(pl.col("verdict") != Verdict.PASSED.value)
        .select(named.alias("error_type"))
        .group_by("error_type")
        .agg(pl.len().alias("count"))
        .sort(["count", "error_type"], descending=[True, False])
    )
