"""What scoring a samples file comes to, summed up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.scores import SampleStatus, Score, scores_table
from iterpref_assets.core.evaluation.suite import DataSource, PreparedBenchmark
from iterpref_assets.core.evaluation.summary import ErrorCount, PassRate, group_rates, summarize
from iterpref_assets.core.records import Record

JudgeT = TypeVar("JudgeT")


class SampleSummary(Record):
    """`summary.json`: pass@1 is the mean over tasks of the share of samples that passed.

    Attributes:
        data: what was scored on.
        tasks: tasks with a sample that was run; `tasks_without_sample` and `tasks_not_run` are
            the benchmark's others, and enter no rate.
        samples: samples that were run.
        invalid_lines: lines passed over with --skip-invalid.
        base: pass@k on the task's own tests; keys as "pass@1".
        plus: pass@k on both sets of tests, None where the benchmark has one.
        groups: pass@k on the base tests within each group of tasks, such as a difficulty.
        verdicts: samples by verdict.
        error_types: failing samples by exception, else by verdict (the paper's Table 18).
        seconds: wall-clock time of this run; resumed ones count only what they did.
    """

    data: DataSource
    tasks: int
    tasks_without_sample: int
    tasks_not_run: dict[str, str]
    samples: int
    invalid_lines: int
    base: dict[str, float]
    plus: dict[str, float] | None
    groups: dict[str, dict[str, float]]
    verdicts: dict[str, int]
    error_types: tuple[ErrorCount, ...]
    seconds: float
    cpu_seconds: float


def summarize_samples(
    benchmark: PreparedBenchmark[JudgeT], scores: Sequence[Score], invalid: int, seconds: float
) -> SampleSummary:
    """The summary of a samples file's scores, `invalid` lines of which held no sample."""
    run = [score for score in scores if score.base_status is not SampleStatus.NOT_RUN]
    tasks = {score.task_id for score in run}
    table, config = scores_table(run), EvaluationConfig()
    summary = summarize(table, config) if run else None
    groups = group_rates(table, benchmark.groups, config)
    verdicts = {score.verdict for score in run}
    return SampleSummary(
        data=benchmark.source,
        tasks=len(tasks),
        tasks_without_sample=len(benchmark.tasks.keys() - tasks - benchmark.not_run.keys()),
        tasks_not_run=dict(benchmark.not_run),
        samples=len(run),
        invalid_lines=invalid,
        base=_by_name(summary),
        plus=_by_name(summary.plus) if summary and summary.plus else None,
        groups={
            name: _by_name(groups.get(name)) for name in sorted(set(benchmark.groups.values()))
        },
        verdicts={name: sum(each.verdict == name for each in run) for name in sorted(verdicts)},
        error_types=summary.error_types if summary else (),
        seconds=seconds,
        cpu_seconds=sum(score.cpu_seconds for score in run),
    )


def _by_name(rate: PassRate | None) -> dict[str, float]:
    return {f"pass@{k}": value for k, value in rate.pass_at_k.items()} if rate else {}
