"""What scoring a samples file leaves behind: one line per sample, and a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from iterpref_assets.core.evaluation.passk import mean_pass_at_k
from iterpref_assets.core.evaluation.summary import ErrorCount
from iterpref_assets.core.records import Record
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict


class Status(StrEnum):
    """evalplus's words for how one set of tests went, and one for tasks that could not run."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    TIMEOUT = "timeout"
    NOT_RUN = "not_run"


class Statuses(Record):
    """What a harness says of both sets of tests."""

    base: Status
    plus: Status | None = None


class SampleResult(Record):
    """One judged sample: a line of `results.jsonl`.

    Attributes:
        task_id: the benchmark's task.
        sample: counts from 0 within the task, in the order of the samples file.
        base_status: the task's own tests.
        plus_status: the added tests, None where the benchmark has none.
        evalplus_status: what evalplus 0.3.1 says where one of its listed faults makes it differ
            (docs/EVALUATION.md), else None.
        verdict: of the first set of tests that failed, "not_run" where none was run.
        error_type: the exception's class name where there was one; why a task was not run.
        in_process: whether the tests ran beside the program, so that it could reach them.
        cpu_seconds: of all its runs; a measurement, the only field that differs from run to run.
        program_sha256: what was judged.
    """

    task_id: str
    sample: int
    base_status: Status
    plus_status: Status | None
    evalplus_status: Statuses | None
    verdict: str
    error_type: str
    in_process: bool
    cpu_seconds: float
    program_sha256: str

    @property
    def passed_plus(self) -> bool:
        """Whether both sets of tests passed, as evalplus counts it."""
        return self.base_status is Status.PASS and self.plus_status in (Status.PASS, None)


class DataSource(Record):
    """Which benchmark, by content; md5 is the checksum that evalplus reports."""

    benchmark: str
    sha256: str
    md5: str


class ResultSummary(Record):
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


def status_of(execution: Execution) -> Status:
    """The status of one set of tests."""
    if execution.passed:
        return Status.PASS
    return Status.TIMEOUT if execution.verdict is Verdict.TIMEOUT else Status.FAIL


def pass_rates(
    results: Sequence[SampleResult], ks: Sequence[int], *, plus: bool
) -> dict[str, float]:
    """pass@k over the results' tasks for each k that every task has samples for."""
    samples: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for result in results:
        samples[result.task_id] += 1
        passed[result.task_id] += result.passed_plus if plus else result.base_status is Status.PASS
    counts = [(count, passed[task_id]) for task_id, count in samples.items()]
    fewest = min((count for count, _ in counts), default=0)
    return {f"pass@{k}": mean_pass_at_k(counts, k) for k in ks if k <= fewest}


def error_types(results: Sequence[SampleResult]) -> tuple[ErrorCount, ...]:
    """Failing samples by exception, or by verdict where there was none, most frequent first."""
    counts = Counter(
        result.error_type or result.verdict
        for result in results
        if result.verdict != Verdict.PASSED.value
    )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ErrorCount(error_type=name, count=count) for name, count in ordered)
