"""Debugging trajectories recorded by LLMDebugger (`results/ldb/*.jsonl`), executed again here.

A recorded verdict is a claim: versions get a verdict only by running, and where it differs from the
claim the trajectory is reported. The tasks are HumanEval's and MBPP's, so pairs made of them
must not train a model that is scored on those.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.prompts import problem_prompt
from iterpref_assets.core.records import LLMDEBUGGER, CodeTests, Problem, Tests
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

PACKAGES = ("numpy",)
"""What recorded programs may import besides the standard library, as in HumanEval+ and MBPP+."""

OnRows = Callable[[int], None]

Judge = Callable[[str, Tests], Execution]
"""Runs a program against tests; called from several threads at once."""


class _Line(BaseModel):
    """What is read of one recorded trajectory."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    task_id: str
    prompt: str
    entry_point: str
    test: str
    implementations: tuple[str, ...] = Field(min_length=1, strict=False)
    is_solved: bool


@dataclass(frozen=True)
class Recorded:
    """What the files hold.

    Attributes:
        problems: each task once, in order of its id.
        versions: columns of tables.VERSIONS without verdict, error and feedback; trajectories are
            named `<task>#<file>`, and `sample` is the file's position.
        claims: `trajectory_id` and `is_solved` as recorded.
    """

    problems: list[Problem]
    versions: pl.DataFrame
    claims: pl.DataFrame


def read_trajectories(files: Sequence[Path]) -> Recorded:
    """Read JSON lines, gzipped or not.

    Raises:
        InputError: naming the file, line and field that cannot be read, or a trajectory whose
            task and file are called like an earlier one's.
    """
    problems: dict[str, Problem] = {}
    versions: list[tuple[str, str, int, int, str]] = []
    claims: dict[str, bool] = {}
    for sample, file in enumerate(files):
        for number, line in enumerate(_lines(file), start=1):
            name = f"{line.task_id}#{file.name.split('.jsonl')[0]}"
            if name in claims:
                raise InputError(
                    f"trajectory {name!r} was read before",
                    file=file,
                    line=number,
                    field="task_id",
                    remedy="Give a file each task once, and files of different names",
                )
            problems[line.task_id] = _problem(line)
            claims[name] = line.is_solved
            versions += [
                (name, line.task_id, sample, round_, code)
                for round_, code in enumerate(line.implementations)
            ]
    return Recorded(
        problems=[problems[name] for name in sorted(problems)],
        versions=pl.DataFrame(
            versions,
            schema=dict(list(tables.VERSIONS.items())[:5]),
            orient="row",
        ).sort("problem_id", "sample", "round"),
        claims=pl.DataFrame(
            list(claims.items()),
            schema={"trajectory_id": pl.String(), "is_solved": pl.Boolean()},
            orient="row",
        ).sort("trajectory_id"),
    )


def execute(recorded: Recorded, judge: Judge, *, on_rows: OnRows | None = None) -> pl.DataFrame:
    """Every version with the verdict it gets here: columns of tables.VERSIONS.

    `on_rows` is told of finished versions.
    """
    tests = {problem.problem_id: problem.tests for problem in recorded.problems}
    programs = recorded.versions["code"]
    asked = [tests[name] for name in recorded.versions["problem_id"]]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        executions: list[Execution] = []
        for execution in pool.map(judge, programs, asked):
            executions.append(execution)
            if on_rows:
                on_rows(1)
    return recorded.versions.with_columns(
        verdict=pl.Series([execution.verdict.value for execution in executions], dtype=pl.String),
        error_type=pl.Series([execution.error_type for execution in executions], dtype=pl.String),
        feedback=pl.Series([execution.message for execution in executions], dtype=pl.String),
    )


def disagreements(recorded: Recorded, versions: pl.DataFrame) -> pl.DataFrame:
    """Trajectories whose last version does not do what was claimed.

    Returns:
        `trajectory_id`, `is_solved` (the claim), `verdict` and `error_type` (found by running).
    """
    last = versions.group_by("trajectory_id", maintain_order=True).last()
    return (
        recorded.claims.join(last, on="trajectory_id", how="inner", maintain_order="left")
        .filter(pl.col("is_solved") != (pl.col("verdict") == Verdict.PASSED))
        .select("trajectory_id", "is_solved", "verdict", "error_type")
    )


def _lines(file: Path) -> Iterator[_Line]:
    content = read_bytes(file, "Give JSON lines, gzipped or not")
    # As bytes: a text's own `splitlines` also splits at characters that JSON allows in a string.
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            yield _Line.model_validate_json(line)
        except ValidationError as error:
            raise InputError.of_record(
                error,
                file=file,
                line=number,
                remedy="Give the JSON lines that LLMDebugger writes",
            ) from None


def _problem(line: _Line) -> Problem:
    signatures = re.findall(rf"^def {re.escape(line.entry_point)}\b.*$", line.prompt, re.MULTILINE)
    signature = signatures[-1].strip() if signatures else line.entry_point
    call = "" if re.search(r"^check\(", line.test, re.MULTILINE) else f"\ncheck({line.entry_point})"
    return Problem(
        problem_id=line.task_id,
        source=LLMDEBUGGER,
        prompt=problem_prompt(line.prompt, signature),
        entry_point=line.entry_point,
        signature=signature,
        tests=CodeTests(code=f"from solution import *\n{line.test}{call}\n"),
    )
