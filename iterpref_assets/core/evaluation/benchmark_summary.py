"""One model on one benchmark, summed up: overall, by group, and what was not judged and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl

from iterpref_assets.core.answers import NoProgram
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.model_scoring import UNANSWERED
from iterpref_assets.core.evaluation.references import ReferenceResult
from iterpref_assets.core.evaluation.suite import DataSource
from iterpref_assets.core.evaluation.summary import PassRate, ScoreSummary, group_rates, summarize
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.records import Record


class BenchmarkSummary(Record):
    """The figures of one model on one benchmark.

    Attributes:
        data: what it was scored on.
        style: how it was asked.
        rules: by which of several sets of rules it was judged, "" where there is one.
        overall: over every task that can run here.
        groups: over the tasks of each group, such as a difficulty.
        not_run: tasks that were left out, by reason; they enter no rate.
        unanswered: completions without a program, by finish reason or by what they lack; they
            count as failed.
    """

    data: DataSource
    style: PromptStyle
    rules: str = ""
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
    rules: str = "",
) -> BenchmarkSummary:
    """The summary of `scores` (tables.SCORES) of the tasks that can be run.

    Raises:
        InputError: where there is no score.
    """
    groups = group_rates(scores, groups_of(tasks), config)
    verdicts = Counter(scores["verdict"])
    return BenchmarkSummary(
        data=data,
        style=style,
        rules=rules,
        overall=summarize(scores, config),
        groups=groups,
        not_run=dict(sorted(Counter(task.not_run for task in tasks if task.not_run).items())),
        unanswered={
            **{reason.value: verdicts[reason.value] for reason in UNANSWERED},
            **{lack.value: verdicts[lack.value] for lack in NoProgram if verdicts[lack.value]},
        },
    )


def groups_of(tasks: Sequence[ReferenceResult]) -> dict[str, str]:
    """The group of each task that is in one, by task_id."""
    return {task.task_id: task.group for task in tasks if task.group}
