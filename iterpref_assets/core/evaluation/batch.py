"""Score a samples file: judge what has no result yet, keep each result, sum up."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import JsonValue

from iterpref_assets.core.evaluation.results import (
    DataSource,
    ResultSummary,
    SampleResult,
    Status,
    Statuses,
    error_types,
    pass_rates,
    status_of,
)
from iterpref_assets.core.evaluation.samples import Sample, SampleFile
from iterpref_assets.core.evaluation.tasks import EvaluationTask
from iterpref_assets.core.journal import Journal
from iterpref_assets.core.progress import track

RESULTS, SUMMARY, JOURNAL = "results.jsonl", "summary.json", "journal.jsonl"
RESULT = "result"
KS = (1, 5, 10, 100)

JudgeT = TypeVar("JudgeT")
JudgeT_contra = TypeVar("JudgeT_contra", contravariant=True)


def _no_fault(_task_id: str, _statuses: Statuses) -> Statuses | None:
    return None


@dataclass(frozen=True)
class Benchmark(Generic[JudgeT_contra]):
    """A loaded benchmark.

    Attributes:
        source: which data it was loaded from.
        tasks: by task_id, in the benchmark's order.
        not_run: why tasks cannot run here, by task_id.
        groups: the group, such as a difficulty, that a task is also summed up in, by task_id.
        libraries: the versions of the libraries that programs may import, by name.
        cpu_seconds: what the reference solution takes, by task_id, where it is known.
        listed_fault: what the official harness says where a listed fault of its makes it differ.
    """

    source: DataSource
    tasks: Mapping[str, EvaluationTask[JudgeT_contra]]
    not_run: Mapping[str, str] = field(default_factory=dict[str, str])
    groups: Mapping[str, str] = field(default_factory=dict[str, str])
    libraries: Mapping[str, str] = field(default_factory=dict[str, str])
    cpu_seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    listed_fault: Callable[[str, Statuses], Statuses | None] = _no_fault


def score_samples(
    benchmark: Benchmark[JudgeT], file: SampleFile, sandbox: JudgeT, out: Path, workers: int
) -> ResultSummary:
    """Judge every sample that `out` holds no result of, and write results and summary there.

    `out/journal.jsonl` grows by one line per sample that was run, so a restart repeats none; at the
    end `out/results.jsonl` holds them in the order of the samples file. A sample whose task cannot
    run here leaves no line there: it is judged once it can.

    Raises:
        InputError: where `out` holds results of other data or made with other libraries, or another
            process writes there.
    """
    started = time.monotonic()
    with Journal(out / JOURNAL, _settings(benchmark)) as journal:
        results = (SampleResult.model_validate(row) for _, row in journal.records())
        known = {_identity(result): result for result in results}
        wanted = {(sample.task_id, sample.sample, sample.sha256): sample for sample in file.samples}
        missing = [sample for key, sample in wanted.items() if key not in known]
        with track("Judging", len(wanted)) as tracker:
            if len(missing) < len(wanted):
                tracker.resume(len(wanted) - len(missing))

            def keep(result: SampleResult) -> None:
                if result.base_status is not Status.NOT_RUN:
                    journal.append(RESULT, result.model_dump(mode="json"))
                known[_identity(result)] = result
                tracker.advance()

            judge_all(benchmark, missing, sandbox, workers, keep)
    results = [known[key] for key in wanted]
    _replace(out / RESULTS, "".join(result.model_dump_json() + "\n" for result in results))
    summary = _summary(benchmark, results, file.invalid, time.monotonic() - started)
    _replace(out / SUMMARY, summary.model_dump_json(indent=2) + "\n")
    return summary


def judge_sample(benchmark: Benchmark[JudgeT], sample: Sample, sandbox: JudgeT) -> SampleResult:
    """The result of one sample."""
    reason = benchmark.not_run.get(sample.task_id)
    if reason is not None:
        return SampleResult(
            task_id=sample.task_id,
            sample=sample.sample,
            base_status=Status.NOT_RUN,
            plus_status=None,
            evalplus_status=None,
            verdict=Status.NOT_RUN.value,
            error_type=reason,
            in_process=False,
            cpu_seconds=0.0,
            program_sha256=sample.sha256,
        )
    judgement = benchmark.tasks[sample.task_id].judge(sample.code, sandbox)
    parts = [judgement.base] + ([judgement.plus] if judgement.plus else [])
    statuses = Statuses(
        base=status_of(judgement.base), plus=status_of(judgement.plus) if judgement.plus else None
    )
    return SampleResult(
        task_id=sample.task_id,
        sample=sample.sample,
        base_status=statuses.base,
        plus_status=statuses.plus,
        evalplus_status=benchmark.listed_fault(sample.task_id, statuses),
        verdict=judgement.execution.verdict.value,
        error_type=judgement.execution.error_type,
        in_process=any(part.in_process for part in parts),
        cpu_seconds=sum(part.cpu_seconds for part in parts),
        program_sha256=sample.sha256,
    )


def judge_all(
    benchmark: Benchmark[JudgeT],
    samples: Sequence[Sample],
    sandbox: JudgeT,
    workers: int,
    keep: Callable[[SampleResult], None],
) -> None:
    """Judge samples on `workers` threads and hand each result to `keep` as it comes.

    The tasks that take longest come first: one of them, begun last, would keep a single worker
    busy while the others have nothing left to do.
    """
    costs = benchmark.cpu_seconds
    longest_first = sorted(samples, key=lambda sample: -costs.get(sample.task_id, 0.0))
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(judge_sample, benchmark, each, sandbox) for each in longest_first]
        try:
            for future in as_completed(futures):
                keep(future.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _settings(benchmark: Benchmark[JudgeT]) -> dict[str, JsonValue]:
    """What a logged result depends on besides its program."""
    return {**benchmark.source.model_dump(), "libraries": {**benchmark.libraries}}


def _identity(result: SampleResult) -> tuple[str, int, str]:
    return result.task_id, result.sample, result.program_sha256


def _replace(path: Path, text: str) -> None:
    """Write a file so that a kill leaves the old one or the new one, never a half."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _summary(
    benchmark: Benchmark[JudgeT], results: Sequence[SampleResult], invalid: int, seconds: float
) -> ResultSummary:
    run = [result for result in results if result.base_status is not Status.NOT_RUN]
    tasks = {result.task_id for result in run}
    has_plus = any(result.plus_status is not None for result in run)
    verdicts = {result.verdict for result in run}
    return ResultSummary(
        data=benchmark.source,
        tasks=len(tasks),
        tasks_without_sample=len(benchmark.tasks.keys() - tasks - benchmark.not_run.keys()),
        tasks_not_run=dict(benchmark.not_run),
        samples=len(run),
        invalid_lines=invalid,
        base=pass_rates(run, KS, plus=False),
        plus=pass_rates(run, KS, plus=True) if has_plus else None,
        groups={
            group: pass_rates(
                [result for result in run if benchmark.groups.get(result.task_id) == group],
                KS,
                plus=False,
            )
            for group in sorted(set(benchmark.groups.values()))
        },
        verdicts={name: sum(r.verdict == name for r in run) for name in sorted(verdicts)},
        error_types=error_types(run),
        seconds=seconds,
        cpu_seconds=sum(result.cpu_seconds for result in run),
    )
