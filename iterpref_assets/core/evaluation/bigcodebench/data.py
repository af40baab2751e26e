"""Load BigCodeBench v0.1.4, Full or Hard."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from iterpref_assets.core.digests import Checksums
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.json_lines import parse_json

REPOSITORY, VERSION = "bigcode/bigcodebench", "v0.1.4"
HARD_IDS = "bigcodebench_hard_ids.json"


class BigCodeBenchSplit(StrEnum):
    """How a task is asked: continue a signature and docstring, or follow an instruction."""

    COMPLETE = "complete"
    INSTRUCT = "instruct"


class BigCodeBenchSubset(StrEnum):
    """All 1,140 tasks, or the 148 hard ones."""

    FULL = "full"
    HARD = "hard"


class BigCodeBenchProblem(BaseModel):
    """One task, by the benchmark's own field names; what judging does not need is dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    task_id: str
    complete_prompt: str
    instruct_prompt: str
    canonical_solution: str
    code_prompt: str
    test: str
    entry_point: str

    @property
    def reference(self) -> str:
        """The whole program of the reference solution."""
        return f"{self.complete_prompt}\n{self.canonical_solution}"


@dataclass(frozen=True, slots=True)
class BigCodeBenchData:
    """The tasks of one subset, which of them are hard, and the whole unpacked file's checksums."""

    problems: dict[str, BigCodeBenchProblem]
    hard: frozenset[str]
    sha256: str
    md5: str
    subset: BigCodeBenchSubset = BigCodeBenchSubset.FULL


def load_bigcodebench(
    path: Path | None, subset: BigCodeBenchSubset = BigCodeBenchSubset.FULL
) -> BigCodeBenchData:
    """The tasks of `path` (.jsonl or .jsonl.gz), or of the official source where None.

    The hard tasks are those that a JSON list beside the file names (`bigcodebench_hard_ids.json`).

    Raises:
        InputError: naming file and line, where a file is missing, malformed or cannot be fetched.
    """
    if path is None:
        rows, content = _fetch(REPOSITORY)
        hard = frozenset(problem.task_id for problem in _fetch(f"{REPOSITORY}-hard")[0])
    else:
        content = read_bytes(path, "Give a file of BigCodeBench")
        rows = [
            _parse(line, path, number)
            for number, line in enumerate(content.splitlines(), start=1)
            if line.strip()
        ]
        hard = _hard_ids(path.with_name(HARD_IDS))
    problems = {problem.task_id: problem for problem in rows}
    if subset is BigCodeBenchSubset.HARD:
        problems = {name: problem for name, problem in problems.items() if name in hard}
    if not problems:
        raise InputError("no tasks", file=path, remedy="Give a file of BigCodeBench")
    checksums = Checksums(content)
    return BigCodeBenchData(problems, hard, checksums.sha256, checksums.md5, subset)


def _hard_ids(path: Path) -> frozenset[str]:
    remedy = "Put the list of hard task ids beside the benchmark"
    try:
        ids = parse_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError("no such file", file=path, remedy=remedy) from None
    except ValueError as error:
        raise InputError(f"not JSON ({error})", file=path, remedy=remedy) from None
    if not isinstance(ids, list):
        raise InputError("not a JSON list", file=path, remedy=remedy)
    return frozenset(map(str, cast(list[Any], ids)))


def _fetch(name: str) -> tuple[list[BigCodeBenchProblem], bytes]:
    import datasets

    try:
        rows: list[dict[str, Any]] = datasets.load_dataset(name, split=VERSION).to_list()
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot be fetched ({type(error).__name__})",
            file=name,
            remedy="Give the benchmark's file, or a network",
        ) from error
    content = "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows).encode()
    return [BigCodeBenchProblem.model_validate(row) for row in rows], content


def _parse(line: bytes, path: Path, number: int) -> BigCodeBenchProblem:
    try:
        return BigCodeBenchProblem.model_validate_json(line)
    except ValidationError as error:
        raise InputError.of_record(
            error,
            file=path,
            line=number,
            remedy="Give the file of BigCodeBench unchanged",
        ) from None
