"""Load LiveCodeBench's code generation problems: official files, or one with public tests only."""

from __future__ import annotations

import base64
import io
import json
import pickle
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from iterpref_assets.core.digests import Checksums
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.json_lines import parse_json
from iterpref_assets.core.records import Record

REPOSITORY = "livecodebench/code_generation_lite"
LATEST_RELEASE = 6
"""Release vN holds the files of N releases, each with the problems that came since the last."""

_METHOD = re.compile(r"def\s+(\w+)\s*\(\s*self\b")


class Difficulty(StrEnum):
    """The contest's own grade."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


class TestType(StrEnum):
    """Whether a test calls a method or feeds a program."""

    FUNCTIONAL = "functional"
    STDIN = "stdin"


class LiveCodeBenchCase(Record):
    """One test; `input` of a functional one is a JSON value per line, one line per argument."""

    input: str
    output: str
    testtype: TestType


@dataclass(frozen=True, slots=True)
class LiveCodeBenchProblem:
    """One problem; `method` is the method to call, empty where tests are stdin/stdout."""

    task_id: str
    question: str
    starter_code: str
    cases: tuple[LiveCodeBenchCase, ...]
    method: str
    contest_date: date
    difficulty: Difficulty | None


@dataclass(frozen=True, slots=True)
class LiveCodeBenchData:
    """Loaded problems in the order of the files, and checksums of the unpacked files."""

    problems: dict[str, LiveCodeBenchProblem]
    sha256: str
    md5: str

    @property
    def window(self) -> str:
        """The days of the first and the last contest."""
        days = sorted(problem.contest_date for problem in self.problems.values())
        return f"{days[0]}..{days[-1]}" if days else ""

    def within(self, since: date | None, until: date | None) -> LiveCodeBenchData:
        """The problems whose contest was on a day from `since` to `until`, both included.

        Raises:
            InputError: where there is none.
        """
        chosen = {
            task_id: problem
            for task_id, problem in self.problems.items()
            if (since is None or problem.contest_date >= since)
            and (until is None or problem.contest_date <= until)
        }
        if not chosen:
            days = sorted(problem.contest_date for problem in self.problems.values())
            raise InputError(
                f"no contest from {since or 'the start'} to {until or 'the end'}",
                field="contest_date",
                remedy=f"Choose days from {days[0]} to {days[-1]}",
            )
        return LiveCodeBenchData(chosen, self.sha256, self.md5)


def load_livecodebench(
    path: Path | None = None, release: int = LATEST_RELEASE
) -> LiveCodeBenchData:
    """The problems of `path` (.jsonl or .jsonl.gz), or of a release at its source where None.

    Raises:
        InputError: naming file and line, where a file is missing, malformed or cannot be fetched.
    """
    files = [path] if path is not None else _fetch(release)
    problems: dict[str, LiveCodeBenchProblem] = {}
    checksums = Checksums()
    for file in files:
        content = read_bytes(file, "Give a file of LiveCodeBench")
        checksums.update(content)
        for number, line in enumerate(content.splitlines(), start=1):
            if line.strip():
                problem = _parse(line, file, number)
                problems[problem.task_id] = problem
    if not problems:
        raise InputError("no problems", file=path, remedy="Give a file of LiveCodeBench")
    return LiveCodeBenchData(problems, checksums.sha256, checksums.md5)


def release_files(release: int) -> list[str]:
    """The files that release `release` consists of."""
    return ["test.jsonl", *(f"test{number}.jsonl" for number in range(2, release + 1))]


def _fetch(release: int) -> Sequence[Path]:
    from huggingface_hub import hf_hub_download

    try:
        return [
            Path(hf_hub_download(REPOSITORY, name, repo_type="dataset"))
            for name in release_files(release)
        ]
    except OSError as error:
        raise InputError(
            f"cannot be fetched ({type(error).__name__})",
            file=REPOSITORY,
            remedy="Give the benchmark's file, or a network",
        ) from error


def _parse(line: bytes, file: Path, number: int) -> LiveCodeBenchProblem:
    try:
        return _problem(parse_json(line))
    except (KeyError, TypeError, ValueError, zlib.error, pickle.UnpicklingError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise InputError(
            f"is not a problem of LiveCodeBench ({type(error).__name__}: {reason})",
            file=file,
            line=number,
            remedy="Give its file unchanged",
        ) from error


def _problem(row: dict[str, Any]) -> LiveCodeBenchProblem:
    rows = _tests(row["public_tests"] if "public_tests" in row else row["public_test_cases"])
    rows += _tests(row.get("private_test_cases") or [])
    cases = tuple(LiveCodeBenchCase.model_validate(each) for each in rows)
    if not cases:
        raise ValueError("it has no tests")
    functional = cases[0].testtype is TestType.FUNCTIONAL
    return LiveCodeBenchProblem(
        task_id=str(row["question_id"]),
        question=row["question_content"],
        starter_code=row["starter_code"],
        cases=cases,
        method=_method(row) if functional else "",
        contest_date=date.fromisoformat(row["contest_date"][:10]),
        difficulty=Difficulty(row["difficulty"]) if row.get("difficulty") else None,
    )


def _method(row: dict[str, Any]) -> str:
    named = parse_json(row.get("metadata") or "{}").get("func_name")
    found = _METHOD.search(row["starter_code"])
    if named is None and found is None:
        raise ValueError("its method's name is not given")
    return named or found.group(1)  # pyright: ignore[reportOptionalMemberAccess]


def _tests(value: Any) -> list[Any]:
    """Tests as a list, as JSON text, or as the source packs private ones: pickled JSON text."""
    if not isinstance(value, str):
        return list(value)
    try:
        return parse_json(value)
    except json.JSONDecodeError:
        packed = io.BytesIO(zlib.decompress(base64.b64decode(value)))
        return parse_json(_TextUnpickler(packed).load())


class _TextUnpickler(pickle.Unpickler):
    """Reads pickled text and refuses everything that could run."""

    def find_class(self, module_name: str, global_name: str, /) -> NoReturn:
        raise pickle.UnpicklingError(f"it names {module_name}.{global_name}")
