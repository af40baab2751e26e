"""MBPP's train split as a seed source (`mbpp.jsonl`, or `sanitized-mbpp.json`)."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.json_lines import parse_json
from iterpref_assets.core.prompts import problem_prompt
from iterpref_assets.core.records import Problem
from iterpref_assets.core.seeds.asserts import NotALiteralError, read_asserts
from iterpref_assets.core.seeds.pooled import PooledSeeds
from iterpref_assets.core.seeds.reading import SeedReading, Unusable, UnusableRecord, file_digest
from iterpref_assets.core.syntax import parse

SOURCE = "mbpp"
TRAIN = range(601, 975)
"""The task ids of the train split; 11 to 510 are the test split, 511 to 600 validation."""


class MbppTask(BaseModel):
    """One task, by the field names of either layout; what is not needed is not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    task_id: int
    text: str = Field(validation_alias=AliasChoices("text", "prompt"))
    code: str
    test_list: tuple[str, ...]
    test_setup_code: str = ""


class MbppSeeds(PooledSeeds):
    """The train split. 108 of its tasks are MBPP+ tasks too, which decontamination finds."""

    kind: Literal["mbpp"] = Field("mbpp", description="Which kind of seeds")
    path: Path = Field(description="The file of MBPP, in either published layout, gzipped or not")

    @property
    def name(self) -> str:
        """What its shards and problems are named after."""
        return SOURCE

    def source_identity(self) -> dict[str, JsonValue]:
        """The file's content."""
        return {"sha256": file_digest(self.path)}

    def read(self) -> SeedReading:
        """The train tasks whose assertions are calls with plain values."""
        reading = SeedReading()
        for task in read_mbpp(self.path):
            if task.task_id in TRAIN:
                _convert(task, reading)
        return reading


def read_mbpp(path: Path) -> list[MbppTask]:
    """Every task of a file in either layout.

    Raises:
        InputError: naming the line or record that is no task.
    """
    content = read_bytes(path, "Give MBPP unchanged")
    if content.lstrip().startswith(b"["):
        rows = enumerate(_parsed(content, path, None), start=1)
    else:
        lines = enumerate(content.splitlines(), start=1)
        rows = [(number, _parsed(line, path, number)) for number, line in lines if line.strip()]
    return [_task(path, number, row) for number, row in rows]


def _parsed(text: bytes, path: Path, number: int | None) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise InputError(
            f"not JSON: {error}", file=path, line=number, remedy="Give MBPP unchanged"
        ) from None


def _task(path: Path, number: int, row: object) -> MbppTask:
    try:
        return MbppTask.model_validate(row)
    except ValidationError as error:
        raise InputError.of_record(
            error,
            file=path,
            line=number,
            remedy="Give MBPP unchanged",
        ) from None


def _convert(task: MbppTask, reading: SeedReading) -> None:
    name = f"{SOURCE}/{task.task_id}"
    code = task.code.replace("\r\n", "\n").strip()
    if task.test_setup_code:
        detail = "set-up code"
        reading.unusable.append(UnusableRecord(name, Unusable.NOT_A_LITERAL, detail))
        return
    try:
        tests = read_asserts(task.test_list)
    except NotALiteralError as error:
        reading.unusable.append(UnusableRecord(name, Unusable.NOT_A_LITERAL, str(error)))
        return
    signature = signature_of(code, tests.entry_point)
    reading.problems.append(
        Problem(
            problem_id=name,
            source=SOURCE,
            prompt=problem_prompt(task.text, signature),
            entry_point=tests.entry_point,
            signature=signature,
            tests=tests,
            reference=code,
        )
    )


def signature_of(code: str, entry_point: str) -> str:
    """The first line of a function in `code`, or its bare name where `code` does not define it."""
    tree = parse(code)
    for node in tree.body if tree else []:
        if isinstance(node, ast.FunctionDef) and node.name == entry_point:
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            return f"def {entry_point}({ast.unparse(node.args)}){returns}:"
    return entry_point
