"""Sample files in evalplus's format: one JSON object a line with a task_id and a program."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """One program for one task; `sample` counts from 0 within the task, in the file's order."""

    task_id: str
    sample: int
    code: str

    @property
    def sha256(self) -> str:
        """What the program's earlier results are recognised by."""
        return hashlib.sha256(self.code.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A file's samples, and how many lines were passed over."""

    samples: list[Sample]
    invalid: int


def read_samples(
    path: Path,
    prompts: Mapping[str, str],
    entry_points: Mapping[str, str] | None = None,
    *,
    skip_invalid: bool = False,
) -> SampleFile:
    """The samples of a `.jsonl` or `.jsonl.gz` file.

    Args:
        path: each line holds `task_id` and either `solution`, a whole program, or `completion`,
            which continues the task's prompt, or `answer`, a chat model's, which holds a program.
        prompts: the text that a completion continues, by task_id.
        entry_points: what the program in an answer defines, by task_id; a script where there is
            none.
        skip_invalid: count lines that hold no sample instead of refusing the file.

    Raises:
        InputError: naming file, line and field, or where the file holds no sample at all.
    """
    counts: Counter[str] = Counter()
    samples: list[Sample] = []
    invalid = 0
    for number, line in _lines(path):
        try:
            task_id, code = _parse(line, prompts, entry_points or {}, path, number)
        except InputError:
            if not skip_invalid:
                raise
            invalid += 1
            continue
        samples.append(Sample(task_id, counts[task_id], code))
        counts[task_id] += 1
    if not samples:
        raise InputError("holds no sample", file=path, remedy="Give one JSON object a line")
    return SampleFile(samples, invalid)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    content = read_bytes(path, "Give a .jsonl or .jsonl.gz file")
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield number, line


def _parse(
    line: bytes,
    prompts: Mapping[str, str],
    entry_points: Mapping[str, str],
    path: Path,
    number: int,
) -> tuple[str, str]:
    def refusal(problem: str, remedy: str, field: str | None = None) -> InputError:
        return InputError(problem, remedy=remedy, file=path, line=number, field=field)

    try:
        fields: Any = json.loads(line)
    except RecursionError:
        raise refusal("not JSON (nested too deep)", "Give one JSON object a line") from None
    except ValueError as error:
        raise refusal(f"not JSON ({error})", "Give one JSON object a line") from None
    if not isinstance(fields, dict):
        raise refusal("not a JSON object", "Give one JSON object a line")
    task_id = fields.get("task_id")
    if not isinstance(task_id, str):
        raise refusal("missing or no text", "Name the benchmark's task", "task_id")
    if task_id not in prompts:
        raise refusal(
            f"the benchmark has no task {task_id!r}", "Check --benchmark and --data", "task_id"
        )
    for name, before in (("solution", ""), ("completion", prompts[task_id])):
        if isinstance(fields.get(name), str):
            return task_id, before + fields[name]
    if isinstance(fields.get("answer"), str):
        answer = read_answer(fields["answer"], entry_points.get(task_id, ""))
        return task_id, answer.program or ""
    raise refusal(
        "missing or no text",
        "Give the whole program, its continuation as completion, or a chat model's answer",
        "solution",
    )
