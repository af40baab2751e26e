"""Debugging trajectories recorded elsewhere, as JSON lines, and running their programs here.

A recorded verdict is a claim: versions get a verdict only by running, and where it differs from the
claim the trajectory is reported. Lines are in the form of this project (`own`) or of LLMDebugger;
their fields tell which.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.json_lines import parse_json
from iterpref_assets.core.pairs import llmdebugger, own
from iterpref_assets.core.pairs.own import TrajectoryLine
from iterpref_assets.core.pairs.reaching import judged_columns
from iterpref_assets.core.pairs.streaming import OnRows
from iterpref_assets.core.reached import ProgramJudging, judge_reached
from iterpref_assets.core.records import CodeTests, FunctionTests, Problem
from iterpref_assets.core.sandbox.code_tests import require_usable
from iterpref_assets.core.sandbox.judging import check_literals
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

PACKAGES = ("numpy",)
"""What recorded programs may import besides the standard library, as in HumanEval+ and MBPP+."""

_FORMS: Mapping[str, Callable[[bytes], TrajectoryLine]] = {
    "versions": own.parse,
    "implementations": llmdebugger.parse,
}
"""How a line is read, by a field that it has."""

_REMEDY = "Give trajectories as docs/PAIRS.md shows them, or as LLMDebugger writes them"


@dataclass(frozen=True)
class Recorded:
    """What the files hold.

    Attributes:
        problems: each task once, in order of its id.
        versions: columns of tables.VERSIONS without verdict, error and feedback; programs are
            without what their tests do not reach. Trajectories are named `<task>#<file>`, and a
            second one of a task in a file `<task>#<file>.1`, or the next that is free; `sample` is
            the file's position, or the next that is free.
        claims: `trajectory_id` and `is_solved`, of those that claim something.
        unusable: what is wrong with each line whose task cannot be used.
    """

    problems: list[Problem]
    versions: pl.DataFrame
    claims: pl.DataFrame
    unusable: list[InputError]


def read_trajectories(files: Sequence[Path]) -> Recorded:
    """Read JSON lines, packed or not.

    A line whose task or tests cannot be used is left out and told of in `unusable`.

    Raises:
        InputError: naming the file, line and field that cannot be read; a task that two lines give
            different prompts, tests, sources or functions; a trajectory of LLMDebugger that was
            read before; a file without trajectories; or the first unusable line, where no line can
            be used.
    """
    reading = _Reading()
    for position, file in enumerate(files):
        number = 0
        for number, line in _lines(file):
            reading.add(file, position, number, line)
        if not number:
            raise InputError("no trajectory in it", file=file, remedy=_REMEDY)
    return reading.recorded()


def execute(
    recorded: Recorded, judge: ProgramJudging, *, on_rows: OnRows | None = None
) -> pl.DataFrame:
    """Every version with what counts of it and the verdict it gets here (`judge_reached`).

    `on_rows` is told of finished versions.

    Returns:
        Columns of tables.VERSIONS.
    """
    tests = {problem.problem_id: problem.tests for problem in recorded.problems}
    programs = recorded.versions["code"]
    asked = [tests[name] for name in recorded.versions["problem_id"]]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        judged: list[tuple[str, Execution]] = []
        for each in pool.map(judge_reached, programs, asked, repeat(judge)):
            judged.append(each)
            if on_rows:
                on_rows(1)
    return recorded.versions.with_columns(judged_columns(judged))


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


@dataclass
class _Reading:
    """What was read so far, and where each task was read first."""

    problems: dict[str, Problem] = field(default_factory=dict[str, Problem])
    places: dict[str, str] = field(default_factory=dict[str, str])
    rows: list[tuple[str, str, int, int, str]] = field(
        default_factory=list[tuple[str, str, int, int, str]]
    )
    claims: dict[str, bool] = field(default_factory=dict[str, bool])
    unusable: list[InputError] = field(default_factory=list[InputError])
    _numbers: Counter[str] = field(default_factory=Counter[str])
    _names: set[str] = field(default_factory=set[str])
    _samples: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])

    def add(self, file: Path, position: int, number: int, line: TrajectoryLine) -> None:
        """Take a line in, or note why it cannot be used."""
        task = line.problem_id
        try:
            problem = line.problem()
            _require_usable(problem)
        except (InputError, ValidationError) as error:
            remedy = "Name it in letters, digits and the signs _ . / -"
            self.unusable.append(_told(error, file, number, task, remedy))
            return
        self._require_same(problem, file, number)
        name = self._name(line, file, number)
        if line.solved is not None:
            self.claims[name] = line.solved
        sample = position
        while (task, sample) in self._samples:
            sample += 1
        self._samples.add((task, sample))
        self.rows += [(name, task, sample, n, code) for n, code in enumerate(line.versions)]

    def recorded(self) -> Recorded:
        """All of it, in order."""
        if not self.rows and self.unusable:
            raise self.unusable[0]
        versions = pl.DataFrame(
            self.rows, schema=dict(list(tables.VERSIONS.items())[:5]), orient="row"
        ).sort("problem_id", "sample", "round")
        problems = [self.problems[name] for name in sorted(self.problems)]
        return Recorded(
            problems=problems,
            versions=versions,
            claims=pl.DataFrame(
                list(self.claims.items()),
                schema={"trajectory_id": pl.String(), "is_solved": pl.Boolean()},
                orient="row",
            ).sort("trajectory_id"),
            unusable=self.unusable,
        )

    def _require_same(self, problem: Problem, file: Path, number: int) -> None:
        task = problem.problem_id
        before = self.problems.setdefault(task, problem)
        place = self.places.setdefault(task, f"{file.name}:{number}")
        for part in ("tests", "prompt", "source", "entry_point", "signature"):
            if getattr(before, part) != getattr(problem, part):
                raise InputError(
                    f"task {task!r} has other {part} than in {place}",
                    file=file,
                    line=number,
                    field=part,
                    remedy="Give all trajectories of a task the same, or two tasks two names",
                )

    def _name(self, line: TrajectoryLine, file: Path, number: int) -> str:
        name = f"{line.problem_id}#{file.name.split('.jsonl')[0]}"
        count = self._numbers[name]
        if count and line.solved is not None:
            raise InputError(
                f"trajectory {name!r} was read before",
                file=file,
                line=number,
                field="task_id",
                remedy="Give a file each task once, and files of different names",
            )
        free = f"{name}.{count}" if count else name
        while free in self._names:  # one that another file's name gives
            count += 1
            free = f"{name}.{count}"
        self._numbers[name] = count + 1
        self._names.add(free)
        return free


def _lines(file: Path) -> Iterator[tuple[int, TrajectoryLine]]:
    content = read_bytes(file, _REMEDY)
    # As bytes: a text's own `splitlines` also splits at characters that JSON allows in a string.
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as error:
            raise InputError(str(error), file=file, line=number, remedy=_REMEDY) from None
        try:
            yield number, _trajectory(row, line)
        except ValueError as error:  # pydantic's is one
            raise _told(error, file, number, _task(row), _REMEDY) from None


def _task(row: Any) -> str | None:
    """The task that a line names, where it does."""
    names = [row.get(name) for name in ("problem_id", "task_id")] if isinstance(row, dict) else []
    return next((name for name in names if isinstance(name, str)), None)


def _trajectory(row: Any, line: bytes) -> TrajectoryLine:
    for name, parse in _FORMS.items():
        if isinstance(row, dict) and name in row:
            return parse(line)
    raise ValueError(f"no trajectory: it has none of the fields {', '.join(_FORMS)}")


def _require_usable(problem: Problem) -> None:
    if isinstance(problem.tests, CodeTests):
        require_usable(problem.tests, problem.entry_point)
    if isinstance(problem.tests, FunctionTests):
        check_literals(problem.tests)


def _told(error: ValueError, file: Path, number: int, task: str | None, remedy: str) -> InputError:
    """What is wrong with a line, by its place and its task."""
    match error:
        case InputError():
            found = error
        case ValidationError():
            found = InputError.of_record(error, remedy=remedy)
        case _:
            found = InputError(str(error), remedy=remedy)
    return InputError(
        f"task {task!r}: {found.problem}" if task is not None else found.problem,
        file=file,
        line=number,
        field=found.field,
        remedy=found.remedy,
    )
