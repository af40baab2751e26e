"""Programs to score: a file of JSON lines in evalplus's format, or a folder of `.py` files.

A line may hold a program (`solution`), what continues the task's prompt (`completion`) or, where
answers are asked for, a model's whole answer, which the program is taken from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iterpref_assets.core.digests import program_sha256
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.json_lines import parse_json
from iterpref_assets.core.syntax import parse

ANSWER_FIELDS = ("answer", "solution", "completion")
"""Where a line holds a whole answer, the first of them that it has."""

ReadAnswer = Callable[[str, str], str]
"""The program in an answer: of (task_id, answer)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One program for one task; `sample` counts from 0 within the task, in the file's order.

    `answer` is what the program was taken from, "" where it was given as a program.
    """

    task_id: str
    sample: int
    code: str
    answer: str = ""

    @property
    def sha256(self) -> str:
        """What the program's earlier results are recognised by."""
        return program_sha256(self.code)

    @property
    def looks_fenced(self) -> bool:
        """Whether the program is no Python but seems to hold some between fences."""
        return not self.answer and "```" in self.code and parse(self.code) is None


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A file's samples, and how many lines were passed over."""

    samples: list[Sample]
    invalid: int

    def of_tasks(self, names: frozenset[str]) -> SampleFile:
        """The samples of these tasks alone."""
        return SampleFile([each for each in self.samples if each.task_id in names], self.invalid)


def read_samples(
    path: Path,
    prompts: Mapping[str, str],
    *,
    skip_invalid: bool = False,
    answers: ReadAnswer | None = None,
) -> SampleFile:
    """The samples of a `.jsonl` or `.jsonl.gz` file, or of a folder as evalplus writes it.

    Args:
        path: each line holds `task_id` and either `solution`, a whole program, or `completion`,
            which continues the task's prompt; a folder holds `HumanEval_0/0.py` and so on.
        prompts: the text that a completion continues, by task_id.
        skip_invalid: count lines that hold no sample instead of refusing the file.
        answers: takes the program out of an answer, where lines hold whole answers.

    Raises:
        InputError: naming file, line and field, or where there is no sample at all.
    """
    if path.is_dir():
        return _read_folder(path, prompts, skip_invalid=skip_invalid)
    counts: Counter[str] = Counter()
    samples: list[Sample] = []
    invalid = 0
    for number, line in _lines(path):
        try:
            found = _Line.of(line, prompts, path, number)
            text = found.answer() if answers else found.program(prompts)
        except InputError:
            if not skip_invalid:
                raise
            invalid += 1
            continue
        task_id = found.task_id
        code = answers(task_id, text) if answers else text
        samples.append(Sample(task_id, counts[task_id], code, text if answers else ""))
        counts[task_id] += 1
    if not samples:
        raise _no_sample(path)
    return SampleFile(samples, invalid)


def check_samples(path: Path, prefix: str = "", *, answers: bool = False) -> None:
    """Refuse a file or folder of samples that no benchmark could read; nothing else is looked at.

    Args:
        path: as in `read_samples`.
        prefix: what the benchmark's task_ids begin with.
        answers: whether lines hold whole answers.

    Raises:
        InputError: naming file, line and field, or where there is no sample at all.
    """
    if path.is_dir():
        if next(path.glob("*/*.py"), None) is None:
            raise _no_sample(path)
        return
    count = 0
    for count, (number, line) in enumerate(_lines(path), start=1):  # noqa: B007 - counted
        found = _Line.of(line, None, path, number)
        if not found.task_id.startswith(prefix):
            raise InputError(
                f"{found.task_id!r} is no task of this benchmark: they begin with {prefix!r}",
                remedy="Check --benchmark",
                file=path,
                line=number,
                field="task_id",
            )
        _ = found.answer() if answers else found.text()
    if not count:
        raise _no_sample(path)


def _no_sample(path: Path) -> InputError:
    remedy = "Give a folder a task, with a .py file a program"
    if not path.is_dir():
        remedy = "Give one JSON object a line"
    return InputError("holds no sample", file=path, remedy=remedy)


def _read_folder(folder: Path, prompts: Mapping[str, str], *, skip_invalid: bool) -> SampleFile:
    """One folder a task, named as the task with `_` for `/`; a program a file, ordered by name."""
    names = {name.replace("/", "_"): name for name in prompts}
    samples: list[Sample] = []
    invalid = 0
    for place in sorted(each for each in folder.iterdir() if each.is_dir()):
        files = sorted(place.glob("*.py"), key=lambda file: (len(file.stem), file.stem))
        if place.name not in names:
            if not skip_invalid:
                raise InputError(
                    f"the benchmark has no task of the folder {place.name!r}",
                    file=folder,
                    remedy="Name folders as the tasks, with _ for /; check --benchmark and --data",
                )
            invalid += len(files)
            continue
        samples += [
            Sample(names[place.name], number, _text(file)) for number, file in enumerate(files)
        ]
    if not samples:
        raise _no_sample(folder)
    return SampleFile(samples, invalid)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot be read ({error})", file=file, remedy="Give Python files in UTF-8"
        ) from error


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    content = read_bytes(path, "Give a .jsonl or .jsonl.gz file, or a folder of .py files")
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield number, line


@dataclass(frozen=True, slots=True)
class _Line:
    """One line's object, with its place for messages."""

    task_id: str
    fields: Mapping[str, Any]
    path: Path
    number: int

    @classmethod
    def of(cls, line: bytes, prompts: Mapping[str, str] | None, path: Path, number: int) -> _Line:
        """The object of a line that names a task of the benchmark; any task where that is None."""

        def refusal(problem: str, remedy: str, field: str | None = None) -> InputError:
            return InputError(problem, remedy=remedy, file=path, line=number, field=field)

        try:
            fields: Any = parse_json(line)
        except ValueError as error:
            raise refusal(f"not JSON ({error})", "Give one JSON object a line") from None
        if not isinstance(fields, dict):
            raise refusal("not a JSON object", "Give one JSON object a line")
        task_id = fields.get("task_id")
        if not isinstance(task_id, str):
            raise refusal("missing or no text", "Name the benchmark's task", "task_id")
        if prompts is not None and task_id not in prompts:
            raise refusal(
                f"the benchmark has no task {task_id!r}", "Check --benchmark and --data", "task_id"
            )
        return cls(task_id, fields, path, number)

    def program(self, prompts: Mapping[str, str]) -> str:
        """The whole program."""
        is_whole = isinstance(self.fields.get("solution"), str)
        return self.text() if is_whole else prompts[self.task_id] + self.text()

    def text(self) -> str:
        """The program, or what continues the task's prompt."""
        for name in ("solution", "completion"):
            if isinstance(self.fields.get(name), str):
                return self.fields[name]
        raise self._lacks("solution", "Give the whole program, or its continuation as completion")

    def answer(self) -> str:
        """The whole answer."""
        for name in ANSWER_FIELDS:
            if isinstance(self.fields.get(name), str):
                return self.fields[name]
        raise self._lacks(ANSWER_FIELDS[0], "Give the model's whole answer")

    def _lacks(self, field: str, remedy: str) -> InputError:
        return InputError(
            "missing or no text", remedy=remedy, file=self.path, line=self.number, field=field
        )
