"""One model on one benchmark, summed up: overall, by group, and what was not judged and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl

from iterpref_assets.core.answers import NoProgram
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.references import ReferenceResult
from iterpref_assets.core.evaluation.results import DataSource
from iterpref_assets.core.evaluation.scoring import UNANSWERED
from iterpref_assets.core.evaluation.summary import PassRate, ScoreSummary, summarize
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.records import Record


class BenchmarkSummary(Record):
    """The figures of one model on one benchmark.

    Attributes:
        data: what it was scored on.
        style: how it was asked.
        overall: over every task that can run here.
        groups: over the tasks of each group, such as a difficulty.
        not_run: tasks that were left out, by reason; they enter no rate.
        unanswered: completions without a program, by finish reason or by what they lack; they
            count as failed.
    """

    data: DataSource
    style: PromptStyle
    overall: ScoreSummary
    groups: dict[str, PassRate]
    not_run: dict[str, int]
    unanswered: dict[str, int]


def summarize_benchmark(
    scores: pl.DataFrame,
    tasks: Sequence[ReferenceResult],
    data: DataSource,
    style: PromptStyle,
    config: EvaluationConfig,
) -> BenchmarkSummary:
    """The summary of `scores` (tables.SCORES) of the tasks that can be run.

    Raises:
        InputError: where there is no score.
    """
    names = sorted({task.group for task in tasks if task.group and not task.not_run})
    groups = {
        name: summarize(in_group(scores, tasks, name), config).model_dump(
            include=set(PassRate.model_fields)
        )
        for name in names
    }
    verdicts = Counter(scores["verdict"])
    return BenchmarkSummary(
        data=data,
        style=style,
        overall=summarize(scores, config),
        groups={name: PassRate.model_validate(rate) for name, rate in groups.items()},
        not_run=dict(sorted(Counter(task.not_run for task in tasks if task.not_run).items())),
        unanswered={
            **{reason.value: verdicts[reason.value] for reason in UNANSWERED},
            **{lack.value: verdicts[lack.value] for lack in NoProgram if verdicts[lack.value]},
        },
    )


def in_group(scores: pl.DataFrame, tasks: Sequence[ReferenceResult], group: str) -> pl.DataFrame:
    """The scores of one group's tasks."""
    return scores.filter(
        pl.col("task_id").is_in([task.task_id for task in tasks if task.group == group])
    )
