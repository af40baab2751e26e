"""Rows of any table as problems, by a mapping of its columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.json_lines import parse_json
from iterpref_assets.core.prompts import problem_prompt
from iterpref_assets.core.records import CodeTests, Problem, Record, StdioCase, StdioTests, Tests
from iterpref_assets.core.sandbox.code_tests import require_usable
from iterpref_assets.core.seeds.asserts import NotALiteralError, read_asserts
from iterpref_assets.core.seeds.mbpp import signature_of
from iterpref_assets.core.seeds.nameless import imported_packages
from iterpref_assets.core.seeds.reading import SeedReading, Unusable, UnusableRecord

_TESTS: TypeAdapter[Tests] = TypeAdapter(Tests)
_UNNAMEABLE = re.compile(r"[^A-Za-z0-9_./-]+")
_IMPORT = "from solution import *\n"


class CheckFormat(StrEnum):
    """How a table writes its tests."""

    ASSERTS = "asserts"
    """A list of `assert f(...) == ...`, or one text with one of them a line."""
    STDIO = "stdio"
    """{"inputs": [...], "outputs": [...]}, as JSON or nested columns."""
    CODE = "code"
    """A test file; it imports the solution as `solution`, or is given all of its names."""
    TYPED = "typed"
    """The JSON of records.Tests."""


class ColumnMapping(Record):
    """Which column holds what; a name that is not set is a part that the table lacks."""

    statement: str = Field(
        description="The task in words; a whole prompt where `signature` is not to be added"
    )
    tests: str = Field(description="What decides a solution")
    test_format: CheckFormat = Field(description="How the tests are written")
    id: str | None = Field(None, description="What names a row; unset is the number of the row")
    entry_point: str | None = Field(
        None,
        description="The function that is asked for; with test format `asserts` it is read from "
        "the tests",
    )
    signature: str | None = Field(
        None, description="The first line of the function; unset reads it from the reference"
    )
    reference: str | None = Field(None, description="A solution that passes")
    features: str | None = Field(None, description="A list of topics")

    def names(self) -> tuple[str, ...]:
        """The columns that are read."""
        given = self.model_dump(exclude={"test_format"}).values()
        return tuple(dict.fromkeys(name for name in given if name is not None))


def read_rows(
    rows: Iterable[Mapping[str, Any]], columns: ColumnMapping, source: str, place: str
) -> SeedReading:
    """The problems of a table's rows.

    Args:
        rows: each with the columns that are mapped.
        columns: which column holds what.
        source: the name of the source, with which problem ids begin.
        place: the file or data set, to be named in errors.

    Raises:
        InputError: naming the row and column that holds no text, or features that are no list, or
            an id that occurs twice.
    """
    reading = SeedReading()
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        name = _name(row, columns, source, number)
        if name in seen:
            raise InputError(
                f"{name!r} occurs twice",
                file=place,
                line=number,
                field=columns.id,
                remedy="Map `id` to a column whose values differ, or to none",
            )
        seen.add(name)
        try:
            reading.problems.append(_problem(row, columns, source, name))
        except _UnusableError as error:
            reading.unusable.append(UnusableRecord(name, error.reason, str(error)))
        except _BadFieldError as error:
            raise InputError(
                f"expected {error.expected}, found {type(row[error.column]).__name__}",
                file=place,
                line=number,
                field=error.column,
                remedy="Map another column",
            ) from None
    return reading


class _BadFieldError(ValueError):
    """A column that holds something else than what is expected of it."""

    def __init__(self, column: str, expected: str) -> None:
        super().__init__(column)
        self.column, self.expected = column, expected


class _UnusableError(ValueError):
    """A row that gives no problem."""

    def __init__(self, reason: Unusable, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def _name(row: Mapping[str, Any], columns: ColumnMapping, source: str, number: int) -> str:
    given = str(row[columns.id]) if columns.id else str(number)
    return f"{source}/{_UNNAMEABLE.sub('_', given)}"


def _problem(row: Mapping[str, Any], columns: ColumnMapping, source: str, name: str) -> Problem:
    tests = _READERS[columns.test_format](row[columns.tests])
    reference = _text(row, columns.reference)
    entry_point = _text(row, columns.entry_point) or getattr(tests, "entry_point", "")
    if isinstance(tests, CodeTests):
        _require_usable(tests, entry_point)
    signature = _text(row, columns.signature) or (
        signature_of(reference, entry_point) if entry_point and reference else ""
    )
    statement = _text(row, columns.statement)
    if not statement.strip():
        raise _UnusableError(Unusable.MALFORMED, "an empty statement")
    return Problem(
        problem_id=name,
        source=source,
        prompt=problem_prompt(statement, signature) if signature else statement.strip(),
        entry_point=entry_point,
        signature=signature,
        tests=tests,
        reference=reference,
        features=_features(row, columns.features),
    )


def _text(row: Mapping[str, Any], column: str | None) -> str:
    if column is None or row[column] is None:
        return ""
    value = row[column]
    if not isinstance(value, str):
        raise _BadFieldError(column, "text")
    return value.replace("\r\n", "\n")


def _features(row: Mapping[str, Any], column: str | None) -> tuple[str, ...]:
    if column is None or row[column] is None:
        return ()
    value = row[column]
    if not isinstance(value, list):
        raise _BadFieldError(column, "a list")
    return tuple(map(str, value))


def _asserts(value: Any) -> Tests:
    statements = _lines(value) if isinstance(value, str) else value
    if not statements:
        raise _UnusableError(Unusable.NO_TESTS, "")
    if not isinstance(statements, list):
        raise _UnusableError(Unusable.MALFORMED, "assertions are neither a list nor text")
    try:
        return read_asserts(list(map(str, statements)))
    except NotALiteralError as error:
        raise _UnusableError(Unusable.NOT_A_LITERAL, str(error)) from None


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def _stdio(value: Any) -> Tests:
    cases = _json(value) or {}
    if not isinstance(cases, dict):
        raise _UnusableError(Unusable.MALFORMED, "tests are no object of inputs and outputs")
    inputs, outputs = cases.get("inputs") or [], cases.get("outputs") or []
    if not inputs:
        raise _UnusableError(Unusable.NO_TESTS, "")
    lists = isinstance(inputs, list) and isinstance(outputs, list) and len(inputs) == len(outputs)
    if not lists or not all(isinstance(each, str) for each in (*inputs, *outputs)):
        raise _UnusableError(Unusable.MALFORMED, "inputs and outputs are no texts side by side")
    pairs = zip(inputs, outputs, strict=True)
    return StdioTests(cases=tuple(StdioCase(stdin=given, stdout=shown) for given, shown in pairs))


def _code(value: Any) -> Tests:
    if not value:
        raise _UnusableError(Unusable.NO_TESTS, "")
    code = str(value)
    return CodeTests(code=code if "solution" in imported_packages(code) else _IMPORT + code)


def _typed(value: Any) -> Tests:
    if not value:
        raise _UnusableError(Unusable.NO_TESTS, "")
    try:
        return _TESTS.validate_python(_json(value))
    except ValidationError as error:
        raise _UnusableError(Unusable.MALFORMED, error.errors()[0]["msg"]) from None


def _require_usable(tests: CodeTests, entry_point: str) -> None:
    try:
        require_usable(tests, entry_point)
    except InputError as error:
        raise _UnusableError(Unusable.MALFORMED, error.problem) from None


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except ValueError:
        raise _UnusableError(Unusable.MALFORMED, "tests are no JSON") from None


_READERS: dict[CheckFormat, Callable[[Any], Tests]] = {
    CheckFormat.ASSERTS: _asserts,
    CheckFormat.STDIO: _stdio,
    CheckFormat.CODE: _code,
    CheckFormat.TYPED: _typed,
}
