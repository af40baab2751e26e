"""Judged answers as pages show them, from the results of a samples file or a table of scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.scores import SampleStatus, Score, Statuses

REMEDY = "Give results.jsonl of iterpref evaluate, or a table of scores (.parquet)"


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """One judged answer.

    Attributes:
        task_id, sample: which answer to which task.
        statuses: how both sets of tests went.
        verdict, error_type: as in Score.
        program: what was judged.
        call: the first call that failed, or what was fed to standard input; "" where not known.
        expected: what that should have given.
        actual: what it gave.
        message: what an exception said, or what was refused.
    """

    task_id: str
    sample: int
    statuses: Statuses
    verdict: str
    error_type: str
    program: str
    call: str = ""
    expected: str = ""
    actual: str = ""
    message: str = ""

    @property
    def passed(self) -> bool:
        """Whether every set of tests that the task has was passed."""
        both = (self.statuses.base, self.statuses.plus)
        return all(status in (None, SampleStatus.PASS) for status in both)

    @property
    def was_run(self) -> bool:
        """Whether the task could run."""
        return self.statuses.base is not SampleStatus.NOT_RUN


def read_answers(file: Path) -> list[ShownAnswer]:
    """Every answer of `results.jsonl` or of a table of tables.SCORES.

    Raises:
        InputError: where there is no such file, or it is neither.
    """
    if file.suffix == ".parquet":
        return list(_of_table(file))
    if not file.is_file():
        raise InputError("no such file", file=file, remedy=REMEDY)
    with file.open("rb") as lines:
        return [_of_line(file, number, line) for number, line in enumerate(lines, start=1)]


def _of_line(file: Path, number: int, line: bytes) -> ShownAnswer:
    try:
        score = Score.model_validate_json(line)
    except ValidationError as error:
        raise InputError.of_record(error, file=file, line=number, remedy=REMEDY) from None
    return ShownAnswer(
        task_id=score.task_id,
        sample=score.sample,
        statuses=score.statuses,
        verdict=score.verdict,
        error_type=score.error_type,
        program=score.program,
        call=score.failing_call,
        expected=score.expected,
        actual=score.actual,
        message=score.message,
    )


def _of_table(file: Path) -> Iterator[ShownAnswer]:
    for row in tables.read_scores(file).iter_rows(named=True):
        yield ShownAnswer(
            task_id=row["task_id"],
            sample=row["sample"],
            statuses=Statuses(
                base=_status(row["base_passed"]),
                plus=None if row["plus_passed"] is None else _status(row["plus_passed"]),
            ),
            verdict=row["verdict"],
            error_type=row["error_type"] or "",
            program=row["code"],
            call=row["failing_call"] or "",
            expected=row["expected"] or "",
            actual=row["actual"] or "",
            message=row["message"] or "",
        )


def _status(passed: bool) -> SampleStatus:
    return SampleStatus.PASS if passed else SampleStatus.FAIL


def share_passed(answers: Sequence[ShownAnswer]) -> str:
    """How many answers passed, of those that were run."""
    run = [each for each in answers if each.was_run]
    passed = sum(each.passed for each in run)
    share = f" ({passed / len(run):.1%})" if run else ""
    return f"{passed:,} of {len(run):,} answers pass{share}"
