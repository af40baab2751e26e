"""What one judged program came to: held-out problems, samples files and benchmarks alike."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import polars as pl

from iterpref_assets.core.digests import program_sha256
from iterpref_assets.core.evaluation.tasks import Judgement
from iterpref_assets.core.journal import storable
from iterpref_assets.core.records import Record
from iterpref_assets.core.sandbox.verdicts import Execution, Failure, Verdict
from iterpref_assets.core.tables import SCORES, validate


class SampleStatus(StrEnum):
    """evalplus's words for how one set of tests went, and one for tasks that could not run."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    TIMEOUT = "timeout"
    NOT_RUN = "not_run"


class Statuses(Record):
    """What a harness says of both sets of tests."""

    base: SampleStatus
    plus: SampleStatus | None = None


class Score(Record):
    """One judged program: a line of `results.jsonl`, and what a row of tables.SCORES is made of.

    Attributes:
        task_id: the task.
        sample: counts from 0 within the task.
        base_status: the task's own tests.
        plus_status: the added tests, None where the task has none.
        evalplus_status: what evalplus 0.3.1 says where one of its listed faults makes it differ
            (docs/EVALUATION.md), else None.
        verdict: of the first set of tests that failed, "not_run" where none was run; where a model
            gave no program, how its completion ended (such as "prompt_too_long").
        error_type: the exception's class name where there was one; why a task was not run.
        in_process: whether the tests ran beside the program, so that it could reach them.
        cpu_seconds: of all its runs; a measurement, the only field that differs from run to run.
        program_sha256: what was judged.
        program: the same as text.
        completion: the model's answer that the program was taken from, "" where none is known.
        failing_case: the first case that failed, counted from 0, None where none is known.
        failing_call: that case's call, or what it feeds to standard input; shortened.
        expected: what it should have returned or printed; shortened.
        actual: what it did return or print, "" where it did neither; shortened.
        message: what an exception said, or what was refused.
    """

    task_id: str
    sample: int
    base_status: SampleStatus
    plus_status: SampleStatus | None
    evalplus_status: Statuses | None = None
    verdict: str
    error_type: str
    in_process: bool = False
    cpu_seconds: float = 0.0
    program_sha256: str
    program: str
    completion: str = ""
    failing_case: int | None = None
    failing_call: str = ""
    expected: str = ""
    actual: str = ""
    message: str = ""

    @property
    def statuses(self) -> Statuses:
        """How both sets of tests went."""
        return Statuses(base=self.base_status, plus=self.plus_status)


def score_of(
    task_id: str,
    sample: int,
    program: str,
    judgement: Judgement,
    *,
    completion: str = "",
    evalplus_status: Statuses | None = None,
) -> Score:
    """The score of a program that was judged."""
    parts = [judgement.base] + ([judgement.plus] if judgement.plus else [])
    statuses = statuses_of(judgement)
    decisive = judgement.execution
    failure = decisive.failure or Failure()
    return Score(
        task_id=task_id,
        sample=sample,
        base_status=statuses.base,
        plus_status=statuses.plus,
        evalplus_status=evalplus_status,
        verdict=decisive.verdict.value,
        error_type=decisive.error_type,
        in_process=any(part.in_process for part in parts),
        cpu_seconds=sum(part.cpu_seconds for part in parts),
        program_sha256=program_sha256(program),
        program=storable(program),
        completion=storable(completion),
        failing_case=decisive.failing_case,
        failing_call=storable(failure.call),
        expected=storable(failure.expected),
        actual=storable(failure.actual),
        message=storable(decisive.message),
    )


def score_without_run(
    task_id: str,
    sample: int,
    program: str,
    status: SampleStatus,
    verdict: str,
    *,
    has_plus: bool = False,
    reason: str = "",
    completion: str = "",
) -> Score:
    """The score of a program that was not run, or of an answer that holds none."""
    return Score(
        task_id=task_id,
        sample=sample,
        base_status=status,
        plus_status=status if has_plus else None,
        verdict=verdict,
        error_type=reason,
        program_sha256=program_sha256(program),
        program=storable(program),
        completion=storable(completion),
    )


def statuses_of(judgement: Judgement) -> Statuses:
    """The statuses of both sets of tests."""
    plus = None if judgement.plus is None else _status_of(judgement.plus)
    return Statuses(base=_status_of(judgement.base), plus=plus)


def scores_table(scores: Sequence[Score]) -> pl.DataFrame:
    """The scores as tables.SCORES, in their order; those that were not run are left out."""
    rows = [
        {
            "task_id": score.task_id,
            "sample": score.sample,
            "completion": score.completion,
            "code": score.program,
            "verdict": score.verdict,
            "error_type": score.error_type,
            "base_passed": score.base_status is SampleStatus.PASS,
            "plus_passed": None
            if score.plus_status is None
            else score.plus_status is SampleStatus.PASS,
            "failing_call": score.failing_call,
            "expected": score.expected,
            "actual": score.actual,
            "message": score.message,
        }
        for score in scores
        if score.base_status is not SampleStatus.NOT_RUN
    ]
    return validate(pl.DataFrame(rows, schema=SCORES), SCORES)


def _status_of(execution: Execution) -> SampleStatus:
    if execution.passed:
        return SampleStatus.PASS
    timed_out = execution.verdict is Verdict.TIMEOUT
    return SampleStatus.TIMEOUT if timed_out else SampleStatus.FAIL
