"""Every table's columns, and reading and writing that insist on them.

Nothing timed is a column: the same completions give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import polars as pl

from iterpref_assets.core.errors import InputError

Schema: TypeAlias = dict[str, pl.DataType]

PROBLEMS: Schema = {
    "problem_id": pl.String(),
    "source": pl.String(),
    "split": pl.String(),
    "prompt": pl.String(),
    "entry_point": pl.String(),
    "signature": pl.String(),
    "tests": pl.String(),
    "reference": pl.String(),
    "features": pl.List(pl.String()),
}
"""One problem a row; `tests` is the JSON of records.Tests."""

UNUSABLE_SEEDS: Schema = {
    "record": pl.String(),
    "reason": pl.String(),
    "detail": pl.String(),
}
"""One record of a source that gives no problem a row; reasons are core.seeds.reading.Unusable."""

DROPPED_SEEDS: Schema = {
    "problem_id": pl.String(),
    "source": pl.String(),
    "reason": pl.String(),
    "benchmark": pl.String(),
    "shared_with": pl.String(),
    "evidence": pl.String(),
}
"""A row for each thing that one dropped seed shares with another problem; reasons are
core.seeds.filtering.DropReason, `shared_with` is the benchmark item's or the earlier seed's id, and
`benchmark` is null where that is a seed."""

COMPLETIONS: Schema = {
    "key": pl.String(),
    "problem_id": pl.String(),
    "sample": pl.Int32(),
    "round": pl.Int32(),
    "completion": pl.String(),
    "prompt_tokens": pl.Int32(),
    "completion_tokens": pl.Int32(),
    "finish_reason": pl.String(),
    "seed": pl.Int64(),
    "engine": pl.String(),
}
"""One completion a row, as the engine gave it; replaying them reproduces every later stage."""

WRITTEN_PROGRAMS: Schema = {
    "problem_id": pl.String(),
    "code": pl.String(),
    "verdict": pl.String(),
    "error_type": pl.String(),
    "message": pl.String(),
}
"""The solution that a generator wrote together with a problem's tests, and what came of running
both: a row a problem, in order of problem_id."""

TEST_QUALITY: Schema = {
    "problem_id": pl.String(),
    "one_result": pl.Boolean(),
    "verdict": pl.String(),
    "lines": pl.Int32(),
    "covered_lines": pl.Int32(),
    "branches": pl.Int32(),
    "covered_branches": pl.Int32(),
    "mutants": pl.Int32(),
    "killed": pl.Int32(),
    "survivors": pl.List(pl.String()),
    "flaky": pl.Boolean(),
    "accuracy": pl.Int8(),
    "effectiveness": pl.Int8(),
    "reasonableness": pl.Int8(),
    "rating_fault": pl.String(),
}
"""How good one problem's tests are a row: `one_result` says whether a program that gives one result
for every input passes them, and is null for a test file; `verdict` is the reference's, the counts
are of its statements, branches and mutants, `survivors` are the changes that no test notices,
`flaky` says whether the reference fails with another hash seed and order. Ratings are a judge's, 1
to 5. What was not measured is null."""

VERSIONS: Schema = {
    "trajectory_id": pl.String(),
    "problem_id": pl.String(),
    "sample": pl.Int32(),
    "round": pl.Int32(),
    "code": pl.String(),
    "verdict": pl.String(),
    "error_type": pl.String(),
    "feedback": pl.String(),
}
"""One version of a program a row, in order of (problem_id, sample, round); a trajectory is solved
where its last version passed, and `feedback` is what the next round was shown."""

PAIRS: Schema = {
    "pair_id": pl.String(),
    "trajectory_id": pl.String(),
    "problem_id": pl.String(),
    "prompt": pl.String(),
    "chosen": pl.String(),
    "rejected": pl.String(),
    "chosen_round": pl.Int32(),
    "rejected_round": pl.Int32(),
    "chosen_diff_lines": pl.List(pl.Int32()),
    "rejected_diff_lines": pl.List(pl.Int32()),
    "dropped_by": pl.String(),
}
"""One candidate pair a row. `chosen` and `rejected` are code without a fence, diff lines count
from 0 within them (D+ and D-), and `dropped_by` names the first filter that dropped the pair,
null where it is kept."""

JUDGEMENTS: Schema = {
    "pair_id": pl.String(),
    "question": pl.String(),
    "answer": pl.String(),
    "text": pl.String(),
    "prompt_tokens": pl.Int32(),
    "completion_tokens": pl.Int32(),
    "finish_reason": pl.String(),
    "engine": pl.String(),
}
"""What the judge said of one pair a row; answers are core.pairs.judge.Answer, and pairs of the same
two programs share a question."""

TOKENIZED_PAIRS: Schema = {
    "pair_id": pl.String(),
    "prompt_ids": pl.List(pl.Int32()),
    "chosen_ids": pl.List(pl.Int32()),
    "rejected_ids": pl.List(pl.Int32()),
    "chosen_mask": pl.List(pl.Boolean()),
    "rejected_mask": pl.List(pl.Boolean()),
}
"""One kept pair a row for one tokenizer; masks mark the tokens of D+ and D- lines and are as long
as the ids they go with; chosen and rejected ids end with the end-of-turn token."""

REFERENCE_LOGPROBS: Schema = {
    "pair_id": pl.String(),
    "chosen_logprobs": pl.List(pl.Float32()),
    "rejected_logprobs": pl.List(pl.Float32()),
}
"""Per-token log-probabilities (nats) of the reference model, aligned with the pair's ids."""

SCORES: Schema = {
    "task_id": pl.String(),
    "sample": pl.Int32(),
    "completion": pl.String(),
    "code": pl.String(),
    "verdict": pl.String(),
    "error_type": pl.String(),
    "base_passed": pl.Boolean(),
    "plus_passed": pl.Boolean(),
    "failing_call": pl.String(),
    "expected": pl.String(),
    "actual": pl.String(),
    "message": pl.String(),
}
"""One judged completion a row; `plus_passed` is null where a benchmark has no plus tests. Where no
program was generated, `verdict` is the completion's finish reason (such as "prompt_too_long"). What
is known of the first failure (shortened) stands in the last four columns, empty where nothing is.
"""

_OF_FAILURES = {"failing_call", "expected", "actual", "message"}
"""Columns of SCORES that tables of before they were kept do not have."""

STRONGER: Schema = {"task_id": pl.String(), "passed_stronger": pl.Boolean()}
"""One program a row that passes its problem's own tests: whether it passes stronger ones too."""

BENCHMARK_TASKS: Schema = {
    "task_id": pl.String(),
    "group": pl.String(),
    "not_run": pl.String(),
    "verdict": pl.String(),
    "error_type": pl.String(),
    "message": pl.String(),
}
"""One task of a benchmark a row; columns as in core.evaluation.references.ReferenceResult."""

LEADERBOARD: Schema = {
    "column": pl.String(),
    "variant": pl.String(),
    "tasks": pl.Int32(),
    "pass_at_1": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "difference": pl.Float64(),
    "difference_low": pl.Float64(),
    "difference_high": pl.Float64(),
}
"""One cell of the leaderboard a row, as shares of 1; the difference is to the reference model
on the same tasks, null for itself and where that has no score."""


def validate(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """`frame` itself where it has exactly the columns of `schema`, in order.

    Raises:
        InputError: naming the first column that is missing, unknown or of another type.
    """
    expected, actual = dict(schema), dict(frame.schema)
    for name in [*expected, *actual]:
        if expected.get(name) != actual.get(name):
            raise InputError(
                f"expected {expected.get(name, 'no such column')}, "
                f"found {actual.get(name, 'no such column')}",
                field=name,
                remedy="Give another table, or make this one anew with this version of the project",
            )
    return frame.select(list(expected))


def write_table(frame: pl.DataFrame, schema: Schema, path: Path) -> None:
    """Write `frame` as Parquet after validation; equal frames give equal bytes."""
    validate(frame, schema).write_parquet(path, compression="zstd", statistics=True)


def check_table(path: Path, schema: Schema) -> None:
    """Check a Parquet table's columns without reading its rows.

    Raises:
        InputError: where the file is missing, is no Parquet, or its columns are not `schema`'s.
    """
    columns = _columns(path)
    try:
        validate(pl.DataFrame(schema=columns), schema)
    except InputError as error:
        raise InputError(error.problem, file=path, field=error.field, remedy=error.remedy) from None


def _columns(path: Path) -> Schema:
    """The columns of a Parquet table.

    Raises:
        InputError: where the file is missing, or is no Parquet.
    """
    if not path.is_file():
        raise InputError(
            "no such table", file=path, remedy="Give one that a command or an asset wrote"
        )
    try:
        return pl.read_parquet_schema(path)
    except pl.exceptions.ComputeError as error:
        problem = f"not a readable Parquet file ({error})"
        raise InputError(problem, file=path, remedy="Give a table of this project") from None


def read_table(path: Path, schema: Schema) -> pl.DataFrame:
    """Read and validate a Parquet table.

    Raises:
        InputError: where the file is missing, is no Parquet, or its columns are not `schema`'s.
    """
    check_table(path, schema)
    return pl.read_parquet(path).select(list(schema))


def read_scores(path: Path) -> pl.DataFrame:
    """Read a table of SCORES; one from before failures were kept tells of none.

    Raises:
        InputError: as `read_table`.
    """
    earlier = {name: kind for name, kind in SCORES.items() if name not in _OF_FAILURES}
    if _OF_FAILURES.isdisjoint(_columns(path)):
        empty = {name: pl.lit("") for name in SCORES if name in _OF_FAILURES}
        return read_table(path, earlier).with_columns(**empty)
    return read_table(path, SCORES)
