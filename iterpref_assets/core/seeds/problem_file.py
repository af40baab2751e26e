"""Reading a file of problems that someone wrote: lines of records.Problem, or the first fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.json_lines import line_error
from iterpref_assets.core.lab.problems import SOURCE as LAB
from iterpref_assets.core.records import FunctionTests, Problem, Split
from iterpref_assets.core.sandbox.judging import check_literals

_REMEDY = "docs/FORMATS.md shows a line and lists the fields; `iterpref init` writes a file of such"


def read_problem_file(path: Path, split: Split | None) -> list[Problem]:
    """The problems of a JSONL file, all of them of `split`; None takes those of any.

    Raises:
        InputError: naming file, line and field of the first line that is not a problem of that
            split, whose id was seen before, or whose tests hold other than Python literals.
    """
    problems: dict[str, Problem] = {}
    for number, line in _lines(path):
        problem = _read_problem(path, number, line)
        if problem.source == LAB:
            raise InputError(
                f"the name {LAB!r} is kept for problems that the lab composes",
                file=path,
                line=number,
                field="source",
                remedy="Name your own source: the lab's reference solutions are trusted to run",
            )
        seen = problem.problem_id in problems
        if seen or problem.split is not (split or problem.split):
            raise InputError(
                f"{problem.problem_id!r} occurs twice" if seen else f"expected '{split}'",
                file=path,
                line=number,
                field="problem_id" if seen else "split",
                remedy="Give each problem an id of its own" if seen else "Move it to its own file",
            )
        problems[problem.problem_id] = problem
    if not problems:
        raise InputError("no problems", file=path, remedy="Add one JSON object per line")
    return list(problems.values())


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that hold something, with their numbers from 1."""
    content = read_bytes(path, "Give a file of problems: docs/FORMATS.md shows one")
    # As bytes: a text's own `splitlines` also splits at characters that JSON allows in a string.
    for number, raw in enumerate(content.split(b"\n"), start=1):
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"not UTF-8 ({error.reason})",
                file=path,
                line=number,
                remedy="Save the file as UTF-8",
            ) from None
        if line.strip():
            yield number, line


def _read_problem(path: Path, number: int, line: str) -> Problem:
    try:
        problem = Problem.model_validate_json(line)
    except ValidationError as error:
        raise line_error(error, Problem, line, file=path, number=number, remedy=_REMEDY) from None
    if isinstance(problem.tests, FunctionTests):
        try:
            check_literals(problem.tests)
        except InputError as error:
            raise InputError(
                error.problem,
                file=path,
                line=number,
                field=f"tests.{error.field}",
                remedy=error.remedy,
            ) from None
    return problem
