"""What scoring a samples file comes to, summed up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.evaluation.config import EvaluationConfig, JudgingLimits
from iterpref_assets.core.evaluation.scores import SampleStatus, Score, scores_table
from iterpref_assets.core.evaluation.suite import DataSource, PreparedBenchmark
from iterpref_assets.core.evaluation.summary import ErrorCount, group_rates, summarize
from iterpref_assets.core.records import Record

JudgeT = TypeVar("JudgeT")


class SampleSummary(Record):
    """`summary.json`: pass@1 is the mean over tasks of the share of samples that passed.

    Attributes:
        data: what was scored on.
        rules: by which of several sets of rules programs were judged, "" where there is one.
        limits: limits that were given in place of the benchmark's own.
        tasks: tasks with a sample that was run; `tasks_without_sample` and `tasks_not_run` are
            the others that were asked for, and enter no rate.
        samples: samples that were run.
        invalid_lines: lines passed over with --skip-invalid.
        fenced_samples: samples that are no Python but look like answers with fenced programs.
        base: pass@k on the task's own tests; keys as "pass@1".
        plus: pass@k on both sets of tests, None where the benchmark has one.
        base_interval: of pass@1 on the base tests, by a bootstrap over tasks; None without one.
        plus_interval: the same on both sets of tests.
        groups: pass@k on the base tests within each group of tasks, such as a difficulty.
        verdicts: samples by verdict.
        in_process: samples whose tests ran beside the program, which could reach them.
        error_types: failing samples by exception, else by verdict (the paper's Table 18).
        seconds: wall-clock time of this run; resumed ones count only what they did.
    """

    data: DataSource
    rules: str
    limits: JudgingLimits
    tasks: int
    tasks_without_sample: int
    tasks_not_run: dict[str, str]
    samples: int
    invalid_lines: int
    fenced_samples: int
    base: dict[str, float]
    plus: dict[str, float] | None
    base_interval: Interval | None
    plus_interval: Interval | None
    groups: dict[str, dict[str, float]]
    verdicts: dict[str, int]
    in_process: int
    error_types: tuple[ErrorCount, ...]
    seconds: float
    cpu_seconds: float


def summarize_samples(
    benchmark: PreparedBenchmark[JudgeT],
    scores: Sequence[Score],
    *,
    seconds: float,
    invalid: int,
    fenced: int,
    asked: int,
) -> SampleSummary:
    """The summary of a samples file's scores.

    Args:
        benchmark: the tasks that have samples.
        scores: one per sample.
        seconds: what the run took.
        invalid: lines that held no sample.
        fenced: samples that look like answers with fenced programs.
        asked: how many tasks samples were asked for.
    """
    run = [score for score in scores if score.base_status is not SampleStatus.NOT_RUN]
    tasks = {score.task_id for score in run}
    table, config = scores_table(run), EvaluationConfig()
    summary = summarize(table, config) if run else None
    groups = group_rates(table, benchmark.groups, config)
    verdicts = {score.verdict for score in run}
    return SampleSummary(
        data=benchmark.source,
        rules=benchmark.rules,
        limits=benchmark.limits,
        tasks=len(tasks),
        tasks_without_sample=asked - len(tasks | benchmark.not_run.keys()),
        tasks_not_run=dict(benchmark.not_run),
        samples=len(run),
        invalid_lines=invalid,
        fenced_samples=fenced,
        base=summary.by_name if summary else {},
        plus=summary.plus.by_name if summary and summary.plus else None,
        base_interval=summary.interval if summary else None,
        plus_interval=summary.plus.interval if summary and summary.plus else None,
        groups={
            name: groups[name].by_name if name in groups else {}
            for name in sorted(set(benchmark.groups.values()))
        },
        verdicts={name: sum(each.verdict == name for each in run) for name in sorted(verdicts)},
        in_process=sum(score.in_process for score in run),
        error_types=summary.error_types if summary else (),
        seconds=seconds,
        cpu_seconds=sum(score.cpu_seconds for score in run),
    )


def summary_lines(summary: SampleSummary, *, answers: bool) -> Iterator[str]:
    """The summary for a console; `answers` says whether programs were taken from answers."""
    rules = f" ({summary.rules} rules)" if summary.rules else ""
    labels = ("base tests", "base and plus tests") if summary.plus else ("all tests", "")
    figures = ((summary.base, summary.base_interval), (summary.plus, summary.plus_interval))
    for label, (rates, interval) in zip(labels, figures, strict=True):
        if rates and interval:
            yield f"{summary.data.benchmark}{rules}, {label}: {_rates_shown(rates, interval)}"
    asked = summary.tasks + summary.tasks_without_sample + len(summary.tasks_not_run)
    yield (
        f"{summary.tasks} of {asked} tasks have samples that were run, {summary.samples} in all, "
        f"in {summary.seconds:.1f} s; {len(summary.tasks_not_run)} tasks cannot run here; "
        f"{summary.invalid_lines} invalid lines; data md5 {summary.data.md5}"
    )
    if summary.fenced_samples and not answers:
        yield (
            f"{summary.fenced_samples} of {summary.samples} samples look like answers with fenced "
            "programs: score such a file with --answers"
        )


def _rates_shown(rates: dict[str, float], interval: Interval) -> str:
    """pass@1 with its interval, then pass@k for other k."""
    first = f"pass@1 {rates['pass@1']:.1%} ({interval.low:.1%} to {interval.high:.1%})"
    others = [f"{name} {rate:.1%}" for name, rate in rates.items() if name != "pass@1"]
    return "  ".join([first, *others])
